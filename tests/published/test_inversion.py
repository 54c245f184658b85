"""The inversion: posteriors against brute force, calibration over its prior, held-out columns."""

from dataclasses import replace

import numpy as np
import pytest
from printing import BOTH, BOTH_SINGLE, INTERACTION, ONLY_A, ONLY_B, WHOLE, known_timing, study
from scipy.stats import binom, multivariate_normal, norm

from bayesdid.published import inversion
from bayesdid.published.columns import printed_columns
from bayesdid.published.functional import Path, effects_of
from bayesdid.published.inversion import (
    KAPPAS,
    OMEGAS,
    PATHS,
    Mixture,
    components,
    held_out,
    layouts,
    log_weights,
    printed_weights,
    quantities,
    quantity_names,
    sampling_covariance,
)
from bayesdid.published.synergy import published_cells

FIVE = (BOTH, ONLY_A, ONLY_B, BOTH_SINGLE, WHOLE)
NAMES = quantity_names(("a", "b"))


def columns_of(made):
    return printed_columns(made, list(published_cells(made).values()))[0]


def parts_of(columns, paths=PATHS, phis=(0.0,), scale=1.0):
    return components(
        columns,
        layouts(columns, (known_timing(),), scale=scale, paths=paths),
        scale=scale,
        phis=phis,
    )


def test_one_component_is_the_conjugate_formula():
    columns = columns_of(study())
    parts = parts_of(columns, (Path("growing", 3.0), Path("free", 0.05)), (0.3,))
    mixture = Mixture.of(columns.estimates, parts)
    for k in range(0, len(parts), 5):
        part, root = parts[k], mixture.roots[k]
        noise = part.marginal - part.M @ part.prior @ part.M.T
        precision = np.linalg.inv(part.prior) + part.M.T @ np.linalg.inv(noise) @ part.M
        covariance = np.linalg.inv(precision)
        mean = covariance @ part.M.T @ np.linalg.inv(noise) @ columns.estimates
        np.testing.assert_allclose(mixture.means[k], part.L @ mean, atol=1e-8)
        np.testing.assert_allclose(root @ root.T, part.L @ covariance @ part.L.T, atol=1e-8)


def test_free_paths_share_their_columns_and_keep_their_own_priors():
    columns = columns_of(study())
    paths = (Path("free", 0.02), Path("free", 1.0))
    both = Mixture.of(columns.estimates, parts_of(columns, paths))
    each = [Mixture.of(columns.estimates, parts_of(columns, (path,))) for path in paths]
    np.testing.assert_allclose(both.means, np.concatenate([one.means for one in each]))
    np.testing.assert_allclose(both.roots, np.concatenate([one.roots for one in each]))
    assert np.abs(each[0].means - each[1].means).max() > 1e-3


def test_what_the_functionals_leave_out_widens_every_component():
    """marginal = M P M' + V + (omega s)^2 sum_i own own' + (kappa s)^2 I."""
    columns, timing, scale = columns_of(study()), known_timing(), 2.0
    weights = printed_weights(columns, timing)
    V = sampling_covariance(columns, weights, 0.0)
    own = np.einsum("cnt,ntj->cnj", weights, effects_of(timing, Path("static")).values)
    parts = parts_of(columns, (Path("static"),), scale=scale)
    assert {(part.omega, part.kappa) for part in parts} == {(o, k) for o in OMEGAS for k in KAPPAS}
    assert min(KAPPAS) > 0
    for part in parts:
        units = sum(own[:, i] @ own[:, i].T for i in range(own.shape[1]))
        whole = quantities(timing, effects_of(timing, part.path))  # every unit for itself
        np.testing.assert_allclose(part.L, whole, atol=1e-12)
        H = (part.omega * scale) ** 2 * units + (part.kappa * scale) ** 2 * np.eye(len(V))
        np.testing.assert_allclose(part.marginal, part.M @ part.prior @ part.M.T + V + H)
    assert np.exp([part.log_prior for part in parts]).sum() == pytest.approx(1)


