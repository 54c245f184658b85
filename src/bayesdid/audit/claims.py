"""What the text says against the cells that it refers to."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal

from scipy.stats import norm

from bayesdid.audit.below import mark, measure, p_of
from bayesdid.audit.bounds import Bounds
from bayesdid.audit.finding import Finding, Outcome, Severity, compare
from bayesdid.study.claims import Claim
from bayesdid.study.load import Study
from bayesdid.study.printed import Printed

_LEVELS = {"0.1%": 0.001, "1%": 0.01, "5%": 0.05, "10%": 0.10}
_Z = float(norm.ppf(0.975))
_CELL = ("the statement is about this cell",)


def values(study: Study) -> Outcome:
    """Numbers repeated in the text: off by one in the last digit is a warning, by more an error."""
    for claim in study.claims:
        if claim.value is None or claim.cell is None or claim.percent_of is not None:
            continue
        cell = study.cell(claim.cell).value
        stated = Printed.parse(claim.value)
        shown = cell.value * Decimal(str(claim.scale))
        if not claim.signed:
            shown, said = abs(shown), abs(stated.value)
        else:
            said = stated.value
        unit = max(Decimal(1).scaleb(-stated.places), cell.half_width * 2 * Decimal(claim.scale))
        gap = abs(shown - said)
        # one number, rounded twice, can differ by half a unit of the coarser digits
        if gap <= unit / 2:
            yield None
            continue
        severity: Severity = "warning" if gap <= unit else "contradiction"
        half = float(unit / 2)
        left, right = Bounds.exactly(float(said)), Bounds.exactly(float(shown))
        yield Finding(
            "values",
            severity,
            f"claim {claim.id}",
            "number in the text = number in the table",
            left.middle,
            left.widen(half).pair,
            right.middle,
            right.widen(half).pair,
            float(gap),
            _CELL,
            f"the text says {claim.value} ({claim.place}), {claim.cell} prints {cell.text}."
            + _transposed(said, shown),
        )


def _transposed(said: Decimal, shown: Decimal) -> str:
    """Whether two neighbouring digits, swapped, make one number of the other."""
    left, right = (f"{abs(item).normalize():f}".replace(".", "") for item in (said, shown))
    off = [k for k, (a, b) in enumerate(zip(left, right, strict=False)) if a != b]
    swapped = len(left) == len(right) and len(off) == 2 and off[1] - off[0] == 1
    if swapped and left[off[0]] == right[off[1]] and left[off[1]] == right[off[0]]:
        return " Two digits are swapped."
    return ""


def directions(study: Study) -> Outcome:
    """Signs that the text states."""
    for claim in study.claims:
        if claim.direction is None or claim.cell is None or claim.effect is not None:
            continue  # the direction of an effect that no cell prints is not that of the cell
        value = float(study.cell(claim.cell).value) - _null(study, claim.cell)
        wrong = value > 0 if claim.direction == "negative" else value < 0
        yield (
            None
            if not wrong
            else Finding(
                "directions",
                "contradiction",
                f"claim {claim.id}",
                "sign in the text = in the table",
                value,
                (value, value),
                0.0,
                (0.0, 0.0),
                abs(value),
                _CELL,
                f"the text calls it {claim.direction} ({claim.place}), {claim.cell} is {value:g}.",
            )
        )


def significance(study: Study) -> Outcome:
    """Levels that the text states, against the standard error and the stars."""
    for claim in study.claims:
        if claim.significance is not None and claim.cell is not None:
            yield _significance(study, claim)


def _significance(study: Study, claim: Claim) -> Finding | None:
    ref = str(claim.cell)
    found, spec = study.cell(ref), study.specs.get(ref.partition(":")[0])
    legend = (spec.table.stars or {}) if spec is not None else study.file.stars
    p = None if spec is None or found.cell is None else p_of(study, spec, found.cell)
    shown = found.value.mark if found.cell is None else mark(found.cell)
    if p is None and not legend:
        return None  # no mark and nothing below the estimate: nothing is said of significance
    reached = legend.get(shown, 1.0)
    said = claim.significance or ""
    worst = max(legend.values(), default=0.05 if said == "none" else 0.10)
    level = _LEVELS.get(said, worst)
    by_marks = Bounds(reached if reached < 1 else worst, 1.0)
    below = "" if found.cell is None or p is None else f" ({measure(found.cell)})"
    text = (
        f"the text says {'not significant' if said == 'none' else said} ({claim.place}), "
        f"{claim.cell} prints {found.value.text}"
        + (f"{below}, p between {p.low:.2g} and {p.high:.2g}." if p is not None else ".")
    )
    limit = Bounds(worst, 1.0) if said == "none" else Bounds(0.0, level)
    place = f"claim {claim.id}"
    if p is not None:
        finding = compare(
            "significance",
            place,
            "level in the text = that of estimate and standard error",
            p,
            limit,
            severity="contradiction",
            text=text,
            assumptions=(*_CELL, "the test is two-sided", "the printed standard error is used"),
        )
        if finding is not None:
            return finding
    # a legend that begins at 5% has no mark for 10%
    contrary = bool(shown) if said == "none" else level <= worst and reached > level
    if not legend or not contrary:
        return None
    return Finding(
        "significance",
        "warning",
        place,
        "level in the text = that of the stars",
        level,
        limit.pair,
        by_marks.low,
        by_marks.pair,
        abs(reached - level),
        _CELL,
        text,
    )


def _null(study: Study, ref: str) -> float:
    """What a cell's number is without an effect: 1 of a ratio, else 0."""
    spec = study.specs.get(ref.partition(":")[0])
    return 1.0 if spec is not None and spec.column.printed_as == "ratio" else 0.0


