"""The drawing of a forest's rows: one axis, zero always on it, shapes that tell sources apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bayesdid.escape import html as escaped
from bayesdid.report.document.blocks import ForestRow, Mark
from bayesdid.report.limits import limits
from bayesdid.report.text import number

_WIDTH, _ROW, _MARK, _ARROW = 600, 26, 7, 10
_NARROW = 0.09  # of the axis between two numbers below it
COLOURS = {"published": "#2f6fb0", "panel": "#c2571a", "peer": "#7a8794"}


@dataclass(frozen=True, slots=True)
class Axis:
    """Ends of an axis and the numbers below it."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]

    def at(self, value: float) -> float:
        """Position as a share of the axis; what lies beyond it is at its end."""
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)


def is_cut(rows: Sequence[ForestRow]) -> bool:
    """Whether a line of some row goes on beyond the axis, which an arrow then says."""
    axis = axis_of(rows)
    ends = [end for row in rows for mark in row.marks for end in mark.ends]
    return any(not axis.low <= end <= axis.high for end in ends)


def axis_of(rows: Sequence[ForestRow]) -> Axis:
    """The axis that all rows share: zero, and all intervals but those that would flatten them."""
    marks = [mark for row in rows for mark in row.marks]
    low, high = limits([m.low for m in marks], [m.high for m in marks])
    step = 10.0 ** np.floor(np.log10(high - low))
    while (high - low) / step < 4:
        step /= 2
    places = max(
        0, int(np.ceil(-np.log10(step) - 1e-9)) + (step * 10 ** np.ceil(-np.log10(step)) % 1 > 0)
    )
    values = np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step
    values = values[:: max(1, len(values) // 6)] if 0.0 not in values else _around_zero(values)
    ticks = tuple((float(v), number(v + 0.0, places)) for v in values)
    return Axis(low, high, _apart(ticks, low, high))


def _around_zero(values: np.ndarray) -> np.ndarray:
    """Every n-th number, counted from zero."""
    every = max(1, len(values) // 6)
    zero = int(np.flatnonzero(values == 0)[0])
    return values[zero % every :: every]


def _apart(
    ticks: tuple[tuple[float, str], ...], low: float, high: float
) -> tuple[tuple[float, str], ...]:
    """The numbers, unless some would touch: then zero and the ends."""
    close = any((b - a) / (high - low) < _NARROW for (a, _), (b, _) in pairwise(ticks))
    return tuple(t for t in ticks if t in (ticks[0], ticks[-1]) or t[0] == 0) if close else ticks


def stripe(row: ForestRow, axis: Axis) -> str:
    """The marks of one row as SVG: published a diamond, a posterior a disc, a peer a ring."""
    height = _ROW * len(row.marks)
    drawn = "".join(_mark(mark, axis, _ROW * (k + 0.5)) for k, mark in enumerate(row.marks))
    zero = round(axis.at(0.0) * _WIDTH, 1)
    said = "; ".join(
        f"{mark.source} {number(mark.mean)}, {number(mark.low)} to {number(mark.high)}"
        for mark in row.marks
    )
    return (
        f'<svg role="img" aria-label="{escaped(row.label)}: {escaped(said)}" '
        f'viewBox="0 0 {_WIDTH} {height}" width="100%">'
        f'<line x1="{zero}" x2="{zero}" y1="0" y2="{height}" stroke="currentColor" '
        f'stroke-width="1.5" opacity=".6"/>{drawn}</svg>'
    )


def _mark(mark: Mark, axis: Axis, y: float) -> str:
    colour = COLOURS[mark.source]
    x, low, high = (round(axis.at(v) * _WIDTH, 1) for v in (mark.mean, mark.low, mark.high))
    numbers = f"{number(mark.mean)} ({number(mark.low)} to {number(mark.high)})"
    said = f"<title>{escaped(mark.source)}: {numbers}</title>"
    lines = [_line(low, high, y, colour, 4)]
    if min(mark.ends) < axis.low:
        lines.append(_arrow(0, 1, y, colour))
    if max(mark.ends) > axis.high:
        lines.append(_arrow(_WIDTH, -1, y, colour))
    if mark.wide is not None:
        start, end = (round(axis.at(v) * _WIDTH, 1) for v in mark.wide)
        lines.append(_line(start, end, y, colour, 1.5))
    fill = colour if mark.solid else "none"
    if mark.source == "published":
        shape = f'<path d="M{x - 9} {y}L{x} {y - 9}L{x + 9} {y}L{x} {y + 9}Z"'
    else:
        shape = f'<circle cx="{x}" cy="{y}" r="{_MARK}"'
    return (
        f'<g>{said}{"".join(lines)}{shape} fill="{fill}" stroke="{colour}" stroke-width="2"/></g>'
    )


def _arrow(x: int, side: int, y: float, colour: str) -> str:
    """Where a line goes on beyond the axis: an arrow head at its end; `side`: 1 at the left."""
    back = x + side * _ARROW
    return f'<path d="M{back} {y - 7}L{x} {y}L{back} {y + 7}Z" fill="{colour}"/>'


def _line(low: float, high: float, y: float, colour: str, width: float) -> str:
    return (
        f'<line x1="{low}" x2="{high}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="{width}"/>'
    )
