"""A column as a function of independent standard normal numbers, which are what a member moves.

A column of N units and T periods is

    z = level a_i + noise exp(m_3 / 5) (s_i e_it + period q_t),   e = C w B', q = B p,
    x = soft(location + sd m_1 + scale exp(m_2 / 5) h(z) + sum_k path_k b_k + sum_d gain_d c_d v_d),

with h(z) = exp(skew z) for skewed columns (a straight line where that is large) and z for others,
C a square root of the correlation between units, B one of the covariance between periods, and v_d
other columns, less their units' means. All of w, a, p, m, b and c are independent standard normal
numbers before the printed ones are known; m, the column's mean and scales, starts at zero, where
the moments are the printed ones. A distance between two panels that is Euclidean in these
numbers is the one that the prior's covariance defines: cells of a unit whose shocks are small move
little, neighbouring periods move together, and an effect moves as an effect. `soft` bends what
would pass a bound into it, so that no bound has to be held.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.reconstruct.shape import Shape

_AIMS = 60
_MOMENTS = 3  # location, scale, share of shocks
_LOG = 0.2  # prior sd of the logarithm of a scale
_STEP = 2.0  # largest factor by which one aim changes the scale
_SOFT = 0.05  # of the standard deviation: how near a bound a value must be to be bent


@dataclass(frozen=True, slots=True)
class Latent:
    """One sought column.

    Attributes
    ----------
    level, noise, period
        Weights of the unit's level, of shocks, and of a period's shock beside the units' own.
    scales
        Of the units' shocks, shape (N,).
    space
        Square root of the correlation between units, shape (N, N); None: there is none.
    time
        Square root of the covariance between periods, shape (T, T).
    paths
        What a standard normal number adds to each cell, in the column's unit, shape (K, N T).
    drivers, gains
        Other sought columns that it may depend on, and what a standard normal number adds to it
        for each unit of them, shape (D,).
    skew
        Log scale of a skewed column; 0 for others.
    location, scale, sd, low, high, soft
        Of its values, see above; infinite bounds where there are none.
    pinned, values
        Rows that hold a printed extreme, and what they hold.
    """

    level: float
    noise: float
    period: float
    scales: FloatArray
    space: FloatArray | None
    time: FloatArray
    paths: FloatArray
    drivers: tuple[str, ...]
    gains: FloatArray
    skew: float
    location: float
    scale: float
    sd: float
    low: float
    high: float
    soft: float
    pinned: IntArray
    values: FloatArray

    @property
    def cells(self) -> tuple[int, int]:
        """Units and periods."""
        return len(self.scales), len(self.time)

    @property
    def size(self) -> int:
        """How many numbers it is a function of."""
        N, T = self.cells
        return N * T + N + T + _MOMENTS + len(self.paths) + len(self.drivers)

    @property
    def moments(self) -> slice:
        """Where its mean, scale and share of shocks stand among its numbers."""
        N, T = self.cells
        return slice(N * T + N + T, N * T + N + T + _MOMENTS)

    def drawn(self, rng: np.random.Generator) -> FloatArray:
        """Standard normal numbers, and zero for the three that moments are."""
        white = rng.standard_normal(self.size)
        white[self.moments] = 0.0
        return white

    def parts(self, white: FloatArray) -> tuple[FloatArray, ...]:
        """Shocks (N, T), levels (N,), periods (T,), moments (3,), effects (K,), gains (D,)."""
        N, T = self.cells
        ends = np.cumsum([N * T, N, T, _MOMENTS, len(self.paths)])
        shocks, *others = np.split(white, ends)
        return shocks.reshape(N, T), *others

    def noises(self, white: FloatArray) -> FloatArray:
        """Shocks of units and periods, correlated and scaled, shape (N, T)."""
        shocks, _, periods, *_ = self.parts(white)
        if self.space is not None:
            shocks = self.space @ shocks
        return self.scales[:, None] * (shocks @ self.time.T) + self.period * (self.time @ periods)

    def added(self, white: FloatArray, columns: Mapping[str, FloatArray]) -> FloatArray:
        """What policies and other columns add, shape (N T,)."""
        *_, effects, coefficients = self.parts(white)
        found = effects @ self.paths
        for name, by in zip(self.drivers, self.gains * coefficients, strict=True):
            found = found + by * self.deviations(columns[name])
        return np.asarray(found)

    def deviations(self, values: FloatArray) -> FloatArray:
        """Rows of shape (..., N T), less the means of units."""
        cells = values.reshape(-1, *self.cells)
        left = cells - cells.mean(axis=2, keepdims=True)
        return np.asarray(left.reshape(values.shape))

    def _inner(
        self, white: FloatArray, columns: Mapping[str, FloatArray]
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """The column before it is bent, its slope in z, and its slopes in the moments (3, N T)."""
        _, levels, _, moments, *_ = self.parts(white)
        noise = (self.noise * np.exp(_LOG * moments[2]) * self.noises(white)).ravel()
        z = np.repeat(self.level * levels, self.cells[1]) + noise
        scale = self.scale * np.exp(_LOG * moments[1])
        h, by_h = curved(z, self.skew)
        slope = scale * by_h
        by_moments = np.array([np.full(len(z), self.sd), _LOG * scale * h, _LOG * noise * slope])
        u = self.location + self.sd * moments[0] + scale * h + self.added(white, columns)
        return u, slope, by_moments

    def value(self, white: FloatArray, columns: Mapping[str, FloatArray]) -> FloatArray:
        """The column, shape (N T,), from its numbers and its drivers."""
        x = self.bent(self._inner(white, columns)[0])[0]
        x[self.pinned] = self.values
        return x

    def bent(self, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Values within the bounds, and their slopes."""
        x, slope = u, np.ones_like(u)
        if np.isfinite(self.low):
            above, slope = _softplus((x - self.low) / self.soft)
            x = self.low + self.soft * above
        if np.isfinite(self.high):
            below, more = _softplus((self.high - x) / self.soft)
            x, slope = self.high - self.soft * below, slope * more
        return x, slope

    def pulled(
        self, rows: FloatArray, white: FloatArray, columns: Mapping[str, FloatArray]
    ) -> tuple[FloatArray, dict[str, FloatArray]]:
        """Slopes in the standard normal numbers, (r, size), from slopes in the cells, (r, N T).

        And what these add to the slopes in the cells of each driver, (r, N T).
        """
        N, T = self.cells
        u, by_z, by_moments = self._inner(white, columns)
        by_u = self.bent(u)[1]
        by_u[self.pinned] = 0.0
        straight = rows * by_u
        G = (straight * by_z).reshape(-1, N, T)
        _, _, _, moments, _, coefficients = self.parts(white)
        noise = self.noise * np.exp(_LOG * moments[2])
        shocks = noise * self.scales[:, None] * G
        if self.space is not None:
            shocks = self.space.T @ shocks
        driven = np.array([self.deviations(columns[name]) for name in self.drivers])
        own = np.concatenate(
            [
                (shocks @ self.time).reshape(len(rows), N * T),
                self.level * G.sum(axis=2),
                noise * self.period * (G.sum(axis=1) @ self.time),
                straight @ by_moments.T,
                straight @ self.paths.T,
                straight @ (self.gains[:, None] * driven.reshape(-1, N * T)).T,
            ],
            axis=1,
        )
        passed = self.deviations(straight) if self.drivers else straight
        by = zip(self.drivers, self.gains * coefficients, strict=True)
        return own, {name: gain * passed for name, gain in by}

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """Smallest and largest value of each cell, shape (N T,)."""
        N, T = self.cells
        low, high = np.full(N * T, self.low), np.full(N * T, self.high)
        low[self.pinned] = high[self.pinned] = self.values
        return low, high


