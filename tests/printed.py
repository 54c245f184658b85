"""A study of one policy that is two printed columns and three claims, without a panel."""

from __future__ import annotations

from pathlib import Path

HEAD = """
schema_version = 1
[study]
id = "print"
title = "A law"
citation = "Somebody 2020."
question = "Does the law lower y?"
[outcome]
column = "y"
label = "y"
unit = "units"
better = "lower"
[panel]
unit = "state"
period = "year"
"""
STUDY = """
units = 18
first_period = 2000
last_period = 2010
[[policy]]
id = "a"
label = "the law"
adoption = "start"
[design]
none = 10
single = 8
timing = { rounds = { a = [2003, 2007] } }
[synergy]
only_none = { a = "t.c0:active:a" }
"""
TABLE = """
id = "t"
title = "Effects"
kind = "regression"
place = "Table 1"
[[column]]
id = "c0"
outcome = "y"
treatments = ["active:a"]
n = "198"
[column.coefficients]
"active:a" = { estimate = "-0.500***", parentheses = "0.100" }
[[column]]
id = "c1"
outcome = "y"
treatments = ["active:a"]
sample = { arms = ["single"] }
[column.coefficients]
"active:a" = { estimate = "-0.150", parentheses = "0.500" }
"""
CLAIMS = """
[[claim]]
id = "lowers"
text = "it lowers y"
place = "p. 1"
synergy = "only:a - none"
cell = "t.c0:active:a"
[[claim]]
id = "within"
text = "it does so where it came"
place = "p. 2"
cell = "t.c1:active:a"
direction = "negative"
value = "0.2"
[[claim]]
id = "silent"
text = "an effect of 0.15"
place = "p. 3"
cell = "t.c1:active:a"
value = "0.15"
"""


def write_printed(folder: Path) -> Path:
    """Write the study into a folder that is there."""
    for name, text in (("study", HEAD + STUDY), ("t", TABLE), ("claims", CLAIMS)):
        (folder / f"{name}.toml").write_text(text)
    return folder
