"""Priors of a fitted model by the names of its quantities: what a posterior started from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.stats import expon, gamma, halfnorm, norm

from bayesdid.arrays import FloatArray
from bayesdid.inference.quantities import consequences, quantities
from bayesdid.model.bound import BoundModel
from bayesdid.model.mean import Instrument, Path, Pooled, Profile
from bayesdid.model.path import event_times, path_covariance
from bayesdid.model.pooling import pooled_scale
from bayesdid.model.priors import GROUP_SHAPE, PATH_SHARE, PHI_LIMIT, Priors, on_link_scale
from bayesdid.model.resolve import all_priors, base_of, outcome_priors
from bayesdid.spatial.design import SpatialDesign

_HALF = float(np.sqrt(2 / np.pi))  # mean of a half-normal of scale one


@dataclass(frozen=True, slots=True)
class Belief:
    """A prior of one quantity, as `law` says in words; sd is infinite where it is flat."""

    law: str
    mean: float
    sd: float


def coefficient_beliefs(bound: BoundModel) -> dict[str, Belief]:
    """Normal or flat priors of coefficients, by the names of :func:`quantities`.

    Coefficients whose prior has an unknown scale (deviations of a pooled part, a smooth path) are
    left out: their prior is that scale's.
    """
    base, found = base_of(bound.design), {}
    smooth = set(base.treatments) if isinstance(bound.model.mean, Path) else set()
    smooth |= {name for name, part in zip(base.treatments, base.part, strict=False) if part}
    for k, (equation, priors) in enumerate(all_priors(bound.model, bound.design).items()):
        for term, mean in priors.means.items():
            name = term if k == 0 else f"{equation} ~ {term}"
            if name in smooth:
                continue
            sd = priors.sds[term]
            law = f"Normal({mean:.3g}, {sd:.3g})" if np.isfinite(sd) else "flat"
            found[name] = Belief(law, mean, sd)
    return found


def scale_beliefs(tree: xr.DataTree, bound: BoundModel) -> dict[str, Belief]:
    """Proper priors of the scalars that a posterior holds: scales, autocorrelation, rho."""
    posterior, priors = tree["posterior"], outcome_priors(bound.model, bound.design)
    found: dict[str, Belief] = {}
    plain = not isinstance(bound.model.mean, Instrument | Profile)
    if "sigma" in posterior and np.isfinite(priors.scale) and plain and not _spatial(bound):
        found["sigma"] = Belief(f"Exponential, mean {priors.scale:.3g}", priors.scale, priors.scale)
    if "phi" in posterior:
        sd = PHI_LIMIT / np.sqrt(3)
        found["phi"] = Belief(f"Uniform(-{PHI_LIMIT:g}, {PHI_LIMIT:g})", 0.0, float(sd))
    for name in _groups(bound):
        if name in posterior and np.isfinite(priors.scale) and not _spatial(bound):
            sd = priors.scale / np.sqrt(GROUP_SHAPE)
            law = f"Gamma, shape {GROUP_SHAPE:g}, mean {priors.scale:.3g}"
            found[name] = Belief(law, priors.scale, float(sd))
    for part, scale in _half_normals(bound).items():
        if part in posterior:
            sd = scale * np.sqrt(1 - _HALF**2)
            found[part] = Belief(f"half-normal, scale {scale:.3g}", scale * _HALF, float(sd))
    if "rho" in posterior and isinstance(bound.design, SpatialDesign):
        low, high = bound.design.logdet.interval.low, bound.design.logdet.interval.high
        law = f"Uniform({low:.3g}, {high:.3g})"
        found["rho"] = Belief(law, (low + high) / 2, float((high - low) / np.sqrt(12)))
    return found


def log_prior(tree: xr.DataTree, bound: BoundModel) -> FloatArray:
    """Log density of all proper priors together, up to a constant, shape (chain, draw).

    Uniform ones are constants. Deviations of pooled parts and levels of random effects are left
    out: raising their prior to a power would change what the model is, not what is believed of it
    (Kallioinen et al. 2024).
    """
    posterior = tree["posterior"]
    total = np.zeros((posterior.sizes["chain"], posterior.sizes["draw"]))
    beliefs, draws = coefficient_beliefs(bound), dict(quantities(tree))
    unit = np.ones_like(total)
    if isinstance(bound.design, SpatialDesign):  # their sds are relative to sigma
        unit = posterior["sigma"].to_numpy() / _reference(bound.design)
    for name, belief in beliefs.items():
        if name in draws and np.isfinite(belief.sd):
            total += norm.logpdf(draws[name], belief.mean, belief.sd * unit)
    groups, halves = _groups(bound), _half_normals(bound)
    for name, belief in scale_beliefs(tree, bound).items():
        values = posterior[name].to_numpy()
        if name == "sigma":
            total += expon.logpdf(values, scale=belief.mean)
        elif name in groups:
            total += gamma.logpdf(values, GROUP_SHAPE, scale=belief.mean / GROUP_SHAPE)
        elif name in halves:
            total += halfnorm.logpdf(values, scale=halves[name])
    return total


def effects_of(tree: xr.DataTree, bound: BoundModel) -> dict[str, FloatArray]:
    """Draws (chain, draw) of what a claim may be about: treatments, what they make together.

    Of pooled parts and paths: base terms, and the average of all treatment terms over the rows
    that have any.
    """
    base, posterior = base_of(bound.design), tree["posterior"]
    own = {
        str(name): posterior["tau"].sel(treatment=name)
        for name in posterior["treatment"].to_numpy()
    }
    pooled = isinstance(bound.model.mean, Pooled | Path)
    if pooled:
        rows = (base.D != 0).any(axis=1)
        weights = xr.DataArray(base.D[rows].mean(axis=0), dims="treatment")
        average = (posterior["tau"].drop_vars("treatment") * weights).sum("treatment")
        parts = base.part or ("path",) * len(base.treatments)
        named = [name for name, part in zip(base.treatments, parts, strict=True) if not part]
        own = {"average over treated rows": average} | {name: own[name] for name in named}
    found = {name: values.transpose("chain", "draw").to_numpy() for name, values in own.items()}
    return found | dict(consequences(tree))


def path_scale(bound: BoundModel) -> tuple[FloatArray, float]:
    """Covariance of a smooth path at unit scale, and the scale of that scale's half-normal."""
    mean, design = bound.model.mean, base_of(bound.design)
    assert isinstance(mean, Path)
    K = path_covariance(event_times(design.treatments), mean.reference, mean.prior)
    return K, PATH_SHARE * float(on_link_scale(design, bound.model.likelihood).std())


def _groups(bound: BoundModel) -> tuple[str, ...]:
    base = base_of(bound.design)
    return (
        f"sigma_{base.unit_dim}",
        f"sigma_{base.period_dim}",
        *(f"sigma_{one.name}" for one in base.further),
    )


def _half_normals(bound: BoundModel) -> dict[str, float]:
    base = base_of(bound.design)
    if isinstance(bound.model.mean, Path):
        return {"s": path_scale(bound)[1]}
    if not isinstance(bound.model.mean, Pooled):
        return {}
    scale = pooled_scale(base, bound.model.likelihood)
    return {f"omega_{part}": scale for part in base.parts}


def _spatial(bound: BoundModel) -> bool:
    return isinstance(bound.design, SpatialDesign)


def _reference(design: SpatialDesign) -> float:
    from bayesdid.model.spatial_priors import spatial_priors

    return spatial_priors(design)[1]


def is_flat(bound: BoundModel) -> bool:
    """Whether every prior of a coefficient is flat."""
    return not any(np.isfinite(belief.sd) for belief in coefficient_beliefs(bound).values())


def outcome_beliefs(bound: BoundModel) -> Priors:
    """Priors of the outcome's equation as numbers."""
    return outcome_priors(bound.model, bound.design)
