"""The spatial families on a panel with planted spillovers: effects, model choice, refusals, CLI."""

import dataclasses
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pandas as pd
import pytest
from made import make_panel, make_study, spec_of, staggered
from planted import base_design, near, simulated, within_reach
from stated import stated
from typer.testing import CliRunner

import bayesdid as bd
from bayesdid.cli.app import app, main
from bayesdid.exceptions import InputError, NotIdentifiedError
from bayesdid.families.sdm.models import compare_models
from bayesdid.families.sdm.output import DIRECT, LEE_YU, WEIGHTED
from bayesdid.inference.exact.durbin_fit import draw_durbin
from bayesdid.inference.executor import using
from bayesdid.inference.fit import fit as fit_design
from bayesdid.inference.quantities import stacked
from bayesdid.jsonio import to_json
from bayesdid.spatial.design import spatial_design
from bayesdid.spatial.operators.logdet import log_determinant
from bayesdid.spatial.weights.build import resolve_weights
from bayesdid.spatial.weights.weights import make_weights
from bayesdid.study.spatial_weights import SpatialWeights

N, T, RHO, BETA, THETA = 60, 12, 0.4, -1.0, -0.8
PARTS = ("direct", "indirect", "total")


def mapped(options=None, *, kind="sdm", rho=RHO, theta=THETA, seed=0, **column):
    """Sixty units on 10 x 10 degrees; what spreads is the outcome (sdm) or the error (sem)."""
    frame, adopted = staggered(seed, N=N, T=T)
    rng = np.random.default_rng(seed + 50)
    lon, lat = rng.uniform(100, 110, N), rng.uniform(0, 10, N)
    frame["lon"], frame["lat"] = lon[frame["unit"]], lat[frame["unit"]]
    given = {
        "id": "d",
        "outcome": "y",
        "treatments": ["active:a"],
        "family": "sdm",
        "weights": "near",
        "options": options or {},
    }
    study = make_study(("a",), [given | column])
    section = study.file.panel.model_copy(update={"longitude": "lon", "latitude": "lat"})
    weights = (
        SpatialWeights(id="near", label="Five nearest", kind="nearest", k=5),
        SpatialWeights(id="far", label="Inverse distance", kind="inverse_distance"),
    )
    file = study.file.model_copy(update={"panel": section, "weights": weights})
    study = dataclasses.replace(study, file=file)
    W = resolve_weights(study, make_panel(frame, adopted), "near").dense()
    start = adopted["a"].to_numpy(float, na_value=np.inf)
    D = (np.arange(1, T + 1) >= start[:, None]).astype(float)
    rest, spread = frame["y"].to_numpy().reshape(N, T), np.linalg.inv(np.eye(N) - rho * W)
    mean = BETA * D + theta * W @ D
    y = spread @ (mean + rest) if kind == "sdm" else mean + spread @ rest
    frame["y"] = y.ravel()
    return study, spec_of(study, "d"), make_panel(frame, adopted)


def truth(study, panel):
    """Planted direct, indirect and total effect, from the whole matrix."""
    W = resolve_weights(study, panel, "near").dense()
    M = np.linalg.solve(np.eye(N) - RHO * W, BETA * np.eye(N) + THETA * W)
    direct, total = np.trace(M) / N, M.sum() / N
    return dict(zip(PARTS, (direct, total - direct, total), strict=True))


@pytest.fixture(scope="module")
def planted():
    return mapped({"compare": ["far"]})


@pytest.fixture(scope="module")
def found(planted):
    return bd.analyse(*planted, draws=500)


def table(analysis, name):
    return next(t.frame for t in analysis.tables if t.name == name)


@pytest.mark.parametrize(("name", "key"), [("effects", "effect"), ("averaged", "quantity")])
def test_planted_effects_are_covered(planted, found, name, key):
    """4 posterior sd: missed once in 16,000 correct fits; ML within 4 of its SE as well."""
    assert found.converged
    assert not found.failed
    frame = table(found, name).set_index(key)
    for part, value in truth(planted[0], planted[2]).items():
        row = frame.loc[f"active:a: {part}"]
        assert abs(row["mean"] - value) < 4 * row["sd"]
        assert row["sd"] < 0.2 * abs(value)  # and something has been learnt
        if name == "effects":
            for label in (DIRECT, LEE_YU):
                assert abs(row[label] - value) < 4 * row[f"{label} SE"]
            effects = stated(found, f"active:a.{part}")
            assert effects["SDM, normal errors"].found.mean == row["mean"]
            for label in (DIRECT, LEE_YU):
                assert effects[f"SDM, {label}"].found.sd == row[f"{label} SE"]
    means = frame["mean"]
    assert means.iloc[0] + means.iloc[1] == pytest.approx(means.iloc[2], rel=1e-9)


