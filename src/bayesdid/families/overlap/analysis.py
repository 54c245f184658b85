"""Two overlapping staggered policies: ATTs by state, synergy by time since the second adoption."""

from __future__ import annotations

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.design.overlap import OverlapDesign, overlap_design
from bayesdid.estimands.row_weights import less_singles
from bayesdid.estimands.saturated import saturated_moments
from bayesdid.exceptions import InputError
from bayesdid.families.analysis import Analysis, Table, summary_frame
from bayesdid.families.overlap import OverlapOptions
from bayesdid.families.overlap.several import of_several
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
from bayesdid.panel.panel import Panel
from bayesdid.study.load import Spec, Study
from bayesdid.summary import hdi


def overlap(
    study: Study,
    spec: Spec,
    panel: Panel,
    options: OverlapOptions,
    *,
    seed: int = 0,
    draws: int = 1000,
) -> Analysis:
    """The analysis of a spec of family ``overlap``: the study's policies, two or more."""
    rows = overlap_design(spec, panel)
    if len(rows.policies) == 1:
        raise InputError(
            f"{spec.id}: overlapping policies need a study with two",
            remedy="use family cohort for one policy",
        )
    if len(rows.policies) > 2:
        return of_several(study, spec, panel, rows, options, seed=seed, draws=draws)
    a, b = rows.policies
    pooling = overlap_pooling(rows)
    priors = study_priors(spec)
    under = under_errors(pooling.design, options.errors, priors=priors, seed=seed, draws=draws)
    tree, tau, tau_iid = under.tree, draws_of(under.tree), draws_of(under.iid)
    D, joint = pooling.design.D, joint_columns(pooling, rows.policies, rows.policies)
    whole = {name: w @ D for name, w in state_weights(rows).items()}
    supported = rows.supported()
    synergy = {name: w @ D * joint for name, w in synergy_weights(rows).items()}
    effects = {name: tau @ weight for name, weight in whole.items()}
    deltas = {name: tau @ weight for name, weight in synergy.items()}
    flat = saturated_moments(rows, row_weights(rows))
    unit = study.file.outcome.unit
    sentences = [_identification(rows, supported), *_refused(rows, supported)]
    if deltas:
        main = deltas["synergy"]
        claim = main < 0 if study.file.outcome.better == "lower" else main > 0
        sentences.insert(
            0,
            f"Beyond the sum of the two alone, at the same ages, both policies do "
            f"{main.mean():+.3f} ({unit}; {hdi(main):.3f}); the probability that "
            f"1 + 1 > 2 is {claim.mean():.3f}."
            + (
                f" Without pooling: {flat['synergy'][0]:+.3f} (sd {flat['synergy'][1]:.3f} under "
                f"i.i.d. errors, {flat['synergy'][2]:.3f} clustered)."
                if flat
                else ""
            ),
        )
        sentences.insert(1, under.says("the synergy", main, tau_iid @ synergy["synergy"]))
    else:
        state = next(iter(whole))
        pair = effects[state], tau_iid @ whole[state]
        sentences.append(under.says(f"the effect of {state}", *pair))
    orders = [name for name in (f"first:{a}", f"first:{b}") if f"both, {name}" in effects]
    if len(orders) == 2:
        gap = effects[f"both, {orders[0]}"] - effects[f"both, {orders[1]}"]
        p = (gap < 0 if study.file.outcome.better == "lower" else gap > 0).mean()
        effects[f"both: {orders[0]} - {orders[1]}"] = gap
        sentences.insert(
            1,
            f"The effect of both in units that began with {a} minus that in units "
            f"that began with {b} is {gap.mean():+.3f}; P({a} first is better) = "
            f"{p:.3f}.",
        )
    table = summary_frame(effects | deltas, "effect")
    iid = {name: tau_iid @ w for name, w in (whole | synergy).items()}
    beside(table, iid, flat)
    by_time = {int(name.split()[-1]): draw for name, draw in deltas.items() if name[-1].isdigit()}
    return Analysis(
        spec.id,
        "overlap",
        spec.title,
        tuple(sentences),
        tables=(
            Table(
                "effects",
                "ATT by state and synergy: partially pooled, the same under i.i.d. errors, and "
                "flat under i.i.d. errors",
                table,
            ),
            support_table(rows),
            Table(
                "contamination",
                "What each TWFE coefficient averages, by state of the rows: "
                "its own policy alone, the other policy alone, both",
                contamination(rows),
            ),
        ),
        figures=(
            *([time_figure("synergy", "Synergy", by_time, unit)] if by_time else []),
            states_figure(effects, "neither policy", unit),
        ),
        peers=tuple(imputation_peers(spec, panel)),
        posterior=tree,
        converged=under.converged,
        fit=under.fit,
        notes=notes_of(rows, tree, pooling),
        synthetic=panel.synthetic or "",
    )


def synergy_weights(rows: OverlapDesign) -> dict[str, FloatArray]:
    """Weights of supported rows: in all, by order, by time since the second adoption."""
    supported = rows.supported()
    if not supported.any():
        return {}
    found = {"synergy": share(supported)}
    for state in np.unique(rows.state[supported]):
        name = f"synergy, {state.removeprefix('both, ')}"
        found[name] = share(supported & (rows.state == state))
    for k in np.unique(rows.since(rows.policies)[supported]):
        found[f"synergy at {int(k)}"] = share(supported & (rows.since(rows.policies) == k))
    return found


def row_weights(rows: OverlapDesign) -> dict[str, FloatArray]:
    """Weights of the effects of rows in all of these, the singles subtracted from the synergy."""
    synergy = {name: less_singles(rows, w) for name, w in synergy_weights(rows).items()}
    return state_weights(rows) | synergy


def _identification(rows: OverlapDesign, supported: np.ndarray) -> str:
    a, b = rows.policies
    counts = {state: int((rows.state == state).sum()) for state in np.unique(rows.state)}
    free = rows.state == "none"
    per_period = np.bincount(rows.design.period_index[free], minlength=len(rows.design.periods))
    never = len(np.unique(rows.design.unit_index)) - len(np.unique(rows.design.unit_index[~free]))
    return (
        f"All effects are against units not yet under any policy ({counts.get('none', 0)} rows, "
        f"between {per_period.min()} and {per_period.max()} units in a period, {never} never "
        f"treated). What {a} alone does is seen in {counts.get(f'only:{a}', 0)} rows, {b} alone in "
        f"{counts.get(f'only:{b}', 0)}; of {int(rows.both.sum())} rows under both, "
        f"{int(supported.sum())} have ages at which each policy was also seen alone, and the "
        "synergy averages over these."
    )


def _refused(rows: OverlapDesign, supported: np.ndarray) -> list[str]:
    """Event times whose synergy no comparison identifies, with the reason."""
    times = np.unique(rows.since(rows.policies)[rows.both])
    lost = [int(k) for k in times if not supported[rows.since(rows.policies) == k].any()]
    found = []
    if not supported.any():
        found.append(
            "Not identified, and refused: the synergy. No row under both policies has ages at "
            "which each policy was also seen alone, so that nothing tells the sum of the two from "
            "both."
        )
    elif lost:
        found.append(
            f"Refused: the synergy at {', '.join(str(k) for k in lost)} periods since the second "
            "adoption, since no unit was under one policy alone for as long as these units have "
            "been under it."
        )
    return found
