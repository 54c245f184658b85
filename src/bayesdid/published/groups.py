"""Effects by group from published columns alone: exchangeable groups instead of stars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.estimands.evidence import PRIOR_SHARES
from bayesdid.inference.numerics.mixture import exchangeable_draws
from bayesdid.model.priors import POOLED_SHARE
from bayesdid.published.covariance import shared_units
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
                "*" * cell.value.stars,
            )
    return found


def pooled_cells(
    study: Study, column: str, cells: dict[str, PublishedGroup], scale: float, seed: int = 0
) -> FloatArray | None:
    """Draws of the groups' effects under partial pooling, shape (S, groups); None for fewer than 2.

    Columns of separate groups share no unit and are independent; orders of adoption share their
    controls, and are correlated accordingly. The mean of the groups has the weak prior, the sd
    between them the half-normal prior of every part of a pooled panel model.
    """
    if len(cells) < 2:
        return None
    estimate = np.array([cell.estimate for cell in cells.values()])
    se = np.array([cell.se for cell in cells.values()])
    V = np.diag(se**2)
    if column == SEQUENCE:
        specs = [study[cell.spec] for cell in cells.values()]
        V = np.outer(se, se) * shared_units(study, specs).correlation
    return exchangeable_draws(
        estimate, V, scale=POOLED_SHARE * scale, base_sd=PRIOR_SHARES["weak"] * scale, seed=seed
    )
