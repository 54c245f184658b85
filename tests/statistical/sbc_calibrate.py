"""Ranks of the truth for every family's model: ``make calibrate-sbc``, docs/calibration-sbc.md.

Each cell that is finished is a file of its own, keyed by the cell, the code and the number of
replications: a second run goes on where the first was stopped. Ranks of the Durbin family by more
weights and effects, and its coverage: spatial_calibrate.py.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent))

from sbc import Cell, ranks
from sbc_cells import CELLS, PLANTED, SAMPLED
from sbc_uniform import RANKS, uniformity

from bayesdid.digest import digest, environment_digest
from bayesdid.inference.executor import map_fits, process_pool
from bayesdid.jsonio import read_sealed, write_sealed
from bayesdid.logs import quiet

FALSE_ALARM = 0.01  # of the whole table
ERRORS = 400  # replications at least of a planted error
HERE, CALIBRATE = Path(__file__).parent, Path(__file__)
HEAD = ("cell", "quantity", "replications", "mean rank", "chi-square p", "ECDF p", "ranks")


def run(job: tuple[Cell, int], folder: Path | None = None) -> dict[str, list[int]]:
    """Ranks of one cell, from its file if there is one."""
    cell, size = job
    code = [path.read_bytes() for path in sorted(HERE.glob("sbc*.py")) if path != CALIBRATE]
    key = digest(cell.name, size, environment_digest(), *code)[:16]
    path = None if folder is None else folder / f"{key}.json"
    if path is not None:
        try:
            return read_sealed(path)
        except (FileNotFoundError, ValueError):
            pass
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {name: values.tolist() for name, values in ranks(cell, size).items()}
    return found if path is None else write_sealed(path, found)


def measure(jobs: list[tuple[Cell, int]], folder: Path | None = None) -> pd.DataFrame:
    """A row for each quantity of each cell, and whether its ranks are uniform."""
    begin, left = time.perf_counter(), iter(range(len(jobs) - 1, -1, -1))

    def done(job: tuple[Cell, int]) -> None:
        text = f"{time.perf_counter() - begin:6.0f} s {next(left):3d} left {job[0].name}\n"
        sys.stderr.write(text if folder is not None else "")

    found = map_fits(partial(run, folder=folder), jobs, done=done)
    rows = [
        row
        for (cell, _), values in zip(jobs, found, strict=True)
        for row in uniformity(cell.name, pd.DataFrame(values))
    ]
    frame = pd.DataFrame(rows)
    smallest = frame[["chi-square p", "ECDF p"]].min(axis=1)
    limit = FALSE_ALARM / (2 * len(frame))
    return frame.assign(ranks=np.where(smallest > limit, "uniform", "NOT UNIFORM"))


def _markdown(table: pd.DataFrame) -> str:
    lines = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    for row in table[list(HEAD)].itertuples(index=False):
        cells = [
            ("< 0.001" if v < 0.0005 else f"{v:.3f}") if isinstance(v, float) else str(v)
            for v in row
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def write_report(frame: pd.DataFrame) -> str:
    """The page."""
    planted = frame["cell"].isin([cell.name for cell in PLANTED])
    right, wrong = frame[~planted], frame[planted]
    off = right.loc[right["ranks"] != "uniform", ["cell", "quantity"]]
    named = "; ".join(f"{cell}: {quantity}" for cell, quantity in off.itertuples(index=False))
    chained = [cell.name for cell in SAMPLED]
    absent = [name for name in chained if name not in set(right["cell"])]
    left_out = f" (left out of this run: {'; '.join(absent)})" if absent else ""
    found = wrong.groupby("cell")["ranks"].agg(lambda values: (values != "uniform").any())
    return (
        "# Simulation-based calibration\n\n"
        "Written by `make calibrate-sbc`. Parameters from the prior of the compiled model, "
        f"outcomes from the model, the rank of the true value among {RANKS - 1} draws of the "
        "posterior by the engine that `auto` takes. Where that is a chain on the compiled model, "
        "two chains that share a compilation are thinned, and run again four times as long where a "
        f"ranked quantity has fewer effective draws: {'; '.join(chained)}{left_out}. "
        "Calibrated posteriors have uniform ranks (Talts et al. 2018, arXiv:1804.06788). Panels "
        "are small (12 units by 5 periods with rows missing; 24 by 10 for staggered designs; 16 by "
        "6 and 24 by 8 on a map; 40 units for the propensity) and priors tight, so that priors "
        "matter. Flat directions (intercept, fixed effects, sigma of spatial models) have one "
        "arbitrary value; counts, which no translation moves, have random effects and a proper "
        "intercept. Covariances of the instrument's two equations are drawn from an inverse "
        "Wishart, and the engine's draws thinned to that prior by rejection. `synergy`: the "
        "headline's contrast, both policies less the sum of the two over the rows that identify "
        "it. p-values of a chi-square test and of "
        "the ECDF's simultaneous band (Säilynoja, Bürkner & Vehtari 2022, "
        "doi:10.1007/s11222-022-10090-6); a quantity is not uniform if one of them is below "
        f"{FALSE_ALARM} over the number of tests. Of arrays the first element is ranked, or the "
        "one after the colon. Not here: negative binomial counts with a latent AR(1) error, which "
        "panels of this size hardly tell from overdispersion, so that chains do not mix. More of "
        "the Durbin family: docs/calibration-spatial.md.\n\n"
        f"{len(right) - len(off)} of {len(right)} quantities have uniform ranks"
        + (f"; not: {named}" if named else "")
        + f". {int(found.sum())} of {len(found)} planted errors are found.\n\n"
        + _markdown(right)
        + "\n\n## Planted errors\n\nThe same with a deliberate error of the posterior, which has "
        "to be found in some quantity.\n\n" + _markdown(wrong) + "\n"
    )


def main() -> None:
    """Write docs/calibration-sbc.md."""
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--size", type=int, default=100, help="replications where no chain runs on the model"
    )
    parser.add_argument("--sampled", type=int, default=20, help="where one does; 0: none")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--folder", type=Path, default=Path("reports/calibration-sbc"))
    parser.add_argument("--out", type=Path, default=Path("docs/calibration-sbc.md"))
    options = parser.parse_args()
    quiet()
    begin = time.perf_counter()
    jobs = [(cell, max(ERRORS, options.size)) for cell in PLANTED]
    jobs += [(cell, options.size) for cell in CELLS]
    jobs += [(cell, options.sampled) for cell in SAMPLED if options.sampled]
    with process_pool(options.workers):
        frame = measure(jobs, options.folder)
    options.out.write_text(write_report(frame), encoding="utf-8")
    sys.stdout.write(f"{options.out}: {time.perf_counter() - begin:.0f} s\n")


if __name__ == "__main__":
    main()
