"""Violated trends of the headline: weights, posteriors under priors, paths, words."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from made import make_panel, make_study, staggered
from scipy.stats import norm

import bayesdid as bd
from bayesdid.cli.synergy_printed import print_panel
from bayesdid.design.overlap import overlap_design
from bayesdid.estimands.beside import CELLS, COLUMNS, HEADLINE, IMPUTATION, STATIC, ModelSays
from bayesdid.estimands.departure_path import departure_path
from bayesdid.estimands.gls import Scalars, gls
from bayesdid.estimands.honest import RobustSet
from bayesdid.estimands.names import SUM
from bayesdid.estimands.state_effects import state_averages
from bayesdid.estimands.synergy import fit_headline, headline_spec, synergy
from bayesdid.estimands.trends import (
    Violated,
    arms,
    linear_trends,
    posterior_under,
    serial_deviations,
    violated,
)
from bayesdid.estimands.violated_synergy import (
    Anticipated,
    Robust,
    SynergyViolated,
    brief,
    sentences,
    violated_synergy,
)
from bayesdid.exceptions import NotIdentifiedError
from bayesdid.jsonio import plain
from bayesdid.model.overlap import overlap_pooling
from bayesdid.summary import Interval, Summary, normal_interval

COLUMN = {"id": "o", "outcome": "y", "family": "overlap"}
STUDY = make_study(columns=[COLUMN])


def effect(s, t):
    alone = [-0.1 * (t - start + 1) if t >= start else 0.0 for start in s]
    return sum(alone) - 0.6 * all(t >= start for start in s)


def made(seed=3, **options):
    given = {"N": 80, "T": 12, "policies": ("a", "b"), "effect": effect} | options
    return make_panel(*staggered(seed, **given))


@pytest.fixture(scope="module")
def found():
    return synergy(STUDY, made(), draws=250)


@pytest.fixture(scope="module")
def fitted(found):
    """Pooling, scalars, GLS and the contrast's weights on the coefficients."""
    pooling = overlap_pooling(found.rows)
    scalars = Scalars.of(found.fit.tree, pooling.design)
    return pooling, scalars, gls(pooling, scalars), found.averages[SUM].parts[0]


def test_weights_are_those_of_the_posterior(found, fitted):
    """Mean, sd, and the shift by a planted violation, up to what the scalars add."""
    pooling, _, least, c = fitted
    item = found[SUM]
    assert c @ least.mean == pytest.approx(item.mean, abs=0.2 * item.sd)
    assert np.sqrt(c @ least.covariance @ c) == pytest.approx(item.sd, rel=0.1)
    v = c @ least.loading
    assert v @ pooling.design.y == pytest.approx(c @ least.mean, abs=1e-8)
    dual = arms(found.rows) == 3
    delta = 0.03 * dual * found.rows.design.period_index
    moved = dataclasses.replace(pooling.design, y=pooling.design.y + delta)
    tau = bd.fit(moved, draws=500).tree["posterior"]["tau"].to_numpy().reshape(-1, len(c))
    shift = (tau @ c).mean() - item.mean
    assert v @ delta == pytest.approx(shift, abs=0.2 * item.sd)
    assert abs(shift) > 0.5 * item.sd


@pytest.mark.parametrize("kind", [linear_trends, serial_deviations])
def test_the_posterior_under_a_prior_is_that_of_the_whole_covariance(kind):
    """Against n x n algebra: effects of units, coefficients and deviations in one covariance."""
    panel = made(N=24, T=7)
    rows = overlap_design(headline_spec(STUDY), panel)
    pooling = overlap_pooling(rows)
    design, n = pooling.design, rows.design.n
    averages, _ = state_averages(rows, pooling)
    c = averages[SUM].parts[0]
    rng = np.random.default_rng(1)
    sigma, phi = rng.uniform(0.2, 0.5, len(design.units)), 0.4
    omega = dict.fromkeys(design.parts, 0.2)
    least = gls(pooling, Scalars(sigma, phi, np.inf, np.inf, omega))
    B, K = kind(rows)
    s = 0.1
    sd = np.sqrt(c @ least.covariance @ c)
    mean, spread = posterior_under(least, c, B, K, float(c @ least.mean), float(sd))(s)
    prior = pooling.priors().of(design.treatments)[1]
    prior = np.array([omega[p] if p else u for p, u in zip(design.part, prior, strict=True)])
    unit, at = design.unit_index, design.period_index
    same = unit[:, None] == unit
    V = same * phi ** np.abs(at[:, None] - at) * np.outer(sigma[unit], sigma[unit])
    V = V + 1e5 * same + 1e5 * (at[:, None] == at) + s**2 * B @ K @ B.T
    G = np.linalg.inv(V)
    D = design.D
    posterior = np.linalg.inv(D.T @ G @ D + np.diag(prior**-2.0))
    y = design.y - design.y.mean()
    assert mean == pytest.approx(c @ posterior @ D.T @ G @ y, abs=1e-4)
    assert spread == pytest.approx(np.sqrt(c @ posterior @ c), rel=1e-3)
    assert n == len(y)


