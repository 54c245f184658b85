"""What captions say that there is to see: each sentence turns with the numbers drawn."""

import dataclasses

import pytest

from bayesdid.estimands.beside import CELLS
from bayesdid.estimands.names import SUM
from bayesdid.report.claim_words import how_sure
from bayesdid.report.document.blocks import Figure, ForestRow, Heading, Mark, Text, ref
from bayesdid.report.limits import limits
from bayesdid.report.model_words import model_name, short_title, with_titles
from bayesdid.report.pages import _leads
from bayesdid.report.sections.analyses import cell
from bayesdid.report.sections.audit import audit
from bayesdid.report.sections.claims_forest import drawn, forest_rows, see_claims
from bayesdid.report.sections.design import see_states, see_trends
from bayesdid.report.sections.panel import (
    interval_p,
    see_columns,
    see_contrasts,
    see_event,
    synergy,
)
from bayesdid.report.sections.part import Part
from bayesdid.report.sections.published import see_assumptions
from bayesdid.report.sections.robustness import see_models
from bayesdid.report.sections.unjudged import judged_by, unjudged
from bayesdid.report.text import typeset

NB = "\N{NO-BREAK SPACE}"


def test_who_adopts_when():
    found = {"adopters": 21, "first_adoption": "2006", "last_adoption": "2010"}
    said = see_states(found, {"units": 50})
    assert said == "21 of 50 units come under a first policy between 2006 and 2010; 29 never do."
    found |= {"last_adoption": "2006", "adopters": 49}
    assert see_states(found, {"units": 50}).endswith("in 2006; 1 never does.")
    said = see_states(found | {"adopters": 1}, {"units": 50})
    assert said.startswith("1 of 50 units comes under a first policy")
    assert see_states(found | {"adopters": 50}, {"units": 50}).endswith("none is never treated.")
    # of a unit's states 0 is under no policy, - no row; what only gaps follow is no leaving
    gone = found | {"matrix": ["0110", "011-", "0-12", "1-00"]}
    assert "in 2006, and 2 of them leave it again; 1 never" in see_states(gone, {"units": 50})
    one = found | {"matrix": ["0110"]}
    assert "in 2006, and 1 of them leaves it again; 1 never" in see_states(one, {"units": 50})


@pytest.mark.parametrize(("gap", "word"), [(0.19, "no more than"), (-0.21, "errors, more than")])
def test_trends_before_adoption(gap, word):
    trends = {"periods": 6, "adopting": 0.5, "never": 0.5 - gap, "gap": gap, "se": 0.1}
    said = see_trends(trends).replace("(SE 0.100), more than", "errors, more than")
    assert word in said
    assert "Too few periods" in see_trends(None)
    for units, few in (([1, 26], "1 unit that comes"), ([3, 1], "and 1 that never does are too")):
        said = see_trends(trends | {"gap": None, "units": units})
        assert few in said
        assert "Too few periods" not in said


def test_contrasts_say_beside_their_word_what_is_claimed():
    contrast = {
        "label": "X",
        "mean": 0.1,
        "sd": 0.01,
        "interval": {"low": 0.08, "high": 0.12, "level": 0.89},
        "claim": "> 0",
        "p_claim": 0.97,
        "p_range": [0.96, 0.98],
        "word": "supported",
        "refused": "",
        "models": {},
    }
    found = synergy(
        {
            "headline": {"contrasts": {"x": contrast}, "refused": {}, "notes": [], "failed": ""},
            "contrasts": None,
            "level": 0.89,
            "policies": ["x"],
        }
    )
    table = found.main[0]
    said = dict(zip(table.columns, table.rows[0], strict=True))
    assert (said["claim"], said["P(claim)"]) == ("> 0", "0.970")
    assert said["verdict"].text == "supported"


def evidence(word, p=0.5):
    given = {"model": "m", "word": word, "p": p, "p_low": p, "p_high": p, "models": 1}
    interval = {"low": -1.0, "high": 2.0}
    estimate = {"source": "panel", "model": "m", "mean": 1.0, "interval": interval}
    return {
        "contrast": word,
        "sign": 1,
        "null": 0,
        "unit": "u",
        "label": word,
        "rope": None,
        "estimates": [estimate | {"false_here": "", "passes": None, "p_sign": p}],
        "answers": {"panel": given},
    }


