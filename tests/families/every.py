"""One small study that holds a spec of every family, and a panel on which all of them run."""

from __future__ import annotations

import dataclasses

import numpy as np
from made import make_panel, make_study, staggered

from bayesdid.study.schema import NamedNumber
from bayesdid.study.spatial_weights import SpatialWeights

N, T = 40, 10
REGIONS = {"e": "East", "w": "West"}
ONE = {"outcome": "y", "treatments": ["active:a"], "covariates": ["x"]}

# what a spec of each family says, and options beside those it needs
COLUMNS = {
    "twfe": ONE,
    "pooled": ONE | {"unit_effects": "none"},
    "iv_first": ONE | {"instrument": "z"},
    "other": ONE | {"weights": "as printed"},
    "cohort": ONE | {"options": {"errors": "ar1"}},
    "overlap": {"outcome": "y", "options": {"errors": "ar1"}},
    "mediation": ONE | {"options": {"mediators": ["m"], "errors": "ar1"}},
    "moderation": ONE | {"options": {"moderator": "m", "errors": "ar1"}},
    "heterogeneity": ONE | {"options": {"groups": ["region"], "errors": "ar1"}},
    "event_study": ONE | {"options": {"first": -4, "last": 1, "robust": False, "errors": "ar1"}},
    "placebo": ONE | {"options": {"draws": 60, "errors": "ar1"}},
    "errors": ONE | {"options": {"models": ["ar1"]}},
    "specification_curve": ONE | {"options": {"effects": ["fixed"], "errors": ["iid"]}},
    "comparison": {
        "outcome": "y",
        "options": {"specs": ["t.twfe"], "effects": ["fixed"], "errors": ["iid"]},
    },
    "iv_second": ONE | {"instrument": "z"},
    "psm_did": ONE | {"options": {"caliper": 1.0, "matches": 60, "errors": "iid"}},
    "sdm": ONE | {"weights": "near"},
    "spillover_distance": ONE | {"options": {"step_km": 200, "last_km": 800}},
    "spillover_bands": ONE | {"options": {"step_km": 400, "last_km": 800}},
}


def every(only=None, **changed):
    """The study, with columns of the families `only` (all) and `changed` fields of them."""
    columns = [
        COLUMNS[name] | {"id": name, "family": name} | changed.get(name, {})
        for name in COLUMNS
        if only is None or name in only
    ]
    study = make_study(("a", "b"), columns, groups=[("region", REGIONS)])
    section = study.file.panel.model_copy(update={"longitude": "lon", "latitude": "lat"})
    weights = (
        SpatialWeights(id="near", label="Four nearest", kind="nearest", k=4),
        SpatialWeights(id="far", label="Inverse distance", kind="inverse_distance"),
    )
    file = study.file.model_copy(update={"panel": section, "weights": weights})
    numbers = (NamedNumber(name="near", value="300"), NamedNumber(name="far", value="600"))
    table = study.tables["t"].model_copy(update={"number": numbers})
    return dataclasses.replace(study, file=file, tables={"t": table})


def every_panel(seed=0):
    """Forty units on 10 x 10 degrees over ten periods."""
    frame, adoption = staggered(
        seed, N=N, T=T, effect=lambda starts, t: -0.5 * (t >= starts).sum(), policies=("a", "b")
    )
    rng = np.random.default_rng(seed + 1)
    n = len(frame)
    lon, lat = rng.uniform(100, 110, N), rng.uniform(0, 10, N)
    start = adoption["a"].to_numpy(float, na_value=np.inf)[frame["unit"]]
    d = (frame["period"] >= start).astype(float)
    return make_panel(
        frame.assign(
            x=rng.normal(size=n),
            m=0.5 * d + rng.normal(size=n),
            z=d + rng.normal(size=n),
            region=np.where(frame["unit"] % 2, "e", "w"),
            lon=lon[frame["unit"]],
            lat=lat[frame["unit"]],
            count=rng.poisson(5, n),
            size=rng.uniform(1, 2, n),
        ),
        adoption,
    )
