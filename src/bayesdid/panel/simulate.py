"""Panels with known truth, always stamped synthetic.

``y = X b + sum of effects x terms + a_i + g_t + e``, with ``e`` AR(1) within units and, if asked
for, a spatial lag of y. Nothing is clipped: the truth of the linear model is kept exactly, so
some simulated outcomes may lie below the outcome's minimum, which a note counts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesdid.exceptions import InputError
from bayesdid.panel.adopters import declared_starts
from bayesdid.panel.adoption import policy_value
from bayesdid.panel.declared import check_simulation
from bayesdid.panel.panel import Panel
from bayesdid.panel.places import random_places
from bayesdid.panel.validate import STAMP, validate_panel
from bayesdid.study.load import Study
from bayesdid.study.printed import number
from bayesdid.study.schema import Moments, Simulation
from bayesdid.study.terms import POLICY_KINDS, Term, parse_term

FloatArray = NDArray[np.float64]
_BETWEEN_SHARE = 0.7  # share of a covariate's variance that lies between units


def simulate_panel(
    study: Study, *, seed: int | None = None, W: FloatArray | None = None, rho: float = 0.0
) -> Panel:
    """Simulate the panel that ``[panel.simulate]`` describes.

    Parameters
    ----------
    study
        Its counts, moments, truth and seed are used.
    seed
        Replaces the study's seed.
    W, rho
        Spatial weights, shape (N, N), and spatial lag; off by default.

    Returns
    -------
    Panel
        Balanced, stamped synthetic. Units are named ``unit001`` and so on.
    """
    frame = simulate_frame(study, seed=seed, W=W, rho=rho)
    return validate_panel(frame, study, source="simulation declared in study.toml", first_row=1)


def simulate_frame(
    study: Study, *, seed: int | None = None, W: FloatArray | None = None, rho: float = 0.0
) -> pd.DataFrame:
    """The same as a raw frame, as a user's file would hold it, with the stamp in a column."""
    settings, section = check_simulation(study), study.file.panel
    rng = np.random.default_rng(settings.seed if seed is None else seed)
    periods = np.arange(int(section.first_period or 0), int(section.last_period or 0) + 1)
    N, T = int(section.units or 0), len(periods)
    policies = [policy.id for policy in study.policies]
    start = _adoption(settings, policies, N, rng, study)
    active = (periods[None, :, None] >= start[:, None, :]).astype(float)
    moments = _moments(study, settings)
    covariates: dict[str, FloatArray] = {}
    for name, row in moments.items():
        response = _terms(settings.responses.get(name, {}), policies, start, active)
        covariates[name] = _covariate(row, response, (N, T), rng)
    effects = _terms(settings.truth, policies, start, active)
    for name, coefficient in settings.covariates.items():
        effects = effects + coefficient * (covariates[name] - covariates[name].mean())
    columns: dict[str, Any] = {
        section.unit: np.repeat([f"unit{i + 1:03d}" for i in range(N)], T),
        section.period: np.tile(periods, N),
        study.file.outcome.column: _outcome(effects, active, settings, rng, W, rho).ravel(),
    }
    target = _outcome_mean(study, settings)
    columns[study.file.outcome.column] += target - columns[study.file.outcome.column].mean()
    for name, factor in settings.other_outcomes.items():
        values = factor * _outcome(effects, active, settings, rng, W, rho)
        columns[name] = (values - values.mean() + factor * target).ravel()
    for k, policy in enumerate(study.policies):
        values = start[:, k] if policy.adoption else active[:, :, k]
        values = np.repeat(values, T) if policy.adoption else values.ravel()
        columns[str(policy.adoption or policy.indicator)] = np.where(
            np.isfinite(values), values, np.nan
        )
    columns |= {name: values.ravel() for name, values in covariates.items()}
    for name, rounds in settings.policies.items():
        begin = _spread(rounds, N, rng)
        columns[name] = (periods[None, :] >= begin[:, None]).astype(float).ravel()
    for name, levels in settings.groups.items():
        labels = np.repeat(list(levels), list(levels.values()))
        columns[name] = np.repeat(rng.permutation(labels), T)
    for spec in study.specs.values():  # an instrument: between-unit, related to adoption
        if spec.column.instrument and spec.column.instrument not in columns:
            level = np.exp(rng.normal(1.5 + 0.5 * np.isfinite(start).sum(axis=1), 0.6))
            columns[spec.column.instrument] = np.repeat(np.round(level), T)
    stamp = f"simulated by bayesdid from the study's declared design, seed {settings.seed}"
    if settings.places is not None:
        places = random_places(
            study.inside(settings.places), N, settings.seed if seed is None else seed
        )
        columns[str(section.longitude)] = np.repeat(places[:, 0], T)
        columns[str(section.latitude)] = np.repeat(places[:, 1], T)
        stamp += "; its units stand at real places drawn at random, not at the study's own"
    frame = pd.DataFrame(columns)
    frame[STAMP] = stamp
    return frame


