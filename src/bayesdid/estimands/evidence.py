"""How much a posterior says: Bayes factors with their prior, and errors of sign and magnitude."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

# Kass & Raftery (1995, doi:10.1080/01621459.1995.10476572, p. 777): from which factor on
GRADES = {"very strong": 150.0, "strong": 20.0, "positive": 3.0}
# prior sd in units of sd(y); the widest expects a policy to move as much as units differ
PRIOR_SHARES = {"narrow": 0.1, "sceptical": 0.25, "wide": 1.0}


@dataclass(frozen=True, slots=True)
class BayesFactor:
    """Evidence for a non-zero quantity against zero.

    Attributes
    ----------
    prior
        Name of the prior, see :data:`PRIOR_SHARES`.
    prior_sd
        Standard deviation of the normal prior, centred on zero.
    bf10
        Density ratio at zero, prior over posterior: above 1 speaks against zero.
    p_negative
        Posterior probability of a negative value under this prior.
    """

    prior: str
    prior_sd: float
    bf10: float
    p_negative: float


def evidence_word(factors: Iterable[float]) -> str:
    """What Bayes factors for an effect, one for each prior, say together.

    The grade is that of the factor closest to one: it holds under every prior.
    """
    low, high = min(found := list(factors)), max(found)
    least = min(GRADES.values())
    if low >= least:
        return f"{_grade(low)} for"
    if high <= 1 / least:
        return f"{_grade(1 / high)} against"
    return "none either way" if 1 / least < low and high < least else "depends on the prior"


def _grade(factor: float) -> str:
    return next(word for word, limit in GRADES.items() if factor >= limit)


def grades() -> str:
    """The rule of :func:`evidence_word`, in words."""
    limits = ", ".join(f"{word} from {limit:g} on" for word, limit in GRADES.items())
    return (
        f"Evidence is {limits} under every prior tried, and against by the reciprocals (Kass & "
        "Raftery 1995); between these it is none either way; else it depends on the prior."
    )


def update(estimate: float, se: float, prior_sd: float) -> tuple[float, float]:
    """Mean and sd of the posterior of a normal mean with prior ``N(0, prior_sd^2)``."""
    if se == 0.0:
        return estimate, 0.0
    precision = se**-2 + prior_sd**-2
    return float(estimate * se**-2 / precision), float(precision**-0.5)


def savage_dickey(
    estimate: float, se: float, scale: float, shares: dict[str, float] | None = None
) -> tuple[BayesFactor, ...]:
    """Savage-Dickey density ratios under several priors.

    Parameters
    ----------
    estimate, se
        Normal summary of the likelihood of the quantity.
    scale
        sd(y); each prior's sd is its share of it.
    shares
        Prior name -> share; default :data:`PRIOR_SHARES`.

    Notes
    -----
    Dickey (1971), doi:10.1214/aoms/1177693507: with nested models and matching priors the Bayes
    factor is the ratio of the two densities at the restriction.
    """
    factors = []
    for name, share in (shares or PRIOR_SHARES).items():
        prior_sd = share * scale
        mean, sd = update(estimate, se, prior_sd)
        log_ratio = norm.logpdf(0.0, 0.0, prior_sd) - norm.logpdf(0.0, mean, max(sd, 1e-12))
        bf10 = float(np.exp(np.minimum(log_ratio, 700.0)))
        factors.append(BayesFactor(name, prior_sd, bf10, float(norm.cdf(-mean / max(sd, 1e-12)))))
    return tuple(factors)


@dataclass(frozen=True, slots=True)
class DesignErrors:
    """What to expect of a significant estimate from this design.

    Attributes
    ----------
    power
        Probability of significance at 5 %.
    type_s
        Probability that a significant estimate has the wrong sign.
    type_m
        Expected size of a significant estimate over the expected true size.
    """

    power: float
    type_s: float
    type_m: float


def design_errors(estimate: float, se: float, prior_sd: float, size: int = 801) -> DesignErrors:
    """Type-S and type-M error of the design, averaged over the posterior of the truth.

    Gelman & Carlin (2014, doi:10.1177/1745691614551642) take one plausible true effect; here the
    effect is averaged over its posterior under the prior ``N(0, prior_sd^2)``.
    """
    if se == 0.0:
        return DesignErrors(1.0, 0.0, 1.0)
    mean, sd = update(estimate, se, prior_sd)
    truth = mean + sd * norm.ppf((np.arange(size) + 0.5) / size)
    c = norm.ppf(0.975)
    above, below = norm.sf(c - truth / se), norm.cdf(-c - truth / se)
    power = above + below
    wrong = np.where(truth > 0, below, above)
    # E|x| over both tails of N(truth, se) beyond c se
    size_sig = truth * (above - below) + se * (norm.pdf(c - truth / se) + norm.pdf(-c - truth / se))
    return DesignErrors(
        power=float(power.mean()),
        type_s=float(wrong.sum() / power.sum()),
        type_m=float(size_sig.sum() / (np.abs(truth) * power).sum()),
    )
