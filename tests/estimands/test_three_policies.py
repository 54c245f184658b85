"""The headline of three policies: departures of pairs and of all, refusals, two as before."""

import numpy as np
import pandas as pd
import pytest
from made import make_panel, make_study, staggered

import bayesdid as bd
from bayesdid.cli.synergy_printed import print_panel
from bayesdid.design.overlap import overlap_design, pairs_of
from bayesdid.design.sample import sample_rows
from bayesdid.design.terms import term_values
from bayesdid.estimands.beside import HEADLINE, STATIC, static_factorial
from bayesdid.estimands.imputation import imputed_moments
from bayesdid.estimands.names import ALL, BEYOND_PAIRS, contrasts_of, main_contrast, sum_of
from bayesdid.estimands.row_weights import contrast_weights
from bayesdid.estimands.saturated import saturated_moments
from bayesdid.estimands.state_effects import state_averages
from bayesdid.estimands.synergy import fit_headline, headline_spec, synergy
from bayesdid.estimands.violated_synergy import violated_synergy
from bayesdid.exceptions import InputError, NotIdentifiedError, ResultError
from bayesdid.model.overlap import joint_columns, overlap_pooling, part_label, policy_columns
from bayesdid.panel.adoption import arm, event_time, sequence, state
from bayesdid.study.schema import Sample
from bayesdid.study.terms import parse_term

POLICIES = ("a", "b", "c")
ORDERS = ("order:a>b", "order:a=b", "order:b>a")
STUDY = make_study(POLICIES, columns=[{"id": "o", "outcome": "y", "family": "overlap"}])
DEPARTS = {("a", "b"): -0.4, ("a", "c"): 0.0, ("b", "c"): 0.3, POLICIES: -0.25}


def effect(starts, period):
    """Growing single effects, a constant departure of every set."""
    on = dict(zip(POLICIES, (period >= s for s in starts), strict=True))
    total = sum(-0.1 * (period - s + 1) for s in starts if period >= s)
    return total + sum(size for of, size in DEPARTS.items() if all(on[p] for p in of))


def made(seed=3, **options):
    return staggered(seed, policies=POLICIES, **({"N": 120, "effect": effect} | options))


@pytest.fixture(scope="module")
def clean():
    """Rows of a panel without noise, their columns, and averages that some row identifies."""
    rows = overlap_design(headline_spec(STUDY), make_panel(*made(sigma=0.0)))
    pooling = overlap_pooling(rows)
    return rows, pooling, *state_averages(rows, pooling)


@pytest.fixture(scope="module")
def found():
    return synergy(STUDY, make_panel(*made()), draws=250)


def planted(rows, name):
    """What a contrast of constant departures is."""
    total = {ALL: sum(DEPARTS.values()), BEYOND_PAIRS: DEPARTS[POLICIES]}
    return (total | {sum_of(pair): DEPARTS[pair] for pair in pairs_of(POLICIES)})[name]