def _adoption(
    settings: Simulation, policies: list[str], N: int, rng: np.random.Generator, study: Study
) -> FloatArray:
    """Adoption period of each unit and policy, inf for never, shape (N, policies)."""
    file = study.path / "study.toml"
    rows = declared_starts(settings.adoption, policies, "panel.simulate.adoption", file)
    if len(rows) > N:
        raise InputError(
            f"{len(rows)} adopting units among {N}",
            file=file,
            column="panel.simulate.adoption",
            remedy="lower the counts or raise panel.units",
        )
    rows += [[np.inf] * len(policies)] * (N - len(rows))
    return rng.permutation(np.array(rows), axis=0)


def _terms(
    truth: dict[str, float], policies: list[str], start: FloatArray, active: FloatArray
) -> FloatArray:
    """Sum of effects times terms, shape (N, T)."""
    total = np.zeros(active.shape[:2])
    for text, effect in truth.items():
        total += effect * _term(parse_term(text), policies, start, active)
    return total


def _term(term: Term, policies: list[str], start: FloatArray, active: FloatArray) -> FloatArray:
    value = np.ones(active.shape[:2])
    for factor in term.factors:
        if factor.kind not in POLICY_KINDS or factor.event:
            raise InputError(
                "the truth of a simulation is about policy terms",
                value=factor,
                remedy="put covariates under covariates",
            )
        value = value * policy_value(factor, policies, active > 0, start[:, None, :])
    return value


def _outcome(
    effects: FloatArray,
    active: FloatArray,
    settings: Simulation,
    rng: np.random.Generator,
    W: FloatArray | None,
    rho: float,
) -> FloatArray:
    N, T = effects.shape
    adopted = active[:, -1, :].sum(axis=1)
    lean = (adopted - adopted.mean()) / (adopted.std() or 1.0)
    c = settings.correlation
    unit = settings.sigma_unit * (c * lean + np.sqrt(1 - c * c) * rng.standard_normal(N))
    period = settings.sigma_period * rng.standard_normal((1, T))
    shocks = settings.sigma * rng.standard_normal((N, T))
    error = shocks.copy()
    for t in range(1, T):  # stationary from the first period on
        error[:, t] = settings.phi * error[:, t - 1] + np.sqrt(1 - settings.phi**2) * shocks[:, t]
    y = effects + unit[:, None] + period + error
    return y if W is None else np.linalg.solve(np.eye(N) - rho * W, y)


def _spread(rounds: dict[str, int], N: int, rng: np.random.Generator) -> FloatArray:
    starts = [float(when) for when, count in rounds.items() for _ in range(count)]
    return rng.permutation(np.array(starts + [np.inf] * (N - len(starts))))


def _moments(study: Study, settings: Simulation) -> dict[str, Moments]:
    """Rows of the descriptive table that are covariates."""
    if settings.moments is None:
        return {}
    known = {variable.column for variable in study.file.variable}
    rows = study.tables[settings.moments].moments
    return {
        row.column: row
        for row in rows
        if row.column in known and row.column != study.file.outcome.column
    }


def _outcome_mean(study: Study, settings: Simulation) -> float:
    if settings.moments is not None:
        for row in study.tables[settings.moments].moments:
            if row.column == study.file.outcome.column:
                return number(row.mean)
    return 0.0


def _covariate(
    row: Moments, response: FloatArray, shape: tuple[int, int], rng: np.random.Generator
) -> FloatArray:
    """Draw a covariate with the printed mean, sd, minimum and maximum, shape (N, T)."""
    N, T = shape
    mean, sd = number(row.mean), number(row.sd)
    low = number(row.min) if row.min is not None else -np.inf
    high = number(row.max) if row.max is not None else np.inf
    base = np.sqrt(_BETWEEN_SHARE) * rng.standard_normal((N, 1)) + np.sqrt(
        1 - _BETWEEN_SHARE
    ) * rng.standard_normal((N, T))
    if mean - 2 * sd < low:  # skewed to the right, as shares and sizes are
        base = np.exp(0.6 * base)
    base = (base - base.mean()) / base.std() + response / (sd or 1.0)
    base = (base - base.mean()) / base.std()
    location, scale = mean, sd
    for _ in range(200):  # clipping moves the moments a little: aim until they are met
        x = np.clip(location + scale * base, low, high)
        x.flat[x.argmin()], x.flat[x.argmax()] = max(low, x.min()), min(high, x.max())
        location += mean - x.mean()
        scale *= sd / x.std(ddof=1)
    return np.asarray(x)
