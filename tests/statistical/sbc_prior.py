"""True values and outcomes: priors that do not depend on outcomes, draws of them, panels."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import xarray as xr
from scipy.stats import invwishart

from bayesdid.design.design import Design
from bayesdid.inference.pointwise import pointwise
from bayesdid.model.equations import mediators_of
from bayesdid.model.mean import Durbin, Instrument, Mediation, Propensity
from bayesdid.model.model import Model
from bayesdid.model.priors import Priors
from bayesdid.model.resolve import AnyDesign, base_of, outcome_priors
from bayesdid.model.spillover import ProfileDesign, demean
from bayesdid.spatial.design import SpatialDesign, unstack

SHAPE = {"alpha": 1.5, "alpha_mediator": 0.5, "sigma": 0.7}
INTERCEPT = (1.5, 0.5)  # mean and sd of that of counts, in the place of its flat prior
REFERENCE = 0.7  # residual sd that priors of spatial models are relative to
DEGREES = 6.0  # of the inverse Wishart from which an instrument's covariances are drawn
COVARIANCE = np.array([[0.5, 0.3], [0.3, 0.8]])  # its mode in terms of p(Sigma) = |Sigma|^-3/2


def tight(names: tuple[str, ...]) -> Priors:
    """Normal priors of sd 0.5, scales of mean 1: they matter beside a small panel."""
    return Priors("user", dict.fromkeys(names, 0.0), dict.fromkeys(names, 0.5), 0.5, 1.0)


def cell_priors(design: AnyDesign, model: Model) -> Priors:
    """Priors of the outcome's equation."""
    if isinstance(design, ProfileDesign) or isinstance(model.mean, Propensity):
        return outcome_priors(model, design)  # a profile's were fixed when its design was made
    if isinstance(design, SpatialDesign):
        return tight(design.names)
    if isinstance(model.mean, Instrument):
        first = f"{design.treatments[0]} ~ {model.mean.instrument}"
        found = tight((*design.treatments, first))
        return dataclasses.replace(found, means=found.means | {first: 0.7})
    return tight(design.names)


@contextmanager
def fixed_scales() -> Iterator[None]:
    """Priors that are made of the outcome are what they are where its sd is one."""
    there: dict[str, Callable[..., Any]] = {
        "on_link_scale": lambda *_: np.array([-1.0, 1.0]),
        "mediator_priors": lambda _, parts: [tight(parts.rest.names)] * len(parts.names),
        "spatial_priors": lambda design, *_: (tight(design.names), REFERENCE),
    }
    uses = {
        "on_link_scale": ("model.pooling", "model.pymc.path"),
        "mediator_priors": ("model.pymc.mediation", "inference.exact.mediation"),
        "spatial_priors": (
            "model.pymc.durbin",
            "inference.exact.durbin_fit",
            "inference.exact.tails_fit",
        ),
    }
    places = [
        (importlib.import_module(f"bayesdid.{module}"), name)
        for name, modules in uses.items()
        for module in modules
    ]
    before = [getattr(module, name) for module, name in places]
    for module, name in places:
        setattr(module, name, there[name])
    try:
        yield
    finally:
        for (module, name), function in zip(places, before, strict=True):
            setattr(module, name, function)


def compiled(model: Model, design: AnyDesign, *, truth: bool = False) -> Any:
    """The model in PyMC under these priors; `truth`: so that all of it can be drawn.

    Counts move with no translation, so that nothing that they depend on may be flat: their cells
    have random effects, and their intercept has a normal prior here.
    """
    import pymc as pm

    from bayesdid.model.pymc.compile import to_pymc

    priors, own = cell_priors(design, model), frozenset({"error"}) if truth else None
    with fixed_scales():
        whole = to_pymc(model, design, priors=priors, noncentred=own)
    if model.likelihood.is_discrete and not isinstance(model.mean, Propensity):
        with whole:
            pm.Potential("prior_of_alpha", pm.logp(pm.Normal.dist(*INTERCEPT), whole["alpha"]))
    return whole


