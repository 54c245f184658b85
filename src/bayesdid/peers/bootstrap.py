"""Wild cluster bootstrap of one coefficient, through the package wildboottest."""

from __future__ import annotations

import contextlib
import io
import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import norm

from bayesdid.design.design import Design
from bayesdid.design.span import within
from bayesdid.extras import extra


class WildBootstrap(NamedTuple):
    """Two-sided p-value, and the standard error at which a z-test would have that p-value.

    A p-value of `smallest` is a bound, and so is the standard error then: no draw was as extreme.
    """

    p_value: float
    se_equivalent: float
    smallest: float


def wild_bootstrap(
    design: Design, term: int = 0, *, size: int = 9999, seed: int = 0
) -> WildBootstrap:
    """Null-imposed wild bootstrap with Rademacher weights by cluster (Cameron et al. 2008).

    Parameters
    ----------
    term
        Position of the treatment among the design's regressors.

    Notes
    -----
    Run on the regressors after the effects are taken out, whose coefficients are the same
    (Frisch-Waugh-Lovell). doi:10.1162/rest.90.3.414.
    """
    with extra("peers"):
        import statsmodels.api as sm
        from wildboottest.wildboottest import wildboottest

    both = np.column_stack([design.regressors, design.y])
    rows = within(design, both, flat_only=False, weights=design.weights)
    names = [f"z{k}" for k in range(rows.shape[1] - 1)]
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # compilation
        model = sm.OLS(rows[:, -1], pd.DataFrame(rows[:, :-1], columns=names))
        found = wildboottest(
            model,
            param=names[term],
            cluster=design.cluster_index,
            B=size,
            seed=seed + 1,
            parallel=False,  # the package compiles its loop anew in each call: plain is quicker
            show=False,
        )
        estimate = float(model.fit().params[names[term]])
    # no draw beyond the estimate means p < 1 / size, not zero
    smallest = 1.0 / (size + 1)
    p = max(float(found["p-value"].iloc[0]), smallest)
    return WildBootstrap(p, abs(estimate) / float(norm.isf(p / 2)), smallest)
