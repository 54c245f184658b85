"""What terms and columns are called on a page, in the place of the names they are stored under."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import combinations, permutations
from typing import Any

from bayesdid.design.overlap import set_name
from bayesdid.estimands.names import contrasts_of
from bayesdid.model.overlap import JOINT
from bayesdid.report.model_words import with_titles
from bayesdid.study.derived import Derived, derived_of
from bayesdid.study.load import Study
from bayesdid.study.terms import Factor, PolicyKind, parse_term

# Columns with such a name keep it in sentences, where the word means something else.
_ORDINARY = (
    "all alpha any average beta both change claim cohort constant count counts data density "
    "effect effects error errors estimate first group groups interval label last law lead "
    "least level mean model moderator none number one outcome parts path period periods phi "
    "policy posterior prior rate ratio region row rows sample share sigma sign single size "
    "spec standard state states tau term time total treated treatment trend trends unit units "
    "untreated weight weights within year years"
)
_PROSE = frozenset(_ORDINARY.split())
_SHORTEST = 3  # letters of a column that stands for itself in a sentence: y, t and D are symbols
_STORED = "kind key name state standard item where spec specs family title section"
_KEPT = frozenset(_STORED.split())  # fields that other parts look up


def term_names(study: Study) -> dict[str, dict[str, str]]:
    """Words for terms of specs and contrasts: ``terms`` of policies, ``columns`` of the panel."""
    labels = {v.column: v.label for v in study.file.variable}
    labels.setdefault(study.file.outcome.column, study.file.outcome.label)
    policies = {policy.id: policy.label for policy in study.policies}
    terms: dict[str, str] = {}
    columns = dict(labels)
    for spec in study.specs.values():
        for text in (*spec.column.treatments, *spec.column.covariates):
            try:
                said = term_words(text, policies, labels)
            except ValueError:
                continue  # @set, and what a printed table has that is none of the vocabulary
            if said != text:
                (columns if text in labels else terms)[text] = said
            for factor in parse_term(text).factors:
                if factor.kind != "column" and not factor.event:
                    terms.setdefault(str(factor), _factor(factor, policies, labels))
    kinds: tuple[PolicyKind, ...] = ("active", "only", "first")
    for name, label in policies.items():  # states of the headline's model
        for kind in kinds:
            terms.setdefault(f"{kind}:{name}", _factor(Factor(kind, name), policies, labels))
        if "_" in name and name != label:
            terms.setdefault(name, label)
    for one, two in permutations(policies, 2):  # orders and pairs of the headline's contrasts
        for text in (f"order:{one}>{two}", f"order:{one}={two}", f"only:{one}+{two}"):
            terms.setdefault(text, term_words(text, policies, labels))
        terms.setdefault(f"both:{one}+{two}", term_words(f"both:{one}+{two}", policies, labels))
    terms |= {one.name: one.label for one in contrasts_of(study)}
    return {"terms": terms, "columns": columns, "coefficients": _coefficients(policies)}


def _coefficients(policies: Mapping[str, str]) -> dict[str, str]:
    """Base coefficients of the headline's model, which it names by policies."""
    found = {}
    for size in range(2, len(policies) + 1):
        for some in combinations(policies, size):
            said = " and ".join(policies[name] for name in some)
            found[set_name(some, tuple(policies), JOINT)] = f"what {said} do beyond their sum"
    for name, label in policies.items():
        found |= {f"{name} growth": f"growth of {label} a period", name: f"{label} at adoption"}
    return found


def coefficients_in_words(value: Any, results: Mapping[str, Any]) -> Any:
    """A text, or all texts inside a value, with words for coefficients of the headline's model.

    For parts that are about that model alone: elsewhere such names mean something else.
    """
    stored = results.get("names", {})
    names: Mapping[str, str] = stored.get("coefficients", {})
    if not names:
        return value
    # a contrast's name and its label hold those of policies, and are words of their own
    kept = {text: text for pair in stored["terms"].items() for text in pair if " " in text}
    words = kept | {name: said for name, said in names.items() if name.lower() not in _PROSE}
    found = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
    pattern = re.compile(rf"(?<![\w:.])(?:{found})(?!:?\w)")

    def say(text: str) -> str:
        return names.get(text) or pattern.sub(lambda hit: words[hit[0]], text)

    return _each(value, say)


