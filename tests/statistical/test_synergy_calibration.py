"""A small version of the experiment of docs/validity.md, and what the document must show."""

import json

import numpy as np
import pytest
from scipy.stats import binom
from synergy_calibrate import measure, table
from synergy_worlds import WORLDS, make
from validity_facts import documents, synergy_facts, update

from bayesdid.estimands.names import SUM
from bayesdid.estimands.synergy import HEADLINE, STATIC
from bayesdid.report.validity import (
    DRAWN,
    KNOWN,
    NAMED,
    UNNAMED,
    facts,
    panel_validity,
    published_validity,
)

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


def test_what_the_page_says_of_coverage_is_what_the_documents_say():
    """Else: make calibrate-synergy, make calibrate-published, or validity_facts.py as a script."""
    assert documents() == facts()


def test_facts_are_read_from_the_rows_of_the_headline(tmp_path):
    text = """Panels; 7 a world. Its 80 % interval.

| world | named | model | coverage | bias | rmse | sd | false for | false against |
|---|---|---|---|---|---|---|---|---|
| one | yes | pooled paths | 0.800 | 0 | 0 | 0 | 0.010 | 0.020 |
| one | yes | static factorial | 0.100 * | 0 | 0 | 0 | 0.900 | 0.900 |
| two | yes | pooled paths | 0.600 * | 0 | 0 | 0 | 0.300 * | 0.000 |
| three | no | pooled paths | 0.500 * | 0 | 0 | 0 | 0.400 | 0.500 |
"""
    found = synergy_facts(text)
    named, unnamed = found[NAMED], found[UNNAMED]
    assert (named["coverage"], named["false_for"]) == ([0.6, 0.7, 0.8], 0.3)
    assert (named["worlds"], named["panels"], named["level"]) == (2, 7, 0.8)
    assert (unnamed["coverage"], unnamed["false_against"]) == ([0.5, 0.5, 0.5], 0.5)
    stored = tmp_path / "validity.json"
    update({"known": named}, stored)
    update(found, stored)
    assert json.loads(stored.read_text()) == {"known": named, **found}


def test_the_sentences_have_the_numbers_and_name_the_document():
    found = facts()
    for said, kind in (
        (panel_validity(SUM), NAMED),
        (published_validity(1), KNOWN),
        (published_validity(30), DRAWN),
    ):
        low, mean, high = found[kind]["coverage"]
        assert f"truth in {low:.2f} to {high:.2f} of panels (mean {mean:.2f};" in said
        assert f"“supported” was said in up to {found[kind]['false_for']:.2f}" in said
        assert f"“contradicted” in up to {found[kind]['false_against']:.2f}" in said
        assert f"({found[kind]['document']})" in said
    low, _, high = found[UNNAMED]["coverage"]
    assert f"that it does not name, in {low:.2f} to {high:.2f}" in panel_validity(SUM)
    assert "timing known" in published_validity(1)
    assert "timing drawn" in published_validity(2)
    assert "not of this effect" in panel_validity("only:a - none")


def test_coverage_is_that_of_one_level(monkeypatch):
    monkeypatch.setattr("bayesdid.summary.LEVEL", 0.8)
    for said in (panel_validity(SUM), published_validity(1)):
        assert "coverage was measured for intervals of another level" in said
        assert " panels" not in said
