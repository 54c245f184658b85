"""Panels with a known synergy, whose columns are printed as a paper would print them.

A panel is simulated on a timing; its columns are regressed with two-way effects; coefficients and
standard errors (of independent errors) are rounded to three digits; the panel is thrown away. What
is left is inverted as :func:`bayesdid.published.synergy.published_synergy` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq
from scipy.special import logsumexp, ndtr

from bayesdid.arrays import FloatArray
from bayesdid.published.columns import PrintedColumns
from bayesdid.published.functional import Path, printed_terms, sample_units, state_rows
from bayesdid.published.inversion import (
    Component,
    Layout,
    components,
    held_out,
    log_weights,
    sampling_covariance,
)
from bayesdid.published.synergy import PHIS
from bayesdid.published.timing import Timing
from bayesdid.study.load import Spec
from bayesdid.study.terms import parse_term

SINGLE = (-0.5, -0.35)  # full size of each policy alone, near what dual_pilot prints
SIGMA, SCALE = 0.72, 1.455  # error sd and sd(y), as in dual_pilot
LEVEL = 0.89
JOINT = 1  # row of the quantities: both - sum of singles
DIGITS = 3

SHAPES = {
    "constant": Path("static"),
    "growing over 4": Path("growing", 4.0),
    "fading over 6": Path("fading", 6.0),
    "sizes by cohort": Path("static"),
}


@dataclass(frozen=True, slots=True)
class World:
    """How panels come about.

    Attributes
    ----------
    synergy
        Both minus the sum of singles.
    path
        A key of SHAPES; sizes by cohort are drawn anew for every panel, with an sd of .4 of theirs.
    phi
        Autocorrelation of errors within units.
    """

    synergy: float
    path: str
    phi: float = 0.0


def outcomes(world: World, timing: Timing, rng: np.random.Generator) -> FloatArray:
    """Outcomes of a panel, shape (N, T), without unit and period effects, which cancel."""
    (N, T), size = timing.on.shape[:2], SHAPES[world.path].size(timing.age)
    y = world.synergy * timing.on.all(axis=2).astype(float)
    for k, full in enumerate(SINGLE):
        share = np.ones(N)
        if world.path == "sizes by cohort":
            cohorts, at = np.unique(timing.start[:, k], return_inverse=True)
            share = (1 + 0.4 * rng.standard_normal(len(cohorts)))[at]
        y = y + full * share[:, None] * timing.on[:, :, k] * size[:, :, k]
    error = rng.standard_normal((N, T))
    for t in range(1, T):
        error[:, t] = world.phi * error[:, t - 1] + np.sqrt(1 - world.phi**2) * error[:, t]
    return np.asarray(y + SIGMA * error)


def regress(spec: Spec, timing: Timing, y: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Two-way least squares of a column: coefficients, i.i.d. and clustered standard errors."""
    keep = sample_units(spec, timing)
    X = []
    for text in printed_terms(spec):
        values = np.ones(y.shape)
        for factor in parse_term(text).factors:
            values = values * state_rows(timing, factor)
        X.append(two_way(values[keep]))
    D, outcome = np.stack(X, axis=-1), two_way(y[keep])
    n, T, q = D.shape
    flat = D.reshape(-1, q)
    found, _, rank, _ = np.linalg.lstsq(flat, outcome.ravel())
    assert rank == q
    bread, residual = np.linalg.inv(flat.T @ flat), outcome - D @ found
    variance = (residual**2).sum() / (n * T - n - T + 1 - q)
    scores = np.einsum("ntk,nt->nk", D, residual)
    clustered = n / (n - 1) * bread @ scores.T @ scores @ bread
    return found, np.sqrt(variance * np.diag(bread)), np.sqrt(np.diag(clustered))


def two_way(values: FloatArray) -> FloatArray:
    """Values minus their unit and period means."""
    return np.asarray(
        values
        - values.mean(axis=1, keepdims=True)
        - values.mean(axis=0, keepdims=True)
        + values.mean()
    )


