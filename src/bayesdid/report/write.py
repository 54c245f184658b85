"""Write a report folder: ``index.html``, ``results.json``, ``tables/``, ``run.json``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bayesdid.files import sweep
from bayesdid.jsonio import to_json, write_json, write_text
from bayesdid.report.html import render
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
    write_json(folder / "results.json", results)
    plain = json.loads(to_json(results))
    write_tables(plain, folder / "tables")
    page = folder / "index.html"
    write_text(page, render(plain))
    if run is not None:
        write_json(folder / "run.json", run.to_dict())
    return page
