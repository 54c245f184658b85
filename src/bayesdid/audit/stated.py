"""What the text computes from cells: percent effects, differences of coefficients, ratios."""

from __future__ import annotations

import math

from scipy.stats import norm

from bayesdid.audit.bounds import Bounds
from bayesdid.audit.described import is_possible
from bayesdid.audit.finding import Finding, Outcome, compare
from bayesdid.study.claims import Claim, Comparison
from bayesdid.study.load import Study
from bayesdid.study.printed import Printed

_LEVELS = {"0.1%": 0.001, "1%": 0.01, "5%": 0.05, "10%": 0.10, "significant": 0.10}
_CELLS = ("the statement is about these cells",)
_ONE, _HUNDRED = Bounds.exactly(1.0), Bounds.exactly(100.0)


def percents(study: Study) -> Outcome:
    """A percent effect against the coefficient and what it is a percentage of.

    100 b / mean; of an outcome in logarithms 100 b or 100 (exp b - 1), whichever the paper took; of
    a ratio 100 (b - 1).
    """
    for claim in study.claims:
        if claim.percent_of is None or claim.value is None or claim.cell is None:
            continue
        b = Bounds.of(study.cell(claim.cell).value)
        said = Bounds.of(claim.value.replace("%", ""))
        match claim.percent_of:
            case "log":
                exact = Bounds(math.exp(b.low), math.exp(b.high)) - _ONE
                allowed = [_HUNDRED * b, _HUNDRED * exact]
                words = "100 b or 100 (exp b - 1)"
            case "ratio":
                allowed, words = [_HUNDRED * (b - _ONE)], "100 (b - 1)"
            case ref:
                if not is_possible(study, ref):
                    continue
                mean = Bounds.of(study.cell(ref).value)
                allowed = [_HUNDRED * b / mean]
                words = f"100 b / {ref}"
        if not claim.signed:
            said, allowed = abs(said), [abs(item) for item in allowed]
        nearest = min(allowed, key=said.distance)
        yield compare(
            "percents",
            f"claim {claim.id}",
            f"percent effect = {words}",
            said,
            nearest,
            severity="contradiction",
            assumptions=(*_CELLS, "the effect is that of one unit of the regressor"),
            text=f"the text says {claim.value} percent ({claim.place}), {claim.cell} makes it "
            f"{nearest.low:.3g} to {nearest.high:.3g}.",
        )


def differences(study: Study) -> Outcome:
    """A stated difference or ratio of two cells, and its significance over all correlations.

    The standard error of a difference is at least the difference of the standard errors: where even
    that one does not reach the level that the text states, no correlation of the two does.
    """
    for claim in study.claims:
        stated = claim.comparison
        if stated is None:
            continue
        a = study.cell(stated.stronger)
        b = study.cell(stated.weaker)
        left, right = Bounds.of(a.value), Bounds.of(b.value)
        if stated.difference is not None:
            yield _difference(claim, stated, left, right)
        if stated.ratio is not None:
            ratio = abs(left) / abs(right)
            yield compare(
                "differences",
                f"claim {claim.id}",
                "ratio in the text = that of the cells",
                abs(Bounds.of(stated.ratio)),
                ratio,
                severity="contradiction",
                assumptions=_CELLS,
                text=f"the text says {stated.ratio} times ({claim.place}), {a.value.text} is "
                f"{ratio.low:.3g} to {ratio.high:.3g} times {b.value.text}.",
            )
        level = _LEVELS.get(claim.significance or "")
        if level is not None and claim.cell is None and a.se is not None and b.se is not None:
            yield _tested(claim, left, right, a.se, b.se, level)


def _difference(claim: Claim, stated: Comparison, left: Bounds, right: Bounds) -> Finding | None:
    said, scale = abs(Bounds.of(str(stated.difference))), Bounds.exactly(claim.scale)
    allowed = [abs(left - right) * scale, abs(abs(left) - abs(right)) * scale]
    nearest = min(allowed, key=said.distance)
    return compare(
        "differences",
        f"claim {claim.id}",
        "difference in the text = that of the cells",
        said,
        nearest,
        severity="contradiction",
        assumptions=_CELLS,
        text=f"the text says that they differ by {stated.difference} ({claim.place}), the cells "
        f"differ by {nearest.low:.4g} to {nearest.high:.4g}.",
    )


def _tested(
    claim: Claim, left: Bounds, right: Bounds, one: Printed, other: Printed, level: float
) -> Finding | None:
    gap, s, w = abs(left - right), Bounds.of(one), Bounds.of(other)
    least = abs(s - w).low
    most = gap.high / least if least > 0 else math.inf
    needed = float(norm.isf(level / 2))
    return compare(
        "differences",
        f"claim {claim.id}",
        "level of a difference in the text, over all correlations of the two",
        Bounds(0.0, most),
        Bounds(needed, math.inf),
        severity="contradiction",
        assumptions=(*_CELLS, "the test is two-sided", "the printed standard errors are used"),
        text=f"the text calls the difference significant at {claim.significance} ({claim.place}), "
        f"but its z is {most:.2f} at most, whatever the correlation of the two.",
    )
