"""Panels as people have them: labels, codes, workbooks, encodings, units already treated."""

import numpy as np
import pandas as pd
import pytest

from bayesdid.design.build import build_design
from bayesdid.design.cohort import cohort_design
from bayesdid.exceptions import InputError, NotIdentifiedError
from bayesdid.families.registry.load import load_study
from bayesdid.panel.adoption import event_time
from bayesdid.panel.read import read_panel
from bayesdid.panel.validate import validate_panel
from smallest import study_with

GROUP = """
[[group]]
column = "region"
label = "Region"
levels = { "01" = "north", "NA" = "America" }
"""
SPECS = """
id = "t"
title = "T"
kind = "regression"
[[column]]
id = "twfe"
outcome = "y"
treatments = ["active:p"]
covariates = ["x"]
[[column]]
id = "es"
family = "event_study"
outcome = "y"
treatments = ["active:p"]
options = { first = -2, last = 2, reference = -1 }
[[column]]
id = "co"
family = "cohort"
outcome = "y"
treatments = ["active:p"]
"""


def study_of(folder, policy):
    folder.mkdir()
    (folder / "study.toml").write_text(study_with(after=GROUP, unit="id", policy=policy))
    (folder / "t.toml").write_text(SPECS)
    return load_study(folder)


@pytest.fixture(scope="module")
def by_indicator(tmp_path_factory):
    return study_of(tmp_path_factory.mktemp("kinds") / "indicator", 'indicator = "on"')


@pytest.fixture(scope="module")
def dropping(tmp_path_factory):
    return study_of(
        tmp_path_factory.mktemp("kinds") / "dropping", 'indicator = "on"\nmissing = "drop"'
    )


@pytest.fixture(scope="module")
def by_year(tmp_path_factory):
    return study_of(tmp_path_factory.mktemp("kinds") / "year", 'adoption = "first"')


def raw(starts, periods=range(2001, 2009)):
    """A unit for each start, None for never."""
    N, T = len(starts), len(periods)
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "id": np.repeat([f"u{k}" for k in range(N)], T),
            "year": list(periods) * N,
            "first": np.repeat([np.nan if s is None else s for s in starts], T),
            "y": rng.normal(size=N * T),
            "x": rng.normal(size=N * T),
        }
    )
    frame["on"] = (frame["year"] >= frame["first"]).astype(float)
    return frame


def names(notes):
    return {note.name: note.count for note in notes}


# ---------------------------------------------------------------- adoption


def test_entry_is_not_adoption(by_indicator):
    """Units on in their first row are treated, but out of event time, with a note."""
    panel = validate_panel(raw([2005, 2006, None, None, 1999, 2001]), by_indicator, source="a")
    assert names(panel.notes)["adoption_not_seen"] == 2
    assert "u4, u5" in next(n.text for n in panel.notes if n.name == "adoption_not_seen")
    time = event_time(panel, "p").to_numpy(dtype=float, na_value=np.nan)
    assert np.isnan(time[32:]).all()
    assert time[:8].tolist() == list(range(-4, 4))
    for spec in ("t.es", "t.co"):
        make = build_design if spec == "t.es" else cohort_design
        found = make(by_indicator[spec], panel)
        design = found if spec == "t.es" else found.design
        assert design.units.tolist() == ["u0", "u1", "u2", "u3"]
        assert names(design.notes)["event_time_not_known"] == 2
    static = build_design(by_indicator["t.twfe"], panel)
    assert len(static.units) == 6
    assert (static.D[static.unit_index >= 4] == 1).all()


def test_adoption_in_a_gap_is_not_known(by_indicator):
    """Off in 2003, on in 2005, not seen in 2004: adopted in either."""
    frame = raw([2005, 2005, None])
    frame = frame[~((frame["id"] == "u0") & (frame["year"] == 2004))]
    panel = validate_panel(frame, by_indicator, source="a")
    assert panel.censored["p"].tolist() == [True, False, False]


def test_adoption_given_by_period_is_known(by_year):
    panel = validate_panel(raw([1999, 2005, None]), by_year, source="a")
    assert not panel.censored.any(axis=None)
    assert event_time(panel, "p")[:2].tolist() == [2, 3]
    assert names(panel.notes)["always_treated"] == 1


def test_only_censored_units_identify_no_event_study(by_indicator):
    frame = raw([2001, 2001])
    frame.loc[frame["id"] == "u1", "on"] = 1.0
    panel = validate_panel(frame, by_indicator, source="a")
    with pytest.raises(NotIdentifiedError, match="no unit of the sample is seen to adopt"):
        build_design(by_indicator["t.es"], panel)


def test_missing_policy_values_are_refused_or_left_out(by_indicator, dropping):
    frame = raw([2005, 2006, None])
    frame.loc[[1, 9, 17], "on"] = np.nan
    with pytest.raises(InputError, match=r'missing in 3 rows.*missing = "drop"'):
        validate_panel(frame, by_indicator, source="a")
    panel = validate_panel(frame, dropping, source="a")
    assert names(panel.notes)["rows_without_policy"] == 3
    assert len(panel.frame) == 21
    assert panel.adoption["p"].tolist() == [2005, 2006, pd.NA]


