"""A small version of the experiment of docs/validity.md, and what the document must show."""

import numpy as np
import pytest
from scipy.stats import binom
from synergy_calibrate import measure, table
from synergy_worlds import WORLDS, make

from bayesdid.estimands.synergy import HEADLINE, STATIC

PANELS = 5


@pytest.fixture(scope="module")
def growing():
    """Single effects grow, no synergy: the world in which the static regression finds one."""
    return measure([("growing", k) for k in range(PANELS)])


def test_the_headline_covers_where_the_static_regression_does_not(growing):
    """Binomial bounds, each wrong once in a thousand runs."""
    found = table(growing).set_index("model")
    covered = round(found.loc[HEADLINE, "coverage"] * PANELS)
    assert covered >= binom.ppf(1e-3, PANELS, 0.85)
    assert round(found.loc[HEADLINE, "supported"] * PANELS) <= binom.ppf(1 - 1e-3, PANELS, 0.05)
    # a regression without bias would be this far off once in a thousand runs
    static = growing[growing["model"] == STATIC]
    error = (static["mean"] - static["truth"]).to_numpy(float)
    assert error.mean() < -3.1 * error.std(ddof=1) / np.sqrt(PANELS)


def test_worlds_are_as_they_are_named():
    """No dual unit beyond those asked for, gaps as stated, missing rows, anticipation."""
    _, adoption = make(WORLDS["3 dual units"], 1)
    assert adoption.notna().all(axis=1).sum() == 3
    _, adoption = make(WORLDS["second soon after the first"], 1)
    dual = adoption.dropna()
    assert (abs(dual["a"] - dual["b"]) == 1).all()
    frame, _ = make(WORLDS["a tenth of rows missing"], 1)
    assert 0.85 < len(frame) / (120 * 12) < 0.95
    assert not WORLDS["anticipation by one period"].named


def test_a_world_without_effects_and_errors_has_none():
    from dataclasses import replace

    world = replace(WORLDS["growing"], path="none", synergy=0.0)
    quiet, adoption = make(world, 3)
    loud, _ = make(replace(world, synergy=-1.0), 3)
    gap = (loud["y"] - quiet["y"]).to_numpy()
    both = adoption.max(axis=1).where(adoption.notna().all(axis=1), np.inf)
    on = quiet["period"].to_numpy() >= both.loc[quiet["unit"]].to_numpy(float)
    np.testing.assert_allclose(gap, -1.0 * on, atol=1e-12)
