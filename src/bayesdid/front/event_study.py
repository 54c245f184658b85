"""The path of an effect around adoption, from a data frame or from a fit.

>>> path = bd.event_study(  # doctest: +SKIP
...     df, y="deaths", unit="city", time="year", policy="first"
... )
>>> path.frame()  # doctest: +SKIP
>>> bd.iplot(path)  # doctest: +SKIP
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Unpack

import numpy as np
import pandas as pd

from bayesdid.design.window import event_window
from bayesdid.escape import html
from bayesdid.estimands.event_study import EventPath, event_draws, event_path
from bayesdid.exceptions import InputError
from bayesdid.front.arguments import OfFit, OfModel, OfRows, OfRun, asked, named, part
from bayesdid.front.study import study_of
from bayesdid.inference.fit import fit
from bayesdid.inference.result import Fit
from bayesdid.model.bound import model
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
        cluster = str(self.fit.tree.attrs.get("cluster", ""))
        beside = [f"Least squares clustered by {cluster}: path.fit.beside()"] if cluster else []
        return "\n".join([head, self.before(), table, *beside])

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


@named(OfFit, study_of, model, fit)
def event_study(
    data: Any,
    *,
    policy: str | None = None,
    first: int = -5,
    last: int = 5,
    reference: int = -1,
    ends: str = "own",
    rope: float | None = None,
    **given: Unpack[OfFit],
) -> EventStudy:
    """An event study of one policy.

    Parameters
    ----------
    data
        A data frame of pandas, polars or Arrow, the path of a panel file, or a :class:`Fit` whose
        treatments are event times (then `reference` and `rope` alone are read).
    policy
        Column with its period of adoption, or its state in each row.
    first, last, reference, ends
        The window: see ``bayesdid families event_study``.
    y, unit, time, cut, covariates, effects, weights, weights_kind, cluster, repeated, sample, \
    sheet, skip, missing_marks
        Of a data frame or file: see :func:`bayesdid.front.study.study_of`.
    errors, likelihood, unit_effects, period_effects, priors, exposure, trials
        Parts of the model, see :func:`bayesdid.model`.
    engine, draws, tune, chains, cores, seed, log_likelihood, posterior_predictive
        Of the run, see :func:`bayesdid.fit`.
    rope
        Half-width of the region of practical equivalence, in the outcome's units.

    Raises
    ------
    InputError
        As :func:`bayesdid.front.study.study_of`; for a window that contradicts itself.
    ResultError
        If the fit did not converge.
    """
    window = {"first": first, "last": last, "ends": ends}
    if isinstance(data, Fit):
        own = {"policy": policy, **window}
        if said := asked(event_study, {**given, **own}):
            raise InputError(
                "a fit knows its outcome, keys, policy and window",
                value=", ".join(said),
                remedy="give the fit alone, or a data frame",
            )
        return _of_fit(data, reference, rope)
    if policy is None:
        raise InputError(
            "an event study needs a policy",
            remedy='give policy="the column with its period of adoption, or its state"',
        )
    parts = part(given, OfModel)
    kept = [name for name in (parts.get("exposure"), parts.get("trials")) if name is not None]
    study, panel = study_of(data, policies=[policy], columns=kept, **part(given, OfRows))
    base = study["did.1"]
    options = {**window, "reference": reference}
    column = base.column.model_copy(update={"family": "event_study", "options": options})
    spec = dataclasses.replace(base, column=column)
    event_window(spec)
    found = fit(model(spec, panel, **parts), **part(given, OfRun))
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
