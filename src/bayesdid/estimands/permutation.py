r"""Permutation of a treatment's assignment to units, studentised and inverted to an interval.

With few treated units no statistic is near its limit, whatever the errors; if units are
exchangeable given the model, the assignment of the same paths of treatment to other units gives
the distribution of any statistic without one (Fisher 1935; Conley & Taber 2011,
doi:10.1162/REST_a_00049, for differences in differences). It is divided by its own standard error
because treated units may be noisier or quieter than others (Canay, Romano & Shaikh 2017,
doi:10.3982/ECTA13081).

For a trial value tau0, ``y - tau0 d`` is whitened within units (correlation ``phi^k`` over k
periods), unit effects are projected out, period effects and coefficients of everything else too,
by least squares weighted with lambda. Of the units that an assignment b treats, the rows
``u_i = X_i theta + e_i`` have multivariate t errors with nu degrees of freedom and scale

.. math:: \sigma^2 = \sum_i \lambda_i u_i'u_i / \sum_i (T_i - 1).

``tau_b`` is the treatment's element of their mode, by iteratively reweighted least squares, and
``z_b`` is tau_b over its standard error there. With p(tau0) the share of assignments, the actual
one among them, whose ``|z_b|`` reaches that of the actual one, the interval is
``{tau0: p(tau0) > 1 - level}``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from math import ceil, perm

import numpy as np

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.design.design import Design
from bayesdid.design.treated import FEW, is_treated

ASSIGNMENTS = 500  # drawn where there are more; the share at the edge then has an error of 0.014
_ITERATIONS = 30
_CONVERGED = 1e-9  # of weights, which lie around one
_STEPS = 24  # halvings, to a width of 1e-7 of a first step
_FAR = 1e4  # scales beyond which an interval has no end
_IDENTIFIED = 1e-6  # share of a path that its unit's rows and the other terms must leave


@dataclass(frozen=True, slots=True)
class ErrorModel:
    """What the posterior says about errors.

    Attributes
    ----------
    phi
        Correlation of errors one period apart.
    nu
        Degrees of freedom of a unit's errors; infinite with a common scale.
    precision
        ``lambda_i``, relative precision of each unit, shape (N,).
    """

    phi: float
    nu: float
    precision: FloatArray


@dataclass(frozen=True, slots=True)
class Permutation:
    """One treatment term under all the assignments considered; the first is the actual one.

    Attributes
    ----------
    uu
        Squared norms of each unit's rows as coefficients of a quadratic in tau0, shape (3, N).
    xu
        Their products with each path as coefficients of a line in tau0, shape (2, k, N, m).
    xx
        Cross-products of each path in each unit, shape (k, N, m, m).
    dof
        Rows of each unit less its effect, shape (N,).
    who
        Units that each assignment gives the k paths to, shape (B, k).
    errors
        As above.
    """

    uu: FloatArray
    xu: FloatArray
    xx: FloatArray
    dof: FloatArray
    who: IntArray
    errors: ErrorModel

    @property
    def paths(self) -> IntArray:
        """Numbers of the paths, for indexing beside :attr:`who`, shape (k,)."""
        return np.arange(self.who.shape[1])

    def statistics(self, trial: float) -> tuple[FloatArray, FloatArray]:
        """``tau_b`` and ``z_b`` of every assignment at a trial value, shape (B,) each."""
        uu = self.uu[0] + trial * self.uu[1] + trial**2 * self.uu[2]
        xu = (self.xu[0] + trial * self.xu[1])[self.paths, self.who]
        xx, own, dof = self.xx[self.paths, self.who], uu[self.who], self.dof[self.who]
        sigma2 = float(self.errors.precision @ uu / self.dof.sum())
        nu, weight = self.errors.nu, np.ones(own.shape)
        for _ in range(_ITERATIONS if np.isfinite(nu) else 1):
            inverse = np.linalg.inv(_regular(np.einsum("bk,bkij->bij", weight, xx)))
            theta = np.einsum("bij,bk,bkj->bi", inverse, weight, xu)
            if not np.isfinite(nu):
                break
            left = own - 2 * np.einsum("bi,bki->bk", theta, xu)
            left += np.einsum("bi,bkij,bj->bk", theta, xx, theta)
            before = weight
            weight = (nu + dof) / (nu + np.maximum(left, 0.0) / sigma2)
            if np.abs(weight - before).max() < _CONVERGED:
                break
        inverse = np.linalg.inv(_regular(np.einsum("bk,bkij->bij", weight, xx)))
        return theta[:, 0], theta[:, 0] / np.sqrt(inverse[:, 0, 0] * sigma2)

    def p_value(self, trial: float) -> float:
        """Share of assignments whose statistic is at least as far out as the actual one's."""
        size = np.abs(self.statistics(trial)[1])
        return float((size >= size[0] * (1 - 1e-9)).mean())

    def interval(self, level: float, scale: float) -> tuple[float, float]:
        """Trial values that are not rejected; infinite ends where none is ever rejected.

        Parameters
        ----------
        scale
            Size of a first step away from the estimate, e.g. a posterior standard deviation.
        """
        centre = 0.0
        for _ in range(_ITERATIONS):  # to the value at which the actual statistic is zero
            centre += float(self.statistics(centre)[0][0])
        return self._end(centre, -scale, level), self._end(centre, scale, level)

    def _end(self, centre: float, step: float, level: float) -> float:
        inside, outside = 0.0, 1.0
        while self.p_value(centre + outside * step) > 1 - level:
            inside, outside = outside, 1.6 * outside
            if outside > _FAR:
                return float(np.sign(step)) * np.inf
        for _ in range(_STEPS):
            middle = (inside + outside) / 2
            if self.p_value(centre + middle * step) > 1 - level:
                inside = middle
            else:
                outside = middle
        return centre + inside * step


