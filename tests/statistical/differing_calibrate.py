"""Does the headline see effects that differ between units, and is what it then says calibrated?

``make calibrate-differing`` writes a section of docs/validity.md. Coverage is given twice: counted
over panels, and exactly, *given the weights* of each fit: the estimate is linear in the outcome
given its scalars, and what its errors then are follows from the world.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import norm

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "families"))

from made import make_panel, make_study
from panel_rows import rows_of
from scores import averaged, band, cover_mark, false_mark, judged
from synergy_worlds import SIZE, WORLDS, Made, World, make
from validity_sections import DIFFERING, with_section

from bayesdid.arrays import FloatArray
from bayesdid.design.overlap import OverlapDesign
from bayesdid.estimands.differing import LIMIT
from bayesdid.estimands.gls import gls
from bayesdid.estimands.names import SUM
from bayesdid.estimands.row_weights import contrast_weights
from bayesdid.estimands.saturated import saturated_moments
from bayesdid.estimands.synergy import differences, fit_headline
from bayesdid.exceptions import ResultError
from bayesdid.inference.executor import item_seed, process_pool
from bayesdid.logs import quiet
from bayesdid.summary import hdi, normal_interval, reach

UNITS, PERIODS, DRAWS, CHAINS = 120, 12, 300, 2
STUDY = make_study(columns=[{"id": "o", "outcome": "y", "family": "overlap"}])
COMMON = (
    "growing",
    "fading",
    "growing, i.i.d. errors",
    "growing, AR .8",
    "8 dual units",
    "noise with heavy tails",
    "regional shocks",
)
DIFFER = "effects differ between units"
HALF, FEW = "growing, unit effects .2", "8 dual, effects differ"
DIFFERENT: dict[str, World] = {
    DIFFER: WORLDS[DIFFER],
    HALF: replace(WORLDS[DIFFER], unit_effects=WORLDS[DIFFER].unit_effects / 2),
    FEW: replace(WORLDS[DIFFER], dual=8),
}
ALL: dict[str, World] = {name: WORLDS[name] for name in COMMON} | DIFFERENT
MAIN, ANSWER, CLUSTERED = "pooled paths alone", "what is said", "clustered cells, if it fails"
DOCUMENT = Path(__file__).parents[2] / "docs" / "validity.md"


def run(item: tuple[str, int]) -> list[dict[str, object]]:
    """What is said of the sum of singles: by the main model, after the check, and clustered."""
    name, number = item
    world, seed = ALL[name], item_seed(0, *item)
    made = make(world, seed, N=UNITS, T=PERIODS)
    head = {"world": name, "panel": number, "truth": world.synergy}
    try:
        fitted = fit_headline(
            STUDY, make_panel(made.frame, made.adoption), draws=DRAWS, chains=CHAINS, seed=seed
        )
    except ResultError:
        return []
    if SUM not in fitted.averages:
        return []
    average, between = fitted.averages[SUM], differences(fitted, seed)
    assert between is not None
    values = average.values(SUM, fitted.tau, True)
    wide = values if between.passed else between.wider(average, SUM, fitted.tau, True)
    found = gls(fitted.pooling, fitted.scalars, priors=fitted.priors)
    error = error_given(world, made, fitted.rows, average.parts[0] @ found.loading)
    q = contrast_weights(SUM, fitted.rows, average)
    assert q is not None
    cells, _, clustered = saturated_moments(fitted.rows, {SUM: q})[SUM]
    head |= {"p_check": between.p, "fails": not between.passed, "sd_units": between.sd}
    rows: list[dict[str, object]] = []
    for model, draws in ((MAIN, values), (ANSWER, wide)):
        end, sd = hdi(draws), float(draws.std())
        one = {"mean": float(draws.mean()), "sd": sd, "low": end.low, "high": end.high}
        given = float(2 * norm.cdf(reach() * sd / error) - 1)
        rows.append({**head, "model": model, **one, "p": float((draws < 0).mean()), "given": given})
    row = dict(rows[0])
    if not between.passed:
        end = normal_interval(cells, clustered)
        row |= {"mean": cells, "sd": clustered, "low": end.low, "high": end.high}
        row |= {"p": float(norm.cdf(-cells / clustered))}
    return [*rows, row | {"model": CLUSTERED, "given": float("nan")}]


def error_given(world: World, made: Made, rows: OverlapDesign, weights: FloatArray) -> float:
    """Root mean squared error of an estimate that weighs outcomes so; of normal AR(1) errors.

    NaN where the world has other errors.
    """
    if np.isfinite(world.tails) or world.shocks:
        return float("nan")
    design = rows.design
    unit, when = design.units[design.unit_index], design.periods[design.period_index]
    means = SIZE @ made.paths[:, unit, when - 1] + world.synergy * rows.both
    square = float(weights @ means - world.synergy) ** 2
    for k in range(len(design.units)):
        mine = np.flatnonzero(design.unit_index == k)
        apart = np.abs(when[mine][:, None] - when[mine])
        own = weights[mine] * made.scales[unit[mine]]
        square += float(own @ world.phi**apart @ own)
        felt = weights[mine] @ (rows.age[mine] >= 0)
        square += float(world.unit_effects**2 * felt @ felt)
    return float(np.sqrt(square))


def section(rows: pd.DataFrame) -> str:
    """The section of docs/validity.md."""
    one = rows[rows["model"] == MAIN]
    panels = int(one.groupby("world").size().max())
    by = judged(rows)
    found = averaged(by, ["world", "model"]).set_index(["world", "model"])
    given = by.groupby(["world", "model"])["given"].mean()
    common = one[one["world"].isin(COMMON)]
    ratio = rows.pivot_table(index=["world", "panel"], columns="model", values="sd")
    wide = (ratio[ANSWER] / ratio[MAIN])[one.set_index(["world", "panel"])["fails"]]
    failing = by[by["fails"]]
    clustered = (ratio[CLUSTERED] / ratio[ANSWER])[
        one.set_index(["world", "panel"])["fails"]
    ].mean()
    lines = [
        DIFFERING,
        "",
        "Written by `make calibrate-differing`. The headline gives units of one cohort one effect; "
        "the check `differing_effects` compares how far residuals go along with the policies "
        "within units with replications of the fit, in which effects are common. Where it fails "
        f"(at {LIMIT:g}), the word, the range and what violated trends do follow a model with "
        "effects that differ between units: the same mean, and an interval wider by what such "
        "differences do to the contrast; the main model's own numbers stay where they are. "
        f"{panels} panels a world as above, {CHAINS * DRAWS} draws each; the sd between units is "
        f"{ALL[DIFFER].unit_effects:g}, half of it, and {ALL[FEW].unit_effects:g} with 8 dual "
        "units, of single effects of .5 and .4.",
        "",
        f"In the {len(COMMON)} worlds where effects are common the check fails in "
        f"{common['fails'].mean():.3f} of {len(common)} panels (plus or minus "
        f"{band(LIMIT, len(common)):.3f}), in the world of differing effects in "
        f"{one[one['world'] == DIFFER]['fails'].mean():.2f} (power), with half the sd in "
        f"{one[one['world'] == HALF]['fails'].mean():.2f}, with 8 dual units in "
        f"{one[one['world'] == FEW]['fails'].mean():.2f}. Where it fails, intervals become "
        f"{wide.min():.2f} to {wide.max():.2f} times as wide. Coverage *given the weights* is "
        "exact: what the estimate of each fit would cover over new errors and effects of units, at "
        "the weights that it has; it does not depend on the luck of the panels. The alternative "
        "that was not taken, clustered cells in the place of the headline where the check fails: "
        f"there their intervals are {clustered:.2f} times as wide as what is said, and cover "
        f"{_share(failing, CLUSTERED):.2f} against {_share(failing, ANSWER):.2f}.",
        "",
        "| world | check fails | coverage, pooled paths | given weights | coverage, what is said "
        "| given weights | coverage, clustered cells if it fails | false for, before | after "
        "| false against, before | after |",
        "|" + "---|" * 11,
    ]
    for world in dict.fromkeys(one["world"]):
        a, b, c = (found.loc[(world, model)] for model in (MAIN, ANSWER, CLUSTERED))
        cells = [f"{one[one['world'] == world]['fails'].mean():.2f}"]
        for item, model in ((a, MAIN), (b, ANSWER)):
            exact = given[(world, model)]
            cells.append(_covered(item))
            cells.append("–" if np.isnan(exact) else f"{exact:.3f}")
        cells.append(_covered(c))
        for name in ("false_for", "false_against"):
            cells += [
                f"{row[name]:.3f}{false_mark(row[name], int(row['panels']))}" for row in (a, b)
            ]
        lines.append(f"| {world} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def _share(rows: pd.DataFrame, model: str) -> float:
    return float(rows.loc[rows["model"] == model, "covers"].mean())


def _covered(row: pd.Series) -> str:
    mark = cover_mark(row["coverage"], int(row["panels"]))
    return f"{row['coverage']:.3f}{mark}"


def measure(items: list[tuple[str, int]], folder: Path | None = None) -> pd.DataFrame:
    """Rows of all panels."""
    return rows_of(items, run, folder, (DRAWS, CHAINS), ("synergy_worlds.py",))


def main() -> None:
    """Write the section."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--panels", type=int, default=100, help="a world")
    parser.add_argument("--workers", type=int, default=None)
    parser.add_argument("--folder", type=Path, default=Path("reports/calibration-differing"))
    options = parser.parse_args()
    quiet()
    begin = time.perf_counter()
    items = [(name, k) for k in range(options.panels) for name in ALL]
    with process_pool(options.workers):
        found = measure(items, options.folder)
    text = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(with_section(text, DIFFERING, section(found)), encoding="utf-8")
    sys.stdout.write(f"{DOCUMENT}: {time.perf_counter() - begin:.0f} s\n")


if __name__ == "__main__":
    main()
