"""Every alert is raised where its condition holds, and not where it is inverted."""

import copy
import math

import pytest

import bayesdid as bd
from bayesdid.audit.run import audit_study
from bayesdid.jsonio import plain
from bayesdid.report import alerts
from bayesdid.report.alert_results import _together, alerts_section
from bayesdid.report.alerts import Says, audit_against_posterior, durbin_against_profile


def says(mean, sd, p, label="one model"):
    return Says(label, mean, sd, p)


def test_pooling_that_decides():
    pooled = says(1.0, 1.0, 0.8)
    assert alerts.pooled_against_flat("x", pooled, says(1.4, 1.0, 0.9)) is None
    found = alerts.pooled_against_flat("x", pooled, says(1.6, 1.0, 0.9))
    assert found.text == (
        "x is 1.000 (sd 1.000; P of the claim 0.800) with one model, 1.600 (sd 1.000; 0.900) with "
        "one model."
    )
    assert alerts.pooled_against_flat("x", pooled, says(1.4, 1.0, 0.96)) is not None  # across


def test_errors_that_decide():
    cells = says(1.0, 0.1, 0.9)
    assert alerts.errors_that_decide("x", cells, says(1.9, 1.0, 0.9)) is None
    found = alerts.errors_that_decide("x", cells, says(2.1, 1.0, 0.9, "clustered"))
    assert "x is 1.000 (sd 0.100) with one model, 2.100 (sd 1.000) with clustered" in found.text
    sandwich = says(1.9, 0.1, 0.9)  # of few units: too narrow to say that anything decides
    assert alerts.errors_that_decide("x", says(1.0, 1.0, 0.9), sandwich) is None


def test_a_twfe_coefficient_away_from_the_att():
    att = says(1.0, 0.5, 0.97)
    assert alerts.twfe_against_att("x", says(1.4, 0.1, 0.99), att) is None
    found = alerts.twfe_against_att("x", says(0.4, 0.1, 0.99, "TWFE"), att)
    assert "x is 0.400 (P of the claim 0.990) with TWFE, 1.000 (0.970) with one" in found.text
    assert "1.2 posterior sds" in found.text
    assert found.title == "Constant effects give another answer"
    across = [alerts.twfe_against_att("x", says(1.1, 0.1, p), att) for p in (0.90, 0.02)]
    assert [item.title for item in across] == [
        "Constant effects are less sure",
        "Constant effects are surer",
    ]
    assert alerts.twfe_against_att("x", says(1.1, 0.1, 0.04), says(1.0, 0.5, 0.03)) is None


@pytest.mark.parametrize(
    ("durbin", "profile", "raised"),
    [(0.948, 0.0, True), (0.05, 0.95, True), (0.948, 0.95, False), (0.85, 0.0, False)],
)
def test_spatial_models_with_opposite_signs(durbin, profile, raised):
    found = alerts.durbin_against_profile(says(-1, 1, durbin), says(1, 1, profile))
    assert (found is not None) is raised


def test_a_supported_claim_that_the_audit_contradicts():
    found = alerts.audit_against_posterior("c", "it falls", "supported, fragile", ["|t| is 1.69."])
    assert "“it falls” (c) is supported, fragile" in found.text
    assert "|t| is 1.69." in found.text
    assert alerts.audit_against_posterior("c", "it falls", "supported", []) is None
    assert alerts.audit_against_posterior("c", "it falls", "contradicted", ["x"]) is None
    assert alerts.audit_against_posterior("c", "it falls", "undecided, leaning for", ["x"]) is None


def test_a_mediation_through_a_coefficient_whose_sign_is_doubted(models):
    """In the words that the audit of a shipped study has."""
    findings = audit_study(bd.load_study(models / "dual_pilot")).findings
    texts = [item.text for item in findings if item.rule == "omitted_variable"]
    found = [alerts.doubted_mediator("m", ["TI"], text) for text in texts]
    assert "goes through TI, whose printed sign in table6.2" in next(filter(None, found)).text
    assert not any(alerts.doubted_mediator("m", ["SR"], text) for text in texts)
    assert alerts.doubted_mediator("m", ["TI"], "the text says 36.7") is None