def page(*words, synthetic=""):
    claims = [{"evidence": evidence(word)} for word in words]
    return {
        "claims": claims,
        "sums": [],
        "doses": [],
        "synthetic": synthetic,
        "outcome": {"unit": "u"},
        "headline": {"contrasts": {"x": 1}},
        "published": None,
    }


def test_how_many_claims_hold():
    words = (
        "supported",
        "supported, fragile",
        "undecided",
        "contradicted",
        "contradicted, fragile",
    )
    assert see_claims(page(*words)) == (
        "Of 5 claims about a contrast, by the panel: 1 supported, 1 supported but fragile, "
        "1 undecided, 2 contradicted."
    )
    assert (
        see_claims(page("supported, fragile")) == "The claim, by the panel: supported but fragile."
    )
    static = page("supported") | {"headline": {"contrasts": {}}}  # whose panel answers all the same
    assert see_claims(static) == "The claim, by the panel: supported."
    printed = page("supported")
    printed["claims"][0]["evidence"]["answers"] = {"published": {"word": "supported"}}
    assert see_claims(printed) == "The claim, by print: supported."
    alone = page() | {"sums": page("undecided", "supported")["claims"]}
    assert see_claims(alone) == (
        "The better side of 2 contrasts, by the panel: 1 supported, 1 undecided."
    )
    assert [row.below for row in forest_rows(alone)] == ["better: above zero"] * 2
    assert forest_rows(page("supported"))[0].below == "claimed: above zero"
    single = alone | {"sums": alone["sums"][:1]}
    assert see_claims(single) == "The better side, by the panel: undecided."


def test_a_row_of_another_scale_or_of_a_synthetic_panel_is_not_on_the_axis():
    assert [row.label for row in forest_rows(page("supported", "undecided"))] == [
        "supported",
        "undecided",
    ]
    assert forest_rows(page("supported", synthetic="made up")) == ()
    other = page("supported", "undecided")
    other["claims"][0]["evidence"]["unit"] = "others"
    other["claims"][1]["evidence"]["null"] = 1.0
    other["headline"]["contrasts"] = {}
    assert forest_rows(other) == ()
    (row, *_) = forest_rows(page("supported", "undecided"))
    assert isinstance(row, ForestRow)
    assert row.words[1].text == "P 0.500"  # no range where it is one number


def test_how_many_effects_exclude_zero_and_lie_near_print():
    row = {"converged": True, "mean": 1.0, "low": 0.5, "high": 1.5}
    clear = row | {"published": 1.2, "published_se": 0.3}
    unclear = row | {"low": -0.5, "published": 2.0, "published_se": 0.3}
    assert "; 0 of 1 posterior mean lies within one published" in see_columns([unclear])
    assert see_columns([clear, unclear, {"converged": False}]) == (
        "The posterior interval of 1 of 2 effects excludes zero; 1 of 2 posterior means lie within "
        "one published standard error of the published estimate."
    )
    contrasts = {k: {"interval": {"low": v, "high": 1.0}} for k, v in (("a", 0.5), ("b", -1.0))}
    assert see_contrasts(contrasts, "89 %") == (
        "Contrasts of the panel: the 89 % interval of 1 of 2 excludes zero."
    )
    one = {"a": contrasts["a"]}
    assert (
        see_contrasts(one, "89 %") == "The contrast of the panel: its 89 % interval excludes zero."
    )
    one = {"a": contrasts["b"]}
    assert (
        see_contrasts(one, "89 %") == "The contrast of the panel: its 89 % interval includes zero."
    )
    told = dict(
        zip("abc", ({"word": w} for w in ("undecided", "supported", "undecided")), strict=True)
    )
    unclaimed = page() | {"headline": {"contrasts": told}}
    assert see_claims(unclaimed) == "Contrasts of the panel: 1 supported; 2 undecided."
    many = {key: {"word": "undecided" if key < "i" else "x"} for key in "abcdefghij"}
    unclaimed["headline"]["contrasts"] = many | {"k": {"word": "supported"}}
    assert see_claims(unclaimed) == "Contrasts of the panel: 8 undecided (3 more below)."
    unclaimed["headline"]["contrasts"] = many | {SUM: {"word": "supported"}}  # answers first
    assert see_claims(unclaimed) == (
        "Contrasts of the panel: 1 supported; 7 undecided (3 more below)."
    )
    unclaimed["headline"]["contrasts"] = {"b": told["b"]}
    assert see_claims(unclaimed) == "The contrast of the panel: supported."


