"""Design analysis against brute force: panels simulated, fitted, counted."""

import dataclasses

import numpy as np
import pytest
from panels import make_design
from scipy.stats import norm

import bayesdid as bd
from bayesdid.checks.design_analysis import (
    assurance,
    design_analysis,
    expected,
    smallest_effect,
    standard_errors,
)
from bayesdid.checks.planned import Plan
from bayesdid.exceptions import InputError, NotIdentifiedError
from bayesdid.jsonio import plain
from bayesdid.model.bound import model as bind

PLAN = Plan(none=10, first=8, second=7, both=9, periods=8, start=3, second_start=5)
SD, PHI = 1.3, 0.5


def dense(design, phi):
    """Generalised least squares with every dummy written out: weights of the outcomes, (P, n)."""
    T, N = len(design.periods), len(design.units)
    R = np.kron(np.eye(N), phi ** np.abs(np.subtract.outer(np.arange(T), np.arange(T))))
    Z = np.column_stack(
        [design.regressors, np.eye(N)[design.unit_index], np.eye(T)[design.period_index][:, 1:]]
    )
    P = np.linalg.solve(R, Z)
    return np.linalg.solve(Z.T @ P, P.T)[: len(design.treatments)], R


def test_power_and_errors_are_those_of_simulated_panels():
    """20,000 panels under AR(1) errors, the effect at its smallest: shares to four of their sds."""
    design = PLAN.design
    weights, R = dense(design, PHI)
    rng = np.random.default_rng(1)
    found = design_analysis(design, effect=-0.6, sd=SD, phi=PHI)
    noise = rng.standard_normal((20_000, design.n)) @ np.linalg.cholesky(R).T * SD
    for k, row in found.table.iterrows():
        truth = np.zeros(len(weights))
        truth[k] = -0.6
        b = (noise + design.D @ truth) @ weights[k]
        assert row["se"] == pytest.approx(b.std(), rel=0.02)  # sd of a sd: 1 / sqrt(40,000)
        sure = np.abs(b) >= norm.ppf(0.95) * row["se"]
        assert row["power"] == pytest.approx(sure.mean(), abs=4 * 0.5 / np.sqrt(20_000))
        wrong = (b[sure] > 0).mean()
        share = 4 * np.sqrt(max(wrong * (1 - wrong), 1e-4) / sure.sum())
        assert row["type S"] == pytest.approx(wrong, abs=share)
        size = np.abs(b[sure]) / 0.6
        assert row["type M"] == pytest.approx(size.mean(), abs=4 * size.std() / np.sqrt(sure.sum()))


def test_what_autocorrelation_does_to_a_design():
    """The same sd: an effect over many periods is known less well if errors persist."""
    design = Plan(none=10, first=10, periods=20, start=10).design
    white, red = (standard_errors(design, 1.0, phi)[0] for phi in (0.0, 0.7))
    assert white == pytest.approx(np.sqrt((1 / 10 + 1 / 10) * (1 / 10 + 1 / 10)))
    assert red > 1.4 * white


def test_standard_errors_are_those_of_the_fit():
    """Given the errors' sd of a flat fit: its posterior sds, of an unbalanced panel."""
    design = make_design(2, N=25, T=7, balanced=False)
    fit = bd.fit(bind(design, errors="iid", priors="flat"), draws=1000)
    sigma = float(fit.tree["posterior"]["sigma"].mean())
    se = standard_errors(design, sigma)[0]
    # 4000 draws: sd to 1 / sqrt(8000); t of 120 degrees of freedom: one per cent more
    assert float(fit.tau("active:p").std()) == pytest.approx(se, rel=0.06)
    after = design_analysis(fit, effect=0.5).table.iloc[0]
    before = design_analysis(design, effect=0.5, sd=sigma, phi=0.0).table.iloc[0]
    assert after["power"] == pytest.approx(before["power"], abs=0.06)


def test_smallest_effect_has_the_power_that_is_asked_for():
    for power in (0.5, 0.8, 0.95):
        assert expected(smallest_effect(0.3, power), 0.3).power == pytest.approx(power)
    assert smallest_effect(1.0) == pytest.approx(norm.ppf(0.95) + norm.ppf(0.8), rel=1e-3)
    for bad in (0.05, 1.0):
        with pytest.raises(InputError, match="power that no effect"):
            smallest_effect(1.0, bad)


def test_assurance_is_the_average_over_the_prior():
    rng = np.random.default_rng(0)
    truth = rng.normal(0.2, 0.5, 200_000)
    b = truth + 0.4 * rng.standard_normal(200_000)
    right = (np.abs(b) >= norm.ppf(0.95) * 0.4) & (np.sign(b) == np.sign(truth))
    assert assurance(0.4, 0.2, 0.5) == pytest.approx(right.mean(), abs=0.005)
    sure = expected(0.8, 0.4)
    assert assurance(0.4, 0.8, 0.0) == pytest.approx(sure.power * (1 - sure.type_s))


def test_errors_of_a_panel_are_found_in_it():
    """AR(1) with phi .6 and sd .7: found to four posterior sds or so."""
    design = make_design(4, N=60, T=12)
    rng = np.random.default_rng(4)
    e = rng.standard_normal((60, 12))
    for t in range(1, 12):
        e[:, t] = 0.6 * e[:, t - 1] + 0.8 * e[:, t]
    own = dataclasses.replace(design, y=0.7 * e[design.unit_index, design.period_index])
    found = design_analysis(own)
    assert found.phi == pytest.approx(0.6, abs=0.15)
    assert found.sd == pytest.approx(0.7, abs=0.12)
    assert found.effect == pytest.approx(0.25 * own.y.std())
    assert "0.25 sd of the outcome" in found.why


def test_sentences_say_what_the_numbers_do_and_warn_of_exaggeration():
    strong = design_analysis(PLAN.design, effect=5.0, sd=SD, phi=PHI)
    weak = design_analysis(PLAN.design, effect=0.2, sd=SD, phi=PHI)
    assert (
        "with probability > 0.999; a sure sign is then wrong with probability < 0.001"
        in (strong.sentences[0])
    )
    assert "exaggerates" not in strong.sentences[0]
    assert "exaggerates: do not plan" in weak.sentences[2]
    assert weak.sentences[2].startswith("both beyond their sum: if it is 0.2 (as given)")
    curve = weak.figure.series[0]
    assert curve.y[0] == pytest.approx(0.1)  # by chance alone: five per cent in either tail
    assert curve.y == sorted(curve.y)
    assert set(plain(weak)) >= {"table", "sentences", "figure", "phi"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"phi": 0.3}, "no outcomes to learn the errors from"),
        ({"sd": -1.0, "phi": 0.0}, "no positive sd"),
        ({"sd": 1.0, "phi": 1.0}, "between -1 and 1"),
        ({"sd": 1.0, "phi": 0.0, "effect": 0.0}, "no size of an effect"),
        ({"sd": 1.0, "phi": 0.0, "prior": (0.0, -1.0)}, "sd is negative"),
    ],
)
def test_bad_input_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        design_analysis(PLAN.design, **options)


def test_plans_that_show_nothing_are_refused():
    with pytest.raises(InputError, match="nobody is treated"):
        Plan(none=3, first=0)
    with pytest.raises(InputError, match="begins outside"):
        Plan(none=3, first=3, periods=5, start=5)
    with pytest.raises(NotIdentifiedError, match="leave nothing of a treatment"):
        standard_errors(Plan(none=0, first=9, periods=6, start=3).design, 1.0)
