"""Errors in what is printed beside estimates, and in what texts compute, planted one at a time."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from itertools import pairwise

from planted_errors import _bare, _cells, _columns, _legend, _pick, _t, _value
from scipy.stats import norm, t

from bayesdid.study.printed import Printed


def _like(text: str, value: float) -> str:
    """A value with the digits of a printed number."""
    return f"{value:.{max(Printed.parse(text).places, 0)}f}"


def p_beside_misprinted(raw, rng):
    found = _pick(rng, [c for _, _, c in _cells(raw) if "p" in c and (_t(raw, c) or 0) > 3.5])
    if found is None or "t" not in found:
        return False
    found["p"] = "0.431"
    return True


def t_beside_misprinted(raw, rng):
    found = _pick(rng, [c for _, _, c in _cells(raw) if "t" in c and (_t(raw, c) or 0) > 1])
    if found is None:
        return False
    found["t"] = _like(found["t"], 1.5 * _value(found["t"]))
    return True


def t_of_the_other_sign(raw, rng):
    key = "parentheses" if raw["tables"][1]["in_parentheses"] == "t" else "t"
    cells = [c for _, _, c in _cells(raw) if key in c]
    found = _pick(rng, [c for c in cells if _value(c[key]) > 0.5 and _value(c["estimate"]) > 0])
    if found is None:
        return False
    found[key] = _like(found[key], -_value(found[key]))
    return True


def r2_falls_undeclared(raw, rng):
    """As a paper prints it: columns beside each other with one n, and no word on their rows."""
    columns = _columns(raw)
    for column in columns:
        column.pop("same_sample_as", None)
    keys = ("outcome", "family", "unit_effects", "period_effects", "labels", "n")
    keys += ("row_weights", "row_weights_kind", "sample", "r2_kind", "label")
    for small, large in pairwise(columns):
        names = {*large["treatments"], *large["covariates"]}
        nested = {*small["treatments"], *small["covariates"]} < names
        alike = all(small.get(key) == large.get(key) for key in keys)
        differ = "differ" in {small.get("rows"), large.get("rows")}
        if alike and nested and not differ and _value(small["r2"]) > 0.15:
            large["r2"] = f"{_value(small['r2']) - 0.1:.3f}"
            return True
    return False


def interval_end_misprinted(raw, rng):
    if raw["tables"][1]["in_parentheses"] != "interval":
        return False
    found = _pick(rng, [c for _, _, c in _cells(raw) if "e" not in c["parentheses"]])
    if found is None:
        return False
    body = found["parentheses"].strip("()")
    low, high = (part.strip() for part in body.split(","))
    wide = 0.4 * (_value(high) - _value(low))
    if wide < 10.0 ** -(Printed.parse(low).places - 1):
        return False
    found["parentheses"] = f"({_like(low, _value(low) + wide)}, {high})"
    return True


def mark_by_normal(raw, rng):
    """Marked by the normal distribution, although its clusters are few."""
    if raw["normal"]:
        return False
    for column, _, cell in _cells(raw):
        size, clusters = _t(raw, cell), column.get("clusters")
        for mark, level in _legend(raw).items():
            if not size or not clusters:
                continue
            if 2 * norm.sf(size) < 0.9 * level and 2 * t.sf(1.02 * size, clusters - 1) > level:
                cell["estimate"] = _bare(cell["estimate"])[0] + mark
                return True
    return False


def adjusted_above(raw, rng):
    if raw["tables"][1]["r2_kind"] != "overall":
        return False
    for column in _columns(raw):
        for item in column.get("statistic", ()):
            if item["name"] == "r2_adjusted" and _value(column["r2"]) < 0.9:
                item["value"] = f"{_value(column['r2']) + 0.02:.3f}"
                return True
    return False


def _classical(raw):
    table = raw["tables"][1]
    return table["se_kind"] == "iid" and table["r2_kind"] in {"overall", "within"}


def error_too_small(raw, rng):
    """A tenth of a standard error, where R2 is low."""
    low = [i for i in _cells(raw) if 0 < _value(i[0]["r2"]) < 0.3 and (_t(raw, i[2]) or 0) > 1]
    found = _pick(rng, low)
    if found is None or not _classical(raw):
        return False
    cell, n = found[2], _value(found[0]["n"])
    r2 = _value(found[0]["r2"])
    if (10 * (_t(raw, cell) or 0)) ** 2 < 1.5 * n * (r2 + 0.001) / (1 - r2):
        return False
    value = _value(cell["parentheses"]) / 10
    cell["parentheses"] = f"{value:.{Printed.parse(cell['parentheses']).places + 1}f}"
    return True


def _pairs(raw):
    """Columns on the same rows, the longer with one regressor more."""
    for large in _columns(raw):
        for small in _columns(raw):
            alike = all(
                small[k] == large[k]
                for k in ("outcome", "unit_effects", "period_effects", "labels", "n")
            )
            linked = f"t1.{small['id']}" in large.get("same_sample_as", ())
            names = [{*c["treatments"], *c["covariates"]} for c in (small, large)]
            if alike and linked and names[0] < names[1] and len(names[1] - names[0]) == 1:
                yield small, large


def r2_gains_too_much(raw, rng):
    """A tenth more R2 by a regressor whose t is below two."""
    for small, large in _pairs(raw) if _classical(raw) else ():
        (name,) = {*large["treatments"], *large["covariates"]} - {
            *small["treatments"],
            *small["covariates"],
        }
        cell = large["coefficients"][name]
        printed = raw["tables"][1]["in_parentheses"] == "t"
        size = abs(_value(cell["parentheses"])) if printed else _t(raw, cell)
        if size is not None and size < 2 and _value(large["r2"]) < 0.8:
            large["r2"] = f"{_value(large['r2']) + 0.1:.3f}"
            return True
    return False


def error_falls(raw, rng):
    """A third of a standard error as a regressor is added that explains little."""
    for small, large in _pairs(raw) if _classical(raw) else ():
        if _value(large["r2"]) - _value(small["r2"]) > 0.3:
            continue
        for name in small["treatments"]:
            cell = large["coefficients"][name]
            if _t(raw, cell) is None or "e" in cell["parentheses"]:
                continue
            places = Printed.parse(cell["parentheses"]).places
            if _value(cell["parentheses"]) > 10 * 10.0**-places:
                cell["parentheses"] = f"{_value(cell['parentheses']) / 3:.{places}f}"
                return True
    return False


def _split(raw, effect):
    """The column of all units and those of its two halves."""
    for k, column in enumerate(columns := _columns(raw)):
        parts = columns[k + 1 : k + 3]
        whole = column.get("statistic", [{}])[0].get("name") == "rmse" and not column["sample"]
        if whole and column["period_effects"] == effect and len(parts) == 2:
            return column, parts
    return None


def outside_of_its_halves(raw, rng):
    found = _split(raw, "none")
    if found is None:
        return False
    whole, parts = found
    name = whole["treatments"][0]
    ends = [_value(part["coefficients"][name]["estimate"]) for part in parts]
    cell, gap = whole["coefficients"][name], abs(ends[0] - ends[1])
    places = max(
        Printed.parse(item["estimate"]).places
        for item in (cell, *(part["coefficients"][name] for part in parts))
    )
    if "e" in cell["estimate"]:
        return False
    value = max(ends) + 0.5 * gap + 3 * 10.0 ** -min(places, Printed.parse(cell["estimate"]).places)
    cell["estimate"] = f"{value:.{places}f}"
    return True


def far_outside_of_its_halves(raw, rng):
    """Two standard errors beyond both halves, under two-way effects."""
    found = _split(raw, "fixed")
    if found is None or raw["tables"][1]["in_parentheses"] != "se":
        return False
    whole, parts = found
    name = whole["treatments"][0]
    cell = whole["coefficients"][name]
    top = max(_value(part["coefficients"][name]["estimate"]) for part in parts)
    if "e" in cell["estimate"] or "e" in cell["parentheses"]:
        return False
    unit = 10.0 ** -Printed.parse(cell["estimate"]).places
    value = top + 2 * _value(cell["parentheses"]) + 2 * unit
    cell["estimate"] = f"{value:.{Printed.parse(cell['estimate']).places}f}"
    return True


def error_of_all_rows(raw, rng):
    """Three times the standard error in the column of all rows."""
    found = _split(raw, "fixed")
    if found is None or not _classical(raw) or raw["tables"][1]["in_parentheses"] != "se":
        return False
    whole, parts = found
    name = whole["treatments"][0]
    cells = [c["coefficients"][name] for c in (whole, *parts)]
    if any("e" in c["parentheses"] for c in cells):
        return False
    least = min(_value(c["parentheses"]) for c in cells[1:])
    cells[0]["parentheses"] = _like(cells[0]["parentheses"], 3 * least + 10.0**-2)
    return True


def weights_without_effect(raw, rng):
    """The numbers of the unweighted column in the weighted one."""
    weighted = next((c for c in _columns(raw) if "Weights" in c["labels"]), None)
    if weighted is None:
        return False
    for column in _columns(raw):
        keys = ("outcome", "treatments", "covariates", "unit_effects", "period_effects", "n")
        alike = all(column[k] == weighted[k] for k in keys) and not column["labels"]
        if alike and "sample" not in column and "rows" not in column:
            weighted["coefficients"] = copy.deepcopy(column["coefficients"])
            weighted["coefficients"].pop("constant", None)
            weighted.pop("rows", None)
            return any(
                len(Printed.parse(c["estimate"]).text.strip("-−0.*+†abc")) > 3
                for c in weighted["coefficients"].values()
            )
    return False


def mean_of_no_whole_numbers(raw, rng):
    n = int(raw["tables"][0]["n"])
    for row in raw["tables"][0]["moments"]:
        places = Printed.parse(row["mean"]).places
        if row.get("step") and "e" not in row["mean"] and n < 0.4 * 10**places:
            total = round(_value(row["mean"]) * n) + 0.5
            row["mean"] = f"{total / n:.{places}f}"
            return True
    return False


def sd_of_no_whole_numbers(raw, rng):
    """A dummy's sd, a tenth too small."""
    for row in raw["tables"][0]["moments"]:
        dummy = (_value(row["min"]), _value(row["max"])) == (0.0, 1.0)
        if row.get("step") and dummy and "e" not in row["mean"] and 0.1 < _value(row["mean"]) < 0.9:
            row["sd"] = _like(row["sd"], 0.85 * _value(row["sd"]))
            return True
    return False


