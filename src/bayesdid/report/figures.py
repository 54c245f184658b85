"""Figures as SVG that takes its ink from the page, so that it is legible in light and dark."""

from __future__ import annotations

import io
import re
import textwrap
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from bayesdid import escape
from bayesdid.escape import html
from bayesdid.extras import extra
from bayesdid.published.contrasts import MAIN as AVERAGED
from bayesdid.published.synergy import KINDS
from bayesdid.report.limits import limits
from bayesdid.report.svg_small import TIP, small
from bayesdid.report.text import significant, typeset
from bayesdid.summary import percent, reach

INK = "#010203"  # replaced by currentColor
MUTED = "#7a8794"
COLOURS = {"published": "#2f6fb0", "panel": "#c2571a"}
_GOOD, BAD = "#2e8b57", "#b03a48"
STAMP = "SYNTHETIC PANEL: NOT EVIDENCE"
WIDTH = 5.4  # inches: text is legible where a phone shows the whole figure
SMALL = 9  # points: the smallest type of a figure, but for names of many units
LABEL = 32  # letters of a label beside a row
ACROSS = 48  # letters below an axis
_LETTER, _HANDLE = 5.0, 40.0  # points: of a legend's letter, of what stands before its label
_FROM_AXIS, _LEADING = 7.0, 1.2  # points to the names of rows; between their lines, of the type
_BELOW = 0.04  # inches from all that is drawn to the stamp
_DIGIT = 6.4  # points: a digit of an axis
_SHRUNK = 0.6  # of its size: a figure that a screen would make smaller than this scrolls
_GROWN = 1.15


def pyplot() -> Any:
    """Matplotlib with the report's settings."""
    with extra("report"):
        import matplotlib as mpl
        import matplotlib.pyplot as plt

    mpl.use("Agg")
    plt.rcParams.update(
        {
            "text.parse_math": False,  # a label's dollar is a dollar
            "svg.fonttype": "none",
            "svg.hashsalt": "bayesdid",
            "font.family": "sans-serif",
            "font.size": 10,
            "text.color": INK,
            "axes.labelcolor": INK,
            "axes.edgecolor": MUTED,
            "xtick.color": INK,
            "ytick.color": INK,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "figure.facecolor": "none",
            "axes.facecolor": "none",
        }
    )
    return plt


def svg(figure: Any, title: str, synthetic: bool = False) -> str:
    """The figure as SVG text that takes its ink from the page; the figure is closed.

    One of a synthetic panel says so below its axes.
    """
    with extra("report"):
        import matplotlib.pyplot as plt

    buffer = io.StringIO()
    with warnings.catch_warnings():
        # the reader's browser has the glyph: text is not drawn here, only measured
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        for axes in figure.axes:
            room_for_numbers(axes)
        if synthetic:
            _stamp(figure)
        figure.savefig(
            buffer, format="svg", bbox_inches="tight", metadata={"Date": None}, transparent=True
        )
    plt.close(figure)
    text = buffer.getvalue()
    text = text[text.index("<svg") :].replace(INK, "currentColor")
    text = re.sub(r'width="[\d.]+pt" height="[\d.]+pt"', 'width="100%"', text, count=1)
    text = small(text)
    natural = size(text)[0] * 4 / 3  # pixels
    limits = f"max-width:{_GROWN * natural:.0f}px;min-width:{_SHRUNK * natural:.0f}px"
    head = f'<svg role="img" aria-label="{html(title)}" style="{limits}" '
    return text.replace("<svg ", head, 1)


def _stamp(figure: Any) -> None:
    """Below all that is drawn, labels of axes that reach beyond the figure too."""
    drawn, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    at = drawn.x1 / width, (drawn.y0 - _BELOW) / height  # shares of the figure, as savefig cuts it
    figure.text(*at, STAMP, ha="right", va="top", fontsize=8, color=BAD, weight="bold")


