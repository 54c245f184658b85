"""What is left out of a design: judged by what varies within units, and always said."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

import bayesdid as bd
from bayesdid.design.build import build_design
from bayesdid.exceptions import NotIdentifiedError


@pytest.fixture(scope="module")
def study(studies):
    return bd.load_study(studies / "small")


@pytest.fixture(scope="module")
def panel(study):
    return bd.simulate_panel(study)


def with_column(panel, **columns):
    return dataclasses.replace(panel, frame=panel.frame.assign(**columns))


def spec_of(study, *covariates):
    spec = study["t2.factorial"]
    column = spec.column.model_copy(update={"covariates": covariates})
    return dataclasses.replace(spec, column=column)


def within(design):
    """Least squares on dummies, treatments and covariates: coefficients and residual df."""
    units = pd.get_dummies(design.unit_index).to_numpy(float)
    periods = pd.get_dummies(design.period_index).to_numpy(float)[:, 1:]
    Z = design.regressors - design.regressors.mean(axis=0)
    return np.linalg.lstsq(np.hstack([Z, units, periods]), design.y)[0]


@pytest.mark.parametrize("level", [1e4, 1e6, 1e9])
def test_a_level_does_not_hide_what_moves_within(study, panel, level):
    """A covariate of any level has the coefficients of the same one without it."""
    rng = np.random.default_rng(1)
    move = 30 * rng.normal(size=len(panel.frame))
    unit = pd.factorize(panel.frame[panel.unit])[0]
    y = panel.frame["y"] + 0.01 * move
    plain = build_design(spec_of(study, "pop"), with_column(panel, y=y, pop=move))
    high = level * (1 + unit) + move
    design = build_design(spec_of(study, "pop"), with_column(panel, y=y, pop=high))
    assert design.covariates == ("pop",)
    K = len(design.names)
    # a double of 1e11 holds the moves to 2e-5, of 30: relative 5e-7 of a coefficient
    np.testing.assert_allclose(within(design)[:K], within(plain)[:K], rtol=1e-5)
    noted = any(note.name == "level_taken_out" for note in design.notes)
    assert noted == (level > 1e4)


@pytest.mark.parametrize("kind", ["constant in time", "common to units", "their sum", "twice x"])
def test_what_adds_nothing_is_left_out_and_said(study, panel, kind):
    unit = pd.factorize(panel.frame[panel.unit])[0] / 3
    period = np.sqrt(panel.frame[panel.period])
    columns = {
        "constant in time": unit,
        "common to units": period,
        "their sum": 1e6 * unit + period,
        "twice x": 2 * panel.frame["x"],
    }
    design = build_design(spec_of(study, "x", "z"), with_column(panel, z=columns[kind]))
    assert design.covariates == ("x",)
    (note,) = [note for note in design.notes if note.name == "collinear_covariates"]
    assert note.text.endswith("as collinear: z")


def test_a_constant_outcome_is_refused(study, panel):
    with pytest.raises(NotIdentifiedError, match="the outcome is constant in this sample"):
        build_design(study["t2.factorial"], with_column(panel, y=3.0))


def test_an_outcome_that_effects_explain_is_refused(study, panel):
    y = 7.0 * pd.factorize(panel.frame[panel.unit])[0] + panel.frame[panel.period]
    with pytest.raises(NotIdentifiedError, match="does not vary beyond unit and period effects"):
        build_design(study["t2.factorial"], with_column(panel, y=y))
