"""What the analysis of a spatial model shows: sentences, tables, figures."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from bayesdid.arrays import FloatArray
from bayesdid.estimands.verdict import SURE
from bayesdid.families.analysis import Figure, Series, Table, series_of, summary_frame
from bayesdid.families.sdm.models import PRIORS, Comparison
from bayesdid.inference.impacts import PARTS
from bayesdid.inference.quantities import stacked
from bayesdid.inference.result import Fit
from bayesdid.model.spatial import spatial_blocks
from bayesdid.panel.panel import Panel
from bayesdid.peers.spatial_impacts import SpatialImpacts
from bayesdid.peers.spatial_ml import SpatialML
from bayesdid.peers.spatial_tests import SpatialTests
from bayesdid.spatial.design import LAG_OF_ERROR, LAG_OF_X, LAG_OF_Y, SpatialDesign
from bayesdid.spatial.operators.dynamic import PAST, PAST_LAG, cumulative_effects
from bayesdid.spatial.operators.impacts import by_order, received
from bayesdid.spatial.operators.spectrum import eigenvalues
from bayesdid.study.load import Spec
from bayesdid.study.printed import Printed
from bayesdid.summary import equals, hdi, normal_interval, percent

DIRECT, LEE_YU = "ML (direct)", "ML (Lee-Yu)"
WEIGHTED = (
    "Weights are of what is new in a unit and period, before it spreads over W: the variance of "
    "the error, not of the outcome. Moran's I and the LM tests, which are of rows of equal "
    "variance, are left out."
)
_WX = tuple(sorted(LAG_OF_X))
_ORDERS = 6
_HORIZON = 10
_MAP_DRAWS = 500


def effect_draws(fit: Fit) -> dict[str, FloatArray]:
    """Draws of each treatment's effects, by ``term: part``."""
    return {
        f"{term}: {part}": stacked(fit.tree, "effects", term=term, effect=part)
        for term in fit.treatments
        for part in PARTS
    }


def coefficients(fit: Fit, design: SpatialDesign) -> FloatArray:
    """Draws of the coefficients of ``design.names``, shape (S, K)."""
    return np.hstack([stacked(fit.tree, name) for name in spatial_blocks(design).main])


def spatial_coefficient(fit: Fit) -> FloatArray | None:
    """Draws of rho, of the outcome's lag or of the error's, shape (S,); None without one."""
    return stacked(fit.tree, "rho") if "rho" in fit.tree["posterior"] else None


def with_median(draws: dict[str, FloatArray], first: str = "quantity") -> pd.DataFrame:
    """A summary with medians: effects that hold 1 / (1 - rho) may have no mean."""
    frame = summary_frame(draws, first)
    frame.insert(2, "median", [float(np.median(values)) for values in draws.values()])
    return frame


def effect_table(fit: Fit, spec: Spec, peers: Mapping[str, SpatialImpacts]) -> Table:
    """Posterior of the treatments' effects beside what was published and ML, by its label."""
    frame = with_median(effect_draws(fit), "effect")
    published = [_printed_impact(spec, *str(name).split(": ", 1)) for name in frame["effect"]]
    frame["published"] = [value for value, _ in published]
    frame["published SE"] = [se for _, se in published]
    for label, ml in peers.items():
        rows = {f"{r['term']}: {r['impact']}": r for r in ml.table().to_dict("records")}
        frame[label] = [rows[str(name)]["estimate"] for name in frame["effect"]]
        frame[f"{label} SE"] = [rows[str(name)]["se"] for name in frame["effect"]]
    return Table(
        "effects",
        f"Effects of a change of one in every unit; {_over(fit)}. "
        "Where rho may come near its bound the total has no mean: read medians",
        frame.dropna(axis=1, how="all"),
    )


