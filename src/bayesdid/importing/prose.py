"""What sentences of the text say of columns of a table: rows that they name, numbers in order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z“\"(])")
_TABLE = re.compile(r"\btables?\s*\(?([A-Z]?\d{1,3})", re.IGNORECASE)
_RANGE = re.compile(
    r"\b(?:columns?|cols?\.?|models?)\s*\(?(\d{1,2})\)?\s*(?:to|through|-|–|—|‐|‑)\s*\(?(\d{1,2})\)?",
    re.IGNORECASE,
)
_LISTED = re.compile(
    r"\b(?:columns?|cols?\.?|models?)\s*((?:\(?\d{1,2}\)?(?:\s*,\s*(?:and\s*)?|\s+and\s+)?)+)",
    re.IGNORECASE,
)
NUMBER = re.compile(
    r"(?<![\w.(])[-−–]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?![\w%)])|(?<!\w)[-−–]?\.\d+"
)
_SAME = re.compile(r"\bin (?:both|all|these|the two) (?:columns|specifications|models|cases)", re.I)
_WORD = re.compile(r"[a-z]{2,}")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with the table and the columns that it is about.

    Attributes
    ----------
    table
        Number of the table that it or its paragraph names last; empty if none.
    columns
        Numbers of columns that it names.
    numbers
        Other numbers of two digits or more in it, in order.
    paragraph
        Position of its paragraph.
    ranged
        Whether it names columns from one to another.
    """

    text: str
    table: str
    columns: tuple[str, ...]
    numbers: tuple[str, ...]
    paragraph: int
    ranged: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """Numbers that follow a mention of columns, as many as the columns."""

    table: str
    columns: tuple[str, ...]
    numbers: tuple[str, ...]


def sentences(prose: Sequence[str]) -> list[Sentence]:
    """The sentences of a text, each with what it refers to."""
    found: list[Sentence] = []
    for place, paragraph in enumerate(prose):
        if re.match(r"^[-\d\s]*\d+[A-Z][a-z]+ [A-Z]", paragraph):  # an item of the references
            continue
        table = ""
        for text in _SENTENCE.split(paragraph):
            if named := _TABLE.findall(text):
                table = named[-1]
            numbers = tuple(NUMBER.findall(_without_references(text)))
            long = tuple(n for n in numbers if len(re.sub(r"\D", "", n).lstrip("0")) > 1)
            columns, ranged = _columns(text), bool(_RANGE.search(text))
            if not columns and found and found[-1].paragraph == place and _SAME.search(text):
                columns = found[-1].columns
            found.append(Sentence(text, table, columns, long, place, ranged))
    return found


def listings(said: Sequence[Sentence]) -> list[Listing]:
    """Where a paragraph names several columns and then as many numbers."""
    found = []
    for i, sentence in enumerate(said):
        if len(sentence.columns) < 2:
            continue
        numbers = list(sentence.numbers)
        for other in said[i + 1 :]:
            if other.paragraph != sentence.paragraph or other.columns:
                break
            numbers += other.numbers
        if len(numbers) == len(sentence.columns):
            found.append(Listing(sentence.table, sentence.columns, tuple(numbers)))
    return found


def _columns(text: str) -> tuple[str, ...]:
    if ranged := _RANGE.search(text):
        first, last = int(ranged[1]), int(ranged[2])
        if first < last < first + 30:
            return tuple(str(k) for k in range(first, last + 1))
    listed = [re.findall(r"\d{1,2}", part) for part in _LISTED.findall(text)]
    return tuple(dict.fromkeys(k for part in listed for k in part))


def _without_references(text: str) -> str:
    for pattern in (_RANGE, _LISTED, _TABLE):
        text = pattern.sub(" ", text)
    return text


_DULL = frozenset(
    [
        "the",
        "of",
        "and",
        "in",
        "on",
        "a",
        "an",
        "to",
        "is",
        "are",
        "for",
        "with",
        "coefficient",
        "policy",
        "effect",
        "variable",
        "results",
        "column",
        "table",
        "term",
    ]
)


def named_in(label: str, text: str) -> float:
    """Share of the words of a row's label that a text names, in any order; 0 to 1."""
    words = set(_WORD.findall(_split_case(label).lower())) - _DULL
    if not words:
        return 1.0 if label and re.search(rf"\b{re.escape(label)}\b", text) else 0.0
    if len(label) <= 3:  # abbreviations are named as they are
        return 1.0 if re.search(rf"\b{re.escape(label)}\b", text) else 0.0
    said = set(_WORD.findall(_split_case(text).lower()))
    return sum(any(_alike(word, other) for other in said) for word in words) / len(words)


def _split_case(text: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", text)


def _alike(word: str, other: str) -> bool:
    return word == other or (len(word) >= 5 and other.startswith(word[:5]))
