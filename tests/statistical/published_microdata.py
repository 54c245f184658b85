"""The columns of traffic_laws, printed from its panel as a paper would, and what the panel says."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from published_worlds import DIGITS, regress

from bayesdid.arrays import FloatArray
from bayesdid.families.registry.load import load_study
from bayesdid.panel.load import load_panel
from bayesdid.panel.panel import Panel
from bayesdid.published.synergy import published_synergy
from bayesdid.published.timing import Timing, timing_of
from bayesdid.study.load import Spec, Study, assemble_study
from bayesdid.study.schema import Cell, Moments, SynergySection, TableFile

ROOT = Path(__file__).parents[2]
COLUMNS = ("only_perse", "only_belt", "both_none", "both_single", "perse", "belt")
FACTORIAL = "factorial_nocontrols"
SUM = "both - sum of singles"
SeKind = Literal["iid", "clustered"]


@cache
def traffic() -> tuple[Study, Panel]:
    """The shipped study and its panel."""
    study = load_study(ROOT / "models" / "traffic_laws")
    return study, load_panel(study)


@cache
def microdata() -> tuple[Timing, FloatArray]:
    """Who adopted when, and the outcome, shape (N, T)."""
    study, panel = traffic()
    units, periods = (np.unique(panel.frame[key]) for key in (panel.unit, panel.period))
    y = panel.frame[study.file.outcome.column].to_numpy(dtype=float)  # sorted, and balanced
    return timing_of(panel.adoption.loc[units], periods), y.reshape(len(units), len(periods))


def column(name: str) -> Spec:
    """A column of the shipped study, without controls."""
    spec = traffic()[0][f"specs.{name}"]
    return replace(spec, column=spec.column.model_copy(update={"covariates": ()}))


@cache
def printed_study(names: tuple[str, ...], se_kind: SeKind) -> Study:
    """The study as if these columns were all that a paper had printed."""
    study, _ = traffic()
    timing, y = microdata()
    columns = []
    for name in names:
        spec = column(name)
        found, iid, clustered = regress(spec, timing, y)
        ses = iid if se_kind == "iid" else clustered
        cells = {
            term: Cell(estimate=f"{b:.{DIGITS}f}", se=f"{se:.{DIGITS}f}")
            for term, b, se in zip(spec.column.treatments, found, ses, strict=True)
        }
        columns.append(spec.column.model_copy(update={"coefficients": cells}))
    table = TableFile(
        id="t", title="Printed", kind="regression", se_kind=se_kind, column=tuple(columns)
    )
    moments = Moments(
        column=study.file.outcome.column, mean=f"{y.mean():.2f}", sd=f"{y.std(ddof=1):.2f}"
    )
    described = TableFile(id="d", title="Moments", kind="descriptive", moments=(moments,))
    cells_of = SynergySection(
        both_none="t.both_none:both" if "both_none" in names else None,
        both_single="t.both_single:both" if "both_single" in names else None,
        only_none={p: f"t.only_{p}:only:{p}" for p in ("perse", "belt") if f"only_{p}" in names},
        interaction=None
        if set(names) != {FACTORIAL}
        else f"t.{FACTORIAL}:active:perse * active:belt",
    )
    file = study.file.model_copy(update={"synergy": cells_of})
    return assemble_study(study.path, file, {"t": table, "d": described})


def traffic_rows() -> pd.DataFrame:
    """Both minus the sum of singles: the hidden panel's, and what its print gives."""
    timing, y = microdata()
    at = next(k for k, term in enumerate(column(FACTORIAL).column.treatments) if "*" in term)
    found, iid, clustered = (values[at] for values in regress(column(FACTORIAL), timing, y))
    rows: list[dict[str, object]] = [
        {"from": "the panel: factorial, i.i.d. SE", "estimate": found, "sd": iid},
        {"from": "the panel: factorial, clustered SE", "estimate": found, "sd": clustered},
    ]
    adoption = traffic()[1].adoption
    for kind in ("iid", "clustered"):
        synergy = published_synergy(printed_study(COLUMNS, kind), adoption)
        item = synergy.contrasts[SUM]
        label = f"{len(COLUMNS)} printed columns, {kind} SEs"
        rows.append(
            {"from": f"difference of cells, {kind}", "estimate": item.naive, "sd": item.naive_se}
        )
        for name, said in item.posteriors.items():
            if name in {"averaged"} or name.endswith("phi 0"):
                rows.append(
                    {
                        "from": f"{label}: {name}",
                        "estimate": said.mean,
                        "sd": said.sd,
                        "low": said.interval.low,
                        "high": said.interval.high,
                    }
                )
    return pd.DataFrame(rows)


def traffic_prints() -> pd.DataFrame:
    """What is printed, and each coefficient's prediction from the others."""
    synergy = published_synergy(printed_study(COLUMNS, "clustered"), traffic()[1].adoption)
    return pd.DataFrame(
        [
            {"column": h.name, "printed": h.printed, "predicted": h.mean, "sd": h.sd, "tail": h.p}
            for h in synergy.held_out
        ]
    )
