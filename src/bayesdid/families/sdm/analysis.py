"""Spatial Durbin and the models it nests: posteriors of effects, beside ML and what was printed."""

from __future__ import annotations

import numpy as np

from bayesdid.design.build import as_two_way, build_design
from bayesdid.exceptions import InputError
from bayesdid.families.analysis import Analysis, Peer, Table
from bayesdid.families.sdm import SpatialOptions
from bayesdid.families.sdm.effects import stated_effects
from bayesdid.families.sdm.models import compare_models, comparison_tables
from bayesdid.families.sdm.output import (
    DIRECT,
    LEE_YU,
    WEIGHTED,
    coefficient_table,
    dynamic_output,
    effect_figure,
    effect_table,
    maps,
    order_table,
    sentences,
    student_table,
)
from bayesdid.inference.exact.durbin_fit import draw_durbin
from bayesdid.inference.fit import fit as fit_design
from bayesdid.inference.quantities import stacked
from bayesdid.inference.result import Fit
from bayesdid.model.bound import study_priors
from bayesdid.panel.panel import Panel
from bayesdid.peers.spatial_impacts import ml_impacts
from bayesdid.peers.spatial_ml import SpatialML, spatial_ml
from bayesdid.peers.spatial_tests import moran_and_lm
from bayesdid.spatial.design import LAG_OF_ERROR, LAG_OF_Y, SpatialDesign, spatial_design
from bayesdid.spatial.operators.dynamic import dynamic_design
from bayesdid.spatial.operators.impacts import row_sum_note
from bayesdid.spatial.operators.logdet import LogDeterminant, log_determinant
from bayesdid.spatial.weights.build import coordinates, normalisation_of, resolve_weights
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
    base = build_design(as_two_way(spec, with_rows=True), panel)
    weights = _weights(study, spec, panel, name, options)
    logdet = log_determinant(weights, options.logdet)
    design = spatial_design(base, weights, options.model, options.durbin, logdet=logdet)
    size = 4 * draws
    lagged = options.model in LAG_OF_Y | LAG_OF_ERROR
    priors = study_priors(spec, design=base)
    fit = fit_design(design, priors=priors, draws=draws, seed=seed)
    likelihoods = _likelihoods(design) if design.N <= _ML_LIMIT else {}
    ml = likelihoods.get(DIRECT)
    impacts = {label: ml_impacts(design, item) for label, item in likelihoods.items()}
    compared = dict.fromkeys(other for other in options.compare if other != name)
    others = [_weights(study, spec, panel, other, options) for other in compared]
    pairs = [(weights, logdet), *((W, log_determinant(W)) for W in others)]
    models = compare_models(base, pairs, options.durbin, size=size, seed=seed)
    tested = ml is not None and base.weights is None
    tests = moran_and_lm(spatial_design(base, weights, "none")) if tested else None
    tables = [effect_table(fit, spec, impacts), coefficient_table(fit, design, spec, likelihoods)]
    if options.model in LAG_OF_Y:
        tables.append(order_table(fit, design))
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
        figures += maps(fit, design, coordinates(study, panel), panel, study.file.outcome.unit)
    failed: list[str] = []
    heavy = None
    if options.student_t:
        heavy = fit_design(design, likelihood="student_t", priors=priors, draws=draws, seed=seed)
        if heavy.converged:
            tables.append(student_table(fit, heavy))
        else:
            failed.append("Student-t errors")
    if options.dynamic:
        later = dynamic_design(design)
        moving = fit_design(later, priors=priors, draws=draws, seed=seed)
        if moving.converged:
            table, figure = dynamic_output(moving, later, study.file.outcome.unit)
            tables.append(table)
            figures.append(figure)
        else:
            failed.append("dynamic model")
    notes = [note.text for note in (*base.notes, *weights.notes)]
    if base.weights is not None:
        notes.append(WEIGHTED)
    if (about := row_sum_note(weights)) is not None and lagged:
        notes.append(about.text)
    notes.append(
        f"W: {weights.name}; rho uniform between {logdet.interval.low:.3g} and "
        f"{logdet.interval.high:.3g} ({logdet.interval.source}); log-determinant by "
        f"{logdet.method}, {_error(fit, logdet) if lagged else 'not used by this model'}"
    )
    return Analysis(
        spec.id,
        "sdm",
        spec.title,
        sentences(fit, design, models, tests, spec, study.file.outcome.better),
        tuple(tables),
        tuple(figures),
        _peers(design, ml, size, seed),
        fit.tree,
        fit.converged,
        tuple(notes),
        panel.synthetic or "",
        tuple(failed),
        stated_effects(fit, heavy if heavy is not None and heavy.converged else None, impacts),
        fit=fit,
    )


def _error(fit: Fit, logdet: LogDeterminant) -> str:
    """How far off the log-determinant may be where the posterior is."""
    rho = stacked(fit.tree, "rho")
    error = float(logdet.error(np.quantile(rho, [0.01, 0.99])).max())
    return f"error at most {error:.1g}" if error else "exact to rounding"


def _weights(study: Study, spec: Spec, panel: Panel, name: str, options: SpatialOptions) -> Weights:
    how = normalisation_of(spec.column, options.normalisation)
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


def _likelihoods(design: SpatialDesign) -> dict[str, SpatialML]:
    """Maximum likelihood by label: as published tables have it, and without what that gets wrong.

    Direct: demeaned data, no correction. Lee-Yu: effects transformed away, beside it where there
    are fixed ones and no weights of rows, with which no transformation does. Empty for effects that
    maximum likelihood does not know.
    """
    base = design.base
    if base.period_effects in {"random", "mundlak"} or base.unit_effects == "mundlak":
        return {}
    if base.weights is not None and base.unit_effects == "random":
        return {}
    found = {DIRECT: spatial_ml(design)}
    if "fixed" in (base.unit_effects, base.period_effects) and base.weights is None:
        found[LEE_YU] = spatial_ml(design, transform="lee_yu")
    return found


def _peers(design: SpatialDesign, ml: SpatialML | None, size: int, seed: int) -> tuple[Peer, ...]:
    """Flat priors and the same likelihood as ML: posterior means differ by skewness only.

    The mean of a posterior lies within sd / sqrt(degrees of freedom) times its skewness, which is
    below two here, of its mode (Johnson & Rogers 1951 bound mode and mean by one sd).
    """
    if ml is None or not ml.converged or design.base.unit_effects == "random":
        return ()
    flat = draw_durbin(design, priors="flat", transform="direct", size=size, seed=seed)
    pairs = [
        (name, flat.b[:, k], ml.estimates[k], ml.standard_errors[k])
        for k, name in enumerate(design.names)
        if name.removeprefix("W ") in design.base.treatments
    ]
    if design.kind in LAG_OF_Y | LAG_OF_ERROR:
        pairs.append(("spatial coefficient", flat.rho, ml.rho, ml.rho_se))
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
