"""What a design can see: power, errors of sign and size, smallest effect, assurance.

Before data the standard error of an effect follows from who is treated when, the errors' sd and
their autocorrelation: that of generalised least squares with these known, unit and period effects
flat. After data it is what the likelihood of a fit leaves. A sign counts as sure if its posterior
probability under a flat prior reaches the limit of all verdicts, so an estimate b with standard
error s is sure if |b| >= z s. Type S and M: Gelman & Carlin (2014, doi:10.1177/1745691614551642).
Assurance: O'Hagan, Stevens & Campbell (2005, doi:10.1002/pst.175).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.stats import norm

from bayesdid.arrays import FloatArray
from bayesdid.checks.beliefs import coefficient_beliefs, effects_of
from bayesdid.checks.figure import Figure, Series
from bayesdid.checks.sensitivity import likelihood_alone
from bayesdid.design.design import Design
from bayesdid.estimands.gls import Whitening
from bayesdid.estimands.verdict import SURE
from bayesdid.exceptions import InputError, NotIdentifiedError
from bayesdid.inference.fit import fit as fit_spec
from bayesdid.inference.result import Fit
from bayesdid.model.priors import SCEPTICAL_SHARE

POWER = 0.8  # with which the smallest effect is seen
EXAGGERATES = 1.5  # type M error from which on a warning stands
_NODES = 801


@dataclass(frozen=True, slots=True)
class Expected:
    """What to expect of an estimate with standard error `se` if the effect is `effect`."""

    power: float
    type_s: float
    type_m: float


@dataclass(frozen=True, slots=True)
class DesignAnalysis:
    """What a design can see of each of its effects.

    Attributes
    ----------
    source
        ``before data``, or the fit that the standard errors are of.
    sd, phi
        Of the errors; missing where the standard errors are those of a fit.
    effect
        True size that power and errors are for, and `why` it is that.
    prior_mean, prior_sd
        Of the normal prior that assurance averages over.
    sure, target
        Probability at which a sign counts as sure; power that the smallest effect has.
    table
        One row for each effect: ``se``, ``power``, ``type S``, ``type M``, ``smallest effect``,
        ``assurance``.
    """

    json_keys: ClassVar[tuple[str, ...]] = (
        "source",
        "sd",
        "phi",
        "effect",
        "why",
        "prior_mean",
        "prior_sd",
        "sure",
        "target",
        "table",
        "sentences",
        "figure",
    )

    source: str
    sd: float
    phi: float
    effect: float
    why: str
    prior_mean: float
    prior_sd: float
    sure: float
    target: float
    table: pd.DataFrame

    @property
    def sentences(self) -> list[str]:
        """One for each effect, in words."""
        return [_sentence(self, row) for _, row in self.table.iterrows()]

    @property
    def figure(self) -> Figure:
        """Power over the true size, one curve for each effect."""
        widest = float(self.table["se"].max()) * (norm.ppf(self.sure) + norm.ppf(0.99))
        grid = np.linspace(0.0, max(widest, abs(self.effect)), 60)
        series = []
        for _, row in self.table.iterrows():
            power = [expected(float(e), row["se"], self.sure).power for e in grid]
            series.append(Series(str(row["effect"]), grid.tolist(), power, power, power))
        return Figure(
            "power",
            "curve",
            f"Power: where a curve crosses {self.target:g} stands the smallest effect it sees",
            tuple(series[:5]),
            "true size of the effect",
            f"P(the sign is sure), P >= {self.sure:g}",
            self.target,
            verticals=(abs(self.effect),),
        )


def expected(effect: float, se: float, sure: float = SURE) -> Expected:
    """Power, type S and type M error of a normal estimate; exact."""
    if se == 0.0:
        return Expected(1.0, 0.0, 1.0)
    z, truth = norm.ppf(sure), abs(effect) / se
    right, wrong = float(norm.sf(z - truth)), float(norm.cdf(-z - truth))
    power = right + wrong
    # E|b| / s over both tails beyond z
    size = truth * (right - wrong) + norm.pdf(z - truth) + norm.pdf(z + truth)
    type_m = float(size / power / truth) if truth > 0 else float("inf")
    return Expected(power, wrong / power, type_m)


def smallest_effect(se: float, power: float = POWER, sure: float = SURE) -> float:
    """Size from which on a sign is sure with this probability.

    Raises
    ------
    InputError
        If chance alone has it: a power below twice the error rate, or not below one.
    """
    if not 2 * (1 - sure) < power < 1:
        raise InputError(
            "a power that no effect is needed for, or that none reaches",
            value=power,
            remedy=f"give one between {2 * (1 - sure):.2g} and 1",
        )
    found = brentq(lambda e: expected(e, 1.0, sure).power - power, 0.0, 20.0, xtol=1e-10)
    return float(found * se)


def assurance(se: float, mean: float, sd: float, sure: float = SURE) -> float:
    """Probability, over a normal prior of the effect, that its sign will be sure, and right."""
    truth = mean + sd * norm.ppf((np.arange(_NODES) + 0.5) / _NODES) if sd > 0 else np.array([mean])
    return float(norm.sf(norm.ppf(sure) - np.abs(truth) / se).mean())


def standard_errors(design: Design, sd: float | FloatArray, phi: float = 0.0) -> FloatArray:
    """Of the treatments' coefficients by generalised least squares, shape (P,).

    Parameters
    ----------
    sd
        Marginal sd of the errors, of all units or of each, shape (N,).
    phi
        Their autocorrelation from one period to the next.

    Raises
    ------
    NotIdentifiedError
        If effects and covariates leave nothing of a treatment.
    """
    sigma = np.broadcast_to(np.asarray(sd, dtype=float), len(design.units))
    flat = design.unit_effects != "none"
    rows = Whitening.of(design, np.array(sigma), phi, np.inf if flat else 0.0)
    levels = np.arange(int(flat), len(design.periods))
    periods = (design.period_index[:, None] == levels) / 1.0
    if design.period_effects == "none":
        periods = np.ones((design.n, int(not flat)))
    white = rows.whiten(np.column_stack([design.D, design.X, periods]))
    gram = white.T @ rows.without_units(white)
    scale = np.sqrt(np.maximum(np.diag(gram), 1e-300))
    unit = gram / np.outer(scale, scale)
    if np.linalg.matrix_rank(unit, tol=1e-9, hermitian=True) < len(unit):
        raise NotIdentifiedError(
            f"{design.spec_id}: effects and covariates leave nothing of a treatment",
            remedy="leave some units untreated, or a treatment out",
        )
    P = len(design.treatments)
    return np.asarray(np.sqrt(np.diag(np.linalg.inv(unit))[:P]) / scale[:P])


def errors_of_panel(design: Design, *, seed: int = 0) -> tuple[float, float]:
    """Marginal sd and autocorrelation of the errors: posterior means under AR(1) errors."""
    found = fit_spec(design, errors="ar1", draws=250, seed=seed).require().tree["posterior"]
    return float(found["sigma"].mean()), float(found["phi"].mean())


def design_analysis(
    what: Design | Fit,
    *,
    effect: float | None = None,
    sd: float | None = None,
    phi: float | None = None,
    prior: tuple[float, float] | None = None,
    power: float = POWER,
    sure: float = SURE,
    seed: int = 0,
) -> DesignAnalysis:
    """What a design, or the data behind a fit of any family, can see.

    Parameters
    ----------
    what
        A design (of a panel, or of :class:`bayesdid.checks.planned.Plan`), or a fit with its model.
    effect
        True size, in the outcome's units; by default what a sceptical prior calls one sd: a quarter
        of the outcome's sd, or of the errors' before there are outcomes.
    sd, phi
        Of the errors, for a design; by default those of its outcomes under AR(1) errors.
    prior
        Mean and sd of the effect that assurance averages over; by default zero and `effect`.
    power
        Of the smallest effect.
    sure
        Probability at which a sign counts as sure.

    Raises
    ------
    InputError
        For a size that is no size, options of a design given with a fit, a fit without its model,
        or a plan without the errors' sd.
    """
    if isinstance(what, Fit):
        if sd is not None or phi is not None:
            raise InputError(
                "a fit has standard errors of its own", remedy="give its design, or no sd and phi"
            )
        source, scale, ses = _of_fit(what)
        sd = phi = float("nan")
    else:
        source = "before data" if not what.y.any() else f"design of {what.spec_id}"
        if sd is None or phi is None:
            if not what.y.any():
                raise InputError(
                    "there are no outcomes to learn the errors from",
                    remedy="give their sd and their autocorrelation phi",
                )
            own_sd, own_phi = errors_of_panel(what, seed=seed)
            sd, phi = own_sd if sd is None else sd, own_phi if phi is None else phi
        _check_errors(sd, phi)
        found = standard_errors(what, sd, phi)
        ses = dict(zip(what.treatments, found.tolist(), strict=True))
        scale = float(what.y.std()) if what.y.any() else sd
    why = "as given"
    if effect is None:
        effect = SCEPTICAL_SHARE * scale
        whose = "errors" if source == "before data" else "outcome"
        why = f"{SCEPTICAL_SHARE:g} sd of the {whose}, one sd of a sceptical prior"
    if not np.isfinite(effect) or effect == 0:
        raise InputError("no size of an effect", value=effect, remedy="give one that is not zero")
    mean, spread = (0.0, abs(effect)) if prior is None else prior
    if spread < 0:
        raise InputError("the prior's sd is negative", value=spread, remedy="give sd >= 0")
    rows = []
    for name, se in ses.items():
        says = expected(effect, se, sure)
        rows.append(
            {
                "effect": name,
                "se": se,
                "power": says.power,
                "type S": says.type_s,
                "type M": says.type_m,
                "smallest effect": smallest_effect(se, power, sure),
                "assurance": assurance(se, mean, spread, sure),
            }
        )
    table = pd.DataFrame(rows)
    return DesignAnalysis(source, sd, phi, effect, why, mean, spread, sure, power, table)


def _check_errors(sd: float, phi: float) -> None:
    if not sd > 0:
        raise InputError("errors have no positive sd", value=sd, remedy="give sd > 0")
    if not -1 < phi < 1:
        raise InputError(
            "an autocorrelation is between -1 and 1", value=phi, remedy="give -1 < phi < 1"
        )


def _of_fit(fit: Fit) -> tuple[str, float, dict[str, float]]:
    if fit.bound is None:
        raise InputError(
            f"{fit.spec_id}: a fit read from a file does not hold its model and data",
            remedy="give dataclasses.replace(fit, bound=bd.model(spec, panel))",
        )
    beliefs, found = coefficient_beliefs(fit.bound), {}
    for name, draws in effects_of(fit.require().tree, fit.bound).items():
        belief = beliefs.get(name)
        _, se = likelihood_alone(draws, *((belief.mean, belief.sd) if belief else ()))
        if np.isfinite(se) and se > 0:
            found[name] = se
    outcome = fit.tree["observed_data"]["y"].to_numpy()
    return f"fit of {fit.spec_id}", float(outcome.std()), found


def _sentence(found: DesignAnalysis, row: pd.Series) -> str:
    text = (
        f"{row['effect']}: if it is {found.effect:.3g} ({found.why}), its sign will be sure "
        f"(P >= {found.sure:g}) with probability {_p(row['power'])}; a sure sign is then wrong "
        f"with probability {_p(row['type S'])}, and a sure estimate {row['type M']:.2g} times "
        f"the effect on average. The smallest effect seen with probability {found.target:g} is "
        f"{row['smallest effect']:.3g}; under effects with mean {found.prior_mean:.3g} and sd "
        f"{found.prior_sd:.3g} the sign will be sure and right with probability "
        f"{_p(row['assurance'])}."
    )
    if row["type M"] >= EXAGGERATES:
        text += " What this design shows as sure exaggerates: do not plan by its size."
    return text


def _p(value: float) -> str:
    """A probability that is neither 0 nor 1, whatever its digits say."""
    if value < 0.001:
        return "< 0.001"
    return "> 0.999" if value > 0.999 else f"{value:.2g}" if value < 0.995 else f"{value:.3f}"
