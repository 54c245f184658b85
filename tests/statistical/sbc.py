"""Simulation-based calibration of any model: is the rank of the truth uniform?

Talts et al. (2018), arXiv:1804.06788: parameters from the prior, outcomes from the model, the rank
of each true value among draws of its posterior. Parameters are drawn from the compiled model
(:mod:`bayesdid.model.pymc`), outcomes by :mod:`bayesdid.inference.pointwise`, posteriors by the
engine that ``engine="auto"`` takes: three writings of one model, so that an error in any of them
shows. Prior scales are numbers that do not depend on the outcome, as for anybody who simulates from
a prior they cannot.

Flat directions (intercepts, fixed effects; sigma of spatial models) have no prior to draw from:
they have one arbitrary value. Ranks of what does not depend on their value are uniform all the
same, because the posterior moves along with it (each such prior is the group's right Haar measure).
Counts have no such group: under flat unit effects the posterior of a latent error's sd lies above
the truth (incidental parameters), so that their cells have random effects and a proper intercept.
The covariance of an instrument's two equations has no such group: its true values are drawn from an
inverse Wishart, and the engine's draws thinned to that prior by rejection.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from sbc_prior import cell_priors, compiled, fixed_scales, log_share, simulated, with_outcomes
from sbc_uniform import RANKS

from bayesdid.inference.engines import ENGINES
from bayesdid.inference.executor import item_seed
from bayesdid.inference.registry import Size, choose
from bayesdid.model.geometry import chosen_by_data
from bayesdid.model.mean import Instrument
from bayesdid.model.model import Model
from bayesdid.model.resolve import AnyDesign, base_of, under_effects


@dataclass(frozen=True, slots=True)
class Cell:
    """A model of a small design, and what is ranked.

    Attributes
    ----------
    name
        What to call it.
    make
        Its design; what the model explains is replaced.
    model
        What outcomes are drawn from.
    quantities
        Variables of the posterior; of arrays the first element, or ``name:k`` element k.
    functional
        Weights of ``tau`` whose sum is ranked as ``synergy``, or none.
    chain
        Draws of each of two chains on the compiled model, compiled once for all outcomes of one
        geometry: where that is what `auto` takes. 0: the engine itself is run.
    wrong
        A deliberate error of the posterior: ``prior`` (its sd twice what it is), ``narrow`` (half
        as wide), ``iid`` (errors taken as independent), or none.
    """

    name: str
    make: Callable[[], AnyDesign]
    model: Model
    quantities: tuple[str, ...]
    functional: Callable[[], np.ndarray] | None = None
    chain: int = 0
    wrong: str = ""

    def design(self) -> AnyDesign:
        """The design under the model's effects."""
        return under_effects(self.make(), self.model)


def engine_of(cell: Cell) -> str:
    """Name of the engine that `auto` takes."""
    return choose(ENGINES, "auto", cell.model, cell.design()).name


def posterior(cell: Cell, design: AnyDesign, seed: int) -> xr.Dataset:
    """Draws by the engine that `auto` takes, under priors that do not depend on the outcome."""
    model, priors = cell.model, cell_priors(design, cell.model)
    if cell.wrong == "iid":
        model = dataclasses.replace(model, errors=type(model.errors)())
    if cell.wrong == "prior":
        priors = dataclasses.replace(priors, sds={n: 2 * sd for n, sd in priors.sds.items()})
    engine = choose(ENGINES, "auto", model, design)
    with fixed_scales():
        if isinstance(model.mean, Instrument):
            return _thinned(lambda size: engine.draw(model, design, priors, size), seed)
        tree = engine.draw(model, design, priors, Size(RANKS, chains=4, cores=1, seed=seed))
    return tree["posterior"].to_dataset()


def _thinned(draw: Callable[[Size], xr.DataTree], seed: int) -> xr.Dataset:
    """Draws under a proper prior of the covariance, as many as are ranked."""
    kept: list[xr.Dataset] = []
    while sum(part.sizes["draw"] for part in kept) < RANKS - 1:
        own = np.random.default_rng([seed, len(kept)])
        size = Size(1500, chains=1, seed=int(own.integers(2**31)))
        found = draw(size)["posterior"].to_dataset()
        kept.append(found.isel(draw=np.flatnonzero(np.log(own.random(1500)) < log_share(found))))
    whole = xr.concat([part.drop_vars("draw") for part in kept], "draw")
    return whole.isel(draw=slice(0, RANKS - 1))


def chains(cell: Cell, sampler: Any, y: np.ndarray, seed: int) -> xr.Dataset:
    """Draws of two chains on the compiled model, the outcome put in.

    Chains with fewer effective draws than are ranked get one longer chance, as the engine's do.
    """
    import nutpie

    own = sampler.with_data(outcome=y)
    for longer, accept in ((1, 0.9), (4, 0.97)):
        tree = nutpie.sample(
            own,
            draws=longer * cell.chain,
            tune=cell.chain,
            chains=2,
            cores=1,
            seed=seed,
            target_accept=accept,
            progress_bar=False,
        )
        found = tree["posterior"].to_dataset()
        if enough(quantities(cell, found)):
            break
    return found


def enough(ranked: dict[str, np.ndarray]) -> bool:
    """Whether two chains have as many effective draws of everything as are ranked."""
    import arviz as az

    return all(az.ess(values.reshape(2, -1)) >= RANKS - 1 for values in ranked.values())


def element(values: xr.DataArray, k: int = 0) -> np.ndarray:
    """Draws of an element of a variable, chains one after the other."""
    array = values.transpose("chain", "draw", ...).to_numpy()
    return array.reshape(array.shape[0] * array.shape[1], -1)[:, k]


def quantities(cell: Cell, draws: xr.Dataset) -> dict[str, np.ndarray]:
    """What is ranked, shape (S,) each."""
    found = {}
    for text in cell.quantities:
        name, _, k = text.partition(":")
        found[text] = element(draws[name], int(k or 0))
    if cell.functional is not None:
        tau = draws["tau"].transpose("chain", "draw", ...).to_numpy()
        found["synergy"] = tau.reshape(-1, tau.shape[-1]) @ cell.functional()
    return found


def ranks(cell: Cell, size: int, seed: int = 0) -> pd.DataFrame:
    """Rank of the truth among 99 draws, one row for each replication."""
    seed = item_seed(seed, cell.name) % 2**31
    design, rows = cell.design(), []
    samplers: dict[frozenset[str], Any] = {}
    truth, outcomes = simulated(cell.model, design, size, seed)
    true = quantities(cell, truth)
    for k in range(size):
        own = with_outcomes(design, cell.model, outcomes, k)
        if cell.chain:
            geometry = chosen_by_data(cell.model, base_of(own))
            if geometry not in samplers:
                samplers[geometry] = _sampler(cell, own)
            found = chains(cell, samplers[geometry], outcomes["y"][k], seed + k)
        else:
            found = posterior(cell, own, seed + k)
        row = {}
        for name, draws in quantities(cell, found).items():
            some = draws[np.linspace(0, len(draws) - 1, RANKS - 1).astype(int)]
            if cell.wrong == "narrow":
                some = some.mean() + (some - some.mean()) / 2
            row[name] = int((some < true[name][k]).sum())
        rows.append(row)
    return pd.DataFrame(rows)


def _sampler(cell: Cell, design: AnyDesign) -> Any:
    import nutpie

    return nutpie.compile_pymc_model(compiled(cell.model, design))
