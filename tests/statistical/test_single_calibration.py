"""A small version of the experiment of docs/validity-single.md, and what the document must show."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from error_worlds import real
from scipy.stats import binom
from single_calibrate import measure
from single_griffin import STRAIGHT, residuals, section, trend_share
from single_report import EVENT, EVENT_AT, MODELS, report, table, words
from single_worlds import WORLDS, make
from validity_facts import single_facts

from bayesdid import summary
from bayesdid.estimands.beside import HEADLINE
from bayesdid.report.validity import PLACEBO, SINGLE, facts, panel_validity

NONE, HARM = "no effect, AR .5", "growing, positive"
EFFECT = "only:a - none"


@pytest.fixture(scope="module")
def found():
    """Two panels without an effect, one in which the outcome rises."""
    return measure([(NONE, 0), (NONE, 1), (HARM, 0)])


def test_a_page_has_its_answer_its_models_and_one_word(found):
    by = found.groupby(["world", "panel"])
    for _, rows in by:
        assert set(MODELS) <= set(rows["model"].str.removesuffix(", t.e"))
        assert rows["word"].notna().sum() == 1
        assert rows.loc[rows["word"].notna(), "model"].item() == HEADLINE
    assert found["converged"].all()


def test_intervals_hold_the_truth_and_the_claim_has_its_side(found):
    """Three panels and two models: fewer covered than one run in a thousand has; P turns."""
    rows = found[found["model"].isin([HEADLINE, EVENT_AT])]
    inside = (rows["low"] <= rows["truth"]) & (rows["truth"] <= rows["high"])
    assert inside.sum() >= binom.ppf(1e-3, len(rows), 0.85)
    harm = found[found["world"] == HARM]
    assert (harm["truth"] > 0).all()
    np.testing.assert_allclose(harm["p"] < 0.5, harm["mean"] > 0)


def test_worlds_are_as_they_are_named():
    assert make(WORLDS["no effect, 3 treated units"], 1).adoption.notna().sum().item() == 3
    none = make(WORLDS[NONE], 1)
    assert (none.att, none.adoption.notna().sum().item()) == (0.0, 24)
    growing = make(WORLDS["growing, negative"], 1).path(4)
    np.testing.assert_allclose(np.diff(growing), growing[0])  # as much more each period
    assert growing[4] == pytest.approx(-0.4)
    cohorts = make(WORLDS["growing, negative, by cohort"], 1)
    assert len(set(cohorts.effect[cohorts.age == 0].round(9))) > 1
    law = make(WORLDS["placebo laws: castle"], 1)
    other = make(WORLDS["placebo laws: castle"], 2)
    pd.testing.assert_series_equal(law.frame["y"], other.frame["y"])
    assert not law.adoption.equals(other.adoption)
    assert not WORLDS["placebo laws: castle"].named


STATES = pd.DataFrame(
    {
        "outcome": STRAIGHT,
        "panel": [0, 1],
        "model": HEADLINE,
        "error": [0.0, 0.2],
        "sd": 0.2,
        "covers": [True, False],
    }
)


def test_real_outcomes_have_trends_of_their_own_and_straightened_ones_none():
    left, trend = residuals(real("driving")[:, -12:])
    assert trend_share() > 0.25
    np.testing.assert_allclose(residuals(left - trend)[1], 0.0, atol=1e-9)


def rows_of(world, *, p, truth, inside=True, word="undecided", panels=100):
    return pd.DataFrame(
        {
            "world": world,
            "panel": range(panels),
            "model": HEADLINE,
            "truth": truth,
            "mean": truth + 0.1,
            "sd": 0.2,
            "low": truth - 1.0,
            "high": truth + (1.0 if inside else -0.5),
            "p": p,
            "word": word,
            "converged": True,
        }
    )


def test_what_is_false_depends_on_the_truth():
    """P of at least .95 that it is negative is false unless it is, and the other way round."""
    for truth, p, expected in (
        (0.0, 0.95, (1, 0)),
        (0.0, 0.05, (0, 1)),
        (0.4, 0.95, (1, 0)),
        (0.4, 0.05, (0, 0)),
        (-0.4, 0.95, (0, 0)),
        (-0.4, 0.05, (0, 1)),
        (0.0, 0.94, (0, 0)),
    ):
        row = table(rows_of(NONE, p=p, truth=truth)).iloc[0]
        assert (row["for_"], row["against"]) == expected, (truth, p)


def test_the_document_shows_words_and_stars():
    frame = pd.concat(
        [
            rows_of(NONE, p=0.96, truth=0.0, word="supported, fragile", panels=50),
            rows_of(NONE, p=0.5, truth=0.0, word="undecided, leaning for", inside=False),
            rows_of("placebo laws: castle", p=0.5, truth=0.0),
        ]
    )
    text = report(frame, section(STATES))
    assert f"| {STRAIGHT} | {HEADLINE} | 2 | 0.500 | +0.100 (0.100) | 0.141 | 0.200 |" in text
    assert words(frame).loc[NONE, "undecided"] == pytest.approx(2 / 3)
    assert f"| {NONE} | [0.000] | [0.333] | 0.667 | [0.000] | [0.000] |" in text
    assert f"| {NONE} | yes | 150 | 0.333 * | +0.100 (0.000)" in text
    assert "| 0.333 * | 0.000 |" in text
    assert "100 a world at least" in text
    kinds = single_facts(text)
    assert kinds[SINGLE]["coverage"] == [0.333, 0.333, 0.333]
    assert kinds[SINGLE]["false_for"] == 0.333
    assert (kinds[PLACEBO]["worlds"], kinds[PLACEBO]["panels"]) == (1, 100)


def test_a_page_of_one_policy_says_the_numbers_of_one_policy(monkeypatch):
    said, found = panel_validity(EFFECT, 1), facts()
    low, mean, high = found[SINGLE]["coverage"]
    assert f"truth in {low:.2f} to {high:.2f} of panels (mean {mean:.2f};" in said
    assert f"“supported” was said in up to {found[SINGLE]['false_for']:.2f}" in said
    assert f"excluded the zero that is true in {1 - found[PLACEBO]['coverage'][1]:.2f}," in said
    assert f"said “supported” in up to {found[PLACEBO]['false_for']:.2f}," in said
    assert f"“contradicted” in up to {found[PLACEBO]['false_against']:.2f} (" in said
    assert found[SINGLE]["document"] in said
    assert found[SINGLE]["document"] in panel_validity(EFFECT, 2)
    monkeypatch.setattr(summary, "LEVEL", 0.8)
    assert "another level" in panel_validity(EFFECT, 1)
    assert "excluded" not in panel_validity(EFFECT, 1)


def test_the_document_stands_in_the_navigation():
    root = Path(__file__).parents[2]
    assert "validity-single.md" in (root / "mkdocs.yml").read_text()
    assert EVENT in (root / "docs" / "validity-single.md").read_text()
