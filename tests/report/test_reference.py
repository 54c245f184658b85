"""The report's section on reference panels: figure, table, sentences, and when it is left out."""

import dataclasses
import json
import shutil

import pytest
from drawn import draw_nothing

from bayesdid.digest import file_digest
from bayesdid.exceptions import InputError
from bayesdid.families.registry.load import load_study
from bayesdid.jsonio import write_sealed
from bayesdid.panel.read import read_panel
from bayesdid.panel.write import write_panel
from bayesdid.report.document.blocks import Figure, Items, Table
from bayesdid.report.figures import STAMP
from bayesdid.report.pages import documents
from bayesdid.report.reference_results import reference_section
from bayesdid.report.sections.available import APPENDIX
from bayesdid.report.sections.reference import reference, see_rows

MODEL = {"members": [-0.2, 0.4], "p_range": [0.1, 0.9], "share_open": 0.6}
FACTS = {
    "size": 2,
    "seed": 1,
    "reading": "mended",
    "met": 9,
    "held": 9,
    "close": [0.01, 0.06],
    "panel": ["reference_panel.parquet", "a" * 64],
    "made_by": ["b" * 64, "c" * 64],
    "conflicts": ["t.1 and t.2 fail"],
    "left_out": {"t.9": "it is spatial"},
    "columns": [
        {
            "spec": "t.1",
            "term": "both",
            "printed": -0.5,
            "se": 0.1,
            "ols": [-0.5004, -0.4996],
            "posterior": [-0.1, 0.1],
        },
        {
            "spec": "t.2",
            "term": "both",
            "printed": -0.3,
            "se": 0.1,
            "ols": [-0.3, -0.3],
            "posterior": [-0.35, -0.3],
        },
        {
            "spec": "t.3",
            "term": "both",
            "printed": -5.1,
            "se": 0.9,
            "ols": [-5.1, -5.1],
            "posterior": [],
        },
    ],
    "unsaid": [
        {
            "spec": "t.1",
            "name": "clustered standard error",
            "low": 0.1,
            "median": 0.15,
            "high": 0.2,
            "determined": False,
        },
        {
            "spec": "t.1",
            "name": "estimate with random effects",
            "low": 0.1,
            "median": 0.1,
            "high": 0.1,
            "determined": True,
        },
    ],
    "synergy": {
        "contrasts": {
            "both - sum of singles": {
                "label": "Both",
                "models": {"a": MODEL, "b": {**MODEL, "share_open": 0.05}},
            }
        },
        "sentences": ["Both (a): 0.1", "Both, errors: of the uncertainty", "Only − none (a): 0.2"],
    },
}
EFFECT = {
    "spec": "t.1",
    "term": "both",
    "converged": True,
    "summary": {"mean": -0.1, "low": -0.2, "high": 0.0},
}
RESULTS = {"reference": FACTS, "effects": [EFFECT], "level": 0.89, "synthetic": "made up"}


def test_the_section_stands_in_the_body_and_is_stamped_there(root, monkeypatch):
    """What describes the stand-in is in the appendix of the supplement; the answer has neither."""
    draw_nothing(monkeypatch)
    stored = json.loads((root / "reports" / "example" / "results.json").read_text(encoding="utf-8"))
    found = stored | {"reference": FACTS, "synthetic": "made up", "alerts": []}
    main, more = documents(found)
    keys = [section.key for section in main.sections]
    assert 0 < keys.index("reference") < keys.index("audit")
    assert "design" not in keys
    assert "synergy" not in keys
    assert [section.key for section in main.sections if section.stamped] == ["reference"]
    assert {"s-reference", APPENDIX} <= {s.key for s in more.sections if s.stamped}


def test_its_figure_says_that_it_is_of_a_synthetic_panel():
    part = reference(RESULTS)
    assert part.stamped
    assert not part.of_panel  # which would move it into the appendix
    assert "the one of them that is nearest to what the study prints" in part.main[0].text
    (figure,) = (block for block in part.main if isinstance(block, Figure))
    assert figure.stamped
    assert STAMP in figure.svg
    assert "t.2: both" in figure.svg
    assert "t.3" not in figure.svg  # an instrument's effect would set the scale of all others


def test_the_table_says_what_is_determined():
    titles = {"t.1": "Table 1 (2): Laws"}
    main = reference(RESULTS | {"titles": titles}).main
    (table,) = (block for block in main if isinstance(block, Table))
    said = {row[0]: row[2] for row in table.rows}
    assert said["clustered standard error (Table 1 (2))"] == "not determined"
    assert said["estimate with random effects (Table 1 (2))"] == "determined"
    assert said["Both: a"] == "not determined"  # 60 % of the variance lies between panels
    assert said["Both: b"] == "determined"  # 5 % does
    assert "9 of 9 within rounding on all panels" in table.rows[0][1]


def test_only_the_main_contrast_is_told_in_sentences():
    (items, _) = (
        b
        for part in (reference(RESULTS),)
        for b in (*part.main, *part.more)
        if isinstance(b, Items)
    )
    assert items.items == ("Both (a): 0.1.", "Both, errors: of the uncertainty.")


def test_the_caption_counts_posteriors_far_from_print():
    rows = [{**row} for row in FACTS["columns"]]
    said = see_rows(rows)
    assert said.startswith(f"Fitted as printed, every panel gives all {len(rows)} effects; ")
    assert said.endswith("printed standard error away in 1 of 2.")
    rows[1]["posterior"] = [-0.1, -0.15]
    assert "printed standard error away in 2 of 2" in see_rows(rows)


@pytest.fixture
def study(root, tmp_path):
    shutil.copytree(root / "tests" / "reconstruct" / "towns", tmp_path / "towns")
    study = load_study(tmp_path / "towns")
    from bayesdid.reconstruct.skeleton import drawn_skeleton

    frame = drawn_skeleton(study, 1).assign(deaths=1.0, income=2.0)
    frame.to_parquet(study.path / "reference_panel.parquet")
    return study


def test_a_reference_is_read_with_its_own_panel_alone(study, tmp_path):
    own = study.path / "reference_panel.parquet"
    panel = read_panel(own, study)
    assert reference_section(study, panel) is None  # there is none
    facts = {**FACTS, "panel": [own.name, file_digest(own)]}
    write_sealed(study.path / "reference.json", facts)
    assert reference_section(study, panel)["met"] == 9
    assert reference_section(study, dataclasses.replace(panel, synthetic=None)) is None
    write_panel(panel, study, tmp_path / "other.csv")
    assert reference_section(study, read_panel(tmp_path / "other.csv", study)) is None
    write_sealed(study.path / "reference.json", FACTS)
    with pytest.raises(InputError, match="not the one its reference was made with"):
        reference_section(study, panel)
    (study.path / "reference.json").write_text("{}")
    with pytest.raises(InputError, match="is damaged"):
        reference_section(study, panel)
