r"""A fitted mean as generalised least squares: what each outcome weighs in its coefficients.

Given the scalars of a posterior (scales of units, autocorrelation, standard deviations of parts)
the coefficients of a Gaussian model are linear in the outcome. With the scalars at their posterior
means their weights say what any deviation from the model does to a contrast: outcomes moved by
delta move it by ``weights @ delta``. The posterior averages over the scalars; the two differ by
that.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.design.further import Further
from bayesdid.design.span import DEPENDENT, independent_periods
from bayesdid.design.within import group_sums
from bayesdid.exceptions import NotIdentifiedError
from bayesdid.inference.exact.further import further_columns
from bayesdid.model.bound import PriorsLike
from bayesdid.model.pooling import Pooling
from bayesdid.model.priors import PriorChoice, resolve_priors

_SINGULAR = 1e12  # condition number from which on columns count as linearly dependent


@dataclass(frozen=True, slots=True)
class Scalars:
    """What the coefficients are conditioned on.

    Attributes
    ----------
    sigma
        Marginal standard deviation of each unit's errors, shape (N,).
    phi
        Autocorrelation.
    unit, period
        Standard deviations of random effects; inf for fixed ones, 0 for none.
    omega
        Part -> standard deviation of its coefficients.
    further
        Random further effect -> standard deviation of its levels.
    """

    sigma: FloatArray
    phi: float
    unit: float
    period: float
    omega: dict[str, float]
    further: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, tree: xr.DataTree, design: Design) -> Scalars:
        """Posterior means."""
        posterior = tree["posterior"]

        def mean(name: str, otherwise: float) -> float:
            return float(posterior[name].mean()) if name in posterior else otherwise

        if "sigma_of_unit" in posterior:
            sigma = posterior["sigma_of_unit"].mean(("chain", "draw")).to_numpy()
        elif "unit_moments" in tree and "sigma_mean" in tree["unit_moments"]:
            sigma = tree["unit_moments"]["sigma_mean"].to_numpy()
        else:
            sigma = np.full(len(design.units), mean("sigma", 1.0))
        kinds = (design.unit_effects, design.period_effects)
        unit, period = (
            0.0 if kind == "none" else mean(f"sigma_{dim}", np.inf) if kind == "random" else np.inf
            for kind, dim in zip(kinds, (design.unit_dim, design.period_dim), strict=True)
        )
        omega = {part: mean(f"omega_{part}", np.inf) for part in design.parts}
        random = [one.name for one in design.further if one.kind == "random"]
        further = {name: mean(f"sigma_{name}", np.inf) for name in random}
        return cls(np.asarray(sigma), mean("phi", 0.0), unit, period, omega, further)


@dataclass(frozen=True, slots=True)
class Gls:
    """Coefficients of a design's treatments given the scalars.

    Attributes
    ----------
    mean, covariance
        Of the treatments' coefficients, shapes (P,) and (P, P).
    loading
        The coefficients as functionals of the outcome, shape (P, n).
    outcome, columns
        Whitened outcome, (n,), and whitened treatments, covariates, periods and further effects,
        (n, K).
    gram
        Their precision, unit effects taken out, priors added, (K, K).
    rows
        How rows are whitened.
    """

    mean: FloatArray
    covariance: FloatArray
    loading: FloatArray
    outcome: FloatArray
    columns: FloatArray
    gram: FloatArray
    rows: Whitening

    def information(self, B: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Information on the coefficients of further columns, and its product with their estimate.

        Parameters
        ----------
        B
            Shape (n, L).

        Returns
        -------
        tuple
            ``B'WB``, (L, L), and ``B'Wy``, (L,), W the precision that the model leaves.
        """
        white = self.rows.whiten(B)
        projected = self.rows.without_units(white)
        cross = projected.T @ self.columns
        solved = np.linalg.solve(self.gram, cross.T)
        known = self.columns.T @ self.rows.without_units(self.outcome[:, None])[:, 0]
        return (projected.T @ white - cross @ solved, projected.T @ self.outcome - solved.T @ known)


