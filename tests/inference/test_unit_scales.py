"""Unit scales: the sampler draws from the PyMC model, and its limits are the exact engines."""

import dataclasses
import itertools

import numpy as np
import pytest
from panels import make_design

from bayesdid.design.build import with_effects
from bayesdid.inference.exact import scales
from bayesdid.inference.exact.gaussian import fit_gaussian
from bayesdid.inference.exact.pooled import fit_pooled
from bayesdid.inference.exact.scales import draw_scaled
from bayesdid.inference.exact.scales_kernel import kept_alone, log_part, middle_part, part_alone
from bayesdid.inference.exact.two_way import two_way_model
from bayesdid.inference.gate import GateItem
from bayesdid.model.effects import two_way
from bayesdid.model.errors import Errors
from bayesdid.model.model import Model
from bayesdid.model.pooling import indicators, stack
from bayesdid.model.priors import resolve_priors
from cells import slow_but

MCSE = 5.0
IID, AR1 = Errors("iid", "unit"), Errors("ar1", "unit")


def scaled_design(seed, *, phi=0.0, nu=4.0, unit="fixed", N=30, T=8, **kwargs):
    """Errors of unit-specific scales, AR(1) with `phi`, and staggered treatment."""
    design = make_design(seed, N=N, T=T, **kwargs)
    rng = np.random.default_rng(seed + 50)
    lag = np.abs(np.arange(T)[:, None] - np.arange(T))
    e = rng.multivariate_normal(np.zeros(T), 0.49 * phi**lag, len(design.units))
    e /= np.sqrt(rng.gamma(nu / 2, 2 / nu, len(design.units)))[:, None]
    level = rng.normal(size=len(design.units))
    y = design.regressors @ [-0.5, 0.3, -0.2] + level[design.unit_index]
    y = y + e[design.unit_index, design.period_index]
    return with_effects(dataclasses.replace(design, y=y), unit, "fixed")


@pytest.mark.sampling
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("unit", "errors", "balanced"),
    slow_but(
        [("fixed", AR1, True), ("random", AR1, False), ("fixed", IID, False), ("random", IID, True)]
    ),
)
def test_the_pymc_model_has_this_posterior(unit, errors, balanced):
    import arviz as az
    import pymc as pm

    from bayesdid.model.pymc.compile import to_pymc

    design = scaled_design(4, phi=0.5, unit=unit, N=25, balanced=balanced)
    ours = fit_gaussian(design, errors=errors, draws=2000)
    assert ours.attrs["converged"], ours.attrs["gate"]
    with to_pymc(Model(errors=errors, effects=two_way(unit, "fixed")), design):
        tree = pm.sample(
            800,
            tune=700,
            chains=2,
            cores=2,
            random_seed=1,
            nuts_sampler="nutpie",
            progressbar=False,
        )
    ours, theirs = ours["posterior"].to_dataset(), tree["posterior"].to_dataset()
    error, own = az.mcse(theirs), az.mcse(ours)
    for name in (
        "alpha",
        "tau",
        "beta",
        "sigma",
        "nu_unit",
        "phi",
        "sigma_city",
        "year_effect",
        "city_effect",
    ):
        if name not in theirs:
            continue
        gap = abs(ours[name].mean(("chain", "draw")) - theirs[name].mean(("chain", "draw")))
        limit = MCSE * np.hypot(error[name].to_numpy(), own[name].to_numpy())
        assert (gap.to_numpy() < limit).all(), name
        ratio = ours[name].std(("chain", "draw")) / theirs[name].std(("chain", "draw"))
        assert abs(ratio - 1).max() < 0.25, name
    scale = theirs["sigma_of_unit"].mean(("chain", "draw"))
    gap = ours["sigma_of_unit"].mean(("chain", "draw")).to_numpy() / scale.to_numpy() - 1
    assert np.abs(gap).max() < 0.1


EFFECTS = ("fixed", "random", "none")


