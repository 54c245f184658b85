"""Spatial panels with Student-t errors: the PyMC model as written, sampled by nutpie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.inference.exact.durbin import SpatialDraws
from bayesdid.inference.exact.durbin_fit import SpatialFit, effects_of, spatial_priors
from bayesdid.inference.nuts.chain import Attempt, sample_chains
from bayesdid.model.priors import PriorName, Priors
from bayesdid.spatial.design import LAG_OF_ERROR, LAG_OF_Y, SpatialDesign
from bayesdid.spatial.operators.logdet import LogDeterminant, log_determinant
from bayesdid.spatial.operators.moments import moments


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
    priors: PriorName | Priors = "weak",
    draws: int = 1000,
    seed: int = 0,
    logdet: LogDeterminant | None = None,
) -> StudentFit:
    """Four chains of `draws` draws each; one more chance with longer chains."""
    from bayesdid.model.pymc.durbin import build

    resolved, reference = spatial_priors(design, priors)
    if design.kind in LAG_OF_Y | LAG_OF_ERROR:
        logdet = logdet or log_determinant(design.weights)
    else:
        logdet = None
    stats = moments(design)
    chains = sample_chains(
        lambda: build(design, stats, logdet, resolved, reference, errors="student_t"),
        [Attempt(1, {}), Attempt(3, {})],
        draws=draws,
        seed=seed,
    )
    posterior = chains.thinned()
    flat = {
        name: values.to_numpy().reshape(4 * draws, *values.shape[2:])
        for name, values in posterior.data_vars.items()
    }
    rho = flat.get("rho", np.zeros(4 * draws))
    found = SpatialDraws(
        rho, flat["b"], flat["sigma"], np.empty((len(rho), 0)), float("nan"), tuple(chains.gate)
    )
    effects = effects_of(design, found, logdet)
    return StudentFit(SpatialFit(design, found, logdet, effects, resolved, reference), flat["nu"])
