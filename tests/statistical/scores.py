"""Scores of simulated panels, and the tables that the documents of calibrations make of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from bayesdid.estimands.beside import ModelSays
from bayesdid.estimands.verdict import SURE

LOW, HIGH, FALSE = 0.85, 0.93, 0.05  # wanted of a headline: coverage, false verdicts
LEVEL = 0.89


def told(says: ModelSays) -> dict[str, float]:
    """What a model says of a contrast, as columns of a row."""
    low, high = says.interval.low, says.interval.high
    return {"mean": says.mean, "sd": says.sd, "low": low, "high": high, "p": says.p_claim}


def judged(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with their error and false verdicts; the claim is that the truth is negative."""
    error = rows["mean"] - rows["truth"]
    return rows.assign(
        covers=(rows["low"] <= rows["truth"]) & (rows["truth"] <= rows["high"]),
        error=error,
        square=error**2,
        false_for=(rows["p"] >= SURE) & (rows["truth"] >= 0),
        false_against=(rows["p"] <= 1 - SURE) & (rows["truth"] <= 0),
    )


def averaged(
    rows: pd.DataFrame, by: list[str], false_for: str = "false_for", against: str = "false_against"
) -> pd.DataFrame:
    """Coverage, bias, root mean squared error, sd and false verdicts of judged rows.

    Parameters
    ----------
    false_for, against
        Names of the columns of false verdicts.
    """
    found = rows.groupby(by, sort=False).agg(
        panels=("panel", "size"),
        truth=("truth", "mean"),
        coverage=("covers", "mean"),
        bias=("error", "mean"),
        rmse=("square", lambda v: float(np.sqrt(v.mean()))),
        sd=("sd", "mean"),
        **{false_for: ("false_for", "mean"), against: ("false_against", "mean")},
    )
    return found.reset_index()


def matrix(
    found: pd.DataFrame,
    worlds: Iterable[str],
    models: Mapping[str, str],
    what: str,
    title: str,
    text: str,
) -> list[str]:
    """A table of worlds by models.

    Parameters
    ----------
    models
        Model -> its heading; those without a row are left out.
    what
        A column of :func:`averaged`.
    """
    models = {model: name for model, name in models.items() if (found["model"] == model).any()}
    lines = [f"## {title}, beside other models", "", text, ""]
    lines.append("| world | " + " | ".join(models.values()) + " |")
    lines.append("|" + "---|" * (1 + len(models)))
    by = found.set_index(["world", "model"])
    for world in worlds:
        cells = []
        for model in models:
            if (world, model) not in by.index:
                cells.append("–")
                continue
            row = by.loc[(world, model)]
            value, panels = float(row[what]), int(row["panels"])
            if what == "bias":
                cells.append(f"{value:+.3f}")
            else:
                mark = cover_mark if what == "coverage" else false_mark
                cells.append(f"{value:.3f}{mark(value, panels)}")
        lines.append(f"| {world} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def bias_error(row: Mapping[str, float]) -> float:
    """Monte Carlo error of a bias."""
    return float(np.sqrt(max(row["rmse"] ** 2 - row["bias"] ** 2, 0.0) / row["panels"]))


def band(p: float, panels: int) -> float:
    """Half-width of the 95 % Monte Carlo band of a share."""
    return float(1.96 * np.sqrt(p * (1 - p) / max(panels, 1)))


def cover_mark(value: float, panels: int) -> str:
    """A star beside a coverage that is outside the wanted range by more than Monte Carlo error."""
    error = band(LEVEL, panels)
    return "" if LOW - error <= value <= HIGH + error else " *"


def false_mark(value: float, panels: int) -> str:
    """A star beside a share of false verdicts above what is wanted by more than that error."""
    return " *" if value > FALSE + band(FALSE, panels) else ""
