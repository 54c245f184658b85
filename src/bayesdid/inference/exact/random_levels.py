r"""One random further effect under i.i.d. errors of one scale, in closed form given two scalars.

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
from bayesdid.inference.numerics.table import draw_table, find_axes
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
        Of the other regressors.
    """
    A, logdet = stats.gram(np.zeros(1), np.ones(1), np.ones(1))
    L, whole = levels, A[0]
    found, V = np.linalg.eigh(whole[:L, :L])
    at = _Rotated(
        whole[L:, L:], float(logdet[0]), np.maximum(found, 0.0), np.asarray(V.T @ whole[:L, L:])
    )
    target = Target(at, stats.nu, beliefs, priors, (True, False), serial=False)
    spread = 0.5 * np.log(max(whole[-1, -1], 1e-300) / max(stats.nu, 1))
    table = draw_table(target, find_axes(target, np.array([spread, spread - 1.0])), size, rng)
    given, coef = target.scalars(table.z), target.draw(table.z, rng)
    contrast = np.column_stack([-coef, np.ones(size)])
    precision = at.size + 1 / given.rho_unit[:, None]
    noise = rng.standard_normal((size, L)) * given.sigma[:, None] / np.sqrt(precision)
    drawn = ((contrast @ at.along.T) / precision + noise) @ V.T
    omega = (given.sigma * np.sqrt(given.rho_unit))[:, None]
    given = given._replace(omega=omega, rho_unit=np.ones(size))
    return Draws(given, np.hstack([drawn, coef]), table.gate(), table.log_evidence)
