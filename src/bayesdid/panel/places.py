"""Real places for simulated units, drawn at random."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesdid.exceptions import InputError
from bayesdid.panel.read import read_frame

_STREAM = 0x71ACE5  # sets the generator of places apart from that of the panel's numbers


def random_places(file: Path, N: int, seed: int) -> NDArray[np.float64]:
    """A place of the file for each of `N` units, no two alike: lon and lat, shape (N, 2).

    The generator is one of its own, so that places change no other number of a simulated panel.

    Raises
    ------
    InputError
        If the file lacks lon or lat, holds a missing one, or has fewer than `N` places.
    """
    frame = read_frame(file)
    for name in ("lon", "lat"):
        if name not in frame:
            raise InputError(
                "the places lack a column",
                file=file,
                column=name,
                row=1,
                remedy="give lon and lat in degrees",
            )
        if not pd.api.types.is_numeric_dtype(frame[name]) or frame[name].isna().any():
            raise InputError(
                "a place lacks a number",
                file=file,
                column=name,
                remedy="give lon and lat in degrees",
            )
    known = frame[["lon", "lat"]].drop_duplicates().to_numpy(dtype=float)
    if len(known) < N:
        raise InputError(
            f"{len(known)} places for {N} units",
            file=file,
            remedy="give at least one place for each unit",
        )
    order = np.random.default_rng([seed, _STREAM]).permutation(len(known))
    return np.asarray(known[order[:N]])
