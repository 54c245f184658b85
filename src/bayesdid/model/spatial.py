"""Blocks of regressors of a spatial design, and the levels that flat effects are written as."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.spatial.design import LAG_OF_ERROR, LAG_OF_Y, SpatialDesign


@dataclass(frozen=True, slots=True)
class SpatialBlocks:
    """Names and centred columns, shape (n, K), of everything with a coefficient.

    Attributes
    ----------
    tau, beta, theta, past
        Treatments, covariates, spatial lags of either, and what a dynamic model adds.
    gamma
        By dimension the names and columns of Mundlak components: of regressors and of their lags.
    """

    tau: tuple[tuple[str, ...], FloatArray]
    beta: tuple[tuple[str, ...], FloatArray]
    theta: tuple[tuple[str, ...], FloatArray]
    past: tuple[tuple[str, ...], FloatArray]
    gamma: dict[str, tuple[tuple[str, ...], FloatArray]]

    @property
    def main(self) -> dict[str, tuple[str, tuple[str, ...], FloatArray]]:
        """Coefficient -> (dimension, terms, columns), empty ones left out."""
        found = {
            "tau": ("treatment", *self.tau),
            "beta": ("covariate", *self.beta),
            "theta": ("lag", *self.theta),
            "delta": ("past", *self.past),
        }
        return {name: block for name, block in found.items() if block[1]}


def spatial_blocks(design: SpatialDesign) -> SpatialBlocks:
    """Split the regressors of a spatial design."""
    base = design.base
    columns = design.Z[:, base.unit_index, base.period_index].T
    columns = columns - columns.mean(axis=0)
    P, K = len(base.treatments), len(base.names)
    L = K + len(design.lagged)

    def part(low: int, high: int) -> tuple[tuple[str, ...], FloatArray]:
        return design.names[low:high], columns[:, low:high]

    parts = (part(0, P), part(P, K), part(K, L), part(L, len(design.names)))
    gamma: dict[str, tuple[tuple[str, ...], FloatArray]] = {}
    basis = columns
    for dim, kind, axis in (
        (base.unit_dim, base.unit_effects, 2),
        (base.period_dim, base.period_effects, 1),
    ):
        if kind != "mundlak":
            continue
        means = np.broadcast_to(design.Z.mean(axis=axis, keepdims=True), design.Z.shape)
        rows = means[:, base.unit_index, base.period_index].T
        rows = rows - rows.mean(axis=0)
        kept: list[int] = []
        for k, column in enumerate(rows.T):
            rest = column - basis @ np.linalg.lstsq(basis, column, rcond=None)[0]
            if np.linalg.norm(rest) > 1e-7 * np.sqrt(len(column)) * basis.std():
                kept.append(k)
                basis = np.column_stack([basis, column])
        gamma[dim] = (tuple(design.names[k] for k in kept), rows[:, kept])
    return SpatialBlocks(*parts, gamma)


def periods_outside(design: SpatialDesign) -> bool:
    """Whether fixed period effects cannot be transformed away: unequal row sums, a lag of y."""
    unequal = design.weights.constant_row_sum is None
    return design.kind in LAG_OF_Y and unequal and design.base.period_effects == "fixed"


def intercept_inside(design: SpatialDesign) -> bool:
    """Whether the intercept is a level, filtered like y, and not one of the structural equation."""
    base = design.base
    periods = base.period_effects == "fixed" and not periods_outside(design)
    return base.unit_effects == "fixed" or periods or design.kind in LAG_OF_ERROR
