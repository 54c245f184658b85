"""Maximum likelihood of static spatial panels: SAR, SEM, SLX, SDM, SDEM, with either effect.

``direct``: fixed effects estimated with everything else, n = N T (Elhorst 2003,
doi:10.1177/0160017603253791); sigma2 is then too small by the share of effects in n. ``lee_yu``:
effects transformed away first (Lee & Yu 2010, doi:10.1016/j.jeconom.2009.08.001).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from bayesdid.arrays import FloatArray
from bayesdid.exceptions import InputError
from bayesdid.peers.spatial_profile import (
    Order,
    PeriodEffects,
    Profile,
    Spectrum,
    UnitEffects,
    profile,
    setup,
    spectrum,
)
from bayesdid.spatial.design import LAG_OF_ERROR, LAG_OF_Y, Kind, SpatialDesign, Transform
from bayesdid.study.schema import EffectKind

_TOLERANCE = 1e-12
_SMALLEST_PHI = 1e-4


@dataclass(frozen=True, slots=True)
class SpatialML:
    """Maximum-likelihood estimates of one static spatial panel.

    Attributes
    ----------
    kind, unit, period, transform
        What was fitted. ``unit`` is fixed, random or none, ``period`` fixed or none.
    names
        Regressors as in the design, then ``intercept`` where no effect is fixed.
    estimates, standard_errors
        Of these, shape (K,); from the observed information of all parameters.
    rho, rho_se
        Coefficient of the spatial lag, of y or of the error; NaN if there is none.
    sigma2
        Error variance: sum of squares over `observations`.
    phi, sigma2_unit
        ``phi**2 = sigma2 / (sigma2 + T sigma2_unit)`` and the variance of random unit effects;
        NaN without them. ``phi`` is 1 if that variance is estimated as zero.
    loglik
        At the maximum, with all constants. Only comparable within one `transform`.
    observations
        ``N T``, less what a transformation takes away.
    covariance
        Of (estimates, rho, sigma2, phi), shape (K + 3, K + 3): inverse observed information. Rows
        of absent parameters, and of rho or phi at a bound, are NaN.
    converged
        Whether the maximum lies inside `interval` and is one (negative curvature). Without the
        period effects' eigenvalue the likelihood may still rise at the upper end.
    interval
        Admissible rho: reciprocals of the extreme real eigenvalues of W.
    """

    kind: Kind
    unit: UnitEffects
    period: PeriodEffects
    transform: Transform
    names: tuple[str, ...]
    estimates: FloatArray
    standard_errors: FloatArray
    rho: float
    rho_se: float
    sigma2: float
    phi: float
    sigma2_unit: float
    loglik: float
    observations: int
    covariance: FloatArray
    converged: bool
    interval: tuple[float, float]

    def table(self) -> pd.DataFrame:
        """One row per coefficient, the spatial one last: estimate, se, z and p (two-sided)."""
        has_rho = bool(np.isfinite(self.rho))
        estimate = np.append(self.estimates, [self.rho] * has_rho)
        se = np.append(self.standard_errors, [self.rho_se] * has_rho)
        symbol = "lambda" if self.kind in LAG_OF_ERROR else "rho"
        return pd.DataFrame(
            {
                "term": [*self.names, *([symbol] * has_rho)],
                "estimate": estimate,
                "se": se,
                "z": estimate / se,
                "p": 2 * norm.sf(abs(estimate / se)),
            }
        )


def spatial_ml(
    design: SpatialDesign,
    *,
    transform: Transform = "direct",
    unit: EffectKind | None = None,
    period: EffectKind | None = None,
    order: Order = "lag_first",
) -> SpatialML:
    """Fit a spatial design by maximum likelihood.

    Parameters
    ----------
    transform
        ``direct`` or ``lee_yu``.
    unit, period
        Effects; those of the design by default. Units: fixed, random, none; periods: fixed, none.
    order
        ``lag_first`` maximises the likelihood of the model with period dummies. ``demean_first``
        takes period means out of y and X and then W of the result, as some routines do. That is
        another estimator, of lower likelihood, unless W has equal column sums: W of a demeaned
        variable has period means of its own, which no dummy takes up.

    Raises
    ------
    InputError
        For other effects, or too few units or periods for fixed ones.
    NotIdentifiedError
        If the regressors are collinear with each other or with the effects.
    """
    units, periods = _effects(design, unit, period)
    spec = setup(design, units, periods, transform, order)
    eigen = spectrum(design.weights)
    at = profile(design, spec, eigen)
    has_rho, has_phi = design.kind in LAG_OF_Y | LAG_OF_ERROR, units == "random"
    rho, phi = _maximum(at, eigen, has_rho, has_phi)
    point = at(rho, phi)
    low, high = eigen.interval
    inside = not has_rho or 1e-5 < (rho - low) / (high - low) < 1 - 1e-5
    free = (has_rho and inside, has_phi and phi < 1 - 1e-6)
    covariance = _covariance(at, rho, phi, free, spec.observations, eigen)  # b, sigma2, rho, phi
    variances = np.diag(covariance)
    K = len(point.b)
    shown = [*range(K), K + 1, K, K + 2]  # rho before sigma2
    curved = not (variances[[True] * (K + 1) + list(free)] <= 0).any()
    with np.errstate(invalid="ignore"):
        se = np.sqrt(variances)
    return SpatialML(
        design.kind,
        units,
        periods,
        transform,
        (*design.names, "intercept") if spec.intercept else design.names,
        point.b,
        se[:K],
        rho if has_rho else np.nan,
        float(se[K + 1]),
        point.sigma2,
        phi if has_phi else np.nan,
        point.sigma2 * (1 / phi**2 - 1) / design.T if has_phi else np.nan,
        point.loglik,
        spec.observations,
        covariance[np.ix_(shown, shown)],
        inside and curved,
        eigen.interval,
    )


def _effects(
    design: SpatialDesign, unit: EffectKind | None, period: EffectKind | None
) -> tuple[UnitEffects, PeriodEffects]:
    unit, period = unit or design.base.unit_effects, period or design.base.period_effects
    if unit == "mundlak" or period in ("mundlak", "random"):
        raise InputError(
            "maximum likelihood knows fixed, random or no unit effects, and fixed or no period "
            "effects",
            value=f"unit {unit}, period {period}",
            remedy="pass unit= or period=",
        )
    if (unit != "none" and design.T < 2) or (period == "fixed" and design.N < 2):
        raise InputError(
            "effects need two units and two periods at least",
            value=f"{design.N} units, {design.T} periods",
            remedy='pass unit="none" or period="none"',
        )
    return unit, period  # type: ignore[return-value]


def _maximum(at: Profile, eigen: Spectrum, has_rho: bool, has_phi: bool) -> tuple[float, float]:
    """Where the profile is highest: rho outside, phi inside, each by a grid and then Brent.

    The grid is for random effects, whose likelihood can have two local maxima (Maddala 1971).
    """

    def best_phi(rho: float) -> float:
        if not has_phi:
            return 1.0
        return _highest(lambda phi: at(rho, phi).loglik, np.geomspace(_SMALLEST_PHI, 1, 17))

    if not has_rho:
        return 0.0, best_phi(0.0)
    low, high = eigen.interval
    edge = 1e-9 * (high - low)
    grid = np.linspace(low + edge, high - edge, 17)
    rho = _highest(lambda rho: at(rho, best_phi(rho)).loglik, grid)
    return rho, best_phi(rho)


def _highest(value: Callable[[float], float], grid: FloatArray) -> float:
    k = int(np.argmax([value(float(x)) for x in grid]))
    bounds = float(grid[max(k - 1, 0)]), float(grid[min(k + 1, len(grid) - 1)])
    found = minimize_scalar(
        lambda x: -value(float(x)), bounds=bounds, method="bounded", options={"xatol": _TOLERANCE}
    )
    x = float(found.x)
    return x if value(x) >= value(float(grid[k])) else float(grid[k])


def _covariance(
    at: Profile, rho: float, phi: float, free: tuple[bool, bool], n: int, eigen: Spectrum
) -> FloatArray:
    """Inverse observed information of (b, sigma2, rho, phi), by partitioned inverses.

    Given (rho, phi) the information of b and sigma2 is block diagonal and known; the rest are the
    curvature of the profile and how the maximisers of b and sigma2 move with (rho, phi).
    """
    here = np.array([rho, phi])
    low, high = eigen.interval
    room = np.array([min(rho - low, high - rho, 0.4 * (high - low)), min(phi, 1 - phi)])
    steps = np.maximum(np.minimum([2e-3 * (high - low), 1e-2 * phi], room / 5), 1e-9)
    point = at(rho, phi)
    K = len(point.b)
    active = [j for j in range(2) if free[j]]

    def everything(x: FloatArray) -> FloatArray:
        p = at(float(x[0]), float(x[1]))
        return np.array([*p.b, p.sigma2, p.loglik])

    def slope(f: Callable[[FloatArray], FloatArray], x: FloatArray, j: int) -> FloatArray:
        h = np.eye(2)[j] * steps[j]  # fourth order
        return (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * steps[j])

    moves = (
        np.stack([slope(everything, here, j) for j in active], axis=1)
        if active
        else (np.empty((K + 2, 0)))
    )
    curvature = np.array(
        [[slope(partial(slope, everything, j=j), here, i)[-1] for j in active] for i in active]
    ).reshape(len(active), len(active))
    V = np.linalg.inv(-(curvature + curvature.T) / 2) if active else curvature
    given = np.zeros((K + 1, K + 1))
    given[:K, :K] = point.sigma2 * np.linalg.inv(point.XX) if K else point.XX
    given[K, K] = 2 * point.sigma2**2 / n
    move = moves[:-1]
    full = np.full((K + 3, K + 3), np.nan)
    rest = [K + 1 + j for j in active]
    full[: K + 1, : K + 1] = given + move @ V @ move.T
    full[np.ix_(range(K + 1), rest)] = move @ V
    full[np.ix_(rest, range(K + 1))] = (move @ V).T
    full[np.ix_(rest, rest)] = V
    return full
