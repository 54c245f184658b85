"""Columns of groups of units against the column of all of them."""

from __future__ import annotations

from collections.abc import Iterator

from bayesdid.audit.bounds import Bounds
from bayesdid.audit.columns import count, estimate, is_statistic, least_squares, same_model, terms
from bayesdid.audit.finding import Finding, Outcome, compare
from bayesdid.study.load import Spec, Study
from bayesdid.study.printed import number
from bayesdid.study.schema import Cell

_FAR = 1.0  # standard errors of the pooled column outside the hull
_COMPLETE = "the groups are all units, each in one"


def subsamples(study: Study) -> Outcome:
    """A pooled coefficient lies between those of its complementary subsamples.

    Exactly, as an average weighted by the treatment's variation in each, where the treatment is the
    only regressor and the effects are those of units: nothing is estimated in common then. With
    common period effects or covariates it may lie outside, hardly by far: a warning.
    """
    for whole, parts in _splits(study):
        exact = (
            len(terms(whole)) == 1
            and whole.column.unit_effects == "fixed"
            and whole.column.period_effects == "none"
            and not whole.column.effects
        )
        for name in whole.column.treatments:
            cell = whole.column.coefficients.get(name)
            found = [part.column.coefficients.get(name) for part in parts]
            there = [item for item in found if item is not None]
            if cell is None or len(there) < len(found):
                continue
            yield _between(whole, parts, name, cell, there, exact)


def _between(
    whole: Spec, parts: list[Spec], name: str, cell: Cell, found: list[Cell], exact: bool
) -> Finding | None:
    ends = [estimate(item) for item in found]
    hull = Bounds(min(end.low for end in ends), max(end.high for end in ends))
    if not exact:
        if cell.se is None:
            return None
        hull = hull.widen(_FAR * number(cell.se))
    printed = ", ".join(item.estimate for item in found)
    return compare(
        "subsamples",
        f"{whole.id}, {', '.join(part.id for part in parts)}: {name}",
        "pooled coefficient within the hull of its complementary subsamples",
        estimate(cell),
        hull,
        severity="contradiction" if exact else "warning",
        assumptions=(
            (_COMPLETE, "the treatment is the only regressor, and effects are those of units")
            if exact
            else (_COMPLETE, "common effects and covariates move it by little")
        ),
        text=f"{whole.id} prints {cell.estimate} for all units, its groups {printed}.",
    )


def nested_samples(study: Study) -> Outcome:
    """More rows have no less variation of a regressor: (residual sd / se) does not fall.

    Of independent errors se = residual sd / sqrt(variation left by the others), and the variation
    that is left in all rows is at least that of some of them.
    """
    for whole, parts in _splits(study):
        of_whole = _residual(whole)
        for part in parts:
            of_part = _residual(part)
            iid = {whole.column.se_kind, part.column.se_kind} == {"iid"}
            if of_whole is None or of_part is None or not iid:
                continue
            for name in terms(whole):
                cells = whole.column.coefficients.get(name), part.column.coefficients.get(name)
                if cells[0] is None or cells[1] is None:
                    continue
                if cells[0].se is None or cells[1].se is None:
                    continue
                more, fewer = Bounds.of(cells[0].se), Bounds.of(cells[1].se)
                if more.low <= 0.0 or fewer.low <= 0.0:
                    continue
                most = fewer * of_whole / of_part
                yield compare(
                    "nested_samples",
                    f"{whole.id}, {part.id}: {name}",
                    "standard error of all rows at most that of some, by the residual sds",
                    more,
                    Bounds(0.0, most.high),
                    severity="contradiction",
                    assumptions=("errors are independent", "the rows of one are among the other's"),
                    text=f"the standard error of {name} is {cells[1].se} in {part.id} and "
                    f"{cells[0].se} in {whole.id}, whose rows are more: {most.high:.3g} at most.",
                )


def _residual(spec: Spec) -> Bounds | None:
    """The printed residual standard deviation of a column."""
    for statistic in spec.column.statistic:
        if is_statistic(statistic, "residual"):
            return Bounds.of(statistic.value)
    return None


def _splits(study: Study) -> Iterator[tuple[Spec, list[Spec]]]:
    """A column and those of complementary groups of its units, whose rows add up to its own."""
    grouped = [spec for spec in study.specs.values() if spec.column.sample.groups]
    for whole in study.specs.values():
        n = count(whole.column.n)
        if whole.column.sample.groups or n is None or not least_squares(whole) or not grouped:
            continue
        for group in study.file.group:
            parts = [
                spec
                for spec in grouped
                if set(spec.column.sample.groups) == {group.column}
                and spec.column.outcome == whole.column.outcome
                and terms(spec) == terms(whole)
                and same_model(spec, whole)
                and spec.column.sample.model_copy(update={"groups": {}}) == whole.column.sample
            ]
            levels = [level for part in parts for level in part.column.sample.groups[group.column]]
            sizes = [count(part.column.n) for part in parts]
            if sorted(levels) == sorted(group.levels) and sum(size or 0 for size in sizes) == n:
                yield whole, parts
