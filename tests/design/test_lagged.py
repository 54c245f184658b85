"""An outcome's own past beside fixed effects of units is noted, by its values, in short panels."""

import re

import numpy as np
import pandas as pd
import pytest

import bayesdid as bd
from bayesdid.design.build import build_design
from bayesdid.design.lagged import SHORT


def outcomes(T, N, rng):
    """y = 0.5 y before + a level of the unit + noise, begun long ago, shape (N, T)."""
    level = rng.normal(size=N)
    y = np.zeros((N, T))
    y[:, 0] = 2 * level + rng.normal(0, np.sqrt(4 / 3), N)
    for t in range(1, T):
        y[:, t] = 0.5 * y[:, t - 1] + level + rng.normal(size=N)
    return y


def frame(T=6, N=40):
    rng = np.random.default_rng(0)
    found = pd.MultiIndex.from_product([range(N), range(T)], names=["id", "year"])
    found = found.to_frame(index=False)
    found["y"] = outcomes(T, N, rng).ravel()
    found["D"] = ((found["id"] % 2 == 0) & (found["year"] >= T // 2)).astype(int)
    found["before"] = found.groupby("id")["y"].shift()
    found["twice"] = found.groupby("id")["y"].shift(2)
    found["x"] = found["before"] + rng.normal(0, 0.01, len(found))
    return found


def noted(data, formula, **more):
    study, panel = bd.study_of(data, formula, unit="id", time="year", **more)
    design = build_design(study["did.1"], panel)
    return [note.text for note in design.notes if note.name == "nickell"]


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("y ~ D + l(y, 1) | id + year", "l(y, 1) is y 1 year before"),
        ("y ~ D + before | id + year", "before is y 1 year before"),
        ("y ~ before + D | id + year", "before is y 1 year before"),
        ("y ~ D + twice | id + year", "twice is y 2 year before"),
        ("y ~ D + before | year", ""),
        ("y ~ D + before | random(id) + year", ""),
        ("y ~ D + x | id + year", ""),
        ("y ~ D + l(D, 1) | id + year", ""),
    ],
)
def test_the_outcome_before_is_known_by_its_values(formula, said):
    found = noted(frame(), formula)
    assert len(found) == bool(said)
    assert all(text.startswith(said) for text in found)


def test_long_panels_and_individuals_are_not_noted():
    assert noted(frame(int(SHORT)), "y ~ D + before | id + year")  # one row less than periods
    assert not noted(frame(int(SHORT) + 1), "y ~ D + before | id + year")
    twice = pd.concat([frame(), frame()])
    assert not noted(twice, "y ~ D + before | id + year", repeated=True)


def test_the_bias_is_of_the_size_that_is_said():
    """(1 + rho) / T is the first term of Nickell's series, .300; all of it are .331 at T = 5.

    The mean over 40 panels of 300 units has an error of .004 (sd .026), so that they differ by a
    fifth at most.
    """
    rng, off = np.random.default_rng(1), []
    for _ in range(40):
        y = outcomes(6, 300, rng)
        now, before = (v - v.mean(axis=1, keepdims=True) for v in (y[:, 1:], y[:, :-1]))
        off.append((now * before).sum() / (before**2).sum() - 0.5)
    text = noted(frame(), "y ~ D + before | id + year")[0]
    said = float(re.search(r"([\d.]+) where it is 0.5", text)[1])
    assert said == pytest.approx(1.5 / 5)
    assert -np.mean(off) == pytest.approx(said, rel=0.2)
