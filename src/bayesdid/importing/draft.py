"""What was understood as the text of study files, with a comment at everything that is doubtful."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass

from bayesdid.importing.names import CONSTANT, Names, slug
from bayesdid.importing.notes import DEFAULT_STARS, OTHER_STARS
from bayesdid.importing.numbers import is_interval
from bayesdid.importing.table import SURE, ReadCell, ReadRow, ReadTable
from bayesdid.importing.words import INTERACTED, PERIOD_EFFECTS, UNIT_EFFECTS, r2_kind_of
from bayesdid.study.cells import LAG
from bayesdid.study.printed import Printed

_LEVELS = {
    **DEFAULT_STARS,
    "****": 0.001,
    "+": 0.10,
    "†": 0.10,
    "#": 0.10,
    "a": 0.01,
    "b": 0.05,
    "c": 0.10,
    "‡": 0.05,
    "^": 0.10,
    "d": 0.10,
    "§": 0.05,
    "¶": 0.01,
}
MOMENTS = ("mean", "sd", "min", "max", "n")


def quoted(value: str) -> str:
    """A string of TOML."""
    kept = "".join(c if c.isprintable() else " " for c in value)
    return json.dumps(kept, ensure_ascii=False)


def comment(text: str) -> str:
    """Text of a comment: one line without control characters."""
    return "".join(c if c.isprintable() else " " for c in " ".join(text.split()))


@dataclass(frozen=True, slots=True)
class Placed:
    """A printed number and the reference by which the study knows it.

    Attributes
    ----------
    ref
        ``table2.5:Dual_policy`` or ``table2.5:Dual_policy.se``.
    label
        Its row, as printed.
    """

    ref: str
    label: str
    column: str
    cell: ReadCell


def cells_of(table: ReadTable, names: Names) -> list[Placed]:
    """Every number of a table with its reference, as the draft has them."""
    found: list[Placed] = []
    if table.kind == "descriptive":
        for row in table.rows:
            for j, cell in row.cells.items():
                if j < len(MOMENTS):
                    ref = f"{table.id}:{names.column(row.label)}.{MOMENTS[j]}"
                    found.append(Placed(ref, row.label, MOMENTS[j], cell))
        return found
    for j, column in enumerate(table.columns):
        for key, row in keyed(table, names, j):
            cell, below = row.cells[j], row.below.get(j)
            spec = f"{table.id}.{column.id}"
            found.append(Placed(f"{spec}:{key}", row.label, column.id, cell))
            if below is not None:
                found.append(Placed(f"{spec}:{key}.se", row.label, column.id, below))
            found += [
                Placed(f"{spec}:{key}.{kind}", row.label, column.id, other)
                for kind, other in row.beside.get(j, {}).items()
            ]
    return found


def keyed(table: ReadTable, names: Names, j: int) -> list[tuple[str, ReadRow]]:
    """Rows that have a number in a column, with the names that they are referred to by."""
    found: list[tuple[str, ReadRow]] = []
    used: Counter[str] = Counter()
    n = r2 = False
    for row in table.rows:
        if j not in row.cells or row.role in {"label", "moment"}:
            continue
        if not _is_printed(row.cells[j].text):
            continue
        if row.role == "n" and not n:
            key, n = "n", True
        elif row.role == "r2" and not r2:
            key, r2 = "r2", True
        elif row.role == "estimate":
            key = _estimate_key(row, table, names)
        else:
            key = _statistic_key(row)
        used[key] += 1
        found.append((key if used[key] == 1 else f"{key}_{used[key]}", row))
    return found


def _statistic_key(row: ReadRow) -> str:
    """The name of a number below a column; those that rules of the audit know have one name."""
    low = row.label.lower()
    if row.role == "r2" and (kind := r2_kind_of(row.label)):
        return f"r2_{kind}"
    if re.search(r"\brmse\b|^root mse|^residual std", low):
        return "rmse"
    name = slug(row.label or row.role)
    return name if name[0].isascii() else f"x_{name}"


_OF_TERM = re.compile(r"(?:average )?(?:in)?(?:direct|total)\s*:\s*(\S.*)", re.IGNORECASE)


def _estimate_key(row: ReadRow, table: ReadTable, names: Names) -> str:
    match row.part:
        case "lag":
            return f"{LAG}{names.term(row.label)}"
        case "direct" | "indirect" | "total":
            of = _OF_TERM.match(row.label.strip())  # Direct: did
            term = names.term(of[1]) if of else _first_term(table, names)
            return f"{term}.{row.part}"
        case "scalar":
            low = row.label.lower()
            return "rho" if re.search("rho|ρ", low) else "sigma2" if "sig" in low else slug(low)
    return names.term(row.label)


def _first_term(table: ReadTable, names: Names) -> str:
    rows = [r for r in table.rows if r.role == "estimate" and r.part == "coefficient"]
    return names.term(rows[0].label) if rows else "treatment"


def _is_printed(text: str) -> bool:
    try:
        return not Printed.parse(text).bound
    except ValueError:
        return False


def _is_bound(text: str) -> bool:
    """Whether a text is a bound, which only a p-value is: ``<.001``."""
    try:
        return bool(Printed.parse(text).bound)
    except ValueError:
        return False


def table_text(table: ReadTable, names: Names, largest_n: str = "") -> str:
    """One table's file."""
    lines = [f"# {comment(doubt)}" for doubt in table.doubts]
    lines += [f"# {other.probability:.0%}: {comment(other.text)}" for other in table.alternatives]
    lines += [
        f"id = {quoted(table.id)}",
        f"title = {quoted(table.title or table.id)}",
        f"place = {quoted(_place(table))}",
        f"kind = {quoted(table.kind)}",
    ]
    if table.notes:
        lines.append(f"note = {quoted(table.notes)}")
    if table.kind == "descriptive":
        return "\n".join([*lines, *_moments(table, names, largest_n)]) + "\n"
    lines += _printing(table)
    told = [_told(table, names, j) for j in range(len(table.columns))]
    for j in range(len(table.columns)):
        alike = [c.id for k, c in enumerate(table.columns) if k != j and told[k] == told[j]]
        lines += ["", *_column(table, names, j, alike)]
    return "\n".join(lines) + "\n"


