"""The family of docs/families.md, added as a stranger would: one file, and all else knows it."""

import pickle
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from every import ONE, every_panel
from made import make_study
from typer.testing import CliRunner

import bayesdid as bd
import bayesdid.families
from bayesdid.exceptions import InputError
from bayesdid.families.registry import discover
from bayesdid.families.registry.docs import options_table, questions_table
from bayesdid.families.registry.load import check_study
from bayesdid.families.run import plan_analyses
from bayesdid.families.store import analyse_all, analysis_path
from bayesdid.jsonio import plain
from bayesdid.report.results import sections
from bayesdid.report.sections.analyses import analyses

PAGE = (Path(__file__).parents[2] / "docs" / "families.md").read_text(encoding="utf-8")
TOY = PAGE.partition("```python\n")[2].partition("```")[0]
COLUMN = {"id": "toy", "outcome": "y", "family": "toy"}


@pytest.fixture(params=["folder of families", "installed package"])
def toy(request, tmp_path, monkeypatch):
    """The toy in a folder of the package, or in a package that names an entry point."""
    if request.param == "folder of families":
        (tmp_path / "toy.py").write_text(TOY)
        monkeypatch.setattr(
            bayesdid.families, "__path__", [*bayesdid.families.__path__, str(tmp_path)]
        )
    else:
        (tmp_path / "toy_of_a_stranger.py").write_text(TOY)
        about = tmp_path / "toy_of_a_stranger-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: toy-of-a-stranger\nVersion: 1.0\n"
        )
        (about / "entry_points.txt").write_text(
            "[bayesdid.families]\ntoy = toy_of_a_stranger:FAMILY\n"
        )
        monkeypatch.syspath_prepend(str(tmp_path))
    discover.forget()
    yield discover.families()["toy"]
    discover.forget()
    for name in ("bayesdid.families.toy", "toy_of_a_stranger"):
        sys.modules.pop(name, None)
    vars(bayesdid.families).pop("toy", None)


def study_of(**changed):
    return make_study(("a", "b"), [COLUMN | changed, ONE | {"id": "plain"}])


def test_it_runs_with_its_options(toy):
    panel = every_panel()
    mean = panel.frame["y"].mean()
    found = bd.analyse(study_of(options={"shift": 2}), "t.toy", panel)
    assert found.sentences == (f"Toy mean {mean + 2:.4f}.",)
    assert [r.spec.id for r in plan_analyses(study_of(), panel)] == ["t.toy"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"options": {"shfit": 1}}, "did you mean 'shift'"),
        ({"options": {"shift": 11}}, "at most 10"),
        ({"treatments": ["both"]}, "toy does not read treatments"),
        ({"family": "tog"}, "did you mean 'toy'"),
    ],
)
def test_its_columns_are_checked(toy, changed, words):
    with pytest.raises(InputError, match=words):
        check_study(study_of(**changed))


def test_its_terms_are_read_from_the_panel(toy):
    assert check_study(study_of(options={"of": "x"}))["t.toy"].option_terms == ("x",)


def test_it_is_in_tables_schema_and_command_line_but_not_in_what_ships(toy):
    from bayesdid.cli.app import app
    from bayesdid.families.registry.schemas import schemas

    known = discover.families().values()
    assert "| `toy` | what is the mean? | nothing |" in questions_table(known)
    assert "| `toy` | `shift` | a number at least -10 and at most 10 | `0` |" in options_table(
        known
    )
    assert "toy" in schemas()["table"]["$defs"]["Column"]["properties"]["family"]["enum"]
    assert "toy: what is the mean?" in CliRunner().invoke(app, ["analyse", "--help"]).stdout
    assert "shift" in CliRunner().invoke(app, ["families", "toy"]).stdout


def test_it_is_in_the_report(toy):
    content = plain(bd.analyse(study_of(), "t.toy", every_panel()))
    found = sections([content], discover.families())
    assert [(item["key"], item["specs"]) for item in found] == [("toys", ["t.toy"])]
    (part,) = analyses({"analyses": [content], "sections": found, "synthetic": "planted"})
    assert part.of_panel
    assert part.more[0].text == "What strangers bring."
    assert "Toy mean" in repr(part.more)


def test_it_is_stored_and_its_code_is_part_of_the_key(toy, tmp_path, monkeypatch):
    panel = every_panel()
    requests = plan_analyses(study_of(), panel)
    first, again = (analyse_all(requests, tmp_path / "fits")[0] for _ in range(2))
    assert (first.reused, again.reused) == (False, True)
    if toy.options.__module__.startswith("bayesdid"):
        return  # code of this package: test_store
    before = analysis_path(requests[0], tmp_path)
    source = tmp_path / "toy_of_a_stranger.py"
    source.write_text(source.read_text() + "# changed\n")
    assert analysis_path(requests[0], tmp_path) != before


def test_two_families_of_one_name_are_refused(toy):
    with pytest.raises(InputError, match="two families have one name"):
        discover.register(toy)


def test_a_registered_family_reaches_worker_processes(tmp_path, monkeypatch):
    """No entry point: the request carries the family, and a worker imports its module alone."""
    (tmp_path / "toy_registered.py").write_text(TOY)
    monkeypatch.syspath_prepend(str(tmp_path))
    discover.register(import_module("toy_registered").FAMILY)
    try:
        (request,) = plan_analyses(study_of(options={"shift": 1}), every_panel())
    finally:
        discover.forget()
    assert "toy" not in discover.families()
    code = (
        "import pickle, sys; sys.path.insert(0, sys.argv[1]); "
        "request = pickle.load(sys.stdin.buffer); "
        "from bayesdid.families.run import run; print(run(request).sentences[0])"
    )
    worker = [sys.executable, "-c", code, str(tmp_path)]
    found = subprocess.run(worker, input=pickle.dumps(request), capture_output=True)
    assert found.stdout.startswith(b"Toy mean"), found.stderr


def test_a_plug_in_that_cannot_be_loaded_is_named(tmp_path, monkeypatch):
    about = tmp_path / "broken-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[bayesdid.families]\nb = no_such_module:FAMILY\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    discover.forget()
    try:
        with pytest.raises(InputError, match=r"b = no_such_module:FAMILY"):
            discover.families()
    finally:
        monkeypatch.undo()
        discover.forget()