@pytest.mark.parametrize(
    ("unit", "period", "serial", "weighted"),
    slow_but(
        itertools.product(EFFECTS, EFFECTS, (False, True), (False, True)),
        ("fixed", "fixed", False, True),
        ("fixed", "random", True, False),
        ("fixed", "none", True, True),
        ("random", "fixed", True, False),
        ("random", "random", False, True),
        ("random", "none", False, False),
        ("none", "fixed", True, True),
        ("none", "random", False, False),
        ("none", "none", True, False),
    ),
)
def test_as_nu_grows_the_scale_is_common(unit, period, serial, weighted):
    """With a prior that puts nu at a million the exact engine of one scale is the truth."""
    design = with_effects(make_design(3, N=25, T=7, balanced=False), unit, period)
    weights = np.random.default_rng(0).uniform(0.5, 2.0, design.n) if weighted else None
    priors = resolve_priors("weak", design)
    kind = "ar1" if serial else "iid"
    model = two_way_model(design, priors, errors=Errors(kind, "unit"), weights=weights)
    found = draw_scaled(
        model.stats,
        model.beliefs,
        priors,
        serial=serial,
        nu_prior=(1e6, 1.0),
        draws=600,
        chains=4,
        seed=1,
    )
    one = two_way_model(design, priors, errors=Errors(kind), weights=weights)
    exact = one.posterior(draws=2000, seed=2)
    ess = min(item.value for item in found.draws.gate if item.name.startswith("ess"))
    pairs = [
        (found.draws.coef, exact.draws.coef),
        (found.effects.alpha[:, None], exact.effects.alpha[:, None]),
        (found.effects.unit, exact.effects.unit),
        (found.effects.period, exact.effects.period),
    ]
    pairs += [
        (np.log(np.maximum(a, 1e-9))[:, None], np.log(np.maximum(b, 1e-9))[:, None])
        for a, b in zip(found.draws.scalars[:4], exact.draws.scalars[:4], strict=True)
    ]
    for a, b in pairs:
        sd = np.maximum(b.std(axis=0), 1e-12)
        gap = np.abs(a.mean(axis=0) - b.mean(axis=0)) / sd
        assert (gap < MCSE * np.sqrt(1 / ess + 1 / 5000)).all()


def test_pooled_parts_with_unit_scales_have_the_limit_too():
    design = make_design(5, N=40, T=9)
    treated = design.D[:, 0]
    columns = indicators(design.unit_index % 4, [0, 1, 2, 3], treated)
    pooling = stack(design, [("", ("a",), treated[:, None]), ("group", tuple("bcde"), columns)])
    priors = pooling.priors()
    model = two_way_model(pooling.design, priors, errors=AR1, pooling=pooling)
    found = draw_scaled(
        model.stats,
        model.beliefs,
        priors,
        serial=True,
        nu_prior=(1e6, 1.0),
        draws=1500,
        chains=4,
        seed=1,
    )
    exact = fit_pooled(pooling, errors=Errors("ar1"), draws=1000)
    assert exact.attrs["converged"]
    tau = exact["posterior"]["tau"].to_numpy().reshape(4000, -1)
    ours = found.draws.coef[:, :5] / model.data.scale[:5]
    ess = min(item.value for item in found.draws.gate if item.name.startswith("ess"))
    gap = np.abs(ours.mean(axis=0) - tau.mean(axis=0)) / tau.std(axis=0)
    assert (gap < MCSE * np.sqrt(1 / ess + 1 / 1500)).all()
    omega = exact["posterior"]["omega_group"].to_numpy().ravel()
    gap = abs(np.log(found.draws.scalars.omega).mean() - np.log(omega).mean())
    assert gap < MCSE * np.log(omega).std() * np.sqrt(1 / ess + 1 / 1500)


def test_unit_scales_find_the_noisy_units_and_narrow_tau():
    design = scaled_design(6, phi=0.4, nu=2.5, N=120, T=10)
    scaled, common = (fit_gaussian(design, errors=Errors("ar1", s)) for s in ("unit", "common"))
    assert scaled.attrs["converged"]
    tau = [tree["posterior"]["tau"].to_numpy().ravel() for tree in (scaled, common)]
    assert tau[0].std() < 0.8 * tau[1].std()
    assert abs(tau[0].mean() + 0.5) < 4 * tau[0].std()
    assert scaled["posterior"]["nu_unit"].mean() < 6


