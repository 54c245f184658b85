"""Terms, samples, projections, refusals."""

import dataclasses

import numpy as np
import pytest
from panels import make_design

import bayesdid as bd
from bayesdid.design.regressors import regressors
from bayesdid.design.terms import term_values
from bayesdid.design.within import two_way
from bayesdid.exceptions import InputError, NotIdentifiedError
from bayesdid.model.priors import resolve_priors
from bayesdid.panel.adoption import arm, sequence, state
from bayesdid.study.terms import parse_term


@pytest.fixture(scope="module")
def small(studies):
    study = bd.load_study(studies / "small")
    return study, bd.simulate_panel(study)


def value(panel, text):
    return term_values(parse_term(text), panel, np.ones(len(panel.frame), bool))


def test_terms_are_what_the_vocabulary_says(small):
    _, panel = small
    states = state(panel).to_numpy()
    order = sequence(panel.adoption).reindex(panel.frame["unit"]).to_numpy()
    both = states == "both"
    assert np.array_equal(value(panel, "both"), both)
    assert np.array_equal(value(panel, "only:a"), states == "only:a")
    assert np.array_equal(value(panel, "active:a"), (states == "only:a") | both)
    assert np.array_equal(value(panel, "any"), states != "none")
    assert np.array_equal(value(panel, "first:b"), both & (order == "first:b"))
    assert np.array_equal(value(panel, "simultaneous"), both & (order == "simultaneous"))
    product = value(panel, "active:a") * value(panel, "active:b")
    assert np.array_equal(value(panel, "active:a * active:b"), product)
    assert np.array_equal(product, value(panel, "both"))
    parts = sum(value(panel, t) for t in ("first:a", "first:b", "simultaneous"))
    assert np.array_equal(parts, value(panel, "both"))


def test_centring_uses_the_sample(small):
    _, panel = small
    rows = np.arange(len(panel.frame)) < 40
    centred = term_values(parse_term("centred:x"), panel, rows)
    assert centred[rows].mean() == pytest.approx(0.0)
    assert abs(centred.mean()) > 1e-6


def test_samples_keep_whole_units(small):
    study, panel = small
    design = bd.build_design(study["t2.north"], panel)
    arms = arm(panel.adoption)
    assert set(arms[design.units]) <= {"none", "dual"}
    assert design.n == 8 * len(design.units)
    north = panel.frame[panel.frame["region"] == "north"]["unit"].unique()
    assert set(design.units) <= set(north)


def test_a_lead_takes_the_outcome_of_a_later_period(small):
    study, panel = small
    spec = study["t2.factorial"]
    ahead = dataclasses.replace(spec, column=spec.column.model_copy(update={"outcome_lead": 2}))
    design = bd.build_design(ahead, panel)
    assert design.n == 16 * 6
    later = panel.frame.set_index(["unit", "year"])["y"]
    years = design.periods[design.period_index] + 2
    expected = [later[u, t] for u, t in zip(design.units[design.unit_index], years, strict=True)]
    np.testing.assert_allclose(design.y, expected)


@pytest.mark.parametrize("balanced", [True, False])
def test_projections_equal_dense_ones(balanced):
    design = make_design(1, balanced=balanced)
    split = two_way(design.regressors, design.unit_index, design.period_index)
    dummies = np.hstack(
        [
            (design.unit_index[:, None] == np.arange(len(design.units))).astype(float),
            (design.period_index[:, None] == np.arange(len(design.periods))).astype(float),
        ]
    )
    hat = dummies @ np.linalg.pinv(dummies, rcond=1e-10)
    np.testing.assert_allclose(
        split.residual, design.regressors - hat @ design.regressors, atol=1e-9
    )
    total = split.residual + split.unit + split.period + design.regressors.mean(axis=0)
    np.testing.assert_allclose(total, design.regressors, atol=1e-9)


def changed(spec, **update):
    return dataclasses.replace(spec, column=spec.column.model_copy(update=update))


def test_collinear_covariates_are_left_out_by_name(small):
    study, panel = small
    frame = panel.frame.assign(twice=2 * panel.frame["x"])
    wider = dataclasses.replace(panel, frame=frame)
    design = bd.build_design(changed(study["t2.factorial"], covariates=("x", "twice")), wider)
    assert design.covariates == ("x",)
    assert any(n.name == "collinear_covariates" and "twice" in n.text for n in design.notes)


def test_what_is_not_identified_is_refused(small):
    study, panel = small
    spec = study["t2.factorial"]
    with pytest.raises(NotIdentifiedError, match="does not vary"):
        bd.build_design(changed(spec, treatments=("both", "active:a * active:b")), panel)
    sample = spec.column.sample.model_copy(update={"arms": ("none",)})
    with pytest.raises(NotIdentifiedError, match="does not vary"):
        bd.build_design(changed(spec, sample=sample), panel)
    absent = spec.column.sample.model_copy(update={"groups": {"region": ("nowhere",)}})
    with pytest.raises(NotIdentifiedError, match="no unit"):
        bd.build_design(changed(spec, sample=absent), panel)
    with pytest.raises(InputError, match="no such column"):
        bd.build_design(changed(spec, covariates=("zzz",)), panel)


def test_missing_values_drop_rows_and_say_so(small):
    study, panel = small
    frame = panel.frame.copy()
    frame.loc[[3, 70], "x"] = np.nan
    design = bd.build_design(study["t2.factorial"], dataclasses.replace(panel, frame=frame))
    assert design.n == len(frame) - 2
    assert any(n.name == "rows_with_missing_values" and n.count == 2 for n in design.notes)


def test_weak_priors_follow_units_of_measurement():
    """Rescaling a covariate or the outcome rescales the prior with it."""
    design = make_design(2)
    scaled = dataclasses.replace(design, y=10 * design.y, X=design.X * [1000.0, 1.0])
    before, after = (resolve_priors("weak", d) for d in (design, scaled))
    assert after.sds["x1"] == pytest.approx(before.sds["x1"] / 100)
    assert after.sds["x2"] == pytest.approx(before.sds["x2"] * 10)
    sceptical = resolve_priors("sceptical", design)
    assert sceptical.sds["active:p"] == pytest.approx(0.25 * design.y.std())
    assert resolve_priors("flat", design).is_flat


def test_user_priors():
    from bayesdid.study.schema import PriorTerm

    design = make_design(2)
    priors = {"active:p": PriorTerm(mean=-1.0, sd=0.01)}
    tree = bd.fit(design, priors=priors, draws=500).tree
    assert float(tree["posterior"]["tau"].mean()) == pytest.approx(-1.0, abs=0.05)
    with pytest.raises(InputError, match="does not have"):
        resolve_priors({"zzz": PriorTerm(sd=1.0)}, design)
    with pytest.raises(InputError, match="unknown prior"):
        resolve_priors("strong", design)


def test_mundlak_components_are_independent():
    data = regressors(make_design(3, unit="mundlak", period="mundlak"))
    assert np.linalg.matrix_rank(data.R) == data.R.shape[1]
    np.testing.assert_allclose(data.R.mean(axis=0), 0.0, atol=1e-10)
