"""One front for every model: what it declares is fitted, said and stamped."""

import dataclasses
import json

import numpy as np
import pytest
import xarray as xr
from panels import make_design

from bayesdid.exceptions import InputError, ResultError
from bayesdid.inference.engines import ENGINES
from bayesdid.inference.fit import accept_draws, fit
from bayesdid.inference.registry import choose
from bayesdid.inference.result import NOT_CONVERGED, Fit
from bayesdid.model.bound import model as bind
from bayesdid.model.errors import DEFAULT_ERRORS, Errors
from bayesdid.model.likelihood import Likelihood
from bayesdid.model.mean import Durbin
from bayesdid.model.model import Model
from bayesdid.model.priors import PriorChoice
from bayesdid.peers.fixest import least_squares
from bayesdid.study.schema import PriorTerm
from bayesdid.summary import percent

SMALL = {"draws": 1000, "chains": 4}


@pytest.fixture(scope="module")
def design():
    return make_design(0, N=20, T=8)


@pytest.fixture(scope="module")
def default(design):
    return fit(design, **SMALL)


def test_the_default_has_the_calibrated_errors_and_says_so(default):
    assert DEFAULT_ERRORS.serial == "ar1"
    assert str(DEFAULT_ERRORS) in repr(default)
    assert "phi" in default.tree["posterior"]
    assert "cor(e[i,t], e[i,s]) = phi^|t-s|" in default.equation


def test_repr_says_in_few_lines_what_was_fitted(default, design):
    lines = repr(default).splitlines()
    assert len(lines) <= 12 + 3 * len(design.treatments)
    text = repr(default)
    for fact in (design.spec_id, f"{design.n} rows", f"{percent()} HDI", "cluster ("):
        assert fact in text
    assert "<table" in default._repr_html_()


def test_rows_beside_are_least_squares(default, design):
    ols = least_squares(design)
    beside = default.beside()
    for term in design.treatments:
        rows = beside.loc[term]
        assert rows["mean"].to_numpy() == pytest.approx(ols.table.loc[term, "estimate"], rel=1e-6)
        inflation = np.sqrt(ols.dof / (ols.dof - 2))  # sd of a Student t over its scale
        iid, cluster = rows["sd"]
        assert iid == pytest.approx(ols.table.loc[term, "se_iid"] * inflation, rel=1e-6)
        assert cluster == pytest.approx(ols.table.loc[term, "se_cluster"], rel=1e-6)


def failed_as(tree, **values):
    gate = [{"name": k, "value": v, "limit": 1.0, "passed": False} for k, v in values.items()]
    tree.attrs = {**tree.attrs, "converged": 0, "gate": json.dumps(gate)}
    return Fit(tree).not_converged


def test_a_fit_that_did_not_converge_names_the_quantity_and_a_remedy(default):
    """One unit's effect is moved apart between chains, another coefficient hardly moves."""
    posterior = default.tree["posterior"].to_dataset().copy(deep=True)
    dim = default.tree.attrs["unit_dim"]
    posterior[f"{dim}_effect"][{dim: 3}] += 5.0 * posterior["chain"]
    term = default.treatments[0]
    slow = np.repeat(posterior["tau"].sel(treatment=term).to_numpy()[:, ::50], 50, axis=1)
    posterior["tau"].loc[{"treatment": term}] = slow
    tree = default.tree.copy()
    tree["posterior"] = xr.DataTree(posterior)
    apart, unit = failed_as(tree, rhat=2.5), posterior[dim].to_numpy()[3]
    assert f"R-hat 2.5 (at most 1) of {dim}_effect[{unit}]: chains are in different" in apart
    few = failed_as(tree, ess_tail=80.0)
    assert few.count("\n") == 0
    assert "tail ESS 80 (at least 1) of " in few
    assert "longer chains (draws=4000)" in few
    posterior[f"{dim}_effect"][{dim: 3}] -= 5.0 * posterior["chain"]
    tree["posterior"] = xr.DataTree(posterior)
    assert f"bulk ESS 80 (at least 1) of tau[{term}]" in failed_as(tree, ess_bulk=80.0)
    assert "3 divergent draws: take more tuning" in failed_as(tree, divergences=3.0)
    assert 'engine="nuts"' in failed_as(tree, edge_mass=2.0)
    assert 'logdet = "eigenvalues"' in failed_as(tree, logdet_error=2.0)
    tree["posterior"] = xr.DataTree(posterior.isel(chain=[0]))
    alone = failed_as(tree, rhat=None)  # no number, which JSON writes as none
    assert alone.endswith(
        "(R-hat is not defined: take two chains or more (chains=4): R-hat compares them)"
    )
    assert default.not_converged == ""


