"""Why one placement of lost cells is more credible than another: a score in log odds."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations, permutations

from bayesdid.importing.prose import Sentence, listings, named_in
from bayesdid.importing.rows import is_constant
from bayesdid.importing.table import ReadRow, ReadTable
from bayesdid.study.printed import Printed

Places = dict[int, tuple[int, ...]]

# log odds; those of contradictions are large, those of habits small
_UNCOVERED, _TWICE, _SAME, _COMPONENT, _OWN = -6.0, -3.0, -4.0, -4.0, -8.0
_SUFFIX, _STEP, _SHARED, _MEDIATOR, _HEADER = 0.7, 1.0, 1.5, 1.5, 1.5
_NAMED, _WITHOUT, _LISTED, _IDENTITY, _MISSED = 2.5, 3.0, 4.0, 4.0, -1.0
_PRINTED, _WITHIN, _TOGETHER, _FALLS, _FLAGGED = 4.0, 2.5, 2.0, -2.0, 1.5
_MOST = 1000  # ways of one row
_PRODUCT = re.compile(r"\s*[×*#]\s*|\s+x\s+")
_NOT = re.compile(
    r"\b(?:without|excluding|exclude|no)\b[^.,;]{0,30}\b(?:controls?|covariates?)", re.I
)


@dataclass(frozen=True, slots=True)
class Fact:
    """What a sentence says of a row.

    It is in a column; or not (`absent`); or its value `index` is; or all are `within` columns.
    """

    row: int
    column: int
    weight: float
    name: str = "the text"
    absent: bool = False
    index: int | None = None
    within: frozenset[int] = frozenset()

    def holds(self, way: tuple[int, ...]) -> bool:
        """Whether a placement of the row agrees."""
        if self.index is not None:
            return self.index < len(way) and way[self.index] == self.column
        if self.within:
            return self.within.issuperset(way)
        return (self.column in way) != self.absent


@dataclass(slots=True)
class Evidence:
    """What is known beside the table: sentences about it, and means of variables.

    Attributes
    ----------
    said
        Sentences of the text that are about the table.
    means
        Label -> printed mean, of a table of descriptive statistics.
    outcome
        Label of the row of the outcome's mean.
    """

    said: Sequence[Sentence] = ()
    means: dict[str, Printed] = field(default_factory=dict)
    facts: tuple[Fact, ...] = ()

    def about(self, table: ReadTable) -> Evidence:
        """The same with what the text says of this table's rows."""
        facts: list[Fact] = []
        number = table.id.removeprefix("table")
        ids = [column.id for column in table.columns]
        for sentence in self.said:
            if sentence.table != number:
                continue
            for part, columns in _clauses(sentence):
                known = [ids.index(c) for c in columns if c in ids]
                if len(known) == 1:
                    facts += _mentions(table, part, known[0], sentence.numbers)
                elif sentence.ranged and known:
                    facts += _ranged(table, part, frozenset(known))
        for listing in listings(self.said):
            if listing.table == number and set(listing.columns) <= set(ids):
                order = [ids.index(c) for c in listing.columns]
                facts += _listed(table, order, listing.numbers)
        return Evidence(self.said, self.means, tuple(facts))

    def score(self, table: ReadTable, places: Places, *, complete: bool) -> float:
        """Log odds of one placement; of a part of one where it is not complete."""
        return sum(value for _, value in self._items(table, places, complete=complete))

    def decided(self, table: ReadTable, places: Places, i: int) -> list[float]:
        """The share of each cell's column of row `i` if it alone may move and habits say nothing.

        Habits add up over rows that go alike, though they are one habit and not several.
        """
        best = places[i]
        ways = ways_of(len(table.columns), len(best))
        scores = [
            sum(value for _, value in self._told(table, {**places, i: way}, complete=True))
            for way in ways
        ]
        weights = [math.exp(score - max(scores)) for score in scores]
        return [
            sum(w for w, way in zip(weights, ways, strict=True) if way[k] == best[k]) / sum(weights)
            for k in range(len(best))
        ]

    def used(self, table: ReadTable, places: Places) -> list[str]:
        """What speaks for a placement, in words."""
        found = self._items(table, places, complete=True)
        return list(dict.fromkeys(name for name, value in found if value > 0))

    def _items(
        self, table: ReadTable, places: Places, *, complete: bool
    ) -> list[tuple[str, float]]:
        return [*_habits(table, places), *self._told(table, places, complete=complete)]

    def _told(self, table: ReadTable, places: Places, *, complete: bool) -> list[tuple[str, float]]:
        """What this table and its text say, habits of others aside."""
        where = {
            i: places.get(i) or tuple(row.cells)
            for i, row in enumerate(table.rows)
            if row.role == "estimate" and (i in places or not row.lost)
        }
        items = [*_headed(table, places), *_algebra_of_products(table, where)]
        items += [
            (fact.name, fact.weight)
            for fact in self.facts
            if fact.row in places and fact.holds(places[fact.row])
        ]
        if complete:
            items += _coverage(table, where)
            items += _distinct(table, where)
            items += _growing(table, where)
            items += self._constants(table, places, where)
        return items

    def _constants(
        self, table: ReadTable, places: Places, where: dict[int, tuple[int, ...]]
    ) -> list[tuple[str, float]]:
        """Constant = mean(y) - sum of b mean(x) on the rows that the means describe."""
        items: list[tuple[str, float]] = []
        constant = next((i for i in where if is_constant(table.rows[i].label)), None)
        if constant is None or not self.means:
            return items
        full = _full_sample(table)
        for j in where[constant]:
            if j not in full or _hidden(table, j):
                continue
            outcome = _mean(self.means, table.columns[j].outcome) or next(iter(self.means.values()))
            low, high = outcome.interval
            known = True
            for i, columns in where.items():
                if i == constant or j not in columns:
                    continue
                mean = _mean(self.means, table.rows[i].label)
                cell = _text_at(table.rows[i], places.get(i), j)
                if mean is None or cell is None:
                    known = False
                    break
                ends = [b * m for b in cell.interval for m in mean.interval]
                low, high = low - max(ends), high - min(ends)
            cell = _text_at(table.rows[constant], places.get(constant), j)
            if known and cell is not None:
                a, b = cell.interval
                holds = a <= high and low <= b and high - low < 2 * abs(float(cell.value))
                items.append(("the identity of constants", _IDENTITY if holds else _MISSED))
        return items