@dataclass(frozen=True, slots=True)
class Whitening:
    """Rows in order of unit and time, and the transformation that makes their errors white.

    Attributes
    ----------
    slopes
        Whitened slopes of units beside their flat levels, orthonormal within each, shape (n, q).
    """

    order: np.ndarray
    unit: np.ndarray
    before: FloatArray
    own: FloatArray
    one: FloatArray
    prior: float
    slopes: FloatArray

    @classmethod
    def of(
        cls, design: Design, sigma: FloatArray, phi: float, unit_sd: float = np.inf
    ) -> Whitening:
        """For a design's rows, its units' scales, autocorrelation, and the sd of unit effects."""
        time = design.periods[design.period_index].astype(float)
        order = np.lexsort((time, design.unit_index))
        unit, at = design.unit_index[order], time[order]
        gap = np.append(0.0, np.diff(at))
        follows = np.append(False, unit[1:] == unit[:-1])
        power = np.where(follows, phi ** np.where(follows, gap, 1.0), 0.0)
        own = 1 / (sigma[unit] * np.sqrt(1 - power**2))
        before = own * power
        if design.weights is not None:
            root = np.sqrt(design.weights[order])
            own, before = own * root, before * np.append(0.0, root[:-1])
        one = own.copy()
        one[1:] -= before[1:]
        prior = 0.0 if not np.isfinite(unit_sd) else 1 / max(unit_sd, 1e-12) ** 2
        found = cls(order, unit, before, own, one, prior, np.empty((design.n, 0)))
        for slope in own_slopes(design, found.eliminates_slopes):
            rest = found.without_units(found.whiten(slope.times[:, None]))
            size = group_sums(rest**2, unit, len(sigma))
            there = size > DEPENDENT * group_sums(slope.times[order, None] ** 2, unit, len(sigma))
            norm = np.where(there, np.sqrt(np.maximum(size, 1e-300)), np.inf)
            found = replace(found, slopes=np.column_stack([found.slopes, rest / norm[unit]]))
        return found

    @property
    def eliminates_slopes(self) -> bool:
        """Whether levels of units are flat, so that their slopes are taken out with them."""
        return self.prior == 0.0

    def whiten(self, B: FloatArray) -> FloatArray:
        """Rows of `B` in order of unit and time, less what the row before predicts."""
        ordered = B[self.order]
        found = self.own[:, None] * ordered
        found[1:] -= self.before[1:, None] * ordered[:-1]
        return np.asarray(found)

    def back(self, H: FloatArray) -> FloatArray:
        """The transpose of :meth:`whiten`: functionals of whitened rows as ones of rows."""
        found = self.own[:, None] * H
        found[:-1] -= self.before[1:, None] * H[1:]
        result = np.empty_like(found)
        result[self.order] = found
        return result

    def without_units(self, W: FloatArray) -> FloatArray:
        """Whitened columns less what unit effects take up; symmetric in its two sides."""
        N = int(self.unit.max()) + 1
        size = np.bincount(self.unit, self.one**2, minlength=N) + self.prior
        found = W.copy()
        for k in range(W.shape[1]):
            level = np.bincount(self.unit, self.one * W[:, k], minlength=N) / size
            found[:, k] -= self.one * level[self.unit]
        for j in range(self.slopes.shape[1]):
            slope = self.slopes[:, [j]]
            found -= slope * group_sums(slope * found, self.unit, N)[self.unit]
        return found


def own_slopes(design: Design, eliminated: bool) -> list[Further]:
    """Fixed slopes of units that are taken out with their levels."""
    return [one for one in design.further if one.is_unit_slope and eliminated]


def gls(
    pooling: Pooling, scalars: Scalars, flat: tuple[str, ...] = (), *, priors: PriorsLike = "weak"
) -> Gls:
    """Coefficients under the priors of a pooled mean, given its scalars.

    Parameters
    ----------
    flat
        Treatments whose priors are flat.
    priors
        Of the others, and of covariates.

    Raises
    ------
    NotIdentifiedError
        If those are not identified.
    """
    design = pooling.design
    rows = Whitening.of(design, scalars.sigma, scalars.phi, scalars.unit)
    T = len(design.periods)
    names = (*design.treatments, *design.covariates)
    centre, sd = resolve_priors(PriorChoice.of(priors), design).of(names)
    for k, part in enumerate(design.part or ("",) * len(design.treatments)):
        if part:
            sd[k] = scalars.omega[part]
        elif design.treatments[k] in flat:
            sd[k] = np.inf
    if design.period_effects == "none":
        periods, spread = np.ones((design.n, 1)), np.full(1, np.inf)
    else:
        # the first period is left out where flat unit effects span the constant
        first = int(rows.prior == 0.0 and not np.isfinite(scalars.period))
        levels = np.arange(first, T)
        if design.further and design.period_effects == "fixed":
            levels = independent_periods(design, unit_slopes=not rows.eliminates_slopes)
        periods = (design.period_index[:, None] == levels).astype(float)
        spread = np.full(periods.shape[1], scalars.period)
    further, own_sd = _further(design, rows, scalars)
    spread = np.concatenate([spread, own_sd])
    columns = rows.whiten(np.column_stack([design.D, design.X, periods, further]))
    projected = rows.without_units(columns)
    gram = columns.T @ projected
    gram += np.diag(np.concatenate([sd, spread]) ** -2.0)
    if design.period_effects == "none" and rows.prior == 0.0:
        gram[len(names), len(names)] += (
            1.0  # the constant is spanned by unit effects: its column is zero
        )
    y = rows.whiten((design.y - design.y.mean())[:, None])[:, 0]
    P = len(design.treatments)
    size = 1 / np.sqrt(np.maximum(np.diag(gram), 1e-300))
    if np.linalg.cond(gram * np.outer(size, size)) > _SINGULAR:
        raise NotIdentifiedError(
            f"{design.spec_id}: a path is not identified", remedy="take a panel with more controls"
        )
    inverse = np.linalg.inv(gram)
    loading = rows.back(projected @ inverse[:, :P]).T
    pull = np.concatenate([centre * sd**-2.0, np.zeros(len(spread))])
    mean = loading @ (design.y - design.y.mean()) + inverse[:P] @ pull
    return Gls(mean, inverse[:P, :P], loading, y, columns, gram, rows)


def _further(design: Design, rows: Whitening, scalars: Scalars) -> tuple[FloatArray, FloatArray]:
    """Columns of further effects that are not taken out with the units, (n, F), and their sds."""
    if not design.further:
        return np.empty((design.n, 0)), np.empty(0)
    found = further_columns(design, by_unit=not rows.eliminates_slopes)
    random = [one.name for one in design.further if one.kind == "random"]
    sd = [scalars.further[random[k]] if k >= 0 else np.inf for k in found.scale]
    return found.values, np.array(sd)
