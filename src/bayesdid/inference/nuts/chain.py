"""Chains of a PyMC model by nutpie, with one more chance for a chain that was too short."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import xarray as xr

from bayesdid.inference.gate import GateItem, chain_gate


class Attempt(NamedTuple):
    """One way to run chains.

    Attributes
    ----------
    length
        Times the draws asked for.
    options
        Of ``pm.sample``, e.g. ``target_accept``.
    """

    length: int
    options: dict[str, Any]


class Chains(NamedTuple):
    """What the last attempt gave, its gate, and how many times too long it is."""

    tree: xr.DataTree
    gate: list[GateItem]
    length: int

    def thinned(self) -> xr.Dataset:
        """The posterior with as many draws as were asked for."""
        return self.tree["posterior"].to_dataset().isel(draw=slice(None, None, self.length))


def sample_chains(
    build: Callable[[], Any],
    attempts: Sequence[Attempt],
    *,
    draws: int,
    seed: int,
    tune: int = 1000,
    chains: int = 4,
    cores: int = 2,
) -> Chains:
    """Run `attempts` in turn until one passes :func:`~bayesdid.inference.gate.chain_gate`."""
    import pymc as pm

    for length, options in attempts:
        with build(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # convergence is judged by our own gate
            tree = pm.sample(
                draws=draws * length,
                tune=tune,
                chains=chains,
                cores=cores,
                random_seed=seed,
                nuts_sampler="nutpie",
                progressbar=False,
                compute_convergence_checks=False,
                quiet=True,
                **options,
            )
        gate = chain_gate(tree)
        if all(item.passed for item in gate):
            break
    return Chains(tree, gate, length)
