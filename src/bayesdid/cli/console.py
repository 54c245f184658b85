"""Where commands write: prose and progress to stderr, results to stdout.

Text is never markup: labels, titles and messages come from studies and panels. What has a style is
put together by :func:`said`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from bayesdid.escape import terminal
from bayesdid.exceptions import Note
from bayesdid.jsonio import to_json

if TYPE_CHECKING:
    from bayesdid.inference.plan import Plan


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


def print_left_out(plan: Plan, *, all_of_them: bool = False) -> bool:
    """Write to stderr which specs have no fit and why; whether some failed, which is exit code 1.

    Specs of families that are no single regression are left out of the lines, unless
    `all_of_them`: the command is not about them.
    """
    from bayesdid.inference.plan import OTHER_FAMILY

    for name, reason in plan.skipped.items():
        if all_of_them or not reason.endswith(OTHER_FAMILY):
            word = "failed" if name in plan.failed else "skipped"
            console.print(f"{word} {name}: {reason}", soft_wrap=True)
    return bool(plan.failed)


EVERY = 15.0  # seconds between two lines of progress where there is no terminal


_TELLING = 0.05  # of a part: what is done before tells nothing of the rest


def left(done: int, total: int, seconds: float) -> str:
    """How far a part is, and about how long the rest takes at the pace so far.

    Examples
    --------
    >>> left(8, 32, 20.0), left(1, 3, 90.0), left(0, 3, 4.0)
    ('8 of 32, about 60 s left', '1 of 3, about 3 min left', '0 of 3')
    """
    said = f"{done} of {total}"
    if done < _TELLING * total or not done or done >= total:  # the first waits for a compiler
        return said
    rest = seconds / done * (total - done)
    for_people = f"{rest:.0f} s" if rest < 100 else f"{rest / 60:.0f} min"
    return f"{said}, about {for_people} left"


class Lines:
    """Progress as lines: the first of a part when it begins, others every :data:`EVERY` seconds."""

    __slots__ = ("_begun", "_description", "_done", "_said", "_total")

    def __init__(self, description: str, total: int) -> None:
        self._description, self._total, self._done = description, total, 0
        self._begun = self._said = time.monotonic()
        console.print(f"{description}: {total}" if total > 1 else description, soft_wrap=True)

    def __call__(self, _step: str = "") -> None:
        """One more is done."""
        self._done += 1
        now = time.monotonic()
        if now - self._said >= EVERY and self._done < self._total:
            self._said = now
            said = left(self._done, self._total, now - self._begun)
            console.print(f"{self._description}: {said}", soft_wrap=True)


@contextmanager
def progress(description: str, total: int, *, lines: bool = False) -> Iterator[Any]:
    """Yield ``advance(step_description)``: a bar with the time left.

    Without a terminal lines are written instead if asked for, else nothing is.
    """
    if lines and not console.is_terminal:
        yield Lines(description, total)
        return
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
def stepper(parts: int = 0) -> Iterator[Any]:
    """Yield ``step(description, total)``, which starts a bar and returns its ``advance``.

    Parameters
    ----------
    parts
        How many there will be, which each says, without a terminal in lines; 0: not known.
    """
    begun = 0
    with ExitStack() as stack:

        def step(description: str, total: int) -> Any:
            nonlocal begun
            stack.close()  # a terminal shows one bar at a time
            begun += 1
            head = f"[{begun}/{parts}] " if parts else ""
            return stack.enter_context(progress(f"{head}{description}", total, lines=parts > 0))

        yield step
