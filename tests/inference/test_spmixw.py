"""The exact spatial Durbin posterior is that of a Gibbs sampler of others: the package spmixw.

Its model with ``rval=0`` (homoscedastic), ``model=3`` (two-way effects), ``lflag=0`` (eigenvalues)
is ``transform="direct"`` under flat priors: demeaned data, ``T log|I - rho W|``, and as if
demeaning cost no degrees of freedom: NT where the effects leave (N - 1)(T - 1). Three things must
be known:

- rho is a node of a grid of step 0.001, and always the node below the one that the inverse
  distribution function asks for (``_griddy.draw_rho_sar``); the comparison adds the step;
- rho is drawn from its marginal posterior *after* the coefficients and saved beside them, so that
  the saved pairs are independent where the posterior is not, and the effects made of them are too
  spread out; a rho belongs to the coefficients of the next draw;
- its eigenvalues and traces are right for symmetric weights only, as those here are.
"""

import numpy as np
import pytest
import spmixw
from planted import simulated
from scipy.stats import kurtosis

from bayesdid.inference.exact.durbin_fit import draw_durbin
from bayesdid.inference.impacts import effects_of
from bayesdid.spatial.operators.impacts import multipliers
from bayesdid.spatial.operators.logdet import log_determinant
from bayesdid.spatial.weights.weights import make_weights

N, T, SIZE, MCSE = 30, 5, 6000, 5.0
STEP = 0.001  # of its grid
PROBES = 50  # random vectors behind its traces
RING = make_weights(
    sum(np.roll(np.eye(N), k, axis=1) for k in (-2, -1, 1, 2)), np.arange(N), "ring"
)


@pytest.fixture(scope="module")
def design():
    return simulated(RING, "sdm", T=T, rho=0.4)


@pytest.fixture(scope="module")
def theirs(design):
    y = design.Y.T.reshape(-1)  # all units of the first period, then of the second
    X = design.Z[: design.K0].transpose(2, 1, 0).reshape(-1, design.K0)
    return spmixw.sdm_panel(
        y, X, RING.dense(), N, T, ndraw=SIZE + 500, nomit=500, rval=0, model=3, lflag=0, seed=1
    )


def same(one, other):
    """Means and sds differ by Monte Carlo error alone."""
    close = abs(one.mean() - other.mean()) < MCSE * np.hypot(one.std(), other.std()) / np.sqrt(SIZE)
    # the relative error of each sd is sqrt((kurtosis - 1) / 4 SIZE)
    error = np.sqrt((kurtosis(one, fisher=False) + kurtosis(other, fisher=False) - 2) / (4 * SIZE))
    return close and abs(np.log(one.std() / other.std())) < MCSE * error


def test_the_posterior_is_theirs(design, theirs):
    logdet = log_determinant(RING)
    ours = draw_durbin(design, priors="flat", transform="direct", size=SIZE)
    assert same(ours.rho, theirs.rho_draws + STEP)
    assert same(ours.sigma**2, theirs.sigma_draws)
    for k in range(len(design.names)):
        assert same(ours.b[:, k], theirs.beta_draws[:, k]), design.names[k]
    rho, b = theirs.rho_draws[:-1] + STEP, theirs.beta_draws[1:]  # as they belong together
    paired = multipliers(RING, logdet, rho)
    for k, effect in enumerate(effects_of(design, ours.rho, ours.b).values()):
        other = paired.effects(b[:, k], b[:, k + design.K0])
        for name in ("direct", "indirect", "total"):
            assert same(getattr(effect, name), getattr(other, name)), (name, k)
    theta = design.K0
    assert np.corrcoef(ours.rho, ours.b[:, theta])[0, 1] < -0.5
    assert np.corrcoef(rho, b[:, theta])[0, 1] < -0.5
    saved = np.corrcoef(theirs.rho_draws, theirs.beta_draws[:, theta])[0, 1]
    assert abs(saved) < MCSE / np.sqrt(SIZE)


def test_effects_are_theirs_draw_by_draw_up_to_their_stochastic_traces(design, theirs):
    """Their total is exact; traces of W^3 and beyond are means of z'W^j z over normal probes z.

    The variance of one is 2 tr(W^2j). The series of theta is shifted by one power.
    """
    logdet = log_determinant(RING)
    ours = multipliers(RING, logdet, theirs.rho_draws)
    powers = np.arange(3, 100)
    traces = (logdet.values[:, None] ** (2 * powers)).sum(axis=0) * T  # of I_T (x) W^2j
    noise = np.sqrt(2 * traces / PROBES) / (N * T)
    rho = abs(theirs.rho_draws[:, None])
    for k in range(design.K0):
        beta, theta = theirs.beta_draws[:, k], theirs.beta_draws[:, k + design.K0]
        effect = ours.effects(beta, theta)
        assert effect.total == pytest.approx(theirs.total_draws[:, k], rel=1e-10)
        series = abs(beta[:, None]) * rho**powers + abs(theta[:, None]) * rho ** (powers - 1)
        assert (abs(effect.direct - theirs.direct_draws[:, k]) < MCSE * series @ noise).all()


def test_its_intervals_are_short_by_the_degrees_of_freedom_that_demeaning_costs(design, theirs):
    ours = draw_durbin(design, priors="flat", size=SIZE)
    K = len(design.names)
    ratio = np.sqrt(ours.sigma.mean() ** 2 / theirs.sigma_draws.mean())
    assert ratio == pytest.approx(np.sqrt((N * T - K) / ((N - 1) * (T - 1) - K)), rel=0.02)
    for k in range(K):
        assert ours.b[:, k].std() > 1.05 * theirs.beta_draws[:, k].std()
