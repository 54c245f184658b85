"""What a check is and what it returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd


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
    """

    json_keys: ClassVar[tuple[str, ...]] = ("name", "passed", "table", "text")

    name: str
    passed: bool | None
    table: pd.DataFrame
    text: str
