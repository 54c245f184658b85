"""How wrong does the headline get in worlds that nothing in it, and no check, was made for?

``make calibrate-unforeseen`` writes a section of docs/validity.md. Each world is a panel of
:mod:`synergy_worlds`, growing effects under AR(1) errors and no synergy, with one thing added.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "families"))

from made import make_panel, make_study
from panel_rows import rows_of
from scores import averaged, bias_error, cover_mark, false_mark, judged, told
from synergy_worlds import SIZE, WORLDS, Made, make
from validity_facts import ROOT, SYNERGY, synergy_facts, update
from validity_sections import UNFORESEEN, with_section

from bayesdid.arrays import FloatArray
from bayesdid.estimands.beside import CELLS_CLUSTERED, HEADLINE
from bayesdid.estimands.names import SUM
from bayesdid.estimands.synergy import synergy
from bayesdid.exceptions import ResultError
from bayesdid.inference.executor import item_seed, process_pool
from bayesdid.logs import quiet

DRAWS, CHAINS = 1000, 2
STUDY = make_study(columns=[{"id": "o", "outcome": "y", "family": "overlap"}])
WORD = "the word on the page"


@dataclass(frozen=True)
class Grid:
    """A balanced panel as arrays, and what is added to its outcome and to its synergy.

    Attributes
    ----------
    period
        Shape (T,), from 1.
    start
        Adoption periods, inf for never, (N, 2).
    paths
        Shape of each policy's effect, (2, N, T).
    scales
        Of the units' errors, (N, 1).
    """

    period: FloatArray
    start: FloatArray
    paths: FloatArray
    scales: FloatArray

    @property
    def second(self) -> FloatArray:
        """Period of the second adoption, (N, 1), inf for none."""
        return self.start.max(axis=1)[:, None]

    @property
    def first(self) -> FloatArray:
        """Period of the first adoption, (N, 1), inf for none."""
        return self.start.min(axis=1)[:, None]


Added = Callable[[Grid, np.random.Generator], FloatArray]


def _nothing(grid: Grid, rng: np.random.Generator) -> FloatArray:
    del rng
    return np.zeros(grid.paths[0].shape)


def _departure(grid: Grid, rng: np.random.Generator) -> FloatArray:
    del rng
    age = grid.period - grid.second
    return np.where(age >= 0, -0.1 * (np.where(age >= 0, age, 0.0) + 1), 0.0)


def _trends(grid: Grid, rng: np.random.Generator) -> FloatArray:
    slopes = 0.05 * rng.standard_normal((len(grid.start), 1))
    return slopes * (grid.period - grid.period.mean())


def _dip(grid: Grid, rng: np.random.Generator) -> FloatArray:
    del rng
    return 0.5 * (grid.period == grid.first - 1)


def _slow(grid: Grid, rng: np.random.Generator) -> FloatArray:
    z = rng.standard_normal(grid.paths[0].shape)
    for t in range(1, z.shape[1]):
        z[:, t] = 0.95 * z[:, t - 1] + np.sqrt(1 - 0.95**2) * z[:, t]
    return grid.scales * z


def _louder(grid: Grid, rng: np.random.Generator) -> FloatArray:
    noise = rng.standard_normal(grid.paths[0].shape)
    return 1.5 * grid.scales * noise * grid.period / len(grid.period)


def _skewed(grid: Grid, rng: np.random.Generator) -> FloatArray:
    return 1.5 * grid.scales * (rng.standard_exponential(grid.paths[0].shape) - 1)


def _proportional(grid: Grid, rng: np.random.Generator) -> FloatArray:
    size = np.exp(0.5 * rng.standard_normal((len(grid.start), 1)) - 0.125)
    return (size - 1) * np.tensordot(SIZE, grid.paths, axes=1)


def _selected(grid: Grid, rng: np.random.Generator) -> FloatArray:
    del rng
    return 0.5 * np.isfinite(grid.second) * np.tensordot(SIZE, grid.paths, axes=1)


@dataclass(frozen=True)
class Unforeseen:
    """What is added to a panel, and its size."""

    added: Added
    what: str
    departs: bool = False
    units: int = 120
    periods: int = 12


WORLDS_BESIDE: dict[str, Unforeseen] = {
    "synergy that grows": Unforeseen(
        _departure, "-.1 more in each period under both", departs=True
    ),
    "trends of units": Unforeseen(_trends, "a line for each unit, slopes of sd .05 a period"),
    "a bad period before adoption": Unforeseen(_dip, ".5 in the period before the first adoption"),
    "errors with a long memory": Unforeseen(_slow, "a second AR(1) error of as large a scale, .95"),
    "errors that grow": Unforeseen(_louder, "noise of up to 1.5 scales, in proportion to time"),
    "skewed noise": Unforeseen(_skewed, "exponential noise of 1.5 scales"),
    "units that respond more to both": Unforeseen(
        _proportional, "both effects times a log-normal size of the unit, sd .5 of its log"
    ),
    "larger effects in units of both": Unforeseen(
        _selected, "single effects half as large again in units that adopt both"
    ),
    "40 units, 16 periods": Unforeseen(
        _nothing, "nothing: the other panels have 120 and 12", units=40, periods=16
    ),
}


def panel_of(world: Unforeseen, seed: int) -> tuple[Made, pd.Series]:
    """A panel, and the departure from the sum of singles in each of its rows."""
    made = make(WORLDS["growing"], seed, N=world.units, T=world.periods)
    rng = np.random.default_rng(item_seed(1, seed))
    start = made.adoption.fillna(np.inf).to_numpy(float)
    period = np.arange(1.0, world.periods + 1)
    added = world.added(Grid(period, start, made.paths, made.scales[:, None]), rng)
    frame = made.frame.assign(y=made.frame["y"] + added.ravel())
    departs = added.ravel() if world.departs else np.zeros(len(frame))
    index = pd.MultiIndex.from_frame(frame[["unit", "period"]])
    return replace(made, frame=frame), pd.Series(departs, index)


def run(item: tuple[str, int]) -> list[dict[str, object]]:
    """What the headline, clustered cells and the word say, with the truth at the rows averaged."""
    name, number = item
    seed = item_seed(0, *item)
    made, departs = panel_of(WORLDS_BESIDE[name], seed)
    try:
        panel = make_panel(made.frame, made.adoption)
        found = synergy(STUDY, panel, draws=DRAWS, chains=CHAINS, seed=seed)
    except ResultError:
        return []
    if SUM not in found:
        return []
    said, rows = found[SUM], found[SUM].rows
    at = pd.MultiIndex.from_frame(rows[["unit", "period"]])
    truth = float(np.average(departs.loc[at], weights=rows["weight"]))
    head = {"world": name, "panel": number, "truth": truth, "word": said.word}
    return [
        {**head, "model": model, **told(said.models[model])}
        for model in (HEADLINE, CELLS_CLUSTERED)
        if model in said.models
    ]


def section(rows: pd.DataFrame) -> str:
    """The section of docs/validity.md."""
    by = judged(rows)
    found = averaged(by, ["world", "model"]).set_index(["world", "model"])
    main = by[by["model"] == HEADLINE]
    wrong = {
        "supported": (main["word"] == "supported") & (main["truth"] >= 0),
        "contradicted": (main["word"] == "contradicted") & (main["truth"] <= 0),
    }
    words = pd.DataFrame(wrong).groupby(main["world"]).mean()
    lines = [
        UNFORESEEN,
        "",
        "Written by `make calibrate-unforeseen`: panels of growing effects, AR(1) errors and no "
        "synergy as above, with one thing added that neither the headline nor a check of it was "
        f"made for; {int(found['panels'].max())} a world. Where the synergy itself moves, the "
        "truth of a panel is its average over the rows that the estimate averages over. False "
        "words: the word that the page has, after all models and checks that count, is "
        "“supported” or “contradicted” where that is false.",
        "",
        "| world | added | truth | coverage | bias | rmse | sd | false for | false against "
        "| coverage, clustered cells | “supported”, falsely | “contradicted”, falsely |",
        "|" + "---|" * 12,
    ]
    for world in dict.fromkeys(main["world"]):
        row = found.loc[(world, HEADLINE)]
        n = int(row["panels"])
        cells = [world, WORLDS_BESIDE[world].what, f"{row['truth']:+.2f}"]
        cells += [f"{row['coverage']:.3f}{cover_mark(row['coverage'], n)}"]
        cells += [f"{row['bias']:+.3f} ({bias_error(row):.3f})"]
        cells += [f"{row[name]:.3f}" for name in ("rmse", "sd")]
        cells += [
            f"{row[name]:.3f}{false_mark(row[name], n)}" for name in ("false_for", "false_against")
        ]
        other = found.loc[(world, CELLS_CLUSTERED)]["coverage"]
        cells += [f"{other:.3f}{cover_mark(other, n)}"]
        cells += [f"{words.loc[world, name]:.3f}" for name in ("supported", "contradicted")]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def main() -> None:
    """Write the section."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--panels", type=int, default=200, help="a world")
    parser.add_argument("--workers", type=int, default=None)
    parser.add_argument("--folder", type=Path, default=Path("reports/calibration-unforeseen"))
    parser.add_argument("--out", type=Path, default=ROOT / SYNERGY)
    options = parser.parse_args()
    quiet()
    begin = time.perf_counter()
    items = [(name, k) for k in range(options.panels) for name in WORLDS_BESIDE]
    own = ("synergy_worlds.py", "unforeseen_calibrate.py")
    with process_pool(options.workers):
        rows = rows_of(items, run, options.folder, (DRAWS, CHAINS), own)
    text = with_section(options.out.read_text(encoding="utf-8"), UNFORESEEN, section(rows))
    options.out.write_text(text, encoding="utf-8")
    update(synergy_facts(text))
    sys.stdout.write(f"{options.out}: {time.perf_counter() - begin:.0f} s\n")


if __name__ == "__main__":
    main()
