"""Tables and paragraphs of a Word document, read as its XML. A document type is refused."""

from __future__ import annotations

import zipfile
from pathlib import Path
from xml.parsers import expat

from bayesdid.exceptions import InputError
from bayesdid.importing.grid import LARGEST, WIDEST, Document, Grid, make_grid
from bayesdid.importing.sheet import check_archive

_PART = "word/document.xml"
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main "


class _Reader:
    """Handlers of one pass over ``word/document.xml``."""

    def __init__(self) -> None:
        self.grids: list[Grid] = []
        self.prose: list[str] = []
        self.depth = 0
        self.rows: list[list[str]] = []
        self.across = 1
        self.merged = False
        self.text: list[str] = []
        self.paragraphs: list[str] = []
        self.seeing = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.removeprefix(_W)
        if tag == "tbl":
            self.depth += 1
            if self.depth == 1:
                self.rows = []
        elif tag == "tr" and self.depth == 1:
            self.rows.append([])
        elif tag == "tc" and self.depth == 1:
            self.across, self.merged, self.paragraphs = 1, False, []
        elif tag == "gridSpan":
            value = attributes.get(f"{_W}val", "1")
            self.across = min(int(value), WIDEST) if value.isdecimal() and value != "0" else 1
        elif tag == "vMerge":
            self.merged = attributes.get(f"{_W}val") != "restart"
        elif tag == "t":
            self.seeing = True
        elif tag in {"br", "cr"}:
            self.text.append("\n")
        elif tag == "tab":
            self.text.append(" ")

    def end(self, name: str) -> None:
        tag = name.removeprefix(_W)
        if tag == "t":
            self.seeing = False
        elif tag == "p":
            text, self.text = "".join(self.text).strip(), []
            if self.depth:
                self.paragraphs.append(text)
            elif text:
                self._paragraph(text)
        elif tag == "tc" and self.depth == 1 and self.rows:
            text = "" if self.merged else "\n".join(p for p in self.paragraphs if p)
            self.rows[-1] += [text] * self.across
        elif tag == "tbl":
            self.depth -= 1
            if self.depth == 0 and self.rows:
                title = self.prose[-1] if self.prose and len(self.prose[-1]) < 300 else ""
                self.grids.append(make_grid(self.rows, title))

    def _paragraph(self, text: str) -> None:
        low = text.lower()
        if (
            self.grids
            and not self.grids[-1].notes
            and (
                low.startswith(("note", "standard err", "robust", "*", "t stat", "注"))
                or "p <" in low
                or "p<" in low
                or "in parentheses" in low
                or "interval" in low
            )
        ):
            last = self.grids[-1]
            self.grids[-1] = Grid(last.rows, last.title, text, last.loose)
        self.prose.append(text)

    def data(self, text: str) -> None:
        if self.seeing:
            self.text.append(text)


def _refuse(*_: object) -> None:
    raise ValueError("a document type")


def read_word(path: Path) -> Document:
    """Every table of a .docx with the paragraph above as its title, and all paragraphs.

    Raises
    ------
    InputError
        If it is no .docx, unpacks to more than any document, or declares entities.
    """
    check_archive(path)
    reader = _Reader()
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(_PART).file_size > LARGEST:
                raise ValueError("too large")
            content = archive.read(_PART)
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartDoctypeDeclHandler = _refuse
        parser.EntityDeclHandler = _refuse
        parser.StartElementHandler = reader.start
        parser.EndElementHandler = reader.end
        parser.CharacterDataHandler = reader.data
        parser.Parse(content, True)
    except (KeyError, ValueError, OSError, RuntimeError, expat.ExpatError, zipfile.BadZipFile) as e:
        raise InputError(
            "not a Word document that can be read", file=path, remedy="save it as .docx or .html"
        ) from e
    return Document(tuple(reader.grids), tuple(reader.prose))
