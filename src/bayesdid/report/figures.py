"""Figures as SVG that takes its ink from the page, so that it is legible in light and dark."""

from __future__ import annotations

import io
import re
import textwrap
import warnings
from typing import Any

import numpy as np

from bayesdid.escape import html
from bayesdid.extras import extra
from bayesdid.published.contrasts import MAIN as AVERAGED
from bayesdid.published.synergy import KINDS
from bayesdid.report.text import hdi
from bayesdid.summary import INNER, percent, reach

INK = "#010203"  # replaced by currentColor
MUTED = "#7a8794"
COLOURS = {"published": "#2f6fb0", "panel": "#c2571a"}
_GOOD, BAD = "#2e8b57", "#b03a48"
STAMP = "SYNTHETIC PANEL: NOT EVIDENCE"


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
            "font.size": 11,
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


def svg(figure: Any, title: str) -> str:
    """The figure as SVG text that takes its ink from the page; the figure is closed."""
    with extra("report"):
        import matplotlib.pyplot as plt

    buffer = io.StringIO()
    with warnings.catch_warnings():
        # the reader's browser has the glyph: text is not drawn here, only measured
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(
            buffer, format="svg", bbox_inches="tight", metadata={"Date": None}, transparent=True
        )
    plt.close(figure)
    text = buffer.getvalue()
    text = text[text.index("<svg") :].replace(INK, "currentColor")
    text = re.sub(r'width="[\d.]+pt" height="[\d.]+pt"', 'width="100%"', text, count=1)
    return text.replace("<svg ", f'<svg role="img" aria-label="{html(title)}" ', 1)


def stamp_axes(axes: Any, synthetic: bool) -> None:
    """Say on the figure that its panel is synthetic."""
    if synthetic:
        axes.text(
            0.995,
            0.01,
            STAMP,
            transform=axes.transAxes,
            ha="right",
            va="bottom",
            fontsize=8,
            color=BAD,
            weight="bold",
        )


def claims_figure(rows: list[dict[str, Any]], unit: str, synthetic: bool, level: float) -> str:
    """One row per claim: posteriors relative to zero, from published cells and from the panel.

    Parameters
    ----------
    rows
        ``label``, and under ``published`` and ``panel`` a verdict (or None) with ``summary``,
        ``p``, ``p_low``, ``p_high`` and ``wide`` (the HDI under the widest assumption).
    unit
        Of the x axis.
    level
        Of the outer bars.
    """
    plt = pyplot()
    figure, axes = plt.subplots(figsize=(8.2, 0.62 * len(rows) + 1.1))
    axes.axvline(0.0, color=INK, lw=1)
    for k, row in enumerate(rows):
        y = len(rows) - 1 - k
        for source, offset in (("published", 0.16), ("panel", -0.16)):
            verdict = row.get(source)
            if verdict is None:
                continue
            low, high = hdi(verdict["summary"])
            inner = hdi(verdict["summary"], INNER)
            colour = COLOURS[source]
            alpha = 0.55 if source == "panel" and synthetic else 1.0
            line = "--" if source == "panel" and synthetic else "-"
            if verdict.get("wide"):
                axes.plot(verdict["wide"], [y + offset] * 2, color=colour, lw=0.8, alpha=0.7)
            axes.plot([low, high], [y + offset] * 2, color=colour, lw=2.2, ls=line, alpha=alpha)
            axes.plot(
                inner, [y + offset] * 2, color=colour, lw=5, alpha=alpha, solid_capstyle="butt"
            )
            axes.plot(
                verdict["summary"]["mean"],
                y + offset,
                "o",
                color=colour,
                ms=5,
                mec="white",
                mew=0.6,
            )
    axes.set_yticks(range(len(rows)), [row["label"] for row in rows][::-1])
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(
        f"{unit}: point = mean, bars = {percent(INNER)} and {percent(level)} HDI, "
        "thin line = widest or clustered"
    )
    handles = [
        plt.Line2D([], [], color=COLOURS["published"], lw=3, label="from published cells"),
        plt.Line2D(
            [],
            [],
            color=COLOURS["panel"],
            lw=3,
            ls="--" if synthetic else "-",
            label="from the panel" + (" (synthetic)" if synthetic else ""),
        ),
    ]
    used = [
        h
        for h, s in zip(handles, ("published", "panel"), strict=True)
        if any(row.get(s) for row in rows)
    ]
    axes.legend(handles=used, frameon=False, loc="upper center", bbox_to_anchor=(0.3, 1.14), ncol=2)
    stamp_axes(axes, synthetic and any(row.get("panel") for row in rows))
    return svg(figure, "Posterior of each claimed contrast relative to zero")


