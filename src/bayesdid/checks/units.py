"""Leave one whole unit out: how far it lies from the model without it, and what moves.

Given the unit's own effect and scale nothing would be left to predict it with, so both are
integrated out (Merkle, Furr & Rabe-Hesketh 2019, doi:10.1007/s11336-019-09679-0), and importance
weights remove the unit from the posterior. A unit's T residuals are, given the other parameters,

    e ~ N(0, sigma^2 / lambda R(phi) + sigma_unit^2 l l'),   lambda = 1 or gamma(nu/2, nu/2),

with the serial correlation R and l the root of the rows' weights. Under a fixed effect (flat
prior) only the T - 1 contrasts across l are predicted.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import gammaln, logsumexp
from scipy.stats import chi2, f

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.checks.rows import thinned
from bayesdid.design.design import Design
from bayesdid.design.regressors import is_random
from bayesdid.inference.equations import Draws, linear_predictor
from bayesdid.model.bound import BoundModel
from bayesdid.model.mean import Path, Pooled, TwoWay
from bayesdid.model.resolve import base_of

UNIT = ("p", "shift", "unit_k", "unit_elpd")  # what :func:`without_unit` says of a unit
_SCALES = 300  # draws of the scales that a tail probability is averaged over
_ROUNDING = 1e-9  # of a unit's own columns, below which one repeats the others
_NODES = np.linspace(-7.0, 7.0, 41)  # of log lambda around its centre, in standard deviations


def leaves_units_out(bound: BoundModel) -> bool:
    """Whether units of this model can be left out: normal errors around one linear predictor.

    A unit's own slopes must be fixed, as its level is: they are integrated out together.
    """
    model, design = bound.model, base_of(bound.design)
    for one in design.further:
        if one.of == "unit" and (one.kind != "fixed" or design.unit_effects != "fixed"):
            return False
    return model.likelihood.name == "normal" and isinstance(model.mean, TwoWay | Pooled | Path)


@dataclass(frozen=True, slots=True)
class _Scales:
    """Draws of what a unit's residuals vary by, shape (S,) each; None where the model has none."""

    sigma: FloatArray
    level: FloatArray
    phi: FloatArray | None
    nu: FloatArray | None


@dataclass(frozen=True, slots=True)
class _Shape:
    """How a unit's residuals go together; units with the same periods and weights share it.

    R (1 or S, T, T) is their correlation with the factor L, `level` (T,) what their level
    multiplies, `root` (1 or S, T) that whitened, and Q (T, T - 1) contrasts that the level leaves,
    fewer where a unit has slopes of its own.
    """

    R: FloatArray
    L: FloatArray
    level: FloatArray
    root: FloatArray
    Q: FloatArray

    @classmethod
    def of(cls, R: FloatArray, level: FloatArray, slopes: FloatArray | None = None) -> _Shape:
        """Factorise once; `slopes`, (T, q), are the unit's own and flat as well."""
        L = np.linalg.cholesky(R)
        root = np.linalg.solve(L, np.broadcast_to(level[:, None], (*L.shape[:2], 1)))[:, :, 0]
        if slopes is None or not slopes.shape[1]:
            Q = np.linalg.qr(level[:, None], mode="complete")[0][:, 1:]
        else:
            left, size, _ = np.linalg.svd(np.column_stack([level, slopes]))
            Q = left[:, (size > _ROUNDING * size[0]).sum() :]
        return cls(R, L, level, root, Q)

    def across(self) -> _Shape:
        """Of the orthonormal contrasts that depend neither on the unit's level nor its slopes."""
        return _Shape.of(self.Q.T @ self.R @ self.Q, np.zeros(self.Q.shape[1]))


