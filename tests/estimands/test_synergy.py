"""The headline: planted synergy under growing effects, rows at their own ages, words and alerts."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from made import make_panel, make_study, staggered

import bayesdid as bd
from bayesdid.design.overlap import overlap_design
from bayesdid.estimands.beside import (
    CELLS,
    CELLS_CLUSTERED,
    CELLS_IID,
    COLUMNS,
    HEADLINE,
    IMPUTATION,
    STATIC,
    static_factorial,
)
from bayesdid.estimands.imputation import imputed_moments
from bayesdid.estimands.names import MAX_SINGLE, RATIO, SUM
from bayesdid.estimands.row_weights import contrast_weights
from bayesdid.estimands.saturated import saturated_moments
from bayesdid.estimands.state_effects import state_averages
from bayesdid.estimands.synergy import headline_spec, synergy
from bayesdid.estimands.verdict import WORDS, word_for
from bayesdid.estimands.violated_synergy import violated_synergy
from bayesdid.exceptions import NotIdentifiedError, ResultError
from bayesdid.model.errors import Errors
from bayesdid.model.overlap import joint_columns, overlap_pooling, policy_columns
from bayesdid.study.claims import Claim
from bayesdid.study.load import assemble_study

COLUMN = {"id": "o", "outcome": "y", "family": "overlap"}


def growing(synergy_size):
    """Single effects that grow by .1 a period, and a constant departure of the joint state."""

    def effect(s, t):
        alone = [-0.1 * (t - start + 1) if t >= start else 0.0 for start in s]
        return sum(alone) + synergy_size * all(t >= start for start in s)

    return effect


def made(seed, size, **options):
    frame, adoption = staggered(
        seed, N=120, T=12, policies=("a", "b"), effect=growing(size), **options
    )
    return make_study(columns=[COLUMN]), make_panel(frame, adoption)


@pytest.fixture(scope="module")
def none():
    study, panel = made(3, 0.0)
    return synergy(study, panel, draws=250)


def test_growing_single_effects_are_no_synergy(none):
    """No departure: the headline covers zero, the static factorial is biased by what it says."""
    found = none[SUM]
    assert abs(found.mean) < 3 * found.sd
    static = found.models[STATIC]
    assert static.bias < -0.2
    # the static estimate is its bias plus sampling error
    assert abs(static.mean - static.bias - found.mean) < 4 * np.hypot(static.sd, found.sd)
    assert static.p_claim > 0.95  # it finds what is not there


def test_a_planted_synergy_is_found_with_its_sign():
    for size in (-0.5, 0.5):
        study, panel = made(5, size)
        found = synergy(study, panel, draws=250)[SUM]
        assert abs(found.mean - size) < 4 * found.sd
        assert (found.p_claim > 0.95) == (size < 0)
        assert found.word.startswith("supported" if size < 0 else "contradicted")


def test_better_higher_turns_the_claim():
    study, panel = made(5, -0.5)
    other = make_study(columns=[COLUMN], better="higher")
    one = synergy(study, panel, draws=250)[SUM]
    two = synergy(other, panel, draws=250)[SUM]
    assert one.mean == two.mean
    assert one.p_claim == pytest.approx(1 - two.p_claim)
    assert (one.claim, two.claim) == ("< 0", "> 0")


def test_the_word_follows_the_side_that_a_study_claims():
    """A harm is claimed where less is better, and there is one: supported, in every sentence."""
    frame, adoption = staggered(2, N=60, effect=lambda s, t: 0.5 * (t >= s[0]))
    panel, study = make_panel(frame, adoption), make_study(("a",), [COLUMN])
    name = "only:a - none"
    harm = Claim(id="c", text="t", place="p", synergy=name, direction="positive")
    claimed = assemble_study(study.path, study.file, study.tables, (harm,))
    given = synergy(claimed, panel, draws=250)
    free, asked = synergy(study, panel, draws=250)[name], given[name]
    assert (free.claim, free.word) == ("< 0", "contradicted")
    assert (asked.claim, asked.word, asked.mean) == ("> 0", "supported", free.mean)
    assert all(says.p_claim > 0.95 for says in asked.models.values())
    violated = violated_synergy(claimed, panel, given, periods=())
    assert violated.p_parallel > 0.95
    assert all(one.p_parallel > 0.95 for one in violated.trends)


def test_averages_are_those_of_planted_effects():
    """Applied to the true coefficients every contrast is the average of the true effects."""
    study, panel = made(7, -0.4)
    rows = overlap_design(headline_spec(study), panel)
    pooling = overlap_pooling(rows)
    names = list(pooling.design.treatments)
    tau = np.zeros(len(names))
    for policy in ("a", "b"):
        tau[names.index(policy)] = tau[names.index(f"{policy} growth")] = -0.1
    tau[names.index("joint")] = -0.4
    alone = {p: -0.1 * (rows.age[:, k] + 1) for k, p in enumerate(("a", "b"))}
    averages, refused = state_averages(rows, pooling)
    assert refused == {} or all("rows under both are left out" in why for why in refused.values())

    def value(name):
        return float(averages[name].values(name, tau[None], True)[0])

    def over(name, effect):
        return float(effect[averages[name].rows].mean())

    total = alone["a"] + alone["b"] - 0.4
    assert value(SUM) == pytest.approx(-0.4)
    assert value("both - none") == pytest.approx(over("both - none", total))
    assert value("both - only:a") == pytest.approx(over("both - only:a", alone["b"] - 0.4))
    assert value("only:b - none") == pytest.approx(over("only:b - none", alone["b"]))
    half = (alone["a"] + alone["b"]) / 2
    assert value("both - single") == pytest.approx(over("both - single", half - 0.4))
    single = [over(MAX_SINGLE, alone[p]) for p in ("a", "b")]
    assert value(MAX_SINGLE) == pytest.approx(over(MAX_SINGLE, total) - min(single))
    assert value(RATIO) == pytest.approx(over(RATIO, total) / sum(single))


def test_columns_make_up_the_states():
    study, panel = made(7, 0.0)
    pooling = overlap_pooling(overlap_design(headline_spec(study), panel))
    parts = [
        joint_columns(pooling, ("a", "b"), ("a", "b")),
        policy_columns(pooling, "a"),
        policy_columns(pooling, "b"),
    ]
    assert (np.sum(parts, axis=0) == 1).all()


def test_rows_are_those_under_both_with_weights_that_sum_to_one(none):
    rows = none[SUM].rows
    assert list(rows.columns) == ["unit", "period", "weight"]
    assert rows["weight"].sum() == pytest.approx(1.0)
    _, panel = made(3, 0.0)
    start = panel.adoption.max(axis=1)
    assert (rows["period"].to_numpy() >= start.loc[rows["unit"]].to_numpy(dtype=float)).all()
    gap = next(name for name in none if name.endswith("vs none"))
    assert none[gap].rows["weight"].sum() == pytest.approx(0.0)


def test_models_stand_beside_and_make_the_range(none):
    found = none[SUM]
    names = [HEADLINE, CELLS, CELLS_IID, CELLS_CLUSTERED, IMPUTATION, STATIC, COLUMNS]
    assert list(found.models) == names
    judged = [found.models[name].p_claim for name in names[:5]]
    assert not any(found.models[name].judged for name in (STATIC, COLUMNS))
    assert found.p_range == (min(judged), max(judged))
    assert found.word == word_for(found.p_claim, *found.p_range)
    assert found.level == 0.89
    assert found.interval.low < found.mean < found.interval.high


def test_static_bias_is_what_least_squares_makes_of_the_effects():
    """The projection of planted effects equals the regression of an outcome without noise."""
    study, panel = made(3, 0.0)
    rows = overlap_design(headline_spec(study), panel)
    rng = np.random.default_rng(0)
    effects = rng.standard_normal(rows.design.n)
    clean = dataclasses.replace(rows, design=dataclasses.replace(rows.design, y=effects))
    static = static_factorial(clean, "iid", 250, 0)
    exact = bd.fit(clean.design, errors="iid", priors="flat", draws=1000).tidy()
    mcse = exact["mcse"].to_numpy()
    assert (np.abs(static.project(effects) - exact["mean"].to_numpy()) < 5 * mcse).all()


def test_cells_compare_at_the_ages_of_both():
    """Without noise, with effects that depend on age alone, cells find the synergy exactly."""
    frame, adoption = staggered(3, N=120, T=12, policies=("a", "b"), effect=growing(-0.3), sigma=0)
    panel = make_panel(frame, adoption)
    rows = overlap_design(headline_spec(make_study(columns=[COLUMN])), panel)
    averages, _ = state_averages(rows, overlap_pooling(rows))
    weights = {SUM: contrast_weights(SUM, rows, averages[SUM])}
    mean, _, _ = saturated_moments(rows, weights)[SUM]
    assert mean == pytest.approx(-0.3, abs=1e-9)
    assert imputed_moments(rows, weights)[SUM].mean == pytest.approx(-0.3, abs=1e-9)


def test_one_policy_has_its_effect():
    frame, adoption = staggered(2, N=80, effect=lambda s, t: -0.5 * (t >= s[0]))
    study = make_study(("a",), [{"id": "c", "outcome": "y", "family": "cohort"}])
    found = synergy(study, make_panel(frame, adoption), draws=250)
    assert list(found) == ["only:a - none"]
    only = found["only:a - none"]
    assert abs(only.mean + 0.5) < 4 * only.sd


def test_what_no_row_identifies_is_refused_by_name():
    """B only on top of A: what B does alone is not seen at any age."""
    frame, adoption = staggered(4, policies=("a", "b"))
    adoption["b"] = np.where(
        adoption["a"].notna() & (adoption.index % 2 == 0), adoption["a"] + 2, np.nan
    )
    panel = make_panel(frame, adoption)
    found = synergy(make_study(columns=[COLUMN]), panel, draws=250)
    assert "both - none" in found
    assert SUM not in found
    assert "no row is under b alone" in found.refused["only:b - none"]
    with pytest.raises(ResultError, match="under b alone, so that nothing tells what it does by"):
        found[SUM]


def test_rows_without_a_comparison_at_their_age_are_counted():
    frame, adoption = staggered(4, N=80, policies=("a", "b"))
    lone = adoption["b"].notna() & adoption["a"].isna()
    adoption.loc[lone, "b"] = 9  # b alone for at most four periods
    panel = make_panel(frame, adoption)
    found = synergy(make_study(columns=[COLUMN]), panel, draws=250)
    rows = overlap_design(headline_spec(make_study(columns=[COLUMN])), panel)
    left, total = len(found[SUM].rows), int(rows.both.sum())
    assert f"{total - left} of {total} rows under both are left out" in found[SUM].refused


def test_no_dual_unit_is_refused():
    frame, adoption = staggered(1, policies=("a", "b"))
    adoption.loc[adoption["a"].notna(), "b"] = np.nan
    with pytest.raises(NotIdentifiedError):
        synergy(make_study(columns=[COLUMN]), make_panel(frame, adoption))


def test_words():
    assert word_for(0.97, 0.96, 0.99) == "supported"
    assert word_for(0.97, 0.5, 0.99) == "supported, fragile"
    assert word_for(0.80, 0.5, 0.99) == "undecided, leaning for"
    assert word_for(0.50, 0.1, 0.99) == "undecided"
    assert word_for(0.20, 0.0, 0.99) == "undecided, leaning against"
    assert word_for(0.03, 0.0, 0.99) == "contradicted, fragile"
    assert word_for(0.03, 0.0, 0.04) == "contradicted"
    assert len(WORDS) == 7


def test_default_errors_are_the_calibrated_ones():
    study, panel = made(3, 0.0)
    small = panel.adoption.index[:30]
    frame = panel.frame[panel.frame["unit"].isin(small)]
    cut = make_panel(frame, pd.DataFrame(panel.adoption.loc[small]))
    assert (
        Errors.parse("ar1_unit").name
        == synergy(study, cut, draws=250).fit.tree.attrs["errors_name"]
    )


def test_the_note_on_averaging_is_true_of_the_weights(none):
    """Every row under both counts alike, so that units with more such rows count for more."""
    (note,) = [note for note in none.notes if note.name == "averaging"]
    assert note.text == "contrasts average over rows, not over units"
    rows = none["both - none"].rows
    assert note.count == len(rows)
    np.testing.assert_allclose(rows["weight"], 1 / len(rows))
    by_unit = rows.groupby("unit")["weight"].sum()
    assert by_unit.max() > 1.5 * by_unit.min()
