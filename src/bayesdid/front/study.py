"""The study and the panel that a data frame and a formula mean."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, Literal, get_args

from bayesdid.exceptions import InputError, Note
from bayesdid.families.registry.load import check_study
from bayesdid.front.guess import is_dated
from bayesdid.front.keys import Keys, keys_of
from bayesdid.front.names import require_names, require_one_cluster, require_texts
from bayesdid.front.policies import (
    CutLike,
    PoliciesLike,
    between_remedy,
    ends_of,
    policies_of,
    products_told,
)
from bayesdid.front.regressors import Regressors, regressors_of, terms_of
from bayesdid.front.sample import SampleLike, sample_of
from bayesdid.panel.adoption import active
from bayesdid.panel.frames import Columns, columns_of
from bayesdid.panel.panel import Panel
from bayesdid.study.derived import source_column, unquoted
from bayesdid.study.effects import EffectTerm, parse_effect
from bayesdid.study.formula import Formula, names_in, parse_formula, parse_parts
from bayesdid.study.load import Study, assemble_study
from bayesdid.study.schema import (
    About,
    Column,
    Outcome,
    PanelSection,
    Policy,
    RowWeightsKind,
    StudyFile,
    TableFile,
    Variable,
)
from bayesdid.study.terms import parse_term

TABLE = "did"
"""Id of the one table; its columns are ``did.1``, ``did.2`` ..."""


def study_of(
    data: Any,
    formula: str | None = None,
    *,
    y: str | None = None,
    unit: str | None = None,
    time: str | None = None,
    policies: PoliciesLike | None = None,
    cut: CutLike | None = None,
    covariates: Sequence[str] = (),
    effects: str | Sequence[str] = (),
    treatment: str | Sequence[str] | None = None,
    columns: Sequence[str] = (),
    weights: str | None = None,
    weights_kind: RowWeightsKind = "analytic",
    cluster: str | None = None,
    repeated: bool = False,
    sample: SampleLike | None = None,
    sheet: str | None = None,
    skip: int | None = None,
    missing_marks: Sequence[str] = (),
    better: Literal["lower", "higher"] = "lower",
) -> tuple[Study, Panel]:
    """The study and the panel of a data frame, for every function that takes the two.

    Parameters
    ----------
    data
        A data frame of pandas, polars or Arrow, or the path of a panel file. It is not changed.
    formula
        As fixest writes it, see :mod:`bayesdid.study.formula`. Otherwise give `y`, `unit`, `time`
        and `policies`.
    y
        The outcome: a column, or a function of one.
    unit, time
        Columns of the keys. A formula names them as ``| unit + period``.
    policies
        Policy -> column with its period of adoption or its state, see
        :func:`bayesdid.front.policies.policies_of`. Several make a factorial spec: each policy, and
        each product that rows tell from the smaller ones.
    cut
        From which fraction on a policy counts as adopted whose column holds fractions: a number, or
        policy -> number. Without it whatever needs the state of such a policy is refused.
    covariates
        Beside policies; each as in a formula.
    effects
        Beside those of unit and period, as in a formula: ``region^year``, ``state[year]``.
    treatment
        Which terms of the formula are treatments, by default the first, with their products.
    columns
        More columns that the panel keeps.
    weights, weights_kind
        Column with weights of the rows: ``analytic`` (the variance of a row is sigma^2 / weight) or
        ``frequency`` (a row stands for so many that are alike).
    cluster
        Column of clusters, coarser than units, for least squares beside.
    repeated
        Whether rows are individuals, several of a unit in one period: those of one unit and period
        share a random shock.
    sample
        Which rows enter, as a study's column says it: ``{"first": 2004, "last": 2012}``,
        ``{"without": ["Ohio"]}``, ``{"switchers": True}``, and `arms`, `only`, `sequences` where
        there are `policies`. Rows outside are not in the fit but date adoption.
    sheet, skip
        Sheet of a workbook, and lines above the header of a file; by default found by the names of
        unit and period.
    missing_marks
        Cells that mean not known beside empty ones, such as ``["…", "--"]``.
    better
        Which direction of the outcome a policy is meant to move it in.

    Returns
    -------
    Study, Panel
        The study's specs are ``did.1``, and ``did.2`` ... where the formula says several.

    Raises
    ------
    InputError
        For a formula that is not understood, or beside what stands for one; columns that are not
        there; and all that :func:`bayesdid.panel.validate.validate_panel` refuses.
    """
    require_names(y=y, unit=unit, time=time, weights=weights, cluster=cluster)
    require_texts(treatment=treatment, covariates=covariates, effects=effects, columns=columns)
    rows = sample_of(sample)
    if weights_kind not in get_args(RowWeightsKind):
        raise InputError(
            "unknown kind of weights", value=weights_kind, remedy="use analytic or frequency"
        )
    if weights_kind == "frequency" and weights is None:
        raise InputError("a kind of weights without weights", remedy="name the column: weights=")
    if formula is None and treatment is not None:
        raise InputError(
            "treatments of a formula, and no formula",
            value=treatment if isinstance(treatment, str) else ", ".join(treatment),
            remedy="name policies, or give a formula",
        )
    if formula is None:
        keys = _keys_said(y=y, unit=unit, time=time, policies=policies)
        formulas: tuple[Formula, ...] = ()
    else:
        _refuse_both(
            y=y, policies=policies, cut=cut is not None, covariates=covariates, effects=effects
        )
        formulas = tuple(parse_formula(formula))
        keys = keys_of(formulas[0].effects, unit, time)
    marks = (missing_marks,) if isinstance(missing_marks, str) else tuple(missing_marks)
    raw = columns_of(data, (keys.unit, keys.period), sheet=sheet, skip=skip, marks=marks)
    require_one_cluster(cluster, raw.frame.columns)
    if formula is not None:  # names first, values where these say nothing
        keys = keys_of(formulas[0].effects, unit, time, lambda name: is_dated(raw.frame, name))
    raw.require([name for name in (unit, time, weights, cluster, *columns) if name is not None])
    declared: tuple[Policy, ...] = ()
    if formula is None:
        declared = policies_of({} if policies is None else policies, raw, keys.unit, cut)
        keys, formulas, found = _of_policies(raw, str(y), keys, declared, covariates, effects)
    else:
        for one in formulas:
            raw.require(one.columns())
        named = [treatment] if isinstance(treatment, str) else treatment
        named = None if named is None else raw.terms(named)
        found = [regressors_of(one, named, raw) for one in formulas]
    outcome = formulas[0].outcome
    file = StudyFile(
        study=About(id=TABLE, title="A data frame", citation=raw.source),
        outcome=Outcome(column=outcome, label=outcome, unit=f"units of {outcome}", better=better),
        panel=PanelSection(
            unit=keys.unit, period=keys.period, repeated=repeated, missing_marks=marks
        ),
        policy=declared,
        variable=tuple(Variable(column=name, label=name) for name in dict.fromkeys(columns)),
    )
    table = TableFile(
        id=TABLE,
        title="Regressions",
        kind="regression",
        column=tuple(
            Column(
                id=str(k),
                label=str(one),
                family=parts.family,
                outcome=one.outcome,
                treatments=parts.treatments,
                covariates=parts.covariates,
                sample=rows,
                unit_effects=keys.unit_effects,
                period_effects=keys.period_effects,
                effects=tuple(map(str, keys.further)),
                row_weights=weights,
                row_weights_kind=weights_kind,
                cluster=cluster,
                instrument=parts.instrument,
                options=parts.options,
            )
            for k, (one, parts) in enumerate(zip(formulas, found, strict=True), 1)
        ),
    )
    study = check_study(assemble_study(Path(raw.source), file, {TABLE: table}))
    panel = raw.panel(study)
    if declared:
        return (study, panel) if len(declared) < 2 else _told_apart(study, panel)
    return _without_taken_up(study, panel)


def _told_apart(study: Study, panel: Panel) -> tuple[Study, Panel]:
    """Without the products of policies that no row tells from smaller ones, with a note of each."""
    (spec,) = study.specs.values()
    on = active(panel)
    told, left = products_told({name: on[:, k] for k, name in enumerate(panel.policies)})
    kept = {_product(of) for of in told}
    kept |= {f"active:{policy}" for policy in panel.policies}
    notes = [
        Note("product_left_out", 1, f"{_product(of)} is left out: {why}")
        for of, why in left.items()
    ]
    held = {policy.id: policy.adoption for policy in study.policies if policy.adoption}
    states = {name: on[:, k] for k, name in enumerate(panel.policies) if name in held}
    for end, start in ends_of(states, held).items():
        text = (
            f"{end} seems to say when {start} ends, and is taken as a policy of its own beside it, "
            f"{start} as one that stays: if they are one policy, "
            f"{between_remedy(held[start], held[end], panel.period, start)}"
        )
        notes.append(Note("policy_end", 1, text))
    return _changed(study, panel, [_kept(spec.column, kept)], notes)


def _without_taken_up(study: Study, panel: Panel) -> tuple[Study, Panel]:
    """Without parts of a treatment's products that fixed effects take up, with a note of each.

    ``treated * post`` beside effects of unit and period is ``treated:post``: who is treated is
    constant in a unit, after when the same in all of them.
    """
    columns, notes = [], {}
    for spec in study.specs.values():
        column = spec.column
        terms = {text: parse_term(text) for text in column.treatments}
        parts = {str(f) for term in terms.values() if len(term.factors) > 1 for f in term.factors}
        taken = {}
        for text in parts & set(terms):
            held = panel.frame.get(unquoted(text))
            for key, kind in (
                (panel.unit, column.unit_effects),
                (panel.period, column.period_effects),
            ):
                same = held is not None and held.groupby(panel.frame[key]).nunique().max() <= 1
                if kind == "fixed" and same:
                    taken[text] = key
        for text, key in taken.items():
            said = f"{text} is left out: the effects of {key} take it up; its product stays"
            notes[text] = Note("part_left_out", 1, said)
        columns.append(_kept(column, set(terms) - set(taken)))
    return _changed(study, panel, columns, list(notes.values()))


def _kept(column: Column, kept: set[str]) -> Column:
    """A column with these of its treatments."""
    treatments = tuple(text for text in column.treatments if text in kept)
    return column.model_copy(update={"treatments": treatments})


def _changed(
    study: Study, panel: Panel, columns: list[Column], notes: list[Note]
) -> tuple[Study, Panel]:
    """The study with other columns, and the panel with notes of why."""
    if not notes:
        return study, panel
    table = next(iter(study.specs.values())).table
    table = table.model_copy(update={"column": tuple(columns)})
    found = check_study(assemble_study(study.path, study.file, {TABLE: table}))
    return found, dataclasses.replace(panel, notes=(*panel.notes, *notes))


def _product(of: Sequence[str]) -> str:
    """The term of policies that are on together."""
    return " * ".join(f"active:{policy}" for policy in of)


def _refuse_both(**given: object) -> None:
    """Refuse what a formula says already."""
    if twice := [name for name, value in given.items() if value]:
        raise InputError(
            "both a formula and what stands for one",
            value=", ".join(twice),
            remedy="put columns into the formula, or leave the formula out",
        )


def _keys_said(**given: object) -> Keys:
    """Unit and period of a call without a formula, in which all of these must be there."""
    if missing := [name for name, value in given.items() if not value]:
        raise InputError(
            "neither a formula nor all that stands for one",
            value=f"without {', '.join(missing)}",
            remedy='give "y ~ D + x | unit + period", or y=, unit=, time= and policies=',
        )
    return Keys(str(given["unit"]), str(given["time"]))


def _of_policies(
    raw: Columns,
    outcome: str,
    keys: Keys,
    declared: Sequence[Policy],
    covariates: Sequence[str],
    effects: str | Sequence[str],
) -> tuple[Keys, tuple[Formula, ...], list[Regressors]]:
    """What a call without a formula says."""
    covariates = [covariates] if isinstance(covariates, str) else covariates
    parts = parse_parts(raw.terms(covariates))
    further = tuple(map(_effect, [effects] if isinstance(effects, str) else effects))
    raw.require(
        [source_column(outcome), *names_in(parts), *(c for one in further for c in one.columns)]
    )
    ids = [policy.id for policy in declared]
    treatments = tuple(
        _product(some) for size in range(1, len(ids) + 1) for some in combinations(ids, size)
    )
    own = (EffectTerm((keys.unit,)), EffectTerm((keys.period,)))
    formula = Formula(outcome, (*treatments, *parts), len(treatments), (*own, *further))
    found = [Regressors("twfe", treatments, terms_of(parts, raw), {})]
    return dataclasses.replace(keys, further=further), (formula,), found


def _effect(text: str) -> EffectTerm:
    try:
        return parse_effect(text)
    except ValueError as error:
        raise InputError(
            "an effect that is not understood", value=text, remedy=str(error)
        ) from error