def _hidden(table: ReadTable, j: int) -> bool:
    """Whether a column has regressors that are not printed."""
    labels = table.columns[j].labels
    return any(_CONTROLS.search(k) and v != "No" for k, v in labels.items())


_CONTROLS = re.compile(r"control|covariate|控制变量", re.IGNORECASE)


def _text_at(row: ReadRow, way: tuple[int, ...] | None, j: int) -> Printed | None:
    try:
        if way is not None:
            return Printed.parse(row.lost[way.index(j)][0].text)
        return Printed.parse(row.cells[j].text)
    except (ValueError, KeyError, IndexError):
        return None


def _mean(means: dict[str, Printed], label: str) -> Printed | None:
    return next((m for name, m in means.items() if name.lower() == label.lower()), None)


def _full_sample(table: ReadTable) -> set[int]:
    n = next((row for row in table.rows if row.role == "n" and row.cells), None)
    if n is None:
        return set(range(len(table.columns)))
    values = {j: float(Printed.parse(cell.text)) for j, cell in n.cells.items()}
    return {j for j, value in values.items() if value == max(values.values())}


def ways_of(width: int, count: int) -> list[tuple[int, ...]]:
    """Columns that so many cells of a row may stand in, from left to right."""
    return list(combinations(range(width), count))[:_MOST]


def _habits(table: ReadTable, places: Places) -> list[tuple[str, float]]:
    """What tables mostly do: controls come later, rows enter one by one from left to right."""
    items: list[tuple[str, float]] = []
    width, before = len(table.columns), None
    hidden = tuple(j for j in range(width) if _hidden(table, j))
    for i, way in places.items():
        row = table.rows[i]
        if row.role == "estimate" and way == hidden:
            items.append(("the row that says where controls are", _FLAGGED))
        few = len(way) == 2 and width > 4 and row.role == "estimate"
        if len(way) > 1 and way == tuple(range(width - len(way), width)) and not few:
            items.append(("controls that enter from left to right", _SUFFIX))
        other = None if before is None else table.rows[before]
        if before is not None and other is not None and len(places[before]) == len(way):
            last = places[before]
            if "statistic" in {row.role, other.role} or {row.role, other.role} == {
                "r2",
                "estimate",
            }:
                if way == last:
                    items.append(("rows of one column together", _TOGETHER))
            elif i != before + 1:
                pass
            elif len(way) == 1 and way[0] > last[0]:
                items.append(("rows that enter one after the other", _STEP))
            elif len(way) == 2 and way[0] == last[0] + 1 and way[1] == last[1]:
                items.append(("rows that enter one by one and then together", _SHARED))
        before = i
    return items


