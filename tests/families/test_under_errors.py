"""Families under the calibrated errors: words, i.i.d. errors beside, what did not converge."""

import dataclasses

import numpy as np
import pytest
import xarray as xr
from every import every, every_panel
from made import make_panel, make_study, staggered
from panels import make_design
from scipy.linalg import helmert
from scipy.stats import multivariate_normal, multivariate_t

import bayesdid as bd
from bayesdid.exceptions import InputError
from bayesdid.families.comparison import analysis as comparison
from bayesdid.families.comparison.left_out import contrast_densities
from bayesdid.families.iv_second.analysis import errors_said
from bayesdid.families.psm_did import analysis as psm
from bayesdid.families.registry.discover import families
from bayesdid.families.registry.family import ErrorsOption
from bayesdid.families.registry.load import check_study
from bayesdid.families.specification_curve import analysis as curve
from bayesdid.families.under_errors import Under, errors_sentence, iid_sentence
from bayesdid.model.bound import BoundModel
from bayesdid.model.errors import DEFAULT_ERRORS, Errors
from bayesdid.peers.instrument import TwoStage
from bayesdid.summary import hdi

WITH_ERRORS = [
    name for name, family in families().items() if issubclass(family.options, ErrorsOption)
]


def tree_of(converged=1, **draws):
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset(draws)})
    tree.attrs["converged"] = converged
    return tree


def test_the_sentence_says_the_errors_their_correlation_and_the_effect_under_iid_ones():
    iid = np.random.default_rng(0).normal(-2.0, 0.1, 1000)
    own = 2 * iid
    trees = [tree_of(phi=("draw", [0.5, 0.7])), tree_of(phi=("draw", [0.8, 0.8]))]
    said = errors_sentence(DEFAULT_ERRORS, "the effect", own, iid, trees)
    assert said == (
        "Errors are AR(1) within units, a scale of its own for each unit (correlation 0.70 from "
        f"one period to the next); with i.i.d. errors the effect is {iid.mean():.3f} "
        f"({hdi(iid):.3f}), which is too sure: errors of a unit are correlated here, and every "
        "interval under i.i.d. errors is too narrow."
    )
    for phi in ([0.0, 0.7], [-0.6, -0.5], [0.05, 0.05]):  # unsure, negative, next to nothing
        other = [*trees, tree_of(phi=("draw", phi))]
        assert "correlated" not in errors_sentence(DEFAULT_ERRORS, "the effect", own, iid, other)
    # a quiet treated unit: the interval under i.i.d. errors is the wider one, and not too sure
    wider = errors_sentence(DEFAULT_ERRORS, "the effect", iid / 2, iid, trees)
    assert wider.endswith(", no narrower, although errors of a unit are correlated here.")
    assert "correlation" not in errors_sentence(Errors("iid", "unit"), "it", own, iid)
    asked = errors_sentence(Errors(), "the effect", own, iid)
    assert asked.startswith("Errors are i.i.d., as asked for")
    assert "too narrow" in asked
    assert f"{iid.mean():.3f}" not in asked


def test_where_errors_are_iid_alone_the_page_says_what_that_does_to_the_interval():
    assert iid_sentence("Errors are i.i.d.", "the effect", 0.2, "2SLS", 0.5) == (
        "Errors are i.i.d. If those of a unit depend on each other, as they do in most panels, "
        "intervals here are too narrow: the clustered standard error of 2SLS is 0.5, 2.5 times the "
        "posterior sd of the effect (0.2)."
    )
    tau = np.random.default_rng(0).normal(0, 0.2, 1000)
    said = errors_said(tau, TwoStage(0.1, 0.4, 1.0, 0.1, 100.0, 0.2, ((-1.0, 1.0),)))
    assert said.startswith("Errors are i.i.d. in both equations")
    assert f"standard error of 2SLS is 0.4, {0.4 / tau.std():.1f} times" in said


def test_an_instrument_and_several_mediators_say_that_their_errors_are_iid():
    options = {"mediators": ["m", "z"]}
    study = every({"iv_second", "mediation"}, mediation={"options": options})
    panel = every_panel()
    instrumented = bd.analyse(study, "t.iv_second", panel, draws=200)
    peer = instrumented.peers[0]
    assert f"clustered standard error of 2SLS is {peer.se:.3g}" in instrumented.sentences[-1]
    result = bd.analyse(study, "t.mediation", panel, draws=200)
    total = next(peer for peer in result.peers if peer.quantity == "total")
    assert result.posterior.attrs["engine"] == "mediation"
    assert "those of several mediators correlate with each other" in result.sentences[1]
    assert f"its least-squares estimate is {total.se:.3g}" in result.sentences[1]
    table = result.tables[0].frame
    np.testing.assert_array_equal(table["mean"], table["i.i.d. mean"])


