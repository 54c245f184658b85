"""One study's effect in a pool: its size and standard error, where it is from, who doubts it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Source = Literal["printed cell", "printed columns", "panel"]


@dataclass(frozen=True, slots=True)
class StudyEffect:
    """One study's effect.

    Attributes
    ----------
    study
        Its id.
    effect
        The cell, or the contrast.
    source
        One printed cell; several printed columns, inverted or multiplied; or the study's own panel.
    estimate, se
        In the pool's unit. Of a panel, mean and sd of the posterior.
    independent
        Whether the standard error supposes independent errors (``se_kind = "iid"``); never that of
        a panel, whose default errors are calibrated (docs/calibration-errors.md).
    doubts
        Rules of the audit whose contradictions name the cell, its column, or a claim about it. A
        panel's effect takes nothing from print.
    p
        Two-sided p-value of estimate and standard error by the normal distribution, as the model of
        selection has it.
    """

    study: str
    effect: str
    source: Source
    estimate: float
    se: float
    independent: bool
    doubts: tuple[str, ...]
    p: float