def _headed(table: ReadTable, places: Places) -> list[tuple[str, float]]:
    """Columns whose headings name the one row that enters in them alone."""
    items: list[tuple[str, float]] = []
    for i, way in places.items():
        row = table.rows[i]
        if row.role in {"estimate", "statistic"} and len(way) == 1:
            heads = " ".join(table.columns[way[0]].heads)
            if heads and named_in(heads, row.label) >= 0.9:
                items.append(("headers", _HEADER))
    return items


def _algebra_of_products(
    table: ReadTable, where: dict[int, tuple[int, ...]]
) -> list[tuple[str, float]]:
    items: list[tuple[str, float]] = []
    labels = {i: table.rows[i].label for i in where}
    for i, columns in where.items():
        row = table.rows[i]
        factors = [part for part in _PRODUCT.split(row.label) if part.strip()]
        if len(factors) > 1 and row.part == "coefficient":
            for factor in factors:
                near = [k for k in where if k != i and _same_name(factor, labels[k])]
                missing = sum(j not in where[near[0]] for j in columns) if near else 0
                items.append(("products that need their parts", _COMPONENT * missing))
                if near and not missing:
                    items.append(("products that need their parts", 0.1))
        for j in columns:
            outcome = table.columns[j].outcome
            if outcome and outcome.lower() == row.label.lower():
                items.append(("no variable explains itself", _OWN))
            if j and table.columns[j - 1].outcome.lower() == row.label.lower() != outcome.lower():
                items.append(("mediators follow their own column", _MEDIATOR))
    return items


def _same_name(factor: str, label: str) -> bool:
    if _PRODUCT.search(label):
        return False
    initials = "".join(word[0] for word in re.findall(r"[A-Za-z]+", factor)).upper()
    return factor.lower() == label.lower() or (len(label) >= 2 and initials == label.upper())


def _coverage(table: ReadTable, where: dict[int, tuple[int, ...]]) -> list[tuple[str, float]]:
    """Every column has a row of the treatment; rows that add up to the columns do not overlap."""
    width = len(table.columns)
    rows = [i for i in leading(table, width) if i in where]
    count = [sum(j in where[i] for i in rows) for j in range(width)]
    items = [("every column has a treatment", _UNCOVERED * count.count(0))]
    if sum(count) == width and len(rows) > 1:
        items.append(("every column has a treatment", _TWICE * sum(c - 1 for c in count if c > 1)))
        if all(c == 1 for c in count):
            items.append(("every column has a treatment", 0.1))
    return items


def _distinct(table: ReadTable, where: dict[int, tuple[int, ...]]) -> list[tuple[str, float]]:
    """Columns alike in outcome, n and regressors would be one regression printed twice."""
    n = next((row for row in table.rows if row.role == "n" and row.cells), None)

    def of(j: int) -> tuple[object, ...]:
        column = table.columns[j]
        regressors = frozenset(i for i in where if j in where[i])
        count = n.cells[j].text if n is not None and j in n.cells else ""
        return column.outcome.lower(), count, regressors, column.heads, str(column.labels)

    seen = [of(j) for j in range(len(table.columns))]
    twice = len(seen) - len(set(seen))
    return [("no two columns alike", _SAME * twice if twice else 0.1)]


