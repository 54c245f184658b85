"""Real panels are like draws of the prior, and what a print leaves open is where members say."""

import numpy as np
from reconstruct_laws import JUDGED_ON, behind_a_law, ranks_in_prior
from scipy.stats import binom

from bayesdid.reconstruct.unsaid import CLUSTERED, PERSISTENCE, UNEVEN


def test_real_panels_are_like_draws_of_the_prior():
    # AR(1) with a coefficient of 0.8 at most holds a lag-1 correlation in 5 of these 17 panels
    ranks = ranks_in_prior(JUDGED_ON, 60)
    least = binom.ppf(0.001, len(ranks), 0.89)
    assert ((ranks > 0.03) & (ranks < 0.97)).sum().min() >= least
    assert np.abs(ranks.mean() - 0.5).max() < 3.3 * np.sqrt(1 / 12 / len(ranks))


def test_hidden_panels_lie_among_their_members():
    # a truth that is exchangeable with 11 members is their least or largest in 2 of 12 cases
    names = ("police", "assault")
    rows = [row for name in names for row in behind_a_law((name, 1), members=11)]
    assert all(row["met"] == 1 for row in rows)
    least = binom.ppf(0.001, len(rows), 10 / 12)
    assert sum(0 < row["rank"] < 1 for row in rows) >= least


def test_a_law_of_few_periods_has_no_late_effect():
    keys = [row["key"] for row in behind_a_law(("air fares", 1), members=1)]
    assert keys == [CLUSTERED, PERSISTENCE, UNEVEN]
