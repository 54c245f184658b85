r"""What fixed effects span: projections on all of them, how many there are, what they repeat.

Unit levels and unit slopes are orthogonalised within each unit, everything else (period, group x
period, group trends, any crossed factor) is a sparse matrix C of dummies and slopes, of which
dependent columns are left out. With M the projection that takes the units' own columns out,

    residual = M z - M C (C'M C)^-1 C'M z,

so that only C'M C, a few hundred columns wide, is ever dense. With weights everything is that of
the rows times the root of their weight.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_array, diags_array, hstack

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.design.design import Design
from bayesdid.design.within import absorb, group_sums
from bayesdid.exceptions import InputError, Note

_CELLS = 20_000_000  # numbers in one array of dummies
_LEFT = 1e-7  # of a dummy that the span leaves by rounding
DEPENDENT = 1e-9  # share of a column's square that those before it must leave
MOST = 3000
"""Dummies beside unit effects and unit slopes that a design may have."""


@dataclass(frozen=True, slots=True)
class Span:
    """Orthonormal columns of the units, and independent columns of everything else.

    Attributes
    ----------
    root
        Root of the rows' weights, shape (n,), or None.
    unit_index
        Shape (n,).
    Q
        Columns of the units, orthonormal within each, zero where they add nothing, shape (n, q).
    C
        Kept columns of everything else, shape (n, m), of norm one.
    kept
        Their positions among all columns in the order of :attr:`blocks`.
    blocks
        Name and number of columns of each block: ``1``, the period's dimension, further effects.
    gram
        ``C'M C`` of all columns, kept or not, shape (all, all).
    size
        Norms of all columns, shape (all,).
    """

    root: FloatArray | None
    unit_index: IntArray
    Q: FloatArray
    C: csr_array
    kept: IntArray
    blocks: tuple[tuple[str, int], ...]
    gram: FloatArray
    size: FloatArray
    factor: FloatArray = field(repr=False)
    N: int

    @property
    def rank(self) -> int:
        """Number of independent columns."""
        own = self.Q.shape[1] and group_sums(self.Q**2, self.unit_index, self.N)
        return int(np.sum(np.asarray(own) > 0.5)) + len(self.kept)

    def residual(self, Z: FloatArray) -> FloatArray:
        """What the span leaves of the columns of `Z`, (n, K), times the root of the weights."""
        rest = Z if self.root is None else Z * self.root[:, None]
        for _ in range(2):  # twice is enough (Giraud et al. 2005)
            rest = self.within_units(rest)
            if len(self.kept):
                b = cho_solve((self.factor, True), self.C.T @ rest)
                rest = rest - self.within_units(self.C @ b)
        return rest

    def within_units(self, Z: FloatArray) -> FloatArray:
        """``M Z``."""
        rest = Z
        for k in range(self.Q.shape[1]):
            q = self.Q[:, k : k + 1]
            rest = rest - q * group_sums(q * rest, self.unit_index, self.N)[self.unit_index]
        return rest


def fixed_span(
    design: Design, *, flat_only: bool = True, weights: FloatArray | None = None
) -> Span:
    """The span of a design's effects.

    Parameters
    ----------
    flat_only
        Fixed effects alone; otherwise all effects that there are, as if they were fixed.
    weights
        Of the rows, shape (n,).
    """
    n, N = design.n, len(design.units)
    root = None if weights is None else np.sqrt(weights)
    there = {"fixed"} if flat_only else {"fixed", "random", "mundlak"}
    further = [one for one in design.further if one.kind in there]
    has_unit, has_period = design.unit_effects in there, design.period_effects in there
    one = np.ones(n) if root is None else root
    own = [one] * has_unit + [one * f.times for f in further if f.is_unit_slope]
    Q = _within_unit_basis(own, design.unit_index, N)
    blocks: list[tuple[str, csr_array]] = []
    if not has_unit:
        blocks.append(("1", _dummies(np.zeros(n, dtype=np.int64), one, 1)))
    if has_period:
        T = len(design.periods)
        blocks.append((design.period_dim, _dummies(design.period_index, one, T)))
    blocks += [
        (f.name, _dummies(f.index, one * f.times, len(f.levels)))
        for f in further
        if not f.is_unit_slope
    ]
    sizes = tuple((name, block.shape[1]) for name, block in blocks)
    if (total := sum(width for _, width in sizes)) > MOST + len(design.periods):
        raise InputError(
            f"{design.spec_id}: too many levels of further effects",
            value=total,
            remedy=f"up to {MOST} beside units, their slopes and periods: merge levels, or make "
            "the factor with most levels the unit",
        )
    C = csr_array(hstack([block for _, block in blocks])) if blocks else csr_array((n, 0))
    size = np.sqrt(np.asarray((C * C).sum(axis=0)).ravel())
    C = csr_array(C @ diags_array(1 / np.maximum(size, 1e-300)))
    gram = (C.T @ C).toarray()
    for k in range(Q.shape[1]):
        member = csr_array((Q[:, k], (design.unit_index, np.arange(n))), (N, n))
        B = (member @ C).toarray()
        gram -= B.T @ B
    kept = independent(gram)
    chosen = gram[np.ix_(kept, kept)]
    factor = cho_factor(chosen, lower=True)[0] if len(kept) else chosen
    C = csr_array(C[:, kept])
    return Span(root, design.unit_index, Q, C, kept, sizes, gram, size, factor, N)


def within(
    design: Design, Z: FloatArray, *, flat_only: bool = True, weights: FloatArray | None = None
) -> FloatArray:
    """Residual of `Z`, (n, K), after all fixed effects; times the root of `weights`.

    Without further effects and weights by sums alone (:mod:`bayesdid.design.within`).
    """
    if not design.further and weights is None:
        absent = {"none", "random", "mundlak"} if flat_only else {"none"}
        return absorb(
            Z,
            design.unit_index,
            design.period_index,
            unit=design.unit_effects not in absent,
            period=design.period_effects not in absent,
        )
    return fixed_span(design, flat_only=flat_only, weights=weights).residual(Z)


def rank_of(design: Design) -> int:
    """Number of independent columns of intercept and effects, all taken as fixed."""
    if design.further:
        return fixed_span(design, flat_only=False).rank
    kinds = (design.unit_effects != "none", design.period_effects != "none")
    return 1 + kinds[0] * (len(design.units) - 1) + kinds[1] * (len(design.periods) - 1)


def nested_rank(design: Design) -> int:
    """How many of them a clustered covariance's correction does not count.

    Effects whose levels each lie in one cluster (fixest's ``fixef.K = "nonnested"``), of which the
    intercept is counted all the same. Slopes always count.
    """
    nested = tuple(
        one
        for one in design.further
        if one.slope is None and lie_in_one(one.index, design.cluster_index)
    )
    if not nested:
        return (design.unit_effects != "none") * (len(design.units) - 1)
    return rank_of(replace(design, further=nested, period_effects="none")) - 1


def lie_in_one(level: IntArray, cluster: IntArray) -> bool:
    """Whether the rows of each level are all of one cluster, shape (n,) each."""
    pairs = np.unique(np.stack([level, cluster]), axis=1)
    return pairs.shape[1] == len(np.unique(level))


def random_within_fixed(design: Design) -> str:
    """Name of random effects whose every level fixed further effects span, or empty.

    Nothing is left to learn their scale from.
    """
    if not any(one.kind == "fixed" for one in design.further):
        return ""
    there = [
        (design.unit_dim, design.unit_index, len(design.units), design.unit_effects),
        (design.period_dim, design.period_index, len(design.periods), design.period_effects),
    ]
    there += [(f.text, f.index, len(f.levels), f.kind) for f in design.further if f.slope is None]
    span = fixed_span(design)
    for name, index, size, kind in there:
        if kind == "random" and size * design.n <= _CELLS:
            D = (index[:, None] == np.arange(size)).astype(float)
            if np.abs(span.residual(D)).max() < _LEFT:
                return name
    return ""


def repeated(span: Span) -> dict[str, FloatArray]:
    """Directions of each block's levels that the blocks before it span, orthonormal, (L, r).

    A fixed effect is orthogonal to them: it sums to zero where a level is spanned already.
    """
    found: dict[str, FloatArray] = {}
    start = 0
    for name, width in span.blocks:
        at, before = np.arange(start, start + width), span.kept[span.kept < start]
        schur = span.gram[np.ix_(at, at)]
        if len(before):
            cross = span.gram[np.ix_(before, at)]
            factor = cho_factor(span.gram[np.ix_(before, before)], lower=True)
            schur = schur - cross.T @ cho_solve(factor, cross)
        values, vectors = np.linalg.eigh(schur)
        null = vectors[:, values < DEPENDENT] / span.size[at, None]
        found[name] = np.linalg.qr(null)[0] if null.shape[1] else null
        start += width
    return found


def without_spanned(design: Design) -> Design:
    """The design without fixed further effects that the effects before them span, with a note."""
    if not any(one.kind == "fixed" for one in design.further):
        return design
    null = repeated(fixed_span(design))
    lost = [f for f in design.further if f.name in null and null[f.name].shape[1] == len(f.levels)]
    lost = [f for f in lost if f.kind == "fixed"]
    if not lost:
        return design
    names = ", ".join(one.name for one in lost)
    text = f"{names}: spanned by the other effects, and left out"
    gone = {one.name for one in lost}
    kept = tuple(one for one in design.further if one.name not in gone)
    note = Note("spanned_effects", len(lost), text)
    return replace(design, further=kept, notes=(*design.notes, note))


def independent(gram: FloatArray) -> IntArray:
    """Positions of the columns that those before them do not span, by their cross-products."""
    S, kept = gram.copy(), []
    for k in range(len(S)):
        if S[k, k] > DEPENDENT:
            kept.append(k)
            S[k + 1 :, k + 1 :] -= np.outer(S[k + 1 :, k], S[k, k + 1 :]) / S[k, k]
    return np.array(kept, dtype=np.int64)


def slopes_that_vary(design: Design) -> dict[str, np.ndarray]:
    """Units whose own slope adds to their level and the slopes before it, (N,), by its name."""
    N, one = len(design.units), np.ones(design.n)
    slopes = [f for f in design.further if f.is_unit_slope]
    level = design.unit_effects == "fixed"
    columns = [one] * level + [f.times for f in slopes]
    Q = _within_unit_basis(columns, design.unit_index, N)
    there = group_sums(Q**2, design.unit_index, N) > 0.5
    return {f.name: there[:, k + level] for k, f in enumerate(slopes)}


def independent_columns(
    design: Design, *, unit_slopes: bool
) -> tuple[FloatArray, np.ndarray, IntArray]:
    """Columns of fixed further effects that add to what is before them, (n, F).

    Returns
    -------
    columns, name, level
        And whose they are: effect and level of each, shape (F,).

    Parameters
    ----------
    unit_slopes
        Whether slopes of units are among them, after everything else; otherwise they come first,
        and are left to whoever eliminates the units.
    """
    if unit_slopes:
        design = _slopes_last(design)
    span = fixed_span(design)
    names = np.array([name for name, width in span.blocks for _ in range(width)], dtype=object)
    level = np.array([k for _, width in span.blocks for k in range(width)], dtype=np.int64)
    mine = {f.name: f for f in design.further}
    kept = np.array([k for k in span.kept if names[k] in mine], dtype=np.int64)
    columns = np.empty((design.n, len(kept)))
    for j, k in enumerate(kept):
        f = mine[names[k]]
        columns[:, j] = np.where(f.index == level[k], f.times, 0.0)
    return columns, names[kept], level[kept]


def independent_periods(design: Design, *, unit_slopes: bool) -> IntArray:
    """Periods whose fixed effects add to those of units and, unless `unit_slopes`, to their slopes.

    Parameters
    ----------
    unit_slopes
        As of :func:`independent_columns`.
    """
    span = fixed_span(_slopes_last(design) if unit_slopes else design)
    names = np.array([name for name, width in span.blocks for _ in range(width)], dtype=object)
    at = np.flatnonzero(names == design.period_dim)
    return np.array([k - at[0] for k in span.kept if k in set(at.tolist())], dtype=np.int64)


def _slopes_last(design: Design) -> Design:
    """The design with slopes of units as columns like others, after everything else."""
    order = sorted(design.further, key=lambda f: f.is_unit_slope)
    return replace(design, further=tuple(replace(f, of="") for f in order))


def _within_unit_basis(columns: list[FloatArray], index: IntArray, N: int) -> FloatArray:
    """Orthonormal within each unit; zero where a column adds nothing there, shape (n, q)."""
    Q = np.empty((len(index), len(columns)))
    for k, column in enumerate(columns):
        rest = column[:, None]
        own = group_sums(rest**2, index, N)
        for _ in range(2):
            for j in range(k):
                q = Q[:, j : j + 1]
                rest = rest - q * group_sums(q * rest, index, N)[index]
        left = group_sums(rest**2, index, N)
        norm = np.where(left > DEPENDENT * own, np.sqrt(np.maximum(left, 1e-300)), np.inf)
        Q[:, k : k + 1] = rest / norm[index]
    return Q


def _dummies(index: IntArray, values: FloatArray, size: int) -> csr_array:
    return csr_array((values, (np.arange(len(index)), index)), (len(index), size))
