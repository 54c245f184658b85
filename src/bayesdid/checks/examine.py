"""Everything that is asked of a fit before it is believed: one list for every family."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pandas as pd

from bayesdid.arrays import FloatArray
from bayesdid.checks.chains import chain_check
from bayesdid.checks.check import CheckResult, inapplicable
from bayesdid.checks.left_out import Followed, leave_one_unit_out, units_left_out
from bayesdid.checks.loo import loo, loo_check
from bayesdid.checks.pictures import (
    REMEDIES,
    distribution,
    replicated,
    spatial_dependence,
    with_pictures,
)
from bayesdid.checks.pit import influence, loo_pit
from bayesdid.checks.predictive import predictive_checks
from bayesdid.checks.prior import prior_posterior, prior_predictive
from bayesdid.checks.sensitivity import power_scaling, scepticism
from bayesdid.design.design import Design
from bayesdid.exceptions import InputError
from bayesdid.inference.result import Fit
from bayesdid.model.bound import BoundModel
from bayesdid.model.mean import Propensity
from bayesdid.model.resolve import base_of
from bayesdid.spatial.weights.weights import Weights


def examine(
    fit: Fit,
    *,
    bound: BoundModel | None = None,
    arms: pd.Series | None = None,
    minimum: float | None = None,
    labels: dict[str, str] | None = None,
    weights: Weights | None = None,
    contrasts: dict[str, FloatArray] | None = None,
    follow: Followed | None = None,
    refits: int = 5,
    seed: int = 0,
) -> tuple[CheckResult, ...]:
    """All checks of one fit, each a table, a sentence, a figure where there is one.

    Parameters
    ----------
    fit
        Of any family; it holds its model and data unless it was read from a file.
    bound
        These, for a fit that was read from a file.
    arms
        Unit (as a string) -> arm; by default by which treatments a unit ever has.
    minimum
        Smallest possible outcome, if there is one.
    labels
        Unit -> name for people.
    weights
        Who neighbours whom, for spatial dependence; those of a spatial model by default.
    contrasts
        Draws of further effects that claims are about.
    follow
        The contrast that leaving units out is about; by default the first effect.
    refits
        Units that are left out by fitting again.
    seed
        Of replications and refits.

    Returns
    -------
    tuple of CheckResult
        In the order of a workflow: before the data, computation, fit, influence, sensitivity. One
        that does not apply to the model says why.

    Raises
    ------
    InputError
        For a fit without its model.
    ResultError
        If it did not converge, or was stored without its unit and period effects.
    """
    own = bound or fit.bound
    if own is None:
        raise InputError(
            f"{fit.spec_id}: a fit read from a file does not hold its model and data",
            remedy="give bound=bd.model(spec, panel)",
        )
    fit = Fit(fit.require().tree, own)
    arms = arms_of(base_of(own.design)) if arms is None else arms
    return tuple(_all(fit, own, arms, minimum, labels, weights, contrasts, follow, refits, seed))


def arms_of(design: Design) -> pd.Series:
    """Unit (as a string) -> treated or not, by whether any treatment of it is ever not zero."""
    ever = np.zeros(len(design.units), dtype=bool)
    np.logical_or.at(ever, design.unit_index, (design.D != 0).any(axis=1))
    return pd.Series(np.where(ever, "treated", "untreated"), index=design.units.astype(str))


def _all(
    fit: Fit,
    bound: BoundModel,
    arms: pd.Series,
    minimum: float | None,
    labels: dict[str, str] | None,
    weights: Weights | None,
    contrasts: dict[str, FloatArray] | None,
    follow: Followed | None,
    refits: int,
    seed: int,
) -> Iterator[CheckResult]:
    tree = fit.tree
    yield prior_predictive(bound, seed=seed)
    yield prior_posterior(tree, bound)
    yield chain_check(fit, bound)
    if isinstance(bound.model.mean, Propensity):
        yield inapplicable("predictive", "units of a propensity model have one row, and no periods")
    else:
        own = predictive_checks(tree, bound, arms, minimum=minimum, seed=seed)
        found = replicated(tree, bound, arms, seed)
        yield distribution(found, bound.model.likelihood.is_discrete)
        yield from with_pictures(own, found, labels)
        if "pre_trends" not in {result.name for result in own}:
            yield inapplicable("pre_trends", "fewer than two arms have rows without treatment")
        yield spatial_dependence(found, bound, weights)
    yield from _left_out(fit, bound, labels, follow, refits, seed)
    yield power_scaling(tree, bound, contrasts)
    yield scepticism(tree, bound, contrasts)


def _left_out(
    fit: Fit,
    bound: BoundModel,
    labels: dict[str, str] | None,
    follow: Followed | None,
    refits: int,
    seed: int,
) -> Iterator[CheckResult]:
    names = {str(unit): str(unit) for unit in base_of(bound.design).units} | (labels or {})
    without = units_left_out(fit.tree, bound, follow, seed)
    whole = loo(fit.tree, bound, names, without=without)
    yield dataclasses.replace(loo_check(whole), done=REMEDIES["loo"])
    yield influence(whole)
    yield loo_pit(fit.tree, bound, seed=seed)
    yield leave_one_unit_out(fit, names, follow=follow, weighted=without, refits=refits, seed=seed)
