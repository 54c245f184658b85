"""Finished analyses on disk: keyed by everything that determines them, verified on reading."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bayesdid.digest import digest, environment_digest, file_digest
from bayesdid.exceptions import Note, NotIdentifiedError, reason
from bayesdid.families.registry.family import AnyFamily
from bayesdid.families.run import AnalysisRequest, run
from bayesdid.files import damaged, seal_of, sweep
from bayesdid.inference.executor import map_fits
from bayesdid.inference.store import save_fit
from bayesdid.jsonio import read_sealed, write_sealed
from bayesdid.study.files import named_files


@dataclass(frozen=True, slots=True)
class StoredAnalysis:
    """An analysis as a dictionary (see :class:`~bayesdid.families.analysis.Analysis`).

    Attributes
    ----------
    content
        None if the analysis was refused.
    refused
        Why, or empty: the design does not identify it, or it failed.
    failed
        Whether that is a fault, of study, panel or code, and not a fact about the design.
    reused
        Whether it was already on disk.
    seconds
        How long that took.
    notes
        Named warnings of the store, e.g. that a damaged file was made again.
    """

    spec_id: str
    content: dict[str, Any] | None
    refused: str
    reused: bool
    seconds: float = 0.0
    notes: tuple[Note, ...] = ()
    failed: bool = False


def analysis_path(request: AnalysisRequest, folder: Path) -> Path:
    """Where an analysis is stored; the name holds a digest of all it depends on.

    That is the study, printed numbers included, the content of the files that it names, the
    panel, size and seed, the code and its packages; not where study and panel were read from.
    """
    study, panel, spec = request.study, request.panel, request.spec
    key = digest(
        "analysis",
        spec,
        (study.file, study.tables, study.claims),
        {name: file_digest(path) for name, path in named_files(study, spec).items()},
        (panel.frame, panel.unit, panel.period, panel.policies, panel.adoption),
        (panel.unit_labels, panel.synthetic, panel.sha256, panel.notes),
        (request.seed, request.draws),
        request.options,
        _foreign_code(request.family),
        environment_digest(),
    )[:16]
    return folder / f"{spec.id}-analysis-{key}.json"


def _foreign_code(family: AnyFamily) -> dict[str, str | None]:
    """Digests of the packages that a family from outside this one is written in."""
    names = {found.__module__.partition(".")[0] for found in (family.runner(), family.options)}
    files = {name: getattr(sys.modules[name], "__file__", None) for name in names - {"bayesdid"}}
    return {
        name: file_digest(Path(file).parent if Path(file).stem == "__init__" else Path(file))
        for name, file in files.items()
        if file is not None
    }


def analyse_or_reuse(request: AnalysisRequest, folder: Path) -> StoredAnalysis:
    """Run an analysis and store it, its draws beside it as NetCDF; or find it on disk.

    If either file is damaged both are made again.
    """
    begin = time.perf_counter()
    path = analysis_path(request, folder)
    draws = path.with_suffix(".nc")
    notes: tuple[Note, ...] = ()
    try:
        stored = read_sealed(path)
        if stored["draws"] is None or stored["draws"] == seal_of(draws):
            seconds = time.perf_counter() - begin
            return StoredAnalysis(request.spec.id, stored["analysis"], "", True, seconds)
        notes = (damaged(draws),) if draws.is_file() else ()
    except FileNotFoundError:
        pass
    except ValueError:
        notes = (damaged(path),)
    try:
        result = run(request)
    except Exception as error:  # one bad spec fails alone, whatever it raises
        fault = not isinstance(error, NotIdentifiedError)
        why, seconds = reason(error), time.perf_counter() - begin
        return StoredAnalysis(request.spec.id, None, why, False, seconds, notes, fault)
    sealed = None if result.posterior is None else save_fit(result.posterior, draws)
    content = write_sealed(path, {"draws": sealed, "analysis": result})["analysis"]
    seconds = time.perf_counter() - begin
    return StoredAnalysis(request.spec.id, content, "", False, seconds, notes)


def analyse_all(
    requests: Iterable[AnalysisRequest],
    folder: Path,
    *,
    executor: Executor | None = None,
    done: Callable[[str], object] = lambda _: None,
) -> list[StoredAnalysis]:
    """All analyses, in order; with an executor, side by side."""
    sweep(folder)
    return map_fits(
        partial(analyse_or_reuse, folder=folder),
        requests,
        executor=executor,
        done=lambda request: done(request.spec.id),
    )
