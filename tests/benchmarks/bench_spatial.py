"""How fast are spatial posteriors, beside what others offer? ``make bench`` prints one table.

Times are wall clock on one thread. Pairs are interleaved, so that whatever else the machine does
falls on both; medians and their ratio are shown. Nothing is asserted about time.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, csr_matrix
from scipy.spatial import cKDTree

sys.path.insert(0, str(Path(__file__).parents[1] / "spatial"))
sys.path.insert(0, str(Path(__file__).parents[1] / "statistical"))

from planted import base_design, near, simulated
from spatial_calibrate import PLACES, study_panel

from bayesdid.inference.exact.durbin_fit import draw_durbin
from bayesdid.inference.fit import fit as fit_design
from bayesdid.inference.impacts import effects_of
from bayesdid.panel.places import random_places
from bayesdid.spatial.design import SpatialDesign, spatial_design
from bayesdid.spatial.operators.logdet import log_determinant
from bayesdid.spatial.weights.distance import great_circle, rings
from bayesdid.spatial.weights.weights import make_weights

SHARED = Path(__file__).parents[3] / "shared" / "data"
DRAWS = 4000
Row = tuple[str, str, str, str]


def timed(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def pairs(ours: Callable[[], object], theirs: Callable[[], object], times: int) -> np.ndarray:
    """Medians of interleaved runs, after one of each that is not counted."""
    ours(), theirs()
    return np.median([(timed(ours), timed(theirs)) for _ in range(times)], axis=0)


def quiet(call: Callable[[], object]) -> Callable[[], object]:
    def silent() -> object:
        with warnings.catch_warnings(), redirect_stdout(StringIO()):
            warnings.simplefilter("ignore")
            return call()

    return silent


def beside_spreg(times: int) -> list[Row]:
    """A whole posterior with effects beside a point estimate of the simpler lag model."""
    import libpysal
    import spreg

    design, _ = study_panel("row-normalised, rho 0.4", 0)
    y = design.Y.T.reshape(-1, 1)
    x = design.Z[: design.K0].transpose(2, 1, 0).reshape(-1, design.K0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        W = libpysal.weights.WSP(csr_matrix(design.weights.matrix)).to_W(silence_warnings=True)
    rows = []
    for periods, text in ((True, "unit and period effects"), (False, "unit effects only")):
        a, b = pairs(
            lambda: fit_design(design, draws=DRAWS // 4),
            quiet(
                lambda periods=periods: spreg.ML_LagFE(
                    y, x, W, time_effects=periods, spat_impacts=None
                )
            ),
            times,
        )
        rows.append(
            (
                f"218 x 16: SDM, {DRAWS} draws, effects, log-determinant | spreg ML_LagFE, "
                f"{text}, point estimate",
                f"{a:.3f} s",
                f"{b:.3f} s",
                f"time {a / b:.2f}",
            )
        )
    return rows


def cigarettes() -> tuple[SpatialDesign, str]:
    """Baltagi's panel, or one of its size."""
    panel, contiguity = (
        SHARED / name for name in ("cigar_baltagi_46x30.csv", "w_usa46_contiguity.csv")
    )
    if not panel.exists() or not contiguity.exists():
        return simulated(near(46), "sdm", T=30), "simulated panel of its size"
    data = pd.read_csv(panel).sort_values(["state", "year"])
    columns = (data["sales"], data["price"] / data["cpi"], data["ndi"] / data["cpi"])
    y, *X = (np.log(column.to_numpy()).reshape(46, 30) for column in columns)
    base = base_design(y, np.stack(X))
    W = pd.read_csv(contiguity, index_col=0).to_numpy(dtype=float)
    return spatial_design(base, make_weights(W, base.units, "contiguity"), "sdm"), "cigarettes"


