"""Tables as yearbooks print them: two header rows, a column for each year, fewer units."""

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

import bayesdid as bd
from bayesdid.exceptions import InputError
from bayesdid.families.registry.load import load_study
from bayesdid.panel import read, workbook
from bayesdid.panel.read import read_panel
from bayesdid.panel.validate import validate_panel
from bayesdid.panel.wide import wide_remedy
from smallest import study_with

HEAD = ("unit", "year", "py", "y", None, "people", None)
BELOW = (None, None, None, "y", "per head", "total", "per head")
YEARS = (2000, 2001, 2002)
DATA = [(f"c{k}", t, 2002 if k else None, k + t % 7, 1, 2, 3) for k in range(3) for t in YEARS]


def study_of(folder, panel="", outcome="y"):
    text = study_with(panel).replace('column = "y"', f'column = "{outcome}"')
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return load_study(folder)


def book(path, rows):
    pd.DataFrame(rows, dtype=object).to_excel(path, index=False, header=False)
    return path


def texts(panel):
    return {note.name: note.text for note in panel.notes}


@pytest.mark.parametrize(
    ("outcome", "wanted"),
    [("y", "y"), ("y per head", "second"), ("total", "total"), ("people per head", "last")],
)
def test_two_header_rows_are_read_as_one(tmp_path, outcome, wanted):
    study = study_of(tmp_path, outcome=outcome)
    panel = read_panel(book(tmp_path / "a.xlsx", [HEAD, BELOW, *DATA]), study)
    column = {"y": 3, "second": 4, "total": 5, "last": 6}[wanted]
    assert panel.frame[outcome].tolist() == [row[column] for row in DATA]
    said = texts(panel)["two_header_rows"]
    assert "columns are called y per head, total, people per head" in said


def test_headings_over_doubled_names_tell_them_apart(tmp_path):
    above = (None, None, None, "deaths", None, "people", None)
    names = ("unit", "year", "py", "total", "per head", "total", "per head")
    study = study_of(tmp_path, outcome="people total")
    panel = read_panel(book(tmp_path / "a.xlsx", [above, names, *DATA]), study)
    assert panel.frame["people total"].tolist() == [row[5] for row in DATA]


def test_a_row_of_units_is_passed_over(tmp_path):
    names = ("unit", "year", "py", "y", "a", "b", "c")
    units = (None, None, None, "万元", "%", None, "km")
    file = book(tmp_path / "a.xlsx", [names, units, *DATA])
    panel = read_panel(file, study_of(tmp_path))
    assert panel.frame["y"].tolist() == [row[3] for row in DATA]
    assert texts(panel)["units_row"] == "row 2 was passed over: it holds no keys"
    broken = [*DATA[:2], (*DATA[2][:3], "#DIV/0!", 1, 2, 3), *DATA[3:]]
    with pytest.raises(InputError, match=r"row 5: not a number \(an error of the spreadsheet\)"):
        read_panel(book(tmp_path / "b.xlsx", [names, units, *broken]), study_of(tmp_path))


WIDE = {
    "碳排放强度{}": [2008, 2009, 2010],
    "gdp_{}": [2008, 2009, 2010],
    "gdp{}年": [2008, 2009, 2010],
    "{}": [2008, 2009, 2010],
}


@pytest.mark.parametrize("pattern", WIDE)
def test_a_wide_file_is_recognised_and_its_command_makes_it_long(tmp_path, pattern):
    periods = WIDE[pattern]
    wide = pd.DataFrame({"unit": ["a", "b"], "py": [2009, np.nan]})
    for k, period in enumerate(periods):
        wide[pattern.format(period)] = [k, k + 10]
    name = re.sub(r"_?\{\}年?", "", pattern) or "NAME OF THE VARIABLE"
    study = study_of(tmp_path, outcome=name)
    wide.to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(InputError, match="hold one period each") as caught:
        read_panel(tmp_path / "a.csv", study)
    command = str(caught.value.remedy).split("(long format): ")[1]
    assert command.startswith(("pd.wide_to_long(df, ", "df.melt("))
    long = eval(command, {"pd": pd, "df": wide})
    panel = validate_panel(long, study, source="long")
    assert panel.frame[name].tolist() == [0, 1, 2, 10, 11, 12]
    with pytest.raises(InputError, match="hold one period each"):
        bd.did(wide, y=name, unit="unit", time="year", policies={"p": "py"})


def test_a_long_file_with_names_that_end_in_years_is_no_wide_one():
    assert wide_remedy(["unit", "gdp1990", "gdp2000", "y"], "unit", "year") == ""
    frame = pd.DataFrame({"unit": [1], "year": [1], "a2008": 1, "a2009": 1, "a2010": 1})
    with pytest.raises(InputError, match="did you mean 'unit'"):
        bd.did(frame, "a2008 ~ a2009 | units + year")


