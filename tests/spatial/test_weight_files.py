"""Weights go through files unchanged, and each damaged file is refused with its row."""

import io
import zipfile

import geopandas
import numpy as np
import pytest
import scipy.sparse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array, save_npz
from shapely.geometry import Point, box

from bayesdid.exceptions import InputError
from bayesdid.spatial.weights import npz
from bayesdid.spatial.weights.files import read_weights, write_weights
from bayesdid.spatial.weights.pysal import contiguity
from bayesdid.spatial.weights.weights import aligned, make_weights

W = np.array([[0, 0.5, 0, 0], [0.5, 0, 2.25, 0], [0, 1 / 3, 0, 0], [0, 0, 0, 0]])
IDS = ["10", "7", "三", "d e"]


def same(read, W=W, ids=IDS):
    back = aligned(make_weights(read.matrix, read.ids, normalisation="none"), np.array(ids))
    np.testing.assert_array_equal(back.dense(), W)


@pytest.mark.parametrize("suffix", [".csv", ".npz"])
def test_round_trip_with_an_island(tmp_path, suffix):
    file = tmp_path / f"w{suffix}"
    write_weights(make_weights(W, IDS, normalisation="none"), file)
    same(read_weights(file))
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.integers(0, 2**32 - 1), st.sampled_from([".csv", ".npz"]))
def test_round_trip_to_the_last_digit(tmp_path, seed, suffix):
    rng = np.random.default_rng(seed)
    random = np.where(rng.random((6, 6)) < 0.4, rng.lognormal(0, 5, (6, 6)), 0) * (1 - np.eye(6))
    random[0, 1] = 1e-300
    ids = rng.permutation(100)[:6]
    write_weights(make_weights(random, ids, normalisation="none"), tmp_path / f"w{suffix}")
    same(read_weights(tmp_path / f"w{suffix}"), random, ids)


def write(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        ",a,b,c\na,0,1,0\nb,1,0,2\nc,0,2,0\n",
        '"";"a"'.replace(";", ",") + ',"b","c"\n"c",0,2,0\n"a",0,1,0\n\n"b",1,0,2\n',
        "id, a, b, c\r\na, 0, 1, 0\r\nb, 1, 0, 2\r\nc, 0, 2, 0\r\n",
        "from,to,weight\na,b,1\nb,a,1\nb,c,2\nc,b,2\n",
        "\ufeffWeight,To,From,note\n1,b,a,x\n1,a,b,x\n2,c,b,x\n2,b,c,x\n",
    ],
)
def test_square_tables_and_edge_lists(tmp_path, text):
    expected = np.array([[0, 1, 0], [1, 0, 2], [0, 2, 0]])
    same(read_weights(write(tmp_path / "w.csv", text)), expected, ["a", "b", "c"])


def test_dense_and_sparse_arrays(tmp_path):
    np.savez(tmp_path / "dense.npz", W=W, ids=np.array([1.0, 2, 3, 4]))
    same(read_weights(tmp_path / "dense.npz"), W, [1, 2, 3, 4])
    save_npz(tmp_path / "bare.npz", csr_array(W))
    with pytest.raises(InputError, match="no ids"):
        read_weights(tmp_path / "bare.npz")


def test_gal_and_gwt_as_libpysal_writes_them(tmp_path):
    import libpysal

    made = libpysal.graph.Graph.from_arrays(
        ["a", "a", "b", "c", "d"], ["b", "c", "a", "a", "d"], [1, 1, 1, 1, 0]
    )
    made.to_gal(tmp_path / "w.gal")
    expected = np.zeros((4, 4))
    expected[0, 1] = expected[0, 2] = expected[1, 0] = expected[2, 0] = 1
    same(read_weights(tmp_path / "w.gal"), expected, list("abcd"))
    made = libpysal.graph.Graph.from_arrays(
        ["a", "b", "b", "c"], ["b", "a", "c", "b"], [0.5, 2, 3, 3]
    )
    made.to_gwt(tmp_path / "w.gwt")
    same(
        read_weights(tmp_path / "w.gwt"), np.array([[0, 0.5, 0], [2, 0, 3], [0, 3, 0]]), list("abc")
    )


def test_an_island_of_a_gwt_file_has_a_row_of_its_own(tmp_path):
    file = write(tmp_path / "w.gwt", "0 3 f id\na b 2\nb a 2\nc c 0\n")
    same(read_weights(file), np.array([[0, 2, 0], [2, 0, 0], [0, 0, 0]]), list("abc"))


