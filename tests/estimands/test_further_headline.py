"""The headline, its neighbours and cohorts beside further effects and weights of rows."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

import bayesdid as bd
from bayesdid.design.overlap import overlap_design
from bayesdid.design.told import told_by
from bayesdid.estimands.beside import CELLS, CELLS_IID, IMPUTATION, static_factorial
from bayesdid.estimands.gls import Scalars
from bayesdid.estimands.imputation import imputed_moments
from bayesdid.estimands.names import SUM
from bayesdid.estimands.row_weights import contrast_weights
from bayesdid.estimands.saturated import cell_design, cell_moments, saturated_moments
from bayesdid.estimands.state_columns import state_columns
from bayesdid.estimands.state_effects import state_averages
from bayesdid.exceptions import InputError
from bayesdid.model.overlap import overlap_pooling
from bayesdid.study.schema import PriorTerm
from cells import slow_but

POLICIES = {"a": "a_year", "b": "b_year"}
KEYS = {"y": "y", "unit": "city", "time": "year", "policies": POLICIES, "better": "higher"}
EFFECTS = [("region^year",), ("city[year]",), ("region^year", "city[[x]]")]


def made(N=36, T=10, seed=3):
    """Two policies, shocks that a region shares, weights, a row missing here and there."""
    rng = np.random.default_rng(seed)
    keys = pd.MultiIndex.from_product([range(N), range(2000, 2000 + T)], names=["city", "year"])
    frame = keys.to_frame(index=False)
    region = np.arange(N) % 3
    frame["region"] = np.array(["n", "s", "w"])[region[frame["city"]]]
    for policy in POLICIES:
        start = np.where(rng.random(N) < 0.6, rng.integers(2004, 2008, N), np.nan)
        frame[f"{policy}_year"] = start[frame["city"]]
    a, b = (frame["year"] >= frame[f"{p}_year"] for p in POLICIES)
    frame["x"], frame["pop"] = rng.normal(size=len(frame)), rng.uniform(1, 5, len(frame))
    shock = rng.normal(0, 2, (3, T))[region[frame["city"]], frame["year"] - 2000]
    frame["y"] = rng.normal(0, 2, N)[frame["city"]] + shock + 1.0 * a - 0.5 * b + 0.7 * (a & b)
    frame["y"] += 0.3 * frame["x"] + rng.normal(0, 0.4, len(frame)) / np.sqrt(frame["pop"])
    return frame.drop(index=[5, 77, 100])


def rows_of(frame, **options):
    study, panel = bd.study_of(frame, **KEYS, covariates=["x"], **options)
    return overlap_design(study["did.1"], panel)


def weights_of(rows):
    averages, _ = state_averages(rows, overlap_pooling(rows))
    found = {name: contrast_weights(name, rows, item) for name, item in averages.items()}
    return {name: w for name, w in found.items() if w is not None}


def dummies(design):
    """Every effect of a design written out by hand from labels, (n, many), dependent or not."""
    blocks = [pd.get_dummies(design.unit_index), pd.get_dummies(design.period_index)]
    blocks += [pd.get_dummies(f.index).to_numpy() * f.times[:, None] for f in design.further]
    return np.column_stack(blocks).astype(float)


@pytest.mark.parametrize("effects", EFFECTS)
def test_cells_imputation_and_columns_are_least_squares_with_dummies(effects):
    rows = rows_of(made(), effects=effects, weights="pop")
    design, weights = rows.design, weights_of(rows)
    F, w = dummies(design), np.sqrt(design.weights)
    D = cell_design(rows).D
    every = np.column_stack([D, design.X, F])
    by_cells = np.linalg.lstsq(every * w[:, None], design.y * w, rcond=1e-11)[0][: D.shape[1]]
    free = rows.state == "none"
    nuisance = np.column_stack([design.X, F])
    untreated = np.linalg.lstsq(
        nuisance[free] * w[free, None], design.y[free] * w[free], rcond=1e-11
    )[0]
    effect = design.y - nuisance @ untreated
    cells, imputed = saturated_moments(rows, weights), imputed_moments(rows, weights)
    assert SUM in cells
    assert SUM in imputed
    for name, q in weights.items():
        assert cells[name][0] == pytest.approx((q @ D) @ by_cells, abs=1e-7), name
        assert imputed[name].mean == pytest.approx(q @ effect, abs=1e-7), name
        assert imputed[name].weights @ design.y == pytest.approx(q @ effect, abs=1e-7), name
    columns = state_columns(rows)
    adopts = np.isfinite(rows.start)
    for state, of in (("only:a", (True, False)), ("both", (True, True))):
        mine = (adopts == of).all(axis=1) | ~adopts.any(axis=1)
        on = rows.state == state if state != "both" else rows.both
        Z = np.column_stack([on, design.X, F])[mine] * w[mine, None]
        slope = np.linalg.lstsq(Z, design.y[mine] * w[mine], rcond=1e-11)[0][0]
        assert columns.estimate[state] == pytest.approx(slope, abs=1e-7), state
        assert columns.weights[state] @ design.y == pytest.approx(slope, abs=1e-7), state
    Z = np.column_stack([design.D, design.X, F]) * w[:, None]
    static = np.linalg.lstsq(Z, design.y * w, rcond=1e-11)[0][: design.D.shape[1]]
    found = static_factorial(rows, "iid", 100, 0)
    np.testing.assert_allclose(found.project(design.y), static, atol=1e-7)


@pytest.mark.parametrize("effects", EFFECTS)
def test_cells_under_the_errors_of_the_headline_are_generalised_least_squares(effects):
    """The covariance of AR(1) errors with scales of the units is written out here."""
    rows = rows_of(made(), effects=effects, weights="pop")
    design, weights = rows.design, weights_of(rows)
    sigma, phi = np.linspace(0.5, 1.5, len(design.units)), 0.4
    scalars = Scalars(sigma, phi, np.inf, np.inf, {})
    gap = np.abs(design.period_index[:, None] - design.period_index)
    same = design.unit_index[:, None] == design.unit_index
    size = sigma[design.unit_index] / np.sqrt(design.weights)
    root = np.linalg.cholesky(np.where(same, phi**gap, 0.0) * np.outer(size, size))
    D = cell_design(rows).D
    every = np.column_stack([D, design.X, dummies(design)])
    white = np.linalg.solve(root, every)
    keep = np.linalg.pinv(white, rcond=1e-11)
    slope, covariance = keep @ np.linalg.solve(root, design.y), keep @ keep.T
    K = D.shape[1]
    # covariates have a weak prior in ours: none here would be seen in the fourth digit
    found = cell_moments(rows, weights, scalars)
    for name, q in weights.items():
        c = q @ D
        sd = np.sqrt(c @ covariance[:K, :K] @ c)
        assert found[name][0] == pytest.approx(c @ slope[:K], abs=2e-3 * sd), name
        assert found[name][1] == pytest.approx(sd, rel=2e-3), name


def test_random_effects_of_the_headline_have_their_scale_in_its_neighbours():
    rows = rows_of(made(), effects="random(region^year)")
    (one,) = rows.design.further
    weights = {SUM: weights_of(rows)[SUM]}
    flat = Scalars(np.ones(len(rows.design.units)), 0.0, np.inf, np.inf, {})

    def sd(kind, scale=np.inf):
        further = () if kind == "none" else (dataclasses.replace(one, kind=kind),)
        of = dataclasses.replace(rows, design=dataclasses.replace(rows.design, further=further))
        scalars = dataclasses.replace(flat, further={one.name: scale})
        return cell_moments(of, weights, scalars)[SUM][1]

    assert sd("random", 1e-4) == pytest.approx(sd("none"), rel=1e-4)
    assert sd("none") < sd("random", 1.0) < sd("random", 1e3)
    rows = rows_of(made(), effects="region^year")  # with the rows that fixed effects leave
    (one,), weights = rows.design.further, {SUM: weights_of(rows)[SUM]}
    assert sd("random", 1e3) == pytest.approx(sd("fixed"), rel=1e-4)


def test_fixed_further_effects_of_the_headline_are_flat_covariates():
    """The exact posterior with region x year effects is that with dummies as covariates."""
    frame = made(N=18, T=6)
    design = overlap_pooling(rows_of(frame, effects="region^year", weights="pop")).design
    (one,) = design.further
    columns = pd.get_dummies(one.index).to_numpy(float)
    base = np.column_stack([pd.get_dummies(design.unit_index), pd.get_dummies(design.period_index)])
    kept, before = [], np.asarray(base, float)
    for k in range(columns.shape[1]):
        if np.linalg.matrix_rank(np.column_stack([before, columns[:, k]])) > np.linalg.matrix_rank(
            before
        ):
            kept.append(k)
            before = np.column_stack([before, columns[:, k]])
    names = tuple(f"cell{k}" for k in kept)
    other = dataclasses.replace(
        design,
        further=(),
        X=np.column_stack([design.X, columns[:, kept]]),
        covariates=(*design.covariates, *names),
    )
    priors = {name: PriorTerm(mean=0.0, sd=1e4) for name in names}
    found = [
        bd.fit(this, errors="iid", priors=given, draws=1000).require().tree["posterior"]["tau"]
        for this, given in ((design, "weak"), (other, priors))
    ]
    first, second = (tau.to_numpy().reshape(4000, -1) for tau in found)
    spread = first.std(axis=0)
    # two independent means of 4,000 draws, of 30 columns: 5 standard errors
    assert (abs(first.mean(0) - second.mean(0)) < 5 * np.sqrt(2 / 4000) * spread).all()
    assert (abs(np.log(second.std(0) / spread)) < 0.17).all()


def test_slopes_of_units_are_eliminated_beside_pooled_parts():
    """Under i.i.d. errors all cross-products are one fixed matrix: this was a traceback."""
    design = overlap_pooling(rows_of(made(N=18, T=7), effects="city[year]")).design
    found = bd.fit(design, errors="iid", draws=200)
    assert found.converged
    slope = found.tree["posterior"]["city_slope_year"]
    assert slope.sizes["city"] == len(design.units)


@pytest.mark.sampling
@pytest.mark.slow
@pytest.mark.parametrize("effects", ["region^year", "random(region^year)"])
def test_the_headline_with_further_effects_and_weights_is_the_compiled_model(effects):
    from engines_agree import same_posterior

    pooling = overlap_pooling(rows_of(made(N=24, T=7), effects=effects, weights="pop"))
    bound = bd.model(pooling.design, errors="ar1_unit")
    ours, theirs = bd.fit(bound), bd.fit(bound, engine="as_written", chains=2)
    assert ours.tree.attrs["engine"] == "pooled_unit_scales"
    same_posterior(ours, theirs)


def test_the_headline_hears_effects_and_weights():
    frame = made(N=24, T=9)
    found = {}
    for key, value in (("effects", "region^year"), ("weights", "pop")):
        study, panel = bd.study_of(frame, **KEYS, **{key: value})
        found[key] = bd.synergy(study, panel, errors="iid", draws=200)
    # shocks of regions are most of the noise
    assert found["effects"][SUM].sd < found["weights"][SUM].sd / 2
    assert {CELLS, CELLS_IID, IMPUTATION} <= set(found["effects"][SUM].models)
    said = [note.text for note in found["weights"].notes]
    assert any(text.endswith("every row counts once whatever its weight") for text in said)
    assert not any("whatever its weight" in note.text for note in found["effects"].notes)


def test_treated_rows_without_an_untreated_row_of_their_group_and_period_are_left_out():
    frame = made()
    frame.loc[(frame["region"] == "n") & frame["a_year"].isna(), "a_year"] = 2008.0
    every, rows = rows_of(frame), rows_of(frame, effects="region^year")
    region = frame.set_index("city")["region"].groupby("city").first()
    cell = pd.Series(region[every.design.units[every.design.unit_index]].to_numpy())
    cell += every.design.period_index.astype(str)
    late = ~pd.Series(every.state == "none").groupby(cell).transform("any")
    assert late.sum() >= 12
    assert every.design.n - rows.design.n == int(late.sum())
    texts = [note.text for note in rows.design.notes if note.name == "rows_without_control"]
    assert texts == [
        f"{int(late.sum())} treated rows are left out: no untreated row tells their effects of "
        "region^year, so that nothing is left to compare them with"
    ]
    assert not any(note.name == "rows_without_control" for note in every.design.notes)


def test_a_unit_seen_untreated_once_has_no_trend_to_compare_with():
    frame = made()
    frame.loc[frame["city"] == 0, "a_year"] = 2001.0
    rows = rows_of(frame, effects="city[year]")
    free = rows.state == "none"
    assert 0 in rows.design.units
    assert not ((rows.design.units[rows.design.unit_index] == 0) & ~free).any()
    assert told_by(rows.design, free).all()


def test_frequency_weights_are_refused_with_what_to_say():
    frame = made()
    frame["count"] = 2
    with pytest.raises(InputError, match=r"frequency weights.*analytic"):
        rows_of(frame, weights="count", weights_kind="frequency")


@pytest.mark.parametrize(
    ("family", "treatments"),
    slow_but([("cohort", ("active:a",)), ("overlap", ())], ("cohort", ("active:a",))),
)
def test_families_of_one_policy_and_of_several_take_effects_and_weights(family, treatments):
    """Their peers are least squares and imputation by pyfixest, with the same effects and weights.

    A cohort's cells equal them to rounding.
    """
    study, panel = bd.study_of(made(N=24), **KEYS, effects="region^year", weights="pop")
    base = study["did.1"]
    changes = {"family": family, "treatments": treatments, "options": {}}
    column = base.column.model_copy(update=changes)
    found = bd.analyse(study, dataclasses.replace(base, column=column), panel, draws=50)
    peers = [peer for peer in found.peers if np.isfinite(peer.tolerance)]
    assert len(peers) >= 3
    assert all(abs(peer.mean - peer.estimate) <= peer.tolerance for peer in peers)
    fitted = found.fit.bound
    assert fitted.model.weighted
    assert [one.text for one in fitted.design.further] == ["region^year"]
