"""Equations as text that any console can print, and as they are typeset: with subscripts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from bayesdid.escape import GREEK

Rise = Literal["", "sub", "sup"]
_OPEN, _CLOSE = "\ue002", "\ue003"  # private characters: no text of a study is a formula
_NAMES = {**GREEK, "sum": "Σ"}
_NAMED = re.compile(rf"(?<![A-Za-z])({'|'.join(_NAMES)})(?![A-Za-z])")
_SIGNS = (("<=", "≤"), (">=", "≥"), ("~", "∼"), ("'", "′"), ("sqrt", "√"), (" - ", " − "))
_LETTERS = re.compile(r"\w(?:, ?\w)+")  # i,t: each an index of its own
_ARGUMENTS = re.compile(r"(?<=\w)\[([^\[\]]* [−-] [^\[\]]*)\]")  # [cohort, t - start]
# after a symbol or a closed bracket, [i,t]; after a letter, _k and ^2 or ^|t-s|
_RAISED = re.compile(
    r"(?<=[\w)′])\[(?P<index>[^\[\]]+)\]"
    r"|(?<=[^\W\d_])_(?P<sub>unit|[A-Za-z0-9])(?![A-Za-z])"
    r"|\^(?P<sup>\|[^|]+\||\w+)"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line: of a formula, or of the text around it."""

    text: str
    rise: Rise = ""
    of_formula: bool = True


def formula(text: str) -> str:
    """Text of a report that is typeset as an equation, ``y[i,t] = tau'D[i,t] + e[i,t]``."""
    return f"{_OPEN}{text}{_CLOSE}"


def without_marks(text: str) -> str:
    """Text with its formulas as they were written."""
    return text.replace(_OPEN, "").replace(_CLOSE, "")


def pieces(text: str) -> list[Piece]:
    """Text in pieces, those of its formulas raised or lowered.

    Examples
    --------
    >>> [(p.text, p.rise) for p in pieces(formula("sigma[i]^2 = a_D[i,t]"))]
    [('σ', ''), ('i', 'sub'), ('2', 'sup'), (' = a', ''), ('D', 'sub'), (', it', 'sub')]
    """
    found: list[Piece] = []
    for part in re.split(f"({_OPEN}[^{_CLOSE}]*{_CLOSE})", text):
        if part.startswith(_OPEN):
            found += _of_formula(part[1:-1])
        elif part:
            found.append(Piece(part, of_formula=False))
    return found


def _of_formula(text: str) -> list[Piece]:
    text = _ARGUMENTS.sub(r"(\1)", _NAMED.sub(lambda name: _NAMES[name[1]], text))
    for typed, sign in _SIGNS:
        text = text.replace(typed, sign)
    found, at = [], 0
    for raised in _RAISED.finditer(text):
        if raised.start() > at:
            found.append(Piece(text[at : raised.start()]))
        if low := raised["index"] or raised["sub"]:
            second = bool(found) and raised.start() == at and found[-1].rise == "sub"
            found.append(Piece(", " * second + _indices(low), "sub"))
        else:
            found.append(Piece(raised["sup"].replace("-", " − "), "sup"))
        at = raised.end()
    return [*found, Piece(text[at:])] if at < len(text) else found


def _indices(text: str) -> str:
    """Indices of a letter each without their commas: ``it``."""
    return re.sub(", ?", "", text) if _LETTERS.fullmatch(text) else text
