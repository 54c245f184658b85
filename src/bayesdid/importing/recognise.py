"""From a grid to a table: what kind it is, its panels, outcomes, legend, and what rows say."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bayesdid.audit.bounds import Bounds
from bayesdid.importing.crossed import uncrossed
from bayesdid.importing.grid import Grid
from bayesdid.importing.lay import Laid, lay
from bayesdid.importing.moments import are_correlations, moments_of
from bayesdid.importing.notes import (
    apart_below,
    errors_of,
    guessed_below,
    legend,
    stated_below,
    supposed,
)
from bayesdid.importing.numbers import (
    enumerator,
    has_decimal_commas,
    is_interval,
    what,
    with_points,
)
from bayesdid.importing.panels import panels
from bayesdid.importing.rows import read_rows
from bayesdid.importing.second import settled
from bayesdid.importing.sections import sectioned
from bayesdid.importing.suspect import suspect
from bayesdid.importing.table import ReadCell, ReadColumn, ReadRow, ReadTable
from bayesdid.importing.wide import narrow, turned
from bayesdid.importing.words import (
    OUTCOME,
    PANEL,
    SAMPLE,
    SAMPLES,
    SPECIFICATION,
    WIDE,
    both,
    heading,
    is_flag,
    is_measure,
)
from bayesdid.importing.wrapped import multiplied, unwrapped
from bayesdid.study.fields import ends
from bayesdid.study.printed import Printed
from bayesdid.study.schema import Below

_NUMBERED = re.compile(
    r"(?:\b(?:table(?:au)?|tab\.|tabelle|tab[el]la|cuadro)|表)\s*([A-Z]?\d{1,3})", re.IGNORECASE
)
_DEPENDENT = re.compile(
    r"(?:dependent|explained|outcome) variables?(?: in (?:all|each|every) \w+)?"
    r"(?: is| are|:|=|\s*-)?\s*(?:the )?"
    r"([^.;:()]{2,60})",
    re.IGNORECASE,
)


def recognise(grid: Grid, number: int) -> ReadTable:
    """What a table holds; its columns that were lost are still to be placed.

    Parameters
    ----------
    number
        Its number in the document, where its title states none.
    """
    grid = sectioned(multiplied(unwrapped(_noted(_parted(_with_points(grid))))))
    named = _NUMBERED.search(grid.title)
    name = f"table{named[1] if named else number}".replace(" ", "")
    descriptive = moments_of(grid)
    if descriptive is not None:
        return ReadTable(name, grid.title, grid.notes, "descriptive", [], descriptive)
    laid = lay(grid)
    if _are_moments(laid, f"{grid.title} {grid.notes}") or are_correlations(grid):
        return ReadTable(name, grid.title, grid.notes, "other", [], [])
    parts = panels(laid)
    columns: list[ReadColumn] = []
    rows: list[ReadRow] = []
    below: Below | None = None
    for letter, part in parts:
        before = len(columns)
        part = uncrossed(part)
        narrow(part)
        below = below or part.below
        read = turned(part, read_rows(part))
        columns += _lettered(part.columns, letter)
        rows += _shifted(read, before)
    table = ReadTable(name, grid.title, grid.notes, "regression", columns, rows)
    table.panels = frozenset(part.columns[0].heads[-1] for _, part in parts if len(parts) > 1)
    table.rows, doubt = settled(rows)
    table.doubts += [doubt] if doubt else []
    if not any(_is_result(row) for row in rows):
        table.kind = "other"
        return table
    _counted(table)
    _outcomes(table)
    _statements(table, below)
    suspect(table)
    return table


_COUNT = re.compile(r"[\s,;]*[(\[]?\b[nN] ?= ?(\d{1,3}(?:,\d{3})+|\d+)[)\]]?\s*$")


def _counted(table: ReadTable) -> None:
    """The n that headings such as ``Model 1 (n = 812)`` state, as a row where there is none."""
    counts: dict[int, ReadCell] = {}
    for j, column in enumerate(table.columns):
        found = next((m for head in column.heads if (m := _COUNT.search(head))), None)
        if found is None:
            continue
        counts[j] = ReadCell(found[1], "n", 0, j)
        column.heads = tuple(text for h in column.heads if (text := _COUNT.sub("", h).strip()))
    if counts and not any(row.role == "n" for row in table.rows):
        table.rows.append(ReadRow("n", "n", cells=counts))


def _with_points(grid: Grid) -> Grid:
    """A grid whose numbers have decimal commas, with points; its notes, too."""
    if not has_decimal_commas(text for row in grid.rows for text in row[1:]):
        return grid
    first = [with_points(row[0]) if what(row[0]) == "below" else row[0] for row in grid.rows]
    rows = tuple(
        (label, *map(with_points, row[1:])) for label, row in zip(first, grid.rows, strict=True)
    )
    return Grid(rows, grid.title, with_points(grid.notes), grid.loose)


def _parted(grid: Grid) -> Grid:
    """A grid whose rows of two numbers, ``R2 / adjusted R2`` with ``0.26 / 0.23``, are two rows."""
    rows: list[tuple[str, ...]] = []
    for row in grid.rows:
        parts = [text.split(" / ") if text else ["", ""] for text in row]
        pairs = all(len(part) == 2 for part in parts) and any(row[1:])
        numbers = all(what(text) in {"number", "empty"} for part in parts[1:] for text in part)
        rows += zip(*parts, strict=True) if pairs and numbers and row[0] else [row]
    return Grid(tuple(rows), grid.title, grid.notes, grid.loose)


_MOMENTS = re.compile(r"\(\s*(?:s\.?d\.?|std\.? dev\.?|standard deviation)\s*\)", re.IGNORECASE)


def _are_moments(laid: Laid, text: str) -> bool:
    """Whether headings say that brackets hold standard deviations: of means, not of estimates.

    Those of half of the columns at least: one of the means of controls may stand beside estimates.
    Where numbers have marks, or the text names errors in brackets, ``(SD)`` is a unit of outcomes.
    """
    if stated_below(text) or any(_is_marked(t) for line in laid.body for _, t in line.filled()):
        return False
    heads = [head for column in laid.columns for head in column.heads]
    measured = {both(head) or heading([head], WIDE)[0] for head in heads} - {"", "n"}
    of_means = [any(map(_MOMENTS.search, column.heads)) for column in laid.columns]
    return any(of_means) and 2 * sum(of_means) >= len(of_means) and not measured


def _is_marked(text: str) -> bool:
    return bool(re.search(r"\d[*+†‡#]+$", text.strip()))


_NOTE = re.compile(r"^(?:notes?|sources?)\s*[:.]?$|^注\s*:|p\s*<\s*0?\.\d", re.IGNORECASE)


_STATED = re.compile(r"^(?:dependent|outcome) variables?\s*[:=]\s*\S+(?:\s+\S+)+", re.IGNORECASE)


def _noted(grid: Grid) -> Grid:
    """The grid without rules drawn by characters, and with rows of notes among its notes."""
    rows, notes = [], grid.notes
    for row in grid.rows:
        texts = [text for text in dict.fromkeys(row) if text]
        ruled = [bool(re.fullmatch(r"[-=_─━]{3,}", text)) for text in texts]
        if all(ruled) or (len(ruled) > 1 and all(ruled[1:])):
            continue
        if texts and _STATED.match(texts[0]):
            notes = f"{notes} {' '.join(texts)}.".strip()
            continue
        if any(_NOTE.search(text) for text in texts) and not any(
            what(text) in {"number", "below"} for text in texts
        ):
            notes = f"{notes} {' '.join(texts)}".strip()
            continue
        rows.append(row)
    return Grid(tuple(rows), grid.title, notes, grid.loose)


def _is_result(row: ReadRow) -> bool:
    """Whether a row holds estimates with something below them, or with marks."""
    cells = [*row.cells.values(), *(cell for cell, _ in row.lost)]
    under = row.below or row.lost_below or any(below for _, below in row.lost)
    marked = any(_is_marked(cell.text) for cell in cells)
    return row.role == "estimate" and bool(under or marked)


def _lettered(columns: list[ReadColumn], letter: str) -> list[ReadColumn]:
    for column in columns:
        column.id = f"{letter}{column.id}"
    return columns


def _shifted(rows: list[ReadRow], by: int) -> list[ReadRow]:
    for row in rows:
        row.cells = {j + by: cell for j, cell in row.cells.items()}
        row.below = {j + by: cell for j, cell in row.below.items()}
        row.beside = {j + by: cells for j, cells in row.beside.items()}
        row.references = {j + by: text for j, text in row.references.items()}
    return rows


def _outcomes(table: ReadTable) -> None:
    """The outcome of each column: what its header names last, or what the title or notes say."""
    named = [*_DEPENDENT.finditer(f"{table.title}. {table.notes}")]
    said = named[0] if len({match[1] for match in named}) == 1 else None
    if said and re.search(r"\b(?:models?|columns?|panels?)\b", said[1]):
        said = None  # it has several
    if said and _ELSEWHERE.search(f"{table.title}. {table.notes}", said.start()):
        said = None  # named at the top of each column
    row = next(
        (r for r in table.rows if r.role == "label" and re.match(r"dep|outcome", r.label.lower())),
        None,
    )
    on = _EFFECT_ON.search(table.title)
    sections = {h for c in table.columns for h in c.heads if h in table.panels}
    models = _specifications(table.columns, sections, sampled=bool(SAMPLES.search(table.title)))
    shared = _over_all([_named(column, sections) for column in table.columns])
    for j, column in enumerate(table.columns):
        heads = _named(column, sections)
        if len(heads) > 1 and re.match(r"dependent variables?:?$", heads[0], re.IGNORECASE):
            column.heads = tuple(h for h in column.heads if h != heads[0])
            column.outcome = heads[1]
        heads = [re.sub(r"^dependent variables?:?\s*", "", h, flags=re.I) for h in heads]
        if column.outcome:
            continue
        if row is not None and j in row.cells:
            column.outcome = row.cells[j].text
        elif told := next((m for h in heads if (m := OUTCOME.match(h))), None):
            column.outcome = told[1].strip()
        elif said:
            column.outcome = said[1].strip()
        elif shared and heads[0] == shared:
            column.outcome = shared
        elif heads and heads[-1] not in models:
            column.outcome = re.sub(r"\s+I{1,3}V?$", "", heads[-1])
        elif upper := [h for h in heads[:-1] if h not in models and not _is_sample(h, table.title)]:
            column.outcome = upper[-1]
        elif sections:
            section = next(h for h in column.heads if h in sections)
            column.outcome = _unnumbered(section)
        elif on:
            column.outcome = on[1].strip()
    table.rows = [r for r in table.rows if r is not row]


_QUANTITY = re.compile(r"^(?:log|ln)\b|\b(?:rates?|per capita)\b", re.IGNORECASE)


def _over_all(heads: Sequence[list[str]]) -> str:
    """The one heading over all columns if it names a quantity, and none of those below does."""
    first = {one[0] if len(one) > 1 else "" for one in heads}
    over = first.pop() if len(first) == 1 else ""
    below = [text for one in heads for text in one[1:]]
    named = len(heads) > 1 and bool(_QUANTITY.search(over))
    return over if named and not any(map(_QUANTITY.search, below)) else ""


_ELSEWHERE = re.compile(
    r"\b(?:dependent|explained|outcome) variables?\b[^.;]*\b(?:named|listed|given|shown|indicated|"
    r"headings?|(?:at|on) the top|in the (?:first|top) row)\b",
    re.IGNORECASE,
)
_EFFECT_ON = re.compile(
    r"\b(?:effects?|impacts?)\b(?: of [^:;]+?)? on (?:the )?((?:vs\.|\d\.(?=\d)|[^:;.(),]){2,60})",
    re.IGNORECASE,
)


def _is_sample(head: str, title: str) -> bool:
    """Whether a heading above others says how columns were estimated, or by what they are split.

    It is no outcome where the title names one (`effects on wages`) and has no word of it.
    """
    words = re.findall(r"\w{3,}", head.lower())
    other = bool(_EFFECT_ON.search(title)) and not any(word in title.lower() for word in words)
    return other or bool(SPECIFICATION.search(head))


def _unnumbered(section: str) -> str:
    """The heading of a panel without its letter."""
    parts = [PANEL.sub("", part).strip() for part in section.split(": ")]
    return ": ".join(part for part in parts if part) or section


def _named(column: ReadColumn, sections: set[str]) -> list[str]:
    """What a header says of a column, without its number, its panel and units in brackets."""
    heads = [h for h in column.heads if not enumerator(h) and h not in sections]
    heads = [h for h in heads if h != column.model]
    heads = [h for h in heads if not is_measure(h)]
    return [h for h in heads if not h.startswith("(")] or heads


def _specifications(
    columns: Sequence[ReadColumn], sections: set[str], *, sampled: bool
) -> set[str]:
    """Headings that name how columns were estimated: at least half of them have words for that.

    Where the title says that columns are samples (`sampled`), all headings name those.
    """
    named = [heads[-1] for column in columns if (heads := _named(column, sections))]
    found = {head for head in named if SPECIFICATION.search(head)}
    samples = {head for head in named if SAMPLE.match(head.strip())}
    if sampled or (len(samples) > 1 and 2 * len(samples) > len(set(named))):
        return set(named)
    if sum(head in found for head in named) * 2 < len(named):
        return set()
    return set(named) if _are_crossed(columns, sections) else found


def _are_crossed(columns: Sequence[ReadColumn], sections: set[str]) -> bool:
    """Whether each of several upper headings has the same lower ones, more than one, below it."""
    below: dict[tuple[str, ...], list[str]] = {}
    for column in columns:
        heads = _named(column, sections)
        if len(heads) > 1:
            below.setdefault(tuple(heads[:-1]), []).append(heads[-1])
    lists = list(below.values())
    return len(lists) > 1 and len(lists[0]) > 1 and all(one == lists[0] for one in lists)


def _statements(table: ReadTable, headed: Below | None) -> None:
    """Legend, brackets and errors as heading or notes state them, else as the numbers suggest."""
    for row in [r for r in table.rows if r.role == "label"]:
        for j, cell in row.cells.items():
            if row.label and j < len(table.columns):
                table.columns[j].labels[row.label] = _flag(cell.text)
    text = f"{table.title} {table.notes}"
    said = {j for j, column in enumerate(table.columns) if _says_ratios(column)}
    table.stars = legend(text)
    table.se_kind = errors_of(f"{text} {_errors_row(table)}")
    for row in table.rows:
        if row.role == "clusters" and not _is_clustered_by(row.label, text):
            row.role = "statistic"
    # what stands below is told by other columns than those of ratios, if there are any
    ratios = said if len(said) < len(table.columns) else set()
    pairs = _pairs(table, ratios)
    stated = stated_below(text)
    guessed = guessed_below(pairs, table.stars)
    if stated == "se" and guessed == "t" and any(_is_negative(below) for _, below in pairs):
        table.doubts.append("the notes say standard errors, but some are negative: read as t")
        stated = None
    if headed is not None:
        table.in_parentheses, table.in_parentheses_why = headed, "its heading says so"
    elif stated is not None and (guessed == "interval") == (stated == "interval"):
        table.in_parentheses, table.in_parentheses_why = stated, "the notes say so"
    else:
        table.in_parentheses = guessed
        table.in_parentheses_why = "" if guessed != "interval" else "two numbers in brackets"
    told = apart_below(table, text)
    for j, column in enumerate(table.columns):
        column.below = told.get(j)
    if _RATIOS.search(f"{text} {' '.join(h for c in table.columns for h in c.heads)}"):
        _as_ratios(table)
    elif not any(c.ratio for c in table.columns) and _are_ratios_by_intervals(table):
        _as_ratios(table)
        table.doubts.append(
            "no word says that these are ratios: estimates lie in the middle of their intervals in "
            "logarithms, not as they are"
        )
    of_ratios = any(column.ratio for j, column in enumerate(table.columns) if j not in ratios)
    table.supposed = supposed(pairs, table.in_parentheses, ratios=of_ratios)
    for j, column in enumerate(table.columns):
        column.ratio = column.ratio or (j in said and _may_be_ratios(table, j))


def _pairs(table: ReadTable, without: set[int]) -> list[tuple[str, str]]:
    """Estimates and what stands below them, but for some columns."""
    estimates = [row for row in table.rows if row.role == "estimate"]
    pairs = [
        (row.cells[j].text, row.below[j].text)
        for row in estimates
        for j in row.below
        if j in row.cells and j not in without
    ]
    lost = (pair for row in estimates for pair in row.lost)
    return pairs + [(cell.text, below.text) for cell, below in lost if below is not None]


def _is_negative(text: str) -> bool:
    """Whether a text in brackets is one number below zero."""
    return what(text) == "below" and not is_interval(text) and float(Printed.parse(text)) < 0


def _is_clustered_by(label: str, text: str) -> bool:
    """Whether a number of units is one of clusters: its label or the notes call them so."""
    low = label.lower()
    if "cluster" in low:
        return True
    found = re.search(r"cluster\w*[^.;]{0,60}", text.lower())
    words = [re.sub(r"ies$|y$|s$", "", word) for word in re.findall(r"[a-z]{4,}", low)]
    return found is not None and any(
        word in found[0] for word in words if word not in {"number", "group", "unit"}
    )


_RATIOS = re.compile(
    r"\b(?:odds|hazards?|incidence rate|risk|prevalence)[ -]ratios?\b", re.IGNORECASE
)


def _are_ratios_by_intervals(table: ReadTable) -> bool:
    """Whether estimates are the geometric means of the ends of their intervals, not the means."""
    linear = logs = 0
    for row in table.rows:
        for j, cell in row.cells.items() if row.role == "estimate" else ():
            beside = row.beside.get(j, {}).get("interval", row.below.get(j))
            if beside is None or not is_interval(beside.text) or what(cell.text) != "number":
                continue
            low, high = (Bounds.of(end) for end in ends(beside.text))
            estimate, half = Bounds.of(cell.text), Bounds.exactly(0.5)
            if low.low <= 0 or estimate.low <= 0:
                return False
            mean, square = (low + high) * half, low * high
            linear += estimate.distance(mean) == 0.0 and estimate.square().distance(square) > 0.0
            logs += estimate.distance(mean) > 0.0 and estimate.square().distance(square) == 0.0
    return logs >= _TELLING and logs > 9 * linear


_TELLING = 3  # estimates that one reading of their intervals allows and the other does not


def _as_ratios(table: ReadTable) -> None:
    """Columns of a table that says it prints ratios, where all of its estimates can be some."""
    for j, column in enumerate(table.columns):
        column.ratio = column.ratio or _may_be_ratios(table, j)


def _may_be_ratios(table: ReadTable, j: int) -> bool:
    """Whether all estimates of a column, of two at least, are above zero."""
    cells = [r.cells[j].text for r in table.rows if r.role == "estimate" and j in r.cells]
    values = [float(Printed.parse(text)) for text in cells if what(text) == "number"]
    return len(values) > 1 and min(values) > 0


_ABBREVIATED = re.compile(
    r"(?:\(|(?i:logit|logistic|poisson|cox|binomial|adjusted|crude)[ ,:]+)"
    r"(?:OR|HR|IRR|RRR)s?\b"
)  # not OR alone, which is also a state


def _says_ratios(column: ReadColumn) -> bool:
    """Whether the heading of one column or a row such as ``Estimator: Logit OR`` names ratios."""
    texts = (*column.heads, *column.labels.values())
    return any(_RATIOS.search(text) or _ABBREVIATED.search(text) for text in texts)


def _errors_row(table: ReadTable) -> str:
    """What a row says of the standard errors: ``Std.Errors | by: state``, ``S.E.: Clustered``."""
    for row in table.rows:
        if row.role == "label" and re.match(r"s\.e\.|st(?:d|andard)[ .-]*err", row.label.lower()):
            said = " ".join({cell.text for cell in row.cells.values()})
            return f"{row.label} {re.sub(r'by: ?', 'clustered by ', said)}"
    return ""


def _flag(text: str) -> str:
    return {"yes": "Yes", "no": "No"}.get(what(text), text)


def flags(table: ReadTable) -> list[ReadRow]:
    """Rows that say what columns contain."""
    return [row for row in table.rows if row.role == "label" and is_flag(row.label)]
