"""Chains of a PyMC model by nutpie, with one more chance for a chain that was too short."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from bayesdid.inference.executor import threads
from bayesdid.inference.gate import GateItem, chain_gate


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way to run chains.

    Attributes
    ----------
    length
        Times the draws asked for.
    options
        Of ``nutpie.sample``, e.g. ``target_accept``.
    """

    length: int
    options: dict[str, Any] = field(default_factory=dict)


class Chains(NamedTuple):
    """What the last attempt gave, its gate, and how many times too long it is."""

    tree: xr.DataTree
    gate: list[GateItem]
    length: int

    def thinned(self, group: str = "posterior") -> xr.Dataset:
        """A group with as many draws as were asked for."""
        found = self.tree[group].to_dataset().isel(draw=slice(None, None, self.length))
        return found.assign_coords(draw=np.arange(found.sizes["draw"]))


def sample_chains(
    build: Callable[[], Any],
    attempts: Sequence[Attempt],
    *,
    draws: int,
    seed: int,
    tune: int = 1000,
    chains: int = 4,
    cores: int = 2,
    start: dict[str, Any] | None = None,
) -> Chains:
    """Run `attempts` in turn until one passes :func:`~bayesdid.inference.gate.chain_gate`.

    The model is compiled once.

    Parameters
    ----------
    start
        Where to begin, by the names of free variables; those that a model lacks are left out.
    """
    import nutpie

    model = build()
    free = {variable.name for variable in model.free_RVs}
    points = {name: value for name, value in (start or {}).items() if name in free}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Numba announces internals; our own gate judges chains
        compiled = nutpie.compile_pymc_model(model, initial_points=points or None)
        for attempt in attempts:
            tree = nutpie.sample(
                compiled,
                draws=draws * attempt.length,
                tune=tune,
                chains=chains,
                cores=threads(cores),
                seed=seed,
                progress_bar=False,
                **attempt.options,
            )
            gate = chain_gate(tree)
            if all(item.passed for item in gate):
                break
    return Chains(tree, gate, attempt.length)