def test_printed_numbers_against_the_panel():
    printed = says(1.0, 0.3, 0.5)
    assert alerts.published_against_panel("x", printed, says(1.9, 0.4, 0.5)) is None  # 1.8 sds
    assert (
        "2.2 combined sds" in alerts.published_against_panel("x", printed, says(2.1, 0.4, 0.5)).text
    )
    assert alerts.published_against_panel("x", says(0, 1, 0.8), says(0, 1, 0.2)) is not None
    assert alerts.published_against_panel("x", says(0, 1, 0.8), says(0, 1, 0.8)) is None
    assert alerts.published_against_panel("x", says(0, 1, 0.8), says(0, 1, 0.5)) is None


def test_a_prior_that_brings_much():
    assert alerts.prior_against_data("x", 0.3, 1.0) is None  # 9 %
    assert "16 % of the posterior's precision" in alerts.prior_against_data("x", 0.4, 1.0).text
    assert "100 %" in alerts.prior_against_data("x", 1.1, 1.0).text


def test_few_treated_units_and_few_clusters():
    assert alerts.few_treated("x", 6, 20) is None
    assert "x: 1 treated unit;" in alerts.few_treated("x", 1, 50).text
    assert "5 treated units" in alerts.few_treated("x", 5, 50).text
    assert "19 units in all" in alerts.few_treated("x", 6, 19).text


def test_a_weak_instrument():
    strong = (-0.5, -0.1)
    assert alerts.weak_instrument("x", 30.0, strong, 0.99) is None
    assert "F 4.0" in alerts.weak_instrument("x", 4.0, strong, 0.99).text
    denied = alerts.weak_instrument("x", 30.0, (-0.7, 10.0), 0.011)
    assert "−0.700 to 10.000" in denied.text
    assert alerts.weak_instrument("x", 30.0, (-0.7, 10.0), 0.5) is None
    assert "no end" in alerts.weak_instrument("x", 4.0, (-math.inf, 1.0), 0.5).text


@pytest.fixture
def page():
    """Results with one of everything that alerts are made of; none is raised."""

    def entry(source, model, mean, p, main=False, false_here=""):
        interval = {"low": mean - 1, "high": mean + 1, "level": 0.89}
        return {
            "source": source,
            "model": model,
            "mean": mean,
            "sd": 1.0,
            "interval": interval,
            "p_sign": p,
            "main": main,
            "false_here": false_here,
        }

    def stated(name, p):
        return {
            "name": name,
            "model": "m",
            "main": True,
            "found": {"mean": 0, "sd": 1, "p_negative": p},
        }

    estimates = [
        entry("published", "printed", 1.0, 0.96, True),
        entry("panel", "pooled paths", 1.0, 0.96, True),
        entry("panel", "cells, the same errors", 1.0, 0.96),
        entry("panel", "static factorial", 1.0, 0.96, False, "constant effects"),
        entry("panel", "cells, clustered errors", 1.0, 0.96),
    ]
    answer = {"word": "supported"}
    strength = {
        "name": "strength",
        "columns": ["F", "AR 95% low", "AR 95% high", "posterior sd", "prior sd", "P(< 0)"],
        "rows": [[50.0, -2.0, -1.0, 0.1, 1.0, 0.99]],
    }

    def analysis(family, **more):
        base = {"family": family, "spec": family, "converged": True, "effects": [], "tables": []}
        return base | more

    return {
        "synthetic": "",
        "claims": [
            {
                "id": "c",
                "text": "it rises",
                "cell": "t1.1:d",
                "evidence": {
                    "label": "x",
                    "main": True,
                    "contrast": None,
                    "estimates": estimates,
                    "answers": {
                        "published": answer | {"model": "printed"},
                        "panel": answer | {"model": "pooled paths"},
                    },
                },
            },
            {"id": "no effect", "evidence": None},
        ],
        "headline": {"contrasts": {}},
        "doses": [],
        "published": {
            "scale": 1.0,
            "verdicts": [{"contrast": "both"}],
            "contrasts": {
                "both": {"name": "both", "label": "both", "posteriors": {"averaged": {"sd": 0.1}}}
            },
        },
        "analyses": [
            analysis("sdm", effects=[stated("d.indirect", 0.95)]),
            analysis("spillover_distance", effects=[stated("d.indirect", 0.95)]),
            analysis("mediation", effects=[stated("d through m", 0.5)]),
            analysis("iv_second", tables=[strength]),
        ],
        "audit": {"findings": []},
        "effects": [
            {
                "spec": "t1.1",
                "term": "d",
                "converged": True,
                "summary": {"sd": 0.1},
                "prior_sd": 1.0,
                "treated_units": 10,
                "units": 50,
            }
        ],
    }


