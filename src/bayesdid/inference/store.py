"""Finished fits on disk: keyed by everything that determines them, written atomically.

A fit's file name ends in a hash of the design's arrays, priors, engine, size, seed and the
versions of the libraries, so a second run can reuse it and a changed input never does.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

from bayesdid.design.design import Design
from bayesdid.exceptions import InputError
from bayesdid.inference.fit import EngineName, fit
from bayesdid.inference.tree import package_versions
from bayesdid.model.priors import PriorName, Priors, resolve_priors

_FORMAT = 1  # of the stored file; raise it when the groups or names of a fit change


@dataclass(frozen=True, slots=True)
class FitRequest:
    """One fit to be made, or found on disk.

    Attributes
    ----------
    design
        The spec applied to the panel, with its unit and period effects.
    label
        What people call this fit beside the spec, e.g. ``random``; part of the file name.
    priors, engine, draws, tune, chains, seed
        As in :func:`bayesdid.inference.fit.fit`.
    keep_effects
        Whether to store the draws of unit and period effects.
    """

    design: Design
    label: str
    priors: PriorName | Priors | dict[str, Any] = "weak"
    engine: EngineName = "auto"
    draws: int = 1000
    tune: int = 1000
    chains: int = 4
    seed: int = 0
    keep_effects: bool = True

    @property
    def key(self) -> str:
        """Hash of everything that determines the result, 16 hexadecimal digits."""
        design = self.design
        digest = hashlib.sha256()
        facts = {
            "format": _FORMAT,
            "study": design.study_id,
            "spec": design.spec_id,
            "outcome": design.outcome,
            "names": design.names,
            "effects": [design.unit_effects, design.period_effects],
            "panel": design.panel_sha256,
            "priors": resolve_priors(self.priors, design).to_dict(),
            "engine": self.engine,
            "size": [self.draws, self.tune, self.chains, self.seed, self.keep_effects],
            "versions": package_versions(),
        }
        digest.update(json.dumps(facts, sort_keys=True).encode())
        for array in (design.y, design.D, design.X, design.unit_index, design.period_index):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:16]

    def path(self, folder: Path) -> Path:
        """Where the fit is stored in `folder`."""
        return folder / f"{self.design.spec_id}-{self.label}-{self.key}.nc"


@dataclass(frozen=True, slots=True)
class StoredFit:
    """A fit on disk and whether it was already there."""

    request: FitRequest = field(repr=False)
    path: Path
    reused: bool

    def load(self, *, effects: bool = True) -> xr.DataTree:
        """Read it into memory, with or without the unit and period effects."""
        return read_fit(self.path, effects=effects)


def save_fit(tree: xr.DataTree, path: Path) -> None:
    """Write atomically as NetCDF: a reader sees the whole file or none.

    Draws of unit and period effects are stored in single precision.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    encoding = {
        "/posterior": {
            str(name): {"dtype": "float32"}
            for name in tree["posterior"].data_vars
            if str(name).endswith("_effect")
        }
    }
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    os.close(handle)
    try:
        tree.to_netcdf(temporary, engine="h5netcdf", encoding=encoding)
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def read_fit(path: Path, *, effects: bool = True) -> xr.DataTree:
    """Read a stored fit into memory, with or without the unit and period effects.

    Raises
    ------
    InputError
        If the file is missing or damaged.
    """
    try:
        with xr.open_datatree(path, engine="h5netcdf") as tree:
            if not effects:
                posterior = tree["posterior"].to_dataset()
                dropped = [name for name in posterior if str(name).endswith("_effect")]
                tree["posterior"] = xr.DataTree(posterior.drop_vars(dropped))
            return tree.load()
    except FileNotFoundError:
        raise InputError("no such fit", file=path, remedy="run bayesdid fit") from None
    except Exception as error:  # h5py and xarray raise a dozen types for a damaged file
        raise InputError(
            f"the stored fit cannot be read: {error}", file=path, remedy="delete it and fit again"
        ) from error


def _is_whole(path: Path) -> bool:
    """Whether the file is there and complete; HDF5 itself notices a truncated one."""
    try:
        with h5py.File(path) as file:
            return "converged" in file.attrs
    except OSError:  # missing or damaged: it is made again
        return False


def fit_or_reuse(request: FitRequest, folder: Path) -> StoredFit:
    """Return the stored fit, or make and store it; a damaged file is made again."""
    path = request.path(folder)
    if _is_whole(path):
        return StoredFit(request, path, reused=True)
    tree = fit(
        request.design,
        priors=request.priors,
        engine=request.engine,
        draws=request.draws,
        tune=request.tune,
        chains=request.chains,
        cores=1,
        seed=request.seed,
    )
    if not request.keep_effects:
        posterior = tree["posterior"].to_dataset()
        dropped = [name for name in posterior if str(name).endswith("_effect")]
        tree["posterior"] = xr.DataTree(posterior.drop_vars(dropped))
    save_fit(tree, path)
    return StoredFit(request, path, reused=False)


def fit_all(
    requests: Iterable[FitRequest],
    folder: Path,
    *,
    executor: Executor | None = None,
    done: Callable[[str], None] = lambda _: None,
) -> list[StoredFit]:
    """Make or reuse all fits, in order; with an executor, side by side.

    Parameters
    ----------
    executor
        Any :class:`concurrent.futures.Executor`: a process pool, or a cluster's.
    done
        Called with the spec's id after each fit.
    """
    requests = list(requests)
    stored: list[StoredFit] = []
    if executor is None:
        results: Iterable[StoredFit] = (fit_or_reuse(request, folder) for request in requests)
    else:
        results = executor.map(fit_or_reuse, requests, [folder] * len(requests))
    for request, result in zip(requests, results, strict=True):
        stored.append(result)
        done(request.design.spec_id)
    return stored
