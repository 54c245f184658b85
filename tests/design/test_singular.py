"""Systems that are singular have the shortest solution, whatever LAPACK's least squares do."""

import numpy as np
import pytest

from bayesdid.design.singular import solve_singular


@pytest.mark.parametrize("columns", [(), (3,)])
def test_a_singular_system_is_solved_where_least_squares_fail(monkeypatch, columns):
    """One panel in 720 had cross-products on which they did not converge."""
    rng = np.random.default_rng(0)
    Z = rng.standard_normal((30, 4))
    Z = np.hstack([Z, Z[:, :2]])  # two columns twice
    A, b = Z.T @ Z, Z.T @ rng.standard_normal((30, *columns))
    usual = solve_singular(A, b, 1e-10)
    assert usual == pytest.approx(np.linalg.pinv(A, hermitian=True) @ b)
    assert usual[4:] == pytest.approx(usual[:2])  # the shortest shares alike

    def fails(*args, **kwargs):
        raise np.linalg.LinAlgError

    monkeypatch.setattr(np.linalg, "lstsq", fails)
    assert solve_singular(A, b, 1e-10) == pytest.approx(usual, rel=1e-8)
