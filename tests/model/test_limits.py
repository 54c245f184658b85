"""Limiting cases: one model becomes another where its extra parameter says so."""

import dataclasses

import numpy as np
import pytest
from densities import nu_prior, unit_prior
from evaluate import log_density
from planted import near, simulated
from scipy import stats
from test_compile import design_of, model_of
from test_pointwise import terms

from bayesdid.model.effects import two_way as effects_of
from bayesdid.model.mean import Durbin
from bayesdid.model.model import Model
from bayesdid.model.pymc.compile import to_pymc

FIXED = ("fixed", "fixed")


def at(likelihood, errors, kinds=FIXED, fixed=None, seed=5):
    design = design_of(likelihood)
    design = dataclasses.replace(design, unit_effects=kinds[0], period_effects=kinds[1])
    model = to_pymc(model_of(likelihood, errors, kinds, "weak", False), design)
    return log_density(model, seed, fixed)


def shared(v, *names):
    return {name: v[name] for name in names}


MAIN = ("tau", "beta", "alpha", "sigma", "city_effect_and_share", "year_effect_and_share")


@pytest.mark.parametrize("likelihood", ["normal", "student_t"])
def test_without_autocorrelation_ar1_is_iid(likelihood):
    names = (*MAIN, "nu_less_1") if likelihood == "student_t" else MAIN
    iid, v = at(likelihood, "iid")
    ar1, _ = at(likelihood, "ar1", fixed=shared(v, *names) | {"phi": np.array(0.0)})
    assert ar1 == pytest.approx(iid + np.log(0.5), abs=1e-7)


def test_with_many_degrees_of_freedom_student_t_is_normal():
    normal, v = at("normal", "iid")
    nu = 1e7
    t, _ = at("student_t", "iid", fixed=shared(v, *MAIN) | {"nu_less_1": np.array(nu - 1)})
    assert t - nu_prior(nu) == pytest.approx(normal, abs=1e-3)


@pytest.mark.parametrize("errors", ["iid", "ar1"])
def test_units_with_equal_precision_have_the_common_scale(errors):
    names = (*MAIN, "phi") if errors == "ar1" else MAIN
    common, v = at("normal", errors)
    N = len(v["city_effect"])
    ones = {"lambda_of_unit": np.ones(N), "nu_unit_less_1": np.array(7.0)}
    unit, _ = at("normal", f"{errors}_unit", fixed=shared(v, *names) | ones)
    assert unit - nu_prior(8.0) - unit_prior(np.ones(N), 8.0) == pytest.approx(common, abs=1e-9)


def test_random_effects_of_a_huge_scale_are_flat():
    """Between two points the density changes as under fixed effects."""
    _, v = at("normal", "iid", ("fixed", "none"))
    move = 0.7 * np.linspace(-1, 1, len(v["city_effect"]))
    kept = {name: v[name] for name in ("tau", "beta", "alpha", "sigma")}
    changes = []
    for kind in ("fixed", "random"):
        values = []
        for shift in (0.0, move):
            own = (
                {"city_effect_and_share": v["city_effect_and_share"] + shift}
                if kind == "fixed"
                else {"city_effect": v["city_effect"] + shift, "sigma_city": np.array(1e5)}
            )
            value, point = at("normal", "iid", (kind, "none"), kept | own)
            np.testing.assert_allclose(point["city_effect"], v["city_effect"] + shift)
            values.append(value)
        changes.append(values[1] - values[0])
    assert abs(changes[0]) > 1.0
    assert changes[0] == pytest.approx(changes[1], abs=1e-6)


def test_without_spatial_dependence_the_durbin_model_is_two_way():
    design = simulated(near(8), "sdm", T=4)
    model = to_pymc(Model(Durbin("sdm"), effects=effects_of(*FIXED)), design)
    fixed = {"rho": np.array(0.0), "theta": np.zeros(2)}
    _, v = log_density(model, 2, fixed)
    base = design.base
    Z = base.regressors - base.regressors.mean(axis=0)
    mu = v["alpha"] + Z @ np.concatenate([v["tau"], v["beta"]])
    mu = mu + v["place_effect"][base.unit_index] + v["year_effect"][base.period_index]
    found = terms(model, v)["y"]
    np.testing.assert_allclose(found, stats.norm.logpdf(base.y, mu, v["sigma"]), rtol=1e-9)
