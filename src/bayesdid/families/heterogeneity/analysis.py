"""One pooled model per grouping instead of one regression per group with stars."""

from __future__ import annotations

import dataclasses
from itertools import combinations

import numpy as np
import pandas as pd

from bayesdid.arrays import FloatArray
from bayesdid.design.build import as_two_way, build_design
from bayesdid.design.collinear import drop_collinear
from bayesdid.design.design import Design
from bayesdid.design.further import Further
from bayesdid.design.span import without_spanned
from bayesdid.estimands.spread import spread_of, spread_sentence
from bayesdid.estimands.stated import StatedEffect
from bayesdid.exceptions import InputError, NotIdentifiedError
from bayesdid.families.analysis import (
    Analysis,
    Figure,
    Peer,
    Series,
    Table,
    series_of,
    summary_frame,
)
from bayesdid.families.heterogeneity import HeterogeneityOptions
from bayesdid.families.heterogeneity.effects import published_differences, stated_differences
from bayesdid.families.registry.validate import one_treatment
from bayesdid.families.under_errors import draws_of, under_errors
from bayesdid.inference.exact.conjugate import conjugate_posterior
from bayesdid.model.bound import study_priors
from bayesdid.model.pooling import Pooling, indicators, pooled_scale, stack
from bayesdid.panel.adoption import adopted_orders
from bayesdid.panel.panel import Panel
from bayesdid.peers.fixest import least_squares
from bayesdid.published.groups import SEQUENCE, PublishedGroup, pooled_cells, published_groups
from bayesdid.study.load import Spec, Study
from bayesdid.summary import chance, hdi, normal_interval, percent

_EXACT = 1e-6  # of sd(y)


def group_labels(design: Design, panel: Panel, column: str) -> np.ndarray:
    """Level of a grouping in each row; ``sequence`` is the order of adoption of dual units."""
    if column == SEQUENCE:
        by_unit = adopted_orders(panel)
    elif column in panel.frame.columns:
        by_unit = panel.frame.groupby(panel.unit, sort=False)[column].first().astype(str)
    else:
        raise InputError(
            "the panel has no such group column",
            file=panel.source,
            column=column,
            remedy="add the grouping to the panel or drop it from the spec",
        )
    return np.asarray(by_unit.reindex(design.units).to_numpy(str)[design.unit_index])


