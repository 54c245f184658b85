"""Who is treated when: units by periods, as the field draws it (Mou, Liu & Xu 2023, panelView)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from bayesdid.escape import mathtext
from bayesdid.front.policies import PoliciesLike
from bayesdid.front.study import study_of
from bayesdid.panel.adoption import active
from bayesdid.panel.frames import columns_of
from bayesdid.panel.panel import Panel
from bayesdid.report.coefplot import new_axes, say_synthetic

_NAMED = 60  # units whose names fit beside the rows
_TICKS = 12
_SHADES = ("#e6eaee", "#2f6fb0", "#c2571a", "#5b2a86", "#2e8b57", "#8a6d00", "#b03a48", "#111111")


def panelview(
    data: Any,
    *,
    unit: str | None = None,
    time: str | None = None,
    y: str | None = None,
    policies: PoliciesLike | None = None,
    axes: Any = None,
) -> Any:
    """Draw the state of each unit in each period; units in order of adoption, missing rows white.

    Parameters
    ----------
    data
        A panel, or a data frame or file with `unit`, `time` and `policies` as
        :func:`bayesdid.did` takes them.
    y
        Outcome of the panel, by default a column of numbers: nothing of it is drawn.
    axes
        Matplotlib axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        As :func:`bayesdid.front.study.study_of`; of a panel without policies.
    """
    panel = (
        data
        if isinstance(data, Panel)
        else study_of(
            data,
            y=y or _any_number(data, unit, time, policies),
            unit=unit,
            time=time,
            policies=policies,
        )[1]
    )
    state, names = state_matrix(panel)
    N, T = state.shape
    axes = new_axes(axes, 7.5, float(np.clip(0.14 * N, 2.6, 9.0)))
    shades = [_SHADES[k % len(_SHADES)] for k in range(len(names))]
    with_colour = np.ones((N, T, 3))
    for k, shade in enumerate(shades):
        with_colour[state == k] = [int(shade[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    axes.imshow(with_colour, aspect="auto", interpolation="nearest")
    every = max(1, int(np.ceil(T / _TICKS)))
    at = np.arange(0, T, every)
    axes.set_xticks(at, [mathtext(panel.timeline.label(panel.periods[k])) for k in at])
    order = adoption_order(panel)
    if N <= _NAMED:
        axes.set_yticks(range(N), [mathtext(_label(panel, k)) for k in order], fontsize=7)
    else:
        axes.set_yticks([])
    axes.set_ylabel(f"{N} units ({mathtext(panel.unit)}), by adoption")
    axes.set_xlabel(mathtext(panel.period))
    seen = [k for k in range(len(names)) if (state == k).any()]
    marks = [axes.plot([], [], "s", color=shades[k], label=mathtext(names[k]))[0] for k in seen]
    axes.legend(
        handles=marks,
        frameon=False,
        fontsize=8,
        ncol=len(seen),
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
    )
    say_synthetic(axes, panel.synthetic or "")
    return axes


def _any_number(
    data: Any, unit: str | None, time: str | None, policies: PoliciesLike | None
) -> str | None:
    """A column of numbers that is no key and no policy; None if there is none."""
    raw = columns_of(data, (unit or "", time or ""))
    said = [policies] if isinstance(policies, str) else policies or ()
    taken = {unit, time, *(said.values() if isinstance(said, Mapping) else said)}
    free = [name for name in raw.frame.columns if name not in taken]
    return next((n for n in free if pd.api.types.is_numeric_dtype(raw.frame[n])), None)


def _label(panel: Panel, k: int) -> str:
    unit = str(panel.units[k])
    return panel.unit_labels.get(unit, unit)


def adoption_order(panel: Panel) -> np.ndarray:
    """Positions of units by first adoption, then the later ones; never-treated units last."""
    start = panel.adoption.reindex(panel.units).to_numpy(dtype=float, na_value=np.inf)
    ordered = np.sort(start, axis=1)
    return np.asarray(np.lexsort((np.arange(len(start)), *ordered.T[::-1])))


def state_matrix(panel: Panel) -> tuple[np.ndarray, list[str]]:
    """State of each unit (in order of adoption) and period, -1 where there is no row; its names."""
    ids = list(panel.policies)
    subsets = [s for size in range(len(ids) + 1) for s in combinations(range(len(ids)), size)]
    on = active(panel)
    code = np.array([subsets.index(tuple(np.flatnonzero(row))) for row in on])
    place = {unit: row for row, unit in enumerate(np.array(panel.units)[adoption_order(panel)])}
    column = {period: k for k, period in enumerate(panel.periods)}
    found = np.full((len(panel.units), len(panel.periods)), -1)
    rows = panel.frame[panel.unit].map(place).to_numpy()
    found[rows, panel.frame[panel.period].map(column).to_numpy()] = code
    names = [" and ".join(ids[k] for k in subset) or "untreated" for subset in subsets]
    return found, names
