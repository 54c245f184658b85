"""Columns of further effects as exact engines take them, and their draws as results name them.

Engines leave out columns that others span and set their coefficients to zero. A result has every
level, each effect orthogonal to what the effects before it span, as the compiled model is written:
what is moved from one effect to another leaves the mean of every row as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.design.design import Design
from bayesdid.design.span import fixed_span, independent_columns, repeated, slopes_that_vary
from bayesdid.design.within import group_sums

_NULL = 1e-9  # eigenvalue of scaled cross-products below which a direction adds nothing


@dataclass(frozen=True, slots=True)
class FurtherColumns:
    """Columns of further effects beside dummies of units and periods.

    Attributes
    ----------
    values
        Dummies and slopes that add to the effects before them, shape (n, F), random ones last.
    name, level
        Effect and level of each of them, shape (F,).
    scale
        Position of the scale of each among random effects, shape (F,); -1 for fixed ones.
    slopes
        Fixed slopes of units that are eliminated unit by unit, shape (n, q).
    slope_names
        Their names.
    """

    values: FloatArray
    name: np.ndarray
    level: IntArray
    scale: IntArray
    slopes: FloatArray
    slope_names: tuple[str, ...]

    @property
    def count(self) -> int:
        """F."""
        return self.values.shape[1]

    @property
    def fixed(self) -> int:
        """How many of them, the first ones, are flat."""
        return int((self.scale < 0).sum())


def no_columns(design: Design) -> FurtherColumns:
    """Of a design that has none."""
    none = np.empty(0, dtype=np.int64)
    return FurtherColumns(
        np.empty((design.n, 0)), none.astype(object), none, none, np.empty((design.n, 0)), ()
    )


def further_columns(design: Design, *, by_unit: bool) -> FurtherColumns:
    """Columns of all further effects of a design.

    Parameters
    ----------
    by_unit
        Whether slopes of units are columns too, because the engine eliminates levels alone.
    """
    if not design.further:
        return no_columns(design)
    values, name, level = independent_columns(design, unit_slopes=by_unit)
    scale = np.full(len(name), -1)
    random = [one for one in design.further if one.kind == "random"]
    for k, one in enumerate(random):
        own = np.where(one.index[:, None] == np.arange(len(one.levels)), one.times[:, None], 0.0)
        values = np.hstack([values, own])
        name = np.concatenate([name, np.full(own.shape[1], one.name, dtype=object)])
        level = np.concatenate([level, np.arange(own.shape[1])])
        scale = np.concatenate([scale, np.full(own.shape[1], k)])
    slopes, slope_names = np.empty((design.n, 0)), []
    if not by_unit:
        vary = slopes_that_vary(design)
        slope_names = list(vary)
        mine = {one.name: one for one in design.further}
        for one_name, there in vary.items():
            column = np.where(there[design.unit_index], mine[one_name].times, 0.0)
            slopes = np.column_stack([slopes, column])
    return FurtherColumns(values, name, level, scale, slopes, tuple(slope_names))


@dataclass(frozen=True, slots=True)
class Levels:
    """Draws of everything that is not a regressor.

    Attributes
    ----------
    alpha
        Shape (S,).
    unit
        (S, N), or (S, 0) where units have no effects or only their mean is asked for.
    period
        (S, T), or (S, 0).
    further
        By name, (S, L).
    """

    alpha: FloatArray
    unit: FloatArray
    period: FloatArray
    further: dict[str, FloatArray]


def spread_out(columns: FurtherColumns, draws: FloatArray, design: Design) -> dict[str, FloatArray]:
    """Draws of columns, (S, F), as levels by name, zero where a level has no column."""
    found = {}
    for one in design.further:
        if one.name in columns.slope_names:
            continue
        levels = np.zeros((len(draws), len(one.levels)))
        mine = np.flatnonzero(columns.name == one.name)
        levels[:, columns.level[mine]] = draws[:, mine]
        found[one.name] = levels
    return found


def named_levels(design: Design, found: Levels) -> Levels:
    """The same means of all rows, with levels as the compiled model has them.

    Parameters
    ----------
    found
        Fixed levels with zeros where a column was left out; nothing is centred yet.
    """
    shift = _shift(design)
    alpha, unit, period = found.alpha, found.unit, found.period
    further = dict(found.further)
    slopes = list(slopes_that_vary(design))
    if shift.blocks:
        parts = {"1": alpha[:, None], design.period_dim: period} | further
        raw = np.concatenate([parts[name] for name, _ in shift.blocks], axis=1)
        now = raw @ shift.to_named.T
        moved = raw - now
        at = 0
        for name, width in shift.blocks:
            own = now[:, at : at + width]
            at += width
            if name == "1":
                alpha = own[:, 0]
            elif name == design.period_dim:
                period = own
            else:
                further[name] = own
        q = shift.of_units.shape[2]
        has_levels = design.unit_effects == "fixed"
        along = moved @ shift.along
        if q and has_levels and not unit.shape[1]:
            alpha = alpha + along @ shift.of_units[:, :, 0].mean(axis=1)
        if q and has_levels and unit.shape[1]:
            unit = unit + along @ shift.of_units[:, :, 0]
        for k, name in enumerate(slopes):
            if name in further:
                further[name] = further[name] + along @ shift.of_units[:, :, k + has_levels]
    if design.unit_effects == "fixed" and unit.shape[1]:
        level = unit.mean(axis=1)
        alpha, unit = alpha + level, unit - level[:, None]
    return Levels(alpha, unit, period, further)


@dataclass(frozen=True, slots=True)
class _Shift:
    """How drawn levels become named ones.

    Attributes
    ----------
    blocks
        Name and width of each block of levels beside units.
    to_named
        From drawn to named levels of all blocks, (all, all).
    along
        Orthonormal directions in which the units take up what is moved, (all, r).
    of_units
        What a unit's level and slopes become by each of them, (r, N, q).
    """

    blocks: tuple[tuple[str, int], ...]
    to_named: FloatArray
    along: FloatArray
    of_units: FloatArray


def _shift(design: Design) -> _Shift:
    span = fixed_span(design)
    total = sum(width for _, width in span.blocks)
    gram = span.gram * np.outer(span.size, span.size)
    Z = np.zeros((total, 0))
    at = 0
    for width, null in zip((w for _, w in span.blocks), repeated(span).values(), strict=True):
        whole = np.linalg.qr(null, mode="complete")[0] if null.shape[1] else np.eye(width)
        block = np.zeros((total, width - null.shape[1]))
        block[at : at + width] = whole[:, null.shape[1] :]
        Z, at = np.hstack([Z, block]), at + width
    to_named = (
        Z @ np.linalg.solve(Z.T @ gram @ Z, Z.T @ gram) if Z.shape[1] else np.zeros_like(gram)
    )
    values, vectors = np.linalg.eigh(span.gram)
    along = vectors[:, values < _NULL] / span.size[:, None]
    along = np.linalg.qr(along)[0] if along.shape[1] else along
    return _Shift(span.blocks, to_named, along, _taken_by_units(design, span.blocks, along))


def _taken_by_units(
    design: Design, blocks: tuple[tuple[str, int], ...], along: FloatArray
) -> FloatArray:
    """Level and slopes of each unit that equal given directions of all other levels, (r, N, q)."""
    slopes = [one for one in design.further if one.is_unit_slope]
    one = np.ones(design.n)
    columns = [one] * (design.unit_effects == "fixed") + [f.times for f in slopes]
    N, r, q = len(design.units), along.shape[1], len(columns)
    if not q or not r:
        return np.zeros((r, N, q))
    rows, at = np.zeros((design.n, r)), 0
    mine = {f.name: (f.index, f.times) for f in design.further}
    mine |= {"1": (np.zeros(design.n, dtype=np.int64), one)}
    mine |= {design.period_dim: (design.period_index, one)}
    for name, width in blocks:
        index, values = mine[name]
        rows += along[at : at + width][index] * values[:, None]
        at += width
    U = np.column_stack(columns)
    gram = np.empty((N, q, q))
    right = np.empty((N, q, r))
    for a in range(q):
        gram[:, a] = group_sums(U[:, a : a + 1] * U, design.unit_index, N)
        right[:, a] = group_sums(U[:, a : a + 1] * rows, design.unit_index, N)
    found = np.linalg.pinv(gram, rcond=1e-10, hermitian=True) @ right  # (N, q, r)
    return np.asarray(found.transpose(2, 0, 1))
