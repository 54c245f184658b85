"""Printed effects of studies that name neither a panel nor contrasts of policies."""

import json
import shutil
from pathlib import Path

import pytest
from scipy.stats import norm
from typer.testing import CliRunner

from bayesdid.cli.app import app
from bayesdid.cli.console import out
from bayesdid.exceptions import InputError
from bayesdid.published.single import effect_notes, printed_effects
from bayesdid.study.load import read_study

STUDIES = Path(__file__).parents[2] / "models"


def test_an_effect_is_its_first_column_and_its_range_all_of_them():
    effects = printed_effects(read_study(STUDIES / "drunk_driving_laws"))
    first = effects[0]
    assert first.cells == tuple(f"table10_1.{k}:beertax" for k in (1, 2, 3))
    p = [norm.cdf(b / se) for b, se in ((0.365, 0.053), (-0.656, 0.289), (-0.640, 0.350))]
    # the text claims a positive one
    assert not first.below
    assert [item.p_sign for item in first.estimates] == pytest.approx(p, abs=1e-9)
    answer = first.answer
    assert (answer.p, answer.p_low, answer.p_high) == pytest.approx((p[0], min(p), max(p)))
    assert answer.word == "supported, fragile"
    # nothing is claimed of the last one: fewer deaths are better
    last = effects[-1]
    assert (last.term, last.cells) == ("punish", ("table10_1.7:punish",))
    assert last.below
    assert last.answer.p == pytest.approx(norm.cdf(-0.089 / 0.161))


def test_other_outcomes_and_ratios_are_no_effects_on_the_outcome(tmp_path):
    folder = tmp_path / "s"
    shutil.copytree(STUDIES / "medicaid_expansions", folder)
    assert len(printed_effects(read_study(folder))) == 2
    for name in ("simple.toml", "twfe.toml"):
        text = (folder / name).read_text()
        head, _, rest = text.partition("[[column]]")
        (folder / name).write_text(f'{head}printed_as = "ratio"\n[[column]]{rest}')
    with pytest.raises(InputError, match="no column prints an effect on the outcome"):
        printed_effects(read_study(folder))


def test_doubted_cells_are_named():
    study = read_study(STUDIES / "medicaid_expansions")
    first, second = printed_effects(study, {"twfe.all:active:medicaid"})
    assert first.doubted == ("twfe.all:active:medicaid",)
    assert second.doubted == ()


def test_the_command_answers_a_printed_study_of_one_policy():
    """Before, it said that the study declares no panel."""
    folder = str(STUDIES / "medicaid_expansions")
    result = CliRunner().invoke(app, ["synergy", folder])
    text = " ".join(result.stdout.split())
    assert "active:medicaid > 0: supported, P " in text
    assert "Note: columns of one effect are fitted on the same units" in text
    document = json.loads(CliRunner().invoke(app, ["synergy", folder, "--json"]).stdout)
    (first, _) = document["effects"]
    assert (first["term"], first["answer"]["word"]) == ("active:medicaid", "supported")
    assert document["notes"][0].startswith("an estimate and its printed standard error")
    refused = CliRunner().invoke(app, ["synergy", folder, "--skip", "2"]).exception
    assert "--skip is about a panel" in str(refused)


@pytest.mark.parametrize("width", [80, 60])
def test_no_word_of_printed_effects_is_broken(width, monkeypatch):
    """At 60 columns the numbers of long names of columns stand on lines of their own."""
    monkeypatch.setattr(out, "_width", width)
    lines = {}
    for name in ("drunk_driving_laws", "minimum_wage_counties"):
        result = CliRunner().invoke(app, ["synergy", str(STUDIES / name)])
        lines[name] = [line.rstrip() for line in result.stdout.splitlines()]
        assert max(map(len, lines[name])) <= width
    driving, wages = lines.values()
    said = " ".join(driving)
    assert "beertax > 0: supported, fragile, P > 0.999 (0.012 to > 0.999)" in said
    assert "  table10_1.1   0.365 (0.053)    0.280 to 0.450   > 0.999" in driving
    assert "  table10_1.6  -0.002 (0.021)   -0.036 to 0.032     0.538" in driving
    numbers = "-0.0310 (0.0123)  -0.0507 to -0.0113     0.994"
    long = "-0.0105 (0.0241)   -0.0490 to 0.0280     0.332"
    if width == 60:  # a name that leaves no room for its numbers stands above them
        assert f"  att.group  {numbers}" in wages
        assert wages[wages.index("  att.group_time") + 1] == f"             {long}"
    else:
        assert f"  att.group       {numbers}" in wages
        assert f"  att.group_time  {long}" in wages


def test_claims_are_decided_with_the_size_that_they_state():
    folder = str(STUDIES / "minimum_wage_counties")
    document = json.loads(CliRunner().invoke(app, ["synergy", folder, "--json"]).stdout)
    answers = {
        claim["id"]: claim["evidence"]["answers"]["published"]
        for claim in document["claims"]
        if claim["evidence"]
    }
    assert list(answers) == ["overall"]
    p = norm.cdf(0.031 / 0.0123)
    assert (answers["overall"]["p"], answers["overall"]["p_size"]) == pytest.approx(
        (p, 0.5), abs=2e-3
    )
    text = " ".join(CliRunner().invoke(app, ["synergy", folder]).stdout.split())
    assert f"supported, P {p:.3f}, P(at least as large) 0.5" in text


def test_a_study_of_several_policies_is_told_what_is_missing(models):
    study = read_study(models / "dual_pilot")
    notes = [note.text for note in effect_notes(study, printed_effects(study))]
    assert any("[synergy] of study.toml" in note for note in notes)
    one = read_study(STUDIES / "medicaid_expansions")
    assert not any("[synergy]" in note.text for note in effect_notes(one, printed_effects(one)))
