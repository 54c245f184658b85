"""A few panels of every family that needs no chain: nothing is grossly off."""

import pytest
from calibrate import FAMILIES, bands, calibrate

from cells import slow_but

QUICK = [name for name in FAMILIES if FAMILIES[name][0].__name__ != "sampled"]
SIZE = 20
LONG = {  # their ranks are in test_sbc.py, the synergy in test_synergy_calibration.py
    "overlap: synergy",
    "TWFE, fixed effects",
    "TWFE, Mundlak effects",
    "AR(1) errors, phi 0.6",
    "instrument",
    "mediation: indirect",
}


@pytest.mark.parametrize("name", slow_but(QUICK, *(name for name in QUICK if name not in LONG)))
def test_intervals_cover_and_bias_is_noise(name):
    (row,) = calibrate(SIZE, names=[name]).to_dict(orient="records")
    for level, (low, high) in bands(SIZE, error=1e-4).items():
        assert low <= row[level] <= high, (level, row)
    assert abs(row["bias"]) < 5 * row["MCSE"] + 0.15 * row["RMSE"]  # weak priors shrink a little
