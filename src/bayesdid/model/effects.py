"""Effects of units, of periods and of anything crossed with them, as a tuple."""

from __future__ import annotations

from dataclasses import dataclass

from bayesdid.design.design import Design
from bayesdid.exceptions import InputError
from bayesdid.study.effects import FurtherKind, parse_effect
from bayesdid.study.schema import EffectKind

_LETTER = {"unit": "a[i]", "period": "g[t]"}


@dataclass(frozen=True, slots=True)
class Effect:
    """One level for each unit, each period, or each level of something else.

    Attributes
    ----------
    over
        ``unit``, ``period``, or a further effect as :mod:`bayesdid.study.effects` writes it:
        ``region^year``, ``state[[year]]``.
    kind
        ``fixed`` (flat), ``random`` (normal around zero with a scale of its own) or, of units and
        periods, ``mundlak`` (random, with the regressors' components over the same levels in the
        mean).
    """

    over: str
    kind: EffectKind = "fixed"

    def __post_init__(self) -> None:
        allowed = {"fixed", "random", "mundlak"} if self.over in _LETTER else {"fixed", "random"}
        if self.kind not in allowed or (self.over not in _LETTER and not _is_effect(self.over)):
            raise InputError(
                "unknown effect",
                value=f"{self.over}, {self.kind}",
                remedy="over unit, period or an effect such as region^year; fixed, random or, of "
                "units and periods, mundlak; leave out what is absent",
            )

    @property
    def is_further(self) -> bool:
        """Whether it is neither the units' nor the periods'."""
        return self.over not in _LETTER

    @property
    def symbol(self) -> str:
        """As it stands in the equation."""
        return _LETTER.get(self.over, self.over)

    @property
    def equation(self) -> str:
        """Its prior, as plain text."""
        if self.is_further:
            free = "flat, orthogonal to the effects before it"
            return f"{self.over} {free if self.kind == 'fixed' else '~ Normal(0, its own sigma)'}"
        if self.kind == "fixed":
            return f"{self.symbol} flat, summing to zero"
        extra = f" + components of D and x over the {self.over}" if self.kind == "mundlak" else ""
        return f"{self.symbol} ~ Normal(0, sigma_{self.over}){extra}"


def _is_effect(text: str) -> bool:
    try:
        return parse_effect(text).kind == "fixed"
    except ValueError:
        return False


def two_way(unit: EffectKind = "fixed", period: EffectKind = "fixed") -> tuple[Effect, ...]:
    """Unit and period effects; ``none`` leaves one out."""
    pairs: tuple[tuple[str, EffectKind], ...] = (("unit", unit), ("period", period))
    return tuple(Effect(over, kind) for over, kind in pairs if kind != "none")


def effects_of(
    design: Design, unit: EffectKind | None = None, period: EffectKind | None = None
) -> tuple[Effect, ...]:
    """All effects of a design, with others of units and periods in the place of its own."""
    further: dict[str, FurtherKind] = {one.text: one.kind for one in design.further}
    own = two_way(unit or design.unit_effects, period or design.period_effects)
    return (*own, *(Effect(text, kind) for text, kind in further.items()))


def kind_of(effects: tuple[Effect, ...], over: str) -> EffectKind:
    """The kind of the effects over `over`; ``none`` if there are none."""
    return next((effect.kind for effect in effects if effect.over == over), "none")
