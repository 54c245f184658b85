"""Tables that are too coarse are made again."""

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm

from bayesdid.inference.gate import EDGE_LIMIT
from bayesdid.inference.numerics.table import draw_table, find_axes


class Spike:
    """A normal, and a narrow one in its flank that nodes half an sd apart pass over."""

    def log_density(self, z):
        parts = [np.log(0.9) + norm.logpdf(z[:, 0]), np.log(0.1) + norm.logpdf(z[:, 0], 2.5, 0.12)]
        return logsumexp(parts, axis=0)


def test_a_table_that_is_too_coarse_is_made_finer():
    axes = find_axes(Spike(), np.zeros(1))
    found = draw_table(Spike(), axes, 4000, np.random.default_rng(0))
    assert all(item.passed for item in found.gate())
    assert found.log_evidence == pytest.approx(0.0, abs=0.01)
    # mean .25, variance .9 (1 + .25^2) + .1 (.12^2 + 2.25^2)
    se = np.sqrt((0.9 * 1.0625 + 0.1 * 5.077) / 4000)
    assert found.z.mean() == pytest.approx(0.25, abs=5 * se)


def test_a_table_has_an_end():
    axes = find_axes(Spike(), np.zeros(1))
    sizes = []
    while axes is not None:
        sizes.append(len(axes.grids[0]))
        axes = axes.finer()
    assert sizes == sorted(sizes)
    assert sizes[-1] <= 400 < 2 * sizes[-1]


class Ridge:
    """A scale that is nearly zero while another takes over: N(0, 1) along u, narrow across it."""

    def log_density(self, z):
        u, v = z[:, 0], z[:, 1]
        return -0.5 * (u / 3.0) ** 2 - 0.5 * ((v - 0.9 * u) / 0.3) ** 2


def test_an_axis_that_ends_on_a_ridge_is_made_longer():
    """The slice through the mode is gone long before the marginal density of u is: sd 3."""
    axes = find_axes(Ridge(), np.zeros(2))
    reached = axes.box[1][0]
    assert reached < 3.0  # the axis ends within one sd
    found = draw_table(Ridge(), axes, 4000, np.random.default_rng(0))
    assert found.edge < EDGE_LIMIT
    np.testing.assert_allclose(found.log_evidence, np.log(2 * np.pi * 3.0 * 0.3), atol=0.01)
    np.testing.assert_allclose(found.z[:, 0].std(), 3.0, rtol=4 / np.sqrt(2 * 4000))
