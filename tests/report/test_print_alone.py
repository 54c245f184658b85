"""A study with printed tables and no panel is reported from print alone."""

import copy
import dataclasses
import json
import math
import re

import pytest
from test_report import EMPTY, words
from typer.testing import CliRunner

import bayesdid as bd
from bayesdid.cli.app import app
from bayesdid.estimands.question import question, unasked
from bayesdid.estimands.verdict import rules
from bayesdid.exceptions import InputError
from bayesdid.report.against import changes
from bayesdid.report.html import render
from bayesdid.report.results import compute_results
from bayesdid.report.run import Run
from bayesdid.report.sections.answer import answer
from bayesdid.report.sections.claims_forest import forest_rows
from bayesdid.report.write import write_report
from bayesdid.study.claims import Claim
from printed import HEAD, write_printed

LINE = (
    "No microdata were given: everything here comes from the printed numbers. To add what the "
    "microdata say: bayesdid report STUDY --panel FILE."
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_printed(tmp_path_factory.mktemp("print"))


@pytest.fixture(scope="module")
def written(folder):
    out = folder / "out"
    (out / "tables").mkdir(parents=True)
    (out / "tables" / "fits.csv").write_text("of an earlier run with a panel")
    made = CliRunner().invoke(app, ["report", str(folder), "--out", str(out)])
    assert made.exit_code == 0, made.output
    return out


@pytest.fixture(scope="module")
def results(written):
    return json.loads((written / "results.json").read_text(encoding="utf-8"))


def test_it_writes_the_files_of_a_report(written):
    for name in ("index.html", "supplement.html", "report.pdf", "results.json", "run.json"):
        assert (written / name).stat().st_size > 0
    tables = {path.name for path in (written / "tables").iterdir()}
    assert (
        {"contrasts.csv", "contrasts.tex"}
        <= tables
        <= {"contrasts.csv", "contrasts.tex", "audit.csv"}
    )
    assert not (written / "fits").exists()


def test_the_claim_has_the_word_of_the_synergy_command(folder, results):
    made = CliRunner().invoke(app, ["synergy", str(folder), "--json"])
    (verdict,) = json.loads(made.stdout)["verdicts"]
    claim = next(c for c in results["claims"] if c["id"] == "lowers")
    says = claim["evidence"]["answers"]["published"]
    assert claim["evidence"]["main"]
    assert says["word"] == verdict["word"] == "supported"
    assert [says[k] for k in ("p", "p_low", "p_high")] == [
        verdict[k] for k in ("p", "p_low", "p_high")
    ]


def test_the_seed_is_that_of_the_command(folder, results):
    """Two seeds differ by Monte Carlo error; before, print had one seed whatever was asked for."""

    def mean(found):
        item = found["published"]["contrasts"]["only:a - none"]
        return item["posteriors"]["averaged"]["mean"]

    other = compute_results(bd.load_study(folder), None, folder / "none", seed=1)
    assert 0 < abs(mean(other) - mean(results)) < 0.02  # sd 0.1 of 20,000 draws


def test_the_page_answers_and_says_what_was_not_given(results):
    page, more = render(results)
    text, front = words(page), words(page[: page.index("<h2>")])
    assert re.search(r"From the printed numbers alone, the .* is −0\.\d{3} units \(", front)
    assert "That it is below zero is supported: P" in front
    assert LINE in front
    assert "they give no answer" not in front.lower()
    assert "Diamond: from the printed numbers." in front
    assert "Disc" not in front
    assert "No direction of t.c1:active:a is stated" in front
    assert "Estimand: the same contrasts, from printed coefficients alone" in text
    assert "each analysis states" not in text
    assert "draws each" not in text
    assert re.search(r"To run it again: bayesdid report (?!models)\S+ --seed 0", text)
    assert "Published numbers: Somebody 2020. No microdata." in text
    for html in (page, more):
        assert "ynthetic" not in words(html)
        assert "SYNTHETIC" not in html
        assert ">panel</th>" not in html
        for pattern in EMPTY:
            assert not re.search(pattern, html), pattern


def test_terms_that_are_not_on_the_page_are_not_explained(results):
    text = words(render(results)[0])
    assert "highest-density interval" in text
    assert "leave-one-out" not in text
    assert "two-way fixed effects" not in text


def test_a_run_tells_which_characters_its_article_cannot_show(results, tmp_path, monkeypatch):
    run = Run()
    write_report(results, tmp_path, run)
    assert run.notes == []
    monkeypatch.setattr("bayesdid.report.write.write_pdf", lambda *_: "京北")
    write_report(results, tmp_path, run)
    (note,) = run.notes
    assert note.count == 2
    assert note.text.startswith("No font here has 2 characters")
    assert note.text.endswith("They are: 京北")


def test_the_keys_are_those_of_a_report_with_a_panel(studies, results, tmp_path):
    """What is of a panel is there and empty, so that a reader of results.json needs no branch."""
    study = bd.load_study(studies / "small")
    plan = dataclasses.replace(study, specs={}, claims=())
    found = compute_results(plan, bd.load_panel(study), tmp_path, draws=100)
    assert found.keys() == results.keys()
    for key in ("headline", "provenance", "identity", "weights", "examination", "design"):
        assert found[key].keys() == results[key].keys(), key
    assert results["panel"] is None
    assert results["fits"] == results["checks"] == results["effects"] == []


def test_a_panel_that_came_later_is_a_change_of_data(results):
    assert not any(changes(results, results)["data"])
    later = copy.deepcopy(results)
    later["panel"] = {"sha256": "a1", "rows": 198, "units": 18, "source": "panel.csv"}
    said = str(changes(results, later)["data"])
    assert "panel.csv" in said
    assert "198" in said


def test_without_a_claim_print_answers_by_its_first_contrast(results):
    changed = copy.deepcopy(results) | {"claims": []}
    item = changed["published"]["contrasts"]["only:a - none"]
    item["posteriors"]["averaged"] |= {"mean": 0.25, "hdi89": [0.125, 0.375], "level": 0.89}
    item["p_claim"]["averaged"], item["range"] = 0.04, [0.02, 0.045]
    first, second = answer(changed)
    assert "From the printed numbers alone, " in first
    assert "is 0.250 units (89 % interval 0.125 to 0.375)" in first
    assert second == (
        "That it is below zero is contradicted: P 0.040, and 0.020 to 0.045 over the models that "
        "count."
    )
    (row,) = forest_rows(changed)
    assert (row.marks[0].source, row.marks[0].mean) == ("published", 0.25)
    item["claim"] = "> 0"
    assert answer(changed)[1].startswith("That it is above zero is")


def test_where_nothing_answers_the_page_says_so(results):
    bare = copy.deepcopy(results)
    bare |= {"claims": [], "published": None, "methods": [], "validity": {}, "alerts": []}
    bare["doubts"] = {"cells": [], "contrasts": [], "what_if": [], "mediations": []}
    bare["study"]["question"] = ""
    page, more = render(bare)
    assert "They give no answer here: no claim names a printed effect" in words(page)
    assert "No effect was estimated; the printed numbers were compared." in words(page)
    assert "The page holds all there is." in words(more)
    for html in (page, more):
        for pattern in (*EMPTY, r"<p[^>]*>\s*</p>"):
            assert not re.search(pattern, html), pattern
    bare["failed"] = {"printed columns": "no timing meets the rounds"}
    assert "They give no answer" not in words(render(bare)[0])


def test_an_answer_about_a_column_quotes_its_statement(results):
    changed = copy.deepcopy(results)
    changed["claims"] = changed["claims"][1:2]
    changed["claims"][0]["evidence"]["main"] = True
    page = words(render(changed)[0])
    assert "The statement: “it does so where it came” (p. 2)." in page
    assert "the claimed size (at least 0.2 below zero, units) has P 0.460. " in page
    said = "It is read from a column as it is printed, and holds if the printed standard error is"
    assert said in page
    assert said not in words(render(results)[0])
    assert rules("the posterior probability of the claim", "every model that counts") in page
    assert "The statement:" not in words(render(results)[0])


def test_a_claim_with_another_word_than_its_row_is_told_below_the_figure(results):
    """Before, the figure had the word of the first claim and the page said that both are judged."""
    changed = copy.deepcopy(results)
    other = copy.deepcopy(changed["claims"][0]) | {"text": "it holds for the poor", "place": "p. 9"}
    other["evidence"] |= {"main": False}
    changed["claims"].insert(1, other)
    assert "Judged otherwise" not in words(render(changed)[0])
    other["evidence"]["answers"]["published"] |= {"word": "undecided", "p": 0.7}
    page = words(render(changed)[0])
    told = "“it holds for the poor” (p. 9), published: undecided (P 0.700)"
    assert f"Judged otherwise than its contrast in the figure: {told}" in page


def test_neither_panel_nor_table_is_refused(tmp_path):
    (tmp_path / "study.toml").write_text(HEAD)
    with pytest.raises(InputError, match="neither a panel nor a printed table") as found:
        compute_results(bd.load_study(tmp_path), None, tmp_path / "fits")
    assert "--panel FILE" in str(found.value)
    assert "bayesdid import" in str(found.value)
    made = CliRunner().invoke(app, ["report", str(tmp_path), "--out", str(tmp_path / "out")])
    assert "neither a panel nor a printed table" in str(made.exception)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("option", ["--draws", "--skip", "--sheet"])
def test_options_about_a_panel_are_refused_without_one(folder, option, tmp_path):
    made = CliRunner().invoke(app, ["report", str(folder), option, "200", "--out", str(tmp_path)])
    assert f"{option} is about a panel, and the study names none" in str(made.exception)
    assert list(tmp_path.iterdir()) == []


def test_sizes_in_percent_are_those_of_the_cell(folder):
    """100 b or 100 (exp b − 1) of logarithms, of a mean its share, of a ratio none."""
    study = bd.load_study(folder)

    def asked(value, of):
        claim = Claim(
            id="c",
            text="",
            place="",
            cell="t.c1:active:a",
            direction="negative",
            value=value,
            percent_of=of,
        )
        return question(study, claim).asks

    assert asked("15", "log").size == pytest.approx(0.15)
    assert asked("13.9%", "log").size == pytest.approx(-math.log(1 - 0.139))
    assert asked("30", "t.c0:active:a").size == pytest.approx(0.15)
    ratio = asked("15", "ratio")
    assert (ratio.size, ratio.null) == (None, 1.0)
    assert asked("15", None).null == 0.0


def test_a_claim_that_asks_nothing_says_why(folder):
    study = bd.load_study(folder)

    def why(**more):
        return unasked(study, Claim(id="c", text="", place="", **more))

    assert why(cell="t.c1:active:a", value="1").startswith("no direction of t.c1:active:a")
    assert "[synergy] rope" in why(cell="t.c1:active:a", significance="none")
    assert why(cell="t.c0:n", value="198").startswith("not about an effect")
    assert why(value="3").startswith("not about an effect")


@pytest.mark.parametrize(
    "name", ["drunk_driving_laws", "medicaid_expansions", "minimum_wage_counties"]
)
def test_published_studies_are_reported(models, tmp_path, name):
    study = bd.load_study(models / name)
    results = compute_results(study, None, tmp_path)
    assert results["failed"] == {}
    assert results["audit"]["counts"]["contradiction"] == 0
    assert answer(results) == [] or name != "medicaid_expansions"
    for html in render(results):
        for pattern in EMPTY:
            assert not re.search(pattern, html), pattern
