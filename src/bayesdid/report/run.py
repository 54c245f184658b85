"""Facts of a run: what was reused, when, where and how long. Kept apart from its results.

``results.json`` is a function of study, panel, size and seed; what differs between two runs of the
same goes to ``run.json`` beside it.
"""

from __future__ import annotations

import datetime
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bayesdid.digest import code_digest
from bayesdid.exceptions import Note


@dataclass(slots=True)
class Run:
    """Recorder that :func:`bayesdid.report.results.compute_results` fills.

    Attributes
    ----------
    workers
        How many processes were asked for; None: one for each core.
    started
        When, with its time zone.
    stages
        Stage -> seconds.
    fits, checks, analyses
        One entry per stored result: ``spec``, ``kind``, ``reused``, ``seconds``.
    notes
        What the user must know, e.g. which damaged files were made again.
    """

    workers: int | None = None
    started: datetime.datetime = field(default_factory=lambda: datetime.datetime.now(datetime.UTC))
    stages: dict[str, float] = field(default_factory=dict)
    fits: list[dict[str, Any]] = field(default_factory=list)
    checks: list[dict[str, Any]] = field(default_factory=list)
    analyses: list[dict[str, Any]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a part of the run."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.stages[name] = self.stages.get(name, 0.0) + time.perf_counter() - begin

    @property
    def reused(self) -> int:
        """How many fits were found on disk."""
        return sum(bool(item["reused"]) for item in self.fits)

    def facts(self) -> dict[str, Any]:
        """For ``run.json``."""
        return {
            "started": self.started.isoformat(timespec="seconds"),
            "seconds": {name: round(value, 3) for name, value in self.stages.items()},
            "host": platform.node(),
            "system": platform.platform(),
            "python": platform.python_version(),
            "cores": os.cpu_count(),
            "workers": self.workers,
            "code": code_digest(),
            "notes": [note.text for note in self.notes],
            "fits": self.fits,
            "checks": self.checks,
            "analyses": self.analyses,
        }
