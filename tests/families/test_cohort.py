"""Cohort ATTs: identities with published estimators, known numbers, recovery, invariance."""

import numpy as np
import pytest
from made import make_panel, make_study, spec_of, staggered
from stated import main_of, stated

import bayesdid as bd
from bayesdid.design.build import build_design
from bayesdid.design.cohort import cohort_design
from bayesdid.exceptions import NotIdentifiedError
from bayesdid.families.cohort.analysis import cell_effects, cohort_pooling
from bayesdid.inference.exact.conjugate import conjugate_posterior
from bayesdid.inference.exact.pooled import fit_pooled
from bayesdid.panel.load import _dataset
from bayesdid.panel.validate import validate_panel
from bayesdid.peers.staggered import bacon, callaway_santanna, imputation, term_weights

COLUMN = {"id": "c", "outcome": "y", "treatments": ["active:a"], "family": "cohort"}


@pytest.fixture(scope="module")
def mpdta():
    import moderndid

    frame = _dataset(moderndid, "mpdta")
    study = make_study(("a",), [COLUMN | {"outcome": "y"}])
    frame = frame.rename(
        columns={"countyreal": "unit", "year": "period", "lemp": "y", "first.treat": "a_year"}
    )
    return study, validate_panel(frame, study, source="mpdta", first_row=1)


def means(cells):
    location = conjugate_posterior(cells.design).location
    return {
        kind: {k: float(location @ w) for k, w in values.items()}
        for kind, values in cells.weights().items()
    }


def test_mpdta_gives_the_published_numbers(mpdta):
    # the vignette of the R package did (Callaway & Sant'Anna), printed to four digits
    study, panel = mpdta
    never = means(cohort_design(spec_of(study, "c"), panel, controls="never"))
    assert never["overall"]["ATT"] == pytest.approx(-0.0400, abs=5e-5)
    assert never["overall"]["dynamic"] == pytest.approx(-0.0772, abs=5e-5)
    assert never["overall"]["cohorts"] == pytest.approx(-0.0310, abs=5e-5)
    assert never["cohort"] == pytest.approx({2004: -0.0797, 2006: -0.0229, 2007: -0.0261}, abs=5e-5)
    post = {k: v for k, v in never["event time"].items() if k >= 0}
    assert post == pytest.approx({0: -0.0199, 1: -0.0510, 2: -0.1373, 3: -0.1008}, abs=6e-5)


@pytest.mark.parametrize(
    ("controls", "estimator"), [("not_yet", imputation), ("never", callaway_santanna)]
)
@pytest.mark.parametrize("seed", [0, 1])
def test_flat_cells_are_the_published_estimators(controls, estimator, seed):
    frame, adoption = staggered(seed, effect=lambda s, t: 0.1 * (t - s[0]) if t >= s[0] else 0.0)
    study = make_study(("a",), [COLUMN])
    cells = cohort_design(spec_of(study, "c"), make_panel(frame, adoption), controls=controls)
    ours, peer = means(cells), estimator(cells)
    assert ours["overall"]["ATT"] == pytest.approx(peer.overall[0], abs=1e-8)
    for e, value in ours["event time"].items():
        assert value == pytest.approx(peer.by_event[e][0], abs=1e-8)


def growing(s, t):
    return -0.5 - 0.1 * (t - s[0]) if t >= s[0] else 0.0


def test_pooling_recovers_growing_effects_and_shrinks_small_cohorts():
    frame, adoption = staggered(3, N=120, effect=growing)
    study = make_study(("a",), [COLUMN])
    panel = make_panel(frame, adoption)
    result = bd.analyse(study, "t.c", panel, draws=500)
    assert result.converged
    assert all(peer.holds for peer in result.peers)
    cells = cohort_design(spec_of(study, "c"), panel)
    truth = float((-0.5 - 0.1 * cells.event_time) @ cells.weights()["overall"]["ATT"])
    row = result.tables[0].frame.iloc[0]
    effect = main_of(result, "active:a")
    assert (effect.found.mean, effect.constant) == (row["mean"], False)
    alike = stated(result, "active:a")["imputation, Borusyak et al. (diff-diff)"].found
    assert alike.mean == result.peers[0].estimate
    assert abs(row["mean"] - truth) < 4 * row["sd"]
    # growing effects bias TWFE towards zero: forbidden comparisons
    twfe = term_weights(build_design(make_twfe(study), panel))[0].estimate
    assert abs(twfe - truth) > abs(row["mean"] - truth)


