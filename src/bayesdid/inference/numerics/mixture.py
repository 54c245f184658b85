"""A normal likelihood with a normal prior whose scale is half-normal: draws by quadrature.

    estimate ~ N(theta, V),   theta ~ N(0, B S B' + s^2 K),   s ~ half-normal(scale)

Given s everything is Gaussian, so the posterior is a mixture over the nodes of s. Serves smooth
event-study paths (no base) and exchangeable groups (base: their common mean).
"""

from __future__ import annotations

import numpy as np

from bayesdid.arrays import FloatArray

_NODES, _REACH, _DRAWS = 60, 5.0, 8_000


def mixture_draws(
    estimate: FloatArray,
    V: FloatArray,
    K: FloatArray,
    scale: float,
    *,
    base: FloatArray | None = None,
    size: int = _DRAWS,
    seed: int = 0,
) -> FloatArray:
    """Draws of theta, shape (S, K).

    Parameters
    ----------
    estimate, V
        Shapes (K,) and (K, K).
    K
        Prior covariance at ``s = 1``.
    scale
        Of the half-normal prior of s.
    base
        Prior covariance that does not depend on s, ``B S B'``; default none.
    """
    node, weight = np.polynomial.legendre.leggauss(_NODES)
    s = (node + 1) / 2 * _REACH * scale
    prior = (s**2)[:, None, None] * K + (0.0 if base is None else base)
    M = V + prior
    solved = np.linalg.solve(M, np.tile(estimate[:, None], (_NODES, 1, 1)))[:, :, 0]
    log_weight = np.log(weight) - 0.5 * (s / scale) ** 2
    log_weight = log_weight - 0.5 * np.linalg.slogdet(M)[1] - 0.5 * solved @ estimate
    probability = np.exp(log_weight - log_weight.max())
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(size, probability / probability.sum())
    parts = []
    for g in np.flatnonzero(counts):
        gain = prior[g] @ np.linalg.inv(M[g])
        noise = rng.standard_normal((counts[g], len(estimate)))
        parts.append(gain @ estimate + noise @ psd_root(prior[g] - gain @ prior[g]).T)
    return rng.permutation(np.concatenate(parts))


def psd_root(covariance: FloatArray) -> FloatArray:
    """A matrix whose square is a covariance that rounding may have made slightly indefinite.

    Also of a stack of covariances, shape (..., K, K).
    """
    values, vectors = np.linalg.eigh((covariance + covariance.swapaxes(-1, -2)) / 2)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0))[..., None, :])


def exchangeable_draws(
    estimate: FloatArray,
    V: FloatArray,
    *,
    scale: float,
    base_sd: float,
    size: int = _DRAWS,
    seed: int = 0,
) -> FloatArray:
    """Draws of exchangeable effects ``theta_k ~ N(mu, s^2)``, ``mu ~ N(0, base_sd^2)``, (S, K)."""
    k = len(estimate)
    return mixture_draws(
        estimate, V, np.eye(k), scale, base=np.full((k, k), base_sd**2), size=size, seed=seed
    )
