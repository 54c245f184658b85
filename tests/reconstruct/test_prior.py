"""Members are draws of the prior given the printed numbers, exactly so where all is linear."""

import dataclasses

import numpy as np
import pytest

from bayesdid.reconstruct.latent import Latent, curved, pinned_at_extremes, settled
from bayesdid.reconstruct.prior import draw_column, draw_habits, neighbours, over_time
from bayesdid.reconstruct.project import Restrictions, nearest, project
from bayesdid.reconstruct.shape import Shape
from bayesdid.reconstruct.slopes import Slopes

N, T = 9, 6


def bare(phi=0.6, skew=0.0, space=None, **changes):
    lags = np.abs(np.subtract.outer(np.arange(T), np.arange(T)))
    made = Latent(
        level=0.8,
        noise=0.6,
        period=0.3,
        scales=np.linspace(0.2, 2.0, N),
        space=space,
        time=np.linalg.cholesky(phi**lags),
        paths=np.zeros((0, N * T)),
        drivers=(),
        gains=np.zeros(0),
        skew=skew,
        location=1.0,
        scale=2.0,
        sd=2.0,
        low=-np.inf,
        high=np.inf,
        soft=0.1,
        pinned=np.zeros(0, dtype=np.int64),
        values=np.zeros(0),
    )
    return dataclasses.replace(made, **changes)


def covariance(latent):
    """Of the column, from its slopes in the standard normal numbers."""
    L, _ = latent.pulled(np.eye(N * T), np.zeros(latent.size), {})
    L[:, latent.moments] = 0.0
    return L @ L.T


def test_the_metric_is_the_priors_covariance():
    places = np.random.default_rng(0).uniform(100, 110, (N, 2))
    root = np.linalg.cholesky(neighbours(places))
    V = covariance(bare(phi=0.6, space=root)).reshape(N, T, N, T) / 4
    lag = 0.6 ** np.abs(np.subtract.outer(np.arange(T), np.arange(T)))
    s = bare().scales
    own = 0.36 * np.einsum("i,j,ij,ts->itjs", s, s, root @ root.T, lag)
    level = 0.64 * np.einsum("ij,ts->itjs", np.eye(N), np.ones((T, T)))
    period = 0.36 * 0.09 * np.einsum("ij,ts->itjs", np.ones((N, N)), lag)
    assert pytest.approx(own + level + period) == V


def test_a_move_is_the_gaussian_conditional():
    # y | A y = b of a draw y is y + V A' (A V A')^-1 (b - A y): Kriging's formula
    latent, rng = bare(), np.random.default_rng(1)
    white = latent.drawn(rng)
    A = rng.standard_normal((3, N * T))
    change = np.array([1.0, -0.5, 2.0])
    b = A @ latent.value(white, {}) + change
    pulled, _ = latent.pulled(A, white, {})
    pulled[:, latent.moments] = 0.0
    aim, tiny = pulled @ white + change, np.full(3, 1e-9)
    of = Restrictions(Slopes.dense(pulled), aim, aim - tiny, aim + tiny, tiny, tiny)
    moved, _ = nearest(white, of, pulled @ pulled.T)
    V, y = covariance(latent), latent.value(white, {})
    wanted = y + V @ A.T @ np.linalg.solve(A @ V @ A.T, b - A @ y)
    assert latent.value(moved, {}) == pytest.approx(wanted, abs=1e-6)
    far = np.full(len(white), np.inf)
    assert project(white, of, -far, far)[0] == pytest.approx(moved, abs=1e-6)


def test_what_printed_numbers_do_not_tell_keeps_its_prior():
    # 2,000 draws, each held to a relation: a direction that it does not tell of stays N(0, 1)
    rng = np.random.default_rng(2)
    A, tiny = rng.standard_normal((4, 30)), np.full(4, 1e-9)
    free = np.linalg.svd(A)[2][4:]
    aim = np.array([3.0, -2.0, 0.0, 5.0])
    of = Restrictions(Slopes.dense(A), aim, aim - tiny, aim + tiny, tiny, tiny)
    moved = np.array([nearest(rng.standard_normal(30), of, A @ A.T)[0] for _ in range(2000)])
    assert moved @ A.T == pytest.approx(np.tile(aim, (2000, 1)), abs=1e-5)
    kept = moved @ free.T
    assert np.abs(kept.mean(axis=0)).max() < 4.5 / np.sqrt(2000)  # 26 normal means
    assert np.abs(kept.var(axis=0) - 1).max() < 4.5 * np.sqrt(2 / 2000)


