"""Collapsed engine: NUTS on the small parameters, effects drawn exactly afterwards.

The likelihood is that of :mod:`bayesdid.inference.exact.collapse`, in PyTensor. Cross-products
enter as ``pm.Data``: one compiled graph serves every spec of one shape.
"""

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.design.regressors import is_random
from bayesdid.inference.exact.collapse import Blocks, Strata
from bayesdid.inference.exact.conditional import Conditional


def draw_collapsed(
    target: Conditional, *, draws: int, tune: int, chains: int, seed: int, cores: int
) -> tuple[dict[str, FloatArray], xr.Dataset]:
    """Draws of ``coef``, ``sigma``, ``rho_unit``, ``rho_period`` (draws of a chain adjacent)."""
    import nutpie

    data, compiled = compiled_model(target)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Numba announces internals
        tree = nutpie.sample(
            compiled.with_data(**data),
            draws=draws,
            tune=tune,
            chains=chains,
            cores=cores,
            seed=seed,
            progress_bar=False,
        )
    posterior = tree["posterior"].to_dataset()
    flat = {
        str(name): value.to_numpy().reshape(chains * draws, *value.shape[2:])
        for name, value in posterior.data_vars.items()
    }
    sigma = flat["sigma"]
    one = np.ones_like(sigma)
    return {
        # NUTS explores coefficients made orthogonal by the within cross-products
        "coef": flat["b"] @ data["whitening"].T,
        "sigma": sigma,
        "rho_unit": (flat["sigma_unit"] / sigma) ** 2 if target.kinds[0] else one,
        "rho_period": (flat["sigma_period"] / sigma) ** 2 if target.kinds[1] else one,
    }, tree["sample_stats"].to_dataset()


def compiled_model(target: Conditional) -> tuple[dict[str, FloatArray], Any]:
    """Data of `target` and the compiled graph for its shape, cached."""
    stats = target.stats
    A, _ = stats.gram(np.ones(1), np.ones(1))
    information = A[0, :-1, :-1] + np.diag(target.precision) * A[0, -1, -1] / max(stats.nu, 1)
    whitening = np.linalg.inv(np.linalg.cholesky(information)).T * np.sqrt(
        A[0, -1, -1] / max(stats.nu, 1)
    )
    data = {
        "whitening": whitening,
        "prior_mean": target.mean,
        "prior_precision": target.precision,
        **_stat_data(stats),
    }
    if not target.priors.is_flat:
        data["scale"] = np.array(target.priors.scale)
    shape = (
        type(stats).__name__,
        target.kinds,
        target.priors.is_flat,
        tuple((name, np.shape(value)) for name, value in data.items()),
        *(
            (stats.unit, stats.period)
            if isinstance(stats, Strata)
            else (stats.swapped, stats.big, stats.small)
        ),
    )
    return data, _compile(_Key(shape, target, data))


class _Key:
    """Hashes by shape only, and carries the first data of that shape to the compiler."""

    def __init__(self, shape: tuple[Any, ...], target: Conditional, data: dict[str, Any]) -> None:
        self.shape, self.target, self.data = shape, target, data

    def __hash__(self) -> int:
        return hash(self.shape)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.shape == other.shape


@lru_cache(maxsize=32)
def _compile(key: _Key) -> Any:
    import nutpie

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return nutpie.compile_pymc_model(_model(key.target, key.data))


def _stat_data(stats: Strata | Blocks) -> dict[str, FloatArray]:
    if isinstance(stats, Strata):
        used = {
            "within": stats.within,
            "N": np.array(float(stats.N)),
            "T": np.array(float(stats.T)),
        }
        if stats.unit != "fixed":
            used["between_units"] = stats.between_units
        if stats.period != "fixed":
            used["between_periods"] = stats.between_periods
        return used
    return {
        "counts": stats.counts,
        "C": stats.C,
        "HH": stats.HH,
        "ZW": stats.ZW,
        "HW": stats.HW,
        "WW": stats.WW,
        "nu": np.array(float(stats.nu)),
    }


