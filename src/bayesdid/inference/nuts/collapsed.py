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
from bayesdid.inference.exact.collapse import Equations
from bayesdid.inference.exact.draw import Draws
from bayesdid.inference.exact.target import Scalars
from bayesdid.inference.exact.two_way import TwoWay


def draw_collapsed(
    model: TwoWay, *, draws: int, tune: int, chains: int, seed: int, cores: int
) -> tuple[Draws, xr.Dataset]:
    """Draws of everything but the effects, a chain's adjacent, and statistics of the chains."""
    import nutpie

    data, compiled = compiled_model(model)
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
    rho = [
        (flat[f"sigma_{name}"] / sigma) ** 2 if random else one
        for name, random in zip(("unit", "period"), model.stats.kinds, strict=True)
    ]
    scalars = Scalars(sigma, 0 * one, rho[0], rho[1], np.empty((len(sigma), 0)))
    # NUTS explores coefficients made orthogonal by the within cross-products
    coef = flat["b"] @ data["whitening"].T
    return Draws(scalars, coef, [], float("nan")), tree["sample_stats"].to_dataset()


def compiled_model(model: TwoWay) -> tuple[dict[str, FloatArray], Any]:
    """Data of a model and the compiled graph for its shape, cached."""
    stats, precision = model.stats, model.beliefs.sd**-2.0
    A, _ = stats.gram(np.zeros(1), np.ones(1), np.ones(1))
    spread = A[0, -1, -1] / max(stats.nu, 1)
    information = A[0, :-1, :-1] + np.diag(precision) * spread
    data = {
        "whitening": np.linalg.inv(np.linalg.cholesky(information)).T * np.sqrt(spread),
        "prior_mean": model.beliefs.mean,
        "prior_precision": precision,
        **_stat_data(stats),
    }
    if not model.priors.is_flat:
        data["scale"] = np.array(model.priors.scale)
    shape = (
        model.priors.is_flat,
        tuple((name, np.shape(value)) for name, value in data.items()),
        (stats.swapped, stats.rows.unit_kind, stats.rows.period_kind),
    )
    return data, _compile(_Key(shape, model, data))


class _Key:
    """Hashes by shape only, and carries the first data of that shape to the compiler."""

    def __init__(self, shape: tuple[Any, ...], model: TwoWay, data: dict[str, Any]) -> None:
        self.shape, self.model, self.data = shape, model, data

    def __hash__(self) -> int:
        return hash(self.shape)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.shape == other.shape


@lru_cache(maxsize=32)
def _compile(key: _Key) -> Any:
    import nutpie

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return nutpie.compile_pymc_model(_model(key.model, key.data))


def _stat_data(stats: Equations) -> dict[str, FloatArray]:
    used = {"M": stats.M[0], "nu": np.array(float(stats.nu))}
    if stats.products is not None:
        used |= {"Q": stats.products.Q, "d": stats.products.d[:, 0], "size": stats.products.size}
    return used


def _model(of: TwoWay, data: dict[str, FloatArray]) -> pm.Model:
    priors, flat = of.priors, of.priors.is_flat
    with pm.Model() as model:
        d = {name: pm.Data(name, value) for name, value in data.items()}
        b = pm.Flat("b", shape=len(of.beliefs.mean))
        coef = d["whitening"] @ b
        prior = d["prior_precision"] * (coef - d["prior_mean"]) ** 2
        pm.Potential("coefficient_prior", -0.5 * pt.sum(prior))
        log_sigma = pm.Flat("log_sigma")
        sigma = pm.Deterministic("sigma", pt.exp(log_sigma))
        if not flat:
            pm.Potential("sigma_prior", log_sigma - sigma / d["scale"])
        rho = []
        for name, random in zip(("unit", "period"), of.stats.kinds, strict=True):
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
        q, logdet = _likelihood(of.stats, d, residual, *of.stats.ratios(rho[0], rho[1]))
        pm.Potential("likelihood", -d["nu"] * log_sigma - 0.5 * logdet - 0.5 * q / sigma**2)
    return model


def _likelihood(
    stats: Equations, d: dict[str, Any], r: Any, rho_first: Any, rho_second: Any
) -> tuple[Any, Any]:
    """Quadratic form and log-determinant, units eliminated by classes, then the rest."""
    G, logdet, m = d["M"], 0.0, stats.m
    if stats.products is not None:
        random = stats.rows.unit_kind == "random"
        total = d["d"] + (1 / rho_first if random else 0.0)
        G = G - pt.tensordot(1 / total, d["Q"], axes=1)
        logdet = logdet + pt.sum(d["size"] * pt.log(total))
        if random:
            logdet = logdet + stats.rows.N * pt.log(rho_first)
    q = r @ G[m:, m:] @ r
    if not m:
        return q, logdet
    penalised = stats.rows.period_kind == "random"
    penalty = stats.penalised / rho_second if penalised else 0.0 * stats.penalised
    L = pt.linalg.cholesky(G[:m, :m] + pt.diag(pt.as_tensor(penalty)))
    right = pt.linalg.solve_triangular(L, G[:m, m:] @ r, lower=True)
    logdet = logdet + 2 * pt.sum(pt.log(pt.diag(L)))
    if penalised:
        logdet = logdet + stats.penalised.sum() * pt.log(rho_second)
    return q - pt.sum(right**2), logdet
