"""Every function of a data frame takes the same by name, shows it, and ignores none of it."""

import inspect
import typing

import numpy as np
import pandas as pd
import pytest

import bayesdid as bd
from bayesdid.exceptions import InputError
from bayesdid.front.arguments import OfFit, OfModel, OfRows, OfRun, asked
from bayesdid.front.study import study_of
from bayesdid.inference.fit import fit
from bayesdid.model.bound import model

POLICY = {"y": "y", "unit": "id", "time": "year", "policies": ["first"]}


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    rows = pd.DataFrame([(i, t) for i in range(12) for t in range(2001, 2007)])
    rows.columns = ["id", "year"]
    rows["first"] = np.where(rows["id"] % 2, 2004, np.nan)
    rows["w"], rows["state"] = 1.0 + rows["id"] % 3, rows["id"] // 3
    rows["x"] = np.where(rows.index == 1, "--", "1.5").astype(object)
    rows.loc[rows["year"] > 2003, "x"] = "2.5"
    return rows.assign(y=rng.normal(size=72) + (rows["year"] >= rows["first"]))


@pytest.mark.parametrize(("kind", "source"), [(OfRows, study_of), (OfModel, model), (OfRun, fit)])
def test_the_list_is_that_of_the_function_that_uses_it(kind, source):
    wanted, takes = typing.get_type_hints(kind), typing.get_type_hints(source)
    for name, hint in wanted.items():
        loose = typing.get_args(takes[name]) if name == "likelihood" else ()
        assert takes[name] == hint or set(typing.get_args(hint)) <= set(loose)
    left = set(inspect.signature(study_of).parameters) - set(OfRows.__annotations__)
    # what a formula, several policies and a study alone need
    assert left == {"data", "formula", "policies", "treatment", "columns", "better"}


@pytest.mark.parametrize(
    ("function", "kind"), [(bd.did, OfFit), (bd.event_study, OfFit), (bd.synergy, OfRows)]
)
def test_names_and_defaults_are_shown_and_a_misspelt_one_is_named(function, kind):
    shown = inspect.signature(function).parameters
    assert set(kind.__annotations__) < set(shown)
    assert shown["weights_kind"].default == "analytic"
    assert all(one.kind != one.VAR_KEYWORD for one in shown.values())
    with pytest.raises(TypeError, match=r"'weight_kind'\. Did you mean 'weights_kind'"):
        function(None, weight_kind="analytic")


def test_only_what_differs_from_its_default_counts_as_asked_for():
    assert asked(study_of, {"weights": None, "cluster": "state", "repeated": False}) == ["cluster"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"weights_kind": "frequency"}, "a kind of weights without weights"),
        ({"weights_kind": "kilos", "weights": "w"}, "unknown kind of weights"),
        ({"cluster": "county"}, "no such column"),
        ({"repeated": True}, "repeated"),
        ({"weights_kind": "frequency", "weights": "w"}, "several rows in a period"),
        ({"covariates": ["x"]}, "but a mark"),
    ],
)
def test_synergy_reads_what_did_reads(frame, more, message):
    with pytest.raises(InputError, match=message):
        bd.synergy(frame, **POLICY, **more)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"cluster": "state + year"}, "two-way clusters"),
        ({"cluster": "state^year"}, "two-way clusters"),
        ({"cluster": ["state", "year"]}, "two-way clusters"),
        ({"cluster": 3}, "cluster is the name of one column"),
        ({"weights": ["w"]}, "weights is the name of one column"),
        ({"exposure": 2.0}, "exposure is the name of one column"),
        ({"trials": 1}, "trials is the name of one column"),
        ({"covariates": [1]}, "covariates is a text or a list of texts"),
        ({"effects": 3}, "effects is a text or a list of texts"),
        ({"cores": 0}, "cores is a whole number"),
    ],
)
def test_names_are_texts_and_clusters_one_column(frame, more, message):
    with pytest.raises(InputError, match=message):
        bd.did(frame, **POLICY, **more)


def test_a_column_called_as_two_is_one(frame):
    study, _ = bd.study_of(frame.rename(columns={"state": "state+x"}), **POLICY, cluster="state+x")
    assert study["did.1"].column.cluster == "state+x"


def test_weights_marks_and_clusters_reach_the_headline(frame):
    run = {"errors": "iid", "draws": 50}
    plain = bd.synergy(frame, **POLICY, **run)
    other = bd.synergy(
        frame, **POLICY, **run, weights="w", covariates="x", missing_marks="--", cluster="state"
    )
    (name, *_) = plain
    assert plain[name].mean != other[name].mean
    assert any("rows" in note.text or "--" in note.text for note in other.notes)


def test_an_event_study_takes_what_did_takes_and_a_fit_nothing(frame):
    options = {"y": "y", "unit": "id", "time": "year", "policy": "first", "first": -2, "last": 1}
    run = {"draws": 50, "chains": 2, "errors": "iid", "weights": "w"}
    found = bd.event_study(frame, **options, **run, cluster="state")
    assert found.summary().endswith("\nLeast squares clustered by state: path.fit.beside()")
    assert "cluster state (4)" in found.fit.beside().index.get_level_values(1)
    assert "Least squares" not in bd.event_study(frame, **options, **run).summary()
    assert found.fit.tree["posterior"].sizes["chain"] == 2
    assert found.fit.tree.attrs["weighted"]
    for more in ({"last": 3}, {"covariates": ["x"]}, {"errors": "iid"}, {"missing_marks": ["-"]}):
        with pytest.raises(InputError, match="a fit knows its outcome") as caught:
            bd.event_study(found.fit, **more)
        assert caught.value.value == next(iter(more))


def test_treatments_of_a_formula_need_one(frame):
    with pytest.raises(InputError, match="treatments of a formula"):
        bd.did(frame, **POLICY, treatment="x")
