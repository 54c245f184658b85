"""What a table does not print, computed from a panel: errors, persistence, dynamics."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.inference.fit import fit
from bayesdid.model.errors import DEFAULT_ERRORS
from bayesdid.panel.panel import Panel
from bayesdid.reconstruct.compile import regression_of
from bayesdid.reconstruct.regression import Estimates
from bayesdid.study.load import Spec

CLUSTERED = "clustered standard error"
PERSISTENCE = "lag-1 correlation of residuals"
UNEVEN = "coefficient of variation of units' residual sds"
LATE = "effect from the fifth period on, less before"
RANDOM = "estimate with random effects"
SERIAL = "estimate under the default errors"
_LATE = 4  # periods since the treatment began
_SEED = 16


@dataclass(frozen=True, slots=True)
class Unsaid:
    """A quantity that no table prints, over the members of an ensemble.

    Attributes
    ----------
    spec_id, name
        The column it is about, and what it is.
    values
        Of each member.
    yardstick
        A spread of the members up to here says that the tables determine it.
    """

    json_keys: ClassVar[tuple[str, ...]] = (
        "spec_id",
        "name",
        "low",
        "median",
        "high",
        "determined",
    )

    spec_id: str
    name: str
    values: tuple[float, ...]
    yardstick: float

    @property
    def low(self) -> float:
        """Least of the members."""
        return min(self.values)

    @property
    def median(self) -> float:
        """The middle of the members."""
        return float(np.median(self.values))

    @property
    def high(self) -> float:
        """Largest of the members."""
        return max(self.values)

    @property
    def determined(self) -> bool:
        """Whether members differ by no more than the yardstick."""
        return self.high - self.low <= self.yardstick


def from_residuals(panel: Panel, spec: Spec, y: FloatArray | None = None) -> dict[str, float]:
    """What follows from least squares on the column; no late effect where none is late.

    Parameters
    ----------
    y
        Another outcome than the panel's, in its rows, shape (n,).
    """
    name = spec.column.outcome
    sought: Mapping[str, FloatArray] = {} if y is None else {name: y}
    regression = regression_of(spec, panel, tuple(sought), False)
    found = regression.estimate(sought)
    unit, e = regression.unit_index, found.e
    same = unit[1:] == unit[:-1]
    sizes = np.sqrt(np.bincount(unit, e**2) / np.bincount(unit))
    said = {
        CLUSTERED: _clustered(found),
        PERSISTENCE: float((e[1:] * e[:-1])[same].sum() / (e[:-1] ** 2)[same].sum()),
        UNEVEN: float(sizes.std() / sizes.mean()),
    }
    treatment = regression.regressors[0]
    late = treatment.fixed * (_since(treatment.fixed, unit) >= _LATE)
    more = dataclasses.replace(
        regression,
        regressors=(*regression.regressors, dataclasses.replace(treatment, fixed=late)),
        names=(*regression.names, "late"),
    )
    both = np.column_stack([found.within, regression.within(late)])
    if np.linalg.matrix_rank(both) > found.within.shape[1]:
        said[LATE] = more.estimate(sought).value("late", "estimate")
    return said


def from_other_models(panel: Panel, spec: Spec) -> dict[str, float]:
    """The column's effect with random effects of units and periods, and under dependent errors."""
    term = spec.column.treatments[0]
    random = fit(
        spec,
        panel,
        unit_effects="random",
        period_effects="random",
        errors="iid",
        draws=500,
        seed=_SEED,
    )
    serial = fit(spec, panel, errors=DEFAULT_ERRORS, draws=500, seed=_SEED)
    return {
        RANDOM: float(random.tidy().loc[term, "mean"]),
        SERIAL: float(serial.tidy().loc[term, "mean"]),
    }


def yardsticks(values: Mapping[str, float], se: float) -> dict[str, float]:
    """Spread up to which a quantity counts as determined: a tenth of the printed standard error.

    Of what is no effect, a tenth of its own size; of a correlation, .1.
    """
    own = {CLUSTERED, UNEVEN}
    return {
        name: 0.1 * abs(value) if name in own else 0.1 if name == PERSISTENCE else 0.1 * se
        for name, value in values.items()
    }


def _clustered(found: Estimates) -> float:
    unit = found.of.unit_index
    scores = np.zeros((unit.max() + 1, found.within.shape[1]))
    np.add.at(scores, unit, found.within * found.e[:, None])
    N = len(scores)
    V = found.inverse @ (scores.T @ scores) @ found.inverse * N / (N - 1)
    return float(np.sqrt(V[0, 0]))


def _since(treated: FloatArray, unit: np.ndarray) -> FloatArray:
    """Periods since the treatment began, 0 in its first and where it is off."""
    since = np.zeros(len(treated))
    for i in range(1, len(treated)):
        if unit[i] == unit[i - 1] and treated[i] and treated[i - 1]:
            since[i] = since[i - 1] + 1
    return since
