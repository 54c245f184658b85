"""What follows from adoption periods alone."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bayesdid as bd
from bayesdid.exceptions import InputError
from bayesdid.panel.adoption import (
    arm,
    cohort,
    event_time,
    from_indicator,
    only,
    sequence,
    state,
    switched_off,
)

YEARS = st.one_of(st.none(), st.integers(2001, 2008))


@st.composite
def adoptions(draw):
    rows = draw(st.lists(st.tuples(YEARS, YEARS), min_size=2, max_size=12))
    return pd.DataFrame(rows, columns=["a", "b"]).astype("Int64")


@given(adoptions())
def test_arms_partition_and_follow_from_counts(adoption):
    arms, singles, orders = arm(adoption), only(adoption), sequence(adoption)
    number = adoption.notna().sum(axis=1)
    assert (arms.map({"none": 0, "single": 1, "dual": 2}) == number).all()
    assert ((singles != "") == (arms == "single")).all()
    assert ((orders != "") == (arms == "dual")).all()
    dual = adoption[arms == "dual"]
    first = dual["a"] < dual["b"]
    assert (orders[dual.index][first] == "first:a").all()
    tie = dual["a"] == dual["b"]
    assert (orders[dual.index][tie] == "simultaneous").all()
    assert (cohort(adoption)[dual.index] == dual.max(axis=1)).all()
    assert cohort(adoption)[arms != "dual"].isna().all()


@settings(max_examples=50)
@given(adoptions())
def test_indicators_and_years_are_equivalent(adoption):
    periods = np.arange(2000, 2010)
    frame = pd.DataFrame(
        {"unit": np.repeat(adoption.index, 10), "year": np.tile(periods, len(adoption))}
    )
    frame["__row__"] = np.arange(len(frame)) + 2
    start = adoption["a"].reindex(frame["unit"]).to_numpy(dtype=float, na_value=np.inf)
    frame["on"] = (frame["year"] >= start).astype(float)
    found = from_indicator(frame, "unit", "year", "on", 0.5, "memory")
    assert found.equals(adoption["a"].set_axis(found.index))


def test_a_reversal_is_by_unit_and_adoption_the_first_period_on():
    frame = pd.DataFrame({"unit": [1] * 4 + [2] * 4, "year": [*range(4)] * 2})
    frame["on"] = [0, 1, 0, 1, 1, 1, 1, 1]
    frame["__row__"] = range(2, 10)
    assert from_indicator(frame, "unit", "year", "on", 0.5, "memory").tolist() == [1, 0]
    assert switched_off(frame, "unit", "on", 0.5).tolist() == [True, False]


def test_an_indicator_lies_between_0_and_1():
    frame = pd.DataFrame({"unit": [1] * 2, "year": range(2), "on": [0, 2], "__row__": [2, 3]})
    with pytest.raises(InputError, match="between 0 and 1"):
        from_indicator(frame, "unit", "year", "on", 0.5, "memory")


def test_state_and_event_time(studies):
    study = bd.load_study(studies / "small")
    panel = bd.simulate_panel(study)
    states, time = state(panel), event_time(panel)
    assert set(states) == {"none", "only:a", "only:b", "both"}
    assert ((states == "both") == (time >= 0).fillna(False)).all()
    since = event_time(panel, "a")
    active = states.isin(["only:a", "both"])
    assert (active == (since >= 0).fillna(False)).all()


def test_without_policies_every_unit_is_in_no_state():
    units = pd.Index([3, 1, 2], name="u")
    adoption = pd.DataFrame(index=units)
    assert arm(adoption).tolist() == ["none"] * 3
    for found in (only(adoption), sequence(adoption)):
        assert found.to_dict() == {3: "", 1: "", 2: ""}
