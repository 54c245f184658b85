"""Small studies whose columns are printed, with known adoption."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bayesdid.published.timing import Timing, timings
from bayesdid.study.load import Study, assemble_study
from bayesdid.study.schema import StudyFile, TableFile

ADOPTION = {
    "a": {"2003": 4, "2006": 3},
    "b": {"2004": 5},
    "both": {"2003,2005": 3, "2006,2004": 3, "2004,2004": 2},
}
COUNTS = {
    "none": 10,
    "single": 12,
    "dual": 8,
    "only": {"a": 7, "b": 5},
    "first": {"a": 3, "b": 3},
    "simultaneous": 2,
}
ONLY_A = {"treatments": ["only:a"], "sample": {"arms": ["none", "single"], "only": ["a"]}}
ONLY_B = {"treatments": ["only:b"], "sample": {"arms": ["none", "single"], "only": ["b"]}}
BOTH = {"treatments": ["both"], "sample": {"arms": ["none", "dual"]}}
BOTH_SINGLE = {"treatments": ["both"], "sample": {"arms": ["single", "dual"]}}
WHOLE = {"treatments": ["both"]}
INTERACTION = {"treatments": ["active:a", "active:b", "active:a * active:b"]}
CELLS = {"both_none": "t.c0:both", "only_none": {"a": "t.c1:only:a", "b": "t.c2:only:b"}}
MAIN_COLUMNS = (BOTH, ONLY_A, ONLY_B)


def study(
    columns=MAIN_COLUMNS,
    *,
    values=(-0.7, -0.5, -0.4),
    ses=(0.1, 0.1, 0.1),
    policies=("a", "b"),
    synergy=CELLS,
    design=None,
    better="lower",
    claims=(),
    panel=None,
) -> Study:
    """A study of the columns `c0`, `c1`, ...; `values` are their coefficients in turn."""
    known = {**COUNTS, "timing": {"adoption": ADOPTION, "known": True}}
    file = StudyFile.model_validate(
        {
            "study": {"id": "made", "title": "Made", "citation": "none"},
            "outcome": {"column": "y", "label": "Outcome", "unit": "units", "better": better},
            "panel": {"unit": "unit", "period": "year", "first_period": 2001, "last_period": 2010}
            | (panel or {}),
            "policy": [{"id": p, "label": p.upper(), "adoption": f"{p}_year"} for p in policies],
            "design": known if design is None else design,
            "synergy": synergy,
        }
    )
    at, made = iter(zip(values, ses, strict=True)), []
    for k, column in enumerate(columns):
        cells = {
            term: {"estimate": f"{b:.3f}", "se": f"{se:.3f}"}
            for term, (b, se) in zip(column["treatments"], at, strict=False)
        }
        made.append({"id": f"c{k}", "outcome": "y", "coefficients": cells, **column})
    table = {"id": "t", "title": "T", "kind": "regression", "column": made}
    moments = {"id": "d", "title": "D", "kind": "descriptive"}
    moments["moments"] = [{"column": "y", "mean": "2.0", "sd": "1.00"}]
    tables = {raw["id"]: TableFile.model_validate(raw) for raw in (table, moments)}
    return assemble_study(Path("made"), file, tables, tuple(claims))


def known_timing(made: Study | None = None) -> Timing:
    """The one timing of a study that states it."""
    found = timings(made or study())
    assert found.knowledge == "stated"
    return found.members[0]


def one_year(timing: Timing, year: float) -> Timing:
    """The same units, all adopting in one year."""
    return Timing(
        timing.policies, np.where(np.isfinite(timing.start), year, np.inf), timing.periods
    )
