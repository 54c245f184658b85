"""Fit a design under any of the error models: the fastest engine that is exact for it."""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np
import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.design.within import absorb
from bayesdid.exceptions import InputError
from bayesdid.inference.exact.gaussian import fit_gaussian
from bayesdid.inference.fit import fit
from bayesdid.inference.nuts.chain import Attempt, sample_chains
from bayesdid.inference.tree import provenance
from bayesdid.model.errors import Errors
from bayesdid.model.priors import Priors, resolve_priors

_SPREAD = 0.2  # of log residual sds between units, beyond which the centred way mixes better

ErrorName = Literal["iid", "ar1", "unit_variance", "student_t", "negative_binomial"]


def fit_errors(
    design: Design,
    kind: ErrorName,
    *,
    exposure: FloatArray | None = None,
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    cores: int = 1,
    seed: int = 0,
) -> xr.DataTree:
    """Posterior of a design under weak priors and one error model of :mod:`~.model.pymc.errors`.

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
        return fit_gaussian(design, errors=Errors("ar1"), seed=seed, draws=draws, chains=chains)
    priors = resolve_priors("weak", design)
    if kind == "negative_binomial":
        priors = count_priors(design, exposure)
    from bayesdid.model.pymc.errors import build

    centred = kind == "unit_variance" and _variances_differ(design)
    # centred variances and omega are correlated: a diagonal mass matrix diverges
    options = {"nuts_sampler_kwargs": {"low_rank_modified_mass_matrix": centred}}
    found = sample_chains(
        lambda: build(design, priors, kind, exposure, centred=centred),
        [Attempt(1, options), Attempt(3, options)],
        draws=draws,
        tune=tune,
        chains=chains,
        cores=cores,
        seed=seed,
    )
    tree = found.tree
    tree["posterior"] = xr.DataTree(found.thinned())
    tree.attrs = provenance(design, priors, "plain", seed, draws, chains, found.gate, None)
    return tree


def _variances_differ(design: Design) -> bool:
    """Whether log residual sds of units spread by clearly more than sampling makes them."""
    W = absorb(
        np.column_stack([design.regressors, design.y]),
        design.unit_index,
        design.period_index,
        unit=design.unit_effects != "none",
        period=design.period_effects != "none",
    )
    e = W[:, -1] - W[:, :-1] @ np.linalg.lstsq(W[:, :-1], W[:, -1], rcond=None)[0]
    rows = np.bincount(design.unit_index)
    sums = np.bincount(design.unit_index, e**2)
    seen = (rows > 2) & (sums > 0)
    logs = 0.5 * np.log(sums[seen] / rows[seen])
    noise = 0.5 / (rows[seen] - 1)  # variance of a log sd
    return bool(logs.var() - noise.mean() > _SPREAD**2)


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
        raise InputError(
            f"{design.spec_id}: an exposure must be positive",
            value=float(size.min()),
            remedy="leave such rows out",
        )
    log_rate = np.log((y + 0.5) / size)
    return resolve_priors("weak", dataclasses.replace(design, y=log_rate))
