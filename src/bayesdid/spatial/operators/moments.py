"""Cross-products of a spatial panel, by stratum and as a polynomial in the spatial coefficient.

Everything a Gaussian spatial model with spatial coefficient rho needs of the data is
``G(rho) = (A - rho B)'(A - rho B)``, with ``A = [Z, y]`` and ``B = [0, W y]`` (a lag of y) or
``B = [W Z, W y]`` (a lag of the error): a polynomial of degree two whose coefficients are found
once. A balanced panel falls into orthogonal strata (within, between units, between periods);
fixed effects drop a stratum, random effects weight it.

Flat effects are flat on the *levels* that they cause, ``(I - rho W)^-1 a``: their integral then is
the likelihood of the data transformed by Lee & Yu (2010, doi:10.1016/j.jeconom.2009.08.001),
with ``|I - rho W|`` to the power T - 1 and, for period effects and equal row sums r,
``(1 - rho r)`` to the power -(T - 1), and residual degrees of freedom (N - 1)(T - 1).

Under unequal row sums no transformation removes period effects from a model with a lag of y, and
their estimation pulls rho down by ``(T - 1) Var(rho) mean row sum of W (I - rho W)^-1``. Each has
then the prior ``exp(-mean row sum of log(I - rho W))``, whose slope in rho takes this away; it is
``1 / (1 - rho r)``, flatness on levels, where rows do sum to one r.

Rows with weights have one stratum: :mod:`bayesdid.spatial.operators.weighted`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.exceptions import InputError
from bayesdid.spatial.design import LAG_OF_ERROR, LAG_OF_Y, SpatialDesign, Transform, unstack
from bayesdid.spatial.operators.spectrum import row_sum_spectrum
from bayesdid.spatial.operators.weighted import UnitSums, log_constant, log_gram, projected, spanned


@dataclass(frozen=True, slots=True)
class Moments:
    """Cross-products and exponents of one spatial design.

    Attributes
    ----------
    parts
        ``A'A``, ``A'B + B'A``, ``B'B`` of each stratum, shape (strata, 3, M, M); outcome last.
    degrees
        Degrees of freedom of each stratum, shape (strata,).
    cells
        Rows behind one mean of each stratum: T for units, N for periods, 0 for strata that no
        random effect enters, shape (strata,).
    flat
        Columns of A that are period dummies or the intercept, with a flat prior.
    names
        Of the other regressors.
    power, row_power
        Exponents of ``|I - rho W|`` and of ``1 / (1 - rho r)`` or what stands for it.
    row_spectrum
        Points e and shares w, shapes (n,), with ``mean row sum of f(W) = sum w f(e)``.
    lag_of_y
        Whether only y is filtered, so that regressors' cross-products do not depend on rho.
    constant
        What weights of the rows add to the log density.
    units
        Of random unit effects beside weights, which are no stratum.
    """

    parts: FloatArray
    degrees: FloatArray
    cells: FloatArray
    flat: int
    names: tuple[str, ...]
    power: float
    row_power: float
    row_spectrum: tuple[np.ndarray, np.ndarray]
    lag_of_y: bool
    constant: float = 0.0
    units: UnitSums | None = None

    @property
    def nu(self) -> float:
        """Degrees of freedom before any coefficient."""
        return float(self.degrees.sum())

    @property
    def random(self) -> int:
        """Number of random effects."""
        return int((self.cells > 0).sum()) + (self.units is not None)

    def gram(self, rho: FloatArray, ratio: FloatArray) -> FloatArray:
        """``G(rho)`` given ratios of random effects, shapes (G,), (G, random) to (G, M, M)."""
        powers = np.stack([np.ones_like(rho), -rho, rho**2], axis=-1)
        shares = self._shares(ratio)
        G = np.einsum("gs,gp,spij->gij", shares, powers, self.parts, optimize=True)
        return G if self.units is None else G - self.units.shared(rho, ratio[:, 0])

    def log_ratios(self, ratio: FloatArray) -> FloatArray:
        """Log density that random effects of these ratios take from the rows, shape (G,)."""
        value = 0.5 * (np.log(self._shares(ratio)) * self.degrees).sum(axis=1)
        if self.units is not None:
            value = value - 0.5 * np.log1p(ratio[:, :1] ** 2 * self.units.w).sum(axis=1)
        return np.asarray(value)

    def _shares(self, ratio: FloatArray) -> FloatArray:
        """Precision of each stratum, shape (G, strata)."""
        share = np.ones((len(ratio), len(self.cells)))
        for column, k in zip(ratio.T, np.flatnonzero(self.cells > 0), strict=False):
            share[:, k] = 1 / (1 + self.cells[k] * column**2)
        return share

    def log_factor(self, rho: FloatArray, log_determinant: FloatArray) -> FloatArray:
        """Log of the Jacobian's part of the likelihood, shape (G,)."""
        exponents = (self.power, self.row_power, self.row_spectrum)
        return log_factor(rho, log_determinant, exponents)


