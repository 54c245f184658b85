"""Mediation exactly: the outcome's equation and the mediators' have posteriors of their own.

Innovations of the outcome are not correlated with those of the mediators (see
:mod:`bayesdid.model.pymc.mediation`), so that the posterior is a product. The outcome's equation is
a two-way model with the mediators among its covariates, and so is that of a single mediator, under
any effects, further ones too, priors, weights and errors (chains where units have scales of their
own). Several mediators have correlated innovations: with fixed or no effects their equations are
drawn from the matrix-normal inverse-Wishart posterior of flat priors
(:mod:`bayesdid.inference.exact.multivariate`) and thinned to the model's own priors by rejection
(Robert & Casella 2004, Monte Carlo Statistical Methods, section 2.3).
"""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import xarray as xr
from scipy.stats import norm

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.inference.exact.gaussian import fit_gaussian
from bayesdid.inference.exact.multivariate import multivariate_posterior
from bayesdid.inference.exact.system_effects import system_effects
from bayesdid.inference.gate import GateItem
from bayesdid.inference.registry import Size
from bayesdid.inference.tree import assemble, named_dataset, provenance
from bayesdid.model.equations import Mediators, mediator_priors, mediators_of
from bayesdid.model.model import Model
from bayesdid.model.priors import CORRELATION_SHAPE, Priors

_BLOCKS = 32  # times the draws wanted that are proposed at most
_OF_MEDIATOR = {  # what a two-way model calls it, and what mediation does
    "tau": "a",
    "beta": "gamma",
    "alpha": "alpha_mediator",
    "sigma": "sigma_mediator",
    "phi": "phi_mediator",
    "nu_unit": "nu_unit_mediator",
    "sigma_of_unit": "sigma_of_unit_mediator",
}


def fit_mediation(model: Model, design: Design, priors: Priors, size: Size) -> xr.DataTree:
    """Draws of every equation, independent ones unless units have scales of their own."""
    parts = mediators_of(model, design)
    outcome = _two_way(model, design, priors, size, 0)
    found = _renamed_outcome(outcome["posterior"].to_dataset(), parts)
    own = mediator_priors(model.priors, parts)
    if len(parts.names) == 1:
        first = dataclasses.replace(parts.rest, y=parts.M[:, 0])
        tree = _two_way(model, first, own[0], size, 1)
        gate = _gate(tree)
        found = found.merge(_renamed_mediator(tree["posterior"].to_dataset(), parts))
    else:
        mediators, gate = _several(parts, own, size)
        found = found.merge(mediators)
    a, b = found["a"], found["b"]
    indirect = (a * b).transpose("chain", "draw", "treatment", "mediator")
    found = found.assign(indirect=indirect, total=found["tau"] + indirect.sum("mediator"))
    made = assemble(found, design)
    made.attrs = provenance(
        design,
        priors,
        "mediation",
        size.seed,
        size.draws,
        size.chains,
        [*_gate(outcome), *gate],
        None,
    )
    return made


def _two_way(model: Model, design: Design, priors: Priors, size: Size, k: int) -> xr.DataTree:
    """One equation as a model of its own, from random numbers of its own."""
    return fit_gaussian(
        design,
        errors=model.errors,
        priors=priors,
        weights=design.weights if model.weighted else None,
        draws=size.draws,
        chains=size.chains,
        seed=int(np.random.SeedSequence([size.seed, k]).generate_state(1)[0]),
    )


def _gate(tree: xr.DataTree) -> list[GateItem]:
    return [GateItem(**item) for item in json.loads(tree.attrs["gate"])]


def _renamed_outcome(posterior: xr.Dataset, parts: Mediators) -> xr.Dataset:
    """Mediators' coefficients are b, those of the other covariates beta."""
    beta = posterior["beta"]
    b = beta.sel(covariate=list(parts.names)).rename(covariate="mediator")
    rest = posterior.drop_vars(["beta", "constant"]).drop_dims("covariate", errors="ignore")
    rest = rest.assign(b=b)
    if parts.rest.covariates:
        rest = rest.assign(beta=beta.sel(covariate=list(parts.rest.covariates)))
    return rest


