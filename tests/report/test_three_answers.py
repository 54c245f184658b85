"""What the page says of three policies: all together, each pair, and what is not identified."""

import dataclasses

import pytest
from made import make_panel, make_study, staggered

from bayesdid.estimands.names import ALL, sum_of
from bayesdid.estimands.synergy import synergy
from bayesdid.jsonio import plain
from bayesdid.report.claim_panel import PanelEvidence
from bayesdid.report.claim_results import claims_section, headline_models, sums_section
from bayesdid.report.html import _with_models, first_screen
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
    evidence = PanelEvidence({}, {}, {}, headline_models(headline, "lower"), {}, {}, {})
    sums = sums_section(study, None, evidence, headline["refused"])
    results = {
        "sums": sums,
        "claims": [],
        "synthetic": panel.synthetic,
        "headline": headline,
        "validity": {"panel": "How far to trust this."},
        "policies": [policy.model_dump() for policy in study.policies],
    }
    return results, study, evidence


def test_the_first_screen_answers_for_all_and_for_each_pair(page):
    results, _, _ = page
    said = first_screen(results)
    names = [item["label"] for item in results["sums"]]
    assert names == ["All − (A + B + C)", *(f"{x} and {y} − ({x} + {y})" for x, y in PAIRS)]
    for label, why in ((names[0], "all of a, b, c"), (names[1], "a and b both")):
        assert f"{label} is not identified: no row is under {why}." in said
    (pair,) = [text for text in said if names[2] in text]
    found = results["headline"]["contrasts"][sum_of(("a", "c"))]
    assert f"{names[2]} is −{abs(found['mean']):.3f} (89 % interval" in pair
    assert "it is below zero is > 0.9" in pair
    assert pair.endswith(f"{found['word']}.")
    assert found["word"].startswith("supported")
    assert "How far to trust this." in said


def test_models_beside_are_those_of_sums_where_policies_are_more_than_two(page):
    results, _, _ = page
    shown = _with_models(results)
    assert sum_of(("a", "c")) in shown
    assert "a and c - none" not in shown
    two = results | {"policies": results["policies"][:2]}
    assert _with_models(two) == list(results["headline"]["contrasts"])


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