def finding(place, text="it does not fit"):
    return {"severity": "contradiction", "place": place, "text": text}


def _move(page, index, **more):
    page["claims"][0]["evidence"]["estimates"][index] |= more


RAISED = {
    "pooled_flat": lambda page: _move(page, 2, mean=2.0),
    "errors": lambda page: _move(page, 4, mean=3.0),
    "twfe_att": lambda page: _move(page, 3, mean=3.0),
    "durbin_profile": lambda page: page["analyses"][1]["effects"][0]["found"].update(p_negative=0),
    "audit_posterior": lambda page: page["audit"]["findings"].append(finding("t1.1:d")),
    "doubted_mediator": lambda page: page["audit"]["findings"].append(
        finding("t1.2: m", "With the sign of m in t1.2 changed, all hold.")
    ),
    "published_panel": lambda page: _move(page, 0, mean=9.0),
    "prior_data": lambda page: page["effects"][0].update(prior_sd=0.1),
    "few_treated": lambda page: page["effects"][0].update(treated_units=2),
    "weak_instrument": lambda page: page["analyses"][3]["tables"][0]["rows"][0].__setitem__(0, 3.0),
}


def test_a_page_in_order_has_no_alert(page):
    assert alerts_section(page) == []


@pytest.mark.parametrize("kind", RAISED)
def test_each_alert_reaches_the_page(page, kind):
    RAISED[kind](page)
    (found,) = alerts_section(page)
    assert found.kind == kind
    assert plain(found).keys() == {"kind", "title", "text"}


def contrast(**moved):
    """A contrast of the headline in which all models say the same, but for those that `moved`."""
    names = (
        "pooled paths",
        "cells, the same errors",
        "cells, clustered errors",
        "static factorial",
    )
    models = {name: {"mean": 1.0, "sd": 1.0, "p_claim": 0.96} for name in names}
    for name, mean in moved.items():
        models[next(n for n in names if name in n)]["mean"] = mean
    return {"label": "a − none", "models": models}


@pytest.mark.parametrize(
    ("moved", "kind", "said"),
    [
        ({"the_same": 2.0}, "pooled_flat", "is 1.000 (sd 1.000; P of the better side 0.960"),
        ({"clustered": 3.0}, "errors", "both estimate the same if trends are parallel."),
        ({"static": 3.0}, "twfe_att", "a − none is 3.000 (P of the better side 0.960)"),
    ],
)
def test_contrasts_that_answer_without_a_claim_have_their_alerts(page, moved, kind, said):
    """A panel without claims had none, however far its models were apart."""
    moved = {name.replace("_", " "): mean for name, mean in moved.items()}
    page["headline"]["contrasts"]["only:a - none"] = contrast(**moved)
    assert alerts_section(page) == []  # the claim is what the page answers
    page["claims"] = []
    (found,) = alerts_section(page)
    assert found.kind == kind
    assert said in found.text
    page["headline"]["contrasts"]["only:a - none"] = contrast()
    assert alerts_section(page) == []


