"""Rings of distance around every unit, and how much treatment stands in each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.exceptions import InputError, Note

Exposure = Literal["count", "share"]
_NODES = 24  # of the polynomial in rho that replaces one inverse per draw
_EXACT = 64  # distinct values of rho up to which each gets its own inverse


@dataclass(frozen=True, slots=True)
class Rings:
    """Ring k holds the pairs with ``k step < d <= (k + 1) step``; d = 0 belongs to ring 0.

    Attributes
    ----------
    edges
        In km, shape (R + 1,), equally spaced from 0.
    index
        Ring of each ordered pair, shape (N, N); -1 on the diagonal and beyond the last edge.
    beyond
        Ordered pairs beyond the last edge: the units that the profile is measured against.
    """

    edges: FloatArray
    index: IntArray
    beyond: int

    @property
    def R(self) -> int:
        """Number of rings."""
        return len(self.edges) - 1

    @property
    def step(self) -> float:
        """Width of a ring in km."""
        return float(self.edges[1] - self.edges[0])

    @property
    def middle(self) -> FloatArray:
        """Midpoints in km, shape (R,)."""
        return np.asarray((self.edges[:-1] + self.edges[1:]) / 2)

    @property
    def labels(self) -> list[str]:
        """For people and coordinates, e.g. ``100-200 km``."""
        return [f"{a:g}-{b:g} km" for a, b in zip(self.edges[:-1], self.edges[1:], strict=True)]

    @property
    def pairs(self) -> IntArray:
        """Ordered pairs of units in each ring, shape (R,)."""
        return np.bincount(self.index[self.index >= 0], minlength=self.R).astype(np.int64)

    @property
    def beyond_share(self) -> float:
        """Share of all ordered pairs that lie beyond the last ring."""
        N = len(self.index)
        return self.beyond / max(N * (N - 1), 1)

    def membership(self, kind: Exposure = "count") -> FloatArray:
        """Weight of unit j in unit i's exposure to each ring, shape (R, N, N)."""
        inside = (self.index == np.arange(self.R)[:, None, None]).astype(np.float64)
        size = np.maximum(inside.sum(axis=2, keepdims=True), 1.0)
        return np.asarray(inside / size if kind == "share" else inside)

    def notes(self) -> tuple[Note, ...]:
        """What a reader must know of the rings."""
        found = []
        empty = [name for name, n in zip(self.labels, self.pairs, strict=True) if n == 0]
        if empty:
            found.append(
                Note(
                    "empty_rings",
                    len(empty),
                    f"no two units are {', '.join(empty)} apart: there the profile is its prior",
                )
            )
        if self.beyond == 0:
            found.append(
                Note(
                    "no_far_pairs",
                    0,
                    "no pair of units is further apart than the "
                    "last ring: the level of the profile is then not separable from "
                    "the direct effect, and only its prior ties it down",
                )
            )
        else:
            found.append(
                Note(
                    "far_pairs",
                    self.beyond,
                    f"{self.beyond_share:.1%} of the pairs "
                    f"are more than {self.edges[-1]:g} km apart and are taken to feel "
                    "nothing of each other: the level of the profile is relative to "
                    "them",
                )
            )
        return tuple(found)


def make_rings(distance: FloatArray, step_km: float = 100.0, last_km: float = 2000.0) -> Rings:
    """Sort all pairs of units into rings.

    Parameters
    ----------
    distance
        In km, shape (N, N).

    Raises
    ------
    InputError
        If the distances are no distances, the step does not divide the last edge, or no pair
        lies inside it.
    """
    d = np.asarray(distance, dtype=np.float64)
    if d.ndim != 2 or d.shape[0] != d.shape[1] or not np.isfinite(d).all() or (d < 0).any():
        raise InputError(
            f"distances must be a square of finite numbers >= 0, not {d.shape}",
            remedy="give one row and one column for each unit",
        )
    if not np.allclose(d, d.T, atol=1e-6 * max(float(d.max(initial=0)), 1e-300)):
        raise InputError("distances are not symmetric", remedy="use great-circle distances")
    R = round(last_km / step_km) if step_km > 0 else 0
    if R < 2 or abs(R * step_km - last_km) > 1e-9 * last_km:
        raise InputError(
            "rings need a step that divides the last distance, twice at least",
            value=f"step_km = {step_km:g}, last_km = {last_km:g}",
            remedy="e.g. step_km = 100, last_km = 2000",
        )
    index = np.maximum(np.ceil(d / step_km - 1e-12).astype(np.int64) - 1, 0)
    off = ~np.eye(len(d), dtype=bool)
    beyond = int((off & (index >= R)).sum())
    index = np.where(off & (index < R), index, -1)
    if (index < 0).all():
        raise InputError(
            "no two units lie within the last ring",
            value=f"{last_km:g} km",
            remedy="widen last_km, or check the coordinates",
        )
    return Rings(step_km * np.arange(R + 1.0), index, beyond)


