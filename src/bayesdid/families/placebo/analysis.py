"""What units treated at random would have shown: both schemes of assignment, and the actual one."""

from __future__ import annotations

import pandas as pd

from bayesdid.checks.placebo import SCHEMES, Placebo, placebo
from bayesdid.families.analysis import Analysis, Figure, Series, Table
from bayesdid.families.placebo import PlaceboOptions
from bayesdid.jsonio import plain
from bayesdid.panel.panel import Panel
from bayesdid.study.load import Spec, Study


def placebo_analysis(
    study: Study,
    spec: Spec,
    panel: Panel,
    options: PlaceboOptions,
    *,
    seed: int = 0,
    draws: int = 1000,  # noqa: ARG001 closed forms: the assignments are what is drawn
) -> Analysis:
    """The analysis of a spec of family ``placebo``: one treatment, ``both`` or ``active:P``."""
    found = [
        placebo(spec, panel, scheme=scheme, assignments=options.draws, seed=seed)
        for scheme in SCHEMES
    ]
    unit = study.file.outcome.unit if spec.column.outcome == study.file.outcome.column else ""
    return Analysis(
        spec.id,
        "placebo",
        spec.title,
        tuple(_sentence(item) for item in found),
        (Table("schemes", "Posteriors under placebo assignments, flat priors", _frame(found)),),
        (
            Figure(
                "placebo",
                "histogram",
                "Posterior means under placebo assignments. Dashed: the actual assignment.",
                tuple(Series(item.scheme, [], plain(item)["means"], [], []) for item in found),
                xlabel=unit,
                verticals=(found[0].actual_mean,),
            ),
        ),
        synthetic=panel.synthetic or "",
    )


def _sentence(item: Placebo) -> str:
    facts = plain(item)
    return (
        f"{item.scheme.capitalize()}: of {facts['assignments']} assignments a share of "
        f"{item.tail:.3f} is as large as the actual effect ({item.actual_mean:.3f}), and "
        f"{item.rejection:.1%} are significant at 5 %; placebo means spread by "
        f"{facts['spread']:.3f} against a posterior sd of {facts['typical_sd']:.3f}."
    )


def _frame(found: list[Placebo]) -> pd.DataFrame:
    labels = {
        "scheme": "scheme",
        "assignments": "assignments",
        "actual_mean": "actual effect",
        "actual_sd": "its posterior sd",
        "spread": "spread of placebo means",
        "typical_sd": "median posterior sd",
        "tail": "share as large as the actual",
        "rejection": "p < 0.05",
        "above_ten_percent": "p > 0.1",
    }
    rows = [plain(item) for item in found]
    return pd.DataFrame([{label: row[key] for key, label in labels.items()} for row in rows])
