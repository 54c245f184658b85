"""What every builder function is given: the model, the data, the priors as numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bayesdid.design.design import Design
from bayesdid.model.model import Model
from bayesdid.model.priors import Priors


@dataclass(frozen=True, slots=True)
class Setting:
    """One equation: a model, its design under the model's effects, resolved priors.

    Attributes
    ----------
    noncentred
        Names of random variables that the sampler sees as multiples of their scale. The posterior
        is the same; see :mod:`bayesdid.model.pymc.transforms`.
    """

    model: Model
    design: Design
    priors: Priors
    noncentred: frozenset[str] = field(default_factory=frozenset)


def coords(design: Design) -> dict[str, Any]:
    """Names of the dimensions of every panel model."""
    return {
        "obs": range(design.n),
        "treatment": list(design.treatments),
        "covariate": list(design.covariates),
        design.unit_dim: design.units,
        design.period_dim: design.periods,
        **{one.dim: one.levels for one in design.further if not one.of},
    }


def is_internal(name: str) -> bool:
    """Whether a variable is the sampler's own: a result keeps what is made of it."""
    if ":" in name:  # no column has one in its name
        return True
    if ("_effect" in name or "_slope_" in name) and not name.endswith(("_and_share", "__")):
        return False  # a unit may be called u
    return (
        name.startswith(("log_sigma", "u_", "scaled_", "lambda_of_unit"))
        or name.endswith(("_and_share", "_less_1", "__"))
        or name in {"white_noise", "z", "u", "correlation_root", "eta"}
    )