def log_factor(
    rho: FloatArray,
    log_determinant: FloatArray,
    of: tuple[float, float, tuple[np.ndarray, np.ndarray]],
) -> FloatArray:
    """Log of the Jacobian's part of the likelihood, shape (G,), from what `exponents` gives."""
    power, row_power, (points, shares) = of
    value = power * log_determinant
    if row_power:
        with np.errstate(invalid="ignore", divide="ignore"):
            log = np.log((1 - rho[:, None] * points).astype(complex))
        value = value - row_power * (log @ shares).real
    return np.asarray(value)


def moments(design: SpatialDesign, transform: Transform = "lee_yu") -> Moments:
    """Cross-products of a design under its own unit and period effects.

    Parameters
    ----------
    transform
        ``lee_yu``, or ``direct``: demeaned data with ``|I - rho W|^T`` and as many degrees of
        freedom as rows, as in most programs that published tables come from (Elhorst 2003,
        doi:10.1177/0160017603253791). Its sigma and, with period effects, its rho are biased; it
        is here for comparison.

    Raises
    ------
    InputError
        For Mundlak effects, random period effects in an error model whose rows do not sum to one
        number or beside weights, or random unit effects beside weights under ``direct``.
    """
    unit, period = design.base.unit_effects, design.base.period_effects
    if "mundlak" in (unit, period):
        raise InputError(
            f"{design.base.spec_id}: Mundlak effects and spatial lags",
            remedy="use fixed or random effects",
        )
    weighted = design.base.weights is not None
    if weighted and period == "random":
        raise InputError(
            f"{design.base.spec_id}: random period effects beside weights of rows, with which "
            "units and periods are no strata",
            remedy="use fixed effects of periods, or sample the compiled model (engine nuts)",
        )
    if weighted and unit == "random" and transform == "direct":
        raise InputError(
            f"{design.base.spec_id}: the direct transform takes no random effects beside weights",
            remedy="use fixed effects of units, or lee_yu",
        )
    N, T, W = design.N, design.T, design.weights.matrix
    filtered, lagged = design.kind in LAG_OF_ERROR, design.kind in LAG_OF_Y
    Z = design.Z
    if weighted:  # as in the model as written, where flat columns are drawn too
        Z = Z - Z.mean(axis=(1, 2), keepdims=True)
    A = np.concatenate([Z, design.Y[None]])
    by_unit = _by_unit(design)
    flat = 0
    if by_unit:
        if period == "random":
            raise InputError(
                f"{design.base.spec_id}: random period effects in an error model whose weights' "
                "rows do not sum to one number",
                remedy="normalise by rows, or take fixed period effects",
            )
        A, flat = _with_dummies(A, N, T, each=period == "fixed", fixed_unit=unit == "fixed")
    B = np.zeros_like(A)
    if filtered:
        B = np.stack([W @ layer for layer in A])
    elif lagged:
        B[-1] = W @ design.Y
    power, row_power, spectrum = exponents(design, transform)
    if weighted:
        own = _weighted(design, A, B, flat, transform)
    else:
        own = _strata(design, A, B, flat, transform)
    return Moments(
        own.parts,
        own.degrees,
        own.cells,
        own.flat,
        design.names,
        power,
        row_power,
        spectrum,
        not filtered,
        own.constant,
        own.units,
    )


@dataclass(frozen=True, slots=True)
class _Products:
    """Fields of :class:`Moments` that the rows give."""

    parts: FloatArray
    degrees: FloatArray
    cells: FloatArray
    flat: int
    constant: float = 0.0
    units: UnitSums | None = None


def _strata(
    design: SpatialDesign, A: FloatArray, B: FloatArray, flat: int, transform: Transform
) -> _Products:
    """Of rows that are alike: strata are orthogonal."""
    N, T, by_unit = design.N, design.T, _by_unit(design)
    unit, period = design.base.unit_effects, design.base.period_effects
    strata = [("within", float(N * (T - 1)) if by_unit else float((N - 1) * (T - 1)), 0.0)]
    if unit != "fixed":
        strata.append(("unit", float(N if by_unit else N - 1), T if unit == "random" else 0.0))
    if period != "fixed" and not by_unit:
        strata.append(("period", float(T - 1), N if period == "random" else 0.0))
    if transform == "direct":  # effects are treated as if they were known
        name, _, cells = strata[0]
        strata[0] = (name, N * T - sum(degrees for _, degrees, _ in strata[1:]), cells)
    return _Products(
        np.stack([_products(A, B, name, by_unit) for name, _, _ in strata]),
        np.array([d for _, d, _ in strata]),
        np.array([c for _, _, c in strata]),
        flat,
    )


