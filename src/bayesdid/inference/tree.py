"""One output for every engine: a DataTree with named dims and provenance."""

from __future__ import annotations

import json
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np
import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.design.regressors import Regressors
from bayesdid.inference.exact.recover import Effects
from bayesdid.inference.exact.scales import Scales
from bayesdid.inference.gate import GateItem
from bayesdid.jsonio import plain
from bayesdid.model.priors import Priors

_PACKAGES = ("bayesdid", "pymc", "nutpie", "arviz", "numpy", "xarray")


@cache
def package_versions() -> dict[str, str]:
    """Versions of the packages that determine a result."""
    return {name: version(name) for name in _PACKAGES}


def posterior_dataset(
    design: Design, data: Regressors, draws: dict[str, FloatArray], effects: Effects, chains: int
) -> xr.Dataset:
    """Name the draws of a collapsed or exact engine.

    Parameters
    ----------
    draws
        ``coef`` (S, K) of the scaled regressors, ``sigma`` and the effects' scales (S,), with
        the draws of a chain next to each other.
    effects
        Recovered intercept and effects.
    chains
        S must be a multiple of it.
    """
    P, K = len(design.treatments), len(design.names)
    coef = draws["coef"] / data.scale
    variables: dict[str, tuple[tuple[str, ...], FloatArray]] = {
        "tau": (("treatment",), coef[:, :P]),
        "alpha": ((), effects.alpha + design.y.mean()),
        "sigma": ((), draws["sigma"]),
    }
    if K > P:
        variables["beta"] = (("covariate",), coef[:, P:K])
    for name in (f"sigma_{design.unit_dim}", f"sigma_{design.period_dim}", "phi", "nu_unit"):
        if name in draws:
            variables[name] = ((), draws[name])
    coords: dict[str, Any] = {
        "treatment": list(design.treatments),
        "covariate": list(design.covariates),
        design.unit_dim: design.units,
        design.period_dim: design.periods,
    }
    levels = ((design.unit_dim, effects.unit), (design.period_dim, effects.period))
    for dim, values in levels:
        if values.shape[1]:
            variables[f"{dim}_effect"] = ((dim,), values)
    for one in design.further:
        if one.name in effects.further:
            variables[one.name] = ((one.dim,), effects.further[one.name])
            coords[one.dim] = one.levels
        if f"sigma_{one.name}" in draws:
            variables[f"sigma_{one.name}"] = ((), draws[f"sigma_{one.name}"])
    if "sigma_of_unit" in draws:
        variables["sigma_of_unit"] = ((design.unit_dim,), draws["sigma_of_unit"])
    start = K
    for dim, terms in ((design.unit_dim, data.unit_terms), (design.period_dim, data.period_terms)):
        if terms:
            coords[f"{dim}_component"] = list(terms)
            variables[f"gamma_{dim}"] = ((f"{dim}_component",), coef[:, start : start + len(terms)])
            start += len(terms)
    return with_constant(named_dataset(variables, coords, chains), design)


def named_dataset(
    variables: dict[str, tuple[tuple[str, ...], FloatArray]], coords: dict[str, Any], chains: int
) -> xr.Dataset:
    """Draws with their dimensions, those of a chain next to each other, as a dataset.

    Parameters
    ----------
    variables
        Name -> dimensions beside chain and draw, and values, shape (S, ...).
    coords
        Labels of dimensions; those that no variable has are left out.
    """
    shaped = {
        name: (("chain", "draw", *dims), values.reshape(chains, -1, *values.shape[1:]))
        for name, (dims, values) in variables.items()
    }
    used = {dim for dims, _ in shaped.values() for dim in dims}
    size = next(iter(shaped.values()))[1].shape[1]
    return xr.Dataset(
        shaped,
        {"chain": np.arange(chains), "draw": np.arange(size)}
        | {key: value for key, value in coords.items() if key in used},
    )


def unit_moments(
    design: Design, effects: Effects | None, scales: Scales | None = None
) -> xr.Dataset | None:
    """Means and standard deviations of the effects and scales of units too many to draw."""
    if effects is None or effects.unit_mean is None:
        return None
    dim = (design.unit_dim,)
    values = {"mean": (dim, effects.unit_mean), "sd": (dim, effects.unit_sd)}
    for name, (mean, sd) in effects.moments.items():
        values |= {f"{name}_mean": (dim, mean), f"{name}_sd": (dim, sd)}
    if scales is not None:
        values |= {"sigma_mean": (dim, scales.mean), "sigma_sd": (dim, scales.sd)}
    return xr.Dataset(values, {design.unit_dim: design.units})


def with_constant(posterior: xr.Dataset, design: Design) -> xr.Dataset:
    """Add ``constant``: the intercept at zero regressors, as a within regression prints it."""
    constant = posterior["alpha"] - (posterior["tau"] * design.D.mean(axis=0)).sum("treatment")
    if "beta" in posterior:
        constant = constant - (posterior["beta"] * design.X.mean(axis=0)).sum("covariate")
    return posterior.assign(constant=constant)


def data_groups(design: Design) -> dict[str, xr.Dataset]:
    """``observed_data`` and ``constant_data``: what the model was fitted to, row by row."""
    rows = xr.Dataset(coords={"obs": np.arange(design.n)})
    sizes: dict[Any, Any] = {
        name: ("obs", values)
        for name in ("weights", "exposure", "trials")
        if (values := getattr(design, name)) is not None
    }
    return {
        "observed_data": rows.assign(y=("obs", design.y)),
        "constant_data": rows.assign_coords(
            treatment=list(design.treatments), covariate=list(design.covariates)
        )
        .assign(
            unit_index=("obs", design.unit_index),
            period_index=("obs", design.period_index),
            unit=("obs", design.units[design.unit_index].astype(str)),
            period=("obs", design.periods[design.period_index]),
            D=(("obs", "treatment"), design.D),
            X=(("obs", "covariate"), design.X),
        )
        .assign(sizes),
    }


def assemble(
    posterior: xr.Dataset,
    design: Design,
    *,
    moments: xr.Dataset | None = None,
    sample_stats: xr.Dataset | None = None,
) -> xr.DataTree:
    """Put the groups of a result together."""
    groups = {"posterior": posterior, **data_groups(design)}
    if moments is not None:
        groups["unit_effects"] = moments
    if sample_stats is not None:
        groups["sample_stats"] = sample_stats
    return xr.DataTree.from_dict(groups)


def provenance(
    design: Design,
    priors: Priors,
    engine: str,
    seed: int,
    draws: int,
    chains: int,
    gate: list[GateItem],
    log_evidence: float | None,
) -> dict[str, Any]:
    """Attributes that say how a result was made."""
    return {
        "study": design.study_id,
        "spec": design.spec_id,
        "outcome": design.outcome,
        "treatments": json.dumps(design.treatments),
        "unit_dim": design.unit_dim,
        "period_dim": design.period_dim,
        "unit_effects": design.unit_effects,
        "period_effects": design.period_effects,
        "level_dims": json.dumps([one.dim for one in design.further]),
        "panel_sha256": design.panel_sha256,
        "synthetic": design.synthetic or "",
        "engine": engine,
        "priors": json.dumps(plain(priors)),
        "seed": seed,
        "draws": draws,
        "chains": chains,
        "versions": json.dumps(package_versions()),
        "gate": json.dumps(plain(gate)),
        "converged": int(all(item.passed for item in gate)),
        "log_evidence": float("nan") if log_evidence is None else log_evidence,
        "notes": json.dumps([[note.name, note.count, note.text] for note in design.notes]),
    }
