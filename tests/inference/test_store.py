"""Stored results: reused when nothing changed, made again when anything did or a bit is wrong."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr
from panels import make_design, request_for
from stored import flip, places, request_of, ring, shapes, write_study

from bayesdid import files
from bayesdid.checks.store import check_or_reuse
from bayesdid.exceptions import InputError, Note
from bayesdid.families.store import analyse_or_reuse, analysis_path
from bayesdid.files import replacing, seal_of, sweep
from bayesdid.inference import store
from bayesdid.inference.registry import Size
from bayesdid.inference.store import fit_all, fit_or_reuse, read_fit, save_fit
from bayesdid.jsonio import read_sealed, write_sealed
from bayesdid.model.errors import Errors
from bayesdid.model.model import Model
from bayesdid.model.priors import PriorChoice
from bayesdid.study.files import named_files


@pytest.fixture
def request_():
    return request_for(make_design(1, N=12, T=5, unit="random"), draws=100)


@pytest.fixture(scope="module")
def spatial(tmp_path_factory):
    """A stored spatial analysis: its request, and its folder."""
    folder = tmp_path_factory.mktemp("spatial")
    request = request_of(write_study(folder / "study"), "file")
    assert not analyse_or_reuse(request, folder / "fits").reused
    return request, folder / "fits"


def test_second_run_reuses(request_, tmp_path):
    first, second = fit_or_reuse(request_, tmp_path), fit_or_reuse(request_, tmp_path)
    assert (first.reused, second.reused) == (False, True)
    a, b = first.load()["posterior"], second.load()["posterior"]
    assert np.array_equal(a["tau"], b["tau"])
    assert first.load().attrs["converged"] == 1
    assert first.notes == second.notes == ()


@pytest.mark.parametrize(
    "change",
    [
        {"size": Size(draws=100, seed=1)},
        {"size": Size(draws=101)},
        {"model": Model(errors=Errors("ar1"))},
        {"model": Model(priors=PriorChoice("sceptical"))},
        {"engine": "exact"},
        {"keep_effects": False},
    ],
)
def test_any_setting_changes_the_key(request_, change):
    assert dataclasses.replace(request_, **change).key != request_.key


def test_any_number_or_name_of_a_design_changes_the_key(request_):
    design = request_.design
    y = design.y.copy()
    y[0] += 1e-12
    changes = {
        "y": y,
        "units": design.units[::-1],
        "periods": design.periods + 1,
        "unit_dim": "town",
        "synthetic": "another stamp",
        "notes": (Note("missing", 1, "one row"),),
    }
    keys = {
        dataclasses.replace(request_, design=dataclasses.replace(design, **{name: value})).key
        for name, value in changes.items()
    }
    assert len(keys | {request_.key}) == len(changes) + 1


def test_what_people_call_a_fit_is_no_part_of_its_key(request_):
    assert dataclasses.replace(request_, label="other").key == request_.key


@pytest.mark.parametrize("module", ["inference/gate.py", "model/priors.py", "study/terms.py"])
def test_a_changed_line_of_the_source_changes_the_key(tmp_path, root, module):
    """In a copy of the package, as an installed wheel is one; the unchanged copy agrees."""
    code = "from bayesdid.digest import code_digest; print(code_digest())"

    def key_in(source):
        run = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONPATH": str(source)},
            capture_output=True,
            text=True,
            check=True,
        )
        return run.stdout

    copy = tmp_path / "site-packages"
    shutil.copytree(
        root / "src" / "bayesdid", copy / "bayesdid", ignore=shutil.ignore_patterns("__pycache__")
    )
    assert key_in(copy) == key_in(root / "src")
    changed = copy / "bayesdid" / module
    changed.write_text(changed.read_text(encoding="utf-8") + "\n# a line\n", encoding="utf-8")
    assert key_in(copy) != key_in(root / "src")


def test_the_environment_is_part_of_every_key(request_, spatial, monkeypatch, tmp_path):
    analysis, folder = spatial
    before = request_.key, analysis_path(analysis, folder)
    monkeypatch.setattr(store, "environment_digest", lambda: "another version of numpy")
    monkeypatch.setattr("bayesdid.families.store.environment_digest", lambda: "another")
    assert request_.key != before[0]
    assert analysis_path(analysis, folder) != before[1]


def test_a_changed_weights_file_changes_the_answer(spatial, tmp_path):
    """Not yesterday's: the name of the file is the same, what it holds is not."""
    study = write_study(tmp_path / "study")
    request, folder = request_of(study, "file"), spatial[1]
    before = analyse_or_reuse(request, folder)
    assert before.reused  # the same study in another folder
    (tmp_path / "study" / "w.csv").write_text(ring(3))
    after = analyse_or_reuse(request, folder)
    assert not after.reused
    assert after.content["tables"] != before.content["tables"]


