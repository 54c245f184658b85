"""The cells of simulation-based calibration: one model of every kind on a small design."""

from __future__ import annotations

import dataclasses
import sys
from functools import cache
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "families"))
sys.path.insert(0, str(Path(__file__).parents[1] / "inference"))

from distances import adoption, design_of, places
from made import make_panel, make_study, staggered
from panels import make_design
from sbc import Cell

from bayesdid.design.build import build_design
from bayesdid.design.cohort import cohort_design
from bayesdid.design.design import Design
from bayesdid.design.overlap import OverlapDesign, overlap_design
from bayesdid.estimands.names import SUM
from bayesdid.estimands.state_effects import state_averages
from bayesdid.families.cohort.analysis import cohort_pooling
from bayesdid.families.heterogeneity.analysis import heterogeneity_pooling
from bayesdid.model.effects import two_way
from bayesdid.model.errors import Errors
from bayesdid.model.likelihood import Likelihood
from bayesdid.model.mean import Durbin, Instrument, Mediation, Pooled, Profile, Propensity, TwoWay
from bayesdid.model.mean import Path as EventPath
from bayesdid.model.model import Model
from bayesdid.model.overlap import overlap_pooling
from bayesdid.model.pooling import Pooling
from bayesdid.model.spillover import ProfileDesign, profile_design
from bayesdid.spatial.design import SpatialDesign, spatial_design
from bayesdid.spatial.weights.weights import Weights, make_weights


def plain() -> Design:
    """12 units, 5 periods, rows missing."""
    return make_design(9, N=12, T=5, balanced=False)


def tiny() -> Design:
    """So few rows that a prior on a coefficient matters."""
    return make_design(9, N=4, T=3)


def weighted() -> Design:
    design = plain()
    weights = np.random.default_rng(3).uniform(0.3, 3.0, design.n)
    return dataclasses.replace(design, weights=weights)


def moderated() -> Design:
    """A treatment and its product with the first covariate."""
    design = plain()
    D = np.column_stack([design.D, design.D[:, 0] * design.X[:, 0]])
    return dataclasses.replace(design, D=D, treatments=("d", "d * x1"))


def counted() -> Design:
    """Counts with an exposure, or trials."""
    design = plain()
    exposure = np.random.default_rng(4).uniform(0.5, 4.0, design.n)
    return dataclasses.replace(design, y=np.ones(design.n), exposure=exposure)


def tried() -> Design:
    design = plain()
    trials = np.random.default_rng(4).integers(2, 12, design.n).astype(float)
    return dataclasses.replace(design, y=np.ones(design.n), trials=trials)


def _staggered(family: str, policies=("a",), **more: object):
    frame, adoption = staggered(3, N=24, T=10, policies=policies)
    column = {"id": "c", "outcome": "y", "family": family, **more}
    return make_study(policies, [column])["t.c"], make_panel(frame, adoption)


def events() -> Design:
    options = {"first": -3, "last": 3, "reference": -1}
    spec, panel = _staggered("event_study", treatments=["active:a"], options=options)
    return build_design(spec, panel)


def cohorts() -> Design:
    spec, panel = _staggered("cohort", treatments=["active:a"])
    return cohort_pooling(cohort_design(spec, panel)).design


def _overlap() -> tuple[OverlapDesign, Pooling]:
    rows = overlap_design(*_staggered("overlap", policies=("a", "b")))
    return rows, overlap_pooling(rows)


def overlapping() -> Design:
    return _overlap()[1].design


@cache
def synergy() -> np.ndarray:
    """Weights of the headline's contrast: both policies less the sum of the two."""
    return state_averages(*_overlap())[0][SUM].parts[0]


def mediated() -> Design:
    """Three covariates, of which the last ones may be mediators."""
    design = plain()
    more = np.random.default_rng(5).normal(size=design.n)
    return dataclasses.replace(
        design, X=np.column_stack([design.X, more]), covariates=("x1", "m1", "m2")
    )


def one_mediator() -> Design:
    design = mediated()
    return dataclasses.replace(design, X=design.X[:, :2], covariates=("x1", "m1"))


def instrumented() -> Design:
    """The second covariate is the instrument."""
    return dataclasses.replace(plain(), covariates=("x1", "z"), treatments=("d",))


