"""An ensemble of synthetic panels: made through the executor, written with a manifest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from bayesdid.digest import code_digest, environment_digest, file_digest
from bayesdid.exceptions import InputError
from bayesdid.inference.executor import map_fits
from bayesdid.jsonio import write_json
from bayesdid.panel.panel import Panel
from bayesdid.panel.validate import STAMP
from bayesdid.reconstruct.compile import errors_left_out, held_columns
from bayesdid.reconstruct.member import Check, Member, Task, conflicts_of, is_held_out, make_member
from bayesdid.reconstruct.prior import Habits
from bayesdid.reconstruct.readings import Conflict
from bayesdid.reconstruct.skeleton import drawn_treatments
from bayesdid.reconstruct.targets import CLOSE, EXACT
from bayesdid.study.load import Study

MANIFEST = "manifest.json"
READINGS = ("mended", "printed")


@dataclass(frozen=True, slots=True)
class Kept:
    """One member as the manifest names it.

    Attributes
    ----------
    file, sha256
        Its Parquet file and the digest of its bytes.
    index, seed, rounds, whole
        See :class:`bayesdid.reconstruct.member.Member`.
    habits
        What was drawn of the outcome beside what is printed.
    relaxed
        Estimates and moments that it was held to and does not give within rounding.
    checks
        Every printed number beside the member's.
    """

    file: str
    sha256: str
    index: int
    seed: int
    rounds: int
    whole: bool
    habits: Habits
    relaxed: tuple[Check, ...]
    checks: tuple[Check, ...]

    @property
    def far(self) -> float:
        """Relative miss, beyond rounding, that nine in ten standard errors and R2 keep within."""
        off = [check.beyond for check in self.checks if check.held and check.kind in CLOSE]
        return float(np.quantile(off, 0.9)) if off else 0.0


@dataclass(frozen=True, slots=True)
class Cell:
    """One printed number over the members.

    Attributes
    ----------
    cell, kind, held
        See :class:`bayesdid.reconstruct.member.Check`.
    printed
        Middle of its interval, under the reading.
    half
        Half a unit of its last digit.
    low, median, high
        Least, middle and largest value of the members.
    within
        Members that give it within rounding.
    """

    cell: str
    kind: str
    held: bool
    printed: float
    half: float
    low: float
    median: float
    high: float
    within: int

    @property
    def beyond(self) -> float:
        """How far the median lies beyond what rounds to the printed number, relative to it."""
        return max(abs(self.median - self.printed) - self.half, 0.0) / abs(self.printed)


@dataclass(frozen=True, slots=True)
class Ensemble:
    """What ``bayesdid reconstruct`` made.

    Attributes
    ----------
    study_id, synthetic
        The study, and the stamp that every result from it carries.
    seed, reading, hold_out
        As asked for.
    conflicts
        Printed cells that no panel can have together, under the reading as printed.
    left_out
        Columns that are not held to what they print, or their standard errors, and why.
    drawn
        Treatments of which the tables do not say when they are on, and what they are drawn as.
    members
        In order.
    """

    json_keys: ClassVar[tuple[str, ...]] = (
        "study_id",
        "synthetic",
        "seed",
        "reading",
        "hold_out",
        "code",
        "environment",
        "conflicts",
        "left_out",
        "drawn",
        "cells",
        "members",
    )

    study_id: str
    synthetic: str
    seed: int
    reading: str
    hold_out: tuple[str, ...]
    conflicts: tuple[Conflict, ...]
    left_out: dict[str, str]
    drawn: dict[str, str]
    members: tuple[Kept, ...]

    @property
    def code(self) -> str:
        """Digest of the package that made it."""
        return code_digest()

    @property
    def environment(self) -> str:
        """Digest of the versions it ran with."""
        return environment_digest()

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Every printed number over the members."""
        found = []
        for checks in zip(*(member.checks for member in self.members), strict=True):
            values = np.array([check.value for check in checks])
            first = checks[0]
            found.append(
                Cell(
                    first.cell,
                    first.kind,
                    first.held,
                    (first.low + first.high) / 2,
                    (first.high - first.low) / 2,
                    float(values.min()),
                    float(np.median(values)),
                    float(values.max()),
                    sum(check.misses == 0 for check in checks),
                )
            )
        return tuple(found)


def reconstruct(
    study: Study,
    folder: Path,
    *,
    members: int = 1,
    seed: int = 0,
    hold_out: tuple[str, ...] = (),
    reading: str = "mended",
    known: Panel | None = None,
    done: Callable[[Task], object] = lambda _: None,
) -> Ensemble:
    """Make an ensemble and write it: a Parquet file for each member, and the manifest.

    Parameters
    ----------
    hold_out
        Tables and columns that the members are not held to, and are compared with.
    reading
        ``mended`` or ``printed``, see :class:`bayesdid.reconstruct.member.Task`.
    known
        A real panel of which all but the outcomes is taken as known.
    done
        Called with the task of each member that was made.

    Raises
    ------
    InputError
        If a name of `hold_out` or `reading` is not known, or no column can be held to.
    """
    held, left = held_columns(study, known)
    if reading not in READINGS:
        raise InputError("no such reading", value=reading, remedy=f"use {' or '.join(READINGS)}")
    if not held:
        reasons = "; ".join(f"{place}: {why}" for place, why in left.items())
        raise InputError(
            "no printed column is a least-squares regression that a panel can be held to"
            + f" ({reasons})" * bool(left),
            file=study.path,
            remedy="add a table of least-squares columns with their coefficients",
        )
    places = [*held, *study.tables]
    for name in hold_out:
        if name not in places:
            raise InputError(
                "no such table or column to hold out",
                value=name,
                remedy=f"use some of {', '.join(places)}",
            )
    if not any(not is_held_out(place, hold_out) for place in held):
        raise InputError(
            "every column that a panel could be held to is held out",
            file=study.path,
            remedy="hold out fewer tables",
        )
    folder.mkdir(parents=True, exist_ok=True)
    tasks = [Task(study, seed, k, hold_out, reading, known) for k in range(members)]
    kept = tuple(_write(member, folder) for member in map_fits(make_member, tasks, done=done))
    left |= {
        f"standard errors of {place}": why
        for place, why in errors_left_out(study, held, known).items()
    }
    stamp = (
        f"reconstructed by bayesdid from what {study.id} prints; synthetic, not the study's data"
    )
    found = Ensemble(
        study.id,
        stamp,
        seed,
        reading,
        hold_out,
        conflicts_of(study),
        left,
        {} if known else drawn_treatments(study, held),
        kept,
    )
    write_json(folder / MANIFEST, found)
    return found


def _write(member: Member, folder: Path) -> Kept:
    name = f"member{member.index:03d}.parquet"
    path = folder / name
    table = pa.Table.from_pandas(member.frame, preserve_index=False)
    stamp = {STAMP: str(member.frame[STAMP].iloc[0])}  # beside the column: for other readers
    parquet.write_table(
        table.replace_schema_metadata({**table.schema.metadata, **stamp}), path, compression="zstd"
    )
    return Kept(
        name,
        str(file_digest(path)),
        member.index,
        member.seed,
        member.rounds,
        member.whole,
        member.habits,
        tuple(c for c in member.checks if c.held and c.misses > 0 and c.kind in EXACT),
        member.checks,
    )
