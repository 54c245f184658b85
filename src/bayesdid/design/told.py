"""Effects of units, periods and anything crossed as untreated rows tell them.

A treated row is compared with untreated ones if what its effects add up to is a combination of
those of untreated rows (Borusyak, Jaravel & Spiess 2024, doi:10.1093/restud/rdae007, sec. 4.1). A
region and year without an untreated row tells nothing of its treated rows, nor does a unit with a
trend of its own that was seen untreated once. Columns of the units are eliminated unit by unit; all
others are written out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.design.design import Design
from bayesdid.design.further import Further
from bayesdid.design.within import group_sums

_RANK = 1e-9  # eigenvalue, relative to the largest, from which on a direction is told
_OUTSIDE = 1e-6  # of a row's size outside what is told


@dataclass(frozen=True, slots=True)
class EffectColumns:
    """Columns that effects span, all taken as fixed.

    Attributes
    ----------
    unit
        Position of each row's unit, or zero where units have no effects, shape (n,).
    own
        Level of each unit (or the intercept), and its slopes, shape (n, q).
    shared
        Periods (or a constant) and everything else, shape (n, K).
    """

    unit: IntArray
    own: FloatArray
    shared: FloatArray

    @property
    def units(self) -> int:
        """Number of units, one where they have no effects."""
        return int(self.unit.max()) + 1


def effect_columns(design: Design, *, fixed_only: bool = False) -> EffectColumns:
    """Columns of a design's effects; slopes of size one at most.

    Parameters
    ----------
    fixed_only
        Whether further effects that are random are left out.
    """
    further = [f for f in design.further if f.kind == "fixed" or not fixed_only]
    has_units = design.unit_effects != "none"
    unit = design.unit_index if has_units else np.zeros(design.n, dtype=np.int64)
    slopes = [f for f in further if has_units and f.of == "unit" and f.slope is not None]
    own = np.column_stack([np.ones(design.n), *(_scaled(f) for f in slopes)])
    periods = design.period_index[:, None] == np.arange(len(design.periods))
    base = np.ones((design.n, 1)) if design.period_effects == "none" else periods.astype(float)
    others = [
        np.where(f.index[:, None] == np.arange(len(f.levels)), _scaled(f)[:, None], 0.0)
        for f in further
        if f not in slopes
    ]
    return EffectColumns(unit, own, np.column_stack([base, *others]))


def unit_grams(own: FloatArray, unit: IntArray, N: int, weights: FloatArray) -> FloatArray:
    """Weighted cross-products of the units' own columns, shape (N, q, q)."""
    q = own.shape[1]
    found = np.empty((N, q, q))
    for a in range(q):
        found[:, a] = group_sums((weights * own[:, a])[:, None] * own, unit, N)
    return found


def sums_of_units(own: FloatArray, Z: FloatArray, unit: IntArray, N: int) -> FloatArray:
    """Products of the units' own columns with those of `Z`, (n, K), summed: (N, q, K)."""
    return np.stack([group_sums(own[:, [a]] * Z, unit, N) for a in range(own.shape[1])], axis=1)


def solve_units(gram: FloatArray, right: FloatArray) -> FloatArray:
    """Least-squares coefficients of each unit, (N, q, K), the shortest where some are not told."""
    if gram.shape[1] == 1:
        return np.asarray(right / gram)
    return np.asarray(np.linalg.pinv(gram, rcond=_RANK, hermitian=True) @ right)


def told_by(design: Design, free: np.ndarray) -> np.ndarray:
    """Rows whose fixed effects the untreated rows `free` tell, boolean, shape (n,)."""
    columns = effect_columns(design, fixed_only=True)
    own, shared, unit, N = columns.own, columns.shared, columns.unit, columns.units
    gram = unit_grams(own[free], unit[free], N, np.ones(int(free.sum())))
    known = solve_units(gram, gram)
    outside = own - np.einsum("nab,nb->na", known[unit], own)
    told = np.abs(outside).max(axis=1) <= _OUTSIDE * np.abs(own).max(axis=1)
    level = solve_units(gram, sums_of_units(own[free], shared[free], unit[free], N))
    rest = shared - np.einsum("nq,nqk->nk", own, level[unit])
    values, vectors = np.linalg.eigh(rest[free].T @ rest[free])
    null = vectors[:, values <= _RANK * max(values[-1], 1.0)]
    outside = np.abs(rest @ null).max(axis=1, initial=0.0)
    return np.asarray((told & (outside <= _OUTSIDE)) | free)


def untold_note_text(design: Design, lost: int) -> str:
    """What is said of treated rows whose effects no untreated row tells."""
    names = ", ".join(dict.fromkeys(f.text for f in design.further if f.kind == "fixed"))
    return (
        f"{lost} treated rows are left out: no untreated row tells their effects of {names}, so "
        "that nothing is left to compare them with"
    )


def _scaled(one: Further) -> FloatArray:
    """What a level is multiplied by, of size one at most, shape (n,)."""
    return np.asarray(one.times / max(np.abs(one.times).max(), 1e-300))