def test_one_mediator_has_the_calibrated_errors_and_iid_ones_beside():
    study = every({"mediation"}, mediation={"options": {"mediators": ["m"]}})
    result = bd.analyse(study, "t.mediation", every_panel(), draws=200)
    assert result.posterior.attrs["engine"] == "mediation_unit_scales"
    assert result.sentences[1].startswith(f"Errors are {DEFAULT_ERRORS}")
    table = result.tables[0].frame.set_index("quantity")
    own = table.loc["m: indirect a b"]
    assert (
        f"with i.i.d. errors the indirect effect is {own['i.i.d. mean']:.3f}"
        in (result.sentences[1])
    )
    assert own["mean"] != own["i.i.d. mean"]
    assert all(peer.holds for peer in result.peers)  # least squares beside i.i.d. errors


@pytest.mark.parametrize(("own", "beside"), [(1, 1), (0, 1), (1, 0)])
def test_an_analysis_converged_if_both_of_its_fits_did(own, beside):
    under = Under(DEFAULT_ERRORS, tree_of(own), tree_of(beside), fit=None)
    assert under.converged is (own == beside == 1)


def test_the_families_of_one_panel_have_the_option_and_the_calibrated_default():
    assert set(WITH_ERRORS) == {
        *("cohort", "overlap", "heterogeneity", "moderation", "event_study", "psm_did", "placebo"),
        "mediation",
    }
    assert all(
        families()[n].options.model_fields["errors"].default == "ar1_unit" for n in WITH_ERRORS
    )
    for name in ("comparison", "specification_curve"):
        assert families()[name].options.model_fields["errors"].default == ("ar1_unit", "iid")


@pytest.mark.parametrize("name", ["cohort", "comparison"])
def test_misspelt_errors_are_told_at_load_what_was_meant(name):
    value = "ar1_units" if name == "cohort" else ["ar1_units"]
    options = {"errors": value} | ({"specs": ["t.twfe"]} if name == "comparison" else {})
    with pytest.raises(InputError, match="did you mean 'ar1_unit'"):
        check_study(every({name, "twfe"}, **{name: {"options": options}}))


def dependent(seed, phi=0.85, N=40, T=10):
    """A panel whose errors are AR(1), with one staggered treatment without any effect."""
    frame, adoption = staggered(seed, N=N, T=T, sigma=0.0)
    rng = np.random.default_rng(seed)
    e = rng.normal(size=(N, T))
    for t in range(1, T):
        e[:, t] = phi * e[:, t - 1] + np.sqrt(1 - phi**2) * e[:, t]
    return make_panel(frame.assign(y=frame["y"] + e.ravel()), adoption)


def test_dependent_errors_widen_a_cohort_effect_and_the_iid_one_stands_beside():
    panel = dependent(1)
    column = {"id": "c", "outcome": "y", "treatments": ["active:a"], "family": "cohort"}
    study = make_study(("a",), [column])
    found = bd.analyse(study, "t.c", panel, draws=250)
    plain = bd.analyse(
        make_study(("a",), [column | {"options": {"errors": "iid"}}]), "t.c", panel, draws=250
    )
    assert found.converged
    assert plain.converged
    wide, narrow = (item.tables[0].frame.iloc[0] for item in (found, plain))
    assert wide["sd"] > 1.2 * narrow["sd"]
    # the sentence beside has the numbers of the analysis under i.i.d. errors, same seed
    assert f"effect on the treated is {narrow['mean']:.3f}" in found.sentences[1]
    assert f"effect on the treated is {wide['mean']:.3f}" in found.sentences[0]
    phi = float(found.posterior["posterior"]["phi"].mean())
    assert f"(correlation {phi:.2f} from" in found.sentences[1]
    assert phi > 0.5
    assert found.posterior.attrs["engine"] == "pooled_unit_scales"


@pytest.fixture(scope="module")
def panel():
    return every_panel()


def failing(real, when):
    """`fit` whose result is marked as not converged where `when(errors, design)` says so."""

    def fit(what, **given):
        found = real(what, **given)
        errors = what.model.errors.name if isinstance(what, BoundModel) else given["errors"]
        if when(errors, getattr(what, "design", what)):
            found.tree.attrs["converged"] = 0
        return found

    return fit


