"""What becomes of the headline if trends are not parallel, or effects begin before adoption."""

from __future__ import annotations

from dataclasses import dataclass

from bayesdid.estimands.beside import of_draws
from bayesdid.estimands.departure_path import MULTIPLES, departure_path
from bayesdid.estimands.gls import Scalars, gls
from bayesdid.estimands.honest import Restriction, RobustSet
from bayesdid.estimands.names import contrasts_of, is_sum, main_contrast
from bayesdid.estimands.question import claimed_below
from bayesdid.estimands.synergy import (
    Synergy,
    SynergyContrast,
    covariate_priors,
    fit_headline,
    headline_spec,
)
from bayesdid.estimands.trends import SERIAL, Violated, violated
from bayesdid.estimands.verdict import SURE
from bayesdid.exceptions import InputError, NotIdentifiedError, ResultError
from bayesdid.model.overlap import overlap_pooling
from bayesdid.panel.panel import Panel
from bayesdid.study.load import Study
from bayesdid.summary import Interval, chance, percent

ANTICIPATED = (1, 2)  # periods


@dataclass(frozen=True, slots=True)
class Anticipated:
    """A contrast if effects begin `periods` before the recorded adoption; `failed` says why not."""

    periods: int
    mean: float
    sd: float
    interval: Interval | None
    p_claim: float
    failed: str = ""


@dataclass(frozen=True, slots=True)
class Robust:
    """Sets of Rambachan & Roth under one restriction.

    Attributes
    ----------
    kind
        ``relative_magnitude`` or ``smoothness``.
    sets
        At :data:`~bayesdid.estimands.departure_path.MULTIPLES`, or under linear trends.
    breakdown
        Largest bound whose set excludes zero; 0 if none does.
    """

    kind: Restriction
    sets: tuple[RobustSet, ...]
    breakdown: float


@dataclass(frozen=True, slots=True)
class SynergyViolated:
    """The contrast that the headline is about, under violations.

    Attributes
    ----------
    name, label
        Of the contrast.
    p_parallel
        Probability of the claim under parallel trends.
    trends
        Posteriors under priors on trends that differ between arms.
    robust
        Robust sets of the path of the contrast.
    refused
        Why there are no sets, or empty.
    anticipated
        Refits with adoption moved.
    """

    name: str
    label: str
    p_parallel: float
    trends: tuple[Violated, ...]
    robust: tuple[Robust, ...]
    refused: str
    anticipated: tuple[Anticipated, ...]


def violated_synergy(
    study: Study,
    panel: Panel,
    found: Synergy,
    *,
    spec: str | None = None,
    draws: int = 500,
    seed: int = 0,
    periods: tuple[int, ...] = ANTICIPATED,
) -> SynergyViolated | None:
    """Violations of the sum of singles, or of the effect of a single policy; None without either.

    Parameters
    ----------
    found
        The headline of the panel, with `spec` as there.
    draws, seed
        Of the refits, two chains each.
    periods
        Of anticipation.
    """
    of = {contrast.name: contrast.of for contrast in contrasts_of(study)}
    name = main_contrast(found)
    if not is_sum(name) and len(found.rows.policies) > 1:
        return None
    if name not in found:
        return None
    item, average = found[name], found.averages[name]
    pooling = overlap_pooling(found.rows)
    scalars = Scalars.of(found.fit.tree, pooling.design)
    priors = covariate_priors(headline_spec(study, spec))
    trends = violated(
        found.rows,
        gls(pooling, scalars, priors=priors),
        average.parts[0],
        item.mean,
        item.answering.sd,
        claimed_below(study, name),
    )
    robust: list[Robust] = []
    refused = ""
    try:
        path = departure_path(found.rows, pooling, scalars, average, of[name])
        bounds: dict[Restriction, tuple[float, ...]] = {
            "relative_magnitude": MULTIPLES,
            "smoothness": (0.0,),
        }
        for kind, values in bounds.items():
            robust.append(Robust(kind, path.sets(kind, values), path.breakdown(kind)))
    except InputError as error:
        refused = error.problem
    moved = tuple(
        _anticipated(study, panel, found, name, k, spec=spec, draws=draws, seed=seed)
        for k in periods
    )
    p = item.answering.p_claim
    return SynergyViolated(name, item.label, p, trends, tuple(robust), refused, moved)


def _anticipated(
    study: Study,
    panel: Panel,
    found: Synergy,
    name: str,
    periods: int,
    *,
    spec: str | None,
    draws: int,
    seed: int,
) -> Anticipated:
    nan, lower = float("nan"), study.file.outcome.better == "lower"
    try:
        moved = fit_headline(
            study,
            panel,
            spec=spec,
            errors=found.errors,
            draws=draws,
            chains=2,
            seed=seed,
            anticipation=periods,
        )
    except (NotIdentifiedError, ResultError) as error:
        return Anticipated(periods, nan, nan, None, nan, str(error))
    if name not in moved.averages:
        return Anticipated(periods, nan, nan, None, nan, moved.refused[name])
    draws_of = moved.averages[name].values(name, moved.tau, lower)
    says = of_draws(name, draws_of, claimed_below(study, name), "")
    return Anticipated(periods, says.mean, says.sd, says.interval, says.p_claim)


