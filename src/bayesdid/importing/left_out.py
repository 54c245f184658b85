"""Why a table holds nothing that a study could: tests, means of groups, text, plain numbers."""

from __future__ import annotations

import re

from bayesdid.importing.grid import Grid
from bayesdid.importing.moments import are_correlations
from bayesdid.importing.numbers import what
from bayesdid.importing.words import DESCRIPTIVE, WIDE, heading

_TEST = re.compile(
    r"^(?:(?:joint )?f(?:[- ](?:test|stat\w*|value))?|wald(?: .*)?|(?:chi|χ)[- ]?(?:2|²|sq\w*)|"
    r"(?:test )?stat(?:istic)?s?\.?|lr|d\.?f\.?|degrees of freedom)$",
    re.IGNORECASE,
)
_GROUP = re.compile(
    r"\b(?:mean|treat(?:ed|ment)|control|comparison|intervention|placebo|differences?|diff\.)\b|"
    r"\( ?n ?= ?[\d,]+ ?\)",
    re.IGNORECASE,
)
_LONGEST = 80  # characters of a title


def left_out(grid: Grid, number: int) -> str:
    """What a table is called, and why nothing of it was taken, in one sentence without its stop.

    Parameters
    ----------
    number
        Its place among the tables of the file.
    """
    first = next((text for row in grid.rows for text in row if text), "")
    title = grid.title or f"table {number} of the file, which begins with {first[:_LONGEST]!r}"
    return f"{title[:_LONGEST]}: {_reason(grid)}"


def _reason(grid: Grid) -> str:
    heads = [text for row in grid.rows[:3] for text in row[1:] if text]
    numbers = [text for row in grid.rows for text in row[1:] if what(text) in {"number", "below"}]
    kinds = set(heading(heads, WIDE)) - {""}
    if not numbers:
        return "it holds text and no numbers"
    if are_correlations(grid):
        return "correlations of variables are no estimates"
    if any(map(_TEST.match, heads)) and not kinds & {"se", "estimate"}:
        return "test statistics and their p-values are no estimates"
    grouped = any(map(_GROUP.search, heads)) or any(heading(heads, DESCRIPTIVE))
    if grouped and not kinds & {"se", "t", "interval"}:
        return "means of groups, with no errors beside their differences"
    return "its numbers have no errors, t, p or intervals below or beside them, and no marks"
