"""Write a report folder: page, supplement, article, ``results.json``, ``tables/``, ``run.json``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bayesdid.files import sweep
from bayesdid.jsonio import plain, write_json, write_text
from bayesdid.report.document.typst import write_pdf
from bayesdid.report.html import build, pages
from bayesdid.report.pages import ARTICLE, PAGE, SUPPLEMENT
from bayesdid.report.run import Run
from bayesdid.report.tables import write_tables


def write_report(results: dict[str, Any], folder: Path, run: Run | None = None) -> Path:
    """Write results, then the page rendered from what was written; facts of the run beside it.

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
    report = build(shown)
    html, more = pages(report)
    write_text(page, html)
    write_text(folder / SUPPLEMENT, more)
    write_pdf((report.main, report.more), report.places, folder / ARTICLE)
    if run is not None:
        write_json(folder / "run.json", run.facts())
    return page
