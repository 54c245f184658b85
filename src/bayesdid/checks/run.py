"""All checks of one fit."""

from __future__ import annotations

import pandas as pd
import xarray as xr

from bayesdid.checks.check import CheckResult
from bayesdid.checks.loo import loo, loo_check
from bayesdid.checks.predictive import predictive_checks
from bayesdid.design.design import Design


def run_checks(
    tree: xr.DataTree,
    design: Design,
    arms: pd.Series,
    *,
    minimum: float | None = None,
    labels: dict[str, str] | None = None,
    seed: int = 0,
) -> tuple[CheckResult, ...]:
    """Predictive checks, then LOO; see the modules of this package."""
    checks = predictive_checks(tree, design, arms, minimum=minimum, seed=seed)
    return (*checks, loo_check(loo(tree, design, labels)))
