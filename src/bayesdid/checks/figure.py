"""What a figure shows, as values: curves, forests, histograms; drawing is the report's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from bayesdid.arrays import FloatArray


@dataclass(frozen=True, slots=True)
class Series:
    """Points of a figure: a curve over `x`, or one row of a forest per label.

    Attributes
    ----------
    label
        Legend entry.
    x
        Positions (numbers) of a curve, or labels of a forest's rows.
    y, low, high
        Values and their pointwise interval; NaN where there is none.
    band_low, band_high
        Simultaneous band, or None.
    """

    label: str
    x: list[Any]
    y: list[float]
    low: list[float]
    high: list[float]
    band_low: list[float] | None = None
    band_high: list[float] | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """What to draw; :mod:`bayesdid.report.figures` knows how.

    Attributes
    ----------
    kind
        ``forest`` (labels down the side), ``curve`` (ribbons over numbers), ``points``
        (error bars over numbers, as event studies are drawn), ``histogram`` (`y` of each series),
        ``specification`` (a curve over sorted specifications with `matrix` below) or ``map``
        (places at `x`, `y`; colour `low`, size `high`, a ring where `band_low` is not zero).
    xlabel, ylabel
        With units.
    reference
        Vertical (forest, histogram) or horizontal (curve, points) line, or None.
    verticals
        Further positions on the x axis to mark, e.g. a breakdown value.
    rug
        Observed values to show along the x axis.
    matrix
        For ``specification``: choice -> whether each specification made it.
    """

    name: str
    kind: Literal["forest", "curve", "points", "histogram", "specification", "map"]
    caption: str
    series: tuple[Series, ...]
    xlabel: str = ""
    ylabel: str = ""
    reference: float | None = 0.0
    verticals: tuple[float, ...] = ()
    rug: tuple[float, ...] = ()
    matrix: dict[str, list[bool]] | None = None


def histogram(
    name: str,
    caption: str,
    label: str,
    values: FloatArray,
    xlabel: str,
    verticals: tuple[float, ...] = (),
    digits: int = 4,
) -> Figure:
    """Values of one series, rounded, with marks on their axis."""
    series = Series(label, [], [round(float(value), digits) for value in values], [], [])
    return Figure(
        name, "histogram", caption, (series,), xlabel, reference=None, verticals=verticals
    )