@pytest.mark.parametrize("kind", ["csv", "tsv", "xlsx", "parquet", "frame", "did"])
def test_two_columns_of_one_name_are_refused_in_every_format(tmp_path, kind):
    names = ["unit", "year", "py", "y", "y "]
    frame = pd.DataFrame([row[:5] for row in DATA], columns=names)
    file, study = tmp_path / f"a.{kind}", study_of(tmp_path)
    if kind in {"csv", "tsv"}:
        frame.to_csv(file, index=False, sep="," if kind == "csv" else "\t")
    elif kind == "xlsx":
        frame.to_excel(file, index=False)
    elif kind == "parquet":
        arrays = [pa.array(frame[name]) for name in names]
        table = pa.Table.from_arrays(arrays, [name.strip() for name in names])
        pyarrow.parquet.write_table(table, file)
    ways = {
        "frame": lambda: validate_panel(frame, study, source="frame"),
        "did": lambda: bd.did(frame, "y ~ py | unit + year"),
    }
    with pytest.raises(InputError, match="two columns have the same name") as caught:
        ways.get(kind, lambda: read_panel(file, study))()
    assert caught.value.column == "y"


@pytest.mark.parametrize("key", ["1e300", "inf", "-inf", "1E18"])
@pytest.mark.parametrize("column", ["unit", "year"])
def test_huge_and_infinite_keys_of_a_text_file_are_refused(tmp_path, key, column):
    rows = [f"{u},{t},,{u + t}" for u in (1, 2, 3) for t in (2000, 2001)]
    at = 0 if column == "unit" else 1
    cells = rows[2].split(",")
    cells[at] = key
    rows[2] = ",".join(cells)
    (tmp_path / "a.csv").write_text("unit,year,py,y\n" + "\n".join(rows) + "\n")
    with pytest.raises(InputError) as caught:
        read_panel(tmp_path / "a.csv", study_of(tmp_path))
    assert (caught.value.column, caught.value.row) == (column, 4)


def test_ids_of_many_digits_are_names(tmp_path):
    ids = ("110101199003078888", "110101199003078889")
    rows = [f"{unit},{year},,{year % 7}" for unit in ids for year in YEARS]
    (tmp_path / "a.csv").write_text("unit,year,py,y\n" + "\n".join(rows) + "\n")
    assert len(read_panel(tmp_path / "a.csv", study_of(tmp_path)).units) == 2


def test_fewer_units_and_periods_than_declared_are_noted(tmp_path):
    declared = "\nunits = 5\nfirst_period = 1999\nlast_period = 2002\n"
    frame = pd.DataFrame([row[:4] for row in DATA], columns=["unit", "year", "py", "y"])
    found = texts(validate_panel(frame, study_of(tmp_path, declared), source="x"))
    assert found["fewer_units"] == "the study declares 5 units, the panel has 3"
    assert found["fewer_periods"] == (
        "the study declares periods from 1999 to 2002, the panel has 2000 to 2002"
    )
    exact = declared.replace("5", "3").replace("1999", "2000")
    found = texts(validate_panel(frame, study_of(tmp_path, exact), source="x"))
    assert not {"fewer_units", "fewer_periods"} & set(found)
    frame["year"] = frame["year"].astype(str) + "q1"  # the years of quarters
    frame["py"] = None
    found = texts(validate_panel(frame, study_of(tmp_path, exact), source="x"))
    assert not {"fewer_units", "fewer_periods"} & set(found)
    frame = frame[frame["year"] < "2002"]
    found = texts(validate_panel(frame, study_of(tmp_path, exact), source="x"))
    assert found["fewer_periods"].endswith("from 2000 to 2002, the panel has 2000q1 to 2001q1")


def test_sizes_that_no_panel_has_are_refused_before_they_are_read(tmp_path, monkeypatch):
    frame = pd.DataFrame([row[:4] for row in DATA], columns=["unit", "year", "py", "y"])
    frame.to_parquet(tmp_path / "a.parquet")
    book(tmp_path / "a.xlsx", [HEAD, *DATA])
    monkeypatch.setattr(read, "MOST_CELLS", 10)
    monkeypatch.setattr(workbook, "MOST_CELLS", 10)
    study = study_of(tmp_path)
    with pytest.raises(InputError, match="36 cells, more than 10"):
        read_panel(tmp_path / "a.parquet", study)
    with pytest.raises(InputError, match="a sheet of more than 10 cells"):
        read_panel(tmp_path / "a.xlsx", study)


def test_a_stray_cell_far_below_the_table_costs_nothing(tmp_path):
    from openpyxl import Workbook

    made = Workbook()
    for row in [("unit", "year", "py", "y"), *(row[:4] for row in DATA)]:
        made.active.append(row)
    made.active.cell(40_000, 2, " ")
    made.save(tmp_path / "a.xlsx")
    panel = read_panel(tmp_path / "a.xlsx", study_of(tmp_path))
    assert len(panel.frame) == 9