def prior_draws(whole: Any, size: int, seed: int) -> xr.Dataset:
    """Draws of every variable; those without a proper prior have one arbitrary value."""
    import pymc as pm
    from pymc.distributions.continuous import FlatRV, HalfFlatRV

    rng = np.random.default_rng(7)
    dims = dict(whole.named_vars_to_dims)
    sizes = {dim: len(labels) for dim, labels in whole.coords.items() if labels is not None}
    flat = {}
    for v in whole.free_RVs:
        if isinstance(v.owner.op, FlatRV | HalfFlatRV):
            shape = [sizes[dim] for dim in dims.get(v.name, ())]
            value = np.full(shape, SHAPE.get(v.name, 0.9)) if v.name in SHAPE else None
            value = rng.normal(size=shape) if value is None else value
            if v.name.endswith("_and_share"):  # sums to zero over its levels
                value = value - value.mean(axis=0)
            flat[v.name] = value if isinstance(v.owner.op, FlatRV) else np.abs(value)
    known = pm.do(whole, flat, prune_vars=False) if flat else whole
    wanted = [*known.free_RVs, *known.deterministics]
    values = pm.draw(wanted, draws=size, random_seed=seed, mode="FAST_COMPILE")
    found = {v.name: np.asarray(value) for v, value in zip(wanted, values, strict=True)}
    found |= {name: np.broadcast_to(value, (size, *value.shape)) for name, value in flat.items()}
    believed = {potential.name for potential in whole.potentials}
    if "prior_of_covariance" in believed:
        found |= _covariances(size, seed)
    if "prior_of_alpha" in believed:
        found["alpha"] = np.random.default_rng([seed, 3]).normal(*INTERCEPT, size)
    return xr.Dataset(
        {
            name: (("chain", "draw", *dims.get(name, ())), value[None])
            for name, value in found.items()
        },
        {"chain": [0], "draw": np.arange(size)},
    )


def _covariances(size: int, seed: int) -> dict[str, np.ndarray]:
    """Of two equations' errors, from an inverse Wishart: no group makes their prior a Haar measure.

    Posteriors are thinned to it, see :func:`log_share`.
    """
    law = invwishart(DEGREES, DEGREES * COVARIANCE)
    Sigma = law.rvs(size, random_state=np.random.default_rng([seed, 2]))
    sigma, sigma_d = np.sqrt(Sigma[:, 0, 0]), np.sqrt(Sigma[:, 1, 1])
    return {"sigma": sigma, "sigma_treatment": sigma_d, "rho": Sigma[:, 0, 1] / (sigma * sigma_d)}


def log_share(posterior: xr.Dataset) -> np.ndarray:
    """Log of the share of draws to keep under that inverse Wishart, at most zero, shape (S,).

    Its density over ``|Sigma|^-3/2`` is proportional to ``|Sigma|^-nu/2 exp(-tr(S Sigma^-1) / 2)``,
    which is largest at ``S / nu``.
    """
    s, d, rho = (posterior[n].to_numpy().ravel() for n in ("sigma", "sigma_treatment", "rho"))
    off = rho * s * d
    Sigma = np.stack([np.stack([s**2, off], -1), np.stack([off, d**2], -1)], -2)

    def log_ratio(values: np.ndarray) -> np.ndarray:
        trace = np.trace(np.linalg.solve(values, COVARIANCE), axis1=-2, axis2=-1)
        return np.asarray(-DEGREES / 2 * (np.linalg.slogdet(values)[1] + trace))

    return log_ratio(Sigma) - log_ratio(COVARIANCE)


def simulated(
    model: Model, design: AnyDesign, size: int, seed: int
) -> tuple[xr.Dataset, dict[str, np.ndarray]]:
    """True values and outcomes of `size` replications."""
    truth = prior_draws(compiled(model, design, truth=True), size, seed)
    rng = np.random.default_rng([seed, 1])
    groups = pointwise(truth, model, design, log_likelihood=False, replications=True, rng=rng)
    found = groups["posterior_predictive"]
    return truth, {str(name): found[name].to_numpy()[0] for name in found}


def with_outcomes(
    design: AnyDesign, model: Model, outcomes: dict[str, np.ndarray], k: int
) -> AnyDesign:
    """The design with replication k of what the model explains."""
    base = dataclasses.replace(base_of(design), y=outcomes["y"][k])
    if isinstance(model.mean, Durbin):
        return dataclasses.replace(design, base=base, Y=unstack(base, base.y))
    if isinstance(design, ProfileDesign):
        y = unstack(base, base.y)
        lag = None if design.weights is None else demean(design.weights.matrix @ y)
        return dataclasses.replace(design, base=base, Y=demean(y), WY=lag)
    if isinstance(model.mean, Mediation):
        X = base.X.copy()
        for name in mediators_of(model, base).names:
            X[:, base.covariates.index(name)] = outcomes[f"M_{name}"][k]
        return dataclasses.replace(base, X=X)
    if isinstance(model.mean, Instrument):
        return dataclasses.replace(base, D=outcomes[f"D_{base.treatments[0]}"][k][:, None])
    assert isinstance(base, Design)
    return base
