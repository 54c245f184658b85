"""What a fit is asked for: coefficients and effects by the names that people read."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr

from bayesdid.arrays import FloatArray

_COEFFICIENTS = (
    ("tau", "treatment"),
    ("beta", "covariate"),
    ("theta", "lag"),
    ("theta", "ring"),
    ("delta", "past"),
    ("b", "mediator"),
)


def stacked(tree: xr.DataTree, name: str, **labels: str | list[str]) -> FloatArray:
    """Draws of a variable, chains one after the other, shape (S, ...); at some labels if given."""
    values = tree["posterior"][name].sel(labels)
    draws = values.transpose("chain", "draw", ...).to_numpy()
    return np.asarray(draws.reshape(-1, *draws.shape[2:]))


def quantities(tree: xr.DataTree) -> Iterator[tuple[str, FloatArray]]:
    """Name and draws, (chain, draw), of every coefficient and of what follows from them."""
    posterior, instrument = tree["posterior"], str(tree.attrs.get("instrument", ""))
    for name, dim in _COEFFICIENTS:
        if name in posterior and dim in posterior[name].dims:
            for label in posterior[dim].to_numpy():
                yield str(label), posterior[name].sel({dim: label}).to_numpy()
    if "a" in posterior:  # paths to the mediators, named as their priors are
        for mediator in posterior["mediator"].to_numpy():
            for name, dim in (("a", "treatment"), ("gamma", "covariate")):
                if name in posterior:
                    for label in posterior[dim].to_numpy():
                        at = {dim: label, "mediator": mediator}
                        yield f"{mediator} ~ {label}", posterior[name].sel(at).to_numpy()
    if instrument and "pi" in posterior:
        treatment = posterior["treatment"].to_numpy()[0]
        yield f"{treatment} ~ {instrument}", posterior["pi"].to_numpy()
    if "rho" in posterior:
        yield "rho", posterior["rho"].to_numpy()
    yield from consequences(tree)


def consequences(tree: xr.DataTree) -> Iterator[tuple[str, FloatArray]]:
    """The same of effects that several coefficients make together: spatial ones, mediated ones."""
    posterior = tree["posterior"]
    if "effects" in posterior:
        for term in posterior["treatment"].to_numpy():
            for part in posterior["effect"].to_numpy():
                found = posterior["effects"].sel(term=term, effect=part)
                yield f"{term}: {part}", found.to_numpy()
    if "indirect" in posterior:
        for term in posterior["treatment"].to_numpy():
            for mediator in posterior["mediator"].to_numpy():
                at = {"treatment": term, "mediator": mediator}
                yield f"{term} through {mediator}", posterior["indirect"].sel(at).to_numpy()
            yield f"{term}: total", posterior["total"].sel(treatment=term).to_numpy()
