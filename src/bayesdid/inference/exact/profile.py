"""Exact engine for spillover over distance: independent draws of the profile.

The scalars of :class:`bayesdid.inference.exact.profile_target.ProfileTarget` are drawn by
importance sampling, everything else given them in closed form.
"""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.inference.exact.durbin_effects import Named, caused_levels
from bayesdid.inference.exact.profile_target import spatial_lag, target_and_rest
from bayesdid.inference.exact.recover import DRAWN_UNITS
from bayesdid.inference.exact.weighted_effects import Left, levels_and_periods
from bayesdid.inference.numerics.importance import draw_importance
from bayesdid.inference.registry import Size
from bayesdid.inference.tree import assemble, named_dataset, provenance
from bayesdid.jsonio import plain
from bayesdid.model.levels import taken_up
from bayesdid.model.priors import Priors
from bayesdid.model.spillover import NUGGET, ProfileDesign, correlation
from bayesdid.spatial.design import unstack
from bayesdid.spatial.operators.spectrum import eigenvalues, interval_of
from bayesdid.spatial.weights.rings import ring_impacts

_CHUNK = 500  # draws whose covariance matrices are held at once
_STRATA = 40  # of the uniform prior of rho: each costs one inverse


def fit_profile(design: ProfileDesign, priors: Priors, size: Size) -> xr.DataTree:
    """Independent draws of the profile and everything else.

    Returns
    -------
    DataTree
        ``posterior`` with ``theta`` (ring), ``tau`` (treatment), ``beta`` (covariate), ``sigma``,
        ``amplitude`` (over sigma), ``length``, ``rho`` with a spatial lag, intercept and effects,
        and what :func:`with_profile` adds. ``attrs["converged"]`` is 0 if the gate failed.
    """
    base = design.base
    target, regression = target_and_rest(design, "smooth", priors)
    rng = np.random.default_rng(size.seed)
    found = draw_importance(target, target.start(), size.draws * size.chains, rng)
    L, C, half, quadratic, rho = target.systems(found.z)
    sigma = np.sqrt(quadratic / rng.chisquare(target.nu, len(found.z)))
    noise = half + sigma[:, None] * rng.standard_normal(half.shape)
    u = np.linalg.solve(np.swapaxes(C, 1, 2), noise[:, :, None])
    theta = (L @ u)[:, :, 0]
    coef = regression.draw(theta, rho, sigma, rng)
    P = len(base.treatments)
    values: Named = {
        "tau": (("treatment",), coef[:, :P]),
        "theta": (("ring",), theta),
        "sigma": ((), sigma),
        "amplitude": ((), np.exp(found.z[:, 0])),
        "length": ((), np.exp(found.z[:, 1])),
    }
    if base.covariates:
        values["beta"] = (("covariate",), coef[:, P:])
    if design.weights is not None:
        values["rho"] = ((), rho)
    coords = {
        "treatment": list(base.treatments),
        "covariate": list(base.covariates),
        "ring": design.rings.labels,
        base.unit_dim: base.units,
        base.period_dim: base.periods,
    }
    posterior = with_profile(named_dataset(values, coords, size.chains), design, rng)
    if size.effects and len(base.units) <= DRAWN_UNITS:
        effects = _effects(design, np.hstack([coef, theta]), rho, sigma, rng)
        posterior = posterior.merge(named_dataset(effects, coords, size.chains))
    tree = assemble(posterior, base)
    tree.attrs = provenance(
        dataclasses.replace(base, notes=(*base.notes, *design.notes)),
        priors,
        "profile",
        size.seed,
        size.draws,
        size.chains,
        found.gate(),
        found.log_evidence,
    )
    tree.attrs["profile_priors"] = json.dumps(plain(design.priors))
    return tree


def with_profile(
    posterior: xr.Dataset, design: ProfileDesign, rng: np.random.Generator
) -> xr.Dataset:
    """Add what follows from the draws of a profile model, whatever engine made them.

    ``profile`` (distance, in km) and, with a spatial lag, ``direct`` and ``impact`` (ring): the
    effects once spillovers have spread.
    """
    shape = (posterior.sizes["chain"], posterior.sizes["draw"])

    def flat(name: str) -> FloatArray:
        values = posterior[name].to_numpy()
        return np.asarray(values.reshape(-1, *values.shape[2:]))

    theta = flat("theta")
    profile = between(design, theta, flat("sigma") * flat("amplitude"), flat("length"), rng)
    dims = ("chain", "draw")
    found = posterior.assign_coords(distance=design.grid).assign(
        profile=((*dims, "distance"), profile.reshape(*shape, -1))
    )
    if design.weights is None:
        return found
    direct, impact = ring_impacts(
        design.rings, design.weights.dense(), flat("rho"), flat("tau")[:, 0], theta, design.exposure
    )
    return found.assign(
        direct=(dims, direct.reshape(shape)), impact=((*dims, "ring"), impact.reshape(*shape, -1))
    )


