"""Fit two-way and spatial models with Student-t errors by chains of blocks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.design.regressors import regressors
from bayesdid.inference.exact.durbin import SpatialDraws
from bayesdid.inference.exact.durbin_effects import Named, named_levels
from bayesdid.inference.exact.recover import Effects
from bayesdid.inference.exact.rows import kind_of
from bayesdid.inference.exact.tails import TailDraws, Tailed, draw_tails
from bayesdid.inference.exact.target import beliefs
from bayesdid.inference.gate import GateItem, chain_gate
from bayesdid.inference.registry import Size
from bayesdid.inference.tree import assemble, named_dataset, posterior_dataset, provenance
from bayesdid.model.priors import Priors
from bayesdid.model.spatial import intercept_inside, spatial_blocks
from bayesdid.model.spatial_priors import spatial_priors
from bayesdid.spatial.design import LAG_OF_Y, SpatialDesign
from bayesdid.spatial.operators.moments import exponents, log_factor

_EDGE = 1e-6  # of the interval of rho, left out at either end


def fit_tails(design: Design, priors: Priors, size: Size, *, weighted: bool) -> xr.DataTree:
    """Posterior of a two-way model with i.i.d. Student-t errors of one scale.

    Returns
    -------
    DataTree
        As of :func:`bayesdid.inference.fit.fit`, with ``nu``; ``attrs["converged"]`` is 0 if the
        chains failed their gate.
    """
    data = regressors(design)
    believed = beliefs(design, data, priors)
    model = Tailed(
        data.R,
        data.y,
        np.zeros(design.n),
        design.unit_index,
        design.period_index,
        _roots(design, weighted),
        (len(design.units), len(design.periods)),
        (kind_of(design.unit_effects), kind_of(design.period_effects)),
        believed.mean,
        believed.sd,
        priors,
    )

    def posterior(drawn: TailDraws) -> xr.Dataset:
        alpha, unit, period = _centred(model, drawn)
        draws = {"coef": drawn.coef, "sigma": drawn.sigma, **_group_scales(model, drawn, design)}
        found = posterior_dataset(design, data, draws, Effects(alpha, unit, period), size.chains)
        return found.assign(nu=(("chain", "draw"), drawn.nu.reshape(size.chains, -1)))

    return _tree(model, posterior, design, priors, size, "tails")


def fit_durbin_tails(design: SpatialDesign, priors: Priors, size: Size) -> xr.DataTree:
    """Posterior of a spatial model without a lag of the error, with i.i.d. Student-t errors.

    Parameters
    ----------
    priors
        Of the outcome's equation; prior sds are relative to sigma, see
        :mod:`bayesdid.model.spatial_priors`.

    Returns
    -------
    DataTree
        As :func:`bayesdid.inference.exact.durbin_fit.fit_durbin` gives it, with ``nu``.
    """
    base, (i, t) = design.base, (design.base.unit_index, design.base.period_index)
    resolved, reference = spatial_priors(design, priors)
    blocks = spatial_blocks(design).main
    columns = np.hstack([columns for _, _, columns in blocks.values()])
    scale = columns.std(axis=0)
    lagged = design.kind in LAG_OF_Y
    rho = None
    if lagged:
        logdet, of = design.logdet, exponents(design)
        low, high = logdet.interval.low, logdet.interval.high
        room = _EDGE * (high - low)
        rho = (low + room, high - room, lambda at: log_factor(at, logdet.value(at), of))
    model = Tailed(
        columns / scale,
        base.y,
        np.asarray(design.weights.matrix @ design.Y)[i, t] if lagged else np.zeros(base.n),
        i,
        t,
        _roots(base, base.weights is not None),
        (design.N, design.T),
        (kind_of(base.unit_effects), kind_of(base.period_effects)),
        np.array([resolved.means[name] for name in design.names]) * scale,
        np.array([resolved.sds[name] for name in design.names]) * scale,
        resolved,
        reference,
        rho,
    )

    def posterior(drawn: TailDraws) -> xr.Dataset:
        own = dataclasses.replace(drawn, coef=drawn.coef / scale)
        variables: Named = {"sigma": ((), own.sigma), "nu": ((), own.nu)}
        variables |= {"rho": ((), own.rho)} if lagged else {}
        coords: dict[str, object] = {base.unit_dim: base.units, base.period_dim: base.periods}
        start = 0
        for name, (dim, terms, _) in blocks.items():
            coords[dim] = list(terms)
            variables[name] = ((dim,), own.coef[:, start : start + len(terms)])
            start += len(terms)
        scales = _group_scales(model, own, base)
        variables |= {name: ((), values) for name, values in scales.items()}
        alpha, unit, period = _levels(design, model, own)
        variables["alpha"] = ((), alpha)
        for dim, values in ((base.unit_dim, unit), (base.period_dim, period)):
            if values.shape[1]:
                variables[f"{dim}_effect"] = ((dim,), values)
        return named_dataset(variables, coords, size.chains)

    return _tree(model, posterior, base, priors, size, "durbin_tails")


def _tree(
    model: Tailed,
    posterior: Callable[[TailDraws], xr.Dataset],
    base: Design,
    priors: Priors,
    size: Size,
    engine: str,
) -> xr.DataTree:
    """Draws that are judged as they are named, unit effects included, and their provenance."""

    def judge(drawn: TailDraws) -> list[GateItem]:
        return chain_gate(xr.DataTree.from_dict({"posterior": posterior(drawn)}))

    drawn, gate = draw_tails(
        model, judge, draws=size.draws, chains=size.chains, seed=size.seed, workers=size.cores
    )
    tree = assemble(posterior(drawn), base)
    tree.attrs = provenance(base, priors, engine, size.seed, size.draws, size.chains, gate, None)
    return tree


def _roots(design: Design, weighted: bool) -> FloatArray:
    if not weighted or design.weights is None:
        return np.ones(design.n)
    return np.sqrt(design.weights)


def _group_scales(model: Tailed, drawn: TailDraws, design: Design) -> dict[str, FloatArray]:
    names = (f"sigma_{design.unit_dim}", f"sigma_{design.period_dim}")
    scales = (drawn.sigma_unit, drawn.sigma_period)
    each = zip(names, scales, model.kinds, strict=True)
    return {name: values for name, values, kind in each if kind == "random"}


def _centred(model: Tailed, drawn: TailDraws) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Intercept (S,) and effects; fixed ones sum to zero over their levels."""
    alpha, unit, period = drawn.intercept, drawn.unit, drawn.period
    if model.kinds[0] == "fixed":
        alpha, unit = alpha + unit.mean(axis=1), unit - unit.mean(axis=1, keepdims=True)
    if model.kinds[1] == "fixed":
        alpha, period = alpha + period.mean(axis=1), period - period.mean(axis=1, keepdims=True)
    return alpha, unit, period


def _levels(
    design: SpatialDesign, model: Tailed, drawn: TailDraws
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """As :func:`_centred`, named as in :mod:`bayesdid.inference.exact.durbin_effects`."""
    alpha, unit, period = _centred(model, drawn)
    if model.kinds[0] == "fixed":
        empty = np.empty((len(alpha), 0))
        as_drawn = SpatialDraws(drawn.rho, drawn.coef, empty, drawn.sigma, empty, float("nan"), ())
        return *named_levels(design, as_drawn, unit + alpha[:, None]), period
    row_sum = design.weights.constant_row_sum
    if intercept_inside(design) and row_sum is not None:
        alpha = alpha / (1 - drawn.rho * row_sum)
    return alpha, unit, period
