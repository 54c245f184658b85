"""Which model predicts best: leave-one-unit-out, K-fold over units, stacking weights.

Models differ in their treatments (specs), their effects and their errors. What is compared is the
density of the T - 1 contrasts within a unit that the model has not seen: it does not involve the
unit's own effect or scale, so that fixed and random effects, and errors of any kind, compete on
equal terms. Leave-one-unit-out by Pareto smoothed importance sampling; K-fold by refitting without
each tenth of the units, which checks it.
Stacking: the mixture of models that predicts best (Yao et al. 2018, doi:10.1214/17-BA1091).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.optimize import minimize
from scipy.special import logsumexp

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.checks.units import without_unit
from bayesdid.design.build import build_design, with_effects
from bayesdid.design.collinear import drop_collinear
from bayesdid.design.design import Design
from bayesdid.exceptions import InputError
from bayesdid.families.analysis import Analysis, Figure, Series, Table
from bayesdid.families.comparison import ComparisonOptions
from bayesdid.families.comparison.left_out import contrast_densities
from bayesdid.inference.executor import item_seed, map_fits
from bayesdid.inference.fit import fit
from bayesdid.model.bound import model as bind
from bayesdid.model.bound import study_priors
from bayesdid.model.errors import DEFAULT_ERRORS, Errors, ErrorsName
from bayesdid.model.priors import PriorChoice
from bayesdid.panel.panel import Panel
from bayesdid.study.load import Spec, Study
from bayesdid.study.schema import EffectKind

_KINDS: tuple[EffectKind, ...] = ("fixed", "random", "mundlak")
_FOLDED: tuple[EffectKind, ...] = ("fixed", "random")  # Mundlak components change with the sample
_ERRORS: tuple[ErrorsName, ...] = ("ar1_unit", "ar1", "iid_unit", "iid")
_FOLDS = 10
_PARETO = 0.7


def comparison(
    study: Study,
    spec: Spec,
    panel: Panel,
    options: ComparisonOptions,
    *,
    seed: int = 0,
    draws: int = 1000,
) -> Analysis:
    """The analysis of a spec of family ``comparison``."""
    kinds = [kind for kind in _KINDS if kind in options.effects]
    return compare(
        study,
        options.specs,
        panel,
        kinds=kinds,
        errors=[name for name in _ERRORS if name in options.errors],
        seed=seed,
        draws=draws,
        title=spec.title,
        spec_id=spec.id,
    )


def compare(
    study: Study,
    specs: Sequence[str],
    panel: Panel,
    *,
    kinds: Sequence[EffectKind] = _KINDS,
    errors: Sequence[ErrorsName] = (DEFAULT_ERRORS.name, "iid"),
    seed: int = 0,
    draws: int = 1000,
    title: str = "Comparison",
    spec_id: str = "compare",
) -> Analysis:
    """Compare specs under several effects and errors by how they predict units left out.

    Raises
    ------
    InputError
        If the specs are not fitted on the same rows and outcome.
    """
    designs = [build_design(study[name], panel) for name in specs]
    if not designs:
        raise InputError(
            f"{spec_id}: nothing to compare",
            remedy='set options = { specs = ["table2.1", "table2.2"] }',
        )
    for design in designs[1:]:
        if design.n != designs[0].n or not np.array_equal(design.y, designs[0].y):
            raise InputError(
                f"{design.spec_id} and {designs[0].spec_id} are not fitted on the same rows",
                remedy="compare specs with one outcome and sample",
            )
    priors = [study_priors(study[d.spec_id], design=d) for d in designs]
    items = [
        (base, kind, name, own)
        for name in errors
        for base, own in zip(designs, priors, strict=True)
        for kind in kinds
    ]
    scored = map_fits(partial(_score, folded=errors[0], seed=seed, draws=draws), items)
    failed = tuple(
        _label(*item[:3]) for item, found in zip(items, scored, strict=True) if found is None
    )
    if len(failed) == len(items):
        return Analysis(
            spec_id,
            "comparison",
            title,
            (),
            converged=False,
            synthetic=panel.synthetic or "",
            failed=failed,
        )
    rows = [found[0] for found in scored if found is not None]
    matrix = np.column_stack([found[1] for found in scored if found is not None])
    best = int(matrix.sum(axis=0).argmax())
    gaps = matrix - matrix[:, [best]]
    frame = pd.DataFrame(rows)
    frame["difference"] = gaps.sum(axis=0)
    frame["its SE"] = gaps.std(axis=0, ddof=1) * np.sqrt(len(gaps))
    frame["stacking weight"] = stacking(matrix)
    frame = frame.sort_values("elpd", ascending=False).reset_index(drop=True)
    return Analysis(
        spec_id,
        "comparison",
        title,
        (_sentence(frame), *_errors_sentences(frame)),
        (
            Table(
                "models",
                "Expected log predictive density of the contrasts within a left-out unit",
                frame,
            ),
        ),
        (_figure(frame),),
        synthetic=panel.synthetic or "",
        notes=tuple(note.text for note in designs[0].notes),
        failed=failed,
    )


def _score(
    item: tuple[Design, EffectKind, ErrorsName, PriorChoice],
    folded: ErrorsName,
    seed: int,
    draws: int,
) -> tuple[dict[str, Any], FloatArray] | None:
    """A model's row, and its log predictive density by unit; None if it did not converge."""
    base, kind, errors, priors = item
    design = with_effects(base, kind, kind)
    bound = bind(design, errors=errors, priors=priors)
    tree = fit(bound, seed=seed, draws=draws).tree
    if not tree.attrs["converged"]:
        return None  # not a result
    left = without_unit(tree, bound, contrasts_only=True)
    tau = tree["posterior"]["tau"].to_numpy()[..., -1]
    checked = kind in _FOLDED and errors == folded
    folds = k_fold(design, errors=errors, seed=seed, priors=priors).sum() if checked else np.nan
    row = {
        "model": _label(base, kind, errors),
        "errors": errors,
        "elpd": float(left["unit_elpd"].sum()),
        "elpd, 10-fold": folds,
        "units with Pareto k > 0.7": int((left["unit_k"] > _PARETO).sum()),
        "effect": float(tau.mean()),
        "its sd": float(tau.std()),
    }
    return row, left["unit_elpd"].to_numpy()


