"""One bad spec fails alone: named on the first screen, the rest goes on, exit code 1."""

import json
import re

import pytest
from commands import bayesdid

import bayesdid as bd
from bayesdid.design.build import build_design
from bayesdid.exceptions import NotIdentifiedError
from bayesdid.inference import plan
from bayesdid.inference.executor import attempt
from bayesdid.report import results as report
from cells import slow_but
from smallest import study_with

SIMULATED = """
units = 12
first_period = 2000
last_period = 2005
[panel.simulate]
sigma = 0.5
sigma_unit = 0.5
sigma_period = 0.2
truth = { "active:p" = 0.5 }
[panel.simulate.adoption]
p = { 2002 = 3, 2003 = 3 }
"""
COLUMN = """
[[column]]
id = "{}"
outcome = "{}"
treatments = ["active:p"]
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "study.toml").write_text(study_with(SIMULATED))
    (tmp_path / "t.toml").write_text(
        'id = "t"\ntitle = "T"\nkind = "regression"\n'
        + COLUMN.format("good", "y")
        + COLUMN.format("absent", "no_such_column")
        + COLUMN.format("bad", "y")
        + 'covariates = []\nsample = { arms = ["none", "single"] }\n'
    )
    return tmp_path


def broken(function, spec, error):
    def with_fault(first, *args, **options):
        request = getattr(first, "request", first)
        name = getattr(request, "spec_id", "") or request.design.spec_id
        if name == spec:
            raise error
        return function(first, *args, **options)

    return with_fault


WHERE = {
    "fit": (report, "fit_or_reuse"),
    "check": (report, "check_or_reuse"),
    "least squares": (report, "least_squares"),
}


@pytest.mark.parametrize("where", slow_but(WHERE, "fit"))
def test_one_bad_spec_fails_alone(folder, monkeypatch, where):
    module, name = WHERE[where]
    fault = broken(getattr(module, name), "t.bad", ZeroDivisionError("nothing to\ndivide <by>"))
    monkeypatch.setattr(module, name, fault)
    out = folder / "out"
    ran = bayesdid("report", folder, "--draws", 100, "--workers", 1, "--out", out)
    assert ran.code == 1
    assert ran.fine, ran.err
    found = json.loads((out / "results.json").read_text())
    assert set(found["failed"]) == {"t.absent", "t.bad"}
    assert "ZeroDivisionError: nothing to divide <by>" in found["failed"]["t.bad"]
    assert "no_such_column" in found["failed"]["t.absent"]
    for key in ("fits", "checks", "agreement", "effects"):
        assert {item["spec"] for item in found[key]} == {"t.good"}
    assert found["skipped"] == {}
    for text in found["failed"].values():
        assert " ".join(text.split()) in " ".join(ran.err.split())
    page = (out / "index.html").read_text()
    first = page[: page.index("<h2>")]
    assert "2 parts of this report failed" in first
    assert re.search(r"t\.bad: [a-z: ]*ZeroDivisionError: nothing to divide &lt;by&gt;", first)
    assert "t.absent" in first


@pytest.mark.slow
def test_the_panel_and_the_printed_columns_fail_alone_too(folder, monkeypatch):
    monkeypatch.setattr(report, "headline_section", broken(None, "", None))
    monkeypatch.setattr(report, "inverted", broken(None, "", None))
    study = bd.load_study(folder)
    found = report.compute_results(study, bd.load_panel(study), folder / "out", draws=100)
    assert set(found["failed"]) == {"t.absent", "contrasts of the panel", "printed columns"}
    assert "AttributeError" in found["headline"]["failed"]
    assert {item["spec"] for item in found["fits"]} == {"t.good", "t.bad"}


def test_what_is_not_identified_is_no_fault(folder, monkeypatch):
    study = bd.load_study(folder)
    fault = NotIdentifiedError("nothing varies")

    def build(spec, panel):
        if spec.id == "t.bad":
            raise fault
        return build_design(spec, panel)

    monkeypatch.setattr(plan, "build_design", build)
    made = plan.plan_fits(study, bd.load_panel(study))
    assert set(made.skipped) == {"t.absent", "t.bad"}
    assert made.failed == ("t.absent",)


def test_under_debug_a_fault_keeps_its_traceback(monkeypatch):
    def fault(_):
        raise ZeroDivisionError("x")

    assert attempt(fault, 1).failed == "ZeroDivisionError: x"
    assert attempt(lambda x: x, 1).value == 1
    monkeypatch.setenv("BAYESDID_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        attempt(fault, 1)


def test_a_fault_of_ours_is_a_sentence(monkeypatch, tmp_path):
    def fault(*_, **__):
        raise KeyError("surprise")

    monkeypatch.setattr("bayesdid.families.registry.load.load_study", fault)
    ran = bayesdid("audit", tmp_path)
    assert ran.code == 1
    assert "bayesdid failed where it should not: KeyError: 'surprise'" in ran.err
    assert "Traceback" not in ran.err
    assert not ran.fine
