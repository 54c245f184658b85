"""An event study's effects under violated parallel trends, with breakdown values."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import norm

from bayesdid.arrays import FloatArray
from bayesdid.design.build import build_design
from bayesdid.design.design import Design
from bayesdid.estimands.honest import Restriction, RobustSet, robust_breakdown, robust_sets
from bayesdid.estimands.leads import leads_sentence
from bayesdid.estimands.stated import drawn
from bayesdid.estimands.verdict import SURE
from bayesdid.estimands.violation import (
    IdentifiedSets,
    relative_magnitudes,
    smooth_violation,
    smoothness,
)
from bayesdid.exceptions import InputError
from bayesdid.families.analysis import Analysis, Figure, Series, Table, draws_tree
from bayesdid.families.event_study import EventStudyOptions
from bayesdid.families.under_errors import IID, draws_of, errors_sentence
from bayesdid.inference.exact.conjugate import conjugate_posterior
from bayesdid.inference.fit import fit
from bayesdid.inference.result import Fit
from bayesdid.model.bound import study_priors
from bayesdid.model.errors import Errors
from bayesdid.model.priors import PriorChoice
from bayesdid.panel.panel import Panel
from bayesdid.study.load import Spec, Study
from bayesdid.study.terms import parse_term
from bayesdid.summary import equal_tailed, equals, hdi, percent, tails

_M_BAR = np.linspace(0.0, 2.0, 41)  # the slider
_ROWS = (0.0, 0.5, 1.0, 1.5, 2.0)
_SHARES = (0.0, 0.25, 0.5, 1.0)  # M in units of the pre-period's own mean second difference
_ROBUST = 0.95  # confidence level of the robust sets


@dataclass(frozen=True, slots=True)
class _Path:
    """Draws of a path in order of time without its reference, and their moments."""

    draws: FloatArray
    mean: FloatArray
    covariance: FloatArray
    n_pre: int
    weights: dict[str, FloatArray]

    @property
    def n_post(self) -> int:
        return len(self.mean) - self.n_pre

    @property
    def parts(self) -> tuple[FloatArray, FloatArray]:
        return self.draws[:, : self.n_pre], self.draws[:, self.n_pre :]


def honest(
    study: Study,
    spec: Spec,
    panel: Panel,
    options: EventStudyOptions,
    *,
    seed: int = 0,
    draws: int = 1000,
) -> Analysis:
    """The analysis of a spec of family ``event_study``: sensitivity to violated trends."""
    design = build_design(spec, panel)
    posterior = conjugate_posterior(design)
    times = times_of(design)
    errors, reference = Errors.parse(options.errors), options.reference
    iid = path = posterior.draw(4 * draws, np.random.default_rng(seed))
    variance = posterior.nu / max(posterior.nu - 2, 1)
    moments: tuple[FloatArray, FloatArray] | None
    moments = (posterior.location, posterior.scale * variance)
    trees, engine, converged = [], "student", True
    own: Fit | None = None
    priors = study_priors(spec, design=design, own="flat")
    if errors != IID or priors != PriorChoice("flat"):
        own = fit(design, errors=errors, priors=priors, seed=seed, draws=draws)
        trees, engine, converged = [own.tree], own.tree.attrs["engine"], own.converged
        path, moments = draws_of(own.tree), None
    found = honest_path(
        spec.id,
        spec.title,
        times,
        path,
        reference,
        study.file.outcome.unit,
        panel.synthetic or "",
        robust=options.robust,
        seed=seed,
        moments=moments,
    )
    ordered = _ordered(spec.id, times, path, reference, None)
    kept: dict[str, FloatArray] = {}
    for name, w in ordered.weights.items():
        item = relative_magnitudes(*ordered.parts, w)
        kept |= {f"breakdown {name}": item.breakdown(item.sign), name: item.centre}
    name, w = next(iter(ordered.weights.items()))
    effect = ordered.parts[1] @ w
    beside = _ordered(spec.id, times, iid, reference, None).parts[1] @ w
    (term,) = spec.column.treatments
    leads = leads_sentence(panel, term, design.units, min(times))
    parallel = f"trends are parallel, priors {priors}"
    quantity = f"the effect in {name}, under parallel trends,"
    said = errors_sentence(errors, quantity, effect, beside, trees)
    return replace(
        found,
        sentences=(found.sentences[0], *([leads] if leads else []), *found.sentences[1:], said),
        posterior=draws_tree(kept, spec, panel, engine=engine, seed=seed, priors=str(priors)),
        converged=converged,
        fit=own,
        notes=tuple(note.text for note in design.notes) + found.notes,
        effects=(
            drawn(term, f"event study, {name}", parallel, ordered.parts[1] @ w, main=True),
            drawn(term, f"event study, {name}, i.i.d. errors", f"{parallel}; independent", beside),
        ),
    )


def honest_path(
    spec_id: str,
    title: str,
    times: list[int],
    draws: FloatArray,
    reference: int,
    unit: str,
    synthetic: str = "",
    rope: float | None = None,
    *,
    robust: bool = True,
    seed: int = 0,
    moments: tuple[FloatArray, FloatArray] | None = None,
) -> Analysis:
    """Sensitivity of an event study given draws of its path, whoever made them.

    Parameters
    ----------
    times, draws
        Event times, the reference left out, and draws of their coefficients, shape (S, K).
    rope
        Adds the probability of an effect within plus or minus this, under uniform violations.
    robust
        Whether to add the robust confidence sets.
    moments
        Mean and covariance of the path, if known better than from the draws.
    """
    path = _ordered(spec_id, times, draws, reference, moments)
    rng = np.random.default_rng(seed)
    slope = np.diff(np.append(path.mean[: path.n_pre], 0.0), n=2)
    typical = float(np.abs(slope).mean())
    sentences: list[str] = []
    tables: list[Table] = []
    relative: dict[str, IdentifiedSets] = {}
    for name, w in path.weights.items():
        key = name.split()[1]
        item = relative[name] = relative_magnitudes(*path.parts, w)
        smooth = smoothness(*path.parts, w)
        bounds = tuple(share * typical for share in _SHARES)
        tables += [
            Table(
                f"relative_{key}",
                f"Relative magnitudes, {name}",
                _frame(path, item, w, "relative_magnitude", _ROWS, robust, rope, rng),
            ),
            Table(
                f"smoothness_{key}",
                f"Smoothness, {name}: second differences of the trend up to "
                "M, in steps up to the mean absolute one before adoption. P(whole set) carries "
                "the last slope on; the normal columns take second differences N(0, M²) and a "
                "flat slope",
                _frame(path, smooth, w, "smoothness", bounds, robust, rope, rng),
            ),
        ]
        sentences.append(_sentence(name, item, unit))
        if robust:
            sentences.append(_robust_sentence(name, path, w))
    return Analysis(
        spec_id,
        "event_study",
        title,
        tuple(sentences),
        tuple(tables),
        (_figure(relative, rng, unit),),
        synthetic=synthetic,
        notes=(
            "Uniform violations are a prior that the data do not update.",
            "A bin at an end of the path counts as one period.",
        ),
    )


def times_of(design: Design) -> list[int]:
    """Event times of a path's coefficients; the reference has none."""
    return [int(parse_term(term).factors[0].event_time or 0) for term in design.treatments]