def test_the_mixture_equals_importance_sampling():
    """Theta is drawn from every component's prior and weighted by the likelihood of the print."""
    columns = columns_of(study(values=(-0.35, -0.15, -0.1), ses=(0.15, 0.1, 0.1)))
    parts = parts_of(columns, (Path("static"), Path("growing", 6.0)), scale=0.1)
    rng, size = np.random.default_rng(0), 20_000
    values, log_like = [], []
    for part in parts:
        theta = rng.multivariate_normal(np.zeros(len(part.prior)), part.prior, size)
        noise = part.marginal - part.M @ part.prior @ part.M.T
        like = multivariate_normal(columns.estimates, noise).logpdf(theta @ part.M.T)
        log_like.append(like + part.log_prior)
        values.append(theta @ part.L.T)
    weight = np.exp(np.concatenate(log_like))
    weight /= weight.sum()
    joint = np.concatenate(values)[:, NAMES.index("joint")]
    mixture, every = Mixture.of(columns.estimates, parts), np.ones(len(parts), dtype=bool)
    draws, posterior = mixture.draw(every, 100_000, rng), mixture.weight(every)
    mean, found = weight @ joint, draws[:, NAMES.index("joint")]
    sd = np.sqrt(weight @ (joint - mean) ** 2)
    ess = 1 / (weight**2).sum()
    assert ess > 10_000
    assert found.mean() == pytest.approx(mean, abs=5 * sd * (1 / ess + 1 / 1e5) ** 0.5)
    assert found.std() == pytest.approx(sd, rel=5 * (1 / ess + 1 / 1e5) ** 0.5)
    assert (found < 0).mean() == pytest.approx(weight @ (joint < 0), abs=5 * 0.5 / ess**0.5)
    growing = np.array([part.path.kind == "growing" for part in parts])
    own = weight.reshape(len(parts), -1).sum(axis=1)
    assert mixture.weight(~growing)[growing].sum() == 0
    assert posterior[growing].sum() == pytest.approx(own[growing].sum(), abs=5 * 0.5 / ess**0.5)


def test_the_posterior_is_calibrated_over_its_own_prior():
    """Effects and prints drawn from the model: PIT of the synergy is uniform, intervals cover."""
    columns = columns_of(study(FIVE, values=(0.0,) * 5, ses=(0.1,) * 5))
    parts = parts_of(columns)
    S = np.stack([part.marginal for part in parts])
    prior = np.exp([part.log_prior for part in parts])
    row = NAMES.index("joint")
    rng, pit = np.random.default_rng(1), []
    # every component's posterior is linear in b: what it takes is computed once
    gains = [part.L[row] @ np.linalg.solve(part.marginal, part.M @ part.prior).T for part in parts]
    sds = np.linalg.norm(Mixture.of(columns.estimates, parts).roots[:, row], axis=1)
    for k in rng.choice(len(parts), 1000, p=prior):
        part = parts[k]
        theta = rng.multivariate_normal(np.zeros(len(part.prior)), part.prior)
        noise = part.marginal - part.M @ part.prior @ part.M.T
        b = rng.multivariate_normal(part.M @ theta, noise)
        log_weight = log_weights(b, parts, S)
        weight = np.exp(log_weight - log_weight.max())
        below = norm.cdf((part.L[row] @ theta - np.stack(gains) @ b) / sds)
        pit.append(weight @ below / weight.sum())
    inside = (np.abs(np.array(pit) - 0.5) < 0.445).sum()
    low, high = binom.ppf([5e-5, 1 - 5e-5], 1000, 0.89)
    assert low <= inside <= high
    assert np.mean(pit) == pytest.approx(0.5, abs=4 * (1 / 12 / 1000) ** 0.5)


