"""Several fits side by side, as papers print regressions: Markdown, LaTeX, HTML or Word."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, get_args

from bayesdid.escape import html, markdown, tex
from bayesdid.exceptions import InputError
from bayesdid.extras import extra
from bayesdid.files import replacing
from bayesdid.inference.result import Fit
from bayesdid.jsonio import write_text
from bayesdid.report.text import estimate, interval
from bayesdid.summary import percent

Format = Literal["md", "tex", "html", "docx"]
_BELOW = {
    "Likelihood": "likelihood",
    "Errors": "errors",
    "Effects": "effects",
    "Priors": "prior_choice",
    "Rows": "n",
    "Units": "units",
    "Periods": "periods",
}


def etable(
    fits: Fit | Sequence[Fit] | Mapping[str, Fit],
    type: Format = "md",  # noqa: A002  the name that fixest and pyfixest have
    *,
    places: int = 3,
    level: float | None = None,
    file: str | Path | None = None,
) -> str:
    """A column for each fit, a row for each coefficient, no stars.

    Parameters
    ----------
    fits
        In the order of the columns; a mapping names them.
    type
        ``md``, ``tex``, ``html`` or ``docx``.
    places
        Decimal places.
    level
        Of the highest-density intervals; default that of every summary.
    file
        Where it is written; ``docx`` needs one.

    Returns
    -------
    str
        Posterior mean and sd, the interval below; then what was fitted, to how many rows. Of
        ``docx`` the path of the file.

    Raises
    ------
    InputError
        For another format, no fit, or Word without a file.
    """
    if type not in get_args(Format):
        raise InputError("unknown format", value=type, remedy=f"use {', '.join(get_args(Format))}")
    single = [fits] if isinstance(fits, Fit) else fits
    named = [*single.items()] if isinstance(single, Mapping) else [("", fit) for fit in single]
    if not named:
        raise InputError("no fit to make a table of", remedy="give at least one")
    head = ["", *(name or f"({k})" for k, (name, _) in enumerate(named, 1))]
    found = [fit for _, fit in named]
    body = [["Outcome", *(str(fit.tree.attrs["outcome"]) for fit in found)]]
    body += _coefficients(found, places, level)
    body += [[label, *(str(f.tree.attrs[key]) for f in found)] for label, key in _BELOW.items()]
    if any(weighted := [_weights(fit) for fit in found]):
        body.append(["Weights", *(name or "none" for name in weighted)])
    notes = [f"Posterior mean (sd); {percent(level)} highest-density interval below."]
    notes += [
        f"Synthetic panel: {text}."
        for text in dict.fromkeys(f.synthetic for f in found if f.synthetic)
    ]
    notes += [
        f"{name}: {fit.not_converged}."
        for name, fit in zip(head[1:], found, strict=True)
        if not fit.converged
    ]
    if type == "docx":
        return _docx(head, body, notes, file)
    text = {"md": _md, "tex": _tex, "html": _html}[type](head, body, notes)
    if file is not None:
        write_text(Path(file), text)
    return text


def _coefficients(fits: Sequence[Fit], places: int, level: float | None) -> list[list[str]]:
    """Two rows for each term, in the order in which the fits have them."""
    tables = [fit.tidy(level) for fit in fits]
    rows = []
    for term in dict.fromkeys(term for table in tables for term in table.index):
        first, second = [str(term)], [""]
        for fit, table in zip(fits, tables, strict=True):
            if term not in table.index:
                cells = ("", "")
            elif not fit.converged:
                cells = ("not converged", "")
            else:
                row = table.loc[term]
                cells = (
                    estimate(row["mean"], row["sd"], places),
                    interval((row["low"], row["high"]), places),
                )
            first.append(cells[0])
            second.append(cells[1])
        rows += [first, second]
    return rows


def _weights(fit: Fit) -> str:
    """Column and kind of a fit's weights, ``pop (analytic)``; empty without."""
    for _, _, text in json.loads(fit.tree.attrs["notes"]):
        if found := re.match(r"(analytic|frequency) weights (.+?): ", text):
            return f"{found[2]} ({found[1]})"
    return "analytic" if fit.tree.attrs.get("weighted", 0) else ""


def _md(head: list[str], body: list[list[str]], notes: list[str]) -> str:
    def line(cells: list[str]) -> str:
        return f"| {' | '.join(map(markdown, cells))} |"

    rule = "|---" + "|---:" * (len(head) - 1) + "|"
    return "\n".join([line(head), rule, *map(line, body), "", *map(markdown, notes)]) + "\n"


def _tex(head: list[str], body: list[list[str]], notes: list[str]) -> str:
    lines = [" & ".join(map(tex, cells)) + r" \\" for cells in (head, *body)]
    below = [rf"\multicolumn{{{len(head)}}}{{l}}{{\emph{{{tex(note)}}}}} \\" for note in notes]
    parts = [rf"\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}", r"\hline", lines[0], r"\hline"]
    return "\n".join([*parts, *lines[1:], r"\hline", *below, r"\end{tabular}"]) + "\n"


def _docx(head: list[str], body: list[list[str]], notes: list[str], file: str | Path | None) -> str:
    if file is None:
        raise InputError("a Word table needs a file", remedy='give file="table.docx"')
    with extra("report"):
        import docx
    document = docx.Document()
    table = document.add_table(rows=0, cols=len(head), style="Light List")
    for cells in (head, *body):
        for cell, text in zip(table.add_row().cells, cells, strict=True):
            cell.text = text
    for note in notes:
        document.add_paragraph(note)
    with replacing(Path(file)) as part:
        document.save(str(part))
    return str(file)


def _html(head: list[str], body: list[list[str]], notes: list[str]) -> str:
    def row(cells: list[str], tag: str) -> str:
        inner = "".join(f"<{tag}>{html(cell)}</{tag}>" for cell in cells[1:])
        return f"<tr><th>{html(cells[0])}</th>{inner}</tr>"

    rows = "\n".join(row(cells, "td") for cells in body)
    below = " ".join(map(html, notes))
    return (
        f"<table>\n<thead>{row(head, 'th')}</thead>\n<tbody>\n{rows}\n</tbody>\n"
        f"<caption>{below}</caption>\n</table>\n"
    )
