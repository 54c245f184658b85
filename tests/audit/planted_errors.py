"""Errors of known kinds, planted one at a time in a correct table of the corpus."""

from __future__ import annotations

import re
from collections.abc import Callable

from bayesdid.study.printed import Printed

Cells = list[tuple[dict, str, dict]]  # column, term, cell


def _columns(raw):
    return raw["tables"][1]["column"]


def _cells(raw) -> Cells:
    return [
        (column, name, cell)
        for column in _columns(raw)
        for name, cell in column["coefficients"].items()
        if "parentheses" in cell
    ]


def _legend(raw):
    return raw["tables"][1].get("stars") or {}


def _value(text):
    return float(Printed.parse(text))


def _bare(text):
    mark = Printed.parse(text).mark
    return (text[: -len(mark)], mark) if mark else (text, "")


def _t(raw, cell):
    """|t| where standard errors stand in parentheses; None else."""
    if raw["tables"][1]["in_parentheses"] != "se":
        return None
    se = _value(cell["parentheses"])
    return abs(_value(cell["estimate"])) / se if se > 0 else None


def _in_triples(raw):
    """Cells of unlabelled two-way columns, which an auxiliary regression ties together."""
    return [
        item
        for item in _cells(raw)
        if item[0]["period_effects"] == "fixed"
        and not item[0]["labels"]
        and not {"rows", "sample"} & item[0].keys()
    ]


def _pick(rng, items):
    return items[rng.integers(len(items))] if items else None


def sign_changed(raw, rng):
    found = _pick(rng, [i for i in _in_triples(raw) if (_t(raw, i[2]) or 0) > 2])
    if found is None:
        return False
    cell = found[2]
    text = cell["estimate"]
    cell["estimate"] = text[1:] if text[0] in "-−" else "-" + text
    return True


def digits_transposed(raw, rng):
    for k in rng.permutation(len(items := _in_triples(raw))):
        cell = items[k][2]
        body, mark = _bare(cell["estimate"])
        match = re.search(r"([1-9])(?!\1)([1-9])", body)
        if match and "e" not in body:
            swapped = body[: match.start()] + match[2] + match[1] + body[match.end() :]
            cell["estimate"] = swapped + mark
            return True
    return False


def error_decimal_shifted(raw, rng):
    marked = [i for i in _cells(raw) if _bare(i[2]["estimate"])[1] and "t" not in i[2]]
    found = _pick(rng, [i for i in marked if 2 < (_t(raw, i[2]) or 0) < 15])
    if found is None:
        return False
    cell = found[2]
    places = Printed.parse(cell["parentheses"]).places
    cell["parentheses"] = f"{_value(cell['parentheses']) * 10:.{max(places - 1, 0)}f}"
    return True


def too_many_stars(raw, rng):
    found = _pick(rng, [i for i in _cells(raw) if 0 < (_t(raw, i[2]) or 0) < 1.2])
    if found is None or not _legend(raw):
        return False
    best = min(_legend(raw), key=_legend(raw).get)
    found[2]["estimate"] = _bare(found[2]["estimate"])[0] + best
    return True


def stars_missing(raw, rng):
    found = _pick(rng, [i for i in _cells(raw) if (_t(raw, i[2]) or 0) > 8])
    others = sum(bool(_bare(i[2]["estimate"])[1]) for i in _cells(raw))
    if found is None or not _legend(raw) or others < 2:
        return False
    found[2]["estimate"] = _bare(found[2]["estimate"])[0]
    return True


def p_value_misprinted(raw, rng):
    if raw["tables"][1]["in_parentheses"] != "p" or not _legend(raw):
        return False
    found = _pick(rng, [i for i in _cells(raw) if _bare(i[2]["estimate"])[1]])
    if found is None:
        return False
    found[2]["parentheses"] = "0.314"
    return True


def r2_above_one(raw, rng):
    _pick(rng, _columns(raw))["r2"] = "1.075"
    return True


def r2_falls(raw, rng):
    columns = _columns(raw)
    for large in columns:
        names = {*large["treatments"], *large["covariates"]}
        for small in columns:
            alike = all(
                small[k] == large[k]
                for k in ("outcome", "unit_effects", "period_effects", "labels", "n")
            )
            linked = f"t1.{small['id']}" in large.get("same_sample_as", [])
            nested = {*small["treatments"], *small["covariates"]} < names
            if alike and linked and nested and _value(small["r2"]) > 0.15:
                large["r2"] = f"{_value(small['r2']) - 0.1:.3f}"
                return True
    return False


def n_above_the_panel(raw, rng):
    found = _pick(rng, [c for c in _columns(raw) if c.get("rows") == "all"])
    if found is None:
        return False
    found["n"] = f"{int(_value(found['n'])) + 7:,}"
    return True


def _of_cells(raw):
    """Claims that repeat a cell."""
    return [claim for claim in raw["claims"] if "direction" in claim]


def text_number(raw, rng):
    claim = _pick(rng, _of_cells(raw))
    printed = Printed.parse(claim["value"])
    unit = 10.0**-printed.places
    claim["value"] = f"{float(printed) + 5 * unit:.{max(printed.places, 0)}f}"
    return abs(float(printed)) >= unit


def text_sign(raw, rng):
    claim = _pick(rng, [c for c in _of_cells(raw) if _value(c["value"]) != 0])
    if claim is None:
        return False
    claim["direction"] = {"positive": "negative", "negative": "positive"}[claim["direction"]]
    return True


def text_level(raw, rng):
    """Significant at 1% in the text, where |t| is below 1.2."""
    for claim in _of_cells(raw):
        place, name = claim["cell"].split(":")
        cell = next(c for c in _columns(raw) if f"t1.{c['id']}" == place)["coefficients"][name]
        if 0 < (_t(raw, cell) or 0) < 1.2:
            claim["significance"] = "1%"
            return True
    return False


def mean_outside(raw, rng):
    row = _pick(rng, raw["tables"][0]["moments"])
    row["mean"] = f"{_value(row['max']) * 1.5 + 1:.3f}"
    return True


def sd_impossible(raw, rng):
    row = _pick(rng, raw["tables"][0]["moments"])
    row["sd"] = f"{(_value(row['max']) - _value(row['min'])) * 0.6 + 1e-2:.3f}"
    return True


PLANTS: dict[str, tuple[Callable, str]] = {
    "a sign changed in a two-way column": (sign_changed, "omitted_variable"),
    "two digits transposed in a two-way column": (digits_transposed, "omitted_variable"),
    "a standard error's decimal point shifted": (error_decimal_shifted, "stars"),
    "stars added": (too_many_stars, "stars"),
    "stars lost": (stars_missing, "stars"),
    "a p-value misprinted": (p_value_misprinted, "stars"),
    "R² above one": (r2_above_one, "r_squared"),
    "R² falls as regressors are added": (r2_falls, "r_squared"),
    "n above units × periods": (n_above_the_panel, "observations"),
    "a number in the text": (text_number, "values"),
    "a sign in the text": (text_sign, "directions"),
    "a level in the text": (text_level, "significance"),
    "a mean outside of its range": (mean_outside, "descriptives"),
    "an impossible sd": (sd_impossible, "descriptives"),
}
