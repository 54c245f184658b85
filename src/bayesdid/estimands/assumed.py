"""What the headline supposes of its rows, in notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bayesdid.design.overlap import OverlapDesign
from bayesdid.estimands.beside import Beside
from bayesdid.estimands.names import main_contrast
from bayesdid.estimands.state_effects import Average
from bayesdid.exceptions import Note
from bayesdid.notebook import many

FEW_UNDER = 8  # units under several policies with which docs/validity.md has them too narrow


def assumed(
    notes: Sequence[Note],
    rows: OverlapDesign,
    beside: Beside,
    averages: Mapping[str, Average] | None = None,
) -> tuple[Note, ...]:
    """Notes of the design, and what contrasts of its rows suppose beyond it."""
    several = np.logical_or.reduce([rows.on(of) for of in rows.sets] or [rows.both])
    alike = ", and every row counts once whatever its weight" * (rows.design.weights is not None)
    text = f"contrasts average over rows, not over units{alike}"
    found = [*_of_rows(notes), Note("averaging", int(several.sum()), text)]
    under = len(np.unique(rows.design.unit_index[several]))
    if 0 < under <= FEW_UNDER:
        text = (
            f"only {under} units are ever under more than one policy: clustered errors and "
            "imputation, which count in the range, are too narrow with so few (docs/validity.md)"
        )
        found.append(Note("few_units", under, text))
    found += _few_of_one(rows, averages or {}, told=0 < under <= FEW_UNDER)
    name = main_contrast(beside.imputed)
    if rows.design.covariates and name:
        moved = beside.imputed[name].slopes
        text = (
            "covariates have one slope in treated and untreated rows in every model but "
            f"imputation; with the slopes of untreated rows alone, {name} is {-moved:+.3f} away"
        )
        found.append(Note("covariate_slopes", len(rows.design.covariates), text))
    return tuple(found)


def _few_of_one(rows: OverlapDesign, averages: Mapping[str, Average], told: bool) -> list[Note]:
    """Contrasts that average over rows of few units, where that is not `told` of all of them."""
    single = {f"only:{policy} - none" for policy in rows.policies}
    few = {}
    for name, average in averages.items():
        sides = [average.rows, *([] if average.minus is None else [average.minus])]
        units = min(len(np.unique(rows.design.unit_index[side])) for side in sides)
        if units <= FEW_UNDER and (name in single or not told):
            few[name] = units
    if not few:
        return []
    named = ", ".join(f"{name} ({many(units, 'unit')})" for name, units in few.items())
    text = (
        f"few units tell {named}: clustered errors and imputation, which count in the range, are "
        "too narrow with so few (docs/validity.md), and posteriors rest on the model of the errors"
    )
    return [Note("few_units_of_one", min(few.values()), text)]


def _of_rows(notes: Sequence[Note]) -> list[Note]:
    """Notes of the design; not that states of reversals are used, of units that are left out."""
    out = {note.name for note in notes} & {"reversals_left_out"}
    return [note for note in notes if not out or note.name != "policy_reversed"]
