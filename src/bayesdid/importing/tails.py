"""The label of a line of text, and the numbers and words such as Yes that end it."""

from __future__ import annotations

import re

from bayesdid.importing.numbers import is_number


def is_numeric(word: str) -> bool:
    """Whether a word is a number of a table; p<0.05 is one of a legend."""
    return word[:1] not in {"p", "P", "<"} and is_number(word)


def tail(line: str) -> tuple[str, list[str]]:
    """A line's label, and the numbers and words such as Yes that end it."""
    if _LEVEL.fullmatch(line.strip()):
        return line.strip(), []
    words = [word.replace(GLUE, " ") for word in glued(line).split()]
    at = len(words)
    while at and (
        is_numeric(words[at - 1]) or words[at - 1].lower() in _WORDS or _bounds(words, at)
    ):
        at -= 1
    at += at == 0 and len(words) > 1 and words[0] in {"N", "n"}  # a label, not No
    if at and words[at - 1].endswith("<"):  # * < 0.1, of a legend
        return line.strip(), []
    return " ".join(words[:at]), words[at:]


_LEVEL = re.compile(r"(?:level|step|block|model|stage|study|part)\s+\d{1,2}:?", re.IGNORECASE)


def _bounds(words: list[str], at: int) -> bool:
    """Whether a word is a bound such as ``<.001`` of a number of the same line, not of a legend."""
    before = words[at - 2] if at > 1 else ""
    bound = words[at - 1].startswith("<") and is_number(words[at - 1])
    return (
        bound and (at < len(words) or is_numeric(before)) and before.lower() not in {"p", "value"}
    )


GLUE = "\ue000"  # of two words that are one cell


_WORDS = frozenset(
    {"yes", "no", "y", "n", "✓", "✔", "√", "–", "—", "-", "oui", "non", "ja", "nein", "sí", "sim"}
    | {"não", "是", "否", "控制", "已控制", "未控制"}
)


_RANGE = re.compile(  # 1.773 1.043−3.013 **: its mark is the estimate's
    r"(?<!\S)(\d*\.\d+)\s+(\d*\.\d+)[-−–](\d*\.\d+)(?:\s*(\*{1,4}))?(?!\S)"
)


def glued(line: str) -> str:
    """Stars, and the ends of intervals, belong to the word before them."""
    line = re.sub(r"(?<=[\d)\]])\s+(?=\*{1,4}(?:\s|$))", "", line)
    line = _RANGE.sub(r"\1\4 [\2,\3]", line)
    line = re.sub(r"(?<=\d)(\s+<)\s+(?=[-−]?\.?\d)", r"\1", line)
    return re.sub(r"([\[(][^\s()\[\]]+[,;])\s+(?=[^\s()\[\]]+[\])])", rf"\1{GLUE}", line)
