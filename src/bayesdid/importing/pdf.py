"""Text of a PDF that holds text, laid out as on its pages; pictures of pages are not read."""

from __future__ import annotations

from pathlib import Path

from bayesdid.exceptions import InputError
from bayesdid.extras import extra
from bayesdid.importing.grid import Document
from bayesdid.importing.text import read_text

_MOST_PAGES = 200


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
            pages = [page.extract_text(layout=True) or "" for page in book.pages[:_MOST_PAGES]]
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
