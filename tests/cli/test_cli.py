"""The command line: light help, exit codes, one message for bad input."""

import dataclasses
import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from bayesdid.cli.app import app
from bayesdid.design.build import build_design
from bayesdid.design.counted import counted
from bayesdid.estimands.verdict import rules
from bayesdid.exceptions import InputError
from bayesdid.families.registry.load import load_study
from bayesdid.inference import gate
from bayesdid.panel.simulate import simulate_panel
from bayesdid.panel.write import write_panel
from bayesdid.report.validity import panel_validity, published_validity
from printed import write_printed
from smallest import STUDY

COMMANDS = (
    "did",
    "report",
    "audit",
    "synergy",
    "fit",
    "analyse",
    "compare",
    "validate",
    "check",
    "design",
    "panel",
    "reconstruct",
    "schema",
)
HEAVY = ("pymc", "pytensor", "nutpie", "matplotlib", "arviz", "pyfixest")


def loaded_modules(*arguments):
    """Heavy modules that a command imports, in a process of its own."""
    code = (
        "import sys\nfrom bayesdid.cli.app import app\n"
        f"try:\n    app({list(arguments)!r}, standalone_mode=False)\n"
        "except SystemExit:\n    pass\n"
        f"print('HEAVY', [m for m in {HEAVY!r} if m in sys.modules])\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return run.stdout.rpartition("HEAVY ")[2].strip()


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_is_light(command):
    assert loaded_modules(*([command] if command else []), "--help") == "[]"


@pytest.mark.parametrize("command", ["audit", "synergy"])
def test_commands_for_published_tables_are_light(tmp_path, command):
    assert loaded_modules(command, str(write_printed(tmp_path))) == "[]"


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "bayesdid", *map(str, arguments)], capture_output=True, text=True
    )


def inside(*arguments):
    """The same in this process, where nothing is imported anew."""
    return CliRunner().invoke(app, [str(word) for word in arguments])


def test_bad_input_is_one_message_and_exit_code_2(models, tmp_path):
    (tmp_path / "panel.csv").write_text("state,year,totfatrte\n1,1980,x\n2,1981,3\n")
    result = run("fit", models / "traffic_laws", "--panel", tmp_path / "panel.csv")
    assert result.returncode == 2
    assert "panel.csv" in result.stderr
    assert "Remedy" in result.stderr
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == [tmp_path / "panel.csv"]


def test_debug_shows_the_traceback():
    result = run("--debug", "audit", "no/such/folder")
    assert result.returncode != 0
    assert "Traceback" in result.stderr


def test_unknown_spec_lists_the_known(models, tmp_path):
    result = run("fit", models / "traffic_laws", "--spec", "specs.zzz", "--out", tmp_path)
    assert result.returncode == 2
    assert "specs.factorial" in result.stderr.replace("\n", "")


def test_fit_writes_and_reuses(models, tmp_path):
    arguments = (
        "fit",
        models / "traffic_laws",
        "--spec",
        "specs.factorial",
        "--out",
        tmp_path,
        "--draws",
        500,
        "--workers",
        1,
        "--json",
    )
    first, second = inside(*arguments), inside(*arguments)
    assert first.exit_code == second.exit_code == 0
    rows = json.loads(first.stdout)["rows"]
    assert [row["term"] for row in rows] == [
        "active:perse",
        "active:belt",
        "active:perse * active:belt",
    ]
    assert rows == json.loads(second.stdout)["rows"]
    assert "1 of them reused" in " ".join(second.stderr.split())
    (path,) = tmp_path.glob("*.nc")
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    third = inside(*arguments)
    assert third.exit_code == 0
    assert json.loads(third.stdout)["rows"] == rows
    assert f"note: the stored {path.name} was damaged" in " ".join(third.stderr.split())


