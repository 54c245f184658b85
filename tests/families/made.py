"""Panels and studies with planted effects for the analyses."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayesdid.panel.panel import Panel
from bayesdid.study.load import Spec, Study, assemble_study
from bayesdid.study.schema import Column, StudyFile, TableFile


def make_study(policies=("a", "b"), columns=(), groups=(), folder=None, better="lower") -> Study:
    """A study of one or two policies whose table ``t`` holds the given columns."""
    file = StudyFile.model_validate(
        {
            "study": {"id": "made", "title": "Made", "citation": "none"},
            "outcome": {"column": "y", "label": "Outcome", "unit": "units", "better": better},
            "panel": {"unit": "unit", "period": "period"},
            "policy": [{"id": p, "label": p.upper(), "adoption": f"{p}_year"} for p in policies],
            "group": [{"column": g, "label": g.title(), "levels": levels} for g, levels in groups],
        }
    )
    table = TableFile(
        id="t", title="T", kind="regression", column=tuple(Column(**column) for column in columns)
    )
    return assemble_study(folder or __import__("pathlib").Path("made"), file, {"t": table})


def make_panel(frame: pd.DataFrame, adoption: pd.DataFrame) -> Panel:
    """A validated panel of a frame sorted by unit and period."""
    return Panel(
        frame=frame.reset_index(drop=True),
        unit="unit",
        period="period",
        policies=tuple(adoption.columns),
        adoption=adoption.astype("Int64"),
        unit_labels={},
        synthetic="planted by a test",
        sha256="0" * 64,
        notes=(),
        source="made",
    )


def staggered(seed, *, N=60, T=12, effect=None, sigma=0.3, policies=("a",), shares=None):
    """Frame, adoption: `effect(starts, period)` gives each unit's effect in each period.

    `shares` are the probabilities of each adoption period of each policy, inf for never.
    """
    rng = np.random.default_rng(seed)
    starts = np.column_stack(
        [rng.choice([4, 7, 9, np.inf], N, p=shares or [0.2, 0.25, 0.15, 0.4]) for _ in policies]
    )
    period = np.arange(1, T + 1)
    y = rng.normal(0, 1, N)[:, None] + rng.normal(0, 0.4, T) + sigma * rng.standard_normal((N, T))
    if effect is not None:
        y += np.array([[effect(s, t) for t in period] for s in starts])
    frame = pd.DataFrame(
        {"unit": np.repeat(np.arange(N), T), "period": np.tile(period, N), "y": y.ravel()}
    )
    adoption = pd.DataFrame(
        starts, columns=list(policies), index=pd.Index(np.arange(N), name="unit")
    )
    return frame, adoption.replace(np.inf, np.nan)


def spec_of(study: Study, name: str) -> Spec:
    """The spec of column `name`."""
    return study[f"t.{name}"]