def test_states_arms_and_orders_of_three():
    adoption = pd.DataFrame(
        {"a": [2, 2, 5, None, 3], "b": [4, 2, 2, None, None], "c": [None, 3, 2, None, None]},
        index=pd.Index(range(5), name="unit"),
    )
    frame = pd.DataFrame({"unit": np.repeat(range(5), 6), "period": np.tile(range(1, 7), 5)})
    panel = make_panel(frame.assign(y=0.0), adoption)
    assert arm(panel.adoption).tolist() == ["dual", "triple", "triple", "none", "single"]
    orders = ["order:a>b", "order:a=b>c", "order:b=c>a", "", ""]
    assert sequence(panel.adoption).tolist() == orders
    states = state(panel).to_numpy().reshape(5, 6)
    assert states[0].tolist() == ["none", "only:a", "only:a", *["only:a+b"] * 3]
    assert states[1].tolist() == ["none", "only:a+b", *["all"] * 4]
    assert states[2, 1] == "only:b+c"
    assert event_time(panel, "a", "b").to_numpy(float, na_value=np.nan)[:6].tolist() == [
        *range(-3, 3)
    ]
    values = {
        text: term_values(parse_term(text), panel, np.ones(30, bool)).reshape(5, 6)
        for text in (
            "only:a+b",
            "both:a+b",
            "all",
            "order:a>b",
            "order:a=b",
            "order:b>a",
            "first:a",
        )
    }
    assert np.array_equal(values["only:a+b"], states == "only:a+b")
    assert np.array_equal(values["all"], states == "all")
    assert np.array_equal(values["both:a+b"], np.isin(states, ["only:a+b", "all"]))
    assert values["order:a>b"].sum(axis=1).tolist() == [3, 0, 0, 0, 0]
    assert values["order:a=b"].sum(axis=1).tolist() == [0, 5, 0, 0, 0]
    assert values["order:b>a"].sum(axis=1).tolist() == [0, 0, 2, 0, 0]
    assert not values["first:a"].any()  # nowhere before both others
    at = term_values(parse_term("both:a+b@-1"), panel, np.ones(30, bool)).reshape(5, 6)
    assert np.argwhere(at).tolist() == [[0, 2], [1, 0], [2, 3]]

    def units(**sample):
        return sorted(set(frame["unit"][sample_rows(Sample(**sample), panel, [])]))

    assert units(arms=("none", "triple")) == [1, 2, 3]
    assert units(only=("b",)) == [0, 1, 2, 3]
    assert units(only=("b", "b+c")) == [1, 2, 3]
    assert units(sequences=("order:b=c>a",)) == [0, 2, 3, 4]
    with pytest.raises(NotIdentifiedError, match=r"which of 3 policies.*both:a\+b"):
        term_values(parse_term("both"), panel, np.ones(30, bool))


def test_columns_make_up_the_states(clean):
    rows, pooling, *_ = clean
    sets = [joint_columns(pooling, of, POLICIES) for of in rows.sets]
    singles = [policy_columns(pooling, policy) for policy in POLICIES]
    assert (np.sum([*sets, *singles], axis=0) == 1).all()
    assert list(rows.sets) == [*pairs_of(POLICIES), POLICIES]
    for part in pooling.parts:
        assert part_label(part)
    assert part_label("since_a_and_b").endswith(
        "of the departure of a and b from their sum over time since the second adoption"
    )
    assert part_label("since_a_and_b_and_c").endswith("since the last adoption")


def test_averages_are_those_of_planted_effects(clean):
    """Applied to the true coefficients every contrast is the average of the true effects."""
    rows, pooling, averages, _ = clean
    names = list(pooling.design.treatments)
    tau = np.zeros(len(names))
    for policy in POLICIES:
        tau[names.index(policy)] = tau[names.index(f"{policy} growth")] = -0.1
    for of, size in DEPARTS.items():
        tau[names.index("joint " + "+".join(of))] = size
    truth = pooling.design.D @ tau
    np.testing.assert_allclose(
        truth,
        [
            effect(start, period)
            for start, period in zip(
                rows.start, rows.design.periods[rows.design.period_index], strict=True
            )
        ],
    )
    assert set(averages) == {contrast.name for contrast in contrasts_of(STUDY)}
    for name, average in averages.items():
        value = float(average.values(name, tau[None], True)[0])
        if name in {ALL, BEYOND_PAIRS} or name.endswith("of singles"):
            assert value == pytest.approx(planted(rows, name)), name
        elif name.endswith("vs sum"):
            assert value == pytest.approx(0.0, abs=1e-12)
        else:  # effects of a state as it is
            assert value == pytest.approx(average.weights() @ truth), name


def test_rows_are_those_under_the_pair_whatever_the_third_does(clean):
    rows, _, averages, _ = clean
    for pair in pairs_of(POLICIES):
        used = averages[sum_of(pair)].rows
        assert (used <= rows.on(pair)).all()
        assert (used & rows.on(POLICIES)).any()
        assert not (used & ~rows.told(pair)).any()
        assert (averages[f"{' and '.join(pair)} - none"].rows == rows.just(pair)).all()
    assert (averages["all - none"].rows == rows.on(POLICIES)).all()


