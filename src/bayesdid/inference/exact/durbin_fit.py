"""Fit a spatial panel model: moments, log-determinant, priors, exact draws; effects per draw."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr
from scipy.linalg import qr

from bayesdid.arrays import FloatArray
from bayesdid.design.within import absorb
from bayesdid.exceptions import NotIdentifiedError
from bayesdid.inference.exact.durbin import (
    SpatialDraws,
    SpatialTarget,
    draw_spatial,
    spatial_target,
)
from bayesdid.inference.tree import provenance
from bayesdid.model.priors import PriorName, Priors, resolve_priors
from bayesdid.spatial.design import LAG_OF_ERROR, LAG_OF_Y, SpatialDesign, Transform
from bayesdid.spatial.operators.impacts import Effects, multipliers
from bayesdid.spatial.operators.logdet import LogDeterminant, Method, log_determinant
from bayesdid.spatial.operators.moments import moments

SpatialPrior = PriorName | Priors | Literal["unit_information"]


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


def spatial_priors(design: SpatialDesign, choice: SpatialPrior = "weak") -> tuple[Priors, float]:
    """Priors of all coefficients, spatial lags among them, and the residual sd of least squares.

    ``unit_information``: a coefficient has the sd that one observation would leave it with,
    ``sigma / sd_within(x)`` (Kass & Wasserman 1995, doi:10.1080/01621459.1995.10476592): the usual
    prior for comparing models, whose evidence wide priors and flat ones distort.
    """
    base = design.base
    i, t = base.unit_index, base.period_index
    columns = design.Z[:, i, t].T
    P = len(base.treatments)
    wide = dataclasses.replace(
        base, D=columns[:, :P], X=columns[:, P:], covariates=design.names[P:]
    )
    rest = absorb(
        np.column_stack([columns, base.y]),
        i,
        t,
        unit=base.unit_effects != "none",
        period=base.period_effects != "none",
    )
    W, y = rest[:, :-1], rest[:, -1]
    total = columns.std(axis=0)
    if flat := [n for n, s in zip(design.names, total, strict=True) if s == 0]:
        raise NotIdentifiedError(
            f"{base.spec_id}: {flat[0]} is constant in the sample",
            remedy="leave it out, or its spatial lag (option durbin)",
        )
    spread = W.std(axis=0)
    moves = spread > 1e-7 * total  # the rest is rounding of what the effects take up
    X = W[:, moves] / spread[moves]
    if "random" not in (base.unit_effects, base.period_effects):
        _refuse_collinear(X, [n for n, ok in zip(design.names, moves, strict=True) if ok], design)
    residual = y - X @ np.linalg.lstsq(X, y, rcond=None)[0]
    reference = float(residual.std())
    if reference <= 1e-8 * base.y.std():
        raise NotIdentifiedError(
            f"{base.spec_id}: regressors and effects fit the outcome exactly",
            remedy="use fewer regressors, or more units or periods",
        )
    if choice != "unit_information":
        return resolve_priors(choice, wide), reference
    sds = reference / np.where(moves, spread, total)
    weak = resolve_priors("weak", wide)
    return dataclasses.replace(
        weak, name="user", sds=dict(zip(design.names, sds.tolist(), strict=True))
    ), reference


def _refuse_collinear(X: FloatArray, names: list[str], design: SpatialDesign) -> None:
    """Regressors and spatial lags that the effects leave linearly dependent."""
    _, R, order = qr(X, mode="economic", pivoting=True)
    size = abs(np.diag(R))
    if len(names) and size[-1] <= 1e-7 * size[0]:
        raise NotIdentifiedError(
            f"{design.base.spec_id}: regressors, spatial lags and effects are collinear; "
            f"{names[order[-1]]} is a linear combination of others",
            remedy="leave one out, or its lag (option durbin); if every unit is a neighbour "
            "of every other with equal weight, W x is x and a period effect",
        )


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
