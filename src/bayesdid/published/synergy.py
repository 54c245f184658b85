"""Posterior contrasts from published estimates and standard errors alone.

The columns of a table share units, so their estimates are correlated; how much is not published.
Four scenarios bracket it: ``design`` (the correlation that the counts imply,
:mod:`bayesdid.published.covariance`), ``independent``, and the two ends of the range that any
correlation matrix allows: ``tightest`` and ``widest``. Each is crossed with factors by which the
printed standard errors may be too small. Priors on a contrast are normal around zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.estimands.evidence import (
    PRIOR_SHARES,
    BayesFactor,
    DesignErrors,
    design_errors,
    savage_dickey,
    update,
)
from bayesdid.estimands.names import MAX_SINGLE, RATIO, Contrast, contrasts_of
from bayesdid.exceptions import InputError, Note
from bayesdid.inference.numerics.mixture import psd_root
from bayesdid.published.covariance import shared_units
from bayesdid.study.load import Study
from bayesdid.summary import Summary, summarise, summarise_normal

SCENARIOS = ("design", "independent", "tightest", "widest")
INFLATIONS = (1.0, 1.5, 2.0, 3.0)
_DRAWS = 20_000
_SEED = 20_140_701


@dataclass(frozen=True, slots=True)
class PublishedContrast:
    """One contrast from printed cells.

    Attributes
    ----------
    contrast
        What it is.
    cells
        The printed cells it is made of.
    estimate, se
        Its value at the printed estimates, and its standard error in the design scenario; NaN
        for non-linear contrasts.
    posteriors
        (scenario, inflation) -> summary, under the weak prior.
    p_claim
        The same keys -> probability of the claim's direction.
    bayes_factors
        Savage-Dickey Bayes factors in the design scenario, as printed; empty if non-linear.
    design_errors
        Type-S and type-M errors in the design scenario under the sceptical prior.
    """

    json_keys: ClassVar[tuple[str, ...]] = (
        "name",
        "label",
        "cells",
        "estimate",
        "se",
        "posteriors",
        "p_claim",
        "bayes_factors",
        "design_errors",
    )

    contrast: Contrast
    cells: tuple[str, ...]
    estimate: float
    se: float
    posteriors: dict[tuple[str, float], Summary]
    p_claim: dict[tuple[str, float], float]
    bayes_factors: tuple[BayesFactor, ...]
    design_errors: DesignErrors | None

    @property
    def name(self) -> str:
        """Of the contrast."""
        return self.contrast.name

    @property
    def label(self) -> str:
        """Of the contrast, for people."""
        return self.contrast.label

    @property
    def main(self) -> Summary:
        """As printed: the design's correlation, no inflation."""
        return self.posteriors["design", 1.0]


@dataclass(frozen=True, slots=True)
class PublishedSynergy:
    """All contrasts that a study's printed cells allow.

    Attributes
    ----------
    contrasts
        Name -> contrast, in report order.
    estimands
        The effects that the cells estimate, in the order of `estimates`.
    estimates, ses, correlation
        Printed values, shapes (K,), (K,), and the design's correlation (K, K).
    scale
        sd(y), by which priors are scaled, and where it came from.
    scale_source
        ``table1:safety.sd``, or the rule used if no table prints it.
    notes
        What was assumed.
    """

    contrasts: dict[str, PublishedContrast]
    estimands: tuple[str, ...]
    estimates: FloatArray
    ses: FloatArray
    correlation: FloatArray
    scale: float
    scale_source: str
    notes: tuple[Note, ...]


def published_cells(study: Study) -> dict[str, str]:
    """Estimand -> reference of the printed cell that estimates it."""
    cells = study.file.synergy
    found: dict[str, str | None] = {"both": cells.both_none}
    found |= {f"only:{p}": ref for p, ref in cells.only_none.items()}
    found["both|single"] = cells.both_single
    found |= {f"first:{p}": ref for p, ref in cells.first_none.items()}
    found |= {f"first:{p}|single": ref for p, ref in cells.first_single.items()}
    return {key: ref for key, ref in found.items() if ref is not None}


def published_synergy(study: Study) -> PublishedSynergy:
    """Contrasts from the cells that ``[synergy]`` of the study names.

    Raises
    ------
    InputError
        If the study names no cells, or a cell has no standard error.
    """
    refs = published_cells(study)
    if not refs:
        raise InputError(
            "the study names no published cells for its contrasts",
            file=study.path / "study.toml",
            column="synergy",
            remedy="fill [synergy], or fit a panel with 'bayesdid fit'",
        )
    values = {key: study.cell(ref) for key, ref in refs.items()}
    for key, cell in values.items():
        if cell.se is None or float(cell.se) <= 0:
            raise InputError(
                "a published effect has no standard error",
                column=refs[key],
                file=study.path,
                remedy="add 'se' to the cell",
            )
    keys = tuple(values)
    estimates = np.array([float(values[key].value) for key in keys])
    ses = np.array([float(cell.se) for cell in values.values() if cell.se is not None])
    shared = shared_units(study, [study[refs[key].partition(":")[0]] for key in keys])
    scale, source = outcome_scale(study, estimates)
    better = study.file.outcome.better
    rope = study.file.synergy.rope
    result: dict[str, PublishedContrast] = {}
    for contrast in contrasts_of(study):
        needed = _needed(contrast, study)
        if not set(needed) <= set(keys):
            continue
        at = [keys.index(key) for key in needed]
        part = (estimates[at], ses[at], shared.correlation[np.ix_(at, at)])
        cells = tuple(refs[key] for key in needed)
        if contrast.weights is not None:
            weights = np.array([contrast.weights[key] for key in needed])
            result[contrast.name] = _linear(contrast, cells, weights, *part, scale, rope, better)
        else:
            result[contrast.name] = _nonlinear(contrast, cells, *part, scale, rope, better)
    return PublishedSynergy(
        result, keys, estimates, ses, shared.correlation, scale, source, shared.notes
    )