def test_moments_of_many_units_are_those_of_their_draws():
    design = scaled_design(7, phi=0.3, N=30)
    drawn, closed = (
        fit_gaussian(design, errors=AR1, draws=1000, draw_units=keep) for keep in (True, False)
    )
    assert "city_effect" not in closed["posterior"]
    moments = closed["unit_effects"]
    for mean, sd, name in (
        ("mean", "sd", "city_effect"),
        ("sigma_mean", "sigma_sd", "sigma_of_unit"),
    ):
        draws = drawn["posterior"][name].to_numpy().reshape(4000, -1)
        gap = np.abs(moments[mean].to_numpy() - draws.mean(axis=0)) / draws.std(axis=0)
        assert gap.max() < MCSE / np.sqrt(2000)
        assert np.abs(moments[sd].to_numpy() / draws.std(axis=0) - 1).max() < 0.15


def test_chains_too_short_are_marked(monkeypatch):
    from bayesdid.inference.exact import scales

    design = scaled_design(8, N=20, T=5)
    assert fit_gaussian(design, errors=AR1, draws=6, chains=2).attrs["converged"] == 1
    monkeypatch.setattr(scales, "SWEEPS", 6)
    monkeypatch.setattr(scales, "WARMUP", 1)
    tree = fit_gaussian(design, errors=AR1, draws=6, chains=2)
    assert tree.attrs["converged"] == 0


@pytest.mark.slow
def test_ranks_of_true_values_are_uniform():
    """Simulation-based calibration (Talts et al. 2018) of tau, phi and nu, by chi-square."""
    rng = np.random.default_rng(0)
    base = make_design(9, N=12, T=5)
    ranks = []
    priors = dataclasses.replace(
        resolve_priors("weak", dataclasses.replace(base, y=base.y / base.y.std())),
        sds={"active:p": 0.5, "x1": 0.5, "x2": 0.5},
        scale=1.0,
    )
    lag = np.abs(np.arange(5)[:, None] - np.arange(5))
    for k in range(120):
        phi, nu, sigma = rng.uniform(-1, 1), 1 + rng.gamma(2.0, 10.0), rng.exponential()
        b = 0.5 * rng.standard_normal(3)
        e = rng.standard_normal((12, 5)) @ np.linalg.cholesky(phi**lag + 1e-12 * np.eye(5)).T
        e *= sigma / np.sqrt(rng.gamma(nu / 2, 2 / nu, 12))[:, None]
        design = dataclasses.replace(base, y=base.regressors @ b + e.ravel())
        found = two_way_model(design, priors, errors=AR1).posterior(draws=100, seed=k)
        coef = found.draws.coef[:, 0] / two_way_model(design, priors).data.scale[0]
        truth = (
            (coef, b[0]),
            (found.draws.scalars.phi, phi),
            (found.scales.nu, nu),
            (found.draws.scalars.sigma, sigma),
        )
        ranks.append([(draws < value).mean() for draws, value in truth])
    counts = np.array([np.histogram(r, np.linspace(0, 1 + 1e-9, 9))[0] for r in np.array(ranks).T])
    statistic = ((counts - 15.0) ** 2 / 15.0).sum(axis=1)
    assert (statistic < 24.3).all(), counts  # chi-square with 7 degrees of freedom, p = 0.001


