"""Cells that contradictions are about, carried into contrasts, mediations and verdicts."""

import copy

import numpy as np
import pytest
from consistent import build, raw_study
from printing import study
from test_printed_beside import study as table

from bayesdid.audit.doubts import Doubt, doubts, instead
from bayesdid.audit.mediation import mediation_sentence, printed_mediations
from bayesdid.audit.misprints import carried, doubt_sentences, what_ifs
from bayesdid.audit.run import audit_study
from bayesdid.jsonio import plain
from bayesdid.published.synergy import published_synergy
from bayesdid.published.verdict import published_verdicts
from bayesdid.report.claim_html import claim_groups
from bayesdid.report.document.blocks import Table, Text
from bayesdid.report.doubt_results import claim_doubts, doubts_section
from bayesdid.report.published_results import published_section
from bayesdid.report.sections.audit import audit
from bayesdid.report.sections.published import published
from bayesdid.study.claims import Claim
from bayesdid.summary import LEVEL, levels

CELL = "t.c0:active:a"
CLAIMS = (
    Claim(id="lowers", text="it lowers y", place="p. 1", synergy="only:a - none", cell=CELL),
    Claim(id="number", text="by .05", place="p. 2", value="0.05", cell=CELL),
    Claim(id="other", text="by .15", place="p. 2", value="0.15", cell="t.c1:active:a"),
)


@pytest.fixture(scope="module")
def one():
    """One policy; the text gives .05 where the first column prints -.5."""
    made = study(
        [
            {"treatments": ["active:a"]},
            {"treatments": ["active:a"], "sample": {"arms": ["single"]}},
        ],
        values=(-0.5, -0.15),
        ses=(0.1, 0.5),
        policies=("a",),
        synergy={"only_none": {"a": CELL}},
        design={"none": 10, "single": 8, "timing": {"rounds": {"a": (2003, 2007)}}},
        claims=CLAIMS,
    )
    return made, published_synergy(made), doubts(made, audit_study(made))


def test_a_number_of_the_text_doubts_its_cell(one):
    made, synergy, found = one
    assert list(found) == [CELL]
    assert found[CELL].instead == "-0.05"
    assert found[CELL].rules == ("values",)
    assert float(instead(made, found[CELL]).cell(CELL).value) == -0.05
    assert float(made.cell(CELL).value) == -0.5  # the study itself stays
    assert set(carried(synergy, found)) == {CELL}


def test_verdicts_name_it_and_contrasts_are_computed_without_the_misprint(one):
    made, synergy, found = one
    (verdict,) = published_verdicts(made, synergy, found)
    assert verdict.doubted == (CELL,)
    (verdict,) = published_verdicts(made, synergy)
    assert verdict.doubted == ()
    (item,) = what_ifs(made, synergy, found)
    says = item.contrasts["only:a - none"]
    assert says["printed_word"] == "supported"
    assert says["word"] != "supported"
    assert says["printed_mean"] == pytest.approx(-0.48, abs=0.08)
    assert says["mean"] == pytest.approx(-0.05, abs=0.08)
    assert says["p"] < 0.9 < says["printed_p"]
    first, second = doubt_sentences(synergy, (item,), found, "only:a - none")
    assert first.startswith(f"This rests on a doubt: the audit doubts {CELL} (-0.500): the text")
    assert f"With {CELL} = -0.05 it is" in second
    assert f"{says['word']} (as printed" in second


def test_the_report_says_it_with_the_claims(one):
    made, synergy, found = one
    section = doubts_section(made, synergy, found, None)
    assert section["contrasts"] == [CELL]
    assert [item["instead"] for item in section["what_if"]] == ["-0.05"]
    lowers, number, other = (
        claim_doubts(claim, contrast, found, section)
        for claim, contrast in zip(CLAIMS, ("only:a - none", None, None), strict=True)
    )
    assert lowers[0].startswith(f"The audit doubts {CELL}")
    assert "undecided" in lowers[1]
    assert len(number) == 1
    assert other == []
    evidence = {"label": "l", "sign": -1, "size": None, "unit": "u", "answers": {}, "main": True}
    evidence |= {"estimates": [], "null": 0.0, "rope": None}
    claim = {"text": "t", "place": "p", "evidence": evidence, "doubts": lowers}
    groups = claim_groups({"claims": [claim, claim], "sums": [], "doses": [], "synthetic": ""})
    assert groups[0]["sentences"] == lowers


def test_nothing_doubted_computes_nothing(one):
    made, synergy, _ = one
    assert what_ifs(made, synergy, {}) == ()
    assert doubt_sentences(synergy, (), {}, "only:a - none") == []
    assert doubts_section(made, None, {}, None)["what_if"] == []


def test_a_sign_that_mends_an_identity_is_the_doubt():
    """With the mediator's sign changed the doubt is its cell, and a b has the other sign."""
    raw = copy.deepcopy(raw_study(1))
    sound = build(raw)
    assert doubts(sound, audit_study(sound)) == {}
    (before,) = printed_mediations(sound, {})
    assert before.doubted == ()
    assert before.instead is None
    assert mediation_sentence(before, {}).endswith(").")
    cell = raw["tables"][2]["column"][1]["coefficients"]["M"]
    cell["estimate"] = f"-{cell['estimate']}"
    made = build(raw)
    found = doubts(made, audit_study(made))
    assert list(found) == ["t3.2:M"]
    assert found["t3.2:M"].instead == cell["estimate"][1:]
    assert doubts(instead(made, found["t3.2:M"]), audit_study(sound)) == {}
    (item,) = printed_mediations(made, found)
    assert (item.treatment, item.mediator) == ("both", "M")
    assert item.indirect.mean == pytest.approx(-before.indirect.mean, rel=0.05)
    assert item.instead.mean == pytest.approx(before.indirect.mean)
    said = mediation_sentence(item, found)
    assert "the audit doubts t3.2:M (-0." in said
    assert f"misprinted for {cell['estimate'][1:]}, it is {item.instead.mean:.3f}" in said