def coefficient_table(
    fit: Fit, design: SpatialDesign, spec: Spec, peers: Mapping[str, SpatialML]
) -> Table:
    """Coefficients: published, maximum likelihood by its label, posterior."""
    column, rho = spec.column, spatial_coefficient(fit)
    lag = "lambda" if design.kind in LAG_OF_ERROR else "rho"
    draws = dict(zip(design.names, coefficients(fit, design).T, strict=True))
    cells: dict[str, Any] = dict(column.coefficients)
    cells |= {f"W {term}": cell for term, cell in column.spatial_lags.items()}
    cells |= {"sigma2": column.scalars.get("sigma2"), lag: column.scalars.get("rho")}
    if rho is not None:
        draws[lag] = rho
    draws["sigma2"] = stacked(fit.tree, "sigma") ** 2
    frame = summary_frame(draws, "coefficient")
    printed = [_cell(cells.get(str(name))) for name in frame["coefficient"]]
    frame["published"], frame["published SE"] = zip(*printed, strict=True)
    for label, ml in peers.items():
        found = {r["term"]: (r["estimate"], r["se"]) for r in ml.table().to_dict("records")}
        found["sigma2"] = (ml.sigma2, np.nan)
        pairs = [found.get(str(name), (np.nan, np.nan)) for name in frame["coefficient"]]
        frame[label], frame[f"{label} SE"] = zip(*pairs, strict=True)
    other = (
        f"{LEE_YU} and the posterior have the transformed likelihood of Lee & Yu (2010)"
        if design.base.weights is None
        else "The posterior integrates the effects out in the metric of the weights, which no "
        "transformation does"
    )
    return Table(
        "coefficients",
        f"Coefficients. {DIRECT} is on demeaned data, as published tables have it: sigma2 divided "
        f"by all rows, and with period effects a biased spatial coefficient. {other}",
        frame.dropna(axis=1, how="all"),
    )


def order_table(fit: Fit, design: SpatialDesign) -> Table:
    """Effects of the treatments by order of neighbour, in models with a spatial lag of y."""
    b, rho, rows = coefficients(fit, design), stacked(fit.tree, "rho"), []
    logdet = design.logdet
    for k, term in enumerate(design.base.treatments):
        lag = design.theta_of(k)
        theta: FloatArray | float = 0.0 if lag is None else b[:, lag]
        direct, total = by_order(design.weights, logdet, rho, b[:, k], theta, _ORDERS)
        rows += [
            {
                "term and order": f"{term}: {q}",
                "direct": float(direct[q].mean()),
                "indirect": float((total[q] - direct[q]).mean()),
                "total": float(total[q].mean()),
                **hdi(total[q]).columns(),
            }
            for q in range(_ORDERS + 1)
        ]
    return Table(
        "orders",
        "Effects by order of neighbour (what travels along W to that power; "
        "order 0 is the unit itself)",
        pd.DataFrame(rows),
    )


def student_table(fit: Fit, heavy: Fit) -> Table:
    """Effects under normal and under Student-t errors."""
    draws = {f"{name}, normal errors": values for name, values in effect_draws(fit).items()}
    draws |= {f"{name}, Student t": values for name, values in effect_draws(heavy).items()}
    draws["degrees of freedom"] = stacked(heavy.tree, "nu")
    return Table(
        "student",
        "Effects if every row may have a variance of its own",
        summary_frame(dict(sorted(draws.items()))),
    )


