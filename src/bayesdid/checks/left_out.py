"""Leave one unit out: what each effect is without it, by weights, and by refits where they matter.

Importance weights remove every unit in turn (:mod:`bayesdid.checks.units`); the units that move an
effect most, and those whose weights are unreliable, are then left out in earnest: the model is
fitted again without their rows.
"""

from __future__ import annotations

import dataclasses
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import ndtr

from bayesdid.arrays import FloatArray
from bayesdid.checks.beliefs import effects_of
from bayesdid.checks.check import CheckResult, inapplicable
from bayesdid.checks.figure import Figure, Series
from bayesdid.checks.rows import thinned
from bayesdid.checks.units import leaves_units_out, left_out_weights, without_unit
from bayesdid.design.design import Design
from bayesdid.estimands.verdict import SURE
from bayesdid.exceptions import InputError, NotIdentifiedError, ResultError
from bayesdid.inference.fit import fit_bound
from bayesdid.inference.pointwise import pointwise
from bayesdid.inference.registry import Size
from bayesdid.inference.result import Fit
from bayesdid.model.bound import BoundModel
from bayesdid.model.resolve import base_of
from bayesdid.summary import reach

REFITS = 5  # at most, of the units that move the effect most
_RELIABLE = 0.7  # Pareto k up to which weights stand for a refit
SLOW = ("collapsed", "as_written")  # engines that compile a sampler: weights alone
_DRAWS = 500  # per chain of a refit
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Followed:
    """A contrast that is followed while units are left out: fixed weights of coefficients.

    Attributes
    ----------
    name
        For people.
    weights
        Treatment term -> its weight.
    """

    name: str
    weights: dict[str, float]


def leave_one_unit_out(
    fit: Fit,
    labels: dict[str, str] | None = None,
    *,
    follow: Followed | None = None,
    weighted: pd.DataFrame | None = None,
    refits: int = REFITS,
    seed: int = 0,
) -> CheckResult:
    """The main effect without each unit: the first that a claim may be about.

    Parameters
    ----------
    fit
        With its model.
    follow
        The contrast that an answer is about, in the place of that effect.
    weighted
        What :func:`units_left_out` returned, if it was made already.
    refits
        How many units to leave out in earnest; 0 for weights alone.
    """
    name, bound = "leave_one_unit_out", _bound(fit)
    base, own = base_of(bound.design), labels or {}
    if base is not bound.design:
        return inapplicable(
            name,
            "without a unit its neighbours have other neighbours, which is another spatial model",
        )
    if len(base.units) < 3:
        return inapplicable(name, "there are fewer than three units")
    some = thinned(fit.tree, base)
    thin = xr.DataTree.from_dict({"posterior": some})
    thin.attrs = dict(fit.tree.attrs)
    effects = effects_of(thin, bound)
    main = _largest(effects) if follow is None else follow.name
    draws = effects[main] if follow is None else _contrast(thin, base, follow, seed)
    if draws is None:
        return inapplicable(name, f"{main} has a weight on terms that the fit does not hold")
    table = _weighted(bound, some, main, draws, weighted, fit.tree)
    table["unit"] = [own.get(str(unit), str(unit)) for unit in base.units]
    whole, sd = float(draws.mean()), float(draws.std(ddof=1))
    moved = (table["mean"] - whole).abs()
    order = [*np.argsort(-moved.to_numpy())]
    rough = [k for k in order if table["k"].iloc[k] > _RELIABLE]
    chosen = list(dict.fromkeys([*rough, *order]))[:refits]
    table["how"] = np.where(table["k"] > _RELIABLE, "weights, unreliable", "weights")
    left = 0
    if str(fit.tree.attrs["engine"]) in SLOW:
        chosen = []
    for k in chosen:
        again = _refitted(bound, k, main, follow, seed)
        if again is not None:
            left += 1
            table.loc[table.index[k], ["mean", "sd"]] = again
            table.loc[table.index[k], "how"] = "refitted"
    table["P(sign)"] = ndtr(np.sign(whole) * table["mean"] / table["sd"])
    table = table.iloc[np.argsort(-(table["mean"] - whole).abs().to_numpy(), kind="stable")]
    table = table[["unit", "mean", "sd", "P(sign)", "k", "how"]].reset_index(drop=True)
    sure = float(ndtr(abs(whole) / sd)) >= SURE
    lost = table[table["P(sign)"] < SURE]["unit"].tolist() if sure else []
    return CheckResult(
        name,
        (not lost) if sure else None,
        table.head(_SHOWN),
        _says(table, main, whole, lost, sure, left),
        _figure(table, main, whole, sd, name),
        "the claim rests on a single unit: nobody else shows it",
        f"{left} of {len(table)} units were left out by fitting again, the others by weights",
    )


def _says(
    table: pd.DataFrame, main: str, whole: float, lost: list[str], sure: bool, left: int
) -> str:
    first = table.iloc[0]
    text = (
        f"Without {first['unit']} {main} is {first['mean']:.3g} instead of {whole:.3g}, the "
        f"largest change of {len(table)} units ({left} refitted); "
    )
    if lost:
        return text + f"its sign is no longer sure without {', '.join(lost[:5])}."
    if sure:
        return text + "its sign stays sure without any of them."
    return text + "its sign is not sure with all of them either."


def _largest(effects: dict[str, FloatArray]) -> str:
    """The first effect; totals, which are what an intervention does, before their parts."""
    totals = [name for name in effects if name.endswith(": total")]
    return totals[0] if totals else next(iter(effects))


