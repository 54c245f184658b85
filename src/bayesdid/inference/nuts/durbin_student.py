"""Spatial panels with Student-t errors: the PyMC model as written, sampled by nutpie."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.inference.exact.durbin import SpatialDraws
from bayesdid.inference.exact.durbin_fit import SpatialFit, effects_of
from bayesdid.inference.gate import GateItem
from bayesdid.inference.nuts.sample import sample_model
from bayesdid.model.effects import two_way
from bayesdid.model.likelihood import Likelihood
from bayesdid.model.mean import Durbin
from bayesdid.model.model import Model
from bayesdid.model.priors import PriorChoice, PriorName
from bayesdid.model.spatial_priors import spatial_priors
from bayesdid.spatial.design import LAG_OF_ERROR, LAG_OF_Y, SpatialDesign
from bayesdid.spatial.operators.logdet import LogDeterminant, log_determinant


@dataclass(frozen=True, slots=True)
class StudentFit:
    """A spatial model with heavy tails.

    Attributes
    ----------
    fit
        As of the Gaussian model; its evidence is not known (NaN).
    nu
        Degrees of freedom of the errors, shape (S,).
    """

    fit: SpatialFit
    nu: FloatArray


def fit_student(
    design: SpatialDesign,
    *,
    priors: PriorName = "weak",
    draws: int = 1000,
    seed: int = 0,
    logdet: LogDeterminant | None = None,
) -> StudentFit:
    """Four chains of `draws` draws each; one more chance with longer chains."""
    assert design.kind != "none"
    model = Model(
        mean=Durbin(design.kind),
        likelihood=Likelihood("student_t"),
        effects=two_way(design.base.unit_effects, design.base.period_effects),
        priors=PriorChoice.of(priors),
    )
    tree = sample_model(model, design, draws=draws, seed=seed)
    posterior = tree["posterior"]

    def flat(name: str) -> FloatArray:
        values = posterior[name].to_numpy()
        return np.asarray(values.reshape(4 * draws, *values.shape[2:]))

    slopes = [flat(name) for name in ("tau", "beta", "theta", "delta") if name in posterior]
    if design.kind in LAG_OF_Y | LAG_OF_ERROR:
        logdet = logdet or log_determinant(design.weights)
    else:
        logdet = None
    gate = tuple(GateItem(**item) for item in json.loads(tree.attrs["gate"]))
    found = SpatialDraws(
        flat("rho") if "rho" in posterior else np.zeros(4 * draws),
        np.hstack(slopes),
        flat("sigma"),
        np.empty((4 * draws, 0)),
        float("nan"),
        gate,
    )
    effects = effects_of(design, found, logdet)
    resolved, reference = spatial_priors(design, priors)
    return StudentFit(SpatialFit(design, found, logdet, effects, resolved, reference), flat("nu"))
