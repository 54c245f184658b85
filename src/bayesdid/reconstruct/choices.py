"""Choices between models that tables cannot decide: errors, effects, dynamics, clustering.

Each is two models that differ in one thing, fitted to the same member.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bayesdid.estimands.beside import (
    CELLS_CLUSTERED,
    CELLS_IID,
    HEADLINE,
    STATIC,
    ModelSays,
    of_draws,
)
from bayesdid.estimands.synergy import fit_headline, headline_spec
from bayesdid.estimands.verdict import SURE
from bayesdid.exceptions import ResultError
from bayesdid.model.errors import Errors
from bayesdid.panel.panel import Panel
from bayesdid.study.load import Study

IID = f"{HEADLINE}, i.i.d. errors"
RANDOM = f"{HEADLINE}, random effects"
CHOICES = (
    ("errors", HEADLINE, IID),
    ("effects", HEADLINE, RANDOM),
    ("time", HEADLINE, STATIC),
    ("clustering", CELLS_IID, CELLS_CLUSTERED),
)
"""What is chosen, and the two models."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Two models of a contrast, member by member: whether the choice between them matters.

    Attributes
    ----------
    name
        What is chosen: errors, effects, time or clustering.
    first, second
        The models.
    difference, low, high
        Of their means, second less first: mean, least and largest over the members.
    same
        Members in which both support the claim, both contradict it, or neither.
    """

    name: str
    first: str
    second: str
    difference: float
    low: float
    high: float
    same: int


def other_models(
    study: Study, panel: Panel, *, spec: str | None, errors: Errors | str, draws: int, seed: int
) -> dict[str, dict[str, ModelSays]]:
    """Contrast -> what the headline's model says with i.i.d. errors, and with random effects.

    A model that does not converge says nothing.
    """
    own, lower = headline_spec(study, spec), study.file.outcome.better == "lower"
    random = own.column.model_copy(update={"unit_effects": "random", "period_effects": "random"})
    other = dataclasses.replace(own, column=random)
    pooled = dataclasses.replace(study, specs={**study.specs, own.id: other})
    found: dict[str, dict[str, ModelSays]] = {}
    for model, of, under in ((IID, study, "iid"), (RANDOM, pooled, errors)):
        try:
            head = fit_headline(of, panel, spec=own.id, errors=under, draws=draws, seed=seed)
        except ResultError:
            continue
        for name, average in head.averages.items():
            says = of_draws(name, average.values(name, head.tau, lower), lower, model)
            found.setdefault(name, {})[model] = says
    return found


def choice(
    name: str, first: str, second: str, one: Sequence[ModelSays], other: Sequence[ModelSays]
) -> Choice:
    """Two models over the members."""
    gaps = [b.mean - a.mean for a, b in zip(one, other, strict=True)]
    same = sum(_stand(a.p_claim) == _stand(b.p_claim) for a, b in zip(one, other, strict=True))
    return Choice(name, first, second, float(np.mean(gaps)), min(gaps), max(gaps), same)


def _stand(p: float) -> int:
    """1: the claim is supported, -1: contradicted, 0: neither."""
    return (p >= SURE) - (p <= 1 - SURE)


def choice_sentence(
    label: str, of: Choice, size: int, shares: Mapping[str, tuple[float, float]]
) -> str:
    """What a choice between two models does to a contrast, in words.

    Parameters
    ----------
    shares
        Model -> shares of the variance that are sampling, and what the tables do not say.
    """
    said = " and ".join(
        f"under {model} {sampling:.0%} is sampling and {left:.0%} is what the tables do not say"
        for model, (sampling, left) in shares.items()
    )
    return (
        f"{label}, {of.name}: of the uncertainty {said}; {of.second} less {of.first} is "
        f"{of.difference:+.3f} (members {of.low:+.3f} to {of.high:+.3f}), and the conclusion is "
        f"the same in {of.same} of {size} members"
    )