def _model(target: Conditional, data: dict[str, FloatArray]) -> pm.Model:
    priors, flat = target.priors, target.priors.is_flat
    with pm.Model() as model:
        d = {name: pm.Data(name, value) for name, value in data.items()}
        b = pm.Flat("b", shape=len(target.mean))
        coef = d["whitening"] @ b
        prior = d["prior_precision"] * (coef - d["prior_mean"]) ** 2
        pm.Potential("coefficient_prior", -0.5 * pt.sum(prior))
        log_sigma = pm.Flat("log_sigma")
        sigma = pm.Deterministic("sigma", pt.exp(log_sigma))
        if not flat:
            pm.Potential("sigma_prior", log_sigma - sigma / d["scale"])
        rho = []
        for name, random in zip(("unit", "period"), target.kinds, strict=True):
            if not random:
                rho.append(pt.ones(()))
                continue
            log_group = pm.Flat(
                f"log_sigma_{name}",
                initval=np.log(np.maximum(priors.scale, 1e-3)) if not flat else 0.0,
            )
            group = pm.Deterministic(f"sigma_{name}", pt.exp(log_group))
            # densities of log(sigma_group): gamma with shape 2, or flat on sigma_group
            density = log_group if flat else 2 * log_group - 2 * group / d["scale"]
            pm.Potential(f"sigma_{name}_prior", density)
            rho.append((group / sigma) ** 2)
        residual = pt.concatenate([-coef, [1.0]])
        part = _strata_likelihood if isinstance(target.stats, Strata) else _blocks_likelihood
        q, logdet, nu = part(target.stats, d, residual, rho[0], rho[1])
        pm.Potential("likelihood", -nu * log_sigma - 0.5 * logdet - 0.5 * q / sigma**2)
    return model


def _strata_likelihood(
    stats: Any, d: dict[str, Any], r: Any, rho_unit: Any, rho_period: Any
) -> tuple[Any, Any, Any]:
    N, T = d["N"], d["T"]
    q, logdet, nu = r @ d["within"] @ r, 0.0, (N - 1) * (T - 1)
    for kind, name, inflation, dof in (
        (stats.unit, "between_units", T * rho_unit, N - 1),
        (stats.period, "between_periods", N * rho_period, T - 1),
    ):
        if kind == "fixed":
            continue
        matrix, nu = d[name], nu + dof
        if is_random(kind):
            q = q + r @ matrix @ r / (1 + inflation)
            logdet = logdet + dof * pt.log1p(inflation)
        else:
            q = q + r @ matrix @ r
    return q, logdet, nu


def _blocks_likelihood(
    stats: Any, d: dict[str, Any], r: Any, rho_unit: Any, rho_period: Any
) -> tuple[Any, Any, Any]:
    rho_big, rho_small = (rho_period, rho_unit) if stats.swapped else (rho_unit, rho_period)
    diagonal = d["counts"] + (1 / rho_big if is_random(stats.big) else 0.0)
    penalty = stats.penalised / rho_small if is_random(stats.small) else 0.0 * stats.penalised
    z, h = d["ZW"] @ r, d["HW"] @ r
    S = d["HH"] + pt.diag(pt.as_tensor(penalty)) - d["C"].T @ (d["C"] / diagonal[:, None])
    L = pt.linalg.cholesky(S)
    right = pt.linalg.solve_triangular(L, h - d["C"].T @ (z / diagonal), lower=True)
    q = r @ d["WW"] @ r - pt.sum(z**2 / diagonal) - pt.sum(right**2)
    logdet = pt.sum(pt.log(diagonal)) + 2 * pt.sum(pt.log(pt.diag(L)))
    if is_random(stats.big):
        logdet = logdet + d["counts"].shape[0] * pt.log(rho_big)
    if is_random(stats.small):
        logdet = logdet + stats.small_levels * pt.log(rho_small)
    return q, logdet, d["nu"]
