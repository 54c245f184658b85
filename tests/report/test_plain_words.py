"""Pages name terms and columns as the study does; without policies they say nothing of any."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from made import make_study

from bayesdid.estimands.verdict import word_for
from bayesdid.families.errors.analysis import _sentences as errors_said
from bayesdid.report.design_results import _descriptives
from bayesdid.report.headline_results import unlike_first
from bayesdid.report.method_texts import METHODS, of_doses
from bayesdid.report.model_words import spec_name
from bayesdid.report.sections.answer import answer
from bayesdid.report.sections.claims_forest import forest_rows, see_claims
from bayesdid.report.sections.depends import depends_on
from bayesdid.report.sections.design import see_states
from bayesdid.report.term_words import (
    _coefficients,
    coefficients_in_words,
    in_words,
    term_names,
    term_words,
    titled,
)
from bayesdid.report.text import significant
from bayesdid.report.weights_results import _sentences as weights_said

LAWS = {"belt": "Seat-belt law", "perse": "Licence suspension"}
NAMES = {
    "names": {
        "terms": {
            "active:belt": "Seat-belt law",
            "active:belt * active:perse": "Seat-belt law × Licence suspension",
            "both": "both policies",
            "treat_post": "Reform",
        },
        "columns": {"price": "Price of a pack", "rate": "Deaths", "y": "Outcome"},
    },
    "titles": {"t.1": "Weighted"},
}


@pytest.mark.parametrize(
    ("term", "words"),
    [
        ("active:belt", "Seat-belt law"),
        ("only:belt", "Seat-belt law alone"),
        ("only:belt+perse", "Seat-belt law and Licence suspension alone"),
        ("both", "both policies"),
        ("both:belt+perse", "Seat-belt law with Licence suspension"),
        ("all", "all policies"),
        ("any", "any policy"),
        ("first:belt", "Seat-belt law first"),
        ("simultaneous", "all policies at once"),
        ("order:belt>perse", "Seat-belt law, then Licence suspension"),
        ("order:belt=perse", "Seat-belt law at once with Licence suspension"),
        ("active:belt@>=3", "Seat-belt law, event time >=3"),
        ("active:belt * centred:unem", "Seat-belt law × Unemployment (centred)"),
        ("l(unem, 1)", "Unemployment one period before"),
        ("f(unem, 2)", "Unemployment 2 periods later"),
        ("d(log(unem))", "change of log of Unemployment"),
        ("winsor(unem, 0.01)", "Unemployment, winsorised at 1 % of each end"),
        ("other", "other"),
    ],
)
def test_a_term_in_words(term, words):
    assert term_words(term, LAWS, {"unem": "Unemployment"}) == words


def test_texts_name_terms_as_the_study_does_and_nothing_else():
    def said(text, **more):
        return in_words(text, NAMES, **more)

    assert (
        said("sd of active:belt, active:belt: total") == "sd of Seat-belt law, Seat-belt law: total"
    )
    assert said("W active:belt * active:perse") == "W Seat-belt law × Licence suspension"
    assert said("only active:belts and xactive:belt") == "only active:belts and xactive:belt"
    assert said("treat_post moved") == "Reform moved"
    assert said("without 31 price is high") == "without 31 Price of a pack is high"
    assert said("Price of a pack, price") == "Price of a pack, Price of a pack"
    assert said("Lowest price", columns=False) == "Lowest price"
    # words of prose and symbols stay what they are, but for a cell that holds nothing else
    assert said("both differ at any rate, y[i,t]") == "both differ at any rate, y[i,t]"
    assert (said("both"), said("rate"), said("y")) == ("both policies", "Deaths", "Outcome")
    inside = {"kind": "price", "rows": [["price", 1.5]], "table": ({"term": "price"},)}
    assert said(inside) == {
        "kind": "price",
        "rows": [["Price of a pack", 1.5]],
        "table": ({"term": "Price of a pack"},),
    }
    assert in_words("price", {}) == "price"
    assert titled({"a": ["t.1, i.i.d."]}, NAMES) == {"a": ["“Weighted”, i.i.d."]}


def test_coefficients_of_the_headline_have_words_and_contrasts_keep_theirs():
    """A check said that "perse growth" and "joint" are sensitive; "a" may be any word."""
    contrasts = {"only:perse - none": "Licence suspension only − none"}
    contrasts |= {"both - sum of singles": "Both − (Licence suspension + Seat-belt law)"}
    stored = {"names": {"terms": contrasts, "coefficients": _coefficients(LAWS)}}

    def said(text):
        return coefficients_in_words(text, stored)

    laws = "Licence suspension at adoption, growth of Seat-belt law a period"
    assert said("perse, belt growth") == laws
    assert said("priors move joint most") == (
        "priors move what Seat-belt law and Licence suspension do beyond their sum most"
    )
    assert said(["perse"]) == ["Licence suspension at adoption"]
    kept = "only:perse - none, Both − (Licence suspension + Seat-belt law), perse_x, xjoint"
    assert said(kept) == kept
    three = {"names": term_names(make_study(("a", "b", "law")))}
    assert coefficients_in_words("joint a+b", three) == "what A and B do beyond their sum"
    assert coefficients_in_words("by law", three) == "by law"  # prose, unless it is all of a cell
    assert coefficients_in_words("law", three) == "LAW at adoption"
    assert coefficients_in_words("perse", {}) == "perse"


def test_a_column_is_called_by_its_heading_and_by_its_id_where_two_share_one():
    assert spec_name("t.1", NAMES) == "Weighted"
    twice = {"titles": {"t.1": "Weighted", "t.2": "Weighted"}}
    assert spec_name("t.2", twice) == "Weighted (t.2)"
    assert spec_name("t.3", twice) == "t.3"


def effect(spec, mean, p, term="price", **more):
    summary = {"mean": mean, "low": mean - 0.1, "high": mean + 0.1, "p_negative": p}
    return {"spec": spec, "term": term, "converged": True, "summary": summary} | more


def says(model, mean, p, better="lower", **more):
    """One model of the evidence; `p` is the probability below zero."""
    interval = {"low": mean - 0.1, "high": mean + 0.1, "level": 0.89}
    known = {
        "model": model,
        "assumes": "so",
        "source": "panel",
        "mean": mean,
        "sd": 0.1,
        "interval": interval,
    }
    p_sign = p if better == "lower" else 1 - p
    return known | {"p_sign": p_sign, "main": False, "passes": None, "false_here": ""} | more


def dose(*effects, beside=(), better="lower", largest=200.0, failed=(), passes=True, **more):
    """Results of a study without policies, made by hand: columns, and other models of them."""
    check = {"name": "unit_variance", "passed": not failed}
    estimates = [
        says(f"{e['spec']}, default errors", e["summary"]["mean"], e["summary"]["p_negative"])
        | {"p_sign": says("", 0, e["summary"]["p_negative"], better)["p_sign"]}
        | {"main": k == 0, "passes": passes if k == 0 else True}
        for k, e in enumerate(e for e in effects if e["term"] == effects[0]["term"])
    ] + list(beside)
    able = [item for item in estimates if item["passes"] is not False]
    p = [item["p_sign"] for item in able]
    by = estimates[0] if passes else able[-1]
    given = {
        "model": by["model"],
        "word": word_for(by["p_sign"], min(p), max(p)),
        "models": len(able),
        "p": by["p_sign"],
        "p_low": min(p),
        "p_high": max(p),
        "p_size": None,
        "moved": "" if passes else "The main model fails.",
    }
    evidence = {
        "label": "Price of a pack",
        "unit": "packs",
        "contrast": None,
        "sign": -1 if better == "lower" else 1,
        "null": 0,
        "size": None,
        "estimates": estimates,
        "answers": {"panel": given},
        "sliders": {},
    }
    return {
        **NAMES,
        "policies": [],
        "panel": {},
        "synthetic": "",
        "claims": [],
        "sums": [],
        "doses": [{"spec": "t.1", "term": effects[0]["term"], "evidence": evidence}],
        "published": None,
        "analyses": [],
        "headline": {"contrasts": {}},
        "outcome": {"label": "Sales", "unit": "packs", "column": "sales", "better": better},
        "level": 0.89,
        "effects": list(effects),
        "agreement": [{"spec": e["spec"], "outcome": "sales"} for e in effects],
        "checks": [{"spec": "t.1", "kind": "default", "results": [check]}],
        "design": {
            "descriptives": [
                {"column": "price", "label": "Price of a pack", "unit": "cents", "min": 0.0}
                | {"max": largest}
            ]
        },
    } | more


def test_the_first_page_of_a_dose_answers_by_its_slope():
    """Before, it was empty, and a section of contrasts told that no policy was declared."""
    two = dose(effect("t.1", -0.149, 0.9999), effect("t.2", -0.05, 0.9))
    what, sure = answer(two)
    assert what == (
        "In the microdata, one more of Price of a pack (in cents) moves sales by −0.149 packs "
        "(89 % interval −0.249 to −0.049)."
    )
    assert sure == (
        "That it is below zero is supported, fragile: P > 0.999, and 0.900 to > 0.999 over the 2 "
        "models that count."
    )
    assert see_claims(two) == "Price of a pack: its interval excludes zero in 1 of 2 columns."
    first, second = forest_rows(two)
    assert [cell.text for cell in first.words] == [
        "supported, fragile",
        "P > 0.999 (0.900 to > 0.999)",
    ]
    assert [cell.text for cell in second.words] == ["P 0.900"]
    assert (first.marks[0].solid, second.marks[0].solid) == (True, False)
    slope, ends, checks = depends_on(two)
    assert slope.startswith("It is a slope: one number for every dose")
    assert ends == (
        "Of the models that count P is least, 0.900 by t.2, default errors (if so), and largest, "
        "> 0.999 by “Weighted”, default errors (if so)."
    )
    assert checks == "The model of this column fails no check."
    found = dose(effect("t.1", -0.149, 0.9999), failed=("unit_variance",))
    assert depends_on(found)[1] == "The model of this column fails checks: unit variance."
    assert answer(found)[1] == "That it is below zero is supported: P > 0.999."


def test_the_range_of_a_dose_is_over_every_model_that_counts():
    """Before, it was over the columns under one kind of errors alone."""
    column = effect("t.1", -0.149, 0.99)
    unsure = says("t.1, random effects", 0.01, 0.4)
    failing = says("t.1, i.i.d. errors", 0.3, 0.01, passes=False)
    given = dose(column, beside=[unsure, failing])
    assert answer(given)[1] == (
        "That it is below zero is supported, fragile: P 0.990, and 0.400 to 0.990 over the 2 "
        "models that count."
    )
    (row,) = forest_rows(given)
    assert row.label == "Weighted"  # the column's heading
    np.testing.assert_allclose(row.marks[0].wide, (-0.249, 0.11))  # not that which fails
    moved = dose(column, beside=[unsure], passes=False)
    assert answer(moved)[0].split(" moves ")[1].startswith("sales by 0.010 packs")
    assert forest_rows(moved)[0].label == "“Weighted”, random effects"
    assert depends_on(moved)[-1] == "The main model fails."


def test_a_count_is_told_beside_a_main_model_that_takes_it_as_a_number():
    said = {"spec": "t.2", "converged": True, "sentences": ["In counts, x multiplies the rate."]}
    *_, last = depends_on(dose(effect("t.1", -0.1, 0.9), analyses=[said]))
    assert last.startswith("In counts, x multiplies the rate (")
    assert "takes the rows of a unit as independent, so that it may be too sure" in last
    assert last.endswith("; the main model takes counts as numbers.")
    for none in (said | {"converged": False}, said | {"sentences": ["Errors."]}):
        assert len(depends_on(dose(effect("t.1", -0.1, 0.9), analyses=[none]))) == 2


def test_the_better_side_of_a_dose_and_what_is_none():
    up = answer(dose(effect("t.1", -0.149, 0.9999), better="higher"))
    assert up[1] == "That it is above zero is contradicted: P < 0.001."
    small = answer(dose(effect("t.1", -0.00149, 0.6)))
    assert "by −0.00149 packs" in small[0]
    state = dose(effect("t.1", -0.149, 0.99), largest=1.0)  # a 0/1 has no "one more"
    assert answer(state)[0].startswith("In the microdata, Price of a pack moves sales by")
    assert depends_on(state)[0].startswith("It is one number for all units and periods.")
    other = dose(effect("t.1", -0.1, 0.9), effect("t.2", 9.0, 0.1, term="income"))
    assert len(forest_rows(other)) == 1
    for none in ({"doses": []}, {"synthetic": "made up"}):
        assert answer(dose(effect("t.1", -0.149, 0.99), **none)) == []
        assert forest_rows(dose(effect("t.1", -0.149, 0.99), **none)) == ()


def test_the_page_says_what_the_first_column_has_and_its_model_has_not():
    first = {"id": "1", "outcome": "y", "treatments": ["active:a"]}
    more = first | {"row_weights": "w", "effects": ["unit[period]"]}
    cohort = first | {"id": "c", "family": "cohort"}
    assert unlike_first(make_study(("a",), (more, cohort))) == (
        "The main model is that of t.c, without row weights w and effects unit[period] of t.1."
    )
    both = cohort | {"row_weights": "w"}
    assert unlike_first(make_study(("a",), (more, both))).endswith(
        "without effects unit[period] of t.1."
    )
    assert unlike_first(make_study(("a",), (first, both))) == ""
    found = dose(effect("t.1", -0.1, 0.9), headline={"contrasts": {"x": 1}, "checks": []})
    found["headline"]["unlike"] = "The main model is that of t.1, without w of t.2."
    found |= {"doses": [], "examination": {"results": []}}
    assert "The main model is that of “Weighted”, without w of t.2." in depends_on(found)


def test_what_must_hold_for_a_dose_names_no_policy():
    for name in ("twfe", "heterogeneity", "moderation", "mediation"):
        text = " ".join(of_doses(METHODS[name]).assumes)
        assert "policy" not in text
        assert "policies" not in text
        assert "adoption" not in text
    twfe = of_doses(METHODS["twfe"])
    assert "whatever its size" in twfe.assumes[0]
    assert twfe.assumes[-1].startswith("one slope at every size of the treatment")
    assert "within each group" in METHODS["heterogeneity"].assumes[0]
    assert dataclasses.replace(twfe, assumes=()) == dataclasses.replace(METHODS["twfe"], assumes=())


def test_weights_say_nothing_of_what_was_not_computed():
    """Before, "in 0 of 2" stood for shares that no decomposition gave."""
    row = {"spec": "t.1", "negative": 0.0, "forbidden": None, "contamination": {}}
    assert len(weights_said([row])) == 1
    shared = weights_said([row, row | {"forbidden": 0.2}])
    assert shared[1].endswith("have more than 10% of the weight in 1 of 1 (t.1).")
    mixed = weights_said([row | {"contamination": {"only:b": 0.2}}])
    assert mixed[1].startswith("Rows under another policy state")
    assert "in 1 of 1 (t.1): such" in mixed[1]


def test_units_that_are_treated_from_the_start_do_not_adopt_later():
    found = {"adopters": 15, "early": 9, "first_adoption": "1983", "last_adoption": "1985"}
    said = see_states(found | {"states": ["untreated", "Law"]}, {"units": 48})
    assert said == (
        "15 of 48 units come under the policy, 9 of them from the first period on, the others "
        "between 1983 and 1985; 33 never do."
    )
    none = {"adopters": 9, "early": 9, "first_adoption": None, "last_adoption": None}
    assert see_states(none, {"units": 9}) == (
        "9 of 9 units come under a first policy, 9 of them from the first period on; none is "
        "never treated."
    )


def test_what_specs_use_is_described_though_the_study_says_nothing_of_it():
    column = SimpleNamespace(
        treatments=("active:a", "price * centred:size"),
        covariates=("log(income)", "kind"),
        options={"exposure": "people"},
    )
    outcome = SimpleNamespace(column="y", label="Outcome", unit="u")
    file = SimpleNamespace(outcome=outcome, variable=())
    study = SimpleNamespace(specs={"t.1": SimpleNamespace(column=column)}, file=file)
    columns = ("y", "price", "size", "income", "people", "other")
    frame = pd.DataFrame({name: [1.0, 2.0] for name in columns} | {"kind": ["a", "b"]})
    found = _descriptives(study, SimpleNamespace(frame=frame))
    assert [d["label"] for d in found] == ["Outcome", "price", "size", "income", "people"]


def test_large_numbers_have_no_powers_of_ten():
    assert [significant(v) for v in (12467.3, -9999.4, 33499204.4, 2.5e10, 1234.56)] == [
        "12467",
        "−9999",
        "33499204",
        "2.5e+10",
        "1235",
    ]


def test_a_sign_that_all_models_are_sure_of_is_said_once():
    sure = {"iid": np.full(4, -1.0), "ar1": np.full(4, -2.0)}
    frame = pd.DataFrame({"model": ["a"], "over i.i.d.": [1.0]})
    assert errors_said("x", 0, sure, {}, frame) == ["P(x < 0) is > 0.999 under every model."]
    split = sure | {"ar1": np.array([-1.0, 1.0])}
    assert errors_said("x", 0, split, {}, frame) == [
        "P(x < 0) runs from 0.500 (normal, AR(1) within units) to > 0.999 (normal, i.i.d.)."
    ]
