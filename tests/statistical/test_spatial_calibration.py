"""Spatial posteriors are calibrated, wrong ones are found out: a small `make calibrate-spatial`."""

import pytest
from spatial_calibrate import CASES, CONTROLS, QUANTITIES, SETTINGS, bands, coverage, uniformity

from cells import slow_but

QUICK = [name for name, case in CASES.items() if case.unit == "fixed"]
HONEST = [name for name, setting in SETTINGS.items() if setting.transform == "lee_yu"]
LONG = ("row-normalised, rho 0", "row-normalised, rho 0.65", "spectral, 0.95 of the bound")
SIZE = 20


def test_ranks_of_the_truth_are_uniform_under_the_prior():
    """All tests of the table together raise a false alarm with probability 0.01."""
    table = uniformity(150, names=QUICK)
    assert len(table) == len(QUICK) * len(QUANTITIES)
    assert table["uniform"].all(), table[~table["uniform"]]


@pytest.mark.parametrize("name", CONTROLS)
def test_a_deliberately_wrong_posterior_is_found_out_by_the_ranks_of_rho(name):
    table = uniformity(300, names=[name]).set_index("quantity")
    assert not table.loc["rho", "uniform"]


@pytest.mark.parametrize("name", slow_but(HONEST, *(name for name in HONEST if name not in LONG)))
def test_spatial_intervals_cover_and_bias_is_noise(name):
    table = coverage(SIZE, names=[name])
    assert (table["gate failed"] == 0).all()
    for column, (low, high) in bands(SIZE, error=1e-4).items():
        assert table[column].between(low, high).all(), table
    # the chance of |t| > 5 with 19 degrees of freedom is 8e-5; a bias of 1.1 sd would be seen
    assert (abs(table["bias"]) < 5 * table["MCSE"]).all()


def test_the_direct_transform_pulls_rho_down():
    """It counts |I - rho W| T times, and leaves out what period effects take from it."""
    table = coverage(60, names=["row-normalised, rho 0.65, direct"]).set_index("quantity")
    assert table.loc["rho", "bias"] < -5 * table.loc["rho", "MCSE"]
