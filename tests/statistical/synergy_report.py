"""docs/validity.md: what the runs of synergy_calibrate.py show, and where other families stand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scores import (
    FALSE,
    HIGH,
    LOW,
    averaged,
    band,
    bias_error,
    cover_mark,
    false_mark,
    judged,
    matrix,
)
from synergy_worlds import DRIFT, WORLDS

from bayesdid.estimands.beside import (
    CELLS,
    CELLS_CLUSTERED,
    CELLS_IID,
    COLUMNS,
    HEADLINE,
    IMPUTATION,
    STATIC,
)

DOCS = Path(__file__).parents[2] / "docs"
ALLOWED = "pooled paths, trends may differ"
CALLAWAY = "Callaway-Sant'Anna of cells"
ORACLE = "oracle"
MODELS = (
    HEADLINE,
    ALLOWED,
    CELLS,
    CELLS_CLUSTERED,
    CELLS_IID,
    IMPUTATION,
    CALLAWAY,
    STATIC,
    COLUMNS,
)

# family -> (document, command, what is shown there)
LEDGER = {
    "claims about one policy: TWFE, average effects, event studies, verdicts": (
        "validity-single.md",
        "make calibrate-single",
        "coverage, false verdicts and words in worlds of one policy, placebo laws on real panels",
    ),
    "two-way, event study, pooled, counts": (
        "calibration-sbc.md",
        "make calibrate-sbc",
        "ranks of true values under the prior, three planted errors",
    ),
    "two-way, cohorts, overlap, mediation, moderation, heterogeneity, instrument": (
        "calibration.md",
        "make calibrate",
        "coverage of 50, 89 and 95 % intervals, bias and error beside a frequentist peer",
    ),
    "errors of every family": (
        "calibration-errors.md",
        "make calibrate-errors",
        "placebo laws on real panels, coverage in worlds of many kinds of errors",
    ),
    "three, five and ten treated units": (
        "calibration-few.md",
        "make calibrate-few",
        "placebo laws on real panels, beside clustered errors and permutation",
    ),
    "notes on rows beside a posterior": (
        "calibration-notes.md",
        "make calibrate-notes",
        "how often they appear where nothing is wrong, and where it is",
    ),
    "Durbin, bands, distance profile": (
        "calibration-spatial.md",
        "make calibrate-spatial",
        "ranks under the prior, coverage of rho, direct and indirect effects",
    ),
    "published columns": (
        "calibration-published.md",
        "make calibrate-published",
        "coverage and false verdicts with timing known and unknown, a real panel behind its print",
    ),
}


def scored(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of identified, converged fits, judged; a lower outcome is better."""
    fine = frame["converged"].astype(bool) & ~frame["refused"].fillna(False).astype(bool)
    return judged(frame[fine])


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """By world and model: coverage, bias, root mean squared error, sd, false verdicts."""
    return averaged(scored(frame), ["world", "model"], "supported", "contradicted")


def report(
    frame: pd.DataFrame, states: pd.DataFrame, state_rows: pd.DataFrame, paths: pd.DataFrame
) -> str:
    """The document.

    Parameters
    ----------
    frame, states, state_rows
        Rows of all panels, the table of Griffin's design and the rows behind it.
    paths
        Rows of the same errors and adoptions under each other's paths; none leave it out.
    """
    found = table(frame)
    worlds, models = list(dict.fromkeys(found["world"])), {model: model for model in MODELS}
    panels = int(found["panels"].max())
    lost = int((~frame["converged"].astype(bool)).sum())
    refused = int(frame["refused"].fillna(False).astype(bool).sum())
    lines = [
        "# Is the headline calibrated?",
        "",
        "Written by `make calibrate-synergy`. Panels of 120 units and 12 periods with two "
        "overlapping staggered policies and a known departure of the joint state from the sum of "
        f"the singles; {panels} a world, each world with panels of its own. {lost} fits did not "
        f"converge and are left out; in {refused} panels no row under both was identified.",
        "",
        *_headline(found, panels),
        *_paths(paths),
        *matrix(
            found,
            worlds,
            models,
            "coverage",
            "Coverage of 89 % intervals",
            "A star marks what is outside 0.85 to 0.93 by more than Monte Carlo error. "
            + _beside_words(),
        ),
        *matrix(found, worlds, models, "bias", "Bias", "The synergy is 0, -0.3 or +0.3."),
        *matrix(
            found,
            [world for world in worlds if WORLDS[world].synergy >= 0],
            models,
            "supported",
            "False support",
            "Share of panels with P(claim) of at least 0.95 where there is no synergy.",
        ),
        *_griffin(states, state_rows),
        *_ledger(),
    ]
    return "\n".join([*lines, ""])


