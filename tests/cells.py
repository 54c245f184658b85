"""Cells of a test's matrix: a few in ``make test``, all in ``make test-slow``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def slow_but(cells: Iterable[Any], *fast: Any) -> list[Any]:
    """All cells, those that are not `fast` marked slow.

    Raises
    ------
    ValueError
        If a fast cell is none of them.
    """
    found = list(cells)
    if missing := [cell for cell in fast if cell not in found]:
        raise ValueError(f"no such cell: {missing[0]}")
    return [
        cell
        if cell in fast
        else pytest.param(*(cell if isinstance(cell, tuple) else (cell,)), marks=pytest.mark.slow)
        for cell in found
    ]
