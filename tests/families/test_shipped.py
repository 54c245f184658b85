"""The shipped studies: published numbers reproduced, every declared analysis runs or is refused."""

import dataclasses
import json

import numpy as np
import pytest
from made import make_panel, make_study, staggered

import bayesdid as bd
from bayesdid.exceptions import InputError
from bayesdid.families.run import plan_analyses
from bayesdid.families.store import analyse_or_reuse, analysis_path
from bayesdid.peers.fixest import least_squares
from bayesdid.report.weights_results import row_states, weight_rows, weights_section


@pytest.fixture(scope="module")
def castle(models):
    study = bd.load_study(models / "castle_doctrine")
    return study, bd.load_panel(study)


def test_castle_doctrine_reproduces_the_printed_unweighted_column(castle):
    study, panel = castle
    cell = study["published.unweighted"].column.coefficients["active:castle"]
    row = least_squares(bd.build_design(study["published.unweighted"], panel)).table.iloc[0]
    assert f"{row['estimate']:.4f}" == cell.estimate
    # printed without the correction for the 12 parameters that are not nested in states
    assert f"{row['se_cluster'] * np.sqrt((550 - 12) / 549):.4f}" == cell.se


@pytest.mark.parametrize("spec", ["reanalysis.cohort", "reanalysis.cohort_never"])
def test_castle_doctrine_by_cohort_agrees_with_both_estimators(castle, spec):
    study, panel = castle
    result = bd.analyse(study, spec, panel, draws=250)
    assert result.converged
    judged = [peer for peer in result.peers if np.isfinite(peer.tolerance)]
    assert {peer.estimator.split(" ")[0] for peer in judged} == {"Callaway", "imputation,"}
    assert all(peer.holds for peer in judged)


def test_every_declared_analysis_has_its_columns(models):
    for name in ("dual_pilot", "traffic_laws", "castle_doctrine"):
        study = bd.load_study(models / name)
        panel = bd.load_panel(study)
        families = {r.family.name for r in plan_analyses(study, panel)}
        assert {"cohort", "event_study"} <= families
        assert not [note for note in panel.notes if note.name == "absent_columns"]


def test_regions_of_the_states_come_from_the_study(models):
    study = bd.load_study(models / "traffic_laws")
    panel = bd.load_panel(study)
    by_state = panel.frame.groupby("state")["region"].first()
    assert by_state.value_counts().to_dict() == {
        "south": 16,
        "midwest": 12,
        "west": 11,
        "northeast": 9,
    }
    assert by_state[5] == "west"  # California


def test_stored_analyses_are_reused_and_change_with_the_spec(tmp_path):
    frame, adoption = staggered(1, N=30)
    column = {"id": "c", "outcome": "y", "treatments": ["active:a"], "family": "cohort"}
    panel = make_panel(frame, adoption)
    (request,) = plan_analyses(make_study(("a",), [column]), panel, draws=100)
    first, again = (analyse_or_reuse(request, tmp_path) for _ in range(2))
    assert not first.reused
    assert again.reused
    assert first.content == again.content
    assert json.dumps(first.content["synthetic"]) == '"planted by a test"'
    other = make_study(("a",), [column | {"options": {"controls": "never"}}])
    (changed,) = plan_analyses(other, panel, draws=100)
    assert analysis_path(changed, tmp_path) != analysis_path(request, tmp_path)


def test_refusals_are_kept_with_their_reason_and_unknown_families_are_errors(tmp_path):
    frame, adoption = staggered(1, N=30)
    columns = [
        {"id": "o", "outcome": "y", "family": "overlap"},
        {"id": "t", "outcome": "y", "treatments": ["active:a"]},
    ]
    study = make_study(("a",), columns)
    (request,) = plan_analyses(study, make_panel(frame, adoption))
    assert "two" in analyse_or_reuse(request, tmp_path).refused
    with pytest.raises(InputError, match="no analysis of its own"):
        bd.analyse(study, "t.t", make_panel(frame, adoption))


def test_weights_section_names_what_matters():
    frame, adoption = staggered(2, N=60, policies=("a", "b"))
    columns = [
        {"id": "a", "outcome": "y", "treatments": ["active:a"]},
        {"id": "f", "outcome": "y", "treatments": ["active:a", "active:b", "active:a * active:b"]},
    ]
    study, panel = make_study(columns=columns), make_panel(frame, adoption)
    designs = {s: bd.build_design(study[s], panel) for s in ("t.a", "t.f")}
    rows = [row for one in designs.values() for row in weight_rows(study, panel, one)]
    found = weights_section(rows)
    assert len(found["rows"]) == 4
    assert len(found["sentences"]) == 3
    states = row_states(designs["t.a"], panel)
    assert set(np.unique(states)) <= {"none", "only:a", "only:b", "both"}
    assert ((states == "only:a") | (states == "both")).sum() == designs["t.a"].D.sum()
    alone = dataclasses.replace(panel, policies=(), adoption=panel.adoption[[]])
    assert set(row_states(designs["t.a"], alone)) == {"none"}
