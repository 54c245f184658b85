"""Standards say what the run holds, and what it does not."""

import dataclasses

import pytest
from panels import make_design

import bayesdid as bd
from bayesdid.checks.check import CheckResult, inapplicable
from bayesdid.checks.standards import assumptions, standards
from bayesdid.exceptions import InputError
from bayesdid.inference.result import Fit
from bayesdid.model.bound import model as bind
from bayesdid.model.mean import Instrument, Mediation
from bayesdid.spatial.weights.weights import make_weights

DESIGN = make_design(1, N=12, T=5)


def result(name, passed=True, text="It was found.", table=None):
    return CheckResult(name, passed, table, text)


def items(fit, results=(), **given):
    return {(i.standard, i.item): i for i in standards(fit, results, **given)}


@pytest.fixture(scope="module")
def fit():
    return bd.fit(bind(DESIGN, errors="iid", priors="sceptical"), draws=100)


def test_an_item_is_done_if_its_check_was_made_and_says_when_it_fails(fit):
    item = ("BARG", "1E prior predictive check")
    assert items(fit)[item].state == "not done"
    good = items(fit, [result("prior_predictive")])[item]
    assert (good.state, good.where, good.text) == ("done", ("prior_predictive",), "It was found.")
    bad = items(fit, [result("prior_predictive", False, "They differ.")])[item]
    assert (bad.state, bad.text) == ("done, fails", "They differ.")
    none = items(fit, [inapplicable("prior_predictive", "flat")])[item]
    assert none.state == "does not apply"


def test_of_several_checks_the_failing_one_is_quoted(fit):
    found = items(fit, [result("overlay"), result("skewness", False, "Skewed.")])
    item = found["Workflow", "6.1 posterior predictive checking"]
    assert (item.state, item.text, item.where) == (
        "done, fails",
        "Skewed.",
        ("overlay", "skewness"),
    )


def test_what_the_run_holds_is_filled_in(fit):
    found = items(fit)
    assert "alpha + tau'D[i,t]" in found["BARG", "1D formal specification"].text
    priors = found["BARG", "1C priors and why"].text
    assert priors.startswith("sceptical: a treatment's full swing has sd 0.25")
    assert "active:p ~ Normal(0, " in priors
    assert "two_way" in found["BARG", "2D computation and its gate"].text
    assert "(limit " in found["BARG", "2D computation and its gate"].text
    assert "e+" not in found["BARG", "2D computation and its gate"].text  # 1732, not 1.73e+03
    assert "seed 0" in found["BARG", "6 reproduction"].text
    linked = ("1A data", "1D formal specification", "4A decisions and 4B their loss", "2A software")
    assert [found["BARG", item].where for item in linked] == [
        ("design",),
        ("methods",),
        ("answer",),
        ("methods",),
    ]
    assert "60 rows, 12 units (city), 5 periods (year)," in found["BARG", "1A data"].text
    assert "2 covariates" in found["BARG", "1A data"].text


def test_a_missing_rope_citation_or_licence_is_not_done(fit):
    none = items(fit)
    assert none["BARG", "4C ROPE"].state == "not done"
    assert none["BARG", "1A data"].state == "not done"
    assert items(fit, citation="Somebody 2020")["BARG", "1A data"].state == "not done"
    whole = items(fit, rope=0.2, citation="Somebody 2020", licence="CC0")
    assert whole["BARG", "4C ROPE"].state == "done"
    assert "within plus or minus 0.2" in whole["BARG", "4C ROPE"].text
    assert whole["BARG", "1A data"].state == "done"
    assert "Somebody 2020; licence: CC0" in whole["BARG", "1A data"].text


def test_assumptions_are_those_of_the_mean():
    W = make_weights(_ring(12), DESIGN.units)
    said = {
        "two-way": assumptions(bind(DESIGN)),
        "mediation": assumptions(bind(DESIGN, mean=Mediation(("x1",)))),
        "instrument": assumptions(bind(DESIGN, mean=Instrument("x1"))),
        "durbin": assumptions(bind(bd.spatial_design(DESIGN, W, "sdm"))),
        "pooled": assumptions(bind(dataclasses.replace(DESIGN, part=("cells",)))),
    }
    for kind in ("two-way", "mediation", "durbin", "pooled"):
        assert "moved in parallel" in said[kind]
        assert "nobody reacts to a treatment to come" in said[kind]
    assert "the same for all units" in said["two-way"]
    assert "sequential ignorability" in said["mediation"]
    assert "through it alone" in said["instrument"]
    assert "moved in parallel" not in said["instrument"]
    assert "neighbours that W names" in said["durbin"]
    assert "SUTVA" not in said["durbin"]
    assert "may differ between cells" in said["pooled"]


def _ring(N):
    import numpy as np

    return np.roll(np.eye(N), 1, axis=1) + np.roll(np.eye(N), -1, axis=1)


def test_a_fit_without_its_model_is_refused(fit):
    with pytest.raises(InputError, match="does not hold its model"):
        standards(Fit(fit.tree), [])
