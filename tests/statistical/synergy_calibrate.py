"""Is the headline calibrated? Panels with a known synergy, the headline and the models beside it.

``make calibrate-synergy`` writes docs/validity.md; the tests run a small version. Every panel is a
file of its own run: a second run goes on where the first was stopped.
"""

from __future__ import annotations

import argparse
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "families"))

from made import make_panel, make_study
from synergy_worlds import WORLDS, make
from validity_facts import synergy_facts, update

from bayesdid.digest import digest, environment_digest
from bayesdid.estimands.names import SUM
from bayesdid.estimands.synergy import HEADLINE, synergy
from bayesdid.estimands.verdict import SURE
from bayesdid.exceptions import ResultError
from bayesdid.inference.executor import item_seed, map_fits, process_pool
from bayesdid.jsonio import read_sealed, write_sealed
from bayesdid.logs import quiet

UNITS, PERIODS, DRAWS = 120, 12, 250
STUDY = make_study(columns=[{"id": "o", "outcome": "y", "family": "overlap"}])


def run(item: tuple[str, int]) -> list[dict[str, object]]:
    """One row for each model of the sum of singles: its interval and claim."""
    name, number = item
    world, seed = WORLDS[name], item_seed(0, *item)
    frame, adoption = make(world, seed, N=UNITS, T=PERIODS)
    panel = make_panel(frame, adoption)
    head = {"world": name, "panel": number, "truth": world.synergy}
    try:
        found = synergy(STUDY, panel, draws=DRAWS, seed=seed)
    except ResultError:
        return [{**head, "model": HEADLINE, "converged": False}]
    if SUM not in found:
        return [{**head, "model": HEADLINE, "converged": True, "refused": True}]
    return [
        {
            **head,
            "model": model,
            "converged": True,
            "refused": False,
            "mean": says.mean,
            "sd": says.sd,
            "low": says.interval.low,
            "high": says.interval.high,
            "p": says.p_claim,
        }
        for model, says in found[SUM].models.items()
    ]


def stored(item: tuple[str, int], folder: Path) -> list[dict[str, object]]:
    """The rows of a panel, from its file if there is one of this code."""
    sources = [Path(__file__).with_name(name).read_bytes() for name in ("synergy_worlds.py",)]
    key = digest(item, DRAWS, environment_digest(), *sources)[:16]
    path = folder / f"{item[0].replace(' ', '_').replace(',', '')}-{item[1]}-{key}.json"
    try:
        return read_sealed(path)
    except (FileNotFoundError, ValueError):
        return write_sealed(path, run(item))


def measure(items: list[tuple[str, int]], folder: Path | None = None) -> pd.DataFrame:
    """Rows of all panels."""
    begin, left = time.perf_counter(), iter(range(len(items) - 1, -1, -1))

    def done(item: tuple[str, int]) -> None:
        if folder is not None:
            took = time.perf_counter() - begin
            sys.stderr.write(f"{took:6.0f} s {next(left):5d} left {item[0]}\n")

    rows = map_fits(run if folder is None else partial(stored, folder=folder), items, done=done)
    return pd.DataFrame([row for found in rows for row in found])


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """By world and model: coverage, bias, root mean squared error, sd, false verdicts."""
    used = frame[frame["converged"].astype(bool) & ~frame["refused"].fillna(False).astype(bool)]
    error = used["mean"] - used["truth"]
    # a lower outcome is better: "supported" is false unless the synergy is negative
    false_for = (used["p"] >= SURE) & (used["truth"] >= 0)
    false_against = (used["p"] <= 1 - SURE) & (used["truth"] <= 0)
    scored = used.assign(
        covers=(used["low"] <= used["truth"]) & (used["truth"] <= used["high"]),
        error=error,
        square=error**2,
        false_for=false_for,
        false_against=false_against,
    )
    by = scored.groupby(["world", "model"], sort=False)
    found = by.agg(
        panels=("panel", "size"),
        coverage=("covers", "mean"),
        bias=("error", "mean"),
        rmse=("square", lambda v: float(np.sqrt(v.mean()))),
        sd=("sd", "mean"),
        supported=("false_for", "mean"),
        contradicted=("false_against", "mean"),
    )
    return found.reset_index()


def report(frame: pd.DataFrame, panels: int) -> str:
    """The document."""
    found = table(frame)
    lost = int((~frame["converged"].astype(bool)).sum())
    refused = int(frame["refused"].fillna(False).astype(bool).sum())
    band = 1.96 * np.sqrt(0.89 * 0.11 / panels)
    lines = [
        "# Is the headline calibrated?",
        "",
        "Written by `make calibrate-synergy`. Panels of "
        f"{UNITS} units and {PERIODS} periods with two overlapping staggered policies and a known "
        f"departure of the joint state from the sum of the singles; {panels} a world. For each "
        "model: how often its 89 % interval holds the truth (Monte Carlo band plus or minus "
        f"{band:.3f}), bias, root mean squared error, mean posterior sd, and the share of panels "
        "with a probability of the claim of at least 0.95 where the truth is not a synergy (false "
        "for), or at most 0.05 where it is not its opposite (false against). Wanted of the "
        "headline in worlds that it names: coverage 0.85 to 0.93, false verdicts at most 0.05. A "
        "star marks what is outside by more than Monte Carlo error.",
        "",
        f"{lost} fits did not converge and are left out; in {refused} panels no row under both was "
        "identified.",
        "",
        "| world | named | model | coverage | bias | rmse | sd | false for | false against |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in found.to_dict("records"):
        named = WORLDS[row["world"]].named
        low, high = 0.85 - band, 0.93 + band
        star = " *" if not low <= row["coverage"] <= high else ""
        tail = 0.05 + 1.96 * np.sqrt(0.05 * 0.95 / row["panels"])
        marks = [" *" if row[name] > tail else "" for name in ("supported", "contradicted")]
        lines.append(
            f"| {row['world']} | {'yes' if named else 'no'} | {row['model']} | "
            f"{row['coverage']:.3f}{star} | {row['bias']:+.3f} | {row['rmse']:.3f} | "
            f"{row['sd']:.3f} | {row['supported']:.3f}{marks[0]} | "
            f"{row['contradicted']:.3f}{marks[1]} |"
        )
    return "\n".join([*lines, ""])


def main() -> None:
    """Write docs/validity.md."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--panels", type=int, default=200, help="a world")
    parser.add_argument("--workers", type=int, default=None)
    parser.add_argument("--folder", type=Path, default=Path("reports/calibration-synergy"))
    parser.add_argument("--out", type=Path, default=Path("docs/validity.md"))
    options = parser.parse_args()
    quiet()
    begin = time.perf_counter()
    items = [(name, k) for k in range(options.panels) for name in WORLDS]
    with process_pool(options.workers):
        frame = measure(items, options.folder)
    text = report(frame, options.panels)
    options.out.write_text(text, encoding="utf-8")
    update(synergy_facts(text))
    sys.stdout.write(f"{options.out}: {time.perf_counter() - begin:.0f} s\n")


if __name__ == "__main__":
    main()
