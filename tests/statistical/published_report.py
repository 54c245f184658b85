"""The page that `make calibrate-published` writes: coverage by world, the real panel, misprints."""

from __future__ import annotations

import numpy as np
import pandas as pd
from published_worlds import LEVEL, SCALE, SIGMA, SINGLE

from bayesdid.published.synergy import PHIS

WANTED = (0.85, 0.93)
SURE, MISSED = 0.95, 0.01
REACH = 1.6  # half width of an 89 % normal interval, in standard errors
TITLES = {
    ("nine", True): "Nine columns of dual_pilot, timing known",
    ("nine", False): "Nine columns of dual_pilot, timing drawn",
    ("five", True): "Five columns of dual_pilot (those of its Table 2), timing known",
    ("traffic", True): "Six columns on the design of traffic_laws (48 units, 25 periods), known",
}


def band(share: float, n: int) -> float:
    """Half width of the 95 % Monte Carlo band of a share of `n`."""
    return float(1.96 * np.sqrt(share * (1 - share) / n))


def rates(frame: pd.DataFrame) -> pd.DataFrame:
    """One row for each world: coverage, bias, widths and false verdicts, inverted and naive."""
    rows = []
    for (path, phi, synergy), part in frame.groupby(["path", "phi", "synergy"], sort=False):
        naive_p = (part["naive"] + 1.645 * part["naive_se"] < 0).mean()  # P(< 0) above .95
        naive_q = (part["naive"] - 1.645 * part["naive_se"] > 0).mean()
        supported, contradicted = part["p_negative"] >= SURE, part["p_negative"] <= 1 - SURE
        rows.append(
            {
                "single effects": path,
                "phi": phi,
                "synergy": synergy,
                "coverage": ((part["low"] <= synergy) & (part["high"] >= synergy)).mean(),
                "phi known": ((part["own_low"] <= synergy) & (part["own_high"] >= synergy)).mean(),
                "bias": (part["mean"] - synergy).mean(),
                "sd of means": part["mean"].std(),
                "mean sd": part["sd"].mean(),
                "false supported": supported.mean() if synergy >= 0 else np.nan,
                "false contradicted": contradicted.mean() if synergy <= 0 else np.nan,
                "naive coverage": (
                    (part["naive"] - synergy).abs() <= REACH * part["naive_se"]
                ).mean(),
                "naive bias": (part["naive"] - synergy).mean(),
                "naive false supported": naive_p if synergy >= 0 else np.nan,
                "naive false contradicted": naive_q if synergy <= 0 else np.nan,
            }
        )
    return pd.DataFrame(rows)


def markdown(frame: pd.DataFrame, digits: int = 3) -> str:
    """A table; numbers to `digits`, nothing for what is missing."""

    def shown(value: object) -> str:
        if isinstance(value, str):
            return value
        return "" if pd.isna(value) else f"{value:.{digits}f}"  # type: ignore[arg-type,str-bytes-safe]

    head = [f"| {' | '.join(map(str, frame.columns))} |", "|" + "---|" * len(frame.columns)]
    rows = [f"| {' | '.join(map(shown, row))} |" for row in frame.itertuples(index=False)]
    return "\n".join([*head, *rows])


def write_report(
    frame: pd.DataFrame, real: pd.DataFrame, prints: pd.DataFrame, steps: pd.DataFrame
) -> str:
    """The page, from :func:`published_calibrate.measure` and the real panel's rows.

    Parameters
    ----------
    steps
        Of :func:`published_causes.causes`.
    """
    parts = [_head()]
    plain = frame[~frame["misprint"]]
    for (design, known), title in TITLES.items():
        own = plain[(plain["design"] == design) & (plain["known"] == known)]
        if len(own):
            parts.append(_worlds(own, title))
    parts += [_why(steps), _held_out(frame), _real(real, prints)]
    return "\n\n".join(parts) + "\n"


def _head() -> str:
    return (
        "# Calibration of published columns\n\n"
        "Written by `make calibrate-published`. A panel is simulated with effects of "
        f"{SINGLE[0]:g} and {SINGLE[1]:g} of each policy alone at full size, a synergy, and errors "
        f"of sd {SIGMA:g} (sd(y) {SCALE:g}); its columns are regressed with two-way effects and "
        "printed to three digits with the standard errors of independent errors; the panel is "
        "thrown away, and what is printed inverted (docs/published.md). Coverage is that of the "
        f"{LEVEL:.0%} interval of both minus the sum of singles. Panels of different worlds have "
        "the same errors, so that rows differ by the world alone.\n\n"
        f"`coverage` averages over the autocorrelations {', '.join(f'{phi:g}' for phi in PHIS)}, "
        "as `bayesdid synergy` does since printed standard errors do not state it; `phi known` "
        "supposes that of the panel. `false supported`: P(< 0) of at least .95 where the synergy "
        "is none or positive; `false contradicted`: at most .05 where it is none or negative. "
        "`naive`: the difference of the three cells, with the standard error that the weights "
        "imply. Sizes by cohort: each adoption cohort's effect is drawn around the same mean with "
        "an sd of 40 % of it: effects that the inversion has as unit effects only."
    )


