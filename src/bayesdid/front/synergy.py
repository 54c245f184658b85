"""The headline in one line: from a study and its panel, or from a data frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from bayesdid.estimands.synergy import Synergy
from bayesdid.estimands.synergy import synergy as of_panel
from bayesdid.exceptions import InputError
from bayesdid.front.policies import CutLike, PoliciesLike
from bayesdid.front.sample import SampleLike
from bayesdid.front.study import study_of
from bayesdid.model.errors import Errors
from bayesdid.panel.panel import Panel
from bayesdid.study.load import Study


def synergy(
    data: Any,
    panel: Panel | str | None = None,
    *,
    y: str | None = None,
    unit: str | None = None,
    time: str | None = None,
    policies: PoliciesLike | None = None,
    cut: CutLike | None = None,
    covariates: Sequence[str] = (),
    effects: str | Sequence[str] = (),
    weights: str | None = None,
    sample: SampleLike | None = None,
    sheet: str | None = None,
    skip: int | None = None,
    better: Literal["lower", "higher"] | None = None,
    spec: str | None = None,
    errors: str | Errors | None = None,
    draws: int = 500,
    chains: int = 4,
    seed: int = 0,
) -> Synergy:
    """Contrasts of the states of policies in a panel: is 1 + 1 > 2, and how sure are we.

    Parameters
    ----------
    data
        A study, with its panel; or a data frame of pandas, polars or Arrow, or the path of a
        panel file, with `y`, `unit`, `time` and `policies`.
    panel
        Of a study.
    y, unit, time, policies, cut, covariates, effects, weights, sample, sheet, skip
        Of a data frame or file: see :func:`bayesdid.study_of`.
    better
        The same: which direction of the outcome is meant, default ``lower``.
    spec
        Of a study: whose covariates and effects to use; default its spec of family ``overlap`` or
        ``cohort``, else its first spec on all rows of the main outcome.
    errors
        Of the headline model; default :func:`bayesdid.model.bound.default_errors`.
    draws, chains
        Size of the run, draws per chain.

    Returns
    -------
    Synergy
        A mapping from a contrast's name to what the panel says of it.

    Raises
    ------
    InputError
        As :func:`bayesdid.study_of`; for what only the other kind of data takes.
    NotIdentifiedError
        If no row is untreated, or with several policies none is under two.
    ResultError
        If the headline model did not converge.
    """
    of_frame: dict[str, object] = {
        "y": y,
        "unit": unit,
        "time": time,
        "policies": policies,
        "cut": cut,
        "covariates": covariates or None,
        "effects": effects or None,
        "weights": weights,
        "sample": sample,
        "sheet": sheet,
        "skip": skip,
        "better": better,
    }
    if isinstance(data, Study):
        if said := [name for name, value in of_frame.items() if value is not None]:
            raise InputError(
                "a study knows its outcome, keys, policies and columns",
                value=", ".join(said),
                remedy="leave them out, or give a data frame in place of the study",
            )
        if not isinstance(panel, Panel):
            raise InputError(
                "a study without its panel",
                remedy="give both: bd.synergy(study, bd.load_panel(study)); from printed tables "
                "alone bd.published_synergy(study)",
            )
        return of_panel(
            data, panel, spec=spec, errors=errors, draws=draws, chains=chains, seed=seed
        )
    if isinstance(panel, str):
        raise InputError(
            "synergy takes no formula: it needs to know who adopted which policy when",
            value=panel,
            remedy='give y=, unit=, time= and policies={"a": "column of adoption or state", ...}',
        )
    own = {"panel": panel, "spec": spec}
    if said := [name for name, value in own.items() if value is not None]:
        raise InputError(
            "a data frame has no study",
            value=", ".join(said),
            remedy="leave them out, or give a study in place of the data frame",
        )
    made, rows = study_of(
        data,
        y=y,
        unit=unit,
        time=time,
        policies=policies,
        cut=cut,
        covariates=covariates,
        effects=effects,
        weights=weights,
        sample=sample,
        sheet=sheet,
        skip=skip,
        better=better or "lower",
    )
    return of_panel(made, rows, errors=errors, draws=draws, chains=chains, seed=seed)
