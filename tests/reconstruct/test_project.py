"""The projection is the solution of its convex programme: checked by a solver of general use."""

import numpy as np
import pytest

from bayesdid.reconstruct.project import Restrictions, project
from bayesdid.reconstruct.slopes import Slopes


def case(seed, width):
    rng = np.random.default_rng(seed)
    m, n = 6, 40
    A = rng.standard_normal((m, n))
    A[5] = A[4] + A[3]  # rank deficient, as printed numbers are
    x0, low, high = rng.standard_normal(n), np.full(n, -0.8), np.full(n, 0.9)
    goal = A @ np.clip(x0 + rng.standard_normal(n), low, high)
    ones = np.ones(m)
    return (
        x0,
        Restrictions(Slopes.dense(A), goal, goal - width, goal + width, 0.5 * ones, 1e-4 * ones),
        low,
        high,
    )


@pytest.mark.parametrize("width", [0.01, 1.0])
def test_the_projection_is_the_minimum(width):
    cvxpy = pytest.importorskip("cvxpy")
    x0, of, low, high = case(3, width)
    found, multipliers = project(x0, of, low, high)
    x, inner, out = cvxpy.Variable(len(x0)), cvxpy.Variable(6), cvxpy.Variable(6)
    kink = (of.high - of.aim) / of.inside
    cost = (
        cvxpy.sum_squares(x - x0) / 2
        + cvxpy.sum(cvxpy.multiply(1 / (2 * of.inside), cvxpy.square(inner - of.aim)))
        + cvxpy.sum(cvxpy.multiply(1 / (2 * of.outside), cvxpy.square(out)))
        + cvxpy.sum(cvxpy.multiply(kink, cvxpy.abs(out)))
    )
    limits = [
        x >= low,
        x <= high,
        inner >= of.low,
        inner <= of.high,
        of.A.blocks[0].values @ x == inner + out,
    ]
    cvxpy.Problem(cvxpy.Minimize(cost), limits).solve(solver="CLARABEL")
    assert found == pytest.approx(x.value, abs=1e-5)
    assert (found >= low).all()
    assert (found <= high).all()
    assert np.abs(multipliers).max() > 0


def test_restrictions_that_contradict_each_other_are_relaxed_least():
    A = np.array([[1.0, 0.0], [1.0, 0.0]])
    goal, ones = np.array([0.0, 1.0]), np.ones(2)
    of = Restrictions(
        Slopes.dense(A), goal, goal - 1e-6, goal + 1e-6, 1e-3 * ones, np.array([1e-6, 3e-6])
    )
    x, _ = project(np.zeros(2), of, np.full(2, -9.0), np.full(2, 9.0))
    assert x[0] == pytest.approx(0.25, abs=1e-3)  # three times as mobile: three quarters of the way
    assert x[1] == 0
