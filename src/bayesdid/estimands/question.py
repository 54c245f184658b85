"""What a claim asks: of which effect, which sign, which size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from bayesdid.estimands.distribution import Distribution
from bayesdid.estimands.names import RATIO, SUM, contrasts_of
from bayesdid.study.cells import LAG
from bayesdid.study.claims import Claim, Comparison
from bayesdid.study.load import Spec, Study
from bayesdid.study.printed import Printed
from bayesdid.study.schema import Sample

_PARTS = ("direct", "indirect", "total")


@dataclass(frozen=True, slots=True)
class Asked:
    """Sign and size that are claimed of a quantity.

    Attributes
    ----------
    sign
        1 or -1; 0 for the claim that there is no effect, which is read as one within the ROPE.
    size
        Claimed absolute value in the quantity's unit; or None.
    rope
        Half width of the region of practical equivalence; only for sign 0.
    null
        What the sign is relative to: 1 for a ratio, else 0.
    """

    sign: Literal[-1, 0, 1]
    size: float | None = None
    rope: float | None = None
    null: float = 0.0

    def p_sign(self, found: Distribution) -> float:
        """Probability of the claimed sign."""
        if self.sign == 0:
            rope = self.rope or 0.0
            return max(0.0, found.below(rope) - found.below(-rope))
        below = found.below(self.null)
        return below if self.sign < 0 else 1 - below

    def p_size(self, found: Distribution) -> float | None:
        """Probability of at least the claimed size, in the claimed direction."""
        if self.size is None or self.sign == 0:
            return None
        return found.below(-self.size) if self.sign < 0 else 1 - found.below(self.size)


@dataclass(frozen=True, slots=True)
class Cell:
    """An effect of one spec, by the name that a claim gives it: ``both``, ``both.indirect``."""

    spec: Spec
    name: str

    @property
    def term(self) -> str:
        """The name without the part of a spatial effect."""
        term, _, part = self.name.rpartition(".")
        return term if part in _PARTS else self.name

    @property
    def ref(self) -> str:
        """As claims write it."""
        return f"{self.spec.id}:{self.name}"


@dataclass(frozen=True, slots=True)
class Question:
    """What a claim asks.

    Attributes
    ----------
    claim
        Its id.
    asks
        Sign and size.
    label, unit
        Of the quantity, for people.
    contrast
        Name of the contrast that it is about; or None.
    cell
        The effect of a spec that it is about; or None.
    weaker
        The effect that is claimed to be weaker than `cell`; or None.
    """

    claim: str
    asks: Asked
    label: str
    unit: str
    contrast: str | None = None
    cell: Cell | None = None
    weaker: Cell | None = None


def question(study: Study, claim: Claim) -> Question | None:
    """What a claim asks of an effect; None if it is about something else, or says no direction."""
    cell = _named(study, claim.effect) if claim.effect else _cell(study, claim.cell)
    if claim.comparison is not None:
        return _comparison(study, claim, claim.comparison)
    contrast = claim.synergy or (None if cell is None else _contrast_of(study, cell))
    labels = _labels(study)
    if contrast is not None and contrast not in labels:
        contrast = None
    asks = _asked(study, claim, contrast, cell)
    if asks is None:
        return None
    if contrast is not None:
        unit = "ratio" if contrast == RATIO else study.file.outcome.unit
        return Question(claim.id, asks, labels[contrast], unit, contrast, cell)
    if cell is None:
        return None
    label = f"{cell.spec.title}: {cell.name}"
    return Question(claim.id, asks, label, _unit(study, cell), None, cell)


def claimed_below(study: Study, contrast: str) -> bool:
    """Whether a contrast is claimed to be negative: by the first claim about it that says a side.

    Without such a claim it is the side on which the outcome is better.
    """
    for claim in study.claims:
        asked = question(study, claim)
        if asked is not None and asked.contrast == contrast and asked.asks.sign:
            return asked.asks.sign < 0
    return _better(study) < 0


def _comparison(study: Study, claim: Claim, comparison: Comparison) -> Question | None:
    """Whether the stronger effect is further out, on its own side of zero."""
    strong, weak = (_cell(study, ref) for ref in (comparison.stronger, comparison.weaker))
    labels = _labels(study)
    if claim.synergy in labels:
        asks = Asked(_better(study))
        label = labels[str(claim.synergy)]
        return Question(claim.id, asks, label, study.file.outcome.unit, claim.synergy, strong, weak)
    if strong is None or weak is None:
        return None
    sign: Literal[-1, 1] = -1 if float(study.cell(strong.ref).value) < 0 else 1
    label = f"{strong.spec.title} minus {weak.spec.title}: {strong.name}"
    return Question(claim.id, Asked(sign), label, _unit(study, strong), None, strong, weak)


def _asked(study: Study, claim: Claim, contrast: str | None, cell: Cell | None) -> Asked | None:
    size = _size(study, claim, cell)
    if claim.direction is not None:
        null = 1.0 if claim.percent_of == "ratio" else 0.0
        return Asked(-1 if claim.direction == "negative" else 1, size, null=null)
    if claim.synergy is not None and contrast is not None:
        if contrast == RATIO:
            return Asked(1, None, None, 1.0)
        return Asked(_better(study), size)
    if claim.signed and claim.value is not None:
        return Asked(-1 if float(Printed.parse(claim.value)) < 0 else 1, size)
    rope = study.file.synergy.rope
    main = cell is not None and cell.spec.column.outcome == study.file.outcome.column
    if claim.significance == "none" and rope is not None and main:
        return Asked(0, None, rope)
    return None


def _size(study: Study, claim: Claim, cell: Cell | None) -> float | None:
    """The claimed absolute value in the unit of the cell; None of a ratio, or where none is.

    Percent of a mean are that share of it. Of an outcome in logarithms they are 100 b or
    100 (exp b - 1), whichever is nearer to what the cell prints.
    """
    if claim.value is None or cell is None or claim.effect is not None:
        return None
    stated = abs(float(Printed.parse(claim.value.replace("%", ""))))
    match claim.percent_of:
        case None:
            return stated / claim.scale
        case "ratio":
            return None
        case "log":
            b, share = float(study.cell(cell.ref).value), stated / 100
            sizes = [share]
            if b > 0 or share < 1:
                sizes.append(abs(math.log1p(math.copysign(share, b))))
            return min(sizes, key=lambda size: abs(size - abs(b)))
        case ref:
            return stated / 100 * abs(float(study.cell(ref).value))


def unasked(study: Study, claim: Claim) -> str:
    """Why a claim without a :func:`question` has none: what could be added, or what it is about."""
    cell = None if claim.effect else _cell(study, claim.cell)
    if cell is None:
        return "not about an effect; the audit compares it with what is printed"
    if claim.significance == "none":
        return (
            "that an effect is not significant says nothing of its size; which effects are as "
            "good as none is for [synergy] rope of study.toml to say"
        )
    return f"no direction of {cell.ref} is stated; say direction in claims.toml"


def _better(study: Study) -> Literal[-1, 1]:
    return -1 if study.file.outcome.better == "lower" else 1


def _labels(study: Study) -> dict[str, str]:
    """Labels of the study's contrasts."""
    return {contrast.name: contrast.label for contrast in contrasts_of(study)}


