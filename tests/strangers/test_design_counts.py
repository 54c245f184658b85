"""Counts of units that no array could hold are refused where they are read."""

import pytest
from pydantic import TypeAdapter, ValidationError

from bayesdid.study.fields import MOST_UNITS, Count


def test_counts_beyond_any_study_are_refused():
    assert TypeAdapter(Count).validate_python(MOST_UNITS) == MOST_UNITS
    with pytest.raises(ValidationError, match="less than or equal to 1000000"):
        TypeAdapter(Count).validate_python(MOST_UNITS + 1)
