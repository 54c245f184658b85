"""Studies whose results depend on files beside them, and ways to damage a stored file."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayesdid.families.registry.load import load_study
from bayesdid.families.run import make_request
from bayesdid.panel.validate import validate_panel
from smallest import study_with

N, T = 12, 5
STUDY = study_with(
    """
coordinates = "places.csv"
""",
    """
[[weights]]
id = "file"
label = "File"
kind = "file"
path = "w.csv"
[[weights]]
id = "near"
label = "Near"
kind = "nearest"
k = 2
[[weights]]
id = "touch"
label = "Touch"
kind = "contiguity"
path = "shapes.shp"
id_column = "name"
""",
)
TABLE = """
id = "t"
title = "T"
kind = "regression"
"""
COLUMN = """
[[column]]
id = "{name}"
outcome = "y"
treatments = ["active:p"]
family = "sdm"
weights = "{weights}"
"""


def ring(step=1):
    """An edge list in which each unit has the one `step` further as its neighbour."""
    rows = [f"{k},{(k + step) % N},1\n" for k in range(N)]
    return "from,to,weight\n" + "".join(rows)


def places(seed=0):
    at = np.random.default_rng(seed).uniform(0, 10, (N, 2))
    rows = [f"{k},{lon},{lat}\n" for k, (lon, lat) in enumerate(at)]
    return "unit,lon,lat\n" + "".join(rows)


def shapes(folder, columns=4):
    """Squares in rows of `columns`: who touches whom depends on it."""
    import geopandas
    from shapely.geometry import box

    squares = [box(k % columns, k // columns, k % columns + 1, k // columns + 1) for k in range(N)]
    frame = geopandas.GeoDataFrame(
        {"name": [str(k) for k in range(N)], "geometry": squares}, crs="EPSG:3857"
    )
    frame.to_file(folder / "shapes.shp")


def write_study(folder):
    """A study with one spatial spec for each kind of file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.toml").write_text(STUDY)
    (folder / "w.csv").write_text(ring())
    (folder / "places.csv").write_text(places())
    columns = [COLUMN.format(name=name, weights=name) for name in ("file", "near", "touch")]
    (folder / "t.toml").write_text(TABLE + "".join(columns))
    shapes(folder)
    return load_study(folder)


def panel_of(study, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame([(k, t) for k in range(N) for t in range(T)], columns=["unit", "year"])
    frame["y"] = rng.standard_normal(N * T)
    frame["py"] = np.where(frame["unit"] < 5, 2, np.nan)
    return validate_panel(frame, study, source="panel.csv")


def request_of(study, name, **size):
    return make_request(study, f"t.{name}", panel_of(study), **({"draws": 100} | size))


def flip(path, bit):
    """Flip one bit of a file in place."""
    raw = bytearray(path.read_bytes())
    raw[bit // 8] ^= 1 << bit % 8
    path.write_bytes(bytes(raw))
