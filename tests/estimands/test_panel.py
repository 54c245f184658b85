"""Contrasts of fitted panels: truth recovered, parametrisations agree, refusals."""

import numpy as np
import pytest

import bayesdid as bd
from bayesdid.estimands.contrasts import panel_contrasts, state_vectors
from bayesdid.estimands.names import RATIO, SUM
from bayesdid.exceptions import InputError, NotIdentifiedError


@pytest.fixture(scope="module")
def dual(models):
    study = bd.load_study(models / "dual_pilot")
    return study, bd.simulate_panel(study)


def test_truth_of_the_simulator_is_recovered(dual):
    """The stand-in's effects: -0.50, -0.35 and +0.15 beyond the sum; within 4 posterior sds."""
    study, panel = dual
    truth = study.file.panel.simulate.truth
    table = bd.contrast_table(bd.fit(study["factorial.interaction"], panel))
    expected = {
        "only:innovation - none": truth["active:innovation"],
        "only:smart - none": truth["active:smart"],
        "both - sum of singles": truth["active:innovation * active:smart"],
    }
    for name, value in expected.items():
        assert abs(table.loc[name, "mean"] - value) < 4 * table.loc[name, "sd"], name
    assert (table["synthetic"] != "").all()


def test_states_or_policies_are_one_model(dual):
    """``only:a, only:b, both`` is a reparametrisation of ``active:a, active:b, product``."""
    study, panel = dual
    spec = study["factorial.interaction"]
    terms = ("only:innovation", "only:smart", "both")
    states = type(spec)(
        spec.id,
        spec.column.model_copy(update={"treatments": terms}),
        spec.table,
        spec.study_id,
        spec.priors,
    )
    flat = {"errors": "iid", "priors": "flat", "draws": 4000}
    first = panel_contrasts(bd.fit(spec, panel, **flat).tree, scale=1.0)
    second = panel_contrasts(bd.fit(states, panel, seed=9, **flat).tree, scale=1.0)
    for name in first:
        a, b = first[name].summary, second[name].summary
        assert abs(a.mean - b.mean) < 5 * np.hypot(a.mcse, b.mcse), name


def test_sequence_averages_to_both(dual):
    study, panel = dual
    state = state_vectors(bd.fit(study["factorial.sequence"], panel, errors="iid", draws=100).tree)
    parts = [name for name in state if name.startswith("both, ")]
    assert {"both, first:innovation", "both, first:smart", "both, simultaneous"} == set(parts)
    assert state["both"].sum() == pytest.approx(3.0)  # two policies and one share of an order


@pytest.mark.parametrize("spec", ["table2.2", "table2.5", "table6.6"])
def test_a_spec_that_mixes_states_is_refused(dual, spec):
    study, panel = dual
    with pytest.raises(NotIdentifiedError, match="factorial"):
        bd.contrast_table(bd.fit(study[spec], panel, errors="iid", draws=100))


def test_a_study_of_one_policy(dual):
    """Its contrast is the coefficient; with two policies the same fit is refused."""
    study, panel = dual
    spec = study["factorial.nocontrols"]
    alone = type(spec)(
        spec.id,
        spec.column.model_copy(update={"treatments": ("active:smart",)}),
        spec.table,
        spec.study_id,
        spec.priors,
    )
    tree = bd.fit(alone, panel, errors="iid", draws=200).tree
    found = panel_contrasts(tree, scale=1.0, policies=1)
    assert list(found) == ["only:smart - none"]
    assert found["only:smart - none"].summary.mean == pytest.approx(
        float(tree["posterior"]["tau"].mean())
    )
    with pytest.raises(NotIdentifiedError, match="do not name 2 policies"):
        panel_contrasts(tree, scale=1.0)
    name, p = "only:smart - none", found["only:smart - none"].summary.p_negative
    for better, given, says in (
        ("lower", None, ("< 0", p)),
        ("higher", None, ("> 0", 1 - p)),
        ("lower", {name: "> 0"}, ("> 0", 1 - p)),
        ("higher", {name: "< 0", "another": "> 0"}, ("< 0", p)),
    ):
        item = panel_contrasts(tree, scale=1.0, policies=1, better=better, claimed=given)[name]
        assert (item.claim, item.p_claim) == (says[0], pytest.approx(says[1]))


@pytest.mark.parametrize(("name", "claim"), [(SUM, "below"), (SUM, "> 1"), (RATIO, "< 0")])
def test_a_side_that_is_none_is_refused(name, claim):
    with pytest.raises(InputError, match=f"cannot be claimed to be '{claim}'"):
        panel_contrasts(None, scale=1.0, claimed={name: claim})
