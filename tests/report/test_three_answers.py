"""What the page says of three policies: all together, each pair, and what is not identified."""

import copy
import dataclasses

import pytest
from made import make_panel, make_study, staggered

from bayesdid.estimands.names import ALL, sum_of
from bayesdid.estimands.synergy import synergy
from bayesdid.jsonio import plain
from bayesdid.report.claim_panel import CONSTANT, PanelEvidence
from bayesdid.report.claim_results import claims_section, headline_models, sums_section
from bayesdid.report.sections.answer import answer
from bayesdid.report.sections.claims_forest import forest_rows
from bayesdid.report.sections.depends import depends_on
from bayesdid.report.sections.panel import with_models
from bayesdid.report.sections.robustness import robustness
from bayesdid.report.sections.statements import statements
from bayesdid.study.claims import Claim

POLICIES = ("a", "b", "c")
PAIRS = (("A", "B"), ("A", "C"), ("B", "C"))
COLUMN = {"id": "o", "outcome": "y", "family": "overlap"}


def effect(starts, period):
    """A departure of a and c alone, large beside the noise."""
    on = [period >= s for s in starts]
    return -0.2 * sum(on) - 1.5 * (on[0] and on[2])


@pytest.fixture(scope="module")
def page():
    """Results of a study in which no unit has a and b, as far as the first screen reads them."""
    frame, adoption = staggered(7, N=60, T=9, policies=POLICIES, effect=effect, sigma=0.2)
    adoption["b"] = adoption["b"].where(adoption["a"].isna())
    y = [effect(adoption.fillna(99).loc[u], t) for u, t in frame[["unit", "period"]].to_numpy(int)]
    noise = staggered(7, N=60, T=9, policies=POLICIES, sigma=0.2)[0]["y"]
    panel = make_panel(frame.assign(y=noise + y), adoption)
    study = make_study(POLICIES, columns=[COLUMN])
    found = synergy(study, panel, draws=250)
    headline = {
        "contrasts": {name: plain(item) for name, item in found.items()},
        "refused": found.refused,
        "checks": [],
        "quantiles": {
            name: {label: list(says.quantiles) for label, says in item.models.items()}
            for name, item in found.items()
        },
    }
    evidence = PanelEvidence({}, {}, {}, headline_models(headline), {}, {}, {})
    sums = sums_section(study, None, evidence, headline["refused"])
    results = {
        "sums": sums,
        "doses": [],
        "claims": [],
        "synthetic": panel.synthetic or "made up",
        "published": None,
        "level": 0.89,
        "outcome": study.file.outcome.model_dump(),
        "headline": headline,
        "validity": {"panel": "How far to trust this."},
        "policies": [policy.model_dump() for policy in study.policies],
    }
    return results, study, evidence


def test_the_first_page_answers_for_all_and_for_each_pair(page):
    results, _, _ = page
    real = results | {"synthetic": ""}
    names = [item["label"] for item in results["sums"]]
    assert names == ["All − (A + B + C)", *(f"{x} and {y} − ({x} + {y})" for x, y in PAIRS)]
    said = depends_on(real)
    for label, why in ((names[0], "all of a, b, c"), (names[1], "a and b both")):
        assert f"{label} is not identified: no row is under {why}." in said
    rows = {row.label: row for row in forest_rows(real)}
    assert set(rows) == set(names[2:])  # those that rows identify
    found = results["headline"]["contrasts"][sum_of(("a", "c"))]
    assert next(cell.text for cell in rows[names[2]].words) == found["word"]
    assert rows[names[2]].marks[0].mean == found["mean"]
    assert found["word"].startswith("supported")
    first = answer(real)
    assert f"In the microdata, {names[2]} is −{abs(found['mean']):.3f} " in first[0]
    assert "(89 % interval" in first[0]
    assert first[1].startswith(f"That it is below zero is {found['word']}: P > 0.9")
    assert answer(results) == []  # of a synthetic panel the page says nothing
    # trends are violated for a contrast, which is not always the one that answers
    trends = {"trends": ["Under parallel trends it is so."], "brief": "Else not."}
    for label, said in ((names[2], ""), (names[3], f"{names[3]}: ")):
        headline = results["headline"] | trends | {"trends_of": label}
        told = depends_on(real | {"headline": headline})
        assert told[-2:] == [f"{said}Under parallel trends it is so.", f"{said}Else not."]
    # what only models with constant effects answer is said to be so
    constant = copy.deepcopy(real)
    constant["sums"][0]["evidence"] = constant["sums"][2]["evidence"]
    why = "which answer here: no row is under all of a, b, c."
    assert f"{names[0]} is not identified unless by models that suppose {CONSTANT}, {why}" in (
        depends_on(constant)
    )


def test_sums_that_nothing_claims_are_statements_with_every_model(page):
    """Before, the page led to statements that were not there."""
    results, _, _ = page
    (part,) = statements(results | {"synthetic": "", "panel": {}})
    assert [row[0] for row in part.more[0].rows] == [
        f"{x} and {y} − ({x} + {y})" for x, y in PAIRS[1:]
    ]
    assert {row[1] for row in part.more[0].rows} == {"no claim is declared; below zero is better"}
    assert robustness(results | {"synthetic": "", "weights": {"rows": []}}).main


def test_models_beside_are_those_of_sums_where_policies_are_more_than_two(page):
    results, _, _ = page
    shown = with_models(results)
    assert sum_of(("a", "c")) in shown
    assert "a and c - none" not in shown
    two = results | {"policies": results["policies"][:2]}
    assert with_models(two) == list(results["headline"]["contrasts"])


def test_a_claim_about_a_pair_is_judged_and_all_comes_first(page):
    _, study, evidence = page
    texts = {"one": "only:a - none", "pair": sum_of(("a", "c")), "all": ALL}
    claims = tuple(Claim(id=k, text=k, place="p", synergy=name) for k, name in texts.items())
    found = claims_section(dataclasses.replace(study, claims=claims), None, evidence)
    by = {item["id"]: item["evidence"] for item in found}
    assert by["all"] is None  # no row identifies it
    assert by["pair"]["main"]
    assert not by["one"]["main"]
    assert by["pair"]["answers"]["panel"]["word"].startswith("supported")


def test_two_policies_have_no_further_sums():
    study = make_study(columns=[COLUMN])
    assert sums_section(study, None, PanelEvidence({}, {}, {}, {}, {}, {}, {}), {}) == []
