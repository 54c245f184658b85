"""Columns with further effects and weights: members give what dummies give; slopes; refusals."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayesdid.families.registry.load import load_study
from bayesdid.panel.validate import validate_panel
from bayesdid.reconstruct.compile import held_columns, regression_of
from bayesdid.reconstruct.member import Task, make_member

TOWNS = Path(__file__).parent / "towns"
MORE = """
[[column]]
id = "5"
outcome = "deaths"
treatments = ["both"]
covariates = ["income"]
effects = ["coast^year"]
n = "300"
r2 = "0.83"
[column.coefficients]
both = {{ estimate = "-0.38", se = "0.11" }}
income = {{ estimate = "0.31", se = "0.15" }}

[[column]]
id = "6"
outcome = "deaths"
treatments = ["both"]
effects = ["town[year]"]
{weights}
n = "300"
[column.coefficients]
both = {{ estimate = "-0.291" }}
"""


def write(folder, weights=""):
    for name in ("study.toml", "table1.toml", "table2.toml"):
        text = (TOWNS / name).read_text()
        (folder / name).write_text(
            text + MORE.format(weights=weights) if name == "table2.toml" else text
        )
    return load_study(folder)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write(tmp_path_factory.mktemp("more"))


@pytest.fixture(scope="module")
def panel(study):
    frame = make_member(Task(study, 1, 0, (), "mended")).frame
    return validate_panel(frame, study, source="test", first_row=1)


def by_dummies(panel, regressors, slopes=False, weights=None, coast=False):
    """Coefficients, i.i.d. standard errors and R2 with every effect written out."""
    frame = panel.frame
    unit, period = pd.get_dummies(frame["town"]), pd.get_dummies(frame["year"])
    parts = [unit, period]
    if slopes:
        parts.append(unit.mul(frame["year"] - 2005.5, axis=0))
    if coast:
        parts.append(pd.get_dummies(frame["coast"] + frame["year"].astype(str)))
    Z = np.column_stack([*regressors, *(part.to_numpy(float) for part in parts)])
    y = frame["deaths"].to_numpy(float)
    root = np.ones(len(y)) if weights is None else np.sqrt(weights)
    b, _, rank, _ = np.linalg.lstsq(Z * root[:, None], y * root, rcond=None)
    e = (y - Z @ b) * root
    mean, K = np.average(y, weights=root**2), len(regressors)
    bread = np.linalg.pinv((Z * root[:, None]).T @ (Z * root[:, None]))[:K, :K]
    se = np.sqrt(e @ e / (len(y) - rank) * np.diag(bread))
    return b[:K], se, 1 - e @ e / (root**2 @ (y - mean) ** 2)


def states(panel, study):
    return regression_of(study["table2.5"], panel, ("income",), False).regressors[0].fixed


def test_a_member_meets_columns_with_further_effects(study, panel):
    held, _ = held_columns(study)
    assert {"table2.5", "table2.6"} <= set(held)
    D, income = states(panel, study), panel.frame["income"].to_numpy(float)
    b, _, _ = by_dummies(panel, [D, income], coast=True)
    assert abs(b[0] + 0.38) <= 0.005
    assert abs(b[1] - 0.31) <= 0.005
    assert abs(by_dummies(panel, [D], slopes=True)[0][0] + 0.291) <= 0.0005


def test_a_regression_with_weights_is_that_with_dummies(study, panel, tmp_path):
    """Estimates, standard errors and R2, and how they move with every cell of the panel."""
    rng = np.random.default_rng(0)
    frame = panel.frame.assign(people=rng.uniform(0.2, 5.0, len(panel.frame)))
    known = dataclasses.replace(panel, frame=frame, synthetic=None)
    given = write(tmp_path, 'row_weights = "people"')
    spec = given["table2.6"]
    columns = {"deaths": frame["deaths"].to_numpy(float)}
    regression = regression_of(spec, known, tuple(columns), False)
    fit, D = regression.estimate(columns), states(panel, study)
    b, se, r2 = by_dummies(known, [D], slopes=True, weights=frame["people"].to_numpy())
    assert fit.value("both", "estimate") == pytest.approx(b[0], rel=1e-8)
    assert fit.value("both", "se") == pytest.approx(se[0], rel=1e-8)
    assert fit.value("r2", "r2") == pytest.approx(r2, rel=1e-8)
    step, eps = rng.standard_normal(len(D)), 1e-6
    for name, kind in (
        ("both", "estimate"),
        ("both", "se"),
        ("constant", "estimate"),
        ("r2", "r2"),
    ):
        up, down = (
            regression.estimate({"deaths": columns["deaths"] + s * eps * step}).value(name, kind)
            for s in (1, -1)
        )
        change = float(fit.slope(name, kind)[0] @ step)
        assert change == pytest.approx((up - down) / (2 * eps), rel=1e-5, abs=1e-8)
    made = make_member(Task(given, 2, 0, (), "mended", known)).frame
    other = dataclasses.replace(known, frame=made)
    b, _, _ = by_dummies(other, [D], slopes=True, weights=frame["people"].to_numpy())
    assert abs(b[0] + 0.291) <= 0.0005


def test_weights_that_are_not_given_and_random_effects_are_left_out_with_the_reason(tmp_path):
    left = held_columns(write(tmp_path, 'row_weights = "people"'))[1]
    assert left["table2.6"] == "its effects or weights are of a column that is not given (people)"
    table = tmp_path / "table2.toml"
    table.write_text(table.read_text().replace('"coast^year"', '"random(coast^year)"'))
    assert held_columns(load_study(tmp_path))[1]["table2.5"] == (
        "which estimator of random further effects it is from is not printed"
    )
