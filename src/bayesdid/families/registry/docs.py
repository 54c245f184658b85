"""Tables of families for documentation: between marks in a page, made from the registry alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bayesdid.exceptions import InputError
from bayesdid.families.registry.describe import option_texts
from bayesdid.families.registry.family import MODEL_FIELDS, TWO_WAY_FIELDS, AnyFamily


def reading_order(known: Iterable[AnyFamily]) -> list[AnyFamily]:
    """Plain regressions first, then analyses as the report has them, then what is only printed."""
    return sorted(known, key=lambda f: (not f.is_used, f.has_analysis))


def questions_table(known: Iterable[AnyFamily]) -> str:
    """What each family answers, and what it is checked against."""
    rows = [(f"`{f.name}`", f.question, f.checked) for f in reading_order(known)]
    return _table(("family", "question", "checked against"), rows)


def fields_table(known: Iterable[AnyFamily]) -> str:
    """How many treatments each family takes, and which fields it reads."""
    rows = [(f"`{f.name}`", f.treatments, fields_text(f)) for f in reading_order(known)]
    return _table(("family", "treatments", "fields"), rows)


def fields_text(family: AnyFamily) -> str:
    """The fields of a column that a family reads, beside those of a two-way regression."""
    if family.reads in (MODEL_FIELDS, frozenset()):
        return "all" if family.reads else "none"
    more, fewer = family.reads - TWO_WAY_FIELDS, TWO_WAY_FIELDS - family.reads
    parts = [
        f"{word} {', '.join(f'`{name}`' for name in sorted(names))}"
        for word, names in (("also", more), ("without", fewer))
        if names
    ]
    return "; ".join(["two-way", *parts])


def options_table(known: Iterable[AnyFamily]) -> str:
    """Every option of every family."""
    rows = []
    for family in reading_order(known):
        for text in option_texts(family.options):
            default = "needed" if text.required else f"`{text.default}`" if text.default else ""
            rows.append(
                (f"`{family.name}`", f"`{text.name}`", text.takes, default, text.description)
            )
    return _table(("family", "option", "takes", "default", "meaning"), rows)


TABLES = {"questions": questions_table, "fields": fields_table, "options": options_table}


def with_tables(page: str, known: Iterable[AnyFamily]) -> str:
    """A page with every table made anew that stands between ``<!-- families: NAME -->`` marks.

    Raises
    ------
    InputError
        If a mark is not closed.
    """
    families = list(known)
    for name, make in TABLES.items():
        begin, end = f"<!-- families: {name} -->", "<!-- end -->"
        if begin not in page:
            continue
        head, _, rest = page.partition(begin)
        _, closed, tail = rest.partition(end)
        if not closed:
            raise InputError("a table of families has no end", value=begin, remedy=f"add {end}")
        page = f"{head}{begin}\n{make(families)}\n{end}{tail}"
    return page


def _table(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [headings, ("---",) * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cells)} |".replace("|  |", "| |") for cells in lines)
