"""What a call from a file or a frame reads: headers, labels, cuts, further effects."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import bayesdid as bd
from bayesdid.cli.app import app
from bayesdid.exceptions import InputError
from bayesdid.front.new_study import propose

KEYS = {"unit": "城市", "time": "年份", "policies": {"p": "试点"}}
FAST = {"errors": "iid", "draws": 100}


def frame(N=12, T=8):
    rng = np.random.default_rng(2)
    keys = pd.MultiIndex.from_product(
        [[f"市{k}" for k in range(N)], range(2008, 2008 + T)], names=["城市", "年份"]
    )
    found, i = keys.to_frame(index=False), np.repeat(np.arange(N), T)
    start = np.where(np.arange(N) % 2, 2011 + np.arange(N) % 3, 0)[i]
    on = (start > 0) & (found["年份"] >= start)
    found["试点"], found["省"] = start, np.array(["甲", "乙"])[i // 2 % 2]
    share = np.where(found["年份"] == start, 0.4, on * 1.0)
    return found.assign(
        share=share, on=on * 1, y=rng.normal(size=N)[i] - on + rng.normal(size=N * T)
    )


def book(path, above, header, rows, below=()):
    table = [*above, *header, *rows.to_numpy().tolist(), *below]
    table = [[*row, *[None] * (rows.shape[1] - len(row))] for row in table]
    pd.DataFrame(table, dtype=object).to_excel(path, index=False, header=False)
    return path


def tau(fit):
    return fit.tree["posterior"]["tau"].to_numpy()


@pytest.fixture(scope="module")
def plain():
    return tau(bd.did(frame(), y="y", **KEYS, **FAST))


@pytest.mark.parametrize("two", [False, True])
def test_a_yearbook_is_read_by_the_names_of_its_keys(tmp_path, plain, two):
    rows = frame()[["城市", "年份", "试点", "y"]]
    header = [["城市", "年份", "试点", "y"]]
    if two:
        header = [["城市", "年份", "指标", None], [None, None, "试点", "y"]]
    path = book(tmp_path / "a.xlsx", [["年鉴"], ["单位"]], header, rows, [["注：略"]])
    found = bd.did(path, y="y", **KEYS, **FAST)
    np.testing.assert_allclose(tau(found), plain)
    assert "2 rows above the header were passed over" in found.summary()
    assert ("two header rows" in found.summary()) == two
    with pytest.raises(InputError, match=r"no such column.*there are 城市, 年份"):
        bd.did(path, y="y", **(KEYS | {"unit": "城巿"}), **FAST)


def test_lines_above_the_header_of_a_text_file_are_passed_over(tmp_path, plain):
    path = tmp_path / "a.csv"
    path.write_text("年鉴,,,\n\n" + frame().to_csv(index=False), encoding="utf-8")
    found = bd.did(path, y="y", **KEYS, **FAST)
    np.testing.assert_allclose(tau(found), plain)
    assert "2 lines above the header were passed over" in found.summary()
    same = bd.did(path, "y ~ on | 城市 + 年份", skip=2, **FAST)
    np.testing.assert_allclose(tau(same), plain)
    with pytest.raises(InputError, match=r"no such column.*there are 城市, 年份"):
        bd.did(path, y="y", **(KEYS | {"unit": "城巿"}), **FAST)


def test_more_lines_to_skip_than_there_are_is_refused(tmp_path):
    frame().to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(InputError, match="no line below the 999 that are to be skipped"):
        bd.did(tmp_path / "a.csv", y="y", **KEYS, skip=999)


def test_sheets_are_named_and_a_frame_has_none(tmp_path, plain):
    rows = frame()
    with pd.ExcelWriter(tmp_path / "a.xlsx") as out:
        rows.assign(y=0.0).to_excel(out, sheet_name="one", index=False)
        rows.to_excel(out, sheet_name="two", index=False)
    found = bd.did(tmp_path / "a.xlsx", y="y", **KEYS, sheet="two", **FAST)
    np.testing.assert_allclose(tau(found), plain)
    with pytest.raises(InputError, match=r"no sheets.*sheet"):
        bd.did(rows, y="y", **KEYS, sheet="two", **FAST)


def test_a_new_study_finds_the_header_below_titles(tmp_path):
    rows = frame()
    path = book(tmp_path / "a.xlsx", [["年鉴"], ["单位"]], [list(rows.columns)], rows)
    found = propose(path)
    assert (found.keys.unit.name, found.keys.period.name) == ("城市", "年份")


def test_a_policy_whose_states_have_labels_is_read_by_their_codes(tmp_path, plain):
    rows = frame().rename(columns={"城市": "city", "年份": "year"})
    rows["on"] = pd.Categorical.from_codes(rows["on"], ["否", "是"], ordered=True)
    rows[["city", "year", "on", "y"]].to_stata(tmp_path / "a.dta", write_index=False, version=118)
    found = bd.did(
        tmp_path / "a.dta", y="y", unit="city", time="year", policies={"p": "on"}, **FAST
    )
    np.testing.assert_allclose(tau(found), plain)


def test_fractions_ask_for_their_cut_and_hear_it(plain):
    own = {"y": "y", "unit": "城市", "time": "年份", "policies": {"p": "share"}}
    with pytest.raises(InputError, match=r"not said.*cut=0\.5 in a call"):
        bd.did(frame(), **own, **FAST)
    early = bd.did(frame(), **own, cut=0.4, **FAST)
    np.testing.assert_allclose(tau(early), plain)
    late = bd.did(frame(), **own, cut={"p": 0.5}, **FAST)
    shifted = frame()
    shifted["试点"] = shifted["试点"].where(shifted["试点"] == 0, shifted["试点"] + 1)
    np.testing.assert_allclose(tau(late), tau(bd.did(shifted, y="y", **KEYS, **FAST)))
    path = bd.event_study(
        frame(), y="y", unit="城市", time="年份", policy="share", cut=0.4, draws=50
    )
    same = bd.event_study(frame(), y="y", unit="城市", time="年份", policy="on", draws=50)
    np.testing.assert_allclose(path.frame()["mean"], same.frame()["mean"])


@pytest.mark.parametrize(
    ("policies", "cut", "said"),
    [
        ({"p": "share"}, 0.0, "above 0 and up to 1"),
        ({"p": "share"}, 1.5, "above 0 and up to 1"),
        ({"p": "share"}, True, "above 0 and up to 1"),
        ({"p": "share"}, {"q": 0.5}, "no such policy.*there are p"),
        ({"p": "试点"}, {"p": 0.5}, "periods of adoption"),
        ({"p": "试点"}, 0.5, "periods of adoption"),
    ],
)
def test_cuts_that_cut_nothing_are_refused(policies, cut, said):
    with pytest.raises(InputError, match=said):
        bd.study_of(frame(), y="y", unit="城市", time="年份", policies=policies, cut=cut)


def test_further_effects_stand_beside_policies_as_in_a_formula():
    rows = frame()
    found = bd.did(rows, y="y", **KEYS, effects=["省^年份"], **FAST)
    same = bd.did(rows, "y ~ on | 城市 + 年份 + 省^年份", **FAST)
    np.testing.assert_allclose(tau(found), tau(same))
    with pytest.raises(InputError, match="no effect: write"):
        bd.study_of(rows, y="y", **KEYS, effects="省*年份")
    with pytest.raises(InputError, match="did you mean"):
        bd.study_of(rows.rename(columns={"省": "prov"}), y="y", **KEYS, effects="prow^年份")
    with pytest.raises(InputError, match=r"both a formula.*cut, effects"):
        bd.study_of(rows, "y ~ on | 城市 + 年份", cut=0.5, effects="省^年份")


def test_a_frame_whose_rows_have_one_label_twice_is_read_by_position(plain):
    rows = frame()
    rows.index = [0] * len(rows)
    np.testing.assert_allclose(tau(bd.did(rows, y="y", **KEYS, **FAST)), plain)
    with pytest.raises(InputError, match=r"duplicate 城市-年份: rows 6, 97"):
        bd.did(pd.concat([rows, rows.iloc[[5]]]), y="y", **KEYS, **FAST)


def test_the_shell_says_the_same(tmp_path, plain):
    frame().to_csv(tmp_path / "a.csv", index=False)
    line = ["did", str(tmp_path / "a.csv"), "--y", "y", "--unit", "城市", "--time", "年份"]
    line += ["--policy", "p=share", "--errors", "iid", "--draws", "100", "--json"]
    ran = CliRunner().invoke(app, [*line, "--cut", "p=0.4"])
    mean = json.loads(ran.stdout)["fits"][0]["rows"][0]["mean"]
    assert mean == pytest.approx(float(plain.mean()))
    more = CliRunner().invoke(app, [*line, "--cut", "0.4", "--effect", "省^年份"])
    assert "省^年份" in json.loads(more.stdout)["fits"][0]["effects"]
    for wrong in (["--cut", "much"], ["--cut", "0.4", "--cut", "p=0.5"]):
        with pytest.raises(InputError, match="cut"):
            CliRunner().invoke(app, [*line, *wrong], catch_exceptions=False)
