"""Is the headline of three policies calibrated? Panels with known departures of pairs and of all.

``make calibrate-three`` writes docs/validity-three.md; a test runs a small version. Every panel is
a file of its own run: a second run goes on where the first was stopped.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "families"))

from made import make_panel, make_study
from panel_rows import rows_of
from scores import averaged, told
from synergy_report import scored
from three_worlds import POLICIES, WORLDS, make
from validity_facts import three_facts, update

from bayesdid.design.overlap import pairs_of
from bayesdid.estimands.beside import CELLS, CELLS_CLUSTERED, HEADLINE, IMPUTATION, STATIC
from bayesdid.estimands.names import ALL, BEYOND_PAIRS, sum_of
from bayesdid.estimands.synergy import Synergy, synergy
from bayesdid.exceptions import ResultError
from bayesdid.inference.executor import item_seed, process_pool
from bayesdid.logs import quiet
from bayesdid.summary import percent

DRAWS, CHAINS = 500, 2
STUDY = make_study(POLICIES, columns=[{"id": "o", "outcome": "y", "family": "overlap"}])
SETS = {sum_of(pair): pair for pair in pairs_of(POLICIES)}
ASKED = (ALL, *SETS, BEYOND_PAIRS)
MODELS = (HEADLINE, CELLS, CELLS_CLUSTERED, IMPUTATION, STATIC)
DOCUMENT = Path(__file__).parents[2] / "docs" / "validity-three.md"


def run(item: tuple[str, int]) -> list[dict[str, object]]:
    """One row for each contrast and model: its interval, its claim, and the truth of its rows."""
    name, number = item
    seed = item_seed(3, *item)
    made = make(WORLDS[name], seed)
    head = {"world": name, "panel": number}
    try:
        found = synergy(
            STUDY, make_panel(made.frame, made.adoption), draws=DRAWS, chains=CHAINS, seed=seed
        )
    except ResultError:
        return [{**head, "contrast": one, "model": HEADLINE, "converged": False} for one in ASKED]
    rows: list[dict[str, object]] = []
    for one in ASKED:
        about = {**head, "contrast": one, "converged": True, "refused": one not in found}
        if one not in found:
            rows.append({**about, "model": HEADLINE})
            continue
        truth = _truth(found, one, made.joint)
        rows += [
            {**about, "truth": truth, "model": model, **told(says)}
            for model, says in found[one].models.items()
            if model in MODELS
        ]
    return rows


def _truth(found: Synergy, name: str, joint: dict[tuple[str, ...], np.ndarray]) -> float:
    """The average departure over the rows of a contrast."""
    design = found.rows.design
    used = found.averages[name].rows
    unit, period = design.units[design.unit_index], design.periods[design.period_index]
    sets = [SETS[name]] if name in SETS else [s for s in joint if name == ALL or len(s) > 2]
    values = [joint[one][unit, period - 1] for one in sets if one in joint]
    return float(np.sum(values, axis=0)[used].mean()) if values else 0.0


def measure(items: list[tuple[str, int]], folder: Path | None = None) -> pd.DataFrame:
    """Rows of all panels."""
    return rows_of(items, run, folder, (DRAWS, CHAINS), ("three_worlds.py",))


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """By world, contrast and model: coverage, bias, root mean squared error, sd, false verdicts."""
    return averaged(scored(frame), ["world", "contrast", "model"])


def report(frame: pd.DataFrame) -> str:
    """The document."""
    found = table(frame)
    main = found[found["model"] == HEADLINE]
    panels = frame["panel"].nunique()
    failed = frame[~frame["converged"].astype(bool)]
    lost = len(failed[["world", "panel"]].drop_duplicates())
    refused = frame["refused"].fillna(False).astype(bool)
    total = len(frame[["world", "panel", "contrast"]].drop_duplicates())
    error = 1.96 * np.sqrt(0.89 * 0.11 / panels)
    lines = [
        "# Is the headline of three policies calibrated?",
        "",
        "Written by `make calibrate-three`. Panels of 120 units and 12 periods with three "
        "overlapping staggered policies (each adopted by 55 % of units, in one of three rounds, "
        f"independently); {panels} a world, each world with panels of its own. Errors are AR(1) "
        "(.5) with variances that differ between units. Single effects grow by a fifth "
        "of -.5, -.4 and -.3 a period; in the first world they are constant. Worlds name what "
        "pairs (a and b, a and c, b "
        "and c) and all three do beyond what their policies and smaller sets add up to; the truth "
        "of a contrast is the average over the rows that it averages over. `all - sum of singles "
        "and pairs` is the last of these alone. "
        f"{lost} fits did not converge and are left out; {int(refused.sum())} of {total} contrasts "
        "were refused since no row identified them.",
        "",
        f"Coverage is that of the {percent()} interval, with a Monte Carlo error of {error:.2f} "
        "each. False for: “supported” (P of at least .95) where the truth is none or positive; "
        "false against: “contradicted” where it is none or negative.",
        "",
        "| world | contrast | truth | coverage | bias | rmse | mean sd | false for | "
        "false against |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in main.itertuples():
        one_sided = (row.truth >= 0, row.truth <= 0)
        false = [
            f"{value:.3f}" if applies else ""
            for value, applies in zip((row.false_for, row.false_against), one_sided, strict=True)
        ]
        lines.append(
            f"| {row.world} | {row.contrast} | {row.truth:.2f} | {row.coverage:.3f} | "
            f"{row.bias:.3f} | {row.rmse:.3f} | {row.sd:.3f} | {false[0]} | {false[1]} |"
        )
    lines += [
        "",
        "## Beside it",
        "",
        "The same panels, over all worlds: mean coverage of each model, and its lowest in a world.",
        "",
        f"| contrast | {' | '.join(MODELS)} |",
        f"|---|{'---|' * len(MODELS)}",
    ]
    for name in ASKED:
        cells = []
        for model in MODELS:
            mine = found[(found["contrast"] == name) & (found["model"] == model)]["coverage"]
            cells.append(f"{mine.mean():.3f} ({mine.min():.3f})" if len(mine) else "")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write docs/validity-three.md."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--panels", type=int, default=100, help="a world")
    parser.add_argument("--workers", type=int, default=None)
    parser.add_argument("--folder", type=Path, default=Path("reports/calibration-three"))
    parser.add_argument("--out", type=Path, default=DOCUMENT)
    options = parser.parse_args()
    quiet()
    begin = time.perf_counter()
    with process_pool(options.workers):
        found = measure(
            [(name, k) for k in range(options.panels) for name in WORLDS], options.folder
        )
    text = report(found)
    options.out.write_text(text, encoding="utf-8")
    if options.out == DOCUMENT:
        update(three_facts(text))
    sys.stdout.write(f"{options.out}: {time.perf_counter() - begin:.0f} s\n")


if __name__ == "__main__":
    main()
