"""docs/validity-single.md: what the runs of single_calibrate.py show."""

from __future__ import annotations

import pandas as pd
from scores import (
    FALSE,
    HIGH,
    LEVEL,
    LOW,
    averaged,
    band,
    bias_error,
    cover_mark,
    false_mark,
    judged,
    matrix,
)
from single_worlds import PERIODS, UNITS, WORLDS

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
    """Rows of converged fits, judged, with the word that each got."""
    used = frame[frame["converged"].astype(bool)]
    used = used.assign(model=used["model"].str.removesuffix(", t.e"))
    return judged(used).assign(said=used["word"].fillna(""))


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """By world and model: coverage, bias, root mean squared error, sd, false verdicts."""
    return averaged(scored(frame), ["world", "model"], "for_", "against")


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
        *matrix(
            found,
            worlds,
            MODELS,
            "coverage",
            f"Coverage of {percent(LEVEL)} intervals",
            f"A star marks what is outside {LOW} to {HIGH} by more than Monte Carlo error. The "
            "effect is the average over treated rows; of the event study the average over the "
            "first five periods, or that two periods after adoption. TWFE has one coefficient for "
            "effects that may change: it is scored as what papers read it as, the average effect.",
        ),
        *matrix(found, worlds, MODELS, "bias", "Bias", "Full effects are of size 0.4."),
        *matrix(
            found,
            [world for world in worlds if WORLDS[world].size >= 0],
            MODELS,
            "for_",
            "False support",
            f"Share of panels with P(negative) of at least {SURE:g} where it is not. A star marks "
            f"what is above {FALSE} by more than Monte Carlo error.",
        ),
        *matrix(
            found,
            [world for world in worlds if WORLDS[world].size <= 0],
            MODELS,
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
        f"{LEVEL:g} with {panels} panels: plus or minus {band(LEVEL, panels):.3f}), bias with its "
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
        lines.append(
            f"| {world} | {'yes' if WORLDS[world].named else 'no'} | {count} | "
            f"{row['coverage']:.3f}{cover_mark(row['coverage'], count)} | "
            f"{row['bias']:+.3f} ({bias_error(row):.3f}) | {row['rmse']:.3f} | {row['sd']:.3f} | "
            f"{row['for_']:.3f}{false_mark(row['for_'], count)} | "
            f"{row['against']:.3f}{false_mark(row['against'], count)} |"
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
