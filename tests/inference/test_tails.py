"""Student-t errors by chains of blocks: the posterior of the model as written, modes included."""

import dataclasses

import arviz_stats as az
import numpy as np
import pytest
from panels import make_design
from planted import near, simulated, within_reach
from scipy.stats import norm
from scipy.stats import t as student_t

import bayesdid as bd
from bayesdid.design.build import with_effects
from bayesdid.exceptions import InputError
from bayesdid.inference.engines import ENGINES
from bayesdid.inference.exact.tails import Tailed, draw_tails
from bayesdid.inference.registry import choose
from bayesdid.model.priors import Priors
from engines_agree import same_posterior

CELLS = {
    "fixed": ("fixed", "fixed", "weak", False),
    "fixed, weights": ("fixed", "fixed", "weak", True),
    "random": ("random", "random", "weak", False),
    "random, fixed, flat": ("random", "fixed", "flat", False),
    "mundlak, none, weights": ("mundlak", "none", "weak", True),
    "none, random": ("none", "random", "sceptical", False),
    "none": ("none", "none", "weak", False),
    "fixed, random": ("fixed", "random", "weak", False),
}
SPATIAL = {
    "sdm": ("sdm", near(20), "fixed", "fixed"),
    "sar, unequal row sums": ("sar", within_reach(20, normalisation="spectral"), "fixed", "fixed"),
    "sdm, random": ("sdm", near(20), "random", "fixed"),
    "sar, random": ("sar", near(20), "random", "random"),
    "slx, none": ("slx", within_reach(20, normalisation="spectral"), "none", "fixed"),
    "sar, none": ("sar", near(20), "none", "none"),
    "sdm, units alone": ("sdm", within_reach(20, normalisation="min-max"), "fixed", "none"),
}


def heavy(design, seed=0, nu=4):
    """The same design with errors of heavier tails."""
    noise = 0.5 * np.random.default_rng(seed).standard_t(nu, design.n)
    return dataclasses.replace(design, y=design.y + noise)


@pytest.mark.sampling
@pytest.mark.slow  # what each step conditions on: the cells below without a sampler
@pytest.mark.parametrize("cell", CELLS)
def test_the_chain_has_the_posterior_of_the_model_as_written(cell):
    unit, period, priors, weighted = CELLS[cell]
    design = with_effects(heavy(make_design(5, N=15, T=6)), unit, period)
    if weighted:
        weights = np.random.default_rng(1).uniform(0.3, 3.0, design.n)
        design = dataclasses.replace(design, weights=weights / weights.mean())
    given = {"likelihood": "student_t", "errors": "iid", "priors": priors, "log_likelihood": True}
    ours = bd.fit(design, draws=2000, **given)
    assert ours.tree.attrs["engine"] == "tails"
    assert ours.converged
    theirs = bd.fit(design, engine="nuts", draws=1500, chains=4, seed=1, **given)
    assert theirs.converged
    same_posterior(ours, theirs)


@pytest.mark.sampling
@pytest.mark.slow
@pytest.mark.parametrize("cell", SPATIAL)
def test_the_spatial_chain_has_the_posterior_of_the_model_as_written(cell):
    kind, weights, unit, period = SPATIAL[cell]
    design = simulated(weights, kind, T=5, unit=unit, period=period, rho=0.3)
    given = {"likelihood": "student_t", "log_likelihood": True}
    ours = bd.fit(design, draws=2000, **given)
    assert ours.tree.attrs["engine"] == "durbin_tails"
    assert ours.converged
    theirs = bd.fit(design, engine="nuts", draws=1500, chains=4, seed=1, **given)
    lagged = "rho" in ours.tree["posterior"]
    far = lagged and abs(ours.tree["posterior"]["rho"]).max() > 0.9  # 1 / (1 - rho): no moments
    same_posterior(ours, theirs, but={"effects"} if far else set())


