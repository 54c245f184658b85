"""The border to JSON: one function makes values plain, and nothing else stands for an object."""

import ast
import json
from dataclasses import dataclass, fields
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from architecture_map import modules
from bayesdid.jsonio import plain, to_json
from bayesdid.summary import Interval, summarise

# modules beside jsonio, report and cli that may say dict[str, Any], and why
UNTYPED = {
    "checks.store": "reads what it wrote as JSON",
    "families.store": "reads what it wrote as JSON",
    "families.comparison.analysis": "a row of a data frame",
    "families.registry.describe": "JSON Schema",
    "families.registry.family": "JSON Schema of options",
    "families.registry.schemas": "JSON Schema",
    "families.sdm.output": "cells of a study's schema",
    "families.specification_curve.analysis": "a row of a data frame",
    "front.regressors": "options of a family, before they are parsed",
    "importing.pdf": "words of a page, as pdfplumber gives them",
    "inference.exact.scales": "arrays of a compiled kernel",
    "inference.nuts.chain": "keyword arguments of nutpie and PyMC",
    "inference.nuts.collapsed": "PyTensor variables",
    "inference.tree": "coordinates and attributes for xarray",
    "model.pymc.compile": "coordinates for PyMC",
    "model.pymc.setting": "coordinates for PyMC",
    "panel.simulate": "columns of a data frame",
    "peers.spatial_spreg": "what spreg returns",
    "peers.staggered": "what diff-diff returns",
    "study.jsonschema": "JSON Schema",
    "study.schema": "options of a family, before they are parsed",
    "study.toml": "TOML as it is read",
}
# modules beside jsonio, report, cli, peers and the compiler (PyTensor is untyped) that say Any
LOOSE = UNTYPED | {
    "": "names looked up on first use",
    "checks.chains": "ArviZ is untyped",
    "checks.figure": "positions or labels of a figure",
    "checks.pictures": "arviz-stats is untyped",
    "checks.pit": "arviz-stats is untyped",
    "checks.sensitivity": "ArviZ is untyped",
    "checks.standards": "attributes of a tree",
    "checks.units": "arviz-stats is untyped",
    "design.build": "fields of a column, which pydantic checks",
    "digest": "hashes any value",
    "front.event_study": "data frames of any library",
    "front.did": "any data frame",
    "front.study": "any data frame",
    "front.synergy": "any data frame",
    "inference.gate": "a reduction of xarray",
    "inference.exact.scales_kernel": "numba is untyped",
    "inference.exact.tails": "arrays of a compiled kernel",
    "inference.exact.tails_kernel": "numba is untyped",
    "inference.numerics.importance": "scipy's and arviz-stats' options",
    "inference.numerics.table": "scipy's options",
    "model": "hands on what it is called with",
    "model.bound": "a PyMC model, without importing PyMC",
    "model.model": "fields of a model, which are checked",
    "panel.frames": "any data frame",
    "panel.workbook": "a sheet, without importing openpyxl",
    "study.load": "annotations of fields",
    "spatial.weights.distance": "identifiers of units: numbers or text",
    "spatial.weights.files": "identifiers of units: numbers or text",
    "spatial.weights.npz": "arrays of a file, and what scipy makes of them",
    "spatial.weights.pysal": "identifiers of units: numbers or text",
    "spatial.weights.tables": "identifiers of units: numbers or text",
    "spatial.weights.weights": "any matrix that scipy takes",
}


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class Inner:
    json_keys: ClassVar[tuple[str, ...]] = ("spec_id", "size", "*more")

    spec_id: str
    draws: np.ndarray

    @property
    def size(self) -> int:
        return len(self.draws)

    @property
    def more(self) -> dict[str, float]:
        return {"largest": self.draws.max()}


@dataclass(frozen=True, slots=True)
class Outer:
    inner: Inner
    where: Path
    colour: Colour
    pairs: dict[tuple[str, float], float]
    table: pd.DataFrame
    interval: Interval


def test_everything_becomes_plain():
    frame = pd.DataFrame({"a": [1, 2], "b": [0.5, np.nan]}, index=pd.Index(["x", "y"], name="row"))
    value = Outer(
        Inner("t.1", np.array([1.0, 3.0])),
        Path("a/b"),
        Colour.RED,
        {("design", 1.5): np.float64(2.0), ("widest", 1.0): np.inf},
        frame,
        Interval(0.0, 1.0, 0.89),
    )
    assert json.loads(to_json(value)) == {
        "inner": {"spec": "t.1", "size": 2, "largest": 3.0},
        "where": "a/b",
        "colour": "red",
        "pairs": {"design x1.5": 2.0, "widest x1": None},
        "table": [{"row": "x", "a": 1, "b": 0.5}, {"row": "y", "a": 2, "b": None}],
        "interval": {"low": 0.0, "high": 1.0, "level": 0.89},
    }
    assert plain([np.int64(3), np.bool_(True), np.array([[1, 2]]), pd.NA, (1, None)]) == [
        3,
        True,
        [[1, 2]],
        None,
        [1, None],
    ]


def test_what_json_cannot_say_is_refused():
    with pytest.raises(TypeError, match="a function cannot be written"):
        plain({"f": plain})


def test_a_summary_names_its_intervals():
    found = plain(summarise(np.arange(200.0)))
    assert list(found)[3:6] == ["hdi50", "hdi89", "hdi95"]
    assert [high - low for low, high in (found["hdi50"], found["hdi89"])] == [100.0, 178.0]
    assert found["level"] == 0.89


def test_declared_keys_exist():
    """Every name in ``json_keys`` is a field or a property of its class."""
    seen = 0
    for name, path in modules().items():
        if "json_keys: ClassVar" not in path.read_text(encoding="utf-8"):
            continue
        module = import_module(f"bayesdid.{name}")
        for kind in vars(module).values():
            if isinstance(kind, type) and kind.__module__ == module.__name__:
                known = {field.name for field in fields(kind)} if hasattr(kind, "json_keys") else ()
                for key in getattr(kind, "json_keys", ()):
                    key = key.removeprefix("*")
                    assert key in known or isinstance(getattr(kind, key), property), (kind, key)
                    seen += 1
    assert seen > 40


def test_no_object_writes_itself():
    for name, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not (isinstance(node, ast.FunctionDef) and node.name == "to_dict"), name


def test_untyped_dictionaries_stay_at_the_border():
    found = {
        name
        for name, path in modules().items()
        if "dict[str, Any]" in path.read_text(encoding="utf-8")
        and name.partition(".")[0] not in {"jsonio", "report", "cli"}
    }
    assert found == set(UNTYPED)


def test_values_of_any_type_stay_at_the_border():
    """Each module that says Any is listed with its reason, and none is listed for nothing."""
    found = {
        name
        for name, path in modules().items()
        if name.partition(".")[0] not in {"jsonio", "report", "cli", "peers"}
        and not name.startswith("model.pymc")
        and any(
            isinstance(node, ast.Name) and node.id == "Any"
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        )
    }
    listed = {name for name in LOOSE if not name.startswith(("model.pymc", "peers"))}
    assert found == listed