def _effects(
    design: ProfileDesign,
    slopes: FloatArray,
    rho: FloatArray,
    sigma: FloatArray,
    rng: np.random.Generator,
) -> Named:
    """Intercept and effects given everything else, see :mod:`.durbin_effects`."""
    base = design.base
    columns = np.hstack([base.regressors, design.raw[:, base.unit_index, base.period_index].T])
    shared = taken_up(base, columns).unit
    Z = np.stack([unstack(base, column) for column in (columns - columns.mean(axis=0)).T])
    Y = unstack(base, base.y)
    N, T = Y.shape
    lag = np.zeros_like(Y) if design.weights is None else design.weights.matrix @ Y
    if base.weights is None:
        left = [
            Y.mean(axis=k) - rho[:, None] * lag.mean(axis=k) - slopes @ Z.mean(axis=k + 1)
            for k in (0, 1)
        ]
        period = left[0] + sigma[:, None] / np.sqrt(N) * rng.standard_normal((len(sigma), T))
        level = left[1] + sigma[:, None] / np.sqrt(T) * rng.standard_normal((len(sigma), N))
    else:
        layers = np.concatenate([Y[None], lag[None], Z])
        shares = np.hstack([np.ones((len(rho), 1)), -rho[:, None], -slopes])
        of_rows = Left(unstack(base, base.weights), layers, shares, rho, sigma)
        level, period = levels_and_periods(of_rows, rng)
    if design.weights is None:
        alpha = level.mean(axis=1)
        unit = level - alpha[:, None]
    else:
        ends = interval_of(eigenvalues(design.weights))
        alpha, unit = caused_levels(design.weights, ends, rho, level, slopes @ shared.T)
    return {
        "alpha": ((), alpha),
        f"{base.unit_dim}_effect": ((base.unit_dim,), unit),
        f"{base.period_dim}_effect": (
            (base.period_dim,),
            period - period.mean(axis=1, keepdims=True),
        ),
    }


def between(
    design: ProfileDesign,
    theta: FloatArray,
    scale: FloatArray,
    length: FloatArray,
    rng: np.random.Generator,
) -> FloatArray:
    """The profile on the fine grid given its values at the rings, one draw for each, (S, G).

    By kriging a draw of the prior onto them (Matheron's rule: Wilson et al. 2021,
    doi:10.48550/arXiv.2011.04026), so that at ring midpoints it is theta itself.
    """
    grid, rings = design.grid, np.arange(design.rings.R) * 4
    gaps = np.abs(grid[:, None] - grid)
    parts = []
    for begin in range(0, len(theta), _CHUNK):
        rows = slice(begin, begin + _CHUNK)
        K = correlation(design.kernel, gaps, length[rows]) + NUGGET * np.eye(len(grid))
        free = np.linalg.cholesky(K) @ rng.standard_normal((len(K), len(grid), 1))
        off = theta[rows, :, None] / scale[rows, None, None] - free[:, rings]
        moved = K[:, :, rings] @ np.linalg.solve(K[:, rings[:, None], rings], off)
        parts.append(scale[rows, None] * (free + moved)[:, :, 0])
    return np.concatenate(parts)


def prior_profiles(design: ProfileDesign, size: int, *, seed: int = 0) -> dict[str, FloatArray]:
    """Draws of the prior, sigma at its reference: ``theta``, ``profile``, ``tau``, ``rho``, ...

    The signs of a profile do not depend on sigma; what does (a ROPE) is at the reference.
    """
    rng, priors, lag = np.random.default_rng(seed), design.priors, spatial_lag(design)
    amplitude = np.abs(rng.normal(0, priors.amplitude, size))
    length = np.exp(rng.normal(priors.log_length_mean, priors.log_length_sd, size))
    scale = amplitude * priors.reference
    gaps = np.abs(design.grid[:, None] - design.grid)
    parts = []
    for begin in range(0, size, _CHUNK):
        rows = slice(begin, begin + _CHUNK)
        K = correlation(design.kernel, gaps, length[rows]) + NUGGET * np.eye(len(gaps))
        root = np.linalg.cholesky(K) @ rng.standard_normal((len(K), len(gaps), 1))
        parts.append(scale[rows, None] * root[:, :, 0])
    profile = np.concatenate(parts)
    sd = priors.coefficient_sd[0] * priors.reference
    found = {
        "amplitude": amplitude,
        "length": length,
        "profile": profile,
        "theta": profile[:, ::4],
        "tau": rng.normal(0, sd, size),
    }
    if lag is not None and design.weights is not None:
        found["rho"] = (lag.low + (lag.high - lag.low) * (np.arange(_STRATA) + 0.5) / _STRATA)[
            rng.integers(_STRATA, size=size)
        ]
        found["impact"] = ring_impacts(
            design.rings,
            design.weights.dense(),
            found["rho"],
            found["tau"],
            found["theta"],
            design.exposure,
        )[1]
    return found
