"""Periods in every way they are typed become steps; event time counts steps."""

import numpy as np
import pandas as pd
import pytest

from bayesdid.design.build import build_design
from bayesdid.exceptions import InputError
from bayesdid.families.registry.load import load_study
from bayesdid.panel.adoption import event_time
from bayesdid.panel.calendar import read_periods
from bayesdid.panel.kinds import written
from bayesdid.panel.validate import validate_panel
from bayesdid.panel.write import write_panel
from smallest import study_with

STUDY = study_with(unit="id", period="when", policy='adoption = "first"')
SPECS = """
id = "t"
title = "T"
kind = "regression"
[[column]]
id = "es"
family = "event_study"
outcome = "y"
treatments = ["active:p"]
options = { first = -3, last = 3, reference = -1, ends = "bin" }
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("time")
    (folder / "study.toml").write_text(STUDY)
    (folder / "t.toml").write_text(SPECS)
    return load_study(folder)


def panel_of(study, periods, first):
    """Three units; the first two adopt in `first`. The outcome grows with the time since."""
    frame = pd.DataFrame(
        {
            "id": np.repeat(["a", "b", "c"], len(periods)),
            "when": list(periods) * 3,
            "first": np.repeat([*first, None], len(periods)),
        }
    )
    rng = np.random.default_rng(1)
    frame["y"] = rng.normal(size=len(frame))
    return validate_panel(frame, study, source="memory")


def months(pattern):
    return [pattern.format(y=2000 + k // 12, m=k % 12 + 1) for k in range(10, 18)]


def quarters(pattern):
    return [pattern.format(y=2009 + k // 4, q=k % 4 + 1) for k in range(2, 10)]


DATES = pd.to_datetime(months("{y}-{m:02d}-01"))
ISO_WEEKS = [f"2009-W{week}" for week in range(50, 54)] + [f"2010-W0{k}" for k in range(1, 5)]


def dated(pattern, *, ends=False):
    return (DATES + pd.offsets.MonthEnd(0) if ends else DATES).strftime(pattern).tolist()


WAYS = {
    "YYYYMM": [int(text) for text in months("{y}{m:02d}")],
    "YYYYMM as text": months("{y}{m:02d}"),
    "2000-11": months("{y}-{m:02d}"),
    "2000/11": months("{y}/{m}"),
    "2000m11": months("{y}m{m}"),
    "2000年11月": months("{y}年{m}月"),
    "dates of months": months("{y}-{m:02d}-01"),
    "timestamps of months": pd.to_datetime(months("{y}-{m:02d}-01")),
    "ends of months": pd.to_datetime(months("{y}-{m:02d}-01")) + pd.offsets.MonthEnd(0),
    "2009q3": quarters("{y}q{q}"),
    "2009-Q3": quarters("{y}-Q{q}"),
    "Q32009": quarters("Q{q}{y}"),
    "20093": [int(text) for text in quarters("{y}{q}")],
    "2009年第3季度": quarters("{y}年第{q}季度"),
    "decimals": [2009.5 + 0.25 * k for k in range(8)],
    "months as decimals": [round(2009 + k / 12, 3) for k in range(8)],
    "2008年": [f"{year}年" for year in range(2001, 2009)],
    "years": list(range(2001, 2009)),
    "two-year waves": list(range(2000, 2016, 2)),
    "waves around zero": list(range(-9, 15, 3)),
    "days": [f"2010-01-{day:02d}" for day in range(28, 32)]
    + [f"2010-02-{day:02d}" for day in range(1, 5)],
    "weeks": [str(day.date()) for day in pd.date_range("2010-01-04", periods=8, freq="7D")],
    "01/11/2000": dated("%d/%m/%Y"),
    "11/01/2000": dated("%m/%d/%Y"),
    "01.11.2000": dated("%d.%m.%Y"),
    "30/11/2000": dated("%d/%m/%Y", ends=True),
    "11-30-2000": dated("%m-%d-%Y", ends=True),
    "30-Nov-00": dated("%d-%b-%y", ends=True),
    "November 1, 2000": dated("%B %d, %Y"),
    "Nov-00": dated("%b-%y"),
    "00-Nov": dated("%y-%b"),
    "Nov 2000": dated("%b %Y"),
    "11/2000": dated("%m/%Y"),
    "2000.11": [float(text) for text in dated("%Y.%m")],
    "spreadsheet days": [(day - pd.Timestamp("1899-12-30")).days for day in DATES],
    "3Q09": [text[2:] for text in quarters("20{q}Q{y}")],
    "Q3 2009": quarters("Q{q} {y}"),
    "3Q2009": quarters("{q}Q{y}"),
    "2009-3": quarters("{y}-{q}"),
    "2009.3": [float(text) for text in quarters("{y}.{q}")],
    "H1 2009": [f"H{k % 2 + 1} {2009 + k // 2}" for k in range(8)],
    "2H09": [f"{k % 2 + 1}H{9 + k // 2:02d}" for k in range(8)],
    "2009-W50": ISO_WEEKS,
    "2009w50 to 53": [text.replace("-W", "w") for text in ISO_WEEKS],
    "200950": [int(text.replace("-W", "")) for text in ISO_WEEKS],
    "52 weeks a year": [f"{2009 + k // 52}w{k % 52 + 1}" for k in range(48, 56)],
    "98, 99, 00": [f"{k % 100:02d}" for k in range(97, 105)],
    "97, 98, 99, 0": [k % 100 for k in range(97, 105)],
    "'98": [f"'{k % 100:02d}" for k in range(97, 105)],
    "FY08": [f"FY{k:02d}" for k in range(5, 13)],
    "11/00": [f"{k % 12 + 1}/{k // 12:02d}" for k in range(10, 18)],
    "00-11": [f"{k // 12:02d}-{k % 12 + 1:02d}" for k in range(10, 18)],
    "01/13": [f"{k % 12 + 1:02d}/{k // 12:02d}" for k in range(166, 174)],
    "3/08, 6/08": [f"{k % 12 + 1}/{k // 12:02d}" for k in range(98, 122, 3)],
    "0011": [f"{k // 12:02d}{k % 12 + 1:02d}" for k in range(10, 18)],
    "1011, 1012, 1101": [k // 12 * 100 + k % 12 + 1 for k in range(130, 138)],
    "9911, 9912, 1": [
        (k // 12) % 100 * 100 + k % 12 + 1 for k in range(99 * 12 + 10, 99 * 12 + 18)
    ],
    "2000.1 before 2000.10": [f"{1999 + k // 12}.{k % 12 + 1}" for k in range(8, 16)],
    "11.2000": months("{m:02d}.{y}"),
    "2000:11": months("{y}:{m}"),
    "2000_11": months("{y}_{m:02d}"),
    "2000 11": months("{y} {m}"),
    "y2000m11": months("y{y}m{m}"),
    "2000年11月份": months("{y}年{m:02d}月份"),
    "2009:3": quarters("{y}:{q}"),
    "last trading days": DATES + pd.offsets.BMonthEnd(0),
    "first trading days": (DATES + pd.offsets.BMonthBegin(0)).strftime("%d.%m.%Y").tolist(),
    "a survey a year": [f"{2001 + k}-0{k * 5 % 4 + 2}-{7 * k % 20 + 3:02d}" for k in range(8)],
    "4-week periods": [str(d.date()) for d in pd.date_range("2010-01-20", periods=8, freq="28D")],
    "民国92年": [f"民国{year - 1911}年" for year in range(2001, 2009)],
    "民國九十年度": [f"民國{n}年度" for n in ("九十八", "九十九", "一百", "一百零一", "一百零二")]
    + [f"民國{n}年度" for n in (103, 104, 105)],
    "二〇〇三年": [f"二〇〇{n}年" for n in "一二三四五六七八"],
    "二〇〇〇年十一月": [f"二〇〇〇年{n}月" for n in ("九", "十", "十一", "十二")]
    + [f"二○零一年{n}月" for n in "一二三四"],
    "2008年末": [f"{year}年末" for year in range(2001, 2009)],
}


@pytest.mark.parametrize("way", WAYS)
def test_event_time_counts_steps(study, way):
    """Adoption in the fourth period: event times -3 to 4, whatever the period is."""
    periods = list(WAYS[way])
    panel = panel_of(study, periods, [periods[3], periods[3]])
    times = event_time(panel, "p")
    assert times[:8].tolist() == list(range(-3, 5))
    assert times[16:].isna().all()
    np.testing.assert_array_equal(np.diff(panel.periods), 1)
    assert not any(note.name == "gaps" for note in panel.notes)


@pytest.mark.parametrize("way", WAYS)
def test_periods_are_shown_as_typed_and_written_back(study, tmp_path, way):
    periods = list(WAYS[way])
    panel = panel_of(study, periods, [periods[3], None])
    shown = [panel.timeline.label(step) for step in panel.periods]
    if isinstance(periods[0], pd.Timestamp):
        assert shown == [f"{moment:%Y-%m}" for moment in periods]
    else:
        assert shown == [str(period).removesuffix(".0") for period in periods]
    write_panel(panel, study, tmp_path / "panel.csv")
    again = pd.read_csv(tmp_path / "panel.csv", dtype=str)
    assert list(dict.fromkeys(again["when"])) == shown
    starts = again["first"].dropna().str.removesuffix(".0").unique().tolist()
    assert starts == [shown[3].removesuffix(".0")]


def test_a_missing_year_is_a_gap_and_no_step(study):
    panel = panel_of(study, [2001, 2002, 2003, 2005, 2006, 2008], [2005, 2006])
    assert panel.timeline.spacing == 1
    (note,) = [note for note in panel.notes if note.name == "gaps"]
    assert note.count == 2
    assert "2004, 2007" in note.text
    assert event_time(panel, "p")[:6].tolist() == [-4, -3, -2, 0, 1, 3]


def test_adoption_between_waves_counts_from_the_next(study):
    panel = panel_of(study, [2000, 2002, 2004, 2006], [2003, 2004])
    assert event_time(panel, "p")[:8].tolist() == [-2, -1, 0, 1] * 2
    (note,) = [note for note in panel.notes if note.name == "adoption_between_periods"]
    assert "2003" in note.text
    assert note.count == 4


def test_a_date_of_adoption_is_the_period_it_lies_in(study):
    panel = panel_of(study, [2001, 2002, 2003, 2004], ["2003-05-17", "2002-12-31"])
    assert event_time(panel, "p")[:8].tolist() == [-2, -1, 0, 1, -1, 0, 1, 2]
    panel = panel_of(study, months("{y}-{m:02d}"), ["2001-02-20", None])
    assert event_time(panel, "p")[:8].tolist() == list(range(-3, 5))


def test_a_year_of_adoption_is_too_coarse_for_months(study):
    with pytest.raises(InputError, match=r"adoption is given by year.* months"):
        panel_of(study, months("{y}-{m:02d}"), ["2001", None])


def test_zero_is_never_only_where_it_cannot_be_a_period(study):
    panel = panel_of(study, range(-4, 4), [0, 2])
    assert panel.adoption["p"].tolist() == [0, 2, pd.NA]
    (note,) = [note for note in panel.notes if note.name == "adoption_in_period_0"]
    assert note.count == 8
    panel = panel_of(study, range(2001, 2009), [0, 2004])
    assert panel.adoption["p"].tolist() == [pd.NA, 2004, pd.NA]
    panel = panel_of(study, quarters("{y}q{q}"), ["0", "2010q1"])
    assert panel.adoption["p"].isna().tolist() == [True, False, True]


def test_0_is_2000_where_years_have_two_digits(study):
    panel = panel_of(study, [97, 98, 99, 0, 1], [0, 99])
    assert panel.adoption["p"].tolist() == [2000, 1999, pd.NA]
    (note,) = [note for note in panel.notes if note.name == "adoption_in_period_0"]
    assert note.count == 5


@pytest.mark.parametrize(
    ("periods", "words"),
    [
        (["2010q1", "2010-02"], "'2010-02' is a month, but the rows before hold a quarter"),
        (["2010q1", "2010q5"], "'2010q5' is not a period"),
        (["2010-01-31", "2010-02-30"], "'2010-02-30' is not a period"),
        (["2010", "soon"], "'soon' is not a period"),
        ([2010.0, 2010.1], "must be a whole number"),
        (["1", "1e300"], "must be a whole number"),
        (["01/13/2008", "13/01/2008"], "'01/13/2008' has its month first, 13/01/2008 its day"),
        (["31/01/2008", "31/02/2008"], "'31/02/2008' is no date, day first"),
        (["03/04/2008", "05/06/2008"], "may be a day and a month or a month and a day"),
        (["08/01/31", "08/02/29"], "'08/01/31' has a year of two digits after 2029, or its year"),
        (["01/02/08", "01/03/08"], "'01/02/08' has two digits that may be its year at either end"),
        (["15/03/08", "15/04/08"], "two digits that may be its year at either end"),
        (["3/4/08", "5/6/08"], "may be a day and a month or a month and a day"),
        (["1/08", "2/08"], "nothing tells which.*write the year with four digits"),
        (["08/09", "09/10", "10/11"], "nothing tells which"),
        ([f"{d}/08" for d in range(1, 31)], "nothing tells which"),
        ([f"{a:02d}/{b:02d}" for a in range(1, 13) for b in range(1, 13)], "nothing tells which"),
        (["13/08", "08/13"], "nothing tells which"),
        (["Jan", "Feb"], "write the year beside the month"),
        (["08-Jan", "09-Jan", "10-Jan"], "names a day or a year of two digits"),
        (["Jan-01", "Jan-02", "Jan-03", "Jan-31", "Feb-01"], "a day or a year of two digits"),
        (["8-Jan", "8-Feb"], "names a day or a year of two digits"),
        (["2008-1", "2008-2", "2009-1"], "may be a half-year or a month"),
        ([20081, 20082, 20091], "may be a quarter or a half-year"),
        (["2008-W53", "2009-W01"], "'2008-W53' is no week of that year"),
        (["2008w52", "2008w54"], "'2008w54' is no week of that year"),
        ([12008, 22008, 32008, 122008, 12009], "a date in some code"),
        ([2008, 200801, 200802, 200803], "a date in some code"),
        (["decade 2008", "March 2009"], "'decade 2008' is not a period"),
    ],
)
def test_no_period(periods, words):
    with pytest.raises(InputError, match=words) as caught:
        read(periods)
    where = [*map(str, periods)].index(str(caught.value.value))
    assert f"row {2 + where}" in str(caught.value)


def test_adoption_is_read_as_short_months_are(study):
    """Alone 5/09 could be a day; a whole number that is no month of the panel is no year either."""
    short = [f"{k % 12 + 1}/{k // 12:02d}" for k in range(98, 116)]
    panel = panel_of(study, short, ["5/09", "4/09"])
    assert event_time(panel, "p").iloc[[0, 18]].tolist() == [-14, -13]
    counted = [k // 12 * 100 + k % 12 + 1 for k in range(98, 116)]
    panel = panel_of(study, counted, [905, 904])
    assert event_time(panel, "p").iloc[[0, 18]].tolist() == [-14, -13]
    for first in ([2009, 2008], [905, 2008]):
        with pytest.raises(InputError, match="is no month that a unit could adopt in"):
            panel_of(study, counted, first)


def test_a_period_in_each_year_may_be_adopted_by_year(study):
    panel = panel_of(study, [f"{year}/12" for year in range(2001, 2009)], [2004, 2006])
    assert panel.adoption["p"].tolist() == [4, 6, pd.NA]
    with pytest.raises(
        InputError, match="adoption is given by year, but the panel's periods are m"
    ):
        panel_of(study, [f"{year}/{m:02d}" for year in (2001, 2002) for m in (6, 12)], [2001, 2002])


def test_years_that_are_followed_by_a_month_lie_in_a_panel_of_years(study):
    for first in ([2004.11, 2005.1], ["2004.11", "2005.10"]):
        panel = panel_of(study, range(2001, 2009), first)
        assert panel.adoption["p"].tolist() == [2004, 2005, pd.NA]


def test_one_date_in_each_month_or_year_is_said_and_few_dates_stay_days():
    for way, kind, first in (
        ("last trading days", "month", "2000-11-30"),
        ("a survey a year", "year", "2001-02-03"),
    ):
        found = read(list(WAYS[way]))
        assert (found.kind, found.assumed) == (
            kind,
            (f"{first} stands for its {kind}: one date in each",),
        )
    ends = read(list(pd.date_range("2011-01-01", periods=8, freq="BQE")))
    assert (ends.kind, np.diff(ends.index).tolist()) == ("quarter", [1] * 7)
    for dates in (WAYS["4-week periods"], ["2008-03-12", "2008-07-03", "2009-01-20"]):
        assert (read(dates).kind, read(dates).assumed) == ("day", ())


def test_weekends_are_no_gaps_where_no_period_lies_on_one(study):
    """Adoption on a Saturday counts from Monday; a holiday is a gap; Mondays alone are weeks."""
    days = pd.bdate_range("2010-03-04", periods=40)
    panel = panel_of(study, days, [days[4], days[7] - pd.Timedelta(days=2)])
    assert event_time(panel, "p").iloc[[0, 40]].tolist() == [-4, -7]
    assert "gaps" not in texts(panel)
    assert "days count from Monday to Friday" in texts(panel)["periods_read"]
    assert panel.timeline.label(3) == "2010-03-08"
    assert (panel.timeline.number(3), panel.timeline.year(9)) == (2010, 2010)
    holiday = panel_of(study, days.delete(20), [days[4], days[8]])
    assert texts(holiday)["gaps"].startswith(f"no unit is seen in {days[20]:%Y-%m-%d}: a gap")
    for others in (days[2::5], pd.date_range("2010-03-04", periods=40)):
        assert read(list(others)).kind == "day"


def test_years_under_a_format_of_dates_are_years(study):
    """A spreadsheet shows the year 2008 as 30 June 1905 under such a format."""
    shown = pd.Timestamp("1899-12-30") + pd.to_timedelta(np.arange(2001, 2009), "D")
    assert shown[-1] == pd.Timestamp("1905-06-30")
    for first in ([2004, 2006], [shown[3], shown[5]]):
        panel = panel_of(study, shown, first)
        assert panel.adoption["p"].tolist() == [2004, 2006, pd.NA]
    assert "1905-06-23 is read as 2001: a year under a format" in str(panel.notes)


def stored(unit, steps):
    """Dates so many years or months after 1960, as the formats of Stata make them of counts."""
    return (np.datetime64("1960", unit) + np.asarray(steps)).astype("M8[s]")


@pytest.mark.parametrize(("unit", "each"), [("M", 3), ("M", 1), ("Y", 1)])
def test_a_stored_0_is_never(study, unit, each):
    """csdid wants 0 for never; %tq and %tm show it as a date in 1960, %ty as the year 0."""
    never = stored(unit, 0) if unit == "M" else np.datetime64("0000-01-01", "s")
    dates = stored(unit, each * (200 + np.arange(8)))
    frame = pd.DataFrame({"id": np.repeat(["a", "b", "c"], 8), "when": [*dates] * 3})
    frame["first"] = np.repeat(np.array([dates[3], dates[5], never]), 8)
    frame["y"] = np.random.default_rng(1).normal(size=24)
    panel = validate_panel(frame, study, source="memory")
    assert panel.adoption["p"].isna().tolist() == [False, False, True]
    assert "is a stored 0, read as never (8 rows)" in texts(panel)["stored_zeros"]
    older = frame.assign(first=np.repeat(np.array([stored(unit, -9), dates[5], never]), 8))
    if unit == "Y":
        with pytest.raises(InputError, match="a date in the year 0: a code that is shown as"):
            validate_panel(older, study, source="memory")
        return
    panel = validate_panel(older, study, source="memory")
    assert not panel.adoption["p"].isna().any()
    assert "stored_zeros" not in texts(panel)


def test_stata_counts_beside_formatted_periods(study):
    """gvar without its %tq: 203 in a panel from 2010q1 is 2010q4; other numbers are refused."""
    periods = stored("M", 3 * (200 + np.arange(8)))
    panel = panel_of(study, periods, [203.0, 205.0])
    assert event_time(panel, "p").iloc[[0, 8]].tolist() == [-3, -5]
    assert "203 is read as 2010q4: Stata's count of quarters" in str(panel.notes)
    assert panel_of(study, periods, [203.0, 230.0]).adoption["p"].tolist() == [4, pd.NA, pd.NA]
    days = stored("D", 18000 + np.arange(8))
    assert panel_of(study, days, [18003, 18005]).adoption["p"].tolist() == [4, 6, pd.NA]
    for odd in (999.0, 203.5, -3.0):
        with pytest.raises(InputError, match="'203' is no quarter that a unit could adopt in"):
            panel_of(study, periods, [203.0, odd])


def test_labels_of_adoption_that_are_no_periods_leave_it_to_the_codes(study):
    frame = panel_of(study, range(2001, 2009), [2004, 2006]).frame
    codes = frame[["first"]].rename(columns=str)
    labelled = frame.assign(first=frame["first"].map({2004: "第一批", 2006: "第二批"}))
    panel = validate_panel(labelled, study, source="memory", codes=codes)
    assert panel.adoption["p"].tolist() == [2004, 2006, pd.NA]
    assert "adoption is read by code, for its labels (第一批)" in texts(panel)["adoption_by_code"]
    counted = labelled.assign(when=frame["when"] - 2000)
    with pytest.raises(InputError, match="'第一批' is no period that a unit could adopt in"):
        validate_panel(counted, study, source="memory", codes=codes.where(codes.isna(), 3))


def texts(panel):
    return {note.name: note.text for note in panel.notes}


def read(periods):
    return read_periods(pd.Series(periods), "a.csv", "when", pd.Series(range(2, 2 + len(periods))))


@pytest.mark.parametrize(
    ("periods", "kind", "first", "said"),
    [
        (["01/02/2008", "15/02/2008"], "day", "2008-02-01", ""),
        (["01/02/2008", "02/15/2008"], "day", "2008-01-02", ""),
        (["01/02/2008", "01/03/2008"], "month", "2008-02", "read day first"),
        (["02/01/2008", "03/01/2008"], "month", "2008-02", "read month first"),
        (["05.06.2008", "07.08.2008"], "day", "2008-06-05", "read day first (a dot)"),
        (["03/04/2008", "03/04/2009"], "year", "2008", ""),  # whichever is the month
        (["31/12/08", "31/01/09"], "month", "2008-12", "years of two digits are 1969 to 2068"),
        (["1/31/98", "2/28/98", "1/31/08"], "month", "1998-01", "2068 (1/31/98)"),
        (["31.12.98", "31.12.99", "31.12.00"], "year", "1998", "2068 (31.12.98)"),
        (["30-11-08", "15-12-08"], "day", "2008-11-30", "years of two digits"),
        (["Jan-69", "Jan-70"], "month", "1969-01", "years of two digits are 1969 to 2068"),
        ([39448, 39479], "month", "2008-01", "39448 is read as 2008-01-01"),
        (["2008-1", "2008-2", "2008-3", "2009-4"], "quarter", "2008q1", "read as a quarter"),
        (["2008-1", "2008-2", "2008-3", "2009-5"], "month", "2008-01", ""),
        ([98, 99, 0, 1], "year", "1998", "years of two digits are 1969 to 2068 (98)"),
        ([8, 9, 10, 70], "number", "8", ""),
        ([2008.1, 2008.2, 2008.3, 2009.4], "quarter", "2008q1", "2008.1 is read as a quarter"),
        ([2008001, 2009001], "year", "2008", ""),
        ([2008001, 2008032, 2008060], "day", "2008-01-01", ""),
    ],
)
def test_what_the_whole_column_tells(periods, kind, first, said):
    """The month or the day, the year or the day: told by all values, and said if it was assumed."""
    found = read(periods)
    assert found.kind == kind
    assert written(kind, int(found.index.iloc[0])) == first
    assert bool(found.assumed) == bool(said)
    assert said in "".join(found.assumed)


def test_a_date_of_adoption_is_read_as_those_of_the_panel(study):
    """Of 02/03/2001 alone nothing tells whether it is in February or in March."""
    days = ["02/01/2001", "02/02/2001", "02/03/2001", "02/04/2001", "13/05/2001"]
    panel = panel_of(study, days, ["02/03/2001", None])
    assert panel.timeline.label(int(panel.adoption["p"].iloc[0])) == "02/03/2001"
    by_years = panel_of(study, [2000, 2001, 2002], ["02/03/2001", None])
    assert by_years.adoption["p"].iloc[0] == 2001
    with pytest.raises(InputError, match="may be a day and a month"):
        panel_of(study, months("{y}-{m:02d}"), ["02/03/2001", None])
    with pytest.raises(InputError, match="adoption is given by day"):
        panel_of(study, range(1, 9), ["2001-03-02", None])


def test_stored_weeks_of_stata_are_weeks(study):
    """52 a year, the last of eight or nine days: as days they would be one day apart."""
    days = [pd.Timestamp(2009 + k // 52, 1, 1) + pd.Timedelta(k % 52 * 7, "D") for k in range(6)]
    days += [pd.Timestamp(2009, 12, 24), pd.Timestamp(2010, 1, 1)]
    found = read(days)
    assert found.kind == "week"
    assert found.index.tolist()[-2:] == [52 * 2009 + 51, 52 * 2010]
    assert read(days[:6]).kind == "day"  # seven days apart, whatever they are called


def test_the_year_of_a_period_is_told_however_it_is_typed(study):
    for way in ("spreadsheet days", "Nov-00", "2009-W50", "01/11/2000", "3Q09"):
        timeline = panel_of(study, WAYS[way], [None, None]).timeline
        start = 2000 if way in {"spreadsheet days", "Nov-00", "01/11/2000"} else 2009
        assert [timeline.year(step) for step in (1, 8)] == [
            start,
            start + (1 if way != "3Q09" else 2),
        ]


def test_duplicates_of_a_month_are_named_as_typed(study):
    with pytest.raises(InputError, match="2001-03") as caught:
        panel_of(study, ["2001-03", "2001-03", "2001-04"], [None, None])
    assert "keep one row only where two say the same" in str(caught.value)


def test_an_event_study_of_months_finds_the_path(study):
    """With little noise the terms are the planted path: periods are steps, no year has 88 gaps."""
    periods = [int(text) for text in months("{y}{m:02d}")]
    panel = panel_of(study, periods, [periods[2], periods[5]])
    time = event_time(panel, "p").to_numpy(dtype=float, na_value=np.nan)
    path = np.where(time >= 0, 1 + np.minimum(time, 3), 0.0)
    noise = np.random.default_rng(0).normal(0, 1e-4, len(path))
    frame = panel.frame.assign(first=np.repeat([periods[2], periods[5], None], 8), y=path + noise)
    frame["when"] = periods * 3
    design = build_design(study["t.es"], validate_panel(frame, study, source="memory"))
    dummies = [
        design.unit_index[:, None] == np.arange(3),
        design.period_index[:, None] == np.arange(8),
    ]
    found = np.linalg.lstsq(np.hstack([design.D, *dummies]), design.y, rcond=None)[0]
    tau = dict(zip(design.treatments, found, strict=False))
    expected = {"active:p@0": 1, "active:p@1": 2, "active:p@2": 3, "active:p@>=3": 4}
    for name, value in expected.items():
        assert tau[name] == pytest.approx(value, abs=2e-3)  # twenty of its sds
