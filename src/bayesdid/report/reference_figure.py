"""All printed columns on a reference panel: printed, least squares, posterior, ensemble."""

from __future__ import annotations

import textwrap
from typing import Any

from bayesdid.report.figures import (
    COLOURS,
    INK,
    LABEL,
    MUTED,
    SMALL,
    WIDTH,
    legend,
    pyplot,
    row_height,
    svg,
)
from bayesdid.report.limits import limits
from bayesdid.summary import percent, reach


def reference_figure(rows: list[dict[str, Any]], level: float) -> str:
    """One row for each effect; what is printed stands above, the members' posteriors below.

    Parameters
    ----------
    rows
        ``label``, ``printed``, ``se``, ``ols`` (least and largest), ``posterior`` (members), and
        ``mean``, ``low``, ``high`` of this panel's posterior, or None.
    """
    plt = pyplot()
    labels = [textwrap.fill(row["label"], LABEL) for row in rows]
    figure, axes = plt.subplots(figsize=(WIDTH, row_height(labels) * len(rows) + 1.2))
    wide, ends = reach(level), []
    for k, row in enumerate(rows):
        y, half = len(rows) - 1 - k, wide * (row["se"] or 0.0)
        first = k == 0
        axes.hlines(
            y + 0.22, row["printed"] - half, row["printed"] + half, color=COLOURS["published"]
        )
        axes.plot(
            row["printed"],
            y + 0.22,
            "D",
            ms=4.5,
            color=COLOURS["published"],
            label="printed" if first else None,
        )
        axes.plot(
            sum(row["ols"]) / 2,
            y + 0.22,
            "o",
            ms=8,
            mfc="none",
            color=INK,
            label="refit on the panels" if first else None,
        )
        ends += [row["printed"] - half, row["printed"] + half]
        if row["mean"] is not None:
            axes.hlines(y - 0.05, row["low"], row["high"], color=COLOURS["panel"])
            axes.plot(row["mean"], y - 0.05, "o", ms=4.5, color=COLOURS["panel"])
            ends += [row["low"], row["high"]]
        if row["posterior"]:
            axes.plot(row["posterior"], [y - 0.28] * len(row["posterior"]), "|", ms=6, color=MUTED)
            ends += row["posterior"]
    axes.plot([], [], "o", ms=4.5, color=COLOURS["panel"], label="posterior, this panel")
    axes.plot([], [], "|", ms=6, color=MUTED, label="posterior means, all panels")
    axes.set_xlim(*limits(ends, ends))
    axes.axvline(0.0, color=INK, lw=0.8)
    axes.set_yticks(range(len(rows)), labels[::-1], fontsize=SMALL)
    axes.set_ylim(-0.8, len(rows) - 0.2)
    legend(axes)
    axes.set_xlabel(f"effect, {percent(level)} intervals")
    return svg(figure, "Printed columns on reference panels", True)
