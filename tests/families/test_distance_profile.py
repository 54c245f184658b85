"""The analysis of spillover over distance: options, published boundaries, what it says."""

import dataclasses

import numpy as np
import pytest
from made import make_panel, make_study, spec_of, staggered
from stated import main_of

import bayesdid as bd
from bayesdid.exceptions import InputError
from bayesdid.jsonio import to_json
from bayesdid.study.schema import NamedNumber
from bayesdid.study.spatial_weights import SpatialWeights

COLUMN = {
    "id": "d",
    "outcome": "y",
    "treatments": ["active:a"],
    "family": "spillover_distance",
    "options": {"last_km": 800, "boundaries": ["near", "far"]},
}


def mapped(options=None, *, seed=0, size=0.15):
    """A study of 60 units on 10 x 10 degrees: help to 400 km, harm to 700 km."""
    frame, adopted = staggered(seed, N=60)
    rng = np.random.default_rng(seed + 50)
    lon, lat = rng.uniform(100, 110, 60), rng.uniform(0, 10, 60)
    frame["lon"], frame["lat"] = lon[frame["unit"]], lat[frame["unit"]]
    km = 111.2 * np.hypot(lon[:, None] - lon, lat[:, None] - lat)  # near the equator
    theta = np.where(km < 400, -size, np.where(km < 700, size, 0)) * ~np.eye(60, dtype=bool)
    period = np.arange(1, 13)
    start = adopted["a"].to_numpy(float, na_value=np.inf)
    D = (period >= start[:, None]).astype(float)
    frame["y"] += (theta @ D - 0.4 * D).ravel()
    study = make_study(("a",), [COLUMN | ({} if options is None else {"options": options})])
    section = study.file.panel.model_copy(update={"longitude": "lon", "latitude": "lat"})
    weights = (SpatialWeights(id="near", label="Inverse distance", kind="inverse_distance"),)
    file = study.file.model_copy(update={"panel": section, "weights": weights})
    numbers = (NamedNumber(name="near", value="400"), NamedNumber(name="far", value="700"))
    table = study.tables["t"].model_copy(update={"number": numbers})
    study = dataclasses.replace(study, file=file, tables={"t": table})
    return study, spec_of(study, "d"), make_panel(frame, adopted)


@pytest.fixture(scope="module")
def found():
    return bd.analyse(*mapped(), draws=500)


def table(analysis, name):
    return next(t.frame for t in analysis.tables if t.name == name)


def test_planted_stages_are_found_and_said(found):
    assert found.converged
    assert not found.failed
    assert main_of(found, "active:a up to 400 km").found.p_negative > 0.95
    assert main_of(found, "active:a from 400 to 700 km").found.p_negative < 0.05
    rings = table(found, "rings")
    received = main_of(found, "active:a.indirect").found.mean
    assert received == pytest.approx(rings["all of the ring"].sum(), rel=1e-9)
    claims = table(found, "claims").set_index(["claim", "definition"])
    whole = claims.loc["all three stages"].iloc[0]
    assert whole["posterior"] > 0.95
    assert whole["prior"] < 0.3
    sign = table(found, "boundaries").iloc[0]
    assert sign["HDI 89% low"] < 400 < sign["HDI 89% high"]
    assert table(found, "evidence")["smooth against none"].min() > 100
    assert "Published: helpful out to 400 km" in " ".join(found.sentences)
    assert found.synthetic


def test_the_rings_add_up(found):
    rings = table(found, "rings")
    assert rings["pairs"].sum() < 60 * 59
    assert np.isfinite(rings["least squares"]).all()
    # the smooth profile is no further from least squares than noise allows: 8 rings, 4 sd
    off = (rings["mean"] - rings["least squares"]) / np.hypot(rings["se"], rings["sd"])
    assert np.abs(off).max() < 4


def test_figures_mark_the_published_boundaries_and_everything_is_json(found):
    assert {f.name: f.verticals for f in found.figures} == {
        "profile": (400.0, 700.0),
        "boundary": (400.0, 700.0),
    }
    assert to_json(found)


def test_with_a_spatial_lag_impacts_are_told():
    options = {"last_km": 800, "rho": True, "weights": "near", "boundaries": [400, 700]}
    result = bd.analyse(*mapped(options), draws=250)
    assert result.converged
    assert {"rho", "direct"} <= set(table(result, "parameters")["quantity"])
    assert "once spillovers have spread" in table_caption(result, "rings")


def table_caption(analysis, name):
    return next(t.caption for t in analysis.tables if t.name == name)


def test_without_published_boundaries_there_are_no_claims():
    result = bd.analyse(*mapped({"last_km": 800, "exposure": "share"}), draws=250)
    assert "claims" not in [t.name for t in result.tables]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bands": 20}, "has no option bands"),
        ({"last_km": "far"}, "takes a number above 0"),
        ({"rho": True}, "needs weights"),
        ({"boundaries": [800]}, "takes 2 of"),
        ({"boundaries": ["near", "nowhere"]}, "no such published cell"),
        ({"exposure": "sum"}, 'takes "count" or "share"'),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        bd.analyse(*mapped({"last_km": 800} | options), draws=100)