def sd_below_its_extremes(raw, rng):
    n = int(raw["tables"][0]["n"])
    for row in raw["tables"][0]["moments"]:
        mean, low, high = (_value(row[k]) for k in ("mean", "min", "max"))
        least = (((high - mean) ** 2 + (low - mean) ** 2) / n) ** 0.5
        places = Printed.parse(row["sd"]).places
        if "e" not in row["sd"] and least > 30 * 10.0**-places:
            row["sd"] = f"{0.8 * least:.{places}f}"
            return True
    return False


def _claim(raw, name):
    return next((c for c in raw["claims"] if c["id"] == name), None)


def text_percent(raw, rng):
    found = _claim(raw, "percent")
    if found is None or abs(_value(found["value"])) < 1:
        return False
    found["value"] = _like(found["value"], 1.3 * _value(found["value"]))
    return True


def text_difference(raw, rng):
    found = _claim(raw, "difference")
    if found is None:
        return False
    stated = found["comparison"]
    unit = max(_unit(text) for text in (stated["difference"], *_compared(raw, found)))
    stated["difference"] = _like(stated["difference"], _value(stated["difference"]) + 6 * unit)
    return "e" not in stated["difference"]


def text_ratio(raw, rng):
    found = _claim(raw, "difference")
    if found is None or _value(found["comparison"].get("ratio", "9")) > 3:
        return False
    if any(abs(_value(x)) < 30 * _unit(x) for x in _compared(raw, found)):
        return False
    found["comparison"]["ratio"] = f"{_value(found['comparison']['ratio']) + 1:.1f}"
    return True


