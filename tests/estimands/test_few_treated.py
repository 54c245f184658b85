"""Few treated units: said by name, and an interval that survives them."""

import dataclasses
from itertools import permutations

import numpy as np
import pytest
import xarray as xr
from scipy.stats import binom

from bayesdid.design.design import Design
from bayesdid.design.treated import FEW, few_units_text, treated_units
from bayesdid.estimands.few_treated import error_model, few_treated
from bayesdid.estimands.permutation import ErrorModel, permute
from bayesdid.exceptions import InputError, ResultError
from bayesdid.inference.exact.sandwich import beside
from bayesdid.inference.fit import fit
from bayesdid.inference.result import Fit
from bayesdid.jsonio import plain

LEVEL = 0.89
ASK = {"level": LEVEL, "seed": 1}


def design_of(Y, D, names=("law",), keep=None, X=None):
    """Outcomes (N, T) and treatments (N, T, P), rows of `keep` (N, T) only."""
    N, T = Y.shape
    D = D.reshape(N * T, -1)
    rows = np.arange(N * T) if keep is None else np.flatnonzero(keep.ravel())
    X = np.empty((N * T, 0)) if X is None else X.reshape(N * T, -1)
    unit, period = (index.ravel().astype(np.int64) for index in np.mgrid[:N, :T])
    return Design(
        spec_id="t.1",
        study_id="t",
        outcome="y",
        y=Y.ravel()[rows],
        D=D[rows],
        X=X[rows],
        treatments=tuple(names),
        covariates=tuple(f"x{k}" for k in range(X.shape[1])),
        unit_index=unit[rows],
        period_index=period[rows],
        units=np.array([f"u{i}" for i in range(N)]),
        periods=np.arange(2000, 2000 + T),
        unit_dim="city",
        period_dim="year",
        unit_effects="fixed",
        period_effects="fixed",
        synthetic=None,
        panel_sha256="0" * 64,
    )


def law(rng, N, T, treated):
    D = np.zeros((N, T))
    who = rng.choice(N, treated, replace=False)
    D[who] = np.arange(T) >= rng.integers(1, T, treated)[:, None]
    return D


def noise(rng, N, T, phi=0.5, spread=0.5):
    """AR(1) errors whose sd differs between units."""
    z = rng.standard_normal((N, T))
    for t in range(1, T):
        z[:, t] = phi * z[:, t - 1] + np.sqrt(1 - phi**2) * z[:, t]
    return np.exp(spread * rng.standard_normal((N, 1))) * z


@pytest.fixture(scope="module")
def three():
    """A panel with three treated units and no effect, and its fit."""
    rng = np.random.default_rng(5)
    design = design_of(noise(rng, 24, 8), law(rng, 24, 8, 3))
    return design, fit(design, errors="ar1", draws=250)


@pytest.mark.parametrize("treated", [1, 2, 3, 5])
def test_size_under_placebo_laws(treated):
    """Within its binomial band; clustered errors of the same panels are far out of it.

    phi is put in wrong (0.2 for 0.5) and nu as well: what is plugged in moves power, not size.
    """
    rng, laws, N, T = np.random.default_rng(treated), 150, 30, 8
    errors = ErrorModel(0.2, 8.0, np.ones(N))
    out = clustered = 0
    for seed in range(laws):
        design = design_of(noise(rng, N, T) + rng.standard_normal(T), law(rng, N, T, treated))
        out += permute(design, 0, errors, seed).p_value(0.0) <= 1 - LEVEL
        least = beside(design)
        clustered += abs(least.mean[0]) > 1.598 * least.sd_cluster[0]
    size = 3 / 30 if treated == 1 else 55 / 501  # what shares of so many assignments can be
    low, high = binom.ppf([5e-5, 1 - 5e-5], laws, size)
    assert low <= out <= high
    assert treated == 5 or clustered > high  # five of thirty: .2 or so


def test_the_interval_is_that_of_brute_force():
    """Unbalanced, with weights, a covariate and unit scales; every step written out."""
    rng, N, T, phi, nu = np.random.default_rng(2), 8, 5, 0.4, 5.0
    keep = rng.random((N, T)) < 0.85
    keep[:, [0, 3]] = True
    D = np.zeros((N, T))
    D[2, 3:] = D[5, 2:] = 1.0
    Y, X = noise(rng, N, T) + D, rng.standard_normal((N, T))
    precision = rng.gamma(3.0, 1 / 3.0, N)
    weights = rng.uniform(0.5, 2.0, (N, T))
    design = dataclasses.replace(design_of(Y, D, keep=keep, X=X), weights=weights[keep])
    found = permute(design, 0, ErrorModel(phi, nu, precision), 0)
    low, high = found.interval(LEVEL, 1.0)
    gap = 1e-4 * (high - low)
    inside = [low + gap, *np.linspace(low, high, 6)[1:-1], high - gap]
    outside = [low - 1, low - gap, high + gap, high + 1]
    for trial, holds in [*((v, True) for v in inside), *((v, False) for v in outside)]:
        share = brute(Y, D, X, weights, keep, phi, nu, precision, trial)
        assert share == pytest.approx(found.p_value(trial), abs=1e-12)
        assert (share > 1 - LEVEL) == holds
    assert len(found.who) == N * (N - 1)


