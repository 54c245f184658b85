"""Simulation-based calibration of any model: is the rank of the truth uniform?

Talts et al. (2018), arXiv:1804.06788: parameters from the prior, outcomes from the model, the rank
of each true value among draws of its posterior. Parameters are drawn from the compiled model
(:mod:`bayesdid.model.pymc`), outcomes by :mod:`bayesdid.inference.pointwise`, posteriors by the
engine that ``engine="auto"`` takes: three writings of one model, so that an error in any of them
shows. Prior scales are numbers that do not depend on the outcome, as for anybody who simulates from
a prior they cannot.

Flat directions (intercepts, fixed effects) have no prior to draw from: they have one arbitrary
value. Ranks of what does not depend on their value are uniform all the same, because the posterior
moves along with it (a flat prior is the right Haar measure of translations).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import binom, chisquare

from bayesdid.design.design import Design
from bayesdid.inference.engines import ENGINES
from bayesdid.inference.exact.pooled import fit_pooled
from bayesdid.inference.executor import item_seed
from bayesdid.inference.pointwise import pointwise
from bayesdid.inference.registry import Size, choose
from bayesdid.model.mean import Mediation, Pooled
from bayesdid.model.model import Model
from bayesdid.model.pooling import Pooling
from bayesdid.model.priors import Priors
from bayesdid.model.resolve import under_effects

RANKS = 100  # 99 draws in each replication
SIMULATIONS = 40_000  # of uniform ranks: p-values down to 1 in 40,000
SHAPE = {"alpha": 1.5, "alpha_mediator": 0.5, "sigma": 0.7, "sigma_treatment": 0.9}


@dataclass(frozen=True, slots=True)
class Cell:
    """A model of a small design, and what is ranked.

    Attributes
    ----------
    name
        What to call it.
    make
        Its design; the outcome is replaced.
    model
        What outcomes are drawn from.
    quantities
        Variables of the posterior; of arrays the first element.
    sampled
        Whether a chain runs on the compiled model, compiled once for all outcomes.
    wrong
        A deliberate error of the posterior: ``prior`` (its sd twice what it is), ``narrow`` (half
        as wide), ``iid`` (errors taken as independent), or none.
    """

    name: str
    make: Callable[[], Design]
    model: Model
    quantities: tuple[str, ...]
    sampled: bool = False
    wrong: str = ""

    def design(self) -> Design:
        """The design under the model's effects."""
        found = under_effects(self.make(), self.model)
        assert isinstance(found, Design)
        return found


def cell_priors(design: Design, model: Model) -> Priors:
    """Normal priors of sd 0.5, scales of mean 1: they matter beside a small panel."""
    names = design.names
    if isinstance(model.mean, Mediation):
        names = tuple(name for name in names if name not in model.mean.mediators)
        names = (*names, *model.mean.mediators)
    return Priors("user", dict.fromkeys(names, 0.0), dict.fromkeys(names, 0.5), 0.5, 1.0)


def prior_draws(compiled: Any, size: int, seed: int) -> xr.Dataset:
    """Draws of every variable with a proper prior; the others at one arbitrary value."""
    import pymc as pm
    from pymc.distributions.continuous import FlatRV, HalfFlatRV
    from pytensor.graph.traversal import ancestors

    flat = [v for v in compiled.free_RVs if isinstance(v.owner.op, FlatRV | HalfFlatRV)]
    proper = [v for v in compiled.free_RVs if v not in flat]
    made = [v for v in compiled.deterministics if not set(flat) & set(ancestors([v]))]
    wanted = [*proper, *made]
    values = pm.draw(wanted, draws=size, random_seed=seed, mode="FAST_COMPILE")
    found = {v.name: np.asarray(value) for v, value in zip(wanted, values, strict=True)}
    rng = np.random.default_rng(7)
    sizes = {dim: len(labels) for dim, labels in compiled.coords.items() if labels is not None}
    for v in flat:
        dims = compiled.named_vars_to_dims.get(v.name, ())
        name = v.name.removesuffix("_and_share")
        value = SHAPE.get(name, rng.normal(size=[sizes[dim] for dim in dims]))
        if name != v.name:  # fixed effects sum to zero over their levels
            value = value - value.mean(axis=0)
        found[name] = np.broadcast_to(value, (size, *[sizes[dim] for dim in dims]))
    dims = dict(compiled.named_vars_to_dims)
    return xr.Dataset(
        {
            name: (("chain", "draw", *dims.get(name, ())), value[None])
            for name, value in found.items()
        },
        {"chain": [0], "draw": np.arange(size)},
    )


def simulated(cell: Cell, size: int, seed: int) -> tuple[xr.Dataset, dict[str, np.ndarray]]:
    """True values and outcomes of `size` replications."""
    from bayesdid.model.pymc.compile import to_pymc

    design = cell.design()
    priors = cell_priors(design, cell.model)
    with reference_scale():
        compiled = to_pymc(cell.model, design, priors=priors)
    truth = prior_draws(compiled, size, seed)
    rng = np.random.default_rng([seed, 1])
    groups = pointwise(truth, cell.model, design, log_likelihood=False, replications=True, rng=rng)
    found = groups["posterior_predictive"]
    return truth, {str(name): found[name].to_numpy()[0] for name in found}


def with_outcomes(design: Design, model: Model, outcomes: dict[str, np.ndarray], k: int) -> Design:
    """The design with replication k of what the model explains."""
    design = dataclasses.replace(design, y=outcomes["y"][k])
    if isinstance(model.mean, Mediation):
        X = design.X.copy()
        for name in model.mean.mediators:
            X[:, design.covariates.index(name)] = outcomes[f"M_{name}"][k]
        design = dataclasses.replace(design, X=X)
    return design