def assumptions_figure(items: list[dict[str, Any]]) -> str:
    """P(claim) against the autocorrelation behind the SEs, for each path of the single effects."""
    plt = pyplot()
    columns = min(3, len(items))
    rows = int(np.ceil(len(items) / columns))
    figure, grid = plt.subplots(
        rows, columns, figsize=(8.6, 2.5 * rows), sharex=True, sharey=True, squeeze=False
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
        axes.set_title(textwrap.fill(item["label"], 30), fontsize=9)
        axes.set_ylim(-0.03, 1.03)
    for axes in grid.ravel()[len(items) :]:
        axes.set_visible(False)
    for axes in grid[:, 0]:
        axes.set_ylabel("P(claim)")
    for axes in grid[-1]:
        axes.set_xlabel("autocorrelation of errors")
    grid[0, 0].legend(frameon=False, fontsize=8, title="single effects", title_fontsize=8)
    figure.tight_layout()
    return svg(figure, "Probability of each claim by assumption")


def agreement_figure(rows: list[dict[str, Any]], synthetic: bool, level: float) -> str:
    """Treatment effects of every spec: published, least squares, Bayes fixed, random, Mundlak."""
    plt = pyplot()
    wide = reach(level)
    series = (
        ("published", "published_se", "published", "D", INK),
        ("ols", "se_cluster", "OLS, clustered", "s", MUTED),
        ("fixed_mean", "fixed_sd", "Bayes fixed", "o", COLOURS["published"]),
        ("random_mean", "random_sd", "Bayes random", "^", COLOURS["panel"]),
        ("mundlak_mean", "mundlak_sd", "Bayes Mundlak", "v", _GOOD),
    )
    figure, axes = plt.subplots(figsize=(8.2, 0.34 * len(rows) + 1.2))
    offsets = np.linspace(0.3, -0.3, len(series))
    for (key, error, label, marker, colour), offset in zip(series, offsets, strict=True):
        points = [
            (row[key], len(rows) - 1 - k + offset, wide * (row[error] or 0))
            for k, row in enumerate(rows)
            if row.get(key) is not None
        ]
        if points:
            x, y, e = (np.array(values, dtype=float) for values in zip(*points, strict=True))
            axes.errorbar(x, y, xerr=e, fmt=marker, ms=3.5, lw=0.9, color=colour, label=label)
    axes.axvline(0.0, color=INK, lw=0.8)
    axes.set_yticks(range(len(rows)), [row["label"] for row in rows][::-1], fontsize=8)
    axes.set_ylim(-0.8, len(rows) - 0.2)
    axes.legend(frameon=False, ncol=5, fontsize=8, loc="lower center", bbox_to_anchor=(0.42, 1.0))
    axes.set_xlabel(f"effect, plus and minus {wide:.1f} standard errors ({percent(level)})")
    stamp_axes(axes, synthetic)
    return svg(figure, "Published, least-squares and Bayesian estimates")


def event_figure(item: dict[str, Any], unit: str, synthetic: bool) -> str:
    """An event study: points with pointwise and simultaneous bands, and the smoothed path."""
    plt = pyplot()
    path, smooth = item["paths"]["independent"], item["paths"]["random_walk"]
    figure, axes = plt.subplots(figsize=(8.2, 3.4))
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
    axes.plot(path["reference"], 0.0, "o", color="none", mec=INK, ms=5, label="reference")
    axes.axhline(0.0, color=INK, lw=0.8)
    axes.axvline(-0.5, color=MUTED, lw=0.8, ls="--")
    labels = {int(k): str(k) for k in at}
    if item["bins"]:
        labels[min(at)], labels[max(at)] = f"≤{min(at)}", f"≥{max(at)}"
    axes.set_xticks(sorted(labels), [labels[k].replace("-", "−") for k in sorted(labels)])
    axes.set_xlabel("periods since adoption")
    axes.set_ylabel(textwrap.fill(unit, 28))
    axes.legend(frameon=False, fontsize=8, ncol=3, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    stamp_axes(axes, synthetic)
    return svg(figure, f"Event study {item['spec']}")


def checks_figure(
    specs: list[str], names: list[str], passed: dict[tuple[str, str], bool | None], synthetic: bool
) -> str:
    """Which spec passes which check."""
    plt = pyplot()
    figure, axes = plt.subplots(figsize=(8.2, 0.26 * len(specs) + 1.0))
    for i, spec in enumerate(specs):
        for j, name in enumerate(names):
            value = passed.get((spec, name))
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
    axes.set_xticks(range(len(names)), [name.replace("_", "\n") for name in names], fontsize=8)
    axes.set_yticks(range(len(specs)), specs[::-1], fontsize=8)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    if synthetic:
        axes.set_xlabel(STAMP, color=BAD, fontsize=8, weight="bold")
    return svg(figure, "Predictive checks by specification")
