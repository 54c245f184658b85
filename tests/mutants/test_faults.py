"""The planted faults can be planted, their tests exist, and the runner tells caught from not."""

import ast
import re

import pytest
from faults import MUTANTS, Mutant
from run import CAUGHT, DOCUMENT, ROOT, SURVIVED, mutated, run_all

SOURCE = ROOT / "src" / "bayesdid"
KNOWN = {mutant.name: mutant for mutant in MUTANTS}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_fault_can_be_planted_and_its_tests_exist(mutant):
    text = mutated(mutant, SOURCE)  # the text stands there exactly once
    ast.parse(text)
    assert text != (SOURCE / mutant.file).read_text(encoding="utf-8")
    for name in mutant.tests:
        file, _, function = name.partition("::")
        tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
        assert function in {item.name for item in tree.body if isinstance(item, ast.FunctionDef)}


def test_there_are_twenty_and_the_page_lists_them():
    assert len(KNOWN) == len(MUTANTS) >= 20
    page = DOCUMENT.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \| (.+?) \| `", page, re.MULTILINE)
    assert rows == [(mutant.name, mutant.file, mutant.meaning) for mutant in MUTANTS]


def test_a_text_that_has_moved_is_an_error():
    gone = Mutant("gone", "summary.py", "no such text", "x", "nothing", ())
    twice = Mutant("twice", "summary.py", "def ", "x", "nothing", ())
    for mutant in (gone, twice):
        with pytest.raises(ValueError, match=r"stands \d+ times"):
            mutated(mutant, SOURCE)


@pytest.mark.slow
def test_the_runner_tells_caught_from_not():
    """A fault is caught; a change of a comment survives, and a syntax error is no success."""
    tests = KNOWN["rounding-halved"].tests
    harmless = Mutant(
        "harmless", "study/printed.py", "Numbers as they were printed", "Numbers", "nothing", tests
    )
    broken = Mutant(
        "broken", "study/printed.py", "from decimal import Decimal", "import (", "nothing", tests
    )
    chosen = (KNOWN["rounding-halved"], harmless, broken)
    outcomes = [item.outcome for item in run_all(chosen, 2, start="spawn")]
    assert outcomes == [CAUGHT, SURVIVED, SURVIVED]
