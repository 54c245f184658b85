"""Finished fits on disk: keyed by everything that determines them, whole, verified on reading.

A fit's file name ends in a digest of the design, the priors, the size and seed, the code and its
packages, so a second run can reuse it and a changed input never does. The file ends in a digest of
its bytes: one that was damaged is made again, with a note.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import xarray as xr

from bayesdid.design.design import Design
from bayesdid.digest import digest, environment_digest
from bayesdid.exceptions import InputError, Note
from bayesdid.files import damaged, replacing, seal, seal_of, sweep
from bayesdid.inference.executor import map_fits
from bayesdid.inference.fit import fit_model
from bayesdid.inference.registry import Size
from bayesdid.model.bound import BoundModel
from bayesdid.model.model import Model


@dataclass(frozen=True, slots=True)
class FitRequest:
    """One fit to be made, or found on disk.

    Attributes
    ----------
    design
        The spec applied to the panel, with its unit and period effects.
    label
        What people call this fit beside the spec, e.g. ``random``; part of the file name.
    model, engine, size
        As in :func:`bayesdid.inference.fit.fit_model`.
    keep_effects
        Whether to store the draws of unit and period effects.
    """

    design: Design
    label: str
    model: Model = Model()
    engine: str = "auto"
    size: Size = Size()
    keep_effects: bool = True

    @property
    def bound(self) -> BoundModel:
        """The model of its design."""
        return BoundModel(self.model, self.design)

    @property
    def key(self) -> str:
        """Digest of everything that determines the result, 16 hexadecimal digits."""
        size = dataclasses.replace(self.size, cores=1)  # draws do not depend on the cores
        what = (self.design, self.model, self.engine, size, self.keep_effects)
        return digest("fit", *what, environment_digest())[:16]

    def path(self, folder: Path) -> Path:
        """Where the fit is stored in `folder`."""
        return folder / f"{self.design.spec_id}-{self.label}-{self.key}.nc"


@dataclass(frozen=True, slots=True)
class StoredFit:
    """A fit on disk, and how it came there.

    Attributes
    ----------
    request, path
        What was asked for, and its file.
    reused
        Whether it was already there.
    seconds
        How long that took.
    notes
        Named warnings, e.g. that a damaged file was made again.
    """

    request: FitRequest = field(repr=False)
    path: Path
    reused: bool
    seconds: float = 0.0
    notes: tuple[Note, ...] = ()

    def load(self, *, effects: bool = True) -> xr.DataTree:
        """Read it into memory, with or without the unit and period effects."""
        return read_fit(self.path, effects=effects)


def save_fit(tree: xr.DataTree, path: Path) -> str:
    """Write atomically as NetCDF, sealed: a reader sees the whole file or none.

    Draws of unit and period effects are stored in single precision.

    Returns
    -------
    str
        Digest of the file's content.
    """
    encoding = {
        "/posterior": {
            str(name): {"dtype": "float32"}
            for name in tree["posterior"].data_vars
            if str(name).endswith("_effect")
        }
    }
    with replacing(path) as temporary:
        tree.to_netcdf(temporary, engine="netcdf4", encoding=encoding)
        return seal(temporary)


def read_fit(path: Path, *, effects: bool = True) -> xr.DataTree:
    """Read a stored fit into memory, with or without the unit and period effects.

    Raises
    ------
    InputError
        If the file is missing or a single bit of it is not as it was written.
    """
    if not path.is_file():
        raise InputError("no such fit", file=path, remedy="run bayesdid fit")
    if seal_of(path) is None:
        raise InputError(
            "the stored fit cannot be read: it differs from the digest at its end",
            file=path,
            remedy="run bayesdid fit again, which makes it anew",
        )
    with xr.open_datatree(path, engine="netcdf4") as tree:
        if not effects:
            _drop_effects(tree)
        return tree.load()


def make_fit(request: FitRequest) -> xr.DataTree:
    """Make a fit without storing it."""
    size = dataclasses.replace(request.size, cores=1)
    tree = fit_model(request.model, request.design, engine=request.engine, size=size).tree
    if not request.keep_effects:
        _drop_effects(tree)
    return tree


def fit_or_reuse(request: FitRequest, folder: Path) -> StoredFit:
    """Return the stored fit, or make and store it; a damaged file is made again."""
    begin = time.perf_counter()
    path = request.path(folder)
    found = path.is_file()
    reused = found and seal_of(path) is not None
    if not reused:
        save_fit(make_fit(request), path)
    notes = (damaged(path),) if found and not reused else ()
    return StoredFit(request, path, reused, time.perf_counter() - begin, notes)


def fit_all(
    requests: Iterable[FitRequest],
    folder: Path,
    *,
    executor: Executor | None = None,
    done: Callable[[str], object] = lambda _: None,
) -> list[StoredFit]:
    """Make or reuse all fits, in order; with an executor, side by side.

    Parameters
    ----------
    executor
        As in :func:`bayesdid.inference.executor.map_fits`.
    done
        Called with the spec's id after each fit.
    """
    sweep(folder)
    return map_fits(
        partial(fit_or_reuse, folder=folder),
        requests,
        executor=executor,
        done=lambda request: done(request.design.spec_id),
    )


def _drop_effects(tree: xr.DataTree) -> None:
    posterior = tree["posterior"].to_dataset()
    dropped = [name for name in posterior if str(name).endswith("_effect")]
    tree["posterior"] = xr.DataTree(posterior.drop_vars(dropped))
