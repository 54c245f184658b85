"""Tables that print errors, t, p or intervals in columns beside estimates, and models as rows."""

from __future__ import annotations

import re
from dataclasses import replace

from bayesdid.importing.lay import Laid, Line
from bayesdid.importing.numbers import is_interval, tidy, what
from bayesdid.importing.table import ReadColumn, ReadRow, Role
from bayesdid.importing.words import (
    DESCRIPTIVE,
    MODELS,
    PANEL,
    WIDE,
    both,
    heading,
    is_measure,
    is_ratio,
    is_standardised,
    role_of,
)
from bayesdid.study.printed import Printed
from bayesdid.study.schema import Below

_KINDS: tuple[Below, ...] = ("se", "t", "interval", "p")


_FEWEST = 2  # brackets of a column of them


def _unheaded(laid: Laid) -> None:
    """Columns that hold brackets only become lines below those before.

    Both have one heading, or just one of them has any.
    """
    body, beside, most = laid.body, list[int](), 0
    for j in range(1, len(laid.columns)):
        own = [line.texts[j] for line in body if what(line.texts[j]) != "empty"]
        left = [line.texts[j - 1] for line in body if what(line.texts[j]) != "empty"]
        heads = {laid.columns[k].heads for k in (j - 1, j)} - {()}
        alike = len(heads) < 2 and j - 1 not in beside
        if alike and own and all(what(text) == "below" for text in own):
            beside += [j] if all(what(text) == "number" for text in left) else []
            most = max(most, len(own))
    if not beside or most < _FEWEST or laid.collapsed:
        return
    kept = [j for j in range(len(laid.columns)) if j not in beside]
    laid.body = []
    for line in body:
        under = [line.texts[j + 1] if j + 1 in beside else "" for j in kept]
        laid.body.append(replace(line, texts=[line.texts[j] for j in kept]))
        if any(under):
            laid.body.append(Line(line.index, "", under, line.lost))
    columns = laid.columns
    places = [j + (not columns[j].heads and j + 1 in beside) for j in kept]
    laid.columns = [replace(columns[j], id=str(k)) for k, j in enumerate(places, 1)]


def narrow(laid: Laid) -> None:
    """Columns 'Coef.', 'S.E.', 't' side by side become estimates with lines below them.

    What stands below is what a heading such as 'OR (95% CI)' says of the line below, else the first
    of standard error, t, interval and p that there is; the others are lines of their kind, or of
    their heading, as of standardised coefficients. Two columns of ends are one interval; n of a row
    is a line, too.
    """
    _unheaded(laid)
    kinds = _kinds(laid.columns)
    told = {both(head) for c in laid.columns for head in c.heads} - {""}
    if "estimate" not in kinds or not (told or set(kinds) & {*_KINDS, "low", "high"}):
        return
    laid.below = laid.below or next((kind for kind in _KINDS if kind in told), None)
    starts = [j for j, kind in enumerate(kinds) if kind == "estimate"]
    spans = list(zip(starts, [*starts[1:], len(kinds)], strict=True))
    stacked = bool(told) or ("se" not in kinds and any(_is_under(x, starts) for x in laid.body))
    first = laid.below or (None if stacked else _first_of(kinds))
    before = kinds[: starts[0]]
    n_before = before.index("n") if "n" in before and len(starts) == 1 else None
    body: list[Line] = []
    lines = list(laid.body)
    heads = {j: column.heads for j, column in enumerate(laid.columns)}
    groups = ""  # what the columns are of below a line of headings among the numbers
    while lines:
        line = lines.pop(0)
        if named := _are_headings(line):
            groups = ": ".join(dict.fromkeys(named.values()))
            heads |= {j: (*heads[j][:-1], text) for j, text in named.items() if heads[j]}
            continue
        line = replace(line, label=f"{groups}: {line.label}") if groups and line.label else line
        if "se" in kinds:
            line = _with_signs(line, kinds)
        body.append(replace(line, texts=[line.texts[j] for j in starts]))
        under = lines[0] if lines and stacked and _is_under(lines[0], starts) else None
        if under is not None:
            body.append(replace(lines.pop(0), texts=[under.texts[j] for j in starts]))
        found = [_measures(line, laid.columns, kinds, span) for span in spans]
        if n_before is not None and what(line.texts[n_before]) == "number":
            found[0].setdefault("n", line.texts[n_before])
        if len(starts) == 1 and not laid.collapsed:
            apart = _before(line, heads, starts[0], n_before)
            if what(line.texts[starts[0]]) not in {"number", "below"} and apart:
                body += [
                    Line(line.index, f"{line.label}: {name}", [text], line.lost, role="statistic")
                    for name, text in apart.items()
                ]
                continue
            found[0] |= {name: text for name, text in apart.items() if name not in found[0]}
        for kind in dict.fromkeys([*_KINDS, "n", *(k for each in found for k in each)]):
            texts = [each.get(kind, "") for each in found]
            if not any(texts):
                continue
            if kind == first and under is None:
                laid.below = first
                body.append(Line(line.index, "", [_bracketed(t) for t in texts], line.lost))
            else:
                body.append(Line(line.index, "", texts, line.lost, kind))
    columns = [laid.columns[j] for j in starts]
    differ = len({_kind_of_effect(column) for column in columns}) > 1
    for number, column in enumerate(columns, 1):
        measure = next((h for h in reversed(column.heads) if is_measure(h)), column.heads[-1])
        if len(columns) == 1 and _are_models(laid, kinds):
            laid.models = measure
        column.ratio = is_ratio(measure)
        kept = (measure,) if differ else ()
        other = (h for h in column.heads if h != measure and not _GROUPS.match(h))
        column.heads = (*(h for h in other if not is_measure(h)), *kept)
        column.id = column.id if told and len(starts) == len(kinds) else str(number)
    laid.columns[:] = columns
    laid.body = body