def _told(table: ReadTable, names: Names, j: int) -> tuple[object, ...]:
    """All that the table tells of a column beside its numbers, and n."""
    column = table.columns[j]
    rows = keyed(table, names, j)
    terms = frozenset(k for k, row in rows if row.role == "estimate")
    n = next((row.cells[j].text for k, row in rows if k == "n"), "")
    return column.outcome, column.heads, str(column.labels), terms, n


def _place(table: ReadTable) -> str:
    number = table.id.removeprefix("table")
    return f"Table {number}"


def _printing(table: ReadTable) -> list[str]:
    lines: list[str] = []
    marks = {mark for row in table.rows for cell in row.cells.values() if (mark := _mark(cell))}
    marks |= {mark for row in table.rows for cell in row.below.values() if (mark := _mark(cell))}
    stars = dict(table.stars or {})
    unknown = sorted(marks - set(stars))
    if table.stars is None and marks <= {*DEFAULT_STARS, *table.supposed}:
        if marks:
            said = {
                mark: f"{level:.1%}".replace(".0", "") for mark, level in table.supposed.items()
            }
            levels = ", ".join(f"{mark} {level}" for mark, level in said.items())
            lines.append(f"# no legend was found: {levels} are supposed")
        if marks and table.supposed != DEFAULT_STARS:
            lines[-1] += ", which fit the marks best"
            items = ", ".join(f"{quoted(m)} = {x:g}" for m, x in table.supposed.items())
            lines.append(f"stars = {{ {items} }}")
    elif marks or table.stars:
        if unknown:
            lines.append(f"# the notes give no level for {comment(', '.join(unknown))}: supposed")
        stars |= {mark: _supposed(mark, stars) for mark in unknown}
        items = ", ".join(f"{quoted(mark)} = {level:g}" for mark, level in stars.items())
        lines.append(f"stars = {{ {items} }}")
    if table.in_parentheses != "se" or table.in_parentheses_why:
        why = table.in_parentheses_why or "it fits the marks best"
        lines.append(f'in_parentheses = "{table.in_parentheses}"  # {comment(why)}')
    else:
        lines.append("# in brackets: standard errors are supposed; nothing says so")
    if table.se_kind != "unknown":
        lines.append(f'se_kind = "{table.se_kind}"')
    return lines


CLAIMS_NOTHING = 0.99  # the level of a mark that notes with a legend leave out


