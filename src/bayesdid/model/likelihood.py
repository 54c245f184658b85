"""How the outcome is distributed around its mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from bayesdid.exceptions import InputError

LikelihoodName = Literal["normal", "student_t", "negative_binomial", "poisson", "binomial"]
Link = Literal["identity", "log", "logit"]

_EQUATIONS: dict[LikelihoodName, str] = {
    "normal": "y[i,t] = mu[i,t] + e[i,t]",
    "student_t": "y[i,t] = mu[i,t] + e[i,t], e of Student t with nu degrees of freedom",
    "negative_binomial": "y[i,t] ~ NegativeBinomial(exposure exp(mu[i,t]), 1 / spread^2)",
    "poisson": "y[i,t] ~ Poisson(exposure exp(mu[i,t]))",
    "binomial": "y[i,t] ~ Binomial(trials, logistic(mu[i,t]))",
}


@dataclass(frozen=True, slots=True)
class Likelihood:
    """Distribution of one row given its linear predictor mu.

    Attributes
    ----------
    name
        ``normal``, ``student_t``, ``negative_binomial`` (variance ``m + spread^2 m^2``),
        ``poisson`` or ``binomial``. The counts take an exposure, the binomial needs trials.
    """

    name: LikelihoodName = "normal"

    def __post_init__(self) -> None:
        if self.name not in get_args(LikelihoodName):
            raise InputError(
                "unknown likelihood",
                value=self.name,
                remedy=f"use {', '.join(get_args(LikelihoodName))}",
            )

    @property
    def link(self) -> Link:
        """What the linear predictor is the expectation of, transformed."""
        if self.is_discrete:
            return "logit" if self.name == "binomial" else "log"
        return "identity"

    @property
    def is_discrete(self) -> bool:
        """Whether the outcome is a count."""
        return self.name in {"negative_binomial", "poisson", "binomial"}

    def require_use_of(self, exposure: str | None, trials: str | None) -> None:
        """Refuse columns that this distribution would ignore.

        Raises
        ------
        InputError
            For an exposure of anything but counts, or trials of anything but successes among them.
        """
        counts = self.name in {"negative_binomial", "poisson"}
        if exposure and not counts:
            raise InputError(
                f"an exposure is of counts, and the likelihood is {self}",
                value=exposure,
                remedy='say likelihood="poisson" or "negative_binomial", or make a rate of the '
                "outcome",
            )
        if trials and self.name != "binomial":
            raise InputError(
                f"trials are of successes among them, and the likelihood is {self}",
                value=trials,
                remedy='say likelihood="binomial"'
                + (", or exposure= for what counts are out of" if counts else ""),
            )

    @property
    def equation(self) -> str:
        """As plain text."""
        return _EQUATIONS[self.name]

    def __str__(self) -> str:
        return self.name.replace("_", " ")
