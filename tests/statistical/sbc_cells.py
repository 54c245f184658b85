"""The cells of simulation-based calibration: one model of every kind on a small design."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "families"))
sys.path.insert(0, str(Path(__file__).parents[1] / "inference"))

from made import make_panel, make_study, staggered
from panels import make_design
from sbc import Cell

from bayesdid.design.build import build_design
from bayesdid.design.cohort import cohort_design
from bayesdid.design.design import Design
from bayesdid.design.overlap import overlap_design
from bayesdid.families.cohort.analysis import cohort_pooling
from bayesdid.families.heterogeneity.analysis import heterogeneity_pooling
from bayesdid.families.overlap.analysis import overlap_pooling
from bayesdid.model.effects import two_way
from bayesdid.model.errors import Errors
from bayesdid.model.likelihood import Likelihood
from bayesdid.model.mean import Path as EventPath
from bayesdid.model.mean import Pooled
from bayesdid.model.model import Model


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


def overlapping() -> Design:
    spec, panel = _staggered("overlap", policies=("a", "b"))
    return overlap_pooling(overlap_design(spec, panel)).design


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


def _pooled(name, make, quantities, errors="iid"):
    model = Model(mean=Pooled(), errors=Errors.parse(errors), effects=two_way("fixed", "fixed"))
    return Cell(name, make, model, quantities)


def _sampled(name, make, quantities, mean=None, likelihood="normal", effects=("fixed", "fixed")):
    model = Model(likelihood=Likelihood(likelihood), effects=two_way(*effects))
    model = model if mean is None else dataclasses.replace(model, mean=mean)
    return Cell(name, make, model, quantities, sampled=True)


RANDOM, MUNDLAK = ("random", "random"), ("mundlak", "mundlak")
GROUPS = ("sigma_city", "sigma_year")

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
    _pooled("overlap", overlapping, ("mu", "sigma", "omega_since")),
    _pooled("heterogeneity", grouped, ("mu", "sigma", "omega_g", "beta")),
    _pooled(
        "heterogeneity, AR(1), unit scales",
        grouped,
        ("mu", "sigma", *SERIAL, "omega_g"),
        "ar1_unit",
    ),
)
SAMPLED = (
    _sampled("Student t", plain, (*NAMES, "nu"), likelihood="student_t"),
    _sampled(
        "negative binomial", counted, ("tau", "beta", "spread"), likelihood="negative_binomial"
    ),
    _sampled("Poisson", counted, ("tau", "beta"), likelihood="poisson"),
    _sampled("binomial", tried, ("tau", "beta"), likelihood="binomial"),
    _sampled("event path, random walk", events, ("tau", "sigma", "s"), EventPath("random_walk")),
    _sampled(
        "event path, Gaussian process", events, ("tau", "sigma", "s"), EventPath("gaussian_process")
    ),
)
PLANTED = (
    _two_way("prior sd twice what it is", NAMES, make=tiny, wrong="prior"),
    _two_way("posterior half as wide", NAMES, wrong="narrow"),
    _two_way("AR(1) errors taken as independent", NAMES, "ar1", wrong="iid"),
)
