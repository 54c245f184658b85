"""Where commands write: prose and progress to stderr, results to stdout."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bayesdid.exceptions import Note
from bayesdid.jsonio import to_json

console = Console(stderr=True, highlight=False, emoji=False)  # active:b: is no emoji
out = Console(highlight=False, emoji=False)


def print_json(value: Any) -> None:
    """Write one JSON document to stdout; NaN and infinities become null."""
    sys.stdout.write(to_json(value) + "\n")


def print_notes(notes: Iterable[Note]) -> None:
    """Write named warnings to stderr, one line each."""
    for note in notes:
        console.print(f"note: {note.text}", markup=False, soft_wrap=True)


@contextmanager
def progress(description: str, total: int) -> Iterator[Any]:
    """Yield ``advance(step_description)``; draws a bar on a terminal, is silent elsewhere."""
    with Progress(
        TextColumn("{task.description}"),
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
