"""What the notes of a table say: the legend of its marks, what stands in brackets, which errors."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable
from typing import Literal

from bayesdid.importing.numbers import is_interval
from bayesdid.importing.table import ReadTable
from bayesdid.study.fields import ends
from bayesdid.study.printed import Printed
from bayesdid.study.schema import Below

_MARK = r"(\*{1,4}|[+†‡#§¶]{1,3})"
_PER = re.compile(
    rf"{_MARK}\s*(?:\(?\s*)?(?:p|P|sig\w*|=\s*p)?\s*(?:-?\s*value)?\s*(?:<|≤|<=)\s*(0?\.\d+)"
)
_CODE = re.compile(rf"{_MARK}\s*:\s*(0?\.\d+)")
_QUOTED = re.compile(rf"['‘’]{_MARK}['‘’]\s*(0?\.\d+)")  # as R prints it
_LISTS = re.compile(
    rf"((?:{_MARK}[\s,;and&()、和与及]*){{1,4}})[^.%*+†‡#§]{{0,60}}?"
    r"((?:\d+(?:\.\d+)?\s*(?:%|percent|per cent)?[\s,;and&、和与及]*){1,4})"
    r"(?:%|percent|per cent|level)",
    re.IGNORECASE,
)
_SINGLE = re.compile(
    rf"{_MARK}\s*(?::|=|denotes?|indicates?)?\s*(?:significan\w*)?\s*(?:at|level)?\s*(?:the)?\s*"
    r"(\d+(?:\.\d+)?)\s*(?:%|percent|per cent)",
    re.IGNORECASE,
)
_OUTSIDE = re.compile(
    rf"{_MARK}\s*(?:null hypothesis value|zero|0)[^.;]{{0,40}}?outside (?:of )?(?:the )?"
    r"(?:(\d\d(?:\.\d)?)\s*(?:%|percent)\s*)?(?:confidence|credible) interval",
    re.IGNORECASE,
)
_WHAT: tuple[tuple[Below, str], ...] = (
    ("t", r"\bt[- ]?(?:stat|values?\b|ratio)|\bz[- ]?stat|[tz] ?(?:值|统计量)"),
    (
        "p",
        r"\bp[- ]?values?\b[^.;]{0,40}(?:parenthes|bracket)"
        r"|(?:parenthes|bracket)[^.;]{0,40}\bp[- ]?values?|括号[^。;]{0,20}p ?值",
    ),
    ("interval", r"confidence interval|credible interval|highest.density|置信区间"),
    (
        "se",
        r"standard[- ]errors?|std\.? ?err|\bs\.?e\.?s?\b|posterior sd|"
        r"standardfehler|erreurs?[- ]types?|[eé]carts?[- ]types?|errores? est[aá]ndar|标准误",
    ),
)


def legend(notes: str) -> dict[str, float] | None:
    """Mark -> level as the notes state it; None if they state none."""
    found = {mark: float(level) for mark, level in _PER.findall(notes)}
    for other in (_CODE, _QUOTED):
        found = found or {mark: float(level) for mark, level in other.findall(notes)}
    if not found:
        found = {mark: float(level) / 100 for mark, level in _SINGLE.findall(notes)}
    if len(found) < 2:
        for listed in _LISTS.finditer(notes):
            marks = re.findall(_MARK, listed[1])
            levels = [float(x) / 100 for x in re.findall(r"\d+(?:\.\d+)?", listed[3])]
            if len(marks) == len(levels) and len(marks) > len(found):
                found = dict(zip(marks, levels, strict=True))
    if outside := _OUTSIDE.search(notes):  # '* 0 outside 90% credible interval'
        found = {outside[1]: 1 - float(outside[2] or 95) / 100}
    return {m: round(level, 6) for m, level in found.items() if 0 < level < 1} or None


def stated_below(notes: str) -> Below | None:
    """What the notes say stands in brackets below an estimate."""
    low = notes.lower()
    if re.search(
        r"standard[- ]errors?[^.;]{0,80}parenthes[^.;]{0,80}p[- ]?values?[^.;]{0,40}bracket", low
    ):
        return "se"
    for kind, pattern in _WHAT:
        if re.search(pattern, low):
            return kind
    return None


def errors_of(notes: str) -> Literal["unknown", "robust", "clustered"]:
    """Which standard errors the notes name."""
    low = notes.lower()
    if "cluster" in low or "聚类" in low:
        return "clustered"
    found = re.search(r"(?<!doubly )(?<!doubly-)\brobust\b|heterosk|hc[0-3]\b|稳健", low)
    return "robust" if found else "unknown"


DEFAULT_STARS = {"*": 0.10, "**": 0.05, "***": 0.01}
OTHER_STARS = {"*": 0.05, "**": 0.01, "***": 0.001}


def usual(marks: Collection[str]) -> list[dict[str, float]]:
    """Legends that a table may have that states none; two stars may be the most that it gives."""
    legends = [DEFAULT_STARS, OTHER_STARS]
    if "***" not in marks:
        legends.append({"*": 0.05, "**": 0.01})
    below = [mark for mark in ("+", "†") if mark in marks]  # of less than one star
    return [{below[0]: 0.10} | OTHER_STARS] if below else legends


def supposed(
    pairs: Iterable[tuple[str, str]], below: Below, *, ratios: bool = False
) -> dict[str, float]:
    """The legend of a table that states none: the first of the usual ones that fits its marks best.

    Parameters
    ----------
    pairs
        Estimates and the texts below them.
    below
        What those texts are.
    ratios
        Whether estimates are ratios, of which intervals are about logarithms.
    """
    texts = list(pairs)
    legends = usual(_marks(texts))
    missed = [0] * len(legends)
    for above, under in texts:
        try:
            estimate, p = Printed.parse(above), _p_of(above, under, below, ratios=ratios)
        except ValueError:
            continue  # no number, or none that there can be
        for k, levels in enumerate(legends):
            mark = max((m for m, level in levels.items() if p < level), key=len, default="")
            missed[k] += mark != estimate.mark
    return dict(legends[missed.index(min(missed))])


def _p_of(above: str, under: str, below: Below, *, ratios: bool) -> float:
    """The two-sided p-value of an estimate, from what stands below it, by the normal distribution.

    Raises
    ------
    ValueError
        If either is no number, or a ratio or an end of its interval is not above zero.
    """
    from scipy.stats import norm

    size = float(Printed.parse(above))
    if below == "interval":
        low, high = (float(end) for end in ends(under))
        if ratios:
            size, low, high = (math.log(value) for value in (size, low, high))
        if high <= low:
            raise ValueError(f"{under}: no interval")
        return float(2 * norm.sf(abs(size) * 2 * norm.isf(0.025) / (high - low)))
    value = float(Printed.parse(under))
    if below == "p":
        return value
    t = abs(value) if below == "t" else abs(size) / value if value > 0 else 0.0
    return float(2 * norm.sf(t))


def _marks(pairs: Iterable[tuple[str, str]]) -> set[str]:
    found = (re.search(_MARK + "$", above.strip()) for above, _ in pairs)
    return {mark[1] for mark in found if mark is not None}


def guessed_below(pairs: Iterable[tuple[str, str]], stars: dict[str, float] | None) -> Below:
    """What stands below estimates, from the numbers alone: the reading that fits the marks best.

    Parameters
    ----------
    pairs
        Estimates and the texts below them.
    stars
        The legend; None if none is stated, which may then be any usual one.
    """
    texts = list(pairs)
    if sum(is_interval(below) for _, below in texts) * 2 > len(texts):
        return "interval"
    numbers = []
    for above, below in texts:
        try:
            numbers.append((Printed.parse(above), float(Printed.parse(below))))
        except ValueError:
            continue
    if not any(estimate.mark for estimate, _ in numbers):  # nothing to tell them by
        return "t" if any(value < 0 for _, value in numbers) else "se"
    best: Below = "se"
    most = -math.inf
    for legend_ in [stars] if stars else usual(_marks(texts)):
        fits = _fits(numbers, legend_)
        if any(value < 0 for _, value in numbers):
            return "t"
        kind = max(fits, key=lambda one: (fits[one], one == "se"))
        kind = "se" if fits["se"] >= fits[kind] - 0.01 * len(numbers) else kind
        if fits[kind] > most:
            best, most = kind, fits[kind]
    return best


_P_IN_SQUARE = re.compile(
    r"\bp\$?[- ]?values?\b[^.;]{0,40}(?:square|bracket)|bracket[^.;]{0,40}\bp\$?[- ]?values?",
    re.IGNORECASE,
)


def apart_below(table: ReadTable, notes: str) -> dict[int, Below]:
    """Columns whose brackets hold something else than the table's, by position.

    p-values where notes say that square brackets hold those and all of a column's are square, as in
    tables of means and their differences; errors where the table's are p-values and a column has
    some that are none.
    """
    found: dict[int, Below] = {}
    for j in range(len(table.columns)):
        texts = [row.below[j].text for row in table.rows if j in row.below]
        numbers = [float(Printed.parse(text)) for text in texts if not is_interval(text)]
        if not texts or len(numbers) < len(texts):
            continue
        shares = all(0 <= value <= 1 for value in numbers)
        square = all(text.startswith("[") for text in texts)
        kind = table.in_parentheses
        if square and shares and _P_IN_SQUARE.search(notes):
            kind = "p"
        elif kind == "p" and (not shares or (not square and _P_IN_SQUARE.search(notes))):
            kind = "se"
        if kind != table.in_parentheses:
            found[j] = kind
    return found


_TINY = 20  # half units of its last place; above them an error of less than one means |t| > 20


def _fits(numbers: list[tuple[Printed, float]], stars: dict[str, float]) -> dict[Below, float]:
    """How many marks each reading of what stands below explains."""
    from scipy.stats import norm

    levels = sorted(stars.values())
    fits: dict[Below, float] = {"se": 0.0, "t": 0.0, "p": 0.0}
    for estimate, value in numbers:
        if not value and not estimate.value:
            continue  # 0.000 below 0.000 tells nothing
        size = abs(float(estimate.value))
        tiny = _TINY * float(estimate.half_width)  # an error of 0.000 below it may be one
        level = stars.get(estimate.mark, 0.0)
        for kind in fits:
            p = {
                "se": 2 * norm.sf(size / value) if value > 0 else -1.0,
                "t": 2 * norm.sf(abs(value)),
                "p": value if 0 <= value <= 1 else -1.0,
            }[kind]
            if kind == "t" and size and value and (value < 0) != (estimate.value < 0):
                fits[kind] -= 0.5  # a t statistic has the estimate's sign
            if p < 0:
                fits[kind] -= 0 if kind == "se" and value == 0 and size <= tiny else 3
                continue
            reached = next((x for x in levels if p <= x), 0.0)
            fits[kind] += float(reached == level)
    return fits
