"""Great-circle distances, and raw weights made from them: inverse, economic, nearest, bands."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from bayesdid.arrays import FloatArray
from bayesdid.exceptions import InputError

EARTH_KM = 6371.0088  # mean radius (IUGG: Moritz 2000, doi:10.1007/s001900050278)
_ONE_PLACE_KM = 1e-6  # a millimetre: below it two places are one, whatever the rounding


@dataclass(frozen=True, slots=True)
class Distances:
    """Distances between units.

    Attributes
    ----------
    km
        Symmetric with a zero diagonal and nothing else that is zero, shape (N, N).
    units
        Labels of rows and columns, shape (N,).
    """

    km: FloatArray
    units: NDArray[Any]


@dataclass(frozen=True, slots=True)
class Ring:
    """Pairs of units that are more than `low` and at most `high` km apart, as raw weights."""

    low: float
    high: float
    matrix: csr_array


def great_circle(lonlat: ArrayLike, units: ArrayLike, *, source: str = "coordinates") -> Distances:
    """Great-circle distances by the haversine formula, on a sphere.

    Parameters
    ----------
    lonlat
        Longitude and latitude in degrees, shape (N, 2).
    units
        Their labels, shape (N,).
    source
        Where they come from, for errors.

    Raises
    ------
    InputError
        If a coordinate is missing or out of range, or two units stand at one place.
    """
    places, labels = np.asarray(lonlat, dtype=np.float64), np.asarray(units)
    if places.shape != (len(labels), 2):
        raise InputError(
            f"coordinates have shape {places.shape} for {len(labels)} units",
            file=source,
            remedy="give longitude and latitude of each",
        )
    for k, (name, limit) in enumerate((("longitude", 180.0), ("latitude", 90.0))):
        for bad, problem, remedy in (
            (~np.isfinite(places[:, k]), "is missing", "give its place, or leave the unit out"),
            (
                abs(places[:, k]) > limit,
                f"lies outside -{limit:g} to {limit:g} degrees",
                "check that longitude and latitude are not exchanged, and are in degrees",
            ),
        ):
            if bad.any():
                i = int(np.flatnonzero(bad)[0])
                raise InputError(
                    f"the {name} of unit {labels[i]} {problem}",
                    file=source,
                    value=float(places[i, k]),
                    remedy=remedy,
                )
    lon, lat = np.radians(places).T
    half = (
        np.sin((lat[:, None] - lat[None, :]) / 2) ** 2
        + np.cos(lat)[:, None]
        * np.cos(lat)[None, :]
        * np.sin((lon[:, None] - lon[None, :]) / 2) ** 2
    )
    km = 2 * EARTH_KM * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0)))
    np.fill_diagonal(km, 0.0)
    if (pair := _first_pair(km <= _ONE_PLACE_KM)) is not None:
        i, j = pair
        raise InputError(
            "two units stand at one place, so that no distance parts them",
            file=source,
            value=f"{labels[i]} and {labels[j]}",
            remedy="correct one of them, or merge the two units",
        )
    return Distances(km, labels)


def inverse_distance(
    distances: Distances, *, power: float = 1.0, cutoff_km: float | None = None
) -> csr_array:
    """Raw weights ``1 / d**power``; zero beyond the cutoff, if there is one."""
    return band(distances, 0.0, np.inf if cutoff_km is None else cutoff_km, power=power)


def band(distances: Distances, low: float, high: float, *, power: float = 0.0) -> csr_array:
    """Raw weights of the pairs in (`low`, `high`] km: ``1 / d**power``, or 1 with power 0."""
    if not 0 <= low < high or power < 0:
        raise InputError(
            "a distance band needs 0 <= low < high and a power of zero or more",
            value=f"({low:g}, {high:g}], power {power:g}",
            remedy="write the lesser distance first",
        )
    inside = (distances.km > low) & (distances.km <= high)  # never the diagonal: low >= 0
    return csr_array(np.where(inside, np.where(inside, distances.km, 1.0) ** -power, 0.0))


def rings(
    distances: Distances, step: float, last: float, *, power: float = 0.0
) -> tuple[Ring, ...]:
    """Rings (0, step], (step, 2 step], ... up to `last` km; together each pair once.

    The last ring is narrower if `last` is no multiple of `step`. A ring may hold no pair.
    """
    if not 0 < step <= last:
        raise InputError(
            "rings need a step above zero that is at most the last distance",
            value=f"step {step:g}, last {last:g}",
            remedy="e.g. 100 and 2000",
        )
    count = int(np.ceil(last / step - 1e-9))  # 0.3 / 0.1 is more than 3 in binary
    edges = [*(step * np.arange(count)), last]
    pairs = [(float(low), float(high)) for low, high in pairwise(edges)]
    return tuple(Ring(low, high, band(distances, low, high, power=power)) for low, high in pairs)


def nearest(distances: Distances, k: int) -> csr_array:
    """Raw weights 1 for the `k` nearest units of each; not symmetric in general.

    Of units at exactly the same distance, those that come first in the order of the units are
    taken.
    """
    N = len(distances.units)
    if not 1 <= k < N:
        raise InputError(
            f"the number of nearest units must lie between 1 and {N - 1}", value=k, remedy="lower k"
        )
    far = distances.km + np.diag(np.full(N, np.inf))
    chosen = np.argsort(far, axis=1, kind="stable")[:, :k]
    out = np.zeros((N, N))
    np.put_along_axis(out, chosen, 1.0, axis=1)
    return csr_array(out)


def economic_geographic(
    distances: Distances,
    means: ArrayLike,
    *,
    power: float = 1.0,
    cutoff_km: float | None = None,
    proximity: Literal["gap", "share"] = "gap",
) -> csr_array:
    """Raw weights: inverse distance times what an economic variable adds.

    ``gap``: ``d**-power / |m_i - m_j|``, large between units of like means. Two units with nearly
    equal means are close neighbours however far apart they are, so that a single neighbour can
    hold most of a row. ``share``: ``d**-power m_j``, so that rich units count for more, in
    proportion to their share of the total. Papers call both economic-geographic.

    Parameters
    ----------
    means
        Of an economic variable over a window of periods, one for each unit, shape (N,).
    proximity
        Which of the two.

    Raises
    ------
    InputError
        If a mean is missing, or two units have the same mean (``gap``), or one is not above zero
        (``share``).
    """
    m = np.asarray(means, dtype=np.float64)
    if m.shape != (len(distances.units),) or not np.isfinite(m).all():
        raise InputError(
            "economic weights need one mean for each unit",
            value=str(m.shape),
            remedy="use a column that every unit has",
        )
    near = inverse_distance(distances, power=power, cutoff_km=cutoff_km)
    if proximity == "share":
        if m[low := int(m.argmin())] <= 0:
            raise InputError(
                "a unit's mean is not above zero, so that it has no share",
                value=f"{distances.units[low]}: {m[low]:g}",
                remedy="use a column that is above zero, or proximity = gap",
            )
        return csr_array(near.multiply(m / m.mean()))
    gap = abs(m[:, None] - m[None, :])
    if (pair := _first_pair(gap <= 1e-12 * max(float(abs(m).max()), 1e-300))) is not None:
        i, j = pair
        raise InputError(
            "two units have the same mean, so that their economic proximity "
            "1 / |difference| is infinite",
            value=f"{distances.units[i]} and {distances.units[j]}: {m[i]:g}",
            remedy="use a column or window in which they differ, or proximity = share",
        )
    np.fill_diagonal(gap, 1.0)
    return csr_array(near.multiply(1 / gap))


def _first_pair(found: NDArray[np.bool_]) -> tuple[int, int] | None:
    """The first pair i < j that is marked in a symmetric matrix."""
    i, j = np.nonzero(np.triu(found, k=1))
    return (int(i[0]), int(j[0])) if len(i) else None