def dynamic_output(fit: Fit, design: SpatialDesign, unit: str) -> tuple[Table, Figure]:
    """Time-cumulative effects of a lasting treatment."""
    b, rho, series = coefficients(fit, design), stacked(fit.tree, "rho"), []
    values = eigenvalues(design.weights)
    past, past_lag = (b[:, design.names.index(name)] for name in (PAST, PAST_LAG))
    draws: dict[str, FloatArray] = {
        "y of the period before": past,
        "neighbours' y of the period before": past_lag,
    }
    for k, term in enumerate(design.base.treatments):
        lag = design.theta_of(k)
        theta = np.zeros_like(past) if lag is None else b[:, lag]
        found = cumulative_effects(
            design.weights, values, rho, past, past_lag, b[:, k], theta, _HORIZON
        )
        for h in (0, _HORIZON):
            draws[f"{term}: direct after {h} periods"] = found.direct[h]
            draws[f"{term}: total after {h} periods"] = found.total[h]
        stable = found.stable
        if stable.mean() > 0.5:
            draws[f"{term}: direct, long run"] = found.long_run_direct[stable]
            draws[f"{term}: total, long run"] = found.long_run_total[stable]
        series.append(series_of(f"{term}: total", dict(enumerate(found.total))))
        draws[f"{term}: share of stable draws"] = stable.astype(float)
    return (
        Table(
            "dynamic",
            "Dynamic model: effects of a lasting treatment, accumulated over time "
            "(long run: draws in which effects die out)",
            summary_frame(draws),
        ),
        Figure(
            "dynamic",
            "curve",
            "Total effects of a lasting treatment, accumulated over time: "
            f"posterior means and {percent()} HDIs",
            tuple(series),
            xlabel="periods since the treatment began",
            ylabel=unit,
        ),
    )


def effect_figure(fit: Fit, spec: Spec, peers: Mapping[str, SpatialImpacts], unit: str) -> Figure:
    """Direct, indirect and total effects: posterior, ML, published."""
    draws = effect_draws(fit)
    medians = [float(np.median(values)) for values in draws.values()]
    series = [dataclasses.replace(series_of("posterior", draws), y=medians)]
    for label, ml in peers.items():
        rows = {f"{r['term']}: {r['impact']}": r for r in ml.table().to_dict("records")}
        series.append(
            _errors(
                f"{label}, {percent()}",
                {name: (rows[name]["estimate"], rows[name]["se"]) for name in draws},
            )
        )
    printed = {name: _printed_impact(spec, *name.split(": ", 1)) for name in draws}
    printed = {name: cell for name, cell in printed.items() if np.isfinite(cell[0])}
    if printed:
        series.append(_errors(f"published, {percent()}", printed))
    caption = f"Direct, indirect and total effects: posterior medians and {percent()} HDIs; "
    return Figure("effects", "forest", caption + _over(fit), tuple(series), xlabel=unit)


