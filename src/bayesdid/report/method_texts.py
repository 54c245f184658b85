"""What each family of specs fits, estimates and assumes, as the methods of a report say it."""

from __future__ import annotations

from dataclasses import dataclass, replace

_PARALLEL = (
    "parallel trends: without the policy the mean outcome of units that come under it would have "
    "moved as that of the units they are compared with"
)
_AHEAD = "no anticipation: the outcome before adoption does not react to it"
_SUTVA = "SUTVA: a unit's outcome does not depend on the policies of others"

_ONE_EFFECT = (
    "effects that do not differ between cohorts or with time since adoption; otherwise τ is a "
    "weighted average of them, with weights that may be negative"
)
_ALIKE = (
    "units under several policies would respond to each alone as units under it alone do at the "
    "same age; what they respond more, for whatever reason, counts as what the policies do together"
)


@dataclass(frozen=True, slots=True)
class Method:
    """One family: its name in words, its equation, what is estimated, and when that is causal."""

    name: str
    equation: str
    estimand: str
    assumes: tuple[str, ...]


_OF_DOSES = {
    _PARALLEL: "parallel trends: at the same treatment, units whose treatment changes would move "
    "as those whose treatment does not, whatever its size (strong parallel trends: Callaway, "
    "Goodman-Bacon & Sant'Anna 2024)",
    _AHEAD: "no anticipation: the outcome does not react to a treatment to come",
    _SUTVA: "SUTVA: a unit's outcome does not depend on the treatments of others",
    _ONE_EFFECT: "one slope at every size of the treatment, in all units and periods; otherwise τ "
    "is a weighted average of slopes, with weights that may be negative",
    "the moderator is not changed by the policy": "the moderator is not changed by the treatment",
}


def of_doses(method: Method) -> Method:
    """The same where treatments are columns of numbers and no policy is adopted."""
    assumes = []
    for text in method.assumes:
        head = next((old for old in _OF_DOSES if text.startswith(old)), "")
        rest = "" if head == _PARALLEL else text.removeprefix(head)
        assumes.append(f"{_OF_DOSES[head]}{rest}" if head else text)
    return replace(method, assumes=tuple(assumes))


