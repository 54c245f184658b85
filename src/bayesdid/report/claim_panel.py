"""What the fits and analyses of a panel say of the effect that a claim is about."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.estimands.distribution import distribution_of, normal_distribution
from bayesdid.estimands.judgement import Estimate, Source, estimate
from bayesdid.estimands.permuted import permuted_effect
from bayesdid.estimands.question import Cell, Question
from bayesdid.estimands.stated import StatedEffect, between
from bayesdid.inference.plan import MAIN
from bayesdid.inference.quantities import quantities
from bayesdid.peers.fixest import Estimates
from bayesdid.published.claim import same_effect
from bayesdid.study.load import Study
from bayesdid.study.terms import POLICY_KINDS, parse_term

LEAST_SQUARES = "least squares, clustered"
CONSTANT = "effects that do not change with the time since adoption"
# kinds of fits of a spec, from the richest to the simplest: label, assumption
KINDS = {
    MAIN: ("default errors", "errors are AR(1) within units of their own scale"),
    "sceptical": ("sceptical prior", "effects are small beside sd(y)"),
    "mundlak": ("Mundlak effects", "unit effects are random, given unit means"),
    "random": ("random effects", "unit effects have nothing to do with the treatment"),
    "iid": ("i.i.d. errors", "errors are independent"),
}
_RELAXED = "cohort"  # the family that lets the effect of one treatment change with time
_ALSO = (_RELAXED, "event_study", "errors")  # that model an effect, whatever column a claim cites


@dataclass(frozen=True, slots=True)
class PanelEvidence:
    """What a panel's results hold of effects.

    Attributes
    ----------
    trees
        Spec -> kind of fit -> posterior.
    estimates
        Spec -> least squares.
    stated
        Spec -> effects that its analysis states, if that converged.
    headline
        Contrast -> the headline model and those beside it, as functions of what a claim asks.
    passes
        Spec and kind -> whether the fit passes its checks that bear on uncertainty.
    static
        Contrast -> static factorial fits.
    permuted
        Spec -> its treatment by permutation of the assignment; of studies with one policy.
    """

    trees: Mapping[str, Mapping[str, xr.DataTree]]
    estimates: Mapping[str, Estimates]
    stated: Mapping[str, tuple[StatedEffect, ...]]
    headline: Mapping[str, tuple[Headline, ...]]
    passes: Mapping[tuple[str, str], bool | None]
    static: Mapping[str, tuple[StatedEffect, ...]]
    permuted: Mapping[str, StatedEffect]


@dataclass(frozen=True, slots=True)
class Headline:
    """One model of the headline's contrast; `constant` if it is the static one."""

    effect: StatedEffect
    passes: bool | None


NO_PANEL = PanelEvidence({}, {}, {}, {}, {}, {}, {})


def panel_estimates(study: Study, asked: Question, panel: PanelEvidence) -> list[Estimate]:
    """Estimates from the panel, from the richest model to the simplest.

    Where a model lets the effect of a policy change with the time since adoption, those that
    suppose it constant are shown and do not count.
    """
    models = panel.headline.get(asked.contrast or "", ())
    found = [
        of_stated(asked, item.effect, item.effect.model, item.passes, relaxed=True)
        for item in models
    ]
    found += [
        of_stated(asked, item, item.model, relaxed=bool(models))
        for item in panel.static.get(asked.contrast or "", ())
        if len(study.policies) > 1  # with one policy these are its fits, which follow
    ]
    if asked.weaker is not None and asked.contrast is None:
        found += _between(study, asked, panel, "panel")
        found += _apart(asked, panel)
    elif asked.cell is not None and asked.weaker is None:
        alike = same_effect(study, asked.cell)
        relaxed = bool(models) or any(
            cell.spec.column.family == _RELAXED and cell.spec.id in panel.stated for cell in alike
        )
        found += _stated(asked, asked.cell, alike, panel, relaxed)
        # of other specs too, if the claim is about the effect and not a column
        cells = alike if asked.contrast is not None else alike[:1]
        found += fits_of_cells(asked, cells, panel, relaxed=relaxed)
    first = next((k for k, item in enumerate(found) if item.main), 0)
    return [dataclasses.replace(item, main=k == first) for k, item in enumerate(found)]