def weighted_moments(log_density, draws, rng, size=20_000):
    """Means and sds by importance sampling around a chain's draws, and their errors.

    Proposed are multivariate t of 5 degrees of freedom with the draws' mean and covariance: what
    the chain gets wrong widens or moves the proposal, and not what is estimated.
    """
    mean, root = draws.mean(axis=0), np.linalg.cholesky(1.2 * np.cov(draws.T))
    z = rng.standard_normal((size, len(mean)))
    s = rng.chisquare(5, size) / 5
    x = mean + (z / np.sqrt(s)[:, None]) @ root.T
    proposed = -(5 + len(mean)) / 2 * np.log1p((z**2).sum(axis=1) / s / 5)
    log = log_density(x) - proposed
    w = np.exp(log - log.max())
    w /= w.sum()
    assert 1 / (w**2).sum() > 1000  # the proposal serves
    found = w @ x
    sd = np.sqrt(w @ (x - found) ** 2)
    error = np.sqrt((w**2) @ (x - found) ** 2)
    spread = np.sqrt((w**2) @ ((x - found) ** 2 - sd**2) ** 2) / (2 * sd)
    return found, sd, error, spread


def log_tails(residuals, log_sigma, log_nu, root):
    nu, s = 1 + np.exp(log_nu), np.exp(log_sigma)[:, None] / root
    return (
        student_t.logpdf(residuals / s, nu[:, None]).sum(axis=1)
        - np.log(s).sum(axis=1)
        + (
            2 * log_nu - 0.1 * np.exp(log_nu)  # nu - 1 ~ gamma(2, 0.1), of its log
        )
    )


def agree(draws, chains, log_density):
    """Moments of a chain are those of a density written here, within both Monte Carlo errors."""
    found, sd, error, spread = weighted_moments(log_density, draws, np.random.default_rng(7))
    shaped = draws.reshape(chains, -1, draws.shape[1])
    for k in range(draws.shape[1]):
        ess, own = (az.ess(shaped[:, :, k], method=m) for m in ("mean", "sd"))
        assert abs(draws[:, k].mean() - found[k]) < 5 * np.hypot(error[k], sd[k] / np.sqrt(ess)), k
        heavy_tailed = ((draws[:, k] - found[k]) ** 4).mean() / sd[k] ** 4 - 1
        noise = sd[k] * np.sqrt(heavy_tailed / 4 / own)
        assert abs(draws[:, k].std() - sd[k]) < 5 * np.hypot(spread[k], noise), k


def test_draws_have_the_moments_of_the_density():
    """Weights, fixed and random effects, flat and proper coefficients, a spatial lag."""
    rng = np.random.default_rng(3)
    N, T = 6, 5
    unit, period = (a.ravel() for a in np.mgrid[:N, :T])
    W = np.roll(np.eye(N), 1, axis=1) / 2 + np.roll(np.eye(N), -1, axis=1) / 2
    values = rng.standard_normal((N * T, 2))
    y = values @ [0.5, -0.3] + rng.standard_normal(N)[unit] + 0.4 * rng.standard_t(3, N * T)
    lag = np.kron(W, np.eye(T)) @ y
    root, mean, sd = np.sqrt(rng.uniform(0.4, 2.0, N * T)), np.array([0.0, 0.2]), [np.inf, 0.3]
    points = np.linalg.eigvalsh(W)

    def factor(rho):
        return (T - 1) * np.log(1 - rho[:, None] * points).sum(axis=1)

    priors = Priors("weak", {}, {}, 1.0, 0.7)
    both = (N, T)
    fixed = Tailed(
        values,
        y,
        lag,
        unit,
        period,
        root,
        both,
        ("fixed", "fixed"),
        mean,
        np.array(sd),
        priors,
        0.5,
        (-0.99, 0.99, factor),
    )
    drawn, _ = draw_tails(fixed, lambda _: [], draws=4000, chains=2, seed=1)
    x = np.column_stack(
        [
            drawn.coef,
            drawn.unit,
            drawn.period[:, 1:],
            np.log(drawn.sigma),
            np.log(drawn.nu - 1),
            np.arctanh(drawn.rho),
        ]
    )

    def density(x):
        coef, units, periods = x[:, :2], x[:, 2 : 2 + N], x[:, 2 + N : 1 + N + T]
        log_sigma, log_nu, rho = x[:, -3], x[:, -2], np.tanh(x[:, -1])
        periods = np.column_stack([np.zeros(len(x)), periods])
        e = y - rho[:, None] * lag - coef @ values.T - units[:, unit] - periods[:, period]
        prior_sd = 0.3 * np.exp(log_sigma) / 0.5
        prior = -0.5 * ((coef[:, 1] - 0.2) / prior_sd) ** 2 - np.log(prior_sd)
        jacobian = np.log1p(-(rho**2))
        inside = abs(rho) < 0.99
        value = log_tails(e, log_sigma, log_nu, root) + prior + factor(rho) + jacobian
        return np.where(inside, value, -np.inf)

    agree(x, 2, density)

    mixed = dataclasses.replace(fixed, kinds=("random", "random"), reference=0.0, rho=None)
    drawn, _ = draw_tails(mixed, lambda _: [], draws=4000, chains=2, seed=2)
    x = np.column_stack(
        [
            drawn.coef,
            drawn.unit,
            drawn.period,
            drawn.intercept,
            np.log(drawn.sigma),
            np.log(drawn.nu - 1),
            np.log(drawn.sigma_unit),
            np.log(drawn.sigma_period),
        ]
    )

    def hierarchical(x):
        coef, units, periods = x[:, :2], x[:, 2 : 2 + N], x[:, 2 + N : 2 + N + T]
        alpha, log_sigma, log_nu, log_unit, log_period = x[:, 2 + N + T :].T
        e = y - alpha[:, None] - coef @ values.T - units[:, unit] - periods[:, period]
        value = log_tails(e, log_sigma, log_nu, root) - 0.5 * ((coef[:, 1] - 0.2) / 0.3) ** 2
        value += log_sigma - np.exp(log_sigma) / 0.7  # exponential of mean 0.7
        for log_tau, levels in ((log_unit, units), (log_period, periods)):
            tau = np.exp(log_tau)
            value += norm.logpdf(levels, 0, tau[:, None]).sum(axis=1)
            value += 2 * log_tau - 2 * tau / 0.7  # gamma of shape 2 and mean 0.7
        return value

    agree(x, 2, hierarchical)


