"""Types of the fields of study files: printed numbers, terms, columns, identifiers."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from bayesdid.study.derived import derived_of, unquoted
from bayesdid.study.printed import Printed
from bayesdid.study.terms import parse_term


def _printed(text: str) -> str:
    if Printed.parse(text).bound:
        raise ValueError(f"'{text}' is a bound, which only a p-value can be")
    return text


def _p_value(text: str) -> str:
    low, high = Printed.parse(text).interval
    if high < 0 or low > 1:
        raise ValueError(f"'{text}' is no p-value: those lie between 0 and 1")
    return text


def _interval(text: str) -> str:
    low, high = ends(text)
    if low.value > high.value:
        raise ValueError(f"'{text}': the lower end of an interval is above the upper one")
    return text


def ends(text: str) -> tuple[Printed, Printed]:
    """Both ends of a printed interval: ``[0.10, 0.73]``, ``0.1; 0.7``, ``0.1 to 0.7``, ``0.1-0.7``.

    Raises
    ------
    ValueError
        If `text` is not two printed numbers.
    """
    body = text.strip().removeprefix("(").removeprefix("[").removesuffix(")").removesuffix("]")
    for separator in (
        r"\s*;\s*",
        r"\s+to\s+",
        r",\s+",
        ",",
        r"(?<=\d)\s*[-\u2013\u2014]\s*(?=[-\u2212\u2013]?[\d.])",
    ):
        parts = re.split(separator, body)
        if len(parts) == 2:
            return Printed.parse(parts[0]), Printed.parse(parts[1])
    raise ValueError(f"'{text}' is not an interval such as '[0.10, 0.73]'")


def _mark(text: str) -> str:
    try:
        found = Printed.parse(f"1{text}").mark
    except ValueError:
        found = ""
    if not text or found != text:
        raise ValueError(f"'{text}' is no mark of significance: stars, +, a dagger, a letter a-d")
    return text


def _term(text: str) -> str:
    return str(parse_term(text))


def _column(text: str) -> str:
    """A column's name as it is, a function of a column as terms write it."""
    return str(derived_of(text) or unquoted(text))


def _order(text: str) -> str:
    term = parse_term(text)
    if len(term.factors) > 1 or term.factors[0].kind not in {"first", "simultaneous", "order"}:
        raise ValueError(f"'{text}' is no order; use first:POLICY, simultaneous or order:P>Q")
    return str(term)


def _typed(value: object) -> object:
    """A whole number as text: a period or a key may be written without quotes."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


_TYPED = WithJsonSchema({"anyOf": [{"type": "string", "minLength": 1}, {"type": "integer"}]})
PeriodText = Annotated[str, BeforeValidator(_typed), Field(min_length=1), _TYPED]
UnitText = Annotated[str, BeforeValidator(_typed), Field(min_length=1), _TYPED]
PrintedText = Annotated[str, AfterValidator(_printed)]
PText = Annotated[str, AfterValidator(_p_value)]
IntervalText = Annotated[str, AfterValidator(_interval)]
MarkText = Annotated[str, AfterValidator(_mark)]
MOST_UNITS = 1_000_000
"""Units that a study may declare: arrays of them are made before any panel is read."""
Count = Annotated[int, Field(ge=0, le=MOST_UNITS)]
Adopting = Annotated[int, Field(le=MOST_UNITS)]
"""Units that adopt in a period; what is below zero is refused with the whole timing."""
Level = Annotated[float, Field(gt=0, lt=1)]
TermText = Annotated[str, AfterValidator(_term)]
ColumnText = Annotated[str, AfterValidator(_column)]
OrderText = Annotated[str, AfterValidator(_order)]
ArmText = Annotated[str, Field(pattern=r"^(none|single|dual|triple|[1-9]\d* policies)$")]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][\w-]*$")]


class Strict(BaseModel):
    """Base: unknown keys are errors, values never change after loading."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, str_strip_whitespace=True, allow_inf_nan=False
    )
