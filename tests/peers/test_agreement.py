"""Least squares by pyfixest, and its agreement with the posterior."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest
from made import make_panel, make_study, staggered
from panels import fit_iid as fit
from panels import make_design

from bayesdid.design.build import build_design, with_effects
from bayesdid.exceptions import InputError
from bayesdid.inference.plan import (
    AGAINST_LEAST_SQUARES,
    VARIANTS,
    against_least_squares,
    plan_fits,
)
from bayesdid.inference.registry import Size
from bayesdid.inference.store import make_fit
from bayesdid.jsonio import plain
from bayesdid.peers.agreement import MEAN_LIMIT, agree, digits_alike, reproduced, wide_table
from bayesdid.peers.fixest import least_squares

EFFECTS = [("fixed", "fixed"), ("fixed", "none"), ("none", "fixed"), ("none", "none")]


def subset(design, keep):
    """Rows of a design; units and periods keep their positions."""
    parts = {
        name: getattr(design, name)[keep] for name in ("y", "D", "X", "unit_index", "period_index")
    }
    return dataclasses.replace(design, **parts)


def dense(design):
    """Least squares with all dummies, written out: estimates, three errors, dof."""
    units = (design.unit_index[:, None] == np.arange(1, len(design.units))).astype(float)
    periods = (design.period_index[:, None] == np.arange(1, len(design.periods))).astype(float)
    one = np.ones((design.n, 1))
    dummies = units.shape[1] if design.unit_effects != "none" else 0
    W = np.hstack(
        [
            design.regressors,
            one,
            units[:, :dummies],
            periods if design.period_effects != "none" else one[:, :0],
        ]
    )
    K = design.regressors.shape[1]
    bread = np.linalg.inv(W.T @ W)
    coef = bread @ W.T @ design.y
    e = design.y - W @ coef
    dof = design.n - W.shape[1]
    iid = np.sqrt(np.diag(bread) * (e @ e) / dof)
    hetero = np.sqrt(np.diag(bread @ (W.T * e**2) @ W @ bread) * design.n / dof)
    G = len(design.units)
    scores = np.array([W[design.unit_index == g].T @ e[design.unit_index == g] for g in range(G)])
    # unit dummies are nested in the clusters and do not count as parameters
    factor = G / (G - 1) * (design.n - 1) / (dof + dummies)
    cluster = np.sqrt(np.diag(bread @ scores.T @ scores @ bread) * factor)
    return coef[:K], iid[:K], hetero[:K], cluster[:K], dof


@pytest.mark.parametrize("balanced", [True, False])
@pytest.mark.parametrize(("unit", "period"), EFFECTS)
def test_pyfixest_equals_dense_least_squares(balanced, unit, period):
    design = make_design(21, balanced=balanced, unit=unit, period=period)
    coef, iid, hetero, cluster, dof = dense(design)
    found = least_squares(design)
    for column, value in (
        ("estimate", coef),
        ("se_iid", iid),
        ("se_hetero", hetero),
        ("se_cluster", cluster),
    ):
        # pyfixest demeans until changes are below 1e-8
        np.testing.assert_allclose(found.table[column], value, rtol=1e-8, err_msg=column)
    assert (found.dof, found.n, found.clusters, found.singletons) == (dof, design.n, 40, 0)


def test_estimates_do_not_depend_on_the_units_of_a_covariate():
    design = make_design(21)
    factor = np.array([1e-6, 1e6])
    small = least_squares(dataclasses.replace(design, X=design.X * factor + 3 * factor)).table
    plain = least_squares(design).table
    for column in plain:
        np.testing.assert_allclose(small[column].iloc[1:] * factor, plain[column].iloc[1:], 1e-6)
        assert small[column].iloc[0] == pytest.approx(plain[column].iloc[0], rel=1e-6)


def test_a_unit_with_one_row_changes_nothing():
    design = make_design(21)
    without = subset(design, design.unit_index != 39)
    alone = subset(design, (design.unit_index != 39) | (design.period_index == 2))
    a, b = least_squares(alone), least_squares(without)
    np.testing.assert_allclose(a.table, b.table, rtol=1e-9)
    assert (a.dof, a.n, a.clusters, a.singletons) == (b.dof, b.n, 39, 1)


def test_what_the_effects_absorb_is_not_identified():
    design = make_design(21, unit="random", period="random")
    X = np.column_stack([np.arange(40.0)[design.unit_index], design.X[:, 1]])
    constant = dataclasses.replace(design, X=X)
    found = least_squares(constant)
    assert found.table["estimate"].isna().tolist() == [False, True, False]
    assert found.dof == least_squares(design).dof + 1
    agreement = agree(constant, {"random": fit(constant)})
    assert agreement.table["verdict"].iloc[1].startswith("not identified")


@pytest.mark.parametrize("balanced", [True, False])
@pytest.mark.parametrize(("unit", "period"), EFFECTS)
def test_flat_posterior_agrees_with_least_squares(balanced, unit, period):
    design = make_design(22, balanced=balanced, unit=unit, period=period)
    agreement = agree(design, {"flat": fit(design, priors="flat", seed=3)})
    assert agreement.identity
    assert agreement.holds
    assert (agreement.table["verdict"] == "identity holds").all()


@pytest.mark.parametrize("prior", ["flat", "weak", "sceptical"])
@pytest.mark.parametrize("balanced", [True, False])
@pytest.mark.parametrize(
    ("unit", "period"),
    [("fixed", "fixed"), ("mundlak", "mundlak"), ("mundlak", "fixed"), ("mundlak", "none")],
)
def test_fixed_and_mundlak_effects_differ_from_least_squares_by_their_prior(
    prior, balanced, unit, period
):
    own = "fixed" if period != "none" else "none"
    design = make_design(25, balanced=balanced, unit="fixed", period=own)
    tree = fit(with_effects(design, unit, period), priors=prior, seed=4)
    agreement = agree(design, {"mundlak": tree})
    assert agreement.holds
    assert (agreement.table["mundlak_unexplained"].abs() < MEAN_LIMIT).all()
    if prior == "sceptical":  # the prior does move the treatment, and that is said
        assert abs(agreement.table["mundlak_gap_mcse"].iloc[0]) > 2 * MEAN_LIMIT
        assert "prior" in agreement.table["verdict"].iloc[0]


def test_mundlak_effects_of_weighted_rows_are_shown_and_not_accused():
    """Unweighted means of units do not span what weights make of a regressor within them."""
    design = make_design(25, unit="fixed")
    weights = np.random.default_rng(3).uniform(0.2, 1.8, design.n)
    design = dataclasses.replace(design, weights=weights / weights.mean())
    trees = {kind: fit(with_effects(design, kind, kind), seed=4) for kind in ("fixed", "mundlak")}
    agreement = agree(design, trees)
    assert agreement.holds
    assert "mundlak_mean" in agreement.table
    assert "mundlak_unexplained" not in agreement.table
    computed, not_judged = agreement.explanations[-2:]
    assert computed.startswith("What the prior must do to fixed effects is computed")
    assert not_judged.endswith("they are shown and not judged.")
    assert "Something is wrong" not in " ".join(agreement.explanations)


def test_monte_carlo_errors_of_a_chain_count_its_autocorrelation():
    """Each of S draws four times in a row is worth S draws; the identity then holds as before."""
    design = make_design(26, N=20, T=6)
    tree = fit(design, priors="flat", seed=1)
    free = agree(design, {"flat": tree}).table["flat_mcse"]
    posterior = tree["posterior"].to_dataset()
    tree["posterior"] = type(tree)(posterior.isel(draw=np.repeat(np.arange(1000), 4)))
    tree.attrs |= {"engine": "collapsed", "independent": 0}
    agreement = agree(design, {"flat": tree})
    assert agreement.identity
    # the effective sample size is itself an estimate, to a tenth or so
    np.testing.assert_allclose(agreement.table["flat_mcse"], free, rtol=0.2)


@pytest.mark.parametrize("kind", ["flat", "fixed", "mundlak"])
def test_random_effects_passed_off_as_another_fit_do_not_agree(kind):
    """Negative control: the second covariate is correlated with the unit effects."""
    design = make_design(23)
    prior = "flat" if kind == "flat" else "weak"
    agreement = agree(design, {kind: fit(with_effects(design, "random", "random"), priors=prior)})
    assert not agreement.holds
    assert agreement.identity is (False if kind == "flat" else None)
    assert agreement.table["verdict"].str.startswith("fails").any()


@pytest.mark.parametrize("kind", ["flat", "fixed", "mundlak"])
def test_a_fit_of_other_data_does_not_agree(kind):
    design, other = make_design(23), make_design(24)
    effects = "mundlak" if kind == "mundlak" else "fixed"
    prior = "flat" if kind == "flat" else "weak"
    assert not agree(design, {kind: fit(with_effects(other, effects, effects), priors=prior)}).holds


def test_a_prior_that_was_not_the_one_stated_is_noticed():
    design = make_design(25)
    tree = fit(design, priors="sceptical")
    tree.attrs["priors"] = fit(design, priors="weak", draws=10).attrs["priors"]
    assert not agree(design, {"fixed": tree}).holds


def test_fits_of_other_regressors_are_refused():
    design = make_design(23)
    fewer = dataclasses.replace(design, X=design.X[:, :1], covariates=("x1",))
    with pytest.raises(InputError, match="different regressors"):
        agree(design, {"flat": fit(fewer, priors="flat", draws=50)})


def test_mundlak_returns_to_the_within_estimate_and_random_does_not():
    design = make_design(24)
    fits = {
        kind: fit(with_effects(design, kind, kind), priors="flat") for kind in ("random", "mundlak")
    }
    table = agree(design, fits).table
    assert (table["mundlak_gap_mcse"].abs() < MEAN_LIMIT).all()
    assert table["random_gap_se"].abs().max() > 1  # x2 is correlated with the unit effects


def test_the_wide_table_shows_each_estimate_with_its_uncertainty():
    design = make_design(22)
    agreement = agree(design, {"fixed": fit(design, draws=100)})
    wide = wide_table([agreement, agreement], treatments_only=True)
    assert len(wide) == 2 * len(design.treatments)
    assert {"ols", "se_iid", "se_cluster", "fixed_mean", "fixed_sd", "verdict"} <= set(wide)
    assert plain(agreement)["holds"] is True


def test_clustered_errors_exceed_iid_under_serial_correlation():
    """With a persistent treatment and AR(1) errors the i.i.d. error is too small."""
    ratios = []
    for seed in range(6):
        design = make_design(30 + seed, N=60, T=12)
        rng = np.random.default_rng(seed)
        error = rng.standard_normal((60, 12))
        for t in range(1, 12):
            error[:, t] = 0.7 * error[:, t - 1] + np.sqrt(1 - 0.49) * error[:, t]
        table = least_squares(dataclasses.replace(design, y=error.ravel())).table
        ratios.append(table["se_cluster"].iloc[0] / table["se_iid"].iloc[0])
    assert np.mean(ratios) > 1.2


@pytest.mark.parametrize(
    ("printed", "value", "places", "digits"),
    [
        (0.069, 0.06948, 3, 3),
        (0.069, 0.0695, 3, 3),  # rounds either way
        (0.069, 0.0697, 3, 2),
        (0.069, 0.0551, 3, 1),
        (0.069, 0.02, 3, -1),  # alike only where both are zero
        (-0.5, 0.5, 1, -1),
        (12.0, 12.4, 0, 0),
        (12.3, 11.9, 1, 0),
    ],
)
def test_a_value_is_compared_with_the_digits_that_were_printed(printed, value, places, digits):
    assert digits_alike(printed, value, places) == digits


def test_it_is_said_whether_a_printed_coefficient_is_reproduced_and_to_which_digit():
    design = make_design(22)
    real = dataclasses.replace(design, synthetic="")
    name, value = "active:p", float(least_squares(design).table["estimate"].iloc[0])

    def said(printed, used=real):
        places = len(printed.partition(".")[2])
        table = pd.DataFrame(
            {
                "published": [float(printed)],
                "ols": [value],
                "published_places": [places],
                "digits": [digits_alike(float(printed), value, places)],
            },
            index=[name],
        )
        return reproduced(table, used)

    assert f"prints {value:.3f}, least squares gives {value:.4g}: reproduced to the last" in said(
        f"{value:.3f}"
    )
    near = f"{value + 0.004 * np.sign(value):.3f}"
    assert re.search(r": not reproduced, alike to [12] of 3 decimals\.$", said(near))
    assert said(f"{-value:.3f}").endswith("not reproduced to any digit.")
    assert "random effects" not in said(near)
    assert "published with random effects" in said(near, with_effects(real, "random", "fixed"))


def test_agreement_says_what_was_printed_of_a_real_panel_alone():
    frame, adoption = staggered(3)
    panel = dataclasses.replace(make_panel(frame, adoption), synthetic=None)
    column = {"id": "r", "outcome": "y", "treatments": ["active:a"]}
    bare = build_design(make_study(("a",), [column])["t.r"], panel)
    right = f"{least_squares(bare).table['estimate'].iloc[0]:.3f}"
    for printed, verdict in (("-9.999", "published differs"), (right, "identity holds")):
        cells = {"coefficients": {"active:a": {"estimate": printed}}}
        study = make_study(("a",), [column | cells])
        design = build_design(study["t.r"], panel)
        found = agree(design, {"flat": fit(design, priors="flat", draws=500)}, spec=study["t.r"])
        assert found.table["verdict"].iloc[0].endswith(verdict)
        (said,) = [text for text in found.explanations if text.startswith("Published")]
        assert (": reproduced to the last printed digit" in said) == (printed == right)
        assert "failure" not in said


@pytest.mark.parametrize("period", ["fixed", "random"])
def test_a_spec_published_with_random_effects_is_compared_with_the_right_peer(period):
    """Flat with fixed effects is least squares; random ones stand beside as what they are."""
    frame, adoption = staggered(3, effect=lambda s, t: -0.5 if t >= s[0] else 0.0)
    frame["x"] = frame["y"].groupby(frame["unit"]).transform("mean") + np.tile(
        np.random.default_rng(0).normal(size=12), 60
    )  # correlated with the units' levels: random effects are another estimate
    column = {
        "id": "r",
        "outcome": "y",
        "treatments": ["active:a"],
        "covariates": ["x"],
        "unit_effects": "random",
        "period_effects": period,
    }
    study = make_study(("a",), [column])
    variants = [VARIANTS[name] for name in AGAINST_LEAST_SQUARES.values()]
    plan = plan_fits(study, make_panel(frame, adoption), variants=variants, size=Size(draws=500))
    made = {request.label: make_fit(request) for request in plan.requests}
    design = plan.designs["t.r"]
    kinds = against_least_squares(design)
    assert set(kinds) == {"flat", "random"}
    found = agree(design, {kind: made[variant] for kind, variant in kinds.items()})
    assert found.identity
    assert found.holds
    assert made["iid"].attrs["unit_effects"] == "random"
    assert made["flat"].attrs["unit_effects"] == made["flat"].attrs["period_effects"] == "fixed"
    # what was done before: its random-effects fit taken for one with fixed effects
    assert not agree(design, {"fixed": made["iid"]}).holds