def test_chains_that_do_not_pass_are_run_again_for_longer(monkeypatch):
    """Once, from the same seeds, and thinned to the draws asked for; those that pass are not."""
    design = scaled_design(3, N=12, T=5)
    asked = []

    def gate(tree, passes):
        asked.append(tree["posterior"].sizes["draw"])
        return [GateItem("rhat", 1.0, 1.01, passes(len(asked)))]

    def run(passes):
        asked.clear()
        monkeypatch.setattr(scales, "chain_gate", lambda tree: gate(tree, passes))
        return fit_gaussian(design, errors=IID, draws=300, chains=2)

    once = run(lambda times: times == 1)
    assert asked == [1200]
    again = run(lambda times: times == 2)
    assert asked == [1200, 1200 * scales.AGAIN]
    assert again.attrs["converged"]
    assert again["posterior"].sizes["draw"] == once["posterior"].sizes["draw"] == 300
    assert not run(lambda times: times == 3).attrs["converged"]
    assert len(asked) == 2


def test_a_scale_so_far_out_that_rounding_decides_has_no_density():
    """S is positive semidefinite but for rounding, which a large scale makes larger than the 1."""
    S = -1e-15 * np.eye(3)
    far, near = 10.0, 0.0
    assert log_part(far, S, np.zeros(3), 1e-6, 1.0, 1.0, 1.0) == -np.inf
    assert np.isfinite(log_part(near, S, np.zeros(3), 1.0, 1.0, 1.0, 1.0))


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_columns_kept_alone_are_the_schur_complement_of_the_others(size):
    """Cross-products of some columns once the others, with their priors, are integrated out."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 8)) * 10.0 ** rng.uniform(-2, 2, 8)
    H, sigma, d = X.T @ X, 0.7, size * rng.uniform(0.5, 2, 7)
    kept = np.array([1, 4, 5])
    rest = np.array([0, 2, 3, 6])
    found = kept_alone.py_func(H, kept, d, sigma)
    own = H[np.ix_(rest, rest)] + np.diag((sigma / d[rest]) ** 2)
    ends = np.append(kept, 7)
    wanted = H[np.ix_(ends, ends)] - H[np.ix_(ends, rest)] @ np.linalg.solve(
        own, H[np.ix_(rest, ends)]
    )
    scale = np.sqrt(np.diag(H)[ends])
    wanted, found = wanted / np.outer(scale, scale), found / np.outer(scale, scale)
    assert found[:3] == pytest.approx(wanted[:3], abs=1e-10)  # the corner is no less than its own
    assert found[3, 3] >= wanted[3, 3]


def test_a_column_that_the_others_span_is_kept_with_its_prior():
    """Its square is what rounding leaves, below zero at times: no unit to measure it in."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 4))
    H = np.zeros((6, 6))
    H[np.ix_([0, 1, 4, 5], [0, 1, 4, 5])] = X.T @ X
    H[2, 2], H[3, 3], H[2, 0], H[0, 2] = -1e-14, 1e-14, 1e-14, 1e-14
    found = kept_alone.py_func(H, np.array([1, 2, 3]), np.ones(5), 1.0)
    assert found[:3, :3] == pytest.approx(np.diag([found[0, 0], 0, 0]), abs=1e-9)
    assert found[0, 0] > 1


def test_a_part_alone_is_measured_in_a_unit_of_its_own():
    """``I + r^2 S`` at the scale ``r unit`` is the precision of the columns over their prior's."""
    rng = np.random.default_rng(1)
    X, sd, sigma, tau = rng.standard_normal((9, 3)), np.array([2.0, 0.3]), 0.7, 0.05
    own = X.T @ X
    S, v, unit = part_alone.py_func(own, sd, sigma, np.diag(own)[:2])
    r, d = tau / unit, sd * tau
    assert np.eye(2) + r**2 * S == pytest.approx(
        np.eye(2) + own[:2, :2] * np.outer(d, d) / sigma**2
    )
    assert r * v == pytest.approx(d * own[:2, 2] / sigma**2)


def test_parts_are_halved_by_their_columns():
    part = np.array([0, 0, 0, 0, 1, 2, 3, 3])
    assert middle_part.py_func(0, 4, np.arange(8), part) == 1
    assert middle_part.py_func(1, 4, np.arange(4, 8), part) == 3
    assert middle_part.py_func(2, 4, np.array([5, 6, 7]), part) == 3
