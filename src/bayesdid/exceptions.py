"""Errors a user can act on, and the notes a result carries.

Every error raised on purpose derives from :class:`BayesdidError`. The command line turns it
into one message and its ``exit_code``; Python users can catch it and read the same fields.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

DEBUG = "BAYESDID_DEBUG"
"""Environment variable under which errors keep their tracebacks."""


class BayesdidError(Exception):
    """Base of all errors that bayesdid raises on purpose."""

    exit_code = 2


class InputError(BayesdidError):
    """Bad input: says what is wrong, where it stands and what to do about it.

    Parameters
    ----------
    problem
        What is wrong, as one sentence without a final full stop.
    file, column, row, value
        Where: the file, the column or key, the row (as a person counts: the first line of a
        text file is 1) and the offending value. Leave out what does not apply.
    line
        Of a study's file, from 1.
    remedy
        What the user can do.

    Examples
    --------
    >>> print(InputError("no such file", file="panel.csv", remedy="check the path"))
    panel.csv: no such file. Remedy: check the path.
    """

    def __init__(
        self,
        problem: str,
        *,
        file: str | Path | None = None,
        column: str | None = None,
        row: int | str | None = None,
        line: int | None = None,
        value: object = None,
        remedy: str | None = None,
    ) -> None:
        self.problem, self.column, self.row, self.value, self.remedy = (
            problem,
            column,
            row,
            value,
            remedy,
        )
        self.line = line
        self.file = None if file is None else str(file)
        super().__init__(problem)  # what a worker process needs to hand it back

    def __str__(self) -> str:
        place = [
            *([self.file] if self.file else []),
            *([f"line {self.line}"] if self.line is not None else []),
            *([f"column '{self.column}'"] if self.column else []),
            *([f"row {self.row}"] if self.row is not None else []),
        ]
        text = f"{', '.join(place)}: {self.problem}" if place else self.problem
        if self.value is not None:
            text += f" (value: {self.value})"
        return f"{text}. Remedy: {self.remedy}." if self.remedy else f"{text}."


class NotIdentifiedError(InputError):
    """The design holds no comparison that identifies what was asked for."""


class ResultError(BayesdidError):
    """A result exists but must not be used (not converged, a gate failed)."""

    exit_code = 1


def reason(error: Exception) -> str:
    """What a part of a run that failed alone says of it; under ``--debug`` the error is raised."""
    if os.environ.get(DEBUG):
        raise error
    if isinstance(error, BayesdidError):
        return str(error)
    said = " ".join(str(error).split())[:300]
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


@dataclass(frozen=True, slots=True)
class Note:
    """A named warning with a count: nothing is lost, but the reader must know.

    Attributes
    ----------
    name
        Short stable identifier, e.g. ``"missing_outcome"``.
    count
        How many rows, units or columns it concerns.
    text
        One sentence for a person.
    """

    name: str
    count: int
    text: str


def nearest_name(name: str, known: Iterable[str]) -> str:
    """The known name that a misspelt one may have been meant to be; empty if none is near."""
    close = get_close_matches(name, list(known), n=1)
    return close[0] if close else ""
