"""Figures of a design: states of units over periods, mean outcomes of the arms."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np

from bayesdid.escape import drawn
from bayesdid.extras import extra
from bayesdid.report.figures import INK, MUTED, WIDTH, legend, pyplot, svg

SHADES = ("#dfe4e8", "#2f6fb0", "#c2571a", "#5b2a86", "#2e8b57", "#8a6d00", "#b03a48", "#5a5a5a")
_STYLES = ("-", "--", "-.", ":")
_TICKS, _NAMED = 9, 60


def states_figure(found: Mapping[str, Any], synthetic: bool) -> str:
    """Units by periods, coloured by state."""
    plt = pyplot()
    with extra("report"):
        from matplotlib.patches import PathPatch

    rows = found["matrix"]
    state = np.array([[-1 if c == "-" else ord(c) - 48 for c in row] for row in rows])
    N, T = state.shape
    named = N <= _NAMED
    figure, axes = plt.subplots(
        figsize=(WIDTH, float(np.clip(0.112 * N, 2.2, 6.2) if named else np.clip(0.02 * N, 2.2, 4)))
    )
    for k in range(len(found["states"])):
        boxes = [(i, *run) for i, row in enumerate(state) for run in _runs(row == k)]
        if boxes:
            shade = SHADES[k % len(SHADES)]
            axes.add_patch(
                PathPatch(_boxes(boxes), fc=shade, ec="none", label=drawn(found["states"][k]))
            )
    axes.set_ylim(N - 0.5, -0.5)
    axes.set_xlim(-0.5, T - 0.5)
    every = max(1, int(np.ceil(T / _TICKS)))
    axes.set_xticks(range(0, T, every), [drawn(found["periods"][k]) for k in range(0, T, every)])
    if named:
        axes.set_yticks(range(N), [drawn(u) for u in found["units"]], fontsize=7)
    else:
        axes.set_yticks([])
    axes.tick_params(length=0)
    legend(axes)
    return svg(figure, "States of units by period", synthetic)


def _boxes(boxes: list[tuple[int, int, int]]) -> Any:
    """Boxes of one row's height as one path: row, start and end of each."""
    with extra("report"):
        from matplotlib.path import Path

    corners = [
        point
        for i, start, stop in boxes
        for point in (
            (start - 0.5, i - 0.5),
            (stop - 0.5, i - 0.5),
            (stop - 0.5, i + 0.5),
            (start - 0.5, i + 0.5),
            (start - 0.5, i - 0.5),
        )
    ]
    codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY] * len(boxes)
    return Path(corners, codes)


def _runs(on: np.ndarray) -> list[tuple[int, int]]:
    """Starts and ends of stretches that are true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], on.astype(int), [0]])))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def paths_figure(found: Mapping[str, Any], unit: str, synthetic: bool) -> str:
    """Mean outcome of each arm by period; the first adoption dashed."""
    plt = pyplot()
    figure, axes = plt.subplots(figsize=(WIDTH, 2.6))
    periods = found["periods"]
    for k, path in enumerate(found["paths"]):
        values = np.array([np.nan if v is None else v for v in path["mean"]], dtype=float)
        axes.plot(
            range(len(periods)),
            values,
            _STYLES[k % 4],
            color=SHADES[1 + k % 7] if path["arm"] != "never treated" else MUTED,
            lw=2,
            label=drawn(f"{path['arm']} ({path['units']})"),
        )
    if found["first_adoption"] in periods:
        axes.axvline(periods.index(found["first_adoption"]) - 0.5, color=INK, lw=0.8, ls="--")
    every = max(1, int(np.ceil(len(periods) / _TICKS)))
    at = range(0, len(periods), every)
    axes.set_xticks(at, [drawn(periods[k]) for k in at])
    axes.set_ylabel(textwrap.fill(drawn(unit), 28))
    legend(axes)
    return svg(figure, "Mean outcome by arm", synthetic)