def panel_of_printed(study: Study, asked: Question, panel: PanelEvidence) -> list[Estimate]:
    """What analyses say of printed numbers, e.g. of the columns of groups that are pooled."""
    if asked.weaker is None or asked.contrast is not None:
        return []
    return list(_between(study, asked, panel, "published"))


def of_stated(
    asked: Question, item: StatedEffect, label: str, passes: bool | None = None, *, relaxed: bool
) -> Estimate:
    """An effect that an analysis states, as an estimate; `relaxed` as of :func:`fits_of_cells`."""
    return estimate(
        asked.asks,
        item.found,
        label,
        item.source,
        item.assumes,
        main=item.main,
        passes=passes,
        false_here=CONSTANT if item.constant and relaxed else "",
    )


def _stated(
    asked: Question, own: Cell, alike: list[Cell], panel: PanelEvidence, relaxed: bool
) -> Iterator[Estimate]:
    """Effects that analyses state: of the claim's own spec, and of those on the same effect."""
    ordered = sorted(alike, key=lambda cell: cell.spec.column.family != _RELAXED)
    for cell in ordered:
        mine = cell.spec.id == own.spec.id
        if mine or cell.spec.column.family in _ALSO:
            for item in panel.stated.get(cell.spec.id, ()):
                if item.name == cell.name:
                    label = item.model if mine else f"{item.model}, {cell.spec.id}"
                    yield of_stated(asked, item, label, relaxed=relaxed)


def fits_of_cells(
    asked: Question, cells: Iterable[Cell], panel: PanelEvidence, *, relaxed: bool
) -> Iterator[Estimate]:
    """Fits of columns under every kind of model, and least squares.

    Parameters
    ----------
    relaxed
        Whether some model lets effects of a state change with time: those that do not are shown.
    """
    for cell in cells:
        spec, name = cell.spec.id, cell.name
        false_here = CONSTANT if relaxed and _state(name) else ""
        head = f"TWFE {spec}" if _state(name) else spec
        for kind, (label, assumes) in KINDS.items():
            draws = draws_of_fit(panel, spec, kind, name)
            if draws is not None:
                yield estimate(
                    asked.asks,
                    distribution_of(draws),
                    f"{head}, {label}",
                    "panel",
                    assumes,
                    main=kind == MAIN,
                    passes=panel.passes.get((spec, kind)),
                    false_here=false_here,
                )
        clustered = _clustered(panel, spec, name)
        if clustered is not None:
            yield estimate(
                asked.asks,
                normal_distribution(*clustered),
                f"{head}, {LEAST_SQUARES}",
                "panel",
                "there are many units; errors of a unit are anything",
                false_here=false_here,
            )
        item = panel.permuted.get(spec)
        if item is not None and item.name == name:
            yield of_stated(asked, item, f"{head}, {item.model}", relaxed=relaxed)


def permuted(
    study: Study, trees: Mapping[str, Mapping[str, xr.DataTree]], designs: Mapping[str, Design]
) -> dict[str, StatedEffect]:
    """Permutation of the one treatment of every spec, where the study has one policy."""
    found = {}
    for spec, design in designs.items() if len(study.policies) == 1 else ():
        tree = trees[spec].get(MAIN)
        if len(design.treatments) == 1 and tree is not None and tree.attrs["converged"]:
            item = permuted_effect(tree, design, design.treatments[0])
            if item is not None:
                found[spec] = item
    return found


