"""One panel in five formats; twenty-eight bad files, one clear error each."""

import numpy as np
import pandas as pd
import pytest

from bayesdid.exceptions import InputError
from bayesdid.families.registry.load import load_study
from bayesdid.panel.read import read_panel
from bayesdid.panel.simulate import simulate_frame, simulate_panel
from bayesdid.panel.validate import validate_panel
from bayesdid.panel.write import write_panel


@pytest.fixture(scope="module")
def small(studies):
    return load_study(studies / "small")


@pytest.fixture
def frame(small):
    return simulate_frame(small).drop(columns="synthetic")


def write(frame, path):
    match path.suffix:
        case ".csv":
            frame.to_csv(path, index=False)
        case ".tsv":
            frame.to_csv(path, index=False, sep="\t")
        case ".parquet":
            frame.to_parquet(path)
        case ".dta":
            frame.to_stata(path, write_index=False)
        case ".xlsx":
            frame.to_excel(path, index=False)
    return path


def test_five_formats_one_panel(small, frame, tmp_path):
    frame = frame.round({"y": 6, "x": 6})  # a workbook keeps fifteen digits
    hashes = set()
    for k, suffix in enumerate((".csv", ".tsv", ".parquet", ".dta", ".xlsx")):
        shuffled = frame.sample(frac=1.0, random_state=k)
        path = write(shuffled, tmp_path / f"panel{suffix}")
        hashes.add(read_panel(path, small).sha256)
    assert len(hashes) == 1


def test_any_changed_value_changes_the_hash(small, frame):
    before = validate_panel(frame, small, source="a").sha256
    frame.loc[3, "x"] += 1e-9
    assert validate_panel(frame, small, source="a").sha256 != before


def test_the_callers_frame_is_untouched(small, frame):
    copy = frame.copy(deep=True)
    validate_panel(frame, small, source="memory")
    pd.testing.assert_frame_equal(frame, copy)


def test_never_can_be_written_in_several_ways(small, frame):
    expected = validate_panel(frame, small, source="a").adoption
    for never in ("never", "", "NA", 0):
        changed = frame.copy()
        changed["ya"] = changed["ya"].astype(object).where(changed["ya"].notna(), never)
        pd.testing.assert_frame_equal(validate_panel(changed, small, source="a").adoption, expected)


def test_unbalanced_panels_work_and_say_so(small, frame):
    panel = validate_panel(frame.drop(index=[3, 50, 51]), small, source="a")
    assert not panel.is_balanced
    assert {note.name: note.count for note in panel.notes}["unbalanced"] == 2


def test_stamp_survives_a_round_trip(small, tmp_path):
    panel = simulate_panel(small)
    write_panel(panel, small, tmp_path / "panel.csv")
    again = read_panel(tmp_path / "panel.csv", small)
    assert again.synthetic == panel.synthetic
    assert "simulated" in again.synthetic
    assert again.sha256 == panel.sha256


def test_missing_and_singleton_rows_are_noted(small, frame):
    frame.loc[[4, 9], "x"] = np.nan
    lone = frame["unit"] == "unit003"
    frame = frame[~lone | (frame["year"] == 2000)]
    notes = {note.name: note.count for note in validate_panel(frame, small, source="a").notes}
    assert notes["missing_values"] == 2
    assert notes["singleton_units"] == 1


def test_a_treatment_that_never_varies_is_noted(small, frame):
    frame["ya"] = np.nan
    notes = {note.name for note in validate_panel(frame, small, source="a").notes}
    assert "treatment_never_varies" in notes


def at(column, row, value):
    def change(frame):
        frame[column] = frame[column].astype(object)
        frame.loc[row, column] = value
        return frame

    return change


def wide(frame):
    return frame.pivot_table(index="unit", columns="year", values="y").reset_index()


def doubled(frame):
    return pd.concat([frame, frame.iloc[[5]]])


BAD = {
    "duplicate unit-year": (doubled, ["duplicate unit-year", "rows 7, 130"]),
    "text in a number": (at("x", 5, "high"), ["column 'x'", "row 7", "high", "not a number"]),
    "decimal comma": (at("x", 5, "0,5"), ["row 7", "decimal comma"]),
    "percent sign": (at("y", 2, "12%"), ["column 'y'", "row 4"]),
    "infinite": (at("x", 5, np.inf), ["infinite", "column 'x'", "row 7"]),
    "unit missing": (at("unit", 8, None), ["key is missing", "row 10"]),
    "year missing": (at("year", 8, None), ["key is missing", "column 'year'"]),
    "fractional year": (at("year", 8, 2003.5), ["whole number", "2003.5"]),
    "adoption changes": (at("ya", 5, 2007), ["not constant", "column 'ya'"]),
    "adoption fractional": (
        lambda f: f.assign(ya=np.where(f["unit"] == "unit001", 2003.5, f["ya"])),
        ["whole number", "2003.5"],
    ),
    "adoption text": (at("ya", 5, "soon"), ["column 'ya'", "soon"]),
    "group changes": (at("region", 5, "west-ish"), ["within a unit", "region"]),
    "outcome missing": (lambda f: f.drop(columns="y"), ["lacks a required column", "'y'"]),
    "outcome renamed": (lambda f: f.rename(columns={"unit": "Unit "}), ["'unit'", "rename"]),
    "wide format": (wide, ["long format"]),
    "no rows": (lambda f: f.iloc[:0], ["no rows"]),
    "one unit": (lambda f: f[f["unit"] == "unit001"], ["at least two units"]),
    "one period": (lambda f: f[f["year"] == 2000], ["two units and two periods"]),
    "below minimum": (at("y", 5, -3.0), ["below its minimum", "row 7"]),
    "adoption column missing": (lambda f: f.drop(columns="yb"), ["'yb'"]),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_panels(small, frame, tmp_path, name):
    change, words = BAD[name]
    path = tmp_path / "panel.csv"
    change(frame).to_csv(path, index=False)
    with pytest.raises(InputError) as caught:
        read_panel(path, small)
    message = str(caught.value)
    assert str(path) in message
    for word in words:
        assert word in message
    assert "Remedy" in message


FILES = {
    "panel.csv": (b"", "empty"),
    "semicolons.csv": (b"unit;year;y\na;2000;1\n", "at least two units"),
    "doubled.csv": (b"unit,year,y,y\na,2000,1,1\n", "same name"),
    "utf16.csv": ("unit,year,y\na,2000,1\n".encode("utf-16"), "at least two units"),
    "damaged.xlsx": (b"not a workbook", "cannot be read"),
    "damaged.parquet": (b"PAR1 nonsense", "cannot be read"),
    "damaged.dta": (b"nonsense", "cannot be read"),
    "panel.sav": (b"$FL2", r"unknown file type.*pd.read_spss\(.*panel.sav\"\)"),
    "panel.txt": (b"a", "call it .csv if commas"),
    "header.csv": (b"unit,year,y,x,ya,yb,region\n", "no rows"),
}


@pytest.mark.parametrize("name", FILES)
def test_bad_files(small, tmp_path, name):
    content, words = FILES[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=words) as caught:
        read_panel(tmp_path / name, small)
    assert name in str(caught.value)


def test_missing_file_and_folder(small, tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_panel(tmp_path / "absent.csv", small)
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match="no such file"):
        read_panel(tmp_path / "folder.csv", small)
