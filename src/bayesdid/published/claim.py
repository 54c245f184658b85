"""What printed numbers say of the effect that a claim is about, under every assumption."""

from __future__ import annotations

import math
from collections.abc import Iterator

from bayesdid.estimands.distribution import Distribution, normal_distribution
from bayesdid.estimands.judgement import Estimate, estimate
from bayesdid.estimands.question import Cell, Question
from bayesdid.published.contrasts import MAIN, PublishedContrast
from bayesdid.published.synergy import PublishedSynergy
from bayesdid.published.words import MISSED
from bayesdid.study.cells import LAG
from bayesdid.study.load import Study

CORRELATIONS = (0.0, -0.5, 0.5)  # of two printed estimates whose columns say nothing of it
SUBTRACTED = "printed cells are the effects of the states"


def printed_estimates(
    study: Study, asked: Question, synergy: PublishedSynergy | None
) -> list[Estimate]:
    """Estimates of the effect that a claim is about; empty if nothing is printed of it.

    A contrast of policy states: every inversion of the printed columns, and the paper's own
    comparison beside, which does not count. Another effect: its printed coefficient as a normal
    posterior, and the other printed coefficients of the same effect if the claim is about the
    effect and not about a column. Two effects: their difference, under the correlation that the
    columns' weights give or over a range of correlations.
    """
    if synergy is not None and asked.contrast in synergy.contrasts:
        return _inverted(asked, synergy, synergy.contrasts[str(asked.contrast)])
    if asked.weaker is not None:
        return list(_difference(study, asked, synergy))
    return list(_coefficients(study, asked))


def _inverted(
    asked: Question, synergy: PublishedSynergy, contrast: PublishedContrast
) -> list[Estimate]:
    passes = None
    if synergy.held_out:
        limit = MISSED / len(synergy.held_out)
        passes = all(item.p >= limit for item in synergy.held_out)
    found = [
        estimate(
            asked.asks,
            whole,
            "all columns, averaged" if name == MAIN else f"all columns, {name}",
            "published",
            "paths of the single effects and autocorrelation are unknown"
            if name == MAIN
            else f"single effects are {name.replace(', phi', ', errors correlate by')}",
            main=name == MAIN,
            passes=passes,
        )
        for name, whole in contrast.distributions.items()
    ]
    if math.isfinite(contrast.naive) and contrast.naive_se > 0:
        naive = normal_distribution(contrast.naive, contrast.naive_se)
        label = "printed cell" if len(contrast.cells) == 1 else "printed cells, subtracted"
        found.append(
            estimate(asked.asks, naive, label, "published", SUBTRACTED, false_here=SUBTRACTED)
        )
    return found


def _coefficients(study: Study, asked: Question) -> Iterator[Estimate]:
    """The printed coefficient, and those of other columns on the same effect."""
    if asked.cell is None:
        return
    cells = [asked.cell]
    if asked.contrast is not None:
        cells += [cell for cell in same_effect(study, asked.cell) if cell.spec != asked.cell.spec]
    for cell in cells:
        found = printed(study, cell)
        if found is not None:
            yield estimate(
                asked.asks,
                found,
                f"printed, {cell.spec.id}",
                "published",
                "the printed standard error is right",
                main=cell == asked.cell,
            )


def same_effect(study: Study, cell: Cell) -> list[Cell]:
    """Cells of every spec with the same outcome, sample and single treatment, its own first."""
    own = cell.spec.column
    alike = [
        Cell(spec, cell.name)
        for spec in study.specs.values()
        if spec.id != cell.spec.id
        and spec.column.treatments == own.treatments == (cell.name,)
        and (spec.column.outcome, spec.column.sample) == (own.outcome, own.sample)
        and spec.column.outcome_lead == own.outcome_lead
    ]
    return [cell, *alike]


def _difference(
    study: Study, asked: Question, synergy: PublishedSynergy | None
) -> Iterator[Estimate]:
    if asked.cell is None or asked.weaker is None:
        return
    strong, weak = printed(study, asked.cell), printed(study, asked.weaker)
    if strong is None or weak is None:
        return
    names = [] if synergy is None else list(synergy.columns.names)
    known = asked.cell.ref in names and asked.weaker.ref in names
    correlations: tuple[float, ...] = CORRELATIONS
    if known and synergy is not None:
        at = names.index(asked.cell.ref), names.index(asked.weaker.ref)
        correlations = (float(synergy.correlation[at]),)
    for k, r in enumerate(correlations):
        variance = strong.sd**2 + weak.sd**2 - 2 * r * strong.sd * weak.sd
        gap = normal_distribution(strong.mean - weak.mean, math.sqrt(variance))
        why = "as who adopted when gives it" if known else "the columns do not say"
        yield estimate(
            asked.asks,
            gap,
            f"printed cells, correlation {r:.2g}",
            "published",
            f"estimates correlate by {r:.2g} ({why})",
            main=k == 0,
        )


def printed(study: Study, cell: Cell) -> Distribution | None:
    """A printed estimate and its standard error as a normal posterior; None without one."""
    column, term = cell.spec.column, cell.name
    part = term.rpartition(".")[2]
    there = (
        term in column.coefficients
        or term.removeprefix(LAG) in column.spatial_lags
        or (cell.term in column.impacts and part in {"direct", "indirect", "total"})
    )
    value = study.cell(cell.ref) if there else None
    if value is None or value.se is None or float(value.se) <= 0:
        return None
    return normal_distribution(float(value.value), float(value.se))
