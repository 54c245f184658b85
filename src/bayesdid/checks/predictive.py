"""Posterior predictive checks (Gelman, Meng & Stern 1996, Statistica Sinica 6, 733-760).

Discrepancies between outcome and model are compared with what the model itself generates,
draw by draw, whatever its likelihood and errors: autocorrelation that the model has is replicated
too, and residuals are in standard deviations of their row. A fit fails a check if its two-sided
tail probability is below its share of :data:`FALSE_ALARM`, the declared probability that a true
model fails any of them (Bonferroni).
Posterior predictive probabilities use the data twice and are conservative (Bayarri & Berger
2000, doi:10.1080/01621459.2000.10474309): the true rate is lower, and a pass is no proof.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import skew

from bayesdid.arrays import FloatArray
from bayesdid.checks.check import CheckResult
from bayesdid.checks.rows import Rows, check_rows, thinned
from bayesdid.inference.equations import Draws, Equation
from bayesdid.inference.pointwise import equations_of
from bayesdid.inference.replications import Replication, replicate
from bayesdid.model.bound import BoundModel
from bayesdid.model.resolve import base_of
from bayesdid.model.serial import serial_rows
from bayesdid.summary import equal_tailed, p_words, percent

FALSE_ALARM = 0.01
_REPLICATIONS = 1500  # at least; the smallest two-sided tail probability is 2 / (this + 1)
_CHUNK = 125


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """A number computed from outcomes or from standardised residuals, (S, n) -> (S,)."""

    of: Literal["outcome", "residual"]
    value: Callable[[FloatArray, Rows], FloatArray]


# what it means if the observed is above, and if it is below what the model generates
MEANING: dict[str, tuple[str, str]] = {
    "negative_share": (
        "more outcomes are below the smallest possible one than the model generates",
        "the model predicts impossible negative outcomes; effects on the mean may still be "
        "estimated, but predictions and intervals near zero are wrong",
    ),
    "maximum": (
        "the largest outcome is larger than the model allows; single unit-periods can drive an "
        "effect",
        "the model generates larger outcomes than there are: its tails are too long for them, and "
        "intervals may be too wide",
    ),
    "skewness": (
        "errors are skewed to the right; intervals of contrasts may be off, more so in small arms",
        "errors are skewed to the left; intervals of contrasts may be off, more so in small arms",
    ),
    "autocorrelation": (
        "errors of a unit are more correlated over time than the model has it, so the posterior "
        "is too narrow: contrasts look surer than they are (Bertrand, Duflo & Mullainathan 2004)",
        "errors of a unit are less correlated over time than the model has it, so the posterior "
        "is wider than it need be",
    ),
    "unit_variance": (
        "some units vary much more than others; they should weigh less, and the pooled standard "
        "deviation misstates the uncertainty of contrasts between arms",
        "units vary more alike than the model has it; it weighs them as if they differed",
    ),
    "dispersion": (
        "counts vary more than the likelihood allows, so the posterior is too narrow: a negative "
        "binomial, or errors in the linear predictor, allow for it",
        "counts vary less than the likelihood has it, so the posterior is wider than it need be",
    ),
    "pre_trends": (
        "arms were already moving apart before treatment, or the effect grows or fades, which one "
        "treatment term pushes into the periods before; contrasts mix this with the effect",
        "arms moved more in parallel before treatment than the model's errors would have it, so "
        "the posterior may be wider than it need be",
    ),
}


def predictive_checks(
    tree: xr.DataTree,
    bound: BoundModel,
    arms: pd.Series,
    *,
    minimum: float | None = None,
    seed: int = 0,
) -> tuple[CheckResult, ...]:
    """All predictive checks of one fit, of every outcome that its model has.

    Parameters
    ----------
    tree, bound
        A fit with its unit and period effects, and the model and design it is of.
    arms
        Unit (as a string) -> arm.
    minimum
        Smallest possible outcome; the share below it is checked if given.
    seed
        Of the replications.

    Raises
    ------
    InputError
        If a unit has no arm.
    ResultError
        If the fit was stored without its unit and period effects.
    """
    base = base_of(bound.design)
    posterior, rows = thinned(tree, base), check_rows(base, arms)
    rng = np.random.default_rng(seed)
    found: dict[str, tuple[list[FloatArray], list[FloatArray]]] = {}
    size = posterior.sizes["chain"] * posterior.sizes["draw"]
    starts = [*range(0, size, _CHUNK)] * -(-_REPLICATIONS // size)  # few draws: several of each
    for equations, again in drawn_anew(posterior, bound, starts, _CHUNK, rng):
        for equation, new in zip(equations, again, strict=True):
            y = np.broadcast_to(equation.y, new.outcome.shape)
            for name, discrepancy in _discrepancies(equation, minimum, rows).items():
                of_outcome = discrepancy.of == "outcome"
                pair = (y, new.outcome) if of_outcome else (new.residual, new.error)
                observed, replicated = found.setdefault(name, ([], []))
                observed.append(discrepancy.value(pair[0], rows))
                replicated.append(discrepancy.value(pair[1], rows))
    limit = FALSE_ALARM / len(found)
    return tuple(
        _result(name, np.concatenate(observed), np.concatenate(replicated), limit)
        for name, (observed, replicated) in found.items()
    )


def drawn_anew(
    posterior: xr.Dataset,
    bound: BoundModel,
    starts: Iterable[int],
    chunk: int,
    rng: np.random.Generator,
) -> Iterator[tuple[list[Equation], list[Replication]]]:
    """Equations and their outcomes drawn anew, under `chunk` draws from each start on."""
    model, design = bound.model, bound.design
    serial = serial_rows(base_of(design)) if model.errors.serial == "ar1" else None
    for start in starts:
        draws = Draws(posterior, slice(start, start + chunk))
        equations, _ = equations_of(draws, model, design)
        yield equations, replicate(draws, equations, model, design, serial, rng)


def _result(name: str, observed: FloatArray, replicated: FloatArray, limit: float) -> CheckResult:
    above = (replicated > observed).mean() + 0.5 * (replicated == observed).mean()
    size = len(observed)
    smallest = 2 / (size + 1)
    p = float(min(1.0, smallest * (min(above, 1 - above) * size + 1)))
    passed = bool(p >= limit)
    inside = equal_tailed(replicated)
    table = pd.DataFrame(
        [
            {
                "statistic": name,
                "observed": float(observed.mean()),
                "replicated": float(replicated.mean()),
                f"low{100 * inside.level:g}": inside.low,
                f"high{100 * inside.level:g}": inside.high,
                "p": p,
                "limit": limit,
            }
        ]
    )
    found = (
        f"{name.replace('_', ' ')}: observed {observed.mean():.3g}, replicated "
        f"{replicated.mean():.3g} ({percent(inside.level)} {inside.low:.3g} to "
        f"{inside.high:.3g}), {p_words(p, smallest)}"
    )
    meaning = MEANING[name.rpartition(": ")[2]][int(above > 0.5)]
    tail = "the model passes" if passed else f"the model fails: {meaning}"
    return CheckResult(name, passed, table, f"{found}; {tail}.")


def _discrepancies(equation: Equation, minimum: float | None, rows: Rows) -> dict[str, Discrepancy]:
    """Of one outcome, by name; those of a mediator begin with its name."""
    found = {
        "maximum": Discrepancy("outcome", lambda y, _: np.asarray(y.max(axis=1))),
        "skewness": Discrepancy("residual", lambda e, _: np.asarray(skew(e, axis=1))),
        "autocorrelation": Discrepancy("residual", _autocorrelation),
        "unit_variance": Discrepancy("residual", _unit_variance),
        "pre_trends": Discrepancy("residual", _pre_trends),
    }
    if len(np.unique(rows.arm[rows.before])) < 2:
        del found["pre_trends"]
    if equation.scale is None:  # counts, whose variance follows from their mean
        found["dispersion"] = Discrepancy("residual", lambda e, _: np.asarray((e**2).mean(axis=1)))
    if equation.name != "y":
        return {f"{equation.name}: {name}": value for name, value in found.items()}
    if minimum is not None:
        below = Discrepancy("outcome", lambda y, _: np.asarray((y < minimum).mean(axis=1)))
        return {"negative_share": below} | found
    return found


def _autocorrelation(e: FloatArray, rows: Rows) -> FloatArray:
    """Correlation of a unit's residual with its previous one, pooled over units."""
    now = np.flatnonzero(rows.previous >= 0)
    return np.asarray((e[:, now] * e[:, rows.previous[now]]).mean(axis=1) / (e**2).mean(axis=1))


def _unit_variance(e: FloatArray, rows: Rows) -> FloatArray:
    """Standard deviation over units of the log mean squared residual."""
    indicator = (rows.unit[:, None] == np.arange(rows.unit.max() + 1)) / 1.0
    per_unit = (e**2) @ indicator / indicator.sum(axis=0)
    return np.asarray(np.log(np.maximum(per_unit, 1e-300)).std(axis=1))


def _pre_trends(e: FloatArray, rows: Rows) -> FloatArray:
    """Largest difference between arms of the residuals' slope before treatment."""
    slopes = []
    for name in np.unique(rows.arm[rows.before]):
        use = rows.before & (rows.arm == name)
        time = rows.period[use] - rows.period[use].mean()
        spread = (time**2).sum()
        if spread > 0:
            slopes.append(e[:, use] @ time / spread)
    return np.ptp(np.array(slopes), axis=0)