def room_for_numbers(axes: Any) -> None:
    """As many numbers below an axis as stand beside each other; others are left as they are."""
    with extra("report"):
        from matplotlib.ticker import AutoLocator

    axis = axes.xaxis
    if not isinstance(axis.get_major_locator(), AutoLocator) or axes.get_xscale() != "linear":
        return
    ends = axes.get_xlim()
    shown = [at for at in axis.get_majorticklocs() if min(ends) <= at <= max(ends)]
    longest = max((len(text) for text in axis.get_major_formatter().format_ticks(shown)), default=1)
    width = 72 * axes.figure.get_size_inches()[0] * axes.get_position().width
    fit = int(width // (_DIGIT * (longest + 1)))
    if len(shown) > fit:
        axes.locator_params(axis="x", nbins=max(fit - 1, 2))


def size(text: str) -> tuple[float, float]:
    """Width and height of a drawing, in points."""
    found = re.search(r'viewBox="[-\d.]+ [-\d.]+ ([\d.]+) ([\d.]+)"', text)
    return (float(found[1]), float(found[2])) if found else (72 * WIDTH, 0.0)


def legend(axes: Any, **more: Any) -> None:
    """Above the axes, in as many columns as fit its longest label; none without one."""
    labels = axes.get_legend_handles_labels()[1]
    if labels:
        fit = int(72 * WIDTH // (_LETTER * max(map(len, labels)) + _HANDLE))
        columns = min(max(fit, 1), len(labels))
        place = {"loc": "lower left", "bbox_to_anchor": (0, 1), "ncol": columns}
        axes.legend(frameon=False, fontsize=SMALL, **(place | more))


def name_rows(axes: Any, labels: Sequence[str]) -> None:
    """Names beside the rows 0, 1, ... of an axis; lines of one name end at one edge in any font.

    Lines of a text are placed where Matplotlib's own font has them begin, which is ragged in that
    of another browser or an article: each line is a text of its own, which an edge holds.
    """
    axes.set_yticks(
        range(len(labels)), ["" if "\n" in label else label for label in labels], fontsize=SMALL
    )
    for at, label in enumerate(labels):
        lines = label.split("\n") if "\n" in label else []
        for k, line in enumerate(lines):
            axes.annotate(
                line,
                (0.0, at),
                (-_FROM_AXIS, ((len(lines) - 1) / 2 - k) * _LEADING * SMALL),
                xycoords=axes.get_yaxis_transform(),
                textcoords="offset points",
                ha="right",
                va="center",
                fontsize=SMALL,
                annotation_clip=False,
            )


def tips(axes: Any, x: Any, y: Any, texts: list[str]) -> None:
    """What a mouse over a bar or a point shows: lines that nobody sees, each with its text.

    Parameters
    ----------
    x, y
        For each text the two ends of a line.
    """
    for across, up, text in zip(x, y, texts, strict=True):
        if np.isfinite([*across, *up]).all():
            axes.plot(
                across, up, alpha=0.0, gid=f"{TIP}{typeset(text)}", scalex=False, scaley=False
            )


def told(label: str, mean: Any, low: Any, high: Any) -> str:
    """The text of a tip: label, mean and interval."""
    return f"{label}: {significant(mean)} ({significant(low)} to {significant(high)})"


def row_height(labels: list[str]) -> float:
    """Of a row of a forest, in inches, by the lines of its longest label."""
    return 0.12 + 0.13 * max(label.count("\n") + 1 for label in labels)


def assumptions_figure(items: list[dict[str, Any]]) -> str:
    """P(claim) against the autocorrelation behind the SEs, for each path of the single effects."""
    plt = pyplot()
    columns = min(2, len(items))
    rows = int(np.ceil(len(items) / columns))
    figure, grid = plt.subplots(
        rows, columns, figsize=(WIDTH, 2.0 * rows + 0.4), sharex=True, sharey=True, squeeze=False
    )
    styles = dict(zip(KINDS.values(), ("-", "--", "-.", ":"), strict=True))
    for axes, item in zip(grid.ravel(), items, strict=False):
        for label, style in styles.items():
            points = sorted(
                (float(key.partition(", phi ")[2]), value)
                for key, value in item["p_claim"].items()
                if key.startswith(f"{label}, ")
            )
            axes.plot(
                *zip(*points, strict=True), style, lw=1.8, color=COLOURS["published"], label=label
            )
        axes.axhline(item["p_claim"][AVERAGED], color=COLOURS["panel"], lw=1.2, label=AVERAGED)
        for level in (0.05, 0.5, 0.95):
            axes.axhline(level, color=MUTED, lw=0.6, ls="-" if level == 0.5 else (0, (4, 4)))
        axes.set_title(textwrap.fill(item["label"], 30), fontsize=SMALL)
        axes.set_ylim(-0.03, 1.03)
    for axes in grid.ravel()[len(items) :]:
        axes.set_visible(False)
    for axes in grid[:, 0]:
        axes.set_ylabel("P(claim)")
    for axes in grid[-1]:
        axes.set_xlabel("autocorrelation of errors")
    grid[0, 0].legend(frameon=False, fontsize=7, title="single effects", title_fontsize=7)
    figure.tight_layout()
    return svg(figure, "Probability of each claim by assumption")


def columns_figure(
    rows: list[dict[str, Any]], level: float, synthetic: bool, unit: str = ""
) -> str:
    """Treatment effects of every column: published, least squares, posterior.

    Parameters
    ----------
    unit
        Of the effects, if they share one.
    """
    plt = pyplot()
    wide = reach(level)
    series = (
        ("published", "published_se", "published", "D", COLOURS["published"], True),
        ("ols", "se_cluster", "OLS, clustered", "o", MUTED, False),
        ("mean", None, "posterior", "o", COLOURS["panel"], True),
    )
    labels = [textwrap.fill(row["label"], LABEL) for row in rows]
    figure, axes = plt.subplots(figsize=(WIDTH, row_height(labels) * len(rows) + 1.2))
    offsets = (0.24, 0.0, -0.24)
    drawn: list[tuple[float, float]] = []
    for (key, error, label, marker, colour, solid), offset in zip(series, offsets, strict=True):
        points = []
        for k, row in enumerate(rows):
            if row.get(key) is None:
                continue
            half = wide * (row[error] or 0) if error else 0.0
            low, high = (row[key] - half, row[key] + half) if error else (row["low"], row["high"])
            points.append((row[key], len(rows) - 1 - k + offset, low, high))
        if points:
            x, y, low, high = (np.array(v, dtype=float) for v in zip(*points, strict=True))
            drawn += list(zip(low, high, strict=True))
            axes.hlines(y, low, high, color=colour, lw=1.4)
            face = colour if solid else "none"
            axes.plot(x, y, marker, ms=4.5, color=colour, mfc=face, label=label, ls="none")
            said = [told(label, *found) for found in zip(x, low, high, strict=True)]
            tips(axes, zip(low, high, strict=True), zip(y, y, strict=True), said)
    axes.set_xlim(*limits([low for low, _ in drawn], [high for _, high in drawn]))
    axes.axvline(0.0, color=INK, lw=0.8)
    name_rows(axes, labels[::-1])
    axes.set_ylim(-0.8, len(rows) - 0.2)
    legend(axes)
    below = f"effect, {percent(level)} intervals"
    axes.set_xlabel(textwrap.fill(f"{below}; {escape.drawn(unit)}" if unit else below, ACROSS))
    return svg(figure, "Published, least-squares and posterior estimates", synthetic)


def event_figure(item: dict[str, Any], unit: str, synthetic: bool) -> str:
    """An event study: points with pointwise and simultaneous bands, and the smoothed path."""
    plt = pyplot()
    path, smooth = item["paths"]["independent"], item["paths"]["random_walk"]
    figure, axes = plt.subplots(figsize=(WIDTH, 2.9))
    t = np.array(path["times"])
    at = np.append(t, path["reference"])
    order = np.argsort(at)
    for key, alpha in (("band", 0.13), ("", 0.25)):
        low, high = (
            np.append(smooth[f"{key}_{side}" if key else side], 0.0) for side in ("low", "high")
        )
        axes.fill_between(
            at[order], low[order], high[order], color=COLOURS["panel"], alpha=alpha, lw=0
        )
    middle = np.append(smooth["mean"], 0.0)
    axes.plot(at[order], middle[order], color=COLOURS["panel"], lw=1.4, label="random-walk prior")
    blue = COLOURS["published"]
    axes.vlines(t, path["band_low"], path["band_high"], color=blue, lw=0.8)
    axes.vlines(t, path["low"], path["high"], color=blue, lw=2.4)
    axes.plot(t, path["mean"], "o", color=blue, ms=4.5, label="independent effects")
    found = zip(t, path["mean"], path["low"], path["high"], strict=True)
    said = [told(f"period {k:g}", *values) for k, *values in found]
    ends = zip(path["band_low"], path["band_high"], strict=True)
    tips(axes, zip(t, t, strict=True), ends, said)
    axes.plot(path["reference"], 0.0, "o", color="none", mec=INK, ms=5, label="reference")
    axes.axhline(0.0, color=INK, lw=0.8)
    axes.axvline(-0.5, color=MUTED, lw=0.8, ls="--")
    labels = {int(k): str(k) for k in at}
    if item["bins"]:
        labels[min(at)], labels[max(at)] = f"≤{min(at)}", f"≥{max(at)}"
    axes.set_xticks(sorted(labels), [labels[k].replace("-", "−") for k in sorted(labels)])
    axes.set_xlabel("periods since adoption")
    axes.set_ylabel(textwrap.fill(unit, 28))
    legend(axes)
    return svg(figure, f"Event study {item['spec']}", synthetic)


def checks_figure(
    specs: list[str], names: list[str], passed: list[list[bool | None]], synthetic: bool
) -> str:
    """Which spec passes which check."""
    plt = pyplot()
    shown = [textwrap.fill(escape.drawn(spec), LABEL) for spec in specs]
    height = max(0.24, row_height(shown))
    figure, axes = plt.subplots(figsize=(WIDTH, height * len(specs) + 1.0))
    for i, row in enumerate(passed):
        for j, value in enumerate(row):
            colour = MUTED if value is None else _GOOD if value else BAD
            mark = "·" if value is None else "✓" if value else "✗"
            axes.text(
                j,
                len(specs) - 1 - i,
                mark,
                ha="center",
                va="center",
                color=colour,
                fontsize=11,
                weight="bold",
            )
    axes.set_xlim(-0.5, len(names) - 0.5)
    axes.set_ylim(-0.7, len(specs) - 0.3)
    spoken = [name.replace("_", " ") for name in names]
    slanted = {"rotation": 45, "ha": "left", "rotation_mode": "anchor"}
    axes.set_xticks(range(len(names)), spoken, fontsize=SMALL, **slanted)
    name_rows(axes, shown[::-1])
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    return svg(figure, "Predictive checks by specification", synthetic)