def _mapped(N: int, T: int) -> tuple[Design, np.ndarray]:
    """One treatment and one covariate of units on a map, with their distances in km."""
    rng = np.random.default_rng(6)
    distance = places(rng, N)
    return design_of(rng.normal(size=(N, T)), adoption(rng, N, T), [rng.normal(size=(N, T))]), (
        distance
    )


def _neighbours(distance: np.ndarray) -> Weights:
    return make_weights(np.exp(-distance / 500) * (distance > 0), np.arange(len(distance)), "near")


def spatial() -> SpatialDesign:
    base, distance = _mapped(16, 6)
    return spatial_design(base, _neighbours(distance), "sdm")


def profiled() -> ProfileDesign:
    base, distance = _mapped(24, 8)
    return profile_design(base, distance, step_km=400, last_km=2000)


def profiled_lag() -> ProfileDesign:
    base, distance = _mapped(24, 8)
    weights = _neighbours(distance)
    return profile_design(base, distance, step_km=400, last_km=2000, weights=weights)


def units() -> Design:
    """One row for each unit."""
    design = make_design(9, N=40, T=3)
    first = design.take(design.period_index == 0)
    return dataclasses.replace(first, y=np.zeros(first.n), D=np.empty((first.n, 0)), treatments=())


def grouped() -> Design:
    design = make_design(9, N=20, T=5)
    group = np.array(["u", "v", "w"])[design.unit_index % 3]
    return heterogeneity_pooling(design, {"g": group})[0].design


NAMES = ("tau", "beta", "sigma")
SERIAL, UNIT = ("phi",), ("nu_unit",)


def _two_way(name, quantities, errors="iid", effects=("fixed", "fixed"), make=plain, **more):
    model = Model(errors=Errors.parse(errors), effects=two_way(*effects))
    if make is weighted:
        model = dataclasses.replace(model, weighted=True)
    return Cell(name, make, model, quantities, **more)


def _of(mean, name, make, quantities, errors="iid", effects=("fixed", "fixed"), **more):
    model = Model(mean=mean, errors=Errors.parse(errors), effects=two_way(*effects))
    return Cell(name, make, model, quantities, **more)


def _pooled(*args, **more):
    return _of(Pooled(), *args, **more)


def _sampled(
    name,
    make,
    quantities,
    mean=TwoWay(),
    likelihood="normal",
    errors="iid",
    effects=("fixed", "fixed"),
    chain=500,
):
    model = Model(mean, Likelihood(likelihood), Errors.parse(errors), two_way(*effects))
    return Cell(name, make, model, quantities, chain=chain)


def _tailed(name, make, quantities, mean=TwoWay(), effects=("fixed", "fixed")):
    model = Model(mean, Likelihood("student_t"), Errors(), two_way(*effects))
    return Cell(name, make, model, quantities)


RANDOM, MUNDLAK = ("random", "random"), ("mundlak", "mundlak")
GROUPS = ("sigma_city", "sigma_year")
ONE, TWO = Mediation(("m1",)), Mediation(("m1", "m2"))
LATENT = ("tau", "sigma", "phi")
PATHS = ("indirect", "total", "sigma")
PROFILE = ("theta", "amplitude", "length", "tau", "sigma")