@pytest.mark.parametrize(("least", "raised"), [(2.1, True), (1.9, False)])
def test_a_dose_whose_errors_decide_is_told(page, least, raised):
    estimates = page["claims"][0]["evidence"]["estimates"][1:2]
    estimates[0]["model"] = "t.1, default errors"
    beside = estimates[0] | {"model": "t.1, least squares, clustered", "mean": least, "main": False}
    other = beside | {"model": "t.2, least squares, clustered", "mean": 9.0}
    page["claims"] = []
    evidence = {
        "label": "price",
        "estimates": [*estimates, beside, other],
        "answers": {"panel": {"word": "supported", "model": "t.1, default errors"}},
    }
    page["doses"] = [{"spec": "t.1", "term": "price", "evidence": evidence}]
    found = alerts_section(page)
    assert [alert.kind for alert in found] == ["errors"] * raised
    if raised:
        assert "price is 1.000 (sd 1.000) with t.1, default errors, 2.100" in found[0].text
        assert found[0].text.endswith(
            "if it acts at once and nothing else that moves the outcome moves with it."
        )


def test_a_stand_in_is_not_compared_with_print(page):
    RAISED["published_panel"](page)
    page["synthetic"] = "made up"
    assert alerts_section(page) == []


def test_alerts_of_a_kind_are_one(page):
    page["effects"][0]["treated_units"] = 2
    page["effects"].append(page["effects"][0] | {"spec": "t1.2"})
    (found,) = alerts_section(page)
    assert found.text.endswith("Likewise: t1.2, d.")


def test_a_column_is_named_by_its_heading(page):
    """By that of a column with several treatments, and by the treatment."""
    page["effects"][0]["treated_units"] = 2
    page["titles"] = {"t1.1": "Laws"}
    (found,) = alerts_section(page)
    assert found.text.startswith("“Laws”: 2 treated units;")
    page["effects"].append(page["effects"][0] | {"term": "other", "treated_units": 10})
    (found,) = alerts_section(page)
    assert found.text.startswith("“Laws”, d: 2 treated units;")


def test_the_weightiest_of_a_kind_is_told(page):
    """Where pooling turns the probability over, rather than where it moves the mean."""
    first = page["claims"][0]["evidence"]
    first["estimates"][2] |= {"mean": 3.0, "p_sign": 0.96}
    first["estimates"][4]["mean"] = 3.0
    other = copy.deepcopy(page["claims"][0]) | {"id": "d"}
    other["evidence"] |= {"label": "y", "main": False}
    other["evidence"]["estimates"][2] |= {"mean": 1.1, "p_sign": 0.03}
    other["evidence"]["estimates"][4]["mean"] = 1.1
    page["claims"].append(other)
    (found,) = alerts_section(page)
    assert found.text.startswith("y is 1.000 (sd 1.000; P of the claim 0.960) with pooled paths")
    assert "0.030) with no pooling, same errors." in found.text  # not the name it is stored under
    assert found.text.endswith("Likewise: x.")


def test_the_audit_is_read_by_claim_and_by_cell(page):
    for place, raised in (("claim c", True), ("claim d", False), ("t1.1:other", False)):
        page["audit"]["findings"] = [finding(place)]
        assert bool(alerts_section(page)) is raised, place
    page["audit"]["findings"] = [finding("claim c") | {"severity": "warning"}]
    assert alerts_section(page) == []


def test_others_of_a_kind_are_named_once_by_what_they_are_about():
    quotes = {"a": "first", "b": "second: with a colon"}
    items = [audit_against_posterior(k, quote, "supported", ["-1"]) for k, quote in quotes.items()]
    again = audit_against_posterior("a", "first", "supported", ["another finding"])
    together = _together([items[0], items[1], again])
    assert together.text.startswith("“first” (a) is supported")
    assert together.text.endswith("Likewise: b.")


def test_spatial_models_that_disagree_are_named():
    durbin = [says(-1.0, 0.5, 0.95, name) for name in ("one", "two")]
    items = [durbin_against_profile(item, says(9.0, 2.0, 0.0, "profile")) for item in durbin]
    assert _together(items).text.endswith("Likewise: two.")
