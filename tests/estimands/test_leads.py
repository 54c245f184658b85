"""Leads of a joint state are not untreated where a first policy is on already."""

import numpy as np
import pandas as pd
import pytest
from made import make_panel

from bayesdid.estimands.leads import leads_sentence, under_a_part


@pytest.fixture(scope="module")
def panel():
    """Four units under both from period 8; the first policy came 1, 3, 5 and 0 periods before."""
    frame = pd.DataFrame(
        {"unit": np.repeat(np.arange(5), 12), "period": np.tile(np.arange(1, 13), 5), "y": 0.0}
    )
    first = [7, 5, 3, 8, 6]
    adoption = pd.DataFrame(
        {"a": first, "b": [8, 8, 8, 8, np.nan]}, index=pd.Index(range(5), name="unit")
    )
    return make_panel(frame, adoption)


@pytest.mark.parametrize(("time", "share"), [(-1, 0.75), (-3, 0.5), (-4, 0.25), (-6, 0), (0, 1)])
def test_shares_are_those_of_the_units_under_both(panel, time, share):
    assert under_a_part(panel, "both", range(5), time) == (share, 4)


def test_the_sentence_says_how_many_and_only_where_there_are_some(panel):
    said = leads_sentence(panel, "both", range(5), -4)
    assert said.startswith("75% of the 4 units are under a policy already one period before, ")
    assert ", 25% 4 periods before: its leads are not those of untreated units" in said
    assert leads_sentence(panel, "active:a", range(5), -4) == ""
    assert leads_sentence(panel, "both", [3], -4) == ""  # simultaneous