@dataclass(frozen=True, slots=True)
class _Residuals:
    """Of one unit: e (S, T) and how they go together."""

    e: FloatArray
    shape: _Shape

    def log_density(self, scales: _Scales) -> FloatArray:
        """Shape (S,)."""
        L, root, T = self.shape.L, self.shape.root, len(self.shape.level)
        white = np.linalg.solve(L, self.e[:, :, None])[:, :, 0]
        log_det = 2 * np.log(np.diagonal(L, axis1=1, axis2=2)).sum(axis=1)
        along, whole = (white * root).sum(axis=1), (root**2).sum(axis=1)
        square, variance = (white**2).sum(axis=1), scales.sigma**2
        shared = scales.level**2 * (whole > 0)
        if scales.nu is None:
            return _normal(square, along, whole, variance, shared, T) - 0.5 * log_det
        nu = scales.nu
        if not shared.any():
            return np.asarray(
                gammaln((nu + T) / 2)
                - gammaln(nu / 2)
                - 0.5 * (T * np.log(np.pi * nu * variance) + log_det)
                - 0.5 * (nu + T) * np.log1p(square / (nu * variance))
            )
        # between what the contrasts alone say of lambda and what they and the level say
        shape = (nu + T - 1) / 2
        most = np.log(shape / ((nu + (square - along**2 / whole) / variance) / 2))
        least = np.log(shape / ((nu + square / variance) / 2))
        reach = np.sqrt(1 / shape)
        middle, half = (most + least) / 2, (most - least) / 2
        log_lambda = middle + _NODES[:, None] * (reach + half / _NODES[-1])
        prior = nu / 2 * (np.log(nu / 2) + log_lambda - np.exp(log_lambda)) - gammaln(nu / 2)
        step = (_NODES[1] - _NODES[0]) * (reach + half / _NODES[-1])
        density = _normal(square, along, whole, variance / np.exp(log_lambda), shared, T)
        return np.asarray(logsumexp(prior + density, axis=0) + np.log(step) - 0.5 * log_det)


def _normal(
    square: FloatArray,
    along: FloatArray,
    whole: FloatArray,
    variance: FloatArray,
    shared: FloatArray,
    T: int,
) -> FloatArray:
    """Log density of white residuals plus a level, up to the determinant of R."""
    total = variance + shared * whole
    return np.asarray(
        -0.5
        * (
            square / variance
            - along**2 * shared / (variance * total)
            + T * np.log(2 * np.pi * variance)
            + np.log(total / variance)
        )
    )


