"""What a check is and what it returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from bayesdid.checks.figure import Figure


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
    figure
        The same as a picture, where one says more than the numbers.
    failing
        What failing means, whether it fails or not; empty where `text` says it.
    done
        What was done about it, or is the remedy.
    """

    json_keys: ClassVar[tuple[str, ...]] = (
        "name",
        "passed",
        "table",
        "text",
        "figure",
        "failing",
        "done",
    )

    name: str
    passed: bool | None
    table: pd.DataFrame
    text: str
    figure: Figure | None = None
    failing: str = ""
    done: str = ""


def inapplicable(name: str, why: str) -> CheckResult:
    """A check that does not apply to a fit, and why."""
    return CheckResult(name, None, pd.DataFrame(), f"Does not apply: {why}.")