def _named(study: Study, ref: str) -> Cell:
    """The effect of a spec that a claim names in so many words."""
    left, _, name = ref.partition(":")
    return Cell(study[left], name)


def _cell(study: Study, ref: str | None) -> Cell | None:
    """The effect that a reference names; None for a constant, a statistic, a number of a figure."""
    left, _, name = (ref or "").partition(":")
    spec = study.specs.get(left)
    if spec is None or name == "constant":
        return None
    column = spec.column
    term, _, part = name.rpartition(".")
    printed = name in column.coefficients or name.removeprefix(LAG) in column.spatial_lags
    return Cell(spec, name) if printed or (part in _PARTS and term in column.impacts) else None


def _contrast_of(study: Study, cell: Cell) -> str | None:
    """The contrast that a cell is read as: by the study's own word, or with one policy alone."""
    synergy, ref = study.file.synergy, cell.ref
    cells = {synergy.both_none: "both - none", synergy.both_single: "both - single"}
    cells |= {synergy.interaction: SUM}
    cells |= {found: f"only:{policy} - none" for policy, found in synergy.only_none.items()}
    if ref in cells:
        return cells[ref]
    if len(study.policies) != 1:
        return None
    policy, column = study.policies[0].id, cell.spec.column
    whole = column.sample == Sample() and column.outcome_lead == 0
    own = cell.name in {f"active:{policy}", f"only:{policy}"}
    same = column.outcome == study.file.outcome.column
    return f"only:{policy} - none" if whole and own and same else None


def _unit(study: Study, cell: Cell) -> str:
    column = cell.spec.column.outcome
    if column == study.file.outcome.column:
        return study.file.outcome.unit
    named = (v.unit or v.label for v in study.file.variable if v.column == column)
    return next(named, f"units of {column}")