def test_breakdowns_are_where_the_answer_turns(found, fitted):
    _, _, least, c = fitted
    item = found[SUM]
    assert item.p_claim > 0.95
    linear, serial = violated(found.rows, least, c, item.mean, item.sd, True)
    for one, (B, K) in (
        (linear, linear_trends(found.rows)),
        (serial, serial_deviations(found.rows)),
    ):
        under = posterior_under(least, c, B, K, item.mean, item.sd)
        assert under(1e-9) == pytest.approx((item.mean, item.sd), rel=1e-3)
        assert one.p_claim < one.p_parallel
        if np.isfinite(one.keeps):
            m, s = under(one.keeps)
            assert norm.cdf(-m / s) == pytest.approx(0.95, abs=0.01)
        if np.isfinite(one.excludes):
            end = normal_interval(*under(one.excludes))
            assert end.high == pytest.approx(0.0, abs=0.1 * item.sd)
    other = violated(found.rows, least, c, item.mean, item.sd, False)
    assert other[0].p_claim == pytest.approx(1 - linear.p_claim)
    # a sign that is not established has no breakdown
    weak = violated(found.rows, least, c, 0.5 * item.sd, item.sd, True)
    assert [one.keeps for one in weak] == [0.0, 0.0] == [one.excludes for one in weak]


def test_the_path_has_no_leads_where_trends_are_parallel_and_finds_planted_ones():
    panel = made(11, N=120, sigma=0.02)
    rows = overlap_design(headline_spec(STUDY), panel)
    pooling = overlap_pooling(rows)
    average = state_averages(rows, pooling)[0][SUM]
    scalars = Scalars(
        np.full(len(rows.design.units), 0.02),
        0.0,
        np.inf,
        np.inf,
        dict.fromkeys(pooling.parts, 1.0),
    )
    path = departure_path(rows, pooling, scalars, average, rows.policies)
    sd = np.sqrt(np.diag(path.covariance))
    truth = np.where(path.times < 0, 0.0, -0.6)
    assert (np.abs(path.mean - truth) < 4 * sd).all()
    assert path.weights @ path.mean[path.n_pre :] == pytest.approx(-0.6, abs=0.05)
    period = rows.design.periods[rows.design.period_index]
    drift = 0.1 * (arms(rows) == 3) * period
    bent = dataclasses.replace(pooling.design, y=pooling.design.y + drift)
    moved = departure_path(
        dataclasses.replace(rows, design=dataclasses.replace(rows.design, y=bent.y)),
        dataclasses.replace(pooling, design=bent),
        scalars,
        average,
        rows.policies,
    )
    assert moved.mean - path.mean == pytest.approx(0.1 * (path.times + 1), abs=1e-6)
    # a linear trend is what smoothness of zero allows
    (linear,) = path.sets("smoothness", (0.0,))
    (bent_set,) = moved.sets("smoothness", (0.0,))
    assert bent_set.low == pytest.approx(linear.low, abs=1e-3)
    assert linear.low < -0.6 < linear.high
    one, two = path.sets("relative_magnitude", (0.5, 2.0))
    assert two.high - two.low > one.high - one.low


