"""Rows beside a posterior: of counts, of individuals, clustered as asked; what they say of it."""

import json
import warnings

import numpy as np
import pandas as pd
import pyfixest
import pytest
import xarray as xr

import bayesdid as bd
from bayesdid.design.treated import FEW_CLUSTERS
from bayesdid.inference.exact.quasi import DISPERSED, working
from bayesdid.inference.exact.sandwich import Beside, beside
from bayesdid.inference.result import Fit
from bayesdid.inference.standing import APART, stand_beside, unlike
from bayesdid.model.errors import Errors
from bayesdid.model.likelihood import Likelihood
from bayesdid.model.model import Model
from bayesdid.model.priors import PriorChoice

N, T = 24, 6


def counts(spread=0.0, seed=2):
    """24 units in 6 periods, one of them always zero; `spread` varies beyond the distribution."""
    rng = np.random.default_rng(seed)
    u, t = (a.ravel() for a in np.mgrid[:N, :T])
    frame = pd.DataFrame({"id": u, "year": 2000 + t, "zone": u // 3, "trials": 40})
    frame["D"] = ((u < N // 2) & (t >= 2 + u % 3)) * 1.0
    frame["x"] = rng.standard_normal(N * T)
    level = rng.normal(0, 0.3, N)[u] + 0.1 * t + 0.3 * frame["D"] - 0.1 * frame["x"]
    level += rng.normal(0, spread, N * T) if spread else 0.0
    frame["poisson"] = rng.poisson(np.exp(2.5 + level)) * (u > 0)
    frame["binomial"] = rng.binomial(40, 1 / (1 + np.exp(-level))) * (u > 0)
    return frame


def bound(frame, name, **more):
    outcome = "binomial" if name == "binomial" else "poisson"
    formula = f"{outcome} ~ D + x | id + year"
    study, panel = bd.study_of(frame, formula, columns=["trials"])
    sizes = {"trials": "trials"} if name == "binomial" else {}
    return bd.model(study["did.1"], panel, likelihood=name, **sizes, **more)


def newton(y, times, F, binomial):
    """Poisson or logistic regression on dense columns: coefficients, scores' parts, information."""
    b = np.linalg.lstsq(F, np.log((y + 0.5) / (times - y + 0.5 if binomial else 1)), rcond=None)[0]
    for _ in range(50):
        p = 1 / (1 + np.exp(-F @ b)) if binomial else np.exp(F @ b)
        v = times * p * (1 - p) if binomial else p
        b = b + np.linalg.solve(F.T @ (F * v[:, None]), F.T @ (y - times * p))
    return b, y - times * p, F.T @ (F * v[:, None]), float(((y - times * p) ** 2 / v).sum())


@pytest.mark.parametrize("name", ["poisson", "binomial"])
def test_counts_beside_are_the_regression_with_clustered_errors(name):
    """The same by Newton's method on dummies, a unit of zeros left out; of Poisson by fepois."""
    frame = counts(0.4)
    solved = working(bound(frame, name).design, Likelihood(name))
    found = beside(solved.design)
    used = frame[frame["id"] > 0]
    dummies = [pd.get_dummies(used[c]).to_numpy(float) for c in ("id", "year")]
    F = np.column_stack([used["D"], used["x"], dummies[0], dummies[1][:, 1:]])
    times = np.full(len(used), 40.0 if name == "binomial" else 1.0)
    b, rest, information, pearson = newton(used[name].to_numpy(float), times, F, name == "binomial")
    scores = pd.DataFrame(F * rest[:, None]).groupby(used["id"].to_numpy()).sum().to_numpy()
    bread = np.linalg.inv(information)
    G, n = N - 1, len(used)
    small = G / (G - 1) * (n - 1) / (n - 2 - T)  # regressors and periods; units are nested
    covariance = small * bread @ (scores.T @ scores) @ bread
    # both are solved to rounding times the conditioning of a few hundred
    assert found.mean[0] == pytest.approx(b[0], rel=1e-7)
    assert found.sd_cluster[0] == pytest.approx(np.sqrt(covariance[0, 0]), rel=1e-7)
    assert solved.dispersion == pytest.approx(pearson / solved.nu, rel=1e-7)
    assert (solved.design.n, solved.nu) == (n, n - 2 - (G + T - 1))
    if name == "poisson":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the unit of zeros, which it leaves out too
            peer = pyfixest.fepois("poisson ~ D + x | id + year", frame, vcov={"CRV1": "id"})
        assert found.mean[0] == pytest.approx(peer.coef()["D"], rel=1e-5)  # its own stopping rule
        assert found.sd_cluster[0] == pytest.approx(peer.se()["D"], rel=1e-5)


def stood(made, **attrs):
    """What stands beside a model, without a posterior."""
    tree = xr.DataTree()
    tree.attrs = {"notes": "[]", "converged": 0} | attrs
    stand_beside(tree, made.model, made.design)
    return tree, {name: text for name, _, text in json.loads(tree.attrs["notes"])}


@pytest.mark.parametrize("name", ["poisson", "binomial"])
def test_more_dispersion_than_the_distribution_has_is_said(name):
    made = bound(counts(0.6), name)
    tree, notes = stood(made)
    names = tree["beside"]["errors"].to_numpy().tolist()
    assert names == [f"quasi-{name}", f"cluster ({N - 1})"]
    solved = working(made.design, made.model.likelihood)
    assert solved.dispersion > DISPERSED
    text = notes["dispersion"]
    assert f"rows vary {solved.dispersion:.3g} times as much as {name} ones do" in text
    assert f"too narrow, by a factor of about {np.sqrt(solved.dispersion):.2g}" in text
    assert ('"negative_binomial"' if name == "poisson" else '"iid_unit"') in text
    assert "dispersion" not in stood(bound(counts(), name))[1]
    assert "dispersion" not in stood(bound(counts(0.6), name, errors="iid_unit"))[1]
    assert Fit(tree).beside_notes[0].text == text


def test_a_negative_binomial_has_a_dispersion_of_its_own():
    tree, notes = stood(bound(counts(0.6), "negative_binomial"))
    assert "quasi-poisson" in tree["beside"]["errors"].to_numpy()
    assert notes == {}


def test_a_shock_that_takes_up_the_treatment_is_no_part_of_the_rows_beside():
    """Individuals of a treated group: the row is that of the regression that people run."""
    frame = pd.concat([counts(0.4).assign(k=k) for k in range(3)], ignore_index=True)
    frame["y"] = frame["poisson"] + np.random.default_rng(0).standard_normal(len(frame))
    options = {"repeated": True, "cluster": "zone", "draws": 100}
    found = bd.did(frame, "y ~ D | id + year", **options).beside().loc["D"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pyfixest's own use of pandas
        peer = pyfixest.feols("y ~ D | id + year", frame, vcov={"CRV1": "zone"})
    row = found.loc["cluster zone (8)"]
    assert row["mean"] == pytest.approx(peer.coef()["D"], rel=1e-6)
    assert row["sd"] == pytest.approx(peer.se()["D"], rel=1e-6)


def test_clusters_that_no_row_has_are_said():
    frame = counts().assign(z=lambda d: d["x"] + d["D"], y=lambda d: d["poisson"] * 1.0)
    study, panel = bd.study_of(frame, "y ~ 1 | id + year | D ~ z", cluster="zone")
    tree, notes = stood(bd.model(study["did.1"], panel))
    assert "beside" not in tree.children
    assert notes["clusters_unused"].startswith("no row clustered by zone stands beside: bd.analyse")


def far(gap, errors="ar1", clusters=FEW_CLUSTERS, **model):
    """The note on a posterior `gap` of its own sds from least squares with twice its sd."""
    draws = 1.0 + 0.1 * np.random.default_rng(0).standard_normal((2, 500, 2))
    draws = 1.0 + 0.1 * (draws - draws.mean((0, 1))) / draws.std((0, 1))
    tau = xr.DataArray(draws, dims=("chain", "draw", "treatment"), coords={"treatment": ["a", "b"]})
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset({"tau": tau})})
    tree.attrs["converged"] = 1
    sd = np.array([0.2, 0.2])
    rows = Beside(np.array([1.0 + gap * 0.1, 1.0]), sd, sd, clusters)
    return unlike(tree, Model(errors=Errors.parse(errors), **model), rows)


def test_a_posterior_far_from_least_squares_is_said():
    """The sd of the difference is the root of .2^2 - .1^2: .173."""
    limit = APART * np.sqrt(3)
    assert far(limit - 0.1) is None
    note = far(limit + 0.1)
    assert note.text.startswith("a: this posterior (1) and least squares (1.53")
    assert "are 3.1 standard errors of their difference apart" in note.text
    assert far(9.0, errors="iid") is None  # least squares is its own
    assert far(9.0, clusters=FEW_CLUSTERS - 1) is None
    assert far(9.0, priors=PriorChoice("sceptical")) is None
