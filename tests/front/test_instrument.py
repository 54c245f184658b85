"""An instrument in a formula: two-stage least squares beside it, and said where it is weak."""

import warnings

import numpy as np
import pandas as pd
import pyfixest
import pytest
from typer.testing import CliRunner

import bayesdid as bd
from bayesdid.cli.app import app
from bayesdid.exceptions import InputError

FORMULA = "y ~ x | city + year | D ~ z"


def made(first_stage, N=40, T=8):
    """An effect of 1; least squares is biased by what treatment and outcome share."""
    rng = np.random.default_rng(3)
    found = pd.MultiIndex.from_product([range(N), range(2000, 2000 + T)], names=["city", "year"])
    found = found.to_frame(index=False)
    n = len(found)
    shared = rng.normal(size=n)
    found["z"], found["x"], found["w"] = (
        rng.normal(size=n),
        rng.normal(size=n),
        rng.uniform(1, 3, n),
    )
    found["D"] = first_stage * found["z"] + 0.7 * shared + 0.3 * rng.normal(size=n)
    found["y"] = found["D"] + 0.5 * found["x"] - shared + rng.normal(size=N)[found["city"]]
    return found


def feols(formula, frame, **more):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pyfixest's own use of pandas
        return pyfixest.feols(formula, frame, vcov="iid", **more)


@pytest.mark.parametrize("weights", [None, "w"])
def test_a_strong_instrument_gives_two_stage_least_squares(weights):
    frame = made(0.8)
    fit = bd.did(frame, FORMULA, weights=weights)
    assert fit.treatments == ("D",)
    assert fit.tree.attrs["engine"] == "instrument"
    row = fit.tidy().loc["D"]
    own = {} if weights is None else {"weights": weights}
    peer = feols(FORMULA, frame, **own)
    estimate, se = float(peer.coef()["D"]), float(peer.se()["D"])
    # the posterior's skewness moves its mean by se / F, a hundredth of an se here, and 4,000 draws
    assert abs(row["mean"] - estimate) < 0.1 * se + 5 * row["mcse"]
    assert row["sd"] == pytest.approx(se, rel=0.15)
    assert abs(row["mean"] - 1) < 4 * se
    assert float(feols("y ~ D + x | city + year", frame).coef()["D"]) < 0.7
    study, panel = bd.study_of(frame, FORMULA, weights=weights)
    column = study["did.1"].column
    assert (column.family, column.instrument, column.covariates) == ("iv_second", "z", ("x",))
    assert not panel.notes


def test_its_first_stage_is_shown_and_a_weak_one_is_called_weak():
    strong, weak = (bd.did(made(first), FORMULA).summary() for first in (0.8, 0.05))
    assert "first stage D ~ z: 0.8" in strong
    assert "a weak instrument" not in strong
    assert "below 10, a weak instrument, so that the prior of the effect decides" in weak
    plain = bd.did(made(0.8), "y ~ D + x | city + year", errors="iid", draws=50).summary()
    assert "first stage" not in plain


def test_a_probability_is_never_nought_and_a_mean_has_its_digits():
    frame = made(0.8)
    large, small = (
        bd.did(frame.assign(y=frame["y"] * size), FORMULA, draws=200).summary().splitlines()
        for size in (1e5, 1e-5)
    )
    for lines in (large, small):
        (row,) = (line.split() for line in lines if line.startswith("D "))
        assert row[-2:] == ["<", "0.001"]
        assert float(row[2]) > 4 * float(row[3]) > 0
    assert not any("e+" in line for line in large)


def test_the_command_takes_the_errors_that_the_model_has(tmp_path):
    made(0.8).to_csv(tmp_path / "p.csv", index=False)
    found = CliRunner().invoke(app, ["did", str(tmp_path / "p.csv"), FORMULA, "--draws", "200"])
    assert found.exit_code == 0, found.output
    assert "errors: i.i.d.;" in found.stdout
    assert "first stage D ~ z" in found.stdout


@pytest.mark.parametrize(
    ("formula", "more", "says"),
    [
        ("y ~ x | city + year | D ~ zz", {}, "'zz': no such column.*did you mean 'z'"),
        (FORMULA, {"treatment": "x"}, "one instrument moves one treatment"),
        ("y ~ x | city + year | D ~ flat", {}, "leave nothing of the instrument|flat"),
    ],
)
def test_what_is_no_instrument_is_refused(formula, more, says):
    frame = made(0.8, N=10)
    with pytest.raises(InputError, match=says):
        bd.did(frame.assign(flat=frame["city"] % 3), formula, **more)
