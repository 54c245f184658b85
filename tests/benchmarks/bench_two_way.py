"""How fast are two-way posteriors, beside a point estimate? Writes docs/benchmarks.md.

Both fit the same arrays in one process of their own for each row of the table: first a run that is
not counted, then interleaved pairs, so that whatever else the machine does falls on both. The best
times and their ratio are shown; peak memory is that of a process that does one of the two alone.
Ours begins with the arrays of a design and ends with a result of 4,000 draws; pyfixest begins with
a data frame and ends with coefficients and standard errors. Nothing is asserted about time.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
SIZES = ((218, 16), (10_000, 20), (100_000, 20))
MODELS = (
    ("fixed", "iid"),
    ("random", "iid"),
    ("fixed", "ar1"),
    ("random", "ar1"),
    ("fixed", "ar1_unit"),
)
CHAINS_UP_TO = 1_000  # units of a panel whose unit scales are sampled here
HEAD = """# Speed and memory

Made by `make bench` ({machine}). Best of several runs on one panel, both warm, interleaved in one
process; memory is the peak of a process that does one of the two alone, libraries included. Ours:
arrays to a posterior of 4,000 draws with effects, means and standard deviations of unit effects
beyond 2,000 units. pyfixest: `feols("y ~ d + x1 + x2 | unit + period")`, a point estimate.

| panel | unit effects | errors | ours | feols | ratio | memory | feols |
|---|---|---|---|---|---|---|---|
"""


def arrays(N: int, T: int) -> dict[str, np.ndarray]:
    """A staggered treatment and two covariates in a balanced panel."""
    rng = np.random.default_rng(0)
    unit, period = (a.ravel() for a in np.mgrid[:N, :T])
    d = (period >= rng.integers(2, 2 * T, N)[unit]).astype(float)
    x1, x2 = rng.standard_normal((2, N * T))
    y = 0.4 * d + x1 + x2 + rng.standard_normal(N)[unit] + rng.standard_normal(T)[period]
    y += rng.standard_normal(N * T)
    return {"unit": unit, "period": period, "d": d, "x1": x1, "x2": x2, "y": y}


def ours(data: dict[str, np.ndarray], unit: str, errors: str) -> Callable[[], Any]:
    """A posterior as a user gets it."""
    from bayesdid.design.design import Design
    from bayesdid.inference.exact.gaussian import fit_gaussian
    from bayesdid.model.errors import Errors

    effects: Any = unit
    design = Design(
        spec_id="bench",
        study_id="bench",
        outcome="y",
        y=data["y"],
        D=data["d"][:, None],
        X=np.column_stack([data["x1"], data["x2"]]),
        treatments=("d",),
        covariates=("x1", "x2"),
        unit_index=data["unit"],
        period_index=data["period"],
        units=np.unique(data["unit"]),
        periods=np.unique(data["period"]),
        unit_dim="unit",
        period_dim="period",
        unit_effects=effects,
        period_effects="fixed",
        synthetic="bench",
        panel_sha256="",
    )
    return lambda: fit_gaussian(design, errors=Errors.parse(errors))


def theirs(data: dict[str, np.ndarray]) -> Callable[[], Any]:
    """Least squares with both effects absorbed."""
    import pandas as pd
    import pyfixest

    frame = pd.DataFrame(data)
    return lambda: pyfixest.feols("y ~ d + x1 + x2 | unit + period", frame, vcov="iid")


def timed(call: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def measure(what: str, N: int, T: int, unit: str, errors: str, times: int) -> dict[str, float]:
    """Times of both, or memory of one; meant for a process of its own."""
    warnings.simplefilter("ignore")
    data = arrays(N, T)
    if what != "time":
        (ours(data, unit, errors) if what == "ours" else theirs(data))()
        return {"GiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20}
    a, b = ours(data, unit, errors), theirs(data)
    a(), b()
    repeats = times * (5 if N < 1000 else 1)
    found = np.min([(timed(a), timed(b)) for _ in range(repeats)], axis=0)
    return {"ours": found[0], "theirs": found[1]}


def apart(*job: object) -> dict[str, float]:
    """:func:`measure` in a process of its own."""
    command = [sys.executable, __file__, "--measure", *map(str, job)]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def row(N: int, T: int, unit: str, errors: str, times: int, feols_memory: float) -> str:
    found = apart("time", N, T, unit, errors, times)
    memory = apart("ours", N, T, unit, errors, 1)["GiB"]
    a, b = found["ours"], found["theirs"]
    return (
        f"| {N:,} x {T} | {unit} | {errors} | {a:.3f} s | {b:.3f} s | {a / b:.1f} | "
        f"{memory:.2f} GiB | {feols_memory:.2f} GiB |"
    )


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--out", type=Path, default=PAGE)
    parser.add_argument("--measure", nargs=6)
    options = parser.parse_args()
    if options.measure:
        what, N, T, unit, errors, times = options.measure
        sys.stdout.write(json.dumps(measure(what, int(N), int(T), unit, errors, int(times))))
        return
    lines = []
    for N, T in SIZES:
        feols_memory = apart("theirs", N, T, "-", "-", 1)["GiB"]
        for unit, errors in MODELS:
            if errors.endswith("unit") and N > CHAINS_UP_TO:
                continue
            lines.append(row(N, T, unit, errors, options.times, feols_memory))
            sys.stdout.write(lines[-1] + "\n")
            sys.stdout.flush()
    machine = f"NumPy {np.__version__}, Python {sys.version.split()[0]}, one BLAS thread"
    options.out.write_text(HEAD.format(machine=machine) + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
