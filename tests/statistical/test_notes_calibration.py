"""A small `make calibrate-notes`: silent where nothing is wrong, not where two answers differ."""

import re

import numpy as np
import pandas as pd
import pytest
from notes_calibrate import (
    CONSTANT,
    COUNTS,
    DISPERSION,
    DOCUMENT,
    FAR,
    UNLIKE,
    cells,
    counted,
    page,
    run,
)
from scipy.stats import binom

PANELS = 3


def said(note, world, panels=PANELS):
    return [run((note, world, k))[0]["said"] for k in range(panels)]


def test_a_posterior_is_seldom_far_where_nothing_is_wrong_and_often_where_effects_fade():
    """At a rate of .02, twice what the page has, one of three is exceeded with a chance of .0012.

    At .78, the page's for effects that fade, fewer than two of three have one of .12; seeds are
    fixed.
    """
    assert binom.sf(1, PANELS, 0.02) < 0.0012
    assert sum(said(FAR, "hetero ar .6")) <= 1
    assert sum(said(FAR, "fades")) > 1


def test_counts_are_noted_above_the_limit_alone():
    assert not any(said(DISPERSION, "5 1.0") + said(DISPERSION, "5 1.25"))
    assert all(said(DISPERSION, "5 2.0"))


@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_counts_vary_as_they_say(ratio):
    """Variance over mean of 48,000 counts about their means: an error of 2 ratio / sqrt(48,000)."""
    rng = np.random.default_rng(0)
    off = []
    for _ in range(100):
        seed = rng.integers(2**31)
        y = counted(20, ratio, np.random.default_rng(seed))
        again = np.random.default_rng(seed)
        level = 0.5 * again.standard_normal((len(y), 1)) + 0.1 * again.standard_normal(y.shape[1])
        off.append(((y - 20 * np.exp(level)) ** 2 / (20 * np.exp(level))).mean())
    assert np.mean(off) == pytest.approx(ratio, abs=4 * 2 * ratio / np.sqrt(48_000))


def test_the_page_shows_what_the_rows_say():
    items = cells(2, 1)
    rows = [
        {"note": note, "world": world, "panel": k, "said": world in UNLIKE and k == 0}
        | ({"said": world.endswith(" 2.0")} if note == DISPERSION else {})
        for note, world, k in items
    ]
    text = page(pd.DataFrame(rows))
    assert "it appears in 0.0 % of 18 panels" in text
    assert "it appears in 50 to 50 % of these panels" in text
    assert f"| {UNLIKE['fades']} | | 0.50 |" in text
    assert f"| {CONSTANT['ar .6']} | 0.00 | |" in text
    assert text.count("| 0.00 | 0.00 | 0.00 | 1.00 | 0.00 |") == len({mean for mean, _ in COUNTS})


def test_the_document_is_one_of_these_pages():
    text = DOCUMENT.read_text(encoding="utf-8")
    for world in (*CONSTANT.values(), *UNLIKE.values()):
        assert f"| {world} |" in text
    rate = float(re.search(r"it appears in ([\d.]+) % of \d+ panels", text)[1])
    assert rate < 2.0  # what the test above supposes
