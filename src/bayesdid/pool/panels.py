"""What a study's own panel gives to a pool: the headline model's contrast, as in ``synergy``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from bayesdid.estimands.assumed import FEW_UNDER
from bayesdid.estimands.synergy import differences, fit_headline
from bayesdid.exceptions import InputError, NotIdentifiedError
from bayesdid.panel.load import declares_panel, load_panel
from bayesdid.panel.panel import Panel
from bayesdid.pool.asked import contrast_of
from bayesdid.pool.effect import StudyEffect
from bayesdid.study.load import Study


@dataclass(frozen=True, slots=True)
class OwnPanel:
    """The panel that a study declares.

    Attributes
    ----------
    panel
        None if it declares none, or one that is synthetic: that is no evidence.
    synthetic
        Whether it declares one that is.
    """

    panel: Panel | None = None
    synthetic: bool = False


def own_panel(study: Study) -> OwnPanel:
    """A study's real panel, if it declares one.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    if not declares_panel(study):
        return OwnPanel()
    section = study.file.panel
    if section.path is None and section.package is None:
        return OwnPanel(synthetic=True)  # simulated: not worth the time
    panel = load_panel(study)
    return OwnPanel(synthetic=True) if panel.synthetic else OwnPanel(panel)


@dataclass(frozen=True, slots=True)
class PanelEffect:
    """An effect from a panel, and a warning if it rests on few units."""

    effect: StudyEffect
    few: str


def panel_effect(
    study: Study, panel: Panel, asked: str, *, draws: int = 500, seed: int = 0
) -> PanelEffect:
    """The asked contrast of the headline model, allowing for effects that differ between units.

    Raises
    ------
    InputError
        If the panel does not identify it.
    ResultError
        If the model did not converge.
    """
    if not contrast_of(asked, study):
        policies = ", ".join(policy.id for policy in study.policies) or "none"
        raise InputError(f"its panel has no such contrast (policies: {policies})", value=asked)
    head = fit_headline(study, panel, draws=draws, seed=seed)
    name = contrast_of(asked, study, head.averages)
    if not name:
        why = "; ".join(f"{one}: {text}" for one, text in head.refused.items())
        raise NotIdentifiedError(f"its panel does not identify the contrast ({why})")
    average, lower = head.averages[name], study.file.outcome.better == "lower"
    between = differences(head, seed)
    if between is None or between.passed:
        values = average.values(name, head.tau, lower)
    else:
        values = between.wider(average, name, head.tau, lower)
    mean, sd = float(values.mean()), float(values.std(ddof=1))
    units = len(np.unique(head.rows.design.unit_index[average.rows]))
    few = f"{study.id}: few units tell {name} ({units}), and posteriors rest on the model of errors"
    return PanelEffect(
        StudyEffect(
            study.id, name, "panel", mean, sd, False, (), float(2 * norm.sf(abs(mean) / sd))
        ),
        few if units <= FEW_UNDER else "",
    )


def outcome_moment(study: Study, panel: Panel, scale: str) -> float:
    """Sd (``sd``) or mean (``mean``) of the outcome in a panel."""
    values = panel.frame[study.file.outcome.column].to_numpy(dtype=float, na_value=np.nan)
    return float(np.nanstd(values, ddof=1) if scale == "sd" else np.nanmean(values))
