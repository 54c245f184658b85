"""What a study's ``claims.toml`` may say: quantitative statements of the text."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from bayesdid.study.fields import Identifier, PrintedText, Strict


class Comparison(Strict):
    """'A is stronger (larger in size, or differently significant) than B'."""

    stronger: str
    weaker: str
    difference: PrintedText | None = Field(
        default=None, description="Of the sizes, as stated: 'by 17.3'; in units of scale"
    )
    ratio: PrintedText | None = Field(default=None, description="As stated: '2' of 'twice'")


class Arithmetic(Strict):
    """Numbers in the text that algebra ties together, as printed."""

    parts: tuple[PrintedText, ...]
    operation: Literal["sum", "product", "percent_of", "count"]
    result: PrintedText
    whole: PrintedText | None = Field(default=None, description="For percent_of, if stated")


class Claim(Strict):
    """One quantitative statement of the text."""

    id: Identifier
    text: str = Field(description="The statement, quoted")
    place: str = Field(description="Section and paragraph")
    value: PrintedText | None = None
    scale: float = Field(default=1.0, description="Claimed value = scale x |cell|, e.g. 100")
    cell: str | None = Field(default=None, description="The cell it refers to")
    effect: str | None = Field(
        default=None,
        description="The effect that it is about where no cell prints it: 'figure2.1:both@2'",
    )
    percent_of: str | None = Field(
        default=None,
        description="The value is the cell's effect in percent: of this cell (a mean), of an "
        "outcome in logarithms ('log'), or of a ratio ('ratio')",
    )
    signed: bool = Field(default=False, description="Compare with sign (default: sizes)")
    significance: Literal["0.1%", "1%", "5%", "10%", "significant", "none"] | None = None
    direction: Literal["negative", "positive"] | None = None
    comparison: Comparison | None = None
    arithmetic: Arithmetic | None = None
    synergy: str | None = Field(
        default=None, description="Contrast that decides it, e.g. 'both - sum of singles'"
    )


class ClaimsFile(Strict):
    """``claims.toml``."""

    claim: tuple[Claim, ...] = ()

    @model_validator(mode="after")
    def _ids_differ(self) -> ClaimsFile:
        ids = [claim.id for claim in self.claim]
        if twice := [name for name in ids if ids.count(name) > 1]:
            raise ValueError(f"two claims have the id {twice[0]}")
        return self
