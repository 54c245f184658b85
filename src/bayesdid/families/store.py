"""Finished analyses on disk: keyed by everything that determines them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bayesdid.exceptions import InputError
from bayesdid.families.run import AnalysisRequest, analyse
from bayesdid.inference.store import save_fit
from bayesdid.inference.tree import package_versions
from bayesdid.jsonio import write_json

_FORMAT = 4  # raise it when an analysis would come out differently


@dataclass(frozen=True, slots=True)
class StoredAnalysis:
    """An analysis as a dictionary (see :class:`~bayesdid.families.analysis.Analysis`).

    Attributes
    ----------
    content
        None if the analysis was refused.
    refused
        Why, or empty.
    reused
        Whether it was already on disk.
    """

    spec_id: str
    content: dict[str, Any] | None
    refused: str
    reused: bool


def analysis_path(request: AnalysisRequest, folder: Path) -> Path:
    """Where an analysis is stored; the name holds a hash of all it depends on."""
    spec = request.study[request.spec_id]
    facts = {
        "format": _FORMAT,
        "spec": spec.column.model_dump(mode="json"),
        "study": request.study.file.model_dump(mode="json", exclude={"study"}),
        "published": [o.column.model_dump(mode="json") for o in request.study.specs.values()],
        "panel": request.panel.sha256,
        "size": [request.seed, request.draws],
        "versions": package_versions(),
    }
    key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
    return folder / f"{request.spec_id}-analysis-{key}.json"


def analyse_or_reuse(request: AnalysisRequest, folder: Path) -> StoredAnalysis:
    """Run an analysis and store it, its draws beside it as NetCDF; or find it on disk."""
    path = analysis_path(request, folder)
    if path.is_file():
        try:
            return StoredAnalysis(request.spec_id, json.loads(path.read_text("utf-8")), "", True)
        except ValueError:
            path.unlink()  # damaged: made again
    try:
        result = analyse(
            request.study, request.spec_id, request.panel, seed=request.seed, draws=request.draws
        )
    except InputError as error:
        return StoredAnalysis(request.spec_id, None, str(error), False)
    folder.mkdir(parents=True, exist_ok=True)
    if result.posterior is not None:
        save_fit(result.posterior, path.with_suffix(".nc"))
    write_json(path, result.to_dict())
    return StoredAnalysis(request.spec_id, json.loads(path.read_text("utf-8")), "", False)


def analyse_all(
    requests: Iterable[AnalysisRequest],
    folder: Path,
    *,
    executor: Executor | None = None,
    done: Callable[[str], None] = lambda _: None,
) -> list[StoredAnalysis]:
    """All analyses, in order; with an executor, side by side."""
    requests = list(requests)
    run = executor.map if executor is not None else map
    found = []
    for request, result in zip(
        requests, run(analyse_or_reuse, requests, [folder] * len(requests)), strict=True
    ):
        found.append(result)
        done(request.spec_id)
    return found
