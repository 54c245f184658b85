"""docs/validity-single.md: what the runs of single_calibrate.py show."""

from __future__ import annotations

import numpy as np
import pandas as pd
from single_worlds import PERIODS, UNITS, WORLDS
from synergy_report import FALSE, HIGH, LOW

from bayesdid.estimands.beside import (
    CELLS,
    CELLS_CLUSTERED,
    CELLS_IID,
    COLUMNS,
    HEADLINE,
    IMPUTATION,
    STATIC,
)
from bayesdid.estimands.verdict import SURE, WORDS
from bayesdid.summary import percent

CALLAWAY = "Callaway-Sant'Anna"
EVENT = "event study, the average after adoption"
EVENT_AT = "event study, two periods after adoption"
LEVEL = 0.89
MODELS = {
    HEADLINE: HEADLINE,
    CELLS: CELLS,
    CELLS_CLUSTERED: CELLS_CLUSTERED,
    CELLS_IID: CELLS_IID,
    IMPUTATION: IMPUTATION,
    CALLAWAY: CALLAWAY,
    STATIC: "TWFE, default errors",
    COLUMNS: "TWFE, least squares, clustered",
    EVENT: EVENT,
    EVENT_AT: EVENT_AT,
}
_UNDECIDED = tuple(word for word in WORDS if word.startswith("undecided"))


