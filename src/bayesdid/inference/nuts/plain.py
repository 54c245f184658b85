"""Plain engine: the PyMC model as written, sampled by nutpie."""

from __future__ import annotations

import warnings

import xarray as xr

from bayesdid.design.design import Design
from bayesdid.inference.tree import with_constant
from bayesdid.model.priors import Priors


def draw_plain(
    design: Design, priors: Priors, *, draws: int, tune: int, chains: int, seed: int, cores: int
) -> tuple[xr.Dataset, xr.Dataset]:
    """Posterior and sampler statistics of :func:`bayesdid.model.pymc.twfe.build`."""
    import pymc as pm

    from bayesdid.model.pymc.twfe import build

    model = build(design, priors)
    with model, warnings.catch_warnings():
        # Numba and nutpie announce internals; convergence is judged by our own gate.
        warnings.simplefilter("ignore")
        tree = pm.sample(
            draws=draws,
            tune=tune,
            chains=chains,
            cores=cores,
            random_seed=seed,
            nuts_sampler="nutpie",
            progressbar=False,
            compute_convergence_checks=False,
            quiet=True,
        )
    posterior = tree["posterior"].to_dataset().drop_vars("log_sigma", errors="ignore")
    posterior = posterior.drop_vars([v for v in posterior.data_vars if str(v).endswith("__")])
    return with_constant(posterior, design), tree["sample_stats"].to_dataset()
