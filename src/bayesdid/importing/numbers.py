"""What one cell of a table is: a number, a number in brackets, a word such as Yes, or text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from bayesdid.study.fields import ends
from bayesdid.study.printed import Printed

What = Literal["empty", "number", "below", "yes", "no", "text"]
_YES = frozenset(
    {
        "yes",
        "y",
        "x",
        "✓",
        "✔",
        "√",
        "☑",
        "included",
        "true",
        "oui",
        "sí",
        "ja",
        "sim",
        "是",
        "有",
        "控制",
        "已控制",
    }
)
_NO = frozenset(
    {
        "no",
        "n",
        "-",
        "–",
        "—",
        "--",
        "✗",
        "×",
        "excluded",
        "false",
        "non",
        "nein",
        "não",
        "否",
        "无",
        "未控制",
        "不控制",
    }
)
_SPACED = re.compile(r"(?<=[\d)\]])\s+(?=[*+†‡#]+\s*[)\]]?$)|(?<=^[-−–])\s+(?=[\d.])")
_NOT = re.compile(r"(?<=[\d)\]])\s*n\.?\s?s\.?$|(?<=\d\*)\.$|(?<=\*\*)\.$", re.IGNORECASE)
_PER = re.compile(r"(?<=\d)/[A-Za-z]+$")  # 1.02/y, the effect of one year
_LETTER = re.compile(r"(?<=\d)\s*\(([a-d])\)$")  # a mark, as raised letters are written
_BRACKET = ("(", "[", "{")
NULLS = frozenset({"", ".", "na", "n/a", "nan", "none"})


def tidy(text: str) -> str:
    """A number's text as the study format has it: stars at its end, round or square brackets."""
    text = re.sub(r"(?<=\d)\u00b7(?=\d)", ".", text)  # 0·39, as some journals print it
    text = _LETTER.sub(r"\1", _NOT.sub("", _SPACED.sub("", text.strip())))
    text = _PER.sub("", text.replace("{", "(").replace("}", ")"))
    if re.fullmatch(r"[-−–]?\d+(?: \d{3})+", text):  # thousands by spaces
        text = text.replace(" ", ",")
    return text


def is_number(text: str) -> bool:
    """Whether a text is one printed number, with brackets and marks or without."""
    try:
        Printed.parse(tidy(text))
    except ValueError:
        return is_interval(text)
    return True


_THOUSANDS = re.compile(r"[(\[]\s*[-−–]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?\s*[)\]]")


def is_interval(text: str) -> bool:
    """Whether a text is two numbers in brackets; ``(4,600.18)`` is one."""
    text = tidy(text)
    if _THOUSANDS.fullmatch(text) or not text.startswith(_BRACKET) or not text.endswith((")", "]")):
        return False
    try:
        ends(text)
    except ValueError:
        return False
    return bool(re.search(r"[,;.]|\sto\s", text))  # (1990–2000) are years


def what(text: str) -> What:
    """What a cell holds."""
    text = tidy(text)
    low = text.lower()
    if low in NULLS or (low.startswith(_BRACKET) and low.strip("()[] ") in NULLS):
        return "empty"  # also (.), which Stata prints where it has no standard error
    if low in _YES:
        return "yes"
    if low in _NO:
        return "no"
    if not is_number(text):
        return "text"
    return "below" if text.startswith(_BRACKET) else "number"


_COMMA = re.compile(r"[(\[]?[-−–+]?(?:\d+(?:\.\d{3})*,(?:\d{1,2}|\d{4,})|0,\d+)[)\]]?[*+†]*")
_POINT = re.compile(r"(?<![\d.,])(?:\d*\.(?:\d{1,2}|\d{4,})|0?\.\d+)(?![\d.,])")
_GROUPED = re.compile(r"(?<![\d.,])(\d{1,3}(?:\.\d{3})+|\d+)(?:,(\d+))?(?![\d.,])")
_FEW = 3  # numbers that a comma cannot split into thousands


def has_decimal_commas(texts: Iterable[str]) -> bool:
    """Whether numbers are written ``0,412`` and ``12.418``: some can be nothing else."""
    known = [text.strip() for text in texts]
    commas = sum(bool(_COMMA.fullmatch(text)) for text in known)
    return commas >= _FEW and not any(_POINT.search(text) for text in known)


def with_points(text: str) -> str:
    """``12.418`` as ``12,418`` and ``0,412`` as ``0.412``."""
    return _GROUPED.sub(
        lambda m: m[1].replace(".", ",") + (f".{m[2]}" if m[2] is not None else ""), text
    )


_ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")


def enumerator(text: str) -> str:
    """The number of a column, as in ``(1)``, ``(i)``, ``Model 1``, ``1``; else empty."""
    if roman := re.fullmatch(r"\((i{1,3}|iv|vi{0,3}|ix|x)\)", text.strip(), re.IGNORECASE):
        return str(1 + _ROMAN.index(roman[1].lower()))
    found = re.fullmatch(
        r"(?:model|column|col\.?|spec\.?)?\s*[(\[]?\s*(\d{1,2}[a-z]?)\s*[)\]]?",
        text.strip(),
        re.IGNORECASE,
    )
    return found[1] if found else ""
