"""The main answer under other settings: tables that sliders of a page look values up in.

Every model that counts is changed in the same way: its errors are inflated about its mean, a
further normal prior around zero is multiplied in, and what lies closer to zero than a limit does
not count as an effect. At the first place of every axis nothing is changed, and the numbers are
those of the page.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import norm

from bayesdid.arrays import FloatArray
from bayesdid.estimands.distribution import PROBABILITIES, Distribution
from bayesdid.estimands.judgement import UNSETTLED, Answer, Estimate, Source
from bayesdid.estimands.question import Asked
from bayesdid.estimands.verdict import WORDS, word_for
from bayesdid.report.text import number, probability, significant
from bayesdid.summary import Interval, hdi

INFLATIONS = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0)  # of standard errors, or of posterior sds
PRIOR_SHARES = (math.inf, 1.0, 0.5, 0.25, 0.1)  # of sd(y); infinite: no further prior
ROPE_SHARES = (0.0, 0.02, 0.05, 0.1, 0.2)  # of sd(y), beside what the study declares
_POINTS = 2000  # of equal probability that stand for a distribution
_GRID = re.compile(r"all columns, (.+), phi ([\d.]+)")


def slider_tables(
    asked: Asked,
    estimates: Sequence[Estimate],
    answers: Mapping[Source, Answer],
    scale: float,
    rope: float | None,
) -> dict[str, Any]:
    """One table for each source that answers; empty for claims that ask for no direction.

    Parameters
    ----------
    scale
        sd(y), which priors and limits are shares of.
    rope
        What the study declares as no effect, half its width.

    Returns
    -------
    dict
        Source -> ``models``, ``main`` (which of them answers), ``axes`` (name -> labels),
        and for every place of the axes in the order model, inflation, prior, rope: ``p`` (of the
        claimed side beyond the rope) and ``inside`` (the rope) as thousandths, ``words`` as
        positions in ``vocabulary``; in the order model, inflation, prior: ``mean`` and
        ``interval`` as text.
    """
    if asked.sign == 0 or not scale > 0:
        return {}
    found: dict[str, Any] = {}
    for source, answer in answers.items():
        counted = [e for e in estimates if e.source == source and e.counts and e.found is not None]
        if answer.model in [e.model for e in counted]:
            found[source] = _table(asked.sign, counted, answer, scale, rope)
    return found


def _table(
    sign: int, counted: Sequence[Estimate], answer: Answer, scale: float, rope: float | None
) -> dict[str, Any]:
    ropes = sorted({share * scale for share in ROPE_SHARES} | ({rope} if rope else set()))
    p, inside, words = [], [], []
    means: list[str] = []
    intervals: list[str] = []
    beyond = np.empty((len(counted), len(INFLATIONS), len(PRIOR_SHARES), len(ropes)))
    within = np.empty_like(beyond)
    for m, item in enumerate(counted):
        assert item.found is not None
        for k, times in enumerate(INFLATIONS):
            for s, share in enumerate(PRIOR_SHARES):
                own = _Changed.of(item.found, times, share * scale)
                means.append(number(own.mean))
                intervals.append(f"{number(own.interval.low)} to {number(own.interval.high)}")
                for r, limit in enumerate(ropes):
                    below, above = own.below(-limit), 1 - own.below(limit)
                    beyond[m, k, s, r] = below if sign < 0 else above
                    within[m, k, s, r] = max(0.0, 1 - below - above) if limit else 0.0
    low, high = beyond.min(axis=0), beyond.max(axis=0)
    vocabulary = [*WORDS, UNSETTLED]
    for at in np.ndindex(beyond.shape):
        p.append(thousandths(float(beyond[at])))
        inside.append(thousandths(float(within[at])))
        word = word_for(float(beyond[at]), float(low[at[1:]]), float(high[at[1:]]))
        words.append(vocabulary.index(UNSETTLED if answer.word == UNSETTLED else word))
    return {
        "models": [item.model for item in counted],
        "main": [item.model for item in counted].index(answer.model),
        "grid": _grid([item.model for item in counted]),
        "axes": {
            "inflation": [f"{times:g}" for times in INFLATIONS],
            "prior": ["none"] + [significant(v * scale) for v in PRIOR_SHARES[1:]],
            "rope": [significant(limit) for limit in ropes],
        },
        "level": counted[0].interval.level,
        "vocabulary": vocabulary,
        "p": p,
        "inside": inside,
        "words": words,
        "mean": means,
        "interval": intervals,
    }


def thousandths(p: float) -> int:
    """A probability as a page writes it: 0 is ``< 0.001`` and 1000 ``> 0.999``."""
    said = probability(p)
    return (
        0 if said.startswith("<") else 1000 if said.startswith(">") else round(1000 * float(said))
    )


def _grid(models: Sequence[str]) -> dict[str, list[Any]]:
    """Paths and autocorrelations of inverted columns and the model at each; empty for others."""
    named = {found.groups(): k for k, m in enumerate(models) if (found := _GRID.fullmatch(m))}
    if not named:
        return {}
    paths, phis = (list(dict.fromkeys(pair[i] for pair in named)) for i in (0, 1))
    if any((path, phi) not in named for path in paths for phi in phis):
        return {}
    at = [[named[path, phi] for phi in phis] for path in paths]
    return {"paths": paths, "phis": phis, "at": at}


class _Changed:
    """A distribution whose errors are inflated and that met a further prior."""

    __slots__ = ("_exact", "_times", "interval", "mean", "points")

    mean: float
    interval: Interval
    points: FloatArray
    _exact: Distribution | None
    _times: float

    @classmethod
    def of(cls, found: Distribution, times: float, sd: float) -> _Changed:
        """Inflated about its mean by `times`, then weighted by a normal prior of this sd."""
        own = cls()
        own._exact, own._times = (found if math.isinf(sd) else None), times
        points = found.mean + times * (_points(found) - found.mean)
        if math.isinf(sd):
            own.mean = found.mean
            own.interval = found.interval if times == 1 else hdi(points)
        else:
            log_weight = norm.logpdf(points, 0.0, sd)
            weight = np.exp(log_weight - log_weight.max())
            share = np.cumsum(weight) - weight / 2
            points = np.interp(_middles(), share / weight.sum(), points)
            own.mean, own.interval = float(points.mean()), hdi(points)
        own.points = points
        return own

    def below(self, value: float) -> float:
        """Probability of less than `value`."""
        if self._exact is not None:
            mean = self._exact.mean
            return self._exact.below(
                value if self._times == 1 else mean + (value - mean) / self._times
            )
        return float(np.interp(value, self.points, _middles(), left=0.0, right=1.0))


def _middles() -> FloatArray:
    return (np.arange(_POINTS) + 0.5) / _POINTS


def _points(found: Distribution) -> FloatArray:
    """Points of equal probability, in order."""
    if not found.quantiles:
        return np.asarray(found.mean + found.sd * norm.ppf(_middles()))
    return np.interp(_middles(), PROBABILITIES, found.quantiles)
