"""Weights that studies declare: by id whatever the order of rows, and the shipped ones."""

import dataclasses
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bayesdid as bd
from bayesdid.exceptions import InputError
from bayesdid.families.registry.load import load_study
from bayesdid.panel.read import read_panel
from bayesdid.panel.validate import STAMP, validate_panel
from bayesdid.panel.write import write_panel
from bayesdid.spatial.weights.build import (
    coordinates,
    declared_weights,
    panel_distances,
    resolve_weights,
    weights_from_path,
)
from bayesdid.spatial.weights.files import write_weights
from smallest import study_with

STUDY = study_with(
    """
longitude = "lon"
latitude = "lat"
[panel.unit_labels]
7 = "Seven"
12 = "Twelve"
30 = "Thirty"
41 = "Forty-one"
""",
    """
[[weights]]
id = "inverse"
label = "Inverse distance"
kind = "inverse_distance"
[[weights]]
id = "economic"
label = "Economic"
kind = "economic_geographic"
column = "gdp"
window = [2000, 2001]
normalisation = "spectral"
[[weights]]
id = "near"
label = "Nearest"
kind = "nearest"
k = 1
[[weights]]
id = "ring"
label = "Within 500 to 2000 km"
kind = "bands"
low_km = 500
high_km = 2000
power = 0
normalisation = "none"
[[weights]]
id = "own"
label = "Own"
kind = "file"
path = "w.csv"
[[weights]]
id = "touch"
label = "Touch"
kind = "contiguity"
path = "shapes.gpkg"
id_column = "name"
""",
)
UNITS = [7, 12, 30, 41]
LON, LAT, GDP = [0.0, 1.0, 2.5, 11.0], [0.0, 3.0, 1.0, 2.0], [1.0, 2.0, 4.0, 8.0]
EDGES = "from,to,weight\n30,7,1\n7,30,3\n7,12,1\n12,7,1\n41,41,0\n"


def raw(seed=0):
    """Four units in three years; GDP of the last year is outside the window of `economic`."""
    frame = pd.DataFrame(
        [(u, t, k) for k, u in enumerate(UNITS) for t in (2000, 2001, 2002)],
        columns=["unit", "year", "k"],
    )
    frame["y"] = np.arange(12.0)
    frame["py"] = np.where(frame["k"] == 0, 2001, np.nan)
    frame["lon"], frame["lat"] = np.take(LON, frame["k"]), np.take(LAT, frame["k"])
    frame["gdp"] = np.take(GDP, frame["k"]) + 100.0 * (frame["year"] == 2002) * frame["k"]
    return frame.sample(frac=1, random_state=seed).drop(columns="k")


@pytest.fixture
def study(tmp_path):
    import geopandas
    from shapely.geometry import box

    (tmp_path / "study.toml").write_text(STUDY)
    (tmp_path / "w.csv").write_text(EDGES)
    names = ["Forty-one", "Seven", "Nowhere", "Thirty", "Twelve"]  # a row of squares
    geopandas.GeoDataFrame(
        {"name": names, "geometry": [box(k, 0, k + 1, 1) for k in range(5)]}, crs="EPSG:3857"
    ).to_file(tmp_path / "shapes.gpkg")
    return load_study(tmp_path)


def panel_of(study, frame=None):
    return validate_panel(raw() if frame is None else frame, study, source="panel.csv")


