"""Ranks of the truth are uniform where posteriors are right, and not where one is wrong."""

import numpy as np
import pandas as pd
import pytest
from sbc import Cell, ranks
from sbc_calibrate import measure, write_report
from sbc_cells import CELLS, PLANTED, SAMPLED
from sbc_uniform import RANKS, ecdf_p, uniformity

CELL = {cell.name: cell for cell in (*CELLS, *PLANTED)}


def smallest(cell: Cell, size: int) -> float:
    """Smallest p-value over quantities and tests, times their number."""
    rows = uniformity(cell.name, ranks(cell, size))
    values = [row[name] for row in rows for name in ("chi-square p", "ECDF p")]
    return min(values) * len(values)


@pytest.mark.parametrize(("name", "size"), [("two-way", 120), ("two-way, AR(1)", 50)])
def test_ranks_are_uniform(name, size):
    assert smallest(CELL[name], size) > 0.002  # false alarms: at most 1 in 500


def test_a_planted_error_is_found():
    assert smallest(CELL["posterior half as wide"], 80) < 0.002


def test_the_ecdf_has_its_level_and_finds_what_is_not_uniform():
    rng = np.random.default_rng(0)
    p = np.array([ecdf_p(rng.integers(RANKS, size=80)) for _ in range(60)])
    assert 0.2 < (p < 0.5).mean() < 0.8  # binomial(60, 0.5): outside with probability 2e-6
    assert ecdf_p(np.minimum(RANKS - 1, rng.integers(RANKS, size=200) + 20)) < 1e-4
    assert ecdf_p(rng.integers(30, 70, size=200)) < 1e-4


def test_the_page_says_what_the_ranks_say():
    """Half of the ranks at one value: not uniform; and the planted errors as found or not."""
    even = pd.DataFrame({"tau": np.arange(200) % RANKS})
    odd = pd.DataFrame({"tau": np.where(np.arange(200) % 2, 0, np.arange(200) % RANKS)})
    frame = pd.DataFrame(
        [
            row | {"ranks": verdict}
            for cell, found, verdict in (
                (CELLS[0], even, "uniform"),
                (CELLS[1], odd, "NOT UNIFORM"),
                (PLANTED[0], odd, "NOT UNIFORM"),
                (PLANTED[1], even, "uniform"),
            )
            for row in uniformity(cell.name, found)
        ]
    )
    assert frame["ECDF p"].tolist()[1] < 0.001 < 0.5 < frame["ECDF p"].tolist()[0]
    page = write_report(frame)
    assert "1 of 2 quantities have uniform ranks; not: two-way, weights: tau" in page
    assert "1 of 2 planted errors are found" in page
    assert f"(left out of this run: {'; '.join(cell.name for cell in SAMPLED)})" in page


def test_finished_cells_are_not_made_again(tmp_path, monkeypatch):
    jobs = [(CELL["two-way"], 20)]
    fresh = measure(jobs, tmp_path)
    monkeypatch.setattr("sbc_calibrate.ranks", None)
    pd.testing.assert_frame_equal(measure(jobs, tmp_path), fresh)


def test_cells_have_names_of_their_own():
    names = [cell.name for cell in (*CELLS, *SAMPLED, *PLANTED)]
    assert len(set(names)) == len(names)
    assert all(cell.wrong for cell in PLANTED)
    assert not any(cell.wrong for cell in (*CELLS, *SAMPLED))
