"""Models beside the headline: imputation, differences of columns, slopes of covariates."""

import dataclasses

import diff_diff
import numpy as np
import pytest
from made import make_panel, make_study, staggered

from bayesdid.design.overlap import overlap_design
from bayesdid.estimands.beside import (
    CELLS,
    CELLS_CLUSTERED,
    COLUMNS,
    HEADLINE,
    IMPUTATION,
    ModelSays,
    state_shares,
)
from bayesdid.estimands.deciding import deciding as _alert
from bayesdid.estimands.gls import Scalars
from bayesdid.estimands.imputation import imputed_moments
from bayesdid.estimands.names import SUM
from bayesdid.estimands.row_weights import contrast_weights
from bayesdid.estimands.saturated import cell_moments, saturated_moments
from bayesdid.estimands.state_columns import state_columns
from bayesdid.estimands.state_effects import state_averages
from bayesdid.estimands.synergy import headline_spec, synergy
from bayesdid.model.overlap import overlap_pooling
from bayesdid.summary import normal_interval

COLUMN = {"id": "o", "outcome": "y", "family": "overlap"}


def effect(s, t):
    alone = [-0.1 * (t - start + 1) if t >= start else 0.0 for start in s]
    return sum(alone) - 0.3 * all(t >= start for start in s)


def made(seed=3, *, N=60, covariate=0.0, **options):
    """Two policies; with `covariate`, one whose slope is that much larger in treated rows."""
    frame, adoption = staggered(seed, N=N, policies=("a", "b"), effect=effect, **options)
    column = dict(COLUMN)
    if covariate:
        x = np.random.default_rng(seed).standard_normal(len(frame))
        first = adoption.min(axis=1).reindex(frame["unit"]).to_numpy(float, na_value=np.inf)
        on = frame["period"].to_numpy() >= first
        frame["x"] = x + 0.5 * on
        frame["y"] += frame["x"] * (0.4 + covariate * on)
        column["covariates"] = ["x"]
    return make_study(columns=[column]), make_panel(frame, adoption)


def weights_of(rows):
    averages, _ = state_averages(rows, overlap_pooling(rows))
    found = {name: contrast_weights(name, rows, item) for name, item in averages.items()}
    return {name: w for name, w in found.items() if w is not None}


def test_imputation_of_one_policy_is_that_of_another_package():
    frame, adoption = staggered(2, N=60, effect=lambda s, t: -0.1 * t * (t >= s[0]))
    study = make_study(("a",), [{"id": "c", "outcome": "y", "family": "cohort"}])
    panel = make_panel(frame, adoption)
    rows = overlap_design(study["t.c"], panel)
    (mine,) = imputed_moments(rows, weights_of(rows)).values()
    first = adoption["a"].fillna(0).astype(int).reindex(frame["unit"]).to_numpy()
    found = diff_diff.ImputationDiD(aux_partition="horizon").fit(
        frame.assign(first=first), outcome="y", unit="unit", time="period", first_treat="first"
    )
    assert mine.mean == pytest.approx(found.overall_att, abs=1e-9)
    assert mine.sd == pytest.approx(found.overall_se, rel=1e-6)


def test_imputation_is_a_functional_that_is_blind_to_unit_and_period_effects():
    study, panel = made(3)
    rows = overlap_design(headline_spec(study), panel)
    item = imputed_moments(rows, weights_of(rows))[SUM]
    assert item.weights @ rows.design.y == pytest.approx(item.mean, abs=1e-9)
    rng = np.random.default_rng(0)
    unit, period = rng.standard_normal(1000), rng.standard_normal(1000)
    nothing = unit[rows.design.unit_index] + period[rows.design.period_index]
    assert item.weights @ nothing == pytest.approx(0.0, abs=1e-9)


def test_slopes_of_untreated_rows_are_named_with_what_they_change():
    """A covariate whose slope is larger in treated rows, and which is larger there."""
    study, panel = made(5, covariate=0.6)
    rows = overlap_design(headline_spec(study), panel)
    weights = weights_of(rows)
    own = imputed_moments(rows, weights)[SUM]
    # the slope of all rows, by least squares with a dummy for everything
    design = rows.design
    cell, _ = rows.cells()
    dummies = [design.unit_index, design.period_index + 1000, np.where(cell >= 0, cell + 2000, -1)]
    columns = [d == k for d in dummies for k in np.unique(d) if k >= 0]
    Z = np.column_stack([design.X, *columns]).astype(float)
    slope = np.linalg.lstsq(Z, design.y, rcond=None)[0][0]
    bare = dataclasses.replace(
        design, y=design.y - slope * design.X[:, 0], X=design.X[:, :0], covariates=()
    )
    pooled = imputed_moments(dataclasses.replace(rows, design=bare), weights)[SUM]
    assert own.slopes == pytest.approx(pooled.mean - own.mean, abs=1e-8)
    assert abs(own.slopes) > 0.03
    found = synergy(study, panel, draws=250, chains=2)
    assert found[SUM].models[IMPUTATION].mean == pytest.approx(own.mean)
    (note,) = [note.text for note in found.notes if note.name == "covariate_slopes"]
    assert f"{SUM} is {own.mean - pooled.mean:+.3f} away" in note


