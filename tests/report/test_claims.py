"""Every model of a claim's effect, and the page's forests."""

import copy
import dataclasses
import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import bayesdid as bd
from bayesdid.estimands.beside import DIFFERING, HEADLINE
from bayesdid.estimands.distribution import distribution_of
from bayesdid.estimands.judgement import UNSETTLED, judge
from bayesdid.estimands.question import question
from bayesdid.estimands.stated import StatedEffect, between, drawn
from bayesdid.peers.fixest import Estimates
from bayesdid.published.synergy import published_synergy
from bayesdid.report.claim_html import claim_groups
from bayesdid.report.claim_panel import (
    CONSTANT,
    Headline,
    PanelEvidence,
    panel_estimates,
    panel_of_printed,
)
from bayesdid.report.claim_results import claims_section, headline_models, stated_effects, width_of
from bayesdid.report.claim_words import answer_sentence, constant_sentence
from bayesdid.report.document.blocks import Fold, Table
from bayesdid.report.sections.answer import answer
from bayesdid.report.sections.statements import statements

KINDS = ("default", "sceptical", "mundlak", "random", "iid")


def draws(mean, sd=1.0, seed=0):
    return np.random.default_rng(seed).normal(mean, sd, 4000)


def tree(term, values, converged=1):
    data = xr.Dataset(
        {"tau": (("chain", "draw", "treatment"), values.reshape(4, -1, 1))},
        coords={"treatment": [term]},
    )
    found = xr.DataTree.from_dict({"posterior": data})
    found.attrs = {"converged": converged}
    return found


def estimates(term, value, se):
    table = pd.DataFrame({"estimate": [value], "se_cluster": [se]}, index=[term])
    return Estimates(table, 10, 20, 5, 0, 0.5, 0.5, np.eye(1))


def evidence(**more):
    names = [field.name for field in dataclasses.fields(PanelEvidence)]
    return PanelEvidence(**({name: {} for name in names} | more))


@pytest.fixture(scope="module")
def dual(models):
    return bd.load_study(models / "dual_pilot")


def asked(study, name):
    return question(study, next(claim for claim in study.claims if claim.id == name))


def fits(spec="table2.2", mean=-1.0):
    return {
        "trees": {spec: {kind: tree("both", draws(mean, seed=k)) for k, kind in enumerate(KINDS)}},
        "estimates": {spec: estimates("both", mean, 2.0)},
    }


def test_a_column_has_every_fit_of_it(dual):
    found = panel_estimates(dual, asked(dual, "baseline-column2-level"), evidence(**fits()))
    assert len(found) == len(KINDS) + 1
    assert [item.main for item in found] == [True, *[False] * len(KINDS)]
    assert all(item.counts for item in found)
    assert found[-1].model == "TWFE table2.2, least squares, clustered"
    assert (found[-1].mean, found[-1].sd) == (-1.0, 2.0)
    assert found[0].p_sign == (draws(-1.0) < 0).mean()


def test_a_fit_that_failed_its_gate_or_its_check_does_not_speak(dual):
    given = fits()
    given["trees"]["table2.2"]["default"] = tree("both", draws(-1.0), converged=0)
    passes = {("table2.2", "iid"): False, ("table2.2", "default"): True}
    found = panel_estimates(
        dual, asked(dual, "baseline-column2-level"), evidence(**given, passes=passes)
    )
    assert "default errors" not in " ".join(item.model for item in found)
    assert [item.model for item in found if not item.counts] == ["TWFE table2.2, i.i.d. errors"]


def test_constant_effects_do_not_count_beside_effects_that_change(dual):
    cohort = (drawn("both", "cohorts, pooled", "a", draws(0.5), main=True),)
    given = evidence(**fits(), stated={"reanalysis.cohort_both": cohort})
    found = panel_estimates(dual, asked(dual, "baseline-column2-level"), given)
    assert found[0].model == "cohorts, pooled, reanalysis.cohort_both"
    assert found[0].main
    assert {item.false_here for item in found[1:]} == {CONSTANT}
    answer = judge(found, "panel")
    assert (answer.model, answer.models) == (found[0].model, 1)
    other = panel_estimates(dual, asked(dual, "concurrent-dual-1"), given)  # another model of it
    assert all(item.false_here == "" for item in other)