# ---------------------------------------------------------------- keys and levels


def csv(frame, path, **options):
    frame.to_csv(path, index=False, **options)
    return path


def keyed(frame, keys):
    return frame.assign(id=np.repeat(keys, len(frame) // len(keys)))


def test_keys_are_text_as_typed(by_year, tmp_path):
    frame = keyed(raw([2005, 2006, None]), ["01", "1", "NA"])
    panel = read_panel(csv(frame, tmp_path / "a.csv"), by_year)
    assert panel.units.tolist() == ["01", "1", "NA"]
    assert panel.adoption["p"].tolist() == [2005, 2006, pd.NA]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".xlsx"])
def test_none_and_na_are_names(by_year, tmp_path, suffix):
    frame = keyed(raw([2005, 2006, None]), ["None", "NA", "nan"])
    path = tmp_path / f"a{suffix}"
    if suffix == ".xlsx":
        frame.to_excel(path, index=False)
    else:
        csv(frame, path, sep="," if suffix == ".csv" else "\t")
    assert read_panel(path, by_year).units.tolist() == ["NA", "None", "nan"]


def test_plain_numbers_stay_numbers_in_their_order(by_year, tmp_path):
    frame = keyed(raw([2005, 2006, None]), [10, 9, 2])
    panel = read_panel(csv(frame, tmp_path / "a.csv"), by_year)
    assert panel.units.tolist() == [2, 9, 10]


def test_levels_are_text_as_typed(by_year, tmp_path):
    frame = raw([2005, 2006, None])
    frame["region"] = np.repeat(["01", "NA", ""], 8)
    panel = read_panel(csv(frame, tmp_path / "a.csv"), by_year)
    assert panel.frame["region"].unique().tolist() == ["01", "NA", ""]
    assert names(panel.notes)["no_level"] == 1


@pytest.mark.parametrize("key", [np.inf, 1e300])
def test_keys_that_are_no_names_are_refused(by_year, key):
    frame = keyed(raw([2005, 2006, None]), [1.0, 2.0, key])
    with pytest.raises(InputError, match="finite number of at most 15 digits"):
        validate_panel(frame, by_year, source="a")


def test_a_nul_in_a_key_is_refused(by_year):
    frame = keyed(raw([2005, 2006, None]), ["a", "b\x00b", "c"])
    with pytest.raises(InputError, match="NUL"):
        validate_panel(frame, by_year, source="a")


def test_a_column_called_like_a_dimension_of_results_works(tmp_path):
    folder = tmp_path / "chain"
    folder.mkdir()
    (folder / "study.toml").write_text(
        study_with(after=GROUP, unit="chain", policy='adoption = "first"')
    )
    (folder / "t.toml").write_text(SPECS)
    study = load_study(folder)
    frame = raw([2005, 2006, None]).rename(columns={"id": "chain"})
    design = build_design(study["t.twfe"], validate_panel(frame, study, source="a"))
    assert design.unit_dim == "chain_"
    assert design.period_dim == "year"


# ---------------------------------------------------------------- labels, sheets, encodings


def test_labels_or_codes_as_the_column_is_used(by_indicator, tmp_path):
    """A labelled 0/1 policy is read by code, a labelled unit by label."""
    frame = raw([2005, 2006, None]).drop(columns="first")
    frame["id"] = np.repeat([1, 2, 3], 8)
    frame["on"] = frame["on"].astype(int)
    labels = {"id": {1: "北京", 2: "上海", 3: "天津"}, "on": {0: "否", 1: "是"}}
    path = tmp_path / "a.dta"
    frame.to_stata(path, write_index=False, value_labels=labels, version=118)
    panel = read_panel(path, by_indicator)
    assert panel.units.tolist() == sorted(["北京", "上海", "天津"])
    assert panel.adoption["p"].reindex(["北京", "上海", "天津"]).tolist() == [2005, 2006, pd.NA]


def test_labels_that_repeat_are_read_by_code(by_indicator, tmp_path):
    frame = raw([2005, 2006, None]).drop(columns="first")
    frame["id"] = np.repeat([1, 2, 3], 8)
    frame["on"] = frame["on"].astype(int)
    labels = {"id": {1: "Springfield", 2: "Springfield", 3: "Salem"}, "on": {0: "no", 1: "yes"}}
    path = tmp_path / "a.dta"
    frame.to_stata(path, write_index=False, value_labels=labels, version=118)
    panel = read_panel(path, by_indicator)
    assert panel.units.tolist() == [1, 2, 3]
    assert panel.adoption["p"].tolist() == [2005, 2006, pd.NA]