def test_fit_prints_what_stands_beside_and_few_treated_units(studies, tmp_path):
    arguments = ("fit", studies / "small", "--spec", "t2.factorial", "--out", tmp_path)
    arguments += ("--errors", "ar1", "--draws", 200, "--workers", 1)
    document = json.loads(inside(*arguments, "--json").stdout)
    rows, sample = document["rows"], document["samples"]["t2.factorial"]
    assert sample["text"] == "n = 128: 16 units, 8 periods"
    for row in rows:
        iid, cluster = row["beside"]
        assert iid["errors"].startswith("iid")
        assert cluster["errors"].startswith("cluster (16")
        assert cluster["low"] < cluster["mean"] == iid["mean"] < cluster["high"]
    few = [row["few_treated"] for row in rows]
    assert few[:2] == [None, None]
    assert len(few[2]["units"]) == 5
    assert few[2]["low"] < few[2]["high"]
    text = " ".join(inside(*arguments).stdout.split())
    assert text.count("cluster (16)") == 3
    assert few[2]["text"] in text
    assert "5 treated units: active:a * active:b: 89% interval by permutation" in text


def test_a_fit_says_how_many_rows_it_lost(studies):
    study = load_study(studies / "small")
    panel = simulate_panel(study)
    x = panel.frame["x"].where(panel.frame.index >= 20)
    panel = dataclasses.replace(panel, frame=panel.frame.assign(x=x))
    sample = counted(build_design(study["t2.factorial"], panel))
    assert sample.rows == len(panel.frame) - 20
    assert sample.units == 14  # two units lost all their rows
    lost = {note.name: note.text for note in sample.notes}
    assert lost["rows_with_missing_values"].startswith("20 rows lack")