def test_cells_and_imputation_find_each_departure_without_noise(clean):
    """Effects depend on ages and states alone: rows are compared at their own."""
    rows, _, averages, _ = clean
    weights = {name: contrast_weights(name, rows, item) for name, item in averages.items()}
    cells, imputed = saturated_moments(rows, weights), imputed_moments(rows, weights)
    for name in (ALL, BEYOND_PAIRS, *(sum_of(pair) for pair in pairs_of(POLICIES))):
        assert cells[name][0] == pytest.approx(planted(rows, name), abs=1e-8), name
        assert imputed[name].mean == pytest.approx(planted(rows, name), abs=1e-8), name
    for name in averages:
        if name.endswith("vs sum"):
            assert cells[name][0] == pytest.approx(0.0, abs=1e-8)


def test_planted_departures_are_found_with_their_sign(found):
    assert list(found) == [contrast.name for contrast in contrasts_of(STUDY)]
    for name in (ALL, BEYOND_PAIRS, *(sum_of(pair) for pair in pairs_of(POLICIES))):
        item = found[name]
        assert abs(item.mean - planted(None, name)) < 4 * item.sd, name
    assert found["a and b - sum of singles"].word.startswith("supported")
    assert found["b and c - sum of singles"].word.startswith("contradicted")
    assert main_contrast(found) == ALL
    assert main_contrast(["only:a - none", "b and c - sum of singles"]).startswith("b and c")
    (note,) = [note for note in found.notes if note.name == "averaging"]
    assert note.count == int(((found.rows.age >= 0).sum(axis=1) > 1).sum())


def test_the_static_regression_is_biased_by_what_it_says(found):
    """Single effects grow: it finds a departure of a and c, where there is none."""
    item = found["a and c - sum of singles"]
    static = item.models[STATIC]
    assert static.bias < -0.15
    assert not static.judged
    assert abs(static.mean - static.bias - item.mean) < 4 * np.hypot(static.sd, item.sd)
    assert abs(item.models[HEADLINE].mean) < 4 * item.sd
    rows = found.rows
    again = static_factorial(rows, "iid", 100, 0, chains=2)
    effects = rows.design.D @ np.arange(1.0, 8.0)
    values = {name: again.project(effects) @ w for name, w in again.weights.items()}
    assert values["b and c - sum of singles"] == pytest.approx(6.0)
    assert values[ALL] == pytest.approx(4 + 5 + 6 + 7)
    assert values[BEYOND_PAIRS] == pytest.approx(7.0)
    assert values["a and b - none"] == pytest.approx(1 + 2 + 4)


def test_the_command_shows_models_of_sums_alone(found, capsys):
    print_panel(STUDY, found, None)
    said = capsys.readouterr().out
    assert "Models beside the first are shown of sums" in said
    assert said.count("\n  imputation ") == 1 + len(pairs_of(POLICIES))
    assert "All − none" in said


def test_violations_are_of_all_and_the_path_leaves_pairs_out_of_it(found):
    result = violated_synergy(STUDY, make_panel(*made()), found, periods=())
    assert result.name == ALL
    (linear,) = [item for item in result.robust if item.kind == "smoothness"]
    assert linear.sets[0].low < planted(None, ALL) < linear.sets[0].high
    assert not result.refused


def test_what_no_row_identifies_is_refused_by_name_and_number():
    """Units have a and c, and no two others."""
    frame, adoption = made(4)
    both = adoption["a"].notna() & adoption["b"].notna()
    adoption.loc[both, "b"] = np.nan
    adoption.loc[adoption["a"].isna() & adoption["b"].notna(), "c"] = np.nan
    panel = make_panel(frame, adoption)
    rows = overlap_design(headline_spec(STUDY), panel)
    averages, refused = state_averages(rows, overlap_pooling(rows))
    assert rows.sets == (("a", "c"),)
    assert refused[sum_of(("a", "b"))] == "no row is under a and b both"
    assert refused[sum_of(("b", "c"))] == "no row is under b and c both"
    assert refused[ALL] == "no row is under all of a, b, c"
    assert sum_of(("a", "c")) in averages
    alone = make_panel(frame, adoption.assign(c=np.nan))
    with pytest.raises(NotIdentifiedError, match="no row of the sample is under two of a, b, c"):
        overlap_design(headline_spec(STUDY), alone)


