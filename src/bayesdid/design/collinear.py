"""What a sample identifies: treatments that vary, covariates that add to them, levels taken out."""

from __future__ import annotations

import dataclasses

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.design.span import within
from bayesdid.design.within import one_way, varies
from bayesdid.exceptions import Note, NotIdentifiedError

_DEPENDENT = 1e-7  # of a column's own within variation, that others must leave
_PERFECT = 1e-9  # share of the outcome's within variation that is no more than rounding
_LEVEL = 1e-4  # share of a covariate's sd within units, below which its level is taken out


def effects_text(design: Design) -> str:
    """All effects in words: ``fixed unit and fixed period effects, region^year``."""
    text = f"{design.unit_effects} unit and {design.period_effects} period effects"
    return text + beside_text(design)


def beside_text(design: Design) -> str:
    """Fixed further effects behind a comma, or nothing."""
    own = dict.fromkeys(one.text for one in design.further if one.kind == "fixed")
    return "".join(f", {text}" for text in own)


def refuse_constant(design: Design, source: str = "") -> None:
    """Refuse an outcome that does not vary, or not beyond fixed effects.

    Raises
    ------
    NotIdentifiedError
        Naming the outcome.
    """
    y = design.y[:, None]
    if np.ptp(y) == 0:
        problem, value = "the outcome is constant in this sample", float(y[0, 0])
    elif not varies(within(design, y), y).any():
        more = beside_text(design)
        problem, value = f"the outcome does not vary beyond unit and period effects{more}", None
    else:
        return
    raise NotIdentifiedError(
        f"{design.spec_id}: {problem}",
        file=source,
        column=design.outcome,
        value=value,
        remedy="check the column, or choose another sample",
    )


def level_out(design: Design) -> Design:
    """Take the units' means out of covariates that hardly move beside their level.

    Fixed unit effects take up the level in any case: coefficients, their priors and the fit are
    the same, but cross-products of a column of 1e9 that moves by 30 hold the 30 in their last
    digits.
    """
    if design.unit_effects != "fixed" or not design.covariates:
        return design
    X = design.X
    inside = X - X.mean(axis=0) - one_way(X, design.unit_index)
    total = X.std(axis=0)
    small = (inside.std(axis=0) < _LEVEL * total) & varies(inside, X)
    if not small.any():
        return design
    names = ", ".join(name for name, yes in zip(design.covariates, small, strict=True) if yes)
    text = (
        f"{names}: nearly all variation is between units, and the unit effects take it up; it "
        "enters as deviations from each unit's mean"
    )
    note = Note("level_taken_out", int(small.sum()), text)
    lowered = np.where(small, inside + X.mean(axis=0), X)
    return dataclasses.replace(design, X=lowered, notes=(*design.notes, note))


def _refuse_perfect(design: Design, basis: FloatArray, source: str) -> None:
    """Refuse an outcome that regressors and fixed effects fit without an error.

    Parameters
    ----------
    basis
        What fixed effects leave of the regressors, orthonormal, shape (n, K).
    """
    inside = within(design, design.y[:, None])[:, 0]
    rest = inside
    for _ in range(2):
        rest = rest - basis @ (basis.T @ rest)
    if np.linalg.norm(rest) > _PERFECT * np.linalg.norm(inside):
        return
    raise NotIdentifiedError(
        f"{design.spec_id}: regressors and effects fit the outcome perfectly, so that there is no "
        "error to learn a standard error from",
        file=source,
        column=design.outcome,
        value=f"{design.n} rows",
        remedy="look for the outcome among the regressors; a sample of a few rows needs more of "
        "them, or fewer terms",
    )


def drop_collinear(design: Design, source: str = "") -> Design:
    """Refuse treatments that do not vary; leave out covariates that are collinear.

    A column varies if what the fixed effects leave of it exceeds the rounding of its level. It is
    collinear if the columns before it leave next to nothing of that (treatments come first):
    the level itself says nothing, populations of 1e9 that move by 30 are kept.
    """
    Z = design.regressors
    left = within(design, Z)
    own, moves = np.linalg.norm(left, axis=0), varies(left, Z)
    kept: list[int] = []
    lost: list[int] = []
    basis = np.asfortranarray(left)  # its first columns become those kept, orthonormal
    for k in range(Z.shape[1]):
        rest, before = basis[:, k], basis[:, : len(kept)]
        for _ in range(2 if kept else 0):  # twice is enough (Giraud et al. 2005)
            rest = rest - before @ (before.T @ rest)
        size = np.linalg.norm(rest)
        if not moves[k] or size <= _DEPENDENT * own[k]:
            lost.append(k)
            continue
        basis[:, len(kept)] = rest / size
        kept.append(k)
    P = len(design.treatments)
    if bad := [design.names[k] for k in lost if k < P]:
        raise NotIdentifiedError(
            f"{design.spec_id}: the treatment does not vary in this sample once "
            f"{effects_text(design)} and the treatments before it are taken out",
            file=source,
            column=", ".join(bad),
            remedy="leave an effect out, or the term"
            if design.further
            else "choose a sample with treated and untreated periods, or drop the term",
        )
    _refuse_perfect(design, basis[:, : len(kept)], source)
    if not lost:
        return design
    names = [design.names[k] for k in lost]
    note = Note(
        "collinear_covariates",
        len(names),
        f"left out of {design.spec_id} as collinear: {', '.join(names)}",
    )
    keep = [k - P for k in kept if k >= P]
    return dataclasses.replace(
        design,
        X=design.X[:, keep],
        covariates=tuple(design.covariates[k] for k in keep),
        notes=(*design.notes, note),
    )
