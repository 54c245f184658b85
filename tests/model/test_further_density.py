"""Further effects of the compiled model: density, names and dims, what they are orthogonal to."""

import numpy as np
import pandas as pd
import pytest
from densities import two_way
from evaluate import log_density

import bayesdid as bd


def bound(effects, errors="iid", likelihood="normal", priors="weak", drop=5):
    rng = np.random.default_rng(4)
    u, t = (a.ravel() for a in np.mgrid[:7, :5])
    frame = pd.DataFrame({"city": u, "year": 2000 + t, "region": np.array(["a", "b"])[u % 2]})
    frame["D"] = (t >= np.array([1, 2, 3, 9, 9, 9, 4])[u]) * 1.0
    frame["x"], frame["y"] = rng.standard_normal(35), rng.integers(0, 9, 35)
    frame = frame.drop(index=rng.choice(35, drop, replace=False))
    study, panel = bd.study_of(frame, f"y ~ D + x | {effects}")
    return bd.model(study["did.1"], panel, errors=errors, likelihood=likelihood, priors=priors)


@pytest.mark.parametrize(
    ("effects", "errors", "likelihood", "priors"),
    [
        ("city[year] + year + region^year", "iid", "normal", "weak"),
        ("city + year + random(region^year)", "ar1_unit", "normal", "weak"),
        ("city + year + random(region[year])", "ar1", "student_t", "sceptical"),
        ("random(city) + year + region^year", "iid", "poisson", "weak"),
        ("city[year, year^2] + year", "ar1", "normal", "flat"),
        ("random(city[year]) + random(year)", "iid", "negative_binomial", "weak"),
    ],
)
def test_density_is_that_of_the_equation(effects, errors, likelihood, priors):
    made = bound(effects, errors, likelihood, priors)
    design, kinds = made.design, (made.model.kind("unit"), made.model.kind("period"))
    value, v = log_density(made.to_pymc())
    expected = two_way(design, v, (likelihood, errors, kinds, priors, False))
    assert value == pytest.approx(expected, rel=1e-9, abs=1e-7)


def test_fixed_levels_are_orthogonal_to_what_effects_before_them_span():
    made = bound("city[year] + year + region^year", drop=0)
    compiled = made.to_pymc()
    assert compiled.named_vars_to_dims["region_x_year_effect"] == ("region_x_year",)
    assert compiled.named_vars_to_dims["city_slope_year"] == ("city",)
    assert list(compiled.coords["region_x_year"])[:2] == ["a, 2000", "a, 2001"]
    _, v = log_density(compiled)
    t = np.arange(5) - 2.0
    year, shock = v["year_effect"], v["region_x_year_effect"].reshape(2, 5)
    assert [year.sum(), year @ t] == pytest.approx([0, 0], abs=1e-12)  # a line is the cities' own
    assert shock.sum(axis=0) == pytest.approx(np.zeros(5), abs=1e-12)
    assert shock.sum(axis=1) == pytest.approx(np.zeros(2), abs=1e-12)
    assert shock @ t == pytest.approx(np.zeros(2), abs=1e-12)
    assert abs(year).max() > 0.01
    assert abs(shock).max() > 0.01
    assert "region^year flat, orthogonal to the effects before it" in made.equation
    assert "city[[year]] flat" in made.equation


def test_random_levels_have_a_scale_of_their_own():
    made = bound("city + year + random(region^year)")
    compiled = made.to_pymc()
    assert {"sigma_region_x_year_effect", "region_x_year_effect"} <= set(compiled.named_vars)
    assert "region^year ~ Normal(0, its own sigma)" in made.equation