def test_a_pair_that_is_never_without_the_third_is_refused():
    """Rows under a and b that are under c too tell nothing of the pair alone."""
    frame, adoption = made(5, sigma=0.0, effect=together)
    adoption = with_the_third(adoption)
    rows = overlap_design(headline_spec(STUDY), make_panel(frame, adoption))
    averages, refused = state_averages(rows, overlap_pooling(rows))
    name, count = sum_of(("a", "b")), int(rows.on(("a", "b")).sum())
    assert name not in averages
    assert refused[name].startswith(f"none of {count} rows under a and b is told from")
    assert "rows under these two alone" in refused[name]
    assert refused["a and b - none"] == f"each of {count} rows under a and b is under another too"
    assert f"none of {count} rows under all 3 has a pair" in refused[BEYOND_PAIRS]
    # what all do beyond the singles needs no pair alone
    weights = {ALL: contrast_weights(ALL, rows, averages[ALL])}
    cells = saturated_moments(rows, weights)
    assert cells[ALL][0] == pytest.approx(sum(DEPARTS.values()), abs=1e-8)


def with_the_third(adoption):
    """Units of a and b adopt c when they have both."""
    pair = adoption["a"].notna() & adoption["b"].notna()
    later = adoption[["a", "b"]].max(axis=1)
    return adoption.assign(c=adoption["c"].where(~pair, later))


def together(starts, period):
    """The effect of starts as :func:`with_the_third` makes them."""
    a, b, c = starts
    return effect((a, b, max(a, b) if np.isfinite([a, b]).all() else c), period)


def test_rows_whose_departure_is_not_told_are_counted():
    frame, adoption = made(6)
    lone = adoption["b"].notna() & adoption["a"].isna() & adoption["c"].isna()
    adoption.loc[lone, "b"] = 9  # b alone for at most four periods
    rows = overlap_design(headline_spec(STUDY), make_panel(frame, adoption))
    averages, refused = state_averages(rows, overlap_pooling(rows))
    for of, name, where in (
        (("a", "b"), sum_of(("a", "b")), "rows under a and b"),
        (POLICIES, ALL, "rows under all 3"),
    ):
        total = int(rows.on(of).sum())
        lost = total - int(averages[name].rows.sum())
        assert lost > 0
        assert refused[name].startswith(f"{lost} of {total} {where} are left out: no unit was")


def test_errors_whose_sampler_fails_are_refused_with_those_whose_does_not(monkeypatch):
    class Failed:
        converged = False

    monkeypatch.setattr("bayesdid.estimands.synergy.fit", lambda *_, **__: Failed())
    with pytest.raises(ResultError, match=r"parts are too many.*use errors ar1_unit"):
        fit_headline(STUDY, make_panel(*made()), errors="iid")


def test_a_data_frame_of_three_policies():
    frame, adoption = made(N=60)
    for policy in POLICIES:
        frame[f"{policy}_year"] = frame["unit"].map(adoption[policy])
    columns = {policy: f"{policy}_year" for policy in POLICIES}
    keys = {"y": "y", "unit": "unit", "time": "period"}
    fit = bd.did(frame, **keys, policies=columns, errors="iid", draws=100)
    table = bd.contrast_table(fit)
    tau = fit.tidy()["mean"].to_numpy()
    assert table.loc[ALL, "mean"] == pytest.approx(tau[3:].sum())
    assert table.loc["b and c - none", "mean"] == pytest.approx(tau[[1, 2, 5]].sum())
    frame["b_year"] = frame["b_year"].where(frame["a_year"].isna())
    study, panel = bd.study_of(frame, **keys, policies=columns)
    terms = study["did.1"].column.treatments
    assert "active:a * active:b" not in terms
    assert "active:b * active:c" in terms
    said = [note.text for note in panel.notes if note.name == "product_left_out"]
    assert said[0] == "active:a * active:b is left out: no row is under a and b"
    with pytest.raises(InputError, match="no such column"):
        bd.study_of(frame, **keys, policies={**columns, "d": "d_year"})