def test_a_failed_gate_is_never_a_result(default):
    tree = default.tree.copy()
    gate = [{"name": "rhat", "value": 1.3, "limit": 1.01, "passed": False}]
    tree.attrs = {**default.tree.attrs, "converged": 0, "gate": json.dumps(gate)}
    failed = Fit(tree)
    assert NOT_CONVERGED in repr(failed)
    assert NOT_CONVERGED in failed._repr_html_()
    assert failed.tidy().isna().all(axis=None)
    assert failed.tidy().attrs["not_converged"] == failed.not_converged
    assert "not_converged" not in default.tidy().attrs
    with pytest.raises(ResultError, match=r"R-hat 1\.3"):
        failed.tau()
    mean = f"{default.tidy().loc[default.treatments[0], 'mean']:.4f}"
    assert mean in repr(default)
    assert mean not in repr(failed)


def test_priors_are_read_and_separate_from_effects(design):
    term = design.treatments[0]
    tight = {term: PriorTerm(mean=0.0, sd=0.001)}
    found = fit(design, priors=tight, unit_effects="random", **SMALL).tidy().loc[term]
    assert abs(found["mean"]) < 0.001
    assert found["sd"] == pytest.approx(0.001, rel=0.1)  # 4000 draws: sd of the sd is 1 %


def test_the_interval_has_the_level_asked_for(default, design):
    term = design.treatments[0]
    draws = default.tau(term)
    for level in (0.5, 0.8, 0.95):
        row = default.tidy(level).loc[term]
        inside = ((draws >= row["low"]) & (draws <= row["high"])).mean()
        assert inside == pytest.approx(level, abs=0.01)
        assert row["level"] == level


def test_flat_iid_is_least_squares(design):
    found = fit(design, errors="iid", priors="flat", **SMALL).tidy()
    ols = least_squares(design).table
    gap = (found["mean"] - ols["estimate"]) / found["mcse"]
    assert gap.abs().max() < 4.5  # independent draws; one in 150 000 for each coefficient


def test_auto_takes_the_cheapest_engine_that_supports_the_model(design):
    iid, serial = Model(), Model(errors=Errors("ar1"))
    assert choose(ENGINES, "auto", iid, design).name == "two_way"
    assert choose(ENGINES, "auto", serial, design).name == "two_way"
    assert choose(ENGINES, "auto", Model(errors=DEFAULT_ERRORS), design).name == "unit_scales"
    with pytest.raises(InputError, match="its errors have one scale"):
        choose(ENGINES, "exact", Model(errors=DEFAULT_ERRORS), design)
    with pytest.raises(InputError, match="unknown engine"):
        choose(ENGINES, "quick", iid, design)


def test_a_model_and_its_parts_exclude_each_other(design):
    with pytest.raises(InputError, match="both a model and its parts"):
        fit(design, model=Model(), errors="iid")


def test_counts_default_to_their_own_errors(design):
    counts = dataclasses.replace(design, y=np.round(np.abs(design.y) * 10))
    assert bind(counts, likelihood="poisson").model.errors == Errors()


def test_a_model_is_a_value():
    one, other = Model(errors=Errors("ar1")), Model(errors=Errors("ar1"))
    assert one == other
    assert hash(one) == hash(other)
    assert one.but(priors=PriorChoice("flat")) != one
    assert len({one, other, Model()}) == 2
    with pytest.raises(InputError, match="spatial lag of a count"):
        Model(mean=Durbin(), likelihood=Likelihood("poisson"))


def test_draws_of_ones_own_come_back_as_a_fit(design, default):
    """Draws with the names and dims of the compiled model are gated and named like any other."""
    bound = bind(design, errors="ar1")
    own = fit(bound, **SMALL)
    tree = own.tree.copy()
    back = accept_draws(bound, tree)
    assert back.converged == own.converged
    assert back.equation == own.equation
    assert np.array_equal(back.tau(), own.tau())
    with pytest.raises(InputError, match="lack a variable"):
        accept_draws(bind(design), own.tree)


def test_rows_have_densities_under_every_error_structure(design):
    for errors in ("iid", "ar1", "ar1_unit"):
        found = fit(design, errors=errors, log_likelihood=True, posterior_predictive=True, **SMALL)
        groups = [found.tree[name]["y"] for name in ("log_likelihood", "posterior_predictive")]
        assert all(group.sizes["obs"] == design.n for group in groups)
        assert all(np.isfinite(group).all() for group in groups)
        # replications scatter about the data as far as the residuals do
        gap = (groups[1] - design.y).std() / (np.sqrt(2) * found.tree["posterior"]["sigma"].mean())
        assert 0.7 < float(gap) < 1.4
