"""The headline of a data frame is that of its study and panel; what does not belong is refused."""

import numpy as np
import pandas as pd
import pytest

import bayesdid as bd
from bayesdid.exceptions import InputError

KEYS = {"y": "y", "unit": "id", "time": "year"}
POLICIES = {"a": "a_year", "b": "b_year"}


@pytest.fixture(scope="module")
def frame():
    """30 units, 8 periods: ten of none, of one and of both policies; no synergy, effects -.5."""
    rng = np.random.default_rng(0)
    a = np.repeat([np.nan, 2004.0, 2004.0], 10)
    b = np.repeat([np.nan, np.nan, 2006.0], 10)
    a[15:20], b[15:20] = np.nan, 2005.0
    rows = pd.DataFrame(
        [(i, t) for i in range(30) for t in range(2001, 2009)], columns=["id", "year"]
    )
    rows.columns = ["id", "year"]
    rows["a_year"], rows["b_year"] = a[rows["id"]], b[rows["id"]]
    on = (rows["year"] >= rows["a_year"]).astype(int) + (rows["year"] >= rows["b_year"])
    return rows.assign(y=rng.normal(size=30)[rows["id"]] - 0.5 * on + 0.2 * rng.normal(size=240))


def test_a_frame_has_the_headline_of_its_study(frame):
    before = frame.copy()
    run = {"draws": 100, "seed": 3, "errors": "iid"}
    found = bd.synergy(frame, **KEYS, policies=POLICIES, **run)
    study, panel = bd.study_of(frame, **KEYS, policies=POLICIES)
    expected = bd.synergy(study, panel, **run)
    assert list(found) == list(expected)
    assert all(found[name].mean == expected[name].mean for name in expected)
    pd.testing.assert_frame_equal(frame, before)
    higher = bd.synergy(frame, **KEYS, policies=POLICIES, better="higher", **run)
    name = "both - sum of singles"
    assert found[name].p_claim + higher[name].p_claim == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(
    ("second", "more", "message"),
    [
        ("y ~ a*b | id + year", {}, "synergy takes no formula"),
        (None, {**KEYS, "policies": POLICIES, "spec": "t.1"}, "a data frame has no study"),
    ],
)
def test_what_a_frame_cannot_have_is_refused(frame, second, more, message):
    with pytest.raises(InputError, match=message):
        bd.synergy(frame, second, **more)


def test_what_a_study_knows_is_refused_and_its_panel_asked_for(frame):
    study, panel = bd.study_of(frame, **KEYS, policies=POLICIES)
    with pytest.raises(InputError, match="a study knows its outcome"):
        bd.synergy(study, panel, covariates=["x"])
    with pytest.raises(InputError, match="without its panel"):
        bd.synergy(study)
