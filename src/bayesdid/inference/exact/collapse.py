r"""The Gaussian two-way likelihood with intercept and effects integrated out.

With ``y = alpha + R b + u[unit] + g[period] + e``, intercept and fixed effects flat, and errors
``e ~ N(0, sigma^2 R(phi))`` that are independent or AR(1) within units, the likelihood of the
coefficients and scales depends on the data only through one small matrix,

    A = [R y]' (V - V F M^-1 F' V) [R y],   V = R(phi)^-1,  M = F'VF + prior precision * sigma^2,

where F holds the dummies and ``rho = (sigma_effect / sigma)^2``:

    log p(y | b, ...) = - nu/2 log(2 pi sigma^2) - 1/2 logdet - q / (2 sigma^2),
    q = [-b, 1] A [-b, 1]',      nu = n - number of flat columns.

Units are eliminated one by one, periods and intercept as a block (Henderson's mixed-model
equations). The inverse of an AR(1) correlation matrix is tridiagonal (Rue & Held 2005,
doi:10.1201/9780203492024, ch. 1), so that with ``c = phi^gap``

    x' V z = sum x z + sum_gap [c^2 / (1 - c^2)] D_gap - [c / (1 - c^2)] X_gap,

D over the two rows at either side of each such gap, X over their products: fixed matrices with
weights that depend on phi alone. A unit's row sums ``s = V u`` are weighted sums of fixed vectors
in the same way. Units whose rows have the same gaps share ``d = u'Vu``, and the products of their
sums add up before phi is known, so that the cost of a node does not depend on the number of
units. Where gaps or weights are too various for that, units are summed anew at each node.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.inference.exact.rows import Rows
from bayesdid.inference.exact.unit_blocks import UnitBlocks, applied, unit_blocks_of
from bayesdid.inference.numerics.linear import cholesky

_CELLS = 4_000_000  # numbers in one array: how many nodes are treated at once
_PRODUCTS = 8_000_000  # numbers in the fixed products of units' sums, beyond which there are none
_DEPENDENT = 1e-10  # share of a period dummy's own size below which it adds nothing


@dataclass(frozen=True, slots=True)
class Products:
    """Sums over classes of units of products of two of their fixed vectors.

    Attributes
    ----------
    size
        Units of each class, shape (C,).
    d
        ``u'u`` and its parts by basis function, shape (C, basis).
    of, left, right
        Class and the two basis functions of each product, shape (Q,).
    Q
        The products, symmetric, shape (Q, P, P).
    of_unit
        Class of each unit, shape (N,).
    is_scaled
        Whether units' d never changes: they are one class, whose products are divided by d.
    constant
        Part of logdet that no parameter changes.
    """

    size: FloatArray
    d: FloatArray
    of: IntArray
    left: IntArray
    right: IntArray
    Q: FloatArray
    of_unit: IntArray
    is_scaled: bool
    constant: float


@dataclass(frozen=True, slots=True)
class Equations:
    """Mixed-model equations as weighted sums over fixed cross-products.

    Columns are period dummies, intercept and fixed further effects (m of them, those that are
    kept), then regressors and outcome: P in all.

    Attributes
    ----------
    rows
        The rows themselves.
    swapped
        Whether units and periods changed their roles.
    columns
        Kept positions among (T dummies, intercept, values), shape (P,).
    penalised
        1 for the columns with a random-effect prior, shape (m,).
    gaps, counts
        Distinct gaps of AR(1) errors and how many rows follow at each, shape (L,); empty for
        independent errors.
    M
        Cross-products, shape (1 + 2 L, P, P).
    products
        Of units' sums; None without unit effects, or where they are too various.
    slopes
        Sums of units that have slopes of their own, else None.
    """

    rows: Rows
    swapped: bool
    columns: IntArray
    penalised: FloatArray
    gaps: IntArray
    counts: FloatArray
    M: FloatArray
    products: Products | None
    slopes: UnitBlocks | None = None

    @property
    def m(self) -> int:
        """Number of period dummies, intercept and columns of fixed further effects."""
        return len(self.penalised)

    @property
    def nu(self) -> int:
        """Degrees of freedom left after intercept and fixed effects."""
        flat = self.rows.N * (self.rows.unit_kind == "fixed") + int((self.penalised == 0).sum())
        flat += 0 if self.slopes is None else self.slopes.live
        return self.rows.n - flat

    @property
    def kinds(self) -> tuple[bool, bool]:
        """Which effects are random: (unit, period), in the design's own roles."""
        found = (self.rows.unit_kind == "random", self.rows.period_kind == "random")
        return found[::-1] if self.swapped else found

    @property
    def is_constant(self) -> bool:
        """Whether A is one fixed matrix."""
        return not len(self.gaps) and not any(self.kinds)

    @property
    def is_summed(self) -> bool:
        """Whether the cost of a node does not depend on the number of units."""
        return self.rows.unit_kind == "none" or self.products is not None

    def basis(self, phi: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Weights of the fixed matrices, (G, 1 + 2 L), and of the fixed vectors, (G, basis)."""
        c = np.sign(phi)[:, None] ** self.gaps * np.abs(phi)[:, None] ** self.gaps
        one = np.ones((len(phi), 1))
        matrices = np.hstack([one, c**2 / self._left(phi), -c / self._left(phi)])
        return matrices, (np.hstack([one, -c / (1 + c)]) if self.rows.root is None else matrices)

    def _left(self, phi: FloatArray) -> FloatArray:
        """``1 - phi^(2 gap)``, shape (G, L), without cancellation near one."""
        return -np.expm1(2 * self.gaps * np.log(np.maximum(np.abs(phi), 1e-300))[:, None])

    def log_determinant(self, phi: FloatArray) -> FloatArray:
        """``logdet R(phi)``, shape (G,)."""
        return np.asarray(np.log(self._left(phi)) @ self.counts)

    def ratios(self, rho_unit: FloatArray, rho_period: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Variance ratios of the factor that is eliminated first, and of the other."""
        return (rho_period, rho_unit) if self.swapped else (rho_unit, rho_period)

    def gram(
        self, phi: FloatArray, rho_unit: FloatArray, rho_period: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """A, shape (G, K + 1, K + 1), and logdet, shape (G,), at G nodes."""
        rho_first, rho_second = self.ratios(rho_unit, rho_period)
        step = max(1, _CELLS // len(self.columns) ** 2)
        parts = []
        for i in range(0, len(phi), step):
            at = slice(i, i + step)
            G, logdet = self.normal(phi[at], rho_first[at])
            A, half = self._eliminate(G, rho_second[at])
            parts.append((A, logdet + half))
        return np.concatenate([a for a, _ in parts]), np.concatenate([d for _, d in parts])

    def normal(self, phi: FloatArray, rho: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The equations with units eliminated, (G, P, P), and their part of logdet, (G,)."""
        matrices, vectors = self.basis(phi)
        G = np.tensordot(matrices, self.M, axes=1)
        logdet = self.log_determinant(phi)
        kind, found = self.rows.unit_kind, self.products
        if kind == "none":
            return G, logdet
        if kind == "random":
            logdet = logdet + self.rows.N * np.log(rho)
        inverse = 1.0 / rho if kind == "random" else np.zeros_like(rho)
        if self.slopes is not None:
            return self._by_block(matrices, G, logdet)
        if found is None:
            return self._by_unit(phi, inverse, G, logdet)
        d = vectors @ found.d.T + inverse[:, None]
        weight = vectors[:, found.left] * vectors[:, found.right] / d[:, found.of]
        G -= np.tensordot(weight, found.Q, axes=1)
        return G, logdet + np.log(d) @ found.size + found.constant

    def _by_unit(
        self, phi: FloatArray, inverse: FloatArray, G: FloatArray, logdet: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Eliminate the units one by one, all nodes of one phi together."""
        logdet = logdet.copy()
        for value in np.unique(phi):
            at = np.flatnonzero(phi == value)
            for B, d in self.unit_blocks(float(value)):
                for g in at:
                    total = d + inverse[g]
                    scaled = B / np.sqrt(total)[:, None]
                    G[g] -= scaled.T @ scaled
                    logdet[g] += np.log(total).sum()
        return G, logdet

    def _by_block(
        self, matrices: FloatArray, G: FloatArray, logdet: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Eliminate each unit's level and slopes together, at weights of the fixed matrices."""
        assert self.slopes is not None
        logdet = logdet.copy()
        for g, weight in enumerate(matrices):
            L, B = self.slopes.at(weight)
            scaled = np.linalg.solve(L, B).reshape(-1, G.shape[1])
            G[g] -= scaled.T @ scaled
            logdet[g] += 2 * np.log(np.diagonal(L, axis1=1, axis2=2)).sum()
        return G, logdet

    def unit_blocks(self, phi: float) -> list[tuple[FloatArray, FloatArray]]:
        """Units' sums ``[F W]'V u``, (units, P), and ``u'Vu``, (units,), block by block."""
        row_sums = self._row_sums(phi)
        found = []
        for units, rows in self.rows.blocks(len(self.columns)):
            s = row_sums[rows]
            first = self.rows.start[units] - rows.start
            root = s if self.rows.root is None else s * self.rows.root[rows]
            B = self.rows.unit_sums(units, rows, s)[:, self.columns]
            found.append((B, np.add.reduceat(root, first)))
        return found

    def _row_sums(self, phi: float) -> FloatArray:
        """``V u`` in every row, shape (n,)."""
        u = np.ones(self.rows.n) if self.rows.root is None else self.rows.root
        if not len(self.gaps):
            return u
        at = np.flatnonzero(self.rows.gap)
        c = float(np.sign(phi)) ** self.rows.gap[at] * abs(phi) ** self.rows.gap[at]
        left = -np.expm1(2 * self.rows.gap[at] * np.log(max(abs(phi), 1e-300)))
        s = u.copy()
        s[at] += (c**2 * u[at] - c * u[at - 1]) / left
        s[at - 1] += (c**2 * u[at - 1] - c * u[at]) / left
        return s

    def penalty(self, rho: FloatArray) -> FloatArray:
        """Prior precision of periods and intercept in units of 1/sigma^2, shape (G, m)."""
        if self.rows.period_kind != "random":
            return np.zeros((len(rho), self.m))
        return np.asarray(self.penalised / rho[:, None])

    def _eliminate(self, G: FloatArray, rho: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Eliminate periods and intercept by one factorisation of everything.

        Regressors may be linearly dependent, so that A is made positive definite by a diagonal
        that is taken off again.
        """
        m = self.m
        if not m:
            return G, np.zeros(len(G))
        diagonal = np.arange(G.shape[1])
        lift = np.zeros(G.shape[1])
        lift[m:] = 0.1 * np.maximum(np.diagonal(self.M[0])[m:], 1e-300)
        G = G.copy()
        G[:, diagonal, diagonal] += lift
        G[:, diagonal[:m], diagonal[:m]] += self.penalty(rho)
        L = cholesky(G)
        logdet = 2 * np.log(np.diagonal(L, axis1=1, axis2=2)[:, :m]).sum(axis=1)
        if self.rows.period_kind == "random":
            logdet = logdet + self.penalised.sum() * np.log(rho)
        A = L[:, m:, m:] @ np.swapaxes(L[:, m:, m:], 1, 2)
        A[:, diagonal[: -m or None], diagonal[: -m or None]] -= lift[m:]
        return A, logdet

    def reference(
        self, phi: FloatArray, rho_unit: FloatArray, rho_period: FloatArray
    ) -> FloatArray:
        """The steep part of logdet, in closed form, shape (G,): what is left is smooth."""
        first, second = self.ratios(rho_unit, rho_period)
        value = self.log_determinant(phi)
        flat = bool(self.m) and bool((self.penalised == 0).any())
        if self.rows.unit_kind == "random":
            steep = np.log1p(self.rows.n / self.rows.N * first)
            value = value + (self.rows.N - flat) * steep
        if self.rows.period_kind == "random":
            steep = np.log1p(self.rows.n / self.rows.T * second)
            value = value + (self.rows.T - (flat and self.rows.unit_kind == "none")) * steep
        return value


def equations(rows: Rows, *, swapped: bool = False) -> Equations:
    """The mixed-model equations of sorted rows, in blocks; one pass over the data."""
    T, width, F = rows.T, rows.values.shape[1], rows.further
    both = rows.unit_kind == rows.period_kind == "fixed"
    keep = np.zeros(T + 1 + width, dtype=bool)
    keep[T + 1 :] = True
    if rows.period_kind != "none":
        keep[int(both) : T] = True
    keep[T] = "fixed" not in {rows.unit_kind, rows.period_kind}
    gaps, counts = np.unique(rows.gap[rows.gap > 0], return_counts=True)
    M = _cross_products(rows, gaps)
    columns = np.flatnonzero(keep)
    products = slopes = None
    if rows.q:
        slopes = unit_blocks_of(rows, gaps, columns)
    elif rows.unit_kind != "none":
        products = _products(rows, gaps, columns)
    penalised = np.zeros(int(keep[: T + 1 + F].sum()))
    if rows.period_kind == "random":
        penalised[:T] = 1.0
    found = Equations(
        rows,
        swapped,
        columns,
        penalised,
        gaps,
        counts.astype(float),
        M[:, columns[:, None], columns],
        products,
        slopes,
    )
    return _independent(found) if both or F or rows.q else found


def _cross_products(rows: Rows, gaps: IntArray) -> FloatArray:
    """``X'X`` and for each gap D and X of the module's formula, shape (1 + 2 L, P, P)."""
    L, width = len(gaps), rows.T + 1 + rows.values.shape[1]
    M = np.zeros((1 + 2 * L, width, width))
    for _, at in rows.blocks(rows.values.shape[1] * 4):
        M[0] += rows.products(at, at)
        for k, gap in enumerate(gaps):
            later = np.flatnonzero(rows.gap[at] == gap) + at.start
            before = later - 1
            M[1 + k] += rows.products(later, later) + rows.products(before, before)
            M[1 + L + k] += rows.products(later, before, both=True)
    return M


def _basis_weights(rows: Rows, at: slice, gaps: IntArray) -> list[FloatArray]:
    """Row weights of the fixed vectors of a block of whole units, each of shape (rows,)."""
    u = np.ones(at.stop - at.start) if rows.root is None else rows.root[at]
    found = applied(u, rows.gap[at], gaps)
    return found[: 1 + len(gaps)] if rows.root is None else found


def unit_basis(
    rows: Rows, gaps: IntArray, columns: IntArray
) -> Iterator[tuple[slice, list[FloatArray], FloatArray]]:
    """Block by block the units, their fixed vectors, each (units, P), and d's, (units, basis)."""
    functions = 1 + len(gaps) * (1 if rows.root is None else 2)
    for units, at in rows.blocks((rows.T + rows.values.shape[1]) * functions):
        first = rows.start[units] - at.start
        inner = 1.0 if rows.root is None else rows.root[at]
        weights = _basis_weights(rows, at, gaps)
        d = np.column_stack([np.add.reduceat(weight * inner, first) for weight in weights])
        yield units, [rows.unit_sums(units, at, weight)[:, columns] for weight in weights], d


def _products(rows: Rows, gaps: IntArray, columns: IntArray) -> Products | None:
    """Sums of products by class of units; None where these would be too many."""
    width = len(columns)
    parts = []
    for units, at in rows.blocks(1 + len(gaps)):
        first = rows.start[units] - at.start
        inner = 1.0 if rows.root is None else rows.root[at]
        parts.append(
            np.column_stack(
                [
                    np.add.reduceat(weight * inner, first)
                    for weight in _basis_weights(rows, at, gaps)
                ]
            )
        )
    d = np.concatenate(parts)
    one = rows.unit_kind == "fixed" and not len(gaps)  # d never changes: divide by it at once
    if one:
        classes, of, size = np.ones((1, 1)), np.zeros(rows.N, dtype=np.int64), np.ones(1)
    else:
        classes, of, size = _classes(d)
    pairs = (
        [
            (c, k, j)
            for c in range(len(classes))
            for k in np.flatnonzero(classes[c])
            for j in np.flatnonzero(classes[c])
            if j <= k
        ]
        if len(classes) < 5000
        else None
    )
    if pairs is None or len(pairs) * width**2 > _PRODUCTS:
        return None
    where = {pair: position for position, pair in enumerate(pairs)}
    Q = np.zeros((len(pairs), width, width))
    for units, B, own in unit_basis(rows, gaps, columns):
        if one:
            B[0] /= np.sqrt(own)
        order = np.argsort(of[units], kind="stable")
        bounds = np.searchsorted(of[units][order], np.arange(len(classes) + 1))
        for c in np.unique(of[units]):
            chosen = order[bounds[c] : bounds[c + 1]] if len(classes) > 1 else slice(None)
            active = np.flatnonzero(classes[c])
            for k in active:
                for j in active[active <= k]:
                    product = B[k][chosen].T @ B[j][chosen]
                    Q[where[c, k, j]] += product if j == k else product + product.T
    constant = float(np.log(d[:, 0]).sum()) if one else 0.0
    index = np.array(pairs).reshape(-1, 3)
    return Products(size, classes, index[:, 0], index[:, 1], index[:, 2], Q, of, one, constant)


def _classes(d: FloatArray) -> tuple[FloatArray, IntArray, FloatArray]:
    """Distinct rows of `d`, the class of each row, and their sizes."""
    if (d == d[0]).all():
        return d[:1], np.zeros(len(d), dtype=np.int64), np.array([float(len(d))])
    classes, of, size = np.unique(d, axis=0, return_inverse=True, return_counts=True)
    return classes, of.ravel(), size.astype(float)


def _independent(found: Equations) -> Equations:
    """Leave out period dummies that the units and the dummies before them explain.

    A panel whose units and periods fall into unconnected parts has more of these than one.
    """
    G, _ = found.normal(np.zeros(1), np.ones(1))
    S, own = G[0][: found.m, : found.m].copy(), np.diagonal(found.M[0])
    S[np.diag_indices(found.m)] += found.penalised
    kept = np.ones(found.m, dtype=bool)
    for k in range(found.m):
        if S[k, k] <= _DEPENDENT * own[k]:
            kept[k] = False
            continue
        S -= np.outer(S[:, k], S[k]) / S[k, k]
    if kept.all():
        return found
    keep = np.concatenate([np.flatnonzero(kept), np.arange(found.m, len(found.columns))])
    products = found.products
    if products is not None:
        products = dataclasses.replace(products, Q=products.Q[:, keep[:, None], keep])
    return dataclasses.replace(
        found,
        columns=found.columns[keep],
        penalised=found.penalised[kept],
        M=found.M[:, keep[:, None], keep],
        products=products,
        slopes=None if found.slopes is None else found.slopes.take(keep),
    )
