"""Where commands write: prose and progress to stderr, results to stdout.

Text is never markup: labels, titles and messages come from studies and panels. What has a style is
put together by :func:`said`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from bayesdid.escape import terminal
from bayesdid.exceptions import Note
from bayesdid.jsonio import to_json


class _Plain(Console):
    """A console that shows text as it is: no markup, no emoji (active:b: is none), no control."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, markup=False, emoji=False, highlight=False)

    def render_str(self, text: str, **options: Any) -> Text:
        """Every string that is printed, or stands in a table, comes through here."""
        return super().render_str(terminal(text), **options)


BAD = "bold red"
console = _Plain(stderr=True)
out = _Plain()


def said(*parts: str | tuple[str, str]) -> Text:
    """A line of which some parts have a style: ``said(("Claims", "bold"), " of the text")``."""
    pairs = [(part, "") if isinstance(part, str) else part for part in parts]
    return Text.assemble(*((terminal(text), style) for text, style in pairs))


def print_json(value: Any) -> None:
    """Write one JSON document to stdout; NaN and infinities become null."""
    sys.stdout.write(to_json(value) + "\n")


def print_notes(notes: Iterable[Note]) -> None:
    """Write named warnings to stderr, one line each."""
    for note in notes:
        console.print(f"note: {note.text}", soft_wrap=True)


@contextmanager
def progress(description: str, total: int) -> Iterator[Any]:
    """Yield ``advance(step_description)``; draws a bar on a terminal, is silent elsewhere."""
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task(description, total=total)

        def advance(step: str = "") -> None:
            bar.update(task, advance=1, description=f"{description} {step}".rstrip())

        yield advance


@contextmanager
def stepper() -> Iterator[Any]:
    """Yield ``step(description, total)``, which starts a bar and returns its ``advance``."""
    with ExitStack() as stack:

        def step(description: str, total: int) -> Any:
            stack.close()  # a terminal shows one bar at a time
            return stack.enter_context(progress(description, total))

        yield step
