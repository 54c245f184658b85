"""Priors: a choice as a value, the numbers that it means for a design, and every constant.

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

Of a count, y is the log of the rate (the logit of the share), see :func:`on_link_scale`. A user's
own normal priors by term replace those of any of them. No other module holds a constant of a prior.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.design.within import absorb, varies
from bayesdid.exceptions import InputError, nearest_name
from bayesdid.model.likelihood import Likelihood
from bayesdid.study.schema import PriorTerm

PriorSet = Literal["flat", "weak", "sceptical"]
PriorName = Literal["flat", "weak", "sceptical", "user"]
PriorLike = PriorTerm | tuple[float, float] | Mapping[str, float]
"""A normal prior: ``(mean, sd)``, the two by name, or as a study file says it."""

WEAK_MULTIPLE = 2.5  # of sd(y) / sd_within(x): sd of a coefficient (Gelman et al. 2008)
SCEPTICAL_SHARE = 0.25  # of sd(y): sd of a treatment's full swing
GROUP_SHAPE = 2.0  # of the gamma prior of a random effect's scale, its mean sd(y)
NU_LEAST = 1.0  # degrees of freedom less this are gamma; with more than one the mean exists
NU_PRIOR = (2.0, 0.1)  # shape and rate of it: Juarez & Steel (2010), doi:10.1198/jbes.2009.07145
POOLED_SHARE = 0.25  # of sd(y): scale of the half-normal sd of a part's deviations
PATH_SHARE = 1.0  # of sd(y): scale of the half-normal sd of an event-study path
SPREAD_SCALE = 1.0  # of the half-normal 1 / sqrt(shape) of negative binomial counts
CORRELATION_SHAPE = 1.0  # of the LKJ prior of correlations between equations: uniform
PHI_LIMIT = 1.0  # autocorrelation is uniform between minus this and this
PROPENSITY_SD = 2.5  # of every standardised coefficient of a propensity (Gelman et al. 2008)
COVARIANCE_POWER = 1.5  # p(Sigma) = |Sigma|^-1.5 of two equations: the same in every form of them
LEVEL_MASS = 0.05  # prior mass of a length scale below 1.5 rings, and above the last distance


@dataclass(frozen=True, slots=True)
class PriorChoice:
    """A named set of priors, and a user's own normal priors on some coefficients.

    Attributes
    ----------
    name
        ``flat``, ``weak`` or ``sceptical``.
    terms
        ``(term, mean, sd)`` of the coefficients that have a prior of their own: a treatment or
        covariate; ``lag:x`` for the spatial lag of x; ``city:x`` for the component of x over
        cities of Mundlak effects; ``m ~ x`` for x in the equation of m.
    """

    name: PriorSet = "weak"
    terms: tuple[tuple[str, float, float], ...] = ()

    def __post_init__(self) -> None:
        if self.name not in get_args(PriorSet):
            raise InputError(
                "unknown prior",
                value=self.name,
                remedy="use flat, weak, sceptical, or give normal priors by term",
            )
        for term, _, sd in self.terms:
            if not sd > 0:
                raise InputError(
                    f"the prior of {term} has no positive sd", value=sd, remedy="give sd > 0"
                )

    @classmethod
    def of(cls, value: str | Mapping[str, PriorLike] | PriorChoice) -> PriorChoice:
        """From a name, or from normal priors by term (the rest weak).

        Raises
        ------
        InputError
            For a name that is none, or a prior without mean and sd.
        """
        if isinstance(value, PriorChoice):
            return value
        if isinstance(value, str):
            return cls(value)  # type: ignore[arg-type]  # refused if it is none
        if not isinstance(value, Mapping):
            raise InputError(
                "priors are a name, or normal priors by term",
                value=repr(value),
                remedy='such as priors="weak" or priors={"D": (0, 0.5)}, mean and sd',
            )
        return cls("weak", tuple((term, *_moments(term, own)) for term, own in value.items()))

    def __str__(self) -> str:
        own = "; ".join(f"{term} ~ Normal({m:g}, {sd:g})" for term, m, sd in self.terms)
        return self.name + (f", but {own}" if own else "")


def _moments(term: str, prior: PriorLike) -> tuple[float, float]:
    """Mean and sd of one normal prior, however it was given."""
    if isinstance(prior, PriorTerm):
        return prior.mean, prior.sd
    given = (
        [prior.get("mean"), prior.get("sd")]
        if isinstance(prior, Mapping) and set(prior) == {"mean", "sd"}
        else prior
    )
    try:
        mean, sd = map(float, given)  # type: ignore[arg-type]  # refused if it is no pair of numbers
    except (TypeError, ValueError):
        mean, sd = np.nan, np.nan
    if isinstance(given, str) or not np.isfinite([mean, sd]).all():
        raise InputError(
            f"the prior of {term} is no mean and sd",
            value=repr(prior),
            remedy=f'such as priors={{"{term}": (0, 0.5)}}',
        )
    return mean, sd


@dataclass(frozen=True, slots=True)
class Priors:
    """Resolved priors of one equation.

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

    json_keys: ClassVar[tuple[str, ...]] = ("name", "mundlak_multiple", "scale", "coefficients")

    name: PriorName
    means: dict[str, float]
    sds: dict[str, float]
    mundlak_multiple: float
    scale: float

    @property
    def is_flat(self) -> bool:
        """Whether the scale priors are improper."""
        return not np.isfinite(self.scale)

    def of(self, terms: Iterable[str]) -> tuple[FloatArray, FloatArray]:
        """Means and standard deviations of some terms, in their order."""
        names = list(terms)
        return np.array([self.means[n] for n in names]), np.array([self.sds[n] for n in names])

    def of_components(
        self, dim: str, terms: Iterable[str], scale: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Means and sds of the coefficients of regressors' components over `dim`.

        Parameters
        ----------
        scale
            Standard deviation of each component.
        """
        keys = [f"{dim}:{term}" for term in terms]
        mean = np.array([self.means.get(key, 0.0) for key in keys])
        sd = [self.sds.get(k, self.mundlak_multiple / s) for k, s in zip(keys, scale, strict=True)]
        return mean, np.array(sd)

    @property
    def coefficients(self) -> dict[str, dict[str, float]]:
        """Regressor -> mean and sd of its coefficient."""
        return {name: {"mean": self.means[name], "sd": self.sds[name]} for name in self.means}

    def log_sigma_density(self, sigma: FloatArray) -> FloatArray:
        """Log prior density of log(sigma), up to a constant if improper."""
        if self.is_flat:
            return np.zeros_like(sigma)
        return np.asarray(-sigma / self.scale - np.log(self.scale) + np.log(sigma))

    def log_group_density(self, sigma: FloatArray) -> FloatArray:
        """Log prior density of log(sigma_group), up to a constant if improper."""
        if self.is_flat:
            return np.asarray(np.log(sigma))
        rate = GROUP_SHAPE / self.scale
        return np.asarray(2 * np.log(rate) + np.log(sigma) - rate * sigma + np.log(sigma))


def resolve_priors(
    choice: PriorChoice | PriorName | Priors | Mapping[str, PriorLike],
    design: Design,
    likelihood: Likelihood = Likelihood(),
    *,
    elsewhere: Iterable[str] = (),
    alias: Mapping[str, str] | None = None,
) -> Priors:
    """Turn a choice of priors into numbers for the regressors of `design`.

    Parameters
    ----------
    elsewhere, alias
        See :func:`with_terms`.

    Raises
    ------
    InputError
        For an unknown name, or a term that the design does not have.
    """
    if isinstance(choice, Priors):
        return choice
    choice = PriorChoice.of(choice)
    names = (*design.names, *component_terms(design))
    priors = named_priors(choice, design, likelihood)
    return with_terms(priors, choice, names, elsewhere=elsewhere, alias=alias)


def component_terms(design: Design) -> tuple[str, ...]:
    """What the coefficients of Mundlak components are called: ``city:x``."""
    kinds = ((design.unit_dim, design.unit_effects), (design.period_dim, design.period_effects))
    return tuple(f"{dim}:{x}" for dim, kind in kinds if kind == "mundlak" for x in design.names)


def named_priors(
    choice: PriorChoice, design: Design, likelihood: Likelihood = Likelihood()
) -> Priors:
    """The named set alone, a user's terms left out."""
    names = design.names
    zeros = dict.fromkeys(names, 0.0)
    if choice.name == "flat":
        return Priors("flat", zeros, dict.fromkeys(names, np.inf), np.inf, np.inf)
    scale = float(np.std(on_link_scale(design, likelihood)))
    Z = design.regressors
    within = absorb(Z, design.unit_index, design.period_index, unit=True, period=True)
    spread = np.where(varies(within, Z), within.std(axis=0), np.std(Z, axis=0))
    sds = dict(zip(names, (WEAK_MULTIPLE * scale / spread).tolist(), strict=True))
    if choice.name == "sceptical":
        swing = np.ptp(design.D, axis=0)
        for name, width in zip(design.treatments, swing, strict=True):
            sds[name] = float(SCEPTICAL_SHARE * scale / width)
    return Priors(choice.name, zeros, sds, WEAK_MULTIPLE * scale, scale)


def with_terms(
    priors: Priors,
    choice: PriorChoice,
    names: Iterable[str],
    *,
    elsewhere: Iterable[str] = (),
    alias: Mapping[str, str] | None = None,
) -> Priors:
    """Put a user's own priors in the place of those of the named set.

    Parameters
    ----------
    names
        Terms of this equation.
    elsewhere
        Terms that another equation, or another part of this one, takes care of.
    alias
        What a term of the user is called in `priors`, where that is something else.

    Raises
    ------
    InputError
        For a term that the model does not have.
    """
    if not choice.terms:
        return priors
    alias = alias or {}
    own = [*names, *alias]
    means, sds = dict(priors.means), dict(priors.sds)
    for term, mean, sd in choice.terms:
        if term in own:
            name = alias.get(term, term)
            means[name], sds[name] = mean, sd
        elif term not in (others := list(elsewhere)):
            raise unknown_term(term, [*own, *others])
    return Priors("user", means, sds, priors.mundlak_multiple, priors.scale)


def unknown_term(term: str, known: list[str]) -> InputError:
    """What to say of a prior on a term that a model does not have."""
    near = nearest_name(term, known)
    listed = f"its terms are {', '.join(known)}"
    return InputError(
        "prior on a term that the spec does not have",
        value=term,
        remedy=f"did you mean {near}? {listed}" if near else listed,
    )


def on_link_scale(design: Design, likelihood: Likelihood) -> FloatArray:
    """The outcome on the scale of its linear predictor, shape (n,); counts a half away from zero.

    Raises
    ------
    InputError
        For counts that are negative, not whole, or more than their trials.
    """
    y = design.y
    if not likelihood.is_discrete:
        return y
    if (bad := (y < 0) | (y % 1 != 0)).any():
        raise InputError(
            f"{design.spec_id}: counts must be whole numbers of at least zero",
            value=float(y[bad][0]),
            remedy="name a count column",
        )
    if likelihood.link == "log":
        return np.log((y + 0.5) / (1.0 if design.exposure is None else design.exposure))
    if design.trials is None:
        raise InputError(
            f"{design.spec_id}: a binomial outcome needs its number of trials",
            remedy="name a column of trials",
        )
    if (more := y > design.trials).any():
        raise InputError(
            f"{design.spec_id}: more counts than trials",
            value=float(y[more][0]),
            remedy="check the column of trials",
        )
    return np.log((y + 0.5) / (design.trials - y + 0.5))


def instrument_priors(
    choice: PriorChoice, design: Design, z: FloatArray, instrument: str
) -> Priors:
    """Priors of tau and of pi, called ``treatment ~ instrument``; those of the rest are flat.

    Weak: a swing by one within sd of the treatment moves the outcome by 2.5 sd(y), one of the
    instrument moves the treatment by 2.5 of its within sds.
    """
    kinds = {"unit": design.unit_effects != "none", "period": design.period_effects != "none"}
    columns = np.column_stack([design.D[:, 0], z])
    d, own = absorb(columns, design.unit_index, design.period_index, **kinds).std(axis=0)
    scale, (treatment,) = float(design.y.std()), design.treatments
    first = f"{treatment} ~ {instrument}"
    sds = {treatment: WEAK_MULTIPLE * scale / float(d), first: WEAK_MULTIPLE * float(d / own)}
    if choice.name == "sceptical":
        sds[treatment] = SCEPTICAL_SHARE * scale / float(np.ptp(design.D[:, 0]))
    if choice.name == "flat":
        sds, scale = dict.fromkeys(sds, np.inf), np.inf
    zeros = dict.fromkeys(sds, 0.0)
    return with_terms(Priors(choice.name, zeros, sds, np.inf, scale), choice, sds)


def propensity_priors(covariates: tuple[str, ...], choice: PriorChoice) -> Priors:
    """Priors of the coefficients of standardised covariates."""
    sd = np.inf if choice.name == "flat" else PROPENSITY_SD
    zeros, sds = dict.fromkeys(covariates, 0.0), dict.fromkeys(covariates, sd)
    return with_terms(Priors(choice.name, zeros, sds, np.inf, 1.0), choice, covariates)