def test_coefficients_and_orders_are_told(found):
    coefficients = table(found, "coefficients").set_index("coefficient")
    for name, value in {"active:a": BETA, "W active:a": THETA, "rho": RHO}.items():
        assert abs(coefficients.loc[name, "mean"] - value) < 4 * coefficients.loc[name, "sd"]
    # the direct one is biased by what the effects take up, Lee-Yu is the posterior's likelihood
    rho = coefficients.loc["rho"]
    assert abs(rho[LEE_YU] - rho["mean"]) < 0.2 * rho["sd"]
    assert rho[DIRECT] < rho[LEE_YU] - 0.2 * rho["sd"]
    orders = table(found, "orders")
    total = table(found, "effects")["mean"].iloc[2]
    # what orders beyond six carry is below rho^6 of the total, 0.8 % at rho = 0.45
    assert orders["total"].sum() == pytest.approx(total, rel=0.01)
    assert to_json(found)
    assert found.synthetic
    assert "W: Five nearest, row-normalised" in found.notes[-1]
    assert any("transformed likelihood of Lee & Yu" in item.caption for item in found.tables)
    assert WEIGHTED not in found.notes


def probabilities(analysis, label="P(unit information)"):
    return table(analysis, "models").groupby("model")[label].sum()


def test_the_planted_model_and_weights_win(found):
    frame = table(found, "models")
    assert len(frame) == 11  # five models with two W, and the one without
    for label in [name for name in frame if name.startswith("P(")]:
        assert frame[label].sum() == pytest.approx(1.0, abs=1e-12)
        assert probabilities(found, label)["sdm"] > 0.9
    best = frame.loc[frame["P(unit information)"].idxmax()]
    assert (best["model"], best["weights"]) == ("sdm", "Five nearest, row-normalised")


def test_a_correlated_error_is_told_from_a_spillover():
    """theta + rho beta = 0 makes SDM of SEM: the smaller model has to win."""
    result = bd.analyse(*mapped({"model": "sem"}, kind="sem", rho=0.6, theta=0.0), draws=250)
    share = probabilities(result)
    assert share.idxmax() == "sem"
    assert share["sem"] > 0.7
    assert share[["none", "slx"]].max() < 1e-6
    effect = table(result, "effects").set_index("effect").loc["active:a: indirect"]
    assert effect["mean"] == effect["sd"] == 0  # the error passes nothing on
    assert not stated(result, "active:a.indirect")


def test_the_order_of_rows_does_not_matter(planted, found):
    study, spec, panel = planted
    mixed = panel.frame.sample(frac=1, random_state=0)
    other = bd.analyse(study, spec, make_panel(mixed, panel.adoption), draws=500)
    # units in another order: the same quadrature and draws, up to rounding
    assert np.allclose(table(other, "effects")["mean"], table(found, "effects")["mean"], rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"durbin": ["nope"]}, "no such regressor"),
        ({"durbin": "active:a"}, "option durbin takes a list"),
        ({"model": "sdmx"}, "option model takes"),
        ({"model": ["sdm"]}, "option model takes"),
        ({"model": "none"}, "option model takes"),
        ({"foo": 1}, "has no option foo"),
        ({"compare": ["zzz"]}, "neither declared weights nor a file"),
        ({"compare": "far"}, "option compare takes a list"),
        ({"logdet": "magic"}, "option logdet takes"),
        ({"logdet": "chebyshev"}, "real eigenvalues"),
        ({"normalisation": "columns"}, "option normalisation takes"),
        ({"student_t": "yes"}, "option student_t takes true or false"),
        ({"model": "sem", "dynamic": True}, "spatial lag of y"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        bd.analyse(*mapped(options), draws=100)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ({"weights": None}, "needs weights"),
        ({"weights": "zzz"}, "neither declared weights nor a file"),
        ({"weights": "zzz.csv"}, "no such file"),
        ({"treatments": []}, "needs a treatment"),
        ({"treatments": ["active:zz"]}, "unknown policy"),
    ],
)
def test_bad_specs_are_refused(column, message):
    with pytest.raises(InputError, match=message):
        bd.analyse(*mapped(**column), draws=100)


@pytest.mark.parametrize("gap", ["row", "value"])
def test_a_gap_in_the_panel_is_one_clear_error(planted, gap):
    study, spec, panel = planted
    frame = panel.frame.copy()
    if gap == "row":
        frame = frame.drop(index=[7])
    else:
        frame.loc[5, "y"] = np.nan
    with pytest.raises(InputError, match="719 rows for 60 units and 12 periods"):
        bd.analyse(study, spec, make_panel(frame, panel.adoption), draws=100)


