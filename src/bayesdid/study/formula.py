"""Formulas as fixest writes them: ``deaths ~ D + x1 + a:b | city + year``.

================================  =====================================================
formula                           what it says
================================  =====================================================
``a:b``                           the product
``a*b``                           ``a + b + a:b``
``log(x)  l(x, k)  f(x, k)``      functions of a column, of the outcome too; also ``d(x)``,
                                  ``winsor(x, p)``: see :mod:`bayesdid.study.derived`
``i(e, ref = -1)``                1 where e is k, for each value k but the reference
``i(e, x, ref = -1)``             the same times x; ``i(e, x)`` for every value
``sw(a, b)``, ``csw(a, b)``       one formula for each, or for the first, the first two ...
``sw0``, ``csw0``                 the same, and first one without
``| unit + period``               effects
``| ... + g^period + u[period]``  further ones: see :mod:`bayesdid.study.effects`
``| ... | D ~ z``                 D is instrumented by z; what stands before are covariates
================================  =====================================================

Parsed, never evaluated. What models cannot do yet is refused by its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

from bayesdid.exceptions import InputError
from bayesdid.study.derived import FUNCTIONS, derived_of, source_column, unquoted
from bayesdid.study.effects import EffectTerm, parse_effect, split_effects
from bayesdid.study.terms import POLICY_KINDS
from bayesdid.study.tokens import LONGEST, Node, RefusedError, read_sum

_FUNCTIONS = {"log": "log", "l": "l", "f": "f", "d": "d", "lag": "l", "lead": "f", "diff": "d"}
_FUNCTIONS |= dict.fromkeys(("winsor", "winsor2", "winsorise", "winsorize"), "winsor")
_TAKES = {one: f"{one}(x, k), k = 0, 1, 2 ..." for one in ("l", "f")}
_TAKES["winsor"] = "winsor(x, 0.01) for 1 % at each end; the share is below 0.5"
_STEPWISE = ("sw", "sw0", "csw", "csw0")
_INSTEAD = {
    "mvsw": "write the formulas out",
    "factor": "use i(x, ref = ...) with whole numbers, or an effect after |",
    "C": "use i(x, ref = ...) with whole numbers, or an effect after |",
    "I": "make a column of it in the data frame",
    "poly": "make columns of the powers in the data frame",
    "sunab": "give policies= and fit a spec of family cohort",
}


@dataclass(frozen=True, slots=True)
class Categories:
    """One regressor for each value of a column but one, times another column if `by` is one.

    Times another column, no value need be left out: `reference` is None.
    """

    column: str
    reference: int | None
    by: str = ""

    def __str__(self) -> str:
        by = f", {self.by}" if self.by else ""
        reference = "" if self.reference is None else f", ref = {self.reference}"
        return f"i({self.column}{by}{reference})"


Part = str | Categories
"""A term of the study vocabulary (:mod:`bayesdid.study.terms`), or what becomes several."""


@dataclass(frozen=True, slots=True)
class Formula:
    """One formula.

    Attributes
    ----------
    outcome
        A column, or a function of one.
    parts
        Regressors in the order in which they are written, ``a*b`` expanded.
    leading
        How many of `parts` the first term as written makes.
    effects
        What stands after ``|``.
    instrument
        Of the first of `parts`, a column or a function of one; empty for none.
    """

    outcome: str
    parts: tuple[Part, ...]
    leading: int
    effects: tuple[EffectTerm, ...]
    instrument: str = ""

    def __str__(self) -> str:
        terms = [str(part).replace(" * ", ":") for part in self.parts]
        moved = f" | {terms.pop(0)} ~ {self.instrument}" if self.instrument else ""
        effects = f" | {' + '.join(map(str, self.effects))}" if self.effects else ""
        return f"{self.outcome} ~ {' + '.join(terms) or '1'}{effects}{moved}"

    def columns(self) -> list[str]:
        """Columns that it needs, each once, in the order in which they are written."""
        found = [source_column(self.outcome), *names_in(self.parts)]
        found += [name for effect in self.effects for name in effect.columns]
        found += [source_column(self.instrument)] if self.instrument else []
        return list(dict.fromkeys(found))


def names_in(parts: Iterable[Part]) -> list[str]:
    """Columns that regressors need."""
    found: list[str] = []
    for part in parts:
        if isinstance(part, Categories):
            found += [unquoted(part.column), *([source_column(part.by)] if part.by else [])]
        else:
            found += [source_column(factor) for factor in part.split(" * ")]
    return list(dict.fromkeys(found))


def parse_formula(text: str) -> tuple[Formula, ...]:
    """Read a formula; several if it says ``sw`` or ``csw``.

    Raises
    ------
    InputError
        For what is no formula, and for what no model does yet, by its name.
    """
    if len(text) > LONGEST:
        raise InputError("the formula is too long", value=f"{len(text)} characters")
    try:
        left, right, effects, last = _sides(text)
        outcome = _outcome(left)
        terms = tuple(dict.fromkeys(map(_effect, split_effects(effects))))
        if last:
            return _instrumented(outcome, right, terms, last)
        found = []
        for nodes in _alternatives(read_sum(right)):
            parts = _distinct(part for node in nodes for part in _parts(node))
            if not parts:
                raise RefusedError("no regressor", text.strip(), "write y ~ D | unit + period")
            # 0 + D and 1 + D begin with a constant, which is no term
            first = next(own for node in nodes if (own := _distinct(_parts(node))))
            found.append(Formula(outcome, parts, len(first), terms))
        return tuple(found)
    except RefusedError as error:
        raise InputError(
            f"{error.problem}, in the formula", value=error.value, remedy=error.remedy
        ) from None


def parse_parts(texts: Iterable[str]) -> tuple[Part, ...]:
    """Read regressors that stand alone, each as in a formula.

    Raises
    ------
    InputError
        As :func:`parse_formula`.
    """
    try:
        nodes = [node for text in texts for node in read_sum(text[: LONGEST + 1])]
        return _distinct(part for node in nodes for part in _parts(node))
    except RefusedError as error:
        raise InputError(error.problem, value=error.value, remedy=error.remedy) from None


def _sides(text: str) -> tuple[str, str, str, str]:
    """Outcome, regressors, effects, and what is said of an instrument."""
    left, tilde, rest = text.partition("~")
    right, *bars = rest.split("|")
    if not tilde or not left.strip():
        raise RefusedError("no outcome", text.strip(), "write y ~ D + x | unit + period")
    last = bars.pop() if bars and "~" in bars[-1] else ""
    if len(bars) > 1:
        raise RefusedError(
            "more than two parts after |",
            text.strip(),
            "write y ~ D + x | unit + period, or y ~ x | unit + period | D ~ z for an instrument z",
        )
    return left, right, bars[0] if bars else "", last


def _instrumented(
    outcome: str, right: str, effects: tuple[EffectTerm, ...], last: str
) -> tuple[Formula, ...]:
    """Formulas whose treatment has an instrument."""
    sides = [read_sum(side) for side in last.split("~")]
    if [len(side) for side in sides] != [1, 1]:
        raise RefusedError(
            "one treatment and one instrument, D ~ z, stand after the last |",
            last.strip(),
            "choose one of each; of several instruments make one column, their first stage's fit",
        )
    moved, instrument = (_factor(side[0]) for side in sides)
    found = []
    for nodes in _alternatives(read_sum(right), bare=True):
        parts = _distinct(part for node in nodes for part in _parts(node))
        names = {name for part in parts for name in str(part).split(" * ")}
        if twice := {moved, instrument} & names or {moved} & {instrument}:
            raise RefusedError(
                "an instrumented treatment and its instrument stand after the last | alone",
                sorted(twice)[0],
                f"write {outcome} ~ x | unit + period | {moved} ~ {instrument}",
            )
        found.append(Formula(outcome, (moved, *parts), 1, effects, instrument))
    return tuple(found)


def _outcome(text: str) -> str:
    nodes = read_sum(text)
    if len(nodes) != 1 or (nodes[0].kind == "call" and nodes[0].text == "c"):
        raise RefusedError("several outcomes", text.strip(), "fit one formula for each")
    return unquoted(_factor(nodes[0]))


def _effect(text: str) -> EffectTerm:
    try:
        return parse_effect(text)
    except ValueError as error:
        stepwise = re.match(r"\s*c?sw0?\(", text)
        remedy = "write f, f^g, f[x], f[x, x^2] or random(f^g); else make a column of the groups"
        raise RefusedError(
            "an effect that is not understood",
            text[:60] or "nothing",
            "sw and csw are of regressors: fit a formula for each set of effects"
            if stepwise
            else remedy,
        ) from error


def _alternatives(nodes: tuple[Node, ...], *, bare: bool = False) -> list[tuple[Node, ...]]:
    """The sums that stepwise functions stand for; one if there are none.

    `bare` formulas may do without a regressor.
    """
    steps = [k for k, node in enumerate(nodes) if node.kind == "call" and node.text in _STEPWISE]
    if not steps:
        return [nodes]
    if len(steps) > 1:
        raise RefusedError("two stepwise functions", str(nodes[steps[1]]), "write the formulas out")
    k = steps[0]
    call = nodes[k]
    if any(call.names) or not call.parts:
        raise RefusedError(f"{call.text} takes terms", str(call), f"write {call.text}(a, b)")
    sums = [part.parts if part.kind == "+" else (part,) for part in call.parts]
    choices: list[tuple[Node, ...]] = [()] if call.text.endswith("0") else []
    for j, chosen in enumerate(sums):
        before = sums[:j] if call.text.startswith("c") else []
        choices.append((*(node for one in before for node in one), *chosen))
    found = [(*nodes[:k], *choice, *nodes[k + 1 :]) for choice in choices]
    if not bare and not all(found):
        raise RefusedError("a formula without a regressor", str(call), "write a term beside it")
    return found


def _parts(node: Node) -> list[Part]:
    """The regressors of one summand."""
    if node.kind == "number":
        if node.text in {"0", "1"}:
            return []  # intercept and effects are said after |
        raise RefusedError("a number is no regressor", node.text, "leave it out")
    if node.kind == "call" and node.text == "i":
        return [_categories(node)]
    if node.kind == "*":
        if len(node.parts) > 4:
            raise RefusedError("a product of more than four", str(node), "write its terms out")
        factors = [_product(part) for part in node.parts]
        return [
            " * ".join(chosen)
            for size in range(1, len(factors) + 1)
            for chosen in combinations(factors, size)
        ]
    return [_product(node)]


def _product(node: Node) -> str:
    if node.kind == ":":
        return " * ".join(dict.fromkeys(_factor(part) for part in node.parts))
    return _factor(node)


def _factor(node: Node) -> str:
    """A column, or a function of one, as the vocabulary of terms writes it."""
    if node.kind == "name":
        if unquoted(node.text) in POLICY_KINDS:
            raise RefusedError(
                "a state of policies, not a column",
                node.text,
                "rename the column in the data frame, or give policies= instead of a formula",
            )
        return node.text
    if node.kind != "call":
        raise RefusedError("no column and no function of one", str(node), "see docs/formula.md")
    if node.text in _STEPWISE or node.text == "i":
        raise RefusedError(
            f"{node.text}() stands alone", str(node), "write it as a term of its own"
        )
    if node.text not in _FUNCTIONS:
        raise RefusedError(
            f"'{node.text}' is no function of formulas",
            str(node),
            _INSTEAD.get(
                node.text,
                f"a column of that name stands in backticks, `{node}`; else make a column of it in "
                f"the data frame: there are {FUNCTIONS}, i(x, ref = k)",
            ),
        )
    function = _FUNCTIONS[node.text]
    steps = [part.text for part in node.parts[1:]]
    two = function in {"l", "f", "winsor"}
    fine = not any(node.names) and 1 <= len(node.parts) <= (2 if two else 1)
    if not fine or derived_of(f"{function}({', '.join(['x', *steps])})") is None:
        takes = _TAKES.get(function, f"{function}(x)")
        raise RefusedError(f"'{node.text}' takes something else", str(node), f"write {takes}")
    found = derived_of(f"{function}({', '.join([_factor(node.parts[0]), *steps])})")
    if found is None:
        raise RefusedError("too many functions of functions", str(node), "make a column of it")
    return str(found)


def _categories(node: Node) -> Categories:
    given = {name: part for name, part in zip(node.names, node.parts, strict=True) if name}
    plain = [part for name, part in zip(node.names, node.parts, strict=True) if not name]
    if unknown := [name for name in given if name != "ref"]:
        raise RefusedError(f"i() has no '{unknown[0]}' here", str(node), "write i(event, ref = -1)")
    if not 1 <= len(plain) <= 2 or plain[0].kind != "name":
        raise RefusedError("i() needs a column and ref", str(node), "write i(event, ref = -1)")
    by = _factor(plain[1]) if len(plain) > 1 else ""
    if "ref" not in given:
        if by:
            return Categories(plain[0].text, None, by)
        raise RefusedError("i() needs a column and ref", str(node), "write i(event, ref = -1)")
    reference = given["ref"]
    if reference.kind == "list" and len(reference.parts) > 1:
        raise RefusedError(
            "i() takes one reference here",
            str(node),
            "leave the column empty in units that are never treated: they have none of its values",
        )
    if reference.kind == "list":
        reference = reference.parts[0]
    number = reference.text.removesuffix(".0")
    if not number.removeprefix("-").isdecimal():
        raise RefusedError("the reference is a whole number", str(node), "write i(event, ref = -1)")
    return Categories(plain[0].text, int(number), by)


def _distinct(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Each once: a product is the same in any order of its factors."""
    found: dict[object, Part] = {}
    for part in parts:
        key = frozenset(part.split(" * ")) if isinstance(part, str) else part
        found.setdefault(key, part)
    return tuple(found.values())
