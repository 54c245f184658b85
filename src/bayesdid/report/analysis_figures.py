"""Figures of analyses, by kind: what :class:`bayesdid.families.analysis.Figure` describes."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np

from bayesdid.escape import drawn
from bayesdid.report.figures import (
    ACROSS,
    INK,
    LABEL,
    MUTED,
    SMALL,
    WIDTH,
    legend,
    name_rows,
    pyplot,
    row_height,
    svg,
    tips,
    told,
)
from bayesdid.report.limits import limits

_COLOURS = ("#2f6fb0", "#c2571a", "#2e8b57", "#8a5fb0", "#8a6d00")
_TIPS = 24  # places of a curve that tell their values
_SPECIFICATION_ROWS = 0.22  # inches for each choice below a specification curve


def analysis_figure(item: dict[str, Any], synthetic: bool) -> str:
    """One figure of an analysis as SVG."""
    draw = {
        "forest": _forest,
        "curve": _curve,
        "points": _points,
        "histogram": _histogram,
        "specification": _specification,
        "map": _map,
    }[item["kind"]]
    figure, _ = draw(item)
    return svg(figure, item["caption"].split(":")[0], synthetic)


def _numbers(values: list[Any] | None) -> np.ndarray:
    return np.array([np.nan if v is None else v for v in values or []], dtype=float)


def _forest(item: dict[str, Any]) -> tuple[Any, Any]:
    plt = pyplot()
    labels = list(dict.fromkeys(label for s in item["series"] for label in s["x"]))
    shown = [textwrap.fill(drawn(str(label)), LABEL) for label in labels]
    figure, axes = plt.subplots(figsize=(WIDTH, row_height(shown) * len(labels) + 1.1))
    offsets = np.linspace(0.22, -0.22, len(item["series"])) if len(item["series"]) > 1 else [0.0]
    for series, offset, colour in zip(item["series"], offsets, _COLOURS, strict=False):
        y = np.array([len(labels) - 1 - labels.index(label) for label in series["x"]]) + offset
        low, high = _numbers(series["low"]), _numbers(series["high"])
        axes.hlines(y, low, high, color=colour, lw=2)
        axes.plot(_numbers(series["y"]), y, "o", color=colour, ms=4.5, label=drawn(series["label"]))
        tips(axes, zip(low, high, strict=True), zip(y, y, strict=True), _said(series))
    ends = [
        (low, high) for s in item["series"] for low, high in zip(s["low"], s["high"], strict=True)
    ]
    if item["reference"] is not None:
        axes.axvline(item["reference"], color=INK, lw=0.8)
        low, high = (_numbers([pair[k] for pair in ends]) for k in (0, 1))
        axes.set_xlim(*limits(low, high, item["reference"]))
    name_rows(axes, shown[::-1])
    axes.set_ylim(-0.7, len(labels) - 0.3)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(textwrap.fill(item["xlabel"], ACROSS))
    if len(item["series"]) > 1:
        legend(axes)
    return figure, axes


def _said(series: dict[str, Any]) -> list[str]:
    """What a mouse over each of its bars shows."""
    found = zip(series["x"], series["y"], series["low"], series["high"], strict=True)
    before = f"{series['label']}, " if series["label"] else ""
    return [told(f"{before}{_place(x)}", y, low, high) for x, y, low, high in found]


def _place(x: Any) -> str:
    return f"{x:g}".replace("-", "−") if isinstance(x, int | float) else str(x)


def _lines(item: dict[str, Any]) -> tuple[Any, Any]:
    plt = pyplot()
    figure, axes = plt.subplots(figsize=(WIDTH, 2.8))
    if item["reference"] is not None:
        axes.axhline(item["reference"], color=INK, lw=0.8)
    for position in item["verticals"]:
        axes.axvline(position, color=MUTED, lw=1.2, ls="--")
    axes.set_xlabel(textwrap.fill(item["xlabel"], ACROSS))
    axes.set_ylabel(textwrap.fill(item["ylabel"], 30))
    return figure, axes


def _curve(item: dict[str, Any]) -> tuple[Any, Any]:
    """Ribbons; a series of few points is drawn as error bars on top."""
    figure, axes = _lines(item)
    for series, colour in zip(item["series"], _COLOURS, strict=False):
        x, y = _numbers(series["x"]), _numbers(series["y"])
        low, high = _numbers(series["low"]), _numbers(series["high"])
        if len(x) <= 6:
            axes.vlines(x, low, high, color=colour, lw=2)
            axes.plot(x, y, "o", color=colour, ms=5, label=drawn(series["label"]))
            tips(axes, zip(x, x, strict=True), zip(low, high, strict=True), _said(series))
            continue
        if series["band_low"] is not None:
            axes.fill_between(
                x,
                _numbers(series["band_low"]),
                _numbers(series["band_high"]),
                color=colour,
                alpha=0.12,
                lw=0,
            )
        axes.fill_between(x, low, high, color=colour, alpha=0.25, lw=0)
        axes.plot(x, y, color=colour, lw=1.6, label=drawn(series["label"]))
        every = slice(None, None, max(1, len(x) // _TIPS))
        ends = zip(low[every], high[every], strict=True)
        tips(axes, zip(x[every], x[every], strict=True), ends, _said(series)[every])
    if item["rug"]:
        bottom = axes.get_ylim()[0]
        axes.plot(item["rug"], np.full(len(item["rug"]), bottom), "|", color=INK, ms=7, alpha=0.5)
    if len(item["series"]) > 1:
        legend(axes)
    return figure, axes


def _points(item: dict[str, Any]) -> tuple[Any, Any]:
    """Error bars over integers, side by side, with the line between before and after."""
    figure, axes = _lines(item)
    offsets = np.linspace(-0.13, 0.13, len(item["series"])) if len(item["series"]) > 1 else [0.0]
    for series, offset, colour in zip(item["series"], offsets, _COLOURS, strict=False):
        x = _numbers(series["x"]) + offset
        if series["band_low"] is not None:
            axes.vlines(
                x, _numbers(series["band_low"]), _numbers(series["band_high"]), color=colour, lw=0.8
            )
        axes.vlines(x, _numbers(series["low"]), _numbers(series["high"]), color=colour, lw=2.2)
        axes.plot(x, _numbers(series["y"]), "o", color=colour, ms=4.5, label=drawn(series["label"]))
        ends = zip(_numbers(series["low"]), _numbers(series["high"]), strict=True)
        tips(axes, zip(x, x, strict=True), ends, _said(series))
    axes.xaxis.get_major_locator().set_params(integer=True)
    every = {at for s in item["series"] for at in _numbers(s["x"])}
    if len(every) == 1:  # else the axis shows hundredths of a period
        axes.set_xlim(min(every) - 1, max(every) + 1)
    if min(min(_numbers(s["x"]), default=0) for s in item["series"]) < 0:
        axes.axvline(-0.5, color=MUTED, lw=0.8, ls="--")
    if len(item["series"]) > 1:
        legend(axes)
    return figure, axes


def _histogram(item: dict[str, Any]) -> tuple[Any, Any]:
    plt = pyplot()
    figure, axes = plt.subplots(figsize=(WIDTH, 2.4))
    for series, colour in zip(item["series"], _COLOURS, strict=False):
        axes.hist(
            _numbers(series["y"]),
            bins=50,
            color=colour,
            alpha=0.5,
            label=drawn(series["label"]),
            density=True,
        )
    if item["reference"] is not None:
        axes.axvline(item["reference"], color=INK, lw=0.8)
    for position in item["verticals"]:
        axes.axvline(position, color=MUTED, lw=1.4, ls="--")
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(textwrap.fill(item["xlabel"], ACROSS))
    if len(item["series"]) > 1:
        legend(axes)
    return figure, axes


def _specification(item: dict[str, Any]) -> tuple[Any, Any]:
    """Sorted estimates above, the choices that each specification made below."""
    plt = pyplot()
    choices = item["matrix"]
    below = _SPECIFICATION_ROWS * len(choices)
    figure, (axes, grid) = plt.subplots(
        2, 1, figsize=(WIDTH, 2.6 + below), sharex=True, height_ratios=[2.6, below]
    )
    (series,) = item["series"]
    x = np.arange(len(series["y"]))
    y, low, high = (_numbers(series[key]) for key in ("y", "low", "high"))
    sure = (low > 0) | (high < 0)
    for rows, colour in ((sure, _COLOURS[0]), (~sure, MUTED)):
        axes.plot(*_bars(x[rows], low[rows], high[rows]), color=colour, lw=0.7, alpha=0.6)
        axes.plot(x[rows], y[rows], ".", color=colour, ms=3)
    values = {name: name.partition(": ")[2] or name for name in choices}
    made = [[values[name] for name, chosen in choices.items() if chosen[k]] for k in range(len(x))]
    found = zip(made, y, low, high, strict=True)
    tips(
        axes,
        zip(x, x, strict=True),
        zip(low, high, strict=True),
        [told(", ".join(names), *values) for names, *values in found],
    )
    axes.axhline(0.0, color=INK, lw=0.8)
    axes.set_ylabel(textwrap.fill(item["ylabel"], 20), fontsize=SMALL)
    for k, (_, made) in enumerate(reversed(choices.items())):
        chosen = np.flatnonzero(made)
        bars = _bars(chosen, np.full(len(chosen), k - 0.3), np.full(len(chosen), k + 0.3))
        grid.plot(*bars, color=INK, lw=0.7, alpha=0.7)
    grid.set_yticks(range(len(choices)), list(choices)[::-1], fontsize=SMALL)
    grid.set_ylim(-0.8, len(choices) - 0.2)
    grid.tick_params(axis="y", length=0)
    grid.set_xlabel("specifications, sorted by their estimate")
    figure.subplots_adjust(hspace=0.06)
    return figure, axes


def _bars(x: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vertical bars as one line with gaps, which is one path where many would be drawn."""
    gap = np.full(len(x), np.nan)
    return np.repeat(np.asarray(x, dtype=float), 3), np.column_stack([low, high, gap]).ravel()


