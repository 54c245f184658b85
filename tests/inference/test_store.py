"""Stored fits: reused when nothing changed, made again when anything did, never half-written."""

import dataclasses

import numpy as np
import pytest
from panels import make_design

from bayesdid.exceptions import InputError
from bayesdid.inference.store import FitRequest, fit_or_reuse, read_fit, save_fit


@pytest.fixture
def request_():
    return FitRequest(make_design(1, N=12, T=5, unit="random"), "random", draws=100)


def test_second_run_reuses(request_, tmp_path):
    first, second = fit_or_reuse(request_, tmp_path), fit_or_reuse(request_, tmp_path)
    assert (first.reused, second.reused) == (False, True)
    a, b = first.load()["posterior"], second.load()["posterior"]
    assert np.array_equal(a["tau"], b["tau"])
    assert first.load().attrs["converged"] == 1


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"draws": 101},
        {"priors": "sceptical"},
        {"engine": "exact"},
        {"keep_effects": False},
    ],
)
def test_any_setting_changes_the_key(request_, change):
    assert dataclasses.replace(request_, **change).key != request_.key


def test_any_number_changes_the_key(request_):
    y = request_.design.y.copy()
    y[0] += 1e-12
    moved = dataclasses.replace(request_, design=dataclasses.replace(request_.design, y=y))
    assert moved.key != request_.key


def test_a_damaged_file_is_made_again(request_, tmp_path):
    path = fit_or_reuse(request_, tmp_path).path
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(InputError, match="cannot be read"):
        read_fit(path)
    again = fit_or_reuse(request_, tmp_path)
    assert not again.reused
    assert "tau" in again.load()["posterior"]


def test_a_failed_write_leaves_nothing(request_, tmp_path, monkeypatch):
    stored = fit_or_reuse(request_, tmp_path / "a")
    tree = stored.load()
    tree.attrs["broken"] = object()  # NetCDF cannot hold it
    with pytest.raises(TypeError):
        save_fit(tree, tmp_path / "b" / "fit.nc")
    assert list((tmp_path / "b").iterdir()) == []


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
