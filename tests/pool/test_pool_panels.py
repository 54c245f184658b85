"""A study's own panel gives what ``synergy`` says of it; a synthetic one gives nothing."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import bayesdid

import bayesdid as bd
from bayesdid.exceptions import InputError, ResultError
from bayesdid.pool import panels, taking
from bayesdid.pool.effects import study_effects
from bayesdid.pool.panels import OwnPanel, own_panel
from bayesdid.study.load import assemble_study, read_study

MODELS = Path(__file__).parents[2] / "models"
LAW = "only:law - none"


def folder(
    path: Path, name: str, *, differ: float = 0.0, units: int = 18, printed: str = ""
) -> Path:
    """A study of a real-looking panel: one law, effects of sd `differ` between units."""
    rng = np.random.default_rng(5)
    at = path / name
    at.mkdir()
    frame = pd.MultiIndex.from_product([range(units), range(6)], names=["u", "t"]).to_frame(False)
    start = np.where(np.arange(units) % 2, 3, 99)[frame["u"]]
    frame["law"] = (frame["t"] >= start).astype(int)
    own = -0.5 + differ * rng.normal(size=units)
    frame["y"] = own[frame["u"]] * frame["law"] + rng.normal(0, 0.3, len(frame))
    frame.to_csv(at / "panel.csv", index=False)
    (at / "study.toml").write_text(
        f"""schema_version = 1
[study]
id = "{name}"
title = "t"
citation = "c"
[outcome]
column = "y"
label = "y"
unit = "deaths"
better = "lower"
[panel]
unit = "u"
period = "t"
path = "panel.csv"
[[policy]]
id = "law"
label = "Law"
indicator = "law"
""",
        encoding="utf-8",
    )
    (at / "t1.toml").write_text(
        f"""id = "t1"
title = "t"
kind = "regression"
[[column]]
id = "1"
outcome = "y"
treatments = ["active:law"]
{printed}
""",
        encoding="utf-8",
    )
    return at


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two studies; effects of the second differ between units. Both print 3.0 (0.1)."""
    path = tmp_path_factory.mktemp("pool")
    cell = '[column.coefficients]\n"active:law" = { estimate = "3.0", se = "0.1" }'
    alike = folder(path, "alike", printed=cell)
    return [read_study(at) for at in (alike, folder(path, "differ", differ=2.0, printed=cell))]


def test_a_panel_gives_what_synergy_says_and_not_what_is_printed(made):
    found = study_effects(made, {}, draws=100)
    assert [(e.effect, e.source) for e in found.effects] == [(LAW, "panel")] * 2
    assert [e.independent for e in found.effects] == [False, False]  # calibrated: not inflated
    for study, effect in zip(made, found.effects, strict=True):
        says = bd.synergy(study, bd.load_panel(study), draws=100)[LAW]
        assert (effect.estimate, effect.se) == (says.answering.mean, says.answering.sd)
        # of the second, effects differ: it is not the headline that answers
        assert (effect.se > says.sd) == (study.id == "differ")
    scaled = study_effects(made[:1], {}, None, "sd", draws=100).effects[0]
    y = bd.load_panel(made[0]).frame["y"]
    assert scaled.estimate == found.effects[0].estimate / y.std(ddof=1)
    assert scaled.se == found.effects[0].se / y.std(ddof=1)


def test_print_is_taken_where_it_is_asked_for_or_a_cell_is_named(made):
    cell = {"differ": "t1.1:active:law"}
    for found in (study_effects(made[1:], cell), study_effects(made[1:], {}, source="printed")):
        (one,) = found.effects
        assert (one.estimate, one.se, one.source) == (3.0, 0.1, "printed cell")
    divided = study_effects(made[1:], cell, None, "sd").effects[0]  # no table prints the sd
    assert divided.estimate == 3.0 / bd.load_panel(made[1]).frame["y"].std(ddof=1)


def test_a_synthetic_panel_is_never_pooled(made, monkeypatch):
    """The shipped reference panel, a simulation: the printed effect is pooled, and it is said."""
    study = read_study(MODELS / "dual_pilot")
    simulated = study.file.model_copy(
        update={"panel": study.file.panel.model_copy(update={"path": None})}
    )
    assert own_panel(study) == own_panel(_with(study, simulated)) == OwnPanel(None, synthetic=True)
    stamped = dataclasses.replace(bd.load_panel(made[0]), synthetic="made up")
    monkeypatch.setattr(panels, "load_panel", lambda _: stamped)
    found = study_effects(made[:1], {})
    assert [(one.source, one.estimate) for one in found.effects] == [("printed cell", 3.0)]
    assert [note.text for note in found.notes if note.name == "synthetic"] == [
        "alike gives its printed effect: its panel is synthetic, which is no evidence"
    ]
    with pytest.raises(InputError, match="its panel is synthetic, which is no evidence"):
        study_effects(made[:1], {}, source="panel")
    with pytest.raises(InputError, match="no table prints the sd of y"):
        study_effects(made[:1], {}, None, "sd")  # the sd of made-up outcomes is none
    with pytest.raises(InputError, match="it has no panel of its own"):
        study_effects([read_study(MODELS / "medicaid_expansions")], {}, source="panel")


def _with(study, file):
    return assemble_study(study.path, file, dict(study.tables), study.claims)


def test_what_no_panel_tells_is_left_out_and_named(made, monkeypatch):
    with pytest.raises(InputError, match=r"no such contrast \(policies: law\)"):
        study_effects(made[:1], {}, "synergy")

    def fails(study, *_args, **_more):
        if study.id == "differ":
            raise ResultError(f"{study.id}: R-hat 1.2: no result")
        return real(study, *_args, **_more)

    real = taking.panel_effect
    monkeypatch.setattr(taking, "panel_effect", fails)
    found = study_effects(made, {}, draws=100)
    assert found.left_out == {"differ": "differ: R-hat 1.2: no result"}
    assert [one.study for one in found.effects] == ["alike"]


@pytest.mark.parametrize(("limit", "said"), [(9, True), (8, False)])
def test_effects_that_few_units_tell_are_named(made, monkeypatch, limit, said):
    monkeypatch.setattr(panels, "FEW_UNDER", limit)  # 9 units are treated
    notes = {note.name: note.text for note in study_effects(made[:1], {}, draws=100).notes}
    assert ("few-units" in notes) == said
    assert not said or notes["few-units"].startswith(f"alike: few units tell {LAW} (9)")


def test_the_command_pools_folders_without_a_word(made):
    ran = bayesdid("pool", *(study.path for study in made), "--draws", "100")
    assert ran.code == 0, ran.err
    assert "note: the effect of each study's first policy alone is pooled" in ran.err
    assert "0 of 2 studies have several policies (--contrast synergy pools" in ran.err
    assert "The effect of each study's first policy alone, in deaths" in ran.out
    assert ran.out.count("panel ") == 2
    printed = bayesdid("pool", *(s.path for s in made), "--source", "printed", "--json")
    said = json.loads(printed.out)
    assert [one["source"] for one in said["effects"]] == ["printed cell"] * 2
    assert said["asked"] == "the effect of each study's first policy alone"
