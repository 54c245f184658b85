"""All checks of one fit."""

from __future__ import annotations

import pandas as pd
import xarray as xr

from bayesdid.checks.check import CheckResult
from bayesdid.checks.loo import loo, loo_check
from bayesdid.checks.predictive import predictive_checks
from bayesdid.model.bound import BoundModel


def run_checks(
    tree: xr.DataTree,
    bound: BoundModel,
    arms: pd.Series,
    *,
    minimum: float | None = None,
    labels: dict[str, str] | None = None,
    seed: int = 0,
) -> tuple[CheckResult, ...]:
    """Predictive checks, then LOO, of any fit.

    Parameters
    ----------
    tree, bound
        A fit with its effects, and the model and design it is of, e.g. of
        :func:`bayesdid.model.bound.model`.
    arms
        Unit (as a string) -> arm, e.g. of :func:`bayesdid.panel.adoption.arm`.
    minimum
        Smallest possible outcome, if there is one.
    labels
        Unit -> name for people.
    seed
        Of replications.
    """
    checks = predictive_checks(tree, bound, arms, minimum=minimum, seed=seed)
    return (*checks, loo_check(loo(tree, bound, labels)))
