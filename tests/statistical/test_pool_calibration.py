"""A small `make calibrate-pool`: a pool holds the truth, and selection is found out."""

import numpy as np
import pandas as pd
import pytest
from pool_calibrate import (
    AVERAGES,
    CHANCE,
    DOCUMENT,
    FACTOR,
    HELD,
    STUDIES,
    TITLE,
    WORLDS,
    run,
    section,
    studies,
)
from scipy.stats import binom

AVERAGE = AVERAGES[0]


def test_selection_is_missed_by_the_main_model_and_found_beside_it():
    """Of 8 pools of 20 at the page's shares: more than 6 at .31, fewer than 4 at .85 are rare."""
    assert binom.sf(6, 8, 0.31) < 0.002
    assert binom.cdf(3, 8, 0.85) < 0.003
    rows = pd.DataFrame(run("selected", 20, AVERAGE, k) for k in range(8))
    assert rows["mean"].sum() < 7
    assert rows["unknown"].sum() > 3


@pytest.mark.parametrize("name", list(WORLDS))
def test_worlds_are_what_they_say(name):
    """Shares of significant studies, and the spread of z around the truth, of 2,000 studies."""
    world = WORLDS[name]
    found = studies(world, 2000, 0.0, np.random.default_rng(1))
    estimate = np.array([one.estimate for one in found])
    se = np.array([one.se for one in found])
    assert {one.independent for one in found} == {name == "iid"}
    quiet = np.mean([one.p >= 0.05 for one in found])
    if name == "selected":  # s of the significant, 1 - s of the others: odds fall to a fifth
        free = studies(WORLDS["all"], 2000, 0.0, np.random.default_rng(2))
        before = np.mean([one.p >= 0.05 for one in free])
        wanted = CHANCE * before / (CHANCE * before + 1 - before)
        assert quiet == pytest.approx(wanted, abs=5 * np.sqrt(0.25 / 2000))
        return
    # the variance beyond the spread is that of the true errors, and 5 of its own errors are .16
    inflated = (FACTOR if world.factor > 1 else 1.0) * se
    assert (estimate**2 / (inflated**2 + 0.15**2)).mean() == pytest.approx(1, abs=0.16)


def test_the_section_shows_the_rows_and_marks_what_is_outside():
    rows = [
        {"world": name, "studies": count, "average": average, "off": 0.1 * (name == "selected")}
        | dict.fromkeys(HELD, k < (2 if name == "hidden" else 9))
        | {"word": average == 0 and k == 0}
        for name in WORLDS
        for count in STUDIES
        for average in AVERAGES
        for k in range(10)
    ]
    text = section(pd.DataFrame(rows))
    assert (
        f"| {WORLDS['all'].label} | 5 | 0.900 | +0.000 | 0.900 | – | 0.900 | 0.900 | 0.100 |"
        in (text)
    )
    assert f"| {WORLDS['hidden'].label} | 20 | 0.200 * |" in text
    assert f"| {WORLDS['iid'].label} | 5 | 0.900 | +0.000 | 0.900 | 0.900 |" in text
    assert "With 5 and 20 studies, selection moves the main model's average by +0.10 and +0.10" in (
        text
    )
    assert "the truth in 0.20 and 0.20 if nothing says so, in 0.90 and 0.90 if" in text
    assert "0.95 on either side allows 0.10" in text


def test_the_document_has_this_section():
    own = DOCUMENT.read_text(encoding="utf-8").partition(TITLE)[2]
    for world in WORLDS.values():
        assert own.count(f"| {world.label} |") == len(STUDIES)
    cells = [line.split("|") for line in own.splitlines() if line.startswith("| not significant")]
    for row in cells:  # what the test above supposes
        assert float(row[3].removesuffix(" * ")) < 0.75 < float(row[5].removesuffix(" * "))
