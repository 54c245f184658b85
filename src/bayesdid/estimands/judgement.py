"""What several models say of one claim, and the word for all of them together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from bayesdid.estimands.distribution import Distribution
from bayesdid.estimands.question import Asked
from bayesdid.estimands.verdict import word_for
from bayesdid.summary import Interval

Source = Literal["published", "panel"]
SOURCES: tuple[Source, ...] = ("published", "panel")
UNSETTLED = "not settled by any model that describes the data"
RANGE_RULE = (
    "The range of P is over the models with a filled mark. Those with an open mark are shown and "
    "do not count: they suppose what is known to be false here, or fail a check that bears on "
    "their uncertainty. If the main model (first of its kind) fails such a check, the simplest "
    f"model that passes answers in its place; if none passes, the claim is {UNSETTLED}."
)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one model says of the quantity that a claim is about.

    Attributes
    ----------
    model
        Its label.
    source
        ``published`` numbers or the ``panel``.
    assumes
        What it assumes, in a clause.
    mean, sd, interval
        Of the quantity.
    p_sign
        Probability of the sign that is claimed.
    p_size
        Probability of at least the size that is claimed; None where none is.
    main
        Whether it answers for its source.
    passes
        Whether it passes its checks that bear on uncertainty; None if it has none.
    false_here
        What it supposes that is known to be false here; or empty.
    found
        All of the distribution, for questions that come later; results hold what is made of it.
    """

    json_keys: ClassVar[tuple[str, ...]] = (
        "model",
        "source",
        "assumes",
        "mean",
        "sd",
        "interval",
        "p_sign",
        "p_size",
        "main",
        "passes",
        "false_here",
    )

    model: str
    source: Source
    assumes: str
    mean: float
    sd: float
    interval: Interval
    p_sign: float
    p_size: float | None = None
    main: bool = False
    passes: bool | None = None
    false_here: str = ""
    found: Distribution | None = None

    @property
    def counts(self) -> bool:
        """Whether it belongs to the range."""
        return not self.false_here and self.passes is not False


@dataclass(frozen=True, slots=True)
class Answer:
    """What the models of one source say together.

    Attributes
    ----------
    model
        The one that answers.
    word
        One of :data:`~bayesdid.estimands.verdict.WORDS`, or :data:`UNSETTLED`.
    p, p_low, p_high
        Probability of the claimed sign by that model, and its range over those that count.
    p_size, size_low, size_high
        The same of at least the claimed size; None where none is claimed.
    models
        How many count.
    moved
        A sentence, if the main model does not answer; or empty.
    """

    source: Source
    model: str
    word: str
    p: float
    p_low: float
    p_high: float
    p_size: float | None
    size_low: float | None
    size_high: float | None
    models: int
    moved: str = ""


def estimate(
    asked: Asked,
    found: Distribution,
    model: str,
    source: Source,
    assumes: str,
    *,
    main: bool = False,
    passes: bool | None = None,
    false_here: str = "",
) -> Estimate:
    """An estimate, given what the claim asks of the quantity."""
    return Estimate(
        model,
        source,
        assumes,
        found.mean,
        found.sd,
        found.interval,
        asked.p_sign(found),
        asked.p_size(found),
        main,
        passes,
        false_here,
        found,
    )


def judge(estimates: Sequence[Estimate], source: Source) -> Answer | None:
    """The answer of one source; None where it has no model, or none that may answer.

    Parameters
    ----------
    estimates
        Of both sources, from the richest model to the simplest.
    """
    mine = [item for item in estimates if item.source == source]
    able = [item for item in mine if not item.false_here]
    if not able:
        return None
    main = next((item for item in able if item.main), able[0])
    counted = [item for item in able if item.counts]
    passing = [item for item in counted if item.passes]
    if main.passes is not False:
        return _answer(main, counted, source)
    head = f"{main.model} fails a check that bears on its uncertainty"
    if not passing:
        moved = f"{head}, and no other model is known to pass."
        return _answer(main, counted or [main], source, UNSETTLED, moved)
    simplest = passing[-1]
    moved = f"{head}: the simplest model that passes answers, {simplest.model}."
    return _answer(simplest, counted, source, moved=moved)


def _answer(
    of: Estimate, counted: Sequence[Estimate], source: Source, word: str = "", moved: str = ""
) -> Answer:
    p = [item.p_sign for item in counted]
    sizes = [item.p_size for item in counted if item.p_size is not None]
    return Answer(
        source,
        of.model,
        word or word_for(of.p_sign, min(p), max(p)),
        of.p_sign,
        min(p),
        max(p),
        of.p_size,
        min(sizes, default=None),
        max(sizes, default=None),
        len(counted),
        moved,
    )
