"""Spatial weights as every later stage uses them: a sparse matrix, its units, how it was scaled."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.sparse import csr_array, diags_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import eigs, eigsh

from bayesdid.arrays import FloatArray
from bayesdid.exceptions import InputError, Note

Normalisation = Literal["row", "spectral", "min-max", "none"]
_DENSE = 400  # units up to which eigenvalues are taken from the dense matrix


@dataclass(frozen=True, slots=True)
class Weights:
    """Spatial weights W; ``W[i, j]`` is how much unit i feels of unit j.

    Attributes
    ----------
    matrix
        Sparse, shape (N, N), zero diagonal.
    units
        Labels of rows and columns, shape (N,).
    name
        For people, e.g. ``inverse distance squared``.
    normalisation
        What was done to the raw weights; effects depend on it.
    notes
        Named warnings: islands, asymmetry.
    """

    matrix: csr_array
    units: np.ndarray
    name: str
    normalisation: Normalisation = "none"
    notes: tuple[Note, ...] = ()

    @property
    def n(self) -> int:
        """Number of units."""
        return len(self.units)

    @property
    def row_sums(self) -> FloatArray:
        """Shape (N,)."""
        return np.asarray(self.matrix.sum(axis=1)).ravel()

    @property
    def constant_row_sum(self) -> float | None:
        """The row sum if all rows share it (1 for row-normalised weights without islands)."""
        sums = self.row_sums
        return float(sums.mean()) if np.ptp(sums) <= 1e-10 * abs(sums).max() else None

    @property
    def islands(self) -> np.ndarray:
        """Units without a neighbour."""
        return self.units[np.asarray(abs(self.matrix).sum(axis=1)).ravel() == 0]

    def dense(self) -> FloatArray:
        """As an array, shape (N, N)."""
        return np.asarray(self.matrix.toarray())


def make_weights(
    matrix: Any,
    units: Sequence[object] | np.ndarray,
    name: str = "user",
    normalisation: Normalisation = "row",
) -> Weights:
    """Check raw weights and normalise them.

    Parameters
    ----------
    matrix
        Dense or sparse, shape (N, N).
    units
        Their labels, in the matrix's order.
    normalisation
        ``row``: rows sum to one (rows of islands stay zero). ``spectral``: divided by the
        spectral radius. ``min-max``: divided by the lesser of the largest row and column sums
        (Kelejian & Prucha 2010, doi:10.1016/j.jeconom.2009.10.025). ``none``: as given.

    Raises
    ------
    InputError
        If the matrix is not square, has another size than `units`, holds missing or negative
        values or a non-zero diagonal, if a unit occurs twice, or if no unit has a neighbour.
    """
    raw = csr_array(matrix, dtype=np.float64, copy=True)  # zeros are dropped from it below
    labels = np.asarray(units)
    _check(raw, labels, name)
    raw.eliminate_zeros()
    notes: list[Note] = []
    alone = labels[np.asarray(raw.sum(axis=1)).ravel() == 0]
    if len(alone):
        some = ", ".join(map(str, alone[:5])) + (", ..." if len(alone) > 5 else "")
        notes.append(
            Note(
                "islands",
                len(alone),
                f"{len(alone)} units have no neighbour and feel nothing of others: {some}",
            )
        )
    lopsided = int((abs(raw - raw.T) > 1e-9 * abs(raw).max()).nnz // 2)
    if lopsided:
        notes.append(
            Note("asymmetric", lopsided, f"the raw weights of {lopsided} pairs are not symmetric")
        )
    return Weights(_normalised(raw, normalisation), labels, name, normalisation, tuple(notes))


def aligned(weights: Weights, units: np.ndarray, source: str = "") -> Weights:
    """The weights in the order of `units`, matched by label, never by position.

    Raises
    ------
    InputError
        If the weights lack a unit or have one that is not in `units`.
    """
    place = {unit_key(unit): k for k, unit in enumerate(weights.units)}
    wanted = [unit_key(unit) for unit in units]
    missing = [str(u) for u, key in zip(units, wanted, strict=True) if key not in place]
    extra = sorted(set(place) - set(wanted))
    for problem, which, remedy in (
        (
            "the spatial weights lack units of the panel",
            missing,
            "add them to the weights, or leave them out of the sample",
        ),
        (
            "the spatial weights have units that the panel lacks",
            extra,
            "drop them from the "
            "weights before normalising, so that what they did to the others is decided by you",
        ),
    ):
        if which:
            some = ", ".join(which[:5]) + (", ..." if len(which) > 5 else "")
            raise InputError(
                f"{problem}: {len(which)}", file=source or weights.name, value=some, remedy=remedy
            )
    order = np.array([place[key] for key in wanted])
    matrix = csr_array(weights.matrix[order][:, order])
    return dataclasses.replace(weights, matrix=matrix, units=np.asarray(units))


def unit_key(unit: object) -> str:
    """Labels as text: 7, 7.0 and "7" are one unit."""
    text = str(unit).strip()
    return text.removesuffix(".0")


def _check(raw: csr_array, labels: np.ndarray, name: str) -> None:
    if raw.shape[0] != raw.shape[1] or raw.shape[0] != len(labels):
        raise InputError(
            f"the weights have shape {raw.shape} for {len(labels)} units",
            file=name,
            remedy="give one row and one column for each unit",
        )
    keys = [unit_key(unit) for unit in labels]
    if len(set(keys)) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise InputError(
            "a unit occurs twice in the weights",
            file=name,
            value=twice,
            remedy="give each unit once",
        )
    if not np.isfinite(raw.data).all():
        i, j = raw.tocoo().coords
        k = int(np.flatnonzero(~np.isfinite(raw.tocoo().data))[0])
        raise InputError(
            "a weight is missing or infinite",
            file=name,
            value=f"{labels[i[k]]} - {labels[j[k]]}",
            remedy="units at the same place have infinite inverse distance: merge "
            "them, or give a minimum distance",
        )
    if (raw.data < 0).any():
        raise InputError(
            "a weight is negative",
            file=name,
            value=float(raw.data.min()),
            remedy="a neighbour counts zero or more",
        )
    if (diagonal := raw.diagonal()).any():
        raise InputError(
            "a unit is its own neighbour",
            file=name,
            value=str(labels[np.flatnonzero(diagonal)[0]]),
            remedy="set the diagonal to zero",
        )
    if raw.count_nonzero() == 0:
        raise InputError(
            "no unit has a neighbour", file=name, remedy="widen the distance, or check the ids"
        )


def _normalised(raw: csr_array, how: Normalisation) -> csr_array:
    sums = np.asarray(raw.sum(axis=1)).ravel()
    if how == "row":
        return csr_array(diags_array(1 / np.where(sums > 0, sums, 1.0)) @ raw)
    if how == "spectral":
        if (radius := spectral_radius(raw)) == 0:
            raise InputError(
                "the spectral radius is zero: no unit feels itself through others",
                remedy="use row or min-max",
            )
        return csr_array(raw / radius)
    if how == "min-max":
        return csr_array(raw / min(sums.max(), np.asarray(raw.sum(axis=0)).max()))
    if how == "none":
        return raw
    raise InputError(
        "unknown normalisation", value=how, remedy="use row, spectral, min-max or none"
    )


def is_acyclic(matrix: csr_array) -> bool:
    """Whether no unit feels itself through others: all eigenvalues are then zero."""
    return bool(connected_components(matrix, connection="strong")[0] == matrix.shape[0])


def spectral_radius(matrix: csr_array) -> float:
    """Largest modulus of an eigenvalue; for weights >= 0 it is itself an eigenvalue (Perron)."""
    if is_acyclic(matrix):
        return 0.0
    if matrix.shape[0] <= _DENSE:
        return float(abs(np.linalg.eigvals(matrix.toarray())).max())
    solve = eigsh if (abs(matrix - matrix.T)).nnz == 0 else eigs
    start = np.ones(matrix.shape[0])
    found = solve(matrix, k=1, which="LM", return_eigenvectors=False, v0=start)
    return float(abs(found[0]))
