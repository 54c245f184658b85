"""What a family of specs is: its options, the fields it reads, how it is run, where it stands."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bayesdid.model.errors import DEFAULT_ERRORS, ErrorsName
from bayesdid.study.schema import Column

if TYPE_CHECKING:
    from bayesdid.families.analysis import Analysis
    from bayesdid.panel.panel import Panel
    from bayesdid.study.load import Spec, Study

# fields of a column that say what was printed, or name it: every family may have them
PRINTED = frozenset(
    {
        "id",
        "label",
        "family",
        "options",
        "outcome",
        "same_sample_as",
        "note",
        "n",
        "r2",
        "rows",
        "labels",
        "clusters",
        "in_parentheses",
        "interval_level",
        "printed_as",
        "r2_kind",
        "se_kind",
        "coefficients",
        "scalars",
        "impacts",
        "spatial_lags",
        "statistic",
    }
)
# all others describe a model, and are refused where the family does not read them
MODEL_FIELDS = frozenset(Column.model_fields) - PRINTED
SAMPLE_FIELDS = frozenset({"treatments", "covariates", "sample", "outcome_lead"})
TWO_WAY_FIELDS = SAMPLE_FIELDS | {"unit_effects", "period_effects"}
WEIGHT_FIELDS = frozenset({"row_weights", "row_weights_kind"})
ROW_FIELDS = WEIGHT_FIELDS | {"effects", "cluster"}

# json_schema_extra of an option that names terms: their columns are then read from the panel
TERMS: dict[str, Any] = {"names": "terms of the panel"}


class Options(BaseModel):
    """Base of a family's ``[column.options]``: typed, strict, never changed; lists are tuples."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _tuples(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}

    def terms(self) -> tuple[str, ...]:
        """The terms that options marked with :data:`TERMS` name."""
        found: list[str] = []
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if field.json_schema_extra == TERMS and value is not None:
                found += [value] if isinstance(value, str) else value
        return tuple(found)


class ErrorsOption(Options):
    """Option of every family that fits rows of a panel by regression."""

    errors: ErrorsName = Field(
        default=DEFAULT_ERRORS.name,
        description="Errors within units, by default those that are calibrated; i.i.d. ones stand "
        "beside",
    )


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the report.

    Attributes
    ----------
    key
        Its anchor on the page.
    heading, lead
        What stands above its analyses.
    order
        Sections stand in ascending order of it.
    """

    key: str
    heading: str
    lead: str
    order: int


class Runner[O: Options](Protocol):
    """How a family is run."""

    def __call__(
        self, study: Study, spec: Spec, panel: Panel, options: O, *, seed: int, draws: int
    ) -> Analysis:
        """Analyse one spec; `draws` are per chain, of four chains."""
        ...


def _nothing(column: Column, options: Any) -> str:  # noqa: ARG001
    return ""


@dataclass(frozen=True, slots=True)
class Family[O: Options]:
    """A family of specs. One value of this, named ``FAMILY``, registers it.

    Attributes
    ----------
    name
        What ``family`` of a column says.
    question
        What it answers, one line.
    checked
        What its numbers are checked against.
    section, order
        Where its analyses stand in the report, and in which order within their section.
    options
        Type of ``[column.options]``; :class:`Options` itself where there are none.
    reads
        Which of :data:`MODEL_FIELDS` it reads; others are refused.
    alone
        Why it does not read all of :data:`ROW_FIELDS` (further effects, weights of rows, clusters),
        said where one of them is refused.
    treatments
        How many treatments it takes, in words.
    run
        A function, or where it is found, ``package.module:function``, imported when first run so
        that loading a study stays light. Empty for families without an analysis.
    fitted
        Whether ``bayesdid fit`` fits it as a two-way regression.
    check
        ``check(column, options)`` says what contradicts what, or "".
    """

    name: str
    question: str
    checked: str
    section: Section
    options: type[O]
    order: int = 0
    reads: frozenset[str] = TWO_WAY_FIELDS
    alone: str = ""
    treatments: str = "any"
    run: Runner[O] | str = ""
    fitted: bool = False
    check: Callable[[Column, O], str] = _nothing

    def __post_init__(self) -> None:
        """Refuse what could never work, where it is written."""
        if not re.fullmatch(r"[a-z]\w*", self.name):
            raise ValueError(f"a family's name is a lower-case identifier, not {self.name!r}")
        if unknown := sorted(self.reads - MODEL_FIELDS):
            raise ValueError(f"family {self.name} reads no field of a column: {unknown[0]}")

    @property
    def has_analysis(self) -> bool:
        """Whether ``bayesdid analyse`` runs it."""
        return bool(self.run)

    @property
    def is_used(self) -> bool:
        """Whether its specs are fitted or analysed, so that a panel must have their columns."""
        return self.has_analysis or self.fitted

    def runner(self) -> Runner[O]:
        """The function that runs it."""
        if not isinstance(self.run, str):
            return self.run
        module, _, name = self.run.partition(":")
        found: Runner[O] = getattr(import_module(module), name)
        return found


type AnyFamily = Family[Any]  # families of different options side by side
