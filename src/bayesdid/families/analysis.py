"""One content model for every analysis: sentences, tables, figures, peers, a posterior.

A family of specs (mediation, cohorts, an instrument, ...) is a function from a spec and a panel to
an :class:`Analysis`. The command line prints it, the report renders it, ``results.json`` stores
it; none of them knows which family it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pandas as pd
import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.checks.figure import Figure, Series
from bayesdid.estimands.stated import StatedEffect
from bayesdid.inference.result import Fit
from bayesdid.inference.tree import package_versions
from bayesdid.panel.panel import Panel
from bayesdid.study.load import Spec
from bayesdid.summary import band, hdi

__all__ = [
    "Analysis",
    "Figure",
    "Peer",
    "Series",
    "Table",
    "draws_tree",
    "series_of",
    "summary_frame",
    "sup_t",
]


@dataclass(frozen=True, slots=True)
class Table:
    """A tidy table with a caption; the first column of `frame` labels the rows."""

    json_keys: ClassVar[tuple[str, ...]] = ("name", "caption", "columns", "rows")

    name: str
    caption: str
    frame: pd.DataFrame

    @property
    def columns(self) -> list[str]:
        """Headings."""
        return [str(column) for column in self.frame.columns]

    @property
    def rows(self) -> list[list[object]]:
        """Cells, row by row."""
        cells: list[list[object]] = self.frame.astype(object).to_numpy().tolist()
        return cells


@dataclass(frozen=True, slots=True)
class Peer:
    """A posterior beside an independent estimate of the same quantity.

    Attributes
    ----------
    quantity
        What both estimate.
    mean, sd
        Posterior under the prior that makes the two comparable.
    estimator
        Package and estimator of the peer.
    estimate, se
        Of the peer.
    tolerance
        How far apart the two may be if nothing is wrong; infinite where they estimate
        different things and are shown side by side only.
    """

    json_keys: ClassVar[tuple[str, ...]] = (
        "quantity",
        "mean",
        "sd",
        "estimator",
        "estimate",
        "se",
        "tolerance",
        "holds",
    )

    quantity: str
    mean: float
    sd: float
    estimator: str
    estimate: float
    se: float
    tolerance: float = float("inf")

    @property
    def holds(self) -> bool:
        """Whether the difference lies within the tolerance."""
        return bool(abs(self.mean - self.estimate) <= self.tolerance)


@dataclass(frozen=True, slots=True)
class Analysis:
    """Result of one analysis of one spec.

    Attributes
    ----------
    spec_id, family, title
        Which spec, of which family.
    sentences
        What was found, most important first; plain text.
    tables, figures, peers
        To show and to compare.
    posterior
        Draws as an ArviZ tree, with provenance; None where the analysis has none of its own.
    converged
        False if a chain or a quadrature behind it failed its gate: no result is then shown.
    notes
        Assumptions and what was left out.
    failed
        Parts that did not converge and are left out of everything above.
    effects
        What claims may be about, by name.
    fit
        The fit that its main numbers are of, with its model, which checks examine; None where they
        are of many fits.
    synthetic
        Why the panel is synthetic, or empty.
    """

    json_keys: ClassVar[tuple[str, ...]] = (
        "spec_id",
        "family",
        "title",
        "converged",
        "synthetic",
        "sentences",
        "tables",
        "figures",
        "peers",
        "notes",
        "failed",
        "effects",
    )

    spec_id: str
    family: str
    title: str
    sentences: tuple[str, ...]
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()
    peers: tuple[Peer, ...] = ()
    posterior: xr.DataTree | None = None
    converged: bool = True
    notes: tuple[str, ...] = ()
    synthetic: str = ""
    failed: tuple[str, ...] = ()
    effects: tuple[StatedEffect, ...] = ()
    fit: Fit | None = field(default=None, repr=False, compare=False)


def summary_frame(draws: dict[str, FloatArray], first: str = "quantity") -> pd.DataFrame:
    """Mean, sd, HDI and P(< 0) of each named array of draws, one row each."""
    rows = []
    for name, values in draws.items():
        rows.append(
            {
                first: name,
                "mean": float(np.mean(values)),
                "sd": float(np.std(values, ddof=1)),
                **hdi(values).columns(),
                "P(< 0)": float((np.asarray(values) < 0).mean()),
            }
        )
    return pd.DataFrame(rows)


def series_of[K: str | int | float](label: str, draws: Mapping[K, FloatArray]) -> Series:
    """Posterior means and HDIs of named draws as a figure's series."""
    intervals = [hdi(values) for values in draws.values()]
    return Series(
        label,
        list(draws),
        [float(np.mean(values)) for values in draws.values()],
        [interval.low for interval in intervals],
        [interval.high for interval in intervals],
    )


def sup_t[K: str | int | float](label: str, draws: Mapping[K, FloatArray]) -> Series:
    """The same with a simultaneous (sup-t) band at the level of every interval."""
    found = band(np.column_stack(list(draws.values())))
    return Series(
        label,
        list(draws),
        found.mean.tolist(),
        found.low.tolist(),
        found.high.tolist(),
        found.band_low.tolist(),
        found.band_high.tolist(),
    )


def draws_tree(
    draws: dict[str, FloatArray],
    spec: Spec,
    panel: Panel,
    *,
    engine: str,
    seed: int,
    priors: str,
    chains: int = 4,
) -> xr.DataTree:
    """Named independent draws, shape (S,) each, as an ArviZ tree with provenance."""
    names = {name: re.sub(r"\W+", "_", name).strip("_") for name in draws}
    posterior = xr.Dataset(
        {
            names[name]: (("chain", "draw"), values.reshape(chains, -1))
            for name, values in draws.items()
        }
    )
    tree = xr.DataTree.from_dict({"posterior": posterior})
    tree.attrs = {
        "study": spec.study_id,
        "spec": spec.id,
        "outcome": spec.column.outcome,
        "synthetic": panel.synthetic or "",
        "panel_sha256": panel.sha256,
        "engine": engine,
        "priors": priors,
        "seed": seed,
        "versions": json.dumps(package_versions()),
        "converged": 1,
    }
    return tree