def test_a_fit_that_did_not_converge_sets_exit_code_1(studies, tmp_path, monkeypatch):
    monkeypatch.setattr(gate, "RHAT_LIMIT", 0.5)  # which no chain can pass
    arguments = ["fit", str(studies / "small"), "--spec", "t2.factorial", "--draws", "50"]
    arguments += ["--out", str(tmp_path), "--workers", "1"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert "NOT CONVERGED" in result.stdout.replace("\n", " ")


def test_validate_holds(studies):
    result = inside(
        "validate", studies / "small", "--spec", "t2.factorial", "--workers", 1, "--json"
    )
    assert result.exit_code == 0
    (document,) = json.loads(result.stdout)
    assert document["identity"] is True
    assert document["synthetic"]


@pytest.mark.parametrize(("errors", "code"), [("iid", 1), ("ar1_unit", 0)])
def test_check_strict(models, errors, code):
    """The real panel fails checks under independent errors and passes them under the default."""
    study = str(models / "traffic_laws")
    command = ["check", study, "--spec", "specs.factorial", "--strict", "--workers", "1"]
    result = CliRunner().invoke(app, [*command, "--errors", errors])
    assert result.exit_code == code
    assert ("FAIL autocorrelation" in result.stdout) == (code == 1)


@pytest.mark.parametrize("command", ["fit", "check", "validate"])
def test_specs_that_fail_are_named_and_end_in_exit_code_1(tmp_path, command):
    """They were left out, without a word but by `fit`, and the exit code was 0."""
    (tmp_path / "study.toml").write_text(STUDY)
    (tmp_path / "t.toml").write_text(
        'id = "t"\ntitle = "t"\nkind = "regression"\n[[column]]\nid = "1"\noutcome = "y"\n'
        'treatments = ["active:p"]\ncluster = "region + year"\n'
    )
    rows = "".join(f"{u},{t},{u * t % 3},{2 if u else ''}\n" for u in (0, 1) for t in (1, 2, 3))
    (tmp_path / "panel.csv").write_text("unit,year,y,py\n" + rows)
    result = inside(command, tmp_path, "--panel", tmp_path / "panel.csv")
    assert result.exit_code == 1
    assert "failed t.1: " in result.output
    assert "two-way clusters are not computed" in " ".join(result.output.split())


def test_panel_describes_and_writes(studies, tmp_path):
    path = tmp_path / "panel.csv"
    result = CliRunner().invoke(
        app, ["panel", str(studies / "small"), "--write", str(path), "--json"]
    )
    facts = json.loads(result.stdout)
    assert facts["arms"] == {"single": 6, "dual": 5, "none": 5}
    assert facts["synthetic"]
    again = CliRunner().invoke(
        app, ["panel", str(studies / "small"), "--panel", str(path), "--json"]
    )
    assert json.loads(again.stdout)["sha256"] == facts["sha256"]
    assert json.loads(again.stdout)["synthetic"] == facts["synthetic"]


def test_synergy_json(models):
    result = CliRunner().invoke(app, ["synergy", str(models / "dual_pilot"), "--json"])
    document = json.loads(result.stdout)
    words = {v["claim"]: v["word"] for v in document["verdicts"]}
    assert words["synergy"] == "undecided, leaning against"
    assert {item["name"] for item in document["held_out"]} == set(
        document["correlation"]["columns"]
    )
    assert sum(document["paths"].values()) == pytest.approx(1)
    assert document["timing"]["knowledge"] == "drawn"
    assert document["left"]["table7.1"] == "not a two-way regression (sdm)"
    assert document["coverage"] == published_validity(2)


def test_synergy_of_a_panel_has_its_coverage_and_the_priors_asked_for(studies):
    def means(*more):
        given = ["synergy", str(studies / "small"), "--json", "--errors", "iid", "--draws", "250"]
        args = [*given, *more]
        document = json.loads(CliRunner().invoke(app, args).stdout)
        names = document["contrasts"]
        assert document["coverage"] == {name: panel_validity(name) for name in names}
        assert document["differing"]["passed"] is (document["differing"]["p"] >= 0.01)
        return {name: item["mean"] for name, item in names.items()}

    assert means() == means("--priors", "weak")
    assert means() != means("--priors", "sceptical")


def test_published_columns_have_no_priors_of_a_fit(models):
    args = ["synergy", str(models / "dual_pilot"), "--priors", "flat"]
    assert "--priors is about a panel" in str(CliRunner().invoke(app, args).exception)


def test_priors_of_an_analysis_are_those_asked_for(studies, tmp_path):
    args = ["analyse", str(studies / "small"), "--spec", "t2.factorial", "--priors", "strong"]
    assert "unknown prior" in str(CliRunner().invoke(app, args).exception)


def test_synergy_refuses_misspelt_errors_and_says_what_there_is(studies):
    result = CliRunner().invoke(app, ["synergy", str(studies / "small"), "--errors", "ar1_units"])
    assert isinstance(result.exception, InputError)
    text = str(result.exception)
    assert "ar1_units" in text
    assert "use iid, iid_unit, ar1, ar1_unit" in text


def test_synergy_prints_the_rules_of_its_words_and_its_coverage(tmp_path):
    result = CliRunner().invoke(app, ["synergy", str(write_printed(tmp_path))])
    text = " ".join(result.stdout.split())
    assert rules("the probability of the claim", "every path and autocorrelation") in text
    assert published_validity(2) in text
    assert published_validity(1) not in text


def test_analyse_prints_one_document_and_stores_draws(models, tmp_path):
    arguments = (
        "analyse",
        models / "traffic_laws",
        "--spec",
        "reanalysis.mediation_miles",
        "--out",
        tmp_path,
        "--json",
    )
    first = inside(*arguments)
    assert first.exit_code == 0, first.stderr
    (content,) = json.loads(first.stdout)["analyses"]
    assert content["family"] == "mediation"
    assert all(peer["holds"] for peer in content["peers"])
    assert [path.suffix for path in sorted(tmp_path.iterdir())] == [".json", ".nc"]


def test_what_is_not_identified_is_refused_with_the_reason(models, tmp_path):
    study = load_study(models / "dual_pilot")
    write_panel(simulate_panel(study), study, tmp_path / "panel.csv")
    told = ("--spec", "table4.2", "--panel", tmp_path / "panel.csv", "--out", tmp_path / "out")
    result = run("analyse", models / "dual_pilot", *told)
    assert result.returncode == 2
    assert "constant in time" in result.stderr.replace("\n", " ")


def test_compare_names_the_better_model(models):
    result = inside(
        "compare",
        models / "castle_doctrine",
        "--spec",
        "published.unweighted",
        "--effects",
        "fixed",
        "--workers",
        1,
        "--json",
    )
    assert result.exit_code == 0, result.stderr
    assert "predicts units it has not seen best" in json.loads(result.stdout)["sentences"][0]
    assert (
        run(
            "compare",
            models / "castle_doctrine",
            "--spec",
            "published.unweighted",
            "--effects",
            "zzz",
        ).returncode
        == 2
    )