def brute(Y, D, X, weights, keep, phi, nu, precision, trial):
    """Share of assignments whose statistic reaches the actual one, from the definition."""
    N, T = Y.shape
    seen = [np.flatnonzero(keep[i]) for i in range(N)]
    white = []
    for i, own in enumerate(seen):
        W = np.linalg.inv(np.linalg.cholesky(phi ** np.abs(np.subtract.outer(own, own))))
        W = W @ np.diag(np.sqrt(weights[i, own]))
        level = W @ np.ones(len(own))
        white.append(W - np.outer(level, level) @ W / (level @ level))
    rows = [np.sqrt(precision[i]) * white[i] for i in range(N)]
    trended = [np.column_stack([np.eye(T)[seen[i]], X[i, seen[i]]]) for i in range(N)]
    Z = np.vstack([rows[i] @ trended[i] for i in range(N)])
    y0 = [(Y - trial * D)[i, seen[i]] for i in range(N)]
    y = np.concatenate([rows[i] @ y0[i] for i in range(N)])
    beta = np.linalg.pinv(Z, rcond=1e-9) @ y
    u = [white[i] @ (y0[i] - trended[i] @ beta) for i in range(N)]
    dof = [len(own) - 1 for own in seen]
    sigma2 = sum(precision[i] * u[i] @ u[i] for i in range(N)) / sum(dof)
    movers = [2, 5]

    def z(units):
        paths = [white[i] @ D[j, seen[i]] for i, j in zip(units, movers, strict=True)]
        weight = np.ones(2)
        for _ in range(30):
            size = sum(w * d @ d for w, d in zip(weight, paths, strict=True))
            cross = (w * d @ u[i] for w, d, i in zip(weight, paths, units, strict=True))
            tau = sum(cross) / size
            weight = np.array(
                [
                    (nu + dof[i]) / (nu + ((u[i] - tau * d) ** 2).sum() / sigma2)
                    for d, i in zip(paths, units, strict=True)
                ]
            )
        size = sum(w * d @ d for w, d in zip(weight, paths, strict=True))
        return abs(tau) * np.sqrt(size / sigma2)

    every = np.array([z(units) for units in permutations(range(N), 2)])
    return (every >= z(movers) * (1 - 1e-9)).mean()


def test_it_is_equivariant_and_knows_nothing_of_levels_trends_and_other_terms():
    rng, N, T = np.random.default_rng(3), 20, 7
    D = np.stack([law(rng, N, T, 3), law(rng, N, T, 9)], axis=2)
    D[:, :, 1] = np.maximum(D[:, :, 1], D[:, :, 0])  # the second has all units of the first
    Y, X = noise(rng, N, T), rng.standard_normal((N, T))
    errors = ErrorModel(0.5, 6.0, np.ones(N))

    def interval(outcome):
        design = design_of(outcome, D, ("a", "b"), X=X)
        return np.array(permute(design, 0, errors, 0).interval(LEVEL, 1.0))

    base = interval(Y)
    levels = 5 * rng.standard_normal((N, 1)) + 5 * rng.standard_normal(T) + 3 * X + 7 * D[:, :, 1]
    assert interval(Y + levels) == pytest.approx(base, abs=1e-4)
    assert interval(Y + 2 * D[:, :, 0]) == pytest.approx(base + 2, abs=1e-4)
    assert interval(-3 * Y) == pytest.approx(-3 * base[::-1], abs=1e-3)


def test_terms_of_the_same_few_units_move_together():
    """An event study of three units: another event time's effect does not matter."""
    rng, N, T = np.random.default_rng(4), 20, 7
    D = np.zeros((N, T, 2))
    D[:3, 3, 0] = D[:3, 4:, 1] = 1.0
    Y, errors = noise(rng, N, T), ErrorModel(0.5, 6.0, np.ones(N))
    base = permute(design_of(Y, D, ("now", "later")), 0, errors, 0)
    assert base.xx.shape == (3, N, 2, 2)
    moved = permute(design_of(Y + 9 * D[:, :, 1], D, ("now", "later")), 0, errors, 0)
    assert moved.interval(LEVEL, 1.0) == pytest.approx(base.interval(LEVEL, 1.0), abs=1e-4)