def test_every_kind_by_hand(study):
    panel = panel_of(study)
    assert list(panel.units) == UNITS
    km = panel_distances(study, panel).km
    inverse = np.where(km > 0, 1 / np.where(km > 0, km, 1), 0)
    gap = abs(np.subtract.outer(GDP, GDP)) + np.eye(4)
    economic = inverse / gap
    nearest = np.zeros((4, 4))
    nearest[range(4), (km + 1e9 * np.eye(4)).argmin(axis=1)] = 1
    expected = {
        "inverse": inverse / inverse.sum(1, keepdims=True),
        "economic": economic / abs(np.linalg.eigvals(economic)).max(),
        "near": nearest,
        "ring": ((km > 500) & (km <= 2000)).astype(float),
        "own": [[0, 0.25, 0.75, 0], [1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]],
        "touch": [[0, 0, 0, 1], [0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0]],
    }
    for name, W in expected.items():
        made = declared_weights(study, panel, name)
        np.testing.assert_allclose(made.dense(), W, atol=1e-12, err_msg=name)
        assert list(made.units) == UNITS
    assert declared_weights(study, panel, "inverse").name == "Inverse distance, row-normalised"
    assert declared_weights(study, panel, "ring").name.endswith("not normalised")
    notes = {note.name: note.count for note in declared_weights(study, panel, "touch").notes}
    assert notes == {"polygons_beyond_panel": 1}
    other = declared_weights(study, panel, "inverse", normalisation="min-max")
    assert other.normalisation == "min-max"
    assert "min-max" in other.name


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31))
def test_the_order_of_rows_does_not_matter(tmp_path_factory, seed):
    folder = tmp_path_factory.mktemp("s")
    (folder / "study.toml").write_text(STUDY)
    (folder / "w.csv").write_text(EDGES)
    study = load_study(folder)
    plain, mixed = panel_of(study), panel_of(study, raw(seed))
    assert plain.sha256 == mixed.sha256
    for name in ("inverse", "economic", "near", "ring", "own"):
        np.testing.assert_array_equal(
            declared_weights(study, plain, name).dense(),
            declared_weights(study, mixed, name).dense(),
        )


def test_units_in_another_order_get_the_same_weights_by_id(study):
    """Even if the panel itself is in another order, as after a change of unit codes."""
    panel = panel_of(study)
    order = [2, 0, 3, 1]
    turned = dataclasses.replace(panel, adoption=panel.adoption.iloc[order])
    for spec in study.file.weights:
        W = declared_weights(study, panel, spec.id).dense()
        V = declared_weights(study, turned, spec.id)
        np.testing.assert_allclose(V.dense(), W[order][:, order], atol=1e-12, err_msg=spec.id)
        assert list(V.units) == [30, 7, 41, 12]


def test_files_may_use_labels_and_never_positions(study):
    panel = panel_of(study)
    by_value = weights_from_path(study.path / "w.csv", panel)
    text = EDGES
    for value, label in panel.unit_labels.items():
        text = re.sub(rf"\b{value}\b", label, text)
    (study.path / "labels.csv").write_text(text)
    by_label = weights_from_path(study.path / "labels.csv", panel)
    np.testing.assert_array_equal(by_value.dense(), by_label.dense())
    (study.path / "order.gal").write_text("4\n1 1\n2\n2 1\n1\n3 1\n4\n4 1\n3\n")
    with pytest.raises(InputError, match="unit values, where 7, 12, 30, 41 lack") as caught:
        weights_from_path(study.path / "order.gal", panel)
    assert "positions are never taken for ids" in str(caught.value)


def test_written_weights_are_read_again(study):
    panel = panel_of(study)
    made = declared_weights(study, panel, "economic")
    for name in ("e.csv", "e.npz"):
        write_weights(made, study.path / name)
        again = resolve_weights(study, panel, str(study.path / name), "none")
        np.testing.assert_array_equal(again.dense(), made.dense())
        assert again.name == f"{name}, not normalised"


def test_weights_are_named_by_id_or_path(study):
    panel = panel_of(study)
    by_id = resolve_weights(study, panel, "own")
    by_path = resolve_weights(study, panel, str(study.path / "w.csv"))
    np.testing.assert_array_equal(by_id.dense(), by_path.dense())
    assert resolve_weights(study, panel, "own", "none").dense().max() == 3
    for text in ("nothing", str(study.path / "absent.csv"), str(study.path / "shapes.gpkg")):
        with pytest.raises(InputError, match="Remedy"):
            resolve_weights(study, panel, text)
    with pytest.raises(InputError, match="declares inverse, economic"):
        declared_weights(study, panel, "nothing")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (EDGES.replace("41,41,0\n", ""), "1 of the panel's 4 units are missing"),
        (EDGES + "99,7,1\n", "1 ids are no unit of the panel (matched by unit values)"),
    ],
)
def test_ids_that_differ_are_named(study, text, words):
    (study.path / "w.csv").write_text(text)
    with pytest.raises(InputError) as caught:
        declared_weights(study, panel_of(study), "own")
    assert words in str(caught.value)
    assert "w.csv" in str(caught.value)
    assert "41" in str(caught.value) or caught.value.value == "99"


