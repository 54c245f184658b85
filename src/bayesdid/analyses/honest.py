"""An event study's effects under violated parallel trends, with breakdown values."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayesdid.analyses.analysis import Analysis, Figure, Series, Table, draws_tree
from bayesdid.contrasts.honest import (
    RelativeMagnitudes,
    relative_magnitudes,
    robust_sets,
    smooth_violation,
)
from bayesdid.contrasts.summary import hdi
from bayesdid.design.build import build_design
from bayesdid.design.design import FloatArray
from bayesdid.engines.student import student_posterior
from bayesdid.errors import InputError
from bayesdid.panel.panel import Panel
from bayesdid.study.load import Spec, Study
from bayesdid.study.terms import parse_term

_M_BAR = np.linspace(0.0, 2.0, 41)  # the slider
_ROBUST_M_BAR = (0.5, 1.0, 2.0)
_SHARES = (0.0, 0.25, 0.5, 1.0)  # M in units of the pre-period's own mean second difference
_GRID = 100  # of the test inversion: each value costs seconds
_SURE = 0.95


def honest(study: Study, spec: Spec, panel: Panel, *, seed: int = 0, draws: int = 1000) -> Analysis:
    """The analysis of a spec of family ``event_study``: sensitivity to violated parallel trends.

    Options beside the event study's own: ``robust = false`` leaves the robust confidence sets out.
    """
    design = build_design(spec, panel)
    posterior = student_posterior(design)
    times = [int(parse_term(term).factors[0].event_time or 0) for term in design.treatments]
    reference = int(spec.column.options.get("reference", -1))
    before = [k for k, t in enumerate(times) if t < reference]
    after = [k for k, t in enumerate(times) if t > reference]
    if len(before) < 2 or not after or times[after[0]] != reference + 1:
        raise InputError(
            f"{spec.id}: sensitivity to trends needs two periods before the reference "
            "and the first after it",
            value=times,
            remedy="widen the event window",
        )
    order = before + after
    mean = posterior.location[order]
    variance = posterior.nu / max(posterior.nu - 2, 1)
    covariance = posterior.scale[np.ix_(order, order)] * variance
    path = posterior.draw(4 * draws, np.random.default_rng(seed))[:, order]
    n_pre, n_post = len(before), len(after)
    post_zero = np.array([times[k] >= 0 for k in after], dtype=float)
    weights = {"the first period": np.eye(n_post)[0],
               "the average after adoption": post_zero / post_zero.sum()}  # fmt: skip
    sets = {name: relative_magnitudes(path[:, :n_pre], path[:, n_pre:], w)
            for name, w in weights.items()}  # fmt: skip
    typical = float(np.abs(np.diff(np.append(mean[:n_pre], 0.0), n=2)).mean())
    rng = np.random.default_rng(seed)
    sentences: list[str] = []
    tables: list[Table] = []
    for name, item in sets.items():
        sentences.append(_sentence(name, item))
        tables.append(Table(f"relative_{name.split()[-1]}", f"Relative magnitudes, {name}",
                            _relative_frame(item, rng)))  # fmt: skip
    smooth = [
        {"M": share * typical, "effect": name, "mean": m, "sd": sd, "P(< 0)": _p_negative(m, sd)}
        for name, w in weights.items() for share in _SHARES
        for m, sd in [smooth_violation(mean, covariance, n_pre, n_post, share * typical, weights=w)]
    ]  # fmt: skip
    tables.append(Table("smoothness", "Smoothness: second differences of the trend N(0, M²); M = 0 "
                        "takes out the linear pre-trend. M up to the mean absolute second "
                        "difference before adoption", pd.DataFrame(smooth)))  # fmt: skip
    if spec.column.options.get("robust", True):
        frame = _robust_frame(mean, covariance, n_pre, n_post, typical)
        tables.append(Table("robust", "95 % robust confidence sets of the first period's effect "
                            "(moderndid)", frame))  # fmt: skip
        sentences.append(_robust_sentence(frame))
    return Analysis(
        spec.id, "event_study", spec.title, tuple(sentences), tuple(tables),
        (_figure(sets, rng, study.file.outcome.unit),),
        posterior=draws_tree({f"breakdown {name}": item.breakdown for name, item in sets.items()}
                             | {name: item.effect for name, item in sets.items()},
                             spec, panel, engine="student", seed=seed, priors="flat"),
        notes=tuple(note.text for note in design.notes), synthetic=panel.synthetic or "",
    )  # fmt: skip


def _p_negative(mean: float, sd: float) -> float:
    from scipy.stats import norm

    return float(norm.cdf(-mean / sd))


def _sentence(name: str, item: RelativeMagnitudes) -> str:
    sign = float(np.sign(item.effect.mean()))
    value = item.breakdown
    low, high = hdi(value)
    grid = np.array([item.p_whole_set(m, sign) for m in _M_BAR])
    if grid[0] < _SURE:
        sure = f"even under parallel trends P(sign) is only {grid[0]:.3f}"
    elif grid[-1] >= _SURE:
        sure = f"P(whole set has that sign) stays above {_SURE} up to M-bar = {_M_BAR[-1]:.1f}"
    else:
        crossing = np.interp(-_SURE, -grid, _M_BAR)
        sure = f"P(whole set has that sign) falls below {_SURE} at M-bar = {crossing:.2f}"
    return (
        f"Effect in {name}: {item.effect.mean():.3f} under parallel trends. Its sign survives "
        f"trends that diverge by up to {np.median(value):.2f} times the largest change before "
        f"adoption (posterior median of the breakdown value; 89 % HDI {low:.2f} to {high:.2f}); "
        f"{sure}."
    )


def _relative_frame(item: RelativeMagnitudes, rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    for m in (0.0, 0.5, 1.0, 1.5, 2.0):
        values = item.effect_under(m, rng)
        low, high = hdi(values)
        rows.append({
            "M-bar": m, "mean, uniform violation": float(values.mean()), "HDI 89% low": low,
            "HDI 89% high": high, "P(< 0), uniform": float((values < 0).mean()),
            "P(whole set < 0)": item.p_whole_set(m, -1.0),
            "P(some of the set < 0)": item.p_some(m, -1.0),
        })  # fmt: skip
    return pd.DataFrame(rows)


def _robust_frame(
    mean: FloatArray, covariance: FloatArray, n_pre: int, n_post: int, typical: float
) -> pd.DataFrame:
    rows = [
        {"restriction": "relative magnitudes", "M": item.M, "low": item.low, "high": item.high}
        for item in robust_sets(mean, covariance, n_pre, n_post, "relative_magnitude",
                                _ROBUST_M_BAR, grid_points=_GRID)
    ]  # fmt: skip
    rows += [
        {"restriction": "smoothness", "M": item.M, "low": item.low, "high": item.high}
        for item in robust_sets(mean, covariance, n_pre, n_post, "smoothness",
                                tuple(share * typical for share in _SHARES))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _robust_sentence(frame: pd.DataFrame) -> str:
    excludes = (frame["low"] > 0) | (frame["high"] < 0)
    parts = []
    for kind in ("relative magnitudes", "smoothness"):
        rows = frame["restriction"] == kind
        kept = frame.loc[rows & excludes, "M"]
        parts.append(
            f"{kind} {'up to M = ' + format(kept.max(), '.3g') if len(kept) else 'at no M'}"
        )
    return "The 95 % robust confidence sets exclude zero under " + " and ".join(parts) + " tried."


def _figure(sets: dict[str, RelativeMagnitudes], rng: np.random.Generator, unit: str) -> Figure:
    series = []
    for name, item in sets.items():
        draws = [item.effect_under(float(m), rng) for m in _M_BAR]
        intervals = [hdi(values) for values in draws]
        low = [float(np.quantile(item.effect - m * item.width, 0.055)) for m in _M_BAR]
        high = [float(np.quantile(item.effect + m * item.width, 0.945)) for m in _M_BAR]
        series.append(
            Series(
                name,
                _M_BAR.tolist(),
                [float(v.mean()) for v in draws],
                [a for a, _ in intervals],
                [b for _, b in intervals],
                low,
                high,
            )
        )
    marks = tuple(float(np.median(item.breakdown)) for item in sets.values())
    return Figure(
        "sensitivity", "curve", "Effect against M-bar, the allowed divergence of trends relative "
        "to the largest change before adoption. Inner band: violations uniform within their bounds "
        "(89 % HDI); outer band: 5.5 % and 94.5 % quantiles of the ends of the identified set. "
        "Vertical lines: median breakdown values.",
        tuple(series), xlabel="M-bar", ylabel=unit,
        verticals=tuple(m for m in marks if m <= _M_BAR[-1]),
    )  # fmt: skip
