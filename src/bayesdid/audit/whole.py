"""Means and sds that no whole numbers have: GRIM, GRIMMER, and the least sd between integers.

Brown & Heathers 2017 (doi:10.1177/1948550616673876), Anaya 2016 (doi:10.7287/peerj.preprints.2400).
"""

from __future__ import annotations

import math

from bayesdid.audit.bounds import Bounds
from bayesdid.audit.columns import count
from bayesdid.audit.finding import Finding, Outcome
from bayesdid.study.load import Study
from bayesdid.study.printed import number
from bayesdid.study.schema import Moments

_MANY = 2_000  # sums beyond which a mean says nothing of the sum
_SLACK = 1e-9
_WHOLE = ("all values are whole multiples of the step", "the numbers are those of all n rows")


def whole_numbers(study: Study) -> Outcome:
    """Some sum of n whole numbers rounds to the mean, and some sum of squares to the sd with it.

    Values are declared to be multiples of `step`. Sum and sum of squares of whole numbers are whole
    and of one parity; the sum of squares is least where values are next to their mean. Divisors n
    and n - 1 are both allowed.
    """
    for table in study.tables.values():
        for row in table.moments:
            yield from of_steps(f"{table.id}:{row.column}", row, count(row.n or table.n))


def of_steps(place: str, row: Moments, n: int | None) -> Outcome:
    """One row of moments of a variable whose values are multiples of a step, if its n is known."""
    if row.step is not None and n is not None and n > 1:
        yield _judge(place, row, n)


def _judge(place: str, row: Moments, n: int) -> Finding | None:
    step = number(row.step)
    mean = Bounds.of(row.mean)
    low, high = math.ceil(mean.low * n / step - _SLACK), math.floor(mean.high * n / step + _SLACK)
    if low > high:
        near = round(mean.middle * n / step) * step / n
        return _finding(
            place,
            "the mean is a whole number over n",
            mean,
            Bounds.exactly(near),
            f"no sum of {n} multiples of {row.step} has the mean {row.mean}; the nearest has "
            f"{near:.6g}.",
        )
    if row.sd is None:
        return None
    sd = Bounds.of(row.sd)
    exact = high - low <= _MANY
    # the least sum of squares is concave in the sum between multiples of n
    ends = {low, high, *([-(-low // n) * n] if -(-low // n) * n <= high else [])}
    sums = range(low, high + 1) if exact else sorted(ends)
    if any(_has_squares(n, total, sd, step, exact=exact) for total in sums):
        return None
    least = min(math.sqrt(_fewest(n, total) / (n - 1)) for total in sums) * step
    return _finding(
        place,
        "sd of n whole numbers with the mean",
        sd,
        Bounds(least, math.inf),
        f"no {n} multiples of {row.step} have the mean {row.mean} and the sd {row.sd}"
        + (f": it is {least:.4g} at the least." if least > sd.high else "."),
    )


def _fewest(n: int, total: int) -> float:
    """Least sum of squared deviations of n whole numbers with a sum."""
    rest = total % n
    return rest - rest**2 / n


def _has_squares(n: int, total: int, sd: Bounds, step: float, *, exact: bool) -> bool:
    """Whether some whole sum of squares, of the sum's parity, has the sd with a divisor."""
    centre = total * total / n
    fewest = _fewest(n, total)
    for divisor in (n - 1, n):
        low = max(sd.low, 0.0) ** 2 / step**2 * divisor
        high = sd.high**2 / step**2 * divisor
        if high < fewest - _SLACK * (1 + fewest):
            continue
        if not exact:
            return True
        first = math.ceil(max(low, fewest) + centre - _SLACK * (1 + centre))
        first += (first - total) % 2
        if first <= high + centre + _SLACK * (1 + centre):
            return True
    return False


def _finding(place: str, compared: str, left: Bounds, right: Bounds, text: str) -> Finding:
    miss = left.distance(right) or abs(left.middle - right.low)
    return Finding(
        "whole_numbers",
        "contradiction",
        place,
        compared,
        left.middle,
        left.pair,
        right.low,
        right.pair,
        miss,
        _WHOLE,
        text,
    )