def broken(**columns):
    frame = raw().sort_values(["unit", "year"], ignore_index=True)
    for column, (row, value) in columns.items():
        frame.loc[row, column] = value
    return frame


@pytest.mark.parametrize(
    ("frame", "weights", "words"),
    [
        (broken(lon=(4, 1.5)), "inverse", "column 'lon': a coordinate varies within a unit"),
        (broken(lat=(slice(3, 5), np.nan)), "inverse", "latitude of unit Twelve is missing"),
        (broken(lat=(slice(3, 5), 123)), "near", "latitude of unit Twelve lies outside"),
        (broken(lon=(slice(3, 5), 0), lat=(slice(3, 5), 0)), "near", "Seven and Twelve"),
        (raw().drop(columns="lat"), "ring", "column 'lat': the panel lacks"),
        (raw().drop(columns="gdp"), "economic", "column 'gdp': the panel lacks"),
        (broken(gdp=(slice(3, 4), 1)), "economic", "Seven and Twelve: 1"),
        (broken(gdp=(slice(3, 4), np.nan)), "economic", "no value between 2000 and 2001"),
    ],
)
def test_each_fault_of_a_panel_is_named(study, frame, weights, words):
    with pytest.raises(InputError) as caught:
        declared_weights(study, panel_of(study, frame), weights)
    assert words in str(caught.value)
    assert "panel.csv" in str(caught.value) or "economic proximity" in str(caught.value)


def test_a_coordinate_missing_in_some_rows_is_taken_from_the_others(study):
    plain = coordinates(study, panel_of(study))
    np.testing.assert_array_equal(plain, np.column_stack([LON, LAT]))
    gap = panel_of(study, broken(lon=(4, np.nan)))
    np.testing.assert_array_equal(coordinates(study, gap), plain)


def test_gaps_in_the_window_are_noted(study):
    made = declared_weights(study, panel_of(study, broken(gdp=(4, np.nan))), "economic")
    assert ("gaps_in_window", 1) in [(note.name, note.count) for note in made.notes]


def with_file(study, text):
    lines = STUDY.replace('longitude = "lon"\nlatitude = "lat"', 'coordinates = "places.csv"')
    (study.path / "study.toml").write_text(lines)
    (study.path / "places.csv").write_text(text)
    return load_study(study.path)


def test_coordinates_from_a_file(study):
    rows = [f"{u},{x},{y}" for u, x, y in zip(UNITS, LON, LAT, strict=True)]
    text = "\n".join(["unit,lon,lat", *rows[::-1], "99,5,5"])
    other = with_file(study, text)
    panel = panel_of(other, raw().drop(columns=["lon", "lat"]))
    np.testing.assert_array_equal(coordinates(other, panel), np.column_stack([LON, LAT]))
    for change, words in (
        (text.replace("12,1.0", "13,1.0"), "1 of the panel's 4 units are missing"),
        (text + "\n7,0,0", "twice"),
        (text.replace("lon", "long"), "lack a column"),
        (text.replace("1.0", "x"), "not a number"),
        (text.replace("12,1.0,", "12,,"), "longitude of unit Twelve is missing"),
    ):
        with pytest.raises(InputError, match=words) as caught:
            panel_distances(with_file(study, change), panel)
        assert "places.csv" in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("k = 1", "", "nearest need k"),
        ("k = 1", "k = 1\npower = 2", "nearest have no power"),
        ("k = 1", "k = 0", "k"),
        ('column = "gdp"', "", "need column"),
        ("window = [2000, 2001]", "window = [2002, 2001]", "first period is after"),
        ("high_km = 2000", "", "bands need high_km"),
        ("high_km = 2000", "high_km = 400", "low_km must be less"),
        ('path = "w.csv"', "", "file need path"),
        ('path = "w.csv"', 'path = "w.csv"\nrule = "rook"', "file have no rule"),
        ('id_column = "name"', "", "contiguity need id_column"),
        ('id_column = "name"', 'id_column = "name"\nrule = "king"', "rule"),
        ('normalisation = "none"', 'normalisation = "max"', "normalisation"),
        ('id = "near"', 'id = "own"', "two weights have the id own"),
        ('latitude = "lat"', "", "both longitude and latitude"),
        ('latitude = "lat"', 'latitude = "lat"\ncoordinates = "c.csv"', "either longitude"),
        ('longitude = "lon"\nlatitude = "lat"', "", "the weights inverse need distances"),
        ("k = 1", "k = 1\ncolour = 3", "colour"),
    ],
)
def test_each_fault_of_a_declaration_is_named(tmp_path, old, new, words):
    assert old in STUDY
    (tmp_path / "study.toml").write_text(STUDY.replace(old, new))
    with pytest.raises(InputError) as caught:
        load_study(tmp_path)
    assert words in str(caught.value)