def test_weights_of_everybody_do_not_identify_a_spatial_lag():
    """W x is then the period's sum less x, up to a factor: collinear with x and period effects."""
    study, spec, panel = mapped()
    every = (SpatialWeights(id="near", label="All", kind="nearest", k=N - 1),)
    study = dataclasses.replace(study, file=study.file.model_copy(update={"weights": every}))
    with pytest.raises(NotIdentifiedError, match="collinear"):
        bd.analyse(study, spec, panel, draws=100)


@pytest.mark.parametrize(
    "options",
    [
        {"durbin": []},
        {"logdet": "sparse_lu"},
        {"normalisation": "spectral"},
        {"model": "slx"},
        {"dynamic": True},
        {"dynamic": True, "normalisation": "spectral"},
        {"model": "sdem"},
    ],
)
def test_options_are_heard(options):
    weights = "far" if "normalisation" in options else "near"  # nearest: rows sum to 5 already
    result = bd.analyse(*mapped(options, weights=weights), draws=250)
    assert result.converged
    assert not result.failed
    names = {t.name for t in result.tables}
    assert ("dynamic" in names) == ("dynamic" in options)
    assert ("orders" in names) == (options.get("model") not in {"slx", "sdem"})
    assert any("not to one" in note for note in result.notes) == ("normalisation" in options)


def test_time_constant_covariates_under_random_effects_keep_sane_priors():
    """What the within transformation removes has the prior of its total spread, not of rounding.

    A prior sd of 1e15 costs its model log(1e15) = 35 for each of two such columns; with one of
    the total spread, unit information is the tighter of both priors and costs less than weak.
    """
    study, spec, panel = mapped(covariates=["c"], unit_effects="random")
    c = np.random.default_rng(0).normal(size=N)
    frame = panel.frame.assign(c=c[panel.frame["unit"]])
    models = table(bd.analyse(study, spec, make_panel(frame, panel.adoption), draws=250), "models")
    models = models.set_index("model")
    gap = {
        label: np.log(models.loc["sdm", label] / models.loc["sar", label])
        for label in ("P(unit information)", "P(weak)")
    }
    assert abs(np.subtract(*gap.values())) < 10


@pytest.mark.parametrize("priors", ["weak", "flat"])
def test_a_treatment_that_no_neighbour_has_is_one_clear_error(priors):
    """W x is then a column of zeros, on which there is no information and no prior scale."""
    link = np.zeros((12, 12))
    link[0, 1] = link[1, 0] = 1
    design = simulated(make_weights(link, np.arange(12)), "none", T=6)
    X = design.Z[:1].copy()
    X[0, :2] = 0
    design = spatial_design(base_design(design.Y, X), design.weights, "sdm")
    with pytest.raises(NotIdentifiedError, match="W x0"):
        draw_durbin(design, priors=priors, size=100)


def test_models_are_compared_side_by_side_with_the_same_numbers():
    """Every model of every W is an item of its own; up to rounding the pool changes nothing."""
    design = simulated(near(12), "sdm", T=6)
    pair = [(W, log_determinant(W)) for W in (design.weights, within_reach(12, 0.6))]
    run = partial(compare_models, design.base, pair, None, size=200, seed=3)
    here = run()
    with using(ThreadPoolExecutor(2)):
        there = run()
    assert len(here.table) == 11
    pd.testing.assert_frame_equal(here.table, there.table, rtol=1e-9)
    assert np.allclose(here.averaged["x0"].total, there.averaged["x0"].total, rtol=1e-9)
    assert here.averaged["x0"].total.shape == (200,)


# Bands


def test_bands_find_where_the_spillover_is():
    options = {"step_km": 200, "last_km": 800}
    result = bd.analyse(*mapped(options, family="spillover_bands", weights=None), draws=250)
    assert result.converged
    frame = table(result, "bands")
    assert frame["band"].tolist() == ["0-200 km", "200-400 km", "400-600 km", "600-800 km"]
    assert frame["mean"].iloc[0] < 0
    assert frame["excludes_zero"].iloc[0] == "yes"
    assert (frame["all_low"] <= frame["low"]).all()
    assert (frame["high"] <= frame["all_high"]).all()
    assert to_json(result)


def test_narrow_bands_name_their_islands_and_what_is_left_out():
    options = {"step_km": 20, "last_km": 60}
    result = bd.analyse(*mapped(options, family="spillover_bands", weights=None), draws=100)
    assert any(note.startswith("no unit has a treated one 0-20 km away") for note in result.notes)
    assert any("units without a neighbour in a band" in note for note in result.notes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bands": 3}, "has no option bands"),
        ({"level": 2}, "above 0 and below 1"),
        ({"step_km": -1}, "above 0"),
        ({"step_km": True}, "above 0"),
        ({"last_km": 1}, "at most the last distance"),
    ],
)
def test_bad_options_of_bands_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        bd.analyse(*mapped(options, family="spillover_bands", weights=None), draws=100)


# The command


