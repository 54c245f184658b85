"""A regression from a data frame in one line.

>>> bd.did(df, "deaths ~ D + x1 + x2 | city + year")  # doctest: +SKIP
>>> bd.did(df, y="deaths", unit="city", time="year",
...        policies={"a": "a_year", "b": "b_year"}, covariates=["x1"])  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from bayesdid.front.arguments import OfFit, OfModel, OfRows, OfRun, named, part
from bayesdid.front.names import require_names
from bayesdid.front.policies import PoliciesLike
from bayesdid.front.study import study_of
from bayesdid.inference.fit import fit
from bayesdid.inference.result import Fit
from bayesdid.model.bound import model


@named(OfFit, study_of, model, fit)
def did(
    data: Any,
    formula: str | None = None,
    *,
    policies: PoliciesLike | None = None,
    treatment: str | Sequence[str] | None = None,
    **given: Unpack[OfFit],
) -> Fit | dict[str, Fit]:
    """Posterior of the regression that a formula says, of a data frame.

    The same as :func:`bayesdid.fit` of ``study["did.1"]`` with ``study, panel = study_of(...)``,
    which :func:`bayesdid.synergy` and every other function takes.

    Parameters
    ----------
    data, formula, policies, treatment
        See :func:`bayesdid.front.study.study_of`.
    y, unit, time, cut, covariates, effects, weights, weights_kind, cluster, repeated, sample, \
    sheet, skip, missing_marks
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
    parts = part(given, OfModel)
    require_names(exposure=parts.get("exposure"), trials=parts.get("trials"))
    kept = [name for name in (parts.get("exposure"), parts.get("trials")) if name is not None]
    study, panel = study_of(
        data, formula, policies=policies, treatment=treatment, columns=kept, **part(given, OfRows)
    )
    fits = {
        spec.column.label: fit(model(spec, panel, **parts), **part(given, OfRun))
        for spec in study.specs.values()
    }
    return fits if len(fits) > 1 else next(iter(fits.values()))
