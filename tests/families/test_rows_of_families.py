"""Weights of rows and effects beside those of unit and period, in families of one treatment."""

import warnings

import numpy as np
import pandas as pd
import pyfixest
import pytest
from made import make_panel, make_study, staggered
from planted import near
from scipy import stats

import bayesdid as bd
from bayesdid.checks.placebo import placebo
from bayesdid.design.build import as_two_way, build_design
from bayesdid.exceptions import InputError, NotIdentifiedError
from bayesdid.families.psm_did.analysis import effect_on
from bayesdid.families.registry.load import check_study
from bayesdid.inference.exact.durbin_fit import prepare
from bayesdid.inference.exact.instrument import with_instrument
from bayesdid.inference.exact.multivariate import multivariate_posterior
from bayesdid.model.equations import instrument_of
from bayesdid.peers.instrument import two_stage
from bayesdid.spatial.design import spatial_design

EFFECTS, FE = ["region^period"], "unit + period + region^period"
SAME = {"rtol": 1e-7}


def feols(formula, frame):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pyfixest's own use of pandas
        return pyfixest.feols(formula, frame, weights="w", fixef_tol=1e-13).coef()


@pytest.fixture(scope="module")
def rows():
    """Regional shocks, unequal weights, a moderator that varies and one that does not."""
    rng = np.random.default_rng(3)
    frame, adoption = staggered(3, N=24, T=8)
    start = adoption["a"].reindex(frame["unit"]).to_numpy(float, na_value=np.inf)
    frame["D"] = (frame["period"] >= start) * 1.0
    frame["region"] = np.array(["n", "s"])[frame["unit"] // 2 % 2]
    frame["w"] = rng.uniform(0.3, 4, 24)[frame["unit"]] * rng.uniform(0.8, 1.2, len(frame))
    frame["m"] = rng.normal(size=len(frame))
    frame["z"] = rng.normal(size=24)[frame["unit"]]
    frame["group"] = np.array(["p", "q", "r"])[frame["unit"] % 3]
    frame["y"] += rng.normal(size=(2, 9))[frame["unit"] // 2 % 2, frame["period"]]
    frame["y"] += frame["D"] * (0.5 + 0.3 * frame["m"] - 0.4 * frame["z"])
    return frame, make_panel(frame, adoption)


def analysed(panel, family, *, levels=(), **options):
    column = {
        "id": "1",
        "outcome": "y",
        "treatments": ["active:a"],
        "family": family,
        "effects": EFFECTS,
        "row_weights": "w",
        "options": options,
    }
    study = make_study(policies=("a",), columns=[column], groups=levels)
    return study["t.1"], lambda: bd.analyse(study, "t.1", panel, draws=50)


def test_a_placebo_is_weighted_least_squares_of_the_assignment(rows):
    frame, panel = rows
    spec, _ = analysed(panel, "placebo")
    found = placebo(spec, panel, scheme="permuted", assignments=4, seed=1)
    dummies = [pd.get_dummies(frame[c]).to_numpy(float) for c in ("unit", "period")]
    dummies.append(pd.get_dummies(frame["region"] + frame["period"].astype(str)).to_numpy(float))
    root = np.sqrt((frame["w"] / frame["w"].mean()).to_numpy())
    F, size, _ = np.linalg.svd(np.hstack(dummies) * root[:, None], full_matrices=False)
    F = F[:, size > 1e-9 * size[0]]
    y, D = ((z - F @ (F.T @ z)) for z in (frame[c].to_numpy() * root for c in ("y", "D")))
    b, dof = D @ y / (D @ D), len(frame) - F.shape[1] - 1
    np.testing.assert_allclose(found.actual_mean, b, **SAME)
    variance = ((y - b * D) ** 2).sum() / (dof - 2) / (D @ D)  # of a Student t
    np.testing.assert_allclose(found.actual_sd, np.sqrt(variance), **SAME)


@pytest.fixture
def pairs():
    """Two pairs that share shocks: both of a pair treated is what these take up."""
    frame, _ = staggered(1, N=4, T=6)
    frame["w"], frame["region"] = 1.0, np.array(["n", "s"])[frame["unit"] // 2]
    adoption = pd.DataFrame({"a": [3, pd.NA, 3, pd.NA]}, index=pd.Index(range(4), name="unit"))
    return make_panel(frame, adoption)


def test_assignments_of_which_effects_leave_nothing_are_drawn_anew(pairs):
    spec, _ = analysed(pairs, "placebo")
    found = placebo(spec, pairs, scheme="permuted", assignments=60)
    assert np.isfinite(found.mean).all()
    assert found.sd.max() < 10 * found.sd.min()


def test_effects_that_leave_nothing_of_assignments_are_refused(pairs, monkeypatch):
    monkeypatch.setattr("bayesdid.checks.placebo._TRIES", 1)
    spec, _ = analysed(pairs, "placebo")
    with pytest.raises(NotIdentifiedError, match=r"region\^period leave nothing.* of 60 drawn 1"):
        placebo(spec, pairs, scheme="permuted", assignments=60)


def test_moderation_is_weighted_least_squares_with_all_effects(rows):
    frame, panel = rows
    _, run = analysed(panel, "moderation", moderator="m", errors="iid")
    at_zero, product = run().peers
    estimate = feols(f"y ~ D + D:m + m | {FE}", frame)
    np.testing.assert_allclose(at_zero.mean, estimate["D"], **SAME)
    np.testing.assert_allclose(product.mean, estimate["D:m"], **SAME)
    assert at_zero.holds
    assert product.holds


def test_an_effect_may_depend_on_what_unit_effects_take_up(rows):
    frame, panel = rows
    _, run = analysed(panel, "moderation", moderator="z", errors="iid")
    found = run()
    estimate = feols(f"y ~ D + D:z | {FE}", frame)
    np.testing.assert_allclose(found.peers[1].mean, estimate["D:z"], **SAME)
    per_sd = found.tables[0].frame.set_index("quantity").loc["change per sd of z", "mean"]
    assert per_sd == pytest.approx(estimate["D:z"] * frame["z"].std(ddof=0), abs=0.1)


def test_groups_of_their_own_are_separate_weighted_regressions(rows):
    frame, panel = rows
    levels = [("group", {"p": "P", "q": "Q", "r": "R"})]
    _, run = analysed(panel, "heterogeneity", levels=levels, groups=["group"], errors="iid")
    found = run()
    assert len(found.peers) == 3
    for peer in found.peers:
        own = frame[frame["group"] == peer.quantity[-1]]
        estimate = feols(f"y ~ D | {FE}", own)
        np.testing.assert_allclose(peer.mean, estimate["D"], **SAME)
        assert peer.holds


@pytest.mark.parametrize("kind", ["slx", "sdm", "sdem"])
def test_neighbours_regressors_are_weighted_least_squares(rows, kind):
    """Flat priors: SLX at its mean, SDM and SDEM at rho = 0."""
    frame, panel = rows
    column = {"id": "1", "outcome": "y", "treatments": ["active:a"], "row_weights": "w"}
    study = make_study(policies=("a",), columns=[column | {"covariates": ["m"]}])
    design = spatial_design(build_design(study["t.1"], panel), near(24), kind)
    own = frame.assign(
        **{f"W{k}": layer[frame["unit"], frame["period"] - 1] for k, layer in enumerate(design.Z)}
    )
    estimate = feols("y ~ W0 + W1 + W2 + W3 | unit + period", own)
    target = prepare(design, priors="flat")
    found = target.conditional(np.zeros(1), np.empty((1, 0)))[0][0]
    np.testing.assert_allclose(found, estimate[["W0", "W1", "W2", "W3"]], **SAME)


def test_a_placebo_has_no_clusters():
    column = {"id": "1", "outcome": "y", "treatments": ["active:a"], "family": "placebo"}
    study = make_study(policies=("a",), columns=[column | {"cluster": "region"}])
    with pytest.raises(InputError, match="cluster"):
        check_study(study)


@pytest.fixture(scope="module")
def mediated(rows):
    frame, panel = rows
    shock = 3.0 * (frame["region"] == "n") * (frame["period"] % 3)
    frame = frame.assign(M=frame["m"] + 0.6 * frame["D"] + shock)
    column = {
        "id": "1",
        "outcome": "y",
        "treatments": ["active:a"],
        "family": "mediation",
        "effects": EFFECTS,
        "row_weights": "w",
        "options": {"mediators": ["M"]},
    }
    return frame, make_panel(frame, panel.adoption), column


def test_mediation_is_two_weighted_regressions_with_all_effects(mediated):
    frame, panel, column = mediated
    column = column | {"options": {"mediators": ["M"], "errors": "iid"}}
    study = make_study(policies=("a",), columns=[column])
    found = bd.analyse(study, "t.1", panel, draws=1000)
    wanted = {"M: a": feols(f"M ~ D | {FE}", frame)["D"]}
    second = feols(f"y ~ D + M | {FE}", frame)
    wanted |= {"M: b": second["M"], "direct": second["D"]}
    for peer in found.peers:
        assert peer.holds
        if peer.quantity in wanted:
            assert peer.estimate == pytest.approx(wanted[peer.quantity], rel=1e-7)


def bound_mediation(mediated, **changes):
    _, panel, column = mediated
    study = make_study(policies=("a",), columns=[column | changes])
    return bd.model(study["t.1"], panel, errors="iid")


def test_draws_of_a_mediators_effects_give_its_residuals(mediated):
    """Densities of both equations at the draws: their effects are there, the mediator's too."""
    fit = bd.fit(bound_mediation(mediated), draws=200, log_likelihood=True)
    frame, posterior = mediated[0], fit.tree["posterior"]
    assert posterior["region_x_period_effect_mediator"].dims[2:] == ("region_x_period", "mediator")
    sigma = posterior["sigma_mediator"].to_numpy().ravel()
    root = np.sqrt((frame["w"] / frame["w"].mean()).to_numpy())
    value = fit.tree["log_likelihood"]["M_M"].to_numpy().reshape(len(sigma), -1)
    squares = -2 * (value + 0.5 * np.log(2 * np.pi) + np.log(sigma[:, None] / root))
    # standardised squares have mean one under the posterior but for what effects take up
    assert squares.mean() == pytest.approx(1.0, abs=0.1)


def test_several_mediators_have_no_further_effects(mediated):
    with pytest.raises(InputError, match="beside further effects there is one mediator"):
        bound_mediation(mediated, options={"mediators": ["M", "w"]})


@pytest.mark.parametrize("effects", [EFFECTS, ["random(region^period)", "unit[[period]]"]])
@pytest.mark.slow
def test_the_compiled_mediation_model_has_the_same_effects(mediated, effects):
    bound = bound_mediation(mediated, effects=effects)
    ours = bd.fit(bound, draws=2000)
    theirs = bd.fit(bound, engine="nuts", draws=700, chains=2, seed=3)
    for name in ("a", "b", "tau", "sigma_mediator"):
        one, other = (fit.tree["posterior"][name].to_numpy().ravel() for fit in (ours, theirs))
        assert abs(one.mean() - other.mean()) < 6 * one.std() / np.sqrt(700)
        assert one.std() == pytest.approx(other.std(), rel=0.15)


@pytest.fixture(scope="module")
def instrumented(rows):
    """An endogenous dose, moved by an instrument; both equations have regional shocks."""
    frame, panel = rows
    rng = np.random.default_rng(5)
    e = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], len(frame)) / np.sqrt(
        frame[["w"]].to_numpy()
    )
    shock = 2.0 * (frame["region"] == "n") * (frame["period"] % 3)
    Z = rng.normal(size=len(frame))
    dose = 0.8 * Z + shock + 0.5 * frame["m"] + e[:, 1]
    y = -0.5 * dose + 0.3 * frame["m"] - shock + e[:, 0]
    frame = frame.assign(Z=Z, dose=dose, y=y, block="b" + (frame["unit"] // 3).astype(str))
    column = {
        "id": "1",
        "outcome": "y",
        "treatments": ["dose"],
        "covariates": ["m"],
        "family": "iv_second",
        "instrument": "Z",
        "effects": EFFECTS,
        "row_weights": "w",
    }
    return frame, make_panel(frame, panel.adoption), column


def bound_instrument(instrumented, **changes):
    _, panel, column = instrumented
    study = make_study(policies=("a",), columns=[column | changes])
    return bd.model(study["t.1"], panel)


@pytest.mark.parametrize("effects", [EFFECTS, ["unit[period]"], []])
def test_an_instrumented_effect_is_weighted_2sls_with_all_effects(instrumented, effects):
    frame, _, _ = instrumented
    bound = bound_instrument(instrumented, effects=effects)
    parts = instrument_of(bound.model, bound.design)
    peer = two_stage(parts.rest, parts.rest.D[:, 0], parts.z)
    fe = " + ".join(["unit + period", *effects])
    if effects == ["unit[period]"]:  # slopes that pyfixest does not take are written out
        slopes = " + ".join(f"s{k}" for k in range(1, 24))
        own = frame.assign(**{f"s{k}": (frame["unit"] == k) * frame["period"] for k in range(24)})
        formula, first = f"m + {slopes} | unit + period", f"Z + m + {slopes} | unit + period"
    else:
        own, formula, first = frame, f"m | {fe}", f"Z + m | {fe}"
    np.testing.assert_allclose(
        peer.estimate, feols(f"y ~ {formula} | dose ~ Z", own)["dose"], **SAME
    )
    stage, reduced = (feols(f"{left} ~ {first}", own)["Z"] for left in ("dose", "y"))
    np.testing.assert_allclose(peer.first_stage, stage, **SAME)
    exact = multivariate_posterior(
        with_instrument(parts.rest, parts.z, "Z"), np.column_stack([parts.rest.y, parts.rest.D])
    )
    np.testing.assert_allclose(exact.location[0], [reduced, stage], **SAME)


def test_the_anderson_rubin_set_is_weighted_and_clustered(instrumented):
    """At its ends the instrument has, in y less the effect, a t of the critical size."""
    frame, _, _ = instrumented
    bound = bound_instrument(instrumented, effects=[], cluster="block")
    parts = instrument_of(bound.model, bound.design)
    peer = two_stage(parts.rest, parts.rest.D[:, 0], parts.z)
    G, dummies = 8, [pd.get_dummies(frame[c]).to_numpy(float) for c in ("unit", "period")]
    root = np.sqrt(frame["w"].to_numpy())
    F, size, _ = np.linalg.svd(
        np.hstack([*dummies, frame[["m"]].to_numpy()]) * root[:, None], full_matrices=False
    )
    F = F[:, size > 1e-9 * size[0]]
    y, d, z = (
        (v - F @ (F.T @ v)) for v in (frame[c].to_numpy() * root for c in ("y", "dose", "Z"))
    )
    for end in peer.ar_set[0]:
        rest = y - end * d
        slope = z @ rest / (z @ z)
        score = pd.Series(z * (rest - slope * z)).groupby(frame["unit"].to_numpy() // 3).sum()
        t2 = slope**2 * (z @ z) ** 2 / (score @ score * G / (G - 1))
        assert t2 == pytest.approx(stats.f.ppf(0.95, 1, G - 1), rel=1e-6)
    assert peer.ar_set[0][0] < peer.estimate < peer.ar_set[0][1]


def test_the_analysis_of_an_instrument_says_its_weights(instrumented):
    _, panel, column = instrumented
    study = make_study(policies=("a",), columns=[column | {"cluster": "block"}])
    found = bd.analyse(study, "t.1", panel, draws=250)
    assert found.peers[0].holds
    assert found.tables[1].frame["first stage"].iloc[0] == "clustered by block, weighted"
    effect = found.tables[0].frame.iloc[0]
    assert abs(effect["mean"] - found.peers[0].estimate) < effect["sd"]  # wide priors


def test_draws_of_an_instruments_effects_give_its_residuals(instrumented):
    fit = bd.fit(bound_instrument(instrumented), draws=200, log_likelihood=True)
    assert fit.tree.attrs["engine"] == "instrument"
    frame, posterior = instrumented[0], fit.tree["posterior"]
    root = np.sqrt((frame["w"] / frame["w"].mean()).to_numpy())
    own = posterior["sigma_treatment"].to_numpy().ravel()
    given = posterior["sigma"] * np.sqrt(1 - posterior["rho"] ** 2)  # y given the treatment
    for name, sigma in (("D_dose", own), ("y", given.to_numpy().ravel())):
        value = fit.tree["log_likelihood"][name].to_numpy().reshape(len(sigma), -1)
        squares = -2 * (value + 0.5 * np.log(2 * np.pi) + np.log(sigma[:, None] / root))
        assert squares.mean() == pytest.approx(1.0, abs=0.1)


@pytest.mark.slow
def test_the_compiled_equations_of_an_instrument_have_the_same_effects(instrumented):
    bound = bound_instrument(instrumented)
    ours = bd.fit(bound, draws=2000)
    theirs = bd.fit(bound, engine="nuts", draws=700, chains=2, seed=3)
    for name in ("tau", "pi", "rho", "sigma", "sigma_treatment"):
        one, other = (fit.tree["posterior"][name].to_numpy().ravel() for fit in (ours, theirs))
        assert abs(one.mean() - other.mean()) < 6 * one.std() / np.sqrt(700)
        assert one.std() == pytest.approx(other.std(), rel=0.15)


def test_a_matched_sample_is_a_weighted_regression_with_all_effects(rows):
    frame, panel = rows
    column = {
        "id": "1",
        "outcome": "y",
        "treatments": ["active:a"],
        "covariates": ["m"],
        "family": "psm_did",
        "effects": EFFECTS,
        "row_weights": "w",
    }
    study = make_study(policies=("a",), columns=[column])
    design = build_design(as_two_way(study["t.1"], with_rows=True), panel)
    treated = sorted(set(frame.loc[frame["D"] > 0, "unit"]))
    pairs = np.array(list(zip(treated, sorted(set(range(24)) - set(treated)), strict=False)))[:8]
    found = effect_on(design, pairs)
    own = frame[frame["unit"].isin(pairs.ravel())]
    np.testing.assert_allclose(found.location, feols(f"y ~ D + m | {FE}", own)["D"], **SAME)
    assert found.rows == len(own)
