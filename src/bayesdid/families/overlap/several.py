"""Three and more overlapping policies: effects by state, departures of all and of each pair."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.design.overlap import OverlapDesign, Set, pairs_of
from bayesdid.estimands.names import ALL, sum_of
from bayesdid.estimands.row_weights import less_singles, pair_departure
from bayesdid.estimands.saturated import saturated_moments
from bayesdid.estimands.state_effects import state_averages
from bayesdid.families.analysis import Analysis, Table, summary_frame
from bayesdid.families.overlap import OverlapOptions
from bayesdid.families.overlap.states import (
    beside,
    contamination,
    imputation_peers,
    notes_of,
    share,
    state_weights,
    states_figure,
    support_table,
    time_figure,
)
from bayesdid.families.under_errors import draws_of, under_errors
from bayesdid.model.bound import study_priors
from bayesdid.model.overlap import joint_columns, overlap_pooling
from bayesdid.model.pooling import Pooling
from bayesdid.panel.panel import Panel
from bayesdid.study.load import Spec, Study
from bayesdid.summary import hdi

_NO_IID = "the fit under i.i.d. errors did not converge and is not shown"


def of_several(
    study: Study,
    spec: Spec,
    panel: Panel,
    rows: OverlapDesign,
    options: OverlapOptions,
    *,
    seed: int,
    draws: int,
) -> Analysis:
    """The analysis of a spec of family ``overlap`` in a study of three and more policies."""
    pooling = overlap_pooling(rows)
    under = under_errors(
        pooling.design, options.errors, priors=study_priors(spec), seed=seed, draws=draws
    )
    tau, tau_iid = draws_of(under.tree), draws_of(under.iid)
    # many scales of parts may be too much for the importance sampler of i.i.d. errors
    iid_holds = bool(under.iid.attrs["converged"])
    unit, lower = study.file.outcome.unit, study.file.outcome.better == "lower"
    weights = state_weights(rows)
    whole = {name: w @ pooling.design.D for name, w in weights.items()}
    departs = {name: part for of in _asked(rows) for name, part in _departure(rows, pooling, of)}
    effects = {name: tau @ w for name, w in whole.items()}
    deltas = {name: tau @ part for name, (part, _) in departs.items()}
    flat = saturated_moments(rows, weights | {name: w for name, (_, w) in departs.items()})
    sentences = [_identification(rows)]
    _, refused = state_averages(rows, pooling)
    for of in _asked(rows):
        name = f"{_name(of, rows)}, departure"
        if name not in deltas:
            continue
        main = deltas[name]
        claim = (main < 0 if lower else main > 0).mean()
        sentences.append(
            f"Beyond the sum of each alone, at the same ages, {_said(of, rows)} do "
            f"{main.mean():+.3f} ({unit}; {hdi(main):.3f}); the probability that this is "
            f"{'below' if lower else 'above'} zero is {claim:.3f}."
        )
        if iid_holds:
            about = f"what {_said(of, rows)} do so"
            sentences.append(under.says(about, main, tau_iid @ departs[name][0]))
    sums = [ALL, *(sum_of(pair) for pair in pairs_of(rows.policies))]
    sentences += [f"{name}: {refused[name]}." for name in sums if name in refused]
    table = summary_frame(effects | deltas, "effect")
    functionals = whole | {name: part for name, (part, _) in departs.items()}
    beside(table, {n: tau_iid @ w for n, w in functionals.items()} if iid_holds else {}, flat)
    return Analysis(
        spec.id,
        "overlap",
        spec.title,
        tuple(sentences),
        tables=(
            Table(
                "effects",
                "ATT by state and departures from the sum of each alone: partially pooled"
                + (", the same under i.i.d. errors," if iid_holds else "")
                + " and flat under i.i.d. errors",
                table,
            ),
            support_table(rows),
            Table(
                "contamination",
                "What each TWFE coefficient averages, by state of the rows",
                contamination(rows),
            ),
        ),
        figures=(
            *(
                time_figure(
                    f"departure_{'_'.join(of)}",
                    f"What {_said(of, rows)} do beyond their sum,",
                    by_time,
                    unit,
                    "second" if len(of) == 2 else "last",
                )
                for of in _asked(rows)
                if (by_time := _by_time(deltas, _name(of, rows)))
            ),
            states_figure(effects, "no policy", unit),
        ),
        peers=tuple(imputation_peers(spec, panel)),
        posterior=under.tree,
        converged=bool(under.tree.attrs["converged"]),
        fit=under.fit,
        notes=notes_of(rows, under.tree, pooling, [] if iid_holds else [_NO_IID]),
        synthetic=panel.synthetic or "",
    )


def _asked(rows: OverlapDesign) -> list[Set]:
    """All policies and each pair, where some row is under them."""
    return [of for of in (rows.policies, *pairs_of(rows.policies)) if of in rows.sets]


def _said(of: Set, rows: OverlapDesign) -> str:
    return "all together" if of == rows.policies else " and ".join(of)


def _name(of: Set, rows: OverlapDesign) -> str:
    return "all" if of == rows.policies else " and ".join(of)


def _departure(
    rows: OverlapDesign, pooling: Pooling, of: Set
) -> Iterator[tuple[str, tuple[FloatArray, FloatArray]]]:
    """Averages of a departure over the rows that tell it, in all and by time.

    Each as a functional of the coefficients, shape (P,), and of the effects of rows, (n,).
    """
    every = of == rows.policies
    inside = rows.sets if every else (of,)
    columns = np.logical_or.reduce([joint_columns(pooling, one, rows.policies) for one in inside])
    told = rows.supported() if every else rows.told(of)
    since, name = rows.since(of), _name(of, rows)
    masks = {f"{name}, departure": told} if told.any() else {}
    masks |= {f"{name}, departure at {k}": told & (since == k) for k in np.unique(since[told])}
    for label, mask in masks.items():
        w = share(mask)
        flat = less_singles(rows, w) if every else pair_departure(rows, w, of)
        yield label, (w @ pooling.design.D * columns, flat)


def _by_time(deltas: dict[str, FloatArray], name: str) -> dict[int, FloatArray]:
    begin = f"{name}, departure at "
    return {
        int(label.removeprefix(begin)): value
        for label, value in deltas.items()
        if label.startswith(begin)
    }


def _identification(rows: OverlapDesign) -> str:
    states, counts = np.unique(rows.state, return_counts=True)
    free = rows.state == "none"
    per_period = np.bincount(rows.design.period_index[free], minlength=len(rows.design.periods))
    said = ", ".join(f"{n} in {s}" for s, n in zip(states, counts, strict=True) if s != "none")
    return (
        f"All effects are against units not yet under any policy ({int(free.sum())} rows, between "
        f"{per_period.min()} and {per_period.max()} units in a period). Other rows: {said}. A "
        "departure averages over rows at whose ages each policy was also seen alone; that of a "
        "pair over those among them as long after the second adoption, in the same order, as some "
        "row under these two alone."
    )
