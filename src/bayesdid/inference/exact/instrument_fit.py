"""Fit an instrumental-variables model exactly: effect, first stage, errors; the rest given these.

The nuisance parameters, flat in the structural equations, are flat in the reduced form too, whose
outcomes (d, y) have the same regressors: covariates given effect, first stage and covariance are
matrix-normal (Zellner 1971, ch. 8), intercepts and effects follow.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.design.span import within
from bayesdid.inference.exact.instrument import draw_instrument, with_instrument
from bayesdid.inference.exact.system_effects import SystemEffects, system_effects
from bayesdid.inference.registry import Size
from bayesdid.inference.tree import assemble, named_dataset, provenance
from bayesdid.model.equations import Instrumented, instrument_of
from bayesdid.model.model import Model
from bayesdid.model.priors import Priors


def fit_instrument(model: Model, design: Design, priors: Priors, size: Size) -> xr.DataTree:
    """Independent draws of both equations under fixed or no effects."""
    parts = instrument_of(model, design)
    rest, d = parts.rest, parts.rest.D[:, 0]
    (m_tau, m_pi), (s_tau, s_pi) = priors.of(
        [rest.treatments[0], f"{rest.treatments[0]} ~ {parts.name}"]
    )
    own = with_instrument(rest, parts.z, parts.name)
    found = draw_instrument(
        own,
        d,
        tau=(float(m_tau), float(s_tau)),
        pi=(float(m_pi), float(s_pi)),
        size=size.draws * size.chains,
        seed=size.seed,
    )
    sigma = np.sqrt(np.diagonal(found.Sigma, axis1=1, axis2=2))
    values: dict[str, tuple[tuple[str, ...], FloatArray]] = {
        "tau": (("treatment",), found.tau[:, None]),
        "pi": ((), found.pi),
        "rho": ((), found.rho),
        "sigma": ((), sigma[:, 0]),
        "sigma_treatment": ((), sigma[:, 1]),
    }
    if size.effects:
        rng = np.random.default_rng([size.seed, 1])
        values |= _nuisance(parts, own, found.tau, found.pi, found.Sigma, rng)
    coords: dict[str, object] = {
        "treatment": list(rest.treatments),
        "covariate": list(rest.covariates),
        rest.unit_dim: rest.units,
        rest.period_dim: rest.periods,
        **{one.dim: one.levels for one in rest.further},
    }
    tree = assemble(named_dataset(values, coords, size.chains), design)
    tree.attrs = provenance(
        design, priors, "instrument", size.seed, size.draws, size.chains, list(found.gate), None
    )
    return tree


def _nuisance(
    parts: Instrumented,
    own: Design,
    tau: FloatArray,
    pi: FloatArray,
    Sigma: FloatArray,
    rng: np.random.Generator,
) -> dict[str, tuple[tuple[str, ...], FloatArray]]:
    """Covariates, intercepts and effects of both equations."""
    rest, d = parts.rest, parts.rest.D[:, 0]
    # reduced form: (eta, eps + tau eta) and coefficients (pi, tau pi) of z
    turn = np.zeros((len(tau), 2, 2))
    turn[:, 0, 1], turn[:, 1, 0], turn[:, 1, 1] = 1.0, 1.0, tau
    reduced = turn @ Sigma @ np.swapaxes(turn, 1, 2)
    Y, on_z = np.column_stack([d, rest.y]), np.column_stack([pi, tau * pi])
    B = np.concatenate([on_z[:, None, :], _covariates(own, Y, on_z, reduced, rng)], axis=1)
    both = system_effects(own, Y, B, reduced, rng)
    back = tau[:, None]
    structural = SystemEffects(
        np.column_stack([both.alpha[:, 0], both.alpha[:, 1] - tau * (both.alpha[:, 0] - d.mean())]),
        np.stack([both.unit[..., 0], both.unit[..., 1] - back * both.unit[..., 0]], axis=-1),
        np.stack([both.period[..., 0], both.period[..., 1] - back * both.period[..., 0]], axis=-1),
        {
            name: np.stack([of[..., 0], of[..., 1] - back * of[..., 0]], axis=-1)
            for name, of in both.further.items()
        },
    )
    found = structural.named(rest, "_treatment", 0) | structural.named(rest, "", 1)
    if rest.covariates:
        found["gamma"] = (("covariate",), B[:, 1:, 0])
        found["beta"] = (("covariate",), B[:, 1:, 1] - back * B[:, 1:, 0])
    return found


def _covariates(
    own: Design, Y: FloatArray, on_z: FloatArray, Sigma: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Coefficients of the covariates in the reduced form, shape (S, K, 2)."""
    S, K = len(on_z), own.X.shape[1]
    if not K:
        return np.empty((S, 0, 2))
    both = np.column_stack([own.X, own.D, Y])
    residual = within(own, both, flat_only=False, weights=own.weights)
    X, z, rest = residual[:, :K], residual[:, [K]], residual[:, K + 1 :]
    size = np.linalg.norm(X, axis=0)
    inverse = np.linalg.inv((X / size).T @ (X / size)) / np.outer(size, size)
    mean = inverse @ (X.T @ rest) - (inverse @ (X.T @ z)) * on_z[:, None, :]
    noise = np.linalg.cholesky(inverse) @ rng.standard_normal((S, K, 2))
    return np.asarray(mean + noise @ np.swapaxes(np.linalg.cholesky(Sigma), 1, 2))