def require_window(spec_id: str, times: list[int], reference: int) -> None:
    """Refuse a path without two periods before its reference, or with a gap up to adoption.

    Parameters
    ----------
    times
        Of :func:`times_of`.

    Raises
    ------
    InputError
        As increments before adoption would then be too few, or span several periods.
    """
    whole = sorted([*times, reference])
    early = sum(time < reference for time in times)
    if early < 2 or 0 not in times or whole != list(range(whole[0], whole[-1] + 1)):
        raise InputError(
            f"{spec_id}: sensitivity to trends needs every period from two before the reference "
            "to the first of adoption",
            value=times,
            remedy="widen the event window",
        )


def _ordered(
    spec_id: str,
    times: list[int],
    draws: FloatArray,
    reference: int,
    moments: tuple[FloatArray, FloatArray] | None,
) -> _Path:
    """The path in order of time; refuses gaps, as increments would then span several periods."""
    order = [int(k) for k in np.argsort(times)]
    sorted_times = [times[k] for k in order]
    n_pre = sum(t < reference for t in times)
    require_window(spec_id, times, reference)
    after = np.array([t >= 0 for t in sorted_times[n_pre:]])
    if reference >= 0:
        raise InputError(
            f"{spec_id}: the reference is not before adoption",
            value=reference,
            remedy="choose a negative reference",
        )
    draws = draws[:, order]
    mean, covariance = draws.mean(axis=0), np.cov(draws.T)
    if moments is not None:
        mean, covariance = moments[0][order], moments[1][np.ix_(order, order)]
    first = np.array([t == 0 for t in sorted_times[n_pre:]], dtype=float)
    weights = {"the average after adoption": after / after.sum(), "the first period": first}
    return _Path(draws, mean, covariance, n_pre, weights)


