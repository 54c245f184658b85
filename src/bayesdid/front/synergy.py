"""The headline in one line: from a study and its panel, or from a data frame."""

from __future__ import annotations

from typing import Any, Literal, Unpack

from bayesdid.estimands.synergy import Synergy
from bayesdid.estimands.synergy import synergy as of_panel
from bayesdid.exceptions import InputError
from bayesdid.front.arguments import OfRows, asked, named
from bayesdid.front.policies import PoliciesLike
from bayesdid.front.study import study_of
from bayesdid.model.errors import Errors
from bayesdid.panel.panel import Panel
from bayesdid.study.load import Study


@named(OfRows, study_of)
def synergy(
    data: Any,
    panel: Panel | str | None = None,
    *,
    policies: PoliciesLike | None = None,
    better: Literal["lower", "higher"] | None = None,
    spec: str | None = None,
    errors: str | Errors | None = None,
    draws: int = 500,
    chains: int = 4,
    seed: int = 0,
    **given: Unpack[OfRows],
) -> Synergy:
    """Contrasts of the states of policies in a panel: is 1 + 1 > 2, and how sure are we.

    Parameters
    ----------
    data
        A study, with its panel; or a data frame of pandas, polars or Arrow, or the path of a
        panel file, with `y`, `unit`, `time` and `policies`.
    panel
        Of a study.
    y, unit, time, policies, cut, covariates, effects, weights, weights_kind, cluster, repeated, \
    sample, sheet, skip, missing_marks
        Of a data frame or file: see :func:`bayesdid.study_of`. Clusters are those of the cells
        without pooling that stand beside.
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
    if isinstance(data, Study):
        own = {"policies": policies, "better": better}
        said = [*asked(study_of, given), *(name for name, value in own.items() if value)]
        if said:
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
    of_study = {"panel": panel, "spec": spec}
    if said := [name for name, value in of_study.items() if value is not None]:
        raise InputError(
            "a data frame has no study",
            value=", ".join(said),
            remedy="leave them out, or give a study in place of the data frame",
        )
    made, rows = study_of(data, policies=policies, better=better or "lower", **given)
    return of_panel(made, rows, errors=errors, draws=draws, chains=chains, seed=seed)
