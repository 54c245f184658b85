"""Few treated units by name, with the interval that survives them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.design.build import with_effects
from bayesdid.design.design import Design
from bayesdid.design.treated import FEW, count_text, is_treated, not_exchangeable
from bayesdid.estimands.permutation import ErrorModel, needed, permute
from bayesdid.exceptions import InputError
from bayesdid.inference.result import Fit
from bayesdid.model.likelihood import Likelihood
from bayesdid.summary import Interval, hdi

_NAMED = 3  # units that a sentence names


@dataclass(frozen=True, slots=True)
class FewTerm:
    """One treatment with few treated units.

    Attributes
    ----------
    term
        Its name.
    units
        The treated units.
    low, high
        Permutation interval; infinite where no value is ever rejected, NaN if refused.
    posterior
        The interval of the posterior at the same level.
    level
        Of both.
    assignments
        How many were compared, the actual one among them.
    refused
        Why there is no permutation interval; empty if there is.
    """

    json_keys: ClassVar[tuple[str, ...]] = (
        "term",
        "units",
        "low",
        "high",
        "posterior",
        "level",
        "assignments",
        "refused",
        "text",
    )

    term: str
    units: tuple[str, ...]
    low: float
    high: float
    posterior: Interval
    level: float
    assignments: int
    refused: str = ""

    @property
    def excludes_zero(self) -> bool:
        """Whether the permutation interval lies on one side of zero."""
        return self.low > 0 or self.high < 0

    @property
    def text(self) -> str:
        """One sentence: how many units, what the permutation says, what the posterior says."""
        names = f" ({', '.join(self.units)})" if len(self.units) <= _NAMED else ""
        own = "posterior {:.4g} to {:.4g}".format(*self.posterior)
        head = f"{count_text(len(self.units))}{names}: {self.term}"
        if self.refused:
            return f"{head}: no permutation interval, {self.refused}; {own}, not calibrated"
        if np.isinf(self.low) or np.isinf(self.high):
            ends = f"{self.low:.4g} to {self.high:.4g}"
        else:
            zero = "excludes" if self.excludes_zero else "holds"
            ends = f"{self.low:.4g} to {self.high:.4g}, which {zero} zero"
        return (
            f"{head}: {self.level:.0%} interval by permutation of {self.assignments} assignments "
            f"{ends}; {own}, which rests on the model of the errors"
        )


@dataclass(frozen=True, slots=True)
class FewTreated:
    """The treatments of a fit that few units tell apart, in the order of the fit."""

    terms: tuple[FewTerm, ...]

    @property
    def text(self) -> str:
        """One line for each."""
        return "\n".join(item.text for item in self.terms)


def few_treated(fit: Fit, design: Design, *, level: float, seed: int) -> FewTreated | None:
    """Permutation intervals of the treatments that have few treated units.

    Parameters
    ----------
    fit, design
        A fit that converged, and the design that it is of.
    level
        Of the intervals.
    seed
        Of the random assignments, where there are too many to take all.

    Returns
    -------
    FewTreated or None
        None if every treatment has more than :data:`~bayesdid.design.treated.FEW` treated units.

    Raises
    ------
    InputError
        If the fit is of another design.
    ResultError
        If the fit did not converge.
    """
    attrs = fit.require().tree.attrs
    if fit.treatments != design.treatments or int(attrs["n"]) != design.n:
        raise InputError("the fit is of another design", value=design.spec_id, remedy="fit it")
    design = with_effects(design, attrs["unit_effects"], attrs["period_effects"])
    treated = [is_treated(design, k) for k in range(len(design.treatments))]
    few = [k for k, units in enumerate(treated) if units.sum() <= FEW]
    if not few:
        return None
    reason = _refusal(fit, design)
    found = []
    for k in few:
        term, low, high, size, why = design.treatments[k], np.nan, np.nan, 0, reason
        draws = fit.tau(term)
        if not why:
            permutation = permute(design, k, error_model(fit.tree, design), seed)
            size = 0 if permutation is None else len(permutation.who)
            if permutation is None:
                why = "the treated units alone do not identify the term"
            elif size < needed(level):
                why = f"{size} assignments are too few for {level:.0%}"
            else:
                low, high = permutation.interval(level, float(draws.std()))
        units = tuple(str(unit) for unit in design.units[treated[k]])
        found.append(FewTerm(term, units, low, high, hdi(draws, level), level, size, why))
    return FewTreated(tuple(found))


def error_model(tree: xr.DataTree, design: Design) -> ErrorModel:
    """Posterior means of what a fit says about errors; i.i.d. where it says nothing.

    nu is ``1 + exp(mean of log(nu - 1))``, lambda the mean of ``(sigma / sigma_i)^2``.
    """
    posterior = tree["posterior"]
    phi = float(posterior["phi"].mean()) if "phi" in posterior else 0.0
    if "nu_unit" not in posterior:
        return ErrorModel(phi, np.inf, np.ones(len(design.units)))
    nu = 1 + float(np.exp(np.log(posterior["nu_unit"] - 1).mean()))
    return ErrorModel(phi, nu, _precision(tree))


def _precision(tree: xr.DataTree) -> FloatArray:
    posterior = tree["posterior"]
    if "sigma_of_unit" in posterior:
        ratio = (posterior["sigma"] / posterior["sigma_of_unit"]) ** 2
        return np.asarray(ratio.mean(("chain", "draw")))
    moments = tree["unit_effects"]  # units are too many for draws
    return np.asarray((posterior["sigma"].mean() / moments["sigma_mean"]) ** 2)


def _refusal(fit: Fit, design: Design) -> str:
    """Why there is no permutation interval for any term of a fit."""
    likelihood = Likelihood(fit.tree.attrs["likelihood"].replace(" ", "_"))
    if likelihood.is_discrete:
        return f"its likelihood is {likelihood}, which has no rows to whiten"
    if (mean := fit.tree.attrs["mean"]) not in {"TwoWay", "Path"}:
        return f"a {mean} model has more than one equation for the treatment"
    return not_exchangeable(design)
