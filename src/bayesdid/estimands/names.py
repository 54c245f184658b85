"""The contrasts that a study of policies is about, and how to speak of them.

Estimands are effects of a policy state against no policy: ``only:P``, ``both`` of two policies,
``only:P+Q`` and ``all`` of more, and for the order of adoption ``first:P`` or ``order:P>Q``.
Contrasts are named by what is subtracted from what. A pair of three or more policies is ``P and Q``
in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

from bayesdid.design.overlap import Set
from bayesdid.panel.adoption import state_name
from bayesdid.study.load import Study

MAX_SINGLE = "both - max single"
RATIO = "both / sum of singles"
SUM = "both - sum of singles"
ALL = "all - sum of singles"
BEYOND_PAIRS = f"{ALL} and pairs"
_BEYOND_SINGLES = " - sum of singles"


@dataclass(frozen=True, slots=True)
class Contrast:
    """A named contrast.

    Attributes
    ----------
    name
        ``"both - sum of singles"``; claims refer to it.
    label
        With the policies' own names.
    weights
        Estimand -> weight, or None for the non-linear ones.
    of
        The policies whose joint state it is about; one for the effect of a policy alone.
    """

    name: str
    label: str
    weights: dict[str, float] | None
    of: Set = ()

    @property
    def states(self) -> dict[str, float] | None:
        """State -> weight; None for the non-linear ones and for orders of adoption."""
        if self.weights is None or any(name.startswith(_ORDERS) for name in self.weights):
            return None
        found: dict[str, float] = {}
        for name, weight in self.weights.items():
            state, _, less = name.partition("|")
            found[state] = weight
            if less:  # both, less the average of the singles
                found |= {f"only:{policy}": -weight / len(self.of) for policy in self.of}
        return found


_ORDERS = ("first:", "order:")


def contrasts_of(study: Study) -> tuple[Contrast, ...]:
    """All contrasts of a study, in the order in which a report shows them."""
    return contrasts_between({policy.id: policy.label for policy in study.policies})


def contrasts_between(labels: Mapping[str, str]) -> tuple[Contrast, ...]:
    """All contrasts of policies, id -> label."""
    if len(labels) == 2:
        return _of_two(labels)
    singles = tuple(
        Contrast(f"only:{p} - none", f"{label} − none", {f"only:{p}": 1.0}, (p,))
        for p, label in labels.items()
    )
    if len(labels) < 2:
        return singles
    pairs = combinations(labels, 2)
    return (
        *_all(labels),
        *(contrast for pair in pairs for contrast in _pair(pair, labels)),
        *(
            Contrast(one.name, f"{labels[one.of[0]]} only − none", one.weights, one.of)
            for one in singles
        ),
    )


def main_contrast(names: Iterable[str]) -> str:
    """The contrast that answers first: what all do beyond their sum, else a pair; "" of none."""
    found = list(names)
    sums = [SUM, ALL, *(name for name in found if is_sum(name)), *found]
    return next((name for name in sums if name in found), "")


def main_first(names: Iterable[str]) -> list[str]:
    """The names, what answers first before the others."""
    found = list(names)
    main = main_contrast(found)
    return sorted(found, key=lambda name: name != main)


def is_sum(name: str) -> bool:
    """Whether a contrast is what a joint state does beyond the sum of singles."""
    return name.endswith(_BEYOND_SINGLES)


def sum_of(pair: Set) -> str:
    """What a pair of three or more policies does beyond the sum of the two."""
    return " and ".join(pair) + _BEYOND_SINGLES


def order_gap(pair: Set, base: str) -> str:
    """The difference between the two orders of a pair, against ``none`` or their ``sum``."""
    a, b = pair
    return f"order:{a}>{b} - order:{b}>{a} vs {base}"


def _all(labels: Mapping[str, str]) -> tuple[Contrast, ...]:
    of = tuple(labels)
    total = " + ".join(labels.values())
    singles = {f"only:{policy}": -1.0 for policy in of}
    pairs = {state_name(pair, of): -1.0 for pair in combinations(of, 2)}
    # a single is in all pairs but those of the others
    beyond = {state: len(of) - 2.0 for state in singles}
    return (
        Contrast("all - none", "All − none", {"all": 1.0}, of),
        Contrast(ALL, f"All − ({total})", {"all": 1.0, **singles}, of),
        Contrast(
            BEYOND_PAIRS,
            f"All − ({total}) − what pairs do beyond their sums",
            {"all": 1.0, **pairs, **beyond},
            of,
        ),
    )


def _pair(pair: Set, labels: Mapping[str, str]) -> tuple[Contrast, ...]:
    a, b = pair
    A, B = labels[a], labels[b]
    name, state = " and ".join(pair), state_name(pair, tuple(labels))
    one, two = f"order:{a}>{b}", f"order:{b}>{a}"
    return (
        Contrast(f"{name} - none", f"{A} and {B} only − none", {state: 1.0}, pair),
        Contrast(
            sum_of(pair),
            f"{A} and {B} − ({A} + {B})",
            {state: 1.0, f"only:{a}": -1.0, f"only:{b}": -1.0},
            pair,
        ),
        Contrast(
            order_gap(pair, "none"),
            f"{A} before {B} − {B} before {A}, against none",
            {one: 1.0, two: -1.0},
            pair,
        ),
        Contrast(
            order_gap(pair, "sum"),
            f"{A} before {B} − {B} before {A}, against their sum",
            {f"{one}|sum": 1.0, f"{two}|sum": -1.0},
            pair,
        ),
    )


def _of_two(labels: Mapping[str, str]) -> tuple[Contrast, ...]:
    of = (a, b) = tuple(labels)
    A, B = labels.values()
    singles = {f"only:{a}": -1.0, f"only:{b}": -1.0}
    order = (f"first:{a}", f"first:{b}")
    return (
        Contrast("both - none", "Both − none", {"both": 1.0}, of),
        *(
            Contrast(f"only:{p} - none", f"{labels[p]} only − none", {f"only:{p}": 1.0}, (p,))
            for p in labels
        ),
        *(
            Contrast(
                f"both - only:{p}", f"Both − {labels[p]} only", {"both": 1.0, f"only:{p}": -1.0}, of
            )
            for p in labels
        ),
        Contrast("both - single", "Both − single (pooled)", {"both|single": 1.0}, of),
        Contrast(MAX_SINGLE, "Both − the better single", None, of),
        Contrast(SUM, f"Both − ({A} + {B})", {"both": 1.0, **singles}, of),
        Contrast(RATIO, f"Both ÷ ({A} + {B})", None, of),
        Contrast(
            f"{order[0]} - {order[1]} vs none",
            f"{A} first − {B} first, against none",
            {order[0]: 1.0, order[1]: -1.0},
            of,
        ),
        Contrast(
            f"{order[0]} - {order[1]} vs single",
            f"{A} first − {B} first, against single",
            {f"{order[0]}|single": 1.0, f"{order[1]}|single": -1.0},
            of,
        ),
    )
