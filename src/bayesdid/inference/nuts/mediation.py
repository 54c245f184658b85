"""Mediation under random effects: the PyMC model as written, sampled by nutpie."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.inference.nuts.sample import sample_model
from bayesdid.model.effects import two_way
from bayesdid.model.mean import Mediation
from bayesdid.model.model import Model


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
    """Posterior under weak priors and the design's effects, four chains."""
    full = dataclasses.replace(
        design, X=np.column_stack([design.X, mediators]), covariates=(*design.covariates, *names)
    )
    model = Model(
        mean=Mediation(names), effects=two_way(design.unit_effects, design.period_effects)
    )
    tree = sample_model(model, full, draws=draws, seed=seed, cores=1)
    posterior = tree["posterior"]
    return SampledMediation(
        posterior["a"].to_numpy().reshape(-1, len(names)),
        posterior["b"].to_numpy().reshape(-1, len(names)),
        posterior["tau"].to_numpy().ravel(),
        bool(tree.attrs["converged"]),
    )