def maps(
    fit: Fit, design: SpatialDesign, places: FloatArray, panel: Panel, unit: str
) -> list[Figure]:
    """What each unit receives from the others' treatment in the last period."""
    if design.kind in LAG_OF_ERROR:
        return []
    b, lagged = coefficients(fit, design), design.kind in LAG_OF_Y
    thin = slice(None, None, max(1, len(b) // _MAP_DRAWS))
    rho = stacked(fit.tree, "rho") if lagged else np.zeros(len(b))
    ends, figures = design.logdet.interval if lagged else None, []
    b, rho = b[thin], rho[thin]
    position = {unit: k for k, unit in enumerate(panel.units)}
    where = places[[position[unit] for unit in design.base.units]]
    for k, term in enumerate(design.base.treatments):
        lag = design.theta_of(k)
        theta: FloatArray | float = 0.0 if lag is None else b[:, lag]
        treated = design.Z[k, :, -1]
        got = received(design.weights, rho, b[:, k], theta, treated, ends)
        sure = np.maximum((got < 0).mean(axis=0), (got > 0).mean(axis=0))
        figures.append(
            Figure(
                f"map_{k}",
                "map",
                f"What each unit receives from the others' {term} in the last "
                "period: posterior mean (colour), probability of its sign (size); rings mark "
                "treated units",
                (
                    Series(
                        unit,
                        where[:, 0].tolist(),
                        where[:, 1].tolist(),
                        got.mean(axis=0).tolist(),
                        sure.tolist(),
                        treated.tolist(),
                    ),
                ),
                xlabel="longitude",
                ylabel="latitude",
            )
        )
    return figures


def sentences(
    fit: Fit,
    design: SpatialDesign,
    models: Comparison,
    tests: SpatialTests | None,
    spec: Spec,
    better: str,
) -> tuple[str, ...]:
    """What was found, most important first."""
    found = []
    for term in fit.treatments:
        direct, indirect, total = (
            stacked(fit.tree, "effects", term=term, effect=part) for part in PARTS
        )
        if design.kind == "sem":
            found.append(
                f"Effect of {term}: {np.median(direct):.3f} ({hdi(direct):.3f}). "
                f"This model lets no treatment spill over."
            )
            continue
        helps = (indirect < 0 if better == "lower" else indirect > 0).mean()
        text = (
            f"Spillover of {term} (indirect effect): {np.median(indirect):.3f} "
            f"({hdi(indirect):.3f}); P(it helps) {equals(helps)}. Direct effect "
            f"{np.median(direct):.3f}, total {np.median(total):.3f} (medians)."
        )
        printed, se = _printed_impact(spec, term, "indirect")
        if np.isfinite(printed):
            text += f" Published: indirect {printed:.3f} (SE {se:.3f})."
        found.append(text)
    if (rho := spatial_coefficient(fit)) is not None:
        name = "errors" if design.kind in LAG_OF_ERROR else "outcomes"
        found.append(
            f"Spatial dependence of {name} over W ({design.weights.name}): "
            f"{rho.mean():.3f} ({hdi(rho):.3f})."
        )
    found.append(favoured(models))
    if tests is not None:
        found.append(
            f"Residuals of the model without spatial lags: Moran's I {tests.moran_i:.3f} "
            f"(expected {tests.moran_expected:.3f}, p = {tests.p_values[0]:.3g})."
        )
    return tuple(found)


def favoured(models: Comparison) -> str:
    """Which model has the highest probability under each prior, and whether it is one model."""
    best = {
        prior: models.table.loc[models.table[f"P({prior})"].astype(float).idxmax()]
        for prior in PRIORS
    }
    names = {
        prior: f"{str(row['model']).upper()} ({row['weights']})" for prior, row in best.items()
    }
    each = "; ".join(
        f"{prior}: {names[prior]}, probability {row[f'P({prior})']:.2f}"
        for prior, row in best.items()
    )
    every = min(float(best[prior][f"P({prior})"]) for prior in PRIORS)
    if len(set(names.values())) > 1:
        said = "depends on the prior"
    elif every < SURE:
        said = "is the same under every prior tried, but not surely"
    else:
        said = "is the same under every prior tried"

    def share(kinds: tuple[str, ...]) -> str:
        return ", ".join(f"{models.probability(kinds, prior):.2f} ({prior})" for prior in PRIORS)

    return (
        f"Which of {len(models.table)} models and weights has the highest probability {said}. "
        f"{each}. Models in which the outcome itself spreads: {share(('sar', 'sdm'))}; models with "
        f"neighbours' regressors: {share(_WX)}."
    )


def _over(fit: Fit) -> str:
    """The weights, as every caption names them."""
    return f"W: {fit.tree.attrs['spatial_weights']}"


def _printed_impact(spec: Spec, term: str, part: str) -> tuple[float, float]:
    impacts = spec.column.impacts.get(term)
    return _cell(getattr(impacts, part) if impacts is not None else None)


def _cell(cell: Any) -> tuple[float, float]:
    if cell is None:
        return float("nan"), float("nan")
    se = float(Printed.parse(cell.se)) if cell.se else float("nan")
    return float(Printed.parse(cell.estimate)), se


def _errors(label: str, cells: dict[str, tuple[float, float]]) -> Series:
    ends = [normal_interval(value, se) for value, se in cells.values()]
    return Series(
        label,
        list(cells),
        [value for value, _ in cells.values()],
        [interval.low for interval in ends],
        [interval.high for interval in ends],
    )
