"""Who adopted when: drawn timings meet everything that is published, or are refused."""

import numpy as np
import pandas as pd
import pytest
from printing import COUNTS, study

from bayesdid.exceptions import InputError
from bayesdid.families.registry.load import load_study
from bayesdid.published.timing import timings

ROUNDS = {"a": (2003, 2006), "b": (2004, 2006)}


def drawn(**changes):
    return study(design={**COUNTS, "timing": {"rounds": ROUNDS} | changes})


def test_forty_drawn_timings_meet_counts_rounds_and_orders():
    found = timings(drawn(both_share="0.147"), size=40)
    assert found.knowledge == "drawn"
    assert len({timing.start.tobytes() for timing in found.members}) > 30
    for timing in found.members:
        start, on = timing.start, np.isfinite(timing.start)
        assert (on.sum(axis=1) == 0).sum() == 10
        assert (on[:, 0] & ~on[:, 1]).sum() == 7
        assert (on[:, 1] & ~on[:, 0]).sum() == 5
        dual = start[on.all(axis=1)]
        assert (dual[:, 0] < dual[:, 1]).sum() == 3
        assert (dual[:, 0] > dual[:, 1]).sum() == 3
        assert (dual[:, 0] == dual[:, 1]).sum() == 2
        for k, years in enumerate(ROUNDS.values()):
            assert set(start[on[:, k], k]) <= set(years)
        assert 0.1465 <= timing.on.all(axis=2).mean() <= 0.1475


def test_all_timings_of_the_shipped_study_meet_the_printed_mean(models):
    found = timings(load_study(models / "dual_pilot"), size=40)
    for timing in found.members:
        assert 0.0845 <= timing.on.all(axis=2).mean() <= 0.0855
        both = np.isfinite(timing.start).all(axis=1)
        assert both.sum() == 37
        assert (timing.start[both, 0] < timing.start[both, 1]).sum() == 16
        assert set(timing.start[:, 1]) == {2013.0, 2015.0, np.inf}
        assert len(timing.start) == 218


def test_a_mean_that_no_timing_has_is_refused():
    with pytest.raises(InputError, match="no timing of the rounds gives the printed mean"):
        timings(drawn(both_share="0.400"))


def test_an_order_that_no_rounds_allow_is_refused():
    made = study(design={**COUNTS, "timing": {"rounds": {"a": (2006,), "b": (2004,)}}})
    with pytest.raises(InputError, match="no pair of rounds has this order"):
        timings(made)


def test_without_rounds_any_period_after_the_first_is_possible():
    found = timings(study(design=COUNTS), size=20)
    assert found.knowledge == "free"
    years = {year for timing in found.members for year in timing.start.ravel()}
    assert years == {*range(2002, 2011), np.inf}


def test_a_panel_tells_the_timing():
    adoption = pd.DataFrame({"a": [2003, None, 2004], "b": [None, None, 2006]}, dtype="Int64")
    found = timings(study(), adoption)
    assert found.knowledge == "known"
    np.testing.assert_array_equal(
        found.members[0].start, [[2003, np.inf], [np.inf, np.inf], [2004, 2006]]
    )


def test_too_little_is_a_clear_error():
    with pytest.raises(InputError, match=r"who adopted when.*none, single and dual"):
        timings(study(design={}))
    with pytest.raises(InputError, match=r"the study's periods.*first_period"):
        timings(study(panel={"first_period": None}))
    with pytest.raises(InputError, match="known, but not stated"):
        timings(study(design={**COUNTS, "timing": {"known": True}}))
    with pytest.raises(InputError, match=r"rounds.*names no policy.*use one of a, b"):
        drawn(rounds={"c": (2003,)})


def test_timings_of_one_policy_meet_its_mean():
    design = {"none": 10, "single": 8, "timing": {"rounds": {"a": (2003, 2007)}}}
    made = study(
        [{"treatments": ["active:a"]}],
        values=[-0.5],
        ses=[0.1],
        policies=("a",),
        synergy={"only_none": {"a": "t.c0:active:a"}},
        design={**design, "timing": {**design["timing"], "both_share": "0.27"}},
    )
    for timing in timings(made, size=10).members:
        assert np.isfinite(timing.start).sum() == 8
        assert set(timing.start[:, 0]) <= {2003.0, 2007.0, np.inf}
        assert 0.265 <= timing.on.mean() <= 0.275
