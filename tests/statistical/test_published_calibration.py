"""Intervals from printed columns hold the truth: a small `make calibrate-published`."""

from pathlib import Path

import numpy as np
import published_single as single
import pytest
from published_calibrate import Chunk, cells, measure, setting
from published_causes import LAST, causes
from published_microdata import COLUMNS, FACTORIAL, printed_study, traffic, traffic_rows
from published_report import rates, write_report
from published_worlds import World
from scipy.stats import binom

from bayesdid.published.single import CLUSTERED, INDEPENDENT, PHI, effect_notes, printed_effects
from bayesdid.published.synergy import published_synergy
from bayesdid.study.load import read_study
from bayesdid.summary import LEVEL

PANELS, ERROR = 40, 1e-4  # chance that a test of this module fails though all is well
SUM = "both - sum of singles"


@pytest.fixture(scope="module")
def frame():
    """Two worlds that the paths contain, known timing, no synergy."""
    worlds = (World(0.0, "constant"), World(0.0, "fading over 6", 0.5))
    return measure([Chunk("five", world, True, 0, PANELS) for world in worlds])


def test_the_inversion_covers_where_the_difference_of_cells_does_not(frame):
    """Five columns. With phi known intervals cover as they say; averaged over phi no less."""
    low, high = binom.ppf([ERROR / 2, 1 - ERROR / 2], 2 * PANELS, 0.89)
    inside = ((frame["own_low"] <= 0) & (frame["own_high"] >= 0)).sum()
    assert low <= inside <= high
    assert ((frame["low"] <= 0) & (frame["high"] >= 0)).sum() >= low
    fading = frame[frame["path"] == "fading over 6"]
    naive = (fading["naive"].abs() <= 1.6 * fading["naive_se"]).sum()
    assert naive < binom.ppf(ERROR, PANELS, 0.89)


def test_false_verdicts_are_rare(frame):
    sure = ((frame["p_negative"] >= 0.95) | (frame["p_negative"] <= 0.05)).sum()
    assert sure <= binom.ppf(1 - ERROR, 2 * PANELS, 0.1)
    assert (frame["missed"] < 0.01).sum() <= binom.ppf(1 - ERROR, 2 * PANELS, 0.01)


def test_the_naive_difference_is_biased_and_the_inversion_is_not(frame):
    """Duals' first policy stands in their own baseline: less than their whole effect is seen."""
    for (path, _), part in frame.groupby(["path", "phi"], sort=False):
        error = 4 * part["naive"].std() / PANELS**0.5
        assert part["naive"].mean() > error, path
        assert abs(part["mean"].mean()) < part["naive"].mean(), path


def test_a_real_panel_hidden_behind_its_print():
    """traffic_laws: the inversion is near the panel's factorial, the difference of cells is not."""
    rows = traffic_rows().set_index("from")["estimate"]
    panel = rows["the panel: factorial, clustered SE"]
    naive = rows["difference of cells, clustered"]
    assert panel == pytest.approx(0.390, abs=0.001)  # least squares without controls
    assert naive == pytest.approx(2.182, abs=0.001)
    for kind in ("iid", "clustered"):
        inverted = rows[f"{len(COLUMNS)} printed columns, {kind} SEs: averaged"]
        assert abs(inverted - panel) < 0.5 < abs(naive - panel)


def test_the_factorial_column_alone_gives_the_synergy_of_the_panel():
    study = printed_study((FACTORIAL,), "clustered")
    item = published_synergy(study, traffic()[1].adoption).contrasts[SUM]
    assert item.naive == pytest.approx(0.390, abs=0.001)
    assert item.naive_se == pytest.approx(0.788, abs=0.002)
    assert item.posteriors["constant, phi 0"].mean == pytest.approx(0.390, abs=0.2)


@pytest.fixture(scope="module")
def steps():
    common = setting("nine", True)
    return causes(common.columns, common.truths[0], common.laid, 5)


def test_what_a_paper_does_not_print_widens_intervals(steps):
    """Each thing more that is averaged over leaves the sd no smaller, but phi in its own world."""
    for (_, phi), part in steps.groupby(["single effects", "phi"], sort=False):
        sd = part["mean sd"].to_numpy()
        assert (np.diff(sd[:-1]) > -1e-3).all()
        assert sd[3] > 1.1 * sd[0]
        assert (sd[-1] > sd[-2]) == (phi == 0)


def test_the_command_covers_every_world_and_its_page_can_be_written(frame, steps):
    chunks = cells(200, 60)
    assert sum(c.size for c in chunks if c.design == "nine" and c.known) == 24 * 200 + 60
    assert {c.world.path for c in chunks} == {
        "constant",
        "growing over 4",
        "fading over 6",
        "sizes by cohort",
    }
    page = write_report(frame, traffic_rows(), traffic_rows(), steps)
    said = steps.groupby("averaged over", sort=False)["coverage"].mean()
    assert f"coverage is {said.iloc[0]:.3f} on average" in page
    assert f"“{LAST}” {said.iloc[-1] - said.iloc[-2]:+.3f}" in page
    assert f"{PANELS} panels of each world" in page
    assert "| constant | 0.000 | 0.000 |" in page
    assert np.isfinite(rates(frame)["coverage"]).all()


def test_a_clustered_error_holds_the_truth_and_one_of_independent_errors_does_not():
    """A small part of the section on single printed effects."""
    size, main = 300, single.DESIGNS[3]
    low, high = binom.ppf([ERROR / 2, 1 - ERROR / 2], size, 0.89) / size
    plain, serial = (single.panels(main, phi, "constant", size) for phi in (0.0, 0.6))
    assert low <= single.judged(plain, "iid")["coverage"] <= high
    assert single.judged(serial, "iid")["coverage"] < low
    for rows in (plain, serial):
        assert single.judged(rows, "clustered")["coverage"] >= low
    # an error is that of the estimates' spread, which 300 panels tell within a tenth
    assert single.judged(serial, "clustered")["ratio"] == pytest.approx(1, abs=0.12)
    assert single.judged(serial, "iid")["ratio"] < 0.7


def test_what_is_said_of_single_printed_effects_is_what_was_measured():
    page = single.PAGE.read_text(encoding="utf-8")
    assert single.replaced(page, single_section(page)) == page
    rows = [line.strip("| ").split(" | ") for line in single_section(page).splitlines()]
    rows = [row for row in rows if "units" in row[0] and "treated" in row[0]]
    assert len(rows) == len(single.DESIGNS) * len(single.PHIS)
    clustered = [float(row[3]) for row in rows]
    assert (min(clustered), max(clustered)) == CLUSTERED
    independent = [min(float(row[2]) for row in rows if float(row[1]) == phi) for phi in (0.0, PHI)]
    assert tuple(independent) == INDEPENDENT
    assert f"{LEVEL:.0%} interval" in single_section(page)
    for name, robust in (("drunk_driving_laws", True), ("medicaid_expansions", False)):
        study = read_study(Path(__file__).parents[2] / "models" / name)
        (note, *_) = effect_notes(study, printed_effects(study))
        assert "in 79% to 88% of panels where errors are clustered" in note.text
        assert ("in 88% of panels whose rows are, and in as few as 60%" in note.text) == robust


def single_section(page):
    return single.TITLE + page.split(single.TITLE)[1].split("\n## ", maxsplit=1)[0]
