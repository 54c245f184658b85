"""Files, manifest, stamp and sentences of an ensemble, and posteriors over it."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from pyarrow.parquet import read_schema

from bayesdid.digest import file_digest
from bayesdid.estimands.beside import ModelSays
from bayesdid.exceptions import InputError
from bayesdid.families.registry.load import load_study
from bayesdid.jsonio import plain
from bayesdid.panel.read import read_panel
from bayesdid.reconstruct.combine import CombinedContrast, EnsembleSynergy, combined, read_members
from bayesdid.reconstruct.ensemble import reconstruct
from bayesdid.reconstruct.reference import nearest
from bayesdid.reconstruct.words import sentences
from bayesdid.summary import Interval

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def study():
    return load_study(HERE / "towns")


@pytest.fixture(scope="module")
def made(study, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ensemble")
    return folder, reconstruct(study, folder, members=2, seed=4, hold_out=("table2.3",))


def test_the_same_seed_gives_the_same_bytes(study, made, tmp_path):
    folder, found = made
    reconstruct(study, tmp_path, members=1, seed=4, hold_out=("table2.3",))
    first = found.members[0]
    assert (tmp_path / first.file).read_bytes() == (folder / first.file).read_bytes()
    assert file_digest(folder / first.file) == first.sha256


def test_the_stamp_is_in_file_manifest_and_panel(study, made):
    folder, found = made
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["synthetic"] == found.synthetic
    assert "synthetic, not the study's data" in found.synthetic
    for member in found.members:
        panel = read_panel(folder / member.file, study)
        assert panel.synthetic is not None
        assert "held out table2.3" in panel.synthetic
        other_readers = read_schema(folder / member.file).metadata
        assert other_readers[b"synthetic"].decode() == panel.synthetic


def test_the_manifest_says_what_was_met_and_what_was_held_out(made):
    _, found = made
    cells = {cell.cell: cell for cell in found.cells}
    assert cells["table2.1:both"].held
    assert cells["table2.1:both"].within == 2
    assert not cells["table2.3:active:roads"].held
    assert all(member.relaxed == () for member in found.members)
    words = sentences(found)
    assert words[0].startswith("10 of 10 printed estimates and moments are met within rounding")
    assert any(text.startswith("held out:") and "of 2 printed" in text for text in words)


def test_the_member_that_ships_meets_most_and_then_has_the_nearest_errors(made):
    first, second = made[1].members

    def off(member, value):
        kept = tuple(
            dataclasses.replace(c, misses=value) if c.kind == "se" else c for c in member.checks
        )
        return dataclasses.replace(member, checks=kept)

    assert nearest((off(first, 2.0), off(second, 1.0))).index == second.index
    assert nearest((off(first, 1.0), off(second, 2.0))).index == first.index
    lost = dataclasses.replace(off(second, 0.0), relaxed=first.checks[:1])
    assert nearest((off(first, 2.0), lost)).index == first.index


def test_a_relaxed_cell_is_said(made):
    _, found = made
    first = found.members[0]
    checks = tuple(
        dataclasses.replace(c, value=-0.5, misses=99.0) if c.cell == "table2.1:both" else c
        for c in first.checks
    )
    other = dataclasses.replace(
        found, members=(dataclasses.replace(first, checks=checks), *found.members[1:])
    )
    words = sentences(other)
    assert words[0].startswith("9 of 10")
    assert any(t.startswith("relaxed in 1 of 2: table2.1:both printed -0.412") for t in words)


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"hold_out": ("table9",)}, "no such table or column"),
        ({"reading": "guessed"}, "no such reading"),
        ({"hold_out": ("table2",)}, "every column that a panel could be held to is held out"),
    ],
)
def test_what_cannot_be_asked_for(study, tmp_path, asked, problem):
    with pytest.raises(InputError, match=problem):
        reconstruct(study, tmp_path / "never", **asked)
    assert not (tmp_path / "never").exists()


PUBLISHED = Path(__file__).parents[2] / "models"


def test_a_study_never_seen_before_is_reconstructed(tmp_path):
    found = reconstruct(load_study(PUBLISHED / "medicaid_expansions"), tmp_path, members=2, seed=1)
    words = sentences(found)
    assert words[0] == (
        "2 of 2 printed estimates and moments are met within rounding by all 2 members"
    )
    assert "not held to simple.all: a column of the family 'other' is not least squares" in words


def test_a_study_without_least_squares_is_refused_with_the_reasons(tmp_path):
    study = load_study(PUBLISHED / "minimum_wage_counties")
    with pytest.raises(InputError, match=r"att\.dynamic: a column of the family 'other' is not"):
        reconstruct(study, tmp_path / "never")
    assert not (tmp_path / "never").exists()


def test_members_are_read_only_as_they_were_written(study, made, tmp_path):
    folder, found = made
    assert [p.synthetic for p in read_members(study, folder)]
    with pytest.raises(InputError, match=r"holds no manifest\.json"):
        read_members(study, tmp_path)
    for name in ("manifest.json", *(m.file for m in found.members)):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / found.members[1].file).write_bytes(b"PAR1")
    with pytest.raises(InputError, match="missing or not as it was written"):
        read_members(study, tmp_path)


def says(mean, sd, p):
    return ModelSays(mean, sd, Interval(mean - sd, mean + sd, 0.89), p, "")


def test_rubins_rules():
    found = combined([says(0.0, 1.0, 0.5), says(2.0, 1.0, 0.1), says(4.0, 1.0, 0.0)])
    assert found.mean == pytest.approx(2.0)
    assert found.between**2 == pytest.approx(4.0)  # variance of 0, 2, 4
    assert found.sd**2 == pytest.approx(1.0 + (1 + 1 / 3) * 4.0)
    assert found.share_sampling == pytest.approx(1.0 / (1.0 + 16 / 3))
    assert found.share_sampling + found.share_open == pytest.approx(1.0)
    assert found.p_claim == pytest.approx(0.2)
    assert found.p_range == (0.0, 0.5)
    with pytest.raises(InputError, match="there is one"):
        combined([says(0.0, 1.0, 0.5)])


def test_the_sentence_says_which_share_is_which():
    one = combined([says(0.0, 1.0, 0.5), says(2.0, 1.0, 0.1)])
    contrast = CombinedContrast("synergy", "synergy", {"pooled paths": one}, ())
    found = EnsembleSynergy(
        "towns", "synthetic", 2, {"synergy": contrast}, {"member 1": "R-hat 1.5"}
    )
    assert np.isclose(one.share_sampling, 0.25)
    assert (
        "25% is what one panel leaves and 75% is what the tables do not say" in (found.sentences[0])
    )
    assert found.sentences[1] == (
        "1 of 3 members are not among these panels, for their fits are no results: "
        "member 1: R-hat 1.5"
    )
    assert len(dataclasses.replace(found, left_out={}).sentences) == 1
    assert plain(found)["synthetic"] == "synthetic"
