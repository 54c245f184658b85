"""Numbers that may be others: means, labels with numbers or that come twice, untold brackets."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from bayesdid.importing.table import ReadCell, ReadRow, ReadTable

_LIKELY = 0.7  # that they are estimates all the same; an ordering, as all confidences here
_MEANS = re.compile(
    r"^(?:means?|medians?)\b|\b(?:means?|medians?)\s*(?:[(±,]|$)|\bs\.?d\.?\)?$|均值", re.IGNORECASE
)  # not an average wage or a number of patents, which are outcomes
_DIFFER = re.compile(r"differ|change|effect|ratio|\bΔ|model", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.])[-−–]?\d*\.\d{2,}(?![\w.])")


def suspect(table: ReadTable) -> None:
    """Mark, in place, estimates that heading or label make doubtful, and untold brackets."""
    rows = [row for row in table.rows if row.role == "estimate"]
    if not table.in_parentheses_why and not any(map(_has_mark, rows)):
        for row in rows:
            why = "nothing says what its brackets hold"
            row.below = {j: _marked(cell, why) for j, cell in row.below.items()}
    means = {j for j, column in enumerate(table.columns) if _names_means(column.heads)}
    twice = Counter((row.label.strip().lower(), j) for row in rows for j in row.cells)
    for row in rows:
        for j, cell in row.cells.items():
            why = ""
            if j in means:
                why = "its heading names means"
            elif not row.label.strip():
                why = "it has no label"
            elif _NUMBER.search(row.label):
                why = "a number stands in its label"
            elif twice[row.label.strip().lower(), j] > 1:
                why = "its label comes twice in this column"
            if why:
                row.cells[j] = _marked(cell, why)
                if j in row.below:
                    row.below[j] = _marked(row.below[j], why)


def _has_mark(row: ReadRow) -> bool:
    """Whether estimates of a row have marks, which tell what stands below them."""
    texts = [cell.text.strip() for cell in (*row.cells.values(), *(one for one, _ in row.lost))]
    return any(re.search(r"\d[*+†‡#§¶]+$", text) for text in texts)


def _names_means(heads: tuple[str, ...]) -> bool:
    """Whether the headings of a column name means, and no difference of them."""
    return bool(heads) and any(map(_MEANS.search, heads)) and not any(map(_DIFFER.search, heads))


def _marked(cell: ReadCell, why: str) -> ReadCell:
    return replace(cell, confidence=min(cell.confidence, _LIKELY), why=cell.why or why)