_EFFECTS: dict[EffectKind, str] = {
    "fixed": "fixed effects",
    "random": "random effects",
    "mundlak": "Mundlak effects",
    "none": "no effects",
}
_SHORT: dict[ErrorsName, str] = {
    "iid": "i.i.d. errors",
    "iid_unit": "unit scales",
    "ar1": "AR(1) errors",
    "ar1_unit": "AR(1), unit scales",
}


def _label(base: Design, kind: EffectKind, errors: ErrorsName) -> str:
    return f"{base.spec_id}, {_EFFECTS[kind]}, {_SHORT[errors]}"


def stacking(elpd: FloatArray) -> FloatArray:
    """Weights of models that maximise ``sum_u log sum_k w_k p_ku``, shape (models,).

    Parameters
    ----------
    elpd
        Log predictive density of each unit under each model, shape (units, models).
    """
    K = elpd.shape[1]
    if K == 1:
        return np.ones(1)
    scaled = elpd - elpd.max(axis=1, keepdims=True)

    def loss(w: FloatArray) -> float:
        return -float(logsumexp(scaled, axis=1, b=np.maximum(w, 0) + 1e-300).sum())

    simplex: Any = {"type": "eq", "fun": lambda w: w.sum() - 1}
    found: Any = minimize(
        loss,
        np.full(K, 1 / K),
        method="SLSQP",
        bounds=[(0, 1)] * K,
        constraints=simplex,
        options={"ftol": 1e-10},
    )
    weights = np.maximum(found.x, 0.0)
    return np.asarray(weights / weights.sum())


def k_fold(
    design: Design,
    *,
    errors: ErrorsName = "iid",
    folds: int = _FOLDS,
    draws: int = 500,
    seed: int = 0,
    priors: PriorChoice = PriorChoice(),
) -> FloatArray:
    """Log density of the contrasts within each unit, from a fit without its fold, shape (N,).

    NaN in a fold whose fit did not converge.
    """
    rng = np.random.default_rng(seed)
    fold = rng.permutation(np.arange(len(design.units)) % folds)
    found = np.full(len(design.units), np.nan)
    held = [np.flatnonzero(fold == k) for k in range(folds)]
    score = partial(
        _score_fold, design=design, errors=errors, priors=priors, draws=draws, seed=seed
    )
    for units, values in zip(held, map_fits(score, enumerate(held)), strict=True):
        found[units] = values
    return found