def test_effects_of_families_are_found_by_their_names(dual):
    stated = {
        "table7.1": (
            drawn("both.indirect", "SDM", "a", draws(-3.0), main=True),
            drawn("both.direct", "SDM", "a", draws(5.0), main=True),
        ),
        "figure4.profile": (drawn("both up to 800 km", "profile", "a", draws(2.0), main=True),),
    }
    (found,) = panel_estimates(dual, asked(dual, "spatial-indirect-1"), evidence(stated=stated))
    assert (found.model, found.p_sign > 0.99) == ("SDM", True)
    (found,) = panel_estimates(dual, asked(dual, "spillover-promotion"), evidence(stated=stated))
    assert found.p_sign < 0.05
    assert panel_estimates(dual, asked(dual, "spatial-total-1"), evidence(stated=stated)) == []


def test_groups_are_compared_in_one_model_and_apart(dual):
    """The claim is that the second group is further below zero, whichever way it is stored."""
    name = between("both", "resource", "resource", "nonresource")
    joint = drawn(name, "one pooled model", "a", draws(2.0), main=True)
    printed = drawn(name, "printed cells, pooled", "a", draws(2.0), source="published")
    turned = StatedEffect(
        between("both", "resource", "nonresource", "resource"), "turned", "a", joint.found.negated()
    )
    given = evidence(
        trees={
            "table8.1": {"default": tree("both", draws(1.0, seed=1))},
            "table8.2": {"default": tree("both", draws(-1.0, seed=1))},
        },
        estimates={
            "table8.1": estimates("both", 1.0, 3.0),
            "table8.2": estimates("both", -1.0, 4.0),
        },
        stated={"reanalysis.resource": (joint, printed, turned)},
    )
    ask = asked(dual, "type")
    found = panel_estimates(dual, ask, given)
    by = {item.model: item for item in found}
    assert by["one pooled model, reanalysis.resource"].mean == pytest.approx(-2.0, abs=0.1)
    assert by["turned, reanalysis.resource"].mean == pytest.approx(-2.0, abs=0.1)
    apart = by["columns fitted apart, default errors"]
    assert apart.mean == pytest.approx(-2.0, abs=0.1)
    assert apart.sd == pytest.approx(np.sqrt(2.0), rel=0.1)  # not zero: one seed made both
    assert by["columns fitted apart, least squares, clustered"].sd == pytest.approx(5.0)
    assert found[0].main
    (from_print,) = panel_of_printed(dual, ask, given)
    assert (from_print.source, from_print.p_sign > 0.9) == ("published", True)


@pytest.mark.parametrize("claim", ["< 0", "> 0"])
def test_the_headline_turns_with_what_is_claimed(claim):
    values = draws(-1.0)
    found = distribution_of(values)
    p = found.p_negative if claim == "< 0" else 1 - found.p_negative
    says = {
        "mean": found.mean,
        "sd": found.sd,
        "interval": {"low": -2.0, "high": 0.0, "level": 0.89},
        "p_claim": p,
        "assumes": "a",
        "bias": 0.0,
    }
    both = ("pooled paths", "static factorial")
    headline = {
        "contrasts": {
            "c": {
                "claim": claim,
                "models": {key: says | {"judged": key == both[0]} for key in both},
            }
        },
        "quantiles": {"c": {key: list(found.quantiles) for key in both}},
        "checks": [],
    }
    main, static = headline_models(headline)["c"]
    assert main.effect.found.p_negative == pytest.approx(found.p_negative)
    assert main.effect.found.below(-0.5) == pytest.approx((values < -0.5).mean(), abs=0.005)
    assert (main.effect.main, main.effect.constant) == (True, False)
    assert (static.effect.main, static.effect.constant) == (False, True)


