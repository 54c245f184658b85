"""How often does the interval from printed columns hold the truth? Panels hidden behind a print.

``make calibrate-published`` writes docs/calibration-published.md; the tests run a small version.

1. Simulated panels on two designs, in worlds of :mod:`published_worlds`; who adopted when is known,
   or is one of the timings that the rounds, arms, sequences and means allow, and is drawn.
2. The columns of a real panel (traffic_laws), printed as a paper would, against the panel itself.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent))

from published_causes import causes
from published_microdata import COLUMNS, ROOT, printed_study, traffic, traffic_prints, traffic_rows
from published_report import write_report
from published_single import measure as single_effects
from published_single import replaced, section
from published_worlds import SCALE, SHAPES, World, answer, outcomes, printed, some
from validity_facts import published_facts, update

from bayesdid.arrays import FloatArray
from bayesdid.families.registry.load import load_study
from bayesdid.inference.executor import item_seed, map_fits, process_pool
from bayesdid.logs import quiet
from bayesdid.published.columns import PrintedColumns, printed_columns
from bayesdid.published.inversion import Layout, layouts
from bayesdid.published.synergy import published_cells
from bayesdid.published.timing import Timing, timings

SYNERGIES = (0.0, -0.3, 0.3)
PHIS = (0.0, 0.5)
DRAWN, TRUTHS = 8, 20  # timings averaged over where timing is drawn; true ones that panels go round
FIVE = ("table2.2", "table2.3", "table2.4", "table2.5", "table2.6")
MISPRINT = 0.3  # added to one coefficient, about four standard errors
TAILS = 3  # held-out columns are predicted in every third panel, and where one is misprinted
CHUNK = 20


@dataclass(frozen=True)
class Chunk:
    """Panels number `start` to `start + size` of one world.

    Attributes
    ----------
    design
        ``nine`` or ``five`` columns of dual_pilot, or ``traffic`` (six columns of traffic_laws).
    known
        Whether who adopted when is known.
    misprint
        Whether one coefficient, another in every panel, is off by MISPRINT.
    """

    design: str
    world: World
    known: bool
    start: int
    size: int
    misprint: bool = False


@dataclass(frozen=True)
class Setting:
    """What the panels of a design have in common."""

    columns: PrintedColumns
    truths: tuple[Timing, ...]
    laid: tuple[Layout, ...]
    contrast: FloatArray


@lru_cache(maxsize=4)
def setting(design: str, known: bool) -> Setting:
    """Columns, true timings, what the inversion supposes, and the difference of cells."""
    if design == "traffic":
        study = printed_study(COLUMNS, "iid")
        truths = assumed = timings(study, traffic()[1].adoption).members
    else:
        study = load_study(ROOT / "models" / "dual_pilot")
        found = timings(study, size=1 + DRAWN, seed=1).members
        truths, assumed = found[:1], found[:1]
        if not known:
            truths, assumed = timings(study, size=1 + TRUTHS, seed=2).members[1:], found[1:]
    refs = published_cells(study)
    columns, _ = printed_columns(study, list(refs.values()))
    if design == "five":
        columns = some(columns, [c for c in columns.names if c.partition(":")[0] in FIVE])
    contrast = np.zeros(len(columns.names))
    contrast[columns.names.index(refs["both"])] = 1.0
    for key, ref in refs.items():
        if key.startswith("only:"):
            contrast[columns.names.index(ref)] = -1.0
    return Setting(columns, truths, tuple(layouts(columns, assumed, scale=SCALE)), contrast)


def run(chunk: Chunk) -> list[dict[str, object]]:
    """One row for each panel."""
    common, rows = setting(chunk.design, chunk.known), []
    for panel in range(chunk.start, chunk.start + chunk.size):
        # the same errors in every world of a design: worlds are compared pairwise
        rng = np.random.default_rng(item_seed(0, chunk.design, chunk.known, panel))
        timing = common.truths[panel % len(common.truths)]
        columns = printed(common.columns, timing, outcomes(chunk.world, timing, rng))
        if chunk.misprint:
            wrong = columns.estimates.copy()
            wrong[panel % len(wrong)] += MISPRINT
            columns = replace(columns, estimates=wrong)
        head = {"design": chunk.design, "known": chunk.known, "misprint": chunk.misprint}
        tails = chunk.misprint or panel % TAILS == 0
        said = answer(columns, common.laid, common.contrast, chunk.world.phi, tails=tails)
        found = asdict(said)
        rows.append({**head, **asdict(chunk.world), "panel": panel, **found})
    return rows


def cells(panels: int, drawn: int, designs: tuple[str, ...] = ("five", "traffic")) -> list[Chunk]:
    """All worlds: `panels` of each with known timing, `drawn` of each with drawn timing."""
    worlds = [World(s, path, phi) for s in SYNERGIES for path in SHAPES for phi in PHIS]
    none = [world for world in worlds if world.synergy == 0]
    whole = [Chunk("nine", world, True, 0, panels) for world in worlds]
    whole += [Chunk("nine", world, False, 0, drawn) for world in worlds]
    whole += [Chunk(design, world, True, 0, panels) for design in designs for world in none]
    plain = World(0.0, "constant", 0.0)
    whole += [Chunk("nine", plain, known, 0, drawn, misprint=True) for known in (True, False)]
    return [
        replace(part, start=start, size=min(CHUNK, part.size - start))
        for part in whole
        for start in range(0, part.size, CHUNK)
    ]


def measure(chunks: list[Chunk]) -> pd.DataFrame:
    """Rows of all chunks."""
    begin, left = time.perf_counter(), iter(range(len(chunks) - 1, -1, -1))

    def done(chunk: Chunk) -> None:
        if (rest := next(left)) % 20 == 0 and len(chunks) > 20:
            sys.stderr.write(f"{time.perf_counter() - begin:6.0f} s {rest:5d} left\n")

    return pd.DataFrame([row for found in map_fits(run, chunks, done=done) for row in found])


def main() -> None:
    """Write docs/calibration-published.md."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--panels", type=int, default=200, help="a world, known timing")
    parser.add_argument("--drawn", type=int, default=60, help="a world, drawn timing")
    parser.add_argument("--workers", type=int, default=None)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "calibration-published.md")
    options = parser.parse_args()
    quiet()
    begin = time.perf_counter()
    real, prints = traffic_rows(), traffic_prints()
    with process_pool(options.workers):
        frame = measure(cells(options.panels, options.drawn))
    common = setting("nine", True)
    steps = causes(common.columns, common.truths[0], common.laid, options.panels)
    text = replaced(write_report(frame, real, prints, steps), section(single_effects()))
    options.out.write_text(text, encoding="utf-8")
    update(published_facts(text))
    sys.stdout.write(f"{options.out}: {time.perf_counter() - begin:.0f} s\n")


if __name__ == "__main__":
    main()
