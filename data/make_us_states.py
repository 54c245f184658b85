"""Make the contiguity and the places of the study traffic_laws from libpysal's us_income (BSD-3).

Run as ``python data/make_us_states.py``. libpysal's states48.gal numbers the states 0 to 47 and
does not say which is which. The numbering is found, not assumed: of the alphabetical order and
the order of us48.shp, the one is taken under which the file equals the queen contiguity of the
polygons, and exactly one must. States are then named by the codes of the study's own panel,
through STATE_NAME and ``[panel.unit_labels]``.
"""

import tomllib
import warnings
from pathlib import Path

import geopandas
import libpysal
import numpy as np
from libpysal.graph import Graph

STUDY = Path(__file__).parents[1] / "models" / "traffic_laws"
SOURCE = Path(libpysal.__file__).parent / "examples" / "us_income"


def neighbours() -> tuple[dict[str, set[str]], geopandas.GeoDataFrame]:
    """State -> its neighbours, checked against the polygons, and the polygons."""
    handle = libpysal.io.open(str(SOURCE / "states48.gal"))
    numbered = handle.read().neighbors
    handle.close()
    shapes = geopandas.read_file(SOURCE / "us48.shp").set_index("STATE_NAME")
    graph = Graph.build_contiguity(shapes, rook=False)
    touching = {name: set(graph[name].index) for name in shapes.index}
    orders = {"alphabet": sorted(shapes.index), "shapefile": list(shapes.index)}
    agree = {}
    for how, names in orders.items():
        named = {names[int(i)]: {names[int(j)] for j in near} for i, near in numbered.items()}
        if named == touching:
            agree[how] = named
    if len(agree) != 1:
        raise SystemExit(f"orders that agree with the polygons: {list(agree)}")
    (found,) = agree.values()
    if any(a not in found[b] for a in found for b in found[a]):
        raise SystemExit("not symmetric")
    return found, shapes


def main() -> None:
    """Write contiguity.gal and coordinates.csv into the study's folder."""
    near, shapes = neighbours()
    labels = tomllib.loads((STUDY / "study.toml").read_text(encoding="utf-8"))["panel"]
    code = {name: int(key) for key, name in labels["unit_labels"].items()}
    if set(code) != set(near):
        raise SystemExit(f"states that differ: {set(code) ^ set(near)}")
    lines = [str(len(near))]
    for name in sorted(near, key=code.__getitem__):
        lines += [f"{code[name]} {len(near[name])}"]
        lines += [" ".join(str(k) for k in sorted(code[other] for other in near[name]))]
    (STUDY / "contiguity.gal").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with warnings.catch_warnings():  # the file names no projection; its numbers are degrees
        warnings.simplefilter("ignore")
        centre = shapes.geometry.centroid
    rows = [
        f"{code[name]},{np.round(centre[name].x, 4)},{np.round(centre[name].y, 4)}"
        for name in sorted(near, key=code.__getitem__)
    ]
    (STUDY / "coordinates.csv").write_text(
        "\n".join(["state,lon,lat", *rows]) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
