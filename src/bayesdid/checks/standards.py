"""Reporting standards filled from a run, item by item, each with the place where it stands.

BARG: Kruschke (2021), doi:10.1038/s41562-021-01177-7, table 1. WAMBS: Depaoli & van de Schoot
(2017), doi:10.1037/met0000065. Workflow: Gelman et al. (2020), arXiv:2011.01808. An item is done
if the run holds what it asks for; a check that fails is still reported, and its item says so.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from bayesdid.checks.beliefs import coefficient_beliefs, scale_beliefs
from bayesdid.checks.check import CheckResult
from bayesdid.estimands.verdict import SURE
from bayesdid.exceptions import InputError
from bayesdid.inference.longer import taken_words
from bayesdid.inference.result import Fit
from bayesdid.model.bound import BoundModel
from bayesdid.model.mean import Durbin, Instrument, Mediation, Pooled, Profile, Propensity
from bayesdid.model.resolve import base_of
from bayesdid.notebook import many
from bayesdid.summary import percent, significant

ANSWER, DESIGN, METHODS = "answer", "design", "methods"  # parts of a report beside its checks
State = Literal["done", "done, fails", "does not apply", "not done"]
_PARALLEL = (
    "without treatment the outcomes of treated and untreated units would have moved in parallel, "
    "given covariates and effects; nobody reacts to a treatment to come"
)
_ALONE = "no unit's outcome depends on the treatment of others (SUTVA)"
_WHY = {
    "weak": "scaled by the sd of the outcome and of each regressor, so wide that an effect of 2.5 "
    "sd of the outcome is one prior sd: they keep estimates finite and hardly more",
    "sceptical": "a treatment's full swing has sd 0.25 of the outcome's: what a reader expects who "
    "doubts large effects; covariates as under weak priors",
    "flat": "flat, so that means are least-squares estimates: for comparison only",
}


@dataclass(frozen=True, slots=True)
class StandardItem:
    """One item of one standard.

    Attributes
    ----------
    standard, item
        Which, and what it asks for.
    state
        Whether this run reports it.
    text
        What the run says.
    where
        Names of checks, and of parts of a report, that hold the rest; or empty.
    """

    standard: str
    item: str
    state: State
    text: str
    where: tuple[str, ...] = ()


def assumptions(bound: BoundModel) -> str:
    """What must be true for coefficients to be effects: which assumption, for whom."""
    mean = bound.model.mean
    if isinstance(mean, Propensity):
        return "treatment is as good as random given the covariates, and no unit is certain of it"
    if isinstance(mean, Instrument):
        return (
            f"{mean.instrument} moves the treatment, reaches the outcome through it alone, and is "
            f"as good as random given covariates and effects; {_ALONE}"
        )
    if isinstance(mean, Durbin):
        return f"{_PARALLEL}; others matter through the neighbours that W names, and not otherwise"
    if isinstance(mean, Profile):
        return f"{_PARALLEL}; others matter by their distance, and not otherwise"
    if isinstance(mean, Mediation):
        return (
            f"{_PARALLEL}, mediators included; nothing unmeasured moves mediator and outcome "
            f"together (sequential ignorability); {_ALONE}"
        )
    if isinstance(mean, Pooled):
        return f"{_PARALLEL}; effects may differ between cells, which are alike a priori; {_ALONE}"
    return (
        f"{_PARALLEL}; each coefficient is one effect, the same for all units and ages that it "
        f"covers, else it is an average with weights of the design; {_ALONE}"
    )


def priors_said(fit: Fit, bound: BoundModel) -> str:
    """Every prior by name, with the reason for the set."""
    beliefs = coefficient_beliefs(bound) | scale_beliefs(fit.tree, bound)
    shown = [f"{term} ~ {belief.law}" for term, belief in beliefs.items()]
    choice = bound.model.priors
    own = "; stated by the user where named in the choice" if choice.terms else ""
    more = f", and {len(shown) - 8} more" if len(shown) > 8 else ""
    return f"{choice}: {_WHY[choice.name]}{own}. {', '.join(shown[:8])}{more}"


def standards(
    fit: Fit,
    results: Iterable[CheckResult],
    *,
    rope: float | None = None,
    citation: str = "",
    licence: str = "",
) -> tuple[StandardItem, ...]:
    """All items of the three standards, from one fit and its checks.

    Parameters
    ----------
    results
        Of :func:`bayesdid.checks.examine.examine`.
    rope
        Half width of the region of practical equivalence, if one was declared.
    citation, licence
        Of the data.

    Raises
    ------
    InputError
        For a fit without its model.
    """
    bound = fit.bound
    if bound is None:
        raise InputError(
            f"{fit.spec_id}: a fit read from a file does not hold its model and data",
            remedy="give dataclasses.replace(fit, bound=bd.model(spec, panel))",
        )
    checks, a = {check.name: check for check in results}, fit.tree.attrs
    base = base_of(bound.design)

    def done(standard: str, item: str, text: str, *where: str) -> StandardItem:
        return StandardItem(standard, item, "done", text, where)

    def of(standard: str, item: str, *names: str) -> StandardItem:
        """An item that checks answer."""
        there = [checks[name] for name in names if name in checks]
        if not there:
            return StandardItem(standard, item, "not done", "No such check was made.")
        failed = [check for check in there if check.passed is False]
        shown = failed or there
        applies = any(not check.text.startswith("Does not apply") for check in there)
        state: State = "done, fails" if failed else "done" if applies else "does not apply"
        where = tuple(check.name for check in there)
        return StandardItem(standard, item, state, shown[0].text, where)

    gate = ", ".join(
        f"{g['name'].replace('_', ' ')} {significant(g['value'])} (limit {significant(g['limit'])})"
        for g in json.loads(a["gate"])
    )
    versions = ", ".join(f"{k} {v}" for k, v in json.loads(a["versions"]).items())
    coefficients = len(base.names)
    scales = [str(k) for k, v in fit.tree["posterior"].data_vars.items() if v.ndim == 2]
    limits = (
        f"within plus or minus {rope:.3g} counts as no effect"
        if rope is not None
        else "none was declared, so no effect is called practically zero"
    )
    cited = f"{citation or 'no citation was declared'}; licence: {licence or 'none declared'}"
    data = (
        f"{base.outcome}: {base.n} rows, {many(len(base.units), 'unit')} ({base.unit_dim}), "
        f"{many(len(base.periods), 'period')} ({base.period_dim}), mean {np.mean(base.y):.3g}, "
        f"sd {np.std(base.y):.3g}; treatments "
        f"{', '.join(base.treatments[:5])}; {many(len(base.covariates), 'covariate')}; {cited}"
    )
    data_state: State = "done" if citation and licence else "not done"
    size = f"{a['chains']} x {a['draws']} draws{taken_words(fit.tree)}"
    computed = f"engine {a['engine']}, {size}; gate: {gate}"
    everything = tuple(n for n in ("prior_posterior", "scepticism") if n in checks)
    B, W, G = "BARG", "WAMBS", "Workflow"
    predictive = [n for n in _PREDICTIVE if n in checks]
    return (
        done(B, "Why Bayesian, and to what end", f"probabilities of the claims; {_purpose(a)}"),
        StandardItem(B, "1A data", data_state, data, (DESIGN,)),
        done(
            B, "1B likelihood and parameters", f"{a['likelihood']}; errors: {a['errors']}", METHODS
        ),
        done(B, "1C priors and why", priors_said(fit, bound), METHODS, *everything[:1]),
        done(B, "1D formal specification", fit.equation, METHODS),
        done(B, "Causal assumptions", assumptions(bound), METHODS),
        of(B, "1E prior predictive check", "prior_predictive"),
        done(B, "2A software", versions, METHODS),
        of(B, "2B convergence and 2C resolution", "chains"),
        done(B, "2D computation and its gate", computed, METHODS),
        of(B, "3A posterior predictive check", *predictive),
        done(
            B,
            "3B posterior of every parameter",
            f"{coefficients} coefficients and {', '.join(scales) or 'no scales'}, means with "
            f"{percent()} intervals",
            *everything[:1],
        ),
        done(
            B,
            "4A decisions and 4B their loss",
            f"a sign counts as sure from P = {SURE:g} on",
            ANSWER,
        ),
        StandardItem(B, "4C ROPE", "done" if rope is not None else "not done", limits, (METHODS,)),
        of(B, "5A-C sensitivity to priors", "power_scaling"),
        of(B, "5E sensitivity of decisions", "scepticism"),
        done(
            B,
            "6 reproduction",
            f"spec {a['spec']}, seed {a['seed']}, panel sha256 {str(a['panel_sha256'])[:12]}",
            METHODS,
        ),
        done(W, "1 understand the priors", priors_said(fit, bound), METHODS),
        of(W, "2-3 convergence, also with more draws", "chains"),
        of(W, "4 enough draws for the posterior", "chains"),
        of(W, "5 autocorrelation of chains", "chains"),
        of(W, "6 the posterior makes sense", *predictive),
        of(W, "7-8 influence of the priors", "prior_posterior", "power_scaling"),
        of(W, "9 sensitivity analysis", "scepticism"),
        done(W, "10 Bayesian interpretation", f"intervals are {percent()} probability intervals"),
        done(G, "2 model and its parts", fit.equation, METHODS),
        of(G, "2.4 prior predictive checking", "prior_predictive"),
        of(G, "3 fitting and its diagnosis", "chains"),
        of(G, "6.1 posterior predictive checking", *predictive),
        of(G, "6.2 cross validation and influence", *_INFLUENCE),
        of(G, "6.3 influence of prior information", "power_scaling", "prior_posterior"),
    )


_PREDICTIVE = (
    "overlay",
    "rootogram",
    "maximum",
    "skewness",
    "autocorrelation",
    "unit_variance",
    "dispersion",
    "pre_trends",
)
_INFLUENCE = ("loo", "pareto_k", "loo_pit", "leave_one_unit_out")


def _purpose(attrs: Mapping[Hashable, Any]) -> str:
    terms = json.loads(attrs["treatments"])
    more = f" and {many(len(terms) - 5, 'coefficient')} more" if len(terms) > 5 else ""
    return f"effects of {', '.join(terms[:5])}{more} on {attrs['outcome']}"