def test_every_named_file_is_part_of_the_key(tmp_path, monkeypatch):
    folder = tmp_path / "study"
    study = write_study(folder)
    for name, change in (
        ("near", lambda: (folder / "places.csv").write_text(places(1))),
        ("touch", lambda: shapes(folder, columns=6)),
        ("file", lambda: (folder / "w.csv").unlink()),
    ):
        request = request_of(study, name)
        before = analysis_path(request, tmp_path)
        assert analysis_path(request, tmp_path) == before
        change()
        assert analysis_path(request, tmp_path) != before, name


def test_a_shapefile_comes_with_its_companions(tmp_path):
    study = write_study(tmp_path)
    found = {path.name for path in named_files(study).values()}
    assert {"w.csv", "places.csv", "shapes.shp", "shapes.dbf", "shapes.shx"} <= found


def test_files_that_a_spec_names_itself(tmp_path, monkeypatch):
    study = write_study(tmp_path / "study")
    monkeypatch.chdir(tmp_path)
    own = tmp_path / "own.csv"
    own.write_text(ring(2))
    spec = study["t.file"]
    for change in ({"weights": "own.csv"}, {"options": {"compare": ["own.csv"]}}):
        changed = dataclasses.replace(spec, column=spec.column.model_copy(update=change))
        named = dataclasses.replace(study, specs={"t.file": changed})
        assert own.name in named_files(named)
        before = analysis_path(request_of(named, "file"), tmp_path)
        own.write_text(own.read_text() + "0,5,2\n")
        assert analysis_path(request_of(named, "file"), tmp_path) != before


def test_one_flipped_bit_of_a_fit_is_noticed_and_the_fit_made_again(request_, tmp_path):
    """A hundred bits all over the file: in data, in names, in the digest itself."""
    stored = fit_or_reuse(request_, tmp_path)
    tau = stored.load()["posterior"]["tau"].to_numpy()
    path = stored.path
    size = path.stat().st_size * 8
    whole = path.read_bytes()
    data = 8 * whole.index(tau[0, :8].tobytes())  # where the draws stand
    chosen = [*range(data, data + 64), *np.linspace(0, size - 1, 36).astype(int)]
    for bit in chosen:
        flip(path, bit)
        assert seal_of(path) is None, bit
        path.write_bytes(whole)
    assert seal_of(path) is not None
    flip(path, data + 62)  # in an exponent
    with pytest.raises(InputError, match="cannot be read"):
        read_fit(path)
    again = fit_or_reuse(request_, tmp_path)
    assert not again.reused
    assert [note.name for note in again.notes] == ["damaged_file"]
    assert path.name in again.notes[0].text
    assert np.array_equal(again.load()["posterior"]["tau"], tau)
    assert fit_or_reuse(request_, tmp_path).reused


@pytest.mark.parametrize("keep", [0, 10, 500, -1, -40, -74])
def test_a_cut_file_is_made_again(request_, tmp_path, keep):
    path = fit_or_reuse(request_, tmp_path).path
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match="cannot be read"):
        read_fit(path)
    again = fit_or_reuse(request_, tmp_path)
    assert not again.reused
    assert again.notes
    assert "tau" in again.load()["posterior"]


def test_any_reader_of_netcdf_opens_a_sealed_file(request_, tmp_path):
    path = fit_or_reuse(request_, tmp_path).path
    with xr.open_datatree(path, engine="netcdf4") as tree:
        assert "tau" in tree["posterior"]


