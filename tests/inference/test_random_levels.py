"""One random further effect under i.i.d. errors: the engine against a grid of dense matrices."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from panels import make_design

import bayesdid as bd
from bayesdid.design.further import Further
from bayesdid.inference.exact.random_levels import levels_target
from bayesdid.inference.exact.two_way import two_way_model
from bayesdid.model.pooling import Pooling, indicators, stack
from bayesdid.model.resolve import outcome_priors
from engines_agree import same_posterior


def made(seed=4, N=8, T=4, M=3, weights=False):
    """Individuals of groups that share a shock of their group and period."""
    rng = np.random.default_rng(seed)
    base = make_design(seed, N=N, T=T)
    design = base.take(np.repeat(np.arange(base.n), M))
    cell = design.unit_index * T + design.period_index
    index, _ = pd.factorize(cell)
    y = design.y + rng.normal(0, 0.6, N * T)[cell] + rng.normal(0, 0.5, design.n)
    name = "unit_x_period_effect"
    levels = np.array([str(k) for k in range(index.max() + 1)], dtype=object)
    one = Further("unit^period", name, "unit_x_period", levels, index, None, "random")
    w = rng.uniform(0.5, 2.0, design.n) if weights else None
    return dataclasses.replace(design, y=y, further=(one,), weights=w)


def dense(design, priors, s, o, omega=0.0):
    """Log density of the logs of the scales, and mean and variance of the first coefficient."""
    n, w = design.n, np.ones(design.n) if design.weights is None else design.weights
    Z = pd.get_dummies(design.further[0].index).to_numpy(float)
    F = np.column_stack([pd.get_dummies(design.unit_index), pd.get_dummies(design.period_index)])
    F = F.astype(float)[:, 1:]
    R, (_, sd) = design.regressors, priors.of(design.names)
    pooled = np.array([*design.part, *[""] * len(design.covariates)]) != "" if design.part else None
    V = np.diag(s**2 / w) + o**2 * Z @ Z.T
    value = float(priors.log_sigma_density(np.array([s]))[0])
    value += float(priors.log_group_density(np.array([o]))[0])
    if pooled is not None:
        V += omega**2 * R[:, pooled] @ R[:, pooled].T
        R, sd = R[:, ~pooled], sd[~pooled]
        value += np.log(omega) - 0.5 * (omega / Pooling(design).scale) ** 2
    assert n > F.shape[1]
    root = np.linalg.cholesky(V)
    X = np.linalg.solve(root, np.column_stack([R, F]))
    y = np.linalg.solve(root, design.y)
    B = X.T @ X + np.diag([*(1 / sd**2), *np.zeros(F.shape[1])])
    b = np.linalg.solve(B, X.T @ y)
    value -= np.log(np.diag(root)).sum() + 0.5 * (y @ y - b @ (X.T @ y))
    value -= 0.5 * np.linalg.slogdet(B)[1]
    return value, b[0], np.linalg.inv(B)[0, 0]


def by_grid(design, priors):
    """Mean and sd of the first coefficient, and means of both scales, over a fine grid."""
    logs = np.linspace(np.log(0.1), np.log(3.0), 35)
    scales = np.exp(np.stack(np.meshgrid(logs, logs, indexing="ij"), axis=-1).reshape(-1, 2))
    value, mean, variance = np.array([dense(design, priors, s, o) for s, o in scales]).T
    p = np.exp(value - value.max())
    p /= p.sum()
    first = p @ mean
    return first, np.sqrt(p @ (variance + mean**2) - first**2), p @ scales


@pytest.mark.parametrize("weights", [False, True])
def test_scalars_and_coefficients_are_those_of_dense_matrices(weights):
    design = made(weights=weights)
    bound = bd.model(design, errors="iid")
    found = bd.fit(bound, draws=2000)
    assert found.tree.attrs["engine"] == "two_way"
    assert found.converged
    mean, sd, scales = by_grid(design, outcome_priors(bound.model, bound.design))
    posterior = found.tree["posterior"]
    tau = posterior["tau"].to_numpy()[..., 0].ravel()
    # the grid's own error is far below a fiftieth of an sd; 8,000 independent draws
    assert abs(tau.mean() - mean) < (5 / np.sqrt(tau.size) + 0.02) * sd
    assert tau.std() == pytest.approx(sd, rel=5 / np.sqrt(2 * tau.size) + 0.02)
    for name, value in zip(("sigma", "sigma_unit_x_period_effect"), scales, strict=True):
        draws = posterior[name].to_numpy().ravel()
        assert abs(draws.mean() - value) < 0.1 * draws.std(), name


def pooled(design):
    """Effects of a treatment that differ between four groups of individuals."""
    group, treated = np.arange(design.n) % 4, design.D[:, 0]
    each = indicators(group, [0, 1, 2, 3], treated)
    return stack(design, [("", ("average",), treated[:, None]), ("group", tuple("abcd"), each)])


@pytest.mark.parametrize("weights", [False, True])
def test_scales_of_pooled_effects_beside_it_have_the_density_of_dense_matrices(weights):
    design = pooled(made(N=16, M=2, weights=weights)).design
    priors = outcome_priors(bd.model(design, errors="iid").model, design)
    model = two_way_model(design, priors, weights=design.weights, pooling=Pooling(design))
    levels = len(design.further[0].levels)
    target, _ = levels_target(model.stats, model.beliefs, priors, levels)
    scales = np.exp(np.random.default_rng(0).normal(-0.5, 0.8, (12, 3)))
    ours = target.log_density(np.log(scales))
    theirs = np.array([dense(design, priors, *row)[0] for row in scales])
    np.testing.assert_allclose(ours - ours[0], theirs - theirs[0], atol=1e-7 * np.ptp(theirs))


def test_pooled_effects_beside_it_are_drawn_exactly_and_named():
    design = pooled(made(N=16, M=2)).design
    found = bd.fit(design, errors="iid", draws=500)
    assert found.converged
    assert found.tree.attrs["engine"] == "pooled"
    posterior = found.tree["posterior"]
    scale = posterior["omega_group"].to_numpy().ravel()
    # of four deviations of a scale each square is about that of the scale: the names are not mixed
    size = np.sqrt((posterior["group"].to_numpy() ** 2).mean(axis=2)).ravel()
    assert np.corrcoef(np.log(scale), np.log(size))[0, 1] > 0.5
    shared = posterior["sigma_unit_x_period_effect"].to_numpy().ravel()
    levels = posterior["unit_x_period_effect"].to_numpy()
    spread = levels.reshape(len(shared), -1).std(axis=1)
    # given its scale the sd of L drawn levels has a relative error of 1 / sqrt(2 L)
    assert np.abs(spread / shared - 1).mean() < 5 / np.sqrt(2 * levels.shape[2])


def test_levels_are_those_of_the_rows_that_are_left():
    """Given all else a level is the mean of its rows' residuals, shrunk by what its scale says."""
    design = made(M=5)
    posterior = bd.fit(design, errors="iid", draws=1000).tree["posterior"]
    arrays = {name: posterior[name].to_numpy() for name in posterior.data_vars}
    of = {name: value.reshape(-1, *value.shape[2:]) for name, value in arrays.items()}
    mean = of["tau"] @ design.D.T + of["beta"] @ design.X.T + of["constant"][:, None]
    unit, period = (of[f"{dim}_effect"] for dim in (design.unit_dim, design.period_dim))
    left = design.y - mean - unit[:, design.unit_index] - period[:, design.period_index]
    index = design.further[0].index
    sums = np.stack([left[:, index == k].sum(axis=1) for k in range(index.max() + 1)], axis=1)
    precision = 5 + (of["sigma"] / of["sigma_unit_x_period_effect"])[:, None] ** 2
    z = (of["unit_x_period_effect"] - sums / precision) * np.sqrt(precision) / of["sigma"][:, None]
    assert abs(z.mean()) < 5 / np.sqrt(z.size)
    assert z.std() == pytest.approx(1.0, abs=5 / np.sqrt(2 * z.size))


@pytest.mark.sampling
@pytest.mark.slow
@pytest.mark.parametrize("parts", [False, True])
def test_the_engine_draws_from_the_compiled_model(parts):
    design = made(N=16, M=2)
    design = pooled(design).design if parts else design
    same_posterior(
        bd.fit(design, errors="iid"), bd.fit(design, errors="iid", engine="as_written", chains=2)
    )
