"""Contrasts from printed cells: algebra, admissible range, evidence."""

import numpy as np
import pytest
from bayesdid.published.covariance import serial_inflation, shared_units
from bayesdid.published.network import Loop, loop_of, network_posterior
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from bayesdid.estimands.evidence import design_errors, savage_dickey, update
from bayesdid.exceptions import InputError
from bayesdid.families.registry.load import load_study
from bayesdid.published.synergy import published_synergy, variance_range
from bayesdid.published.verdict import WORDS, published_verdicts, word_for
from bayesdid.summary import hdi, summarise, summarise_normal


@pytest.fixture(scope="module")
def dual(models):
    return load_study(models / "dual_pilot")


@pytest.fixture(scope="module")
def synergy(dual):
    return published_synergy(dual)


def test_linear_contrasts_are_those_of_the_cells(dual, synergy):
    cell = {
        key: float(dual.cell(ref).value)
        for key, ref in (
            ("both", "table2.5:both"),
            ("a", "table2.3:only:innovation"),
            ("b", "table2.4:only:smart"),
            ("fa", "table3.a1:both"),
            ("fb", "table3.a2:both"),
        )
    }
    found = {name: item.estimate for name, item in synergy.contrasts.items()}
    assert found["both - sum of singles"] == pytest.approx(cell["both"] - cell["a"] - cell["b"])
    assert found["both - only:smart"] == pytest.approx(cell["both"] - cell["b"])
    name = "first:innovation - first:smart vs none"
    assert found[name] == pytest.approx(cell["fa"] - cell["fb"])


def test_the_sum_of_singles_is_not_exceeded(dual, synergy):
    """−0.698 is less than −0.576 − 0.376: the sign of the headline claim is wrong."""
    item = synergy.contrasts["both - sum of singles"]
    assert item.estimate == pytest.approx(0.254)
    assert item.p_claim["independent", 1.0] == pytest.approx(norm.cdf(-0.254 / 0.1292), abs=2e-3)
    words = {v.claim: v.word for v in published_verdicts(dual, synergy)}
    assert words["synergy"].startswith("contradicted")
    assert words["findings-dual-none"] == "supported"


def test_correlation_of_shared_units_by_simulation(dual):
    """Difference-in-means estimates on drawn units have the correlation of the formula."""
    specs = [dual["table2.5"], dual["table2.3"], dual["table2.4"], dual["table2.6"]]
    shared = shared_units(dual, specs)
    rng = np.random.default_rng(0)
    kinds = np.repeat(["none", "a", "b", "dual"], [204, 79, 79, 74])  # all counts doubled
    draws = rng.standard_normal((20_000, len(kinds)))
    mean = {k: draws[:, kinds == k].mean(axis=1) for k in ("none", "a", "b", "dual")}

    def pool(*names):
        return draws[:, np.isin(kinds, names)].mean(axis=1)

    estimates = np.array(
        [
            mean["dual"] - mean["none"],
            mean["a"] - pool("none", "b"),
            mean["b"] - pool("none", "a"),
            mean["dual"] - pool("a", "b"),
        ]
    )
    # standard error of a correlation of 20 000 draws is at most 1 / sqrt(20 000) = 0.007
    np.testing.assert_allclose(np.corrcoef(estimates), shared.correlation, atol=5 * 0.0071)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-2, 2).filter(lambda x: abs(x) > 0.01), min_size=2, max_size=4),
    st.integers(0, 10_000),
)
def test_variance_range_encloses_every_correlation(weights, seed):
    rng = np.random.default_rng(seed)
    w, ses = np.array(weights), rng.uniform(0.05, 0.5, len(weights))
    low, high = variance_range(w, ses)
    L = rng.standard_normal((len(w), len(w)))
    R = L @ L.T
    R = R / np.sqrt(np.outer(np.diag(R), np.diag(R)))
    variance = (w * ses) @ R @ (w * ses)
    assert low - 1e-9 <= variance <= high + 1e-9


def test_variance_range_is_attained():
    w, ses = np.array([1.0, -1.0, -1.0]), np.array([0.5, 0.1, 0.1])
    terms = w * ses
    signs = np.sign(terms)
    assert variance_range(w, ses)[1] == pytest.approx(terms @ np.outer(signs, signs) @ terms)
    against = np.where(np.arange(3) == 0, 1.0, -1.0) * signs
    assert variance_range(w, ses)[0] == pytest.approx(terms @ np.outer(against, against) @ terms)


def test_wider_assumptions_give_wider_posteriors(synergy):
    item = synergy.contrasts["both - sum of singles"]
    sd = {key: summary.sd for key, summary in item.posteriors.items()}
    assert sd["widest", 1.0] > sd["independent", 1.0] > sd["design", 1.0]
    assert sd["design", 3.0] > sd["design", 1.5] > sd["design", 1.0]
    nonlinear = synergy.contrasts["both - max single"].p_claim
    assert nonlinear["widest", 1.0] <= nonlinear["design", 1.0] <= nonlinear["tightest", 1.0]


def test_savage_dickey_equals_the_ratio_of_marginal_likelihoods():
    for factor in savage_dickey(0.25, 0.13, 1.4):
        alone = norm.pdf(0.25, 0.0, 0.13)
        marginal = norm.pdf(0.25, 0.0, np.hypot(0.13, factor.prior_sd))
        assert factor.bf10 == pytest.approx(marginal / alone, rel=1e-9)