def _renamed_mediator(posterior: xr.Dataset, parts: Mediators) -> xr.Dataset:
    """Variables of a single mediator's equation, with its dimension."""
    design, names = parts.rest, dict(_OF_MEDIATOR)
    dims = {}
    for dim in (design.unit_dim, design.period_dim):
        names |= {
            f"{dim}_effect": f"{dim}_effect_mediator",
            f"gamma_{dim}": f"gamma_{dim}_mediator",
        }
        names[f"sigma_{dim}"] = f"sigma_{dim}_mediator"
        dims[f"{dim}_component"] = f"{dim}_component_mediator"
    for one in design.further:
        names |= {name: f"{name}_mediator" for name in (one.name, f"sigma_{one.name}")}
    kept = posterior[[name for name in names if name in posterior]]
    kept = kept.rename({old: new for old, new in (names | dims).items() if old in kept.variables})
    return kept.expand_dims(mediator=list(parts.names), axis=-1)


def _several(
    parts: Mediators, priors: list[Priors], size: Size
) -> tuple[xr.Dataset, list[GateItem]]:
    """Equations of several mediators under fixed or no effects."""
    rest, rng = parts.rest, np.random.default_rng([size.seed, 1])
    B, Sigma, gate = _thinned(parts, priors, size.draws * size.chains, rng)
    P = len(rest.treatments)
    sigma = np.sqrt(np.diagonal(Sigma, axis1=1, axis2=2))
    values: dict[str, tuple[tuple[str, ...], FloatArray]] = {
        "a": (("treatment", "mediator"), B[:, :P]),
        "sigma_mediator": (("mediator",), sigma),
        "correlation": (("mediator", "mediator_bis"), _correlations(Sigma, sigma)),
    }
    if rest.covariates:
        values["gamma"] = (("covariate", "mediator"), B[:, P:])
    values |= system_effects(rest, parts.M, B, Sigma, rng).named(rest, "_mediator")
    coords: dict[str, object] = {
        "treatment": list(rest.treatments),
        "covariate": list(rest.covariates),
        "mediator": list(parts.names),
        "mediator_bis": range(len(parts.names)),
        rest.unit_dim: rest.units,
        rest.period_dim: rest.periods,
    }
    return named_dataset(values, coords, size.chains), [gate]


def _thinned(
    parts: Mediators, priors: list[Priors], wanted: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, GateItem]:
    """Coefficients (S, K, q) and covariances (S, q, q) under the model's own priors."""
    posterior = multivariate_posterior(parts.rest, parts.M)
    blocks, log_weight, mark = [], np.empty(0), np.empty(0)
    for _ in range(_BLOCKS):
        B, Sigma = posterior.draw(wanted, rng)
        blocks.append((B, Sigma))
        log_weight = np.append(log_weight, _log_prior_ratio(parts, priors, B, Sigma))
        mark = np.append(mark, np.log(rng.random(wanted)))
        kept = np.flatnonzero(mark < log_weight - log_weight.max())
        if len(kept) >= wanted:
            break
    share = len(kept) / len(mark)
    kept = np.resize(kept, wanted)  # too few are repeated, and the gate has failed
    found = [np.concatenate(parts)[kept] for parts in zip(*blocks, strict=True)]
    return found[0], found[1], GateItem("acceptance", share, 1 / _BLOCKS, share >= 1 / _BLOCKS)


def _log_prior_ratio(
    parts: Mediators, priors: list[Priors], B: FloatArray, Sigma: FloatArray
) -> FloatArray:
    """Log of the model's prior over flat B and ``|Sigma|^-(q + 1) / 2``, shape (S,).

    In terms of scales and correlations the latter is ``|R|^-(q + 1) / 2 prod 1 / sigma_k``; uniform
    correlations (LKJ with shape 1) and the scales' own priors are the model's.
    """
    q = len(parts.names)
    sigma = np.sqrt(np.diagonal(Sigma, axis1=1, axis2=2))
    power = 0.5 * (q + 1) + CORRELATION_SHAPE - 1
    value = power * np.linalg.slogdet(_correlations(Sigma, sigma))[1]
    for k, own in enumerate(priors):
        value = value + own.log_sigma_density(sigma[:, k])  # of log sigma
        mean, sd = own.of(parts.rest.names)
        proper = np.isfinite(sd)
        value = value + np.sum(norm.logpdf(B[:, proper, k], mean[proper], sd[proper]), axis=1)
    return np.asarray(value)


def _correlations(Sigma: FloatArray, sigma: FloatArray) -> FloatArray:
    return np.asarray(Sigma / (sigma[:, :, None] * sigma[:, None, :]))