CELLS = (
    _two_way("two-way", NAMES),
    _two_way("two-way, weights", NAMES, make=weighted),
    _two_way("two-way, random effects", (*NAMES, *GROUPS), effects=RANDOM),
    _two_way("two-way, Mundlak effects", (*NAMES, "gamma_city"), effects=MUNDLAK),
    _two_way("two-way, AR(1)", (*NAMES, *SERIAL), "ar1"),
    _two_way("two-way, AR(1), random", (*NAMES, *SERIAL, *GROUPS), "ar1", RANDOM),
    _two_way("two-way, AR(1), Mundlak", (*NAMES, *SERIAL), "ar1", MUNDLAK),
    _two_way("two-way, unit scales", (*NAMES, *UNIT), "iid_unit"),
    _two_way("two-way, AR(1), unit scales", (*NAMES, *SERIAL, *UNIT), "ar1_unit"),
    _two_way(
        "two-way, AR(1), unit scales, random",
        (*NAMES, *SERIAL, *UNIT, "sigma_city"),
        "ar1_unit",
        ("random", "fixed"),
    ),
    _two_way("moderation, AR(1)", (*NAMES, *SERIAL), "ar1", make=moderated),
    _two_way("event study, AR(1)", ("tau", "sigma", *SERIAL), "ar1", make=events),
    _pooled("cohorts", cohorts, ("mu", "tau", "sigma", "omega_cohort")),
    _pooled("cohorts, AR(1)", cohorts, ("mu", "sigma", *SERIAL, "omega_event"), "ar1"),
    _pooled("overlap", overlapping, ("mu", "sigma", "omega_since"), functional=synergy),
    _pooled(
        "overlap, AR(1), unit scales",
        overlapping,
        ("mu", "sigma", *SERIAL, *UNIT, "omega_since"),
        "ar1_unit",
        functional=synergy,
    ),
    _pooled("heterogeneity", grouped, ("mu", "sigma", "omega_g", "beta")),
    _pooled(
        "heterogeneity, AR(1), unit scales",
        grouped,
        ("mu", "sigma", *SERIAL, "omega_g"),
        "ar1_unit",
    ),
    _of(ONE, "mediation", one_mediator, (*PATHS, "a", "b", "sigma_mediator")),
    _of(
        ONE,
        "mediation, AR(1), random",
        one_mediator,
        (*PATHS, "phi", "phi_mediator", "sigma_city_mediator"),
        "ar1",
        RANDOM,
    ),
    _of(
        ONE,
        "mediation, AR(1), unit scales",
        one_mediator,
        (*PATHS, "sigma_mediator", "phi_mediator", *UNIT, "nu_unit_mediator"),
        "ar1_unit",
    ),
    _of(TWO, "two mediators", mediated, (*PATHS, "a", "sigma_mediator", "correlation:1")),
    _of(
        Instrument("z"),
        "instrument",
        instrumented,
        ("tau", "pi", "rho", "sigma", "sigma_treatment", "beta"),
    ),
    _of(Durbin("sdm"), "spatial Durbin", spatial, ("rho", "tau", "theta", "sigma")),
    _tailed("Student t", plain, (*NAMES, "nu")),
    _tailed("Student t, random effects", plain, (*NAMES, "nu", *GROUPS), effects=RANDOM),
    _tailed(
        "spatial Durbin, Student t", spatial, ("rho", "tau", "theta", "sigma", "nu"), Durbin("sdm")
    ),
    _of(Profile(), "distance profile", profiled, PROFILE),
    _of(Profile(), "distance profile, spatial lag", profiled_lag, (*PROFILE, "rho")),
    Cell(
        "propensity",
        units,
        Model(Propensity(), Likelihood("binomial"), effects=()),
        ("alpha", "beta"),
    ),
)


def _counts(name, make, quantities, likelihood, errors="iid", **more):
    return _sampled(
        name, make, quantities, likelihood=likelihood, errors=errors, effects=RANDOM, **more
    )


SAMPLED = (
    _counts("negative binomial", counted, ("tau", "beta", "spread"), "negative_binomial"),
    _counts("Poisson", counted, ("tau", "beta", "sigma_city"), "poisson"),
    _counts("binomial", tried, ("tau", "beta", "sigma_city"), "binomial"),
    _counts("Poisson, latent AR(1)", counted, LATENT, "poisson", "ar1", chain=1000),
    _counts("binomial, latent AR(1)", tried, LATENT, "binomial", "ar1", chain=1000),
    _sampled("event path, random walk", events, ("tau", "sigma", "s"), EventPath("random_walk")),
    _sampled(
        "event path, Gaussian process, AR(1), unit scales",
        events,
        ("tau", "sigma", "s", *SERIAL, *UNIT),
        EventPath("gaussian_process"),
        errors="ar1_unit",
    ),
)
PLANTED = (
    _two_way("prior sd twice what it is", NAMES, make=tiny, wrong="prior"),
    _two_way("posterior half as wide", NAMES, wrong="narrow"),
    _two_way("AR(1) errors taken as independent", NAMES, "ar1", wrong="iid"),
)
