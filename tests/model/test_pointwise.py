"""Pointwise densities are the compiled model's, term by term; replications have its moments."""

import dataclasses
import itertools

import numpy as np
import pytensor
import pytest
import xarray as xr
from evaluate import MODE, log_density
from test_compile import design_of, model_of

from bayesdid.exceptions import InputError
from bayesdid.inference.pointwise import pointwise
from bayesdid.model.pymc.compile import to_pymc

CELLS = [
    ("normal", "iid_unit", ("fixed", "fixed"), "weak", True),
    ("normal", "ar1", ("random", "mundlak"), "weak", True),
    ("student_t", "iid", ("mundlak", "mundlak"), "weak", False),
    ("student_t", "ar1_unit", ("fixed", "none"), "weak", True),
    ("negative_binomial", "iid", ("fixed", "fixed"), "weak", False),
    ("negative_binomial", "iid_unit", ("fixed", "fixed"), "weak", False),
    ("negative_binomial", "ar1_unit", ("fixed", "fixed"), "weak", False),
    ("poisson", "iid_unit", ("random", "fixed"), "weak", False),
    ("poisson", "ar1", ("none", "fixed"), "weak", False),
    ("binomial", "iid", ("fixed", "fixed"), "weak", False),
]


def as_dataset(model, points):
    """Points as draws of one chain, with the dims of the model."""
    dims = {name: model.named_vars_to_dims.get(name, ()) for name in points[0]}
    return xr.Dataset(
        {
            name: (("chain", "draw", *dims[name]), np.stack([p[name] for p in points])[None])
            for name in points[0]
        },
        {"chain": [0], "draw": np.arange(len(points))},
    )


def terms(model, point):
    """Log density of every observed row, by PyMC."""
    from pymc.model.transform.conditioning import remove_value_transforms

    plain = remove_value_transforms(model)
    logps = plain.logp(vars=plain.observed_RVs, sum=False)
    function = pytensor.function(plain.value_vars, logps, mode=MODE, on_unused_input="ignore")
    names = [plain.values_to_rvs[value].name for value in plain.value_vars]
    found = function(*[np.asarray(point[name], dtype=float) for name in names])
    return dict(zip([rv.name for rv in plain.observed_RVs], found, strict=True))


