"""What a check is and what it returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import pandas as pd
import xarray as xr


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Result of one check of one fit.

    Attributes
    ----------
    name
        Short stable identifier.
    passed
        Whether the model passed; None if the check does not apply.
    table
        What was compared, one tidy frame.
    text
        What was found, and what failing means for the contrasts.
    figures
        File names or objects that illustrate it.
    """

    json_keys: ClassVar[tuple[str, ...]] = ("name", "passed", "table", "text")

    name: str
    passed: bool | None
    table: pd.DataFrame
    text: str
    figures: tuple[Any, ...] = ()


class Check(Protocol):
    """A check is a function of a fit."""

    def __call__(self, tree: xr.DataTree) -> CheckResult:
        """Check `tree`."""
        ...
