"""Years and months in Chinese numerals, and years of the Republic: 二〇〇三年三月, 民国九十二年."""

from __future__ import annotations

import re

_DIGITS = str.maketrans("〇零○一二三四五六七八九", "000123456789")
_NUMERAL = "〇零○一二三四五六七八九十百"
_YEAR = re.compile(r"^[〇零○一二三四五六七八九]{4}(?=年|$)")
_PART = re.compile(rf"([{_NUMERAL}]{{1,3}})(?=月|日)")
_REPUBLIC = re.compile(rf"^(?:中华|中華)?民[国國]\s*(元|\d{{1,3}}|[{_NUMERAL}]{{1,5}})\s*年度?")
_FIRST = 1912  # 民国元年


def in_digits(text: str) -> str:
    """A text with its year, month and day in digits; any other as it is.

    Examples
    --------
    >>> in_digits("二〇〇三年十一月"), in_digits("民国92年"), in_digits("第一轮")
    ('2003年11月', '2003年', '第一轮')
    """
    if match := _REPUBLIC.match(text):
        raw = "1" if match[1] == "元" else match[1]
        number = int(raw) if raw.isdecimal() else _number(raw)
        text = f"{_FIRST - 1 + number}年{text[match.end() :]}"
    text = _YEAR.sub(lambda hit: hit[0].translate(_DIGITS), text)
    return _PART.sub(lambda hit: str(_number(hit[1])), text) if "年" in text else text


def _number(text: str) -> int:
    """Of Chinese numerals with or without tens and hundreds: 十一, 九十二, 一百零三, 九二."""
    if not {*text} & {*"十百"}:
        return int(text.translate(_DIGITS))
    total = 0
    for mark, size in (("百", 100), ("十", 10)):
        before, found, after = text.partition(mark)
        if found:
            total += size * (int(before.translate(_DIGITS)) if before else 1)
            text = after
    return total + (int(text.translate(_DIGITS)) if text else 0)
