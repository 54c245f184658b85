"""Fit a design under any of the error models: the fastest engine that is exact for it."""

from __future__ import annotations

import dataclasses
import warnings
from typing import Literal

import numpy as np
import xarray as xr

from bayesdid.design.design import Design, FloatArray
from bayesdid.design.priors import Priors, resolve_priors
from bayesdid.engines.ar1 import fit_ar1
from bayesdid.engines.fit import fit
from bayesdid.engines.gate import chain_gate
from bayesdid.engines.tree import provenance
from bayesdid.errors import InputError

ErrorName = Literal["iid", "ar1", "unit_variance", "student_t", "negative_binomial"]


def fit_errors(
    design: Design, kind: ErrorName, *, exposure: FloatArray | None = None, draws: int = 1000,
    tune: int = 1000, chains: int = 4, cores: int = 1, seed: int = 0,
) -> xr.DataTree:  # fmt: skip
    """Posterior of a design under weak priors and one error model of :mod:`~.models.errors`.

    Parameters
    ----------
    design
        With counts as `y` for ``negative_binomial``.
    exposure
        Of the counts, shape (n,).

    Raises
    ------
    InputError
        If counts are negative or not whole, or an exposure is not positive.
    """
    if kind == "iid":
        return fit(design, seed=seed, draws=draws, chains=chains)
    if kind == "ar1":
        return fit_ar1(design, seed=seed, draws=draws, chains=chains)
    priors = resolve_priors("weak", design)
    if kind == "negative_binomial":
        priors = count_priors(design, exposure)
    import pymc as pm

    from bayesdid.models.errors import build

    for length in (1, 3):  # one more chance: longer, and variances written the other way
        model = build(design, priors, kind, exposure, centred=length == 1)
        with model, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # convergence is judged by our own gate
            tree = pm.sample(
                draws=draws * length, tune=tune, chains=chains, cores=cores, random_seed=seed,
                nuts_sampler="nutpie", progressbar=False, compute_convergence_checks=False,
                quiet=True,
                # variances of units and omega are correlated: a diagonal mass matrix diverges
                nuts_sampler_kwargs={"low_rank_modified_mass_matrix": kind == "unit_variance"},
            )  # fmt: skip
        gate = chain_gate(tree)
        if all(item.passed for item in gate):
            break
    tree["posterior"] = xr.DataTree(
        tree["posterior"].to_dataset().isel(draw=slice(None, None, length))
    )
    tree.attrs = provenance(design, priors, "plain", seed, draws, chains, gate, None)
    return tree


def count_priors(design: Design, exposure: FloatArray | None) -> Priors:
    """Weak priors on the scale of the log rate, whose sd stands in for sd(y).

    Raises
    ------
    InputError
        See :func:`fit_errors`.
    """
    y = design.y
    if (y < 0).any() or (y % 1 != 0).any():
        raise InputError(
            f"{design.spec_id}: counts must be whole numbers of at least zero",
            value=float(y[(y < 0) | (y % 1 != 0)][0]),
            remedy="name a count column",
        )
    size = np.ones(design.n) if exposure is None else exposure
    if not (size > 0).all():
        raise InputError(f"{design.spec_id}: an exposure must be positive",
                         value=float(size.min()), remedy="leave such rows out")  # fmt: skip
    log_rate = np.log((y + 0.5) / size)
    return resolve_priors("weak", dataclasses.replace(design, y=log_rate))
