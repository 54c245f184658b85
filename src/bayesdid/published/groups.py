"""Effects by group from published columns alone: exchangeable groups instead of stars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesdid.arrays import FloatArray
from bayesdid.exceptions import InputError
from bayesdid.inference.numerics.mixture import exchangeable_draws
from bayesdid.model.priors import POOLED_SHARE, WEAK_MULTIPLE
from bayesdid.published.synergy import quantity_draws
from bayesdid.study.load import Spec, Study

SEQUENCE = "sequence"  # the grouping of dual units by their order of adoption


@dataclass(frozen=True, slots=True)
class PublishedGroup:
    """A published effect in one group, its standard error and stars, and the spec it is from."""

    spec: str
    estimate: float
    se: float
    stars: str


def published_groups(
    study: Study, spec: Spec, column: str, levels: list[str]
) -> dict[str, PublishedGroup]:
    """The group's own published regression, for each level that has one.

    Looked for among the specs whose sample is exactly that group and whose outcome and treatment
    are those of `spec`; for the order of adoption, among the study's synergy cells against none.
    """
    treatment = spec.column.treatments[0]
    found = {}
    for level in levels:
        if column == SEQUENCE:
            ref = study.file.synergy.first_none.get(level.removeprefix("first:"))
        else:
            ref = next(
                (
                    f"{other.id}:{treatment}"
                    for other in study.specs.values()
                    if other.column.sample.groups == {column: (level,)}
                    and not other.column.sample.has_chosen_rows
                    and other.column.outcome == spec.column.outcome
                    and treatment in other.column.coefficients
                ),
                None,
            )
        cell = study.cell(ref) if ref else None
        if cell is not None and cell.se is not None:
            found[level] = PublishedGroup(
                cell.ref.partition(":")[0],
                float(cell.value.value),
                float(cell.se.value),
                cell.value.mark,
            )
    return found


def pooled_cells(
    study: Study,
    column: str,
    cells: dict[str, PublishedGroup],
    scale: float,
    seed: int = 0,
    adoption: pd.DataFrame | None = None,
) -> FloatArray | None:
    """Draws of the groups' effects under partial pooling, shape (S, groups); None for fewer than 2.

    Columns of separate groups share no unit and are independent. The mean of the groups has the
    weak prior, the sd between them the half-normal prior of every part of a pooled panel model.
    Columns by order of adoption share their controls and average effects of several states: they
    are inverted with all other columns, whose model pools the orders (None if the study says too
    little about who adopted when).

    Parameters
    ----------
    adoption
        Adoption periods of a real panel, for orders of adoption.
    """
    if len(cells) < 2:
        return None
    if column == SEQUENCE:
        try:
            draws = quantity_draws(study, adoption, seed=seed)
        except InputError:
            return None
        if not set(cells) <= set(draws):
            return None  # orders of three and more policies are contrasts, not levels
        return np.stack([draws[level] for level in cells], axis=1)
    estimate = np.array([cell.estimate for cell in cells.values()])
    se = np.array([cell.se for cell in cells.values()])
    return exchangeable_draws(
        estimate,
        np.diag(se**2),
        scale=POOLED_SHARE * scale,
        base_sd=WEAK_MULTIPLE * scale,
        seed=seed,
    )