def permute(design: Design, term: int, errors: ErrorModel, seed: int) -> Permutation | None:
    """Lay the paths of one treatment term on other units.

    A unit's whole adoption travels: the paths of other terms with few treated units that share
    units with this one go along and are fitted in each assignment; terms with more treated units
    and covariates stay where they are and are taken out. In unbalanced panels a path is extended
    to periods in which its own unit is not seen by what it was before (or, at the beginning,
    after), and units in which a path would not change are left out.

    Returns
    -------
    Permutation or None
        None if the actual assignment does not identify the term by the treated units alone.
    """
    treated = np.stack([is_treated(design, k) for k in range(len(design.treatments))])
    few = treated.sum(axis=1) <= FEW
    along = few & (treated & treated[term]).any(axis=1)
    along[term] = False
    columns = [term, *np.flatnonzero(along)]
    movers = np.flatnonzero(treated[columns].any(axis=0))
    stay = np.ones(len(design.treatments), dtype=bool)
    stay[columns] = False
    rows = [np.flatnonzero(design.unit_index == i) for i in range(len(design.units))]
    paths = _paths(design, movers, columns)
    white, spread = _whitened(design, rows, errors.phi, paths)
    a, b = _residuals(design, rows, white, errors.precision, stay, term, columns)
    dof = np.array([len(own) for own in rows], dtype=float) - (design.unit_effects != "none")
    uu = np.array([[a[r] @ a[r], -2 * a[r] @ b[r], b[r] @ b[r]] for r in rows]).T
    xu = np.stack(
        [[[X.T @ v[r] for r, X in zip(rows, own, strict=True)] for own in spread] for v in (a, -b)]
    )
    xx = np.array([[X.T @ X for X in own] for own in spread])
    N, k = len(design.units), len(movers)
    tries = _assignments(movers, N, k, seed)
    keep = _identified(xx[np.arange(k), tries].sum(axis=1))
    if not keep[0]:
        return None
    return Permutation(uu, xu, xx, dof, tries[keep][: ASSIGNMENTS + 1], errors)


def _assignments(movers: IntArray, N: int, k: int, seed: int) -> IntArray:
    """The actual assignment, then all others, or random ones where there are many; (B, k)."""
    if perm(N, k) <= ASSIGNMENTS:
        every = np.array(list(permutations(range(N), k)))
        others = every[(every != movers).any(axis=1)]
    else:
        rng = np.random.default_rng(seed)
        order = rng.random((2 * ASSIGNMENTS, N)).argpartition(k - 1, axis=1)[:, :k]
        others = rng.permuted(order, axis=1)
    return np.concatenate([movers[None], others])


