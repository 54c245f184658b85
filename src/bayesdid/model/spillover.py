"""What a model of spillover over distance needs: demeaned arrays, a kernel, priors as numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.stats import norm

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.exceptions import InputError, Note, NotIdentifiedError
from bayesdid.model.priors import (
    LEVEL_MASS,
    WEAK_MULTIPLE,
    PriorChoice,
    Priors,
    named_priors,
    with_terms,
)
from bayesdid.spatial.design import refuse_unbalanced, unstack
from bayesdid.spatial.operators.weighted import projected
from bayesdid.spatial.weights.rings import Exposure, Rings, exposures, make_rings
from bayesdid.spatial.weights.weights import Weights, aligned

Kernel = Literal["matern52", "squared_exponential"]
NUGGET = 1e-8  # added to the diagonal of every correlation matrix, for its Cholesky factor


def correlation(kernel: Kernel, distance: FloatArray, length: FloatArray) -> FloatArray:
    """Correlation at `distance`, shape (n, m), for each `length`, shape (G,): (G, n, m).

    Rasmussen & Williams (2006), Gaussian Processes for Machine Learning, eqs. 4.9 and 4.17.
    """
    r = distance / np.asarray(length, dtype=np.float64)[:, None, None]
    if kernel == "matern52":
        root = np.sqrt(5.0) * r
        return np.asarray((1 + root + root**2 / 3) * np.exp(-root))
    if kernel == "squared_exponential":
        return np.asarray(np.exp(-0.5 * r**2))
    raise InputError("unknown kernel", value=kernel, remedy="use matern52 or squared_exponential")


@dataclass(frozen=True, slots=True)
class ProfilePriors:
    """Priors of the profile model, as multiples of the residual sd sigma.

    Attributes
    ----------
    reference
        Residual sd without spillover, by least squares. It translates a prior in the outcome's
        units into multiples of sigma, which is what makes the model conjugate.
    coefficient_sd
        Normal prior sd of each regressor's coefficient over sigma, shape (K,):
        ``2.5 sd(y) / sd_within(x) / reference``, as everywhere in this package.
    amplitude
        Scale of the half-normal prior on ``a = sd(theta(d)) / sigma``.
    log_length_mean, log_length_sd
        Normal prior of the log of the length scale in km.
    share
        See :func:`profile_design`.
    """

    reference: float
    coefficient_sd: FloatArray
    amplitude: float
    log_length_mean: float
    log_length_sd: float
    share: float


@dataclass(frozen=True, slots=True)
class ProfileDesign:
    """A balanced two-way design with ring exposures, unit and period means taken out.

    Attributes
    ----------
    base
        The two-way design; its first treatment is what spills over.
    rings, exposure, kernel
        How distance enters.
    Y, X, E
        Outcome (N, T), regressors (K, N, T) and exposures (R, N, T), demeaned both ways; where
        rows have weights, what flat effects leave of them times the root of the weights.
    raw
        Exposures before demeaning, shape (R, N, T).
    WY
        Spatial lag of the outcome, in the same way, or None without one.
    weights
        Of the spatial lag, or None.
    priors
        As numbers.
    notes
        On rings and weights.
    """

    base: Design
    rings: Rings
    exposure: Exposure
    kernel: Kernel
    Y: FloatArray
    X: FloatArray
    E: FloatArray
    raw: FloatArray
    WY: FloatArray | None
    weights: Weights | None
    priors: ProfilePriors
    notes: tuple[Note, ...]

    @property
    def nu(self) -> int:
        """Rows left once unit and period effects are taken out."""
        return (self.Y.shape[0] - 1) * (self.Y.shape[1] - 1)

    @property
    def grid(self) -> FloatArray:
        """Distances at which the profile is drawn, in km: four to a ring, midpoints among them."""
        middle = self.rings.middle
        return np.linspace(middle[0], middle[-1], 4 * (self.rings.R - 1) + 1)

    @property
    def typical(self) -> float:
        """Exposure to a typical ring in the last period: its mean over units and rings."""
        return float(self.raw[self.rings.pairs > 0, :, -1].mean())


def profile_design(
    base: Design,
    distance: FloatArray,
    *,
    step_km: float = 100.0,
    last_km: float = 2000.0,
    exposure: Exposure = "count",
    kernel: Kernel = "matern52",
    weights: Weights | None = None,
    share: float = 1.0,
) -> ProfileDesign:
    """Put a balanced design, distances and, for a spatial lag of the outcome, weights together.

    Parameters
    ----------
    distance
        Between ``base.units``, in that order, in km, shape (N, N).
    share
        At the scale A of the prior on the profile's sd, and at the prior's median length, the
        spillover that differs between rows once unit and period effects are out has root mean
        square ``share`` times that of the outcome: with ``S_it = sum_k theta_k E_k,it``, demeaned,
        ``E mean(S^2) = A^2 mean(E_it' K E_it)``, so ``A = share sd_w(y) / sqrt(mean(E' K E))``.
        At 1 spillover may explain all that moves within units; half-normal, so anything less is
        likelier.

    Notes
    -----
    The length scale's prior is log-normal with 5 % below 1.5 rings (shorter cannot be told from
    noise between rings) and 5 % above the last distance (longer is a constant).

    Raises
    ------
    InputError
        If the panel is unbalanced or an option is unknown.
    NotIdentifiedError
        If exposures do not vary once the effects are taken out.
    """
    refuse_unbalanced(base, "a profile over distance")
    if base.unit_effects != "fixed" or base.period_effects != "fixed":
        raise InputError(
            f"{base.spec_id}: the profile over distance is learnt within units and periods: the "
            "prior of its size and its evidence are those of fixed effects",
            remedy="leave unit_effects and period_effects out",
        )
    if len(base.treatments) == 0:
        raise InputError(f"{base.spec_id}: no treatment to spill over", remedy="give one term")
    correlation(kernel, np.zeros((1, 1)), np.ones(1))  # refuses unknown kernels
    rings = make_rings(distance, step_km, last_km)
    raw = exposures(rings, unstack(base, base.D[:, 0]), exposure)
    y = unstack(base, base.y)
    regressors = np.stack([unstack(base, column) for column in base.regressors.T])
    Y, X, E = _left(base, y[None])[0], _left(base, regressors), _left(base, raw)
    nu = (Y.shape[0] - 1) * (Y.shape[1] - 1)
    gram = np.einsum("rnt,snt->rs", E, E)
    if np.trace(gram) <= 1e-12 * max(float((raw**2).sum()), 1e-300):
        raise NotIdentifiedError(
            f"{base.spec_id}: exposure does not vary within units once period effects are out",
            remedy="use a panel with staggered adoption",
        )
    flat = X.reshape(len(X), -1)
    rest = Y.ravel() - np.linalg.lstsq(flat.T, Y.ravel(), rcond=None)[0] @ flat
    reference = float(np.sqrt((rest**2).sum() / max(nu - len(X), 1)))
    within = np.sqrt((demean(regressors).reshape(flat.shape) ** 2).mean(axis=1))
    low, high = np.log(1.5 * step_km), np.log(last_km)
    middle = np.exp((low + high) / 2)
    gaps = np.abs(rings.middle[:, None] - rings.middle)
    K = correlation(kernel, gaps, np.array([middle]))[0]
    size = np.sqrt((gram * K).sum() / nu)
    priors = ProfilePriors(
        reference,
        WEAK_MULTIPLE * float(np.std(y)) / within / reference,
        share * float(np.sqrt((Y**2).sum() / nu)) / float(size) / reference,
        float(low + high) / 2,
        float((high - low) / (2 * norm.ppf(1 - LEVEL_MASS))),
        share,
    )
    own = None if weights is None else aligned(weights, base.units)
    WY = None if own is None else _left(base, (own.matrix @ y)[None])[0]
    notes = list(rings.notes())
    if own is not None and own.constant_row_sum is None:
        notes.append(
            Note(
                "uneven_rows",
                own.n,
                "rows of the spatial weights have different sums: "
                "period effects are then those of the structural equation",
            )
        )
    return ProfileDesign(base, rings, exposure, kernel, Y, X, E, raw, WY, own, priors, tuple(notes))


def profile_priors(design: ProfileDesign, choice: PriorChoice) -> Priors:
    """Priors of the regressors' coefficients in outcome units; the model relates them to sigma."""
    base, reference = design.base, design.priors.reference
    named = named_priors(choice, base)
    if choice.name == "weak":
        sds = dict(
            zip(base.names, (design.priors.coefficient_sd * reference).tolist(), strict=True)
        )
        named = replace(named, sds=sds)
    return with_terms(named, choice, base.names)


def _left(base: Design, layers: FloatArray) -> FloatArray:
    """What unit and period effects leave of `layers`, (M, N, T); in the metric of weights."""
    if base.weights is None:
        return demean(layers)
    rows = projected(base, layers, unit=True, period=True)
    return np.stack([unstack(base, column) for column in rows])


def demean(A: FloatArray) -> FloatArray:
    """Two-way within transformation over the last two axes, units and periods."""
    return np.asarray(
        A
        - A.mean(axis=-1, keepdims=True)
        - A.mean(axis=-2, keepdims=True)
        + A.mean(axis=(-2, -1), keepdims=True)
    )
