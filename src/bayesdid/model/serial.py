"""Which row of its unit comes before a row, and how long before: what AR(1) errors need."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.design.design import Design
from bayesdid.exceptions import InputError


@dataclass(frozen=True, slots=True)
class SerialRows:
    """Rows of a design as chains in time, one for each unit.

    Attributes
    ----------
    before
        Position of the row before each row in its unit, shape (n,); of the row itself in first
        rows, where nothing is carried over.
    follows
        1 for a row that has one before it, 0 for first rows, shape (n,).
    gap
        Periods since the row before, shape (n,); 1 in first rows, where it is not used.
    time
        Periods since the first one of the panel, shape (n,).
    """

    before: IntArray
    follows: FloatArray
    gap: IntArray
    time: IntArray

    def carry(self, phi: FloatArray) -> FloatArray:
        """What is left of the error of the row before: ``phi^gap``, zero in first rows.

        Parameters
        ----------
        phi
            Shape (...,); the result has shape (..., n).
        """
        return np.asarray(self.follows * phi[..., None] ** self.gap)


def serial_rows(design: Design) -> SerialRows:
    """The chains of a design whose rows may come in any order.

    Raises
    ------
    InputError
        If a unit has two rows in one period, or periods are not whole numbers apart.
    """
    when = (design.periods - design.periods.min()).astype(float)[design.period_index]
    order = np.lexsort((when, design.unit_index))
    unit, time = design.unit_index[order], when[order]
    later = np.flatnonzero(unit[1:] == unit[:-1]) + 1
    step = time[later] - time[later - 1]
    if (step <= 0).any():
        raise two_rows_error(design, int(unit[later[step <= 0][0]]))
    if (when % 1 != 0).any():
        raise InputError(
            f"{design.spec_id}: periods are not whole numbers apart",
            value=float(when[when % 1 != 0][0]),
            remedy="count periods in whole numbers, or use i.i.d. errors",
        )
    n = design.n
    before, gap, follows = np.arange(n), np.ones(n, dtype=np.int64), np.zeros(n)
    before[order[later]] = order[later - 1]
    gap[order[later]] = step.astype(np.int64)
    follows[order[later]] = 1.0
    return SerialRows(before, follows, gap, when.astype(np.int64))


def two_rows_error(design: Design, unit: int) -> InputError:
    """What to say of AR(1) errors where rows have no order in time; `unit` is its position."""
    return InputError(
        f"{design.spec_id}: a unit has two rows in one period",
        value=design.units[unit],
        remedy="AR(1) errors need one row per unit and period, for individuals, and rows that a "
        "frequency weight stands for, have no order in time: take i.i.d. errors, "
        'errors="iid" or "iid_unit"',
    )
