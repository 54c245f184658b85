"""A file as a document: by its suffix, within bounds, as text in the encoding that it is in."""

from __future__ import annotations

from pathlib import Path

from bayesdid.exceptions import InputError
from bayesdid.importing.grid import LARGEST, Document
from bayesdid.importing.latex import read_latex
from bayesdid.importing.markup import read_markup
from bayesdid.importing.mixed import has_markup, read_mixed
from bayesdid.importing.sheet import read_separated, read_workbook
from bayesdid.importing.text import read_text
from bayesdid.importing.word import read_word

SUFFIXES = (
    ".html",
    ".htm",
    ".xhtml",
    ".xml",
    ".nxml",
    ".tex",
    ".md",
    ".markdown",
    ".txt",
    ".csv",
    ".tsv",
    ".xlsx",
    ".docx",
    ".pdf",
)


def read_document(path: Path) -> Document:
    """Tables and text of a file.

    Raises
    ------
    InputError
        If there is no such file, it is of no known kind, too large, or damaged.
    """
    if not path.is_file():
        raise InputError("no such file", file=path, remedy="check the path")
    if path.stat().st_size > LARGEST:
        raise InputError(
            f"larger than {LARGEST // 1_000_000} MB",
            file=path,
            remedy="give a file with the published tables alone",
        )
    match path.suffix.lower():
        case ".xlsx":
            return read_workbook(path)
        case ".docx":
            return read_word(path)
        case ".pdf":
            from bayesdid.importing.pdf import read_pdf

            return read_pdf(path)
        case ".html" | ".htm" | ".xhtml" | ".xml" | ".nxml":
            return read_markup(_text(path))
        case ".tex":
            return read_latex(_text(path))
        case ".csv":
            return read_separated(_text(path))
        case ".tsv":
            return read_separated(_text(path), "\t")
        case ".md" | ".markdown" | ".txt":
            text = _text(path)
            if "\\begin{tabular" in text:
                return read_latex(text)
            if has_markup(text):
                return read_mixed(text)
            return read_separated(text, "\t") if _tabbed(text) else read_text(text)
    raise InputError(
        "tables of this kind of file are not read",
        file=path,
        value=path.suffix or "no suffix",
        remedy=f"use one of {', '.join(SUFFIXES)}",
    )


def _text(path: Path) -> str:
    raw = path.read_bytes()
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace")
    for encoding in ("utf-8-sig", "gb18030", "latin-1"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


def _tabbed(text: str) -> bool:
    """Whether tabs stand between cells: in most lines alike, with empty cells among them."""
    counts = [line.count("\t") for line in text.splitlines() if line.strip()]
    most = max(counts, default=0)
    return most > 0 and sum(count == most for count in counts) * 2 > len(counts)
