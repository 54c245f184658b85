"""Digests: equal for equal content, different for anything else."""

import dataclasses
import datetime
import enum
import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel
from scipy.sparse import coo_array, csr_array

from bayesdid.digest import digest, environment_digest, file_digest


@dataclasses.dataclass(frozen=True, slots=True)
class Point:
    x: float
    y: object = None


@dataclasses.dataclass(frozen=True, slots=True)
class Other:
    x: float
    y: object = None


class Colour(enum.Enum):
    RED = 1


class Settings(BaseModel):
    name: str = "a"
    sizes: tuple[int, ...] = (1,)


A = np.arange(6.0)
DIFFERENT = [
    None,
    True,
    1,
    1.0,
    -0.0,
    0.0,
    float("nan"),
    "1",
    b"1",
    (),
    [1],
    ["ab", "c"],
    ["a", "bc"],
    [["a"], "bc"],
    {"a": 1},
    {"a": 2},
    {1},
    datetime.date(2020, 1, 1),
    Colour.RED,
    A,
    A[::-1],
    A.reshape(2, 3),
    A.reshape(3, 2),
    A.reshape(2, 3).T,
    A.astype("float32"),
    A.astype(int),
    np.array(["a", "b"]),
    np.array(["a", "b"], dtype=object),
    csr_array(np.eye(2)),
    csr_array(np.eye(3)),
    Point(1.0),
    Point(1.0, 2.0),
    Other(1.0),
    Settings(),
    Settings(name="b"),
    pd.Series([1.0, 2.0]),
    pd.Series([1.0, 2.0], index=[1, 0]),
    pd.Series([1.0, 2.0], name="a"),
    pd.Series([1, 2]),
    pd.Series([1, None], dtype="Int64"),
    pd.Series(["a", "b"]),
    pd.Series(["b", "a"]),
    pd.DataFrame({"a": [1.0], "b": [2.0]}),
    pd.DataFrame({"b": [2.0], "a": [1.0]}),
    pd.NA,
    pd.Index([1.0, 2.0]),
    pd.Index(["a", "b"]),
    pd.MultiIndex.from_tuples([(1, "a"), (2, "b")]),
]


def test_no_two_values_read_alike():
    found = [digest(value) for value in DIFFERENT]
    alike = [
        (DIFFERENT[i], DIFFERENT[j])
        for i, j in itertools.combinations(range(len(found)), 2)
        if found[i] == found[j]
    ]
    assert not alike
    assert digest("a", "b") != digest("ab") != digest(["a", "b"])


def test_equal_content_has_one_digest():
    big = np.arange(12.0).reshape(3, 4)
    same = [
        (big[:, ::2], np.ascontiguousarray(big[:, ::2])),
        (np.asfortranarray(big), big),
        (A.astype(">f8"), A),
        (np.float64(2.5), 2.5),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({3, 1, 2}, {2, 3, 1}),
        (coo_array(np.eye(2)), csr_array(np.eye(2))),
        (pd.DataFrame({"a": ["x", "y"]}), pd.DataFrame({"a": ["x", "y"]}).copy()),
    ]
    for a, b in same:
        assert digest(a) == digest(b)


def test_a_name_is_no_content(tmp_path):
    with pytest.raises(TypeError, match="no digest"):
        digest(Path("w.csv"))
    with pytest.raises(TypeError, match="no digest"):
        digest(Point(1.0, Path("w.csv")))
    with pytest.raises(TypeError, match="no digest"):
        digest(len)


def test_files_and_folders(tmp_path):
    path = tmp_path / "a"
    assert file_digest(path) is None
    path.write_bytes(b"x")
    first, folder = file_digest(path), file_digest(tmp_path)
    path.write_bytes(b"y")
    assert file_digest(path) != first
    assert file_digest(tmp_path) != folder


def test_the_environment_names_what_is_installed():
    assert len(environment_digest()) == 64
    assert environment_digest() == environment_digest()
