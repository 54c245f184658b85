"""A part of a report: what the page shows of it, and what its supplement holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bayesdid.estimands.verdict import WORDS
from bayesdid.report.document.blocks import Block, Cell
from bayesdid.report.text import number, probability

type Results = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """One part.

    Attributes
    ----------
    key, title
        Of its section.
    main
        What the page shows.
    more
        What the supplement holds.
    of_panel
        Whether it describes the panel: of a synthetic one it stands in the appendix alone.
    stamped
        Whether it says of synthetic panels what is printed: it stands in the body, and is stamped.
    """

    key: str
    title: str
    main: tuple[Block, ...] = ()
    more: tuple[Block, ...] = ()
    of_panel: bool = False
    stamped: bool = False


def word_cell(word: str, before: str = "", after: str = "") -> Cell:
    """A verdict in its colour."""
    kind = word.split(",", maxsplit=1)[0].split(" ", maxsplit=1)[0]
    known = kind in {w.split(",")[0] for w in WORDS}
    return Cell(f"{before}{word}{after}", f"word {kind}" if known else "word")


def p_range(p: float, low: float, high: float) -> str:
    """``P 0.95 (0.90 to 0.99)``; one number where the three are written alike."""
    said = [probability(value) for value in (p, low, high)]
    return f"P {said[0]}" if len(set(said)) == 1 else f"P {said[0]} ({said[1]} to {said[2]})"


def counts(estimate: Mapping[str, Any]) -> bool:
    """Whether a model counts: what it supposes is not known to be false, no check of it fails."""
    return not estimate["false_here"] and estimate["passes"] is not False


def known(estimate: Mapping[str, Any]) -> bool:
    """Whether an estimate has a mean and an interval: in tiny panels standard errors are none."""
    numbers = (estimate["mean"], estimate["interval"]["low"], estimate["interval"]["high"])
    return all(value is not None for value in numbers)


def excludes_zero(low: float | None, high: float | None) -> bool:
    """Whether an interval excludes zero; a missing one does not."""
    return low is not None and high is not None and not low <= 0 <= high


def ends(interval: Mapping[str, float]) -> str:
    """``low to high``."""
    return f"{number(interval['low'])} to {number(interval['high'])}"