def test_a_large_file_of_geoda_keeps_its_links():
    from libpysal import examples

    read = read_weights(examples.get_path("sids2.gal"))
    assert read.matrix.shape == (100, 100)
    assert read.matrix.nnz == 462  # libpysal's own documentation


@pytest.mark.parametrize(
    ("name", "text", "row", "words"),
    [
        ("w.txt", "x", None, "unknown type of weights file"),
        ("w.shp", "x", None, "kind contiguity"),
        ("w.csv", "", 1, "neither a square table"),
        ("w.csv", ";a;b\na;0;1\nb;1;0\n", 1, "separate cells by commas"),
        ("w.csv", b"\xff\x80\xff,a\n\xff,1\n", None, "neither UTF-8"),
        ("w.csv", "0,1,5\n1,0,2\n5,2,0\n", 1, "no ids"),
        ("w.csv", ",a,b,c\na,0,1,0\nb,1,0,2\n", None, "2 rows and 3 columns"),
        ("w.csv", ",a,b\na,0,1\nb,1\n", 3, "2 cells"),
        ("w.csv", ",a,a\na,0,1\nb,1,0\n", None, "column occurs twice (value: a)"),
        ("w.csv", ",a,b\na,0,1\na,1,0\n", None, "row occurs twice (value: a)"),
        ("w.csv", ",a,b\na,0,1\nc,1,0\n", None, "different units (value: c)"),
        ("w.csv", ",a,b\na,0,x\nb,1,0\n", 2, "column 'b', row 2: not a number (value: x)"),
        ("w.csv", ",a,b\na,0,\nb,1,0\n", 2, "empty"),
        ("w.csv", "from,to,weight\na,b,1\n\na,b,2\n", 4, "an edge occurs twice (value: a - b)"),
        ("w.csv", 'from,to,weight\na,b,"0,5"\n', 2, "not a number (value: 0,5)"),
        ("w.csv", "from,to,weight\na,,1\n", 2, "lacks an end"),
        ("w.csv", "from,to,weight\na,b\n", 2, "2 cells"),
        ("w.npz", "not a zip", None, "cannot be read as .npz"),
        ("w.gal", "", 1, "number of units (value: empty)"),
        ("w.gal", "hello\n", 1, "number of units (value: hello)"),
        ("w.gal", "2\na 1\nb\nb 1\nc\n", 5, "no row of its own (value: c)"),
        ("w.gal", "3\na 1\nb\nb 1\na\na 1\nb\n", None, "occurs twice (value: a)"),
        ("w.gal", "2\na 2\nb\nb 1\na\n", 3, "1 neighbours where 2"),
        ("w.gal", "3\na 1\nb\nb 1\na\n", 6, "unit 3 of 3"),
        ("w.gal", "1\na 0\n\nb 0\n\n", 4, "more than the 1"),
        ("w.gal", b"1\n\xff 0\n\n", None, "not UTF-8"),
        ("w.gal", "²\n", 1, "number of units"),
        ("w.gal", "2\na ²\nb\n", 2, "unit 1 of 2"),
        ("w.csv", 'from,to,weight\na,b,"' + "x" * 200_000, 2, "not a table"),
        ("w.gwt", "", 1, "first row"),
        ("w.gwt", "0 2 f id\na b 1\nb a\n", 3, "from, to and weight"),
        ("w.gwt", "0 2 f id\na b 1\nb a x\n", 3, "not a number (value: x)"),
        ("w.gwt", "0 2 f id\na b 1\na b 2\n", 3, "twice (value: a - b)"),
        ("w.gwt", "0 3 f id\na b 1\nb a 1\n", 1, "announces 3 units, 2 have rows"),
        ("w.gwt", "0 3 f id\na b 1\nb a 1\nb c 1\n", 4, "no row of its own (value: c)"),
    ],
)
def test_each_fault_of_a_file_is_named(tmp_path, name, text, row, words):
    with pytest.raises(InputError) as caught:
        read_weights(write(tmp_path / name, text))
    assert words in str(caught.value)
    assert name in str(caught.value)
    assert "Remedy" in str(caught.value)
    assert caught.value.row == row


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ({"W": W, "ids": np.arange(3)}, "shape (4, 4) for 3 ids"),
        ({"W": W[:3], "ids": np.arange(4)}, "shape (3, 4) for 4 ids"),
        ({"W": W, "ids": np.array(["a", "b", "c", "a"])}, "twice (value: a)"),
        ({"W": np.full((4, 4), "x"), "ids": np.arange(4)}, "cannot be read"),
        ({"V": W, "ids": np.arange(4)}, "cannot be read"),
        ({"W": W, "ids": np.array(["a", 1, 2, 3], dtype=object)}, "cannot be read"),
        ({"W": W}, "no ids"),
    ],
)
def test_each_fault_of_an_array_file_is_named(tmp_path, held, words):
    np.savez(tmp_path / "w.npz", **held)
    with pytest.raises(InputError) as caught:
        read_weights(tmp_path / "w.npz")
    assert words in str(caught.value)