@pytest.mark.parametrize(
    ("failing", "answers", "word"),
    [
        (("differing_effects",), DIFFERING, "undecided, leaning for"),
        (("differing_effects", "autocorrelation"), HEADLINE, UNSETTLED),
        ((), HEADLINE, "supported, fragile"),
    ],
)
def test_differences_between_units_move_the_answer_to_the_model_that_has_them(
    dual, failing, answers, word
):
    """A check that it fails too leaves none."""
    narrow, wide = distribution_of(draws(-2.0)), distribution_of(draws(-1.0))
    models = {
        name: {"mean": found.mean, "sd": found.sd, "p_claim": found.p_negative}
        | {"interval": {"low": -2.0, "high": 0.0, "level": 0.89}}
        | {"assumes": "a", "bias": 0.0, "judged": True}
        for name, found in ((HEADLINE, narrow), (DIFFERING, wide))
    }
    names = ("differing_effects", "autocorrelation")
    headline = {
        "contrasts": {"both - sum of singles": {"claim": "< 0", "models": models}},
        "quantiles": {
            "both - sum of singles": {
                HEADLINE: list(narrow.quantiles),
                DIFFERING: list(wide.quantiles),
            }
        },
        "checks": [
            {"name": name, "passed": name not in failing, "text": ""}
            | {"table": [{"observed": 1.0, "replicated": 0.5}]}
            for name in names
        ],
    }
    given = evidence(headline=headline_models(headline))
    answer = judge(panel_estimates(dual, asked(dual, "synergy"), given), "panel")
    assert (answer.model, answer.word) == (answers, word)
    assert bool(answer.moved) is bool(failing)


def test_static_factorial_fits_stand_beside_and_do_not_count(dual):
    static = (StatedEffect("c", "factorial", "a", distribution_of(draws(0.5)), constant=True),)
    model = StatedEffect("c", "pooled paths", "a", distribution_of(draws(-3.0)), main=True)
    name = "both - sum of singles"
    given = evidence(static={name: static}, headline={name: (Headline(model, True),)})
    found = panel_estimates(dual, asked(dual, "synergy"), given)
    assert [item.counts for item in found] == [True, False]
    alone = panel_estimates(dual, asked(dual, "synergy"), evidence(static={name: static}))
    assert [item.counts for item in alone] == [True]  # no model lets effects change


def test_stored_effects_are_read_back_and_failed_ones_are_not():
    from bayesdid.jsonio import plain

    item = drawn("both", "m", "a", draws(0.3), main=True)
    stored = {"spec": "s", "converged": True, "effects": [plain(item)]}
    assert stated_effects([stored]) == {"s": (item,)}
    assert stated_effects([stored | {"converged": False}]) == {}


def test_stored_checks_say_whether_a_width_holds():
    row = {"observed": 0.4, "replicated": 0.0}
    check = {"name": "autocorrelation", "passed": False, "table": [row], "text": ""}
    assert width_of([check]) is False
    assert width_of([check | {"passed": True}]) is True
    assert width_of([]) is None


def test_the_main_claim_is_the_sum_of_singles_or_the_first(dual, models):
    def mains(synergy):
        found = claims_section(dual, synergy, evidence())
        assert [claim["id"] for claim in found] == [claim.id for claim in dual.claims]
        return [claim["id"] for claim in found if claim["evidence"] and claim["evidence"]["main"]]

    assert mains(published_synergy(dual)) == ["synergy"]
    assert mains(None) == ["findings-dual-none"]  # nothing is then known of the sum
    castle = bd.load_study(models / "castle_doctrine")
    (claim,) = claims_section(castle, None, evidence())
    assert claim["evidence"]["main"]
    assert claim["evidence"]["answers"]["published"]["word"] == "supported, fragile"


@pytest.fixture
def results(dual, models):
    """Castle's claim from print, with a panel that has it the other way, and one more claim."""
    castle = bd.load_study(models / "castle_doctrine")
    spec = "published.unweighted"
    given = evidence(
        trees={spec: {"default": tree("active:castle", draws(-0.3, 0.1))}},
        stated={
            "reanalysis.cohort": (
                drawn("active:castle", "cohorts, pooled", "a", draws(-0.2, 0.1), main=True),
            )
        },
    )
    other = claims_section(dual, None, evidence(**fits()))
    more = next(claim for claim in other if claim["id"] == "moderation")
    more["evidence"]["main"] = False
    claims = [*claims_section(castle, None, given), more, {"id": "none", "evidence": None}]
    return {"claims": claims, "sums": [], "doses": [], "synthetic": "", "level": 0.89}


