"""Write a report folder: page, supplement, article, results, tables, facts of the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bayesdid.exceptions import Note
from bayesdid.files import sweep
from bayesdid.jsonio import plain, write_json, write_text
from bayesdid.report.against import changes
from bayesdid.report.document.fonts import boxes
from bayesdid.report.document.latex import write_latex
from bayesdid.report.document.typst import write_figures, write_pdf
from bayesdid.report.document.word import write_docx
from bayesdid.report.html import build, pages
from bayesdid.report.pages import ARTICLE, PAGE, SUPPLEMENT
from bayesdid.report.run import Run
from bayesdid.report.tables import write_tables

CHANGES, WORD, LATEX, FIGURES = "changes.json", "tables.docx", "tables.tex", "figures"


def write_report(
    results: dict[str, Any],
    folder: Path,
    run: Run | None = None,
    *,
    before: dict[str, Any] | None = None,
) -> Path:
    """Write results, then the page rendered from what was written; facts of the run beside it.

    Parameters
    ----------
    before
        Results of an earlier run: what changed stands on the page and in ``changes.json``.

    Returns
    -------
    Path
        The page.
    """
    sweep(folder)
    shown = plain(results)
    write_json(folder / "results.json", shown)
    write_tables(shown, folder / "tables")
    page = folder / PAGE
    since = None if before is None else plain(changes(before, shown))
    if since is None:
        (folder / CHANGES).unlink(missing_ok=True)  # of another comparison
    else:
        write_json(folder / CHANGES, since)
    report = build(shown, since)
    html, more = pages(report)
    write_text(page, html)
    write_text(folder / SUPPLEMENT, more)
    parts = (report.main, report.more)
    lacking = write_pdf(parts, report.places, folder / ARTICLE)
    if lacking and run is not None:
        run.notes.append(Note("no_glyph", len(lacking), f"{boxes(lacking)} They are: {lacking}"))
    write_docx(parts, report.places, folder / WORD)
    write_latex(parts, report.places, folder / LATEX)
    write_figures(parts, report.places, folder / FIGURES)
    if run is not None:
        write_json(folder / "run.json", run.facts())
    return page