def _beside_words() -> str:
    return (
        f"**{ALLOWED}**: the headline where trends of the arms may differ by slopes with prior sd "
        f"{abs(DRIFT):g} a period. **{IMPUTATION}**: Borusyak et al. (2024), standard errors "
        f"clustered. **{CALLAWAY}**: pairs of adoption periods as cohorts; balanced panels with "
        "units that never adopt only. Callaway & Sant'Anna of each policy on its own have no "
        "analogue of the synergy: a unit of both is treated by the second policy in periods that "
        "are its baseline of the first. "
        f"**{COLUMNS}**: coefficients of both, A alone and B alone, each from a regression of its "
        "own, as papers print."
    )


def _headline(found: pd.DataFrame, panels: int) -> list[str]:
    lines = [
        "## The headline",
        "",
        "Coverage of the 89 % interval (Monte Carlo band of .89: plus or minus "
        f"{band(0.89, panels):.3f}), bias with its Monte Carlo error, root mean squared error, "
        "mean posterior sd, that sd over the standard error of an oracle that knows the shape of "
        "both paths and the errors and learns their sizes, and the share of panels with P(claim) "
        "of at least 0.95 where the truth is no synergy (false for), or at most 0.05 where it is "
        "not its opposite "
        f"(false against). Wanted in worlds that the model names: coverage {LOW} to {HIGH}, false "
        f"verdicts at most {FALSE}. A star marks what is outside by more than Monte Carlo error.",
        "",
        "| world | named | coverage | bias | rmse | sd | sd / oracle | false for | false against |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    best = found[found["model"] == ORACLE].set_index("world")["sd"]
    for row in found[found["model"] == HEADLINE].to_dict("records"):
        world = row["world"]
        ratio = f"{row['sd'] / best[world]:.2f}" if world in best.index else "–"
        marks = [false_mark(row[name], row["panels"]) for name in ("supported", "contradicted")]
        lines.append(
            f"| {world} | {'yes' if WORLDS[world].named else 'no'} | "
            f"{row['coverage']:.3f}{cover_mark(row['coverage'], row['panels'])} | "
            f"{row['bias']:+.3f} ({bias_error(row):.3f}) | {row['rmse']:.3f} | "
            f"{row['sd']:.3f} | {ratio} | "
            f"{row['supported']:.3f}{marks[0]} | {row['contradicted']:.3f}{marks[1]} |"
        )
    named = found[(found["model"] == HEADLINE) & found["world"].map(lambda w: WORLDS[w].named)]
    weights = named["panels"] / named["panels"].sum()
    average = float((named["coverage"] * weights).sum())
    return [
        *lines,
        "",
        f"Over the {len(named)} worlds that the model names: coverage {average:.3f} (plus or minus "
        f"{band(0.89, int(named['panels'].sum())):.3f}), false for "
        f"{float((named['supported'] * weights).sum()):.3f}, false against "
        f"{float((named['contradicted'] * weights).sum()):.3f}.",
        "",
    ]


def _paths(paths: pd.DataFrame) -> list[str]:
    """Coverage of the same errors under other paths: what the path does, and what luck did."""
    if paths.empty:
        return []
    paths = scored(paths)
    panel, names = ["world", "panel"], list(dict.fromkeys(paths["world"]))
    means = paths.groupby(panel)["mean"]
    apart = float(((means.max() - means.min()) / paths.groupby(panel)["sd"].mean()).median())
    found = paths.pivot_table("covers", "world", "path").loc[names, names]
    n = int(paths.groupby(["world", "path"]).size().min())
    return [
        "### A world's path, or its panels?",
        "",
        f"Worlds above have panels of their own. Here errors and adoptions of the first {n} panels "
        "of three worlds are put under each other's paths. Between paths of one panel the estimate "
        f"differs by {apart:.2f} posterior sd in the median: what coverage differs by between rows "
        "is the luck of their panels, and what it differs by between columns is the path.",
        "",
        "| errors and adoptions of | " + " | ".join(names) + " | all paths |",
        "|---" * (len(names) + 2) + "|",
        *(
            f"| {world} | " + " | ".join(f"{row[p]:.3f}" for p in names) + f" | {row.mean():.3f} |"
            for world, row in found.iterrows()
        ),
        "| all | "
        + " | ".join(f"{found[name].mean():.3f}" for name in names)
        + f" | {float(found.to_numpy().mean()):.3f} |",
        "",
    ]


def _griffin(states: pd.DataFrame, rows: pd.DataFrame) -> list[str]:
    if states.empty:
        return []
    refused = rows[rows["refused"].astype(bool)]
    asked = rows[rows["model"] == HEADLINE]
    lines = [
        "## Co-occurring policies in 48 states (the design of Griffin et al. 2022)",
        "",
        "Griffin, Schuler, Pane et al. (2022, doi:10.1007/s10742-022-00284-w): states enact two "
        "policies a gap apart, in random order; each lowers the rate at once by a tenth of its "
        "mean. The outcome is real, the last 18 years of traffic deaths of `driving`, with these "
        "effects added to it (theirs, opioid deaths, does not ship with a Python package). Bias, "
        "its Monte Carlo error and mean width of the interval are in units of one policy's effect; "
        "coverage is of 89 % intervals. In the first design, which is theirs, 30 states enact "
        "both, and no row under both has a comparison at its ages: the synergy is refused in "
        f"{len(refused)} of {len(asked[(asked['estimand'] == 'synergy')])} panels of both designs. "
        "In the second, 12 states enact both and 12 each one alone; the synergy is zero. That a "
        "single effect is covered less often than 89 % goes with trends of the states: "
        "validity-single.md has the same laws on the same outcomes without them, and a peer.",
        "",
        "| design | estimand | gap | model | panels | bias | coverage | width |",
        "|---|---|---|---|---|---|---|---|",
    ]
    said = []
    for estimand, what in (("primary", "the effect of the primary policy"), ("synergy", "synergy")):
        mine = states[states["estimand"] == estimand]
        total = mine["coverage"] * mine["panels"]
        by = total.groupby(mine["model"]).sum() / mine.groupby("model")["panels"].sum()
        each = ", ".join(f"{model} {by[model]:.3f}" for model in dict.fromkeys(mine["model"]))
        said.append(f"{what}: {each}")
    lines[3:3] = ["", f"Coverage over all gaps and designs: {'; '.join(said)}."]
    for row in states.to_dict("records"):
        error = row["spread"] / np.sqrt(row["panels"])
        lines.append(
            f"| {row['design']} | {row['estimand']} | {row['gap']} | {row['model']} | "
            f"{row['panels']} | {row['bias']:+.2f} ({error:.2f}) | "
            f"{row['coverage']:.3f}{cover_mark(row['coverage'], row['panels'])} | "
            f"{row['width']:.2f} |"
        )
    return [*lines, ""]


def _ledger() -> list[str]:
    lines = [
        "## Where the other families stand",
        "",
        "| what | document | written by | what it shows |",
        "|---|---|---|---|",
    ]
    for what, (document, command, shows) in LEDGER.items():
        lines.append(f"| {what} | [{document}]({document}) | `{command}` | {shows} |")
    return [
        *lines,
        "",
        "Estimators of other packages, and what a command of this project shows of the same "
        "estimator:",
        "",
        "| estimator | where it is used | what is shown |",
        "|---|---|---|",
        "| Durbin model of demeaned data with T log &#124;I - rho W&#124;, T - 1 periods left "
        "| spmixw; direct maximum likelihood in spatial packages | tests/inference/test_spmixw.py: "
        "its posterior is that of `transform = direct` here; `make calibrate-spatial`: 95 % "
        f"intervals of that cover rho in {_direct()} of panels |",
        "| two-way static factorial, differences of columns | papers on two policies | the tables "
        "above |",
        "| relative-magnitude sets of moderndid 0.2.0 | robust event studies | its maximum leaves "
        "out the earliest increment: tests/estimands/test_honest.py |",
        "",
    ]


def _direct() -> str:
    """Coverage of rho where effects are demeaned, as docs/calibration-spatial.md has it."""
    text = (DOCS / "calibration-spatial.md").read_text(encoding="utf-8")
    (row,) = (line for line in text.splitlines() if ", direct | rho |" in line)
    return row.split("|")[6].strip(" *")
