"""Mediation under random effects: the PyMC model as written, sampled by nutpie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.design.within import two_way
from bayesdid.inference.nuts.chain import Attempt, sample_chains
from bayesdid.model.priors import resolve_priors

_INFORMED = 5.0  # variance of level means over that of their noise


@dataclass(frozen=True, slots=True)
class SampledMediation:
    """Draws of paths in natural units.

    Attributes
    ----------
    a, b
        Treatment on mediator, mediator on outcome, shape (S, q).
    direct
        Effect not through the mediators, shape (S,).
    converged
        Whether the chains passed their gate.
    """

    a: FloatArray
    b: FloatArray
    direct: FloatArray
    converged: bool

    @property
    def indirect(self) -> FloatArray:
        """Effect through each mediator, shape (S, q)."""
        return self.a * self.b

    @property
    def total(self) -> FloatArray:
        """Direct and indirect, shape (S,)."""
        return np.asarray(self.direct + self.indirect.sum(axis=1))


def sample_mediation(
    design: Design,
    mediators: FloatArray,
    names: tuple[str, ...],
    *,
    draws: int = 1000,
    seed: int = 0,
) -> SampledMediation:
    """Posterior of :func:`bayesdid.model.pymc.mediation.build` under weak priors, four chains."""
    from bayesdid.model.pymc.mediation import build

    priors, centred = resolve_priors("weak", design), _informed(design, mediators)
    found = sample_chains(
        lambda: build(design, mediators, names, priors, centred=centred),
        [Attempt(1, {"target_accept": 0.95}), Attempt(4, {"target_accept": 0.99})],
        draws=draws,
        seed=seed,
        cores=1,
    )
    converged = all(item.passed for item in found.gate)
    scale, q = mediators.std(axis=0), len(names)
    posterior = found.tree["posterior"]
    return SampledMediation(
        posterior["a"].to_numpy().reshape(-1, q) * scale,
        posterior["b"].to_numpy().reshape(-1, q) / scale,
        posterior["direct"].to_numpy().ravel(),
        converged,
    )


def _informed(design: Design, mediators: FloatArray) -> tuple[bool, bool]:
    """Whether the data say much about each unit's, and each period's, effect on the outcome."""
    Z = np.column_stack([design.regressors, mediators, design.y])
    within = two_way(Z, design.unit_index, design.period_index).residual
    b = np.linalg.lstsq(within[:, :-1], within[:, -1], rcond=None)[0]
    rest = two_way((Z[:, -1] - Z[:, :-1] @ b)[:, None], design.unit_index, design.period_index)
    noise = rest.residual.var()
    unit, period = (
        bool(level.var() * design.n / len(labels) > _INFORMED * noise)
        for level, labels in ((rest.unit, design.units), (rest.period, design.periods))
    )
    return unit, period