def with_effects_of(design, kinds):
    return dataclasses.replace(design, unit_effects=kinds[0], period_effects=kinds[1])


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_terms_are_those_of_the_compiled_model(cell):
    design = with_effects_of(design_of(cell[0], weighted=cell[4]), cell[2])
    spec = model_of(*cell)
    model = to_pymc(spec, design)
    points = [log_density(model, seed)[1] for seed in (1, 2)]
    found = pointwise(as_dataset(model, points), spec, design)["log_likelihood"]["y"].to_numpy()
    for k, point in enumerate(points):
        np.testing.assert_allclose(found[0, k], terms(model, point)["y"], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_replications_have_the_moments_of_the_model(cell):
    """Mean, variance and correlation with the row before, over 20,000 replications of one draw."""
    design = with_effects_of(design_of(cell[0], weighted=cell[4]), cell[2])
    spec = model_of(*cell)
    model = to_pymc(spec, design)
    _, v = log_density(model, 3, {"nu_less_1": np.array(7.0), "alpha": np.array(0.3)})
    size = 20_000
    many = as_dataset(model, [v]).isel(draw=np.zeros(size, dtype=int))
    many = many.assign_coords(draw=np.arange(size))
    groups = pointwise(
        many, spec, design, log_likelihood=False, replications=True, rng=np.random.default_rng(0)
    )
    assert set(groups) == {"posterior_predictive"}
    y = groups["posterior_predictive"]["y"].to_numpy()[0]
    mean, sd, carry = moments(spec, design, v)
    error = y.std(axis=0) / np.sqrt(size)
    # 25 rows or so: at five errors one of them fails once in 70,000 times
    assert (np.abs(y.mean(axis=0) - mean) < 5 * error).all()
    if sd is not None:
        kurtosis = ((y - y.mean(axis=0)) ** 4).mean(axis=0) / y.var(axis=0) ** 2
        assert (np.abs(y.std(axis=0) / sd - 1) < 5 * np.sqrt((kurtosis - 1) / 4 / size)).all()
    if carry is not None:
        for later, before, c in carry:
            assert abs(np.corrcoef(y[:, later], y[:, before])[0, 1] - c) < 5 / np.sqrt(size) * 1.5


def moments(spec, design, v):
    """Expectation, sd and correlations of rows, from the equations."""
    from densities import chains, components, effects, times

    Z = np.hstack([design.D - design.D.mean(axis=0), design.X - design.X.mean(axis=0)])
    kinds = (design.unit_effects, design.period_effects)
    mu = v["alpha"] + Z @ np.concatenate([v["tau"], v["beta"]])
    mu = mu + effects(design, v, kinds, 1.0, True)[0]
    if "mundlak" in kinds:
        dims = [d for d, k in zip(("city", "year"), kinds, strict=True) if k == "mundlak"]
        for dim, part in zip(dims, components(design, kinds), strict=True):
            mu = mu + part @ v[f"gamma_{dim}"]
    factor = np.ones(design.n)
    if spec.errors.scale == "unit":
        factor = factor / np.sqrt(v["lambda_of_unit"][design.unit_index])
    if spec.weighted:
        factor = factor / np.sqrt(design.weights)
    carry = None
    if spec.errors.serial == "ar1":
        when = times(design)
        carry = [
            (b, a, v["phi"] ** (when[b] - when[a]))
            for rows in chains(design)
            for a, b in itertools.pairwise(rows)
        ]
    name = spec.likelihood.name
    if name == "normal":
        return mu, v["sigma"] * factor, carry
    if name == "student_t":
        heavy = np.sqrt(v["nu"] / (v["nu"] - 2))
        return mu, v["sigma"] * factor * heavy, carry
    if name == "binomial":
        p = 1 / (1 + np.exp(-mu))
        return design.trials * p, np.sqrt(design.trials * p * (1 - p)), None
    # an error in the exponent: log-normal
    latent = v["sigma"] * factor if "sigma" in v else np.zeros(design.n)
    mean = design.exposure * np.exp(mu + latent**2 / 2)
    spread = 0.0
    if name == "negative_binomial":
        spread = v["spread"] * (factor if spec.errors.serial == "iid" else 1.0)
    second = design.exposure**2 * np.exp(2 * mu + 2 * latent**2) * (1 + spread**2)
    return mean, np.sqrt(mean + second - mean**2), None


def test_a_posterior_without_effects_is_refused():
    design, cell = design_of("normal"), CELLS[0]
    spec = model_of(*cell[:4], False)
    model = to_pymc(spec, design)
    posterior = as_dataset(model, [log_density(model)[1]])
    with pytest.raises(InputError, match="keep the effects"):
        pointwise(posterior.drop_vars("city_effect"), spec, design)


def test_the_sampler_sees_the_same_density_whichever_way_it_is_written():
    """Non-centred coordinates change the density by their Jacobian and nothing else."""
    cell = ("normal", "iid_unit", ("random", "random"), "weak", False)
    design = with_effects_of(design_of("normal"), cell[2])
    spec = model_of(*cell)
    names = frozenset({"city_effect", "year_effect"})
    natural, v = log_density(to_pymc(spec, design))
    for noncentred in (frozenset(), names):
        model = to_pymc(spec, design, noncentred=noncentred)
        assert {rv.name for rv in model.free_RVs if noncentred_in(model, rv)} == noncentred
        log_jacobian, point = 0.0, {}
        for rv in model.free_RVs:
            value, x = model.rvs_to_values[rv].name, np.asarray(v[rv.name], dtype=float)
            if value.endswith("_noncentred__"):
                s = v[f"sigma_{rv.name.removesuffix('_effect')}"]
                point[value], change = x / s, x.size * np.log(s)
            elif value.endswith("_scaledlog__"):
                shape = v["nu_unit"] / 2
                point[value] = np.log(x) * np.sqrt(shape)
                change = np.sum(np.log(x) - 0.5 * np.log(shape))
            elif value.endswith("_log__"):
                point[value], change = np.log(x), np.log(x).sum()
            else:
                point[value], change = x, 0.0
            log_jacobian += change
        density = pytensor.function(model.value_vars, model.logp(), mode=MODE)
        found = density(*[point[value.name] for value in model.value_vars])
        assert float(found) - log_jacobian == pytest.approx(natural, abs=1e-9)


def noncentred_in(model, rv):
    return model.rvs_to_values[rv].name.endswith("_noncentred__")


def test_draws_of_an_exact_engine_have_the_same_terms():
    from bayesdid.inference.fit import fit
    from bayesdid.model.model import Model

    design = design_of("normal")
    tree = fit(design, errors="iid", draws=20, chains=2, log_likelihood=True).tree
    found = pointwise(tree["posterior"].to_dataset(), Model(), design)["log_likelihood"]["y"]
    np.testing.assert_allclose(found, tree["log_likelihood"]["y"], rtol=1e-9)


def test_an_exact_engine_hears_a_prior_on_a_component():
    from bayesdid.inference.fit import fit
    from bayesdid.study.schema import PriorTerm

    design = dataclasses.replace(design_of("normal", N=12), unit_effects="mundlak")
    own = {"city:x2": PriorTerm(mean=3.0, sd=1e-3)}
    gamma = fit(design, errors="iid", priors=own, draws=50, chains=2).tree["posterior"][
        "gamma_city"
    ]
    assert abs(float(gamma.sel(city_component="x2").mean()) - 3.0) < 0.01