def _are_headings(line: Line) -> dict[int, str]:
    """Headings of columns in a line among the numbers, two at least and nothing else, by column."""
    found = {j: text for j, text in line.filled() if what(text) == "text"}
    alone = len(found) == len(line.filled()) and not line.label.strip() and not line.lost
    return found if alone and len(set(found.values())) > 1 else {}


def _before(
    line: Line, heads: dict[int, tuple[str, ...]], start: int, n_before: int | None
) -> dict[str, str]:
    """Numbers of a line that stand before its estimate, such as counts and means, by heading."""
    places = [j for j in range(start) if j != n_before and what(line.texts[j]) == "number"]
    names = {j: ": ".join(dict.fromkeys(heads[j])) for j in places}
    return {names[j]: tidy(line.texts[j]) for j in places if names[j]}


_MEAN = re.compile(r"(?:adj\w*\.? )?(?:mean|m)$", re.IGNORECASE)
_GROUPS = re.compile(r"(?:(?:between[- ])?groups? |mean )?differences?$", re.IGNORECASE)
_DIFFERENCE = re.compile(r"differ|change|\bΔ", re.IGNORECASE)
_BETA = re.compile(r"(?:β|beta)$", re.IGNORECASE)


def _kinds(columns: list[ReadColumn]) -> list[str]:
    """What each column holds by its headings; empty where no word says so.

    Standardised coefficients are estimates where no others are printed. Beside others they are
    numbers of their own: which they are, is said by a word, or by β beside B.
    """
    columns = [replace(c, heads=_without_panel(c.heads)) for c in columns]
    kinds = [next((k for k in map(_kind, c.heads[::-1]) if k), "") for c in columns]
    for j, column in enumerate(columns[:-1]):
        beside = columns[j + 1].heads[:-1] == column.heads[:-1] and kinds[j + 1] in {*_KINDS, "low"}
        mean = _MEAN.match(column.heads[-1].strip()) if column.heads else None
        if mean and beside and _DIFFERENCE.search(" ".join(column.heads[:-1])):
            kinds[j] = "estimate"  # a mean difference, not the mean of a group
    if "estimate" not in kinds:  # whatever they are called: errors stand beside them
        for j, column in enumerate(columns[:-1]):
            named = not kinds[j] and kinds[j + 1] == "se" and not _of_moments(column)
            kinds[j] = "estimate" if named else kinds[j]
    said = [_is_standardised(column) for column in columns]
    plain = [j for j, kind in enumerate(kinds) if kind == "estimate" and not said[j]]
    for j, column in enumerate(columns):
        if said[j] and kinds[j] in {"", "estimate"}:
            kinds[j] = "" if plain else "estimate"
        other = next((k for k in reversed(plain) if k < j), None)
        if other is None or kinds[j] != "estimate" or not _BETA.match(column.heads[-1].strip()):
            continue
        mine, theirs = column.heads, columns[other].heads
        if mine[:-1] == theirs[:-1] and not _BETA.match(theirs[-1].strip()):
            kinds[j] = ""
    return kinds