def test_columns_are_regressions_of_their_samples():
    study, panel = made(7, covariate=0.3)
    rows = overlap_design(headline_spec(study), panel)
    columns, design = state_columns(rows), rows.design
    adopts = np.isfinite(rows.start)
    for state, wanted in (("both", [1, 1]), ("only:a", [1, 0]), ("only:b", [0, 1])):
        sample = (adopts == wanted).all(axis=1) | ~adopts.any(axis=1)
        on = rows.both if state == "both" else rows.state == state
        dummies = [design.unit_index, design.period_index + 1000]
        Z = np.column_stack([on, design.X, *(d == k for d in dummies for k in np.unique(d))])
        b = np.linalg.lstsq(Z[sample].astype(float), design.y[sample], rcond=None)[0]
        assert columns.estimate[state] == pytest.approx(b[0], abs=1e-8)
        assert columns.weights[state] @ design.y == pytest.approx(b[0], abs=1e-8)
        assert not columns.weights[state][~sample].any()


def test_the_bias_of_columns_is_their_error_at_the_effects():
    """With little noise the difference is off by its functional of the planted effects."""
    study, panel = made(9, N=120, sigma=0.05)
    rows = overlap_design(headline_spec(study), panel)
    planted = np.array(
        [
            effect(start, t)
            for start, t in zip(
                rows.start, rows.design.periods[rows.design.period_index], strict=True
            )
        ]
    )
    mean, sd, w = state_columns(rows).contrast(state_shares(rows.policies)[SUM])
    bias = w @ planted + 0.3
    assert abs(bias) > 0.05
    assert mean + 0.3 == pytest.approx(bias, abs=4 * sd)
    says = synergy(study, panel, draws=250, chains=2)[SUM]
    assert says.models[COLUMNS].bias == pytest.approx(bias, abs=4 * says.sd)


def test_shares_of_columns():
    assert state_shares(("a", "b"))[SUM] == {"both": 1.0, "only:a": -1.0, "only:b": -1.0}
    assert state_shares(("a", "b"))["both - only:b"] == {"both": 1.0, "only:b": -1.0}
    assert "first:a - first:b vs none" not in state_shares(("a", "b"))


def says(mean, sd, p):
    return ModelSays(mean, sd, normal_interval(mean, sd), p, "")


def test_alerts_name_what_decides():
    """Half a posterior sd or the other side of .95 without pooling; a clustered sd by errors."""
    main = says(-0.3, 0.1, 0.97)
    models = {HEADLINE: main, CELLS: says(-0.3, 0.1, 0.97), CELLS_CLUSTERED: says(-0.3, 0.2, 0.9)}
    assert _alert(models) == ""
    assert "0.6 posterior sds away" in _alert(models | {CELLS: says(-0.36, 0.1, 0.97)})
    assert "0.94" in _alert(models | {CELLS: says(-0.3, 0.2, 0.94)})
    assert _alert(models | {CELLS: says(-0.34, 0.1, 0.97)}) == ""
    apart = _alert(models | {CELLS_CLUSTERED: says(-0.55, 0.2, 0.99)})
    assert apart.startswith("The errors matter: the same cells by least squares are -0.550")
    assert _alert(models | {CELLS_CLUSTERED: says(-0.45, 0.2, 0.99)}) == ""


def test_cells_under_the_same_errors_are_generalised_least_squares():
    """With errors of one scale and no autocorrelation they are the cells by least squares."""
    study, panel = made(4)
    rows = overlap_design(headline_spec(study), panel)
    weights = weights_of(rows)
    N = len(rows.design.units)
    same = cell_moments(rows, weights, Scalars(np.full(N, 0.3), 0.0, np.inf, np.inf, {}))
    plain = saturated_moments(rows, weights)
    assert same[SUM][0] == pytest.approx(plain[SUM][0], abs=1e-8)
    ratio = same[SUM][1] / plain[SUM][1]
    sigma = np.sqrt(0.3**2) / ratio
    assert sigma == pytest.approx(0.3, rel=0.1)  # the planted one, estimated by the other
