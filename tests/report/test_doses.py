"""A treatment that no policy is behind: every model of it, from its fits to its answer."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from made import make_study

from bayesdid.estimands.stated import drawn
from bayesdid.peers.fixest import Estimates
from bayesdid.report.claim_panel import PanelEvidence
from bayesdid.report.dose_results import doses_section

COLUMNS = (
    {"id": "1", "outcome": "y", "treatments": ["tax"]},
    {"id": "2", "outcome": "y", "treatments": ["tax", "x"], "label": "More"},
    {"id": "3", "outcome": "z", "treatments": ["tax"]},
    {"id": "4", "outcome": "y", "treatments": ["x"]},
    {"id": "e", "outcome": "y", "treatments": ["tax"], "family": "errors"},
)
MEANS = {"t.1": -1.0, "t.2": 0.5, "t.3": 9.0, "t.4": 9.0}


def tree(spec, treatments):
    """Draws of sd 1 about the column's mean; of another treatment about 9."""
    rng = np.random.default_rng(0)
    tau = np.stack([rng.normal(MEANS[spec] if t == "tax" else 9.0, 1.0, 4000) for t in treatments])
    data = xr.Dataset(
        {"tau": (("chain", "draw", "treatment"), tau.T.reshape(4, 1000, -1))},
        coords={"treatment": treatments},
    )
    found = xr.DataTree.from_dict({"posterior": data})
    found.attrs = {"converged": 1}
    return found


def squares(treatments):
    table = pd.DataFrame({"estimate": -3.0, "se_cluster": 1.0}, index=list(treatments))
    return Estimates(table, 10, 20, 5, 0, 0.5, 0.5, np.eye(len(treatments)))


def section(study, passes=(), claims=(), converged=1, **stated):
    specs = {name: study[name].column.treatments for name in MEANS}
    trees = {
        name: {"default": tree(name, list(t)), "iid": tree(name, list(t))}
        for name, t in specs.items()
    }
    trees["t.1"]["default"].attrs["converged"] = converged
    estimates = {"t.1": squares(specs["t.1"])}
    effects = {spec.replace("_", "."): found for spec, found in stated.items()}
    given = PanelEvidence(trees, estimates, effects, {}, dict(passes), {}, {})
    return doses_section(study, list(claims), given)


@pytest.fixture(scope="module")
def study():
    return make_study((), COLUMNS)


def test_a_dose_has_every_model_of_every_column_on_the_outcome_that_has_it(study):
    other = drawn("tax", "Student t", "a", np.random.default_rng(1).normal(-2, 1, 4000))
    (item,) = section(study, t_e=(other,))
    assert (item["spec"], item["term"]) == ("t.1", "tax")
    evidence = item["evidence"]
    assert [e["model"] for e in evidence["estimates"]] == [
        "t.1, default errors",
        "t.1, i.i.d. errors",
        "t.1, least squares, clustered",
        "t.2, default errors",
        "t.2, i.i.d. errors",
        "Student t, t.e",
    ]
    assert [e["main"] for e in evidence["estimates"]] == [True, *[False] * 5]
    assert (evidence["sign"], evidence["unit"], evidence["label"]) == (-1, "units", "tax")
    answer = evidence["answers"]["panel"]
    p = [e["p_sign"] for e in evidence["estimates"]]
    assert (answer["models"], answer["p"]) == (6, p[0])
    assert (answer["p_low"], answer["p_high"]) == (min(p), max(p)) == (p[3], p[2])


def test_what_fails_its_checks_does_not_answer_and_has_no_double(study):
    """The simplest model that passes is one of the first column; i.i.d. errors fail twice."""
    twin = drawn("tax", "normal, i.i.d.", "a", np.random.default_rng(1).normal(-9, 1, 4000))
    passes = {("t.1", "default"): False, ("t.1", "iid"): True, ("t.2", "default"): True}
    (item,) = section(study, passes, t_e=(twin,))
    assert item["evidence"]["answers"]["panel"]["model"] == "t.1, i.i.d. errors"
    (item,) = section(study, {("t.1", "iid"): False}, t_e=(twin,))
    by = {e["model"]: e["passes"] for e in item["evidence"]["estimates"]}
    assert by["t.1, i.i.d. errors"] is by["normal, i.i.d., t.e"] is False
    assert by["t.1, default errors"] is None


def test_policies_claims_and_a_fit_that_failed_have_no_dose(study):
    assert section(study, claims=[{"evidence": {"main": True}}]) == []
    assert len(section(study, claims=[{"evidence": None}])) == 1
    assert section(study, converged=0) == []
    assert section(make_study(("a",), COLUMNS)) == []
    (item,) = section(make_study((), COLUMNS, better="higher"))
    assert item["evidence"]["sign"] == 1
    assert item["evidence"]["answers"]["panel"]["p"] < 0.5
