"""The smallest study that loads, as a user writes it."""

STUDY = """
[study]
id = "s"
title = "t"
citation = "c"
[outcome]
column = "y"
label = "y"
unit = "u"
[panel]
unit = "unit"
period = "year"
[[policy]]
id = "p"
label = "P"
adoption = "py"
"""


def study_with(panel: str = "", weights: str = "") -> str:
    """The smallest study with more lines in ``[panel]``, and spatial weights after it."""
    period = 'period = "year"\n'
    return STUDY.replace(period, period + panel.lstrip("\n")) + weights.lstrip("\n")
