"""A small version of the experiment of docs/validity-three.md, and what the document must show."""

import re

import numpy as np
import pandas as pd
import pytest
from three_calibrate import ASKED, DOCUMENT, MODELS, measure, report, table
from three_worlds import POLICIES, WORLDS, make
from validity_facts import _tables, three_facts

from bayesdid import summary
from bayesdid.estimands.beside import HEADLINE, STATIC
from bayesdid.estimands.names import ALL, BEYOND_PAIRS, sum_of
from bayesdid.report.validity import THREE, facts, panel_validity

WORLD = "pairs -.3, 0, +.3, all -.3"


@pytest.fixture(scope="module")
def one():
    return measure([(WORLD, 0)])


@pytest.fixture(scope="module")
def document():
    return DOCUMENT.read_text(encoding="utf-8")


def test_worlds_are_as_they_are_named():
    """Without noise outcomes differ between worlds by the departures alone."""
    plain = make(WORLDS["no departure, growing"], 1)
    for name, of, size in (
        (WORLD, ("a", "b"), -0.3),
        (WORLD, ("b", "c"), 0.3),
        (WORLD, POLICIES, -0.3),
    ):
        made = make(WORLDS[name], 1)
        pd.testing.assert_frame_equal(made.adoption, plain.adoption)
        on = made.joint[of] != 0
        adopts = made.adoption[list(of)].notna().all(axis=1)
        assert (on.any(axis=1) == adopts).all()
        assert made.joint[of][on] == pytest.approx(size)
    moved = made.frame["y"] - plain.frame["y"]
    np.testing.assert_allclose(moved, sum(made.joint.values()).ravel(), atol=1e-12)
    few = make(WORLDS["pairs -.3, 0, +.3, 6 units of all"], 1).adoption
    assert few.notna().all(axis=1).sum() == 6
    fading = make(WORLDS["the same, fading"], 1).joint[POLICIES]
    assert fading.min() == pytest.approx(-0.3)
    assert fading[fading < 0].max() > -0.2
    growing = make(WORLDS["no departure, growing by cohort"], 1)
    assert growing.joint == {}


def test_departures_of_a_panel_are_found(one):
    """Each within four posterior sds, the truth averaged over the rows of each contrast."""
    main = one[one["model"] == HEADLINE].set_index("contrast")
    assert list(main.index) == list(ASKED)
    truth = {ALL: -0.3, BEYOND_PAIRS: -0.3, sum_of(("a", "b")): -0.3, sum_of(("a", "c")): 0.0}
    for name, size in truth.items():
        assert main.loc[name, "truth"] == pytest.approx(size), name
    assert (abs(main["mean"] - main["truth"]) < 4 * main["sd"]).all()


def test_a_document_has_the_rows_of_its_panels(one):
    text = report(one)
    rows = _tables(text)[0]
    assert [row["contrast"] for row in rows] == list(ASKED)
    found = three_facts(text)[THREE]
    assert (found["worlds"], found["panels"]) == (1, 1)
    sums = table(one).set_index(["contrast", "model"]).xs(HEADLINE, level="model")
    share = sums.loc[[name for name in ASKED if name != BEYOND_PAIRS], "coverage"]
    assert found["coverage"] == [share.min(), round(share.mean(), 4), share.max()]
    # a truth below zero cannot be supported falsely, one above not contradicted falsely
    by = {row["contrast"]: row for row in rows}
    assert by[ALL]["false for"] == ""
    assert by[sum_of(("b", "c"))]["false against"] == ""


def test_the_page_has_the_numbers_of_the_document(document):
    assert facts()[THREE] == three_facts(document)[THREE]
    low, mean, high = facts()[THREE]["coverage"]
    for name in (ALL, sum_of(("a", "b"))):
        said = panel_validity(name)
        assert f"truth in {low:.2f} to {high:.2f} of panels (mean {mean:.2f};" in said
        assert "docs/validity-three.md" in said
        assert "7 worlds of three policies, for all and for each pair, the 89 %" in said
    assert facts()[THREE]["level"] == summary.LEVEL


def test_the_document_shows_coverage_and_what_static_models_do(document):
    """Coverage is on average that of its level; the static factorial covers less."""
    rows, beside = _tables(document)[:2]
    assert {row["world"] for row in rows} == set(WORLDS)
    panels = int(re.search(r"(\d+) a world", document)[1])
    coverage = np.array([float(row["coverage"]) for row in rows])
    # rows of a world share panels: bounded as if one contrast in four were of its own
    error = np.sqrt(0.89 * 0.11 / (panels * len(WORLDS)))
    assert abs(coverage.mean() - 0.89) < 4 * error
    shares = {
        row["contrast"]: {model: float(row[model].split()[0]) for model in MODELS} for row in beside
    }
    assert shares[ALL][STATIC] < shares[ALL][HEADLINE] - 0.2