def _unit(text):
    return 10.0 ** -Printed.parse(text).places


def _compared(raw, claim):
    """Estimates of the two cells that a claim compares."""
    found = []
    for ref in (claim["comparison"]["stronger"], claim["comparison"]["weaker"]):
        place, name = ref.split(":")
        column = next(c for c in _columns(raw) if f"t1.{c['id']}" == place)
        found.append(column["coefficients"][name]["estimate"])
    return found


def n_ten_times(raw, rng):
    """A zero behind n, in a table of two columns or more."""
    found = _pick(rng, [c for c in _columns(raw) if "n" in c])
    if found is None or len(_columns(raw)) < 2:
        return False
    found["n"] = f"{int(_value(found['n'])) * 10:,}"
    return True


def point_of_an_error_moved(raw, rng):
    """A standard error times ten, whatever the mark; in a table of three columns or more."""
    if raw["tables"][1]["in_parentheses"] != "se" or len(_columns(raw)) < 3:
        return False
    found = _pick(rng, [c for _, _, c in _cells(raw) if re.search(r"\.\d", c["parentheses"])])
    if found is None or "e" in found["parentheses"]:
        return False
    body = found["parentheses"].strip("()")
    found["parentheses"] = f"({_like(body, 10 * _value(body))})"
    return True


PLANTS: dict[str, tuple[Callable, str]] = {
    "a p-value beside t misprinted": (p_beside_misprinted, "measures"),
    "a t beside its standard error misprinted": (t_beside_misprinted, "measures"),
    "an end of an interval misprinted": (interval_end_misprinted, "measures"),
    "a mark by the normal distribution, few clusters": (mark_by_normal, "few_clusters"),
    "an adjusted R² above R²": (adjusted_above, "kinds_of_r_squared"),
    "a standard error too small for R²": (error_too_small, "t_and_r_squared"),
    "R² gains more than t allows": (r2_gains_too_much, "added_regressor"),
    "a standard error a third as regressors are added": (error_falls, "nested_errors"),
    "a coefficient outside of its halves, unit effects": (outside_of_its_halves, "subsamples"),
    "a coefficient outside of its halves, two-way": (far_outside_of_its_halves, "subsamples"),
    "a standard error larger in more rows": (error_of_all_rows, "nested_samples"),
    "weights without an effect": (weights_without_effect, "weights"),
    "a mean that no whole numbers have": (mean_of_no_whole_numbers, "whole_numbers"),
    "an sd that no 0/1 variable has": (sd_of_no_whole_numbers, "whole_numbers"),
    "an sd below what the extremes allow": (sd_below_its_extremes, "descriptives"),
    "a percent effect in the text": (text_percent, "percents"),
    "a difference in the text": (text_difference, "differences"),
    "a ratio in the text": (text_ratio, "differences"),
    "a t of the other sign": (t_of_the_other_sign, "measures"),
    "R² falls from one column to the next, rows not declared": (r2_falls_undeclared, "r_squared"),
    "n with a zero too many": (n_ten_times, "digits_of_n"),
    "a standard error's decimal point moved, whatever its mark": (
        point_of_an_error_moved,
        "points_of_errors",
    ),
}
