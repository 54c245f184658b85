"""Posterior contrasts from printed coefficients, as functionals of the effects of the states.

The difference of two printed cells is not the contrast: with overlapping staggered policies each
coefficient averages effects of several states (:mod:`bayesdid.published.functional`). All columns
that are functionals of state effects are inverted at once, averaged over the timings that the study
allows, the time paths of the single effects, and the autocorrelation behind the printed standard
errors. Each of these assumptions is also made alone: the range of a probability is that over all
of them. The difference of the cells stays beside, as what the paper's comparison does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd

from bayesdid.arrays import FloatArray
from bayesdid.exceptions import InputError, Note
from bayesdid.published.columns import PrintedColumns, printed_columns
from bayesdid.published.contrasts import INTERACTION, MAIN, PublishedContrast, published_contrasts
from bayesdid.published.functional import Path, effects_of
from bayesdid.published.inversion import (
    PATHS,
    Component,
    HeldOut,
    Mixture,
    components,
    held_out,
    layouts,
    printed_weights,
    quantity_names,
    sampling_covariance,
)
from bayesdid.published.timing import TIMINGS, Timings, timings
from bayesdid.study.load import Study
from bayesdid.study.printed import number

PHIS = (0.0, 0.3, 0.6)  # autocorrelations behind the printed standard errors, alike before
KINDS = {"static": "constant", "growing": "growing", "fading": "fading", "free": "free to vary"}
_DRAWS = 20_000


@dataclass(frozen=True, slots=True)
class PublishedSynergy:
    """All contrasts that a study's printed coefficients allow.

    Attributes
    ----------
    contrasts
        Name -> contrast, in report order.
    columns
        The printed coefficients that were inverted.
    left
        Columns that were not, and why.
    functional
        What each coefficient estimates under constant effects and the first timing: a table of
        coefficients by effects.
    correlation
        Of the coefficients under independent errors and the first timing, shape (C, C).
    held_out
        Each coefficient predicted by the others; ``weights`` of the kinds of path.
    path_weights
        Posterior probability of each kind of path (alike before the coefficients were seen).
    knowledge
        Of the timing: ``known``, ``stated``, ``drawn`` or ``free``.
    timings
        How many were averaged over.
    scale
        sd(y), by which priors are scaled, and where it came from.
    scale_source
        ``table1:safety.sd``, or the rule used if no table prints it.
    notes
        What was assumed.
    """

    contrasts: dict[str, PublishedContrast]
    columns: PrintedColumns
    left: dict[str, str]
    functional: pd.DataFrame
    correlation: FloatArray
    held_out: tuple[HeldOut, ...]
    path_weights: dict[str, float]
    knowledge: str
    timings: int
    scale: float
    scale_source: str
    notes: tuple[Note, ...]


def published_cells(study: Study) -> dict[str, str]:
    """Estimand -> reference of the printed cell that the paper reads it from."""
    cells = study.file.synergy
    found: dict[str, str | None] = {"both": cells.both_none}
    found["all"] = cells.all_none
    found |= {f"only:{of}": ref for of, ref in (cells.only_none | cells.pair_none).items()}
    found["both|single"] = cells.both_single
    if cells.both_none is None:
        found[INTERACTION] = cells.interaction
    found |= {f"first:{p}": ref for p, ref in cells.first_none.items()}
    found |= {f"first:{p}|single": ref for p, ref in cells.first_single.items()}
    return {key: ref for key, ref in found.items() if ref is not None}


@dataclass(frozen=True, slots=True)
class Inversion:
    """The printed columns, and every model of them.

    Attributes
    ----------
    columns, left
        As in :class:`PublishedSynergy`.
    timings
        That the study allows.
    parts
        Models, to be averaged over.
    scale, scale_source
        sd(y) and where it came from.
    """

    columns: PrintedColumns
    left: dict[str, str]
    timings: Timings
    parts: list[Component]
    scale: float
    scale_source: str


def invert(
    study: Study,
    adoption: pd.DataFrame | None = None,
    *,
    size: int = TIMINGS,
    seed: int = 0,
    asked: bool = True,
) -> Inversion:
    """Every model of all printed coefficients that are functionals of state effects.

    Parameters
    ----------
    adoption
        Adoption periods of a real panel; by default the timing is what the study says of it.
    size
        How many timings to draw where the timing is not known.
    asked
        Whether quantities of interest are; else only the coefficients can be predicted.

    Raises
    ------
    InputError
        As :func:`published_synergy`.
    """
    refs = published_cells(study)
    if not refs:
        raise InputError(
            "the study names no published cells for its contrasts",
            file=study.path / "study.toml",
            column="synergy",
            remedy="fill [synergy], or fit a panel with 'bayesdid fit'",
        )
    columns, left = printed_columns(study, list(refs.values()))
    scale, source = outcome_scale(study, columns.estimates)
    used = _identifying(columns, timings(study, adoption, size=size, seed=seed))
    laid = layouts(
        used.columns, used.timings.members, scale=scale, weights=used.weights, asked=asked
    )
    parts = components(used.columns, laid, scale=scale, phis=PHIS)
    return Inversion(used.columns, left | used.left, used.timings, parts, scale, source)


class _Identified(NamedTuple):
    """Coefficients, the timings under which all could have been estimated, and their weights."""

    columns: PrintedColumns
    timings: Timings
    weights: list[FloatArray]
    left: dict[str, str]


def _identifying(columns: PrintedColumns, found: Timings) -> _Identified:
    """Leave out event times that no timing has, and timings without the other coefficients."""
    weights = [printed_weights(columns, timing) for timing in found.members]
    has = np.array([np.any(value, axis=(1, 2)) for value in weights])
    event = np.array([spec.column.family == "event_study" for spec in columns.specs])
    keep = ~event | has.any(axis=0)
    names = np.array(columns.names)
    estimable = has[:, keep].all(axis=1)
    if not estimable.any():
        raise InputError(
            "a printed coefficient could not have been estimated if units had adopted as stated",
            column="design.timing",
            value=str(names[keep & ~has[0]][0]),
            remedy="correct the timing, or the column's sample",
        )
    at = np.flatnonzero(estimable)
    return _Identified(
        columns.take(np.flatnonzero(keep)),
        replace(found, members=tuple(found.members[k] for k in at)),
        [weights[k][keep] for k in at],
        dict.fromkeys(names[~keep].tolist(), "not estimable if units adopted as stated"),
    )


def quantity_draws(
    study: Study, adoption: pd.DataFrame | None = None, *, seed: int = 0
) -> dict[str, FloatArray]:
    """Draws of every quantity of :func:`~bayesdid.published.inversion.quantities`, averaged."""
    found = invert(study, adoption, seed=seed)
    mixture = Mixture.of(found.columns.estimates, found.parts)
    every = np.ones(len(found.parts), dtype=bool)
    draws = mixture.draw(every, _DRAWS, np.random.default_rng(seed))
    return dict(zip(quantity_names(found.timings.members[0].policies), draws.T, strict=True))


def published_synergy(
    study: Study, adoption: pd.DataFrame | None = None, *, seed: int = 0
) -> PublishedSynergy:
    """Contrasts from all printed coefficients that are functionals of state effects.

    Parameters
    ----------
    adoption
        Adoption periods of a real panel; by default the timing is what the study says of it.

    Raises
    ------
    InputError
        If the study names no cells, a cell has no standard error, or it says too little about
        who adopted when.
    """
    found = invert(study, adoption, seed=seed)
    columns, allowed, parts = found.columns, found.timings, found.parts
    rng = np.random.default_rng(seed)
    names = quantity_names(allowed.members[0].policies)
    mixture = Mixture.of(columns.estimates, parts)
    kinds = np.array([part.path.kind for part in parts])
    phis = np.array([part.phi for part in parts])
    chosen = {MAIN: np.ones(len(parts), dtype=bool)}
    for kind, phi in product(dict.fromkeys(path.kind for path in PATHS), PHIS):
        chosen[f"{KINDS[kind]}, phi {phi:g}"] = (kinds == kind) & (phis == phi)
    sets = {
        name: dict(zip(names, mixture.draw(some, _DRAWS, rng).T, strict=True))
        for name, some in chosen.items()
    }
    weight = mixture.weight(chosen[MAIN])
    weights = printed_weights(columns, allowed.members[0])
    V = sampling_covariance(columns, weights, 0.0)
    sd = np.sqrt(np.diag(V))
    static = effects_of(allowed.members[0], Path("static"))
    return PublishedSynergy(
        published_contrasts(study, published_cells(study), columns, V, sets, found.scale),
        columns,
        found.left,
        pd.DataFrame(
            np.einsum("cnt,ntj->cj", weights, static.values), list(columns.names), static.names
        ),
        V / np.outer(sd, sd),
        held_out(columns, parts),
        {label: float(weight[kinds == kind].sum()) for kind, label in KINDS.items()},
        allowed.knowledge,
        len(allowed.members),
        found.scale,
        found.scale_source,
        _notes(columns, allowed),
    )


def outcome_scale(study: Study, estimates: FloatArray) -> tuple[float, str]:
    """sd(y) from a descriptive table; else twice the largest estimate."""
    outcome = study.file.outcome.column
    for table in study.tables.values():
        for row in table.moments:
            if row.column == outcome and row.sd is not None:
                return number(row.sd), f"{table.id}:{outcome}.sd"
    return 2.0 * float(np.abs(estimates).max()), "twice the largest estimate"


def _notes(columns: PrintedColumns, allowed: Timings) -> tuple[Note, ...]:
    """What was assumed, in words."""
    timing = {
        "known": "who adopted when is that of the panel",
        "stated": "who adopted when is stated in the study's file",
        "drawn": "which units joined in which round is not published: timings are drawn that meet "
        "the rounds, the arms, the sequences and the mean of both",
        "free": "neither rounds nor units' adoption are published: timings are drawn from all "
        "periods",
    }[allowed.knowledge]
    notes = [
        Note("timing", len(allowed.members), timing),
        Note(
            "covariates",
            len(columns.names),
            "covariates are taken to be unrelated to the timing, up to an error of each column",
        ),
    ]
    if columns.inflate.any():
        text = "printed standard errors are taken to suppose independent errors, which have an "
        text += f"autocorrelation of {', '.join(f'{phi:g}' for phi in PHIS)}, alike beforehand"
        notes.append(Note("serial_correlation", len(columns.names), text))
    return tuple(notes)