@pytest.mark.parametrize("skew", [0.0, 0.7])
def test_slopes_are_those_of_small_changes(skew):
    rng, eps = np.random.default_rng(3), 1e-6
    latent = bare(
        skew=skew,
        low=0.0,
        high=9.0,
        paths=rng.standard_normal((2, N * T)),
        drivers=("x",),
        gains=np.array([0.4]),
    )
    columns = {"x": rng.standard_normal(N * T)}
    white = latent.drawn(rng)
    latent = pinned_at_extremes(latent, white, columns)
    rows = rng.standard_normal((2, N * T))
    pulled, passed = latent.pulled(rows, white, columns)
    step, other = rng.standard_normal(latent.size), rng.standard_normal(N * T)
    up, down = (
        rows @ latent.value(white + s * eps * step, {"x": columns["x"] + s * eps * other})
        for s in (1, -1)
    )
    assert pulled @ step + passed["x"] @ other == pytest.approx((up - down) / (2 * eps), rel=1e-5)


def test_a_drawn_column_has_the_printed_moments_and_bounds():
    shape = Shape(mean=1.4, sd=1.45, low=0.0, high=13.5, within=0.72)
    rng = np.random.default_rng(4)
    latent, white = draw_column(
        shape, draw_habits(False, rng), (218, 16), None, np.zeros((0, 3488)), {}, {}, rng
    )
    x = latent.value(white, {})
    assert (x.min(), x.max()) == (0.0, 13.5)
    assert settled(latent, white, {}, shape).value(white, {}).mean() == pytest.approx(1.4, abs=0.01)
    assert x.std() == pytest.approx(1.45, abs=0.05)  # two cells were moved to the extremes
    cells = x.reshape(218, 16)
    left = cells - cells.mean(axis=1, keepdims=True) - cells.mean(axis=0) + cells.mean()
    assert left.std() == pytest.approx(0.72, abs=0.05)


def test_skewness_goes_on_as_a_line():
    z = np.array([-2.0, 0.0, 2.0, 3.0])
    h, slope = curved(z, 0.5)
    assert h == pytest.approx([np.exp(-1.0), 1.0, np.e, np.e * 1.5])
    assert slope == pytest.approx(0.5 * np.array([np.exp(-1.0), 1.0, np.e, np.e]))
    assert curved(z, 0.0)[0] is z


@pytest.mark.parametrize("ratio", [1.0, 2.5, 5.0])
def test_a_column_whose_sd_is_many_times_its_mean(ratio):
    # sales, patents, deaths in cities: an aim that halved no step ended in a division by zero
    shape = Shape(mean=1.0, sd=ratio, low=0.0, high=np.inf, within=0.25 * ratio)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        drawn = draw_column(
            shape, draw_habits(False, rng), (60, 10), None, np.zeros((0, 600)), {}, {}, rng
        )
        x = drawn[0].value(drawn[1], {})
        assert (x.mean(), x.std()) == pytest.approx((1.0, ratio), rel=0.02)


def test_shocks_have_unit_variance_within_units_and_the_share_of_straight_lines():
    rng = np.random.default_rng(5)
    habits = dataclasses.replace(draw_habits(False, rng), phi=0.0, drift=0.8, straight=1.0)
    root = over_time(12, habits, rng)
    line = np.arange(12) - 5.5
    assert np.trace(root @ root.T) == pytest.approx(12)
    along = line @ root @ root.T @ line / (line @ line)
    assert along == pytest.approx(0.8 * 12 + 0.2 * 12 / 11)  # white noise has 11 directions
