"""Specification curve: one effect under every combination of defensible choices.

Simonsohn, Simmons & Nelson (2020, doi:10.1038/s41562-020-0912-z): effects x errors x controls x
samples, each a posterior by the engine that its errors ask for, sorted, with the choices below.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from bayesdid.arrays import FloatArray
from bayesdid.design.build import build_design, with_effects
from bayesdid.design.design import Design
from bayesdid.exceptions import InputError
from bayesdid.families.analysis import Analysis, Figure, Series, Table, draws_tree
from bayesdid.families.registry.validate import one_treatment
from bayesdid.families.specification_curve import CurveOptions
from bayesdid.families.under_errors import draws_of, errors_sentence
from bayesdid.inference.executor import map_fits
from bayesdid.inference.fit import fit
from bayesdid.model.bound import study_priors
from bayesdid.model.errors import Errors, ErrorsName
from bayesdid.model.priors import PriorChoice
from bayesdid.panel.adoption import arm_name
from bayesdid.panel.panel import Panel
from bayesdid.study.load import Spec, Study
from bayesdid.study.schema import EffectKind, Sample
from bayesdid.summary import hdi, hdi_columns, percent

_EFFECTS: tuple[EffectKind, ...] = ("fixed", "random", "mundlak")
_ERRORS: tuple[ErrorsName, ...] = ("ar1_unit", "ar1", "iid_unit", "iid")


@dataclass(frozen=True, slots=True)
class Choice:
    """One combination: labels by what was chosen, and the design it gives."""

    effects: EffectKind
    errors: str
    controls: str
    sample: str
    design: Design

    @property
    def labels(self) -> tuple[str, ...]:
        """What the matrix below the curve marks."""
        return (
            f"effects: {self.effects}",
            f"errors: {self.errors}",
            f"controls: {self.controls}",
            f"sample: {self.sample}",
        )


def choices(
    study: Study, spec: Spec, panel: Panel, effects: tuple[EffectKind, ...], errors: tuple[str, ...]
) -> Iterator[Choice]:
    """Every combination whose effect is identified.

    Controls: all, none, all but each. Samples: the spec's, and where they keep treated and
    untreated rows: without single units, without never-treated ones, without each level of the
    study's last group.
    """
    for sample_label, sample in _samples(study, spec):
        for control_label, covariates in _controls(spec):
            column = spec.column.model_copy(
                update={"family": "twfe", "sample": sample, "covariates": covariates}
            )
            try:
                design = build_design(dataclasses.replace(spec, column=column), panel)
                under = [(kind, with_effects(design, kind, kind)) for kind in effects]
            except InputError:
                continue  # not identified in this sample
            for kind, own in under:
                for error in errors:
                    yield Choice(kind, error, control_label, sample_label, own)


def _controls(spec: Spec) -> list[tuple[str, tuple[str, ...]]]:
    every = spec.column.covariates
    found = [("all", every)]
    if every:
        found.append(("none", ()))
    if len(every) > 1:
        found += [(f"without {name}", tuple(c for c in every if c != name)) for name in every]
    return found


def _samples(study: Study, spec: Spec) -> list[tuple[str, Sample]]:
    own = spec.column.sample
    found = [("as declared", own)]
    if own.arms is None and len(study.policies) > 1:
        arms = [arm_name(n) for n in range(len(study.policies) + 1)]
        for left in ("single", "none"):
            rest = tuple(arm for arm in arms if arm != left)
            found.append((f"without {left}", own.model_copy(update={"arms": rest})))
    if study.file.group and not own.groups:
        group = study.file.group[-1]
        for level, label in group.levels.items():
            rest = tuple(name for name in group.levels if name != level)
            found.append(
                (f"without {label}", own.model_copy(update={"groups": {group.column: rest}}))
            )
    return found


def effect_draws(
    design: Design,
    errors: str,
    *,
    draws: int = 200,
    seed: int = 0,
    priors: PriorChoice = PriorChoice(),
) -> FloatArray | None:
    """Draws of the first treatment's effect, `draws` of each chain; None if they did not converge.

    A fit whose gate fails with so few is made once more (:mod:`bayesdid.inference.longer`).
    """
    found = fit(design, errors=errors, priors=priors, draws=draws, seed=seed)
    return draws_of(found.tree)[:, 0] if found.converged else None


def _draws_of(choice: Choice, spec: Spec, draws: int, seed: int) -> FloatArray | None:
    priors, few = study_priors(spec, design=choice.design), max(1, draws // 5)
    return effect_draws(choice.design, choice.errors, draws=few, seed=seed, priors=priors)


def specification_curve(
    study: Study,
    spec: Spec,
    panel: Panel,
    options: CurveOptions,
    *,
    seed: int = 0,
    draws: int = 1000,
) -> Analysis:
    """The analysis of a spec of family ``specification_curve``: one treatment.

    Every specification gets a fifth of the draws of other analyses: an interval, not a table of
    its own.
    """
    one_treatment(spec)
    effects = tuple(kind for kind in _EFFECTS if kind in options.effects)
    errors = tuple(name for name in _ERRORS if name in options.errors)
    made = list(choices(study, spec, panel, effects, errors))
    beside = dataclasses.replace(made[0], errors="iid")
    draw = partial(_draws_of, spec=spec, draws=draws, seed=seed)
    *found, iid = map_fits(draw, [*made, beside])
    main = found[0]
    if main is None or iid is None:
        return _not_converged(spec, panel)
    rows: list[dict[str, Any]] = []
    failed: list[str] = []
    for choice, values in zip(made, found, strict=True):
        if values is None:
            failed.append(", ".join(choice.labels))
            continue
        rows.append(
            {
                "effects": choice.effects,
                "errors": choice.errors,
                "controls": choice.controls,
                "sample": choice.sample,
                "n": choice.design.n,
                "mean": float(values.mean()),
                "sd": float(values.std(ddof=1)),
                **hdi(values).columns(),
                "P(< 0)": float((values < 0).mean()),
                "labels": choice.labels,
            }
        )
    frame = pd.DataFrame(rows).sort_values("mean", kind="stable").reset_index(drop=True)
    labels = list(
        dict.fromkeys(
            label for found in zip(*(r["labels"] for r in rows), strict=True) for label in found
        )
    )
    matrix = {label: [label in made for made in frame["labels"]] for label in labels}
    frame = frame.drop(columns="labels")
    series = Series(
        spec.column.treatments[0],
        list(range(len(frame))),
        frame["mean"].tolist(),
        *(frame[column].tolist() for column in hdi_columns()),
    )
    return Analysis(
        spec.id,
        "specification_curve",
        spec.title,
        (
            *_sentences(frame, main),
            errors_sentence(
                Errors.parse(made[0].errors), "the effect of the declared specification", main, iid
            ),
        ),
        (
            Table(
                "by_choice",
                "Average over the specifications that made each choice",
                _by_choice(frame),
            ),
            Table("specifications", "Every specification, sorted", frame),
        ),
        (
            Figure(
                "curve",
                "specification",
                "Every combination of effects, errors, controls and "
                f"samples, sorted: posterior mean and {percent()} HDI (grey where it "
                "includes zero), and the choices of each below.",
                (series,),
                ylabel=study.file.outcome.unit,
                matrix=matrix,
            ),
        ),
        posterior=draws_tree(
            {"as declared": main},
            spec,
            panel,
            engine="auto",
            seed=seed,
            priors=str(study_priors(spec)),
        ),
        synthetic=panel.synthetic or "",
        failed=tuple(failed),
    )


def _not_converged(spec: Spec, panel: Panel) -> Analysis:
    """Without the declared specification there is nothing that a curve could be compared with."""
    return Analysis(
        spec.id,
        "specification_curve",
        spec.title,
        (),
        converged=False,
        synthetic=panel.synthetic or "",
    )


def _by_choice(frame: pd.DataFrame) -> pd.DataFrame:
    parts = [
        frame.groupby(column, sort=False)[["mean", "sd", "P(< 0)"]]
        .mean()
        .reset_index()
        .rename(columns={column: "choice"})
        .assign(choice=lambda f, c=column: c + ": " + f["choice"])
        for column in ("effects", "errors", "controls", "sample")
    ]
    return pd.concat(parts, ignore_index=True)


def _sentences(frame: pd.DataFrame, main: FloatArray) -> tuple[str, ...]:
    sign = np.sign(main.mean())
    same = float((np.sign(frame["mean"]) == sign).mean())
    low, high = (frame[column] for column in hdi_columns())
    excludes = float(((low > 0) | (high < 0)).mean())
    spread = float(frame["mean"].std())
    worst = {
        column: float(np.ptp(frame.groupby(column)["mean"].mean()))
        for column in ("effects", "errors", "controls", "sample")
    }
    first = max(worst, key=worst.__getitem__)
    return (
        f"{len(frame)} specifications: the effect runs from {frame['mean'].min():.3f} to "
        f"{frame['mean'].max():.3f}, median {frame['mean'].median():.3f}; {same:.0%} have the sign "
        f"of the declared one ({main.mean():.3f}), and in {excludes:.0%} the {percent()} HDI "
        "excludes zero.",
        f"Across specifications the estimate has sd {spread:.3f}, beside a typical posterior sd of "
        f"{frame['sd'].median():.3f}; what moves it most is the choice of {first} (averages differ "
        f"by {worst[first]:.3f}).",
    )
