"""Ranks of the truth are uniform where posteriors are right, and not where one is wrong."""

from typing import get_args

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from sbc import Cell, engine_of, enough, ranks
from sbc_calibrate import measure, write_report
from sbc_cells import CELLS, PLANTED, SAMPLED, overlapping, synergy
from sbc_prior import COVARIANCE, DEGREES, fixed_scales, log_share
from sbc_uniform import RANKS, ecdf_p, uniformity
from scipy.stats import invwishart

from bayesdid.model.errors import ErrorsName
from bayesdid.model.likelihood import LikelihoodName
from bayesdid.model.mean import Mean
from bayesdid.model.pooling import pooled_scale
from bayesdid.model.priors import POOLED_SHARE
from cells import slow_but

CELL = {cell.name: cell for cell in (*CELLS, *PLANTED)}


def smallest(cell: Cell, size: int) -> float:
    """Smallest p-value over quantities and tests, times their number."""
    rows = uniformity(cell.name, ranks(cell, size))
    values = [row[name] for row in rows for name in ("chi-square p", "ECDF p")]
    return min(values) * len(values)


FAST = [
    ("two-way", 60),
    ("two-way, AR(1)", 30),
    ("mediation", 25),
    ("instrument", 12),
    ("spatial Durbin", 40),
    ("distance profile, spatial lag", 20),
    ("propensity", 60),
]
NAMED = {name for name, _ in FAST}
SIZES = [*FAST, *((cell.name, 30) for cell in CELLS if cell.name not in NAMED)]


@pytest.mark.parametrize(("name", "size"), slow_but(SIZES, *FAST))
def test_ranks_are_uniform(name, size):
    assert smallest(CELL[name], size) > 0.001  # false alarms: at most 1 in 1,000 of each


def test_every_kind_of_mean_and_of_errors_has_a_cell():
    models = [cell.model for cell in (*CELLS, *SAMPLED)]
    assert {type(model.mean) for model in models} == set(get_args(Mean))
    assert {model.errors.name for model in models} == set(get_args(ErrorsName))
    assert {model.likelihood.name for model in models} == set(get_args(LikelihoodName))


@pytest.mark.parametrize("cell", [*CELLS, *SAMPLED], ids=lambda cell: cell.name)
def test_draws_are_of_the_engine_that_auto_takes(cell):
    """A chain on the compiled model exactly where `auto` would run one."""
    assert bool(cell.chain) == (engine_of(cell) == "as_written")


def test_chains_that_hardly_move_are_too_few_draws():
    rng = np.random.default_rng(0)
    free, stuck = rng.normal(size=400), np.repeat(rng.normal(size=8), 50)
    assert enough({"free": free})
    assert not enough({"free": free, "stuck": stuck})


def test_priors_that_outcomes_would_scale_are_put_back():
    design = CELL["cohorts"].design()
    before = pooled_scale(design)
    with fixed_scales():
        assert pooled_scale(design) == POOLED_SHARE != before
    with pytest.raises(ZeroDivisionError), fixed_scales():
        _ = 1 / 0
    assert pooled_scale(design) == before
    assert pooled_scale(design) == before


def test_draws_of_an_instrument_are_thinned_to_the_law_of_its_true_covariances():
    """Share kept: density of the inverse Wishart over |Sigma|^-3/2, at most one."""
    Sigma = invwishart(5.0, np.eye(2)).rvs(200, random_state=0)
    s, d = np.sqrt(Sigma[:, 0, 0]), np.sqrt(Sigma[:, 1, 1])
    draws = {"sigma": s, "sigma_treatment": d, "rho": Sigma[:, 0, 1] / (s * d)}
    share = log_share(xr.Dataset({name: ("draw", value) for name, value in draws.items()}))
    law = invwishart(DEGREES, DEGREES * COVARIANCE)
    ratio = np.array([law.logpdf(S) + 1.5 * np.linalg.slogdet(S)[1] for S in Sigma])
    np.testing.assert_allclose(share - share[0], ratio - ratio[0], atol=1e-9)
    assert share.max() <= 0
    top = xr.Dataset(
        {"sigma": 0.5**0.5, "sigma_treatment": 0.8**0.5, "rho": 0.3 / (0.5 * 0.8) ** 0.5}
    )
    assert log_share(top)[0] == pytest.approx(0.0, abs=1e-12)


def test_the_headlines_contrast_is_ranked():
    """Its weights are those of the joint departure alone, and sum to one on its level."""
    weights, design = synergy(), overlapping()
    names = np.array(design.treatments)
    assert weights[names == "joint"] == pytest.approx(1.0)
    used = set(np.array(design.part)[weights != 0])
    assert used <= {"", "since", "order"}
    assert set(names[(weights != 0) & (np.array(design.part) == "")]) == {"joint"}


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