def _frame(
    path: _Path,
    item: IdentifiedSets,
    w: FloatArray,
    kind: Restriction,
    values: tuple[float, ...],
    robust: bool,
    rope: float | None,
    rng: np.random.Generator,
) -> pd.DataFrame:
    sets: list[RobustSet] = []
    if robust:
        sets = robust_sets(
            path.mean, path.covariance, path.n_pre, path.n_post, kind, values, w, 1 - _ROBUST
        )
    rows = []
    for k, m in enumerate(values):
        uniform = item.effect_under(m, rng)
        row: dict[str, float | str] = {"M-bar" if kind == "relative_magnitude" else "M": m}
        if robust:
            row |= {
                "robust 95% low": sets[k].low,
                "robust 95% high": sets[k].high,
                "robust set is": sets[k].reason or "closed",
            }
        row |= {
            "P(whole set < 0)": item.p_whole_set(m, -1.0),
            "P(some of the set < 0)": item.p_some(m, -1.0),
            "mean, uniform": float(uniform.mean()),
            **hdi(uniform).columns(),
            "P(< 0), uniform": float((uniform < 0).mean()),
        }
        if rope is not None:
            row["P(in ROPE), uniform"] = float((np.abs(uniform) < rope).mean())
        if kind == "smoothness":
            mean, sd = smooth_violation(
                path.mean, path.covariance, path.n_pre, path.n_post, m, weights=w
            )
            row |= {
                "P(M holds before)": item.p_compatible(m),
                "mean, normal": mean,
                "sd, normal": sd,
                "P(< 0), normal": float(norm.cdf(-mean / sd)),
            }
        rows.append(row)
    return pd.DataFrame(rows)


def _sentence(name: str, item: IdentifiedSets, unit: str) -> str:
    sign = item.sign
    value = item.breakdown(sign)
    side = "positive" if sign > 0 else "negative"
    grid = np.array([item.p_whole_set(m, sign) for m in _M_BAR])
    head = (
        f"Effect in {name}: {item.centre.mean():.3f}{' ' + unit if unit else ''} under parallel "
        "trends"
    )
    if grid[0] < SURE:
        return (
            f"{head} ({hdi(item.centre):.3f}): its sign is not established even under parallel "
            f"trends (P({side}) {equals(grid[0])}), so that there is no divergence of trends up to "
            "which it stands."
        )
    if grid[-1] >= SURE:
        sure = f"P(whole set is {side}) stays above {SURE} up to M-bar = {_M_BAR[-1]:.1f}"
    else:
        crossing = float(np.interp(-SURE, -grid, _M_BAR))
        sure = f"P(whole set is {side}) falls below {SURE} at M-bar = {crossing:.2f}"
    return (
        f"{head}. It stays {side} if trends diverge by up to {np.median(value):.2f} times the "
        f"largest change before adoption (posterior median of the breakdown value; "
        f"{hdi(value):.2f}); {sure}."
    )


def _robust_sentence(name: str, path: _Path, w: FloatArray) -> str:
    parts = []
    kinds: tuple[tuple[Restriction, str, str, str], ...] = (
        ("relative_magnitude", "relative magnitudes", "M-bar", "parallel trends"),
        ("smoothness", "smoothness", "M", "a linear trend carried on"),
    )
    for kind, label, symbol, at_zero in kinds:
        value = robust_breakdown(
            path.mean, path.covariance, path.n_pre, path.n_post, kind, w, 1 - _ROBUST
        )
        if np.isnan(value):
            parts.append(f"{label}: could not be computed")
        elif value == 0:
            parts.append(f"{label}: at no {symbol}, not even 0 ({at_zero})")
        elif np.isinf(value):
            parts.append(f"{label}: at every {symbol} searched")
        else:
            parts.append(f"{label}: up to {symbol} = {value:.3g}")
    return (
        f"The 95 % robust confidence set of the effect in {name} excludes zero under "
        f"{'; '.join(parts)}."
    )


def _figure(sets: dict[str, IdentifiedSets], rng: np.random.Generator, unit: str) -> Figure:
    series = []
    for name, item in sets.items():
        draws = [item.effect_under(float(m), rng) for m in _M_BAR]
        intervals = [hdi(values) for values in draws]
        ends = [item.bounds(float(m)) for m in _M_BAR]
        series.append(
            Series(
                name,
                _M_BAR.tolist(),
                [float(v.mean()) for v in draws],
                [interval.low for interval in intervals],
                [interval.high for interval in intervals],
                [equal_tailed(low).low for low, _ in ends],
                [equal_tailed(high).high for _, high in ends],
            )
        )
    below, above = (f"{100 * tail:.3g} %" for tail in tails())
    marks = [
        float(np.median(item.breakdown(item.sign)))
        for item in sets.values()
        if item.p_whole_set(0.0, item.sign) >= SURE
    ]
    return Figure(
        "sensitivity",
        "curve",
        "Effect against M-bar, the allowed divergence of trends relative "
        "to the largest change before adoption. Inner band: violations uniform within their bounds "
        f"({percent()} HDI); outer band: {below} and {above} quantiles of the ends of the "
        "identified set. "
        "Vertical lines: median breakdown values of effects whose sign is established under "
        "parallel trends.",
        tuple(series),
        xlabel="M-bar",
        ylabel=unit,
        verticals=tuple(m for m in marks if m <= _M_BAR[-1]),
    )
