"""Two-stage least squares and matched samples as columns that a panel is held to."""

import numpy as np
import pytest

from bayesdid.families.registry.load import load_study
from bayesdid.panel.simulate import simulate_panel
from bayesdid.reconstruct.compile import regression_of
from bayesdid.reconstruct.matched import _left, _variation, draw_matched
from bayesdid.reconstruct.regression import Factor, Regression


@pytest.fixture(scope="module")
def case():
    rng = np.random.default_rng(4)
    n, unit = 60, np.repeat(np.arange(12), 5)
    names = ("d", "x")
    rows = np.arange(n)
    factors = {k: Factor(np.ones(n), k, rows) for k in ("y", "d", "x", "z")}
    columns = {k: rng.standard_normal(n) for k in ("y", "x", "z")}
    columns["d"] = columns["z"] + columns["x"] + rng.standard_normal(n)
    regression = Regression(
        "t.1",
        factors["y"],
        (factors["d"], factors["x"]),
        names,
        unit,
        np.tile(np.arange(5), 12),
        True,
        True,
        factors["z"],
    )
    return regression, columns


def test_two_stage_least_squares_is_the_textbook_one(case):
    regression, columns = case
    unit, period = np.eye(12)[regression.unit_index], np.eye(5)[regression.period_index][:, 1:]
    X = np.column_stack([columns["d"], columns["x"], unit, period])
    W = np.column_stack([columns["z"], columns["x"], unit, period])
    b = np.linalg.solve(W.T @ X, W.T @ columns["y"])
    fitted = W @ np.linalg.lstsq(W, X, rcond=None)[0]
    e = columns["y"] - X @ b
    V = e @ e / (60 - X.shape[1]) * np.linalg.inv(fitted.T @ fitted)
    found = regression.estimate(columns)
    assert found.value("d", "estimate") == pytest.approx(b[0])
    assert found.value("d", "se") == pytest.approx(np.sqrt(V[0, 0]))


@pytest.mark.parametrize("kind", ["estimate", "se"])
def test_slopes_are_those_of_small_changes(case, kind):
    regression, columns = case
    rng, eps = np.random.default_rng(1), 1e-6
    by_y, by_Z = regression.estimate(columns).slope("d", kind)
    for name, slope in zip(("y", "d", "x", "z"), (by_y, *by_Z), strict=True):
        step = rng.standard_normal(60)
        up, down = (
            regression.estimate({**columns, name: columns[name] + s * eps * step}).value("d", kind)
            for s in (1, -1)
        )
        assert slope @ step == pytest.approx((up - down) / (2 * eps), rel=1e-5, abs=1e-8), name


def test_matched_rows_have_the_printed_number_and_the_implied_variation(models):
    study = load_study(models / "dual_pilot")
    panel = simulate_panel(study)
    spec = study["table4.3"]
    rows = draw_matched(study, spec, panel, np.random.default_rng(0))
    assert rows.sum() == 956
    assert panel.frame["city"][rows].value_counts().min() > 1  # n is the same in every programme
    wanted = _variation(study, spec)
    assert wanted == pytest.approx((1.455 * np.sqrt(1 - 0.81) / 0.401) ** 2)
    assert wanted <= _left(spec, panel, rows) < wanted + 1.5  # one more row adds less than one
    treated = regression_of(study["table2.2"], panel, (), False)
    on = treated.regressors[0].fixed > 0
    assert rows[on].all()