@pytest.mark.parametrize(("p", "word"), [(0.04, "speaks against"), (0.06, "does not speak")])
def test_a_flat_path_before_adoption(p, word):
    path = {"pre_p": p, "pre_largest": 0.5, "pre_in_rope": None}
    said = see_event({"title": "Event study", "leads": "Led.", "paths": {"independent": path}})
    assert said.endswith(" Led.")
    said = said.removesuffix(" Led.")
    assert word in said
    assert "ROPE" not in said


def test_how_many_models_hold_the_claim():
    models = [{"false_here": "", "passes": True, "p_sign": p} for p in (0.96, 0.6, 0.4)]
    out = [{"false_here": "x", "passes": True, "p_sign": 0.99}]
    below = {"label": "A", "sign": -1, "null": 0}
    assert see_models(below, [*models, *out]) == (
        "A, below zero: of 3 models that count, 2 lean to it and 1 holds it with P ≥ 0.95."
    )
    assert see_models(below | {"sign": 1}, models[1:2]) == (
        "A, above zero: of 1 model that counts, 1 leans to it and 0 hold it with P ≥ 0.95."
    )


def test_models_have_plain_names_and_columns_their_headings():
    results = {"titles": {"t1.2": "Weighted", "t1.2.b": "Other", "t1": "Never"}}
    assert model_name(CELLS, results) == "no pooling, same errors"
    assert model_name("TWFE t1.2, default errors", results) == "TWFE “Weighted”, default errors"
    assert with_titles("t1.2.b, t1.2:only", results) == "“Other”, t1.2:only"  # a cell is none
    assert with_titles("t1.2, x", {}) == "t1.2, x"


def test_the_first_figure_says_what_is_hollow():
    mark = Mark("panel", 0.0, -1.0, 1.0)
    row = ForestRow("a", "", (), (mark,))
    hollow = ForestRow("b", "", (), (dataclasses.replace(mark, solid=False),))
    assert "Hollow" not in drawn((row,), "89 %")
    assert "Disc: from the panel. Hollow: other models that count." in drawn((row, hollow), "89 %")
    assert drawn((row,), "89 %") == "Disc: from the panel. Bars: 89 % intervals."  # no thin line
    wide = [
        ForestRow(str(k), "", (), (dataclasses.replace(mark, wide=(-end, 1.0)),))
        for k, end in enumerate((1.1, 1.1, 1.1, 90.0))
    ]
    thin = "thin lines: over every model that counts."
    assert drawn(tuple(wide[:3]), "89 %").endswith(thin)
    assert drawn(tuple(wide), "89 %").endswith(f"{thin} Arrow: the line goes on beyond the axis.")


def test_a_range_that_is_one_number_is_said_once():
    """ "P > 0.999, and > 0.999 to > 0.999 over the 12 models that count" was the answer."""
    same = {"word": "supported", "p": 0.9999, "p_low": 0.9996, "p_high": 1.0, "models": 12}
    assert how_sure(same) == "supported: P > 0.999 by each of the 12 models that count"
    apart = how_sure(same | {"p_low": 0.9})
    assert apart == "supported: P > 0.999, and 0.900 to > 0.999 over the 12 models that count"
    assert how_sure(same | {"models": 1}) == "supported: P > 0.999"


def test_claims_that_nothing_judges_stand_by_their_reason():
    claims = [
        {"text": text, "place": "p", "unasked": why}
        for text, why in (("a", "not about an effect"), ("b", ""), ("a", "not about an effect"))
    ]
    said = unjudged(claims, {"panel": None, "synthetic": ""})
    assert [block.text for block in said[::2]] == ["Not about an effect:", "Needs the microdata:"]
    assert [block.items for block in said[1::2]] == [("“a” (p)",), ("“b” (p)",)]
    assert judged_by(3, 0) == "3 by a contrast above"
    assert judged_by(1, 2) == "1 by a contrast above, 2 by a coefficient"


