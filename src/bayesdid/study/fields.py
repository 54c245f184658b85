"""Types of the fields of study files: printed numbers, terms, columns, identifiers."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bayesdid.study.derived import derived_of
from bayesdid.study.printed import Printed
from bayesdid.study.terms import parse_term


def _printed(text: str) -> str:
    Printed.parse(text)
    return text


def _term(text: str) -> str:
    return str(parse_term(text))


def _column(text: str) -> str:
    """A column's name as it is, a function of a column as terms write it."""
    return str(derived_of(text) or text)


def _order(text: str) -> str:
    term = parse_term(text)
    if len(term.factors) > 1 or term.factors[0].kind not in {"first", "simultaneous", "order"}:
        raise ValueError(f"'{text}' is no order; use first:POLICY, simultaneous or order:P>Q")
    return str(term)


PrintedText = Annotated[str, AfterValidator(_printed)]
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
