"""Which engines there are, what each supports and costs, and which one a model gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr

from bayesdid.exceptions import InputError
from bayesdid.model.model import Model
from bayesdid.model.priors import Priors
from bayesdid.model.resolve import AnyDesign, base_of

MOST_DRAWS = 1_000_000
"""Draws of a chain."""

Kind = Literal["exact", "gibbs", "nuts"]


@dataclass(frozen=True, slots=True)
class Size:
    """How much to draw, and from which seed.

    Attributes
    ----------
    draws, chains
        Draws per chain, and chains; independent draws are cut into as many.
    tune
        Warm-up per chain, where a chain runs.
    cores
        Processes for chains.
    seed
        Of the random numbers.
    effects
        Whether engines that recover intercept and effects afterwards do so.
    """

    draws: int = 1000
    tune: int = 1000
    chains: int = 4
    cores: int = 2
    seed: int = 0
    effects: bool = True

    def __post_init__(self) -> None:
        """Refuse what no run can have.

        Raises
        ------
        InputError
            Naming the number and its limits.
        """
        for name, value, low, high in (
            ("seed", self.seed, 0, 2**32 - 1),
            ("draws", self.draws, 1, MOST_DRAWS),
            ("tune", self.tune, 0, MOST_DRAWS),
            ("chains", self.chains, 1, 1000),
            ("cores", self.cores, 1, 1000),
        ):
            whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
            if not whole or not low <= value <= high:
                raise InputError(
                    f"{name} is a whole number from {low} to {high}",
                    value=value,
                    remedy=f"give another {name}",
                )


@dataclass(frozen=True, slots=True)
class Engine:
    """One way to draw from the posterior of a model.

    Attributes
    ----------
    name
        What a result calls it, e.g. ``two_way``.
    kind
        ``exact`` (independent draws, an error that is a quadrature's), ``gibbs`` (chains of
        blocks drawn exactly) or ``nuts`` (chains of all parameters at once).
    cost
        Seconds for 4,000 draws of a panel of 218 units and 16 periods, roughly.
    refuses
        Why it cannot draw from a model of a design; empty if it can.
    draw
        Posterior as a tree, with provenance and the gate's verdict in its attributes.
    independent
        Whether its draws are independent, so that their number is their effective size.
    longer
        Whether it is run once more where its gate fails for want of draws; not if it makes longer
        chains of its own.
    """

    name: str
    kind: Kind
    cost: float
    refuses: Callable[[Model, AnyDesign], str]
    draw: Callable[[Model, AnyDesign, Priors, Size], xr.DataTree]
    independent: bool = True
    longer: bool = True


def choose(engines: tuple[Engine, ...], name: str, model: Model, design: AnyDesign) -> Engine:
    """The cheapest engine that supports a model, among all or those of one name or kind.

    Raises
    ------
    InputError
        If there is no such engine, or none supports the model; the message says why.
    """
    wanted = [engine for engine in engines if name in {"auto", engine.name, engine.kind}]
    if not wanted:
        known = dict.fromkeys(["auto", *(e.kind for e in engines), *(e.name for e in engines)])
        raise InputError("unknown engine", value=name, remedy=f"use {', '.join(known)}")
    reasons = []
    for engine in sorted(wanted, key=lambda engine: engine.cost):
        if not (reason := engine.refuses(model, design)):
            return engine
        reasons.append(f"{engine.name}: {reason}")
    raise InputError(
        f"{base_of(design).spec_id}: no engine{'' if name == 'auto' else f' {name}'} supports "
        f"this model ({'; '.join(reasons)})",
        remedy=_remedy(name, design),
    )


def _remedy(name: str, design: AnyDesign) -> str:
    """What to do where no engine, or none of a name, supports a model."""
    if name != "auto":
        return "use engine auto"
    if base_of(design).further:
        return "say errors ar1 or iid, under which slopes of units need no columns, or merge levels"
    return "change the likelihood, the errors or the effects"