def test_one_policy_has_a_path_of_its_effect():
    study = make_study(("a",), [{"id": "c", "outcome": "y", "family": "cohort"}])
    panel = make_panel(*staggered(2, N=60, effect=lambda s, t: -0.5 * (t >= s[0])))
    found = synergy(study, panel, draws=250)
    result = violated_synergy(study, panel, found, periods=())
    assert result.name == "only:a - none"
    sets = {item.kind: item for item in result.robust}
    assert sets["smoothness"].sets[0].low < -0.5 < sets["smoothness"].sets[0].high
    assert not result.refused


def test_few_leads_are_refused_by_name():
    panel = made(N=80, T=12)
    panel = dataclasses.replace(panel, adoption=(panel.adoption - 2).clip(lower=2))
    rows = overlap_design(headline_spec(STUDY), panel)
    short = rows.design.periods[rows.design.period_index] >= 0
    assert short.all()
    pooling = overlap_pooling(rows)
    average = state_averages(rows, pooling)[0][SUM]
    at_once = dataclasses.replace(rows, start=np.where(np.isfinite(rows.start), 2.0, np.inf))
    scalars = Scalars(
        np.ones(len(rows.design.units)), 0.0, np.inf, np.inf, dict.fromkeys(pooling.parts, 1.0)
    )
    with pytest.raises(NotIdentifiedError, match="fewer than two periods before"):
        departure_path(at_once, pooling, scalars, average, rows.policies)


def test_anticipation_is_undone_by_moving_adoption():
    """Effects that begin a period early, all else equal: the same rows, the planted synergy."""
    frame, adoption = staggered(
        5, N=120, policies=("a", "b"), effect=lambda s, t: -1.0 * all(t >= k - 1 for k in s)
    )
    panel = make_panel(frame, adoption)
    plain = synergy(STUDY, panel, draws=250, chains=2)
    moved = fit_headline(STUDY, panel, draws=250, chains=2, anticipation=1)
    np.testing.assert_array_equal(
        moved.averages["both - none"].rows, plain.averages["both - none"].rows
    )
    values = moved.averages[SUM].values(SUM, moved.tau, True)
    assert abs(values.mean() + 1.0) < 4 * values.std()
    result = violated_synergy(STUDY, panel, plain, draws=250, periods=(1, 50))
    near, far = result.anticipated
    assert near.mean == pytest.approx(values.mean(), abs=0.3 * values.std())
    assert near.p_claim > 0.95
    assert "no untreated row" in far.failed or "does not vary" in far.failed


def test_the_brief_sentence_is_of_the_side_that_it_has():
    """Inverted sides, or a set that excludes zero, change it."""

    def brief_of(p, breakdown, claim=0.8):
        held = Interval(-0.7, 0.3, 0.89)
        trend = Violated("linear", 0.1, -0.2, 0.3, held, claim, p, 0.0, 0.0)
        sets = (RobustSet(0.5, -0.4, 0.1), RobustSet(1.0, -0.6, 0.3))
        robust = (Robust("relative_magnitude", sets, breakdown),)
        result = SynergyViolated(SUM, "Both", p, (trend,), robust, "", ())
        return brief(result, SimpleNamespace(mean=-0.2))

    assert "it is negative with probability 0.800 (by slopes)" in brief_of(0.9, 0.0)
    assert "it is negative with probability 0.200 (by slopes)" in brief_of(0.1, 0.0)
    assert "with probability > 0.999 (by slopes)" in brief_of(0.9, 0.0, claim=0.99996)
    assert brief_of(0.9, 0.0).endswith(
        "at most 0.5 or 1 times their largest change before it, zero cannot be excluded."
    )
    assert "zero is excluded if trends change after adoption by up to 0.37 times their" in brief_of(
        0.9, 0.37
    )
    assert "zero is excluded however much trends change" in brief_of(0.9, np.inf)


def says(
    p,
    *,
    claim="< 0",
    keeps=0.0,
    excludes=0.0,
    robust=(),
    anticipated=(),
    refused="",
    high=0.0,
    claimed=True,
):
    """Sentences about a result made by hand."""
    trend = Violated("linear", 0.1, -0.2, 0.3, Interval(-0.7, 0.3, 0.89), 0.8, p, keeps, excludes)
    result = SynergyViolated(SUM, "Both", p, (trend,), robust, refused, anticipated)
    zero = Interval(-0.7, high, 0.89)
    model = {HEADLINE: ModelSays(-0.2, 0.3, zero, p, "")}
    summary = Summary(*[0.0] * len(dataclasses.fields(Summary)))
    item = bd.estimands.synergy.SynergyContrast(
        SUM, "Both", -0.2, 0.3, zero, 0.89, claim, p, (p, p), "", model, None, "", "", summary
    )
    return " ".join(sentences(result, item, "units", claimed=claimed))


