"""The picture of who is treated when equals the adoption table."""

import dataclasses

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from made import make_panel

import bayesdid as bd
from bayesdid.exceptions import InputError
from bayesdid.report.panelview import adoption_order, state_matrix

mpl.use("Agg")


def panel(synthetic=""):
    frame = pd.DataFrame(
        {"unit": np.repeat(np.arange(4), 5), "period": np.tile(np.arange(1, 6), 4), "y": 0.0}
    ).drop(index=7)
    adoption = pd.DataFrame(
        {"a": [np.nan, 4, 2, 2], "b": [np.nan, np.nan, 3, np.nan]},
        index=pd.Index(range(4), name="unit"),
    )
    return dataclasses.replace(make_panel(frame, adoption), synthetic=synthetic or None)


def test_rows_are_units_by_adoption_and_cells_their_states():
    one = panel()
    assert list(adoption_order(one)) == [2, 3, 1, 0]
    state, names = state_matrix(one)
    assert names == ["untreated", "a", "b", "a and b"]
    expected = [[0, 1, 3, 3, 3], [0, 1, 1, 1, 1], [0, 0, -1, 1, 1], [0, 0, 0, 0, 0]]
    np.testing.assert_array_equal(state, expected)


def test_the_figure_has_a_colour_for_each_state_and_white_for_missing_rows():
    axes = bd.panelview(panel())
    image = axes.images[0].get_array()
    assert (image[2, 2] == 1).all()
    assert (
        len({tuple(image[i, j]) for i in range(4) for j in range(5)}) == 4
    )  # no row is under b alone
    assert [t.get_text() for t in axes.get_legend().get_texts()] == ["untreated", "a", "a and b"]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["2", "3", "1", "0"]
    assert [t.get_text() for t in axes.get_xticklabels()] == ["1", "2", "3", "4", "5"]
    assert axes.get_title(loc="right") == ""


def test_a_synthetic_panel_says_so_above_the_data():
    assert "SYNTHETIC" in bd.panelview(panel("made up")).get_title(loc="right")


def test_it_takes_a_data_frame():
    frame = pd.DataFrame(
        {"id": np.repeat(["x", "z"], 3), "t": [2001, 2002, 2003] * 2, "y": range(6)}
    ).assign(g=np.repeat([2002, 0], 3))
    axes = bd.panelview(frame, y="y", unit="id", time="t", policies=["g"])
    assert [t.get_text() for t in axes.get_xticklabels()] == ["2001", "2002", "2003"]


def test_an_outcome_need_not_be_named(tmp_path):
    frame = pd.DataFrame(
        {"id": np.repeat(["x", "z"], 3), "t": [2001, 2002, 2003] * 2, "y": range(6)}
    ).assign(g=np.repeat([2002, 0], 3))
    frame.to_csv(tmp_path / "a.csv", index=False)
    named = bd.panelview(frame, y="y", unit="id", time="t", policies=["g"])
    free = bd.panelview(tmp_path / "a.csv", unit="id", time="t", policies={"g": "g"})
    np.testing.assert_array_equal(*(axes.images[0].get_array() for axes in (named, free)))
    with pytest.raises(InputError, match="without y"):
        bd.panelview(frame.drop(columns="y"), unit="id", time="t", policies="g")