def left_out_weights(log_density: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Log weights that remove what has this density from a posterior, smoothed; their Pareto k.

    Parameters
    ----------
    log_density
        Draws along the last axis.
    """
    from arviz_stats.base.array import array_stats

    stats: Any = array_stats  # untyped
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # whoever asks says how large k is
        log_weight, k = stats.psislw(log_density)  # of 1 / density
    return log_weight, k


def without_unit(
    tree: xr.DataTree,
    bound: BoundModel,
    *,
    contrasts_only: bool = False,
    of: Mapping[str, FloatArray] | None = None,
) -> pd.DataFrame:
    """Leave out one whole unit at a time: ``p``, ``shift``, ``unit_k``, ``unit_elpd`` by unit.

    Parameters
    ----------
    tree, bound
        A fit with its effects, and the model and design it is of; see :func:`leaves_units_out`.
    contrasts_only
        Predict only the T - 1 contrasts within a unit, whatever its effect, so that models with
        fixed and with random effects can be compared.
    of
        Draws of effects by name, (chain, draw) of the thinned posterior, whose mean and sd without
        each unit are wanted: columns ``mean: name`` and ``sd: name``.

    Returns
    -------
    DataFrame
        ``p``: probability of a squared distance as large as the unit's under the posterior without
        it, which allows for the uncertainty of the mean as well, so that it is that of a new unit;
        with unit scales, of its T - 1 contrasts, whose distance is F distributed. ``shift``: by how
        many posterior sds the treatment's mean moves that moves most; ``unit_k``: Pareto k of the
        weights; ``unit_elpd``: log density of the unit. A unit of which nothing is predicted (one
        row under a fixed effect) has p = 1.
    """
    design = base_of(bound.design)
    posterior = thinned(tree, design)
    draws = Draws(posterior, slice(None))
    scales = _scales(draws, bound, design)
    mean = linear_predictor(draws, design)
    if design.unit_effects != "none":
        mean = mean - draws[f"{design.unit_dim}_effect"][:, design.unit_index]
    size = np.ones(design.n) if design.weights is None else design.weights
    root = np.sqrt(size if bound.model.weighted else np.ones(design.n))
    residual = (design.y - mean) * root
    tau = draws["tau"]
    across = design.unit_effects == "fixed" or contrasts_only
    own = [one.times * root for one in design.further if one.is_unit_slope]
    slopes = np.column_stack(own) if own else np.empty((design.n, 0))
    rows = []
    shapes: dict[bytes, tuple[_Shape, _Shape]] = {}
    for unit in range(len(design.units)):
        mine = np.flatnonzero(design.unit_index == unit)
        if across and len(mine) == 1:
            flat = np.full(draws.size, 1 / draws.size)
            alone = {"p": 1.0, "shift": 0.0, "unit_k": 0.0, "unit_elpd": 0.0}
            rows.append(alone | _moments(flat, of))
            continue
        when = design.periods[design.period_index[mine]].astype(np.int64)
        key = (when - when[0]).tobytes() + root[mine].tobytes() + slopes[mine].tobytes()
        if key not in shapes:
            one = _Shape.of(_correlation(scales.phi, when), root[mine], slopes[mine])
            shapes[key] = (one, one.across() if len(mine) > 1 else one)
        whole = _Residuals(residual[:, mine], shapes[key][0])
        contrasts = _Residuals(whole.e @ whole.shape.Q, shapes[key][1]) if len(mine) > 1 else whole
        seen = contrasts if across else whole
        log_density = seen.log_density(scales)
        log_weight, k = left_out_weights(log_density)
        weight = np.exp(log_weight - log_weight.max())
        weight /= weight.sum()
        moved = (weight @ tau - tau.mean(axis=0)) / tau.std(axis=0)
        top = log_density.max()
        judged = seen if scales.nu is None else contrasts
        rows.append(
            {
                "p": _tail(judged, weight, scales),
                "shift": float(moved[np.abs(moved).argmax()]),
                "unit_k": float(k),
                "unit_elpd": float(np.log(weight @ np.exp(log_density - top)) + top),
            }
            | _moments(weight, of)
        )
    return pd.DataFrame(rows, index=pd.Index(design.units.astype(str), name="unit"))


def _moments(weight: FloatArray, of: Mapping[str, FloatArray] | None) -> dict[str, float]:
    """Weighted mean and sd of each effect."""
    found = {}
    for name, draws in (of or {}).items():
        mean = float(weight @ draws.ravel())
        found[f"mean: {name}"] = mean
        found[f"sd: {name}"] = float(np.sqrt(weight @ (draws.ravel() - mean) ** 2))
    return found


def _tail(part: _Residuals, weight: FloatArray, scales: _Scales) -> float:
    """Probability of a squared distance as large as that of the weighted mean residual."""
    e, shape = part.e, part.shape
    T = len(shape.level)
    some = np.linspace(0, len(e) - 1, min(len(e), _SCALES)).astype(int)
    centre = weight @ e
    spread = (e - centre).T @ ((e - centre) * weight[:, None])
    R = shape.R[some] if len(shape.R) > 1 else shape.R
    scale = scales.sigma[some, None, None] ** 2 * R + spread
    scale = scale + scales.level[some, None, None] ** 2 * np.outer(shape.level, shape.level)
    distance = np.linalg.solve(scale, centre[:, None])[:, :, 0] @ centre
    nu = scales.nu
    tails = chi2.sf(distance, T) if nu is None else f.sf(distance / T, T, nu[some])
    return float(np.average(tails, weights=weight[some]))


def _scales(draws: Draws, bound: BoundModel, design: Design) -> _Scales:
    errors = bound.model.errors
    level = np.zeros(draws.size)
    if is_random(design.unit_effects):
        level = draws[f"sigma_{design.unit_dim}"]
    return _Scales(
        draws["sigma"],
        level,
        draws["phi"] if errors.serial == "ar1" else None,
        draws["nu_unit"] if errors.scale == "unit" else None,
    )


def _correlation(phi: FloatArray | None, when: IntArray) -> FloatArray:
    """Of a unit's errors, shape (1, T, T) if they are independent, else (S, T, T)."""
    if phi is None:
        return np.eye(len(when))[None]
    gaps = np.abs(when[:, None] - when)
    return np.asarray(phi[:, None, None] ** gaps)