def sentences(
    violated: SynergyViolated, main: SynergyContrast, unit: str, *, claimed: bool = True
) -> list[str]:
    """What the violations do, in words that are right whether or not the sign is established.

    `claimed` says whether the study claims the contrast's side; else it is the outcome's better.
    """
    p = violated.p_parallel
    established = p >= SURE or p <= 1 - SURE
    sure = max(p, 1 - p)
    side = "negative" if main.mean < 0 else "positive"
    # the side it has need not be the one that is claimed
    against = ""
    if main.claim != f"{'<' if side == 'negative' else '>'} 0":
        against = ", not as claimed," if claimed else ", the worse side,"
    said = [
        f"Under parallel trends it is {side}{against} with probability {chance(sure)}: its sign is "
        + (
            "established by this model."
            if established
            else "not established even under parallel trends."
        )
    ]
    own = main.answering.interval
    for item in violated.trends:
        what = {
            "linear": (
                f"Trends of the arms that differ by slopes of sd {item.scale:.3f} {unit} a period"
            ),
            "serial": (
                f"Deviations of the arms in each period of sd {item.scale:.3f} {unit} "
                f"(autocorrelation {SERIAL:g})"
            ),
        }[item.kind]
        text = (
            f"{what}, which alone would move it by one of its posterior sds, "
            f"leave {item.mean:+.3f} ({item.sd:.3f}; {percent()} interval {item.interval.low:.3f} "
            f"to {item.interval.high:.3f}), P({side}) {chance(_same_side(item.p_claim, p))}."
        )
        if established:
            text += " The sign stays established " + _up_to(item.keeps)
        if item.excludes > 0:
            text += f" The {percent()} interval excludes zero " + _up_to(item.excludes)
        elif own.low > 0 or own.high < 0:  # skewed draws; a normal of their sd includes it
            text += (
                f" Under parallel trends the {percent()} interval ends close to zero "
                f"({own.low:.3f} to {own.high:.3f})."
            )
        else:
            text += f" The {percent()} interval includes zero under parallel trends already."
        said.append(text)
    said += [_robust(item, unit) for item in violated.robust]
    if violated.refused:
        said.append(f"Robust sets are missing: {violated.refused}.")
    for moved in violated.anticipated:
        begin = (
            f"If effects begin {moved.periods} period{'s' * (moved.periods > 1)} before adoption"
        )
        if moved.failed or moved.interval is None:
            said.append(f"{begin}: {moved.failed}.")
        else:
            said.append(
                f"{begin}: {moved.mean:+.3f} ({moved.sd:.3f}; {moved.interval.low:.3f} to "
                f"{moved.interval.high:.3f}), P({side}) {chance(_same_side(moved.p_claim, p))}."
            )
    return said


def brief(violated: SynergyViolated, main: SynergyContrast) -> str:
    """The same in one sentence: how sure its sign is under deviations, and what sets exclude."""
    side, p = "negative" if main.mean < 0 else "positive", violated.p_parallel
    of = {"linear": "by slopes", "serial": "from period to period"}
    parts = [f"{chance(_same_side(t.p_claim, p))} ({of[t.kind]})" for t in violated.trends]
    said = []
    if parts:
        said.append(
            f"if trends of the arms differ by what alone would move it by one of its posterior "
            f"sds, it is {side} with probability {' or '.join(parts)}"
        )
    for item in violated.robust:
        if item.kind == "relative_magnitude" and not any(at.low != at.low for at in item.sets):
            *first, last = (f"{at.M:g}" for at in item.sets)
            bounds = f"{', '.join(first)} or {last}" if first else last
            said.append(
                f"if trends change after adoption by at most {bounds} times their largest "
                "change before it, zero cannot be excluded"
                if not item.breakdown > 0
                else "zero is excluded "
                + (
                    "however much trends change after adoption"
                    if item.breakdown == float("inf")
                    else f"if trends change after adoption by up to {item.breakdown:.2f} times "
                    "their largest change before it"
                )
            )
    text = "; ".join(said)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _same_side(p: float, parallel: float) -> float:
    """A probability of the claim as one of the sign that it has under parallel trends."""
    return p if parallel >= 0.5 else 1 - p


def _robust(item: Robust, unit: str) -> str:
    ends = [f"{at.low:.3f} to {at.high:.3f}" for at in item.sets]
    if item.kind == "relative_magnitude":
        each = "; ".join(f"{at.M:g} times: {end}" for at, end in zip(item.sets, ends, strict=True))
        text = (
            f"Robust {percent()} sets, if trends change from one period to the next by at most so "
            f"many times their largest change before adoption (Rambachan & Roth 2023): {each}."
        )
        bound = f"{item.breakdown:.2f} times."
    else:
        text = f"If trends are linear, the robust {percent()} set is {ends[0]}."
        bound = f"bends of the trends of {item.breakdown:.3f} {unit} a period."
    if failed := next((at.reason for at in item.sets if at.low != at.low), ""):
        return f"The robust set is not known: {failed}."
    if not item.breakdown > 0:
        return text + " Zero is in it." if len(ends) == 1 else text + " Zero is in each."
    return f"{text} Sets exclude zero up to " + (
        "any bound." if item.breakdown == float("inf") else bound
    )


def _up_to(value: float) -> str:
    return (
        "whatever the sd: periods before adoption show the deviations."
        if value == float("inf")
        else f"up to an sd of {value:.3f}."
    )
