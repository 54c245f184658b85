"""The compiled model is the model of the equations: names, dims, log density at a point."""

import dataclasses
import itertools

import numpy as np
import pytest
from densities import chains, times, two_way
from evaluate import log_density
from panels import make_design

from bayesdid.model.effects import two_way as effects_of
from bayesdid.model.errors import Errors
from bayesdid.model.likelihood import Likelihood
from bayesdid.model.model import Model
from bayesdid.model.priors import PriorChoice
from bayesdid.model.pymc.compile import to_pymc

LIKELIHOODS = ("normal", "student_t", "negative_binomial", "poisson", "binomial")
ERRORS = ("iid", "iid_unit", "ar1", "ar1_unit")
EFFECTS = (("fixed", "fixed"), ("random", "fixed"), ("mundlak", "mundlak"), ("none", "random"))
PRIORS = ("weak", "sceptical", "flat")


def design_of(likelihood, *, balanced=False, weighted=False, seed=1, N=7, T=5):
    """Rows in random order, with gaps unless balanced; counts with an exposure and trials."""
    design = make_design(seed, N=N, T=T, balanced=balanced)
    rng = np.random.default_rng(seed)
    n = design.n
    y = design.y
    if likelihood in {"negative_binomial", "poisson", "binomial"}:
        y = np.clip(np.round(np.abs(y)), 0, 9)
    design = dataclasses.replace(
        design,
        y=y,
        weights=rng.uniform(0.5, 2.0, n) if weighted else None,
        exposure=rng.uniform(0.5, 2.0, n)
        if likelihood in {"negative_binomial", "poisson"}
        else None,
        trials=np.full(n, 9.0) if likelihood == "binomial" else None,
    )
    return design.take(rng.permutation(n))


def cells():
    """Every likelihood with every kind of errors; effects, priors and weights take turns."""
    turns = itertools.cycle(itertools.product(EFFECTS, PRIORS))
    for k, (likelihood, errors) in enumerate(itertools.product(LIKELIHOODS, ERRORS)):
        for balanced in (True, False):
            kinds, priors = next(turns)
            if likelihood not in {"normal", "student_t"} and errors != "iid" and priors == "flat":
                priors = "sceptical"  # flat ones are refused: the posterior would be improper
            weighted = likelihood in {"normal", "student_t"} and (k + balanced) % 2 == 0
            yield likelihood, errors, kinds, priors, weighted, balanced


def model_of(likelihood, errors, kinds, priors, weighted):
    return Model(
        likelihood=Likelihood(likelihood),
        errors=Errors.parse(errors),
        effects=effects_of(*kinds),
        weighted=weighted,
        priors=PriorChoice(priors),
    )


@pytest.mark.parametrize("cell", list(cells()), ids=str)
def test_two_way_density_is_that_of_the_equation(cell):
    *parts, balanced = cell
    likelihood, _, kinds, _, weighted = parts
    design = design_of(likelihood, balanced=balanced, weighted=weighted)
    design = dataclasses.replace(design, unit_effects=kinds[0], period_effects=kinds[1])
    value, v = log_density(to_pymc(model_of(*parts), design))
    expected = two_way(design, v, parts)
    assert value == pytest.approx(expected, rel=1e-9, abs=1e-7)


@pytest.mark.parametrize("errors", ["ar1", "ar1_unit"])
def test_serial_errors_of_counts_have_one_density_in_both_coordinates(errors):
    """The error itself, or the white noise it is made of: the Jacobian is all that differs."""
    design = design_of("poisson")
    model = model_of("poisson", errors, ("fixed", "fixed"), "weak", False)
    white, v = log_density(to_pymc(model, design, noncentred=frozenset({"error"})))
    shared = {name: v[name] for name in v if name not in {"white_noise", "error"}}
    fixed = shared | {"error": v["error"]}
    centred, _ = log_density(to_pymc(model, design, noncentred=frozenset()), fixed=fixed)
    scale = np.full(design.n, v["sigma"])
    if errors == "ar1_unit":
        scale = v["sigma_of_unit"][design.unit_index]
    carry = np.zeros(design.n)
    for rows in chains(design):
        gaps = np.diff(times(design)[rows])
        carry[rows[1:]] = v["phi"] ** gaps
    log_jacobian = np.log(scale * np.sqrt(1 - carry**2)).sum()
    assert centred == pytest.approx(white - log_jacobian, abs=1e-7)
