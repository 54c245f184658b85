"""Which units have a 0/1 column that the tables describe, so that columns with it hold together.

A column with such a regressor more than another on the same rows differs from it by that
regressor's coefficient times its regression on the others, whatever the outcome is. Which unit has
which path of zeros and ones is a draw; a search over exchanges of paths between units, which keeps
the mean and all that is drawn of the paths themselves, finds one that contradicts nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bayesdid.arrays import FloatArray
from bayesdid.published.timing import Timing
from bayesdid.reconstruct.agreeing import relations_of
from bayesdid.reconstruct.search import searched
from bayesdid.study.load import Study

_MOVES = 1500


def dealt_to_agree(
    study: Study,
    frame: pd.DataFrame,
    columns: Sequence[str],
    hold_out: Sequence[str],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """The frame with paths of 0/1 columns exchanged between units until printed columns agree.

    Only columns of tables count whose regressors are policies and such columns, for others adapt
    to theirs; where there are none the frame is the same.

    Parameters
    ----------
    frame
        Every unit in every period, sorted.
    columns
        The 0/1 columns.
    hold_out
        Tables and columns that do not count.
    """
    found = [
        one for one in relations_of(study, hold_out, columns) if not one.explained and one.named
    ]
    if not found:
        return frame
    unit, period = study.file.panel.unit, study.file.panel.period
    N = frame[unit].nunique()
    begun = [str(policy.adoption) for policy in study.policies]
    start = frame[begun].to_numpy(dtype=float, na_value=np.inf)[:: len(frame) // N]
    periods = np.unique(frame[period].to_numpy(dtype=float))
    timing = Timing(tuple(policy.id for policy in study.policies), start, periods)
    moved = sorted(set().union(*(one.named for one in found)))
    given = {name: frame[name].to_numpy(dtype=float).reshape(N, -1) for name in columns}

    def exchanged(given: dict[str, FloatArray]) -> dict[str, FloatArray]:
        name, many = str(rng.choice(moved)), int(np.exp(rng.uniform(np.log(2), np.log(N))))
        among = rng.choice(N, many, replace=False)
        cells = given[name].copy()
        cells[among] = cells[rng.permutation(among)]
        return given | {name: cells}

    def excess(given: dict[str, FloatArray]) -> float:
        return sum(one.excess(timing, given) for one in found)

    best = searched(given, excess, exchanged, _MOVES)
    return frame.assign(**{name: best[name].ravel() for name in moved})
