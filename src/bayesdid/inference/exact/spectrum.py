"""The posterior of sigma alone: cross-products that never change are diagonalised once.

With ``V' (G / s + D) V = I`` and ``V' D V = diag(delta)``, D the prior precision of the
coefficients in units of their prior sds and s some typical sigma^2,

    D + G / sigma^2 = V^-T diag(delta + (1 - delta) s / sigma^2) V^-1

for every sigma, so that a node costs K operations and all draws are one matrix product.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh

from bayesdid.arrays import FloatArray
from bayesdid.exceptions import NotIdentifiedError
from bayesdid.inference.exact.collapse import Equations
from bayesdid.inference.exact.target import Beliefs, Scalars
from bayesdid.model.priors import Priors


@dataclass(frozen=True, slots=True)
class SigmaTarget:
    """Log density of ``z = log sigma`` of a model with independent errors and flat effects.

    Attributes
    ----------
    V, delta
        As above, shapes (K, K) and (K,).
    log_v
        Log determinant of V.
    s
        Typical sigma^2.
    c
        ``V' d R'y`` after effects are taken out, shape (K,).
    square, logdet, nu
        Outcome's sum of squares, and constants of the likelihood.
    d, mean
        Prior sds, 1 where flat, and prior means, shape (K,).
    flat
        Number of flat coefficients.
    priors
        Of sigma.
    """

    V: FloatArray
    delta: FloatArray
    log_v: float
    s: float
    c: FloatArray
    square: float
    logdet: float
    nu: int
    d: FloatArray
    mean: FloatArray
    flat: int
    priors: Priors
    dimension: int = 1

    def scalars(self, z: FloatArray) -> Scalars:
        """Natural parameters of coordinates, shape (G, 1)."""
        one = np.ones(len(z))
        return Scalars(
            np.exp(np.clip(z[:, 0], -300, 300)), 0 * one, one, one, np.empty((len(z), 0))
        )

    def log_density(self, z: FloatArray) -> FloatArray:
        """Log posterior density of `z`, shape (G,)."""
        with np.errstate(all="ignore"):
            sigma2 = np.exp(2 * z[:, 0])
            spread = self.delta + (1 - self.delta) * self.s / sigma2[:, None]  # (G, K)
            fitted = (self.c**2 / spread).sum(axis=1) / sigma2**2
            value = (
                -0.5 * self.nu * (np.log(2 * np.pi) + 2 * z[:, 0])
                - 0.5 * self.logdet
                - 0.5 * (self.square / sigma2 - fitted)
                - 0.5 * np.log(spread).sum(axis=1)
                + self.log_v
                + 0.5 * self.flat * np.log(2 * np.pi)
                + self.priors.log_sigma_density(np.sqrt(sigma2))
            )
        return np.where(np.isfinite(value), value, -np.inf)

    def draw(self, z: FloatArray, rng: np.random.Generator) -> FloatArray:
        """One draw of the scaled coefficients for each row of `z`, shape (S, K)."""
        sigma2 = np.exp(2 * z)
        spread = self.delta + (1 - self.delta) * self.s / sigma2
        u = self.c / sigma2 / spread + rng.standard_normal(spread.shape) / np.sqrt(spread)
        return np.asarray(self.mean + (u @ self.V.T) * self.d)


def sigma_target(stats: Equations, beliefs: Beliefs, priors: Priors) -> SigmaTarget:
    """The target of a model whose cross-products are constant.

    Raises
    ------
    NotIdentifiedError
        If coefficients with flat priors are linearly dependent.
    """
    A, logdet = stats.gram(np.zeros(1), np.ones(1), np.ones(1))
    shift = np.eye(A.shape[1])
    shift[:-1, -1] = -beliefs.mean
    A = shift.T @ A[0] @ shift
    proper = np.isfinite(beliefs.sd)
    d = np.where(proper, beliefs.sd, 1.0)
    G, D = A[:-1, :-1] * np.outer(d, d), np.diag(proper.astype(float))
    s = float(A[-1, -1]) / max(stats.nu, 1)
    try:
        delta, V = eigh(D, G / s + D) if len(d) else (np.empty(0), np.empty((0, 0)))
    except np.linalg.LinAlgError as error:
        raise NotIdentifiedError(
            "regressors with flat priors are linearly dependent",
            remedy="leave one out, or use a proper prior",
        ) from error
    return SigmaTarget(
        V,
        np.clip(delta, 0.0, 1.0),
        float(np.linalg.slogdet(V)[1]),
        s,
        V.T @ (d * A[:-1, -1]),
        float(A[-1, -1]),
        float(logdet[0]),
        stats.nu,
        d,
        beliefs.mean,
        int((~proper).sum()),
        priors,
    )