class FixedPooling(Pooling):
    """Parts whose priors do not depend on the outcome."""

    @property
    def scale(self) -> float:
        return POOLED_SCALE

    def priors(self) -> Priors:
        return cell_priors(self.design, Model(mean=Pooled()))


POOLED_SCALE = 0.25  # of parts; what 0.25 sd(y) is where sd(y) is one


class reference_scale:  # noqa: N801  # reads as a statement
    """Scales of parts and paths as they are where sd(y) is one, whatever the outcome."""

    def __enter__(self) -> None:
        import bayesdid.model.pooling as pooling
        import bayesdid.model.pymc.path as path

        self.modules = [(pooling, pooling.on_link_scale), (path, path.on_link_scale)]
        for module, _ in self.modules:
            module.on_link_scale = lambda *_: np.array([-1.0, 1.0])

    def __exit__(self, *_: object) -> None:
        for module, function in self.modules:
            module.on_link_scale = function


def posterior(cell: Cell, design: Design, priors: Priors, seed: int) -> xr.Dataset:
    """Draws by the engine that ``auto`` takes, under priors that are given."""
    model = cell.model
    if cell.wrong == "iid":
        model = dataclasses.replace(model, errors=type(model.errors)())
    if cell.wrong == "prior":
        priors = dataclasses.replace(priors, sds={n: 2 * sd for n, sd in priors.sds.items()})
    if isinstance(model.mean, Pooled):
        tree = fit_pooled(
            FixedPooling(design), errors=model.errors, draws=RANKS, chains=4, seed=seed
        )
    else:
        engine = choose(ENGINES, "auto", model, design)
        tree = engine.draw(model, design, priors, Size(RANKS, chains=4, cores=1, seed=seed))
    return tree["posterior"].to_dataset()


@cache
def _compiled(cell: Cell) -> Any:
    import nutpie

    from bayesdid.model.pymc.compile import to_pymc

    design = cell.design()
    with reference_scale():
        compiled = to_pymc(cell.model, design, priors=cell_priors(design, cell.model))
    return nutpie.compile_pymc_model(compiled)


def sampled_posterior(cell: Cell, y: np.ndarray, seed: int) -> xr.Dataset:
    """Draws of a chain on the compiled model, the outcome put in."""
    import nutpie

    tree = nutpie.sample(
        _compiled(cell).with_data(outcome=y),
        draws=500,
        tune=500,
        chains=2,
        cores=1,
        seed=seed,
        target_accept=0.9,
        progress_bar=False,
    )
    return tree["posterior"].to_dataset()


def first(values: xr.DataArray) -> np.ndarray:
    """Draws of a variable's first element, chains one after the other."""
    array = values.transpose("chain", "draw", ...).to_numpy()
    return array.reshape(array.shape[0] * array.shape[1], -1)[:, 0]


def ranks(cell: Cell, size: int, seed: int = 0) -> pd.DataFrame:
    """Rank of the truth among 99 draws, one row for each replication."""
    seed = item_seed(seed, cell.name) % 2**31
    design, rows = cell.design(), []
    priors = cell_priors(design, cell.model)
    truth, outcomes = simulated(cell, size, seed)
    for k in range(size):
        if cell.sampled:
            found = sampled_posterior(cell, outcomes["y"][k], seed + k)
        else:
            own = with_outcomes(design, cell.model, outcomes, k)
            found = posterior(cell, own, priors, seed + k)
        row = {}
        for name in cell.quantities:
            draws = first(found[name])
            draws = draws[np.linspace(0, len(draws) - 1, RANKS - 1).astype(int)]
            if cell.wrong == "narrow":
                draws = draws.mean() + (draws - draws.mean()) / 2
            row[name] = int((draws < first(truth[name])[k]).sum())
        rows.append(row)
    return pd.DataFrame(rows)


def ecdf_p(found: np.ndarray) -> float:
    """Simultaneous p-value of the ECDF of ranks (Säilynoja, Bürkner & Vehtari 2022).

    doi:10.1007/s11222-022-10090-6, section 2.2: the smallest pointwise tail area of the ECDF at
    the ranks' values, compared with that of simulated uniform ranks.
    """
    tails, reference = _uniform(len(found))
    own = _smallest(np.bincount(found, minlength=RANKS)[None], tails)[0]
    return float((1 + (reference <= own).sum()) / (1 + len(reference)))


@cache
def _uniform(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Tail area of each ECDF's value at each rank, (n + 1, 99), and smallest ones by chance."""
    below, at = np.arange(n + 1)[:, None], np.arange(1, RANKS) / RANKS
    tails = 2 * np.minimum(binom.cdf(below, n, at), binom.sf(below - 1, n, at))
    counts = np.random.default_rng(n).multinomial(n, np.full(RANKS, 1 / RANKS), SIMULATIONS)
    return tails, _smallest(counts, tails)


def _smallest(counts: np.ndarray, tails: np.ndarray) -> np.ndarray:
    return tails[counts.cumsum(axis=1)[:, :-1], np.arange(RANKS - 1)].min(axis=1)


def uniformity(cell: Cell, found: pd.DataFrame) -> list[dict[str, object]]:
    """Chi-square and ECDF p-values of each quantity."""
    bins = 20 if len(found) >= 200 else 10
    rows: list[dict[str, object]] = []
    for name in found:
        values = found[name].to_numpy()
        counts = np.bincount(values * bins // RANKS, minlength=bins)
        rows.append(
            {
                "cell": cell.name,
                "quantity": name,
                "replications": len(values),
                "mean rank": float((values + 0.5).mean() / RANKS),
                "chi-square p": float(chisquare(counts).pvalue),
                "ECDF p": ecdf_p(values),
            }
        )
    return rows
