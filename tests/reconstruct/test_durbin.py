"""Spatial Durbin columns that a panel is held to: maximum likelihood, and how it moves."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
from in_space import fitted_in_space
from panels import make_design
from scipy.sparse import csr_array

from bayesdid.families.registry.load import load_study
from bayesdid.panel.validate import validate_panel
from bayesdid.peers.spatial_ml import spatial_ml
from bayesdid.reconstruct.compile import held_columns, regression_of
from bayesdid.reconstruct.durbin import Durbin, Operator
from bayesdid.reconstruct.member import Task, make_member
from bayesdid.reconstruct.regression import Factor, Regression
from bayesdid.reconstruct.spatial import durbin_of
from bayesdid.spatial.design import spatial_design
from bayesdid.spatial.operators.spectrum import eigenvalues, interval_of
from bayesdid.spatial.weights.weights import make_weights

TOWNS = Path(__file__).parent / "towns"
N, T = 14, 6


@pytest.fixture(scope="module", params=[("row", None), ("spectral", (0,))])
def case(request):
    """A column, the values of its variables, and the same as a spatial design."""
    normalisation, lagged = request.param
    rng = np.random.default_rng(4)
    places = rng.uniform(0, 10, (N, 2))
    distance = np.hypot(*(places[:, None] - places).transpose(2, 0, 1)) + np.eye(N)
    raw = csr_array(np.where(np.eye(N), 0.0, distance**-2.0))
    weights = make_weights(raw, np.arange(N), "w", normalisation)
    design = make_design(0, N=N, T=T)
    names = tuple(design.names)
    rows = np.arange(N * T)
    values = dict(zip(names, design.regressors.T, strict=True))
    lagging = np.linalg.inv(np.eye(N) - 0.5 * weights.dense())
    values["y"] = (lagging @ design.y.reshape(N, T)).ravel()
    factors = {name: Factor(np.ones(N * T), name, rows) for name in values}
    base = Regression(
        "t.1",
        factors["y"],
        tuple(factors[name] for name in names),
        names,
        np.repeat(np.arange(N), T),
        np.tile(np.arange(T), N),
        True,
        True,
    )
    which = tuple(range(len(names))) if lagged is None else lagged
    eigen = eigenvalues(weights).astype(complex)
    ends = interval_of(eigen)
    by = Operator(weights.dense(), eigen, (ends.low, ends.high))
    of = Durbin(base, lambda _: by, which)
    moved = dataclasses.replace(design, y=values["y"])
    spatial = spatial_design(moved, weights, "sdm", tuple(names[k] for k in which))
    return of, values, spatial


def test_it_is_maximum_likelihood(case):
    of, values, spatial = case
    theirs, found = spatial_ml(spatial), of.estimate(values)
    assert abs(found.rho) > 0.05
    assert found.rho == pytest.approx(theirs.rho, abs=1e-5)
    expected = theirs.table().set_index("term")["estimate"]
    for name in of.names:
        own = expected[name.replace("W:", "W ")]
        assert found.value(name, "estimate") == pytest.approx(own, abs=1e-5), name
    jacobian = T * np.log(abs(1 - theirs.rho * found.by.eigenvalues)).sum()
    each = -2 * (theirs.loglik - jacobian) / (N * T)  # log(2 pi sigma^2) + 1
    assert found.value("sigma2", "sigma2") == pytest.approx(np.exp(each - 1) / 2 / np.pi, rel=1e-5)


@pytest.mark.parametrize(
    "what", [("rho", "rho"), ("sigma2", "sigma2"), (0, "estimate"), (-1, "estimate")]
)
def test_slopes_are_those_of_small_changes(case, what):
    of, values, _ = case
    name, kind = what
    name = of.names[name] if isinstance(name, int) else name
    rng, eps = np.random.default_rng(1), 1e-6
    by_y, by_Z = of.estimate(values).slope(name, kind)
    for column, slope in zip(("y", *of.base.names), (by_y, *by_Z), strict=True):
        step = rng.standard_normal(N * T)
        up, down = (
            of.estimate({**values, column: values[column] + s * eps * step}).value(name, kind)
            for s in (1, -1)
        )
        assert (up - down) / (2 * eps) == pytest.approx(step @ slope, rel=1e-4, abs=1e-7)


SPATIAL = """
[[column]]
id = "5"
outcome = "deaths"
treatments = ["both"]
covariates = ["income"]
family = "sdm"
weights = "near"
n = "300"
[column.coefficients]
both = { estimate = "-0.430" }
[column.spatial_lags]
both = { estimate = "-0.350" }
[column.scalars]
rho = { estimate = "0.45" }
sigma2 = { estimate = "0.23" }
"""
NEAR = """
[[weights]]
id = "near"
label = "Near"
kind = "inverse_distance"
power = 2
"""


@pytest.fixture(scope="module")
def bare():
    """A panel of the invented study, with places."""
    study = load_study(TOWNS)
    frame = make_member(Task(study, 1, 0, (), "mended")).frame
    frame = validate_panel(frame, study, source="test", first_row=1).frame
    places = np.random.default_rng(3).uniform(0, 3, (frame["town"].nunique(), 2))
    index = frame["town"].factorize()[0]
    return frame.assign(lon=places[index, 0], lat=places[index, 1])


def towns(folder, bare, spatial=SPATIAL, weights=NEAR):
    """The invented study with a spatial column, and its panel."""
    for name in ("study.toml", "table1.toml", "table2.toml"):
        shutil.copy(TOWNS / name, folder)
    file = folder / "study.toml"
    keys = 'unit = "town"\nlongitude = "lon"\nlatitude = "lat"'
    file.write_text(file.read_text().replace('unit = "town"', keys) + weights)
    with (folder / "table2.toml").open("a") as table:
        table.write(spatial)
    study = load_study(folder)
    return study, validate_panel(bare.copy(), study, source="test", first_row=1)


def by_peers(study, frame):
    """Coefficients and rho of the spatial column, by other code than that which moves panels."""
    panel = validate_panel(frame, study, source="test", first_row=1)
    return fitted_in_space(study, panel, "table2.5")["estimate"]


def test_a_member_gives_a_printed_spatial_column(tmp_path, bare):
    study, known = towns(tmp_path, bare)
    member = make_member(Task(study, 1, 0, (), "mended", known))
    found = by_peers(study, member.frame)
    for name, printed in (("both", -0.430), ("W both", -0.350)):
        assert abs(found[name] - printed) <= 0.0005 + 1e-6
    checks = {check.cell: check for check in member.checks}
    assert checks["table2.5:rho"].value == pytest.approx(found["rho"], abs=1e-4)
    before = by_peers(study, bare.copy())["rho"]  # of a panel that is not held to it
    assert abs(found["rho"] - 0.45) < 0.2 * abs(before - 0.45)
    assert all(c.misses == 0 for c in member.checks if c.kind in {"estimate", "mean", "sd"})


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("", "", ""),
        ('family = "sdm"', 'family = "sdm"\nunit_effects = "none"', "without fixed effects"),
        ('weights = "near"', 'weights = "near"\nsample = { arms = ["dual"] }', "on some rows"),
        ('weights = "near"', 'weights = "near"\noptions = { model = "sar" }', "Durbin model alone"),
    ],
)
def test_spatial_columns_that_no_panel_is_held_to_have_a_reason(tmp_path, bare, old, new, why):
    study, known = towns(tmp_path, bare, SPATIAL.replace(old, new) if old else SPATIAL)
    held, left = held_columns(study, known)
    assert ("table2.5" in held) == (not why)
    assert why in left.get("table2.5", "")
    assert "units of a drawn design" in held_columns(study)[1].get("table2.5", why) or why


ECONOMIC = NEAR.replace(
    'kind = "inverse_distance"\npower = 2',
    'kind = "economic_geographic"\ncolumn = "income"\nwindow = [2001, 2010]',
)


def test_weights_of_a_column_that_is_neither_given_nor_sought_are_not_known(tmp_path, bare):
    unnamed = SPATIAL.replace('covariates = ["income"]\n', "")
    study, known = towns(tmp_path, bare, unnamed, ECONOMIC)
    assert "made from a column that is not given (income)" in held_columns(study)[1]["table2.5"]
    assert "table2.5" in held_columns(study, known)[0]
    (tmp_path / "named").mkdir()
    study, _ = towns(tmp_path / "named", bare, weights=ECONOMIC)
    assert "units of a drawn design" in held_columns(study)[1]["table2.5"]


@pytest.mark.parametrize("proximity", ["gap", "share"])
def test_weights_move_with_the_column_that_they_are_made_from(tmp_path, bare, proximity):
    weights = ECONOMIC + f'proximity = "{proximity}"\n'
    study, known = towns(tmp_path, bare, weights=weights)
    spec, sought = study["table2.5"], ("deaths", "income")
    base = regression_of(spec, known, sought, False)
    of = durbin_of(study, spec, known, base, sought)
    values = {name: known.frame[name].to_numpy(float) for name in sought}
    richer = values | {"income": values["income"] * np.linspace(1, 2, len(known.frame))}
    estimates = []
    for now in (values, richer):
        found = of.estimate(now)
        theirs = by_peers(study, known.frame.drop(columns="income").assign(**now))
        assert found.value("W:both", "estimate") == pytest.approx(theirs["W both"], abs=1e-5)
        assert found.rho == pytest.approx(theirs["rho"], abs=1e-5)
        estimates.append(found.rho)
    still = durbin_of(study, spec, known, base, ("deaths",))  # weights of the panel as it is
    assert still.estimate(values).rho == pytest.approx(estimates[0], abs=1e-9)
    assert abs(still.estimate(richer).rho - estimates[1]) > 1e-4
    means = known.frame.groupby("town")["income"].transform("mean").to_numpy()
    absurd = values | {"income": values["income"] - means - 1}  # a step too far: no share, no gap
    assert np.isnan(of.estimate(absurd).value("W:both", "estimate"))
    lost = values | {"deaths": np.where(np.arange(len(known.frame)) == 3, np.inf, values["deaths"])}
    with np.errstate(invalid="ignore"):
        assert np.isnan(of.estimate(lost).rho)
