"""More draws for a fit whose gate fails for want of them: one rule for every engine and caller."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import xarray as xr

from bayesdid.inference.registry import MOST_DRAWS, Engine, Size
from bayesdid.model.bound import BoundModel
from bayesdid.model.priors import Priors

TIMES, LEAST = 4, 4000
"""Draws of the second run: so many times as many, and so many per chain at least."""

_WANT = frozenset({"rhat", "ess_bulk", "ess_tail", "pareto_k", "importance_ess"})


def drawn(engine: Engine, bound: BoundModel, priors: Priors, size: Size) -> xr.DataTree:
    """Posterior by an engine, once more with more draws if its gate fails for want of them.

    What fails otherwise (divergences, a table that is too coarse) fails with more draws too. Of
    the second run as many draws are kept as were asked for, evenly, so that a result has one size;
    its gate judges all of them.

    Returns
    -------
    DataTree
        ``attrs["draws"]`` are those asked for, ``attrs["draws_taken"]`` those of the run that is
        reported, per chain.
    """
    tree = engine.draw(bound.model, bound.design, priors, size)
    tree.attrs.setdefault("draws_taken", size.draws)
    more = min(max(TIMES * size.draws, LEAST), MOST_DRAWS)
    stride = more // size.draws
    if not engine.longer or stride < 2 or size.chains < 2 or not _for_want(tree):
        return tree
    longer = replace(size, draws=stride * size.draws)
    tree = engine.draw(bound.model, bound.design, priors, longer)
    for name, group in tree.children.items():
        if "draw" in group.dims:
            kept = group.to_dataset().isel(draw=slice(stride - 1, None, stride))
            tree[name] = xr.DataTree(kept.assign_coords(draw=np.arange(size.draws)))
    tree.attrs |= {"draws": size.draws, "draws_taken": longer.draws}
    return tree


def taken_of(tree: xr.DataTree) -> int:
    """Draws per chain of the run that is reported: those asked for, or more."""
    return int(tree.attrs.get("draws_taken", tree.attrs["draws"]))


def taken_words(tree: xr.DataTree) -> str:
    """`` (of 4,000 taken)`` where more draws were taken than asked for, else empty."""
    taken = taken_of(tree)
    return f" (of {taken:,} taken)" if taken > int(tree.attrs["draws"]) else ""


def _for_want(tree: xr.DataTree) -> bool:
    """Whether a gate failed, and each of its criteria that did is one of how many draws say."""
    failed = {item["name"] for item in json.loads(tree.attrs["gate"]) if not item["passed"]}
    return bool(failed) and failed <= _WANT
