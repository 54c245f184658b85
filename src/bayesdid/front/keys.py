"""Which column is the unit and which the period, from the effects of a formula and by name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bayesdid.exceptions import InputError
from bayesdid.study.schema import EffectKind

_TIME = re.compile(
    r"year|date|time|period|quarter|month|week|wave|年|月|季|时间|時間", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Keys:
    """Columns of unit and period, and which of them has effects."""

    unit: str
    period: str
    unit_effects: EffectKind = "fixed"
    period_effects: EffectKind = "fixed"


def keys_of(effects: tuple[str, ...], unit: str | None, time: str | None) -> Keys:
    """Unit and period of a formula.

    Two effects are unit and period in this order, unless they are named, or only the first has a
    name of time (``year``, ``quarter``, 年): the order of effects says nothing in fixest.

    Parameters
    ----------
    effects
        At most two columns.
    unit, time
        Their names, where the formula has no effect of them.

    Raises
    ------
    InputError
        If one of them is not known, or an effect is neither.
    """
    rest = [name for name in effects if name not in {unit, time}]
    if unit is None and time is None and len(rest) == 2 and _is_time(rest[0]):
        rest.sort(key=_is_time)
    if unit is None and rest and not (time is None and len(rest) == 1 and _is_time(rest[0])):
        unit = rest.pop(0)
    if time is None and rest:
        time = rest.pop(0)
    if rest:
        raise InputError(
            "an effect that is neither the unit's nor the period's is not fitted yet",
            column=rest[0],
            remedy=f"leave it out; the unit is {unit}, the period {time}",
        )
    if unit is None or time is None:
        word, meant = ("unit", "city") if unit is None else ("time", "year")
        raise InputError(
            f"the {'unit' if unit is None else 'period'} is not named",
            remedy=f'write | unit + period in the formula, or {word}="{meant}" beside it',
        )
    if unit == time:
        raise InputError("unit and period are one column", column=unit, remedy="name both")
    kinds: list[EffectKind] = ["fixed" if name in effects else "none" for name in (unit, time)]
    return Keys(unit, time, *kinds)


def _is_time(name: str) -> bool:
    return _TIME.search(name) is not None
