"""The commands around an ensemble: what they write, say, and refuse."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from bayesdid.cli.app import app
from bayesdid.estimands.beside import HEADLINE, ModelSays
from bayesdid.estimands.names import RATIO
from bayesdid.exceptions import InputError, ResultError
from bayesdid.families.registry.load import load_study
from bayesdid.reconstruct import combine
from bayesdid.reconstruct.choices import IID
from bayesdid.summary import Interval

TOWNS = str(Path(__file__).parent / "towns")


def run(*words):
    return CliRunner().invoke(app, [*map(str, words)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("made")
    asked = run("reconstruct", TOWNS, "--members", 2, "--seed", 3, "--workers", 1, "-o", made)
    assert asked.exit_code == 0, asked.output
    assert asked.stdout.startswith("SYNTHETIC: reconstructed by bayesdid from what towns prints")
    assert "12 of 12 printed estimates and moments are met within rounding by all 2" in asked.stdout
    return made


def test_json_is_the_manifest(folder, tmp_path):
    asked = run("reconstruct", TOWNS, "--seed", 3, "-o", tmp_path, "--json")
    document = json.loads(asked.stdout)
    assert document == json.loads((tmp_path / "manifest.json").read_text())
    first = json.loads((folder / "manifest.json").read_text())["members"][0]
    assert document["members"][0]["sha256"] == first["sha256"]  # whatever the number of members


@pytest.mark.parametrize(
    ("members", "asked", "count"), [(20, (), 2), (1, (), 1), (20, ("--workers", 3), 3)]
)
def test_many_members_are_made_by_one_process_a_core(members, asked, count, tmp_path, monkeypatch):
    counts = []

    def pool(workers):
        counts.append(workers)
        raise InputError("enough", remedy="none")

    monkeypatch.setattr("bayesdid.inference.executor.cores", lambda: 2)
    monkeypatch.setattr("bayesdid.inference.executor.process_pool", pool)
    run("reconstruct", TOWNS, "--members", members, *asked, "-o", tmp_path)
    assert counts == [count]


def test_a_synthetic_panel_is_not_kept(models, tmp_path):
    asked = run("reconstruct", models / "dual_pilot", "--keep", "-o", tmp_path)
    assert isinstance(asked.exception, InputError)
    assert "keeps a real panel" in str(asked.exception)


def test_a_panel_that_is_not_declared_is_not_kept(tmp_path):
    asked = run("reconstruct", TOWNS, "--keep", "-o", tmp_path)
    assert isinstance(asked.exception, InputError)
    assert "declares none" in str(asked.exception)
    assert "--panel" not in str(asked.exception)  # which this command does not have


@pytest.mark.parametrize("option", [("--panel", "x.csv"), ("--rows", "x.csv"), ("--skip", "1")])
def test_options_of_one_panel_are_refused_with_an_ensemble(folder, option):
    asked = run("synergy", TOWNS, "--ensemble", folder, *option)
    assert isinstance(asked.exception, InputError)
    assert f"{option[0]} is about one panel" in str(asked.exception)


def test_posteriors_of_the_members_are_combined(folder, monkeypatch):
    means = iter([0.0, 2.0])

    def stand_in(_study, panel, **_options):
        assert panel.synthetic
        mean = next(means)
        says = ModelSays(mean, 1.0, Interval(mean - 1, mean + 1, 0.89), 0.5 - mean / 5, "")
        contrast = SimpleNamespace(label="both laws", models={HEADLINE: says})
        return {"both - none": contrast, RATIO: contrast}

    def others(_study, _panel, **_options):
        says = ModelSays(1.0, 1.0, Interval(0.0, 2.0, 0.89), 0.5, "")
        return {"both - none": {IID: says}}

    monkeypatch.setattr(combine, "synergy", stand_in)
    monkeypatch.setattr(combine, "other_models", others)
    monkeypatch.setattr("bayesdid.inference.executor.cores", lambda: 1)
    asked = run("synergy", TOWNS, "--ensemble", folder, "--json")
    document = json.loads(asked.stdout)
    assert document["synthetic"].startswith("reconstructed by bayesdid")
    assert "2 members" in document["synthetic"]  # not the first one's stamp
    assert set(document["contrasts"]) == {"both - none"}  # a ratio's posterior has no variance
    found = document["contrasts"]["both - none"]["models"][HEADLINE]
    assert found["mean"] == pytest.approx(1.0)
    assert found["share_sampling"] == pytest.approx(0.25)
    assert found["p_range"] == pytest.approx([0.1, 0.5])
    assert document["sentences"][0].startswith("both laws (")
    assert "75% is what the tables do not say, over 2 synthetic panels" in document["sentences"][0]
    (choice,) = document["contrasts"]["both - none"]["choices"]
    assert choice["name"] == "errors"
    assert [choice["low"], choice["high"]] == pytest.approx([-1.0, 1.0])
    assert document["sentences"][1].startswith("both laws, errors: of the uncertainty under pooled")


def test_a_member_whose_fit_is_no_result_is_left_out_by_name(folder, monkeypatch):
    asked = []

    def stand_in(_study, _panel, **_options):
        asked.append(1)
        if len(asked) % 3 == 2:
            raise ResultError("R-hat 1.5")
        says = ModelSays(len(asked), 1.0, Interval(0.0, 2.0, 0.89), 0.5, "")
        return {"both - none": SimpleNamespace(label="both laws", models={HEADLINE: says})}

    monkeypatch.setattr(combine, "synergy", stand_in)
    monkeypatch.setattr(combine, "other_models", lambda *_, **__: {})
    study = load_study(Path(TOWNS))
    three = [*combine.read_members(study, folder), combine.read_members(study, folder)[0]]
    monkeypatch.setattr(combine, "read_members", lambda *_: three)
    found = combine.ensemble_synergy(study, folder)
    assert (found.size, found.left_out) == (2, {"member 1": "R-hat 1.5"})
    assert found.contrasts["both - none"].models[HEADLINE].members == (1.0, 3.0)
    monkeypatch.setattr(combine, "read_members", lambda *_: three[:2])
    with pytest.raises(ResultError, match=r"fits of 1 of 2 members converged.*R-hat 1\.5"):
        combine.ensemble_synergy(study, folder)