METHODS: dict[str, Method] = {
    "twfe": Method(
        "two-way regression",
        "y[i,t] = a[i] + g[t] + τ′D[i,t] + β′x[i,t] + e[i,t]",
        "τ: the effect of a treatment's column, one number for all units and periods",
        (f"{_PARALLEL}, for all treated units and all periods", _AHEAD, _SUTVA, _ONE_EFFECT),
    ),
    "overlap": Method(
        "overlapping policies",
        "y[i,t] = a[i] + g[t] + Σ τ_k[cohort, t − start_k] D_k[i,t] + δ[order, t − second start] "
        "D_1 D_2[i,t] + β′x[i,t] + e[i,t]",
        "the effects of each policy and of both, and what both do beyond their sum, averaged over "
        "the rows under them at their own ages",
        (
            f"{_PARALLEL}, for units under one policy, under the other and under both",
            _AHEAD,
            _SUTVA,
            _ALIKE,
        ),
    ),
    "cohort": Method(
        "effects by cohort",
        "y[i,t] = a[i] + g[t] + Σ τ[cohort, t − start] 1{t ≥ start} + β′x[i,t] + e[i,t], "
        "τ pooled towards smooth paths",
        "ATT by cohort and event time, averaged over treated rows, cohorts or event times",
        (f"{_PARALLEL}, by cohort, against the controls that are named", _AHEAD, _SUTVA),
    ),
    "event_study": Method(
        "event study",
        "y[i,t] = a[i] + g[t] + Σ_k τ_k 1{t − start = k} + β′x[i,t] + e[i,t]",
        "τ of k: the effect k periods from adoption, against the reference period",
        (
            f"{_PARALLEL}; what violations do is computed (Rambachan & Roth 2023)",
            "no anticipation up to the reference period",
            _SUTVA,
            "the same path in every cohort",
        ),
    ),
    "heterogeneity": Method(
        "effects by group",
        "y[i,t] = a[i] + g[group, t] + τ[group] D[i,t] + β[group]′x[i,t] + e[i,t]",
        "the effect in each group, and their differences",
        (f"{_PARALLEL}, within each group", _AHEAD, _SUTVA),
    ),
    "mediation": Method(
        "mediation",
        "m[i,t] = a_m[i] + g_m[t] + a D + β_m′x + e_m; y[i,t] = a_y[i] + g_y[t] + c D + b m + "
        "β_y′x + e_y",
        "indirect a b, direct c, total a b + c",
        (
            f"{_PARALLEL}, of the mediator and of the outcome",
            "no unobserved confounder of mediator and outcome: what a correlation of their "
            "errors would do is computed",
            _SUTVA,
        ),
    ),
    "moderation": Method(
        "moderation",
        "y[i,t] = a[i] + g[t] + τ D + γ D z + ω z + β′x + e[i,t]",
        "τ + γ z over the observed range of the moderator z",
        (
            f"{_PARALLEL}, at every value of the moderator",
            "the moderator is not changed by the policy",
            _SUTVA,
        ),
    ),
    "sdm": Method(
        "spatial panel",
        "y_t = ρ W y_t + D_t τ + W D_t θ + X_t β + a + g_t + e_t",
        "direct, indirect and total effects: averages of the entries of (I − ρW)⁻¹(Iτ + Wθ)",
        (
            "parallel trends given what neighbours do",
            _AHEAD,
            "W holds all channels between units: SUTVA is given up only along W",
        ),
    ),
    "spillover_bands": Method(
        "spillovers by band of distance",
        "y_t = ρ W_b y_t + D_t τ + W_b D_t θ + X_t β + a + g_t + e_t, one W_b for each band of "
        "distance",
        "the indirect effect in each band, one model each",
        ("as of one spatial model, for each band as if the others had no spillover",),
    ),
    "spillover_distance": Method(
        "spillovers over distance",
        "y[i,t] = a[i] + g[t] + τ D[i,t] + Σ_j f(distance[i,j]) D[j,t] + β′x[i,t] + e[i,t], "
        "f smooth",
        "what a unit receives from a treated one, over their distance",
        ("parallel trends given what others do", _AHEAD, "spillovers depend on distance alone"),
    ),
    "iv_second": Method(
        "instrument",
        "D[i,t] = a_D[i] + g_D[t] + π z[i,t] + β_D′x + v; y[i,t] = a_y[i] + g_y[t] + τ D + β_y′x "
        "+ u, cor(u, v) free",
        "τ: the effect in units whose treatment the instrument moves",
        (
            "exclusion: the instrument moves the outcome through the treatment alone",
            "relevance: π is not zero; a weak instrument is said to be one",
            _SUTVA,
        ),
    ),
    "psm_did": Method(
        "matching before the regression",
        "logit P(treated) = α + γ′x; then the two-way regression on the matched rows, averaged "
        "over the posterior of the score",
        "the effect in matched units",
        (f"{_PARALLEL}, given the covariates of the score", "overlap of scores", _SUTVA),
    ),
    "errors": Method(
        "other errors and likelihoods",
        "the two-way regression, with other likelihoods and other errors e[i,t]",
        "the same effect, under each",
        ("as of the two-way regression",),
    ),
    "specification_curve": Method(
        "specification curve",
        "the two-way regression, under every combination of effects, errors, controls, samples",
        "the same effect, under each",
        ("as of the two-way regression",),
    ),
    "comparison": Method(
        "comparison of models",
        "log density of the within-unit contrasts of a unit left out, under each model",
        "which model predicts units it has not seen, and the weights that predict best together",
        ("units are exchangeable; prediction is not causation",),
    ),
    "placebo": Method(
        "placebo assignments",
        "the two-way regression, with the treatment given to units at random",
        "the distribution of the estimate where there is no effect",
        ("assignments that did not happen are as likely as the one that did",),
    ),
    "pooled": Method(
        "pooled regression",
        "y[i,t] = α + τ′D[i,t] + β′x[i,t] + e[i,t], with the effects that the column declares",
        "τ, as of the two-way regression",
        ("as of the two-way regression, with whatever units differ in left to the covariates",),
    ),
}
HEADLINE = Method(
    "the policies, alone and together",
    "y[i,t] = a[i] + g[t] + Σ τ_k[cohort, t − start_k] D_k[i,t] + departures of rows under several "
    "policies + β′x[i,t] + e[i,t]; paths τ pooled towards smooth ones",
    "contrasts of states, averaged over the rows that identify them, at their own ages",
    (f"{_PARALLEL}; what violations of it do stands beside the answer", _AHEAD, _SUTVA, _ALIKE),
)
HEADLINE_OF_ONE = Method(
    "the effect of the policy",
    "y[i,t] = a[i] + g[t] + τ[cohort, t − start] D[i,t] + β′x[i,t] + e[i,t]; paths τ pooled "
    "towards smooth ones",
    "the average effect of the policy over the rows under it that untreated ones identify",
    HEADLINE.assumes[:-1],
)
PRINTED = Method(
    "printed columns",
    "printed coefficient = w′(effects of states) + error; w from the timing of adoption and the "
    "paths of effects, errors correlated as the columns share rows",
    "the same contrasts, from printed coefficients alone",
    (
        "the printed regressions' own assumptions",
        "timings and paths as drawn; which of them decides is said",
        _ALIKE,
    ),
)
PRINTED_CELLS = Method(
    "printed coefficients",
    "printed coefficient = effect + error, the error normal with the printed standard error; the "
    "prior is flat",
    "what the column estimates",
    ("the printed regression's own assumptions",),
)
PRINTED_PAIRS = Method(
    "pairs of printed coefficients",
    "difference of two printed coefficients, whose errors correlate as their columns share rows "
    "or, where nothing says how, by 0, −0.5 and 0.5; the prior is flat",
    "the difference of what the two columns estimate",
    ("the printed regressions' own assumptions",),
)

GLOSSARY: tuple[tuple[str, str], ...] = (
    ("ATT", "average effect of the treatment on the treated"),
    ("BF₁₀", "Bayes factor: how much likelier the data are with an effect than without one"),
    ("DID", "difference in differences"),
    ("elpd", "expected log predictive density of data not seen; higher is better"),
    ("HDI", "highest-density interval: the narrowest one that holds the stated probability"),
    ("LOO", "leave-one-out: each row or unit predicted from all others"),
    (
        "M-bar",
        "largest violation of parallel trends allowed, in multiples of the largest before "
        "adoption (Rambachan & Roth 2023)",
    ),
    ("MCSE", "Monte Carlo standard error: how far a number moves between seeds"),
    ("OLS", "ordinary least squares"),
    ("P", "posterior probability"),
    ("S, M", "expected errors of sign and of magnitude of a significant estimate"),
    ("SUTVA", "a unit's outcome does not depend on the treatments of others"),
    ("TWFE", "two-way fixed effects: a regression with an effect for each unit and each period"),
)
