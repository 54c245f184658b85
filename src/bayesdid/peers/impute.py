"""Effects by imputation: untreated rows fitted by pyfixest, treated rows compared with them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.extras import extra
from bayesdid.peers.fixest import written_out

UNBALANCED = (
    "The panel is unbalanced: imputation takes unit effects from untreated rows alone, saturated "
    "least squares lets treated rows have a say in them, so that the two need not be equal"
)


def imputed_effects(design: Design, treated: np.ndarray) -> FloatArray:
    """Outcome minus its imputed untreated value, shape (n,); NaN where it cannot be imputed.

    Parameters
    ----------
    design
        Its covariates and further effects enter the regression of the untreated rows, weighted as
        the design is; treatments do not.
    treated
        Rows to impute, boolean, shape (n,).

    Raises
    ------
    InputError
        If further effects have too many levels to be written out.

    Notes
    -----
    Borusyak, Jaravel & Spiess (2024, doi:10.1093/restud/rdae007); the first stage of Gardner
    (2022, arXiv:2207.05943).
    """
    with extra("peers"):
        import pyfixest

    columns = np.column_stack([design.X, written_out(design)])
    names = [f"x{k}" for k in range(columns.shape[1])]
    frame = pd.DataFrame(columns, columns=names)
    frame["y"], frame["unit"], frame["period"] = design.y, design.unit_index, design.period_index
    if design.weights is not None:
        frame["weight"] = design.weights
    formula = f"y ~ {' + '.join(names) or '1'} | unit + period"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # singletons and compilation
        model: Any = pyfixest.feols(
            formula,
            frame[~treated],
            vcov="iid",
            fixef_tol=1e-12,
            fixef_maxiter=100_000,
            weights=None if design.weights is None else "weight",
        )
        fitted = model.predict(frame, atol=1e-13, btol=1e-13)
    return np.asarray(design.y - np.asarray(fitted), dtype=np.float64)
