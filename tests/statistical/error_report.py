"""Pages of `make calibrate-errors` and `make calibrate-few`: tables, bands, marks, and words."""

from __future__ import annotations

import numpy as np
import pandas as pd
from error_worlds import EFFECT, REAL, WORLDS
from scores import band

from bayesdid.model.errors import DEFAULT_ERRORS

WANTED = (0.06, 0.16)  # share of placebo laws that an 89 % interval excludes, every real panel
AVERAGE = (0.09, 0.13)  # the same on average over real panels
COVERAGE = (0.85, 0.93)  # of simulated panels whose errors the model names
WIDTH = 1.05  # over the i.i.d. width where errors are i.i.d.
DEFAULT = DEFAULT_ERRORS.name
NAMES = {
    "iid": "i.i.d.",
    "iid_unit": "i.i.d., unit scales",
    "ar1": "AR(1)",
    "ar1_unit": "AR(1), unit scales",
    "cluster": "clustered least squares",
    "permutation": "permutation",
}


def write_report(frame: pd.DataFrame) -> str:
    """The page, from rows of :func:`error_calibrate.measure`."""
    half, worlds = frame[frame["T"] == 0], frame[frame["T"] > 0]
    parts = [_head(), _half(half), _worlds(worlds), _says(half, worlds), _gates(frame)]
    return "\n\n".join(parts) + "\n"


def write_few(few: pd.DataFrame) -> str:
    """The page of few treated units, from rows of :func:`error_calibrate.measure`."""
    n = int(few.groupby(["panel", "treated", "model"]).size().min())
    parts = [
        "# Few treated units",
        f"Written by `make calibrate-few`. {n} placebo laws on each of five real panels, as in "
        "[Calibration of errors](calibration-errors.md) but with 3, 5 and 10 treated units: the "
        "89 % interval should exclude zero in 11 %. Wanted: "
        f"{WANTED[0]:.2f} to {WANTED[1]:.2f} on every panel, {AVERAGE[0]:.2f} to {AVERAGE[1]:.2f} "
        "on average; a star marks what lies outside. Monte Carlo band (95 %): plus or minus "
        f"{band(0.11, n):.3f} for a panel, {band(0.11, n * len(REAL)):.3f} for the average. Up to "
        "five treated units every result says so by name and gives the interval by permutation of "
        "the assignment. Laws are drawn as the permutation supposes, so that its rates are right "
        "nearly by construction; what they test is that nothing is lost by plugging in what the "
        "posterior says about errors.",
        _rates(few, ["treated", "model"]),
        "## What it says",
        _few_words(few),
        _gates(few),
    ]
    return "\n\n".join(parts) + "\n"


def _head() -> str:
    return (
        "# Calibration of errors\n\n"
        "Written by `make calibrate-errors`. An interval is the equal-tailed 89 % interval of a "
        "fit under weak priors (4 x 500 draws), a star marks what lies outside the wanted range. "
        f"The default errors are **{NAMES[DEFAULT]}** ({DEFAULT_ERRORS}). Clustered least squares "
        "is the sandwich posterior that stands beside every fit (normal around least squares with "
        "the covariance clustered by unit; Mueller 2013, Econometrica 81, 1805-1849)."
    )


def _half(half: pd.DataFrame) -> str:
    n = int(half.groupby(["panel", "model"]).size().min())
    return (
        "## Placebo laws on real panels, half of the units treated\n\n"
        "Random units adopt at random times a law that never was: the interval should exclude "
        f"zero in 11 % of {n} laws. Wanted: {WANTED[0]:.2f} to {WANTED[1]:.2f} on every panel, "
        f"{AVERAGE[0]:.2f} to {AVERAGE[1]:.2f} on average. Monte Carlo band (95 %): plus or minus "
        f"{band(0.11, n):.3f} for a panel, {band(0.11, n * len(REAL)):.3f} for the average.\n\n"
        + _rates(half, ["model"])
        + "\n\nMedian sd over that of clustered least squares:\n\n"
        + _widths(half)
        + "\n\n"
        + "\n".join(f"- {name}: {text}, {N} x {T}" for name, (N, T, text) in REAL.items())
    )


