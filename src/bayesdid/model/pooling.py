"""A design whose treatment columns are grouped into parts with partially pooled coefficients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.model.priors import Priors, resolve_priors

SCALE_SHARE = 0.25  # of sd(y): scale of the half-normal prior of each part's standard deviation


@dataclass(frozen=True, slots=True)
class Pooling:
    """Which columns of a design's `D` share a prior.

    Attributes
    ----------
    design
        Its treatments are base terms and deviations; linear dependence among them is fine, since
        the deviations have a proper prior.
    part
        Name of the part of each column of `D`; empty for base terms.
    """

    design: Design
    part: tuple[str, ...]

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts, in order of first appearance."""
        return tuple(dict.fromkeys(name for name in self.part if name))

    @property
    def scale(self) -> float:
        """Scale of the half-normal prior of each part's standard deviation, outcome units."""
        return SCALE_SHARE * float(self.design.y.std())

    def columns(self, name: str) -> np.ndarray:
        """Positions of a part's columns; of the base terms for the empty name."""
        return np.flatnonzero(np.array(self.part) == name)

    def priors(self) -> Priors:
        """Weak priors of base terms and covariates; a part's columns have its own scale."""
        return resolve_priors("weak", self.design)


def stack(design: Design, blocks: list[tuple[str, tuple[str, ...], FloatArray]]) -> Pooling:
    """Replace the treatments of `design` by blocks of columns.

    Parameters
    ----------
    blocks
        ``(part, labels, columns)`` with columns of shape (n, L); an empty part is a base term.
    """
    from dataclasses import replace

    labels = tuple(label for _, names, _ in blocks for label in names)
    D = np.column_stack([columns for _, _, columns in blocks])
    part = tuple(name for name, names, _ in blocks for _ in names)
    return Pooling(replace(design, D=D, treatments=labels), part)


def indicators(values: np.ndarray, levels: list[object], where: FloatArray) -> FloatArray:
    """One 0/1 column for each level, zero outside `where`, shape (n, L)."""
    return np.column_stack([(values == level) * where for level in levels]).astype(float)
