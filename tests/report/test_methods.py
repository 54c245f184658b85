"""The methods say what was fitted, under which priors, what must hold, and how to repeat it."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import pytest

import bayesdid as bd
from bayesdid.families.registry.discover import families
from bayesdid.inference.plan import VARIANTS
from bayesdid.model.priors import GROUP_SHAPE, SCEPTICAL_SHARE, WEAK_MULTIPLE
from bayesdid.report.again import as_given, report_command
from bayesdid.report.document.blocks import Table
from bayesdid.report.method_texts import METHODS
from bayesdid.report.methods_results import methods_section
from bayesdid.report.model_words import fit_words
from bayesdid.report.sections.methods import glossary, methods, priors_text

RESULTS = {
    "study": {"id": "castle", "citation": "Cheng.", "doi": None, "title": "T"},
    "outcome": {
        "label": "y",
        "unit": "u",
        "natural_unit": "",
        "natural_per_unit": 1,
        "better": "lower",
    },
    "effects": [],
    "fits": [
        {
            "engine": "exact",
            "converged": True,
            "draws_taken": 500,
            "gate": [{"name": "rhat", "value": v, "limit": 1.01}],
        }
        for v in (1.001, 1.005)
    ],
    "methods": [],
    "priors": {},
    "provenance": {
        "versions": {"numpy": "2"},
        "fits": 2,
        "specs": 1,
        "chains": 4,
        "draws": 500,
        "seed": 3,
        "command": "bayesdid report a/b --draws 500 --seed 3",
    },
    "panel": {"source": "panel.csv", "rows": 9, "units": 3, "sha256": "a" * 64, "notes": []},
    "refused": {},
    "skipped": {},
    "synthetic": "",
    "published": None,
    "contrasts": None,
    "design": {"periods": ["2010Q1", "2010Q2", "2010Q3"]},
}


def text(results):
    part = methods(results)
    return " ".join(getattr(block, "text", "") for block in part.main)


def test_every_family_that_is_run_has_its_equation_estimand_and_assumptions():
    for name, family in families().items():
        if family.is_used:
            assert METHODS[name].name, name
            assert "_" not in METHODS[name].name, name
            assert METHODS[name].equation, name
            assert METHODS[name].estimand, name
            assert METHODS[name].assumes, name


@pytest.mark.parametrize("name", ["twfe", "overlap", "cohort", "event_study"])
def test_difference_in_differences_names_its_three_assumptions(name):
    said = " ".join(METHODS[name].assumes)
    for word in ("parallel trends", "no anticipation", "SUTVA"):
        assert word in said


def test_the_sum_of_singles_supposes_that_units_of_both_respond_as_others_do(models):
    alike = "units under several policies would respond to each alone as units under it alone do"

    def said(name):
        study = bd.load_study(models / name)
        found = methods_section(study, [], {}, headline=True, printed=True)
        return {item["family"]: item for item in found}

    two, one = said("dual_pilot"), said("castle_doctrine")["headline"]
    assert any(text.startswith(alike) for text in two["headline"]["assumes"])
    assert any(text.startswith(alike) for text in two["printed columns"]["assumes"])
    assert any(text.startswith(alike) for text in METHODS["overlap"].assumes)
    assert not any(text.startswith(alike) for text in one["assumes"])
    assert len(one["assumes"]) == 3
    assert one["question"] == "what the policy does"
    assert "several policies" not in one["equation"] + one["estimand"]


def test_what_was_fitted_is_named_in_words():
    """Families by what they are, columns by their place in print or their heading."""
    fitted = {"family": "twfe", "specs": ["t2.1", "s.a", "s.b"], "question": ""}
    given = RESULTS | {
        "methods": [fitted | dataclasses.asdict(METHODS["twfe"])],
        "titles": {"t2.1": "Table 2 (1): Dual", "s.a": "Laws", "s.b": "Laws"},
        "priors": {"spec": "t2.1", "iid_random": {"name": "weak", "scale": 2, "coefficients": {}}},
    }
    what, priors = (b for b in methods(given).more if isinstance(b, Table))
    assert what.rows[0][0] == "two-way regression (Table 2 (1); Laws (s.a); Laws (s.b))"
    assert priors.rows[0][0] == "i.i.d. errors, random effects"
    assert {fit_words(name) for name in VARIANTS}.isdisjoint(VARIANTS)


def test_priors_are_those_of_the_code_with_reasons():
    said = priors_text()
    assert f"{WEAK_MULTIPLE:g} sd(y) / sd(x within)" in said
    assert f"shape {GROUP_SHAPE:g}" in said
    assert f"{SCEPTICAL_SHARE:g} sd(y)" in said
    assert "keeps the posterior off that boundary" in said


def again(study, panel, **options):
    return report_command(study, panel, draws=500, seed=3, **options)


def test_how_to_run_it_again_is_said_with_the_paths_that_were_given(models, tmp_path, monkeypatch):
    assert "To run it again: bayesdid report a/b --draws 500" in text(RESULTS)
    monkeypatch.setenv("HOME", str(tmp_path))
    study = dataclasses.replace(bd.load_study(models / "castle_doctrine"), path=Path("my own/laws"))
    begin = "bayesdid report 'my own/laws'"
    assert again(study, None) == f"{begin} --seed 3"
    shipped = SimpleNamespace(synthetic="", source="causaldata:castle")
    assert again(study, shipped) == f"{begin} --draws 500 --seed 3"
    given = {"--panel": "a.xlsx", "--sheet": "two words", "--skip": 0, "--trust": True, "--x": None}
    assert again(study, shipped, options=given) == (
        f"{begin} --panel a.xlsx --sheet 'two words' --skip 0 --trust --draws 500 --seed 3"
    )
    assert again(study, shipped, options={"--trust": False}) == again(study, shipped)
    printed = dataclasses.replace(bd.load_study(models / "dual_pilot"), path=tmp_path / "laws")
    other = SimpleNamespace(synthetic="", source=f"{tmp_path}/panel.csv")
    assert again(printed, other) == (
        "bayesdid report ~/laws --panel ~/panel.csv --draws 500 --seed 3"  # no home is told
    )
    assert "--panel" not in again(printed, SimpleNamespace(synthetic="made up", source="x"))
    assert str(tmp_path) not in as_given(tmp_path / "a b")
    assert as_given("../x") == "../x"


def test_the_gate_is_said_with_its_limit_and_worst_value():
    assert "2 of 2 passed the convergence gate (rhat 1.005, limit 1.01)" in text(RESULTS)
    broken = [RESULTS["fits"][0] | {"converged": False}, RESULTS["fits"][1]]
    assert "1 of 2 passed" in text(RESULTS | {"fits": broken})


def test_fits_that_drew_once_more_are_counted():
    assert "once more" not in text(RESULTS)
    longer = [RESULTS["fits"][0] | {"draws_taken": 4000}, RESULTS["fits"][1]]
    said = text(RESULTS | {"fits": longer})
    assert "1 fit drew once more, up to 4,000 a chain, because as many as were asked for" in said


def test_data_are_cited_and_a_missing_licence_is_said():
    # periods as they are typed, not the steps that stand for them
    assert "9 rows, 3 units, 2010Q1 to 2010Q3;" in text(RESULTS)
    assert "sha256 aaaaaaaaaaaaaaaa. Cheng. Licence of the data: not stated" in text(RESULTS)
    bare = RESULTS | {"study": RESULTS["study"] | {"citation": "The panel x.csv"}}
    assert "The panel x.csv. Licence of the data" in text(bare)
    stated = RESULTS | {"study": RESULTS["study"] | {"licence": "MIT"}}
    assert "Licence of the data: MIT." in text(stated)
    assert "No microdata." in text(RESULTS | {"synthetic": "made up"})


def test_the_glossary_has_the_width_of_the_rope_of_this_run():
    assert "ROPE" not in dict(glossary(RESULTS))
    row = {"name": "both - none", "main": {"summary": {"rope": 0.05}}}
    said = dict(glossary(RESULTS | {"contrasts": {"rows": [row]}}))["ROPE"]
    assert "±0.050 u" in said
    for word in ("HDI", "TWFE", "ATT", "LOO", "elpd", "MCSE", "BF₁₀", "M-bar"):
        assert word in dict(glossary(RESULTS))
