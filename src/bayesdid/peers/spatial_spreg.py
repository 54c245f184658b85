"""The same spatial panels through spreg, as a peer."""

from __future__ import annotations

import warnings
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from bayesdid.arrays import FloatArray
from bayesdid.exceptions import InputError
from bayesdid.extras import extra
from bayesdid.spatial.design import LAG_OF_ERROR, LAG_OF_Y, SpatialDesign


def spreg_panel(design: SpatialDesign, *, epsilon: float = 1e-12) -> dict[str, Any]:
    """Fit a design by spreg's ``ML_LagFE``, ``ML_ErrorFE``, ``ML_LagRE`` or ``ML_ErrorRE``.

    These replaced ``Panel_FE_Lag`` and its kin in spreg 1.9. Period effects become dummies. Data
    are passed in long form, as spreg reads it: all units of the first period, then of the second.

    Differences to know: rho is sought in (-0.99, 0.99) or (-1, 1), whatever W; the log likelihood
    of ``ML_ErrorRE`` is that of the model only for symmetric W, because it takes the eigenvalues
    and eigenvectors of W for those of ``(I - lambda W)'(I - lambda W)``.

    Parameters
    ----------
    epsilon
        Tolerance of the search for rho.

    Returns
    -------
    dict
        ``names``, ``estimates`` (regressors, then the intercept of random
        effects without period effects), ``rho``,
        ``sigma2``, ``loglik``; ``rho_se`` for fixed effects; ``phi`` for a random-effects lag
        model, ``sigma2_unit`` for a random-effects error model.

    Raises
    ------
    InputError
        If spreg has no such model.
    """
    unit, period = design.base.unit_effects, design.base.period_effects
    if (
        unit not in ("fixed", "random")
        or period not in ("fixed", "none")
        or (design.kind not in LAG_OF_Y | LAG_OF_ERROR)
    ):
        raise InputError(
            "spreg has no such spatial panel",
            value=f"{design.kind}, unit {unit}, period {period}",
            remedy="use sar, sem, sdm or sdem with fixed or random units and fixed or no periods",
        )
    if design.base.weights is not None:
        raise InputError(
            "spreg's spatial panels have no weights of rows",
            value=design.base.spec_id,
            remedy="use spatial_ml",
        )
    with extra("peers"):
        import libpysal
        import spreg

    lag = design.kind in LAG_OF_Y
    model = getattr(spreg, f"ML_{'Lag' if lag else 'Error'}{'FE' if unit == 'fixed' else 'RE'}")
    y = _long(design.Y)[:, None]
    x = np.column_stack([_long(row) for row in design.Z])
    options = {"spat_impacts": None} if lag else {}
    sparse = csr_matrix(design.weights.matrix)  # spreg knows no sparse arrays
    with warnings.catch_warnings(), redirect_stdout(StringIO()):  # one class prints its own name
        warnings.simplefilter("ignore")  # complex numbers and deprecations inside spreg
        W = libpysal.weights.WSP(sparse).to_W(silence_warnings=True)
        fit: Any = model(y, x, W, time_effects=period == "fixed", epsilon=epsilon, **options)
    betas = np.asarray(fit.betas, dtype=float).ravel()
    K, first = len(design.names), int(unit == "random")
    shown = int(unit == "random" and period == "none")  # or it belongs to the dummies
    found: dict[str, Any] = {
        "names": design.names + ("intercept",) * shown,
        "estimates": np.append(betas[first : first + K], betas[:shown]),
        "rho": float(fit.rho if lag else fit.lam),
        "sigma2": float(np.squeeze(fit.sig2)),
        "loglik": float(np.real(np.squeeze(fit.logll))),
    }
    if unit == "fixed":
        found["rho_se"] = float(np.sqrt(np.asarray(fit.vm)[-1, -1]))
    elif lag:
        found["phi"] = float(fit.phi)
    else:
        found["sigma2_unit"] = float(np.squeeze(fit.sig2_u))
    return found


def _long(array: FloatArray) -> FloatArray:
    """From (N, T) to spreg's long form, shape (T N,)."""
    return np.asarray(array.T.reshape(-1))
