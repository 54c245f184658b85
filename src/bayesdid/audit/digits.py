"""Numbers of observations with a digit too many or too few, errors whose decimal point moved."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from bayesdid.audit.bounds import Bounds
from bayesdid.audit.columns import count, estimate, same_model, size_of_t, standard_error
from bayesdid.audit.finding import Finding, Outcome, compare
from bayesdid.study.load import Spec, Study
from bayesdid.study.schema import Cell

_APART = 4.0  # times: n beside which another is no other sample of the same rows
_NEAR, _NEARER = 1.25, 1.05  # times: of ten times others, and of ten times a single one
_HALFWAY = math.sqrt(math.sqrt(10.0))  # between errors alike and those of ten times the rows
_FEWEST = 3  # digits before its zeros, or columns, that make a match no chance
_SHARE = 0.02  # of n, that parts of it may lack
_ROWS = 1.5  # times: n of columns whose errors are compared


def digits_of_n(study: Study) -> Outcome:
    """N of a column apart from all others of its table, of which it has the digits and one more.

    Columns of ten times the rows are there, too. Their standard errors are about a third, so that
    where one outcome has errors that fell, nothing is found; and where no n has just the digits of
    this one, errors that did not fall are asked for. Parts that add up to a column are none.
    """
    for table in study.tables.values():
        found = [
            (spec, n)
            for spec in study.specs.values()
            if spec.table.id == table.id and (n := count(spec.column.n)) is not None and n > 0
        ]
        for spec, n in found:
            others = [(one, size) for one, size in found if one is not spec]
            single = len(others) == 1 and n < others[0][1]  # a pair is told once
            if others and not single:
                yield _beside(spec, n, others)


def _beside(spec: Spec, n: int, others: Sequence[tuple[Spec, int]]) -> Finding | None:
    sizes = [size for _, size in others]
    if any(max(n, size) < _APART * min(n, size) for size in sizes):
        return None
    if abs(sum(sizes) - n) <= _SHARE * n:
        return None
    exact = [item for item in others if _has_one_more(*sorted((n, item[1])))]
    near = _NEAR if len(others) > 1 else _NEARER
    alike = exact or [item for item in others if item[1] / near <= n / 10 <= item[1] * near]
    if not alike:
        return None
    other, size = alike[0]
    long = len(str(min(n, size)).rstrip("0")) >= _FEWEST
    surely = bool(exact) and (long or len(exact) >= _FEWEST)
    like = [one for one, _ in alike if not surely or same_model(spec, one)]
    ratios = [ratio for one in like for ratio in _ratios(spec, one, larger=n > size)]
    fell = bool(ratios) and median(ratios) > _HALFWAY
    if fell or not (surely or ratios):
        return None
    said = " and its standard errors are not those of as many more rows" if ratios else ""
    said = said if n > size else said.replace("more", "fewer")
    return compare(
        "digits_of_n",
        f"{spec.id}:n" if len(others) > 1 else f"{other.id}, {spec.id}:n",
        "n has as many digits as that of other columns of the table",
        Bounds.exactly(n),
        Bounds.exactly(size),
        severity="warning",
        assumptions=("columns of one table have about as many rows",),
        text=f"{spec.id} prints n = {spec.column.n}, {other.id} {other.column.n}"
        f"{': a digit apart' if exact else ''}{said}.",
    )


def _has_one_more(small: int, large: int) -> bool:
    """Whether one digit that is left out of the larger number leaves the smaller one."""
    few, many = str(small), str(large)
    return len(many) == len(few) + 1 and any(
        many[:k] + many[k + 1 :] == few for k in range(len(many))
    )


def _ratios(spec: Spec, other: Spec, *, larger: bool) -> list[float]:
    """Standard errors of fewer rows over those of more, of what two columns of an outcome share."""
    if spec.column.outcome != other.column.outcome:
        return []
    found = []
    for name, cell in spec.column.coefficients.items():
        one = other.column.coefficients.get(name)
        pair = [_error(cell), _error(one)] if one is not None else []
        if len(pair) == 2 and pair[0] and pair[1]:
            found.append(pair[1] / pair[0] if larger else pair[0] / pair[1])
    return found


def _error(cell: Cell) -> float:
    """A standard error, as it is printed or by t; zero if neither tells it."""
    if (se := standard_error(cell)) is not None:
        return se.middle
    size = size_of_t(cell)
    return abs(estimate(cell).middle) / size.middle if size is not None and size.low > 0 else 0.0


def points_of_errors(study: Study) -> Outcome:
    """A standard error ten times or a tenth of those of the same term in two columns or more.

    Of columns of one outcome with about as many rows, from all of which it is four times or more
    apart. Estimators and effects change errors too, hardly to ten times those of two others.
    """
    for table in study.tables.values():
        specs = [spec for spec in study.specs.values() if spec.table.id == table.id]
        for spec in specs:
            for name, cell in spec.column.coefficients.items():
                se = standard_error(cell)
                others = [] if se is None else _errors_beside(spec, name, specs)
                if se is not None and len(others) > 1:
                    yield _moved(spec, name, se, others)


def _errors_beside(spec: Spec, name: str, specs: Sequence[Spec]) -> list[tuple[Spec, Bounds]]:
    """Standard errors of a term in other columns of one outcome and about as many rows."""
    n = count(spec.column.n)
    found = []
    for other in specs:
        size, cell = count(other.column.n), other.column.coefficients.get(name)
        if other is spec or cell is None or not n or not size:
            continue
        alike = other.column.outcome == spec.column.outcome
        se = standard_error(cell)
        if alike and max(n, size) <= _ROWS * min(n, size) and se is not None:
            found.append((other, se))
    return found


def _moved(
    spec: Spec, name: str, se: Bounds, others: Sequence[tuple[Spec, Bounds]]
) -> Finding | None:
    size = se.middle
    sizes = [error.middle for _, error in others]
    if any(max(size, one) < _APART * min(size, one) for one in sizes):
        return None
    for times in (0.1, 10.0):
        near = [(s, e) for s, e in others if e.middle / _NEAR <= size * times <= e.middle * _NEAR]
        if len(near) > 1 and 2 * len(near) > len(others):
            other, error = near[0]
            return compare(
                "points_of_errors",
                f"{spec.id}:{name}",
                "a standard error as those of the term in other columns of its outcome",
                se,
                error,
                severity="warning",
                assumptions=("columns of one outcome and about as many rows have errors alike",),
                text=f"{spec.id} prints {size:g} as the standard error of {name}, {other.id} "
                f"{error.middle:g}: about {'ten times' if times < 1 else 'a tenth'}, as if its "
                "decimal point had moved.",
            )
    return None
