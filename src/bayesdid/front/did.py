"""A regression from a data frame in one line.

>>> bd.did(df, "deaths ~ D + x1 + x2 | city + year")  # doctest: +SKIP
>>> bd.did(df, y="deaths", unit="city", time="year",
...        policies={"a": "a_year", "b": "b_year"}, covariates=["x1"])  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bayesdid.front.policies import CutLike, PoliciesLike
from bayesdid.front.sample import SampleLike
from bayesdid.front.study import study_of
from bayesdid.inference.fit import fit
from bayesdid.inference.result import Fit
from bayesdid.model.bound import PriorsLike, model
from bayesdid.model.errors import Errors
from bayesdid.model.likelihood import Likelihood, LikelihoodName
from bayesdid.study.schema import EffectKind, RowWeightsKind


def did(
    data: Any,
    formula: str | None = None,
    *,
    y: str | None = None,
    unit: str | None = None,
    time: str | None = None,
    policies: PoliciesLike | None = None,
    cut: CutLike | None = None,
    covariates: Sequence[str] = (),
    effects: str | Sequence[str] = (),
    treatment: str | Sequence[str] | None = None,
    errors: str | Errors | None = None,
    likelihood: LikelihoodName | Likelihood = "normal",
    unit_effects: EffectKind | None = None,
    period_effects: EffectKind | None = None,
    priors: PriorsLike | None = None,
    weights: str | None = None,
    weights_kind: RowWeightsKind = "analytic",
    cluster: str | None = None,
    repeated: bool = False,
    sample: SampleLike | None = None,
    sheet: str | None = None,
    skip: int | None = None,
    missing_marks: Sequence[str] = (),
    exposure: str | None = None,
    trials: str | None = None,
    engine: str = "auto",
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    cores: int = 2,
    seed: int = 0,
    log_likelihood: bool = False,
    posterior_predictive: bool = False,
) -> Fit | dict[str, Fit]:
    """Posterior of the regression that a formula says, of a data frame.

    The same as :func:`bayesdid.fit` of ``study["did.1"]`` with ``study, panel = study_of(...)``,
    which :func:`bayesdid.synergy` and every other function takes.

    Parameters
    ----------
    data, formula, y, unit, time, policies, cut, covariates, effects, treatment
        See :func:`bayesdid.front.study.study_of`.
    weights, weights_kind, cluster, repeated, sample, sheet, skip, missing_marks
        See :func:`bayesdid.front.study.study_of`.
    errors, likelihood, unit_effects, period_effects, priors, exposure, trials
        Parts of the model, see :func:`bayesdid.model`; effects by default fixed where the formula
        names them.
    engine, draws, tune, chains, cores, seed, log_likelihood, posterior_predictive
        Of the run, see :func:`bayesdid.fit`.

    Returns
    -------
    Fit, or dict of formula -> Fit
        Several where the formula says ``sw`` or ``csw``.

    Raises
    ------
    InputError
        As :func:`bayesdid.front.study.study_of` and :func:`bayesdid.fit`.
    """
    study, panel = study_of(
        data,
        formula,
        y=y,
        unit=unit,
        time=time,
        policies=policies,
        cut=cut,
        covariates=covariates,
        effects=effects,
        treatment=treatment,
        columns=[name for name in (exposure, trials) if name is not None],
        weights=weights,
        weights_kind=weights_kind,
        cluster=cluster,
        repeated=repeated,
        sample=sample,
        sheet=sheet,
        skip=skip,
        missing_marks=missing_marks,
    )
    fits = {}
    for spec in study.specs.values():
        bound = model(
            spec,
            panel,
            likelihood=likelihood,
            errors=errors,
            unit_effects=unit_effects,
            period_effects=period_effects,
            priors=priors,
            exposure=exposure,
            trials=trials,
        )
        fits[spec.column.label] = fit(
            bound,
            engine=engine,
            draws=draws,
            tune=tune,
            chains=chains,
            cores=cores,
            seed=seed,
            log_likelihood=log_likelihood,
            posterior_predictive=posterior_predictive,
        )
    return fits if len(fits) > 1 else next(iter(fits.values()))