def test_one_flipped_bit_of_a_document_is_noticed(tmp_path):
    path = tmp_path / "document.json"
    content = write_sealed(path, {"a": [1.5, float("nan")], "é": "ß"})
    assert content == {"a": [1.5, None], "é": "ß"} == read_sealed(path)
    assert json.loads(path.read_text("utf-8"))["content"] == content  # plain JSON for others
    for bit in range(8 * path.stat().st_size):
        flip(path, bit)
        with pytest.raises(ValueError, match=r"damaged|decode"):
            read_sealed(path)
        flip(path, bit)
    assert read_sealed(path) == content


@pytest.mark.parametrize("suffix", [".json", ".nc"])
def test_a_damaged_analysis_is_made_again_with_a_note(spatial, suffix):
    request, folder = spatial
    before = analyse_or_reuse(request, folder)
    path = analysis_path(request, folder).with_suffix(suffix)
    flip(path, 4 * path.stat().st_size)
    again = analyse_or_reuse(request, folder)
    assert not again.reused
    assert [note.name for note in again.notes] == ["damaged_file"]
    assert path.name in again.notes[0].text
    assert again.content == before.content
    assert analyse_or_reuse(request, folder).reused
    if suffix == ".nc":
        path.unlink()
        assert not analyse_or_reuse(request, folder).reused


def test_damaged_checks_are_made_again_with_a_note(request_, tmp_path):
    import pandas as pd

    stored = fit_or_reuse(request_, tmp_path)
    arms = pd.Series("none", index=request_.design.units)
    first = check_or_reuse(stored, arms, None, {})
    second = check_or_reuse(stored, arms, None, {})
    assert (first.reused, second.reused) == (False, True)
    assert first.results == second.results
    assert not check_or_reuse(stored, arms, 0.0, {}).reused  # another minimum
    assert not check_or_reuse(stored, arms, None, {"0": "Zero"}).reused
    for path in tmp_path.glob("*-checks-*.json"):
        flip(path, 2000)
    again = check_or_reuse(stored, arms, None, {})
    assert not again.reused
    assert [note.name for note in again.notes] == ["damaged_file"]
    assert again.results == first.results


def test_a_failed_write_leaves_nothing(request_, tmp_path):
    stored = fit_or_reuse(request_, tmp_path / "a")
    tree = stored.load()
    tree.attrs["broken"] = object()  # NetCDF cannot hold it
    with pytest.raises(TypeError):
        save_fit(tree, tmp_path / "b" / "fit.nc")
    assert list((tmp_path / "b").iterdir()) == []


def test_unfinished_files_are_swept(tmp_path, request_):
    """Those of a dead process, and those older than an hour; not one that is being written."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    with replacing(tmp_path / "fit.nc") as alive:
        alive.write_bytes(b"half")
        orphan = tmp_path / alive.name.replace(f".{os.getpid()}.", f".{dead.pid}.")
        elsewhere = tmp_path / alive.name.replace(files._host(), "0" * 8)
        unknown = tmp_path / ".tmpabc.part"
        for path in (orphan, elsewhere, unknown):
            path.write_bytes(b"half")
        assert sweep(tmp_path) == [orphan]
        old = elsewhere.stat().st_mtime - 3700
        os.utime(unknown, (old, old))
        fit_all([request_], tmp_path)  # sweeps before it begins
        assert not unknown.exists()
        assert elsewhere.exists()
        assert alive.exists()
        assert set(sweep(tmp_path, now=elsewhere.stat().st_mtime + 3601)) == {alive, elsewhere}
        alive.write_bytes(b"whole")
    assert (tmp_path / "fit.nc").read_bytes() == b"whole"
    assert not list(tmp_path.glob(".*"))


def test_effects_can_be_left_out(request_, tmp_path):
    small = fit_or_reuse(dataclasses.replace(request_, keep_effects=False), tmp_path)
    assert "city_effect" not in small.load()["posterior"]
    full = fit_or_reuse(request_, tmp_path)
    assert "city_effect" in full.load()["posterior"]
    assert "city_effect" not in full.load(effects=False)["posterior"]


def test_provenance(request_, tmp_path):
    attrs = fit_or_reuse(request_, tmp_path).load().attrs
    assert {
        "study",
        "spec",
        "panel_sha256",
        "synthetic",
        "versions",
        "seed",
        "priors",
        "engine",
        "gate",
        "converged",
    } <= set(attrs)
