"""Counts of units that no array could hold are refused where they are read."""

import pytest
from pydantic import TypeAdapter, ValidationError

from bayesdid.study.fields import MOST_UNITS, Count
from bayesdid.study.schema import PanelSection, TimingSection

BEYOND = "less than or equal to 1000000"


def test_counts_beyond_any_study_are_refused():
    assert TypeAdapter(Count).validate_python(MOST_UNITS) == MOST_UNITS
    with pytest.raises(ValidationError, match=BEYOND):
        TypeAdapter(Count).validate_python(MOST_UNITS + 1)


def test_so_are_those_of_panels_and_of_adoptions():
    """Units that are left over, and those that adopt in a period, become rows too."""
    assert PanelSection(unit="i", period="t", units=MOST_UNITS).units == MOST_UNITS
    with pytest.raises(ValidationError, match=BEYOND):
        PanelSection(unit="i", period="t", units=MOST_UNITS + 1)
    with pytest.raises(ValidationError, match=BEYOND):
        TimingSection(adoption={"a": {"2010": MOST_UNITS + 1}})
