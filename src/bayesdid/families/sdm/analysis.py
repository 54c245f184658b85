"""Spatial Durbin and the models it nests: posteriors of effects, beside ML and what was printed."""

from __future__ import annotations

import numpy as np

from bayesdid.design.build import as_two_way, build_design
from bayesdid.exceptions import InputError
from bayesdid.families.analysis import Analysis, Peer, Table
from bayesdid.families.sdm import SpatialOptions
from bayesdid.families.sdm.models import compare_models, comparison_tables
from bayesdid.families.sdm.output import (
    coefficient_table,
    dynamic_output,
    effect_figure,
    effect_table,
    maps,
    order_table,
    sentences,
    student_table,
)
from bayesdid.inference.exact.durbin_fit import SpatialFit, fit_spatial
from bayesdid.panel.panel import Panel
from bayesdid.peers.spatial_impacts import ml_impacts
from bayesdid.peers.spatial_ml import SpatialML, spatial_ml
from bayesdid.peers.spatial_tests import moran_and_lm
from bayesdid.spatial.design import LAG_OF_ERROR, LAG_OF_Y, SpatialDesign, spatial_design
from bayesdid.spatial.operators.dynamic import dynamic_design
from bayesdid.spatial.operators.impacts import row_sum_note
from bayesdid.spatial.operators.logdet import log_determinant
from bayesdid.spatial.weights.build import coordinates, resolve_weights
from bayesdid.spatial.weights.weights import Weights
from bayesdid.study.load import Spec, Study

_ML_LIMIT = 800  # units up to which maximum likelihood and whole matrices are computed beside


def spatial(
    study: Study,
    spec: Spec,
    panel: Panel,
    options: SpatialOptions,
    *,
    seed: int = 0,
    draws: int = 1000,
) -> Analysis:
    """The analysis of a spec of family ``sdm``."""
    name = _needed(spec)
    base = build_design(as_two_way(spec), panel)
    weights = _weights(study, spec, panel, name, options)
    design = spatial_design(base, weights, options.model, options.durbin)
    size = 4 * draws
    logdet = log_determinant(weights, options.logdet)
    lagged = options.model in LAG_OF_Y | LAG_OF_ERROR
    fit = fit_spatial(design, size=size, seed=seed, logdet=logdet if lagged else None)
    ml = _likelihood(design) if design.N <= _ML_LIMIT else None
    impacts = ml_impacts(design, ml) if ml else None
    compared = dict.fromkeys(other for other in options.compare if other != name)
    others = [_weights(study, spec, panel, other, options) for other in compared]
    pairs = [(weights, logdet), *((W, log_determinant(W)) for W in others)]
    models = compare_models(base, pairs, options.durbin, size=size, seed=seed)
    tests = moran_and_lm(spatial_design(base, weights, "none")) if ml else None
    tables = [effect_table(fit, spec, impacts), coefficient_table(fit, spec, ml)]
    if options.model in LAG_OF_Y:
        tables.append(order_table(fit))
    tables += comparison_tables(models)
    if tests is not None:
        tables.append(
            Table(
                "tests",
                "Is anything left over space in the residuals of the model without spatial lags?",
                tests.table(),
            )
        )
    figures = [effect_figure(fit, spec, impacts, study.file.outcome.unit)]
    if study.file.panel.has_coordinates and design.N <= _ML_LIMIT:
        figures += maps(fit, coordinates(study, panel), panel, study.file.outcome.unit)
    failed: list[str] = []
    if options.student_t:
        from bayesdid.inference.nuts.durbin_student import fit_student

        heavy = fit_student(design, draws=draws, seed=seed, logdet=logdet if lagged else None)
        if heavy.fit.converged:
            tables.append(student_table(fit, heavy))
        else:
            failed.append("Student-t errors")
    if options.dynamic:
        moving = fit_spatial(dynamic_design(design), size=size, seed=seed, logdet=logdet)
        if moving.converged:
            table, figure = dynamic_output(moving, study.file.outcome.unit)
            tables.append(table)
            figures.append(figure)
        else:
            failed.append("dynamic model")
    notes = [note.text for note in (*base.notes, *weights.notes)]
    if (about := row_sum_note(weights)) is not None and lagged:
        notes.append(about.text)
    notes.append(
        f"W: {weights.name}; rho uniform between {logdet.interval.low:.3g} and "
        f"{logdet.interval.high:.3g} ({logdet.interval.source}); log-determinant by "
        f"{logdet.method}, {_error(fit)}"
    )
    return Analysis(
        spec.id,
        "sdm",
        spec.title,
        sentences(fit, models, tests, spec, study.file.outcome.better),
        tuple(tables),
        tuple(figures),
        _peers(design, fit, ml, size, seed),
        fit.tree(seed=seed),
        fit.converged,
        tuple(notes),
        panel.synthetic or "",
        tuple(failed),
    )


def _error(fit: SpatialFit) -> str:
    """How far off the log-determinant may be where the posterior is."""
    if fit.logdet is None:
        return "not used by this model"
    error = float(fit.logdet.error(np.quantile(fit.draws.rho, [0.01, 0.99])).max())
    return f"error at most {error:.1g}" if error else "exact to rounding"


def _weights(study: Study, spec: Spec, panel: Panel, name: str, options: SpatialOptions) -> Weights:
    how = options.normalisation
    if how is None and spec.column.row_normalised is not None:
        how = "row" if spec.column.row_normalised else "none"
    return resolve_weights(study, panel, name, how)


def _needed(spec: Spec) -> str:
    """The weights that a spec names."""
    if spec.column.weights is None:
        raise InputError(
            f"{spec.id}: a spatial model needs weights",
            remedy='set weights = "an id under [[weights]], or a file"',
        )
    if not spec.column.treatments:
        raise InputError(
            f"{spec.id}: a spatial model needs a treatment", remedy='set treatments = ["..."]'
        )
    return spec.column.weights


def _likelihood(design: SpatialDesign) -> SpatialML | None:
    """Maximum likelihood as published tables have it: demeaned data, no correction."""
    if design.base.period_effects == "random":
        return None
    return spatial_ml(design)


def _peers(
    design: SpatialDesign, fit: SpatialFit, ml: SpatialML | None, size: int, seed: int
) -> tuple[Peer, ...]:
    """Flat priors and the same likelihood as ML: posterior means differ by skewness only.

    The mean of a posterior lies within sd / sqrt(degrees of freedom) times its skewness, which is
    below two here, of its mode (Johnson & Rogers 1951 bound mode and mean by one sd).
    """
    if ml is None or not ml.converged or design.base.unit_effects == "random":
        return ()
    flat = fit_spatial(
        design, priors="flat", transform="direct", size=size, seed=seed, logdet=fit.logdet
    )
    pairs = [
        (name, flat.coefficient(name), ml.estimates[k], ml.standard_errors[k])
        for k, name in enumerate(design.names)
        if name.removeprefix("W ") in design.base.treatments
    ]
    if fit.logdet is not None:
        pairs.append(("spatial coefficient", flat.draws.rho, ml.rho, ml.rho_se))
    freedom = np.sqrt(design.N - 1)
    return tuple(
        Peer(
            name,
            float(values.mean()),
            float(values.std(ddof=1)),
            "maximum likelihood (direct)",
            float(estimate),
            float(se),
            float(values.std() * (2 / freedom + 5 / np.sqrt(size))),
        )
        for name, values, estimate, se in pairs
    )
