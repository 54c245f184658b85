"""A draft study folder from a document, written whole or not at all."""

from __future__ import annotations

import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pydantic import ValidationError

from bayesdid.exceptions import InputError
from bayesdid.importing.claims import Proposed, claims_text, propose_claims
from bayesdid.importing.consequences import with_consequences
from bayesdid.importing.draft import Placed, cells_of, study_text, table_text
from bayesdid.importing.names import Names
from bayesdid.importing.page import page
from bayesdid.importing.read import read_document
from bayesdid.importing.table import SURE
from bayesdid.importing.understand import Understood, understand
from bayesdid.jsonio import write_json, write_text
from bayesdid.study.load import read_study
from bayesdid.study.printed import Printed
from bayesdid.study.schema import StudyFile, TableFile

_TOLD = 3  # tables that an error names
PAGE, CELLS = "import.html", "import.json"


@dataclass(frozen=True, slots=True)
class CellRecord:
    """One number of the file and where it was put, as ``import.json`` lists it."""

    ref: str
    text: str
    row: str
    column: str
    role: str
    confidence: float
    why: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import made.

    Attributes
    ----------
    folder
        The study folder.
    tables
        Id of a table -> how many numbers it holds.
    cells
        Every number, with its confidence.
    claims, sure_claims
        Sentences proposed, and those whose cell is the only one that fits.
    doubts
        Table -> sentences on what is uncertain in it.
    alternatives
        Table -> other readings, with their probability and their effect on the audit.
    left_out
        Tables of the file in which nothing was found that is an estimate or a moment, with why.
    """

    json_keys: ClassVar[tuple[str, ...]] = (
        "folder",
        "tables",
        "cells",
        "doubtful",
        "claims",
        "sure_claims",
        "doubts",
        "alternatives",
        "left_out",
    )

    folder: str
    tables: dict[str, int]
    cells: tuple[CellRecord, ...]
    claims: int
    sure_claims: int
    doubts: dict[str, list[str]]
    alternatives: dict[str, list[tuple[float, str]]]
    left_out: tuple[str, ...]

    @property
    def doubtful(self) -> int:
        """How many cells are marked."""
        return sum(cell.confidence < SURE for cell in self.cells)


def import_study(source: str | Path, folder: str | Path, *, title: str = "") -> Imported:
    """Read published tables from a file and write a draft study folder that the audit loads.

    Parameters
    ----------
    source
        .html, .xml (JATS), .tex, .md, .txt, .csv, .tsv, .xlsx, .docx or .pdf.
    folder
        Where the study goes; there must be nothing of this name.
    title
        Of the publication.

    Returns
    -------
    Imported
        Every number with its place and confidence; the folder also holds them in ``import.json``,
        and ``import.html`` shows the tables beside what was read.

    Raises
    ------
    InputError
        If the folder exists, or the file cannot be read or holds no table of results.
    """
    source, folder = Path(source), Path(folder)
    if folder.exists():
        raise InputError(
            "there is a folder of this name already",
            file=folder,
            remedy="give another name, or remove it; nothing was changed",
        )
    understood = understand(read_document(source))
    if not understood.tables:
        raise InputError(
            ". ".join(
                [
                    "no table of estimates or of descriptive statistics was found",
                    *understood.left_out[:_TOLD],
                ]
            ),
            file=source,
            remedy="give the tables whose estimates have errors, t, p or intervals, or marks"
            if understood.left_out
            else "give a file with the tables as text: saved from the journal's page, LaTeX, "
            "Markdown, CSV or a workbook",
        )
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        made = _write(understood, part, source.name, folder.name, title)
        read_study(part)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Imported(str(folder), *made)


def _write(
    found: Understood, part: Path, source: str, name: str, title: str
) -> tuple[
    dict[str, int],
    tuple[CellRecord, ...],
    int,
    int,
    dict[str, list[str]],
    dict[str, list[tuple[float, str]]],
    tuple[str, ...],
]:
    names = Names()
    cells = {table.id: cells_of(table, names) for table in found.tables}
    largest = _largest_n(list(cells.values()))
    texts = {t.id: table_text(t, names, largest) for t in found.tables}
    study = study_text(list(found.tables), names, name, source, title)
    try:
        file = StudyFile.model_validate(tomllib.loads(study))
        parsed = {k: TableFile.model_validate(tomllib.loads(text)) for k, text in texts.items()}
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(
            f"what was read is no study: {first['msg']}",
            file=source,
            column=".".join(map(str, first["loc"])),
            value=str(first["input"]),
            remedy="take the number out of the file, or give the table as CSV",
        ) from error
    for table in found.tables:
        if table.alternatives:
            table.alternatives = with_consequences(table, parsed, file, names)
            texts[table.id] = table_text(table, names, largest)
    claims = propose_claims(found.said, [c for group in cells.values() for c in group])
    files = {"study.toml": study, **{f"{k}.toml": text for k, text in texts.items()}}
    if claims:
        files["claims.toml"] = claims_text(claims)
    for file_name, text in files.items():
        write_text(part / file_name, text)
    write_text(part / PAGE, page(source, found.tables, found.grids, files, claims))
    records = tuple(_record(c) for group in cells.values() for c in group)
    write_json(part / CELLS, {"source": source, "cells": records})
    return (
        {k: len(group) for k, group in cells.items()},
        records,
        len(claims),
        _sure(claims),
        {t.id: t.doubts for t in found.tables if t.doubts},
        {
            t.id: [(a.probability, a.text) for a in t.alternatives]
            for t in found.tables
            if t.alternatives
        },
        found.left_out,
    )


def _sure(claims: list[Proposed]) -> int:
    return sum(claim.sure for claim in claims)


def _record(c: Placed) -> CellRecord:
    cell = c.cell
    return CellRecord(
        c.ref, cell.text, c.label, c.column, cell.role, round(cell.confidence, 3), cell.why
    )


def _largest_n(cells: list[list[Placed]]) -> str:
    texts = [c.cell.text for group in cells for c in group if c.ref.endswith(":n")]
    return max(texts, key=lambda text: float(Printed.parse(text)), default="")
