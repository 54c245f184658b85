"""Which rows a column lacks that prints fewer than its sample has: drawn, as many as it prints.

All columns take their rows by one order of the panel's rows, so that columns with the same sample
and number of rows have the same rows, and of fewer rows are among those of more.
"""

from __future__ import annotations

import numpy as np

from bayesdid.arrays import BoolArray
from bayesdid.panel.panel import Panel
from bayesdid.reconstruct.compile import rows_at
from bayesdid.study.load import Spec
from bayesdid.study.printed import Printed


def column_of(spec: Spec) -> str:
    """The 0/1 column of a member that says which rows a column has."""
    kind = "matched" if spec.column.family == "psm_did" else "rows"
    return f"{kind}_{spec.id.replace('.', '_')}"


def draw_rows(spec: Spec, panel: Panel, seed: int) -> BoolArray | None:
    """Rows of the panel that the column is fitted on, shape (n,); None for all of its sample."""
    column = spec.column
    if column.n is None or column.row_weights_kind == "frequency":
        return None
    n, (_, at, _) = round(float(Printed.parse(column.n))), rows_at(spec, panel)
    if n >= len(at):
        return None
    rank = np.argsort(np.random.default_rng([seed, 0xF0]).permutation(len(panel.frame)))
    found = np.zeros(len(rank), dtype=bool)
    found[at[np.argsort(rank[at])[:n]]] = True
    return found