def test_an_interval_that_excludes_zero_is_not_said_to_include_it():
    """Draws may be skewed: the main interval excludes zero, a normal one of its sd does not."""
    assert "interval ends close to zero (-0.700 to -0.010)." in says(0.94, high=-0.01)
    assert "includes zero under parallel trends already." in says(0.94, high=0.01)


def test_words():
    sure = says(0.99, keeps=0.04, excludes=0.05)
    assert "negative with probability 0.990: its sign is established by this model." in sure
    assert "stays established up to an sd of 0.040." in sure
    assert "excludes zero up to an sd of 0.050." in sure
    assert "slopes of sd 0.100 units a period" in sure
    always = says(0.99, keeps=np.inf, excludes=np.inf)
    assert always.count("whatever the sd: periods before adoption show the deviations.") == 2
    weak = says(0.70)
    assert "with probability 0.700: its sign is not established even under parallel trends." in weak
    assert "stays established" not in weak
    assert "includes zero under parallel trends already." in weak
    # a claim that is contradicted is established on the other side
    assert "with probability 0.980: its sign is established by this model." in says(0.02)
    assert "it is negative with" in says(0.99)
    assert "it is negative, not as claimed, with probability 0.980" in says(0.02, claim="> 0")
    worse = says(0.02, claim="> 0", claimed=False)  # of a study that claims nothing
    assert "it is negative, the worse side, with probability 0.980" in worse
    assert "P(negative) 0.800." in sure
    assert "P(negative) 0.200." in says(0.02)  # not that of the claim, which is on the other side
    sets = (RobustSet(0.5, -0.4, 0.1), RobustSet(1.0, -0.6, 0.3))
    none = says(0.99, robust=(Robust("relative_magnitude", sets, 0.0),))
    assert "0.5 times: -0.400 to 0.100; 1 times: -0.600 to 0.300. Zero is in each." in none
    some = says(0.99, robust=(Robust("relative_magnitude", sets, 0.37),))
    assert "Sets exclude zero up to 0.37 times." in some
    linear = says(0.99, robust=(Robust("smoothness", sets[:1], 0.02),))
    assert "If trends are linear, the robust 89 % set is -0.400 to 0.100." in linear
    assert "exclude zero up to bends of the trends of 0.020 units a period." in linear
    broken = says(
        0.99, robust=(Robust("smoothness", (RobustSet(0, np.nan, np.nan, "empty"),), 0.0),)
    )
    assert "The robust set is not known: empty." in broken
    assert "Robust sets are missing: too few." in says(0.99, refused="too few")
    moved = says(
        0.99,
        anticipated=(
            Anticipated(1, 0.1, 0.2, Interval(-0.2, 0.4, 0.89), 0.3),
            Anticipated(2, 0, 0, None, 0, "no row"),
        ),
    )
    assert (
        "begin 1 period before adoption: +0.100 (0.200; -0.200 to 0.400), P(negative) 0.300."
        in moved
    )
    assert "begin 2 periods before adoption: no row." in moved


def test_the_command_prints_every_model_and_what_violations_do(found, capsys, monkeypatch):
    monkeypatch.setattr("bayesdid.cli.console.out.width", 200)
    result = violated_synergy(STUDY, made(), found, periods=())
    print_panel(STUDY, found, result)
    text = " ".join(capsys.readouterr().out.split())
    assert "if trends are not parallel Under parallel trends it is negative" in text
    bias = found[SUM].models[STATIC].bias
    assert f"{STATIC}, biased by {bias:+.3f} here" in text
    for model in (CELLS, IMPUTATION):
        assert model in text
        assert f"{model}, biased" not in text
    assert f"{COLUMNS}, biased by" in text
    assert found.differing.found in text
    print_panel(STUDY, found, None)
    assert "if trends are not parallel" not in capsys.readouterr().out
    kept = plain(result)
    assert kept["name"] == SUM
    assert {item["kind"] for item in kept["trends"]} == {"linear", "serial"}