def _supposed(mark: str, stated: dict[str, float]) -> float:
    """The level of a mark that the notes do not give.

    Where they give those of others, more stars than any of these mean no more than the most do;
    fewer mean what they do in the usual legend that the stated levels are of; anything else may
    mean anything. Where they give none, what a mark usually means.
    """
    if not stated:
        return _LEVELS.get(mark, 0.10)
    stars = {m: level for m, level in stated.items() if set(m) == {"*"}}
    if set(mark) != {"*"} or not stars:
        return CLAIMS_NOTHING
    if len(mark) > max(map(len, stars)):
        return min(stars.values())
    legends = [one for one in (DEFAULT_STARS, OTHER_STARS) if stars.items() <= one.items()]
    return legends[0].get(mark, CLAIMS_NOTHING) if legends else CLAIMS_NOTHING


def _mark(cell: ReadCell) -> str:
    try:
        return Printed.parse(cell.text).mark
    except ValueError:
        return ""


def _moments(table: ReadTable, names: Names, largest_n: str) -> list[str]:
    lines = []
    if largest_n:
        lines.append(
            f"# n = {quoted(largest_n)}  # the largest printed: if the moments are of its rows"
        )
    for row in table.rows:
        cells = {MOMENTS[j]: c for j, c in row.cells.items() if j < len(MOMENTS)}
        lines += ["", "[[moments]]", f"column = {quoted(names.column(row.label))}"]
        lines += [f"{name} = {quoted(c.text)}{_doubt(c)}" for name, c in cells.items()]
    return lines


def _doubt(*cells: ReadCell | None) -> str:
    known = [cell for cell in cells if cell is not None]
    if not known:
        return ""
    least = min(known, key=lambda cell: cell.confidence)
    if least.confidence >= SURE:
        return ""
    return f"  # {least.confidence:.0%} sure: {comment(least.why or 'check it')}"


def _column(table: ReadTable, names: Names, j: int, alike: list[str]) -> list[str]:
    column = table.columns[j]
    rows = keyed(table, names, j)
    terms = [k for k, r in rows if r.role == "estimate" and r.part == "coefficient"]
    terms = [k for k in terms if k != CONSTANT]
    two_way, labels = _effects(column.labels)
    if column.heads and column.heads != (column.outcome,):
        labels = {**labels, "Header": ", ".join(column.heads)}
    spatial = any(row.part == "lag" for _, row in rows)
    lines = ["[[column]]", f"id = {quoted(column.id)}"]
    if column.heads:
        lines.append(f"label = {quoted(', '.join(column.heads))}")
    outcome = names.column(column.outcome) if column.outcome else "outcome"
    lines.append(f"outcome = {quoted(outcome)}" + ("" if column.outcome else "  # not found"))
    if not two_way or spatial:
        lines.append('family = "other"  # audited, not run: see bayesdid families')
    if terms:
        lines.append(f"treatments = [{quoted(terms[0])}]  # the first row: change it if it is not")
        if terms[1:]:
            lines.append(f"covariates = [{', '.join(map(quoted, terms[1:]))}]")
    if column.below:
        lines.append(f'in_parentheses = "{column.below}"  # not what the other columns hold')
    if column.ratio:
        lines.append('printed_as = "ratio"  # tested against 1')
    if labels:
        items = ", ".join(f"{quoted(k)} = {quoted(v)}" for k, v in labels.items())
        lines.append(f"labels = {{ {items} }}")
    if alike:
        lines.append(f'rows = "differ"  # nothing tells it from column {comment(", ".join(alike))}')
    clusters = _clusters(rows)
    for key, row in rows:
        if key in {"n", "r2"} and row.role == key:
            lines.append(f"{key} = {quoted(row.cells[j].text)}{_doubt(row.cells[j])}")
        elif row is clusters and _whole(row.cells[j].text) >= 2:
            lines.append(f"clusters = {_whole(row.cells[j].text)}")
    kind = _r2_kind(rows)
    if kind:
        lines.append(f'r2_kind = "{kind}"')
    lines += _cells(rows, j)
    return lines


def _effects(labels: dict[str, str]) -> tuple[bool, dict[str, str]]:
    """Whether rows say that there are effects of units and of periods; the other labels."""
    yes = [k for k, v in labels.items() if v == "Yes"]
    unit = [k for k in yes if UNIT_EFFECTS.search(k) and not PERIOD_EFFECTS.search(k)]
    period = [k for k in yes if PERIOD_EFFECTS.search(k) and not UNIT_EFFECTS.search(k)]
    both = [k for k in yes if UNIT_EFFECTS.search(k) and PERIOD_EFFECTS.search(k)]
    both += [k for k in yes if INTERACTED.search(k)]
    slopes = [k for k in yes if k in both or re.search("trend|slope", k, re.IGNORECASE)]
    unit, period = ([k for k in one if k not in both] for one in (unit, period))
    if len(unit) == 1 and len(period) == 1 and not slopes:
        return True, {k: v for k, v in labels.items() if k not in {*unit, *period}}
    return False, labels


