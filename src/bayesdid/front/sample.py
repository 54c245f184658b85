"""The rows that a call from a data frame asks for, as a study's column would say it."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from bayesdid.exceptions import InputError, nearest_name
from bayesdid.study.schema import Sample

SampleLike = Sample | Mapping[str, object]
"""A sample, or its fields by name."""

FIELDS = tuple(name for name in Sample.model_fields if name != "groups")
"""Without groups, which only a study declares."""


def sample_of(given: SampleLike | None) -> Sample:
    """The sample that was asked for; all rows without one.

    Raises
    ------
    InputError
        For a field that samples do not have, or a value that it cannot hold.
    """
    if given is None or isinstance(given, Sample):
        return given or Sample()
    if not isinstance(given, Mapping):
        raise InputError(
            "a sample is given by the names of its fields",
            value=repr(given)[:60],
            remedy='such as sample={"first": 2004, "last": 2012}',
        )
    for name in given:
        if name not in FIELDS:
            near = nearest_name(str(name), FIELDS)
            raise InputError(
                "a sample has no such field",
                column="sample",
                value=str(name),
                remedy=f"did you mean '{near}'?" if near else f"it has {', '.join(FIELDS)}",
            )
    try:
        return Sample.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(
            first["msg"].removeprefix("Value error, "),
            column=".".join(("sample", *map(str, first["loc"]))),
            value=repr(first["input"])[:60],
            remedy="see bayesdid.study.schema.Sample for what each field holds",
        ) from error
