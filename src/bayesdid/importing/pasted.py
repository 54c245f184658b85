"""Lines of pasted text whose numbers one space sets apart: their rows and their headings."""

from __future__ import annotations

import re

from bayesdid.importing.numbers import is_number
from bayesdid.importing.tails import tail
from bayesdid.importing.words import PANEL, WIDE, heading, is_measure, is_standardised, role_of


def paired(lines: list[str]) -> list[list[str]] | None:
    """Rows of lines of estimates each with its error in brackets, one space apart from the next.

    Errors become a line of their own; where rows are shorter than others it has no label either,
    as in a table that lost its empty cells. None of other lines.
    """
    headed = any(sum(map(is_measure, line.split())) > 1 for line in lines)
    if headed or any("  " in line.strip() for line in lines):
        return None
    tails = [_ended(*tail(line)) for line in lines]
    split = [_halves(values) for _, values in tails]
    paired = [len(above) for above, below in split if below]
    if len(paired) < _PAIRED or max(paired) < _LEAST:
        return None
    width, rows = max(paired), []
    gap = [""] if min(paired) == width else []
    for line, (label, values), (above, below) in zip(lines, tails, split, strict=True):
        if not values:
            names = line.split()
            cut = len(names) - width
            rows.append([" ".join(names[:cut]), *names[cut:]] if cut >= 0 else [line.strip()])
        elif below:
            rows += [[label, *above], [*gap, *below]]
        else:
            rows.append([label, *values])
    return rows


_PAIRED, _LEAST = 2, 2  # lines of estimates and errors, and columns


def labelled(line: str, following: str) -> tuple[str, list[str]]:
    """The label and the numbers of a line; whole numbers that no bracket below has are its label's.

    As in ``Law × phase 2 0.12** 0.31`` above ``(0.05) (0.20)``.
    """
    label, values = tail(line)
    name, below = tail(following)
    more = len(values) - len(below)
    brackets = bool(below) and not name and all(text[0] in "([" for text in below)
    # 0 is a base category, a dash an empty cell
    points = ["." in text or text == "0" or not is_number(text) for text in values]
    if not label or not brackets or more < 1 or any(points[:more]) or not all(points[more:]):
        return label, values
    return " ".join([label, *values[:more]]), values[more:]


def are_errors(label: str, values: list[str]) -> bool:
    """Whether a line holds what stands in brackets below estimates, by its label: ``SE``."""
    known = heading([label.strip().lower()], WIDE)[0] in {"se", "t", "p", "interval"}
    return known and bool(values) and all(text[0] in "([" for text in values)


def _ended(label: str, values: list[str]) -> tuple[str, list[str]]:
    """A label that a whole number ends, before estimates each with its bracket: ``Phase 2``."""
    ends = bool(label) and len(values) % 2 == 1 and values[0].isdigit()
    return (
        (f"{label} {values[0]}", values[1:]) if ends and _halves(values[1:])[1] else (label, values)
    )


def _halves(values: list[str]) -> tuple[list[str], list[str]]:
    """Estimates and the brackets behind each of them; no brackets where they do not alternate."""
    above, below = values[::2], values[1::2]
    alternate = len(above) == len(below) and not any(v[0] in "([" for v in above)
    return (above, below) if alternate and all(v[0] in "([" for v in below) else (values, [])


def _measures_of(line: str) -> tuple[list[str], list[str]]:
    """The words of a heading before the measures that end it, and those measures."""
    words = line.split()
    found: list[str] = []
    while words:
        size = next((k for k in (3, 2, 1) if is_measure(" ".join(words[-k:]))), 0)
        if not size:
            break
        found.insert(0, " ".join(words[-size:]))
        words = words[:-size]
    return words, found


def measured_names(line: str, width: int) -> list[str]:
    """A heading such as ``Coefficient z SE P`` or ``Variable OR 95% CI p``, with its label.

    A column of p-values in which marks stand is none: those are at the estimates.
    """
    words, found = _measures_of(line)
    if len(words) > 2 or any(map(is_number, words)):
        return []
    unmarked = [text for text in found if heading([text], WIDE) != ["p"]]
    fitting = next((one for one in (found, unmarked) if len(one) == width > 1), [])
    return [" ".join(words), *fitting] if fitting else []


