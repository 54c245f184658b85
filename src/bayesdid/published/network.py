r"""The loop none - single - dual as a network meta-analysis of published cells.

Both policies are compared with none directly, and indirectly through the single-policy units.
With printed cells y and their covariance V,

.. math::

    y_{a} &= \theta_a, \quad y_{b} = \theta_b, \quad y_{both} = \theta_{both}, \\
    y_{both|single} &= \theta_{both} - (w \theta_a + (1 - w) \theta_b) - \omega,

where omega is the loop's inconsistency, direct minus indirect (Lu & Ades 2006,
doi:10.1198/016214505000001302). The singles are exchangeable, ``theta_p ~ N(mu, tau^2)``;
``omega ~ N(0, sigma_omega^2)``; both scales are half-normal. :mod:`bayesdid.model.pymc.network`
writes the same model in PyMC; here it is Gaussian given the two scales, which are integrated by
quadrature.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.estimands.evidence import PRIOR_SHARES
from bayesdid.published.synergy import PublishedSynergy
from bayesdid.summary import Summary, summarise

SCALE_SHARE = 0.25  # of sd(y): scale of the half-normal priors of tau and sigma_omega
_NODES = 40
_REACH = 4.0  # half-normal scales out to which the quadrature goes


@dataclass(frozen=True, slots=True)
class Loop:
    """The four cells of the loop, in the order single policies, both, both against single.

    Attributes
    ----------
    y
        Printed estimates, shape (P + 2,).
    V
        Their covariance, shape (P + 2, P + 2).
    weights
        Share of each policy among the single units, shape (P,).
    prior_sd
        Of the normal priors of ``mu`` and ``theta_both``.
    scale
        Of the half-normal priors of ``tau`` and ``sigma_omega``.
    """

    y: FloatArray
    V: FloatArray
    weights: FloatArray
    prior_sd: float
    scale: float

    @property
    def policies(self) -> int:
        """Number of single policies."""
        return len(self.weights)

    @property
    def rows(self) -> FloatArray:
        """Rows of the cells in terms of (mu, deviations of the singles, both, omega)."""
        P = self.policies
        H = np.zeros((P + 2, P + 3))
        H[:P, 0] = 1.0
        H[:P, 1 : P + 1] = np.eye(P)
        H[P:, P + 1] = 1.0
        H[P + 1, 0] = -1.0
        H[P + 1, 1 : P + 1] = -self.weights
        H[P + 1, P + 2] = -1.0
        return H


@dataclass(frozen=True, slots=True)
class NetworkPosterior:
    """Draws of the network and its inconsistency.

    Attributes
    ----------
    theta
        Draws of the single policies' effects and of both, shape (S, P + 1).
    omega
        Draws of the inconsistency, shape (S,).
    direct, indirect
        Estimate and standard error of both - none, directly and through the singles.
    gap, gap_se
        Direct minus indirect and its standard error, correlation taken into account.
    """

    json_keys: ClassVar[tuple[str, ...]] = ("direct", "indirect", "gap", "gap_se")

    theta: FloatArray
    omega: FloatArray
    direct: tuple[float, float]
    indirect: tuple[float, float]
    gap: float
    gap_se: float

    def summaries(self, names: tuple[str, ...], rope: float | None = None) -> dict[str, Summary]:
        """The contrasts of the network; `names` are the policies."""
        both, singles = self.theta[:, -1], self.theta[:, :-1]
        found = {"both - none": both}
        found |= {f"only:{name} - none": singles[:, k] for k, name in enumerate(names)}
        found |= {f"both - only:{name}": both - singles[:, k] for k, name in enumerate(names)}
        found["both - sum of singles"] = both - singles.sum(axis=1)
        found["inconsistency"] = self.omega
        return {name: summarise(draws, rope=rope) for name, draws in found.items()}


def loop_of(
    synergy: PublishedSynergy,
    policies: tuple[str, ...],
    *,
    inflation: float = 1.0,
    independent: bool = False,
) -> Loop | None:
    """The loop's cells, or None if the study does not print all four.

    Parameters
    ----------
    inflation
        Factor on the printed standard errors.
    independent
        Ignore the correlation that the shared units imply.
    """
    keys = (*(f"only:{p}" for p in policies), "both", "both|single")
    if len(policies) < 2 or not set(keys) <= set(synergy.estimands):
        return None
    at = [synergy.estimands.index(key) for key in keys]
    ses = inflation * synergy.ses[at]
    correlation = np.eye(len(at)) if independent else synergy.correlation[np.ix_(at, at)]
    return Loop(
        y=synergy.estimates[at],
        V=np.outer(ses, ses) * correlation,
        weights=np.full(len(policies), 1.0 / len(policies)),
        prior_sd=PRIOR_SHARES["weak"] * synergy.scale,
        scale=SCALE_SHARE * synergy.scale,
    )


def network_posterior(loop: Loop, *, draws: int = 20_000, seed: int = 0) -> NetworkPosterior:
    """Integrate the two scales by Gauss-Legendre quadrature and draw the rest exactly."""
    P, H = loop.policies, loop.rows
    node, weight = np.polynomial.legendre.leggauss(_NODES)
    scale = (node + 1) / 2 * _REACH * loop.scale
    prior = np.log(weight) - 0.5 * (scale / loop.scale) ** 2
    tau, sigma_omega = (a.ravel() for a in np.meshgrid(scale, scale, indexing="ij"))
    log_weight = (prior[:, None] + prior[None, :]).ravel()
    variances = np.zeros((len(tau), P + 3))  # of (mu, deviations, both, omega)
    variances[:, [0, P + 1]] = loop.prior_sd**2
    variances[:, 1 : P + 1] = tau[:, None] ** 2
    variances[:, P + 2] = sigma_omega**2
    M = loop.V + np.einsum("ij,gj,kj->gik", H, variances, H)
    solved = np.linalg.solve(M, np.tile(loop.y[:, None], (len(tau), 1, 1)))[:, :, 0]
    log_weight = log_weight - 0.5 * np.linalg.slogdet(M)[1] - 0.5 * solved @ loop.y
    probability = np.exp(log_weight - log_weight.max())
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(draws, probability / probability.sum())
    parts = []
    for g in np.flatnonzero(counts):
        D = np.diag(variances[g])
        gain = D @ H.T @ np.linalg.inv(M[g])
        mean, covariance = gain @ loop.y, D - gain @ H @ D
        values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        parts.append(mean + rng.standard_normal((counts[g], P + 3)) @ root.T)
    x = rng.permutation(np.concatenate(parts), axis=0)
    theta = np.column_stack([x[:, :1] + x[:, 1 : P + 1], x[:, P + 1]])
    through = np.concatenate([loop.weights, [0.0, 1.0]])  # singles, both|single
    split = np.concatenate([-loop.weights, [1.0, -1.0]])
    return NetworkPosterior(
        theta,
        x[:, P + 2],
        (float(loop.y[P]), float(np.sqrt(loop.V[P, P]))),
        (float(through @ loop.y), float(np.sqrt(through @ loop.V @ through))),
        float(split @ loop.y),
        float(np.sqrt(split @ loop.V @ split)),
    )
