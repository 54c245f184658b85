"""Correct tables raise no contradiction, planted errors are found; `make audit-corpus` runs all."""

from functools import cache

import pytest
from bystanders import WHO
from corpus import build
from corpus_more import raw_tables
from corpus_run import PLANTS, run

from bayesdid.audit.run import audit_study


@cache
def tally():
    return run(range(13))  # every data set once


def test_correct_tables_raise_no_contradiction():
    found = tally()
    assert found.tables >= 12
    assert sum(found.comparisons.values()) > 700
    assert not found.false, found.false[:5]


def test_they_raise_hardly_a_warning():
    """Only cut-off digits do: of those that round, one table in ten at most."""
    assert tally().rounded >= 7
    assert tally().warned_rounded <= tally().rounded / 10, tally().warnings


def test_findings_accuse_the_wrong_number_or_what_it_is_compared_with():
    """Without the rule on impossible moments, a wrong mean accuses the constants of all columns."""
    found = tally()
    assert found.errors > 50
    by = {who: sum(n for (_, one), n in found.accused.items() if one == who) for who in WHO}
    assert by["bystander"] == 0, found.accused
    assert by["tied"] * 10 < by["it"]
    # an R2 that falls is no evidence against t, nor one above one against its neighbours
    assert not {rule for rule, who in found.accused if who == "tied"} - {
        "constants",
        "directions",
        "omitted_variable",
        "significance",
        "values",
    }


RARE = {  # in 325 tables; the rules' own tests plant them
    "R² gains more than t allows",
    "a mark by the normal distribution, few clusters",
    "a standard error a third as regressors are added",
    "a standard error larger in more rows",
    "a standard error too small for R²",
    "an adjusted R² above R²",
}


@pytest.mark.parametrize("kind", [kind for kind in PLANTS if kind not in RARE])
def test_planted_errors_are_found(kind):
    """Transposed digits may be within rounding, and a two-way column may have no auxiliary one.

    A p-value beside t errors that may be clustered in two clusters hides, and a coarse sd; so does
    n of a group of a tenth of the rows.
    """
    made, found = tally().planted[kind], tally().found[kind]
    assert made, "the error was never planted"
    rules = {
        "omitted_variable": 0.5,
        "whole_numbers": 0.5,
        "measures": 0.5,
        "digits_of_n": 0.5,
        "points_of_errors": 0.1,
    }
    lowest = rules.get(PLANTS[kind][1], 1.0)
    assert found >= lowest * made, f"{found} of {made}"


def test_digits_that_are_cut_off_are_no_contradiction():
    """t = 1.95 with a star: p is above .05 if it was rounded, and may be below if it was cut."""
    raw = raw_tables(0)
    table = raw["tables"][1]
    table.update(in_parentheses="t", stars={"*": 0.05})
    (first, *_) = table["column"]
    name = first["treatments"][0]
    raw["tables"][1]["column"], raw["claims"] = [first], []
    first["coefficients"] = {name: {"estimate": "0.30*", "parentheses": "1.95"}}
    first.pop("same_sample_as", None)
    rounded = [f for f in audit_study(build(raw)).findings if f.rule == "stars"]
    assert [f.severity for f in rounded] == ["warning"]  # |t| < 1.96 if cut off
    assert "cut off" in rounded[0].assumptions[-1]
    first["coefficients"][name]["parentheses"] = "1.93"
    surely = [f for f in audit_study(build(raw)).findings if f.rule == "stars"]
    assert [f.severity for f in surely] == ["contradiction"]
