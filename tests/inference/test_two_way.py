"""The exact Gaussian engines against covariance matrices written out, in every cell."""

import dataclasses

import numpy as np
import pytest
from panels import make_design

from bayesdid.design.build import with_effects
from bayesdid.exceptions import InputError
from bayesdid.inference.exact.draw import draw_exact
from bayesdid.inference.exact.recover import recover_effects
from bayesdid.inference.exact.tabulated import coordinates, tabulate_gram
from bayesdid.inference.exact.target import Scalars
from bayesdid.inference.exact.two_way import two_way_model
from bayesdid.model.errors import Errors
from bayesdid.model.pooling import indicators, stack
from bayesdid.model.priors import resolve_priors

KINDS = ["fixed", "random", "none"]
ERRORS = {False: Errors("iid"), True: Errors("ar1")}


def shuffled(design, seed=5):
    """Rows in another order: no engine may depend on it."""
    order = np.random.default_rng(seed).permutation(design.n)
    fields = ("y", "D", "X", "unit_index", "period_index")
    return dataclasses.replace(design, **{f: getattr(design, f)[order] for f in fields})


def make_case(unit, period, *, weighted=False, pooled=False, balanced=False, N=12, T=6):
    design = shuffled(with_effects(make_design(1, N=N, T=T, balanced=balanced), unit, period))
    weights = np.random.default_rng(3).uniform(0.5, 3.0, design.n) if weighted else None
    if not pooled:
        return design, weights, None
    treated = design.D[:, 0]
    columns = indicators(design.unit_index % 3, [0, 1, 2], treated)
    pooling = stack(design, [("", ("a",), treated[:, None]), ("group", tuple("bcd"), columns)])
    return pooling.design, weights, pooling


def dense(design, priors, weights, pooling, serial):
    """Log density of z up to a constant, from the covariance matrix of all rows."""
    n, counts = design.n, (len(design.units), len(design.periods))
    U = (design.unit_index[:, None] == np.arange(counts[0])).astype(float)
    P = (design.period_index[:, None] == np.arange(counts[1])).astype(float)
    kinds = design.unit_effects, design.period_effects
    flat = [U[:, 1:]] * (kinds[0] == "fixed") + [P[:, 1:]] * (kinds[1] == "fixed")
    F = np.hstack([np.ones((n, 1)), *flat])
    Z = design.regressors - design.regressors.mean(axis=0)
    lag = np.abs(design.period_index[:, None] - design.period_index)
    same = design.unit_index[:, None] == design.unit_index
    root = np.ones(n) if weights is None else np.sqrt(weights)

    def log_density(z):
        z = list(z)
        log_sigma, phi, value = z.pop(0), 0.0, 0.0
        if serial:
            angle = z.pop(0)
            log_sigma, phi = log_sigma + np.log(np.cosh(angle)), np.tanh(angle)
            value += np.log1p(-(phi**2))
        sigma = np.exp(log_sigma)
        R = np.where(same, phi**lag, 0.0) if serial else np.eye(n)
        V = sigma**2 * R / np.outer(root, root)
        value += priors.log_sigma_density(np.array([sigma]))[0]
        for dummies, kind in zip((U, P), kinds, strict=True):
            if kind == "random":
                scale = np.exp(z.pop(0))
                V = V + scale**2 * dummies @ dummies.T
                value += priors.log_group_density(np.array([scale]))[0]
        sd = np.array([priors.sds[name] for name in design.names])
        if pooling is not None:
            omega = np.exp(z.pop(0))
            sd[pooling.columns("group")] = omega
            value += np.log(omega) - 0.5 * (omega / pooling.scale) ** 2
        V = V + (Z * sd**2) @ Z.T
        inverse = np.linalg.inv(V)
        M = F.T @ inverse @ F
        y = design.y - design.y.mean()
        rest = y - F @ np.linalg.solve(M, F.T @ inverse @ y)
        logdets = np.linalg.slogdet(V)[1] + np.linalg.slogdet(M)[1]
        return value - 0.5 * (logdets + y @ inverse @ rest)

    return log_density


