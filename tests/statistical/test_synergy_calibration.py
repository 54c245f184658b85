"""A small version of the experiment of docs/validity.md, and what the document must show."""

import json
import re
from pathlib import Path

import diff_diff
import numpy as np
import pandas as pd
import pytest
import synergy_griffin as griffin
from made import make_panel, make_study, staggered
from scipy.stats import binom
from synergy_calibrate import crossed, measure, run_path
from synergy_peers import callaway_santanna
from synergy_report import LEDGER, ORACLE, report, table
from synergy_worlds import WORLDS, make
from validity_facts import documents, synergy_facts, update

from bayesdid.design.overlap import overlap_design
from bayesdid.estimands.beside import HEADLINE, STATIC
from bayesdid.estimands.names import SUM
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


def test_the_path_of_single_effects_hardly_moves_the_answer(growing):
    """The same errors and adoptions with fading effects: within a quarter of a posterior sd."""
    (other,) = run_path(("growing", 0, "fading"))
    here = growing[(growing["model"] == HEADLINE) & (growing["panel"] == 0)].iloc[0]
    assert 1e-6 < abs(other["mean"] - here["mean"]) < 0.25 * here["sd"]


def test_luck_and_path_are_told_apart():
    """Panels of one world cover under both paths, those of the other under one of two."""
    assert set(crossed(1)) == {
        (name, 0, path)
        for name in ("constant", "growing", "fading")
        for path in ("constant", "growing", "fading")
        if name != path
    }
    rows = [
        {"world": w, "panel": 0, "path": p, "truth": 0.0, "converged": True, "refused": False}
        | {"mean": m, "sd": 0.5, "low": m - 0.2, "high": m + 0.2, "p": 0.5}
        for w, means in (("growing", (0.1, 0.15)), ("fading", (0.1, 0.25)))
        for p, m in zip(("growing", "fading"), means, strict=True)
    ]
    nothing = griffin.table(pd.DataFrame([GRIFFIN_ROW])).iloc[:0]
    text = report(frame_of(0.9, 0.05), nothing, pd.DataFrame(), pd.DataFrame(rows))
    assert "| errors and adoptions of | growing | fading | all paths |" in text
    assert "| growing | 1.000 | 1.000 | 1.000 |" in text
    assert "| fading | 1.000 | 0.000 | 0.500 |" in text
    assert "| all | 1.000 | 0.500 | 0.750 |" in text
    assert "differs by 0.20 posterior sd in the median" in text  # .05 / .5 and .15 / .5


def test_worlds_are_as_they_are_named():
    """No dual unit beyond those asked for, gaps as stated, missing rows, anticipation."""
    adoption = make(WORLDS["3 dual units"], 1).adoption
    assert adoption.notna().all(axis=1).sum() == 3
    adoption = make(WORLDS["second soon after the first"], 1).adoption
    dual = adoption.dropna()
    assert (abs(dual["a"] - dual["b"]) == 1).all()
    frame = make(WORLDS["a tenth of rows missing"], 1).frame
    assert 0.85 < len(frame) / (120 * 12) < 0.95
    assert not WORLDS["anticipation by one period"].named


def test_a_world_without_effects_and_errors_has_none():
    from dataclasses import replace

    world = replace(WORLDS["growing"], path="none", synergy=0.0)
    made = make(world, 3)
    quiet, adoption = made.frame, made.adoption
    loud = make(replace(world, synergy=-1.0), 3).frame
    gap = (loud["y"] - quiet["y"]).to_numpy()
    both = adoption.max(axis=1).where(adoption.notna().all(axis=1), np.inf)
    on = quiet["period"].to_numpy() >= both.loc[quiet["unit"]].to_numpy(float)
    np.testing.assert_allclose(gap, -1.0 * on, atol=1e-12)


def frame_of(coverage, claims, *, panels=200, world="growing", truth=0.0):
    """Rows as a run makes them: so many intervals that cover, so many claims of at least .95."""
    k = np.arange(panels)
    ends = np.where(k < round(coverage * panels), 1.0, -0.5)
    return pd.DataFrame(
        {
            "world": world,
            "panel": k,
            "truth": truth,
            "model": HEADLINE,
            "converged": True,
            "refused": False,
            "mean": 0.1,
            "sd": 0.2,
            "low": -1.0,
            "high": truth + ends,
            "p": np.where(k < round(claims * panels), 0.96, 0.5),
        }
    )


def row_of(frame):
    """The headline's row of the document."""
    nothing = griffin.table(pd.DataFrame([GRIFFIN_ROW]))
    text = report(frame, nothing.iloc[:0], pd.DataFrame(), pd.DataFrame())
    return next(line for line in text.splitlines() if line.startswith(f"| {frame['world'][0]} |"))


GRIFFIN_ROW = {
    "design": griffin.DESIGNS[0],
    "gap": 1,
    "panel": 0,
    "model": HEADLINE,
    "estimand": "primary",
    "truth": -1.0,
    "mean": -0.9,
    "low": -1.2,
    "high": -0.6,
    "converged": True,
    "refused": False,
}


