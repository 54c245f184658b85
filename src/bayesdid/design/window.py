"""The window of an event study: its first and last event time, and the one that is left out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bayesdid.exceptions import InputError
from bayesdid.study.load import Spec

FARTHEST = 1000
"""Event times lie no farther from adoption, so that other numbers are not taken for them."""


class EventWindow(BaseModel):
    """The options of an event study that say which event times have a term."""

    model_config = ConfigDict(frozen=True, strict=True)

    first: int = Field(default=-5, ge=-FARTHEST, le=FARTHEST, description="First event time")
    last: int = Field(default=5, ge=-FARTHEST, le=FARTHEST, description="Last event time")
    reference: int = Field(
        default=-1, ge=-FARTHEST, le=FARTHEST, description="Event time that effects are relative to"
    )
    ends: Literal["own", "bin"] = Field(
        default="own",
        description="Event times beyond the window: effects of their own, or one bin at each end",
    )

    @model_validator(mode="after")
    def _in_order(self) -> EventWindow:
        if not self.first < self.last or not self.first <= self.reference <= self.last:
            raise ValueError("an event study has first < last and first <= reference <= last")
        return self


def event_labels(window: EventWindow) -> dict[int, str]:
    """Event time -> how its term names it; the reference included."""
    labels = {k: str(k) for k in range(window.first, window.last + 1)}
    if window.ends == "own":
        return labels
    return labels | {window.first: f"<={window.first}", window.last: f">={window.last}"}


def beyond(window: EventWindow, times: Iterable[float]) -> list[int]:
    """The event times among `times` that lie outside the window, in order; NaN is none."""
    whole = {int(k) for k in times if abs(k) <= FARTHEST and k == round(k)}
    return sorted(k for k in whole if not window.first <= k <= window.last)


def event_window(spec: Spec) -> EventWindow:
    """The window that an event study's options ask for.

    Raises
    ------
    InputError
        If they contradict each other or are no whole numbers.
    """
    options = spec.column.options
    given = {name: options[name] for name in EventWindow.model_fields if name in options}
    try:
        return EventWindow.model_validate(given)
    except ValidationError as error:
        raise InputError(
            f"{spec.id}: an event study has whole numbers first <= reference <= last",
            value=", ".join(f"{name} = {value}" for name, value in given.items()),
            remedy='set options = { first = -5, last = 5, reference = -1, ends = "own" }, or "bin"',
        ) from error