def _score_fold(
    item: tuple[int, IntArray],
    design: Design,
    errors: ErrorsName,
    priors: PriorChoice,
    draws: int,
    seed: int,
) -> FloatArray:
    """Log density of the contrasts within each unit of a fold, from a fit without it."""
    k, units = item
    rest = _without(design, np.isin(design.unit_index, units))
    own = item_seed(seed, "fold", k)  # its own errors of simulation, which then average out
    tree = fit(rest, errors=errors, priors=priors, seed=own, draws=draws, chains=2).tree
    if not tree.attrs["converged"]:
        return np.full(len(units), np.nan)
    posterior = tree["posterior"].to_dataset()
    residual = design.y - _shared_mean(posterior, design, rest)
    densities = contrast_densities(posterior, design, residual, units)
    return np.asarray(logsumexp(densities, axis=0) - np.log(len(densities)))


def _without(design: Design, held: np.ndarray) -> Design:
    units, unit_index = np.unique(design.unit_index[~held], return_inverse=True)
    periods, period_index = np.unique(design.period_index[~held], return_inverse=True)
    return drop_collinear(
        dataclasses.replace(
            design,
            y=design.y[~held],
            D=design.D[~held],
            X=design.X[~held],
            unit_index=unit_index,
            period_index=period_index,
            units=design.units[units],
            periods=design.periods[periods],
        )
    )


def _shared_mean(posterior: xr.Dataset, design: Design, rest: Design) -> FloatArray:
    """Mean of every row less intercept and unit effect, from a fit of other units, (S, n)."""
    keep = [design.covariates.index(name) for name in rest.covariates]
    tau = posterior["tau"].to_numpy().reshape(-1, len(design.treatments))
    mean = tau @ design.D.T
    if keep:
        beta = posterior["beta"].to_numpy().reshape(len(tau), -1)
        mean = mean + beta @ design.X[:, keep].T
    dim = design.period_dim
    if f"{dim}_effect" in posterior:
        level = posterior[f"{dim}_effect"].to_numpy().reshape(len(tau), -1)
        mean = mean + level[:, design.period_index]
    return np.asarray(mean)


def _sentence(frame: pd.DataFrame) -> str:
    top = frame.iloc[0]
    text = f"{top['model']} predicts units it has not seen best (elpd {top['elpd']:.1f})"
    if len(frame) > 1:
        second = frame.iloc[1]
        clear = abs(second["difference"]) > 2 * second["its SE"]
        text += (
            f"; {second['model']} is {-second['difference']:.1f} (SE {second['its SE']:.1f}) "
            f"behind, which is {'more' if clear else 'no more'} than two standard errors"
        )
        heavy = frame[frame["stacking weight"] > 0.1].sort_values(
            "stacking weight", ascending=False
        )
        text += ". Stacking weights above 0.1: " + ", ".join(
            f"{row['model']} {row['stacking weight']:.2f}" for _, row in heavy.iterrows()
        )
    return text + "."


def _errors_sentences(frame: pd.DataFrame) -> list[str]:
    """Which errors predict best, and the effect of the best model under i.i.d. errors."""
    best = frame.groupby("errors", sort=False).head(1)
    if len(best) < 2:
        (name,) = best["errors"]
        text = "is conditional on i.i.d. errors" if name == "iid" else "is under these errors alone"
        return [f"Errors of all models: {Errors.parse(name)}; the comparison {text}."]
    top, *others = (row for _, row in best.iterrows())
    behind = ", ".join(
        f"{Errors.parse(row['errors'])} {top['elpd'] - row['elpd']:.1f} behind" for row in others
    )
    text = f"Best errors: {Errors.parse(top['errors'])} ({behind}, each with its best model)"
    iid = best[best["errors"] == "iid"].iloc[0] if "iid" in set(best["errors"]) else top
    if iid["errors"] != top["errors"]:
        text += (
            f"; the effect is {top['effect']:.3f} (sd {top['its sd']:.3f}) in the best model and "
            f"{iid['effect']:.3f} (sd {iid['its sd']:.3f}) in the best with i.i.d. errors"
        )
    return [text + "."]


def _figure(frame: pd.DataFrame) -> Figure:
    names, gap, se = (frame[c].tolist() for c in ("model", "difference", "its SE"))
    ends = [[g + k * s for g, s in zip(gap, se, strict=True)] for k in (-2, 2)]
    return Figure(
        "models",
        "forest",
        "Difference in expected log predictive density to the best model: "
        "estimate and two standard errors.",
        (Series("difference", names, gap, *ends),),
        xlabel="elpd difference",
    )