ARRAYS = {
    "csr": {
        "format": b"csr",
        "shape": [4, 4],
        "data": [1.0, 2.0],
        "indices": [1, 2],
        "indptr": [0, 1, 2, 2, 2],
    },
    "coo": {"format": b"coo", "shape": [4, 4], "data": [1.0, 2.0], "row": [0, 1], "col": [1, 2]},
    "dia": {"format": b"dia", "shape": [4, 4], "data": [[1.0, 2.0, 3.0, 4.0]], "offsets": [1]},
    "bsr": {
        "format": b"bsr",
        "shape": [4, 4],
        "data": [[[0.0, 1.0], [2.0, 0.0]]],
        "indices": [1],
        "indptr": [0, 1, 1],
    },
}


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "bsr", "dia"])
def test_every_sparse_format_is_read_as_scipy_reads_it(tmp_path, kind):
    made = getattr(scipy.sparse, f"{kind}_array")(W)
    save_npz(tmp_path / "bare.npz", made)
    with np.load(tmp_path / "bare.npz") as held:
        np.savez_compressed(tmp_path / "w.npz", **held, ids=np.arange(4))
    same(read_weights(tmp_path / "w.npz"), W, [0, 1, 2, 3])


@pytest.mark.parametrize(
    ("kind", "changed", "words"),
    [
        ("csr", {"indices": [1, 4]}, "indices points out of the matrix"),
        ("csr", {"indices": [1, -1]}, "indices points out of the matrix"),
        ("csr", {"indices": [2**40, 2]}, "indices points out of the matrix"),
        ("csr", {"indices": [1.0, 2.0]}, "indices is one row of whole numbers"),
        ("csr", {"indptr": [0, 2, 1, 2, 2]}, "indptr decreases"),
        ("csr", {"indptr": [0, 1, 2, 2, 9]}, "indptr does not begin at 0 and end"),
        ("csr", {"indptr": [0, 1, 2]}, "indptr does not begin at 0 and end"),
        ("csr", {"data": [1.0, 2.0, 3.0]}, "indices has 2 entries, data 3"),
        ("csr", {"data": [1j, 2.0]}, "weights are real numbers, not complex128"),
        ("csr", {"indptr": [0, 2, 2, 2, 2], "indices": [1, 1]}, "a pair of units has two weights"),
        ("csr", {"shape": [4, 10**12]}, "shape (4, 1000000000000) for 4 ids"),
        ("csr", {"format": b"exe"}, "'exe' is no sparse format"),
        ("csr", {"ids": np.array([1, "a", 2, 3], dtype=object)}, "Python objects"),
        ("csr", {"data": np.array([1.0, "a"], dtype=object)}, "Python objects"),
        ("coo", {"row": [0, 4]}, "row points out of the matrix"),
        ("coo", {"col": [-1, 2]}, "col points out of the matrix"),
        ("coo", {"row": [0, 0], "col": [1, 1]}, "a pair of units has two weights"),
        ("dia", {"offsets": [7]}, "a diagonal lies outside"),
        ("bsr", {"indices": [2]}, "indices points out of the matrix"),
        ("bsr", {"data": [[[0.0, 1.0, 2.0]]]}, "the blocks do not fill the matrix"),
    ],
)
def test_an_array_that_points_out_of_another_is_named(tmp_path, kind, changed, words):
    arrays = {"ids": np.arange(4)} | ARRAYS[kind]
    np.savez(tmp_path / "good.npz", **{k: np.asarray(v) for k, v in arrays.items()})
    read_weights(tmp_path / "good.npz")
    np.savez(tmp_path / "w.npz", **{k: np.asarray(v) for k, v in (arrays | changed).items()})
    with pytest.raises(InputError) as caught:
        read_weights(tmp_path / "w.npz")
    assert words in str(caught.value)


