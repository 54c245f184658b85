"""The states of the castle data are named by their place in the alphabet."""

from pathlib import Path

import bayesdid as bd

STUDY = Path(__file__).parents[2] / "models" / "castle_doctrine"


def test_the_largest_states_are_the_largest():
    panel = bd.load_panel(bd.load_study(STUDY))
    people = panel.frame.groupby(panel.unit)["popwt"].mean().sort_values()
    names = [panel.unit_labels[str(unit)] for unit in people.index]
    assert names[0] == "Wyoming"
    assert names[-4:] == ["Florida", "New York", "Texas", "California"]
    assert len(set(names)) == len(panel.units) == 50