def _growing(table: ReadTable, where: dict[int, tuple[int, ...]]) -> list[tuple[str, float]]:
    """On nearly the same rows R2 grows with regressors, and no two columns have the same ones."""
    n = next((row for row in table.rows if row.role == "n" and row.cells), None)
    fit = next(
        (r for r in table.rows if r.role == "r2" and r.cells and _PLAIN.match(r.label)), None
    )
    if n is None or fit is None:
        return []
    known = [j for j in range(len(table.columns)) if j in n.cells and j in fit.cells]
    counts = {j: float(Printed.parse(n.cells[j].text)) for j in known}
    r2 = {j: Printed.parse(fit.cells[j].text).interval for j in known}
    of = {j: frozenset(i for i in where if j in where[i]) for j in known}
    items = []
    for j, k in permutations(known, 2):
        mine, theirs = table.columns[j], table.columns[k]
        alike = (mine.outcome, mine.labels) == (theirs.outcome, theirs.labels)
        if not alike or abs(counts[j] - counts[k]) > _NEAR * counts[j]:
            continue
        if of[j] < of[k]:
            falls = r2[k][1] < r2[j][0]
            items.append(("R2 that grows with regressors", _FALLS if falls else 0.1))
        elif of[j] == of[k] and j < k and (r2[k][1] < r2[j][0] or r2[j][1] < r2[k][0]):
            items.append(("R2 that grows with regressors", _FALLS))
    return items


_PLAIN = re.compile(r"r[- ]?(?:\^?2|²|squared?)$", re.IGNORECASE)  # not adjusted, not within
_NEAR = 0.02  # share of rows by which samples of one table differ for missing values


def _clauses(sentence: Sentence) -> list[tuple[str, tuple[str, ...]]]:
    """Parts of a sentence that name one column each: 'column (1) ..., while column (2) ...'."""
    cut = re.split(r"(?=\b[Cc]olumns? \()", sentence.text)
    if len(cut) <= 2:
        return [(sentence.text, sentence.columns)]
    return [(part, tuple(re.findall(r"^[Cc]olumns? \((\d{1,2})\)", part))) for part in cut]


def leading(table: ReadTable, width: int) -> list[int]:
    """Rows at the top that are about the treatment: until every column can have one of them."""
    found: list[int] = []
    covered = 0
    for i, row in enumerate(table.rows):
        if row.role != "estimate" or covered >= width:
            break
        found.append(i)
        covered += len(row.lost) or len(row.cells)
    return found


def _lost(table: ReadTable) -> list[int]:
    return [
        i
        for i, row in enumerate(table.rows)
        if row.lost and row.role == "estimate" and not is_constant(row.label)
    ]


def _mentions(table: ReadTable, text: str, j: int, numbers: Sequence[str]) -> list[Fact]:
    lost = _lost(table)
    if _NOT.search(text):
        first = next((i for i, row in enumerate(table.rows) if row.role == "estimate"), -1)
        many = [i for i in lost if i != first and len(table.rows[i].lost) > 1]
        return [Fact(i, j, _WITHOUT / len(many), absent=True) for i in many]
    facts = [
        Fact(i, j, _PRINTED, "numbers in the text", index=k)
        for i in lost
        for k, (cell, _) in enumerate(table.rows[i].lost)
        if any(n in text and scale_of(cell.text, n) == 1 for n in numbers)
    ]
    named = {i: named_in(table.rows[i].label, text) for i in lost}
    most = max(named.values(), default=0.0)
    facts += [Fact(i, j, _NAMED) for i, share in named.items() if share >= max(0.6, most - 0.01)]
    return facts


def _ranged(table: ReadTable, text: str, columns: frozenset[int]) -> list[Fact]:
    return [
        Fact(i, -1, _WITHIN, within=columns)
        for i in _lost(table)
        if named_in(table.rows[i].label, text) >= 0.8
    ]


def _listed(table: ReadTable, order: Sequence[int], numbers: Sequence[str]) -> list[Fact]:
    """The k-th number is of the k-th column."""
    return [
        Fact(i, order[position], _LISTED, "numbers listed in the text", index=k)
        for i in _lost(table)
        for k, (cell, _) in enumerate(table.rows[i].lost)
        for position, text in enumerate(numbers)
        if scale_of(cell.text, text) is not None
    ]


def scale_of(cell: str, text: str) -> int | None:
    """The factor by which a number of the text is a cell's, sign aside; None if it is not.

    Of 1, 100, 1,000 and 10; with three digits or more it may be rounded, with two it must be exact.
    """
    try:
        printed, said = Printed.parse(cell), Printed.parse(text)
    except ValueError:
        return None
    size = abs(said.value)
    digits = len(str(size).replace(".", "").lstrip("0"))
    if digits < 2:
        return None
    slack = said.half_width if digits > 2 else 0
    for scale in (1, 100, 1000, 10):
        if abs(abs(printed.value) * scale - size) <= slack:
            return scale
    return None