def curved(z: FloatArray, skew: float) -> tuple[FloatArray, FloatArray]:
    """h(z), and its slope: an exponential that goes on as a straight line above a knee.

    The knee is at one, and further up for the columns that are more skewed than a log scale of
    one makes them, whose mean and variance come from values further up.
    """
    if not skew:
        return z, np.ones_like(z)
    v, knee = skew * z, max(1.0, 2.0 * skew**2 - 1.0)
    slope = np.exp(np.minimum(v, knee))
    return slope * (1.0 + np.maximum(v - knee, 0.0)), skew * slope


def _softplus(v: FloatArray) -> tuple[FloatArray, FloatArray]:
    """log(1 + exp v) and its slope."""
    small = np.exp(-np.abs(v))
    return np.maximum(v, 0.0) + np.log1p(small), np.where(v > 0, 1.0, small) / (1.0 + small)


def settled(
    latent: Latent, white: FloatArray, columns: Mapping[str, FloatArray], shape: Shape
) -> Latent:
    """The latent column whose values have the printed moments at `white`.

    Levels and shocks are mixed so that the two-way residual, of what no policy or other column
    adds, has the standard deviation ``shape.within``.
    """
    share = min(shape.within / shape.sd, 0.99)
    levels = latent.parts(white)[1]
    noises, added = latent.noises(white), latent.added(white, columns)
    location, scale = shape.mean, shape.sd
    centre, spread, least = 0.0, 1.0, shape.sd / _STEP
    for _ in range(_AIMS):
        z = np.sqrt(1 - share**2) * levels[:, None] + share * noises
        h = curved(z.ravel(), latent.skew)[0]
        centre, spread = float(h.mean()), float(h.std())
        h = (h - centre) / spread
        x = h
        for _ in range(_AIMS):
            x = latent.bent(location + scale * h + added)[0]
            off, ratio = shape.mean - float(x.mean()), shape.sd / max(float(x.std(ddof=1)), least)
            location, scale = location + off, scale * min(ratio, _STEP)
            if abs(off) < 1e-4 * shape.sd and abs(ratio - 1) < 1e-4:
                break
        cells = latent.bent(location + scale * h)[0].reshape(z.shape)
        left = cells - cells.mean(axis=1, keepdims=True) - cells.mean(axis=0) + cells.mean()
        found = float(left.std())
        if abs(found / shape.within - 1) < 1e-3:
            break
        share = float(np.clip(share * shape.within / found, 1e-4, 0.999))
    return dataclasses.replace(
        latent,
        level=float(np.sqrt(1 - share**2)),
        noise=share,
        location=location - scale * centre / spread,
        scale=scale / spread,
        sd=shape.sd,
    )


def pinned_at_extremes(
    latent: Latent, white: FloatArray, columns: Mapping[str, FloatArray], never_low: bool = False
) -> Latent:
    """The latent column whose smallest and largest cell hold the printed extremes.

    Parameters
    ----------
    never_low
        Whether the lowest value is a bound only.
    """
    x = latent.value(white, columns)
    ends = ((latent.low, x.argmin()), (latent.high, x.argmax()))
    at = [(int(row), bound) for bound, row in ends[never_low:] if np.isfinite(bound)]
    return dataclasses.replace(
        latent,
        pinned=np.array([row for row, _ in at], dtype=np.int64),
        values=np.array([bound for _, bound in at]),
    )


def width(shape: Shape) -> float:
    """Over what distance from a bound values are bent."""
    return _SOFT * shape.sd