def test_stata_months_are_months(by_year, tmp_path):
    frame = raw([None, None, None])
    frame["year"] = list(pd.date_range("2001-11-01", periods=8, freq="MS")) * 3
    frame["first"] = np.repeat(pd.to_datetime(["2002-02-01", "2002-03-01", None]), 8)
    path = tmp_path / "a.dta"
    frame.to_stata(path, write_index=False, convert_dates={"year": "tm", "first": "tm"})
    panel = read_panel(path, by_year)
    assert [panel.timeline.label(step) for step in panel.periods][:3] == [
        "2001-11",
        "2001-12",
        "2002-01",
    ]
    assert event_time(panel, "p")[:8].tolist() == list(range(-3, 5))


def yearbook(frame, path, sheet="数据"):
    """A title above the table, a remark below it, another sheet before it."""
    with pd.ExcelWriter(path) as book:
        pd.DataFrame({"说明": ["目录"]}).to_excel(book, sheet_name="目录", index=False)
        frame.to_excel(book, sheet_name=sheet, index=False, startrow=2)
        page = book.sheets[sheet]
        page.cell(1, 1, "表 1 各市数据")
        page.cell(len(frame) + 4, 1, "注：数据来源于统计年鉴")


def test_title_rows_and_remarks_are_passed_over(by_year, tmp_path):
    frame = raw([2005, 2006, None])
    yearbook(frame, tmp_path / "a.xlsx")
    panel = read_panel(tmp_path / "a.xlsx", by_year)
    expected = validate_panel(frame, by_year, source="a")
    pd.testing.assert_frame_equal(panel.frame, expected.frame)
    found = names(panel.notes)
    assert (found["title_rows"], found["remarks"], found["sheet"]) == (2, 1, 1)
    again = read_panel(tmp_path / "a.xlsx", by_year, sheet="数据", skip=2)
    assert again.sha256 == panel.sha256
    with pytest.raises(InputError, match=r"no such sheet.*目录, 数据"):
        read_panel(tmp_path / "a.xlsx", by_year, sheet="data")


def test_rows_are_counted_as_in_the_workbook(by_year, tmp_path):
    frame = raw([2005, 2006, None]).astype({"y": object})
    frame.loc[2, "y"] = "#DIV/0!"
    yearbook(frame, tmp_path / "a.xlsx")
    with pytest.raises(InputError, match=r"row 6: not a number \(an error of the spreadsheet\)"):
        read_panel(tmp_path / "a.xlsx", by_year)


ENCODINGS = [
    ("gb18030", ["北京", "上海", "呼和浩特"]),
    ("gbk", ["A市", "B市", "C市"]),
    ("utf-16", ["北京", "São Paulo", "c"]),
    ("utf-16-le", ["Paris", "Orléans", "c"]),
    ("utf-8-sig", ["北京", "São Paulo", "c"]),
    ("latin-1", ["São Paulo", "Goiânia", "Conceição"]),
    ("cp1252", ["Besançon", "Orléans", "Angoulême"]),
]


@pytest.mark.parametrize(("encoding", "keys"), ENCODINGS)
def test_encodings_are_told_apart(by_year, tmp_path, encoding, keys):
    frame = keyed(raw([2005, 2006, None]), keys)
    panel = read_panel(csv(frame, tmp_path / "a.csv", encoding=encoding), by_year)
    assert sorted(panel.units) == sorted(keys)
    assert ("encoding" in names(panel.notes)) == (not encoding.startswith("utf"))


def test_mixed_encodings_are_asked_about(by_year, tmp_path):
    lines = ["id,year,first,y,x", *["北京,2001,,1,1"] * 3]
    content = "\n".join(lines).encode("gbk") + "\nGoiânia,2001,,1,1\nLuís,2001,,1,1\n".encode(
        "latin-1"
    )
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(InputError, match="save as UTF-8"):
        read_panel(tmp_path / "a.csv", by_year)


REMEDIES = {
    "Untreated": "0 and 1 for no and yes",
    "1,234": "no thousands separator",
    "12%": "percent sign",
    "$12": r"take the sign \$ away",
    "'12": "take the apostrophe away",
    "#N/A!": "its formula",
    "3 km": "decimal point",
}


@pytest.mark.parametrize("cell", REMEDIES)
def test_the_remedy_fits_the_cell(by_year, cell):
    frame = raw([2005, 2006, None]).astype({"x": object})
    frame.loc[3, "x"] = cell
    with pytest.raises(InputError, match=REMEDIES[cell]):
        validate_panel(frame, by_year, source="a")


@pytest.mark.parametrize("cell", ["", ".", ".a", ".z", "NA", "N/A", "null"])
def test_the_usual_ways_to_leave_a_number_out(by_year, cell):
    frame = raw([2005, 2006, None]).astype({"x": object})
    frame.loc[3, "x"] = cell
    panel = validate_panel(frame, by_year, source="a")
    assert names(panel.notes)["missing_values"] == 1


def test_true_and_false_are_a_state(by_indicator, tmp_path):
    frame = raw([2005, 2006, None])
    frame["on"] = frame["on"] == 1
    panel = read_panel(csv(frame, tmp_path / "a.csv"), by_indicator)
    assert panel.adoption["p"].tolist() == [2005, 2006, pd.NA]
