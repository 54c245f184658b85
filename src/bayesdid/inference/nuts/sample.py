"""The sampling engine: any compiled model by nutpie, gated and named."""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayesdid.design.design import Design
from bayesdid.exceptions import InputError
from bayesdid.inference.gate import GateItem, chain_gate
from bayesdid.inference.nuts.chain import Attempt, sample_chains
from bayesdid.inference.registry import Size
from bayesdid.inference.tree import assemble, provenance, with_constant
from bayesdid.model.errors import Errors
from bayesdid.model.mean import Mediation, Path, Pooled, Propensity, TwoWay
from bayesdid.model.model import Model
from bayesdid.model.priors import Priors, on_link_scale
from bayesdid.model.resolve import AnyDesign, base_of, outcome_priors


def sample_model(model: Model, design: AnyDesign, priors: Priors, size: Size) -> xr.DataTree:
    """Posterior of a model by nutpie; chains that fail their gate get one longer chance.

    Parameters
    ----------
    design
        Under the model's effects.
    priors
        Of the outcome's equation.

    Returns
    -------
    DataTree
        Groups ``posterior``, ``sample_stats``, ``observed_data``, ``constant_data``.
        ``attrs["converged"]`` is 0 if the gate failed both times.
    """
    from bayesdid.model.pymc.compile import to_pymc

    base = base_of(design)
    propensity = isinstance(model.mean, Propensity)
    y = np.zeros(base.n) if propensity else on_link_scale(base, model.likelihood)
    found = sample_chains(
        lambda: to_pymc(model, design, priors=priors),
        _attempts(model),
        draws=size.draws,
        tune=size.tune,
        chains=size.chains,
        cores=size.cores,
        seed=size.seed,
        start={"alpha": float(y.mean()), "eta": y},
    )
    posterior, stats = found.thinned(), found.thinned("sample_stats")
    tree = _finished(model, base, posterior, stats, found.gate, priors, "nuts", size.seed)
    tree.attrs["draws_taken"] = size.draws * found.length
    return tree


def accepted(model: Model, design: AnyDesign, tree: xr.DataTree) -> xr.DataTree:
    """Draws that a user made of ``to_pymc(model, design)``, gated and named.

    Raises
    ------
    InputError
        If the draws lack a variable of the model, or a dimension has another length.
    """
    from bayesdid.model.pymc.compile import to_pymc

    posterior = tree["posterior"].to_dataset()
    compiled = to_pymc(model, design)
    wanted = [v.name for v in (*compiled.free_RVs, *compiled.deterministics)]
    if missing := [name for name in wanted if name not in posterior and not _internal(name)]:
        raise InputError(
            "the draws lack a variable of the model",
            value=missing[0],
            remedy="sample the model that to_pymc() gives, and keep all its variables",
        )
    for dim, labels in compiled.coords.items():
        if dim in posterior.dims and labels is not None and posterior.sizes[dim] != len(labels):
            raise InputError(
                f"the draws have {posterior.sizes[dim]} levels of {dim}, the model {len(labels)}",
                remedy="hand in draws of this model and design",
            )
    stats = tree["sample_stats"].to_dataset() if "sample_stats" in tree else None
    own = posterior[[name for name in posterior.data_vars if name in wanted]]
    priors = outcome_priors(model, design)
    return _finished(model, base_of(design), own, stats, chain_gate(tree), priors, "user", 0)


def _attempts(model: Model) -> list[Attempt]:
    """Smaller steps where scales of random levels make the posterior curved.

    Errors inside a count's predictor and effects explain the same rows: longer chains.
    """
    curved = model.errors.scale == "unit" or {"random", "mundlak"} & {
        effect.kind for effect in model.effects
    }
    latent = model.likelihood.is_discrete and model.errors != Errors()
    again: dict[str, float | str] = {"target_accept": 0.97}
    if isinstance(model.mean, Mediation):  # levels of several equations correlate with intercepts
        again["adaptation"] = "low_rank"
    return [
        Attempt(3 if latent else 1, {"target_accept": 0.9 if curved else 0.8}),
        Attempt(8 if latent else 4, again),
    ]


def _finished(
    model: Model,
    base: Design,
    posterior: xr.Dataset,
    stats: xr.Dataset | None,
    gate: list[GateItem],
    priors: Priors,
    engine: str,
    seed: int,
) -> xr.DataTree:
    """Groups and attributes of a result."""
    posterior = posterior.drop_vars([str(v) for v in posterior.data_vars if _internal(str(v))])
    if isinstance(model.mean, TwoWay | Pooled | Path):
        posterior = with_constant(posterior, base)
    tree = assemble(posterior, base, sample_stats=stats)
    sizes = posterior.sizes
    tree.attrs = provenance(base, priors, engine, seed, sizes["draw"], sizes["chain"], gate, None)
    return tree


def _internal(name: str) -> bool:
    from bayesdid.model.pymc.setting import is_internal

    return is_internal(name)
