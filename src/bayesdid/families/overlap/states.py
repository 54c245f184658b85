"""What analyses of overlapping policies share: averages by state, peers, what TWFE averages."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.design.overlap import OverlapDesign, overlap_design
from bayesdid.estimands.imputation import imputed_moments
from bayesdid.estimands.saturated import saturated_moments
from bayesdid.estimands.spread import spread_of, spread_sentence
from bayesdid.families.analysis import Figure, Peer, Table, series_of, sup_t
from bayesdid.model.overlap import part_label
from bayesdid.model.pooling import Pooling, pooled_scale
from bayesdid.panel.adoption import state_name
from bayesdid.panel.panel import Panel
from bayesdid.peers.impute import UNBALANCED, imputed_effects
from bayesdid.peers.staggered import term_weights
from bayesdid.study.load import Spec
from bayesdid.summary import percent

_EXACT = 1e-6  # of sd(y): closed forms that must agree to rounding


def state_weights(rows: OverlapDesign) -> dict[str, FloatArray]:
    """Weights of rows in the average of every treated state, shape (n,) each."""
    return {
        str(state): share(rows.state == state) for state in np.unique(rows.state) if state != "none"
    }


def share(mask: np.ndarray) -> FloatArray:
    """Equal weights of some rows, shape (n,)."""
    return np.asarray(mask / mask.sum())


def support_table(rows: OverlapDesign) -> Table:
    """Rows and units in each state."""
    states = pd.Series(rows.state)
    units = pd.Series(rows.design.unit_index).groupby(states).nunique()
    found = pd.DataFrame(
        {
            "state": units.index,
            "rows": states.value_counts()[units.index].to_numpy(),
            "units": units.to_numpy(),
        }
    )
    return Table("support", "Rows and units in each state", found)


def time_figure(
    name: str, what: str, by_time: dict[int, FloatArray], unit: str, clock: str = "second"
) -> Figure:
    """A departure by time since the second, or the last, adoption."""
    return Figure(
        name,
        "points",
        f"{what} by time since the {clock} adoption: pointwise HDI and "
        f"simultaneous band ({percent()}); supported rows only.",
        (sup_t("partially pooled", dict(sorted(by_time.items()))),),
        xlabel=f"periods since the {clock} adoption",
        ylabel=unit,
    )


def beside(
    table: pd.DataFrame, iid: Mapping[str, FloatArray], flat: Mapping[str, tuple[float, ...]]
) -> None:
    """Put beside each effect its moments under i.i.d. errors, and those of cells without pooling.

    Parameters
    ----------
    iid
        Draws by effect; empty if that fit is not shown. An effect that is not in it has none.
    flat
        Mean, sd and clustered sd by effect.
    """
    names, nan = table["effect"], np.full(1, np.nan)
    if iid:
        table["i.i.d. mean"] = [float(iid.get(name, nan).mean()) for name in names]
        table["i.i.d. sd"] = [float(iid.get(name, nan).std()) for name in names]
    none = (np.nan,) * 3
    for k, column in enumerate(("flat mean", "flat sd", "flat sd, clustered")):
        table[column] = [flat.get(name, none)[k] for name in names]


def states_figure(effects: Mapping[str, FloatArray], against: str, unit: str) -> Figure:
    """Effects of every state."""
    return Figure(
        "states",
        "forest",
        f"Effects by state against {against} ({percent()} HDI).",
        (series_of("partially pooled", dict(effects)),),
        xlabel=unit,
    )


def notes_of(
    rows: OverlapDesign, tree: xr.DataTree, pooling: Pooling, more: Sequence[str] = ()
) -> tuple[str, ...]:
    """Notes of the rows, whether they are balanced, `more`, and how far effects differ."""
    scale = pooled_scale(pooling.design)
    spreads = {part_label(part): spread_of(tree, part, scale) for part in pooling.parts}
    return (
        *(note.text for note in rows.design.notes),
        *([] if rows.design.is_balanced else [UNBALANCED]),
        *more,
        spread_sentence(spreads),
    )


def contamination(rows: OverlapDesign) -> pd.DataFrame:
    """Weights of TWFE coefficients by policy state (de Chaisemartin & D'Haultfoeuille 2023).

    For each policy alone in the model, for ``both`` or ``all`` alone, and for the factorial spec.
    Weights on own rows sum to one; any weight on rows of another state is contamination.
    """
    policies, D = rows.policies, rows.design.D
    states = np.where(rows.both, state_name(policies, policies), rows.state.astype(str))
    products = ["product"] if len(policies) == 2 else ["+".join(of) for of in rows.sets]
    specs = {f"{p} alone": (D[:, [k]], (p,)) for k, p in enumerate(policies)}
    if rows.both.any():
        whole = state_name(policies, policies)
        specs[f"{whole} alone"] = (D[:, [-1]], (whole,))
    _, first = np.unique(D, axis=1, return_index=True)  # a set may never be without another
    told = np.sort(first)
    names = np.array([*policies, *products])
    specs["factorial"] = (D[:, told], tuple(names[told].tolist()))
    shown = list(dict.fromkeys([*(f"only:{p}" for p in policies), *_joint_states(rows)]))
    found = []
    for label, (values, treatments) in specs.items():
        design = dataclasses.replace(rows.design, D=values, treatments=treatments)
        for item in term_weights(design, states):
            row = {"model": label, "coefficient of": item.term, "estimate": item.estimate}
            for state in shown:
                at = states == state
                row[f"weight on {state}"] = float(item.weight[at].sum())
                if len(policies) == 2:
                    row[f"negative on {state}"] = float(np.minimum(item.weight[at], 0).sum())
            found.append(row)
    return pd.DataFrame(found)


def _joint_states(rows: OverlapDesign) -> list[str]:
    """States of two and more policies that some row is in."""
    return [state_name(of, rows.policies) for of in rows.sets if rows.just(of).any()]


def imputation_peers(spec: Spec, panel: Panel) -> list[Peer]:
    """State averages against imputation through pyfixest.

    Imputation with the spec's covariates, whose slopes are those of untreated rows; and flat cells
    without covariates, which are imputation in a balanced panel without weights and further
    effects.
    """
    bare = dataclasses.replace(spec, column=spec.column.model_copy(update={"covariates": ()}))
    full, plain = overlap_design(spec, panel), overlap_design(bare, panel)
    found = []
    for label, rows in (("imputed", full), ("flat, no covariates", plain)):
        weights = state_weights(rows)
        peer = imputed_effects(rows.design, rows.state != "none")
        plainest = not rows.design.further and rows.design.weights is None
        exact = rows is full or (rows.design.is_balanced and plainest)  # see UNBALANCED
        tolerance = _EXACT * float(rows.design.y.std()) if exact else float("inf")
        own = (
            {name: (item.mean, item.sd) for name, item in imputed_moments(rows, weights).items()}
            if rows is full
            else {name: item[:2] for name, item in saturated_moments(rows, weights).items()}
        )
        for state, estimate in own.items():
            other = float(peer[rows.state == state].mean())
            if not np.isfinite(other):  # a unit may never be seen untreated
                continue
            name = "imputation (pyfixest)"
            found.append(Peer(f"{state}, {label}", *estimate, name, other, float("nan"), tolerance))
    return found