def term_words(text: str, policies: Mapping[str, str], labels: Mapping[str, str]) -> str:
    """A term in words.

    Examples
    --------
    >>> laws = {"a": "Seat-belt law", "b": "Licence suspension"}
    >>> term_words("active:b * active:a", laws, {})
    'Licence suspension × Seat-belt law'
    >>> term_words("only:a", laws, {}), term_words("l(price, 1)", {}, {"price": "Price"})
    ('Seat-belt law alone', 'Price one period before')
    """
    return " × ".join(_factor(factor, policies, labels) for factor in parse_term(text).factors)


def _factor(factor: Factor, policies: Mapping[str, str], labels: Mapping[str, str]) -> str:
    named = [policies.get(name, name) for name in factor.policies]
    match factor.kind:
        case "active":
            said = named[0]
        case "only":
            said = f"{' and '.join(named)} alone"
        case "both":
            said = " with ".join(named) or "both policies"
        case "all":
            said = "all policies"
        case "any":
            said = "any policy"
        case "first":
            said = f"{named[0]} first"
        case "simultaneous":
            said = "all policies at once"
        case "order":
            said = named[0] + "".join(
                f"{', then ' if sign == '>' else ' at once with '}{name}"
                for sign, name in zip(factor.signs, named[1:], strict=True)
            )
        case "centred":
            said = f"{_column(factor.name, labels)} (centred)"
        case _:
            said = _column(factor.name, labels)
    return f"{said}, event time {factor.event}" if factor.event else said


def _column(name: str, labels: Mapping[str, str]) -> str:
    return _derived(derived_of(name) or name, labels) if name not in labels else labels[name]


def _derived(found: Derived | str, labels: Mapping[str, str]) -> str:
    if isinstance(found, str):
        return labels.get(found, found)
    of = _derived(found.of, labels)
    steps = "one period" if found.steps == 1 else f"{found.steps} periods"
    match found.function:
        case "log":
            return f"log of {of}"
        case "l":
            return f"{of} {steps} before"
        case "f":
            return f"{of} {steps} later"
        case "d":
            return f"change of {of}"
        case "winsor":
            return f"{of}, winsorised at {100 * found.share:g} % of each end"


def in_words(value: Any, results: Mapping[str, Any], *, columns: bool = True) -> Any:
    """A text, or all texts inside a value, with words for terms; `columns`: for bare names too."""
    names = results.get("names", {"terms": {}, "columns": {}})
    words = {name: said for name, said in names["terms"].items() if re.search(r"[^\w]|_", name)}
    if columns:
        words |= {
            name: label
            for name, label in names["columns"].items()
            if len(name) >= _SHORTEST and name.lower() not in _PROSE
        }
    exact = names["terms"] | (names["columns"] if columns else {})
    kept = {label: label for label in exact.values()}  # a label that holds a column's name
    found = sorted({*words, *kept}, key=len, reverse=True)
    if not words:
        return value
    pattern = re.compile(rf"(?<![\w:.])(?:{'|'.join(map(re.escape, found))})(?!:?\w)")

    def say(text: str) -> str:
        if text in exact:
            return exact[text]
        return pattern.sub(lambda hit: kept.get(hit[0]) or words[hit[0]], text)

    return _each(value, say)


def titled(value: Any, results: Mapping[str, Any]) -> Any:
    """All texts inside a value, with the heading of every column that they name by its id."""
    return _each(value, lambda text: with_titles(text, results))


def _each(value: Any, say: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return say(value)
    if isinstance(value, Mapping):
        return {k: v if k in _KEPT else _each(v, say) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_each(item, say) for item in value)
    return value
