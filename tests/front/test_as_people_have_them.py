"""Files and columns as people have them: what is read, what is refused, and what to do then."""

import numpy as np
import pandas as pd
import pytest

import bayesdid as bd
from bayesdid.design.build import build_design
from bayesdid.exceptions import InputError
from bayesdid.families.registry.load import load_study
from bayesdid.front.guess import guess_keys
from bayesdid.front.guess_policies import guess_policies
from bayesdid.front.new_study import propose, write_study
from bayesdid.panel.frames import columns_of
from bayesdid.panel.load import load_panel

FAST = {"errors": "iid", "draws": 100}


def panel(units=12, waves=(2008, 2009, 2010, 2011)):
    rng = np.random.default_rng(4)
    found = pd.MultiIndex.from_product([range(1, units + 1), waves], names=["id", "year"])
    found = found.to_frame(index=False)
    found["treated"] = found["id"] % 2
    found["post"] = (found["year"] >= waves[len(waves) // 2]).astype(int)
    found["start"] = np.where(found["treated"] == 1, waves[len(waves) // 2], np.nan)
    found["z"] = rng.normal(size=units)[found["id"] - 1].round(3)
    found["y"] = rng.normal(size=len(found)).round(3) + found["treated"] * found["post"]
    return found


def written(path, rows, header, above=()):
    table = [*above, *header, *rows]
    width = max(map(len, table))
    table = [[*row, *[None] * (width - len(row))] for row in table]
    pd.DataFrame(table, dtype=object).to_excel(path, index=False, header=False)
    return path


def notes_of(frame, **options):
    study, found = bd.study_of(frame, y="y", unit="id", time="year", **options)
    return {note.name: note.text for note in found.notes}, found, study


def tau(data, formula="y ~ treated:post + z:post | id + year", **options):
    return bd.did(data, formula, **FAST, **options).tau()


def test_semicolons_and_decimal_commas_are_read(tmp_path):
    frame = panel()
    frame["big"] = (frame["y"] * 1e4).round(1)
    wanted = columns_of(frame).frame
    thousands = frame.copy()
    thousands["big"] = [f"{v:,.1f}".translate(str.maketrans(",.", ".,")) for v in frame["big"]]
    thousands["many"] = [f"{1000 + k:,}".replace(",", ".") for k in range(len(frame))]
    thousands.to_csv(tmp_path / "a.csv", sep=";", decimal=",", index=False)
    raw = columns_of(tmp_path / "a.csv", ("id", "year"))
    np.testing.assert_allclose(raw.frame[wanted.columns], wanted, equal_nan=True)
    assert raw.frame["many"].tolist() == [1000 + k for k in range(len(frame))]
    _, found = bd.study_of(tmp_path / "a.csv", "y ~ treated:post + big | id + year")
    said = {note.name: note.text for note in found.notes}
    assert said["separator"] == "columns are separated by semicolons"
    assert said["decimal_commas"] == (
        "decimal commas in start, z, y, big; dots in many are read as those of thousands"
    )
    dated = bd.study_of(tmp_path / "a.csv", y="y", unit="id", time="year", policies={"p": "start"})[
        1
    ]
    assert dated.adoption["p"].dropna().eq(2010).sum() == 6
    unknown = columns_of(tmp_path / "a.csv")  # keys not known, as new-study reads it
    assert list(unknown.frame.columns) == list(raw.frame.columns)
    frame.to_csv(tmp_path / "b.csv", sep="\t", index=False)
    tabs = columns_of(tmp_path / "b.csv", ("id", "year"))
    np.testing.assert_allclose(tabs.frame, wanted, equal_nan=True)


def test_a_decimal_point_between_semicolons_stays_one(tmp_path):
    frame = panel().assign(share=[f"{0.125 + k}" for k in range(48)])
    frame.to_csv(tmp_path / "a.csv", sep=";", index=False)
    raw = columns_of(tmp_path / "a.csv", ("id", "year"))
    assert raw.frame["share"].tolist() == [0.125 + k for k in range(48)]


@pytest.mark.parametrize(
    ("code", "value"),
    [(-999, "-999"), (-1.0, "-1"), (99, "99"), ("未知", "未知"), ("Unknown", "Unknown")],
)
def test_codes_for_never_are_no_years(code, value):
    frame = panel()
    frame["start"] = frame["start"].astype(object).where(frame["treated"] == 1, code)
    with pytest.raises(InputError, match=f"'{value}.*leave the cell empty where a unit never"):
        notes_of(frame, policies={"p": "start"})
    for word in ("Never treated", "未试点", "control"):
        words = frame.assign(start=frame["start"].where(frame["treated"] == 1, word))
        assert notes_of(words, policies={"p": "start"})[1].adoption["p"].notna().sum() == 6
    late = frame.assign(start=frame["start"].where(frame["treated"] == 1, 9999))
    said, found, _ = notes_of(late, policies={"p": "start"})
    assert "never, in this panel" in " ".join(said.values())
    assert found.adoption["p"].notna().sum() == 6


@pytest.mark.parametrize("code", [999999, -999, 9999])
def test_codes_for_never_are_no_months(code):
    frame = panel(waves=(200811, 200812, 200901, 200902))
    frame["start"] = frame["start"].fillna(code)
    with pytest.raises(InputError, match=f"'{code}' is no month that a unit could adopt in"):
        notes_of(frame, policies={"p": "start"})
    frame["start"] = frame["start"].where(frame["treated"] == 1, 0)
    assert notes_of(frame, policies={"p": "start"})[1].adoption["p"].notna().sum() == 6


def test_periods_of_numbers_may_be_adopted_before_the_first():
    frame = panel(waves=(1, 2, 3, 4)).assign(start=lambda f: np.where(f["treated"], -1.0, 3.0))
    assert notes_of(frame, policies={"p": "start"})[1].adoption["p"].notna().all()


def test_parts_of_a_product_that_effects_take_up_leave_it():
    frame = panel()
    with_parts = bd.did(frame, "y ~ treated*post | id + year", **FAST)
    alone = bd.did(frame, "y ~ treated:post | id + year", **FAST)
    np.testing.assert_allclose(with_parts.tau(), alone.tau())
    said = with_parts.summary()
    assert "note: treated is left out: the effects of id take it up; its product stays" in said
    assert "note: post is left out: the effects of year take it up" in said
    study, _ = bd.study_of(frame, "y ~ treated*post | random(id)", time="year")
    assert study["did.1"].column.treatments == ("treated", "post", "treated * post")


def test_rows_of_weight_zero_are_left_out_and_negative_ones_refused():
    frame = panel().assign(w=1.0)
    frame.loc[:3, "w"] = 0
    fit = bd.did(frame, "y ~ treated:post | id + year", weights="w", **FAST)
    assert "note: 4 rows of w 0 left out" in fit.summary()
    shorter = bd.did(frame.iloc[4:], "y ~ treated:post | id + year", weights="w", **FAST)
    np.testing.assert_allclose(fit.tau(), shorter.tau())
    frame.loc[7, "w"] = -2
    study, found = bd.study_of(frame, "y ~ treated:post | id + year", weights="w")
    with pytest.raises(InputError, match=r"column 'w'.*negative, in 1 rows \(value: -2 \(2, 2011"):
        build_design(study["did.1"], found)


@pytest.mark.parametrize(
    ("change", "remedy"),
    [
        (lambda f: pd.concat([f, f.iloc[:2]]), "alike in every column"),
        (
            lambda f: f.assign(month=f["year"] - 2007, year=2008 + f["year"] % 2),
            r"month tells them apart: .*period: year \* 100 \+ month",
        ),
        (lambda f: f.assign(year=2008, quarter=f["year"] - 2007), r"year \* 10 \+ quarter"),
        (lambda f: f.assign(id=1), "name a finer unit"),
    ],
)
def test_what_to_do_about_two_rows_of_a_unit_and_period(change, remedy):
    with pytest.raises(InputError, match=remedy):
        notes_of(change(panel()), policies={"p": "start"})


def test_what_tells_rows_of_one_unit_and_period_apart_is_named():
    """Two indicators below one another, as statistical offices export them; both remedies work."""
    plain = panel()
    both = pd.concat([plain.assign(what="GDP"), plain.assign(what="people", y=plain["y"] * 9)])
    formula = "y ~ treated:post | id + year"
    with pytest.raises(InputError, match=r"what tells them apart \(GDP, people\)") as caught:
        bd.study_of(both, formula)
    assert "df[df['what'] == 'GDP']" in str(caught.value)
    kept = bd.study_of(both[both["what"] == "GDP"], formula)[1]
    assert len(kept.frame) == len(plain)
    finer = both.assign(id=both["id"].astype(str) + both["what"])
    assert len(bd.study_of(finer, formula)[1].frame) == len(both)


def test_years_in_two_ways_as_names_of_columns():
    plain = panel()
    wide = plain.pivot_table(index="id", columns="year", values="y")
    wide.columns = [f"{year} [YR{year}]" for year in wide.columns]
    with pytest.raises(InputError, match="hold one period each") as caught:
        bd.study_of(wide.reset_index(), "y ~ D | id + year")
    code = str(caught.value).partition("(long format): ")[2].rstrip(".")
    long = eval(code.replace("NAME OF THE VARIABLE", "y"), {"df": wide.reset_index()})
    order = ["id", "year"]
    same = long.astype({"year": int}).sort_values(order).reset_index(drop=True)
    pd.testing.assert_frame_equal(same, plain.sort_values(order)[["id", "year", "y"]])


def test_a_year_beside_months_makes_the_period():
    frame = panel().assign(month=lambda f: 1 + f["year"] % 2)
    with pytest.raises(InputError, match=r"year tells them apart: .*period: year \* 100 \+ month"):
        bd.did(frame, "y ~ treated:post | id + month", **FAST)


def test_two_waves_may_be_before_and_after_as_true_and_false():
    frame = panel(waves=(2008, 2009))
    wanted = tau(frame)
    np.testing.assert_allclose(tau(frame.assign(year=frame["year"] == 2009)), wanted)


def test_a_policy_named_in_chinese_is_told_a_name_that_works():
    frame = panel()
    with pytest.raises(InputError, match=r'give policies=\{"policy": "start"\}'):
        notes_of(frame, policies={"试点": "start"})
    assert notes_of(frame, policies={"policy": "start"})[1].policies == ("policy",)


@pytest.mark.parametrize("states", [(1, 2), ("旧", "新")])
def test_a_state_that_is_not_coded_0_and_1_is_no_period(states):
    frame = panel()
    frame["on"] = np.where(frame["treated"] * frame["post"] == 1, states[1], states[0])
    with pytest.raises(
        InputError, match=r"is its state, .*(1 and 2|新 and 旧|旧 and 新).*code it 0"
    ):
        notes_of(frame, policies={"p": "on"})
    assert notes_of(frame.assign(on=frame["treated"] * frame["post"]), policies={"p": "on"})


def test_missing_states_of_a_policy_say_how_to_leave_them_out():
    frame = panel().assign(on=lambda f: (f["treated"] * f["post"]).astype(float))
    frame.loc[3, "on"] = np.nan
    with pytest.raises(InputError, match=r"leave such rows out: take them away, or say missing"):
        notes_of(frame, policies={"p": "on"})
    with pytest.raises(InputError, match=r"all others are 1: fill in 0, df.fillna\(\{'on': 0\}\)"):
        notes_of(frame.replace({"on": {0: np.nan}}), policies={"p": "on"})


def test_a_mark_in_a_number_is_not_called_a_word():
    frame = panel().astype({"z": object})
    frame.loc[3, "z"] = "…"
    with pytest.raises(InputError, match=r"not a number but a mark.*0 if it means less than the"):
        bd.did(frame, "y ~ treated:post + z | id + year", **FAST)


HEAD = ["id", "year", "经济", "排放", None, "start"]
BELOW = [None, None, "gdp", "y", "总量", None]


def yearbook(frame, merged):
    rows = []
    for row in frame.itertuples():
        first = row.year == 2008
        key = row.id if first or not merged else None
        start = None if np.isnan(row.start) else row.start
        rows.append([key, row.year, 100 + row.z, row.y, 2 * row.y, start])
    return rows


@pytest.mark.parametrize("merged", [False, True])
def test_a_single_name_below_a_heading_is_the_columns(tmp_path, merged):
    frame = panel()
    path = written(tmp_path / "a.xlsx", yearbook(frame, merged), [HEAD, BELOW], [["年鉴"]])
    said, found, _ = notes_of(path, policies={"p": "start"}, covariates=["gdp"])
    np.testing.assert_allclose(found.frame["gdp"], 100 + frame["z"])
    assert said["two_header_rows"] == "two header rows: columns are called gdp, y, 总量"
    text = "36 empty cells of id, below a filled one, were taken as merged"
    assert said.get("merged_units") == (text if merged else None)


def test_a_forgotten_unit_is_not_taken_as_merged(tmp_path):
    rows = yearbook(panel(), merged=False)
    rows[5][0] = None
    path = written(tmp_path / "a.xlsx", rows, [HEAD, BELOW])
    with pytest.raises(InputError, match="a key is missing"):
        notes_of(path, policies={"p": "start"})


def test_a_unit_of_measurement_below_a_heading_is_no_name(tmp_path):
    below = [None, None, "万元", "y", "总量", None]
    path = written(tmp_path / "a.xlsx", yearbook(panel(), False), [HEAD, below])
    assert "经济" in columns_of(path, ("id", "year")).frame


def test_a_new_study_looks_beyond_a_cover_and_a_second_header_row(tmp_path):
    with pd.ExcelWriter(tmp_path / "a.xlsx") as out:
        pd.DataFrame([["年鉴"]]).to_excel(out, sheet_name="封面", index=False, header=False)
        table = [HEAD, BELOW, *yearbook(panel(), merged=True)]
        pd.DataFrame(table, dtype=object).to_excel(
            out, sheet_name="数据", index=False, header=False
        )
    found = propose(tmp_path / "a.xlsx")
    assert (found.keys.unit.name, found.keys.period.name) == ("id", "year")
    assert [policy.column for policy in found.policies] == ["start"]
    assert {"gdp", "y", "总量"} <= {name for _, name, _ in found.rows()}


def test_a_new_study_says_which_mark_keeps_a_covariate_out(tmp_path):
    frame = panel().drop(columns=["treated", "post"]).assign(word="")
    frame["gdp"] = frame["z"].astype(object).where(frame.index != 3, "…")
    frame["word"] = [f"a{k}" for k in range(len(frame))]
    frame.to_csv(tmp_path / "a.csv", index=False)
    left = {guess.name: guess.reason for guess in propose(tmp_path / "a.csv").left}
    assert left["gdp"] == (
        "numbers, but 1 cells hold a mark ('…'): say --missing '…' if it means not known"
    )
    assert left["word"] == "no numbers"


def test_a_first_row_with_empty_cells_is_no_second_header(tmp_path):
    table = [["name", "code", "gdp", "pop"], ["a", "x", None, None], ["b", "y", 1, 2]]
    path = written(tmp_path / "a.xlsx", table[1:], table[:1])
    assert list(columns_of(path).frame.columns) == table[0]


def test_a_wide_file_is_answered_with_the_callers_names(tmp_path):
    wide = panel().pivot_table(index=["id", "start"], columns="year", values="y").reset_index()
    wide.columns = [f"强度{c}" if isinstance(c, int) else c for c in wide.columns]
    wide.to_excel(tmp_path / "a.xlsx", index=False)
    command = r"pd.wide_to_long\(df, \['强度'\], i='id', j='{}'\)"
    with pytest.raises(InputError, match=command.format("年份")):
        bd.did(tmp_path / "a.xlsx", y="强度", unit="id", time="年份", policies={"p": "start"})
    with pytest.raises(InputError, match=command.format("year")):
        propose(tmp_path / "a.xlsx")


def quoted(path, columns):
    """A file that commas separate, every cell in quotes."""
    frame = panel(units=6).drop(columns=["start", "y", "z"]).assign(**columns)
    frame.to_csv(path, index=False, quoting=1)
    return path


FRACTIONS = [0.25 + k for k in range(24)]
MILLIONS = [1_500_000 + 1000 * k for k in range(24)]
OPEN = [1000 + 7 * k for k in range(24)]  # 1,007: a thousand, or hardly more than one


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_commas_in_quotes_are_what_the_file_tells(tmp_path, suffix):
    decimal = {"x": [f"{v:.2f}".replace(".", ",") for v in FRACTIONS]}
    points = {"x": [f"{v:.2f}" for v in FRACTIONS], "big": [f"{v:,}" for v in MILLIONS]}
    open_ = {"n": [f"{v:,}" for v in OPEN]}
    spaced = {"n": [f"{v:,}".replace(",", "\u00a0") for v in OPEN]}
    for columns, name, wanted, note in (
        (decimal | open_, "x", FRACTIONS, "decimal commas in x, n"),
        (decimal | open_, "n", [v / 1000 for v in OPEN], "decimal commas in x, n"),
        (points | open_, "n", OPEN, "commas in big, n are read as those of thousands"),
        (points | open_, "big", MILLIONS, "commas in big, n are read as those of thousands"),
        (spaced, "n", OPEN, ""),
    ):
        file = tmp_path / f"a.{suffix}"
        if suffix == "csv":
            own = {key: [str(v) for v in values] for key, values in columns.items()}
            quoted(file, own)
        else:
            panel(units=6).assign(**columns).to_excel(file, index=False)
        _, found = bd.study_of(file, f"{name} ~ treated:post | id + year")
        assert found.frame[name].tolist() == pytest.approx(wanted)
        texts = [item.text for item in found.notes]
        assert not note or note in texts


def test_what_nothing_tells_is_refused(tmp_path):
    plain = {"y": [str(k) for k in range(24)]}
    file = quoted(tmp_path / "a.csv", plain | {"n": [f"{v:,}" for v in OPEN]})
    with pytest.raises(InputError, match="decimal comma") as caught:
        bd.study_of(file, "n ~ treated:post | id + year")
    assert "no thousands separator" in caught.value.remedy
    both = plain | {"n": [f"{v:,}" for v in OPEN], "a": ["1,5"] * 24, "b": ["1.5"] * 24}
    with pytest.raises(InputError, match="decimal comma"):
        bd.study_of(quoted(file, both), "n ~ treated:post | id + year")
    for name in ("a", "b"):  # which tell themselves
        assert (
            bd.study_of(file, f"y ~ {name} + treated:post | id + year")[1].frame[name].eq(1.5).all()
        )


def test_marks_of_footnotes_are_taken_from_numbers(tmp_path):
    frame = panel().astype({"y": object})
    frame.loc[[3, 9, 20], "y"] = [f"{frame['y'][3]}*", f"{frame['y'][9]}①", f"{frame['y'][20]} †"]
    frame.to_excel(tmp_path / "a.xlsx", index=False)
    said, found, _ = notes_of(tmp_path / "a.xlsx", policies={"p": "start"})
    assert found.frame["y"].tolist() == pytest.approx(panel()["y"].tolist())
    assert said["footnote_marks"].startswith("3 numbers of y had the mark of a footnote (")
    odd = frame.assign(y=[f"{v}*" for v in panel()["y"]])  # what all have is no footnote
    with pytest.raises(InputError, match="not a number"):
        notes_of(odd.assign(y=odd["y"]), policies={"p": "start"})


@pytest.mark.parametrize("word", ["W{}", "wave {}", "Round-{}", "第{}期", "t{}"])
def test_waves_are_steps_and_shown_as_typed(word):
    frame = panel(waves=(1, 2, 4, 5))
    plain = tau(frame, "y ~ treated:post | id + year")
    frame["start"] = frame["start"].map(lambda t: word.format(int(t)), na_action="ignore")
    frame["year"] = [word.format(t) for t in frame["year"]]
    said, found, _ = notes_of(frame, policies={"p": "start"})
    assert [found.timeline.label(step) for step in found.periods] == [
        word.format(t) for t in (1, 2, 4, 5)
    ]
    assert said["gaps"].startswith(f"no unit is seen in {word.format(3)}: a gap")
    assert found.adoption["p"].dropna().eq(4).sum() == 6  # the fourth step
    np.testing.assert_array_equal(tau(frame, "y ~ treated:post | id + year"), plain)
    number = frame.assign(start=frame["treated"].map({1: 4.0}))
    assert notes_of(number, policies={"p": "start"})[1].adoption.equals(found.adoption)
    with pytest.raises(InputError, match="'2010' is no wave"):
        notes_of(number.assign(start=2010), policies={"p": "start"})
    with pytest.raises(InputError, match="is not a period"):
        notes_of(
            frame.assign(year=frame["year"].replace(word.format(5), "Z5")), policies={"p": "start"}
        )
    with pytest.raises(InputError, match="adoption is given by wave"):
        notes_of(frame.assign(year=panel()["year"]), policies={"p": "start"})


def test_chinese_numerals_count_waves():
    frame = panel(waves=(1, 2, 3, 4))
    frame["year"] = ["第" + "一二三四"[t - 1] + "轮" for t in frame["year"]]
    _, found, _ = notes_of(frame.assign(start=None), policies={"p": "start"})
    assert list(found.periods) == [1, 2, 3, 4]
    assert found.timeline.label(2) == "第二轮"


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_a_sheet_with_a_column_for_each_unit_says_how_to_make_it_long(tmp_path, suffix):
    frame = panel(units=6)
    across = frame.pivot_table(index="year", columns="id", values="y").add_prefix("c").reset_index()
    file = tmp_path / f"a.{suffix}"
    across.to_csv(file, index=False) if suffix == "csv" else across.to_excel(file, index=False)
    for call in (
        lambda: bd.study_of(file, y="y", unit="id", time="year", policies={"p": "start"}),
        lambda: bd.study_of(across, "y ~ d | id + year"),
        lambda: propose(file),
    ):
        with pytest.raises(InputError, match=r"c1, c2, c3, \.\.\. hold one unit each") as caught:
            call()
    command = str(caught.value.remedy).split("(long format): ")[1]
    long = eval(command.replace("NAME OF THE VARIABLE", "y"), {"df": across})
    assert command.startswith("df.melt(")
    assert sorted(long["y"]) == sorted(frame["y"])
    with pytest.raises(InputError, match=r"did you mean|there are"):  # a long file with a typo
        bd.study_of(frame, "yy ~ post | id + year")


def test_marks_of_what_is_not_known_are_said_once(tmp_path):
    frame = panel().assign(x=[f"{1000.5 + k:,}" for k in range(48)])
    frame.loc[[1, 2], "x"] = ["…", " -- "]
    frame.to_excel(tmp_path / "a.xlsx", index=False)
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_stata(tmp_path / "a.dta", write_index=False, version=118)
    frame.to_parquet(tmp_path / "a.parquet")
    for data in (frame, *(tmp_path / f"a.{kind}" for kind in ("xlsx", "csv", "dta", "parquet"))):
        with pytest.raises(InputError, match="not a number but a mark") as caught:
            bd.study_of(data, "y ~ treated:post + x | id + year")
        assert 'say missing_marks = ["…"]' in caught.value.remedy
        _, found = bd.study_of(data, "y ~ treated:post + x | id + year", missing_marks=["…", "--"])
        said = {note.name: note.text for note in found.notes}
        assert said["missing_marks"] == "2 cells holding … or -- were read as not known"
        assert said["thousands"] == "commas in x are read as those of thousands"
        assert found.frame["x"].isna().sum() == 2
        assert found.frame["x"].iloc[0] == 1000.5
    assert frame.loc[1, "x"] == "…"  # the caller's
    assert not propose(tmp_path / "a.xlsx").covariates
    found = propose(tmp_path / "a.xlsx", missing_marks=["…", "--"])
    assert "x" in {guess.name for guess in (*found.covariates, found.outcome)}
    write_study(found, tmp_path / "a.xlsx", tmp_path / "study")
    own = load_panel(load_study(tmp_path / "study"))
    assert "missing_marks" in {note.name for note in own.notes}


def test_several_policies_without_a_latin_name_get_ids():
    frame = panel(units=24, waves=tuple(range(2008, 2016)))
    names = ("创新型城市", "智慧城市", "低碳城市")
    for k, name in enumerate(names):
        frame[name] = np.where(frame["id"] % (k + 2) == 0, 2010 + k + frame["id"] % 3, 0)
    frame = frame.drop(columns=["treated", "post", "start"])
    with pytest.raises(InputError, match="a policy's id has letters") as caught:
        bd.study_of(frame, y="y", unit="id", time="year", policies=names)
    assert 'policies={"policy1": "创新型城市", "policy2": "智慧城市"' in caught.value.remedy
    assert "--policy policy3=低碳城市" in caught.value.remedy
    found, _ = guess_policies(frame, {}, guess_keys(frame, {}, None, None), {})
    assert sorted(p.id for p in found) == ["policy1", "policy2", "policy3"]  # years: no regions
    assert {p.column for p in found} == set(names)
    frame = frame.assign(year=frame["year"] - 2007, **{n: frame[n] % 100 % 8 for n in names})
    with pytest.raises(InputError, match="no column looks like a policy"):
        guess_policies(frame, {}, guess_keys(frame, {}, None, None), {})


WORDS = [
    ("No", "Yes"),
    ("FALSE", "TRUE"),
    ("n", "Y"),
    ("F", "T"),
    ("否", "是"),
    ("非试点", "试点"),
    ("non-pilot", "Pilot"),
    ("×", "√"),
    (" control", "Treated "),
    ("0.0", "1.0"),
]


@pytest.mark.parametrize(("off", "on"), WORDS)
@pytest.mark.parametrize("kind", ["frame", "csv", "xlsx"])
def test_two_words_for_a_state_are_0_and_1(tmp_path, kind, off, on):
    """As a treatment, as part of one, and as a policy, with a note of what is which."""
    plain = panel().assign(d=lambda f: f["treated"] * f["post"])
    frame = plain.assign(d=np.where(plain["d"], on, off), post=np.where(plain["post"], on, off))
    data = frame if kind == "frame" else tmp_path / f"a.{kind}"
    if kind == "csv":
        frame.to_csv(data, index=False)
    if kind == "xlsx":
        frame.to_excel(data, index=False)
    noted = 0 if on == "1.0" else 1
    for formula in ("y ~ d | id + year", "y ~ treated:post | id + year"):
        _, found = bd.study_of(data, formula)
        np.testing.assert_array_equal(
            found.frame["d" if " d " in formula else "post"],
            plain["d" if " d " in formula else "post"],
        )
        said = [note.text for note in found.notes if note.name == "state_in_words"]
        assert len(said) == noted
    _, found = bd.study_of(data, y="y", unit="id", time="year", policies=["d"])
    assert found.adoption["d"].dropna().unique().tolist() == [2010]
    said = [note.text for note in found.notes if note.name == "state_in_words"]
    assert said == [f"d: {on.strip()} is read as 1 (12 rows) and {off.strip()} as 0 (36)"] * noted


@pytest.mark.parametrize(
    ("off", "on", "words"),
    [("No", "Sí", "a word or label"), ("No", "treated", "a word or label"), ("0", "Yes", "label")],
)
def test_other_words_are_refused_with_what_to_do(off, on, words):
    frame = panel().assign(d=lambda f: np.where(f["treated"] * f["post"], on, off))
    with pytest.raises(InputError, match=words) as caught:
        bd.study_of(frame, "y ~ d | id + year")
    assert "0 and 1 for no and yes" in caught.value.remedy
    with pytest.raises(InputError, match="written as 0 and 1") as caught:
        bd.study_of(frame, y="y", unit="id", time="year", policies=["d"])
    assert "No and Yes" in caught.value.remedy
    labelled = frame.assign(d=pd.Categorical(frame["d"]))
    with pytest.raises(InputError, match=words) as caught:
        bd.study_of(labelled, "y ~ d | id + year")
    assert "of a Stata file give the path: its codes are read" in caught.value.remedy


@pytest.mark.parametrize(
    ("codes", "refused"),
    [({0: "No", 1: "Yes"}, ""), ({2: "No", 1: "Yes"}, ""), ({1: "No", 0: "Yes"}, "label")],
)
def test_labels_of_a_stata_state_agree_with_its_codes(tmp_path, codes, refused):
    """1 for yes and 2 for no, as surveys code it, by label; 0 for yes is refused."""
    plain = panel().assign(d=lambda f: f["treated"] * f["post"])
    number = {label: code for code, label in codes.items()}
    coded = plain["d"].map({0: number["No"], 1: number["Yes"]})
    plain.assign(d=coded).to_stata(tmp_path / "a.dta", write_index=False, value_labels={"d": codes})
    for more in (
        {"formula": "y ~ d | id + year"},
        {"y": "y", "unit": "id", "time": "year", "policies": "d"},
    ):
        if refused:
            with pytest.raises(InputError, match=r"its code \d has the label"):
                bd.study_of(tmp_path / "a.dta", **more)
        else:
            _, found = bd.study_of(tmp_path / "a.dta", **more)
            np.testing.assert_array_equal(found.frame["d"], plain["d"])


def test_dates_within_a_period_are_proposed_as_adoption(tmp_path):
    """2010-03-15 in a panel of years, 15/03/2010 in one of months of dd/mm/yyyy."""
    yearly = panel().assign(start=lambda f: f["start"].map(lambda y: f"{y:.0f}-03-15", "ignore"))
    monthly = panel().assign(year=lambda f: f["year"].map(lambda y: f"01/{y - 2006:02d}/2010"))
    monthly["start"] = monthly["start"].map(lambda y: f"15/{y - 2006:02.0f}/2010", "ignore")
    for frame in (yearly, monthly):
        frame.drop(columns=["treated", "post"]).to_csv(tmp_path / "a.csv", index=False)
        found = propose(tmp_path / "a.csv")
        assert [(p.column, p.by) for p in found.policies] == [("start", "adoption")]
        assert int(found.policies[0].on.sum()) == 12


@pytest.mark.parametrize("named", [{}, {"time": "year"}])
def test_periods_that_nobody_can_read_are_named_when_keys_are_looked_for(tmp_path, named):
    frame = panel().assign(year=lambda f: f["year"].map(lambda y: f"0{y - 2006}/0{y - 2004}/2010"))
    frame.to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(InputError, match="may be a day and a month or a month and a day"):
        propose(tmp_path / "a.csv", **named)


def test_words_of_a_state_are_proposed_as_a_policy(tmp_path):
    plain = panel().assign(d=lambda f: np.where(f["treated"] * f["post"], "Yes", "No"))
    plain.drop(columns=["treated", "post", "start"]).to_csv(tmp_path / "a.csv", index=False)
    found = propose(tmp_path / "a.csv")
    assert [(p.column, p.by) for p in found.policies] == [("d", "indicator")]
    write_study(found, tmp_path / "a.csv", tmp_path / "study")
    own = load_panel(load_study(tmp_path / "study"))
    assert own.adoption.notna().sum().item() == 6


def test_gaps_of_months_are_named_as_months_are_typed():
    said, _, _ = notes_of(panel(waves=(201811, 201812, 201902, 201903)), policies={"p": "start"})
    assert said["gaps"].startswith("no unit is seen in 201901: a gap")


def test_names_that_look_alike_are_noted():
    frame = panel(units=6)
    names = {1: "天津", 2: "北京", 3: "北 京", 4: "上海", 5: "上海①", 6: "Total loss"}
    frame["id"] = frame["id"].map(names)
    said, _, _ = notes_of(frame, policies={"p": "start"})
    assert said["units_alike"].endswith("different units: '北京' and '北 京'; '上海' and '上海①'")
    frame["id"] = frame["id"].replace({"北京": "北京市", "上海": "延边", "上海①": "延边自治州"})
    said, _, _ = notes_of(frame.replace({"id": {"Total loss": "邢台县"}}), policies={"p": "start"})
    assert said["units_ranked"].endswith(
        "different units: '北 京' and '北京市'; '延边' and '延边自治州'; write each in one way"
    )
    said, _, _ = notes_of(panel(), policies={"p": "start"})
    assert not {"total_unit", "unit_adds_up", "units_alike", "units_ranked"} & set(said)


CITIES = [f"{k}市" for k in range(11)]


@pytest.mark.parametrize(
    ("total", "others"),
    [
        ("全 国", CITIES),
        ("河北省合计", CITIES),
        ("河北省", CITIES),  # a province among cities
        ("Grand total", None),
        ("United States", ["California", "Texas", *"abcdefghi"]),
        ("US", ["CA", "TX", *"abcdefghi"]),
    ],
)
def test_units_that_are_totals_by_their_names_are_left_out(total, others):
    """Also where what would be a unit has no value of the policy."""
    plain = panel(units=11)
    names = others or [f"c{k}" for k in range(11)]
    frame = plain.assign(id=plain["id"].map(lambda k: names[k - 1]))
    more = frame[:4].assign(id=total, treated=np.nan, y=100.0)
    said, found, _ = notes_of(pd.concat([more, frame]), policies={"p": "start"})
    assert said["total_unit"] == (
        f"left out: 4 rows of {total!r}, by its name a total or mean of other units; rename it if "
        "it is a unit of its own"
    )
    assert set(found.frame["id"]) == set(names)


@pytest.mark.parametrize(
    "names",
    [
        ["United States", "France", "Japan", "Kenya", "Peru"],
        ["河北省", "1市", "2市", "3市", "4市"],  # four municipalities among provinces
        ["Total loss", "Totality", "Mean Street", "a", "b"],
        ["Total", "All"],  # nothing would be left
        ["Total", "All", "x"],
    ],
)
def test_names_of_units_of_their_own_stay(names):
    frame = panel(units=len(names))
    frame["id"] = frame["id"].map(lambda k: names[k - 1])
    said, found, _ = notes_of(frame, policies={"p": "start"})
    assert "total_unit" not in said
    assert len(found.frame) == len(frame)


def adds_up(frame, name, how, members=None):
    rows = frame if members is None else frame[frame["id"].isin(members)]
    total = rows.groupby("year", as_index=False).agg({"pop": how, "y": "mean"})
    total["y"] = total["y"] if how == "max" else 0.7
    return total.assign(id=name, start=np.nan)


@pytest.mark.parametrize("case", ["all", "mean", "below", "codes"])
def test_units_that_add_up_to_others_are_left_out_whatever_their_names(case):
    """By a column that no term needs, of which all values are told."""
    rng = np.random.default_rng(2)
    codes = [f"{13 + k // 6}0{k % 6 + 1}00" for k in range(12)]
    frame = panel().assign(id=np.repeat(codes, 4), pop=rng.integers(10**4, 10**6, 48))
    first, second = codes[:6], codes[6:]
    match case:
        case "all":
            parts = [frame, adds_up(frame, "Q", "sum")]
        case "mean":
            parts = [adds_up(frame, "Q", "max"), frame]
        case "below":
            frame["id"] = "c" + frame["id"]
            parts = []
            for name, six in (("P", first), ("Q", second)):
                six = [f"c{one}" for one in six]
                parts += [adds_up(frame, name, "sum", six), frame[frame["id"].isin(six)]]
        case "codes":
            parts = [adds_up(frame, "140000", "sum", second), frame]
            parts += [adds_up(frame, "130000", "sum", first)]
    said, found, _ = notes_of(pd.concat(parts), policies={"p": "start"})
    assert set(found.frame["id"]) == set(frame["id"])
    text, column = said["unit_adds_up"], "y" if case == "mean" else "pop"
    how, count = ("mean" if case == "mean" else "sum"), 12 if case in {"all", "mean"} else 6
    assert f"{column} of " in text
    assert f"is the {how} of that of {count} other units" in text
    assert text.startswith("left out: 1 unit that adds up to" if count == 12 else "left out: 2 un")


def test_columns_that_people_make_have_no_totals():
    """Trends, sums of effects, few counts, constants: some unit is their mean or sum by chance."""
    rng = np.random.default_rng(0)
    frame = panel(units=15, waves=range(2000, 2008))
    frame["trend"] = frame["id"] * (frame["year"] - 1999)
    frame["both"] = frame["id"] + frame["year"]
    frame["few"] = rng.poisson(0.5, len(frame))
    frame["one"], frame["y"] = 1, frame["id"] * 1.0 + frame["year"] * 0.5
    assert "unit_adds_up" not in notes_of(frame, policies={"p": "start"})[0]


@pytest.mark.parametrize("suffix", ["frame", "csv", "xlsx"])
def test_digits_of_a_chinese_keyboard_are_digits(tmp_path, suffix):
    """And its comma is one of thousands, as it is beside any other column that tells."""
    wide = str.maketrans("0123456789.,-", "０１２３４５６７８９．，－")
    frame = panel().assign(x=[f"{1000.5 * (k - 3):,.1f}".translate(wide) for k in range(48)])
    data = frame if suffix == "frame" else tmp_path / f"a.{suffix}"
    if suffix == "csv":
        frame.to_csv(data, index=False, encoding="gb18030")
    if suffix == "xlsx":
        frame.to_excel(data, index=False)
    _, found = bd.study_of(data, "x ~ treated:post | id + year")
    np.testing.assert_allclose(found.frame["x"], 1000.5 * (np.arange(48) - 3))


def pieces(path, frames):
    with pd.ExcelWriter(path) as book:
        for name, frame in frames.items():
            frame.to_excel(book, sheet_name=name, index=False)
    return path


def test_sheets_that_are_pieces_of_one_panel_are_not_left_out(tmp_path):
    """By year with and without its column, by hand where a sheet is named; others are noted."""
    frame = panel()
    years = {f"{year}年": part for year, part in frame.groupby("year")}
    book = pieces(tmp_path / "a.xlsx", years)
    with pytest.raises(InputError, match=r"4 sheets have the same columns.*names=\['sheet'\]"):
        bd.did(book, "y ~ treated:post | id + year", **FAST)
    bare = {name: part.drop(columns="year") for name, part in years.items()}
    with pytest.raises(InputError, match="4 sheets have the same columns") as caught:
        bd.did(pieces(tmp_path / "b.xlsx", bare), "y ~ treated:post | id + year", **FAST)
    _, command = caught.value.remedy.split("df = ")
    whole = eval(command.replace("'b.xlsx'", "book"), {"pd": pd, "book": tmp_path / "b.xlsx"})
    np.testing.assert_allclose(tau(whole), tau(frame))
    for way in (lambda: propose(book), lambda: propose(tmp_path / "b.xlsx")):
        with pytest.raises(InputError, match="4 sheets have the same columns"):
            way()
    versions = pieces(tmp_path / "c.xlsx", {"raw": frame, "winsorised": frame.assign(y=0.5)})
    write_study(propose(versions, sheet="raw"), versions, tmp_path / "study")
    np.testing.assert_allclose(load_panel(load_study(tmp_path / "study")).frame["y"], frame["y"])
    other = {"a": frame, "b": frame[["id", "year", "z"]], "notes": pd.DataFrame({"注": ["x"] * 9})}
    said = bd.study_of(pieces(tmp_path / "d.xlsx", other), "y ~ treated:post | id + year")[1].notes
    (note,) = [note.text for note in said if note.name == "sheet"]
    assert note == "read from sheet a: b has other columns beside the keys"


def test_rows_that_repeat_the_header_or_are_empty_are_passed_over(tmp_path):
    """Rows keep the numbers that they have in the file."""
    frame = panel()
    rows, header = frame.astype(object).to_numpy().tolist(), list(frame.columns)
    units = [None, None, "人", "(万元)", None, "元", None]
    table = [units, *rows[:20], ["续表"], header, *rows[20:30], [], [None] * 7, *rows[30:]]
    table.append(["注：数据来源于年鉴。"])
    path = written(tmp_path / "a.xlsx", table, [header])
    pd.read_excel(path).to_csv(tmp_path / "a.csv", index=False)
    for data in (path, tmp_path / "a.csv"):
        _, found = bd.study_of(data, "y ~ treated:post | id + year")
        said = {note.name: note.text for note in found.notes}
        assert said["empty_rows"] == "2 empty rows passed over"
        assert said["repeated_header"] == "1 row passed over that repeats the header"
        alone = [note.text for note in found.notes if note.name == "remarks"]
        assert alone[-1].endswith("of one cell passed over (续表)")
        label = "units_row" if data.suffix == ".xlsx" else "label_rows"
        assert said[label].startswith(("row 2 was passed over", "1 row below the header passed"))
        assert columns_of(data, ("id", "year")).frame["year"].tolist() == frame["year"].tolist()
        assert len(found.frame) == 48
    table[-2][1] = None
    with pytest.raises(InputError, match="row 54: a key is missing"):
        bd.study_of(written(path, table, [header]), "y ~ treated:post | id + year")


@pytest.mark.parametrize("suffix", ["frame", "csv", "xlsx"])
def test_labels_and_units_below_the_header_are_passed_over(tmp_path, suffix):
    """As CSMAR exports them; an observation without a digit in it is refused."""
    frame = panel().assign(on=lambda f: f["treated"] * f["post"])
    labels = ["编号", "年份", "处理组", "之后", "开始年份", "控制变量", "结果", "状态"]
    units = ["没有单位", "没有单位", *["没有单位"] * 4, "元", "没有单位"]
    above = pd.DataFrame([labels, units], columns=frame.columns)
    data = pd.concat([above, frame.astype(object)], ignore_index=True)
    path = tmp_path / f"a.{suffix}"
    if suffix == "csv":
        data.to_csv(path, index=False)
    if suffix == "xlsx":
        data.to_excel(path, index=False)
    source = data if suffix == "frame" else path
    _, found = bd.study_of(source, "y ~ treated:post + z:post | id + year")
    said = {note.name: note.text for note in found.notes}
    assert said["label_rows"].startswith("2 rows below the header passed over")
    np.testing.assert_allclose(found.frame["y"], frame["y"])
    if suffix != "frame":
        _, found = bd.study_of(source, y="y", unit="id", time="year", policies={"p": "on"})
        assert found.adoption["p"].notna().sum() == 6
        assert propose(path).keys.unit.name == "id"
    data.loc[0] = [None, "soon", None, None, None, None, None, None]
    data.loc[1] = ["one", "soon", None, None, None, None, "much", None]
    with pytest.raises(InputError, match=r"row 1: 'soon' is not a period|a key is missing"):
        bd.study_of(data.iloc[1:], "y ~ treated:post + z:post | id + year")


def test_a_dose_is_no_policy():
    frame = panel().assign(dose=lambda f: f["treated"] * f["post"] * (f["year"] - 2000.5))
    frame["dose"] /= frame["id"]
    with pytest.raises(InputError, match=r'many values within units.*"y ~ dose \| unit \+ period"'):
        notes_of(frame, policies={"p": "dose"})
    with pytest.raises(InputError, match=r"negative, in parentheses.*write -0.5 if that is what"):
        bd.study_of(frame.assign(z=["(0.5)", "0.5"] * 24), "z ~ treated:post | id + year")


def test_a_column_that_no_formula_was_calculated_for_is_named(tmp_path):
    frame = panel().assign(x="=1+1")
    frame.to_excel(tmp_path / "a.xlsx", index=False)
    with pytest.raises(InputError, match="x has no value in any row; formulas that a spreadsheet"):
        bd.did(tmp_path / "a.xlsx", "y ~ treated:post + x | id + year", **FAST)


def test_what_is_on_where_a_mark_stands_is_asked_to_be_coded():
    frame = panel().assign(d=lambda f: np.where(f["treated"] * f["post"], "●", None))
    with pytest.raises(InputError, match="write 1 for ● and 0 in empty cells"):
        bd.study_of(frame, "y ~ d | id + year")
    with pytest.raises(InputError, match=r'missing_marks = \["暂缺"\]'):
        bd.study_of(frame.assign(z=["暂缺", "1"] * 24), "z ~ treated:post | id + year")


@pytest.mark.parametrize(
    ("written", "remedy"),
    [
        ("i.year", r"effects stand behind \|: \| unit \+ year"),
        ("L2.z", r"write l\(z, 2\)"),
        ("D.z", r"write d\(z\)"),
        ("c.z", "write z"),
        ("L.w", "there are"),
    ],
)
def test_what_stata_writes_is_told_what_it_is_here(written, remedy):
    with pytest.raises(InputError, match=remedy):
        bd.study_of(panel(), f"y ~ treated:post + {written} | id + year")


def test_a_period_of_adoption_that_changes_is_placed_as_typed():
    frame = panel()
    frame.loc[frame["year"] == 2010, "start"] += 1
    with pytest.raises(
        InputError, match=r"row 3 \(id 1, year 2010\): .*not constant.*value: 2011\)"
    ):
        notes_of(frame, policies={"p": "start"})


def test_one_cluster_is_said():
    said = bd.did(
        panel().assign(c=1), "y ~ treated:post | id + year", cluster="c", **FAST
    ).summary()
    assert "no row clustered by c stands beside: one cluster tells no error" in said


def test_a_start_and_an_end_at_the_shell_are_two_columns():
    frame = panel().assign(end=2011)
    with pytest.raises(InputError, match=r"one column, its start or its state.*start, end"):
        notes_of(frame, policies={"p": "start, end"})
    with pytest.raises(InputError, match="no such column"):
        notes_of(frame, policies={"p": "start,ends"})


def test_names_with_marks_stand_in_backticks(tmp_path):
    frame = panel()
    frame["w"] = frame["year"] * frame["id"] % 7 + 1.0
    frame["part"] = frame["id"] % 3
    plain = bd.did(frame, "y ~ treated:post + log(w):z + l(w, 1) | id + year + part[year]", **FAST)
    names = {"z": "收入(元)", "w": "GDP per head, 2010", "y": "deaths / 100", "part": "a^b+c"}
    odd = bd.did(
        frame.rename(columns=names),
        "`deaths / 100` ~ treated:post + log(`GDP per head, 2010`):`收入(元)` "
        "+ l(`GDP per head, 2010`, 1) | id + year + `a^b+c`[year]",
        **FAST,
    )
    assert odd.tidy()["mean"].tolist() == plain.tidy()["mean"].tolist()
    assert odd.tidy().index[1] == "log(`GDP per head, 2010`) * `收入(元)`"

    said = {"y": "y", "unit": "id", "time": "year", "policies": {"p": "start"}}
    renamed = frame.rename(columns={"z": "收入(元)"})
    study, _ = bd.study_of(renamed, **said, covariates=["收入(元)"])
    assert study["did.1"].column.covariates == ("`收入(元)`",)
    with pytest.raises(InputError, match=r"did you mean '收入\(元\)'"):
        bd.study_of(renamed, **said, covariates=["收入"])
    frame.rename(columns=names | {"z": "a | b"}).to_csv(tmp_path / "a.csv", index=False)
    found = propose(tmp_path / "a.csv")
    assert "GDP per head, 2010" in {guess.name for guess in found.covariates}
    assert ("a | b", "its name holds * @ ~ |") in {(g.name, g.reason[:22]) for g in found.left}


def test_a_typed_minus_is_one(tmp_path):
    frame = panel().assign(x=[f"−{k}.5" if k % 2 else f"{k}.5" for k in range(48)])
    frame.to_csv(tmp_path / "a.csv", index=False)
    for data in (frame, tmp_path / "a.csv"):
        _, found = bd.study_of(data, "x ~ treated:post | id + year")
        assert found.frame["x"].iloc[:2].tolist() == [0.5, -1.5]


def test_years_of_adoption_among_counted_periods_are_refused():
    frame = panel()
    for periods in (frame["year"] - 2007, frame["year"] % 100):
        with pytest.raises(InputError, match="'2010' is no period that a unit could adopt in"):
            notes_of(frame.assign(year=periods), policies={"p": "start"})


@pytest.mark.parametrize("way", ["FY{}", "{}/{:02d}", "{}-{:02d}", "{}–{}"])
def test_fiscal_years_are_years(way):
    frame, plain = panel(), notes_of(panel(), policies={"p": "start"})[1]
    ends = {
        year: year + 1 if way.endswith("{}") else (year + 1) % 100 for year in range(2008, 2012)
    }
    frame["year"] = [way.format(year, ends[year]) for year in frame["year"]]
    _, found, _ = notes_of(frame, policies={"p": "start"})  # adopted in a plain year
    assert found.adoption.equals(plain.adoption)
    assert found.timeline.label(found.periods[1]) == way.format(2009, ends[2009])
    months = panel().assign(year=lambda f: "2008-0" + (f["year"] - 2005).astype(str), start=None)
    said, _, _ = notes_of(months, policies={"p": "start"})
    assert said["spacing"].startswith("year: neighbouring periods are 1 month apart")


def test_halves_of_years_in_chinese():
    frame = panel().assign(start=None)
    frame["year"] = [f"{t // 2}年{'上下'[t % 2]}半年" for t in frame["year"]]
    said, _, _ = notes_of(frame, policies={"p": "start"})
    assert said["spacing"].startswith("year: neighbouring periods are 1 half-year apart")


def test_totals_are_left_out_of_proposals_and_samples_too(tmp_path):
    """Their 0/1 columns hold sums, from which no policy would be told."""
    frame = panel().assign(id=lambda f: "c" + f["id"].astype(str))
    frame["on"] = frame["treated"] * frame["post"]
    total = frame.groupby("year", as_index=False).sum(numeric_only=True).assign(id="合计")
    every = pd.concat([frame, total])[["id", "year", "on", "y"]]
    every.to_csv(tmp_path / "p.csv", index=False)
    assert [one.column for one in propose(tmp_path / "p.csv").policies] == ["on"]
    study, found = bd.study_of(every, "y ~ on | id + year", sample={"without": ["合计"]})
    assert bd.build_design(study["did.1"], found).n == len(frame)
