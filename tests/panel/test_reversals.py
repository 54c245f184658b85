"""Policies that are switched off again: states row by row; no event time, cohort or order."""

import dataclasses
import warnings

import numpy as np
import pandas as pd
import pyfixest
import pytest

import bayesdid as bd
from bayesdid.checks.placebo import placebo
from bayesdid.design.build import build_design
from bayesdid.design.cohort import cohort_design
from bayesdid.design.overlap import overlap_design
from bayesdid.exceptions import InputError, NotIdentifiedError
from bayesdid.families.registry.load import load_study
from bayesdid.panel.adoption import active, adopted_orders, event_time, reversing, state
from bayesdid.panel.validate import validate_panel
from bayesdid.report.weights_results import row_states
from smallest import study_with

FLAT = {"errors": "iid", "priors": "flat", "draws": 100}
SECOND = """
[[policy]]
id = "q"
label = "Q"
indicator = "other"
"""
SPECS = """
id = "t"
title = "T"
kind = "regression"
[[column]]
id = "twfe"
outcome = "y"
treatments = ["active:p", "active:q", "both"]
[[column]]
id = "es"
family = "event_study"
outcome = "y"
treatments = ["active:p"]
options = { first = -2, last = 2, reference = -1 }
[[column]]
id = "co"
family = "cohort"
outcome = "y"
treatments = ["active:p"]
[[column]]
id = "pl"
family = "placebo"
outcome = "y"
treatments = ["active:p"]
[[column]]
id = "first"
outcome = "y"
treatments = ["first:p", "first:q"]
[[column]]
id = "dual"
outcome = "y"
treatments = ["active:q"]
sample = { arms = ["none", "dual"], sequences = ["first:p"] }
[[column]]
id = "as_it_is"
outcome = "y"
treatments = ["on"]
[[column]]
id = "ov"
family = "overlap"
outcome = "y"
"""
REPEALS = ["u1", "u6", "u8"]  # p alone, q beside a p that stays, p beside a q that stays


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reversals")
    (folder / "study.toml").write_text(
        study_with(after=SECOND, unit="id", policy='indicator = "on"')
    )
    (folder / "t.toml").write_text(SPECS)
    return load_study(folder)


def raw(repeal=True):
    """Twelve units in ten years; p adds 1, q adds 2, both .5 more."""
    p = {0: 2004, 1: 2004, 2: 2005, 5: 2004, 6: 2004, 7: 2005, 8: 2006, 9: 2007}
    q = {3: 2005, 4: 2006, 5: 2006, 6: 2006, 7: 2003, 8: 2004, 9: 2004}
    frame = pd.DataFrame(
        {"id": np.repeat([f"u{k}" for k in range(12)], 10), "year": [*range(2001, 2011)] * 12}
    )
    unit = frame["id"].str[1:].astype(int)
    frame["on"] = (frame["year"] >= unit.map(p)).astype(float)
    frame["other"] = (frame["year"] >= unit.map(q)).astype(float)
    if repeal:
        frame.loc[frame["id"].isin(["u1", "u8"]) & (frame["year"] == 2008), "on"] = 0.0
        frame.loc[(frame["id"] == "u6") & (frame["year"] >= 2009), "other"] = 0.0
    rng = np.random.default_rng(5)
    frame["y"] = frame["on"] + 2 * frame["other"] + 0.5 * frame["on"] * frame["other"]
    frame["y"] += rng.normal(size=12)[unit] + 0.1 * rng.normal(size=120)
    return frame


@pytest.fixture(scope="module")
def panel(study):
    return validate_panel(raw(), study, source="a")


def told(notes):
    return {note.name: note.text for note in notes}


def test_states_are_the_indicators_own_values(panel):
    assert (active(panel) == (panel.frame[["on", "other"]].to_numpy() > 0)).all()
    mine = panel.frame["id"] == "u1"
    assert state(panel)[mine].tolist() == ["none"] * 3 + ["only:p"] * 4 + ["none"] + ["only:p"] * 2
    assert panel.adoption.loc["u1", "p"] == 2004
    assert panel.reverses.index[panel.reverses.any(axis=1)].tolist() == REPEALS
    assert panel.indicators == {"p": ("on", 0.5), "q": ("other", 0.5)}
    names = told(panel.notes)["policy_reversed"]
    assert names.startswith("1 unit switches q off again (u6): its state is used row by row")
    assert "2 units switch p off again (u1, u8)" in " ".join(note.text for note in panel.notes)


def test_event_times_and_orders_are_those_of_units_that_keep_their_policies(panel):
    known = event_time(panel, "p").notna().groupby(panel.frame["id"]).any()
    assert sorted(known.index[known]) == ["u0", "u2", "u5", "u6", "u7", "u9"]
    assert reversing(panel, "p").sum() == 2
    assert sorted(reversing(panel).index[reversing(panel)]) == ["u6", "u8"]  # u1 has no order
    orders = adopted_orders(panel)
    assert orders[orders != ""].to_dict() == {"u5": "first:p", "u7": "first:q", "u9": "first:q"}


