"""Why a fit did not converge, in one line: which criterion, of which quantity, and what to do."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

from bayesdid.inference.gate import GateItem

_APART = 1.1  # R-hat beyond which chains are in different places, and longer ones rarely help
_NAMES = {
    "rhat": "R-hat",
    "ess_bulk": "bulk ESS",
    "ess_tail": "tail ESS",
    "divergences": "divergences",
    "e_bfmi": "E-BFMI",
    "quadrature_error": "quadrature error",
    "edge_mass": "mass at the ends of the nodes",
    "acceptance": "acceptance",
    "logdet_error": "error of the log-determinant",
}
_TABLES = frozenset({"quadrature_error", "edge_mass", "acceptance"})


def failure(tree: xr.DataTree) -> str:
    """What failed and the remedy; empty if the gate passed.

    Parameters
    ----------
    tree
        Of a fit; ``R-hat`` and ESS name the quantity that is worst among all of its posterior.
    """
    items = [GateItem(**item) for item in json.loads(tree.attrs["gate"])]
    failed = [item for item in items if not item.passed]
    if not failed:
        return ""
    return f"{'; '.join(_said(item, tree) for item in failed)}: {_remedy(failed, tree)}"


def _said(item: GateItem, tree: xr.DataTree) -> str:
    name, value, limit = item.name, item.value, item.limit
    label = _NAMES.get(name, name)
    if name == "divergences":
        return f"{value:.0f} divergent draws"
    if value is None or not np.isfinite(value):  # JSON writes what is no number as none
        return f"{label} is not defined"
    above = name in {"ess_bulk", "ess_tail", "e_bfmi", "acceptance"}
    said = f"{label} {value:.4g} ({'at least' if above else 'at most'} {limit:.4g})"
    if name in {"rhat", "ess_bulk", "ess_tail"} and (worst := worst_of(name, tree)):
        said += f" of {worst}"
    return said


def worst_of(name: str, tree: xr.DataTree) -> str:
    """The quantity with the largest R-hat or the smallest ESS, ``tau[D]``; empty if none has one.

    Parameters
    ----------
    name
        ``rhat``, ``ess_bulk`` or ``ess_tail``.
    """
    import arviz_stats as az

    posterior = tree["posterior"].to_dataset()
    if posterior.sizes["chain"] < 2 and name == "rhat":
        return ""
    kind, _, method = name.partition("_")
    found = az.ess(posterior, method=method) if method else az.rhat(posterior)
    worst: tuple[float, str] = (-np.inf, "")
    for variable, values in found.data_vars.items():
        sizes = np.ravel(values.to_numpy()) * (1 if kind == "rhat" else -1)
        if not np.isfinite(sizes).any():
            continue
        at = int(np.nanargmax(np.where(np.isfinite(sizes), sizes, -np.inf)))
        if sizes[at] > worst[0]:
            place = np.unravel_index(at, values.shape)
            labels = [
                str(values[dim].to_numpy()[k]) if dim in values.coords else str(k)
                for dim, k in zip(values.dims, place, strict=True)
            ]
            worst = (
                float(sizes[at]),
                f"{variable}[{', '.join(labels)}]" if labels else str(variable),
            )
    return worst[1]


def _remedy(failed: list[GateItem], tree: xr.DataTree) -> str:
    """The one thing to try first."""
    if tree["posterior"].sizes["chain"] < 2 and "rhat" in {item.name for item in failed}:
        return "take two chains or more (chains=4): R-hat compares them"
    values = {item.name: item.value for item in failed}
    draws = 4 * int(tree.attrs.get("draws_taken", tree.attrs.get("draws", 1000)))
    if "logdet_error" in values:
        return 'take logdet = "eigenvalues"'
    if _TABLES & set(values):
        return 'take engine="nuts", which samples the same model, or proper priors'
    if "divergences" in values or "e_bfmi" in values:
        return "take more tuning (tune=2000), proper priors, or leave out a random effect"
    if values.get("rhat", 1.0) > _APART:
        return (
            "chains are in different places: take proper priors, or leave out what the data hardly "
            f"tell; else longer chains (draws={draws})"
        )
    return f"take longer chains (draws={draws})"