def comparisons(study: Study) -> Outcome:
    """'A is stronger than B': by the estimates, and by a test of the difference.

    Separate columns do not test a difference. The z is computed for independent estimates; the
    range over any correlation is given.
    """
    for claim in study.claims:
        if claim.comparison is None:
            continue
        strong = study.cell(claim.comparison.stronger)
        weak = study.cell(claim.comparison.weaker)
        if _null(study, claim.comparison.stronger) or _null(study, claim.comparison.weaker):
            continue  # of ratios, 0.5 is as strong as 2
        a, b = Bounds.of(strong.value), Bounds.of(weak.value)
        sizes = abs(a).middle, abs(b).middle
        if abs(a).high < abs(b).low:
            yield Finding(
                "comparisons",
                "contradiction",
                f"claim {claim.id}",
                "the stronger is larger",
                sizes[0],
                abs(a).pair,
                sizes[1],
                abs(b).pair,
                sizes[1] - sizes[0],
                _CELL,
                f"the text calls {claim.comparison.stronger} ({strong.value.text}) stronger than "
                f"{claim.comparison.weaker} ({weak.value.text}).",
            )
            continue
        if strong.se is None or weak.se is None:
            continue
        s, w = float(strong.se), float(weak.se)
        gap = abs(float(strong.value) - float(weak.value))
        z = gap / math.hypot(s, w)
        if z >= _Z:
            yield None
            continue
        ends = gap / (s + w), gap / abs(s - w) if s != w else math.inf
        yield Finding(
            "comparisons",
            "warning",
            f"claim {claim.id}",
            "a difference that is claimed is tested",
            z,
            ends,
            _Z,
            (_Z, math.inf),
            _Z - z,
            ("the two estimates are independent",),
            f"{strong.value.text} against {weak.value.text}: the difference has z = {z:.2f} for "
            f"independent columns ({ends[0]:.2f} to {ends[1]:.2f} over all correlations): separate "
            "columns do not establish it.",
        )


def arithmetic(study: Study) -> Outcome:
    """Sums, products, counts and percentages that the text states."""
    wholes: list[tuple[str, Bounds]] = []
    for claim in study.claims:
        work = claim.arithmetic
        if work is None:
            continue
        parts = [Bounds.of(part) for part in work.parts]
        exact = [Bounds.exactly(float(Printed.parse(part))) for part in work.parts]
        result = Bounds.of(work.result)
        match work.operation:
            case "sum":
                left = Bounds.exactly(sum(part.middle for part in exact))
            case "product":
                left = Bounds.exactly(math.prod(part.middle for part in exact))
            case "count":
                left = Bounds.exactly(float(len(parts)))
            case _:
                share = result * Bounds.exactly(0.01)
                implied = exact[0] / share
                if work.whole is None:
                    wholes.append((claim.id, implied))
                    continue
                left, result = implied, Bounds.of(work.whole)
        yield compare(
            "arithmetic",
            f"claim {claim.id}",
            f"{work.operation} of the stated numbers",
            left,
            result,
            severity="contradiction",
            assumptions=("the numbers are of one statement",),
            text=f"{work.operation} of {', '.join(work.parts)} is {left.middle:g}, stated is "
            f"{work.whole or work.result} ({claim.place}).",
        )
    yield from _one_whole(wholes)


def _one_whole(wholes: list[tuple[str, Bounds]]) -> Iterator[Finding | None]:
    """Percentages of one whole: some whole number must fit all of them."""
    if not wholes:
        return
    low = max(interval.low for _, interval in wholes)
    high = min(interval.high for _, interval in wholes)
    names = ", ".join(name for name, _ in wholes)
    fits = math.floor(high + 1e-9) >= math.ceil(low - 1e-9)
    first, last = wholes[0][1], wholes[-1][1]
    yield (
        None
        if fits
        else Finding(
            "arithmetic",
            "contradiction",
            f"claims {names}",
            "percentages of one whole",
            first.middle,
            first.pair,
            last.middle,
            last.pair,
            max(low - high, math.ceil(low) - high),
            ("the percentages are of one whole number",),
            f"no whole number fits all percentages: they imply "
            f"{'; '.join(f'{i.low:.1f} to {i.high:.1f}' for _, i in wholes)}.",
        )
    )