def _worlds(own: pd.DataFrame, title: str) -> str:
    n = int(own.groupby(["path", "phi", "synergy"]).size().min())
    table = rates(own)
    out = table[(table["coverage"] < WANTED[0]) | (table["coverage"] > WANTED[1])]
    known = table[(table["phi known"] < WANTED[0]) | (table["phi known"] > WANTED[1])]
    return (
        f"## {title}\n\n{n} panels of each world; Monte Carlo band of a coverage of .89: plus or "
        f"minus {band(LEVEL, n):.3f}. Coverage from {table['coverage'].min():.3f} to "
        f"{table['coverage'].max():.3f}, mean {table['coverage'].mean():.3f} ({len(out)} of "
        f"{len(table)} worlds outside {WANTED[0]:g} to {WANTED[1]:g}); with phi known from "
        f"{table['phi known'].min():.3f} to {table['phi known'].max():.3f}, mean "
        f"{table['phi known'].mean():.3f} ({len(known)} outside). The difference of cells covers "
        f"{table['naive coverage'].min():.3f} to {table['naive coverage'].max():.3f}.\n\n"
        + markdown(table)
    )


def _why(steps: pd.DataFrame) -> str:
    mean = steps.groupby("averaged over", sort=False)["coverage"].mean()
    # each step beside the one before
    added = [f"“{step}” {change:+.3f}" for step, change in mean.diff().dropna().items()]
    return (
        "## Why coverage is not .89 in every world\n\n"
        "Over worlds drawn from the model's own prior it is (tests/published/test_inversion.py). "
        "A world holds one value of what the model averages over. Printed standard errors do not "
        "state the autocorrelation: intervals are wider than needed where errors are independent, "
        "and narrower where they are more correlated than the grid's average; `phi known` takes "
        "this apart. Paths that are not there and unit effects of up to .2 sd(y) widen intervals "
        "further, more so with fewer columns. The table below puts these in one by one, on the "
        f"same panels: with what the panels have known, coverage is {mean.iloc[0]:.3f} on average; "
        f"then add {', '.join(added)}. Intervals are as wide as what a paper does not print makes "
        "them: a narrower prior would be knowledge that nobody has. Growing effects "
        "are shrunk towards the paths with less growth that fit almost as well: the bias in these "
        "rows. Where timing is drawn the true one is none of those averaged over, and "
        "cohort-specific sizes are then the hardest world: they depend on who adopted when, "
        "twice.\n\n"
        "Nine columns, timing known, no synergy; averaged over each thing and those above it:\n\n"
        + markdown(steps)
    )


def _held_out(frame: pd.DataFrame) -> str:
    def caught(part: pd.DataFrame) -> str:
        known = part["missed"].dropna()
        return f"{(known < MISSED).mean():.3f} of {len(known)}"

    rows = []
    for (design, known), title in TITLES.items():
        own = frame[(frame["design"] == design) & (frame["known"] == known)]
        if not len(own):
            continue
        clean, wrong = own[~own["misprint"]], own[own["misprint"]]
        rows.append(
            {
                "design": title,
                "nothing wrong": caught(clean),
                "one coefficient off": caught(wrong) if len(wrong) else "",
            }
        )
    return (
        "## Held-out columns\n\n"
        "Share of panels in which some column's tail, times the number of columns, is below "
        f"{MISSED:g}: what the audit rule `predicted` reports. Where one is off, it is by .3, "
        "another column in each panel; a column that the others predict with an sd of as much "
        "cannot be found out.\n\n" + markdown(pd.DataFrame(rows))
    )


def _real(real: pd.DataFrame, prints: pd.DataFrame) -> str:
    return (
        "## A real panel, hidden\n\n"
        "The columns of traffic_laws without controls, printed to three digits from its panel; "
        "timing known. Both minus the sum of singles, in deaths per 100,000; negative means that "
        "the laws together save more than the sum.\n\n"
        + markdown(real)
        + "\n\nEach printed coefficient and its prediction from the others (clustered standard "
        "errors):\n\n" + markdown(prints)
    )