def test_the_documented_declaration(root, tmp_path):
    text = (root / "docs" / "study-format.md").read_text(encoding="utf-8")
    section = text[text.index("## Spatial weights") :]
    (block,) = re.findall(r"```toml\n(.*?)```", section[: section.index("## Tables")], flags=re.S)
    keys, weights = block.split("[[weights]]")
    head = STUDY[: STUDY.index("[[weights]]")].replace('longitude = "lon"\nlatitude = "lat"\n', "")
    head = head.replace("[panel]", keys)
    (tmp_path / "study.toml").write_text(f"{head}\n[[weights]]{weights}")
    assert load_study(tmp_path).file.weights[0].power == 2


# ------------------------------------------------------------ shipped studies


@pytest.fixture(scope="module")
def dual(models):
    study = bd.load_study(models / "dual_pilot")
    return study, bd.simulate_panel(study)


@pytest.fixture(scope="module")
def states(models):
    study = bd.load_study(models / "traffic_laws")
    return study, bd.load_panel(study)


def test_places_change_no_other_number(dual):
    study, panel = dual
    settings = study.file.panel.simulate.model_copy(update={"places": None})
    section = study.file.panel.model_copy(update={"simulate": settings})
    bare = dataclasses.replace(study, file=study.file.model_copy(update={"panel": section}))
    without = bd.simulate_panel(bare)
    pd.testing.assert_frame_equal(panel.frame.drop(columns=["lon", "lat"]), without.frame)
    pd.testing.assert_frame_equal(panel.adoption, without.adoption)
    assert panel.synthetic.startswith(without.synthetic)
    assert "drawn at random" in panel.synthetic
    assert "random" not in without.synthetic


def test_places_are_real_and_distinct(dual, root):
    study, panel = dual
    known = pd.read_csv(
        root / "models" / "dual_pilot" / "china_prefectures.csv", dtype={"adcode": str}
    )
    assert len(known) == 297
    assert known["adcode"].is_unique
    assert known["name"].is_unique
    assert known["name"].str.endswith("市").all()
    found = {tuple(place) for place in coordinates(study, panel)}
    assert len(found) == 218
    assert found <= set(zip(known["lon"], known["lat"], strict=True))
    near = known.set_index("name").loc[["北京市", "上海市"], ["lon", "lat"]]
    assert bd.simulate_panel(study, seed=1).frame["lon"].iloc[0] != panel.frame["lon"].iloc[0]
    from bayesdid.spatial.weights.distance import great_circle

    # Beijing to Shanghai, seat to seat
    assert great_circle(near, near.index).km[0, 1] == pytest.approx(1067, abs=5)


def test_too_few_places_are_refused(dual, tmp_path):
    study, _ = dual
    shutil.copytree(study.path, tmp_path / "s")
    toml = tmp_path / "s" / "study.toml"
    text = toml.read_text(encoding="utf-8").replace("china_prefectures.csv", "p.csv")
    toml.write_text(text, encoding="utf-8")
    for places, words in (
        ("lon,lat\n1,2\n3,4\n", "2 places for 218 units"),
        ("lon\n1\n", "lack a column"),
        ("lon,lat\n1,x\n", "lacks a number"),
    ):
        (tmp_path / "s" / "p.csv").write_text(places)
        with pytest.raises(InputError, match=words):
            bd.simulate_panel(load_study(tmp_path / "s"))


