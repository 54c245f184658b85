"""How often does an interval exclude the truth? Error models under laws that never happened.

``make calibrate-errors`` writes docs/calibration-errors.md, ``make calibrate-few`` the same laws
with few treated units to docs/calibration-few.md; the tests run small versions.

1. Placebo laws (Bertrand, Duflo & Mullainathan 2004, doi:10.1162/003355304772839588) on real
   panels: random units adopt at random times, so that the effect is zero whatever the errors are.
2. Simulated panels with a known effect under errors that the default names, and some that it does
   not.

Every interval is the equal-tailed one of a fit by :func:`bayesdid.inference.fit.fit_model` under
its default priors; a fit whose gate fails is made again with more draws, as its users are told to.
Laws have seeds of their own, go through the executor in chunks, and each
finished chunk is a file: a second run goes on where the first was stopped.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent))

from error_report import write_few, write_report
from error_worlds import EFFECT, REAL, WORLDS, panel_design, placebo_law, real, world_errors

from bayesdid.design.design import Design
from bayesdid.digest import digest, environment_digest
from bayesdid.estimands.few_treated import few_treated
from bayesdid.inference.executor import item_seed, map_fits, process_pool
from bayesdid.inference.fit import fit_model
from bayesdid.inference.registry import Size
from bayesdid.inference.result import Fit
from bayesdid.jsonio import read_sealed, write_sealed
from bayesdid.logs import quiet
from bayesdid.model.bound import model as bind

MODELS = ("iid", "ar1", "ar1_unit")
CLUSTER, PERMUTATION = "cluster", "permutation"
LEVEL = 0.89  # of every interval
UNITS, PERIODS = 48, (4, 10, 25)  # of simulated panels
FEW = (3, 5, 10)
DRAWS, CHAINS = 500, 4
CHUNK = 20


@dataclass(frozen=True)
class Chunk:
    """Laws number `start` to `start + size` of one cell.

    Attributes
    ----------
    panel
        A name of REAL or of WORLDS.
    treated
        Treated units.
    T
        Periods of a simulated panel; 0 for a real one.
    """

    panel: str
    treated: int
    start: int
    size: int
    T: int = 0
    N: int = UNITS
    models: tuple[str, ...] = MODELS


def laid(chunk: Chunk, law: int) -> tuple[Design, float, int]:
    """The panel under one law, its true effect, and a seed for what follows."""
    seed = item_seed(0, chunk.panel, chunk.treated, chunk.T, chunk.N, law)
    rng = np.random.default_rng(seed)
    if not chunk.T:
        Y = real(chunk.panel)
        return panel_design(Y, placebo_law(*Y.shape, chunk.treated, rng)), 0.0, seed
    D = placebo_law(chunk.N, chunk.T, chunk.treated, rng)
    return panel_design(EFFECT * D + world_errors(chunk.panel, *D.shape, rng), D), EFFECT, seed


def fitted(errors: str, design: Design, seed: int) -> Fit:
    """A fit under errors of a name."""
    model = bind(design, errors=errors).model
    return fit_model(model, design, size=Size(DRAWS, chains=CHAINS, cores=1, seed=seed))


def run(chunk: Chunk) -> list[dict[str, object]]:
    """One row for each law and model: the interval less the truth, and its sd."""
    rows = []
    for law in range(chunk.start, chunk.start + chunk.size):
        design, truth, seed = laid(chunk, law)
        head = {"panel": chunk.panel, "T": chunk.T, "treated": chunk.treated, "law": law}
        for name in chunk.models:
            fit = fitted(name, design, seed)
            draws = fit.tree["posterior"]["tau"].to_numpy().ravel() - truth
            low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
            own = {"sd": float(draws.std()), "gate": fit.converged}
            rows.append({**head, "model": name, "low": low, "high": high, **own})
        beside = fit.beside(LEVEL).iloc[1]
        low, high = beside[["low", "high"]] - truth
        own = {"sd": beside["sd"], "gate": True}
        rows.append({**head, "model": CLUSTER, "low": low, "high": high, **own})
        if fit.converged and (few := few_treated(fit, design, level=LEVEL, seed=seed)):
            (item,) = few.terms
            low, high = item.low - truth, item.high - truth
            own = {"sd": np.nan, "gate": not item.refused}
            rows.append({**head, "model": PERMUTATION, "low": low, "high": high, **own})
    return rows


def stored(chunk: Chunk, folder: Path) -> list[dict[str, object]]:
    """The rows of a chunk, from its file if there is one of this code."""
    key = digest(asdict(chunk), environment_digest(), Path(__file__).read_bytes())[:16]
    name = chunk.panel.replace(" ", "_")
    path = folder / f"{name}-{chunk.T}-{chunk.treated}-{chunk.start}-{key}.json"
    try:
        return read_sealed(path)
    except (FileNotFoundError, ValueError):
        return write_sealed(path, run(chunk))


def cells(laws: int, panels: int, models: tuple[str, ...] = MODELS) -> list[Chunk]:
    """All laws of the experiment, in chunks.

    Parameters
    ----------
    laws
        For each real panel, with half of the units treated.
    panels
        For each simulated cell.
    """
    half = [Chunk(name, N // 2, 0, laws, N=N, models=models) for name, (N, _, _) in REAL.items()]
    worlds = [
        Chunk(name, UNITS // 2, 0, panels, T=T, models=models) for name in WORLDS for T in PERIODS
    ]
    return _in_turn([*half, *worlds])


def few_cells(laws: int, models: tuple[str, ...] = MODELS) -> list[Chunk]:
    """Laws for each real panel with three, five and ten treated units, in chunks."""
    return _in_turn(
        [
            Chunk(name, k, 0, laws, N=N, models=models)
            for name, (N, _, _) in REAL.items()
            for k in FEW
        ]
    )


def _in_turn(cells: list[Chunk]) -> list[Chunk]:
    """Chunks of all cells, ordered so that every cell is done by the same share at any time."""
    parts = [
        (start / whole.size, replace(whole, start=start, size=min(CHUNK, whole.size - start)))
        for whole in cells
        for start in range(0, whole.size, CHUNK)
    ]
    return [part for _, part in sorted(parts, key=lambda pair: pair[0])]


def measure(chunks: list[Chunk], folder: Path | None = None) -> pd.DataFrame:
    """Rows of all chunks, with whether each interval excludes the truth."""
    work = run if folder is None else partial(stored, folder=folder)
    begin, left = time.perf_counter(), iter(range(len(chunks) - 1, -1, -1))

    def done(chunk: Chunk) -> None:
        text = f"{time.perf_counter() - begin:6.0f} s {next(left):5d} left {chunk.panel}\n"
        sys.stderr.write(text if folder is not None else "")

    rows = map_fits(work, chunks, done=done)
    frame = pd.DataFrame([row for found in rows for row in found])
    low, high = frame["low"].fillna(-np.inf), frame["high"].fillna(np.inf)  # null: no end
    return frame.assign(out=(low > 0) | (high < 0))


def main() -> None:
    """Write docs/calibration-errors.md, or docs/calibration-few.md."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--few", action="store_true", help="laws with 3, 5 and 10 treated units")
    parser.add_argument("--laws", type=int, default=500, help="a real panel (and treated units)")
    parser.add_argument("--panels", type=int, default=200, help="a simulated cell")
    parser.add_argument("--workers", type=int, default=None)
    parser.add_argument("--folder", type=Path, default=Path("reports/calibration-errors"))
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    quiet()
    begin = time.perf_counter()
    chunks = few_cells(options.laws) if options.few else cells(options.laws, options.panels)
    with process_pool(options.workers):
        frame = measure(chunks, options.folder)
    out = options.out or Path(
        "docs/calibration-few.md" if options.few else "docs/calibration-errors.md"
    )
    out.write_text(write_few(frame) if options.few else write_report(frame), encoding="utf-8")
    sys.stdout.write(f"{out}: {time.perf_counter() - begin:.0f} s\n")


if __name__ == "__main__":
    main()
