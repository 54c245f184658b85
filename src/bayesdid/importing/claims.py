"""Sentences with numbers or words of significance, with the cell that each seems to be about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bayesdid.importing.draft import Placed, comment, quoted
from bayesdid.importing.evidence import scale_of
from bayesdid.importing.prose import Sentence, listings, named_in
from bayesdid.importing.table import SURE

_LEVEL = re.compile(
    r"significan\w*[^.;%]{0,40}?\bat\s+(?:the\s+)?(0\.1|1|5|10)\s*(?:%|per ?cent)"
    r"|\bat\s+(?:the\s+)?(0\.1|1|5|10)\s*(?:%|per ?cent)\s+(?:significance|level)",
    re.IGNORECASE,
)
_NOT = re.compile(
    r"\b(?:not|no|without)\b[^.;,]{0,25}\bsignifican|insignifican|non-significan", re.I
)
_TREATMENT = re.compile(r"\b(?:policy|policies|pilot|program\w*|treatment|reform|law)\b", re.I)
_SIGN = {"negative": r"\b(?:significantly )?negative\b", "positive": r"\bpositive\b"}
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Proposed:
    """A claim as ``claims.toml`` would have it.

    Attributes
    ----------
    sure
        Whether its cell is the only one that fits; else it is written as a comment.
    why
        What it was matched by.
    """

    sentence: Sentence
    cell: Placed
    lines: tuple[str, ...]
    sure: bool
    why: str


def propose_claims(said: Sequence[Sentence], cells: Sequence[Placed]) -> list[Proposed]:
    """Every sentence about a printed estimate that can be told, in the order of the text."""
    estimates = [c for c in cells if c.cell.role == "estimate" and c.label]
    found = [*_listed(said, estimates)]
    taken = {(p.sentence.text, p.cell.ref) for p in found}
    for sentence in said:
        for item in (*_values(sentence, estimates), *_significance(sentence, estimates)):
            kinds = (item.sentence.text, item.cell.ref)
            if "value" in item.lines[0] and kinds in taken:
                continue
            found.append(item)
    order = {id(sentence): i for i, sentence in enumerate(said)}
    return sorted(found, key=lambda p: order[id(p.sentence)])


def _about(sentence: Sentence, cells: Sequence[Placed]) -> list[Placed]:
    """Cells of the table and, where it names some, the columns of a sentence."""
    if not sentence.table:
        return list(cells)
    own = [c for c in cells if c.ref.partition(".")[0] == f"table{sentence.table}"]
    in_columns = [c for c in own if c.column in sentence.columns]
    return in_columns or own


def _value_lines(cell: Placed, number: str, scale: int) -> tuple[str, ...]:
    lines = [f"value = {quoted(number)}", f"cell = {quoted(cell.ref)}"]
    if scale != 1:
        lines.append(f"scale = {scale}")
    if number.startswith(("-", "−", "–")):
        lines.append("signed = true")
    return tuple(lines)


def _values(sentence: Sentence, cells: Sequence[Placed]) -> list[Proposed]:
    found = []
    for number in sentence.numbers:
        digits = len(re.sub(r"\D", "", number).lstrip("0"))
        if digits < 3 or re.fullmatch(r"(?:19|20)\d\d", number):
            continue
        near = [(c, s) for c in _about(sentence, cells) if (s := scale_of(c.cell.text, number))]
        if not sentence.table:  # without a table, a plain number of the same digits
            near = [(c, s) for c, s in near if s in {1, 100}]
        if not near:
            continue
        named = [named_in(c.label, sentence.text) for c, _ in near]
        best = [pair for pair, share in zip(near, named, strict=True) if share == max(named)]
        cell, scale = best[0]
        sure = len({c.ref for c, _ in best}) == 1 and (max(named) > 0.5 or bool(sentence.table))
        why = "the number" if sure else "the number alone, or one that several cells print"
        if _year_or_count(number, scale):
            continue
        found.append(Proposed(sentence, cell, _value_lines(cell, number, scale), sure, why))
    return found


def _year_or_count(number: str, scale: int) -> bool:
    """A whole number that is a cell only in thousandths: most likely a count of something."""
    return scale == 1000 and number.isdecimal()


def _listed(said: Sequence[Sentence], cells: Sequence[Placed]) -> list[Proposed]:
    """Of numbers listed for columns in order, also those that their cell does not print."""
    found = []
    for listing in listings(said):
        rows = {
            c.column: c
            for c in reversed(cells)
            if c.ref.startswith(f"table{listing.table}.") and c.column in listing.columns
        }
        if set(rows) != set(listing.columns):
            continue
        pairs = [(rows[c], n) for c, n in zip(listing.columns, listing.numbers, strict=True)]
        scales = [scale_of(cell.cell.text, number) for cell, number in pairs]
        known = [scale for scale in scales if scale is not None]
        if len(known) * 2 <= len(pairs) or len(set(known)) != 1:
            continue
        for (cell, number), scale in zip(pairs, scales, strict=True):
            if cell.cell.confidence < SURE or scale is not None:
                continue
            own = next(s for s in said if s.table == listing.table and number in s.numbers)
            lines = _value_lines(cell, number, known[0])
            why = "the order in which columns and numbers are listed"
            found.append(Proposed(own, cell, lines, sure=True, why=why))
    return found


def _significance(sentence: Sentence, cells: Sequence[Placed]) -> list[Proposed]:
    level, not_one = _LEVEL.search(sentence.text), _NOT.search(sentence.text)
    if not sentence.table or not sentence.columns or not (level or not_one):
        return []
    if (level and not_one) or len(_LEVEL.findall(sentence.text)) > 1:
        return []  # of two statements, which is about which column is not told
    found = []
    for column in sentence.columns:
        near = [c for c in _about(sentence, cells) if c.column == column]
        if not near:
            continue
        named = [named_in(c.label, sentence.text) for c in near]
        if not max(named) and _TREATMENT.search(sentence.text):
            named[0] = 1.0  # 'the policy' is the first row
        most = max(named)
        best = [c for c, share in zip(near, named, strict=True) if share == most]
        one = bool(level) or len(sentence.columns) == 1
        sure = one and most >= 0.5 and len(best) == 1 and best[0].cell.confidence >= SURE
        level_text = f"{level[1] or level[2]}%" if level else "none"
        lines = [f"cell = {quoted(best[0].ref)}", f"significance = {quoted(level_text)}"]
        signs = [k for k, pattern in _SIGN.items() if re.search(pattern, sentence.text, re.I)]
        if len(signs) == 1 and len(best) == 1:
            lines.append(f"direction = {quoted(signs[0])}")
        why = "the row that it names" if sure else "the column; which row is not certain"
        found.append(Proposed(sentence, best[0], tuple(lines), sure, why))
    return found


def claims_text(proposed: Sequence[Proposed]) -> str:
    """``claims.toml``; what is not certain stands in it as comments."""
    lines = [
        "# Sentences of the text and the cells that they seem to be about. Those that fit several",
        "# cells are comments: choose the cell, or delete them.",
    ]
    for i, item in enumerate(proposed, 1):
        text = item.sentence.text
        text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
        body = [
            "[[claim]]",
            f"id = {quoted(f's{i}')}",
            f"text = {quoted(text)}",
            f"place = {quoted(f'paragraph {item.sentence.paragraph + 1} of the text')}",
            *item.lines,
        ]
        mark = "" if item.sure else "# "
        lines += ["", f"# matched by {comment(item.why)}", *(f"{mark}{line}" for line in body)]
    return "\n".join(lines) + "\n"
