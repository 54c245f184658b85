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
from bayesdid.inference.exact.profile_target import spatial_lag, target_and_rest
from bayesdid.inference.numerics.importance import draw_importance
from bayesdid.inference.tree import provenance
from bayesdid.jsonio import plain
from bayesdid.model.priors import resolve_priors
from bayesdid.model.spillover import NUGGET, ProfileDesign, correlation
from bayesdid.spatial.weights.rings import ring_impacts

_CHUNK = 500  # draws whose covariance matrices are held at once
_STRATA = 40  # of the uniform prior of rho: each costs one inverse


def fit_profile(
    design: ProfileDesign, *, draws: int = 1000, chains: int = 4, seed: int = 0
) -> xr.DataTree:
    """Independent draws of the profile and everything else.

    Returns
    -------
    DataTree
        ``posterior`` with ``theta`` (ring), ``profile`` (distance, in km), ``tau`` (treatment),
        ``beta`` (covariate), ``sigma``, ``amplitude`` (over sigma), ``length`` and, with a
        spatial lag, ``rho``, ``direct`` and ``impact`` (ring): the effects once spillovers have
        spread. ``attrs["converged"]`` is 0 if the gate failed.
    """
    target, regression = target_and_rest(design, "smooth")
    rng = np.random.default_rng(seed)
    found = draw_importance(target, target.start(), draws * chains, rng)
    L, C, half, quadratic, rho = target.systems(found.z)
    sigma = np.sqrt(quadratic / rng.chisquare(design.nu, len(found.z)))
    noise = half + sigma[:, None] * rng.standard_normal(half.shape)
    u = np.linalg.solve(np.swapaxes(C, 1, 2), noise[:, :, None])
    theta = (L @ u)[:, :, 0]
    coef = regression.draw(theta, rho, sigma, rng)
    amplitude, length = np.exp(found.z[:, 0]), np.exp(found.z[:, 1])
    P = len(design.base.treatments)
    values: dict[str, tuple[tuple[str, ...], FloatArray]] = {
        "tau": (("treatment",), coef[:, :P]),
        "theta": (("ring",), theta),
        "profile": (("distance",), between(design, theta, sigma * amplitude, length, rng)),
        "sigma": ((), sigma),
        "amplitude": ((), amplitude),
        "length": ((), length),
    }
    coords = {
        "treatment": list(design.base.treatments),
        "ring": design.rings.labels,
        "distance": design.grid,
        "chain": np.arange(chains),
        "draw": np.arange(draws),
    }
    if design.base.covariates:
        values["beta"] = (("covariate",), coef[:, P:])
        coords["covariate"] = list(design.base.covariates)
    if design.weights is not None:
        direct, impact = ring_impacts(
            design.rings, design.weights.dense(), rho, coef[:, 0], theta, design.exposure
        )
        values |= {"rho": ((), rho), "direct": ((), direct), "impact": (("ring",), impact)}
    posterior = xr.Dataset(
        {
            n: (("chain", "draw", *dims), v.reshape(chains, draws, *v.shape[1:]))
            for n, (dims, v) in values.items()
        },
        coords=coords,
    )
    base = dataclasses.replace(design.base, notes=(*design.base.notes, *design.notes))
    tree = xr.DataTree.from_dict({"posterior": posterior})
    tree.attrs = provenance(
        base,
        resolve_priors("weak", base),
        "profile",
        seed,
        draws,
        chains,
        found.gate(),
        found.log_evidence,
    )
    tree.attrs["profile_priors"] = json.dumps(plain(design.priors))
    return tree


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
