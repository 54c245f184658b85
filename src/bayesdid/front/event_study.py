"""The path of an effect around adoption, from a data frame or from a fit.

>>> path = bd.event_study(  # doctest: +SKIP
...     df, y="deaths", unit="city", time="year", policy="first"
... )
>>> path.frame()  # doctest: +SKIP
>>> bd.iplot(path)  # doctest: +SKIP
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayesdid.design.window import event_window
from bayesdid.escape import html
from bayesdid.estimands.event_study import EventPath, event_draws, event_path
from bayesdid.exceptions import InputError
from bayesdid.front.sample import SampleLike
from bayesdid.front.study import study_of
from bayesdid.inference.fit import fit
from bayesdid.inference.result import Fit
from bayesdid.model.bound import PriorsLike, model
from bayesdid.model.errors import Errors
from bayesdid.model.likelihood import Likelihood, LikelihoodName
from bayesdid.summary import percent

FAR = 0.05
"""Posterior tail area of a flat path before adoption below which it is called far from flat."""


@dataclass(frozen=True, slots=True)
class EventStudy:
    """A path with the fit that it comes from.

    Attributes
    ----------
    fit
        Its treatments are the event times.
    path
        Bands of the path, and what is said of event times before adoption.
    """

    fit: Fit
    path: EventPath

    def frame(self) -> pd.DataFrame:
        """One row for each event time, the reference a row of zeros; in the outcome's units.

        Columns ``mean``, ``sd``, ``low``, ``high`` (highest-density interval) and ``band_low``,
        ``band_high`` (the whole path lies inside with probability ``level``).
        """
        names = ("mean", "sd", "low", "high", "band_low", "band_high")
        found = pd.DataFrame({name: getattr(self.path, name) for name in names}, self.path.times)
        found.loc[self.path.reference] = 0.0
        return found.sort_index().rename_axis("event_time").assign(level=self.path.level)

    def summary(self) -> str:
        """What was fitted, the path, and whether it was flat before adoption."""
        head, _, _ = self.fit.summary().partition("\nengine ")
        table = self.frame().drop(columns="level").to_string(float_format="%.4g")
        return "\n".join([head, self.before(), table])

    def before(self) -> str:
        """The sentence about event times before adoption."""
        if np.isnan(self.path.pre_p):
            return "No event time before adoption beside the reference: trends are not looked at."
        path = self.path
        verdict = "far from" if path.pre_p < FAR else "not far from"
        small = (
            ""
            if np.isnan(path.pre_in_rope)
            else f"; all within the ROPE with probability {path.pre_in_rope:.3g}"
        )
        return (
            f"Before adoption the path is {verdict} flat (posterior tail area of a flat one "
            f"{path.pre_p:.3g}; largest |effect| {path.pre_largest:.3g} on average{small})."
        )

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        head, _, _ = self.fit.summary().partition("\nengine ")
        caption = f"{percent(self.path.level)} intervals and simultaneous band"
        table = self.frame().drop(columns="level").to_html(float_format="%.4g")
        return (
            f"<div><pre>{html(head)}\n{html(self.before())}</pre>{table}"
            f"<p>{html(caption)}</p></div>"
        )


def event_study(
    data: Any,
    *,
    y: str | None = None,
    unit: str | None = None,
    time: str | None = None,
    policy: str | None = None,
    covariates: Sequence[str] = (),
    effects: str | Sequence[str] = (),
    cut: float | None = None,
    first: int = -5,
    last: int = 5,
    reference: int = -1,
    ends: str = "own",
    errors: str | Errors | None = None,
    likelihood: LikelihoodName | Likelihood = "normal",
    priors: PriorsLike | None = None,
    weights: str | None = None,
    cluster: str | None = None,
    sample: SampleLike | None = None,
    sheet: str | None = None,
    skip: int | None = None,
    rope: float | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> EventStudy:
    """An event study of one policy.

    Parameters
    ----------
    data
        A data frame of pandas, polars or Arrow, the path of a panel file, or a :class:`Fit` whose
        treatments are event times (then `reference` and `rope` alone are read).
    y, unit, time
        Outcome, unit and period.
    policy
        Column with its period of adoption, or its state in each row.
    covariates, effects
        As in a formula; effects beside those of unit and period.
    cut
        From which fraction on the policy counts as adopted, if its column holds fractions.
    first, last, reference, ends
        The window: see ``bayesdid families event_study``.
    errors, likelihood, priors, weights, draws, seed
        As :func:`bayesdid.fit`.
    cluster, sample, sheet, skip
        See :func:`bayesdid.front.study.study_of`.
    rope
        Half-width of the region of practical equivalence, in the outcome's units.

    Raises
    ------
    InputError
        As :func:`bayesdid.front.study.study_of`; for a window that contradicts itself.
    ResultError
        If the fit did not converge.
    """
    if isinstance(data, Fit):
        keys: dict[str, object] = {"y": y, "unit": unit, "time": time, "policy": policy}
        given = keys | {"weights": weights, "cluster": cluster, "cut": cut, "sample": sample}
        given |= {"effects": effects or None, "sheet": sheet, "skip": skip}
        if said := [name for name, value in given.items() if value is not None]:
            raise InputError(
                "a fit knows its outcome, keys and policy",
                value=", ".join(said),
                remedy="give the fit alone, or a data frame",
            )
        return _of_fit(data, reference, rope)
    if policy is None:
        raise InputError(
            "an event study needs a policy",
            remedy='give policy="the column with its period of adoption, or its state"',
        )
    study, panel = study_of(
        data,
        y=y,
        unit=unit,
        time=time,
        policies=[policy],
        cut=cut,
        covariates=covariates,
        effects=effects,
        weights=weights,
        cluster=cluster,
        sample=sample,
        sheet=sheet,
        skip=skip,
    )
    base = study["did.1"]
    options = {"first": first, "last": last, "reference": reference, "ends": ends}
    column = base.column.model_copy(update={"family": "event_study", "options": options})
    spec = dataclasses.replace(base, column=column)
    event_window(spec)
    bound = model(spec, panel, errors=errors, likelihood=likelihood, priors=priors)
    found = fit(bound, draws=draws, seed=seed)
    return _of_fit(found, reference, rope)


def _of_fit(found: Fit, reference: int, rope: float | None) -> EventStudy:
    times, draws = event_draws(found.require().tree)
    if reference in times:
        raise InputError(
            "the reference of this fit is another event time",
            value=reference,
            remedy="give the one that has no coefficient",
        )
    return EventStudy(found, event_path(times, draws, reference=reference, rope=rope))