def test_a_range_of_one_number_is_one_number():
    assert interval_p([0.7541, 0.7539]) == "0.754"
    assert interval_p([0.06, 0.9995]) == "0.060 to > 0.999"


def test_a_section_leads_to_the_supplement_once():
    """Not where a paragraph of it already does."""
    more = (Heading("All", "all"),)
    assert _leads(Part("k", "K", (Text("x"),), more)) != ()
    assert _leads(Part("k", "K", (Text(f"More: {ref('all')}."),), more)) == ()
    assert _leads(Part("k", "K", (Figure("f", "", "c", f"More: {ref('all')}."),), more)) == ()
    assert _leads(Part("k", "K", (Text("x"),))) == ()


def test_what_depends_most_on_what_is_not_published():
    items = {
        name: {"label": name, "range": [low, 0.9]}
        for name, low in (("both - none", 0.88), ("x", 0.2))
    }
    found = {"verdicts": [{"contrast": name} for name in items], "contrasts": items}
    said = see_assumptions(found)
    assert said.startswith("x depends most on what is not published: P of the claim is 0.200 to")
    assert "Of 2 contrasts, 1 moves by less than 0.05." in said


def test_one_wide_interval_flattens_nothing_and_zero_is_on_the_axis():
    low, high = limits([1.0, 1.1, 1.2, -50.0], [2.0, 2.1, 2.2, 50.0])
    assert -1 < low <= 0
    assert 2.2 < high < 3
    low, high = limits([-3.0], [-2.0])
    assert high >= 0
    assert limits([float("nan")], [float("nan")]) == (-1.0, 1.0)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("−1 to -0.5", "−1 to −0.5"),
        ("2008-2023", "2008-2023"),
        ("90%, 90 %", f"90{NB}%, 90{NB}%"),
        ("1 units have 11 units", "1 unit have 11 units"),
        ("P(< 0) = 1.000", f"P(<{NB}0) >{NB}0.999"),
        ("P(< 0) = 0.000", f"P(<{NB}0) <{NB}0.001"),
        ("with probability 1.000", f"with probability >{NB}0.999"),
        ("beta 1.000", "beta 1.000"),
        ("10.1198/jbes.2009-7", "10.1198/jbes.2009-7"),
    ],
)
def test_one_minus_one_percent_sign_and_no_certainty(given, shown):
    assert typeset(given) == shown


def test_titles_keep_numbered_places_only():
    assert short_title("Table 4 (3): Matched sample") == "Table 4 (3): Matched sample"
    assert short_title("Fitted here; not published (event2): Event study") == "Event study"
    assert short_title("t.toy") == "t.toy"


def test_an_estimate_without_a_standard_error_is_not_drawn_and_breaks_nothing():
    """In a panel of two units a peer has none."""
    found = page("supported", "undecided")
    for claim in found["claims"]:
        estimates = claim["evidence"]["estimates"]
        nothing = {"low": None, "high": None}
        estimates.append(estimates[0] | {"model": "peer", "interval": nothing, "mean": 5.0})
    (first, _) = forest_rows(found)
    assert first.marks[0].wide == (-1.0, 2.0)
    contrasts = {"a": {"interval": {"low": None, "high": 1.0}}}
    assert see_contrasts(contrasts, "89 %").endswith("its interval is not known.")


def test_an_audit_of_nothing_is_left_out():
    counts = {"contradiction": 0, "warning": 0, "note": 0}
    nothing = {"audit": {"comparisons": 0, "counts": counts, "findings": []}}
    assert audit(nothing).main == audit(nothing).more == ()
    nothing["audit"]["comparisons"] = 2
    assert "2 comparisons" in audit(nothing).main[0].text


def test_a_cell_under_a_probability_is_one():
    assert cell(1.0, "P(< 0)") == "> 0.999"
    assert cell(0, "P(sar)") == "< 0.001"
    assert cell(0.25, "P(< 0)") == "0.250"
    assert cell(1.0, "mean") == "1"
    assert cell("–", "P(< 0)") == cell(None, "P(< 0)") == "–"