def test_design_errors_by_simulation():
    """Closed form against simulated replications; tolerance from their Monte Carlo error."""
    rng = np.random.default_rng(1)
    estimate, se, prior = 0.2, 0.15, 0.4
    mean, sd = update(estimate, se, prior)
    truth = rng.normal(mean, sd, 400_000)
    seen = rng.normal(truth, se)
    significant = np.abs(seen) > norm.ppf(0.975) * se
    errors = design_errors(estimate, se, prior)
    wrong = np.sign(seen[significant]) != np.sign(truth[significant])
    ratio = np.abs(seen[significant]).mean() / np.abs(truth[significant]).mean()
    assert errors.power == pytest.approx(significant.mean(), abs=4 * 0.5 / 400_000**0.5)
    assert errors.type_s == pytest.approx(wrong.mean(), abs=4 * 0.1 / significant.sum() ** 0.5)
    assert errors.type_m == pytest.approx(ratio, rel=0.01)


def test_serial_inflation():
    assert serial_inflation(0.0, 16) == pytest.approx(1.0)
    values = [serial_inflation(phi, 16) for phi in (0.2, 0.5, 0.8)]
    assert values == sorted(values)
    assert values[0] > 1


def test_network_without_inconsistency_is_generalised_least_squares():
    """With the inconsistency's scale near zero the loop pools direct and indirect evidence."""
    V = np.diag([0.01, 0.01, 0.04, 0.04])
    loop = Loop(np.array([-0.5, -0.5, -0.6, -0.3]), V, np.array([0.5, 0.5]), 100.0, 1e-4)
    posterior = network_posterior(loop, draws=40_000)
    both = posterior.theta[:, -1]
    # singles are pooled to -0.5 with variance 0.005; indirect -0.8 with 0.045; direct -0.6, 0.04
    weight = (1 / 0.04, 1 / 0.045)
    expected = (-0.6 * weight[0] - 0.8 * weight[1]) / sum(weight)
    assert both.mean() == pytest.approx(expected, abs=5 * both.std() / 200)
    assert both.std() == pytest.approx(sum(weight) ** -0.5, rel=0.02)


def test_loop_reports_direct_minus_indirect(synergy):
    loop = loop_of(synergy, ("innovation", "smart"), independent=True)
    posterior = network_posterior(loop)
    assert posterior.gap == pytest.approx(-0.698 - (-0.388 - (0.576 + 0.376) / 2))
    assert posterior.gap_se == pytest.approx(
        np.sqrt(0.074**2 + 0.092**2 + (0.081**2 + 0.068**2) / 4)
    )
    assert 0 < posterior.omega.mean() < posterior.gap  # shrunk towards consistency


def test_shared_units_alone_leave_the_loop_no_room(synergy):
    """Four contrasts of four kinds of units are linearly dependent."""
    at = [
        synergy.estimands.index(k) for k in ("only:innovation", "only:smart", "both", "both|single")
    ]
    eigenvalues = np.linalg.eigvalsh(synergy.correlation[np.ix_(at, at)])
    assert eigenvalues[0] == pytest.approx(0.0, abs=1e-9)
    assert eigenvalues[1] > 0.1


@pytest.mark.sampling
def test_network_equals_its_pymc_model(synergy):
    import arviz as az
    import nutpie
    from bayesdid.model.pymc.network import build

    loop = loop_of(synergy, ("innovation", "smart"), independent=True)
    exact = network_posterior(loop, draws=40_000)
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compiled = nutpie.compile_pymc_model(
            build(loop.y, loop.V, loop.weights, loop.prior_sd, loop.scale)
        )
        tree = nutpie.sample(
            compiled,
            draws=1500,
            tune=1500,
            chains=2,
            cores=2,
            seed=1,
            target_accept=0.97,
            progress_bar=False,
        )
    for name, values in (("theta_both", exact.theta[:, -1]), ("omega", exact.omega)):
        draws = tree["posterior"][name]
        ess = float(az.ess(draws.to_dataset(name="x"))["x"])
        mcse = np.hypot(float(draws.std()) / np.sqrt(ess), values.std() / np.sqrt(len(values)))
        assert abs(float(draws.mean()) - values.mean()) < 5 * mcse, name


def test_hdi_of_a_normal():
    draws = np.random.default_rng(0).standard_normal(200_000)
    low, high = hdi(draws, 0.89)
    assert high - low == pytest.approx(2 * norm.ppf(0.945), rel=0.01)
    closed, drawn = summarise_normal(0.3, 1.0, rope=0.1), summarise(draws + 0.3, rope=0.1)
    assert drawn.p_negative == pytest.approx(closed.p_negative, abs=5 * 0.5 / 200_000**0.5)
    assert drawn.p_rope == pytest.approx(closed.p_rope, abs=5 * 0.5 / 200_000**0.5)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_words_follow_the_probabilities(a, b, c):
    low, p, high = sorted((a, b, c))
    word = word_for(p, low, high)
    assert word in WORDS
    assert (word == "supported") == (low >= 0.95)
    assert (word == "contradicted") == (high <= 0.05 and p < 0.95)


def test_a_study_without_cells_says_so(models):
    with pytest.raises(InputError, match="names no published cells"):
        published_synergy(load_study(models / "traffic_laws"))
