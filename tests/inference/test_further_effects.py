"""Effects beside those of unit and period: exact engines, least squares, what they identify."""

import dataclasses
import warnings

import numpy as np
import pandas as pd
import pyfixest
import pytest

import bayesdid as bd
from bayesdid.checks.units import leaves_units_out, without_unit
from bayesdid.design.span import fixed_span, within
from bayesdid.exceptions import InputError, NotIdentifiedError
from bayesdid.inference.exact.sandwich import sandwich_moments
from bayesdid.inference.exact.two_way import two_way_model
from bayesdid.inference.plan import against_least_squares
from bayesdid.model import crossed
from bayesdid.model.bound import BoundModel
from bayesdid.model.errors import Errors
from bayesdid.model.priors import resolve_priors
from bayesdid.peers.agreement import agree
from bayesdid.peers.fixest import least_squares
from cells import slow_but
from engines_agree import same_posterior


def feols(*args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pyfixest's own use of pandas
        return pyfixest.feols(*args, fixef_tol=1e-13, **options)


def panel(N=9, T=7, drop=4, seed=1):
    """Regional shocks and trends of cities; `sector` crosses both."""
    rng = np.random.default_rng(seed)
    u, t = (a.ravel() for a in np.mgrid[:N, :T])
    frame = pd.DataFrame({"city": u, "year": 2000 + t, "sector": rng.integers(0, 3, N * T)})
    frame["region"] = np.array(["north", "south", "west"])[u % 3]
    frame["zone"] = np.array(["p", "q", "r", "s"])[u % 4]
    start = rng.integers(2, T + 4, N)
    frame["D"] = (t >= start[u]) * 1.0
    frame["x"] = rng.standard_normal(N * T) + u / 4
    frame["w"] = rng.uniform(0.5, 3, N * T)
    frame["count"] = rng.integers(1, 4, N * T)
    shock, trend = rng.standard_normal((3, T)), 0.2 * rng.standard_normal(N)
    frame["y"] = 0.5 * frame["D"] - 0.3 * frame["x"] + rng.standard_normal(N)[u] + shock[u % 3, t]
    frame["y"] += trend[u] * (t - 3) + 0.5 * rng.standard_normal(N * T)
    return frame.drop(index=rng.choice(N * T, drop, replace=False)).reset_index(drop=True)


def design_of(frame, effects, more="", **options):
    study, found = bd.study_of(frame, f"y ~ D + x{more} | {effects}", **options)
    return bd.build_design(study["did.1"], found)


def dummies(*columns):
    return pd.get_dummies(pd.Series(list(zip(*columns, strict=True)))).to_numpy(float)


CELLS = [
    ("city[year] + year + region^year", "iid", None),
    ("city + year + region^year", "ar1", "w"),
    ("city[year] + year + sector", "ar1", None),
    ("city + year + region[year] + random(region^year)", "ar1_unit", None),
    ("city[year] + year", "ar1_unit", "w"),
    ("city + year + region^year", "iid_unit", None),
    ("random(city) + year + region^year", "ar1", None),
]


@pytest.mark.parametrize(("effects", "errors", "weights"), slow_but(CELLS))
def test_exact_draws_are_those_of_the_compiled_model(effects, errors, weights):
    study, found = bd.study_of(panel(), f"y ~ D + x | {effects}", weights=weights)
    bound = bd.model(study["did.1"], found, errors=errors)
    ours = bd.fit(bound, draws=2000, log_likelihood=True)
    assert ours.tree.attrs["engine"] in {"two_way", "unit_scales"}
    theirs = bd.fit(bound, engine="nuts", draws=700, chains=2, seed=3, log_likelihood=True)
    same_posterior(ours, theirs)


@pytest.mark.parametrize(
    ("effects", "unit", "errors", "weights"),
    [
        ("city[year] + year + region^year", True, "iid", None),
        ("city[year, year^2] + year", True, "ar1", "w"),
        ("city + year + region^year + sector", False, "ar1", "w"),
        ("city + year + region[year]", False, "ar1", None),
    ],
)
def test_density_of_the_scalars_is_that_of_all_rows(effects, unit, errors, weights):
    """Against the restricted likelihood with every dummy and the covariance matrix written out."""
    frame = panel()
    design = design_of(frame, effects, weights=weights)
    priors = resolve_priors("weak", design)
    ours = two_way_model(design, priors, errors=Errors.parse(errors), weights=design.weights).target
    t = frame["year"] - 2003.0
    city = dummies(frame["city"])
    F = [city, dummies(frame["year"])]
    F += [dummies(frame["region"], frame["year"])] if "region^" in effects else []
    F += [dummies(frame["region"]) * t.to_numpy()[:, None]] if "region[" in effects else []
    F += [dummies(frame["sector"])] if "sector" in effects else []
    F += (
        [city * t.to_numpy()[:, None] ** p for p in (1, 2)[: 1 + ("^2" in effects)]] if unit else []
    )
    left, size, _ = np.linalg.svd(np.hstack(F), full_matrices=False)
    F = left[:, size > 1e-9 * size[0]]
    Z = frame[["D", "x"]].to_numpy(float)
    sds = np.array(list(priors.sds.values()))
    root = np.sqrt((frame["w"] / frame["w"].mean()).to_numpy()) if weights else np.ones(len(frame))
    same = frame["city"].to_numpy()[:, None] == frame["city"].to_numpy()
    lag = abs(frame["year"].to_numpy()[:, None] - frame["year"].to_numpy())

    def dense(z):
        phi = np.tanh(z[1]) if errors == "ar1" else 0.0
        sigma = np.exp(z[0]) * (np.cosh(z[1]) if errors == "ar1" else 1.0)
        V = sigma**2 * np.where(same, phi**lag if errors == "ar1" else np.eye(len(lag)), 0.0)
        V = V / np.outer(root, root) + (Z * sds**2) @ Z.T
        inverse = np.linalg.inv(V)
        A = F.T @ inverse @ F
        projected = inverse - inverse @ F @ np.linalg.solve(A, F.T @ inverse)
        y = frame["y"].to_numpy()
        value = np.linalg.slogdet(V)[1] + np.linalg.slogdet(A)[1] + y @ projected @ y
        prior = float(priors.log_sigma_density(np.array(sigma)))
        return -0.5 * value + prior - (2 * np.log(np.cosh(z[1])) if errors == "ar1" else 0.0)

    points = np.array([[-0.8, 0.1], [-0.3, 0.6], [-0.5, -0.4]])[:, : ours.dimension]
    found, wanted = ours.log_density(points), np.array([dense(z) for z in points])
    assert np.diff(found) == pytest.approx(np.diff(wanted), abs=1e-6)


FORMULAS = [
    ("city + region^year", None, None),
    ("city + region^year", "w", None),
    ("city + year + region^year", "w", None),
    ("city + year + sector", "w", None),
    ("city + year", None, "zone"),
    ("city + region^year", "w", "zone"),
]


@pytest.mark.parametrize(("effects", "weights", "cluster"), FORMULAS)
def test_rows_beside_have_the_estimates_and_clusters_of_feols(effects, weights, cluster):
    frame = panel(N=16)
    effects = effects.replace("region", "zone") if cluster == "zone" else effects
    fit = bd.did(
        frame,
        f"y ~ D + x | {effects}",
        weights=weights,
        cluster=cluster,
        errors="iid",
        priors="flat",
        draws=50,
    )
    other = feols(
        f"y ~ D + x | {effects}", frame, weights=weights, vcov={"CRV1": cluster or "city"}
    )
    beside = fit.beside().loc["D"]
    assert beside["mean"].to_numpy() == pytest.approx(np.full(2, other.coef()["D"]), abs=1e-8)
    # feols counts all levels of a second effect but one; we count what they span
    design = design_of(frame, effects, weights=weights, cluster=cluster)
    nested = [dummies(frame["city"])]
    nested += [dummies(frame["zone"], frame["year"])] if cluster and "^" in effects else []
    ours = 2 + fixed_span(design).rank - np.linalg.matrix_rank(np.hstack(nested)) + 1
    names = [name for name in effects.split(" + ")[1:] if not (cluster and cluster in name)]
    levels = [len(frame[name.split("^")].drop_duplicates()) for name in names]
    theirs = 2 + 1 + sum(level - 1 for level in levels)
    correction = np.sqrt((design.n - theirs) / (design.n - ours))
    peer = least_squares(design).table.loc["D"]
    assert beside["sd"].iloc[1] == pytest.approx(peer["se_cluster"], rel=1e-8)
    assert beside["sd"].iloc[1] == pytest.approx(other.se()["D"] * correction, rel=1e-8)
    name = f"cluster {cluster} ({frame[cluster].nunique()})" if cluster else "cluster (16)"
    assert beside.index[1] == name


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize(
    "effects", ["city[year] + year + region^year", "city[year, year^2] + year"]
)
def test_least_squares_is_that_of_dummies_written_out(effects, weights):
    frame = panel(N=12, T=8)
    design = design_of(frame, effects, weights=weights)
    moments, peer = sandwich_moments(design), least_squares(design)
    assert moments.location == pytest.approx(peer.table["estimate"].to_numpy(), abs=1e-9)
    clustered = np.sqrt(np.diag(moments.cluster))
    assert clustered == pytest.approx(peer.table["se_cluster"].to_numpy(), rel=1e-8)
    assert peer.dof == design.n - fixed_span(design).rank - 2
    inflation = np.sqrt(peer.dof / (peer.dof - 2))
    iid = np.sqrt(np.diag(moments.iid)) / inflation
    assert iid == pytest.approx(peer.table["se_iid"].to_numpy(), rel=1e-8)
    W = design.weights if weights else np.ones(design.n)
    t = frame["year"].to_numpy() - 2003.0
    city = dummies(frame["city"])
    F = [city, city * t[:, None], dummies(frame["year"])]
    F += (
        [dummies(frame["region"], frame["year"])]
        if "region" in effects
        else [city * t[:, None] ** 2]
    )
    X = np.hstack([design.regressors, *F]) * np.sqrt(W)[:, None]
    b = np.linalg.lstsq(X, design.y * np.sqrt(W), rcond=1e-10)[0]
    assert moments.location == pytest.approx(b[:2], abs=1e-8)


def test_frequency_weights_are_rows_as_often():
    frame = panel()
    often = frame.loc[frame.index.repeat(frame["count"])]
    design = design_of(frame, "city + year", weights="count", weights_kind="frequency")
    assert design.n == len(often) == frame["count"].sum()
    assert [note.count for note in design.notes if note.name == "frequency_weights"] == [len(often)]
    found = least_squares(design)
    other = feols(
        "y ~ D + x | city + year", frame, weights="count", weights_type="fweights", vcov="iid"
    )
    assert found.table["estimate"].to_numpy() == pytest.approx(other.coef().to_numpy(), abs=1e-8)
    assert found.table["se_iid"].to_numpy() == pytest.approx(other.se().to_numpy(), rel=1e-8)
    fit = bd.did(
        frame, "y ~ D + x | city + year", weights="count", weights_kind="frequency", draws=50
    )
    assert fit.tree.attrs["errors_name"] == "iid"  # alike rows have no order in time
    assert fit.tree.attrs["n"] == len(often)
    with pytest.raises(InputError, match="a frequency weight is no whole number"):
        design_of(frame, "city + year", weights="w", weights_kind="frequency")
    with pytest.raises(InputError, match="a kind of weights without weights"):
        design_of(frame, "city + year", weights_kind="frequency")
    huge = frame.assign(count=1_000_000)
    with pytest.raises(InputError, match="weights of populations are analytic"):
        design_of(huge, "city + year", weights="count", weights_kind="frequency")


def test_an_effect_that_others_span_changes_nothing():
    frame = panel()
    plain = design_of(frame, "city + year")
    for effects in ("city + year + region", "city + year + year^region + region^year"):
        design = design_of(frame, effects)
        assert "spanned_effects" in [note.name for note in design.notes]
    same = design_of(frame, "city + year + region")
    assert not same.further
    assert np.array_equal(sandwich_moments(same).location, sandwich_moments(plain).location)
    crossed, twice = (
        sandwich_moments(design_of(frame, e))
        for e in ("city + region^year", "city + year + region^year + region")
    )
    assert crossed.location == pytest.approx(twice.location, abs=1e-10)
    assert crossed.cluster == pytest.approx(twice.cluster, abs=1e-10)


def test_a_projection_is_that_on_all_dummies_whatever_their_order():
    frame = panel(N=12, drop=9)
    design = design_of(frame, "city[year] + year + region^year + sector")
    city, t = dummies(frame["city"]), frame["year"].to_numpy() - 2003.0
    F = [city, city * t[:, None], dummies(frame["region"], frame["year"]), dummies(frame["sector"])]
    F = np.hstack(F)
    wanted = design.regressors - F @ np.linalg.lstsq(F, design.regressors, rcond=1e-10)[0]
    assert within(design, design.regressors) == pytest.approx(wanted, abs=1e-10)
    assert fixed_span(design).rank == np.linalg.matrix_rank(F, tol=1e-8)


def test_what_trends_leave_of_a_treatment_is_said():
    """Of four states three change; one is a line of its own trend, one adopts with its region."""
    units = [(u, t) for u in range(6) for t in range(8)]
    frame = pd.DataFrame(units, columns=["state", "year"])
    u, t = frame["state"], frame["year"]
    frame["region"] = np.where(u < 3, "a", "b")
    frame["D"] = np.select([u == 0, u == 1, u == 2], [t >= 3, t / 8, t >= 5], 0.0).astype(float)
    frame["x"] = np.random.default_rng(0).standard_normal(48)
    frame["y"] = frame["x"] + np.random.default_rng(1).standard_normal(48)
    note = {n.name: n.text for n in design_of(frame, "state[year] + year").notes}["identification"]
    assert note.startswith("after state trends: D varies in 2 of 6 state, and ")
    plain, trended = (
        design_of(frame, effects) for effects in ("state + year", "state[year] + year")
    )
    share = within(trended, trended.D).var() / within(plain, plain.D).var()
    assert f"and {100 * share:.0f} % of its variation within units and periods is left" in note
    assert "identification" not in {n.name for n in plain.notes}
    few = design_of(frame, "year + region", unit="state")
    text = {n.name: n.text for n in few.notes}["identification"]
    share = within(few, few.D).var() / within(dataclasses.replace(few, further=()), few.D).var()
    assert f"and {100 * share:.0f} % of its variation within periods is left" in text
    same = frame.assign(D=np.where((u < 3) & (t >= 4), 1.0, 0.0))
    with pytest.raises(
        NotIdentifiedError, match=r"once .*region\^year and the treatments"
    ) as found:
        design_of(same, "state + year + region^year")
    assert found.value.column == "D"
    assert "leave an effect out" in found.value.remedy
    lost = design_of(frame.assign(z=t * 1.0 * u), "state[year] + year", " + z")
    assert lost.covariates == ("x",)
    assert "left out of did.1 as collinear: z" in [n.text for n in lost.notes]


def test_units_with_as_many_rows_as_coefficients_are_left_out():
    frame = panel(drop=0)
    few = frame[(frame["city"] > 0) | (frame["year"] < 2002)]
    design = design_of(few, "city[year] + year")
    assert 0 not in design.units
    assert (
        "1 unit has no more than 2 rows"
        in {n.name: n.text for n in design.notes}["singleton_units"]
    )
    assert 0 in design_of(few, "city + year").units


@pytest.mark.parametrize(
    ("effects", "options", "says"),
    [
        ("city[year^2] + year", {}, "a power of a slope without the lower ones"),
        ("city + year + sector + random(sector)", {}, "both fixed and random"),
        (
            "city + year",
            {"cluster": "sector"},
            r"units are in more than one cluster.*column|column",
        ),
        ("city + year", {"cluster": "zon"}, "did you mean 'zone'"),
        ("city + year + regoin^year", {}, "did you mean 'region'"),
        ("city[region] + year", {}, "not a number but a word"),
        ("city + year", {"weights": "x"}, "a weight is negative, in 14 rows"),
        ("city + year", {"weights": "w", "weights_kind": "rows"}, "unknown kind of weights"),
    ],
)
def test_what_cannot_be_is_refused_by_name(effects, options, says):
    with pytest.raises(InputError, match=says):
        design_of(panel(), effects, **options)


def test_what_no_engine_does_is_said():
    study, found = bd.study_of(panel(), "y ~ D + x | city + year + region^year")
    with pytest.raises(InputError, match="Mundlak components are those of units and periods alone"):
        bd.model(study["did.1"], found, unit_effects="mundlak")
    bound = bd.model(study["did.1"], found, errors="iid")
    with pytest.raises(InputError, match="the model has an effect that the design has not"):
        BoundModel(bound.model, design_of(panel(), "city + year"))
    with pytest.raises(
        InputError, match=r"nothing is left to learn its scale from.*\(value: year\)"
    ):
        bd.model(study["did.1"], found, period_effects="random")
    shocks = bd.study_of(panel(), "y ~ D + x | city + year + random(region^year)")
    bound = bd.model(shocks[0]["did.1"], shocks[1], errors="ar1")
    with pytest.raises(InputError, match="of its further effects one at most is random"):
        bd.fit(bound, engine="exact")


def test_errors_have_one_scale_where_scales_of_units_are_not_solved(monkeypatch):
    """Nine trends of units: one level too many, as many as there may be, and random ones."""
    study, found = bd.study_of(panel(), "y ~ D + x | city[year] + year")
    monkeypatch.setattr(crossed, "OWN_SCALES", 8)
    bound = bd.model(study["did.1"], found)
    assert bound.model.errors.name == "ar1"
    (note,) = [note for note in bound.design.notes if note.name == "errors_of_one_scale"]
    assert "not solved beside 9 levels of further effects in 59 rows" in note.text
    with pytest.raises(InputError, match="at most 8 levels, slopes of units among them"):
        bd.fit(bd.model(study["did.1"], found, errors="ar1_unit"), engine="unit_scales")
    monkeypatch.setattr(crossed, "ONE_SCALE", 0)  # slopes of units are eliminated unit by unit
    assert bd.model(study["did.1"], found).model.errors.name == "ar1"
    shocks, found = bd.study_of(panel(), "y ~ D + x | city + year + region^year")
    assert bd.model(shocks["did.1"], found).model.errors.name == "ar1_unit"
    monkeypatch.setattr(crossed, "ONE_SCALE", 1000)
    assert bd.model(shocks["did.1"], found).model.errors.name == "ar1"
    monkeypatch.setattr(crossed, "OWN_SCALES", 1000)
    bound = bd.model(shocks["did.1"], found)
    assert bound.model.errors.name == "ar1_unit"
    assert "errors_of_one_scale" not in [note.name for note in bound.design.notes]


def test_sizes_that_take_too_long_are_refused_in_words(monkeypatch):
    study, found = bd.study_of(panel(), "y ~ D + x | city[year] + year")
    bound = bd.model(study["did.1"], found, errors="ar1_unit")
    monkeypatch.setattr(crossed, "CHAIN_CELLS", bound.design.n * 9 - 1)  # nine cities
    with pytest.raises(InputError, match="rows times levels of further effects") as refused:
        bd.fit(bound)
    assert "9 levels of further effects in 59 rows take too long" in str(refused.value)
    assert refused.value.remedy.startswith("say errors ar1 or iid")
    assert bd.fit(bd.model(study["did.1"], found, errors="ar1"), draws=50).tree.attrs["n"] == 59


def test_slopes_of_many_units_need_no_columns_of_their_own():
    """Moments of many units are those of their draws; no array has a column for each unit."""
    frame = panel(N=40, T=6, drop=11)
    design = design_of(frame, "city[year] + year + region^year")
    model = two_way_model(design, resolve_priors("weak", design), errors=Errors("ar1"))
    assert model.columns.count < 3 * 6
    assert len(model.stats.columns) == 4 + model.columns.count + 3  # years but two, x, D and y
    drawn = model.posterior(draws=1000, seed=1, draw_units=True).effects
    kept = model.posterior(draws=1000, seed=1, draw_units=False).effects
    assert kept.unit.shape[1] == 0
    slope, (mean, sd) = drawn.further["city_slope_year"], kept.moments["city_slope_year"]
    size = np.sqrt(2 / 200)  # of a mean over 200 draws against 4,000
    assert abs(slope.mean(axis=0) - mean).max() < 5 * size * slope.std(axis=0).max()
    assert abs(np.log(slope.std(axis=0) / sd)).max() < 5 / np.sqrt(2 * 200)
    assert abs(drawn.unit.mean(axis=0) - kept.unit_mean).max() < 5 * size * drawn.unit.std()
    assert kept.alpha.mean() == pytest.approx(drawn.alpha.mean(), abs=5 * drawn.alpha.std() / 60)
    assert kept.alpha.std() == pytest.approx(drawn.alpha.std(), rel=0.1)
    ours, theirs = kept.further["region_x_year_effect"], drawn.further["region_x_year_effect"]
    assert abs(ours.mean(axis=0) - theirs.mean(axis=0)).max() < 0.1 * theirs.std()


def test_the_scale_of_analytic_weights_says_nothing():
    frame = panel()
    people = frame.assign(w=frame["w"] * 5e6)
    ours, theirs = (
        bd.did(f, "y ~ D + x | city + year + region^year", weights="w", errors="ar1", draws=100)
        for f in (frame, people)
    )
    assert ours.tree["posterior"]["tau"].to_numpy() == pytest.approx(
        theirs.tree["posterior"]["tau"].to_numpy(), rel=1e-6
    )
    assert design_of(people, "city + year", weights="w").weights.mean() == pytest.approx(1.0)
    assert 0.2 < float(theirs.tree["posterior"]["sigma"].mean()) < 2.0  # that of a typical row


def test_draws_have_the_means_of_the_rows():
    """Levels are moved between effects when they are named: the mean of no row may change."""
    frame = panel()
    design = design_of(frame, "city[year] + year + region^year")
    model = two_way_model(design, resolve_priors("weak", design), errors=Errors("iid"))
    fit = bd.fit(design, errors="iid", draws=500, posterior_predictive=True)
    assert "region_x_year_effect" in fit.tree["posterior"]
    assert set(fit.arviz()["posterior"].data_vars) == {"tau", "beta", "alpha", "sigma", "constant"}
    fitted = fit.tree["posterior_predictive"]["y"].mean(("chain", "draw")).to_numpy()
    W = within(design, np.column_stack([design.regressors, design.y]))
    tau = model.draw(2000, np.random.default_rng(0)).coef.mean(axis=0) / model.data.scale
    wanted = design.y - W[:, -1] + W[:, :2] @ tau  # what effects fit, and what regressors add
    size = float(fit.tree["posterior"]["sigma"].mean()) * np.sqrt(2 / 2000)
    assert abs(fitted - wanted).max() < 6 * size


def test_a_unit_left_out_is_judged_beside_its_own_trend():
    """Nothing of a unit's own level and slope may count: only contrasts across both are left."""
    frame = panel(N=12)
    study, found = bd.study_of(frame, "y ~ D + x | city[year] + year")
    bound = bd.model(study["did.1"], found, errors="iid")
    fit = bd.fit(bound, draws=500)
    plain = without_unit(fit.tree, bound)
    steep = fit.tree.copy()
    draws = steep["posterior"].to_dataset()
    steep["posterior"] = type(steep)(draws.assign(city_slope_year=draws["city_slope_year"] + 3.0))
    moved = without_unit(steep, bound)
    assert moved["unit_elpd"].to_numpy() == pytest.approx(plain["unit_elpd"].to_numpy(), abs=1e-6)
    assert moved["p"].to_numpy() == pytest.approx(plain["p"].to_numpy(), abs=1e-6)
    other = bd.model(study["did.1"], found, errors="iid")
    random = bd.study_of(frame, "y ~ D + x | city + year + random(city[year])")
    assert leaves_units_out(other)
    assert not leaves_units_out(bd.model(random[0]["did.1"], random[1], errors="iid"))


def test_a_model_published_with_further_effects_is_compared_with_its_least_squares():
    """Variants that cannot be are not planned; the identity of flat priors holds under weights."""
    frame = panel(N=14)
    design = design_of(frame, "city + year + region^year", weights="w")
    assert set(against_least_squares(design)) == {"flat", "fixed"}
    assert set(against_least_squares(design_of(frame, "city + year"))) > {"random", "mundlak"}
    fits = {
        kind: bd.fit(design, errors="iid", priors=priors, draws=1000).tree
        for kind, priors in (("flat", "flat"), ("fixed", "weak"))
    }
    found = agree(design, fits)
    assert found.identity
    assert found.holds
