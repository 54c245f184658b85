"""Rows of many simulated panels: each a file of its own run, so that a second run goes on."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from bayesdid.digest import digest, environment_digest
from bayesdid.inference.executor import map_fits
from bayesdid.jsonio import read_sealed, write_sealed

Item = tuple[Any, ...]
Rows = list[dict[str, object]]


def stored(
    item: Item,
    folder: Path,
    make_rows: Callable[..., Rows],
    settings: tuple[int, ...],
    sources: Sequence[str],
) -> Rows:
    """The rows of a panel, from its file if there is one of this code."""
    texts = [Path(__file__).with_name(name).read_bytes() for name in sources]
    key = digest(item, *settings, environment_digest(), *texts)[:16]
    words = "-".join(str(part) for part in item).replace(" ", "_").replace(",", "")
    path = folder / f"{words}-{key}.json"
    try:
        return read_sealed(path)
    except (FileNotFoundError, ValueError):
        return write_sealed(path, make_rows(item))


def rows_of(
    items: Sequence[Item],
    make_rows: Callable[..., Rows],
    folder: Path | None,
    settings: tuple[int, ...],
    sources: Sequence[str],
) -> pd.DataFrame:
    """Rows of all panels.

    Parameters
    ----------
    items
        World and number of each panel.
    folder
        Of the files; without one nothing is stored or said.
    settings, sources
        What a file depends on beside the product's code: sizes, and modules beside this one.
    """
    begin, left = time.perf_counter(), iter(range(len(items) - 1, -1, -1))

    def done(item: Item) -> None:
        if folder is not None:
            took = time.perf_counter() - begin
            sys.stderr.write(f"{took:6.0f} s {next(left):5d} left {item[0]}\n")

    work = (
        make_rows
        if folder is None
        else partial(stored, folder=folder, make_rows=make_rows, settings=settings, sources=sources)
    )
    return pd.DataFrame([row for found in map_fits(work, items, done=done) for row in found])