def _whole(text: str) -> int:
    try:
        return int(Printed.parse(text).value)
    except ValueError:
        return 0


def _r2_kind(rows: list[tuple[str, ReadRow]]) -> str:
    return r2_kind_of(next((r.label for k, r in rows if k == "r2"), ""))


def _clusters(rows: list[tuple[str, ReadRow]]) -> ReadRow | None:
    """The row that counts clusters: the first of several."""
    return next((row for _, row in rows if row.role == "clusters"), None)


def _cells(rows: list[tuple[str, ReadRow]], j: int) -> list[str]:
    groups: dict[str, list[str]] = {"coefficients": [], "spatial_lags": [], "scalars": []}
    impacts: dict[str, list[str]] = {}
    statistics: list[str] = []
    clusters = _clusters(rows)
    for key, row in rows:
        cell, below = row.cells[j], row.below.get(j)
        value = _cell(cell, below, row.beside.get(j, {}))
        doubt = _doubt(cell, below)
        if row.role == "estimate" and row.part in {"direct", "indirect", "total"}:
            term = key.rpartition(".")[0]
            impacts.setdefault(term, []).append(f"{row.part} = {value}{doubt}")
        elif row.role == "estimate":
            group = {"lag": "spatial_lags", "scalar": "scalars"}.get(row.part, "coefficients")
            groups[group].append(f"{quoted(key.removeprefix('W:'))} = {value}{doubt}")
        elif key not in {"n", "r2"} and row is not clusters:
            statistics += [
                "",
                "[[column.statistic]]",
                f"name = {quoted(key)}",
                f"value = {quoted(cell.text)}{doubt}",
                f"label = {quoted(row.label)}",
                *([f"reference = {quoted(row.references[j])}"] if j in row.references else []),
            ]
    lines: list[str] = []
    for group, items in groups.items():
        if items:
            lines += [f"[column.{group}]", *items]
    for term, items in impacts.items():
        lines += [f"[column.impacts.{quoted(term)}]", *items]
    return lines + statistics


def _cell(cell: ReadCell, below: ReadCell | None, beside: dict[str, ReadCell]) -> str:
    more = "".join(f", {kind} = {quoted(other.text)}" for kind, other in beside.items())
    if below is None or not (_is_printed(below.text) or is_interval(below.text)):
        if below is not None and "p" not in beside and _is_bound(below.text):
            more = f", p = {quoted(below.text.strip('()[]'))}{more}"
        return f"{{ estimate = {quoted(cell.text)}{more} }}"
    text = below.text if is_interval(below.text) else below.text.strip("()[]")
    return f"{{ estimate = {quoted(cell.text)}, parentheses = {quoted(text)}{more} }}"


def study_text(tables: list[ReadTable], names: Names, folder: str, source: str, title: str) -> str:
    """``study.toml`` of a draft; call it last, for it lists the variables of all tables."""
    outcomes = Counter(c.outcome for t in tables for c in t.columns if c.outcome)
    known = outcomes.most_common(1)
    outcome = names.column(known[0][0]) if known else "outcome"
    label = known[0][0] if known else "outcome"
    lines = [
        f"# Made by bayesdid import from {comment(source)}. Every line is a proposal: change it.",
        "# What is not certain has a comment; import.html shows the tables beside what was read.",
        "schema_version = 1",
        "",
        "[study]",
        f"id = {quoted(re.sub(r'[^A-Za-z0-9_]', '_', folder) or 'study')}",
        f"title = {quoted(title or folder)}",
        f"citation = {quoted(title or source)}  # complete it",
        "",
        "[outcome]",
        f"column = {quoted(outcome)}",
        f"label = {quoted(label)}",
        f"unit = {quoted(f'units of {label}')}  # say which",
        'better = "lower"  # or "higher": the direction in which the policies are meant to move it',
        "",
        "[panel]  # units, first_period and last_period let the audit check n",
        'unit = "unit"',
        'period = "period"',
    ]
    for name, labels in names.printed.items():
        lines += ["", "[[variable]]", f"column = {quoted(name)}", f"label = {quoted(labels[0])}"]
        lines.append(f"printed = [{', '.join(map(quoted, labels))}]")
    return "\n".join(lines) + "\n"
