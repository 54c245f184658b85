"""Draws from a density in one dimension that is tabulated at nodes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray


@dataclass(frozen=True, slots=True)
class Piecewise:
    """A density that is linear between nodes.

    Attributes
    ----------
    nodes, density
        Ascending, and the density there up to a factor, shape (n,).
    """

    nodes: FloatArray
    density: FloatArray

    @property
    def areas(self) -> FloatArray:
        """Trapezoids between the nodes, shape (n - 1,)."""
        return np.asarray(0.5 * (self.density[1:] + self.density[:-1]) * np.diff(self.nodes))

    @property
    def edge(self) -> float:
        """Share of the mass in the outermost two trapezoids."""
        areas = self.areas
        return float((areas[0] + areas[-1]) / areas.sum())

    @property
    def error(self) -> float:
        """Difference of the log integral to that over every second node."""
        coarse = Piecewise(self.nodes[::2], self.density[::2]).areas
        return float(abs(np.log(coarse.sum() / self.areas[: 2 * len(coarse)].sum())))

    def quantiles(self, u: FloatArray) -> FloatArray:
        """At `u`, uniform between 0 and 1; shape of `u`."""
        areas = self.areas
        reached = np.concatenate([[0.0], np.cumsum(areas)])
        aim = u * reached[-1]
        k = np.clip(np.searchsorted(reached, aim) - 1, 0, len(areas) - 1)
        width = self.nodes[k + 1] - self.nodes[k]
        low, slope = self.density[k], (self.density[k + 1] - self.density[k]) / width
        rest = aim - reached[k]
        # root of slope x^2 / 2 + low x = rest, in the form that survives slope = 0
        step = 2 * rest / (low + np.sqrt(np.maximum(low**2 + 2 * slope * rest, 1e-300)))
        return np.asarray(self.nodes[k] + np.clip(step, 0, width))