@pytest.mark.parametrize("unit", KINDS)
@pytest.mark.parametrize("period", KINDS)
@pytest.mark.parametrize("serial", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("pooled", [False, True])
def test_density_is_that_of_the_covariance_matrix(unit, period, serial, weighted, pooled):
    design, weights, pooling = make_case(unit, period, weighted=weighted, pooled=pooled)
    priors = resolve_priors("weak", design)
    model = two_way_model(design, priors, errors=ERRORS[serial], weights=weights, pooling=pooling)
    brute = dense(design, priors, weights, pooling, serial)
    z = np.array([[-0.3, 0.4, 0.1, -0.6, -1.0], [-0.5, -0.3, 0.2, -0.2, -0.4]])
    z = z[:, : model.target.dimension]
    expected = brute(z[1]) - brute(z[0])
    by_unit = dataclasses.replace(model.stats, products=None)
    for stats in (model.stats, by_unit):
        ours = dataclasses.replace(model, stats=stats).target.log_density(z)
        assert ours[1] - ours[0] == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("prior", ["flat", "user"])
def test_the_prior_of_a_coefficient_is_in_the_density(prior):
    from bayesdid.study.schema import PriorTerm

    design, _, _ = make_case("fixed", "fixed")
    choice = {"x1": PriorTerm(mean=0.4, sd=0.05)} if prior == "user" else "flat"
    priors = resolve_priors(choice, design)
    model = two_way_model(design, priors)
    draws = model.draw(4000, np.random.default_rng(0))
    wide = two_way_model(design, resolve_priors("flat", design)).draw(
        4000, np.random.default_rng(1)
    )
    x1, free = (d.coef[:, 1] / model.data.scale[1] for d in (draws, wide))
    if prior == "flat":
        assert abs(x1.mean() - free.mean()) < 5 * free.std() / np.sqrt(2000)
        return
    # the product of two normals, the first of them nearly one: nu is about forty
    weight = free.std() ** 2 / (free.std() ** 2 + 0.05**2)
    assert x1.mean() == pytest.approx(weight * 0.4 + (1 - weight) * free.mean(), abs=0.02)


@pytest.mark.parametrize("unit", ["fixed", "random"])
@pytest.mark.parametrize("serial", [False, True])
def test_a_surface_is_what_it_tabulates(unit, serial):
    design, _, _ = make_case(unit, "random", N=40, T=7)
    model = two_way_model(design, resolve_priors("weak", design), errors=ERRORS[serial])
    where = coordinates(model.stats)
    box = np.array([(0.1, 0.6), (0.1, 0.4), (0.1, 0.4)])[list(where.active)]
    found = tabulate_gram(model.stats, where, box[:, 0], box[:, 1])
    assert found is not None
    rng = np.random.default_rng(0)
    x = where.natural(box[:, 0] + rng.random((50, len(box))) * (box[:, 1] - box[:, 0]))
    near, exact = found.gram(*x), model.stats.gram(*x)
    size = where.scale[:, None] * where.scale
    assert np.abs((near[0] - exact[0]) / size).max() < 1e-5
    assert np.abs(near[1] - exact[1]).max() < 1e-3


def test_unconnected_parts_of_a_panel_have_a_period_effect_less_each():
    design = make_design(2, N=20, T=8)
    keep = (design.unit_index < 10) == (design.period_index < 4)
    fields = ("y", "D", "X", "unit_index", "period_index")
    split = dataclasses.replace(design, **{f: getattr(design, f)[keep] for f in fields})
    stats = two_way_model(split, resolve_priors("weak", split)).stats
    assert stats.m == 8 - 2
    assert stats.nu == split.n - 20 - 6


@pytest.mark.parametrize("weights", [np.zeros(1), np.full(1, np.nan)])
def test_weights_are_positive(weights):
    design = make_design(2, N=5, T=4)
    weights = np.concatenate([np.ones(design.n - 1), weights])
    with pytest.raises(InputError, match="weight"):
        two_way_model(design, resolve_priors("weak", design), weights=weights)


@pytest.mark.parametrize("unit", ["fixed", "random"])
@pytest.mark.parametrize("serial", [False, True])
@pytest.mark.parametrize("summed", [False, True])
def test_moments_of_unit_effects_are_those_of_their_draws(unit, serial, summed):
    design, _, _ = make_case(unit, "fixed", N=40, T=8)
    model = two_way_model(design, resolve_priors("weak", design), errors=ERRORS[serial])
    if not summed:
        stats = dataclasses.replace(model.stats, products=None)
        model = dataclasses.replace(model, stats=stats)
    draws = model.draw(4000, np.random.default_rng(0))
    drawn = model.recover(draws, np.random.default_rng(1), draw_units=True)
    closed = model.recover(draws, np.random.default_rng(2), draw_units=False)
    assert closed.unit.shape == (4000, 0)
    sd = drawn.unit.std(axis=0)
    # moments come from one draw in forty where units are too various for classes
    size = 4000 if summed else 100
    assert np.abs((closed.unit_mean - drawn.unit.mean(axis=0)) / sd).max() < 5 / np.sqrt(size)
    assert np.abs(closed.unit_sd / sd - 1).max() < 5 / np.sqrt(2 * size)
    gap = closed.alpha.mean() - drawn.alpha.mean()
    assert abs(gap) < 5 * drawn.alpha.std() / np.sqrt(2000)
    assert closed.alpha.std() / drawn.alpha.std() == pytest.approx(1, abs=5 / np.sqrt(4000))


@pytest.mark.parametrize(("unit", "period"), [("fixed", "fixed"), ("random", "random")])
@pytest.mark.parametrize("serial", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_effects_have_the_moments_of_the_joint_normal(unit, period, serial, weighted):
    """Given scalars and coefficients effects are normal: mean and covariance by brute force."""
    design, weights, _ = make_case(unit, period, weighted=weighted, N=6, T=4)
    model = two_way_model(
        design, resolve_priors("weak", design), errors=ERRORS[serial], weights=weights
    )
    S, phi, sigma = 20_000, 0.5 * serial, 0.8
    rho = (1.3, 0.4)
    given = Scalars(
        np.full(S, sigma), np.full(S, phi), *(np.full(S, r) for r in rho), np.empty((S, 0))
    )
    b = np.array([0.3, -0.2, 0.5])
    found = recover_effects(model.stats, np.tile(b, (S, 1)), given, np.random.default_rng(0))
    N, T = len(design.units), len(design.periods)
    lag = np.abs(design.period_index[:, None] - design.period_index)
    same = design.unit_index[:, None] == design.unit_index
    root = np.ones(design.n) if weights is None else np.sqrt(weights)
    V = np.where(same, phi**lag if serial else lag == 0, 0.0) / np.outer(root, root)
    X = np.hstack(
        [
            np.ones((design.n, 1)),
            design.unit_index[:, None] == np.arange(N),
            design.period_index[:, None] == np.arange(T),
        ]
    ).astype(float)
    tiny = 1e-9  # a hair of a prior where effects are flat, whose sums are then zero
    precision = [tiny] + [1 / rho[0] if unit == "random" else tiny] * N
    precision += [1 / rho[1] if period == "random" else tiny] * T
    H = X.T @ np.linalg.solve(V, X) + np.diag(precision)
    r = model.data.y - model.data.R @ b
    mean = np.linalg.solve(H, X.T @ np.linalg.solve(V, r))
    cov = sigma**2 * np.linalg.inv(H)
    C = np.eye(1 + N + T)
    if unit == "fixed":  # sums go to the intercept
        C[1 : 1 + N, 1 : 1 + N] -= 1 / N
        C[0, 1 : 1 + N] = 1 / N
    if period == "fixed":
        C[1 + N :, 1 + N :] -= 1 / T
        C[0, 1 + N :] = 1 / T
    mean, sd = C @ mean, np.sqrt(np.diag(C @ cov @ C.T))
    ours = np.column_stack([found.alpha, found.unit, found.period])
    assert np.abs((ours.mean(axis=0) - mean) / sd).max() < 5 / np.sqrt(S)
    assert np.abs(ours.std(axis=0) / sd - 1).max() < 5 / np.sqrt(2 * S)


@pytest.mark.parametrize("unit", ["fixed", "random"])
def test_units_too_various_for_classes_have_the_same_posterior(unit):
    design, weights, _ = make_case(unit, "fixed", weighted=True, N=25, T=7)
    priors = resolve_priors("weak", design)
    model = two_way_model(design, priors, errors=ERRORS[True], weights=weights)
    by_unit = dataclasses.replace(model.stats, products=None)
    a = model.draw(4000, np.random.default_rng(0))
    b = draw_exact(by_unit, model.beliefs, priors, 4000, np.random.default_rng(1), serial=True)
    for x, y in ((a.coef, b.coef), (a.scalars.phi, b.scalars.phi)):
        assert np.all(np.abs(x.mean(axis=0) - y.mean(axis=0)) < 5 * x.std(axis=0) / np.sqrt(1500))
    assert a.log_evidence == pytest.approx(b.log_evidence, abs=0.1)
