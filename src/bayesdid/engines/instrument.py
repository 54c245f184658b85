"""Draws of an instrumental-variables posterior from its reduced form.

Just identified: the reduced form of (y, d) on z is a bivariate regression with a matrix-normal
inverse-Wishart posterior (:mod:`bayesdid.engines.multivariate`), and ``tau = pi_y / pi_d``. Flat
priors on (pi_y, pi_d) put a prior on tau that depends on pi; weighting each draw by
``prior(tau) prior(pi) |pi|`` turns it into the posterior under independent priors on tau and pi
(the Jacobian of (tau, pi) to (tau pi, pi) is |pi|; Kleibergen & Zivot 2003,
doi:10.1016/S0304-4076(02)00219-1).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from bayesdid.design.design import Design, FloatArray
from bayesdid.engines.gate import ESS_LIMIT, GateItem
from bayesdid.engines.importance import PARETO_LIMIT, smoothed_weights
from bayesdid.engines.multivariate import multivariate_posterior


@dataclass(frozen=True, slots=True)
class InstrumentDraws:
    """Posterior of an instrumental-variables model.

    Attributes
    ----------
    tau, pi, rho
        Effect, first stage, correlation of the structural errors, shape (S,).
    flat_tau
        ``pi_y / pi_d`` under flat priors on the reduced form, shape (S,).
    gate
        Of the importance weights.
    """

    tau: FloatArray
    pi: FloatArray
    rho: FloatArray
    flat_tau: FloatArray
    gate: tuple[GateItem, ...]


def draw_instrument(
    design: Design, endogenous: FloatArray, *, tau_sd: float, pi_sd: float, size: int = 4000,
    seed: int = 0,
) -> InstrumentDraws:  # fmt: skip
    """Exact draws.

    Parameters
    ----------
    design
        The instrument is its one treatment; effects and covariates as in the equations.
    endogenous
        The treatment, shape (n,).
    tau_sd, pi_sd
        Of the normal priors on the effect and on the first stage.
    """
    rng = np.random.default_rng(seed)
    posterior = multivariate_posterior(design, np.column_stack([design.y, endogenous]))
    B, Sigma = posterior.draw(20 * size, rng)
    pi_y, pi = B[:, 0, 0], B[:, 0, 1]
    tau = pi_y / pi
    log_weight = norm.logpdf(tau, 0, tau_sd) + norm.logpdf(pi, 0, pi_sd) + np.log(np.abs(pi))
    weight, k = smoothed_weights(log_weight)
    ess = float(1 / (weight**2).sum())
    chosen = rng.choice(len(tau), size, p=weight)
    tau, pi, S = tau[chosen], pi[chosen], Sigma[chosen]
    # structural errors: eps = reduced-form error of y minus tau times that of d
    variance = S[:, 0, 0] - 2 * tau * S[:, 0, 1] + tau**2 * S[:, 1, 1]
    rho = (S[:, 0, 1] - tau * S[:, 1, 1]) / np.sqrt(variance * S[:, 1, 1])
    gate = (GateItem("pareto_k", k, PARETO_LIMIT, k < PARETO_LIMIT),
            GateItem("importance_ess", ess, ESS_LIMIT, ess >= ESS_LIMIT))  # fmt: skip
    return InstrumentDraws(tau, pi, rho, (B[:, 0, 0] / B[:, 0, 1])[:size], gate)


def with_instrument(design: Design, z: FloatArray, name: str) -> Design:
    """The design with the instrument in the place of its treatments."""
    return dataclasses.replace(design, D=z[:, None], treatments=(name,))