def test_an_indirect_effect_is_a_product_of_independent_normals():
    """Mean a b, variance a2 v + b2 u + u v; to 1 % with 20,000 draws."""
    made = build(raw_study(1))
    (item,) = printed_mediations(made, {})
    a, b = made.cell(item.first), made.cell(item.second)
    m, n, u, v = (float(x) for x in (a.value, b.value, a.se, b.se))
    assert item.indirect.mean == pytest.approx(m * n, abs=4 * item.indirect.sd / 20_000**0.5)
    sd = np.sqrt(m**2 * v**2 + n**2 * u**2 + u**2 * v**2)
    assert item.indirect.sd == pytest.approx(sd, rel=0.02)


def test_any_estimate_may_be_printed_otherwise():
    cell = {"estimate": "-0.60***", "se": "0.10"}
    column = {
        "family": "sdm",
        "treatments": ["any"],
        "coefficients": {"any": cell},
        "spatial_lags": {"any": cell},
        "scalars": {"rho": cell},
        "impacts": {"any": {"indirect": cell}},
    }
    made = table([column])
    for name in ("any", "W:any", "rho", "any.indirect"):
        doubt = Doubt(f"t1.1:{name}", "-0.60***", "0.60***", ("directions",), "")
        other = instead(made, doubt)
        assert float(other.cell(doubt.cell).value) == 0.6
        rest = {"any", "W:any", "rho", "any.indirect"} - {name}
        assert {float(other.cell(f"t1.1:{item}").value) for item in rest} == {-0.6}
    with pytest.raises(ValueError, match="nothing is known"):
        instead(made, Doubt("t1.1:any", "-0.60***", "", ("stars",), ""))


def test_directions_and_comparisons_doubt_their_cells():
    columns = [
        {"coefficients": {"x": {"estimate": "−0.20", "se": "0.10"}}},
        {"coefficients": {"x": {"estimate": "0.50", "se": "0.10"}}},
        {"coefficients": {"x": {"estimate": "0.50***", "se": "0.40"}}, "n": "40"},
    ]
    said = {"text": "t", "place": "p"}
    claims = [
        {"id": "a", "cell": "t1.1:x", "direction": "positive", **said},
        {"id": "b", "comparison": {"stronger": "t1.1:x", "weaker": "t1.2:x"}, **said},
    ]
    made = table(columns, claims=claims)
    found = doubts(made, audit_study(made))
    assert {ref: doubt.instead for ref, doubt in found.items()} == {
        "t1.1:x": "0.20",
        "t1.2:x": "",
        "t1.3:x": "",
    }


def test_the_page_shows_what_would_change(one):
    made, synergy, found = one
    audited = audit_study(made)
    results = plain(
        {
            "published": published_section(made, synergy, found),
            "doubts": doubts_section(made, synergy, found, None),
            "audit": audited,
            "outcome": made.file.outcome.model_dump(),
            "level": LEVEL,
            "levels": levels(),
        }
    )
    assert results["published"]["verdicts"][0]["doubted"] == [CELL]
    page = published(results)
    texts = [block.text for block in page.main if isinstance(block, Text)]
    assert any(f"rest on cells that the audit doubts: {CELL}" in text for text in texts)
    (table,) = [b for b in page.main if isinstance(b, Table) and b.key == "misprint-1"]
    assert table.caption == (f"If {CELL} was misprinted for -0.05: 1 of 1 verdict would change.")
    assert table.rows[0][3] == "supported"
    (cells,) = [b for b in audit(results).main if isinstance(b, Table) and b.key == "doubts"]
    assert cells.rows[0][:3] == (CELL, "-0.500", "-0.05")
    calm = results | {"doubts": {"cells": [], "contrasts": [], "what_if": [], "mediations": []}}
    assert not [b for b in published(calm).main if isinstance(b, Table) and "misprint" in b.key]
    assert not [b for b in audit(calm).main if isinstance(b, Table) and b.key == "doubts"]


def test_a_warning_doubts_nothing():
    """t = 5 without a star, in a table that has some: a warning."""
    columns = [
        {"coefficients": {"x": {"estimate": "0.50", "se": "0.10"}}, "clusters": 60},
        {"coefficients": {"x": {"estimate": "0.50***", "se": "0.10"}}},
    ]
    made = table(columns, stars={"***": 0.01})
    report = audit_study(made)
    assert {finding.severity for finding in report.findings} == {"warning"}
    assert doubts(made, report) == {}


def said(**more):
    return {"id": "c", "text": "t", "place": "p", **more}


def test_the_scale_of_the_text_is_taken_out():
    """36.7 of a hundred beside .376."""
    claims = [said(cell="t1.1:x", value="36.7", scale=100)]
    made = table([{"coefficients": {"x": {"estimate": "-0.376**", "se": "0.10"}}}], claims=claims)
    found = doubts(made, audit_study(made))
    assert {ref: doubt.instead for ref, doubt in found.items()} == {"t1.1:x": "-0.367**"}


def test_a_standard_error_is_no_doubt_of_its_estimate():
    claims = [said(cell="t1.1:x.se", value="0.35")]
    made = table([{"coefficients": {"x": {"estimate": "-0.376", "se": "0.10"}}}], claims=claims)
    report = audit_study(made)
    assert [finding.severity for finding in report.findings] == ["contradiction"]
    assert doubts(made, report) == {}