def test_a_huge_array_is_refused_by_its_header_before_it_is_read(tmp_path, monkeypatch):
    file = tmp_path / "w.npz"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as held:
        for name, size in (("ids", 4), ("W", 400)):
            header = io.BytesIO()
            shape = (size,) if name == "ids" else (size, size)
            described = {"descr": "<f8", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(header, described)
            held.writestr(f"{name}.npy", header.getvalue() + bytes(8 * size))
    with pytest.raises(InputError, match="not as large as its header says"):
        read_weights(file)
    np.savez(file, W=W, ids=np.arange(4))
    monkeypatch.setattr(npz, "LARGEST", 100)
    monkeypatch.setattr(npz.npy, "read_array", None)  # not reached
    with pytest.raises(InputError, match="its arrays take"):
        read_weights(file)


def test_polygons_are_what_their_name_says(tmp_path):
    """GDAL tells a format by the content, and some formats read other files or the network."""
    file = tmp_path / "p.geojson"
    for text in (
        '<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>/etc/passwd</SrcDataSource>'
        "</OGRVRTLayer></OGRVRTDataSource>",
        '{"type": "gdal_streamed_alg", "command_line": "gdal vector read /etc/passwd"}',
        "[" * 5000,
        "",
    ):
        with pytest.raises(InputError, match="not what its extension says"):
            contiguity(write(file, text), "id")
    for suffix in (".shp", ".gpkg"):
        with pytest.raises(InputError, match="not what its extension says"):
            contiguity(write(tmp_path / f"p{suffix}", "<OGRVRTDataSource/>"), "id")


def test_faults_of_paths(tmp_path):
    made = make_weights(W, IDS)
    for call in (
        lambda: read_weights(tmp_path / "none.csv"),
        lambda: write_weights(made, tmp_path / "w.gal"),
        lambda: write_weights(made, tmp_path / "nowhere" / "w.csv"),
        lambda: contiguity(tmp_path / "none.gpkg", "id"),
        lambda: contiguity(tmp_path / "none.kml", "id"),
        lambda: contiguity(write(tmp_path / "bad.geojson", "{"), "id"),
    ):
        with pytest.raises(InputError, match="Remedy"):
            call()


def grid(**changes):
    """Four unit squares a b / c d, and one alone; the file's order is not alphabetical."""
    squares = {"d": (1, 0), "a": (0, 1), "lone": (9, 9), "c": (0, 0), "b": (1, 1)}
    shapes = [box(x, y, x + 1, y + 1) for x, y in squares.values()]
    frame = {"name": list(squares), "geometry": shapes} | changes
    return geopandas.GeoDataFrame(frame, crs="EPSG:3857")


@pytest.mark.parametrize("suffix", [".geojson", ".gpkg", ".shp"])
@pytest.mark.parametrize(("rule", "diagonal"), [("queen", 1), ("rook", 0)])
def test_contiguity_of_a_grid(tmp_path, suffix, rule, diagonal):
    grid().to_file(tmp_path / f"grid{suffix}")
    matrix, ids = contiguity(tmp_path / f"grid{suffix}", "name", rule)
    made = aligned(make_weights(matrix, ids, normalisation="none"), np.array([*"abcd", "lone"]))
    expected = np.zeros((5, 5))
    expected[:4, :4] = [
        [0, 1, 1, diagonal],
        [1, 0, diagonal, 1],
        [1, diagonal, 0, 1],
        [diagonal, 1, 1, 0],
    ]
    np.testing.assert_array_equal(made.dense(), expected)
    assert [(note.name, note.count) for note in made.notes] == [("islands", 1)]


@pytest.mark.parametrize(
    ("changes", "column", "words"),
    [
        ({}, "code", "lack the id column"),
        ({"name": ["a", "a", "b", "c", "d"]}, "name", "twice (value: a)"),
        ({"name": ["a", None, "b", "c", "d"]}, "name", "row 2: a polygon has no id"),
        ({"geometry": [Point(k, k) for k in range(5)]}, "name", "no polygon (value: d)"),
    ],
)
def test_each_fault_of_polygons_is_named(tmp_path, changes, column, words):
    grid(**changes).to_file(tmp_path / "grid.gpkg")
    with pytest.raises(InputError) as caught:
        contiguity(tmp_path / "grid.gpkg", column)
    assert words in str(caught.value)
