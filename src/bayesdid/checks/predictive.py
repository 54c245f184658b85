"""Posterior predictive checks (Gelman, Meng & Stern 1996, Statistica Sinica 6, 733-760).

Six discrepancies between outcome and model are compared with what the model itself generates,
draw by draw. A fit fails a check if its two-sided tail probability is below its share of
:data:`FALSE_ALARM`, the declared probability that a true model fails any of them (Bonferroni).
Posterior predictive probabilities use the data twice and are conservative (Bayarri & Berger
2000, doi:10.1080/01621459.2000.10474309): the true rate is lower, and a pass is no proof.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import skew

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.checks.check import CheckResult
from bayesdid.design.design import Design
from bayesdid.design.regressors import regressors
from bayesdid.exceptions import InputError, ResultError
from bayesdid.inference.tree import fitted_mean
from bayesdid.summary import equal_tailed, percent

FALSE_ALARM = 0.01
DRAWS = 1500  # replications; the smallest two-sided tail probability is 2 / (DRAWS + 1)
_CHUNK = 125


@dataclass(frozen=True, slots=True)
class Rows:
    """What the discrepancies need to know of the rows, all of shape (n,).

    Attributes
    ----------
    unit, period
        Positions.
    previous
        Position of the same unit's row one period earlier, or -1.
    before
        Rows in which the spec's treatments are zero.
    arm
        Name of the arm of each row's unit.
    """

    unit: IntArray
    period: IntArray
    previous: IntArray
    before: np.ndarray
    arm: np.ndarray


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """A number computed from outcomes or from residuals, (S, n) -> (S,)."""

    of: Literal["outcome", "residual"]
    value: Callable[[FloatArray, Rows], FloatArray]


MEANING = {
    "negative_share": "the model predicts impossible negative outcomes; effects on the mean may "
    "still be estimated, but predictions and intervals near zero are wrong",
    "maximum": "the tails are not those of the model; single unit-periods can drive an effect",
    "skewness": "errors are skewed; intervals of contrasts may be off, more so in small arms",
    "autocorrelation": "errors of a unit are correlated over time, so the posterior is too narrow: "
    "contrasts look surer than they are (Bertrand, Duflo & Mullainathan 2004)",
    "unit_variance": "some units vary much more than others; they should weigh less, and the "
    "pooled standard deviation misstates the uncertainty of contrasts between arms",
    "pre_trends": "arms were already moving apart before treatment, or the effect grows or fades, "
    "which one treatment term pushes into the periods before; contrasts mix this with the effect",
}


def predictive_checks(
    tree: xr.DataTree,
    design: Design,
    arms: pd.Series,
    *,
    minimum: float | None = None,
    seed: int = 0,
) -> tuple[CheckResult, ...]:
    """All predictive checks of one fit.

    Parameters
    ----------
    tree, design
        A fit with its unit and period effects, and the design it was fitted on.
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
    mean, sigma = replicate_inputs(tree, design)
    y, rows = design.y, _rows(design, arms)
    rng = np.random.default_rng(seed)
    discrepancies = _discrepancies(minimum)
    if len(np.unique(rows.arm[rows.before])) < 2:
        discrepancies.pop("pre_trends")
    limit = FALSE_ALARM / len(discrepancies)
    observed: dict[str, list[FloatArray]] = {name: [] for name in discrepancies}
    replicated: dict[str, list[FloatArray]] = {name: [] for name in discrepancies}
    for start in range(0, len(sigma), _CHUNK):
        part = slice(start, start + _CHUNK)
        error = sigma[part, None] * rng.standard_normal(mean[part].shape)
        residual = y - mean[part]
        for name, discrepancy in discrepancies.items():
            if discrepancy.of == "outcome":
                pair = np.broadcast_to(y, residual.shape), mean[part] + error
            else:
                pair = residual, error
            observed[name].append(discrepancy.value(pair[0], rows))
            replicated[name].append(discrepancy.value(pair[1], rows))
    return tuple(
        _result(name, np.concatenate(observed[name]), np.concatenate(replicated[name]), limit)
        for name in discrepancies
    )


def _result(name: str, observed: FloatArray, replicated: FloatArray, limit: float) -> CheckResult:
    above = (replicated > observed).mean() + 0.5 * (replicated == observed).mean()
    size = len(observed)
    p = float(min(1.0, 2 * (min(above, 1 - above) * size + 1) / (size + 1)))
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
        f"{inside.high:.3g}), p = {p:.3g}"
    )
    tail = "the model passes" if passed else f"the model fails: {MEANING[name]}"
    return CheckResult(name, passed, table, f"{found}; {tail}.")


def replicate_inputs(tree: xr.DataTree, design: Design) -> tuple[FloatArray, FloatArray]:
    """Conditional means (S, n) and residual sds (S,) of at most :data:`DRAWS` draws."""
    posterior = thinned(tree, design)
    mean = fitted_mean(posterior, design, regressors(design))
    return mean.reshape(-1, design.n), posterior["sigma"].to_numpy().ravel()


def thinned(tree: xr.DataTree, design: Design) -> xr.Dataset:
    """At most :data:`DRAWS` draws of the posterior, equally spaced in each chain.

    Raises
    ------
    ResultError
        If the fit was stored without its unit and period effects.
    """
    posterior = tree["posterior"].to_dataset()
    for dim, kind in (
        (design.unit_dim, design.unit_effects),
        (design.period_dim, design.period_effects),
    ):
        if kind != "none" and f"{dim}_effect" not in posterior:
            raise ResultError(f"{design.spec_id}: the fit holds no {dim} effects to predict with")
    per_chain = max(1, min(DRAWS // posterior.sizes["chain"], posterior.sizes["draw"]))
    chosen = np.linspace(0, posterior.sizes["draw"] - 1, per_chain).astype(int)
    return posterior.isel(draw=chosen)


def _rows(design: Design, arms: pd.Series) -> Rows:
    unit, labels = design.unit_index, design.periods[design.period_index].astype(int)
    position = {key: k for k, key in enumerate(zip(unit.tolist(), labels.tolist(), strict=True))}
    previous = np.array(
        [position.get((u, t - 1), -1) for u, t in zip(unit.tolist(), labels.tolist(), strict=True)]
    )
    treated = (design.D != 0).any(axis=1)
    by_unit = arms.rename(index=str).reindex(design.units.astype(str))
    if missing := design.units[by_unit.isna().to_numpy()].tolist():
        raise InputError(
            f"{len(missing)} units have no arm",
            column=design.unit_dim,
            value=missing[0],
            remedy="give the arms of all units",
        )
    return Rows(unit, design.period_index, previous, ~treated, by_unit.to_numpy(str)[unit])


def _discrepancies(minimum: float | None) -> dict[str, Discrepancy]:
    found = {
        "maximum": Discrepancy("outcome", lambda y, _: np.asarray(y.max(axis=1))),
        "skewness": Discrepancy("residual", lambda e, _: np.asarray(skew(e, axis=1))),
        "autocorrelation": Discrepancy("residual", _autocorrelation),
        "unit_variance": Discrepancy("residual", _unit_variance),
        "pre_trends": Discrepancy("residual", _pre_trends),
    }
    if minimum is None:
        return found
    below = Discrepancy("outcome", lambda y, _: np.asarray((y < minimum).mean(axis=1)))
    return {"negative_share": below} | found


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