def separated(design: Design, labels: np.ndarray) -> Design:
    """Period effects and covariates of their own for each group, as separate regressions have.

    The k-th group's period 1984 is k1984: a number, since AR(1) errors count the periods between.
    """
    levels, group = np.unique(labels, return_inverse=True)
    T = len(design.periods)
    apart = 10 ** len(str(int(np.abs(design.periods).max())))  # periods of a group stay in order
    codes, period_index = np.unique(group * T + design.period_index, return_inverse=True)
    further = tuple(_by_group(one, group, levels) for one in design.further)
    X = np.hstack([design.X * (labels == level)[:, None] for level in levels])
    return drop_collinear(
        without_spanned(
            dataclasses.replace(
                design,
                X=X,
                covariates=tuple(f"{name} | {g}" for g in levels for name in design.covariates),
                period_index=period_index.astype(np.int64),
                periods=(1 + codes // T) * apart + design.periods[codes % T],
                further=further,
            )
        )
    )


def _by_group(one: Further, group: np.ndarray, levels: np.ndarray) -> Further:
    """An effect with levels of its own in each group; those of units are that already."""
    if one.of == "unit":
        return one
    codes, index = np.unique(group * len(one.levels) + one.index, return_inverse=True)
    own = [f"{one.levels[k % len(one.levels)]} | {levels[k // len(one.levels)]}" for k in codes]
    return dataclasses.replace(
        one, levels=np.array(own, dtype=object), index=index.astype(np.int64), of=""
    )


def heterogeneity_pooling(
    design: Design, groups: dict[str, np.ndarray]
) -> tuple[Pooling, dict[str, list[str]]]:
    """``tau = mu + sum of group deviations``; levels without treated rows are left out."""
    treated = design.D[:, 0]
    blocks: list[tuple[str, tuple[str, ...], FloatArray]] = [("", ("average",), treated[:, None])]
    levels: dict[str, list[str]] = {}
    for name, labels in groups.items():
        levels[name] = [str(g) for g in np.unique(labels) if treated[labels == g].any()]
        columns = indicators(labels, list(levels[name]), treated)
        blocks.append((name, tuple(f"{name}: {level}" for level in levels[name]), columns))
    return stack(design, blocks), levels


def heterogeneity(
    study: Study,
    spec: Spec,
    panel: Panel,
    options: HeterogeneityOptions,
    *,
    seed: int = 0,
    draws: int = 1000,
) -> Analysis:
    """The analysis of a spec of family ``heterogeneity``: one treatment.

    One grouping of units: period effects and covariates of each group's own, as in separate
    regressions, unless ``separate = false``. Several: additive deviations.
    """
    columns = options.groups
    one_treatment(spec)
    design = build_design(as_two_way(spec, with_rows=True), panel)
    groups = {name: group_labels(design, panel, name) for name in columns}
    peers: tuple[Peer, ...] = ()
    if options.separate is not False and options.can_separate:
        (labels,) = groups.values()
        peers = tuple(_separate_peers(design, labels))
        design = separated(design, labels)
    pooling, levels = heterogeneity_pooling(design, groups)
    if any(len(found) < 2 for found in levels.values()):
        raise NotIdentifiedError(
            f"{spec.id}: fewer than two groups have treated rows", remedy="choose another grouping"
        )
    priors = study_priors(spec, _called(spec, pooling.design))
    under = under_errors(pooling.design, options.errors, priors=priors, seed=seed, draws=draws)
    tree, tau, tau_iid = under.tree, draws_of(under.tree), draws_of(under.iid)
    names = list(pooling.design.treatments)
    lower = study.file.outcome.better == "lower"
    sentences: list[str] = []
    tables: list[Table] = []
    figures: list[Figure] = []
    stated: list[StatedEffect] = []
    for name in columns:
        effects = {
            level: tau[:, 0] + tau[:, names.index(f"{name}: {level}")] for level in levels[name]
        }
        iid = {
            level: tau_iid[:, 0] + tau_iid[:, names.index(f"{name}: {level}")]
            for level in levels[name]
        }
        printed = published_groups(study, spec, name, levels[name])
        scale = float(panel.frame[spec.column.outcome].std())
        from_published = pooled_cells(
            study, name, printed, scale, seed, None if panel.synthetic else panel.adoption
        )
        stated += stated_differences(spec.column.treatments[0], name, effects, iid)
        if from_published is not None:
            columnwise = dict(zip(printed, from_published.T, strict=True))
            stated += published_differences(spec.column.treatments[0], name, columnwise)
        sentences.append(_strongest(study, name, effects, from_published, printed, lower))
        spread = spread_of(tree, name, pooled_scale(pooling.design))
        sentences.append(f"{_label(study, name)}. {spread_sentence({'groups': spread})}")
        labelled = {_level(study, name, level): values for level, values in effects.items()}
        frame = summary_frame(labelled, "group")
        frame["i.i.d. mean"] = [float(values.mean()) for values in iid.values()]
        frame["i.i.d. sd"] = [float(values.std(ddof=1)) for values in iid.values()]
        tables.append(
            Table(
                f"{name}_effects",
                f"{_label(study, name)}: effect in each group, one partially pooled model",
                frame,
            )
        )
        tables.append(
            Table(
                f"{name}_differences",
                f"{_label(study, name)}: every pairwise difference",
                _differences(study, name, effects, from_published, printed),
            )
        )
        figures.append(_figure(study, name, labelled, from_published, printed))
    first = columns[0]
    one, other = (names.index(f"{first}: {level}") for level in levels[first][:2])
    pair = " - ".join(_level(study, first, level) for level in levels[first][:2])
    gaps = [draws[:, one] - draws[:, other] for draws in (tau, tau_iid)]
    sentences.append(under.says(f"the difference {pair}", *gaps))
    return Analysis(
        spec.id,
        "heterogeneity",
        spec.title,
        tuple(sentences),
        tuple(tables),
        tuple(figures),
        peers,
        tree,
        under.converged,
        tuple(note.text for note in design.notes),
        panel.synthetic or "",
        effects=tuple(stated),
        fit=under.fit,
    )


def _called(spec: Spec, design: Design) -> dict[str, tuple[str, ...]]:
    """Coefficients in the place of a spec's terms: the average effect; a covariate's, by group."""
    found: dict[str, tuple[str, ...]] = {spec.column.treatments[0]: ("average",)}
    for term in spec.column.covariates:
        own = [name for name in design.covariates if name.partition(" | ")[0] == term]
        found[term] = tuple(own)
    return found


def _separate_peers(design: Design, labels: np.ndarray) -> list[Peer]:
    """Flat posterior means of the separated model against one regression per group."""
    own = separated(design, labels)
    levels = [g for g in np.unique(labels) if design.D[labels == g].any()]
    columns = indicators(labels, list(levels), design.D[:, 0])
    posterior = conjugate_posterior(dataclasses.replace(own, D=columns, treatments=tuple(levels)))
    found = []
    for k, level in enumerate(levels):
        rows = design.take(labels == level)
        alone = least_squares(without_spanned(drop_collinear(rows))).table.iloc[0]
        sd = np.sqrt(posterior.scale[k, k] * posterior.nu / (posterior.nu - 2))
        found.append(
            Peer(
                f"effect in {level}",
                float(posterior.location[k]),
                float(sd),
                "separate regression (pyfixest), clustered",
                float(alone["estimate"]),
                float(alone["se_cluster"]),
                _EXACT * float(design.y.std()),
            )
        )
    return found


def _strongest(
    study: Study,
    name: str,
    effects: dict[str, FloatArray],
    published: FloatArray | None,
    printed: dict[str, PublishedGroup],
    lower: bool,
) -> str:
    """Which group responds most, with what probability, from the panel and from the cells."""
    matrix = np.column_stack(list(effects.values()))
    levels = list(effects)
    best = matrix.argmin(axis=1) if lower else matrix.argmax(axis=1)
    share = np.bincount(best, minlength=len(levels)) / len(best)
    ranked = np.argsort(-share)
    text = f"{_label(study, name)}: the strongest effect is in " + ", ".join(
        f"{_level(study, name, levels[k])} with probability {chance(share[k])}" for k in ranked
    )
    if published is not None:
        names = list(printed)
        best = published.argmin(axis=1) if lower else published.argmax(axis=1)
        share = np.bincount(best, minlength=len(names)) / len(best)
        source = "columns inverted together" if name == SEQUENCE else "columns alone"
        text += f"; from the published {source}, " + ", ".join(
            f"{_level(study, name, names[k])} {chance(share[k])}" for k in np.argsort(-share)
        )
        text += (
            " (separate regressions print "
            + ", ".join(
                f"{_level(study, name, level)} {cell.estimate:.3f}{cell.stars}"
                for level, cell in printed.items()
            )
            + ")"
        )
    return text + "."


def _differences(
    study: Study,
    name: str,
    effects: dict[str, FloatArray],
    published: FloatArray | None,
    printed: dict[str, PublishedGroup],
) -> pd.DataFrame:
    """Every pair: posterior of the difference, and what the printed columns say about it."""
    rows = []
    names = list(printed)
    for one, other in combinations(effects, 2):
        gap = effects[one] - effects[other]
        row = {
            "difference": f"{_level(study, name, one)} - {_level(study, name, other)}",
            "mean": float(gap.mean()),
            "sd": float(gap.std(ddof=1)),
            **hdi(gap).columns(),
            "P(< 0)": float((gap < 0).mean()),
        }
        if published is not None and one in printed and other in printed:
            a, b = printed[one], printed[other]
            cells = published[:, names.index(one)] - published[:, names.index(other)]
            row |= {
                "published difference": a.estimate - b.estimate,
                "its SE": float(np.hypot(a.se, b.se)),
                "published, pooled": float(cells.mean()),
                "published, P(< 0)": float((cells < 0).mean()),
            }
        rows.append(row)
    return pd.DataFrame(rows)


def _figure(
    study: Study,
    name: str,
    effects: dict[str, FloatArray],
    published: FloatArray | None,
    printed: dict[str, PublishedGroup],
) -> Figure:
    series = [series_of("panel, partially pooled", effects)]
    if published is not None:
        labels = [_level(study, name, level) for level in printed]
        cells = list(printed.values())
        ends = [normal_interval(c.estimate, c.se) for c in cells]
        series.append(
            Series(
                "published columns",
                labels,
                [c.estimate for c in cells],
                [interval.low for interval in ends],
                [interval.high for interval in ends],
            )
        )
        series.append(
            series_of("published, partially pooled", dict(zip(labels, published.T, strict=True)))
        )
    return Figure(
        f"{name}_effects",
        "forest",
        f"{_label(study, name)}: effect in each group ({percent()} intervals).",
        tuple(series),
        xlabel=study.file.outcome.unit,
    )


def _label(study: Study, name: str) -> str:
    if name == SEQUENCE:
        return "Order of adoption"
    return next((g.label for g in study.file.group if g.column == name), name)


def _level(study: Study, name: str, level: str) -> str:
    if name == SEQUENCE:
        labels = {f"first:{p.id}": f"{p.label} first" for p in study.policies}
        return labels.get(level, level)
    found = next((g for g in study.file.group if g.column == name), None)
    return found.levels.get(level, level) if found else level
