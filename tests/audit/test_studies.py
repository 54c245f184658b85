"""The shipped studies, and one that has nothing to do with them."""

import json

import pytest
from typer.testing import CliRunner

from bayesdid.audit.run import audit_study
from bayesdid.cli.app import app
from bayesdid.families.registry.load import load_study


@pytest.fixture(scope="module")
def dual(models):
    return audit_study(load_study(models / "dual_pilot"))


def places(report, severity):
    return {(f.rule, f.place) for f in report.findings if f.severity == severity}


def test_contradictions_of_the_published_study(dual):
    assert places(dual, "contradiction") == {
        ("stars", "table4.3:constant"),
        ("omitted_variable", "table2.2, table6.2, table6.1: both"),
        ("omitted_variable", "table2.2, table6.2, table6.1: constant"),
        ("omitted_variable", "table2.2, table6.4, table6.3: both"),
        ("omitted_variable", "table2.2, table6.4, table6.3: constant"),
        ("values", "claim smart-only"),
        ("significance", "claim psm-level"),
        ("significance", "claim concurrent-joint-broadband"),
        ("significance", "claim iu-level"),
    }


def test_warnings_of_the_published_study(dual):
    assert {
        ("statistics", "table4.1:kp_lm"),
        ("spatial_effects", "table7.2:both"),
        ("pooled", "table2.1:both"),
        ("values", "claim placebo-baseline"),
        ("significance", "claim baseline-column1-level"),
        ("comparisons", "claim size"),
        ("magnitudes", "table4.2:both"),
        ("instrumented", "table4.2, table2.2: both"),
    } <= places(dual, "warning")


def test_what_agrees_is_not_flagged(dual):
    """Constant against means, impacts that add up, percentages of one whole, first-stage F."""
    flagged = {f.place for f in dual.findings}
    assert not flagged & {"table2.2:constant", "table7.1:both", "claim sequence-counts"}
    assert not any(f.rule in {"arithmetic", "observations", "groups"} for f in dual.findings)
    assert dual.checked["arithmetic"] >= 4
    assert dual.checked["observations"] >= 30


def test_a_sign_that_mends_the_identity_is_named(dual):
    texts = [f.text for f in dual.findings if f.rule == "omitted_variable"]
    assert all("sign of" in text for text in texts)


def test_unrelated_study_passes(studies):
    report = audit_study(load_study(studies / "castle"))
    assert sum(report.checked.values()) > 5
    assert not report.flagged, report.findings


def test_study_without_published_numbers_passes(models):
    assert not audit_study(load_study(models / "traffic_laws")).flagged


@pytest.mark.parametrize(("name", "code"), [("dual_pilot", 1), ("traffic_laws", 0)])
def test_strict_sets_the_exit_code(models, name, code):
    run = CliRunner().invoke(app, ["audit", str(models / name), "--strict"])
    assert run.exit_code == code


def test_json_is_one_document(models):
    run = CliRunner().invoke(app, ["audit", str(models / "dual_pilot"), "--json"])
    document = json.loads(run.stdout)
    assert run.exit_code == 0
    assert document["counts"]["contradiction"] == 9
    assert document["findings"][0]["left_interval"]


def test_doubts_are_told_with_what_they_do_to_indirect_effects(models):
    """TI's sign mends its identity: the indirect effect is -.038 as printed, .038 without it."""
    run = CliRunner().invoke(app, ["audit", str(models / "dual_pilot")])
    said = " ".join(run.stdout.split())
    assert "doubted: table4.3:constant 10.111*, table6.2:TI -0.153*** (instead 0.153***?)" in said
    assert "indirect effect, both through TI: table6.1:both times table6.2:TI is -0.038" in said
    assert "If that was misprinted for 0.153***, it is 0.038 (P(< 0) < 0.001)" in said
    document = json.loads(
        CliRunner().invoke(app, ["audit", str(models / "dual_pilot"), "--json"]).stdout
    )
    assert {item["cell"] for item in document["doubts"]} == {
        "table2.4:only:smart",
        "table4.3:constant",
        "table4.3:both",
        "table5.4:broadband",
        "table6.2:TI",
        "table6.3:both",
        "table6.4:IU",
    }
    assert len(document["mediations"]) == 2