def test_static_terms_use_every_row_as_feols_does(study, panel):
    found = bd.fit(study["t.twfe"], panel, **FLAT)
    frame = raw().assign(both=lambda f: f["on"] * f["other"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        want = pyfixest.feols("y ~ on + other + both | id + year", frame, vcov="iid").coef()
    flat = found.tree["posterior"]["tau"].mean(("chain", "draw")).to_numpy()
    sd = found.tree["posterior"]["tau"].std().to_numpy()
    assert np.abs(flat - want).max() < 5 * sd / np.sqrt(400)
    np.testing.assert_allclose(want, [1.0, 2.0, 0.5], atol=0.2)
    design = build_design(study["t.twfe"], panel)
    assert design.n == 120
    assert (row_states(design, panel) == state(panel).to_numpy()).all()


def test_lags_of_the_column_work(panel):
    frame = raw()
    _, other = bd.study_of(frame, "y ~ on + l(on, 1) | id + year")
    assert other.frame["l(on, 1)"].notna().sum() == 108


@pytest.mark.parametrize(
    ("spec", "make", "out"),
    [
        ("t.es", build_design, ["u1", "u8"]),
        ("t.co", lambda s, p: cohort_design(s, p).design, ["u1", "u8"]),
        ("t.first", build_design, ["u6", "u8"]),
        ("t.dual", build_design, ["u6"]),
        ("t.ov", lambda s, p: overlap_design(s, p).design, REPEALS),
    ],
)
def test_they_are_left_out_by_name_and_only_there(study, panel, spec, make, out):
    design = make(study[spec], panel)
    assert not {*design.units} & {*out}
    text = told(design.notes)["reversals_left_out"]
    are = "1 unit (10 rows) is" if len(out) == 1 else f"{len(out)} units ({10 * len(out)} rows) are"
    assert f"{are} left out" in text
    assert text.endswith(f"({', '.join(out)})")
    full = make(study[spec], validate_panel(raw(repeal=False), study, source="a"))
    assert {*full.units} - {*design.units} == {*out}


def test_placebo_assignments_are_dealt_among_units_that_keep_it(study, panel):
    alone = panel.frame[~panel.frame["id"].isin(["u1", "u8"])]
    same = validate_panel(alone, study, source="a")
    left = placebo(study["t.pl"], panel, scheme="permuted", assignments=20)
    want = placebo(study["t.pl"], same, scheme="permuted", assignments=20)
    np.testing.assert_allclose(left.mean, want.mean, atol=1e-9)


def test_nothing_left_is_refused_in_words(study):
    frame = raw(repeal=False)
    frame.loc[frame["year"] == 2010, "on"] = 0.0
    panel = validate_panel(frame, study, source="a")
    assert "u5, u6, ...)" in " ".join(note.text for note in panel.notes)
    for spec, make in (("t.es", build_design), ("t.co", cohort_design)):
        with pytest.raises(NotIdentifiedError, match=r"switches the policy off again.*u0.*static"):
            make(study[spec], panel)
    with pytest.raises(NotIdentifiedError, match="those that reverse a policy are left out"):
        overlap_design(study["t.ov"], panel)
    assert build_design(study["t.twfe"], panel).n == 120


def test_a_fraction_is_cut_for_a_state_and_used_as_it_is_in_a_term(study):
    frame = raw(repeal=False)
    frame.loc[(frame["id"] == "u0") & (frame["year"] == 2004), "on"] = 0.4
    frame.loc[(frame["id"] == "u2") & (frame["year"] == 2005), "on"] = 0.6
    panel = validate_panel(frame, study, source="a")
    assert panel.adoption["p"][["u0", "u2"]].tolist() == [2005, 2005]
    text = told(panel.notes)["fractional_policy"]
    assert text.startswith("2 rows have a value of on between 0 and 1 and p has no cut: ")
    for spec, make in (("t.es", build_design), ("t.co", cohort_design), ("t.ov", overlap_design)):
        with pytest.raises(InputError, match=r"on p counts as adopted is not said: 2 rows .* cut"):
            make(study[spec], panel)
    assert build_design(study["t.as_it_is"], panel).n == 120
    one_line, same = bd.study_of(frame, "y ~ on | id + year")
    assert {0.4, 0.6} < {*build_design(one_line["did.1"], same).D.ravel().tolist()}


def test_a_cut_that_is_said_needs_no_note(study):
    said = study.file.policy[0].model_copy(update={"cut": 0.3})
    assert "cut" not in study.file.policy[0].model_fields_set
    own = study.file.model_copy(update={"policy": (said, study.file.policy[1])})
    frame = raw(repeal=False)
    frame.loc[(frame["id"] == "u0") & (frame["year"] == 2004), "on"] = 0.4
    panel = validate_panel(frame, dataclasses.replace(study, file=own), source="a")
    assert panel.adoption.loc["u0", "p"] == 2004
    assert "fractional_policy" not in told(panel.notes)


def test_one_line_with_a_policy_that_is_repealed():
    found = bd.did(raw(), y="y", unit="id", time="year", policies={"p": "on", "q": "other"}, **FLAT)
    assert found.treatments[:2] == ("active:p", "active:q")
