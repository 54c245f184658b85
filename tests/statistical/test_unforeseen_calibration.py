"""A small version of the section of docs/validity.md on worlds that nothing was made for."""

import numpy as np
import pandas as pd
import pytest
from synergy_worlds import SIZE, WORLDS, make
from unforeseen_calibrate import CELLS_CLUSTERED, HEADLINE, WORLDS_BESIDE, panel_of, run, section
from validity_facts import synergy_facts
from validity_sections import UNFORESEEN

from bayesdid.report.validity import UNNAMED


@pytest.mark.parametrize("name", WORLDS_BESIDE)
def test_one_thing_is_added_to_a_panel_of_the_headlines_worlds(name):
    world = WORLDS_BESIDE[name]
    made, departs = panel_of(world, 5)
    plain = make(WORLDS["growing"], 5, N=world.units, T=world.periods)
    added = (made.frame["y"] - plain.frame["y"]).to_numpy()
    assert made.adoption.equals(plain.adoption)
    assert np.any(added) == (not name.startswith("40 units"))
    second = plain.adoption.max(axis=1).where(plain.adoption.notna().all(axis=1), np.inf)
    under = made.frame["period"].to_numpy() >= second.loc[made.frame["unit"]].to_numpy(float)
    assert np.array_equal(departs.to_numpy() < 0, under & world.departs)
    if world.departs:
        assert added == pytest.approx(departs.to_numpy())


def test_units_of_both_respond_by_half_more():
    made, _ = panel_of(WORLDS_BESIDE["larger effects in units of both"], 5)
    plain = make(WORLDS["growing"], 5)
    added = (made.frame["y"] - plain.frame["y"]).to_numpy().reshape(120, 12)
    single = np.tensordot(SIZE, plain.paths, axes=1)
    dual = plain.adoption.notna().all(axis=1).to_numpy()
    assert added[dual] == pytest.approx(0.5 * single[dual])
    assert not added[~dual].any()


def test_the_truth_is_the_average_over_the_rows_of_the_estimate():
    rows = pd.DataFrame(run(("synergy that grows", 0)))
    assert set(rows["model"]) == {HEADLINE, CELLS_CLUSTERED}
    # -.1 in the first period under both, -.1 more in each: ages of up to 8 periods
    assert -0.8 < rows["truth"].iloc[0] < -0.2
    assert (run(("40 units, 16 periods", 0))[0]["truth"]) == 0.0


def test_the_section_shows_what_the_rows_say_and_the_page_counts_its_worlds():
    rows = [
        {"world": world, "panel": k, "truth": 0.0, "word": word, "model": model}
        | {"mean": mean, "sd": 0.1, "low": mean - 0.2, "high": mean + 0.2, "p": p}
        for world, mean, p, word in (
            ("trends of units", 0.1, 0.5, "undecided"),
            ("larger effects in units of both", -0.4, 0.99, "supported"),
        )
        for k in range(4)
        for model in (HEADLINE, CELLS_CLUSTERED)
    ]
    text = section(pd.DataFrame(rows))
    fine, wrong = (line for line in text.splitlines() if " units" in line and line[0] == "|")
    assert "| +0.00 | 1.000 | +0.100 (0.000) | 0.100 | 0.100 | 0.000 | 0.000 |" in fine
    assert fine.endswith("| 1.000 | 0.000 | 0.000 |")
    assert "| 0.000 * | -0.400 (0.000) | 0.400 | 0.100 | 1.000 * | 0.000 |" in wrong
    assert wrong.endswith("| 0.000 * | 1.000 | 0.000 |")
    head = "89 % interval; 4 a world\n\n| world | named | coverage | false for | false against |\n"
    table = head + "|---|---|---|---|---|\n| a | no | 0.900 | 0.01 | 0.02 |\n\n"
    facts = synergy_facts(f"{table}{text}\n## Where")[UNNAMED]
    assert (facts["worlds"], facts["coverage"]) == (3, [0.0, 0.6333, 1.0])
    assert facts["false_for"] == 1.0
    assert text.startswith(UNFORESEEN)
