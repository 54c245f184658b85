"""A study whose every text is a command, tag, formula or markup of some format.

Each text ends in a word of its own, so that a test can see whether it got lost.
"""

from __future__ import annotations

import json

TEXTS = (
    r"\input{/etc/passwd}\write18{touch owned}",
    "=cmd|'/C calc'!A0",
    "+1+1",
    "@SUM(A1)",
    "[/x] [sic] [bold red]",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "US$ x_{ $ ^^5c",
    "{{ 7 * 7 }} {% raw %}",
    "| `rm -rf` [a](javascript:b) *c*",
    "_hidden & co; 100% #1 ~ é 碳",
    "%s %(x)s {0} {x!r}",
    "two\nlines % \\end{tabular}",
)


class Words:
    """Hands out hostile texts, and remembers the word by which each is found again."""

    def __init__(self) -> None:
        self.given: dict[str, str] = {}

    def __call__(self, where: str) -> str:
        """A TOML string; `where` is the word, letters only."""
        assert where.isalpha()
        text = f"{TEXTS[len(self.given) % len(TEXTS)]} {where}"
        self.given[where] = text
        return json.dumps(text)


def write_hostile(folder) -> dict[str, str]:
    """Write the study; word -> the text that ends in it."""
    w = Words()
    # [sic] and US$ stand where they once did harm
    w.given["unitword"] = "US$ x_{ $ unitword"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.toml").write_text(
        f"""
[study]
id = "hostile"
title = {w("titleword")}
citation = {w("citationword")}
question = {w("questionword")}
summary = {w("summaryword")}
[outcome]
column = "y"
label = {w("outcomeword")}
unit = {json.dumps(w.given["unitword"])}
natural_unit = {w("naturalword")}
[panel]
unit = "unit"
period = "year"
units = 16
first_period = 2000
last_period = 2007
[panel.unit_labels]
unit001 = {w("unitoneword")}
[panel.simulate]
seed = 7
sigma = 0.5
sigma_unit = 0.8
sigma_period = 0.2
truth = {{ "active:a" = -0.5, "active:b" = -0.3 }}
[panel.simulate.adoption]
a = {{ 2003 = 3 }}
b = {{ 2004 = 3 }}
both = {{ "2002,2004" = 2, "2005,2003" = 2, "2004,2004" = 1 }}
[panel.simulate.groups]
region = {{ north = 8, south = 8 }}
[[policy]]
id = "a"
label = {w("policyword")}
adoption = "ya"
[[policy]]
id = "b"
label = {w("secondword")}
adoption = "yb"
[[group]]
column = "region"
label = {w("groupword")}
levels = {{ north = {w("northword")}, south = {w("southword")} }}
[design]
none = 5
single = 6
dual = 5
only = {{ a = 3, b = 3 }}
first = {{ a = 2, b = 2 }}
simultaneous = 1
[synergy]
both_none = "t.both:both"
only_none = {{ a = "t.a:only:a", b = "t.b:only:b" }}
""",
        encoding="utf-8",
    )
    column = """
[[column]]
id = "{0}"
label = {1}
note = {2}
outcome = "y"
treatments = ["{3}"]
sample = {{ arms = ["none", "{4}"]{6} }}
n = "{5}"
[column.coefficients]
"{3}" = {{ estimate = "-0.51**", se = "0.20" }}
"""
    singles = ', only = ["{}"]'
    (folder / "t.toml").write_text(
        f"""
id = "t"
title = {w("tableword")}
place = {w("placeword")}
note = {w("noteword")}
kind = "regression"
"""
        + column.format(
            "a", w("columnword"), w("columnnoteword"), "only:a", "single", "64", singles.format("a")
        )
        + column.format("b", w("bword"), '""', "only:b", "single", "64", singles.format("b"))
        + column.format("both", w("bothword"), '""', "both", "dual", "80", "")
        + f"""
[[column]]
id = "het"
label = {w("hetword")}
outcome = "y"
treatments = ["active:a"]
family = "heterogeneity"
options = {{ groups = ["region"] }}
""",
        encoding="utf-8",
    )
    (folder / "claims.toml").write_text(
        f"""
[[claim]]
id = "sum"
text = {w("claimword")}
place = {w("claimplaceword")}
synergy = "both - sum of singles"
[[claim]]
id = "size"
text = {w("sizeword")}
place = {w("sizeplaceword")}
value = "0.9"
cell = "t.both:both"
significance = "1%"
direction = "negative"
""",
        encoding="utf-8",
    )
    return w.given
