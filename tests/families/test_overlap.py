"""Two overlapping policies: identity with imputation, planted synergy, refusal, contamination."""

import numpy as np
import pandas as pd
import pytest
from made import make_panel, make_study, spec_of, staggered

import bayesdid as bd
from bayesdid.design.overlap import overlap_design
from bayesdid.exceptions import InputError, NotIdentifiedError
from bayesdid.families.overlap.states import contamination
from cells import slow_but

COLUMN = {"id": "o", "outcome": "y", "family": "overlap"}


def planted(synergy, *, grow=0.0):
    def effect(s, t):
        a, b = t >= s[0], t >= s[1]
        return -0.5 * a - 0.3 * b + synergy * (a and b) - grow * (a * (t - s[0]) if a else 0)

    return effect


@pytest.mark.parametrize("synergy", slow_but([-0.6, 0.4], -0.6))
def test_planted_synergy_and_states_are_found(synergy):
    frame, adoption = staggered(2, N=150, policies=("a", "b"), effect=planted(synergy, grow=0.05))
    study = make_study(columns=[COLUMN])
    result = bd.analyse(study, "t.o", make_panel(frame, adoption), draws=500)
    assert result.converged
    assert len(result.peers) >= 4
    assert all(peer.holds for peer in result.peers)  # equal to imputation by pyfixest
    table = result.tables[0].frame.set_index("effect")
    assert abs(table.loc["synergy", "mean"] - synergy) < 4 * table.loc["synergy", "sd"]
    assert abs(table.loc["synergy", "flat mean"] - synergy) < 4 * table.loc["synergy", "flat sd"]
    assert abs(table.loc["only:b", "mean"] + 0.3) < 4 * table.loc["only:b", "sd"]


def test_synergy_is_refused_where_a_policy_was_never_seen_alone_for_so_long():
    # B is only ever adopted on top of A: what B does alone is not seen at any age
    frame, adoption = staggered(4, policies=("a", "b"))
    adoption["b"] = np.where(
        adoption["a"].notna() & (adoption.index % 2 == 0), adoption["a"] + 2, np.nan
    )
    study = make_study(columns=[COLUMN])
    panel = make_panel(frame, adoption)
    assert not overlap_design(spec_of(study, "o"), panel).supported().any()
    result = bd.analyse(study, "t.o", panel, draws=250)
    assert any(sentence.startswith("Not identified") for sentence in result.sentences)


def test_states_follow_from_adoption_alone():
    frame, adoption = staggered(6, policies=("a", "b"))
    rows = overlap_design(spec_of(make_study(columns=[COLUMN]), "o"), make_panel(frame, adoption))
    a, b = rows.age[:, 0] >= 0, rows.age[:, 1] >= 0
    assert (rows.both == (a & b)).all()
    assert ((rows.state == "only:a") == (a & ~b)).all()
    assert (rows.since(rows.policies)[rows.both] == rows.age[rows.both].min(axis=1)).all()
    assert pd.Series(rows.state[rows.both]).str.startswith("both, ").all()


def test_contamination_weights_sum_as_the_theory_says():
    frame, adoption = staggered(8, policies=("a", "b"))
    rows = overlap_design(spec_of(make_study(columns=[COLUMN]), "o"), make_panel(frame, adoption))
    table = contamination(rows)
    for _, row in table.iterrows():
        own = {
            "a": ["only:a", "both"],
            "b": ["only:b", "both"],
            "both": ["both"],
            "product": ["both"],
        }[row["coefficient of"]]
        assert sum(row[f"weight on {state}"] for state in own) == pytest.approx(1.0)
    factorial = table[table["model"] == "factorial"].set_index("coefficient of")
    # with homogeneous effects the factorial coefficient of A is A's effect alone
    assert factorial.loc["a", "weight on only:b"] == pytest.approx(0.0, abs=1e-9)
    assert factorial.loc["a", "weight on both"] == pytest.approx(0.0, abs=1e-9)


def test_one_policy_and_no_dual_unit_are_refused():
    frame, adoption = staggered(1)
    with pytest.raises(InputError, match="two"):
        bd.analyse(make_study(("a",), [COLUMN]), "t.o", make_panel(frame, adoption))
    frame, adoption = staggered(1, policies=("a", "b"))
    adoption.loc[adoption["a"].notna(), "b"] = np.nan
    with pytest.raises(NotIdentifiedError):
        overlap_design(spec_of(make_study(columns=[COLUMN]), "o"), make_panel(frame, adoption))


THREE = ("a", "b", "c")


def departs(starts, period):
    """Growing single effects; a and b, and all, depart from their sum."""
    on = [period >= s for s in starts]
    alone = sum(-0.1 * (period - s + 1) for s in starts if period >= s)
    return alone - 0.5 * (on[0] and on[1]) + 0.3 * all(on)


@pytest.fixture(scope="module")
def three():
    frame, adoption = staggered(2, N=80, T=11, policies=THREE, effect=departs, sigma=0.2)
    study = make_study(THREE, columns=[{"id": "o", "outcome": "y", "family": "overlap"}])
    panel = make_panel(frame, adoption)
    own = study["t.o"]
    return bd.analyse(study, "t.o", panel, draws=250), overlap_design(own, panel)


def test_three_policies_have_effects_by_state_and_departures(three):
    found, rows = three
    assert found.converged
    table = next(t for t in found.tables if t.name == "effects").frame.set_index("effect")
    assert set(np.unique(rows.state)) - {"none"} <= set(table.index)
    for name, truth in (("a and b", -0.5), ("a and c", 0.0), ("all", -0.2)):
        row = table.loc[f"{name}, departure"]
        assert abs(row["mean"] - truth) < 4 * row["sd"], name
        assert abs(row["flat mean"] - truth) < 4 * row["flat sd, clustered"], name
    assert found.sentences[1].startswith("Beyond the sum of each alone, at the same ages, all tog")
    assert "below zero" in found.sentences[1]
    figures = {figure.name for figure in found.figures}
    assert {"departure_a_b", "departure_a_b_c", "states"} <= figures
    assert all(peer.holds for peer in found.peers)


def test_weights_of_twfe_by_state_of_three_policies(three):
    table = contamination(three[1]).set_index(["model", "coefficient of"])
    assert table.loc[("all alone", "all"), "weight on all"] == pytest.approx(1.0)
    own = table.loc[("factorial", "a+b")]
    assert own["weight on only:a+b"] + own["weight on all"] == pytest.approx(1.0)
