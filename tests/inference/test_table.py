"""Tables that are too coarse are made again."""

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm

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
