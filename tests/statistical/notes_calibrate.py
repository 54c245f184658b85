"""How often do the notes on rows beside a posterior appear, where nothing is wrong and where it is?

``make calibrate-notes`` writes docs/calibration-notes.md; the tests run small versions. Two notes
compare a posterior with least squares or quasi-likelihood beside it:

1. that it is more than three standard errors of the difference away (Hausman 1978): laws that
   never were on real panels, simulated errors of many kinds, then effects that the two weigh
   unlike, and laws that follow a trend;
2. that counts vary 1.5 times as much as their distribution allows: Poisson ones, then negative
   binomial ones of the same means.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent))

from error_worlds import EFFECT, REAL, panel_design, placebo_law, real, world_errors
from panel_rows import rows_of

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.inference.exact.quasi import DISPERSED, working
from bayesdid.inference.executor import item_seed, process_pool
from bayesdid.inference.fit import fit_model
from bayesdid.inference.registry import Size
from bayesdid.inference.standing import APART
from bayesdid.logs import quiet
from bayesdid.model.bound import model as bind
from bayesdid.model.likelihood import Likelihood

DOCUMENT = Path(__file__).parents[2] / "docs" / "calibration-notes.md"
UNITS, PERIODS = 48, 10  # of simulated panels
DRAWS, CHAINS = 500, 2
RIGHT, WRONG = "nothing is wrong", "something is wrong"
FAR, DISPERSION = "far from least squares", "counts vary more"

# world of errors that the model names -> what is said of it
CONSTANT = {
    "ar .6": "simulated: AR(1) errors",
    "hetero ar .6": "simulated: AR(1) errors, unit sds",
    "rw + noise": "simulated: random walks and noise",
    "spatial ar .6": "simulated: neighbours' errors correlate",
}
UNLIKE = {
    "noisy units": "noisier units have an effect of 2 sds of their errors, others none",
    "fades": "the effect of 1 fades to nothing in three periods",
    "trends": "treated units have trends of .15 a period of their own",
    "shifts": "the level of treated units falls by 1 in the period before adoption",
}
# counts a row on average -> variance of a negative binomial one over its mean
COUNTS = {(mean, ratio) for mean in (1, 5, 50) for ratio in (1.0, 1.25, 1.5, 2.0, 3.0)}

Item = tuple[str, str, int]
"""Note, world and number of a panel."""


def cells(panels: int, counts: int) -> list[Item]:
    """All panels: so many of each world, and of each kind of counts."""
    worlds = [*REAL, *CONSTANT, *UNLIKE]
    found = [(FAR, world, k) for k in range(panels) for world in worlds]
    kinds = [f"{mean} {ratio}" for mean, ratio in sorted(COUNTS)]
    return found + [(DISPERSION, kind, k) for k in range(counts) for kind in kinds]


def far_panel(world: str, rng: np.random.Generator) -> Design:
    """A panel and a law that half of its units adopt."""
    if world in REAL:
        Y = real(world)
        return panel_design(Y, placebo_law(*Y.shape, len(Y) // 2, rng))
    N, T = UNITS, PERIODS
    D = placebo_law(N, T, N // 2, rng)
    if world in CONSTANT:
        return panel_design(EFFECT * D + world_errors(world, N, T, rng), D)
    scale = np.exp(0.8 * rng.standard_normal((N, 1)))
    errors = world_errors("ar .6", N, T, rng) * (scale if world == "noisy units" else 0.6)
    age = np.cumsum(D, axis=1)  # 1 in the period of adoption
    adopter = age[:, -1:] > 0
    match world:
        case "noisy units":
            effect = 2 * scale * (scale > 1) * D
        case "fades":
            effect = np.where((age > 0) & (age <= 3), 1 - (age - 1) / 3, 0.0)
        case "trends":
            effect = 0.15 * np.arange(T) * adopter
        case _:
            effect = -1.0 * (np.column_stack([D[:, 1:], D[:, -1]]) > 0)
    return panel_design(errors + effect, D)


def is_far(design: Design, seed: int, errors: str | None = None) -> bool:
    """Whether the note appears under the default errors, or those of a name."""
    model = bind(design, **({} if errors is None else {"errors": errors})).model
    fit = fit_model(model, design, size=Size(DRAWS, chains=CHAINS, cores=1, seed=seed))
    return any(note.name == "unlike_least_squares" for note in fit.beside_notes)


def counted(mean: float, ratio: float, rng: np.random.Generator) -> FloatArray:
    """Counts of units and periods with effects, shape (N, T); `ratio` is variance over mean."""
    level = 0.5 * rng.standard_normal((UNITS, 1)) + 0.1 * rng.standard_normal(PERIODS)
    means = mean * np.exp(level)
    if ratio > 1:
        means = rng.gamma(means / (ratio - 1), ratio - 1)
    return np.asarray(rng.poisson(means), dtype=np.float64)


def is_dispersed(world: str, rng: np.random.Generator) -> bool:
    """Whether the note on counts appears."""
    mean, ratio = map(float, world.split())
    design = panel_design(counted(mean, ratio, rng), placebo_law(UNITS, PERIODS, UNITS // 2, rng))
    return working(design, Likelihood("poisson")).note(Likelihood("poisson")) is not None


def run(item: Item) -> list[dict[str, object]]:
    """Whether the note appears in one panel."""
    note, world, number = item
    seed = item_seed(0, note, world, number)
    rng = np.random.default_rng(seed)
    said = is_dispersed(world, rng) if note == DISPERSION else is_far(far_panel(world, rng), seed)
    return [{"note": note, "world": world, "panel": number, "said": said}]


def page(rows: pd.DataFrame) -> str:
    """The document, from the rows of all panels."""
    share = rows.groupby(["note", "world"])["said"].mean()
    panels = rows.groupby(["note", "world"]).size()
    far, kinds = panels[FAR].min(), panels[DISPERSION].min()
    right = share[FAR][[*REAL, *CONSTANT]].mean()
    wrong = 100 * share[FAR][[*UNLIKE]]
    least, most = wrong.min(), wrong.max()
    said = {name: f"laws that never were on `{name}`" for name in REAL} | CONSTANT | UNLIKE
    lines = [
        "# How often notes appear",
        "",
        "Written by `make calibrate-notes`. Notes compare a posterior with the rows that stand "
        f"beside it ([formulas](formula.md)). {far} panels of each kind under the default errors, "
        f"{UNITS} units and {PERIODS} periods where they are simulated, half of the units treated; "
        f"{kinds} panels of each kind of counts.",
        "",
        f"## More than {APART:g} standard errors from least squares",
        "",
        f"Where nothing is wrong it appears in {100 * right:.1f} % of "
        f"{far * len([*REAL, *CONSTANT])} panels. Where effects differ between noisy "
        "and precise units, or over time, and where treated units have trends or see what comes, "
        f"the default errors and least squares weigh rows unlike: it appears in {least:.0f} to "
        f"{most:.0f} % of these panels, and its absence is no proof of either.",
        "",
        f"| panels | {RIGHT} | {WRONG} |",
        "|---|---|---|",
        *(
            f"| {said[world]} | {share[FAR, world]:.2f} | |"
            if world not in UNLIKE
            else f"| {said[world]} | | {share[FAR, world]:.2f} |"
            for world in said
        ),
        "",
        f"## Counts that vary {DISPERSED:g} times as much as Poisson ones",
        "",
        "Share of panels with the note, by counts a row on average and the ratio of their variance "
        "to their mean. A posterior is too narrow by the root of that ratio, 1.12 at 1.25 and 1.41 "
        "at 2.",
        "",
        "| counts a row | " + " | ".join(f"ratio {r:g}" for r in _ratios()) + " |",
        "|" + "---|" * (len(_ratios()) + 1),
        *(
            f"| {mean:g} | "
            + " | ".join(f"{share[DISPERSION, f'{mean} {ratio}']:.2f}" for ratio in _ratios())
            + " |"
            for mean in sorted({mean for mean, _ in COUNTS})
        ),
    ]
    return "\n".join([*lines, ""])


def _ratios() -> list[float]:
    return sorted({ratio for _, ratio in COUNTS})


def main() -> None:
    """Write docs/calibration-notes.md."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--panels", type=int, default=100, help="of each world")
    parser.add_argument("--counts", type=int, default=200, help="of each kind of counts")
    parser.add_argument("--workers", type=int, default=None)
    parser.add_argument("--folder", type=Path, default=Path("reports/calibration-notes"))
    options = parser.parse_args()
    quiet()
    begin = time.perf_counter()
    with process_pool(options.workers):
        items = cells(options.panels, options.counts)
        sources = ("error_worlds.py", "notes_calibrate.py")
        rows = rows_of(items, run, options.folder, (DRAWS, CHAINS), sources)
    DOCUMENT.write_text(page(rows), encoding="utf-8")
    sys.stdout.write(f"{DOCUMENT}: {time.perf_counter() - begin:.0f} s\n")


if __name__ == "__main__":
    main()
