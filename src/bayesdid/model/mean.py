"""What the expected outcome depends on beside unit and period effects: one value for each kind.

A mean says which columns of a design enter and how; it knows neither numbers nor PyMC. The
compiler in :mod:`bayesdid.model.pymc` turns each into an equation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SpatialKind = Literal["none", "sar", "sem", "slx", "sdm", "sdem"]


@dataclass(frozen=True, slots=True)
class TwoWay:
    """Treatments and covariates, linearly: TWFE DID, factorial DID, event study, moderation."""

    @property
    def equation(self) -> str:
        """As plain text, effects left out."""
        return "alpha + tau'D[i,t] + beta'x[i,t]"


@dataclass(frozen=True, slots=True)
class Pooled:
    """Treatments in parts, each partially pooled towards zero with a scale of its own.

    Cohorts by event time (extended TWFE), two overlapping policies, heterogeneity between groups.
    Which columns belong to which part stands in the design.
    """

    @property
    def equation(self) -> str:
        """As plain text, effects left out."""
        return "alpha + tau'B[i,t] + sum_k omega[k] u[k]'Z[k,i,t] + beta'x[i,t]"


@dataclass(frozen=True, slots=True)
class Path:
    """An event study whose coefficients follow a smooth path over event time.

    Attributes
    ----------
    prior
        Random walk or Gaussian process.
    reference
        The event time at which the path is zero.
    """

    prior: Literal["random_walk", "gaussian_process"] = "random_walk"
    reference: int = -1

    @property
    def equation(self) -> str:
        """As plain text, effects left out."""
        kind = self.prior.replace("_", " ")
        return f"alpha + tau'D[i,t] + beta'x[i,t], tau a {kind} over event time"


@dataclass(frozen=True, slots=True)
class Mediation:
    """Mediators respond to the treatment, the outcome to both (Eqs. 2 and 3 of the study)."""

    mediators: tuple[str, ...]

    @property
    def equation(self) -> str:
        """As plain text, effects left out."""
        return (
            "alpha + tau'D[i,t] + b'M[i,t] + beta'x[i,t],\n"
            "M[k,i,t] = alpha[k] + a[k]'D[i,t] + gamma[k]'x[i,t] + effects[k] + eta[k,i,t]"
        )


@dataclass(frozen=True, slots=True)
class Instrument:
    """A treatment that an instrument moves; its errors may correlate with the outcome's."""

    instrument: str

    @property
    def equation(self) -> str:
        """As plain text, effects left out."""
        return (
            "alpha + tau d[i,t] + beta'x[i,t],\n"
            "d[i,t] = pi z[i,t] + gamma'x[i,t] + effects + eta[i,t], cor(e, eta) = rho"
        )


@dataclass(frozen=True, slots=True)
class Durbin:
    """A spatial lag of the outcome or of the error, and of the regressors (Eq. 5 of the study).

    ``none`` is the model that all nest, under the priors of theirs. Scales, weights and
    dependence of the errors are those of what is new in a row: of e, and of u where
    ``e = lambda W e + u``.
    """

    kind: SpatialKind = "sdm"

    @property
    def equation(self) -> str:
        """As plain text, effects left out."""
        slopes = "tau'D[i,t] + beta'x[i,t]"
        if self.kind in {"slx", "sdm", "sdem"}:
            slopes += " + theta'(W D x)[i,t]"
        if self.kind in {"sar", "sdm"}:
            return f"rho W y[i,t] + alpha + {slopes}"
        return f"alpha + {slopes}" + (
            ", e = lambda W e + u" if self.kind in {"sem", "sdem"} else ""
        )


@dataclass(frozen=True, slots=True)
class Profile:
    """Spillover as a smooth function of distance."""

    kernel: Literal["matern52", "squared_exponential"] = "matern52"

    @property
    def equation(self) -> str:
        """As plain text, effects left out."""
        return "alpha + tau'D[i,t] + beta'x[i,t] + sum_r theta(d[r]) E[r,i,t]"


@dataclass(frozen=True, slots=True)
class Propensity:
    """Whether a unit is ever treated, by its covariates before anyone is: one row per unit."""

    @property
    def equation(self) -> str:
        """As plain text."""
        return "logit P(treated[i]) = alpha + beta'x[i]"


Mean = TwoWay | Pooled | Path | Mediation | Instrument | Durbin | Profile | Propensity