def gapped(row: list[str], heads: list[str]) -> list[str]:
    """The numbers of a constant, which has no standardised coefficient, under their headings."""
    gaps = [j for j, head in enumerate(heads) if j and is_standardised(head)]
    short = len(gaps) == 1 and len(row) == len(heads) - 1
    constant = re.search(r"intercept|constant", row[0] if row else "", re.IGNORECASE)
    return [*row[: gaps[0]], "", *row[gaps[0] :]] if short and constant else row


_VARIABLES = re.compile(
    r"(?:(?:independent |explanatory )?variables?|regressors?|"
    r"dep\w*\.?(?: var\w*\.?)?|outcomes?)\s*:?$",
    re.IGNORECASE,
)


_OF_ALL = re.compile(r"(?:dep\w*\.? var(?:iable|\.)?|outcome)\s*:$", re.IGNORECASE)


def names_of(line: str, width: int, *, plain: bool) -> list[str]:
    """A heading of outcomes that one space sets apart, with its label: one name repeated, or more.

    Without a label, names of different columns are told from running text where they stand beside
    the numbers of columns (`plain`).
    """
    logs = re.split(r"(?<=\)) (?=(?:ln|log) ?\()", line.strip(), flags=re.IGNORECASE)
    if len(logs) > 1 and width % len(logs) == 0 and line.strip().endswith(")"):
        return ["", *(name for name in logs for _ in range(width // len(logs)))]
    words = line.split()
    label = " ".join(words[: len(words) - width])
    names = words[len(words) - width :]
    if width < 2 or len(words) < width or (label and not _VARIABLES.match(label)):
        return []
    if any(name.endswith(":") for name in names):
        return []  # Dependent variable: one outcome of several words
    if PANEL.match(line.strip()) or (_OF_ALL.match(label) and len(set(names)) > 1):
        return []  # the heading of rows, or one outcome of several words
    return [label, *names] if label or plain or len(set(names)) == 1 else []


def in_groups(lines: list[str]) -> list[list[str]] | None:
    """Rows of several models side by side, under ``Coef. SE p Coef. SE p``, some of them short.

    A row of as many numbers as one model has is one of a model that is still to be found: estimates
    become a line, what stands beside them lines below, as in a table that lost its empty cells.
    None of lines without such a heading, and where no row is short.
    """
    tails = [tail(line) for line in lines]
    at = next((i for i, line in enumerate(lines) if _repeated(line)), None)
    if at is None or any("  " in line.strip() for line in lines[at:]):
        return None
    kinds = _repeated(lines[at])
    size = next(k for k in range(2, len(kinds)) if kinds == kinds[:k] * (len(kinds) // k))
    models = len(kinds) // size
    counts = [len(values) for label, values in tails[at + 1 :] if label and values]
    if len(kinds) not in counts or not any(n % size == 0 and n < len(kinds) for n in counts):
        return None
    below = heading(kinds[1:2], WIDE)[0]
    names = [_of_models(line, models) for line in lines[:at]]
    rows = [["", *name] for name in names if name]
    rows.append(["", *[f"{kinds[0]} ({kinds[1]})"] * models])
    for label, values in tails[at + 1 :]:
        if values and len(values) % size == 0 and not (len(values) == models and role_of(label)):
            groups = [values[k : k + size] for k in range(0, len(values), size)]
            rows.append([label, *(group[0] for group in groups)])
            rows.append([_in_brackets(group[1], below) for group in groups])
            rows += [[kinds[k], *(group[k] for group in groups)] for k in range(2, size)]
        elif values and len(values) <= models:
            rows.append([label, *values])
        elif values:
            rows.append([label, " ".join(values)])  # of no known places: kept as text
        else:
            rows.append([label])
    return rows


def _repeated(line: str) -> list[str]:
    """The measures that a heading names again and again, an estimate first; empty of others."""
    words, found = _measures_of(line)
    estimates = [j for j, kind in enumerate(heading(found, WIDE)) if kind == "estimate"]
    if len(words) > 1 or len(estimates) < 2 or estimates[0] != 0:
        return []
    size = estimates[1]
    return found if size > 1 and found == found[:size] * len(estimates) else []


def _of_models(line: str, count: int) -> list[str]:
    """The names of as many models, each of as many words; empty of another line."""
    words = line.split()
    if len(words) % count or len(words) // count > 2:
        return []
    size = len(words) // count
    return [" ".join(words[k : k + size]) for k in range(0, len(words), size)]


def _in_brackets(text: str, kind: str) -> str:
    return text if text[:1] in {"(", "["} else f"[{text}]" if kind == "interval" else f"({text})"