def exposures(rings: Rings, D: FloatArray, kind: Exposure = "count") -> FloatArray:
    """Treatment in each ring around each unit, shape (R, N, T), of `D`, shape (N, T).

    ``count`` adds up the treated units of a ring, so that a coefficient is the effect of one
    treated unit at that distance; ``share`` averages them. A ring that holds no other unit
    exposes to nothing.
    """
    if kind not in ("count", "share"):
        raise InputError("unknown exposure", value=kind, remedy="use count or share")
    return np.asarray(np.stack([block @ D for block in rings.membership(kind)]))


def ring_impacts(
    rings: Rings,
    W: FloatArray,
    rho: FloatArray,
    tau: FloatArray,
    theta: FloatArray,
    kind: Exposure = "count",
) -> tuple[FloatArray, FloatArray]:
    """What one treated unit does at home and at each distance once spillovers have spread.

    With a spatial lag of the outcome the treatment of j changes the outcome of i by
    ``[(I - rho W)^-1 (tau I + sum_k theta_k R_k)]_ij`` (LeSage & Pace 2009, ch. 2): averaged
    over the diagonal, and over the pairs of each ring.

    Parameters
    ----------
    W
        Dense, shape (N, N).
    rho, tau, theta
        Draws, shapes (S,), (S,), (S, R).

    Returns
    -------
    direct, profile
        Shapes (S,) and (S, R); NaN in rings without a pair.
    """
    values, place = np.unique(rho, return_inverse=True)
    maps: FloatArray
    if len(values) <= _EXACT:
        maps = np.stack([_impact_map(rings, W, value, kind) for value in values])[place]
    else:
        # analytic in rho inside the admissible interval: Chebyshev nodes, converges geometrically
        low, high = values[0], values[-1]
        x = np.cos(np.pi * (np.arange(_NODES) + 0.5) / _NODES)
        nodes = np.stack(
            [_impact_map(rings, W, (low + high) / 2 + (high - low) / 2 * t, kind) for t in x]
        )
        fitted = np.polynomial.chebyshev.chebfit(x, nodes.reshape(_NODES, -1), _NODES - 1)
        at = (2 * rho - low - high) / (high - low)
        basis = np.polynomial.chebyshev.chebvander(at, _NODES - 1)
        maps = np.asarray((basis @ fitted).reshape(len(rho), *nodes.shape[1:]), np.float64)
    spread = maps[:, :, 0] * tau[:, None] + np.einsum("srk,sk->sr", maps[:, :, 1:], theta)
    return spread[:, 0], spread[:, 1:]


def _impact_map(rings: Rings, W: FloatArray, rho: float, kind: Exposure) -> FloatArray:
    """Mean impact at home and in each ring per unit of tau and of each theta, (1 + R, 1 + R)."""
    N = len(W)
    S = np.linalg.inv(np.eye(N) - rho * W)
    group = np.where(rings.index < 0, rings.R + 1, rings.index + 1)
    np.fill_diagonal(group, 0)
    group = group.ravel()
    count = np.bincount(group, minlength=rings.R + 2)[: rings.R + 1]
    columns = []
    for block in (np.eye(N), *rings.membership(kind)):
        sums = np.bincount(group, weights=(S @ block).ravel(), minlength=rings.R + 2)
        columns.append(sums[: rings.R + 1] / np.where(count > 0, count, np.nan))
    return np.column_stack(columns)