def test_models_that_do_not_converge_are_left_out_of_a_comparison_by_name(panel, monkeypatch):
    options = {"specs": ["t.twfe"], "effects": ["fixed"], "errors": ["ar1", "iid"]}
    study = every({"comparison", "twfe"}, comparison={"options": options})
    monkeypatch.setattr(comparison, "fit", failing(comparison.fit, lambda e, _: e == "ar1"))
    found = bd.analyse(study, "t.comparison", panel, draws=100)
    assert found.failed == ("t.twfe, fixed effects, AR(1) errors",)
    assert found.tables[0].frame["errors"].tolist() == ["iid"]
    assert "conditional on i.i.d. errors" in found.sentences[1]
    monkeypatch.setattr(comparison, "fit", failing(comparison.fit, lambda *_: True))
    assert not bd.analyse(study, "t.comparison", panel, draws=100).converged


def test_specifications_that_do_not_converge_are_left_out_of_a_curve_by_name(panel, monkeypatch):
    options = {"effects": ["fixed"], "errors": ["ar1", "iid"]}
    study = every({"specification_curve", "twfe"}, specification_curve={"options": options})
    real = curve.fit
    bare = lambda e, design: e == "ar1" and not design.covariates  # noqa: E731
    monkeypatch.setattr(curve, "fit", failing(real, bare))
    found = bd.analyse(study, "t.specification_curve", panel, draws=100)
    assert found.failed
    assert all("errors: ar1, controls: none" in name for name in found.failed)
    shown = found.tables[1].frame
    assert not ((shown["errors"] == "ar1") & (shown["controls"] == "none")).any()
    declared = shown[(shown["sample"] == "as declared") & (shown["controls"] == "all")]
    iid = declared[declared["errors"] == "iid"].iloc[0]
    assert f"declared specification is {iid['mean']:.3f}" in found.sentences[-1]
    monkeypatch.setattr(curve, "fit", failing(real, lambda e, _: e == "ar1"))
    assert not bd.analyse(study, "t.specification_curve", panel, draws=100).converged


def test_matched_samples_that_do_not_converge_are_left_out_and_counted(panel, monkeypatch):
    options = {"caliper": 1.0, "matches": 60, "errors": "ar1"}
    study = every({"psm_did"}, psm_did={"options": options})
    lost = {5}
    rng = np.random.default_rng(0)

    def instead(item, **_):
        k = item[0]  # -1 for the units matched once
        tau = rng.normal(100.0 if k in lost else -1.0, 0.1, (4, 100, 1))
        return tree_of(int(k not in lost), tau=(("chain", "draw", "treatment"), tau))

    monkeypatch.setattr(psm, "fit_matched", instead)
    monkeypatch.setattr(psm, "_FITTED", 60)
    found = bd.analyse(study, "t.psm_did", panel, draws=100)
    assert found.converged
    assert found.failed == ("1 of 60 matched samples",)
    assert found.sentences[0].startswith("Over 59 matched samples the effect is -1.0")
    for names in ({-1}, set(range(31))):  # the sample matched once; more than half of the others
        before = set(lost)
        lost |= names
        assert not bd.analyse(study, "t.psm_did", panel, draws=100).converged
        lost &= before


@pytest.mark.parametrize("errors", ["iid", "ar1", "iid_unit", "ar1_unit"])
def test_contrasts_of_a_unit_have_the_density_of_the_model(errors):
    rng = np.random.default_rng(0)
    design = make_design(1, N=4, T=6)
    # rows in any order, and a gap in the first unit
    keep = rng.permutation(np.flatnonzero(np.arange(design.n) != 2))
    design = dataclasses.replace(
        design,
        **{k: getattr(design, k)[keep] for k in ("y", "D", "X", "unit_index", "period_index")},
    )
    S, sigma, phi, nu = 3, np.array([0.5, 1.0, 2.0]), np.array([-0.4, 0.3, 0.8]), np.full(3, 4.0)
    draws = {"sigma": sigma} | ({"phi": phi} if "ar1" in errors else {})
    draws |= {"nu_unit": nu} if "unit" in errors else {}
    posterior = xr.Dataset({k: (("chain", "draw"), v[None]) for k, v in draws.items()})
    residual = rng.normal(size=(S, design.n))
    found = contrast_densities(posterior, design, residual, np.arange(4))
    for s in range(S):
        for unit in range(4):
            at = np.flatnonzero(design.unit_index == unit)
            time = design.period_index[at]
            R = (phi[s] if "ar1" in errors else 0.0) ** np.abs(time[:, None] - time).astype(float)
            C = helmert(len(at))
            shape = sigma[s] ** 2 * C @ R @ C.T
            law = multivariate_normal(None, shape)
            if "unit" in errors:
                law = multivariate_t(None, shape, df=nu[s])
            assert found[s, unit] == pytest.approx(law.logpdf(C @ residual[s, at]), rel=1e-9)
