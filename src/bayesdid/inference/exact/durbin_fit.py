"""Fit a spatial panel model: moments, log-determinant, priors, exact draws; effects per draw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.inference.exact.durbin import (
    SpatialDraws,
    SpatialTarget,
    draw_spatial,
    spatial_target,
)
from bayesdid.inference.tree import provenance
from bayesdid.model.priors import Priors
from bayesdid.model.spatial_priors import SpatialPrior, spatial_priors
from bayesdid.spatial.design import LAG_OF_ERROR, LAG_OF_Y, SpatialDesign, Transform
from bayesdid.spatial.operators.impacts import Effects, multipliers
from bayesdid.spatial.operators.logdet import LogDeterminant, Method, log_determinant
from bayesdid.spatial.operators.moments import moments


@dataclass(frozen=True, slots=True)
class SpatialFit:
    """Posterior of one spatial model.

    Attributes
    ----------
    design
        What was fitted.
    draws
        Of its parameters.
    logdet
        Of ``I - rho W``; None without a spatial lag of y or of the error.
    effects
        Direct, indirect and total effect of every regressor, by name.
    priors
        Of the coefficients, as in every other model.
    reference
        Residual sd of least squares, to which the priors' scales are related.
    """

    design: SpatialDesign
    draws: SpatialDraws
    logdet: LogDeterminant | None
    effects: dict[str, Effects]
    priors: Priors
    reference: float

    @property
    def converged(self) -> bool:
        """Whether quadrature and log-determinant passed their gate."""
        return all(item.passed for item in self.draws.gate)

    def tree(self, *, seed: int = 0, engine: str = "exact", chains: int = 4) -> xr.DataTree:
        """Draws as an ArviZ tree; see :func:`posterior_tree`."""
        return posterior_tree(self, seed=seed, engine=engine, chains=chains)

    def coefficient(self, name: str) -> FloatArray:
        """Draws of one coefficient, shape (S,)."""
        return self.draws.b[:, self.design.names.index(name)]


def fit_spatial(
    design: SpatialDesign,
    *,
    priors: SpatialPrior = "weak",
    transform: Transform = "lee_yu",
    size: int = 4000,
    seed: int = 0,
    logdet: LogDeterminant | None = None,
    method: Method = "auto",
) -> SpatialFit:
    """Independent draws of a Gaussian spatial panel model with their effects.

    Parameters
    ----------
    priors
        ``flat``, ``weak``, ``sceptical``, ``unit_information``, or resolved priors of
        :func:`spatial_priors`.
    transform
        ``lee_yu`` or ``direct``; see :mod:`bayesdid.spatial.operators.moments`.
    logdet
        Of these weights, if it is at hand: it serves every model with them.
    method
        How else to compute it.
    """
    target = prepare(design, priors=priors, transform=transform, logdet=logdet, method=method)
    draws = draw_spatial(target, size, np.random.default_rng(seed))
    return SpatialFit(
        design,
        draws,
        target.logdet,
        effects_of(design, draws, target.logdet),
        target.priors,
        target.reference,
    )


def prepare(
    design: SpatialDesign,
    *,
    priors: SpatialPrior = "weak",
    transform: Transform = "lee_yu",
    logdet: LogDeterminant | None = None,
    method: Method = "auto",
) -> SpatialTarget:
    """The posterior density that :func:`fit_spatial` draws from."""
    stats = moments(design, transform)
    resolved, reference = spatial_priors(design, priors)
    if design.kind in LAG_OF_Y | LAG_OF_ERROR:
        logdet = logdet or log_determinant(design.weights, method)
    else:
        logdet = None
    return spatial_target(stats, logdet, resolved, reference)


def effects_of(
    design: SpatialDesign, draws: SpatialDraws, logdet: LogDeterminant | None
) -> dict[str, Effects]:
    """Effects of every regressor under every draw.

    A spatially correlated error passes nothing on, so in error models the effects are those of
    the regressor and its lag.
    """
    spreads = design.kind in LAG_OF_Y
    m = multipliers(design.weights, logdet if spreads else None, draws.rho)
    found = {}
    for k, name in enumerate(design.base.names):
        lag = design.theta_of(k)
        found[name] = m.effects(draws.b[:, k], 0.0 if lag is None else draws.b[:, lag])
    return found


def posterior_tree(fit: SpatialFit, *, seed: int, engine: str, chains: int = 4) -> xr.DataTree:
    """Draws as an ArviZ tree with provenance: rho, sigma, b by regressor, effects by term."""
    design, draws = fit.design, fit.draws

    def chained(values: FloatArray) -> FloatArray:
        return values.reshape(chains, -1, *values.shape[1:])

    dims = ("chain", "draw")
    effects = np.stack(
        [np.column_stack([e.direct, e.indirect, e.total]) for e in fit.effects.values()], axis=1
    )
    posterior = xr.Dataset(
        {
            "rho": (dims, chained(draws.rho)),
            "sigma": (dims, chained(draws.sigma)),
            "b": ((*dims, "regressor"), chained(draws.b)),
            "effects": ((*dims, "term", "effect"), chained(effects)),
        },
        {
            "regressor": list(design.names),
            "term": list(fit.effects),
            "effect": ["direct", "indirect", "total"],
        },
    )
    tree = xr.DataTree.from_dict({"posterior": posterior})
    size = len(draws.rho) // chains
    tree.attrs = provenance(
        design.base, fit.priors, engine, seed, size, chains, list(draws.gate), draws.log_evidence
    )
    tree.attrs |= {
        "model": design.kind,
        "weights": design.weights.name,
        "normalisation": design.weights.normalisation,
    }
    return tree