def make_twfe(study):
    import dataclasses

    spec = spec_of(study, "c")
    return dataclasses.replace(spec, column=spec.column.model_copy(update={"family": "twfe"}))


def test_pooled_cells_approach_flat_ones_when_data_abound():
    frame, adoption = staggered(
        5, N=80, sigma=0.02, effect=lambda s, t: s[0] - 7 if t >= s[0] else 0
    )
    study = make_study(("a",), [COLUMN])
    cells = cohort_design(spec_of(study, "c"), make_panel(frame, adoption))
    pooling = cohort_pooling(cells)
    tree = fit_pooled(pooling, draws=250)
    draws = cell_effects(pooling, tree["posterior"]["tau"].to_numpy().reshape(1000, -1), cells)
    flat = conjugate_posterior(cells.design)
    sd = np.sqrt(np.diag(flat.scale)[: len(cells.cohort)])
    # shrinkage towards the cohorts' averages moves the farthest cell by 1.01 of a flat sd
    assert np.abs(draws.mean(axis=0) - flat.location[: len(cells.cohort)]).max() < 1.2 * sd.max()


def test_weights_sum_to_one_and_reproduce_the_coefficient():
    frame, adoption = staggered(7)
    study = make_study(("a",), [COLUMN])
    panel = make_panel(frame, adoption)
    design = build_design(make_twfe(study), panel)
    (item,) = term_weights(design)
    assert item.own == pytest.approx(1.0)
    assert item.weight @ design.y == pytest.approx(item.estimate)
    parts = bacon(cohort_design(spec_of(study, "c"), panel))
    assert sum(parts.weight.values()) == pytest.approx(1.0)
    assert parts.estimate == pytest.approx(item.estimate)
    total = sum(parts.weight[k] * parts.average[k] for k in parts.weight if parts.weight[k])
    assert total == pytest.approx(item.estimate)


def test_without_never_treated_units_late_periods_go_and_never_is_refused():
    frame, adoption = staggered(9, shares=[0.3, 0.3, 0.4, 0.0])
    study = make_study(("a",), [COLUMN])
    panel = make_panel(frame, adoption)
    cells = cohort_design(spec_of(study, "c"), panel)
    assert cells.design.periods.max() == 8  # the last cohort adopts in period 9
    assert {note.name for note in cells.design.notes} >= {"periods_without_control"}
    with pytest.raises(NotIdentifiedError):
        cohort_design(spec_of(study, "c"), panel, controls="never")


def test_order_of_rows_and_units_does_not_matter():
    frame, adoption = staggered(11)
    study = make_study(("a",), [COLUMN])
    one = means(cohort_design(spec_of(study, "c"), make_panel(frame, adoption)))
    shuffled = frame.sample(frac=1.0, random_state=1)
    other = means(cohort_design(spec_of(study, "c"), make_panel(shuffled, adoption)))
    assert one["overall"] == pytest.approx(other["overall"])


@pytest.mark.parametrize("controls", ["not_yet", "never"])
def test_a_missing_period_before_adoption(controls):
    """No unit is seen in 6, the period before cohort 7 adopts: 5 is its base, the ATT is exact."""
    frame, adoption = staggered(3, effect=lambda s, t: 2.0 * (t >= s[0]), sigma=1e-5)
    panel = make_panel(frame[frame["period"] != 6], adoption)
    cells = cohort_design(spec_of(make_study(("a",), [COLUMN]), "c"), panel, controls=controls)
    assert set(cells.cohort) == {4, 7, 9}
    location = conjugate_posterior(cells.design).location
    assert location[cells.post] == pytest.approx(2.0, abs=1e-4)  # ten of its sds
    assert location[~cells.post] == pytest.approx(0.0, abs=1e-4)
    notes = [note.text for note in cells.design.notes if note.name == "base_period"]
    if controls == "not_yet":
        assert notes == []
        return
    assert cells.bases == {-1, -2}
    assert notes == [
        "cohort 7 is not seen in the period before adoption; its base is 5, event time -2"
    ]
    lags = cells.event_time[cells.cohort == 7].tolist()
    assert lags == [-6, -5, -4, -3, 0, 1, 2, 3, 4, 5]
