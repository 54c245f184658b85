"""The default errors keep their level where i.i.d. ones do not: a small `make calibrate-errors`."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest
from error_calibrate import FEW, LEVEL, PERIODS, Chunk, cells, few_cells, measure, stored
from error_report import AVERAGE, COVERAGE, WANTED, write_few, write_report
from error_worlds import REAL, WORLDS, placebo_law, world_errors
from scipy.stats import binom, norm

from bayesdid.model.errors import DEFAULT_ERRORS
from bayesdid.pool.normal import KAPPAS

DEFAULT = DEFAULT_ERRORS.name
ERROR = 1e-4  # chance that a test of this module fails though all is well
PANELS, LAWS = 30, 15


def band(size, share=1 - LEVEL):
    """How many of `size` intervals exclude the truth."""
    return binom.ppf([ERROR / 2, 1 - ERROR / 2], size, share)


@pytest.fixture(scope="module")
def simulated():
    """Small panels with AR(1) errors, phi .9."""
    chunk = Chunk("ar .9", 8, 0, PANELS, T=20, N=16, models=("iid", DEFAULT))
    return measure([chunk])


def excluded(frame, model):
    return int(frame.loc[frame["model"] == model, "out"].sum())


def test_the_default_covers_where_iid_errors_do_not(simulated):
    low, high = band(PANELS)
    assert low <= excluded(simulated, DEFAULT) <= high
    assert excluded(simulated, "iid") > high


def test_an_interval_half_as_wide_is_found_out(simulated):
    """The control of the test above: the same intervals, shrunk around their middles."""
    own = simulated[simulated["model"] == DEFAULT]
    middle, half = (own["low"] + own["high"]) / 2, (own["high"] - own["low"]) / 4
    out = (middle - half > 0) | (middle + half < 0)
    assert out.sum() > band(PANELS)[1]


def test_the_gate_passes_with_more_draws(simulated):
    assert simulated["gate"].all()


@pytest.mark.slow
def test_placebo_laws_on_a_real_panel():
    """Traffic deaths: i.i.d. errors find an effect in half of the laws that never were."""
    laws = Chunk("driving", 24, 0, LAWS, N=48, models=(DEFAULT,))
    low, high = band(LAWS)
    assert low <= excluded(measure([laws]), DEFAULT) <= high
    many = dataclasses.replace(laws, size=3 * LAWS, models=("iid",))
    assert excluded(measure([many]), "iid") > band(3 * LAWS)[1]


def test_few_treated_units_add_the_permutation():
    frame = measure([Chunk("iid", 3, 0, 2, T=6, N=16, models=(DEFAULT,))])
    assert list(frame["model"]) == [DEFAULT, "cluster", "permutation"] * 2
    assert np.isfinite(frame[["low", "high"]]).all(axis=None)


def test_finished_chunks_are_not_made_again(tmp_path):
    chunk = Chunk("iid", 6, 0, 2, T=4, N=12, models=("iid",))
    first = stored(chunk, tmp_path)
    (path,) = tmp_path.iterdir()
    stamp = path.stat().st_mtime_ns
    assert stored(chunk, tmp_path) == first
    assert path.stat().st_mtime_ns == stamp
    assert stored(dataclasses.replace(chunk, start=2), tmp_path) != first
    whole = measure([dataclasses.replace(chunk, size=4)])
    assert whole["low"].iloc[:4].tolist() == [row["low"] for row in first]


@pytest.mark.parametrize("world", WORLDS)
def test_worlds_are_what_they_say(world):
    """Autocorrelations and sds of 800 units; 4 standard errors or so of each."""
    e = world_errors(world, 800, 12, np.random.default_rng(0))
    lag = [np.mean(e[:, t:] * e[:, : 12 - t]) / np.mean(e**2) for t in (1, 2)]
    if "noise" in world:
        assert e[:, -1].std() > 1.2 * e[:, 0].std()
        return
    phi = float(world.split()[-1]) if "ar" in world else 0.0
    expected = [phi, phi**2] if "ma" not in world else [0.6 / 1.36, 0.0]
    assert lag == pytest.approx(expected, abs=0.1 if "hetero" in world else 0.06)
    spread = np.log(e.std(axis=1)).std()
    assert (spread > 0.45) == ("hetero" in world)
    neighbours = np.mean(e * np.roll(e, 1, axis=0)) / np.mean(e**2)
    assert (neighbours > 0.3) == ("spatial" in world)


def test_a_law_treats_as_many_units_as_it_says():
    D = placebo_law(10, 6, 4, np.random.default_rng(0))
    assert (D.max(axis=1) > 0).sum() == 4
    assert (np.diff(D, axis=1) >= 0).all()
    assert not D[:, 0].any()


def test_cells_are_done_in_turn():
    parts = cells(laws=100, panels=40, models=("iid",))
    assert len(parts) == 5 * len(REAL) + 2 * len(WORLDS) * len(PERIODS)
    assert sum(part.size for part in parts[: len(parts) // 2]) >= 0.4 * sum(p.size for p in parts)
    first = parts[: len(REAL) + len(WORLDS) * len(PERIODS)]
    assert {part.start for part in first} == {0}
    few = few_cells(laws=40, models=("iid",))
    assert len(few) == 2 * len(REAL) * len(FEW)
    assert {part.start for part in few[: len(few) // 2]} == {0}
    assert {part.treated for part in few} == set(FEW)


def made(rate, cover, n=100):
    """Rows of an experiment in which every real panel and every world has the same share."""
    cells = [(name, 0, 24, rate) for name in REAL]
    cells += [(name, T, 24, 1 - cover) for name in WORLDS for T in PERIODS]
    return _rows(cells, n)


def _rows(cells, n=100):
    rows = []
    for name, T, treated, share in cells:
        models = ["iid", "ar1", "ar1_unit", "cluster", *["permutation"] * (treated <= 5)]
        head = {"panel": name, "T": T, "treated": treated, "sd": 1.0, "gate": True}
        for model in models:
            rows += [
                {**head, "law": law, "model": model, "out": law < round(share * n)}
                for law in range(n)
            ]
    return pd.DataFrame(rows)


def test_marks_and_words_of_the_page_are_those_of_the_numbers():
    fine = write_report(made(rate=0.11, cover=0.89))
    assert not re.search(r"\d \*", fine)
    assert "within the wanted range on every real panel" in fine
    assert "too narrow" not in fine
    assert "too wide" not in fine
    assert f"covers {COVERAGE[0]:.3f}" not in fine
    narrow = write_report(made(rate=WANTED[1] + 0.02, cover=COVERAGE[0] - 0.02))
    assert "0.180 *" in narrow
    assert "castle (0.180)" in narrow
    assert "it covers 0.830 at T = 4 (too narrow)" in narrow
    assert "outside the wanted range: iid at T = 4 (0.830)" in narrow
    wide = write_report(made(rate=0.05, cover=0.95))
    assert "0.050 *" in wide
    assert "0.950 at T = 4 (too wide)" in wide
    between = write_report(made(rate=AVERAGE[1] + 0.02, cover=0.89))
    table = between.partition("## Coverage")[0]
    assert table.count("0.150 |") == 4 * len(REAL)
    assert table.count("0.150 * |") == 4  # the average is held to less


def test_the_page_of_few_treated_units_says_what_its_table_shows():
    rates = {3: 0.11, 5: 0.17, 10: 0.20}
    text = write_few(_rows([(name, 0, k, rate) for name in REAL for k, rate in rates.items()]))
    assert "100 placebo laws" in text
    assert "3 treated: default 0.110, clustered 0.110, permutation 0.110;" in text
    outside = ", ".join(f"{name} 0.170" for name in sorted(REAL))
    assert f"permutation 0.170 (default outside the wanted range: {outside});" in text
    assert "10 treated: default 0.200, clustered 0.200 (default" in text  # too many to permute
    assert text.count("0.110 |") == 5 * (len(REAL) + 1)
    assert text.count("0.170 * |") == 5 * (len(REAL) + 1)


def test_the_document_shows_what_pages_say_of_independent_errors(root):
    """Too sure on every panel; the default is within the wanted range on average."""
    text = (root / "docs" / "calibration-errors.md").read_text(encoding="utf-8")
    table = text.partition("## Placebo laws")[2].partition("\n\nMedian sd")[0].splitlines()
    rates = {
        cells[0]: [float(cell.strip(" *")) for cell in cells[1:]]
        for line in table
        if line.startswith("|") and (cells := [c.strip() for c in line.strip("|").split("|")])
        if cells[0] not in {"model", "---"}
    }
    assert min(rates["i.i.d."]) > 0.16
    page = (root / "docs" / "which-model.md").read_text(encoding="utf-8")
    low, high = (round(100 * end(rates["i.i.d."][:-1])) for end in (min, max))
    assert f"exclude zero in {low}-{high} % of placebo laws" in page
    assert 0.09 <= rates["AR(1), unit scales"][-1] <= 0.13
    # what a pool makes of standard errors that suppose independence: N(0, kappa^2) leaves the
    # interval of N(0, 1) as often
    least, median, most = np.quantile(rates["i.i.d."][:-1], [0, 0.5, 1])
    needed = norm.ppf((1 + LEVEL) / 2) / norm.isf(np.array([least, median, most]) / 2)
    np.testing.assert_allclose(KAPPAS, [1.0, *needed.round(1)])
