"""Which column is the unit and which the period, from the effects of a formula and by name."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from bayesdid.exceptions import InputError
from bayesdid.study.effects import EffectTerm
from bayesdid.study.schema import EffectKind

_TIME = re.compile(
    r"year|date|time|period|quarter|month|week|wave|(^|_)(yrs?|t|qtr|round|nian)\d?($|_)"
    r"|^(post|after)$|年|月|季|时间|時間",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Keys:
    """Columns of unit and period, which of them has effects, and what effects there are beside."""

    unit: str
    period: str
    unit_effects: EffectKind = "fixed"
    period_effects: EffectKind = "fixed"
    further: tuple[EffectTerm, ...] = ()


def keys_of(
    effects: tuple[EffectTerm, ...],
    unit: str | None,
    time: str | None,
    dated: Callable[[str], bool] = lambda _: False,
) -> Keys:
    """Unit and period of a formula, and its further effects.

    The period is the first effect with a name of time (``year``, ``quarter``, 年) or of which
    another has slopes, else the one whose values are dates or years, else the second; the unit is
    the first of the others: the order of effects says nothing in fixest. Without an effect of it,
    the period is a column of time that a further effect names (``region^year``, ``unit[year]``).

    Parameters
    ----------
    effects
        As written after ``|``.
    unit, time
        Their names, where the formula has no effect of them.
    dated
        Whether the values of a column are years or dates: asked where no name tells.

    Raises
    ------
    InputError
        If one of them is not known.
    """
    single = [e.factors[0] for e in effects if len(e.factors) == 1 and e.has_levels]
    slopes = {slope.column for effect in effects for slope in effect.slopes}
    rest = [name for name in dict.fromkeys(single) if name not in {unit, time}]
    if time is None:
        timely = [name for name in rest if _is_time(name) or name in slopes]
        if unit is None and len(timely) == len(rest) > 1:
            timely = timely[1:]
        if not timely and len(by_value := [name for name in rest if dated(name)]) == 1:
            timely = by_value
        second = rest[1:] if unit is None else rest
        time = next(iter(timely or second), None)
    if unit is None:
        unit = next((name for name in rest if name != time), None)
    if time is None:
        named = dict.fromkeys(name for effect in effects for name in effect.columns)
        time = next((name for name in named if name != unit and _is_time(name)), None)
    if unit is None or time is None:
        word, meant = ("unit", "city") if unit is None else ("time", "year")
        raise InputError(
            f"the {'unit' if unit is None else 'period'} is not named",
            remedy=f'write | unit + period in the formula, or {word}="{meant}" beside it',
        )
    if unit == time:
        raise InputError("unit and period are one column", column=unit, remedy="name both")
    kinds: dict[str, EffectKind] = {unit: "none", time: "none"}
    further = []
    for effect in effects:
        (first, *more) = effect.factors
        if more or first not in kinds:
            further.append(effect)
            continue
        if effect.has_levels:
            kinds[first] = effect.kind
        if effect.slopes:  # the levels are the unit's or the period's own
            further.append(replace(effect, has_levels=False))
    return Keys(unit, time, kinds[unit], kinds[time], tuple(further))


def _is_time(name: str) -> bool:
    return _TIME.search(name) is not None
