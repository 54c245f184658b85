"""One page for correction: each table as it stood beside what was read, its file to edit below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bayesdid.escape import html
from bayesdid.importing.claims import Proposed
from bayesdid.importing.grid import Grid
from bayesdid.importing.table import SURE, ReadCell, ReadTable

_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;margin:1.5rem;color:#1a1a1a;background:#fff}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:1.5rem;overflow-x:auto}
table{border-collapse:collapse;font-size:13px}td,th{border:1px solid #ccc;padding:.15rem .45rem;
text-align:right;white-space:nowrap}td:first-child,th:first-child{text-align:left}
.doubt{background:#fff3c4}.bad{background:#ffd9d0}.none{color:#999}
textarea{width:100%;height:16rem;font:13px/1.4 ui-monospace,monospace}
@media(prefers-color-scheme:dark){body{color:#eee;background:#16181b}td,th{border-color:#555}
.doubt{background:#5a4a00}.bad{background:#6a2410}textarea{background:#222;color:#eee}}
"""
_SCRIPT = """
document.querySelectorAll('button[data-file]').forEach(b=>b.addEventListener('click',()=>{
const a=document.createElement('a');
const text=document.getElementById(b.dataset.area).value;
a.href=URL.createObjectURL(new Blob([text],{type:'text/plain'}));
a.download=b.dataset.file;a.click();URL.revokeObjectURL(a.href)}));
"""


def page(
    source: str,
    tables: Sequence[ReadTable],
    grids: Sequence[Grid],
    files: Mapping[str, str],
    claims: Sequence[Proposed],
) -> str:
    """The whole page; it needs nothing else, and every text of the document is escaped.

    Parameters
    ----------
    files
        Name of a study file -> its text.
    """
    doubtful = sum(
        cell.confidence < SURE
        for table in tables
        for row in table.rows
        for cell in (*row.cells.values(), *row.below.values())
    )
    parts = [
        "<!doctype html><html lang='en'><meta charset='utf-8'>",
        f"<title>Import of {html(source)}</title><style>{_STYLE}</style>",
        f"<h1>Import of {html(source)}</h1>",
        f"<p>{len(tables)} tables. Left: as they stand in the file. Right: as they were read. "
        f"{doubtful} cells are not certain and are coloured; point at one for the reason. Mend the "
        "text below a table and save it into the study folder.</p>",
    ]
    for k, (table, grid) in enumerate(zip(tables, grids, strict=True)):
        name = f"{table.id}.toml"
        parts.append(f"<h2>{html(table.id)}: {html(table.title or 'without a title')}</h2>")
        parts += [f"<p>{html(doubt)}.</p>" for doubt in table.doubts]
        if table.alternatives:
            parts.append("<p>Other ways to place them:</p><ul>")
            parts += [f"<li>{a.probability:.1%}: {html(a.text)}</li>" for a in table.alternatives]
            parts.append("</ul>")
        parts.append(f"<div class='pair'><div>{_grid(grid)}</div><div>{_read(table)}</div></div>")
        parts.append(_editor(k, name, files.get(name, "")))
    for k, name in enumerate(("study.toml", "claims.toml"), len(tables)):
        if name in files:
            parts.append(f"<h2>{name}</h2>")
            if name == "claims.toml":
                parts.append(f"<p>{len(claims)} sentences, {sum(c.sure for c in claims)} sure.</p>")
            parts.append(_editor(k, name, files[name]))
    return "\n".join([*parts, f"<script>{_SCRIPT}</script></html>"])


def _grid(grid: Grid) -> str:
    rows = "".join(
        "<tr>" + "".join(f"<td>{html(text)}</td>" for text in row) + "</tr>" for row in grid.rows
    )
    notes = f"<p>{html(grid.notes)}</p>" if grid.notes else ""
    return f"<table>{rows}</table>{notes}"


def _read(table: ReadTable) -> str:
    heads: tuple[str, ...]
    if table.kind == "descriptive":
        heads = ("Mean", "Std. dev.", "Min", "Max", "N")
    else:
        heads = tuple(f"({c.id}) {' '.join(c.heads)}".strip() for c in table.columns)
    lines = ["<table><tr><th></th>", *(f"<th>{html(head)}</th>" for head in heads), "</tr>"]
    for row in table.rows:
        lines.append(f"<tr><td>{html(row.label or f'({row.role})')}</td>")
        lines += [_cell(row.cells.get(j)) for j in range(len(heads))]
        lines.append("</tr>")
        if row.below:
            lines.append("<tr><td></td>")
            lines += [_cell(row.below.get(j)) for j in range(len(heads))]
            lines.append("</tr>")
    return "".join([*lines, "</table>"])


def _cell(cell: ReadCell | None) -> str:
    if cell is None:
        return "<td></td>"
    if cell.confidence >= SURE:
        return f"<td>{html(cell.text)}</td>"
    look = "bad" if cell.confidence < 0.5 else "doubt"
    why = html(f"{cell.confidence:.0%} sure: {cell.why or 'check it'}")
    return f'<td class="{look}" title="{why}">{html(cell.text)}</td>'


def _editor(k: int, name: str, text: str) -> str:
    return (
        f"<textarea id='file{k}' spellcheck='false'>{html(text)}</textarea>"
        f"<p><button data-file='{html(name)}' data-area='file{k}'>Save {html(name)}</button></p>"
    )
