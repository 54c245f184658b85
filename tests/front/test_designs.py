"""The designs of docs/formula.md in one line each: planted truth, and feols on the same rows."""

import numpy as np
import pandas as pd
import pytest
from pyfixest import feols

import bayesdid as bd

N, T = 40, 8


@pytest.fixture(scope="module")
def frame():
    """Counties of four regions, half of them eligible; two regions adopt in years 4 and 6."""
    rng = np.random.default_rng(5)
    unit, year = np.repeat(np.arange(N), T), np.tile(np.arange(1, T + 1), N)
    g, e = unit % 4, (unit // 4) % 2
    start = np.array([4, 6, 99, 99])[g]
    D = (year >= start).astype(float)
    x = rng.standard_normal(N)[unit] + 0.5 * rng.standard_normal(N * T)
    shock = rng.standard_normal((4, T))[g, year - 1] + rng.standard_normal((2, T))[e, year - 1]
    noise = 0.1 * rng.standard_normal(N * T) + rng.standard_normal(N)[unit]
    return pd.DataFrame(
        {
            "unit": unit,
            "year": year,
            "g": g,
            "e": e,
            "D": D,
            "x": x,
            "dose": D * (1 + g),
            "ddd": 0.7 * D * e + shock + noise,
            "by_x": (1.0 + 0.5 * x) * D + noise,
            "ahead": 1.0 * D + 0.4 * ((year + 1 >= start) & (year < start)) + noise,
            "lagged": 1.0 * D + 0.5 * (year >= start + 1) + 0.25 * (year >= start + 2) + noise,
        }
    )


def effects(frame, formula, **more):
    fit = bd.did(frame, formula, errors="iid", priors="flat", draws=500, **more)
    return fit.tidy().loc[list(fit.treatments)]


def near(found, truth):
    """Within four posterior sds of what was planted."""
    return (np.abs(found["mean"] - truth) < 4 * found["sd"]).all()


@pytest.mark.filterwarnings("ignore")
def test_a_triple_difference(frame):
    found = effects(frame, "ddd ~ D:e | unit + g^year + e^year")
    assert near(found, 0.7)
    other = feols("ddd ~ D:e | unit + g^year + e^year", frame)
    gap = abs(found["mean"].iloc[0] - other.coef().iloc[0])
    assert gap < 5 * found["mcse"].iloc[0]


def test_an_effect_that_depends_on_a_column(frame):
    found = effects(frame, "by_x ~ D*x | unit + year")
    assert near(found, pd.Series({"D": 1.0, "x": 0.0, "D * x": 0.5}).loc[found.index])


@pytest.mark.filterwarnings("ignore")
def test_a_dose(frame):
    dosed = frame.assign(y=0.3 * frame["dose"] + frame["by_x"] - frame["by_x"].mul(frame["D"]))
    other = feols("y ~ dose | unit + year", dosed)
    found = effects(dosed, "y ~ dose | unit + year")
    assert abs(found["mean"].iloc[0] - other.coef().iloc[0]) < 5 * found["mcse"].iloc[0]


def test_anticipation_by_one_period(frame):
    """The coefficient of the lead is the effect before adoption, that of D what comes on top."""
    found = effects(frame, "ahead ~ D + f(D, 1) | unit + year", treatment=["D", "f(D, 1)"])
    assert near(found, pd.Series({"D": 0.6, "f(D, 1)": 0.4}))


def test_distributed_lags(frame):
    terms = ["D", "l(D, 1)", "l(D, 2)"]
    found = effects(frame, "lagged ~ D + l(D, 1) + l(D, 2) | unit + year", treatment=terms)
    assert near(found, pd.Series(dict(zip(found.index, (1.0, 0.5, 0.25), strict=True))))
