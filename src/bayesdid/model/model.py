"""A model as a value: mean x likelihood x errors x effects x weights x priors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from bayesdid.exceptions import InputError
from bayesdid.model.effects import Effect, kind_of, two_way
from bayesdid.model.errors import Errors
from bayesdid.model.likelihood import Likelihood
from bayesdid.model.mean import (
    Durbin,
    Instrument,
    Mean,
    Mediation,
    Path,
    Pooled,
    Profile,
    Propensity,
    TwoWay,
)
from bayesdid.model.priors import PriorChoice
from bayesdid.study.schema import EffectKind


@dataclass(frozen=True, slots=True)
class Model:
    """What is believed about a panel before it is seen; independent of data and of PyMC.

    Attributes
    ----------
    mean
        What the expected outcome depends on; see :mod:`bayesdid.model.mean`.
    likelihood, errors, effects
        Distribution, dependence within a unit, unit and period effects.
    weighted
        Whether rows have analytic weights w: the variance of a row is ``sigma^2 / w``.
    priors
        Of coefficients and scales.

    Raises
    ------
    InputError
        For combinations that make no sense; the message says why.
    """

    mean: Mean = TwoWay()
    likelihood: Likelihood = Likelihood()
    errors: Errors = Errors()
    effects: tuple[Effect, ...] = two_way()
    weighted: bool = False
    priors: PriorChoice = PriorChoice()

    def __post_init__(self) -> None:
        over = [effect.over for effect in self.effects]
        if len(set(over)) < len(over):
            raise InputError("two effects over the same levels", value=str(over), remedy="keep one")
        if found := self.nonsense():
            reason, remedy = found
            raise InputError(reason, remedy=remedy)

    def nonsense(self) -> tuple[str, str] | None:
        """Why the parts do not go together, and what to do; None if they do."""
        discrete, plain = self.likelihood.is_discrete, self.errors == Errors()
        if isinstance(self.mean, Propensity):
            return self._nonsense_of_propensity(plain)
        if found := self._nonsense_of_further():
            return found
        if discrete and (found := self._nonsense_of_counts(plain)):
            return found
        if isinstance(self.mean, Profile) and any(e.kind != "fixed" for e in self.effects):
            return (
                "a profile over distance is identified within units and periods",
                "take fixed effects",
            )
        if isinstance(self.mean, Profile) and len(self.effects) < 2:
            return "a profile over distance has unit and period effects", "name both"
        if isinstance(self.mean, Instrument) and "mundlak" in {e.kind for e in self.effects}:
            return (
                "components of an endogenous treatment are endogenous",
                "take fixed or random effects",
            )
        return None

    def _nonsense_of_counts(self, plain: bool) -> tuple[str, str] | None:
        like, reason = self.likelihood, ""
        if isinstance(self.mean, Durbin | Profile):
            reason = "a spatial lag of a count is not a linear predictor"
        if isinstance(self.mean, Instrument):
            reason = "the covariance of two equations' errors is not defined for counts"
        if isinstance(self.mean, Mediation):
            reason = (
                "a product of paths is an indirect effect on an outcome's own scale, not a count's"
            )
        if reason:
            return f"{reason}, and the likelihood is {like}", "take a rate or its logarithm instead"
        if self.weighted:
            return (
                "analytic weights divide a variance, which counts do not have of their own: the "
                f"likelihood is {like}",
                'leave the weights out, say weights_kind="frequency" where they count rows alike, '
                "or exposure= for what the counts are out of",
            )
        if not plain and self.priors.name == "flat":
            return (
                "under 1 / sigma an error inside a count's predictor has no proper posterior",
                'take other priors, or errors="iid"',
            )
        return None

    def _nonsense_of_further(self) -> tuple[str, str] | None:
        if not any(effect.is_further for effect in self.effects):
            return None
        without = "leave out the further effects"
        if isinstance(self.mean, Mediation) and len(self.mean.mediators) > 1:
            return (
                "errors of several mediators are drawn together, within units and periods alone: "
                "beside further effects there is one mediator",
                f"take one mediator at a time, or {without}",
            )
        if not isinstance(self.mean, TwoWay | Pooled | Path | Mediation | Instrument):
            return (
                f"a {type(self.mean).__name__} mean has effects of units and periods alone",
                without,
            )
        if "mundlak" in {effect.kind for effect in self.effects}:
            return (
                "Mundlak components are those of units and periods alone",
                f"take fixed or random effects, or {without}",
            )
        return None

    def _nonsense_of_propensity(self, plain: bool) -> tuple[str, str] | None:
        if not plain or self.effects:
            return (
                "the propensity has one row per unit: no effects, nothing to correlate",
                "leave errors and effects out",
            )
        if self.likelihood.name != "binomial":
            return "whether a unit is ever treated is a binomial outcome", "take that likelihood"
        return (
            ("units are not weighted in a propensity", "leave weights out")
            if self.weighted
            else None
        )

    def kind(self, over: str) -> EffectKind:
        """``fixed``, ``random``, ``mundlak`` or ``none``."""
        return kind_of(self.effects, over)

    def but(self, **changes: Any) -> Model:
        """The same model with some parts exchanged."""
        return replace(self, **changes)

    @property
    def equation(self) -> str:
        """All of it as plain text, one line each."""
        symbols = "".join(f" + {effect.symbol}" for effect in self.effects)
        first, _, rest = self.mean.equation.partition("\n")
        lines = [self.likelihood.equation, f"mu[i,t] = {first.rstrip(',')}{symbols}"]
        lines += [rest] if rest else []
        if not self.likelihood.is_discrete or self.errors != Errors():
            said = self.errors.equation + (", over sqrt(w[i,t])" if self.weighted else "")
            filtered = isinstance(self.mean, Durbin) and self.mean.kind in {"sem", "sdem"}
            lines.append(said.replace("e[i,", "u[i,") if filtered else said)
        lines += [effect.equation for effect in self.effects]
        return "\n".join([*lines, f"priors: {self.priors}"])

    def __str__(self) -> str:
        return self.equation
