"""A study's reference: one synthetic panel for its report, and what an ensemble says beside it.

``bayesdid reconstruct STUDY --reference`` writes both into the study's folder. Members are fitted
once, there; a report reads the file, and leaves it out if the panel is another.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np

from bayesdid.design.build import build_design
from bayesdid.digest import file_digest
from bayesdid.exceptions import InputError
from bayesdid.inference.executor import map_fits
from bayesdid.inference.fit import fit
from bayesdid.jsonio import write_sealed
from bayesdid.model.bound import study_priors
from bayesdid.model.errors import DEFAULT_ERRORS
from bayesdid.panel.panel import Panel
from bayesdid.reconstruct.combine import EnsembleSynergy, ensemble_synergy, read_members
from bayesdid.reconstruct.compile import held_columns
from bayesdid.reconstruct.ensemble import Ensemble, Kept
from bayesdid.reconstruct.targets import CLOSE, EXACT
from bayesdid.reconstruct.unsaid import Unsaid, from_other_models, from_residuals, yardsticks
from bayesdid.study.load import Spec, Study
from bayesdid.study.printed import Printed

PANEL, FACTS = "reference_panel.parquet", "reference.json"
_SEED = 16


@dataclass(frozen=True, slots=True)
class ReferenceColumn:
    """One treatment of a printed column: what is printed, and posteriors over the members.

    Attributes
    ----------
    spec, term
        Which.
    printed, se
        As printed, under the reading; NaN without a standard error.
    ols
        Least and largest least-squares estimate of the members.
    posterior
        Mean under the default errors of each member; empty for columns that are
        no two-way model, or where one did not converge.
    """

    spec: str
    term: str
    printed: float
    se: float
    ols: tuple[float, float]
    posterior: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """What an ensemble says, for a report.

    Attributes
    ----------
    study_id, synthetic, seed, reading, size
        The ensemble.
    panel
        Name and digest of the member that ships.
    made_by
        Digests of the package and of the versions it ran with.
    met, held
        Estimates and moments that all members give within rounding, of how many.
    close
        Relative misses of standard errors and R2 beyond rounding: median, and nine in ten below.
    columns, unsaid, synergy
        What is printed, what is not, and the headline.
    """

    json_keys: ClassVar[tuple[str, ...]] = (
        "study_id",
        "synthetic",
        "seed",
        "reading",
        "size",
        "panel",
        "made_by",
        "met",
        "held",
        "close",
        "conflicts",
        "left_out",
        "columns",
        "unsaid",
        "synergy",
    )

    study_id: str
    synthetic: str
    seed: int
    reading: str
    size: int
    panel: tuple[str, str]
    made_by: tuple[str, str]
    met: int
    held: int
    close: tuple[float, float]
    conflicts: tuple[str, ...]
    left_out: dict[str, str]
    columns: tuple[ReferenceColumn, ...]
    unsaid: tuple[Unsaid, ...]
    synergy: EnsembleSynergy


def write_reference(study: Study, ensemble: Ensemble, folder: Path) -> Reference:
    """Fit the members, and write the nearest and what all say into the study's folder.

    Raises
    ------
    InputError
        If there are fewer than two members, or columns were held out.
    """
    if len(ensemble.members) < 2 or ensemble.hold_out:
        raise InputError(
            "a reference is made from two or more members that are held to everything",
            remedy="ask for --members 2 or more, and leave out --hold-out",
        )
    panels = read_members(study, folder)
    held, _ = held_columns(study)
    specs = [spec for spec in held.values() if spec.column.family == "twfe"]
    posteriors = map_fits(partial(_posteriors, specs=specs), panels)
    main = _main(study, specs)
    synergy = ensemble_synergy(study, folder)
    shutil.copyfile(folder / nearest(ensemble.members).file, study.path / PANEL)
    exact = [c for c in ensemble.cells if c.held and c.kind in EXACT]
    near = [c.beyond for c in ensemble.cells if c.held and c.kind in CLOSE and c.printed]
    found = Reference(
        study.id,
        ensemble.synthetic,
        ensemble.seed,
        ensemble.reading,
        len(panels),
        (PANEL, str(file_digest(study.path / PANEL))),
        (ensemble.code, ensemble.environment),
        sum(cell.within == len(panels) for cell in exact),
        len(exact),
        (float(np.median(near)), float(np.quantile(near, 0.9))),
        tuple(conflict.text for conflict in ensemble.conflicts),
        ensemble.left_out,
        tuple(_columns(study, held, ensemble, posteriors)),
        tuple(_unsaid(main, panels)),
        synergy,
    )
    write_sealed(study.path / FACTS, found)
    return found


def nearest(members: Sequence[Kept]) -> Kept:
    """The member that meets most, and of those the one with the nearest standard errors and R2."""
    return min(members, key=lambda one: (len(one.relaxed), not one.whole, one.far))


def _posteriors(panel: Panel, specs: list[Spec]) -> dict[str, dict[str, float]]:
    """Posterior mean of each treatment of each column under the default errors, if it converged."""
    found = {}
    for spec in specs:
        design = build_design(spec, panel)
        fitted = fit(design, errors=DEFAULT_ERRORS, priors=study_priors(spec), seed=_SEED)
        if fitted.converged:
            tidy = fitted.tidy()
            found[spec.id] = {term: float(tidy.loc[term, "mean"]) for term in fitted.treatments}
    return found


def _columns(
    study: Study,
    held: dict[str, Spec],
    ensemble: Ensemble,
    posteriors: list[dict[str, dict[str, float]]],
) -> list[ReferenceColumn]:
    cells = {cell.cell: cell for cell in ensemble.cells}
    found = []
    for spec in held.values():
        if spec.column.outcome != study.file.outcome.column:
            continue
        for term in spec.column.treatments:
            cell = cells.get(f"{spec.id}:{term}")
            if cell is None or "*" in term:
                continue
            printed = spec.column.coefficients[term]
            found.append(
                ReferenceColumn(
                    spec.id,
                    term,
                    cell.printed,
                    float("nan") if printed.se is None else float(Printed.parse(printed.se)),
                    (cell.low, cell.high),
                    tuple(one[spec.id][term] for one in posteriors)
                    if all(spec.id in one for one in posteriors)
                    else (),
                )
            )
    return found


def _main(study: Study, specs: list[Spec]) -> Spec:
    """The column that the unprinted quantities are about: the first on all rows with covariates."""
    mine = [spec for spec in specs if spec.column.outcome == study.file.outcome.column]
    whole = [s for s in mine if s.column.sample == type(s.column.sample)()]
    return next((s for s in whole if s.column.covariates), [*whole, *mine][0])


def _unsaid(spec: Spec, panels: list[Panel]) -> list[Unsaid]:
    values = map_fits(partial(_of_member, spec=spec), panels)
    cell = spec.column.coefficients[spec.column.treatments[0]]
    se = float(Printed.parse(cell.se)) if cell.se is not None else 0.0
    names = [name for name in values[0] if all(name in one for one in values)]
    middle = {name: float(np.median([one[name] for one in values])) for name in names}
    limits = yardsticks(middle, se)
    return [
        Unsaid(spec.id, name, tuple(one[name] for one in values), limits[name]) for name in middle
    ]


def _of_member(panel: Panel, spec: Spec) -> dict[str, float]:
    return from_residuals(panel, spec) | from_other_models(panel, spec)
