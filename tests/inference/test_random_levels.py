"""One random further effect under i.i.d. errors: the engine against a grid of dense matrices."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from panels import make_design

import bayesdid as bd
from bayesdid.design.further import Further
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


def by_grid(design, priors):
    """Mean and sd of the first coefficient, and means of both scales, over a fine grid."""
    n, w = design.n, np.ones(design.n) if design.weights is None else design.weights
    Z = pd.get_dummies(design.further[0].index).to_numpy(float)
    F = np.column_stack([pd.get_dummies(design.unit_index), pd.get_dummies(design.period_index)])
    F = F.astype(float)[:, 1:]
    R = design.regressors
    _, sd = priors.of(design.names)
    logs = np.linspace(np.log(0.1), np.log(3.0), 35)
    mean, square, weight, scales = [], [], [], []
    for log_sigma in logs:
        for log_omega in logs:
            s, o = np.exp(log_sigma), np.exp(log_omega)
            V = np.diag(s**2 / w) + o**2 * Z @ Z.T
            root = np.linalg.cholesky(V)
            X = np.linalg.solve(root, np.column_stack([R, F]))
            y = np.linalg.solve(root, design.y)
            B = X.T @ X + np.diag([*(1 / sd**2), *np.zeros(F.shape[1])])
            b = np.linalg.solve(B, X.T @ y)
            value = -np.log(np.diag(root)).sum() - 0.5 * (y @ y - b @ (X.T @ y))
            value -= 0.5 * np.linalg.slogdet(B)[1]
            value += float(priors.log_sigma_density(np.array([s]))[0])
            value += float(priors.log_group_density(np.array([o]))[0])
            mean.append(b[0])
            square.append(np.linalg.inv(B)[0, 0] + b[0] ** 2)
            weight.append(value)
            scales.append((s, o))
    p = np.exp(np.array(weight) - max(weight))
    p /= p.sum()
    first = p @ np.array(mean)
    assert n > F.shape[1]
    return first, np.sqrt(p @ np.array(square) - first**2), p @ np.array(scales)


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
def test_the_engine_draws_from_the_compiled_model():
    design = made(N=8, T=4)
    same_posterior(
        bd.fit(design, errors="iid"), bd.fit(design, errors="iid", engine="as_written", chains=2)
    )