def test_quantities_average_over_the_rows_that_they_name():
    timing = known_timing()
    theta = np.array([-1.0, -0.5, 0.25, 0.0, 0.0, 0.0])
    static = effects_of(timing, Path("static"))
    assert static.names == ("a", "b", "joint", "first:a", "first:b", "simultaneous")
    q = dict(zip(NAMES, quantities(timing, static) @ theta, strict=True))
    assert q["both"] == pytest.approx(-1.25)
    assert q["joint"] == pytest.approx(0.25)
    assert q["only:a"] == pytest.approx(-1.0)
    assert q["b at both"] == pytest.approx(-0.5)
    assert q["first:a"] == pytest.approx(-1.25)
    assert q["first:a, singles"] == pytest.approx(-0.75)
    by_order = np.array([0, 0, 0, 0.5, -0.5, 0])
    q = dict(zip(NAMES, quantities(timing, static) @ by_order, strict=True))
    assert q["first:a"] == pytest.approx(0.5)
    assert q["first:b"] == pytest.approx(-0.5)
    # a growing effect of a is older under both than alone, where its mean age is smaller
    growing = effects_of(timing, Path("growing", 6.0))
    q = dict(zip(NAMES, quantities(timing, growing) @ np.eye(6)[0], strict=True))
    on = timing.on
    older = on.all(axis=2)
    expected = np.minimum((timing.age[:, :, 0] + 1) / 6, 1)[older].mean()
    assert q["a at both"] == pytest.approx(expected)
    assert q["only:a"] == pytest.approx(
        np.minimum((timing.age[:, :, 0] + 1) / 6, 1)[on[:, :, 0] & ~on[:, :, 1]].mean()
    )


def test_a_printed_interaction_is_the_synergy_under_constant_effects():
    made = study(
        [INTERACTION],
        values=(-0.5, -0.3, 0.2),
        ses=(0.1, 0.1, 0.15),
        synergy={"interaction": "t.c0:active:a * active:b"},
    )
    columns = columns_of(made)
    parts = parts_of(columns, (Path("static"),))
    exact = [part for part in parts if part.omega == 0 and part.kappa == min(KAPPAS)]
    every = np.ones(len(exact), dtype=bool)
    draws = Mixture.of(columns.estimates, exact).draw(every, 100_000, np.random.default_rng(0))
    # orders of adoption deviate a priori, around a mean of zero over each of three
    joint = draws[:, NAMES.index("joint")]
    order_rows = exact[0].L[NAMES.index("joint"), 3:]
    widest = np.hypot(0.15, 2 * inversion.ORDER_SHARE * np.linalg.norm(order_rows))
    assert joint.mean() == pytest.approx(0.2, abs=0.02)
    assert 0.14 < joint.std() < widest


def consistent(phi=0.0, misprint=0.0, seed=0):
    """Five columns and a factorial one, consistent up to their errors; the fourth misprinted."""
    made = study((*FIVE, INTERACTION), values=(0.0,) * 8, ses=(0.1,) * 8)
    columns = columns_of(made)
    timing = known_timing()
    static = effects_of(timing, Path("static")).values[..., :3]
    weights = printed_weights(columns, timing)
    M = np.einsum("cnt,ntj->cj", weights, static)
    V = sampling_covariance(columns, weights, phi)
    b = M @ [-0.5, -0.3, 0.2] + np.random.default_rng(seed).multivariate_normal(np.zeros(8), V)
    b[3] += misprint
    return replace(columns, estimates=b)


def test_held_out_columns_are_predicted_unless_one_is_wrong():
    """With 20 consistent prints of 8 columns, tails below .01 / 8 have a chance of .2 in all."""
    alarms = []
    for seed in range(20):
        columns = consistent(seed=seed)
        found = held_out(columns, parts_of(columns))
        assert [item.name for item in found] == list(columns.names)
        alarms.append(min(item.p for item in found) < 0.01 / len(found))
    assert sum(alarms) <= 2  # P(more) = .001
    columns = consistent(misprint=1.0)
    found = held_out(columns, parts_of(columns))
    worst = min(found, key=lambda item: item.p)
    assert worst.name == "t.c3:both"
    assert worst.p < 0.01 / len(found)
    assert worst.printed - worst.mean == pytest.approx(1.0, abs=4 * worst.sd)


def test_a_held_out_prediction_is_the_conditional_normal():
    columns = consistent()
    (part,) = parts_of(columns, (Path("static"),))[:1]
    found = held_out(columns, [part])[2]
    rest = [k for k in range(8) if k != 2]
    S = part.marginal
    gain = np.linalg.solve(S[np.ix_(rest, rest)], S[rest, 2])
    mean, sd = gain @ columns.estimates[rest], np.sqrt(S[2, 2] - gain @ S[rest, 2])
    assert (found.mean, found.sd) == pytest.approx((mean, sd))
    assert found.p == pytest.approx(2 * norm.sf(abs(columns.estimates[2] - mean) / sd))