def outcome_scale(study: Study, estimates: FloatArray) -> tuple[float, str]:
    """sd(y) from a descriptive table; else twice the largest estimate."""
    outcome = study.file.outcome.column
    for table in study.tables.values():
        for row in table.moments:
            if row.column == outcome and row.sd is not None:
                return float(row.sd), f"{table.id}:{outcome}.sd"
    return 2.0 * float(np.abs(estimates).max()), "twice the largest estimate"


def variance_range(weights: FloatArray, ses: FloatArray) -> tuple[float, float]:
    """Smallest and largest variance of ``weights @ estimates`` over all correlations.

    The largest has every term pulling one way; the smallest is zero unless one term is larger
    than all others together (the triangle inequality for the terms as vectors).
    """
    terms = np.abs(weights * ses)
    total, largest = terms.sum(), terms.max()
    return float(max(0.0, 2 * largest - total) ** 2), float(total**2)


def _needed(contrast: Contrast, study: Study) -> tuple[str, ...]:
    if contrast.weights is not None:
        return tuple(contrast.weights)
    return ("both", *(f"only:{policy.id}" for policy in study.policies))


def _linear(
    contrast: Contrast,
    cells: tuple[str, ...],
    weights: FloatArray,
    estimates: FloatArray,
    ses: FloatArray,
    correlation: FloatArray,
    scale: float,
    rope: float | None,
    better: str,
) -> PublishedContrast:
    estimate = float(weights @ estimates)
    low, high = variance_range(weights, ses)
    terms = weights * ses
    variance = {
        "design": float(terms @ correlation @ terms),
        "independent": float(terms @ terms),
        "tightest": low,
        "widest": high,
    }
    prior_sd = PRIOR_SHARES["weak"] * scale
    posteriors = {
        (name, k): summarise_normal(
            *update(estimate, k * np.sqrt(variance[name]), prior_sd), rope=rope
        )
        for name in SCENARIOS
        for k in INFLATIONS
    }
    se = float(np.sqrt(variance["design"]))
    lower = better == "lower"
    return PublishedContrast(
        contrast,
        cells,
        estimate,
        se,
        posteriors,
        {key: s.p_negative if lower else 1 - s.p_negative for key, s in posteriors.items()},
        savage_dickey(estimate, se, scale),
        design_errors(estimate, se, PRIOR_SHARES["sceptical"] * scale),
    )


def _nonlinear(
    contrast: Contrast,
    cells: tuple[str, ...],
    estimates: FloatArray,
    ses: FloatArray,
    correlation: FloatArray,
    scale: float,
    rope: float | None,
    better: str,
) -> PublishedContrast:
    noise = np.random.default_rng(_SEED).standard_normal((_DRAWS, len(estimates)))
    sign = 1.0 if better == "lower" else -1.0
    grid = [correlation, np.eye(len(estimates)), *_correlation_grid(len(estimates))]
    posteriors: dict[tuple[str, float], Summary] = {}
    p_claim: dict[tuple[str, float], float] = {}
    for k in INFLATIONS:
        draws = [_value(contrast, _joint(estimates, k * ses, R, scale, noise), sign) for R in grid]
        # P over the grid orders the scenarios; the ends take the names of the linear case
        probability = [_claim(contrast, value, sign) for value in draws]
        order = np.argsort(np.abs(np.array(probability) - 0.5))
        chosen = {"design": 0, "independent": 1, "tightest": order[-1], "widest": order[0]}
        for name, index in chosen.items():
            posteriors[name, k] = summarise(
                draws[index], rope=rope if contrast.name != RATIO else None
            )
            p_claim[name, k] = probability[index]
    return PublishedContrast(
        contrast, cells, float("nan"), float("nan"), posteriors, p_claim, (), None
    )


def _value(contrast: Contrast, theta: FloatArray, sign: float) -> FloatArray:
    both, singles = theta[:, 0], theta[:, 1:]
    if contrast.name == MAX_SINGLE:
        best = singles.min(axis=1) if sign > 0 else singles.max(axis=1)
        return np.asarray(both - best)
    return np.asarray(both / singles.sum(axis=1))


def _claim(contrast: Contrast, value: FloatArray, sign: float) -> float:
    if contrast.name == RATIO:
        return float((value > 1).mean())
    return float((sign * value < 0).mean())


def _joint(
    estimates: FloatArray, ses: FloatArray, correlation: FloatArray, scale: float, noise: FloatArray
) -> FloatArray:
    """Draws of the effects under independent weak priors, shape (S, K)."""
    V = np.outer(ses, ses) * correlation
    prior = (PRIOR_SHARES["weak"] * scale) ** 2
    gain = V @ np.linalg.inv(V + prior * np.eye(len(V)))
    mean, covariance = estimates - gain @ estimates, V - gain @ V
    return np.asarray(mean + noise @ psd_root(covariance).T)


def _correlation_grid(size: int, points: int = 5) -> list[FloatArray]:
    """Positive semi-definite correlation matrices on a grid out to +-0.98."""
    levels = np.linspace(-0.98, 0.98, points)
    upper = np.triu_indices(size, 1)
    found = []
    for values in np.array(np.meshgrid(*[levels] * len(upper[0]))).reshape(len(upper[0]), -1).T:
        R = np.eye(size)
        R[upper] = values
        R = R + np.triu(R, 1).T
        if np.linalg.eigvalsh(R).min() > -1e-9:
            found.append(R)
    return found