def beside_spmixw(times: int) -> list[Row]:
    """Draws per second of two samplers of the spatial Durbin model."""
    import spmixw

    design, name = cigarettes()
    y = design.Y.T.reshape(-1)
    X = design.Z[: design.K0].transpose(2, 1, 0).reshape(-1, design.K0)
    W = design.weights.dense()
    a, b = pairs(
        lambda: fit_design(design, priors="flat", draws=DRAWS // 4, keep_effects=False),
        lambda: spmixw.sdm_panel(
            y, X, W, 46, 30, ndraw=DRAWS + 500, nomit=500, rval=0, model=3, lflag=0, seed=0
        ),
        times,
    )
    return [
        (
            f"46 x 30 ({name}): SDM, {DRAWS} draws with effects | spmixw, homoscedastic, "
            f"{DRAWS} draws after 500",
            f"{DRAWS / a:,.0f} draws/s",
            f"{DRAWS / b:,.0f} draws/s",
            f"speed {b / a:.0f}",
        )
    ]


def distance_bands() -> list[Row]:
    """A sweep as in the paper's Figure 4: one model per band of 100 km."""
    design, _ = study_panel("row-normalised, rho 0.4", 0)
    distances = great_circle(random_places(PLACES, 218, seed=1), np.arange(218))
    failed = 0

    def sweep() -> None:
        nonlocal failed
        for ring in rings(distances, 100, 2000):
            W = make_weights(ring.matrix, np.arange(218), f"{ring.high:g} km")
            failed += not draw_durbin(spatial_design(design.base, W, "sdm"), size=DRAWS).converged

    seconds = timed(sweep)
    return [
        (
            f"218 x 16: 20 bands of 100 km, SDM with {DRAWS} draws for each, weights included",
            f"{seconds:.2f} s",
            "",
            f"{failed} gates failed",
        )
    ]


def large(N: int, T: int, how: str) -> SpatialDesign:
    """Ten nearest neighbours of random places; simulated by the series of the inverse."""
    rng = np.random.default_rng(0)
    places = rng.random((N, 2))
    far, nearest = (part[:, 1:] for part in cKDTree(places).query(places, 11))
    value = np.ones(10 * N) if how == "row" else np.exp(-far / far.mean()).ravel()
    raw = csr_array((value, (np.repeat(np.arange(N), 10), nearest.ravel())), (N, N))
    weights = make_weights(raw, np.arange(N), "10 nearest", "row" if how == "row" else "spectral")
    X = rng.normal(size=(2, N, T))
    mean = 0.5 * X[0] - 0.5 * X[1] + 0.3 * np.stack([weights.matrix @ layer for layer in X]).sum(0)
    mean = mean + rng.normal(size=(N, 1)) + rng.normal(size=(1, T)) + rng.normal(size=(N, T))
    y, step = mean.copy(), mean
    for _ in range(60):
        step = 0.4 * (weights.matrix @ step)
        y += step
    return spatial_design(base_design(y, X), weights, "sdm")


def measure(N: int, T: int, how: str) -> dict[str, object]:
    """What a fit of a large panel costs; meant for a process of its own."""
    design = large(N, T, how)
    parts: dict[str, object] = {}
    begin = time.perf_counter()
    logdet = log_determinant(design.weights)
    parts["logdet"] = time.perf_counter() - begin
    design = dataclasses.replace(design, known_logdet=logdet)
    fit = draw_durbin(design, size=DRAWS)
    effects_of(design, fit.rho, fit.b)
    parts["all"] = time.perf_counter() - begin
    error = next(item.value for item in fit.gate if item.name == "logdet_error")
    return {
        **parts,
        "method": logdet.method,
        "error": error,
        "converged": fit.converged,
        "rho": float(fit.rho.mean()),
        "sd": float(fit.rho.std()),
        "GiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


def apart(N: int, T: int, how: str = "row") -> Row:
    """:func:`measure` in a process of its own, whose peak memory is its own."""
    job = [sys.executable, __file__, "--measure", str(N), str(T), how]
    found = json.loads(subprocess.run(job, capture_output=True, check=True, text=True).stdout)
    text = f"{N:,} x {T}: SDM, {DRAWS} draws, 10 nearest" + (
        ", row sums equal" if how == "row" else ", row sums unequal"
    )
    return (
        text,
        f"{found['all']:.2f} s",
        f"log-determinant {found['logdet']:.2f} s",
        f"{found['method']}, error {found['error']:.0e}, {found['GiB']:.2f} GiB, "
        f"rho {found['rho']:.3f} ({found['sd']:.3f})"
        + ("" if found["converged"] else ", gate failed"),
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=15)
    parser.add_argument("--measure", nargs=3, metavar=("N", "T", "HOW"))
    options = parser.parse_args()
    if options.measure:
        N, T, how = options.measure
        sys.stdout.write(json.dumps(measure(int(N), int(T), how)))
        return
    rows: list[Row] = [("what", "ours", "peer, or part", "ratio, or note")]
    # first, while this process is small: a child's peak memory is never below its parent's
    rows += [apart(10_000, 20), apart(10_000, 20, "unequal")]
    rows += [apart(N, 8) for N in (100, 218, 500, 1000, 1500, 1501, 3000, 6000, 12_000, 20_000)]
    rows[1:1] = beside_spreg(options.times) + beside_spmixw(options.times) + distance_bands()
    width = [max(len(row[k]) for row in rows) for k in range(4)]
    for row in rows:
        sys.stdout.write("  ".join(cell.ljust(w) for cell, w in zip(row, width, strict=True)))
        sys.stdout.write("\n")


if __name__ == "__main__":
    main()
