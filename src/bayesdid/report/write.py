"""Write a report folder: ``index.html``, ``results.json``, ``tables/``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bayesdid.jsonio import to_json, write_json
from bayesdid.report.html import render
from bayesdid.report.tables import write_tables


def write_report(results: dict[str, Any], folder: Path) -> Path:
    """Write results, then the page rendered from what was written.

    Returns
    -------
    Path
        The page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "results.json", results)
    plain = json.loads(to_json(results))
    write_tables(plain, folder / "tables")
    page = folder / "index.html"
    temporary = folder / ".index.html.part"
    temporary.write_text(render(plain), encoding="utf-8")
    temporary.replace(page)
    return page
