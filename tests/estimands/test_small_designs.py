"""The headline where few units tell: each design works, or says by name why not."""

import numpy as np
import pandas as pd
import pytest
from made import make_panel, make_study, staggered

from bayesdid.estimands.names import SUM
from bayesdid.estimands.synergy import synergy
from bayesdid.exceptions import NotIdentifiedError

STUDY = make_study(columns=[{"id": "o", "outcome": "y", "family": "overlap"}])


def effect(s, t):
    return -0.5 * (t >= s[0]) - 0.3 * (t >= s[1])


def panel_of(a, b, *, T=12, seed=0):
    """A panel whose units adopt in the periods given, NaN for never."""
    N = len(a)
    frame, _ = staggered(seed, N=N, T=T, policies=("a", "b"), sigma=0.2)
    unit = pd.Index(range(N), name="unit")
    adoption = pd.DataFrame({"a": a, "b": b}, index=unit, dtype=float)
    start = adoption.fillna(np.inf).to_numpy()[frame["unit"]]
    frame["y"] += [effect(s, t) for s, t in zip(start, frame["period"], strict=True)]
    return make_panel(frame, adoption)


NAN = float("nan")
DESIGNS = {
    # every treated unit a cohort of its own
    "cohorts of one": (
        [3, 4, 5, 6, NAN, NAN, NAN, 4, *[NAN] * 4],
        [NAN, NAN, NAN, 8, 3, 4, 5, 7, *[NAN] * 4],
    ),
    "three dual units": (
        [4] * 4 + [NAN] * 4 + [4, 5, 6] + [NAN] * 5,
        [NAN] * 4 + [5] * 4 + [6, 8, 7] + [NAN] * 5,
    ),
    "no never-treated": (
        [4] * 4 + [NAN] * 4 + [4, 5, 6] + [11] * 4,
        [NAN] * 4 + [5] * 4 + [6, 8, 7] + [NAN] * 4,
    ),
    "always treated": (
        [1, 1] + [4] * 4 + [NAN] * 4 + [4, 5, 6] + [NAN] * 4,
        [NAN, 5] + [NAN] * 4 + [5] * 4 + [6, 8, 7] + [NAN] * 4,
    ),
}


@pytest.mark.parametrize("name", DESIGNS)
def test_a_small_design_works(name):
    found = synergy(STUDY, panel_of(*DESIGNS[name]), draws=250)
    item = found[SUM]
    assert abs(item.mean) < 4 * item.sd
    assert np.isfinite([item.sd, *item.interval]).all()
    notes = {note.name: note for note in found.notes}
    if name == "always treated":
        assert notes["always_treated"].count == 2
    if name == "no never-treated":
        # from period 11 on everybody is treated
        assert notes["periods_without_control"].count == 2


def test_no_untreated_row_is_refused_by_name():
    panel = panel_of([1] * 6, [NAN] * 3 + [4] * 3)
    with pytest.raises(NotIdentifiedError, match="treatment does not vary"):
        synergy(STUDY, panel)
    panel = panel_of([1] * 5 + [2], [NAN] * 3 + [1, 4, NAN])
    with pytest.raises(NotIdentifiedError, match="no row of the sample is under both"):
        synergy(STUDY, panel)
