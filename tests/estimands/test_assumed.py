"""Notes of the headline: few units under both, units that are left out."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
from made import make_panel, make_study
from synergy_worlds import World, make

from bayesdid.design.overlap import overlap_design
from bayesdid.estimands.assumed import FEW_UNDER, assumed
from bayesdid.estimands.state_effects import Average
from bayesdid.estimands.synergy import headline_spec
from bayesdid.exceptions import Note

STUDY = make_study(columns=[{"id": "o", "outcome": "y", "family": "overlap"}])


def notes(dual, *given):
    made = make(World(dual=dual), 4, N=60, T=9)
    rows = overlap_design(headline_spec(STUDY), make_panel(made.frame, made.adoption))
    imputed = SimpleNamespace(imputed={})
    return {note.name: note for note in assumed(given, rows, imputed)}


def test_few_units_under_both_are_said():
    few = notes(4)["few_units"]
    assert few.count == 4
    assert few.text.startswith("only 4 units are ever under more than one policy: clustered errors")
    assert "few_units" in notes(FEW_UNDER)
    assert "few_units" not in notes(FEW_UNDER + 1)


def test_few_units_of_one_contrast_are_said():
    """Nine units are under both; of one order of adoption there is one."""
    made = make(World(dual=FEW_UNDER + 1), 4, N=60, T=9)
    rows = overlap_design(headline_spec(STUDY), make_panel(made.frame, made.adoption))
    both, alone = rows.both, rows.state == "only:a"
    unit = rows.design.unit_index
    one = both & (unit == unit[both][0])
    averages = {
        "both - none": Average(both, np.empty((0, 0))),
        "first:a - first:b vs none": Average(both & ~one, np.empty((0, 0)), one),
        "only:a - none": Average(alone, np.empty((0, 0))),
    }
    imputed = SimpleNamespace(imputed={})
    said = {note.name: note for note in assumed((), rows, imputed, averages)}["few_units_of_one"]
    assert said.count == 1
    assert said.text.startswith("few units tell first:a - first:b vs none (1 unit): clustered")
    told = {
        note.name for note in assumed((), rows, imputed, {"both - none": averages["both - none"]})
    }
    assert "few_units_of_one" not in told


def test_with_so_few_units_clustered_errors_do_not_cover():
    """In the document that the note names, both worlds of few dual units bear a star."""
    text = (Path(__file__).parents[2] / "docs" / "validity.md").read_text(encoding="utf-8")
    table = text.split("## Coverage of 89 % intervals")[1].split("\n## ")[0]
    lines = [line.split(" | ") for line in table.splitlines() if line.startswith("| ")]
    column = lines[0].index("cells, clustered errors")
    by = {line[0].removeprefix("| "): line[column] for line in lines[1:]}
    assert by[f"{FEW_UNDER} dual units"].endswith("*")
    assert by["3 dual units"].endswith("*")
    assert float(by["20 dual units"].strip("* ")) > float(by["8 dual units"].strip("* "))


def test_units_that_are_left_out_are_not_said_to_be_used():
    used = Note("policy_reversed", 2, "its state is used row by row")
    out, other = Note("reversals_left_out", 2, "are left out"), Note("other", 1, "else")
    assert set(notes(20, used, out, other)) == {"reversals_left_out", "other", "averaging"}
    assert set(notes(20, used, other)) == {"policy_reversed", "other", "averaging"}
    assert np.isfinite(notes(20)["averaging"].count)