def _rates(rows: pd.DataFrame, index: list[str]) -> str:
    """Shares excluded, by panel and on average, starred outside the wanted ranges."""
    table = rows.pivot_table(index=index, columns="panel", values="out", aggfunc="mean", sort=False)
    table = table[[name for name in REAL if name in table]]
    shown = table.map(lambda v: _star(v, WANTED))
    shown["average"] = [_star(v, AVERAGE) for v in table.mean(axis=1)]
    shown = shown.sort_index(level=0, sort_remaining=False) if len(index) > 1 else shown
    return _markdown(shown.rename(index=NAMES).reset_index())


def _widths(rows: pd.DataFrame) -> str:
    wide = rows.pivot_table(index=["panel", "law"], columns="model", values="sd")
    ratio = wide.div(wide["cluster"], axis=0).drop(columns="cluster").groupby("panel").median().T
    ratio = ratio[[name for name in REAL if name in ratio]]
    return _markdown(ratio.map("{:.2f}".format).rename(index=NAMES).reset_index())


def _worlds(worlds: pd.DataFrame) -> str:
    cover, ratio = _coverage(worlds)
    n = int(worlds.groupby(["panel", "T", "model"]).size().min())
    shown = cover.map(lambda v: _star(v, COVERAGE)).rename(columns=NAMES)
    title = f"width, {NAMES[DEFAULT]} over i.i.d."
    shown[title] = [
        f"{v:.3f}" + " *" * (name == "iid" and v > WIDTH) for (name, _), v in ratio.items()
    ]
    shown["named"] = ["yes" if WORLDS[name][1] else "no" for name, _ in shown.index]
    shown = shown.rename_axis(["world", "T"]).reset_index()
    return (
        "## Coverage on simulated panels\n\n"
        f"48 units, half of them treated from random periods on, an effect of {EFFECT}, {n} panels "
        f"a cell: Monte Carlo band plus or minus {band(0.89, n):.3f}. Wanted in worlds that the "
        f"default names: {COVERAGE[0]:.2f} to {COVERAGE[1]:.2f}, and a width of at most "
        f"{WIDTH:.2f} times the i.i.d. one where errors are i.i.d.\n\n"
        + _markdown(shown)
        + "\n\n"
        + "\n".join(f"- {name}: {text}" for name, (text, _) in WORLDS.items())
    )