def units_left_out(
    tree: xr.DataTree, bound: BoundModel, follow: Followed | None = None, seed: int = 0
) -> pd.DataFrame | None:
    """Each unit left out by weights, once for LOO and for the effect that is followed.

    None where weights cannot leave whole units out, or there is no such effect.
    """
    base = base_of(bound.design)
    if base is not bound.design or not leaves_units_out(bound):
        return None
    thin = xr.DataTree.from_dict({"posterior": thinned(tree, base)})
    thin.attrs = dict(tree.attrs)
    if follow is not None:
        draws = _contrast(thin, base, follow, seed)
        return None if draws is None else without_unit(tree, bound, of={follow.name: draws})
    effects = effects_of(thin, bound)
    main = _largest(effects)
    return without_unit(tree, bound, of={main: effects[main]})


def _contrast(tree: xr.DataTree, base: Design, follow: Followed, seed: int) -> FloatArray | None:
    """Draws (chain, draw) of a contrast; None if a fit does not tell what it has a weight on.

    A deviation of a pooled part that no row shows any more is what its part says of a new one:
    normal with the part's sd.
    """
    posterior, rng = tree["posterior"], np.random.default_rng(seed)
    known = [str(term) for term in posterior["treatment"].to_numpy()]
    at = xr.DataArray([follow.weights.get(term, 0.0) for term in known], dims="treatment")
    tau = posterior["tau"].drop_vars("treatment")
    total = (tau * at).sum("treatment").transpose("chain", "draw").to_numpy()
    parts = dict(zip(base.treatments, base.part, strict=False))
    for term, weight in follow.weights.items():
        if not weight or term in known:
            continue
        scale = f"omega_{parts.get(term, '')}"
        if scale not in posterior:
            return None
        omega = posterior[scale].transpose("chain", "draw").to_numpy()
        total = total + weight * omega * rng.standard_normal(omega.shape)
    return np.asarray(total)


def _weighted(
    bound: BoundModel,
    some: xr.Dataset,
    main: str,
    draws: FloatArray,
    known: pd.DataFrame | None,
    tree: xr.DataTree,
) -> pd.DataFrame:
    """``mean``, ``sd`` and ``k`` without each unit, by importance weights."""
    if leaves_units_out(bound):
        found = without_unit(tree, bound, of={main: draws}) if known is None else known
        found = found.reset_index(drop=True)
        return pd.DataFrame(
            {"mean": found[f"mean: {main}"], "sd": found[f"sd: {main}"], "k": found["unit_k"]}
        )
    base = base_of(bound.design)
    terms = pointwise(some, bound.model, bound.design)["log_likelihood"]
    rows = np.sum([value.to_numpy() for value in terms.data_vars.values()], axis=0)
    rows = rows.reshape(-1, base.n)
    member = (base.unit_index[:, None] == np.arange(len(base.units))) / 1.0
    log_weight, k = left_out_weights((rows @ member).T)
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    weight /= weight.sum(axis=1, keepdims=True)
    flat = draws.ravel()
    mean = weight @ flat
    sd = np.sqrt(np.maximum(weight @ flat**2 - mean**2, 1e-300))
    return pd.DataFrame({"mean": mean, "sd": sd, "k": np.asarray(k)})


def _refitted(
    bound: BoundModel, unit: int, main: str, follow: Followed | None, seed: int
) -> list[float] | None:
    """Mean and sd of the effect without the rows of one unit; None if it cannot be fitted."""
    base = base_of(bound.design)
    rest = _that_vary(base.take(base.unit_index != unit))
    if not rest.treatments:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of chains that are short on purpose
            own = BoundModel(bound.model, rest)
            again = fit_bound(own, size=Size(draws=_DRAWS, tune=_DRAWS, chains=2, seed=seed))
        tree = again.require().tree
        draws = (
            effects_of(tree, own)[main] if follow is None else _contrast(tree, base, follow, seed)
        )
    except (InputError, NotIdentifiedError, ResultError, KeyError, np.linalg.LinAlgError):
        return None
    return None if draws is None else [float(draws.mean()), float(draws.std(ddof=1))]


def _that_vary(design: Design) -> Design:
    """Without treatments and covariates that only the left-out unit had."""
    D, X = (np.ptp(Z, axis=0) > 0 for Z in (design.D, design.X))
    part = design.part and tuple(np.array(design.part, dtype=object)[D])
    return dataclasses.replace(
        design,
        D=design.D[:, D],
        X=design.X[:, X],
        treatments=tuple(np.array(design.treatments, dtype=object)[D]),
        covariates=tuple(np.array(design.covariates, dtype=object)[X]),
        part=part,
    )


def _figure(table: pd.DataFrame, main: str, whole: float, sd: float, name: str) -> Figure:
    shown, half = table.head(_SHOWN), reach()
    labels = ["all units", *(f"without {unit}" for unit in shown["unit"])]
    means = [whole, *shown["mean"]]
    sds = [sd, *shown["sd"]]
    return Figure(
        name,
        "forest",
        f"Leave one unit out: {main} should stay where it is",
        (
            Series(
                main,
                labels,
                [float(m) for m in means],
                [float(m - half * s) for m, s in zip(means, sds, strict=True)],
                [float(m + half * s) for m, s in zip(means, sds, strict=True)],
            ),
        ),
        main,
    )


def _bound(fit: Fit) -> BoundModel:
    if fit.bound is None:
        raise InputError(
            f"{fit.spec_id}: a fit read from a file does not hold its model and data",
            remedy="give dataclasses.replace(fit, bound=bd.model(spec, panel))",
        )
    return dataclasses.replace(fit.bound)