def _without_panel(heads: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(head for head in heads if not PANEL.match(head)) or heads


def _of_moments(column: ReadColumn) -> bool:
    """Whether a column is headed as a mean, a deviation or a count, or not at all."""
    heads = [head.strip() for head in column.heads]
    return not heads or any(heading(heads, DESCRIPTIVE)) or bool(_COUNT.search(heads[-1]))


_COUNT = re.compile(r"\bmeans?\b|average|\bno\.|number|\bcounts?\b|\bn\b|%$", re.IGNORECASE)


def _is_standardised(column: ReadColumn) -> bool:
    """Whether headings say that a column holds standardised coefficients."""
    above = " ".join(column.heads[:-1]).lower()
    last = column.heads[-1].strip() if column.heads else ""
    stated = bool(re.search(r"\bstandardi[sz]ed", above)) and _kind(last) == "estimate"
    return is_standardised(last) or stated


def _first_of(kinds: list[str]) -> Below | None:
    """What becomes the line below estimates: the first there is of errors, t, intervals and p."""
    there = {"interval" if kind in {"low", "high"} else kind for kind in kinds}
    return next((kind for kind in _KINDS if kind in there), None)


def _with_signs(line: Line, kinds: list[str]) -> Line:
    """Estimates and t in brackets are negative, as in accounts, where errors stand apart."""
    texts = list(line.texts)
    for j, kind in enumerate(kinds):
        bare = texts[j].strip()[1:-1].strip()
        if kind in {"estimate", "t"} and what(texts[j]) == "below" and what(bare) == "number":
            texts[j] = f"-{bare}"
    return replace(line, texts=texts)


def _kind(head: str) -> str:
    """What a heading says stands below it: an estimate also if it names what is beside it."""
    return "estimate" if both(head) else heading([head], WIDE)[0]


def _kind_of_effect(column: ReadColumn) -> str:
    """How a column's heading names its estimates: 'crude or' of 'Crude OR (95% CI)'."""
    named = next((h for h in reversed(column.heads) if is_measure(h)), "")
    return re.sub(r"[(\[].*", "", named).strip().lower()


def _is_under(line: Line, starts: list[int]) -> bool:
    """Whether a line holds what stands in brackets below estimates."""
    texts = [line.texts[j] for j in starts if what(line.texts[j]) != "empty"]
    return not line.label.strip() and bool(texts) and all(what(t) == "below" for t in texts)


_CONSTANT = re.compile(r"^(?:\d+ )?\(?(?:intercept|constant)\)?$", re.IGNORECASE)


def _are_models(laid: Laid, kinds: list[str]) -> bool:
    """Whether rows are models: the corner says so, or each has an n of its own.

    They are terms where one is the constant.
    """
    terms = any(_CONSTANT.search(line.label) for line in laid.body)
    return not laid.collapsed and not terms and (bool(MODELS.match(laid.corner)) or "n" in kinds)


def _measures(
    line: Line, columns: list[ReadColumn], kinds: list[str], span: tuple[int, int]
) -> dict[str, str]:
    """What stands beside one estimate of a line: by kind, or by heading if it is of no kind."""
    start, stop = span
    texts: dict[str, str] = {}
    for j in range(start + 1, stop):
        heads = _without_panel(columns[j].heads)
        name = kinds[j] if kinds[j] and kinds[j] not in texts else heads[-1] if heads else ""
        texts[name] = tidy(line.texts[j]).rstrip("*+ ")
    apart = texts.get("interval", "")
    if what(apart) == "text" and is_interval(f"[{apart}]"):
        texts["interval"] = f"[{apart}]"
    texts = {k: t for k, t in texts.items() if k and what(t) in {"number", "below"}}
    every = {line.texts[j] for j in range(start, stop) if line.texts[j]}
    wide = stop - start > 2 and any(re.search("[1-9]", text) for text in every)
    if len(every) == 1 and texts and (role_of(line.label) or wide):
        return {}  # a number that spans an estimate's columns, such as n, has nothing beside it
    low, high = texts.pop("low", ""), texts.pop("high", "")
    if low and high and "interval" not in texts:
        texts["interval"] = f"[{low.strip('([, ')}, {high.strip(')], ')}]"
    return {kind: text for kind, text in texts.items() if _may_be(kind, text)}


def _may_be(kind: str, text: str) -> bool:
    """Whether a number can be what its heading says: a p-value may be a bound, and is one at most.

    A bound such as ``<.01`` of an error or of t is no number that a study could hold.
    """
    if kind == "interval" or is_interval(text):
        return kind == "interval" and is_interval(text)
    printed = Printed.parse(text)
    return 0 <= printed.value <= 1 if kind == "p" else not printed.bound


def _bracketed(text: str) -> str:
    return text if what(text) == "below" or not text else f"({text})"


def turned(laid: Laid, rows: list[ReadRow]) -> list[ReadRow]:
    """Rows that are models as columns of one row; `rows` as they are in other tables.

    The label of a row becomes the heading of its column; it is the outcome's name where the corner
    of the table says so.
    """
    models = [row for row in rows if row.role == "estimate"]
    if not laid.models or len(models) < 2:
        return rows
    effect = ReadRow(laid.models, "estimate")
    counts = ReadRow("n", "n")
    others: dict[str, ReadRow] = {}
    heads, ratio = laid.columns[0].heads, laid.columns[0].ratio
    laid.columns = []
    for j, row in enumerate(models):
        column = ReadColumn(str(j + 1), (*heads, row.label), ratio=ratio)
        if laid.corner.lower().startswith(("outcome", "dep")):
            column.outcome = row.label
        elif MODELS.match(laid.corner):
            column.model = row.label
        laid.columns.append(column)
        effect.cells[j] = row.cells[0]
        if 0 in row.below:
            effect.below[j] = row.below[0]
        beside = dict(row.beside.get(0, {}))
        if "n" in beside:
            counts.cells[j] = replace(beside.pop("n"), role="n")
        for kind in [k for k in beside if k not in _KINDS]:
            role: Role = "r2" if role_of(kind) == "r2" else "statistic"
            of_models = others.setdefault(kind, ReadRow(kind, role))
            of_models.cells[j] = replace(beside.pop(kind), role=role)
        effect.beside[j] = beside
    return [effect, *([counts] if counts.cells else []), *others.values()]