def text_of(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_the_answer_says_sign_size_and_what_does_not_count(results):
    item = results["claims"][0]["evidence"]
    printed, panel = (answer_sentence(item, source, results) for source in ("published", "panel"))
    (constant,) = constant_sentence(item, results)
    assert "it is above zero is 0.989, and between 0.895 and 0.989 over the 2 models" in printed
    assert "at least 0.08 above zero, as claimed, is 0.446" in printed
    assert "In the microdata Castle doctrine − none is −0.2" in panel
    assert re.search(r"it is above zero is 0\.0\d\d: contradicted", panel)
    assert f"1 model that supposes {CONSTANT} does not count: by it P would be < 0.001" in constant
    twice = item | {"estimates": item["estimates"] * 2}
    assert "2 models that suppose" in constant_sentence(twice, results)[0]
    made_up = results | {"synthetic": "made up"}
    assert "no evidence about the world" in answer_sentence(item, "panel", made_up)


def test_the_first_page_says_the_same_in_two_sentences(results):
    """Of both sources one each, the panel first; of a synthetic panel nothing."""
    outcome = {"unit": "log points", "natural_unit": "percent", "natural_per_unit": 100}
    known = results | {"outcome": outcome | {"better": "lower"}}
    panel, printed = answer(known)
    assert panel.startswith("In the microdata, Castle doctrine − none is −2")
    assert "That it is above zero is contradicted" in panel
    assert printed.startswith(
        "From the printed numbers alone, Castle doctrine − none is 7.5 percent"
    )
    assert "P 0.989, and 0.895 to 0.989 over the 2 models that count" in printed
    first, second = answer(known | {"synthetic": "made up"})
    assert f"{first} {second}" == printed


def test_a_moved_answer_says_so(results):
    item = copy.deepcopy(results["claims"][0]["evidence"])
    item["answers"]["panel"] |= {"moved": "Rich fails a check.", "word": "not settled"}
    assert answer_sentence(item, "panel", results).endswith("Rich fails a check.")
    item["answers"].pop("panel")
    assert answer_sentence(item, "panel", results) == ""


def test_every_statement_has_a_row_and_every_model_of_it_a_fold(results):
    (part,) = statements(results | {"synthetic": "", "panel": {}})
    table, *folds = part.more
    assert isinstance(table, Table)
    said = [str(row[1]) for row in table.rows]
    assert "net increase" in said[0]
    assert "interaction term" in said[1]
    assert all(isinstance(fold, Fold) for fold in folds)
    assert len(folds) == len(table.rows) == 2
    models = next(block for block in folds[0].blocks if isinstance(block, Table))
    assert "does not count: supposes" in " ".join(
        cell.text for row in models.rows for cell in row[:1] if not isinstance(cell, str)
    )
    assert statements(results | {"claims": [{"id": "a", "evidence": None}]}) == []


def test_of_a_synthetic_panel_no_row_stands_beside_what_is_printed(results):
    made_up = results | {"synthetic": "made up"}
    parts = {part.key: part for part in statements(made_up)}
    assert {key for key, part in parts.items() if part.of_panel} <= {"stand-in-statements"}
    assert set(parts) == {"statements", "stand-in-statements"}
    assert all("panel" not in table.columns for table in parts["statements"].more[:1])


def test_marks_are_filled_if_they_count_and_lie_where_the_numbers_are(results):
    (group, _) = claim_groups(results)
    assert group["main"]
    for row in group["rows"]:
        assert ('fill="none"' in row["svg"]) is not row["counts"]
    x = [float(re.search(r'cx="([\d.]+)"', row["svg"])[1]) for row in group["rows"]]
    means = [row["mean"] for row in group["rows"]]
    counted = [k for k, row in enumerate(group["rows"]) if row["counts"]]
    slope = (x[counted[0]] - x[counted[-1]]) / (means[counted[0]] - means[counted[-1]])
    assert slope > 0
    zero = float(re.search(r'<path d="M([\d.]+) 0V', group["rows"][0]["svg"])[1])
    assert x[counted[0]] - zero == pytest.approx(slope * means[counted[0]], abs=0.5)
    assert "stroke-dasharray" in group["rows"][0]["svg"]  # the claimed size


def test_claims_that_ask_the_same_are_one_group(results):
    twin = copy.deepcopy(results["claims"][0]) | {"id": "twin", "text": "again"}
    twin["evidence"]["main"] = False
    results["claims"].append(twin)
    groups = claim_groups(results)
    assert [len(group["claims"]) for group in groups] == [2, 1]
    twin["evidence"]["size"] = 0.2
    assert len(claim_groups(results)) == 3
