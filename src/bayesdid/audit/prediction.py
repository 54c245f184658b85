"""Columns of one table estimate combinations of the same effects: each should fit the others."""

from __future__ import annotations

from bayesdid.audit.finding import Finding, Outcome
from bayesdid.exceptions import InputError
from bayesdid.published.inversion import held_out
from bayesdid.published.synergy import Inversion, invert, published_cells
from bayesdid.study.load import Study

MISSED = 0.01  # tail probability, times the number of coefficients
_LEAST = 4  # fewer coefficients than effects and one to spare are predicted by anything
_TIMINGS = 6  # enough for a tail probability, and quick


def predicted(study: Study) -> Outcome:
    """Each coefficient lies where the others, inverted to the effects of states, predict it.

    For studies that say when units joined (an adoption that is known, or the periods of every
    policy's rounds). Averaged over time paths of the single effects, serial correlation, effects
    that differ between units and, where it is not known, the timing.
    """
    found = _inversion(study)
    if found is None or len(found.columns.names) < _LEAST:
        return
    C = len(found.columns.names)
    for item, rounding in zip(
        held_out(found.columns, found.parts), found.columns.rounding, strict=True
    ):
        if C * item.p >= MISSED:
            yield None
            continue
        reach = 1.96 * item.sd
        yield Finding(
            "predicted",
            "warning",
            item.name,
            "a column's coefficient = what the effects that the other columns imply make of it",
            item.printed,
            (item.printed - rounding, item.printed + rounding),
            item.mean,
            (item.mean - reach, item.mean + reach),
            max(abs(item.printed - item.mean) - reach - rounding, 0.0),
            (
                f"who adopted when is as stated ({found.timings.knowledge})",
                "the single effects follow one of the time paths considered",
                "covariates are unrelated to the timing, up to a small error of each column",
                "the columns are two-way regressions on the declared samples",
            ),
            f"{item.name} prints {item.printed:g}; the other {C - 1} coefficients together predict "
            f"{item.mean:.3f} (sd {item.sd:.3f}): a misprint, or columns that are not one model.",
        )


def _inversion(study: Study) -> Inversion | None:
    """The columns inverted; None where nothing is known of the timing, or they cannot be."""
    timing = study.file.design.timing
    told = timing.known or {policy.id for policy in study.policies} <= set(timing.rounds)
    if not told or not published_cells(study):
        return None
    try:
        return invert(study, size=_TIMINGS, asked=False)
    except InputError:
        return None  # 'bayesdid synergy' says why
