"""A design whose treatment columns are grouped into parts with partially pooled coefficients."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.design.design import Design
from bayesdid.model.likelihood import Likelihood
from bayesdid.model.priors import POOLED_SHARE, Priors, on_link_scale, resolve_priors


@dataclass(frozen=True, slots=True)
class Pooling:
    """A design with parts, and the priors that go with them.

    Attributes
    ----------
    design
        Its treatments are base terms and deviations (``design.part``); linear dependence among
        them is fine, since the deviations have a proper prior.
    """

    design: Design

    @property
    def part(self) -> tuple[str, ...]:
        """Name of the part of each column of `D`; empty for base terms."""
        return self.design.part

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts, in order of first appearance."""
        return self.design.parts

    @property
    def scale(self) -> float:
        """Scale of the half-normal prior of each part's standard deviation, outcome units."""
        return pooled_scale(self.design)

    def columns(self, name: str) -> IntArray:
        """Positions of a part's columns; of the base terms for the empty name."""
        return self.design.columns(name)

    def priors(self) -> Priors:
        """Weak priors of base terms and covariates; a part's columns have its own scale."""
        return resolve_priors("weak", self.design)


def pooled_scale(design: Design, likelihood: Likelihood = Likelihood()) -> float:
    """Scale of the half-normal prior of each part's standard deviation."""
    return POOLED_SHARE * float(on_link_scale(design, likelihood).std())


def stack(design: Design, blocks: list[tuple[str, tuple[str, ...], FloatArray]]) -> Pooling:
    """Replace the treatments of `design` by blocks of columns.

    Parameters
    ----------
    blocks
        ``(part, labels, columns)`` with columns of shape (n, L); an empty part is a base term.
    """
    labels = tuple(label for _, names, _ in blocks for label in names)
    D = np.column_stack([columns for _, _, columns in blocks])
    part = tuple(name for name, names, _ in blocks for _ in names)
    return Pooling(replace(design, D=D, treatments=labels, part=part))


def indicators(values: np.ndarray, levels: list[object], where: FloatArray) -> FloatArray:
    """One 0/1 column for each level, zero outside `where`, shape (n, L)."""
    return np.column_stack([(values == level) * where for level in levels]).astype(float)