def printed(columns: PrintedColumns, timing: Timing, y: FloatArray) -> PrintedColumns:
    """The same columns with what this panel makes of them, to three digits."""
    made = {spec.id: regress(spec, timing, y) for spec in columns.specs}
    pairs = [
        [part[k] for part in made[spec.id][:2]]
        for spec, k in zip(columns.specs, columns.position, strict=True)
    ]
    estimates, ses = np.round(np.array(pairs), DIGITS).T
    return replace(
        columns,
        estimates=estimates,
        ses=np.maximum(ses, 10.0**-DIGITS),
        rounding=np.full(len(estimates), 0.5 * 10.0**-DIGITS),
    )


def some(columns: PrintedColumns, names: Sequence[str]) -> PrintedColumns:
    """Only the columns of these names."""
    return columns.take(np.array([columns.names.index(name) for name in names]))


@dataclass(frozen=True, slots=True)
class Answer:
    """Both minus the sum of singles from one panel's print.

    Attributes
    ----------
    mean, sd, low, high, p_negative
        Of the inversion, averaged over the autocorrelations of its grid.
    own_low, own_high
        Ends of its interval if the autocorrelation of the errors were known.
    naive, naive_se
        Difference of the cells, and its standard error under the weights' correlation.
    missed
        Smallest held-out tail times the number of columns; NaN where none was computed.
    """

    mean: float
    sd: float
    low: float
    high: float
    p_negative: float
    own_low: float
    own_high: float
    naive: float
    naive_se: float
    missed: float


@dataclass(frozen=True, slots=True)
class Mixture:
    """Posterior of the synergy as a mixture of normals: weights, means and sds."""

    weight: FloatArray
    mean: FloatArray
    sd: FloatArray

    @property
    def moments(self) -> tuple[float, float]:
        """Mean and sd."""
        mean = float(self.weight @ self.mean)
        return mean, float(np.sqrt(self.weight @ (self.sd**2 + (self.mean - mean) ** 2)))

    def below(self, value: float) -> float:
        """Probability of less."""
        return float(self.weight @ ndtr((value - self.mean) / self.sd))

    def quantile(self, p: float) -> float:
        """Value that has probability `p` below it."""
        mean, sd = self.moments
        return float(brentq(lambda x: self.below(x) - p, mean - 20 * sd, mean + 20 * sd, xtol=1e-6))


def mixture(b: FloatArray, parts: Sequence[Component]) -> Mixture:
    """What :class:`bayesdid.published.inversion.Mixture` is, for the synergy alone."""
    S = np.stack([part.marginal for part in parts])
    taken: dict[int, tuple[FloatArray, float]] = {}  # parts of one layout share M
    for part in parts:
        if id(part.M) not in taken:
            own = part.prior @ part.L[JOINT]
            taken[id(part.M)] = (part.M @ own, float(part.L[JOINT] @ own))
    c = np.stack([taken[id(part.M)][0] for part in parts])
    before = np.array([taken[id(part.M)][1] for part in parts])
    gain = np.linalg.solve(S, c[:, :, None])[:, :, 0]
    log_weight = log_weights(b, parts, S)
    weight = np.exp(log_weight - logsumexp(log_weight))
    return Mixture(weight, gain @ b, np.sqrt(before - (gain * c).sum(axis=1)))


def answer(
    columns: PrintedColumns,
    laid: Sequence[Layout],
    contrast: FloatArray,
    phi: float,
    *,
    tails: bool = True,
) -> Answer:
    """Invert what is printed.

    Parameters
    ----------
    contrast
        Weights of the naive difference of cells.
    phi
        Autocorrelation of the panel's errors.
    tails
        Whether to predict held-out columns too.
    """
    parts = components(columns, laid, scale=SCALE, phis=PHIS)
    own = components(columns, laid, scale=SCALE, phis=(phi,))
    found = [mixture(columns.estimates, each) for each in (parts, own)]
    low, high, own_low, own_high = (
        item.quantile(p) for item in found for p in ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
    )
    V = sampling_covariance(columns, laid[0].weights, 0.0)
    p = [item.p for item in held_out(columns, parts)] if tails else [np.nan]
    mean, sd = found[0].moments
    return Answer(
        mean,
        sd,
        low,
        high,
        found[0].below(0.0),
        own_low,
        own_high,
        float(contrast @ columns.estimates),
        float(np.sqrt(contrast @ V @ contrast)),
        float(np.minimum(1.0, len(p) * np.min(p))),
    )
