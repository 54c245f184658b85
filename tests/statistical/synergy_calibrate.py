"""Is the headline calibrated? Panels with a known synergy, the headline and the models beside it.

``make calibrate-synergy`` writes docs/validity.md; the tests run a small version. Every panel is a
file of its own run: a second run goes on where the first was stopped.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "families"))

import synergy_griffin as griffin
from made import make_panel, make_study
from panel_rows import rows_of
from scores import told
from synergy_peers import callaway_santanna, oracle
from synergy_report import ALLOWED, CALLAWAY, ORACLE, report
from synergy_worlds import DRIFT, WORLDS, Made, World, make
from validity_facts import synergy_facts, update
from validity_sections import with_sections_of

from bayesdid.estimands.beside import HEADLINE
from bayesdid.estimands.gls import Scalars, gls
from bayesdid.estimands.names import SUM
from bayesdid.estimands.row_weights import contrast_weights
from bayesdid.estimands.synergy import Synergy, synergy
from bayesdid.estimands.trends import linear_trends, posterior_under
from bayesdid.exceptions import ResultError
from bayesdid.inference.executor import item_seed, process_pool
from bayesdid.logs import quiet
from bayesdid.model.overlap import overlap_pooling
from bayesdid.summary import normal_interval

UNITS, PERIODS, DRAWS, CHAINS = 120, 12, 1000, 2
STUDY = make_study(columns=[{"id": "o", "outcome": "y", "family": "overlap"}])
ONE_PATH = ("constant", "growing", "fading")  # worlds that differ in this alone, and their paths
SOURCES = ("synergy_worlds.py", "synergy_peers.py", "synergy_griffin.py")


def run(item: tuple[str, int]) -> list[dict[str, object]]:
    """One row for each model of the sum of singles: its interval and claim."""
    name, number = item
    world, seed = WORLDS[name], item_seed(0, *item)
    made, found, rows = _answer(world, seed, {"world": name, "panel": number})
    if found is None:
        return rows
    head = {key: rows[0][key] for key in ("world", "panel", "truth", "converged", "refused")}
    others = {ALLOWED: _trends_allowed(found)}
    q = contrast_weights(SUM, found.rows, found.averages[SUM])
    assert q is not None
    if (peer := callaway_santanna(found.rows, q)) is not None:
        others[CALLAWAY] = peer
    if world.named:
        design = found.rows.design
        unit, period = design.units[design.unit_index], design.periods[design.period_index]
        paths = made.paths[:, unit, period - 1].T
        others[ORACLE] = oracle(found.rows, paths, made.scales[design.units], world.phi)
    for model, (mean, sd) in others.items():
        end = normal_interval(mean, sd)
        p = float(_below_zero(mean, sd))
        ends = {"low": end.low, "high": end.high}
        rows.append({**head, "model": model, "mean": mean, "sd": sd, **ends, "p": p})
    return rows


def run_path(item: tuple[str, int, str]) -> list[dict[str, object]]:
    """The headline on errors and adoptions of a panel whose single effects take another path."""
    name, number, path = item
    world, seed = replace(WORLDS[name], path=path), item_seed(0, name, number)
    _, _, rows = _answer(world, seed, {"world": name, "panel": number, "path": path})
    return [row for row in rows if row["model"] == HEADLINE]


def _answer(
    world: World, seed: int, head: dict[str, object]
) -> tuple[Made, Synergy | None, list[dict[str, object]]]:
    """A panel, its synergy if there is one, and a row for each model that it says."""
    made = make(world, seed, N=UNITS, T=PERIODS)
    panel = make_panel(made.frame, made.adoption)
    head = {**head, "truth": world.synergy}
    try:
        found = synergy(STUDY, panel, draws=DRAWS, chains=CHAINS, seed=seed)
    except ResultError:
        return made, None, [{**head, "model": HEADLINE, "converged": False}]
    if SUM not in found:
        return made, None, [{**head, "model": HEADLINE, "converged": True, "refused": True}]
    head |= {"converged": True, "refused": False}
    rows: list[dict[str, object]] = [
        {**head, "model": model, **told(says)} for model, says in found[SUM].models.items()
    ]
    return made, found, rows


def _trends_allowed(found: Synergy) -> tuple[float, float]:
    """Mean and sd where trends of the arms may differ by slopes of the sd of the drift world."""
    pooling = overlap_pooling(found.rows)
    fitted = gls(pooling, Scalars.of(found.fit.tree, pooling.design))
    item, weights = found[SUM], found.averages[SUM].parts[0]
    B, K = linear_trends(found.rows)
    return posterior_under(fitted, weights, B, K, item.mean, item.sd)(abs(DRIFT))


def _below_zero(mean: float, sd: float) -> float:
    from scipy.stats import norm

    return float(norm.cdf(-mean / sd))


def measure(
    items: list[tuple[str, int]] | list[tuple[str, int, int]] | list[tuple[str, int, str]],
    folder: Path | None = None,
    make_rows: Callable[..., list[dict[str, object]]] = run,
) -> pd.DataFrame:
    """Rows of all panels."""
    return rows_of(items, make_rows, folder, (DRAWS, CHAINS), SOURCES)


def crossed(panels: int) -> list[tuple[str, int, str]]:
    """Panels of each world of a path alone, under every other path."""
    pairs = [(name, path) for name in ONE_PATH for path in ONE_PATH if path != name]
    return [(name, k, path) for k in range(panels) for name, path in pairs]


def main() -> None:
    """Write docs/validity.md."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--panels", type=int, default=200, help="a world")
    parser.add_argument("--griffin", type=int, default=60, help="panels a gap and design")
    parser.add_argument("--paths", type=int, default=100, help="panels under each other's paths")
    parser.add_argument("--workers", type=int, default=None)
    parser.add_argument("--folder", type=Path, default=Path("reports/calibration-synergy"))
    parser.add_argument("--out", type=Path, default=Path("docs/validity.md"))
    options = parser.parse_args()
    quiet()
    begin = time.perf_counter()
    worlds = [(name, k) for k in range(options.panels) for name in WORLDS]
    states = [
        (design, gap, k)
        for k in range(options.griffin)
        for design in griffin.DESIGNS
        for gap in griffin.GAPS
    ]
    with process_pool(options.workers):
        found = measure(worlds, options.folder)
        also = measure(states, options.folder, griffin.run)
        others = measure(crossed(options.paths), options.folder, run_path)
    own = found[(found["model"] == HEADLINE) & found["world"].isin(ONE_PATH)]
    own = own[own["panel"] < options.paths].assign(path=own["world"])
    paths = pd.concat([own, others]) if options.paths else own
    text = report(found, griffin.table(also), also, paths)
    before = options.out.read_text(encoding="utf-8") if options.out.exists() else ""
    text = with_sections_of(text, before)
    options.out.write_text(text, encoding="utf-8")
    update(synergy_facts(text))
    sys.stdout.write(f"{options.out}: {time.perf_counter() - begin:.0f} s\n")


if __name__ == "__main__":
    main()
