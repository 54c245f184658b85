"""All numbered tables of a report as LaTeX, by booktabs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bayesdid.escape import tex
from bayesdid.jsonio import write_text
from bayesdid.report.document.blocks import STAMP, Document, Table, stamped_blocks
from bayesdid.report.document.numbering import Place, cell_text, plain_text

_HEAD = r"""\documentclass[a4paper,9pt]{extarticle}
\usepackage[margin=15mm,landscape]{geometry}
\usepackage{booktabs,longtable,array,fontspec}
\setlength{\parindent}{0pt}
\begin{document}
\footnotesize
"""
_WIDE = 22  # letters of a cell, above which a column of text is broken into lines


def write_latex(documents: tuple[Document, ...], places: Mapping[str, Place], path: Path) -> None:
    """Write every table of some documents, with its number, caption and note.

    One document for XeLaTeX or LuaLaTeX, whose tables stand between comments with their numbers so
    that each can be taken out on its own. Drawings inside of cells are left out.
    """
    parts = [
        _table(block, places, stamped=stamped)
        for block, stamped in stamped_blocks(documents)
        if isinstance(block, Table)
    ]
    write_text(path, f"{_HEAD}{''.join(parts)}\\end{{document}}\n")


def _table(table: Table, places: Mapping[str, Place], *, stamped: bool) -> str:
    name, n = places[table.key].name, len(table.columns)
    rows = []
    for row in table.rows:
        said = [tex(cell_text(cell, places)) for cell in row]
        if len(row) == 1:
            rows.append(rf"\multicolumn{{{n}}}{{l}}{{\textbf{{{said[0]}}}}} \\")
        else:
            rows.append(" & ".join(said) + r" \\")
    head = " & ".join(rf"\textbf{{{tex(plain_text(c, places))}}}" for c in table.columns) + r" \\"
    caption = tex(plain_text(table.caption, places)) + (rf" \emph{{{STAMP}}}" if stamped else "")
    note = f"\n{tex(plain_text(table.note, places))}\n" if table.note else ""
    body = "\n".join(rows)
    return (
        f"\n% {name}\n\\textbf{{{tex(name)}.}} {caption}\n\n"
        f"\\begin{{longtable}}{{{_columns(table, places)}}}\n"
        f"\\toprule\n{head}\n\\midrule\n\\endhead\n{body}\n\\bottomrule\n\\end{{longtable}}\n{note}"
    )


def _columns(table: Table, places: Mapping[str, Place]) -> str:
    """Numbers to the right; text to the left, broken into lines where it is long."""
    wide = [
        k in table.text
        and any(len(cell_text(row[k], places)) > _WIDE for row in table.rows if len(row) > 1)
        for k in range(len(table.columns))
    ]
    share = min(1.0, 0.25 + 0.25 * sum(wide)) * 0.75 / max(sum(wide), 1)
    broken = rf">{{\raggedright\arraybackslash}}p{{{share:.2f}\linewidth}}"
    return "".join(
        broken if one else ("l" if k in table.text else "r") for k, one in enumerate(wide)
    )
