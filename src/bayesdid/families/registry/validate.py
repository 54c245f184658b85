"""Whether a column says only what its family reads: options typed, nothing accepted and ignored."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from pydantic import ValidationError

from bayesdid.exceptions import InputError, nearest_name
from bayesdid.families.registry.describe import option_texts
from bayesdid.families.registry.discover import families
from bayesdid.families.registry.family import MODEL_FIELDS, ROW_FIELDS, AnyFamily, Options
from bayesdid.study.load import SAID_OTHERWISE, Spec
from bayesdid.study.schema import Column


def family_of(spec: Spec, file: str | Path | None = None) -> AnyFamily:
    """The family that a spec names.

    Raises
    ------
    InputError
        If there is no such family.
    """
    known = families()
    name = spec.column.family
    if name not in known:
        raise InputError(
            "no such family",
            file=file,
            column=f"{spec.id}.family",
            value=name,
            remedy=_meant(name, known) or f"use one of {', '.join(known)}",
        )
    return known[name]


def checked_options(
    spec: Spec, family: AnyFamily | None = None, file: str | Path | None = None
) -> Options:
    """The options of a spec, typed, once all that its column says has been found in order.

    Parameters
    ----------
    family
        The spec's family, if it is known; looked up by its name otherwise.
    file
        Where the spec is declared, for messages.

    Raises
    ------
    InputError
        If an option is unknown, missing, of the wrong type or out of range, if a field is stated
        that the family does not read, or if what is stated contradicts itself.
    """
    family = family or family_of(spec, file)
    _refuse_unread(spec, family, file)
    try:
        options: Options = family.options.model_validate(spec.column.options)
    except ValidationError as error:
        raise _option_error(spec, family, error, file) from error
    if problem := family.check(spec.column, options):
        raise InputError(
            problem, file=file, column=spec.id, remedy=f"see: bayesdid families {family.name}"
        )
    return options


def one_treatment(spec: Spec) -> str:
    """The one treatment of a spec whose family follows a single one."""
    if len(spec.column.treatments) != 1:
        raise InputError(
            f"{spec.id}: family {spec.column.family} takes one treatment",
            value=", ".join(spec.column.treatments) or "none",
            remedy="name one",
        )
    return spec.column.treatments[0]


def stated_fields(column: Column) -> list[str]:
    """Fields of a model that a column sets to something else than their default."""
    return [name for name, default in _defaults().items() if getattr(column, name) != default]


@cache
def _defaults() -> dict[str, object]:
    """Fields of a model and their defaults, which nothing changes."""
    return {
        name: field.get_default(call_default_factory=True)
        for name, field in Column.model_fields.items()
        if name in MODEL_FIELDS
    }


def _refuse_unread(spec: Spec, family: AnyFamily, file: str | Path | None) -> None:
    unread = [name for name in stated_fields(spec.column) if name not in family.reads]
    if not unread:
        return
    name = unread[0]
    readers = [other.name for other in families().values() if name in other.reads]
    why = f": {family.alone}" if name in ROW_FIELDS and family.alone else ""
    raise InputError(
        f"family {family.name} does not read {name}{why}",
        file=file,
        column=f"{spec.id}.{name}",
        value=getattr(spec.column, name),
        remedy=f"leave it out, or use a family that reads it ({', '.join(readers) or 'none does'})",
    )


def _option_error(
    spec: Spec, family: AnyFamily, error: ValidationError, file: str | Path | None
) -> InputError:
    first = min(error.errors(), key=lambda item: item["type"] != "extra_forbidden")
    more = f" ({error.error_count() - 1} more)" if error.error_count() > 1 else ""
    if not first["loc"]:  # options that contradict each other
        problem = first["msg"].removeprefix("Value error, ")
        return InputError(
            f"{problem}{more}",
            file=file,
            column=f"{spec.id}.options",
            remedy=f"see: bayesdid families {family.name}",
        )
    name = str(first["loc"][0])
    where = f"{spec.id}.options.{name}"
    if first["type"] == "extra_forbidden":
        return InputError(
            f"family {family.name} has no option {name}{more}",
            file=file,
            column=where,
            value=_short(first["input"]),
            remedy=_instead(name, family),
        )
    text = next(item for item in option_texts(family.options) if item.name == name)
    if first["type"] == "missing" and len(first["loc"]) == 1:
        return InputError(
            f"family {family.name} needs the option {name}{more}",
            file=file,
            column=spec.id,
            remedy=f"set options = {{ {name} = ... }}: {text.takes} ({text.description})",
        )
    meant = (
        _meant(str(first["input"]), re.findall("'([^']*)'", str(first["ctx"]["expected"])))
        if (first["type"] == "literal_error")
        else ""
    )
    return InputError(
        f"option {name} takes {text.takes}{more}",
        file=file,
        column=where,
        value=_short(spec.column.options.get(name)),
        remedy=f"{meant}; " * bool(meant)
        + f"{name}: {text.description}"
        + (f"; default {text.default}" * bool(text.default)),
    )


def _instead(name: str, family: AnyFamily) -> str:
    """What to write instead of an unknown option."""
    own = list(family.options.model_fields)
    if hint := _meant(name, own):
        return hint
    if name in SAID_OTHERWISE:
        return SAID_OTHERWISE[name]
    if name in family.reads:
        return f"{name} is a field of the column: write it beside options, not in it"
    elsewhere = [f.name for f in families().values() if name in f.options.model_fields]
    have = f"the options of {family.name} are {', '.join(own)}" if own else "it has no options"
    if elsewhere:
        return f"{have}; {name} is an option of {', '.join(elsewhere)}"
    every = {option for f in families().values() for option in f.options.model_fields}
    near = _meant(name, every)
    return f"{have}; leave it out" + (f" ({near} of another family)" if near else "")


def _meant(name: str, known: Iterable[str]) -> str:
    near = nearest_name(name, known)
    return f"did you mean '{near}'" if near else ""


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."