def _weighted(
    design: SpatialDesign, A: FloatArray, B: FloatArray, flat: int, transform: Transform
) -> _Products:
    """Of rows with weights: one stratum, in their metric."""
    base, by_unit = design.base, _by_unit(design)
    assert base.weights is not None  # the caller has seen to it
    w = unstack(base, base.weights)
    unit, period = base.unit_effects == "fixed", base.period_effects == "fixed"
    constant, units, rows = 0.5 * float(np.log(w).sum()), None, w.size
    if unit or (base.unit_effects == "none" and not by_unit):
        inside = period and not by_unit
        both = projected(base, np.concatenate([A, B]), unit=unit, period=inside)
        a, b = both[: len(A)], both[len(A) :]
        constant = log_constant(w, unit=unit, period=inside)
        if transform == "lee_yu":
            rows -= spanned(w, unit=unit, period=inside)
    else:  # flat columns are written out: the intercept or each period
        if not by_unit:
            A, flat = _with_dummies(A, *w.shape, each=period, fixed_unit=False)
            B = np.concatenate([np.zeros((flat, *w.shape)), B])
            constant += 0.5 * log_gram(np.ones_like(w), unit=False, period=period)
        a, b = ((np.sqrt(w) * layers).reshape(len(layers), -1) for layers in (A, B))
        if base.unit_effects == "random":
            sums = [(w * layers).sum(axis=2).T for layers in (A, B)]
            units = UnitSums(sums[0], sums[1], w.sum(axis=1))
    zero = np.zeros(1)
    return _Products(_cross(a, b)[None], zero + rows, zero, flat, constant, units)


def exponents(
    design: SpatialDesign, transform: Transform = "lee_yu"
) -> tuple[float, float, tuple[np.ndarray, np.ndarray]]:
    """:attr:`Moments.power`, :attr:`Moments.row_power` and :attr:`Moments.row_spectrum`.

    With weights the mean over row sums is that of units by their weight over all periods, which is
    what period effects pull rho by where a unit's weight stays the same.
    """
    base, T = design.base, design.T
    filtered, lagged = design.kind in LAG_OF_ERROR, design.kind in LAG_OF_Y
    levels = T - 1.0 if base.unit_effects == "fixed" and transform == "lee_yu" else float(T)
    power = levels if filtered or lagged else 0.0
    row_power = 0.0
    if power and transform == "lee_yu" and not _by_unit(design):
        if base.period_effects == "fixed":
            row_power = levels
        elif filtered and base.unit_effects != "fixed":
            row_power = 1.0  # of the intercept
    if not row_power:
        return power, row_power, (np.zeros(1), np.zeros(1))
    share = None if base.weights is None else unstack(base, base.weights).sum(axis=1)
    return power, row_power, row_sum_spectrum(design.weights, share)


def _by_unit(design: SpatialDesign) -> bool:
    """Whether periods are dummies in the filter: nothing else commutes with W."""
    return design.kind in LAG_OF_ERROR and design.weights.constant_row_sum is None


def _with_dummies(
    A: FloatArray, N: int, T: int, *, each: bool, fixed_unit: bool
) -> tuple[FloatArray, int]:
    """Period dummies (or the intercept) before everything else, and how many."""
    columns = []
    if each:
        for t in range(1 if fixed_unit else 0, T):  # with unit effects one period is the base
            columns.append(np.zeros((N, T)))
            columns[-1][:, t] = 1.0
    elif not fixed_unit:
        columns.append(np.ones((N, T)))
    return (np.concatenate([np.stack(columns), A]), len(columns)) if columns else (A, 0)


def _products(A: FloatArray, B: FloatArray, stratum: str, by_unit: bool) -> FloatArray:
    a, b = (_part(M, stratum, by_unit).reshape(len(M), -1) for M in (A, B))
    return _cross(a, b)


def _cross(a: FloatArray, b: FloatArray) -> FloatArray:
    cross = a @ b.T
    return np.stack([a @ a.T, cross + cross.T, b @ b.T])


def _part(M: FloatArray, stratum: str, by_unit: bool) -> FloatArray:
    """One stratum of arrays of shape (M, N, T), as large as they are."""
    units = M.mean(axis=2, keepdims=True)
    if by_unit:
        return np.asarray(M - units if stratum == "within" else np.broadcast_to(units, M.shape))
    periods, mean = M.mean(axis=1, keepdims=True), M.mean(axis=(1, 2), keepdims=True)
    if stratum == "within":
        return np.asarray(M - units - periods + mean)
    part = units if stratum == "unit" else periods
    return np.asarray(np.broadcast_to(part - mean, M.shape))