def _state(name: str) -> bool:
    """Whether a term is the state of one or both policies."""
    try:
        factors = parse_term(name).factors
    except ValueError:
        return False  # a name of a family's own, e.g. both.indirect
    return all(factor.kind in POLICY_KINDS and not factor.event for factor in factors)


def draws_of_fit(panel: PanelEvidence, spec: str, kind: str, name: str) -> FloatArray | None:
    """Draws of a coefficient, shape (S,), from a fit that converged."""
    tree = panel.trees.get(spec, {}).get(kind)
    if tree is None or not tree.attrs["converged"]:
        return None
    return next((np.ravel(draws) for key, draws in quantities(tree) if key == name), None)


def _clustered(panel: PanelEvidence, spec: str, name: str) -> tuple[float, float] | None:
    """Least squares with errors clustered by unit, where that standard error exists."""
    found = panel.estimates.get(spec)
    if found is None or name not in found.table.index:
        return None
    row = found.table.loc[name]
    pair = float(row["estimate"]), float(row["se_cluster"])
    return pair if all(math.isfinite(value) for value in pair) and pair[1] > 0 else None


def _between(
    study: Study, asked: Question, panel: PanelEvidence, source: Source
) -> Iterator[Estimate]:
    """The difference between two groups, from a model that has both."""
    strong, weak = asked.cell, asked.weaker
    if strong is None or weak is None:
        return
    one, other = strong.spec.column.sample.groups, weak.spec.column.sample.groups
    if len(one) != 1 or one.keys() != other.keys():
        return
    ((grouping, ours),) = one.items()
    theirs = other[grouping]
    if len(ours) != 1 or len(theirs) != 1:
        return
    for spec, effects in panel.stated.items():
        if study[spec].column.outcome != strong.spec.column.outcome:
            continue
        for item in effects:
            if item.source != source:
                continue
            label = f"{item.model}, {spec}"
            if item.name == between(strong.name, grouping, ours[0], theirs[0]):
                yield of_stated(asked, item, label, relaxed=False)
            elif item.name == between(strong.name, grouping, theirs[0], ours[0]):
                turned = dataclasses.replace(item, found=item.found.negated())
                yield of_stated(asked, turned, label, relaxed=False)


def _apart(asked: Question, panel: PanelEvidence) -> Iterator[Estimate]:
    """The difference of two columns that are fitted apart and share no unit."""
    strong, weak = asked.cell, asked.weaker
    if strong is None or weak is None or not _no_unit_shared(strong, weak):
        return
    pair = [draws_of_fit(panel, cell.spec.id, MAIN, cell.name) for cell in (strong, weak)]
    if pair[0] is not None and pair[1] is not None:
        rng = np.random.default_rng(0)  # draws of two fits with one seed are not independent
        size = min(len(pair[0]), len(pair[1]))
        gap = rng.permutation(pair[0])[:size] - rng.permutation(pair[1])[:size]
        both = [panel.passes.get((cell.spec.id, MAIN)) for cell in (strong, weak)]
        passes = False if False in both else None if None in both else True
        yield estimate(
            asked.asks,
            distribution_of(gap),
            "columns fitted apart, default errors",
            "panel",
            "nothing is common to the groups",
            passes=passes,
        )
    ends = [_clustered(panel, cell.spec.id, cell.name) for cell in (strong, weak)]
    if ends[0] is not None and ends[1] is not None:
        (a, s), (b, w) = ends[0], ends[1]
        yield estimate(
            asked.asks,
            normal_distribution(a - b, math.hypot(s, w)),
            f"columns fitted apart, {LEAST_SQUARES}",
            "panel",
            "nothing is common to the groups; there are many units",
        )


def _no_unit_shared(strong: Cell, weak: Cell) -> bool:
    """Whether two samples are different groups of one grouping."""
    one, other = strong.spec.column.sample.groups, weak.spec.column.sample.groups
    return any(not set(one[key]) & set(other[key]) for key in one.keys() & other.keys())