def test_the_result_says_how_many_units_by_name(three):
    design, found = three
    assert treated_units(design) == [3]
    assert found.treated_units == {"law": 3}
    assert "3 treated units: law" in repr(found)
    assert "1 treated unit: a" in few_units_text({"a": 1, "b": FEW + 1})[0]
    assert few_units_text({"b": FEW + 1}) == []
    for units, tied, said in (  # an interval at 89 % takes ten assignments
        (10, "", "; see the permutation interval (few_treated)"),
        (8, "", ", and none by permutation: 8 units can be treated in too few ways"),
        (10, "rows with weights", ", and none by permutation: rows with weights"),
    ):
        assert few_units_text({"a": 1}, units, tied, 0.89)[0].endswith("asymptotics" + said)


def test_always_treated_units_do_not_count():
    rng = np.random.default_rng(0)
    D = law(rng, 12, 6, 2)
    D[np.flatnonzero(~D.any(axis=1))[:4]] = 1.0
    design = design_of(noise(rng, 12, 6), D)
    assert treated_units(design) == [2]
    assert treated_units(dataclasses.replace(design, unit_effects="none")) == [6]


def test_the_words_are_those_of_the_numbers(three):
    design, found = three
    (item,) = few_treated(found, design, **ASK).terms
    assert len(item.units) == 3
    assert all(unit in item.text for unit in item.units)
    assert "3 treated units" in item.text
    assert f"{item.low:.4g} to {item.high:.4g}, which holds zero" in item.text
    row = found.tidy(LEVEL).loc["law"]
    assert f"posterior {row['low']:.4g} to {row['high']:.4g}" in item.text
    strong = dataclasses.replace(design, y=design.y - 9 * design.D[:, 0])
    (other,) = few_treated(fit(strong, errors="ar1", draws=250), strong, **ASK).terms
    assert other.high < 0
    assert "which excludes zero" in other.text
    assert other.low == pytest.approx(item.low - 9, abs=0.3)  # phi is that of another fit


def test_seed_and_level_are_respected(three):
    design, found = three
    first, same = (few_treated(found, design, **ASK) for _ in range(2))
    assert first == same
    (wide,) = first.terms
    (narrow,) = few_treated(found, design, level=0.5, seed=1).terms
    assert wide.low < narrow.low < narrow.high < wide.high
    assert "50% interval" in narrow.text
    (other,) = few_treated(found, design, level=LEVEL, seed=2).terms
    assert other.low != wide.low


def test_many_treated_units_need_nothing():
    rng = np.random.default_rng(1)
    design = design_of(noise(rng, 20, 6), law(rng, 20, 6, FEW + 1))
    found = fit(design, errors="ar1", draws=100)
    assert few_treated(found, design, **ASK) is None
    assert "treated unit" not in repr(found)


def test_what_cannot_be_permuted_is_refused_with_the_reason(three):
    design, found = three

    def said(fitted, own=design, **changes):
        tree = fitted.tree.copy()
        tree.attrs = {**fitted.tree.attrs, **changes}
        (item,) = few_treated(Fit(tree), own, **ASK).terms
        assert np.isnan(item.low)
        assert item.refused in item.text
        assert plain(item)["low"] is None
        assert "3 treated units" in item.text or "1 treated unit" in item.text
        return item.text

    assert "likelihood is poisson" in said(found, likelihood="poisson")
    assert "Durbin" in said(found, mean="Durbin")
    rng = np.random.default_rng(0)
    small = design_of(noise(rng, 8, 6), law(rng, 8, 6, 1))
    text = said(fit(small, errors="ar1", draws=100), small)
    assert "8 assignments are too few for 89%" in text
    with pytest.raises(InputError, match="another design"):
        few_treated(found, small, **ASK)
    tree = found.tree.copy()
    tree.attrs = {**found.tree.attrs, "converged": 0, "gate": "[]"}
    with pytest.raises(ResultError):
        few_treated(Fit(tree), design, **ASK)


def test_unit_scales_are_read_from_draws_and_from_moments():
    rng = np.random.default_rng(8)
    design = design_of(noise(rng, 20, 8, spread=0.8), law(rng, 20, 8, 2))
    tree = fit(design, errors="ar1_unit", draws=500).tree
    errors = error_model(tree, design)
    e = design.y.reshape(20, 8)
    spread = (e - e.mean(axis=1, keepdims=True) - e.mean(axis=0)).std(axis=1)
    assert np.corrcoef(np.log(errors.precision), -2 * np.log(spread))[0, 1] > 0.9
    assert 1 < errors.nu < 100
    scale = tree["posterior"]["sigma_of_unit"].mean(("chain", "draw")).rename("sigma_mean")
    many = tree.copy()
    many["posterior"] = xr.DataTree(many["posterior"].to_dataset().drop_vars("sigma_of_unit"))
    many["unit_effects"] = xr.DataTree(scale.to_dataset())
    ratio = error_model(many, design).precision / errors.precision
    assert ratio == pytest.approx(1.0, abs=0.25)  # of means for the mean of ratios
