"""A spec applied to a panel: the arrays that a model or an estimator needs, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.design.further import Cluster, Further
from bayesdid.exceptions import InputError, Note
from bayesdid.notebook import html, lines, listed
from bayesdid.panel.timeline import Timeline
from bayesdid.study.schema import EffectKind

_OPTIONAL = ("weights", "exposure", "trials")


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
    weights
        Analytic weights, shape (n,), or None: the variance of a row is ``sigma^2 / weight``.
    exposure
        What a count is a count in, shape (n,), or None for one.
    trials
        How many could have been counted, shape (n,), or None.
    part
        For partially pooled treatments the part of each column of `D`, empty for base terms;
        ``()`` if nothing is pooled.
    further
        Effects beside those of unit and period.
    cluster
        Clusters coarser than units, for least squares beside, or None for units.
    timeline
        How `periods`, which are steps, were typed.

    Raises
    ------
    InputError
        If an array has not one value for each row, or `part` not one for each treatment. Rows are
        subset by :meth:`take` alone, all arrays at once.
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
    weights: FloatArray | None = None
    exposure: FloatArray | None = None
    trials: FloatArray | None = None
    part: tuple[str, ...] = ()
    further: tuple[Further, ...] = ()
    cluster: Cluster | None = None
    timeline: Timeline = field(default_factory=Timeline)

    def __post_init__(self) -> None:
        for name in _OPTIONAL:
            values = getattr(self, name)
            if values is None:
                continue
            if values.shape != self.y.shape:
                raise InputError(
                    f"{self.spec_id}: {name} has not one value for each row",
                    value=f"{len(values)} for {self.n} rows",
                    remedy="give it when the design is built, and subset the design as a whole",
                )
            if not (np.isfinite(values) & (values > 0)).all():
                raise InputError(
                    f"{self.spec_id}: {name} must be positive",
                    value=float(values[~(values > 0)][0]) if (~(values > 0)).any() else "infinite",
                    remedy="leave such rows out",
                )
        if self.part and len(self.part) != len(self.treatments):
            raise InputError(
                f"{self.spec_id}: not one part for each treatment",
                value=f"{len(self.part)} for {len(self.treatments)}",
                remedy="replace treatments and their parts together",
            )

    def __repr__(self) -> str:
        return lines(
            f"Design of {self.spec_id}: {self.outcome}, {self.n} rows, {len(self.units)} "
            f"{self.unit_dim}, {len(self.periods)} {self.period_dim}",
            [
                f"treatments: {listed(self.treatments)}",
                f"covariates: {listed(self.covariates)}",
                f"effects: {self.unit_dim} {self.unit_effects}, "
                f"{self.period_dim} {self.period_effects}",
                *(f"note: {note.text}" for note in self.notes),
                f"SYNTHETIC PANEL: {self.synthetic}" if self.synthetic else "",
            ],
        )

    def _repr_html_(self) -> str:
        return html(repr(self))

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

    @property
    def has_one_row_each(self) -> bool:
        """Whether no unit has two rows in one period."""
        if self.n > len(self.units) * len(self.periods):
            return False
        cells = self.unit_index * np.int64(len(self.periods)) + self.period_index
        return len(np.unique(cells)) == self.n

    @property
    def cluster_index(self) -> IntArray:
        """Position of each row's cluster, shape (n,): of its unit, unless another is named."""
        return self.unit_index if self.cluster is None else self.cluster.index

    @property
    def clusters(self) -> int:
        """Number of clusters."""
        return len(self.units) if self.cluster is None else len(self.cluster.levels)

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the pooled parts, in order of first appearance."""
        return tuple(dict.fromkeys(name for name in self.part if name))

    def columns(self, part: str) -> IntArray:
        """Positions of a part's columns of `D`; of the base terms for the empty name."""
        return np.flatnonzero(np.array(self.part, dtype=object) == part)

    def take(self, rows: np.ndarray) -> Design:
        """The design on some of its rows, a mask or positions; units and periods without rows go.

        Every array goes along, so that none can be left out of line.
        """
        units, unit_index = np.unique(self.unit_index[rows], return_inverse=True)
        periods, period_index = np.unique(self.period_index[rows], return_inverse=True)
        weights, exposure, trials = (
            None if (values := getattr(self, name)) is None else values[rows] for name in _OPTIONAL
        )
        return replace(
            self,
            y=self.y[rows],
            D=self.D[rows],
            X=self.X[rows],
            unit_index=unit_index,
            period_index=period_index,
            units=self.units[units],
            periods=self.periods[periods],
            weights=weights,
            exposure=exposure,
            trials=trials,
            further=tuple(one.take(rows) for one in self.further),
            cluster=None if self.cluster is None else self.cluster.take(rows),
        )
