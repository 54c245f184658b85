r"""One random further effect under i.i.d. errors of one scale, in closed form given two scalars.

Partially pooled coefficients add a scale for each of their parts.

With everything flat taken out of its L columns Z, ``Z'MZ = V diag(lambda) V'`` is solved once.
Given ``rho = (omega / sigma)^2`` the precision that the levels leave is

.. math::

    (I + \rho M Z Z' M)^{-1} = M - \sum_j \frac{\rho}{1 + \rho \lambda_j} (M Z v_j)(M Z v_j)',

so that a node costs L products of K numbers, and levels given everything else are independent in
the directions v. Shocks that individuals of a group and period share (Moulton 1990,
doi:10.2307/2109724) are such an effect.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.inference.exact.collapse import Equations
from bayesdid.inference.exact.draw import Draws
from bayesdid.inference.exact.target import Beliefs, Target
from bayesdid.inference.numerics.importance import Weighted, draw_importance
from bayesdid.inference.numerics.table import TableDraws, draw_table, find_axes
from bayesdid.model.priors import Priors


@dataclass(frozen=True, slots=True)
class _Rotated:
    """Cross-products of regressors and outcome as a function of rho.

    Attributes
    ----------
    A, logdet
        At rho zero, shape (K + 1, K + 1).
    size
        lambda, shape (L,).
    along
        Products of the directions with regressors and outcome, shape (L, K + 1).
    """

    A: FloatArray
    logdet: float
    size: FloatArray
    along: FloatArray

    def gram(
        self, phi: FloatArray, rho_unit: FloatArray, rho_period: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """A, shape (G, K + 1, K + 1), and logdet, (G,); `rho_unit` is the levels' rho."""
        del phi, rho_period
        weight = rho_unit[:, None] / (1 + rho_unit[:, None] * self.size)
        taken = np.stack([(w[:, None] * self.along).T @ self.along for w in weight])
        logdet = self.logdet + np.log1p(rho_unit[:, None] * self.size).sum(axis=1)
        return self.A - taken, logdet


def levels_target(
    stats: Equations, beliefs: Beliefs, priors: Priors, levels: int
) -> tuple[Target, FloatArray]:
    """The density of the scalars, its random effect that of the levels, and V, shape (L, L).

    Parameters
    ----------
    stats, beliefs, priors, levels
        As of :func:`draw_random_levels`.
    """
    A, logdet = stats.gram(np.zeros(1), np.ones(1), np.ones(1))
    L, whole = levels, A[0]
    size, V = np.linalg.eigh(whole[:L, :L])
    along = np.asarray(V.T @ whole[:L, L:])
    at = _Rotated(whole[L:, L:], float(logdet[0]), np.maximum(size, 0.0), along)
    return Target(at, stats.nu, beliefs, priors, (True, False), serial=False), V


def draw_random_levels(
    stats: Equations,
    beliefs: Beliefs,
    priors: Priors,
    levels: int,
    size: int,
    rng: np.random.Generator,
) -> Draws:
    """Independent draws of scalars, of the levels and of the coefficients after them.

    Parameters
    ----------
    stats
        Of which the first `levels` regressors are columns of the effect; no other effect is random.
    beliefs
        Of the other regressors, some of them perhaps pooled; scales of parts come after that of
        the levels.
    """
    target, V = levels_target(stats, beliefs, priors, levels)
    at = target.stats
    assert isinstance(at, _Rotated)
    spread = 0.5 * np.log(max(at.A[-1, -1], 1e-300) / max(stats.nu, 1))
    parts = len(beliefs.half_normal)
    start = np.array([spread, spread - 1.0, *[spread - 2.0] * parts])
    found: Weighted | TableDraws
    if parts:
        found = draw_importance(target, start, size, rng)
    else:
        found = draw_table(target, find_axes(target, start), size, rng)
    given, coef = target.scalars(found.z), target.draw(found.z, rng)
    contrast = np.column_stack([-coef, np.ones(size)])
    precision = at.size + 1 / given.rho_unit[:, None]
    noise = rng.standard_normal((size, levels)) * given.sigma[:, None] / np.sqrt(precision)
    drawn = ((contrast @ at.along.T) / precision + noise) @ V.T
    own = given.sigma * np.sqrt(given.rho_unit)
    given = given._replace(omega=np.column_stack([own, given.omega]), rho_unit=np.ones(size))
    return Draws(given, np.hstack([drawn, coef]), found.gate(), found.log_evidence)
