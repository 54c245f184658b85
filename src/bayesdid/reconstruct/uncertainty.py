"""Standard errors of printed columns: what kind they are, and what stands for them in a cell."""

from __future__ import annotations

from collections.abc import Collection

from scipy.stats import norm, t

from bayesdid.audit.below import smallest_dof
from bayesdid.audit.bounds import Bounds
from bayesdid.audit.columns import estimate, size_of_t
from bayesdid.study.fields import ends
from bayesdid.study.load import Spec, Study
from bayesdid.study.schema import Cell, Sample, SeKind


def kind_of(spec: Spec) -> SeKind:
    """The kind of a column's standard errors: as declared, clustered if clusters are counted."""
    column = spec.column
    if column.se_kind not in {None, "unknown"}:
        return column.se_kind or "unknown"
    return "clustered" if column.clusters or column.cluster else "unknown"


def standard_error(study: Study, spec: Spec, cell: Cell) -> Bounds | None:
    """Standard errors that a cell allows; None if nothing bounds them from above.

    As printed, or what the estimate and its t statistic, p-value or interval imply; p-values and
    intervals are those of the normal distribution or of Student's with the fewest degrees of
    freedom that a reader would use.
    """
    if cell.se is not None:
        se = Bounds.of(cell.se)
        return Bounds(max(se.low, 0.0), se.high)
    dof = smallest_dof(study, spec)
    if cell.interval is not None:
        low, high = (Bounds.of(end) for end in ends(cell.interval))
        half = (high - low) * Bounds.exactly(0.5)
        tail = (1 - (spec.column.interval_level or 0.95)) / 2
        return Bounds(max(half.low, 0.0) / float(t.isf(tail, dof)), half.high / norm.isf(tail))
    size = size_of_t(cell)
    if size is None and cell.p is not None:
        p = Bounds.of(cell.p)
        low_p, high_p = max(p.low, 0.0) / 2, min(p.high, 1.0) / 2
        size = Bounds(float(norm.isf(high_p)), float(t.isf(low_p, dof)))
    if size is None or size.low <= 0.0:
        return None
    of = abs(estimate(cell))
    return Bounds(of.low / size.high, of.high / size.low)


def why_not_met(spec: Spec, units: int | None, given: Collection[str]) -> str:
    """Why the standard errors of a column are not aimed at; empty if they are.

    Parameters
    ----------
    units
        Of the panel.
    given
        Columns that the design gives.
    """
    column, kind = spec.column, kind_of(spec)
    if kind in {"iid", "unknown"}:
        return ""
    if column.instrument is not None:
        return f"{kind} errors of an instrumented column are not handled"
    if kind == "robust":
        weighted = column.row_weights and column.row_weights_kind == "frequency"
        return "robust errors with frequency weights are not handled" if weighted else ""
    if column.cluster is None:
        most, all_units = units or 0, column.sample == Sample()
        few = column.clusters is not None and column.clusters != units
        if few and (all_units or (column.clusters or 0) > most):
            return f"what the {column.clusters} clusters are, which are not the units, is not said"
        return ""
    return "" if column.cluster in given else f"the clusters ({column.cluster}) are not given"