def scored(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of converged fits, each with its error and what it claims falsely."""
    used = frame[frame["converged"].astype(bool)]
    used = used.assign(model=used["model"].str.removesuffix(", t.e"))
    error = used["mean"] - used["truth"]
    word = used["word"].fillna("")
    # the claim is that the effect is negative
    return used.assign(
        covers=(used["low"] <= used["truth"]) & (used["truth"] <= used["high"]),
        error=error,
        square=error**2,
        false_for=(used["p"] >= SURE) & (used["truth"] >= 0),
        false_against=(used["p"] <= 1 - SURE) & (used["truth"] <= 0),
        said=word,
    )


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """By world and model: coverage, bias, root mean squared error, sd, false verdicts."""
    by = scored(frame).groupby(["world", "model"], sort=False)
    found = by.agg(
        panels=("panel", "size"),
        coverage=("covers", "mean"),
        bias=("error", "mean"),
        rmse=("square", lambda v: float(np.sqrt(v.mean()))),
        sd=("sd", "mean"),
        for_=("false_for", "mean"),
        against=("false_against", "mean"),
    )
    return found.reset_index()


def words(frame: pd.DataFrame) -> pd.DataFrame:
    """World -> share of panels by the word of the answer; undecided ones together."""
    rows = scored(frame)
    answers = rows[rows["said"] != ""]
    said = answers["said"].where(~answers["said"].isin(_UNDECIDED), "undecided")
    return pd.crosstab(answers["world"], said, normalize="index")


def report(frame: pd.DataFrame, states: list[str]) -> str:
    """The document.

    Parameters
    ----------
    states
        Lines of :func:`single_griffin.section`.
    """
    found = table(frame)
    lost = int((~frame["converged"].astype(bool)).sum())
    worlds = [world for world in WORLDS if world in set(found["world"])]
    sizes = found[found["model"] == HEADLINE].set_index("world")["panels"]
    panels = int(sizes.min())
    real = [world.panel for name, world in WORLDS.items() if world.panel and name in worlds]
    lines = [
        "# Are claims about one policy calibrated?",
        "",
        f"Written by `make calibrate-single`. Panels of {UNITS} units and {PERIODS} periods with "
        "one staggered policy: half of the units adopt, or three, in four rounds; errors are AR(1) "
        "(.5 where the name of the world does not say another) with variances that differ between "
        f"units. Laws that never were stand on the last {PERIODS} periods of real panels "
        f"({', '.join(real)}), where half of the units, drawn at random, adopt at random: their "
        "effect is zero whatever the errors are, and no model names these errors. "
        f"{panels} a world at least, each world with panels of its own; {lost} fits did not "
        "converge and are left out. Every panel is put to a study with a two-way column, an event "
        "study and the claim that the policy lowers the outcome.",
        "",
        *_answer(found, worlds, panels),
        *_words(words(frame), worlds),
        *_matrix(
            found,
            worlds,
            "coverage",
            f"Coverage of {percent(LEVEL)} intervals",
            f"A star marks what is outside {LOW} to {HIGH} by more than Monte Carlo error. The "
            "effect is the average over treated rows; of the event study the average over the "
            "first five periods, or that two periods after adoption. TWFE has one coefficient for "
            "effects that may change: it is scored as what papers read it as, the average effect.",
        ),
        *_matrix(found, worlds, "bias", "Bias", "Full effects are of size 0.4."),
        *_matrix(
            found,
            worlds,
            "for_",
            "False support",
            f"Share of panels with P(negative) of at least {SURE:g} where it is not. A star marks "
            f"what is above {FALSE} by more than Monte Carlo error.",
        ),
        *_matrix(
            found,
            worlds,
            "against",
            "False contradiction",
            f"Share of panels with P(negative) of at most {1 - SURE:.2g} where the effect is "
            "negative or zero.",
        ),
        *states,
    ]
    return "\n".join([*lines, ""])


def _answer(found: pd.DataFrame, worlds: list[str], panels: int) -> list[str]:
    lines = [
        "## The answer of the page",
        "",
        f"The headline model. Coverage of its {percent(LEVEL)} interval (Monte Carlo band of "
        f"{LEVEL:g} with {panels} panels: plus or minus {_band(LEVEL, panels):.3f}), bias with its "
        "Monte Carlo error, root mean squared error, mean posterior sd, and the share of panels "
        f"with P(claim) of at least {SURE:g} where it is wrong (false for) or at most "
        f"{1 - SURE:.2g} where it is not (false against). Wanted in worlds that the model names: "
        f"coverage {LOW} to {HIGH}, false verdicts at most {FALSE}.",
        "",
        "| world | named | panels | coverage | bias | rmse | sd | false for | false against |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    rows = found[found["model"] == HEADLINE].set_index("world")
    for world in worlds:
        row = rows.loc[world]
        count = int(row["panels"])
        error = np.sqrt(max(row["rmse"] ** 2 - row["bias"] ** 2, 0.0) / count)
        lines.append(
            f"| {world} | {'yes' if WORLDS[world].named else 'no'} | {count} | "
            f"{row['coverage']:.3f}{_mark('coverage', row['coverage'], count)} | "
            f"{row['bias']:+.3f} ({error:.3f}) | {row['rmse']:.3f} | {row['sd']:.3f} | "
            f"{row['for_']:.3f}{_mark('for_', row['for_'], count)} | "
            f"{row['against']:.3f}{_mark('against', row['against'], count)} |"
        )
    return [*lines, ""]


def _words(shares: pd.DataFrame, worlds: list[str]) -> list[str]:
    columns = [word for word in WORDS if word not in _UNDECIDED]
    columns.insert(2, "undecided")
    lines = [
        "## The word of the page",
        "",
        "Share of panels in which the claim “it lowers the outcome” gets each word, over the "
        "headline, the models beside it that do not suppose constant effects, and the event study: "
        "a page with more models says “fragile” more often. What is false of each world is in "
        "brackets.",
        "",
        "| world | " + " | ".join(columns) + " |",
        "|" + "---|" * (1 + len(columns)),
    ]
    for world in worlds:
        size = WORLDS[world].size
        wrong = {
            word: (word.startswith("supported") and size >= 0)
            or (word.startswith("contradicted") and size <= 0)
            for word in columns
        }
        cells = [f"{float(shares.loc[world].get(word, 0.0)):.3f}" for word in columns]
        cells = [f"[{c}]" if wrong[w] else c for c, w in zip(cells, columns, strict=True)]
        lines.append(f"| {world} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def _matrix(found: pd.DataFrame, worlds: list[str], what: str, title: str, text: str) -> list[str]:
    """A table of worlds by models."""
    models = [model for model in MODELS if (found["model"] == model).any()]
    lines = [f"## {title}, beside other models", "", text, ""]
    lines.append("| world | " + " | ".join(MODELS[model] for model in models) + " |")
    lines.append("|" + "---|" * (1 + len(models)))
    by = found.set_index(["world", "model"])
    for world in worlds:
        if what == "for_" and WORLDS[world].size < 0:
            continue
        if what == "against" and WORLDS[world].size > 0:
            continue
        cells = []
        for model in models:
            if (world, model) not in by.index:
                cells.append("–")
                continue
            row = by.loc[(world, model)]
            value, count = float(row[what]), int(row["panels"])
            sign = "+" if what == "bias" else ""
            cells.append(f"{value:{sign}.3f}{_mark(what, value, count)}")
        lines.append(f"| {world} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def _band(p: float, panels: int) -> float:
    return float(1.96 * np.sqrt(p * (1 - p) / max(panels, 1)))


def _mark(what: str, value: float, panels: int) -> str:
    """A star beside what is outside the wanted range by more than Monte Carlo error."""
    if what == "bias":
        return ""
    if what == "coverage":
        band = _band(LEVEL, panels)
        return "" if LOW - band <= value <= HIGH + band else " *"
    return " *" if value > FALSE + _band(FALSE, panels) else ""
