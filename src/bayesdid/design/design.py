"""A spec applied to a panel: the arrays that a model or an estimator needs, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.exceptions import Note
from bayesdid.study.schema import EffectKind


@dataclass(frozen=True, slots=True)
class Design:
    """The matrices of one spec.

    Attributes
    ----------
    spec_id, study_id
        What was applied.
    outcome
        Name of the outcome.
    y
        Outcome, shape (n,).
    D
        Treatment terms, shape (n, P).
    X
        Covariates, shape (n, Q).
    treatments, covariates
        Names of the columns of `D` and `X`.
    unit_index, period_index
        Position of each row's unit and period, shape (n,).
    units, periods
        Their labels, shapes (N,) and (T,).
    unit_dim, period_dim
        Names of the dimensions in every result, e.g. ``city`` and ``year``.
    unit_effects, period_effects
        ``fixed``, ``random``, ``mundlak`` or ``none``.
    synthetic, panel_sha256
        Carried over from the panel.
    notes
        Named warnings, e.g. rows dropped for missing covariates.
    """

    spec_id: str
    study_id: str
    outcome: str
    y: FloatArray
    D: FloatArray
    X: FloatArray
    treatments: tuple[str, ...]
    covariates: tuple[str, ...]
    unit_index: IntArray
    period_index: IntArray
    units: np.ndarray
    periods: np.ndarray
    unit_dim: str
    period_dim: str
    unit_effects: EffectKind
    period_effects: EffectKind
    synthetic: str | None
    panel_sha256: str
    notes: tuple[Note, ...] = ()

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.y)

    @property
    def regressors(self) -> FloatArray:
        """Treatments and covariates side by side, shape (n, P + Q)."""
        return np.hstack([self.D, self.X])

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns of :attr:`regressors`."""
        return self.treatments + self.covariates

    @property
    def is_balanced(self) -> bool:
        """Whether every unit is seen once in every period."""
        return self.n == len(self.units) * len(self.periods)