def _coverage(worlds: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    cell = ["panel", "T"]
    cover = 1 - worlds.pivot_table(
        index=cell, columns="model", values="out", aggfunc="mean", sort=False
    )
    sd = worlds.pivot_table(index=[*cell, "law"], columns="model", values="sd", sort=False)
    ratio = (sd[DEFAULT] / sd["iid"]).groupby(level=cell, sort=False).mean()
    return cover, ratio.reindex(cover.index)


def _says(half: pd.DataFrame, worlds: pd.DataFrame) -> str:
    """What the tables say; every number is taken from them."""
    rate = half.groupby(["model", "panel"])["out"].mean()
    mean = rate.groupby("model").mean()
    own = rate[DEFAULT]
    off = [f"{p} ({v:.3f})" for p, v in own.items() if not WANTED[0] <= v <= WANTED[1]]
    n = int(half.groupby(["panel", "model"]).size().min())
    cover, ratio = _coverage(worlds)
    named = [key for key in cover.index if WORLDS[key[0]][1]]
    miss = [
        f"{name} at T = {T} ({cover.loc[(name, T), DEFAULT]:.3f})"
        for name, T in named
        if not COVERAGE[0] <= cover.loc[(name, T), DEFAULT] <= COVERAGE[1]
    ]
    return "\n\n".join(
        [
            "## What it says",
            "**Decision.** "
            f"{NAMES[DEFAULT]} errors are the default. They exclude zero in {mean[DEFAULT]:.3f} of "
            f"placebo laws on average, i.i.d. errors in {mean['iid']:.3f}, clustered least squares "
            f"in {mean['cluster']:.3f}. "
            + (
                f"Outside the wanted range: {', '.join(off)}."
                if off
                else "They are within the wanted range on every real panel."
            )
            + f" Where errors are i.i.d. they cost {100 * (ratio['iid'].mean() - 1):+.1f} % in "
            "width. Of the worlds that they name they cover "
            f"{cover.loc[named, DEFAULT].min():.3f} to {cover.loc[named, DEFAULT].max():.3f}"
            + (f"; outside the wanted range: {', '.join(miss)}." if miss else ".")
            + f" On average over these {len(named)} cells: {cover.loc[named, DEFAULT].mean():.3f}, "
            f"plus or minus {band(0.89, len(named) * _n(worlds)):.3f}. A single cell of "
            f"{_n(worlds)} panels has a band of plus or minus {band(0.89, _n(worlds)):.3f}: one "
            "that is outside the wanted range by less is no evidence against it.",
            f"**Castle.** {_hardest(own)} ({own['castle']:.3f}, plus or minus "
            f"{band(own['castle'], n):.3f}; AR(1) with a common scale {rate['ar1', 'castle']:.3f}, "
            f"clustered {rate['cluster', 'castle']:.3f}). Its residuals correlate over one and two "
            "periods alike and not over three, as a slow process plus noise would, not an AR(1). "
            "Unit scales do not cure that; a noise component would be the principled repair. A "
            "prototype with one covered better under a random walk plus noise, and excluded zero "
            "as often as the default on these five panels; it is not among the errors offered.",
            "**Random walk plus noise.** The default names no noise, and "
            + _listed(cover, "rw + noise")
            + f". {NAMES['cluster'].capitalize()} covers "
            + ", ".join(f"{cover.loc[('rw + noise', T), 'cluster']:.3f}" for T in _periods(cover))
            + " there. When residuals stay correlated over many periods though neighbouring ones "
            "correlate little, believe the clustered row.",
            "**Shocks that neighbours share** are named by no row of this table: "
            + _listed(cover, "spatial")
            + ", and with AR(1) on top "
            + _listed(cover, "spatial ar .6")
            + ". A law that is assigned at random averages over neighbours, which is why little "
            "is lost here; one that neighbours adopt together would fare worse. Spatial models "
            "have errors of their own.",
            "**Few treated units** have a page of their own: "
            "[calibration-few](calibration-few.md).",
        ]
    )


def _hardest(own: pd.Series) -> str:
    return "The hardest of the five" if own.idxmax() == "castle" else f"{own.idxmax()} is harder"


def _few_words(few: pd.DataFrame) -> str:
    rate = few.groupby(["treated", "model"])["out"].mean()
    lines = []
    for treated in sorted(few["treated"].unique()):
        text = f"{treated} treated: default {rate[treated, DEFAULT]:.3f}, clustered "
        text += f"{rate[treated, 'cluster']:.3f}"
        if (treated, "permutation") in rate:
            text += f", permutation {rate[treated, 'permutation']:.3f}"
        off = few[few["treated"] == treated].groupby(["model", "panel"])["out"].mean()[DEFAULT]
        off = [f"{p} {v:.3f}" for p, v in off.items() if not WANTED[0] <= v <= WANTED[1]]
        lines.append(
            text + (f" (default outside the wanted range: {', '.join(off)})" if off else "")
        )
    return (
        "; ".join(lines) + ". Clustered standard errors are no remedy: they estimate a variance "
        "from the treated units alone. The posterior borrows it from all units through the "
        "hierarchy of scales, which is a model; permutation needs exchangeable units instead, "
        "given the model of the errors, and is wide of its level for a unit that is known to be "
        "noisier or quieter than others, though less so for being studentised."
    )


def _listed(cover: pd.DataFrame, world: str) -> str:
    found = []
    for T in _periods(cover):
        value = cover.loc[(world, T), DEFAULT]
        word = "as wanted"
        if value < COVERAGE[0]:
            word = "too narrow"
        elif value > COVERAGE[1]:
            word = "too wide"
        found.append(f"{value:.3f} at T = {T} ({word})")
    return "it covers " + ", ".join(found)


def _periods(cover: pd.DataFrame) -> list[int]:
    return sorted(cover.index.get_level_values("T").unique())


def _n(rows: pd.DataFrame) -> int:
    return int(rows.groupby(["panel", "T", "model"]).size().min())


def _gates(frame: pd.DataFrame) -> str:
    failed = (~frame["gate"].astype(bool)).groupby(frame["model"]).mean()
    text = ", ".join(f"{NAMES[m]} {v:.3f}" for m, v in failed.items() if m not in {"cluster"})
    return (
        "## Gates\n\nShare of fits whose convergence gate failed though they were made again with "
        f"more draws, counted all the same (permutation: refused): {text}."
    )


def _star(value: float, wanted: tuple[float, float]) -> str:
    if np.isnan(value):
        return ""
    return f"{value:.3f}" + ("" if wanted[0] <= value <= wanted[1] else " *")


def _markdown(table: pd.DataFrame) -> str:
    lines = ["| " + " | ".join(map(str, table.columns)) + " |", "|" + "---|" * table.shape[1]]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in table.itertuples(index=False)]
    return "\n".join(lines)
