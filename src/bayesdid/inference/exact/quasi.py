"""Counts beside: quasi-likelihood with fixed effects, which supposes the mean of a count alone.

The equations ``sum x (y - m) = 0`` of a Poisson (binomial) regression hold for every count whose
mean is right, whatever its distribution (Gourieroux, Monfort & Trognon 1984, Econometrica 52,
681-700, doi:10.2307/1913471), so that its clustered covariance does too (fixest's ``fepois``). At
their solution they are least squares of a working outcome ``eta + (y - m) / v`` with weights v, the
variance that the distribution has (McCullagh & Nelder 1989, section 2.5).
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit
from scipy.stats import chi2

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.exceptions import Note, NotIdentifiedError
from bayesdid.inference.exact.conjugate import conjugate_within, within_arrays
from bayesdid.model.likelihood import Likelihood

DISPERSED, TAIL = 1.5, 1e-3
"""A distribution is too narrow if rows vary so many times as much, and not by chance."""
_STEPS, _CLOSE, _LEAST = 100, 1e-9, 1e-12


class Working(NamedTuple):
    """Least squares that the equations are at their solution.

    Attributes
    ----------
    design
        Its outcome and weights are the working ones; rows that no effect is seen in are left out.
    dispersion
        Pearson's statistic over its degrees of freedom: one if the distribution is right.
    nu
        Degrees of freedom.
    """

    design: Design
    dispersion: float
    nu: int

    def note(self, likelihood: Likelihood) -> Note | None:
        """That rows vary more than the distribution allows, or None if they do not."""
        by_chance = float(chi2.sf(self.dispersion * self.nu, self.nu))
        if self.dispersion < DISPERSED or by_chance > TAIL:
            return None
        other = 'likelihood="negative_binomial"' if likelihood.name == "poisson" else "errors="
        other += "" if likelihood.name == "poisson" else '"iid_unit", an error for each row'
        text = (
            f"rows vary {self.dispersion:.3g} times as much as {likelihood} ones do: this posterior"
            f" is too narrow, by a factor of about {self.dispersion**0.5:.2g}; take {other}, or "
            "read the rows beside"
        )
        return Note("dispersion", self.design.n, text)


def working(design: Design, likelihood: Likelihood) -> Working:
    """The solution for counts of a design, all of its effects taken as fixed.

    Raises
    ------
    NotIdentifiedError
        If effects and regressors leave nothing of the treatments, or there is no finite solution.
    """
    own = _told(replace(design, weights=None), likelihood)
    sizes = own.trials if likelihood.name == "binomial" else own.exposure
    times = np.ones(own.n) if sizes is None else sizes
    eta = _start(own.y, times, likelihood)
    for _ in range(_STEPS):
        m, v = _moments(eta, times, likelihood)
        own = replace(own, weights=v)
        Z, z = within_arrays(replace(own, y=eta + (own.y - m) / v))
        found = conjugate_within(own, Z, z)
        before, residual = eta, z - Z @ found.location
        eta = eta + (own.y - m) / v - residual / np.sqrt(v)
        if abs(eta - before).max() < _CLOSE * (1 + abs(eta).max()):
            m, v = _moments(eta, times, likelihood)
            pearson = float(((own.y - m) ** 2 / v).sum())
            ready = replace(own, y=eta + (own.y - m) / v, weights=v)
            return Working(ready, pearson / max(found.nu, 1), found.nu)
    raise NotIdentifiedError(
        f"{design.spec_id}: the counts have no finite solution",
        remedy="leave out regressors that tell zeros from other counts",
    )


def _start(y: FloatArray, times: FloatArray, likelihood: Likelihood) -> FloatArray:
    if likelihood.name == "binomial":
        return np.asarray(logit((y + 0.5) / (times + 1)))
    return np.asarray(np.log((y + y.mean()) / 2 / times))


def _moments(
    eta: FloatArray, times: FloatArray, likelihood: Likelihood
) -> tuple[FloatArray, FloatArray]:
    """Mean and variance of each row, shape (n,) each."""
    if likelihood.name == "binomial":
        p = expit(eta)
        return times * p, np.maximum(times * p * (1 - p), _LEAST)
    m = times * np.exp(np.clip(eta, -30, 30))
    return m, np.maximum(m, _LEAST)


def _told(design: Design, likelihood: Likelihood) -> Design:
    """Without the rows of levels that are all zero (all successes): their effect is infinite."""
    while True:
        kept = np.ones(design.n, dtype=bool)
        for index in _level_indices(design):
            kept &= np.bincount(index, design.y)[index] > 0
            if likelihood.name == "binomial" and design.trials is not None:
                kept &= np.bincount(index, design.trials - design.y)[index] > 0
        if kept.all():
            return design
        if not kept.any():
            raise NotIdentifiedError(f"{design.spec_id}: every count is zero")
        design = design.take(kept)


def _level_indices(design: Design) -> list[np.ndarray]:
    levels = [one.index for one in design.further if one.slope is None]
    levels += [design.unit_index] * (design.unit_effects != "none")
    return [*levels, *[design.period_index] * (design.period_effects != "none")]