_STEPS = 11  # of a map's colours: more are not told apart
_SIZES = (0.5, 0.75, 0.95, 1.0)  # probabilities of a sign that the legend of a map shows


def _area(sure: np.ndarray) -> np.ndarray:
    """Area of a place on a map, in square points, by the probability of its sign."""
    return np.asarray(12 + 130 * (sure - 0.5) ** 2 * 4)


def scale_of(value: np.ndarray) -> tuple[str, float, float]:
    """Colours of a map and their ends: from zero on if all values have one sign, else around it."""
    reach = max(float(np.nanmax(abs(value))), 1e-12)
    if (value >= 0).all():
        return "Reds", 0.0, reach
    if (value <= 0).all():
        return "Blues_r", -reach, 0.0
    return "RdBu_r", -reach, reach


def _map(item: dict[str, Any]) -> tuple[Any, Any]:
    """Places by what they receive: colour, how sure its sign is: size; no borders are drawn."""
    plt = pyplot()
    (series,) = item["series"]
    x, y, value, sure = (_numbers(series[key]) for key in ("x", "y", "low", "high"))
    ringed = _numbers(series["band_low"]) != 0
    # degrees of longitude are shorter than those of latitude
    aspect = 1 / np.cos(np.deg2rad(np.mean(y)))
    figure, axes = plt.subplots(figsize=(WIDTH, 4.0))
    colours, low, high = scale_of(value)
    points = axes.scatter(
        x,
        y,
        c=value,
        s=_area(sure),
        cmap=plt.get_cmap(colours, _STEPS),
        vmin=low,
        vmax=high,
        edgecolors=MUTED,
        linewidths=0.3,
    )
    for p in _SIZES:
        axes.scatter([], [], s=float(_area(np.array(p))), c=MUTED, label=f"P {p:g}")
    axes.scatter(x[ringed], y[ringed], s=150, facecolors="none", edgecolors=INK, lw=0.9)
    axes.set_aspect(aspect)
    axes.set_xlabel(item["xlabel"])
    axes.set_ylabel(item["ylabel"])
    legend(axes, title="probability of the sign", title_fontsize=SMALL)
    figure.colorbar(points, ax=axes, shrink=0.8, pad=0.02, label=textwrap.fill(series["label"], 40))
    return figure, axes