def test_chains_move_between_the_modes_of_a_unit():
    """A unit of two heaps: chains of gradients would stay, each with another effect."""
    rng = np.random.default_rng(0)
    N, T = 30, 10
    unit, period = (a.ravel() for a in np.mgrid[:N, :T])
    y = 0.1 * rng.standard_t(1.5, N * T)
    y[:T] = np.where(np.arange(T) < T // 2, 0.0, 4.0) + 0.1 * rng.standard_normal(T)
    model = Tailed(
        rng.standard_normal((N * T, 1)),
        y,
        np.zeros(N * T),
        unit,
        period,
        np.ones(N * T),
        (N, T),
        ("fixed", "none"),
        np.zeros(1),
        np.full(1, np.inf),
        Priors("weak", {}, {}, 1.0, 1.0),
    )
    drawn, _ = draw_tails(model, lambda _: [], draws=2000, chains=4, seed=0)
    upper = (drawn.unit[:, 0] > 2.0).reshape(4, -1)
    assert ((upper.mean(axis=1) > 0.1) & (upper.mean(axis=1) < 0.9)).all()  # every chain sees both
    # given all else the mass of either heap is an integral over one number
    at = np.linspace(-1.0, 5.0, 601)
    left = y[:T] - drawn.coef * model.values[:T, 0]
    nu, sigma = drawn.nu[::20, None, None], drawn.sigma[::20, None, None]
    z = (left[::20, None, :] - at[:, None]) / sigma
    log = -0.5 * ((nu + 1) * np.log1p(z**2 / nu)).sum(axis=2)
    mass = np.exp(log - log.max(axis=1, keepdims=True))
    expected = mass[:, at > 2.0].sum(axis=1) / mass.sum(axis=1)
    error = np.hypot(0.5 / np.sqrt(az.ess(upper.astype(float))), expected.std() / np.sqrt(100))
    assert abs(upper.mean() - expected.mean()) < 5 * error


def test_which_models_the_chain_takes():
    design = make_design(1, N=8, T=5)
    spatial = simulated(near(20), "sdm", T=5)
    errors = simulated(near(20), "sem", T=5)
    for one, given, engine in (
        (design, {"errors": "iid"}, "tails"),
        (design, {"errors": "ar1"}, "as_written"),
        (spatial, {}, "durbin_tails"),
        (spatial, {"errors": "ar1"}, "as_written"),
        (spatial, {"unit_effects": "mundlak"}, "as_written"),
        (errors, {}, "as_written"),
    ):
        bound = bd.model(one, likelihood="student_t", **given)
        assert choose(ENGINES, "auto", bound.model, bound.design).name == engine
    with pytest.raises(InputError, match="tails: its likelihood is Student t"):
        bd.fit(design, engine="tails", errors="iid")