def test_weights_of_the_paper(dual):
    study, panel = dual
    used = {spec.column.weights for spec in study.specs.values()} - {None, "distance_bands"}
    assert used <= {spec.id for spec in study.file.weights}
    means = panel.frame.groupby("city")["lnGDP"].mean()
    km = panel_distances(study, panel).km
    every = ("economic_geographic", "like_cities", "inverse_distance_squared", "inverse_distance")
    for name in every:
        made = declared_weights(study, panel, name)
        assert made.n == 218
        assert made.constant_row_sum == pytest.approx(1)
        # the neighbour's income makes them lopsided
        assert {note.name for note in made.notes} <= {"asymmetric"}
        W = made.dense()
        ratio = W[0, 1] / W[0, 2]
        by_hand = (km[0, 2] / km[0, 1]) ** (2 if name.endswith("squared") else 1)
        if name.startswith("economic"):
            by_hand *= means.iloc[1] / means.iloc[2]
        if name == "like_cities":
            by_hand *= abs(means.iloc[0] - means.iloc[2]) / abs(means.iloc[0] - means.iloc[1])
        assert ratio == pytest.approx(by_hand)


def test_a_written_stand_in_gives_the_same_weights(dual, tmp_path):
    study, panel = dual
    write_panel(panel, study, tmp_path / "panel.csv")
    frame = pd.read_csv(tmp_path / "panel.csv")
    assert frame[STAMP].notna().all()
    frame.sample(frac=1, random_state=3).to_csv(tmp_path / "mixed.csv", index=False)
    mixed = read_panel(tmp_path / "mixed.csv", study)
    for spec in study.file.weights:
        np.testing.assert_array_equal(
            declared_weights(study, mixed, spec.id).dense(),
            declared_weights(study, panel, spec.id).dense(),
        )


def test_states_that_touch(states):
    study, panel = states
    made = declared_weights(study, panel, "contiguity", normalisation="none")
    W, labels = made.dense(), [panel.unit_labels[str(unit)] for unit in made.units]
    assert W.shape == (48, 48)
    assert W.sum() == 214
    np.testing.assert_array_equal(W, W.T)
    touching = {name: {labels[j] for j in np.flatnonzero(W[i])} for i, name in enumerate(labels)}
    assert touching["Maine"] == {"New Hampshire"}
    assert touching["California"] == {"Arizona", "Nevada", "Oregon"}
    assert touching["Florida"] == {"Alabama", "Georgia"}
    assert touching["Washington"] == {"Idaho", "Oregon"}
    assert len(touching["Missouri"]) == len(touching["Tennessee"]) == 8
    assert declared_weights(study, panel, "contiguity").constant_row_sum == pytest.approx(1)


def test_places_of_the_states(states):
    study, panel = states
    place = dict(zip(panel.unit_labels.values(), coordinates(study, panel), strict=True))
    # a point inside each state, to half a degree
    for name, lon, lat in (
        ("Kansas", -98.4, 38.5),
        ("Wyoming", -107.5, 43.0),
        ("Florida", -82.5, 28.6),
        ("Maine", -69.2, 45.4),
    ):
        assert place[name] == pytest.approx((lon, lat), abs=0.5)
    near = declared_weights(study, panel, "nearest4")
    np.testing.assert_allclose(near.dense().max(axis=1), 0.25)
    assert (near.matrix.toarray() > 0).sum() == 4 * 48
    touch = declared_weights(study, panel, "contiguity").dense() > 0
    # neighbours on the map are mostly neighbours by distance: the two files agree on who is where
    assert touch[near.dense() > 0].mean() > 0.75


def test_the_shipped_files_are_what_their_script_makes(root, models, monkeypatch, tmp_path):
    import importlib.util

    spec = importlib.util.spec_from_file_location("made_states", root / "data/make_us_states.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    shutil.copy(models / "traffic_laws" / "study.toml", tmp_path)
    monkeypatch.setattr(script, "STUDY", tmp_path)
    script.main()
    for name in ("contiguity.gal", "coordinates.csv"):
        assert (tmp_path / name).read_text() == (models / "traffic_laws" / name).read_text()


def test_another_source_draws_the_same_map(states, root):
    """The matrix that spdep ships, matched by the states' names, where the folder is at hand."""
    file = root.parent / "shared" / "data" / "w_us48_queen.csv"
    if not file.is_file():
        pytest.skip("no shared data")
    study, panel = states
    other = weights_from_path(file, panel, "none")
    mine = declared_weights(study, panel, "contiguity", normalisation="none")
    np.testing.assert_array_equal(mine.dense() > 0, other.dense() > 0)
