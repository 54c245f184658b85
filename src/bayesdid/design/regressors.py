"""Centred and scaled regressors, with the unit and period components that Mundlak effects add."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.design.within import one_way, two_way
from bayesdid.study.schema import EffectKind


@dataclass(frozen=True, slots=True)
class Regressors:
    """Centred, scaled regressors of a design, Mundlak components included.

    Attributes
    ----------
    R
        Shape (n, K), mean 0, sd 1.
    y
        Outcome minus its mean, shape (n,).
    scale
        Standard deviations divided out, shape (K,).
    unit_terms, period_terms
        Names of the regressors whose unit / period components were added (after the design's
        own regressors, in this order); components that are linearly dependent are left out.
    """

    R: FloatArray
    y: FloatArray
    scale: FloatArray
    unit_terms: tuple[str, ...]
    period_terms: tuple[str, ...]


def is_random(kind: EffectKind) -> bool:
    """Whether levels of this kind get a hierarchical prior."""
    return kind in {"random", "mundlak"}


def regressors(design: Design) -> Regressors:
    """Centre and scale; add the unit and period components for Mundlak effects."""
    Z = design.regressors - design.regressors.mean(axis=0)
    blocks = [Z]
    unit_terms: tuple[str, ...] = ()
    period_terms: tuple[str, ...] = ()
    unit, period = _components(design, Z)
    kept = Z
    if unit is not None:
        unit_terms, unit, kept = _independent(unit, design.names, kept)
        blocks.append(unit)
    if period is not None:
        period_terms, period, kept = _independent(period, design.names, kept)
        blocks.append(period)
    R = np.hstack(blocks) if len(blocks) > 1 else Z
    scale = R.std(axis=0)
    R /= scale
    return Regressors(R, design.y - design.y.mean(), scale, unit_terms, period_terms)


def components(design: Design) -> list[tuple[str, tuple[str, ...], FloatArray]]:
    """Dimension, regressors, and their components over it, shape (n, L), for Mundlak effects."""
    if "mundlak" not in (design.unit_effects, design.period_effects):
        return []
    data, K = regressors(design), len(design.names)
    found = []
    for dim, terms in ((design.unit_dim, data.unit_terms), (design.period_dim, data.period_terms)):
        columns = slice(K, K + len(terms))
        K += len(terms)
        if terms:
            found.append((dim, terms, data.R[:, columns] * data.scale[columns]))
    return found


def _components(design: Design, Z: FloatArray) -> tuple[FloatArray | None, FloatArray | None]:
    wants_unit = design.unit_effects == "mundlak"
    wants_period = design.period_effects == "mundlak"
    if design.period_effects == "none" and wants_unit:
        return one_way(Z, design.unit_index), None
    if design.unit_effects == "none" and wants_period:
        return None, one_way(Z, design.period_index)
    if not (wants_unit or wants_period):
        return None, None
    split = two_way(Z, design.unit_index, design.period_index)
    return (split.unit if wants_unit else None), (split.period if wants_period else None)


def _independent(
    columns: FloatArray, names: tuple[str, ...], basis: FloatArray
) -> tuple[tuple[str, ...], FloatArray, FloatArray]:
    """Columns that add to the span of `basis`, their names, and the enlarged basis."""
    kept: list[int] = []
    for k in range(columns.shape[1]):
        column = columns[:, k]
        fitted = basis @ np.linalg.lstsq(basis, column, rcond=None)[0] if basis.size else 0.0
        if np.linalg.norm(column - fitted) > 1e-7 * np.sqrt(len(column)) * basis.std():
            kept.append(k)
            basis = np.column_stack([basis, column])
    return tuple(names[k] for k in kept), columns[:, kept], basis
