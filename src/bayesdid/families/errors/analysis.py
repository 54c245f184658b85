"""What likelihood and errors do to an effect and to its uncertainty."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.design.build import as_two_way, build_design
from bayesdid.design.design import Design
from bayesdid.estimands.stated import drawn
from bayesdid.exceptions import InputError
from bayesdid.families.analysis import Analysis, Figure, Series, Table, draws_tree
from bayesdid.families.errors import ErrorsOptions
from bayesdid.inference.executor import map_fits
from bayesdid.inference.fit import fit
from bayesdid.model.bound import study_priors
from bayesdid.model.likelihood import Likelihood
from bayesdid.model.priors import PriorChoice
from bayesdid.panel.panel import Panel
from bayesdid.peers.bootstrap import wild_bootstrap
from bayesdid.peers.fixest import least_squares
from bayesdid.study.load import Spec, Study
from bayesdid.summary import chance, hdi, hdi_columns, normal_interval, p_words, percent

ErrorName = Literal["iid", "ar1", "unit_variance", "student_t", "negative_binomial"]
LABELS: dict[ErrorName, str] = {
    "iid": "normal, i.i.d.",
    "ar1": "normal, AR(1) within units",
    "unit_variance": "normal, unit variances",
    "student_t": "Student t",
    "negative_binomial": "negative binomial",
}


def errors(
    study: Study,
    spec: Spec,
    panel: Panel,
    options: ErrorsOptions,
    *,
    seed: int = 0,
    draws: int = 1000,
) -> Analysis:
    """The analysis of a spec of family ``errors``: the last treatment, or another, is followed."""
    plain = as_two_way(spec)
    design = build_design(plain, panel)
    k = (options.contrast or len(design.treatments)) - 1
    if not 0 <= k < len(design.treatments):
        raise InputError(
            f"{spec.id}: no such treatment",
            value=options.contrast,
            remedy=f"use 1 to {len(design.treatments)}",
        )
    counts = _counts(plain, panel, options)
    notes = [note.text for note in design.notes]
    if options.counts_from_outcome is not None:
        values = np.round(design.y * options.counts_from_outcome)
        if (values < 0).any():
            notes.append(
                f"{int((values < 0).sum())} outcomes lie below zero and are no counts: "
                "the negative binomial is left out"
            )
        else:
            counts = dataclasses.replace(design, y=values)
    wanted: list[ErrorName] = ["iid", "ar1", "unit_variance", "student_t"]
    if counts is not None:
        wanted.append("negative_binomial")
    chosen = wanted if options.models is None else options.models
    kinds = [name for name in wanted if name == "iid" or name in chosen]
    priors = study_priors(spec, design=design)
    items = [(name, counts if name == "negative_binomial" and counts else design) for name in kinds]
    trees = dict(
        zip(
            kinds,
            map_fits(partial(_one, seed=seed, draws=draws, priors=priors), items),
            strict=True,
        )
    )
    good = {name: tree for name, tree in trees.items() if tree.attrs["converged"]}
    draws_of = {
        name: tree["posterior"]["tau"].to_numpy()[..., k].ravel() for name, tree in good.items()
    }
    if "negative_binomial" in draws_of:  # effect on the rate, in the outcome's own units
        draws_of["negative_binomial"] = np.expm1(draws_of["negative_binomial"]) * design.y.mean()
    frame = _frame(draws_of, design, k, seed)
    unit = study.file.outcome.unit if spec.column.outcome == study.file.outcome.column else ""
    failed = [LABELS[name] for name in trees if name not in good]
    parameters = {
        f"{LABELS[name]}: {parameter}": tree["posterior"][parameter].to_numpy().ravel()
        for name, tree in good.items()
        for parameter in ("phi", "nu", "nu_unit", "spread")
        if parameter in tree["posterior"]
    }
    return Analysis(
        spec.id,
        "errors",
        spec.title,
        tuple(
            _sentences(
                design.treatments[k],
                k,
                draws_of,
                good,
                frame,
                counts_first=options.counts == spec.column.outcome,
            )
        ),
        (
            Table(
                "errors",
                f"{design.treatments[k]} under each model ({unit}), and least squares",
                frame,
            ),
        ),
        (_figure(frame, unit),),
        posterior=draws_tree(
            {LABELS[n]: v for n, v in draws_of.items()} | parameters,
            spec,
            panel,
            engine="errors",
            seed=seed,
            priors=str(priors),
        ),
        converged="iid" in good,
        notes=tuple(notes),
        synthetic=panel.synthetic or "",
        failed=tuple(failed),
        effects=tuple(
            drawn(
                design.treatments[k],
                LABELS[name],
                "effects of a state do not change",
                v,
                constant=True,
            )
            for name, v in draws_of.items()
        ),
    )


def _one(item: tuple[ErrorName, Design], seed: int, draws: int, priors: PriorChoice) -> xr.DataTree:
    kind, design = item
    rates = kind == "negative_binomial"  # its coefficients are of log rates
    own = PriorChoice(priors.name) if rates else priors
    return fit_errors(design, kind, seed=seed, draws=draws, priors=own)


def fit_errors(
    design: Design,
    kind: ErrorName,
    *,
    seed: int = 0,
    draws: int = 1000,
    chains: int = 4,
    priors: PriorChoice = PriorChoice(),
) -> xr.DataTree:
    """Posterior of a design under one of the models."""
    errors = {"ar1": "ar1", "unit_variance": "iid_unit"}.get(kind, "iid")
    likelihood = kind if kind in {"student_t", "negative_binomial"} else "normal"
    return fit(
        design,
        errors=errors,
        likelihood=Likelihood(likelihood),
        priors=priors,
        seed=seed,
        draws=draws,
        chains=chains,
        cores=1,
    ).tree


def _counts(spec: Spec, panel: Panel, options: ErrorsOptions) -> Design | None:
    """The same spec with counts as its outcome, and their exposure."""
    name, exposure = options.counts, options.exposure
    if name is None:
        return None
    column = spec.column.model_copy(update={"outcome": name})
    return build_design(dataclasses.replace(spec, column=column), panel, exposure=exposure)


def _frame(draws: dict[ErrorName, FloatArray], design: Design, k: int, seed: int) -> pd.DataFrame:
    base = float(draws["iid"].std(ddof=1))
    rows = []
    for name, values in draws.items():
        sd = float(values.std(ddof=1))
        rows.append(
            {
                "model": LABELS[name],
                "mean": float(values.mean()),
                "sd or SE": sd,
                **hdi(values).columns(),
                "P(< 0)": float((values < 0).mean()),
                "over i.i.d.": sd / base,
            }
        )
    estimates = least_squares(design).table.iloc[k]
    errors = {kind: float(estimates[f"se_{kind}"]) for kind in ("iid", "hetero", "cluster")}
    labels = {
        "iid": "least squares, i.i.d.",
        "hetero": "least squares, HC1",
        "cluster": "least squares, clustered by unit",
    }
    found = [(labels[kind], se) for kind, se in errors.items()]
    wild = wild_bootstrap(design, k, seed=seed)
    found.append(
        (
            f"least squares, wild cluster bootstrap ({p_words(wild.p_value, wild.smallest)})",
            wild.se_equivalent,
        )
    )
    estimate = float(estimates["estimate"])
    rows += [
        {
            "model": label,
            "mean": estimate,
            "sd or SE": se,
            **normal_interval(estimate, se).columns(),
            "P(< 0)": None,
            "over i.i.d.": se / base,
        }
        for label, se in found
    ]
    return pd.DataFrame(rows)


def _sentences(
    term: str,
    k: int,
    draws: dict[ErrorName, FloatArray],
    trees: dict[ErrorName, xr.DataTree],
    frame: pd.DataFrame,
    *,
    counts_first: bool = False,
) -> list[str]:
    """What each model says; of an outcome that is a count, the model of counts first."""
    ratio = frame.set_index("model")["over i.i.d."]
    found = []
    if "ar1" in trees:
        phi = trees["ar1"]["posterior"]["phi"].to_numpy().ravel()
        found.append(
            f"Errors of one unit correlate by {phi.mean():.2f} from one period to the next "
            f"({hdi(phi):.2f}). Allowing for it makes the posterior sd of {term} "
            f"{ratio[LABELS['ar1']]:.2f} times the i.i.d. one; the standard error clustered by "
            f"unit is {ratio['least squares, clustered by unit']:.2f} times it, the wild-bootstrap "
            f"equivalent {ratio.iloc[-1]:.2f} times."
        )
    if "student_t" in trees:
        nu = float(np.median(trees["student_t"]["posterior"]["nu"].to_numpy()))
        found.append(
            f"Student-t errors have a median of {nu:.1f} degrees of freedom"
            + ("; tails are heavy." if nu < 10 else "; close to normal.")
        )
    if "unit_variance" in trees:
        logs = np.log(trees["unit_variance"]["posterior"]["sigma_of_unit"].to_numpy())
        spread = float(logs.std(axis=-1).mean())
        found.append(
            f"Log residual sds differ between units with sd {spread:.2f}: a typical unit "
            f"in the upper sixth is {np.exp(spread):.1f} times as noisy as the middle."
        )
    if "negative_binomial" in trees:
        tau = trees["negative_binomial"]["posterior"]["tau"].to_numpy()[..., k].ravel()
        found.insert(
            0 if counts_first else len(found),
            f"In counts, {term} multiplies the rate by "
            f"{np.exp(tau).mean():.3f} (change {np.expm1(tau).mean():+.1%}, "
            f"{hdi(np.expm1(tau)):+.1%}).",
        )
    p = {LABELS[name]: float((values < 0).mean()) for name, values in draws.items()}
    low, high = min(p, key=p.__getitem__), max(p, key=p.__getitem__)
    least, most = chance(p[low]), chance(p[high])
    found.append(
        f"P({term} < 0) is {least} under every model."
        if least == most
        else f"P({term} < 0) runs from {least} ({low}) to {most} ({high})."
    )
    return found


def _figure(frame: pd.DataFrame, unit: str) -> Figure:
    bayes = frame["P(< 0)"].notna()
    series = tuple(
        Series(label, *(part[column].tolist() for column in ("model", "mean", *hdi_columns())))
        for label, part in (("posterior", frame[bayes]), ("least squares", frame[~bayes]))
    )
    return Figure(
        "errors",
        "forest",
        f"The effect under each likelihood and error model, {percent()} intervals.",
        series,
        xlabel=unit,
    )
