"""A small version of the section of docs/validity.md on effects that differ between units."""

import numpy as np
import pandas as pd
import pytest
from differing_calibrate import ANSWER, CLUSTERED, DIFFER, DOCUMENT, MAIN, error_given, run, section
from made import make_panel, make_study
from synergy_worlds import World, make
from validity_sections import (
    BEFORE,
    DIFFERING,
    UNFORESEEN,
    section_of,
    with_section,
    with_sections_of,
)

from bayesdid.design.overlap import overlap_design
from bayesdid.estimands.synergy import headline_spec


def test_what_is_said_covers_more_than_the_main_model_alone():
    """One panel of differing effects: the check fails, exact coverage comes nearer to .89."""
    rows = pd.DataFrame(run((DIFFER, 0))).set_index("model")
    assert rows["fails"].all()
    assert rows.loc[MAIN, "given"] < 0.86 < rows.loc[ANSWER, "given"] < 0.93
    assert rows.loc[MAIN, "mean"] == pytest.approx(rows.loc[ANSWER, "mean"])
    assert rows.loc[ANSWER, "sd"] < rows.loc[CLUSTERED, "sd"]


def test_the_error_given_weights_is_that_of_new_panels():
    """Over 2,000 panels of one adoption; the sd of a sample variance is .032 of it."""
    world = World(path="none", unit_effects=0.5, phi=0.6)
    made = make(world, 1, N=20, T=6)
    study = make_study(columns=[{"id": "o", "outcome": "y", "family": "overlap"}])
    rows = overlap_design(headline_spec(study), make_panel(made.frame, made.adoption))
    w, rng = np.random.default_rng(2).standard_normal(rows.design.n), np.random.default_rng(3)
    unit, S = rows.design.unit_index, 2000
    z = rng.standard_normal((S, rows.design.n))
    for t in range(1, 6):
        now = np.flatnonzero(rows.design.period_index == t)
        before = np.flatnonzero(rows.design.period_index == t - 1)
        z[:, now] = 0.6 * z[:, before] + 0.8 * z[:, now]
    y = z * made.scales[rows.design.units[unit]]
    y += 0.5 * (rng.standard_normal((S, 20, 2))[:, unit] * (rows.age >= 0)).sum(axis=2)
    assert (y @ w).std() == pytest.approx(error_given(world, made, rows, w), rel=0.07)
    assert np.isnan(error_given(World(tails=3.0), made, rows, w))


def test_the_section_shows_what_the_rows_say():
    rows = [
        {"world": world, "panel": k, "truth": 0.0, "p_check": p, "fails": fails, "sd_units": 0.3}
        | {"model": model, "mean": 0.3, "sd": sd, "low": 0.3 - sd, "high": 0.3 + sd, "p": 0.01}
        | {"given": given}
        for world, p, fails, wide in (("growing", 0.5, False, 0.2), (DIFFER, 0.001, True, 0.4))
        for k in range(2)
        for model, sd, given in ((MAIN, 0.2, 0.8), (ANSWER, wide, 0.9), (CLUSTERED, 0.8, np.nan))
    ]
    text = section(pd.DataFrame(rows))
    assert "the check fails in 0.000 of 2 panels" in text
    assert "in the world of differing effects in 1.00 (power)" in text
    assert "2.00 to 2.00 times as wide" in text
    assert "2.00 times as wide as what is said, and cover 1.00 against 1.00" in text
    (row,) = (line for line in text.splitlines() if line.startswith(f"| {DIFFER} |"))
    assert row.startswith(f"| {DIFFER} | 1.00 | 0.000 * | 0.800 | 1.000 | 0.900 | 1.000 |")
    assert row.endswith("| 1.000 * | 1.000 * |")  # false against


@pytest.mark.parametrize("title", [DIFFERING, UNFORESEEN])
def test_the_document_keeps_its_sections(title):
    """A run of the other worlds puts them back, a run of its own replaces one."""
    text = DOCUMENT.read_text(encoding="utf-8")
    own = section_of(text, title)
    assert own.startswith(title)
    assert own.count("## ") == 1
    assert with_section(text, title, own) == text
    bare = text.replace(own + "\n", "")
    assert title not in bare
    assert section_of(bare, title) == ""
    assert with_sections_of(bare.replace(section_of(bare, DIFFERING), ""), text).count("## ") == (
        text.count("## ")
    )
    assert text.index(title) < text.index(BEFORE)
