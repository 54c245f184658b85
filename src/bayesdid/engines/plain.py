"""Plain engine: the PyMC model as written, sampled by nutpie."""

from __future__ import annotations

import warnings

import xarray as xr

from bayesdid.design.design import Design
from bayesdid.design.priors import Priors
from bayesdid.engines.tree import with_constant


def draw_plain(
    design: Design, priors: Priors, *, draws: int, tune: int, chains: int, seed: int, cores: int
) -> tuple[xr.Dataset, xr.Dataset]:
    """Posterior and sampler statistics of :func:`bayesdid.models.twfe.build`."""
    import pymc as pm

    from bayesdid.models.twfe import build

    model = build(design, priors)
    with model, warnings.catch_warnings():
        # Numba and nutpie announce internals; convergence is judged by our own gate.
        warnings.simplefilter("ignore")
        tree = pm.sample(
            draws=draws, tune=tune, chains=chains, cores=cores, random_seed=seed,
            nuts_sampler="nutpie", progressbar=False, compute_convergence_checks=False, quiet=True,
        )  # fmt: skip
    posterior = tree["posterior"].to_dataset().drop_vars("log_sigma", errors="ignore")
    posterior = posterior.drop_vars([v for v in posterior.data_vars if str(v).endswith("__")])
    return with_constant(posterior, design), tree["sample_stats"].to_dataset()
