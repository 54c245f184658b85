"""Text of a PDF that holds text, laid out as on its pages; pictures of pages are not read."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from bayesdid.exceptions import InputError
from bayesdid.extras import extra
from bayesdid.importing.grid import Document
from bayesdid.importing.text import read_text

_MOST_PAGES = 200
_SAME_LINE = 2.5  # points
_SPACE = 0.45  # of the height of letters: a gap up to this is a space
_POINTS = 2.2  # of the page for each character of a line


def read_pdf(path: Path) -> Document:
    """Tables and paragraphs of a PDF.

    Raises
    ------
    InputError
        If it cannot be read, or holds pictures of pages only.
    """
    with extra("import"):
        import pdfplumber

    try:
        with pdfplumber.open(path) as book:
            pages = [_laid_out(page.extract_words()) for page in book.pages[:_MOST_PAGES]]
    except Exception as error:  # its parser raises what it meets in a damaged file
        raise InputError(
            "not a PDF that can be read", file=path, remedy="save the tables as .html or .csv"
        ) from error
    if not any(text.strip() for text in pages):
        raise InputError(
            "a PDF of pictures: it holds no text",
            file=path,
            remedy="have its text recognised first, or type the tables in",
        )
    return read_text("\n\n\n".join(pages))


def _laid_out(words: list[dict[str, Any]]) -> str:
    """Words of a page as lines of text in which what stands apart on the page stands apart.

    Words of one line whose gap is that of a space are one text; others are set apart by two
    spaces or more, at a place that grows with their distance from the left edge.
    """
    lines: list[list[dict[str, Any]]] = []
    for word in sorted(words, key=lambda w: (w["bottom"], w["x0"])):
        if lines and abs(lines[-1][-1]["bottom"] - word["bottom"]) <= _SAME_LINE:
            lines[-1].append(word)
        else:
            lines.append([word])
    shown: list[str] = []
    before = None
    for line in lines:
        line.sort(key=lambda w: w["x0"])
        text, right = "", -math.inf
        for word in line:
            size = word["bottom"] - word["top"]
            if word["x0"] - right <= _SPACE * size:
                text += f" {word['text']}"
            else:
                text = text.ljust(max(round(word["x0"] / _POINTS), len(text) + 2 * bool(text)))
                text += word["text"]
            right = word["x1"]
        if before is not None and line[0]["top"] - before > 1.2 * (
            line[0]["bottom"] - line[0]["top"]
        ):
            shown += ["", ""]  # a wider gap than that of lines ends a block
        before = line[0]["bottom"]
        shown.append(text)
    return "\n".join(shown)