def weights_file(path, units):
    """A ring of units as a square table with ids."""
    lines = ["," + ",".join(map(str, units))]
    for k, unit in enumerate(units):
        row = ["1" if abs(k - j) in {1, len(units) - 1} else "0" for j in range(len(units))]
        lines.append(f"{unit}," + ",".join(row))
    path.write_text("\n".join(lines) + "\n")
    return str(path)


@pytest.fixture
def small(studies, tmp_path):
    """Arguments for the small study, and its units."""
    study = bd.load_study(studies / "small")
    units = list(bd.load_panel(study).units)
    return ["spatial", str(studies / "small"), "--spec", "t2.factorial", "--draws", "100"], units


def test_command_prints_and_writes_json(small, tmp_path):
    arguments, units = small
    file = weights_file(tmp_path / "ring.csv", units)
    result = CliRunner().invoke(app, [*arguments, "--weights", file, "--model", "sar", "--json"])
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    (analysis,) = document["analyses"]
    assert analysis["family"] == "sdm"
    assert document["synthetic"]
    mixed = weights_file(tmp_path / "mixed.csv", units[::-1])  # the same ring, backwards
    text = CliRunner().invoke(app, [*arguments, "--weights", mixed, "--model", "sar"])
    assert text.exit_code == 0
    assert "mixed.csv" in text.stdout
    shown = "".join(text.stdout.split())
    assert all("".join(sentence.split()) in shown for sentence in analysis["sentences"][:2])


@pytest.mark.parametrize(
    ("units", "extra", "message"),
    [
        (lambda u: [f"x{k}" for k in u], [], "mad"),
        (lambda u: u[:-1], [], "mad"),
        (lambda u: u, ["--model", "nope"], "option model takes"),
        (lambda u: u, ["--normalise", "columns"], "option normalisation takes"),
    ],
)
def test_bad_input_of_the_command_is_exit_code_2(
    small, tmp_path, monkeypatch, capsys, units, extra, message
):
    arguments, ids = small
    file = weights_file(tmp_path / "mad.csv", units(ids))
    monkeypatch.setattr(sys, "argv", ["bayesdid", *arguments, "--weights", file, *extra])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    shown = capsys.readouterr()
    assert message in shown.err
    assert "Remedy" in shown.err
    assert "Traceback" not in shown.err
    assert not shown.out


def test_a_two_way_spec_needs_weights(small):
    result = CliRunner().invoke(app, small[0])
    assert isinstance(result.exception, InputError)
    assert "has no spatial weights" in str(result.exception)


# Student-t errors


@pytest.mark.slow
@pytest.mark.sampling
def test_heavy_tails_are_found_and_used():
    """t(3): least squares wastes half of the information, var(t3) = 3 against 1 / Fisher = 1.5.

    sd of coefficients is then sqrt(1.5 / 3) = 0.71 of the Gaussian's; unit effects take some back.
    """
    design = simulated(near(30), "sar", T=8, rho=0.4, tails=3)
    heavy, normal = fit_design(design, likelihood="student_t", draws=500), draw_durbin(design)
    assert heavy.converged
    rho, nu = stacked(heavy.tree, "rho"), stacked(heavy.tree, "nu")
    b = np.hstack([stacked(heavy.tree, name) for name in ("tau", "beta")])
    low, high = np.quantile(nu, [0.001, 0.999])
    assert low < 3 < high
    assert high < 15  # normal errors are ruled out
    for k, value in enumerate((1.0, -0.5)):
        ours, theirs = b[:, k], normal.b[:, k]
        assert ours.std() < 0.95 * theirs.std()
        assert abs(ours.mean() - value) < 4 * ours.std()
    assert abs(rho.mean() - 0.4) < 4 * rho.std()


@pytest.mark.slow
@pytest.mark.sampling
def test_normal_errors_leave_student_near_the_exact_engine():
    """nu in the tens changes weights by order 1 / nu: a fifth of an sd beside Monte Carlo error."""
    design = simulated(near(30), "sar", T=8, rho=0.4)
    heavy, normal = fit_design(design, likelihood="student_t", draws=500), draw_durbin(design)
    assert heavy.converged
    rho, nu = stacked(heavy.tree, "rho"), stacked(heavy.tree, "nu")
    b = np.hstack([stacked(heavy.tree, name) for name in ("tau", "beta")])
    assert nu.mean() > 10
    pairs = [(rho, normal.rho)]
    pairs += list(zip(b.T, normal.b.T, strict=True))
    for theirs, ours in pairs:
        error = ours.std() * np.sqrt(1 / 4000 + 1 / 400)  # at least 400 effective draws: the gate
        assert abs(theirs.mean() - ours.mean()) < 5 * error + 0.2 * ours.std()
        assert theirs.std() == pytest.approx(ours.std(), rel=0.2)
