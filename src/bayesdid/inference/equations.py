"""The equations of a model under every draw: what the compiler writes, as numpy arrays.

:mod:`bayesdid.inference.pointwise` makes densities and replications of them, whatever engine made
the draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.design.regressors import regressors
from bayesdid.exceptions import InputError


@dataclass(frozen=True, slots=True)
class Draws:
    """Some draws of a posterior by name, chains one after the other."""

    posterior: xr.Dataset
    rows: slice

    def __contains__(self, name: str) -> bool:
        return name in self.posterior

    def __getitem__(self, name: str) -> FloatArray:
        """Shape (S, ...).

        Raises
        ------
        InputError
            If the result does not keep this variable.
        """
        if name not in self.posterior:
            raise InputError(
                "the result does not hold what its pointwise densities depend on",
                value=name,
                remedy="fit again and keep the effects",
            )
        values = self.posterior[name].transpose("chain", "draw", ...).to_numpy()
        return np.asarray(values.reshape(-1, *values.shape[2:])[self.rows], dtype=np.float64)

    @property
    def size(self) -> int:
        """Number of draws."""
        total = self.posterior.sizes["chain"] * self.posterior.sizes["draw"]
        return len(range(*self.rows.indices(total)))


@dataclass(frozen=True, slots=True)
class Equation:
    """One outcome around its mean, under S draws.

    Attributes
    ----------
    name, y
        What is observed, shape (n,).
    mu
        Linear predictor, shape (S, n).
    scale
        Marginal sd of each row's error, shape (S, n); None for counts.
    phi
        Autocorrelation of its errors, shape (S,), or None.
    loadings
        Of this equation's innovations on the own parts of the equations before it, (S, k).
    uses
        ``(position, coefficient)`` of equations whose outcome stands in this one's mean.
    """

    name: str
    y: FloatArray
    mu: FloatArray
    scale: FloatArray | None
    phi: FloatArray | None = None
    loadings: FloatArray | None = None
    uses: tuple[tuple[int, FloatArray], ...] = ()


def linear_predictor(draws: Draws, design: Design) -> FloatArray:
    """``mu`` of a two-way model, shape (S, n); effects are those that the draws hold.

    Regressors and components are centred, as in :mod:`bayesdid.model.pymc.two_way`.
    """
    data = regressors(design)
    names = ["tau"] + (["beta"] if design.covariates else [])
    for dim, terms in ((design.unit_dim, data.unit_terms), (design.period_dim, data.period_terms)):
        names += [f"gamma_{dim}"] if terms else []
    coef = np.concatenate([draws[name] for name in names], axis=1)
    mu = draws["alpha"][:, None] + coef @ (data.R * data.scale).T
    return np.asarray(mu + effects(draws, design))


def effects(draws: Draws, design: Design, suffix: str = "_effect") -> FloatArray:
    """Unit, period and further effects in every row, shape (S, n) or (1, 1)."""
    found: FloatArray = np.zeros((1, 1))
    for dim, kind, index in (
        (design.unit_dim, design.unit_effects, design.unit_index),
        (design.period_dim, design.period_effects, design.period_index),
    ):
        if kind != "none":
            found = found + draws[f"{dim}{suffix}"][..., index]
    for further in design.further:
        name = further.name + suffix.removeprefix("_effect")
        found = found + draws[name][..., further.index] * further.times
    return found


def row_scale(
    draws: Draws, design: Design, *, unit: bool, weighted: bool, mediator: int | None = None
) -> FloatArray:
    """Marginal sd of the error of each row, of the outcome or of a mediator, shape (S, n)."""
    name = "sigma_of_unit" if unit else "sigma"
    scale = draws[name] if mediator is None else draws[f"{name}_mediator"][..., mediator]
    scale = scale[:, design.unit_index] if unit else np.repeat(scale[:, None], design.n, axis=1)
    if weighted and design.weights is not None:
        scale = scale / np.sqrt(design.weights)
    return np.asarray(scale)


def spread(draws: Draws, design: Design) -> FloatArray:
    """Of negative binomial counts, shape (S, n) or (S, 1)."""
    if "spread_of_unit" in draws:
        return draws["spread_of_unit"][:, design.unit_index]
    return draws["spread"][:, None]
