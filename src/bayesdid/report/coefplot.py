"""Coefficients of fits, and paths of event studies, as the field draws them.

Each function draws on given axes or new ones of the caller's own Matplotlib backend and returns
them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bayesdid.escape import mathtext
from bayesdid.exceptions import InputError
from bayesdid.extras import extra
from bayesdid.front.event_study import EventStudy, event_study
from bayesdid.inference.result import Fit
from bayesdid.report.figures import BAD, COLOURS, MUTED, STAMP
from bayesdid.summary import INNER, percent

_NARROW = 0.7  # of a row: how far the fits of one coefficient lie apart


def new_axes(axes: Any, width: float, height: float) -> Any:
    """The given axes, or those of a new figure."""
    if axes is not None:
        return axes
    with extra("report"):
        import matplotlib.pyplot as plt

    return plt.subplots(figsize=(width, height), layout="constrained")[1]


def say_synthetic(axes: Any, synthetic: str) -> None:
    """Say above the axes, outside the data, that a panel is synthetic."""
    if synthetic:
        axes.set_title(STAMP, fontsize=9, color=BAD, loc="right", weight="bold")


def coefplot(
    fits: Fit | Sequence[Fit] | Mapping[str, Fit],
    terms: Sequence[str] | None = None,
    *,
    level: float | None = None,
    beside: bool = True,
    axes: Any = None,
) -> Any:
    """Posterior of each treatment under each fit: mean, inner and highest-density interval.

    Parameters
    ----------
    fits
        A mapping names them in the legend.
    terms
        Which coefficients, by default the treatments.
    level
        Of the thin interval; the thick one holds half of the posterior.
    beside
        Whether the sandwich posterior (clustered by unit) stands below each, hollow.
    axes
        Matplotlib axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        For a term that no fit has.
    ResultError
        If a fit did not converge.
    """
    single = [fits] if isinstance(fits, Fit) else fits
    named = (
        [*single.items()]
        if isinstance(single, Mapping)
        else [(f"({k})", fit) for k, fit in enumerate(single, 1)]
    )
    for _, fit in named:
        fit.require()
    known = list(dict.fromkeys(term for _, fit in named for term in fit.tidy().index))
    shown = list(terms or dict.fromkeys(t for _, fit in named for t in fit.treatments))
    if odd := [term for term in shown if term not in known]:
        raise InputError(
            "no fit has this coefficient", value=odd[0], remedy=f"there are {', '.join(known)}"
        )
    axes = new_axes(axes, 7.0, 1.2 + 0.45 * len(shown) * max(1, 0.7 * len(named)))
    colours = [COLOURS["panel"], COLOURS["published"], "#2e8b57", "#7b5ea7", "#8a6d1d"]
    step = _NARROW / max(1, len(named))
    for k, (name, fit) in enumerate(named):
        colour = colours[k % len(colours)]
        wide, half, peers = fit.tidy(level), fit.tidy(INNER), fit.beside(level)
        label: str | None = mathtext(name)
        for row, term in enumerate(shown):
            if term not in wide.index:
                continue
            at = row + step * (k - (len(named) - 1) / 2)
            axes.hlines(at, wide.loc[term, "low"], wide.loc[term, "high"], color=colour, lw=1.2)
            axes.hlines(at, half.loc[term, "low"], half.loc[term, "high"], color=colour, lw=3.6)
            axes.plot(wide.loc[term, "mean"], at, "o", color=colour, ms=5, label=label)
            label = None
            clustered = [key for key in peers.index if key[0] == term and "cluster" in key[1]]
            if beside and clustered:
                peer, lower = peers.loc[clustered[0]], at + 0.3 * step
                axes.hlines(lower, peer["low"], peer["high"], color=MUTED, lw=1.0)
                axes.plot(peer["mean"], lower, "o", mfc="none", mec=MUTED, ms=4)
    axes.axvline(0.0, color="black", lw=0.8)
    axes.set_yticks(range(len(shown)), list(map(mathtext, shown)))
    axes.set_ylim(len(shown) - 0.5, -0.5)
    clusters = {str(fit.tree.attrs.get("cluster", "")) or "unit" for _, fit in named}
    hollow = f"; hollow: clustered by {' or '.join(sorted(clusters))}" if beside else ""
    first = named[0][1]
    stated = percent(first.tidy(level)["level"].iloc[0])
    axes.set_xlabel(
        f"{mathtext(first.tree.attrs['outcome'])} (thick {percent(INNER)}, thin {stated}{hollow})"
    )
    if len(named) > 1:
        axes.legend(frameon=False, fontsize=8)
    say_synthetic(axes, next((fit.synthetic for _, fit in named if fit.synthetic), ""))
    return axes


def iplot(event: EventStudy | Fit, *, axes: Any = None) -> Any:
    """The path of an event study: intervals of each event time, and the band of the whole path.

    Parameters
    ----------
    event
        What :func:`bayesdid.event_study` returns, or a fit whose treatments are event times.
    axes
        Matplotlib axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes
    """
    if isinstance(event, Fit):
        event = event_study(event)
    found, path = event.frame(), event.path
    axes = new_axes(axes, 7.0, 3.4)
    t, colour = found.index.to_numpy(), COLOURS["panel"]
    axes.fill_between(t, found["band_low"], found["band_high"], color=colour, alpha=0.15, lw=0)
    rest = found.drop(index=path.reference)
    axes.vlines(rest.index, rest["low"], rest["high"], color=colour, lw=2.0)
    axes.plot(rest.index, rest["mean"], "o", color=colour, ms=5)
    axes.plot(path.reference, 0.0, "o", mfc="none", mec="black", ms=5)
    axes.axhline(0.0, color="black", lw=0.8)
    axes.axvline(-0.5, color=MUTED, lw=0.8, ls="--")
    axes.set_xticks(t if len(t) < 16 else t[:: int(np.ceil(len(t) / 12))])
    stated = percent(path.level)
    axes.set_xlabel(f"periods since adoption ({stated} intervals; shaded: {stated} of whole paths)")
    axes.set_ylabel(event.fit.tree.attrs["outcome"])
    say_synthetic(axes, event.fit.synthetic)
    return axes
