"""A two-way design with spatial weights: balanced arrays, units by periods, and spatial lags."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.exceptions import InputError, Note
from bayesdid.spatial.operators.logdet import LogDeterminant, log_determinant
from bayesdid.spatial.weights.weights import Weights, aligned

Kind = Literal["none", "sar", "sem", "slx", "sdm", "sdem"]
LAG_OF_Y = frozenset({"sar", "sdm"})
LAG_OF_ERROR = frozenset({"sem", "sdem"})
LAG_OF_X = frozenset({"slx", "sdm", "sdem"})
Transform = Literal["lee_yu", "direct"]


@dataclass(frozen=True, slots=True)
class SpatialDesign:
    """What a spatial model needs, with time running along the second axis.

    Attributes
    ----------
    base
        The two-way design it was made from (terms, effects, provenance).
    weights
        Aligned with ``base.units``.
    kind
        Which spatial lags enter: of y (``sar``, ``sdm``), of the error (``sem``, ``sdem``), of the
        regressors (``slx``, ``sdm``, ``sdem``), or ``none``.
    Y
        Outcome, shape (N, T).
    Z
        Regressors, their spatial lags, and what a dynamic model adds, shape (K, N, T).
    names
        Of the rows of `Z`; a spatial lag is called ``W x``.
    lagged
        Positions among the regressors of those whose spatial lag enters.
    known_logdet
        ``log|I - rho W|`` of these weights if it is at hand, for it serves every model with them.
    """

    base: Design
    weights: Weights
    kind: Kind
    Y: FloatArray
    Z: FloatArray
    names: tuple[str, ...]
    lagged: tuple[int, ...]
    known_logdet: LogDeterminant | None = None

    @property
    def logdet(self) -> LogDeterminant:
        """``log|I - rho W|``, that which is at hand or by the method that suits the size."""
        return self.known_logdet or log_determinant(self.weights)

    @property
    def N(self) -> int:
        """Units."""
        return self.Y.shape[0]

    @property
    def T(self) -> int:
        """Periods."""
        return self.Y.shape[1]

    @property
    def K0(self) -> int:
        """Regressors that are no spatial lags."""
        return len(self.base.names)

    def theta_of(self, k: int) -> int | None:
        """Position in `Z` of the spatial lag of regressor `k`, or None."""
        return self.K0 + self.lagged.index(k) if k in self.lagged else None


def spatial_design(
    base: Design,
    weights: Weights,
    kind: Kind = "sdm",
    durbin: tuple[str, ...] | None = None,
    *,
    logdet: LogDeterminant | None = None,
) -> SpatialDesign:
    """Put a balanced design and weights together.

    Parameters
    ----------
    durbin
        Names of the regressors whose spatial lag enters; all by default.
    logdet
        Of these weights, if it is at hand or wanted by another method than the usual one.

    Raises
    ------
    InputError
        If the panel is unbalanced (the spatial lag of a missing row is unknown), the weights'
        units are not the panel's, or a name in `durbin` is not a regressor.
    """
    refuse_unbalanced(base, "a spatial lag")
    own = aligned(weights, base.units)
    if unknown := [name for name in durbin or () if name not in base.names]:
        raise InputError(
            "no such regressor to take a spatial lag of",
            value=unknown[0],
            remedy=f"the regressors are {', '.join(base.names)}",
        )
    Z = (
        np.stack([unstack(base, column) for column in base.regressors.T])
        if base.names
        else (np.empty((0, len(base.units), len(base.periods))))
    )
    lagged: tuple[int, ...] = ()
    if kind in LAG_OF_X:
        lagged = tuple(k for k, name in enumerate(base.names) if durbin is None or name in durbin)
    lags = [own.matrix @ Z[k] for k in lagged]
    names = (*base.names, *(f"W {base.names[k]}" for k in lagged))
    stacked = np.concatenate([Z, np.stack(lags)]) if lags else Z
    return SpatialDesign(base, own, kind, unstack(base, base.y), stacked, names, lagged, logdet)


def refuse_unbalanced(base: Design, what: str) -> None:
    """Refuse a design that has not one row of every unit in every period.

    Raises
    ------
    InputError
        With what it lacks, or has too often.
    """
    if not base.has_one_row_each:
        raise InputError(
            f"{base.spec_id}: several rows of a unit in one period; {what} needs one of each, "
            "as a unit has one row of distances or weights",
            remedy="average them; frequency weights make several rows of one: give them as "
            "analytic where a row is a mean of so many",
        )
    if not base.is_balanced:
        raise InputError(
            f"{base.spec_id}: {base.n} rows for {len(base.units)} units and {len(base.periods)} "
            f"periods; {what} needs every unit in every period",
            remedy="fill or drop the units or periods that have gaps",
        )


def unstack(design: Design, column: FloatArray) -> FloatArray:
    """A column of a balanced design as an array, shape (N, T)."""
    out = np.empty((len(design.units), len(design.periods)))
    out[design.unit_index, design.period_index] = column
    return out


def with_kind(design: SpatialDesign, kind: Kind) -> SpatialDesign:
    """The same panel and weights under another model."""
    # from a model without lags of the regressors nobody knows which were meant: all
    durbin = tuple(design.names[k] for k in design.lagged) if design.kind in LAG_OF_X else None
    return spatial_design(design.base, design.weights, kind, durbin, logdet=design.known_logdet)


def with_notes(design: SpatialDesign, *notes: Note) -> SpatialDesign:
    """The design with further notes."""
    base = dataclasses.replace(design.base, notes=(*design.base.notes, *notes))
    return dataclasses.replace(design, base=base)
