"""Indirect effects from printed columns, with the doubts about their cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdid.audit.doubts import Doubt
from bayesdid.audit.identities import triples
from bayesdid.estimands.distribution import Distribution, distribution_of
from bayesdid.study.load import Study
from bayesdid.study.printed import number
from bayesdid.summary import chance

_DRAWS, _SEED = 20_000, 20_160_301


@dataclass(frozen=True, slots=True)
class PrintedMediation:
    """An indirect effect a b from printed cells.

    Attributes
    ----------
    treatment, mediator
        The terms.
    first, second
        Cells of a (treatment on mediator) and b (mediator on outcome).
    indirect
        Product of two independent normals at the printed estimates and standard errors.
    doubted
        References of its cells that the audit doubts.
    instead
        The same with doubted cells printed as they may have been; None without such.
    """

    treatment: str
    mediator: str
    first: str
    second: str
    indirect: Distribution
    doubted: tuple[str, ...]
    instead: Distribution | None


def printed_mediations(study: Study, doubted: dict[str, Doubt]) -> tuple[PrintedMediation, ...]:
    """Every indirect effect whose two columns are printed on one sample.

    Estimates of a and b are independent under the model of least squares: the residuals of the
    outcome's equation, given the mediator, are unrelated to the mediator's.
    """
    found: dict[tuple[str, str], PrintedMediation] = {}
    for _, long, auxiliary, mediator in triples(study):
        for treatment in auxiliary.column.treatments:
            refs = f"{auxiliary.id}:{treatment}", f"{long.id}:{mediator}"
            if treatment not in auxiliary.column.coefficients or refs in found:
                continue
            a, b = (study.cell(ref) for ref in refs)
            if a.se is None or b.se is None:
                continue
            ses = float(a.se), float(b.se)
            there = [ref for ref in refs if ref in doubted]
            mended = [
                number(doubted[ref].instead)
                if ref in doubted and doubted[ref].instead
                else float(cell.value)
                for ref, cell in zip(refs, (a, b), strict=True)
            ]
            printed = [float(a.value), float(b.value)]
            found[refs] = PrintedMediation(
                treatment,
                mediator,
                *refs,
                _product(printed, ses),
                tuple(there),
                _product(mended, ses) if mended != printed else None,
            )
    return tuple(found.values())


def _product(means: list[float], ses: tuple[float, float]) -> Distribution:
    rng = np.random.default_rng(_SEED)
    draws = rng.normal(means, ses, size=(_DRAWS, 2)).prod(axis=1)
    return distribution_of(draws)


def mediation_sentence(item: PrintedMediation, doubted: dict[str, Doubt]) -> str:
    """The effect, who doubts it, and what it would be."""
    said = (
        f"{item.treatment} through {item.mediator}: {item.first} times {item.second} is "
        f"{item.indirect.mean:.3f} (sd {item.indirect.sd:.3f}; P(< 0) "
        f"{chance(item.indirect.p_negative)})"
    )
    if not item.doubted:
        return f"{said}."
    what = "; ".join(f"{ref} ({doubted[ref].printed})" for ref in item.doubted)
    said += f", but the audit doubts {what}"
    if item.instead is None:
        return f"{said}."
    mended = ", ".join(doubted[ref].instead for ref in item.doubted if doubted[ref].instead)
    return (
        f"{said}. If that was misprinted for {mended}, it is {item.instead.mean:.3f} "
        f"(P(< 0) {chance(item.instead.p_negative)})."
    )