def test_stars_mark_what_is_outside_by_more_than_monte_carlo_error():
    """200 panels: coverage .807 to .973 and false claims up to .080 are within it."""
    assert row_of(frame_of(0.90, 0.05)) == (
        "| growing | yes | 0.900 | +0.100 (0.000) | 0.100 | 0.200 | – | 0.050 | 0.000 |"
    )
    assert "| 0.800 * |" in row_of(frame_of(0.80, 0.05))
    assert "| 0.980 * |" in row_of(frame_of(0.98, 0.05))
    assert "| 0.090 * |" in row_of(frame_of(0.90, 0.09))
    # a claim of synergy is no false one where there is a synergy
    real = frame_of(0.90, 0.50, world="growing, synergy -.3", truth=-0.3)
    assert row_of(real).endswith("| 0.000 | 0.000 |")


def test_coverage_over_all_gaps_counts_panels():
    """Two panels of one gap and one of another: 2 of 3 intervals hold the truth."""
    out = GRIFFIN_ROW | {"gap": 3, "high": -1.1}
    rows = pd.DataFrame([GRIFFIN_ROW, GRIFFIN_ROW | {"panel": 1}, out])
    text = report(frame_of(0.9, 0.05), griffin.table(rows), rows, pd.DataFrame())
    assert f"the effect of the primary policy: {HEADLINE} 0.667;" in text


def test_the_ledger_names_documents_and_commands_that_exist():
    root = Path(__file__).parents[2]
    makefile = (root / "Makefile").read_text()
    for document, command, _ in LEDGER.values():
        assert (root / "docs" / document).exists()
        assert re.search(rf"^{command.removeprefix('make ')}:", makefile, re.MULTILINE)
        assert command in (root / "docs" / document).read_text()


def test_the_oracle_is_narrower_and_covers(growing):
    by = table(growing).set_index("model")
    assert by.loc[ORACLE, "sd"] < by.loc[HEADLINE, "sd"]
    assert by.loc[ORACLE, "coverage"] * PANELS >= binom.ppf(1e-3, PANELS, 0.89)


def test_callaway_santanna_of_one_policy_is_that_of_another_package():
    frame, adoption = staggered(2, N=60, effect=lambda s, t: -0.5 * (t >= s[0]))
    study = make_study(("a",), [{"id": "c", "outcome": "y", "family": "cohort"}])
    rows = overlap_design(study["t.c"], make_panel(frame, adoption))
    treated = rows.state != "none"
    mean, sd = callaway_santanna(rows, treated / treated.sum())
    first = adoption["a"].fillna(0).astype(int).reindex(frame["unit"]).to_numpy()
    found = diff_diff.CallawaySantAnna(base_period="universal").fit(
        frame.assign(first=first), outcome="y", unit="unit", time="period", first_treat="first"
    )
    assert mean == pytest.approx(found.overall_att, abs=1e-9)
    # it takes shares of cohorts as known; the other counts their sampling too
    assert sd == pytest.approx(found.overall_se, rel=0.05)


def test_where_all_treated_states_enact_both_the_synergy_is_refused():
    """And leaving the co-occurring policy out puts its effect on the primary one."""
    rows = pd.DataFrame(griffin.run((griffin.DESIGNS[0], 1, 0)))
    assert rows[rows["estimand"] == "synergy"]["refused"].all()
    by = rows[rows["estimand"] == "primary"].set_index("model")
    assert by.loc[griffin.OMITTED, "mean"] < by.loc[griffin.BOTH_IN, "mean"] - 0.4


def test_what_the_page_says_of_coverage_is_what_the_documents_say():
    """Else: make calibrate-synergy, make calibrate-published, or validity_facts.py as a script."""
    assert documents() == facts()


def test_facts_are_read_from_the_rows_of_the_headline(tmp_path):
    text = """Panels; 7 a world. Its 80 % interval.

| world | named | coverage | bias | rmse | sd | sd / oracle | false for | false against |
|---|---|---|---|---|---|---|---|---|
| one | yes | 0.800 | 0 | 0 | 0 | 1.2 | 0.010 | 0.020 |
| two | yes | 0.600 * | 0 | 0 | 0 | 1.2 | 0.300 * | 0.000 |
| three | no | 0.500 * | 0 | 0 | 0 | – | 0.400 | 0.500 |
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
    assert f"that it does not allow for, in {low:.2f} to {high:.2f}" in panel_validity(SUM)
    assert "timing known" in published_validity(1)
    assert "timing drawn" in published_validity(2)
    assert "not of this effect" in panel_validity("only:a - none")


def test_coverage_is_that_of_one_level(monkeypatch):
    monkeypatch.setattr("bayesdid.summary.LEVEL", 0.8)
    for said in (panel_validity(SUM), published_validity(1)):
        assert "overage was measured for intervals of another level" in said
        assert " panels" not in said