def _paths(design: Design, movers: IntArray, columns: list[int]) -> FloatArray:
    """Values of the columns in every period for each mover, shape (k, T, m)."""
    found = np.full((len(movers), len(design.periods), len(columns)), np.nan)
    for own, unit in zip(found, movers, strict=True):
        rows = np.flatnonzero(design.unit_index == unit)
        rows = rows[np.argsort(design.period_index[rows])]
        seen = design.period_index[rows]
        last = np.searchsorted(seen, np.arange(len(design.periods)), side="right") - 1
        own[:] = design.D[np.ix_(rows[np.maximum(last, 0)], columns)]
    return found


def _whitened(
    design: Design, rows: list[IntArray], phi: float, paths: FloatArray
) -> tuple[list[FloatArray], list[list[FloatArray]]]:
    """What each unit's rows are multiplied by, and each path in each unit so multiplied."""
    known: dict[bytes, tuple[FloatArray, list[FloatArray]]] = {}
    found = []
    label = np.asarray(design.periods, dtype=float)
    root = np.ones(design.n) if design.weights is None else np.sqrt(design.weights)
    for own in rows:
        period = design.period_index[own]
        key = period.tobytes() + root[own].tobytes()
        if key not in known:
            W = _whitener(label[period], phi, design.unit_effects != "none", root[own])
            known[key] = (W, [W @ path[period] for path in paths])
        found.append(known[key])
    white = [W for W, _ in found]
    return white, [[own[s] for _, own in found] for s in range(len(paths))]


def _whitener(time: FloatArray, phi: float, effects: bool, root: FloatArray) -> FloatArray:
    """``P R^(-1/2) w^(1/2)``: whitens rows at these times, and projects a level out."""
    R = np.sign(phi) ** (gap := np.abs(time[:, None] - time)) * abs(phi) ** gap
    W = np.linalg.inv(np.linalg.cholesky(R)) * root
    if effects:
        level = W.sum(axis=1)
        W = W - np.outer(level, level @ W) / (level @ level)
    return np.asarray(W)


def _residuals(
    design: Design,
    rows: list[IntArray],
    white: list[FloatArray],
    precision: FloatArray,
    stay: np.ndarray,
    term: int,
    along: list[int],
) -> tuple[FloatArray, FloatArray]:
    """Whitened outcome and term, everything that stays projected out, shape (n,) each."""
    periods = np.eye(len(design.periods))[design.period_index]
    parts = [design.y[:, None], design.D[:, [term]], design.D[:, along[1:]]]
    parts += [design.D[:, stay], design.X]
    if design.period_effects != "none":
        parts.append(periods)
    elif design.unit_effects == "none":
        parts.append(np.ones((design.n, 1)))
    Z = np.hstack(parts)
    size = np.linalg.norm(Z, axis=0)
    Z = Z / np.where(size > 0, size, 1.0)
    root = np.empty(design.n)
    for own, W, own_precision in zip(rows, white, precision, strict=True):
        Z[own] = np.sqrt(own_precision) * (W @ Z[own])
        root[own] = np.sqrt(own_precision)
    left = Z[:, :2] - Z[:, 2:] @ np.linalg.lstsq(Z[:, 2:], Z[:, :2], rcond=1e-9)[0]
    a, b = (left * size[:2] / root[:, None]).T
    return a, b


def _regular(A: FloatArray) -> FloatArray:
    """Cross-products (B, m, m) made regular for paths that an assignment does not tell apart."""
    m = A.shape[-1]
    size = np.trace(A, axis1=1, axis2=2) / m
    return A + 1e-9 * np.maximum(size, 1e-300)[:, None, None] * np.eye(m)


def _identified(A: FloatArray) -> np.ndarray:
    """Whether the first path is told apart from the others by its units, shape (B,)."""
    own = A[:, 0, 0]
    typical = np.median(own[own > 0]) if (own > 0).any() else 1.0
    left = 1 / np.linalg.inv(_regular(A))[:, 0, 0]
    return np.asarray(left > _IDENTIFIED * typical)


def needed(level: float) -> int:
    """Assignments that there must be for any value to be rejected at a level."""
    return ceil(1 / (1 - level) - 1e-9)
