"""Which failed checks mean that a posterior's width is not to be trusted."""

from __future__ import annotations

from collections.abc import Iterable

from bayesdid.checks.check import CheckResult

# fails on this side -> intervals are too narrow, or as often too narrow as too wide
_NARROW_IF_ABOVE = ("autocorrelation", "dispersion", "differing_effects")
_EITHER_SIDE = ("unit_variance",)


def width_holds(checks: Iterable[CheckResult]) -> bool | None:
    """Whether no check says that intervals may be too narrow; None if none of them was made.

    Errors that correlate more over time than the model has it, counts that vary more and effects
    that differ between units make a posterior too narrow; units that vary unlike the model
    misstate it. A failure to the other side makes it wider than it need be.
    """
    seen = [check for check in checks if _kind(check) and check.passed is not None]
    if not seen:
        return None
    return not any(check.passed is False and _narrow(check) for check in seen)


def _kind(check: CheckResult) -> bool:
    return check.name.rpartition(": ")[2] in (*_NARROW_IF_ABOVE, *_EITHER_SIDE)


def _narrow(check: CheckResult) -> bool:
    if check.name.rpartition(": ")[2] in _EITHER_SIDE:
        return True
    row = check.table.iloc[0]
    return bool(row["observed"] > row["replicated"])
