"""Priors as data: printed, hashed and compared without any probabilistic library.

``flat``
    Improper: flat on every coefficient, ``p(sigma) = 1 / sigma``, flat on the scales of
    random effects. For validation only: the posterior mean of a coefficient is the
    least-squares estimate.
``weak``
    Coefficient of x: normal, mean 0, sd ``2.5 sd(y) / sd_within(x)``. Residual scale:
    exponential with mean sd(y). Scales of random effects: gamma with shape 2 and mean sd(y),
    which is zero at zero and so keeps the posterior away from the boundary
    (Chung et al. 2013).
``sceptical``
    As weak, but a treatment's full swing (its range) has sd ``0.25 sd(y)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.design.within import absorb
from bayesdid.exceptions import InputError
from bayesdid.study.schema import PriorTerm

PriorName = Literal["flat", "weak", "sceptical", "user"]
WEAK_MULTIPLE = 2.5
SCEPTICAL_SHARE = 0.25
NU_PRIOR = (2.0, 0.1)  # shape and rate of the gamma prior of degrees of freedom less one


@dataclass(frozen=True, slots=True)
class Priors:
    """Resolved priors of one design.

    Attributes
    ----------
    name
        ``flat``, ``weak``, ``sceptical`` or ``user``.
    means, sds
        Normal prior of each regressor's coefficient, by name; sd ``inf`` means flat.
    mundlak_multiple
        Coefficients of unit and period components have sd ``mundlak_multiple / sd(component)``.
    scale
        Mean of the priors of the residual and random-effect scales; ``inf`` means the
        improper priors of ``flat``.
    """

    name: PriorName
    means: dict[str, float]
    sds: dict[str, float]
    mundlak_multiple: float
    scale: float

    @property
    def is_flat(self) -> bool:
        """Whether the scale priors are improper."""
        return not np.isfinite(self.scale)

    def to_dict(self) -> dict[str, Any]:
        """For printing, hashing and provenance."""
        coefficients = {k: {"mean": self.means[k], "sd": self.sds[k]} for k in self.means}
        rest = {key: value for key, value in asdict(self).items() if key not in {"means", "sds"}}
        return {**rest, "coefficients": coefficients}

    def log_sigma_density(self, sigma: FloatArray) -> FloatArray:
        """Log prior density of log(sigma), up to a constant if improper."""
        if self.is_flat:
            return np.zeros_like(sigma)
        return np.asarray(-sigma / self.scale - np.log(self.scale) + np.log(sigma))

    def log_group_density(self, sigma: FloatArray) -> FloatArray:
        """Log prior density of log(sigma_group), up to a constant if improper."""
        if self.is_flat:
            return np.asarray(np.log(sigma))
        rate = 2.0 / self.scale
        return np.asarray(2 * np.log(rate) + np.log(sigma) - rate * sigma + np.log(sigma))


def resolve_priors(choice: PriorName | Priors | Mapping[str, PriorTerm], design: Design) -> Priors:
    """Turn a prior's name, or a user's normal priors by term, into numbers for `design`.

    Raises
    ------
    InputError
        For an unknown name, or a term that the design does not have.
    """
    if isinstance(choice, Priors):
        return choice
    names = design.names
    zeros = dict.fromkeys(names, 0.0)
    if choice == "flat":
        return Priors("flat", zeros, dict.fromkeys(names, np.inf), np.inf, np.inf)
    if isinstance(choice, str) and choice not in {"weak", "sceptical"}:
        raise InputError(
            "unknown prior",
            value=choice,
            remedy="use flat, weak, sceptical, or give normal priors by term",
        )
    scale = float(np.std(design.y))
    Z = design.regressors
    within = absorb(Z, design.unit_index, design.period_index, unit=True, period=True)
    total = np.std(Z, axis=0)
    own = within.std(axis=0)
    spread = np.where(own > 1e-7 * total, own, total)
    sds = dict(zip(names, (WEAK_MULTIPLE * scale / spread).tolist(), strict=True))
    if choice == "sceptical":
        swing = np.ptp(design.D, axis=0)
        for name, width in zip(design.treatments, swing, strict=True):
            sds[name] = float(SCEPTICAL_SHARE * scale / width)
    if isinstance(choice, str):
        return Priors(choice, zeros, sds, WEAK_MULTIPLE * scale, scale)
    if unknown := [term for term in choice if term not in names]:
        raise InputError(
            "prior on a term that the spec does not have",
            value=unknown[0],
            remedy=f"its terms are {', '.join(names)}",
        )
    means = zeros | {term: prior.mean for term, prior in choice.items()}
    sds |= {term: prior.sd for term, prior in choice.items()}
    return Priors("user", means, sds, WEAK_MULTIPLE * scale, scale)
