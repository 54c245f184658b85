"""Individuals of groups: several rows of a unit in one period."""

import warnings

import numpy as np
import pandas as pd
import pyfixest
import pytest

import bayesdid as bd
from bayesdid.audit.sizes import observations
from bayesdid.design.build import build_design
from bayesdid.exceptions import InputError, NotIdentifiedError
from bayesdid.families.registry.load import load_study
from bayesdid.panel.validate import validate_panel
from bayesdid.published.columns import mapped_specs
from bayesdid.report.weights_results import row_states
from cells import slow_but
from smallest import study_with

G, T, M = 12, 6, 15
FLAT = {"priors": "flat", "draws": 200}
ONE_LINE = {"y": "y", "unit": "group", "time": "year", "policies": {"p": "on"}}


def raw(shock=0.5, seed=4):
    """12 groups in 6 years, 15 individuals each; half of the groups are treated from year 4 on."""
    rng = np.random.default_rng(seed)
    cell = np.repeat(np.arange(G * T), M)
    group, year = cell // T, cell % T
    on = ((group < G // 2) & (year >= 3)).astype(float)
    y = 1.0 * on + rng.normal(size=G)[group] + 0.2 * year
    y += shock * rng.normal(size=G * T)[cell] + rng.normal(size=len(cell))
    frame = pd.DataFrame({"group": group + 1, "year": 2001 + year, "on": on, "y": y})
    return frame.assign(x=rng.normal(size=len(frame)))


def feols(data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = pyfixest.feols("y ~ on | group + year", data, vcov="iid")
    return float(found.coef().iloc[0]), float(found.se().iloc[0])


@pytest.mark.parametrize("errors", slow_but([None, "iid_unit"], "iid_unit"))
def test_the_posterior_is_that_of_groups_not_of_rows(errors):
    """With cells of one size the estimate is least squares, of rows and of cells alike; its sd is
    that of cells, sqrt(1 + 15 x 0.25) = 2.2 times as wide as that of rows taken as independent.
    Scales of each group's own weigh groups a little: a tenth of an sd is allowed."""
    frame = raw()
    found = bd.did(frame, **ONE_LINE, repeated=True, errors=errors, **FLAT)
    tau = found.tree["posterior"]["tau"]
    (point, narrow), (same, wide) = (
        feols(frame),
        feols(frame.groupby(["group", "year"], as_index=False).mean()),
    )
    assert abs(point - same) < 1e-9
    sd, size = float(tau.std()), tau.size
    assert abs(float(tau.mean()) - point) < (5 / np.sqrt(size) + 0.1 * bool(errors)) * sd
    assert abs(point - 1.0) < 4 * wide
    assert 0.85 < sd / wide < 1.25  # scales are not known, 54 degrees of freedom
    assert sd > 1.7 * narrow
    if errors is None:
        assert found.tree.attrs["errors"] == "i.i.d."


def test_what_is_said_of_rows_and_groups():
    _, panel = bd.study_of(raw().iloc[1:], **ONE_LINE, repeated=True)
    text = {note.name: note.text for note in panel.notes}["repeated_rows"]
    assert text == (
        "1079 rows of individuals in 72 cells of group and year, 14 to 15 each: what is learnt of "
        "a policy comes from 12 groups (group), not from the number of rows"
    )
    assert panel.is_balanced
    assert "unbalanced" not in {note.name for note in panel.notes}


def test_cells_share_a_shock_unless_the_formula_has_one():
    study, panel = bd.study_of(raw(), "y ~ on + x | group + year", repeated=True)
    design = build_design(study["did.1"], panel)
    (own,) = design.further
    assert (own.kind, len(own.levels)) == ("random", G * T)
    text = {note.name: note.text for note in design.notes}["shared_shocks"]
    assert "individuals of one group and year share a random shock, random(group^year)" in text
    said, panel = bd.study_of(raw(), "y ~ x | group + year + group^year", repeated=True)
    other = build_design(said["did.1"], panel)
    assert [one.kind for one in other.further] == ["fixed"]
    assert "shared_shocks" not in {note.name for note in other.notes}


def test_serial_errors_are_refused_with_the_reason():
    with pytest.raises(InputError, match=r"two rows in one period.*no order in time.*iid"):
        bd.did(raw(), **ONE_LINE, repeated=True, errors="ar1", **FLAT)


def test_duplicates_are_refused_unless_they_are_said():
    with pytest.raises(InputError, match=r"duplicate group-year.*repeated = true"):
        bd.study_of(raw(), **ONE_LINE)
    once = raw().drop_duplicates(["group", "year"])
    with pytest.raises(InputError, match="no group has two rows in one year"):
        bd.study_of(once, **ONE_LINE, repeated=True)


def test_a_policy_is_that_of_the_group():
    frame = raw()
    frame.loc[5, "on"] = 1.0
    with pytest.raises(InputError, match=r"differs between rows of one group and year"):
        bd.study_of(frame, **ONE_LINE, repeated=True)
    study, panel = bd.study_of(frame, "y ~ on | group + year", repeated=True)
    assert build_design(study["did.1"], panel).n == len(frame)


def test_lags_are_those_of_groups():
    frame = raw()
    _, panel = bd.study_of(frame, "y ~ on + l(on, 1) | group + year", repeated=True)
    lagged = panel.frame[panel.frame["year"] > 2001]
    assert (lagged["l(on, 1)"] == ((lagged["on"] > 0) & (lagged["year"] > 2004))).all()
    with pytest.raises(InputError, match="rows of one group and year differ"):
        bd.study_of(frame, "y ~ on + l(x, 1) | group + year", repeated=True)


def test_the_order_of_rows_does_not_matter():
    frame = raw()
    mixed = frame.sample(frac=1.0, random_state=1)
    one, other = (bd.study_of(f, **ONE_LINE, repeated=True)[1] for f in (frame, mixed))
    assert one.sha256 == other.sha256


def test_synergy_takes_one_row_of_each_unit_and_period():
    with pytest.raises(InputError, match="average individuals by unit and period"):
        bd.synergy(*bd.study_of(raw(), **ONE_LINE, repeated=True))


def two_by_two(groups=2, each=60):
    """Individuals of `groups` groups in two periods, those of odd ones treated in the second."""
    rng = np.random.default_rng(6)
    found = pd.DataFrame({"group": np.repeat(np.arange(groups), 2 * each)})
    found["post"] = np.tile([0, 1], groups * each)
    found["D"] = (found["group"] % 2) * found["post"]
    found["x"] = rng.normal(size=len(found))
    found["y"] = 0.7 * found["D"] + found["group"] + rng.normal(size=len(found))
    return found


@pytest.mark.parametrize("formula", ["y ~ D + x | group + post", "y ~ group*post"])
def test_two_groups_in_two_periods_cannot_tell_their_shocks(formula):
    """Least squares beside it is what people run; two clusters and two units tell no more."""
    frame, keys = two_by_two(), {"unit": "group", "time": "post", "repeated": True}
    fit = bd.did(frame, formula, **keys, draws=60)
    text = fit.summary()
    assert "as many effects as cells of group and post: none is left to tell the shared" in text
    assert "no row clustered by group stands beside: 2 clusters" in text
    assert "and none by permutation: 2 units can be treated in too few ways" in text
    assert set(fit.beside().index.get_level_values("errors")) == {"iid (flat)"}
    regressors = np.column_stack(
        [np.ones(len(frame)), frame[["group", "post", "D"] + ["x"] * ("x" in formula)]]
    )
    own = np.linalg.lstsq(regressors, frame["y"], rcond=None)[0][3]
    assert fit.beside()["mean"].iloc[-1] == pytest.approx(own, rel=1e-8)
    with pytest.raises(NotIdentifiedError, match="no cell is left to tell the shock"):
        bd.did(frame, formula, **keys, priors="flat")


def test_more_groups_tell_their_shocks():
    study, panel = bd.study_of(two_by_two(3, 20), "y ~ D | group + post", repeated=True)
    assert "untold_shocks" not in {n.name for n in build_design(study["did.1"], panel).notes}


COLUMN = """
id = "t"
title = "T"
kind = "regression"
[[column]]
id = "1"
family = "FAMILY"
outcome = "y"
treatments = ["active:p"]
n = "1080"
[column.coefficients]
"active:p" = { estimate = "1.0", se = "0.1" }
"""


def folder(path, family):
    keys = "repeated = true\nunits = 12\nfirst_period = 2001\nlast_period = 2006\n"
    (path / "study.toml").write_text(study_with(keys, unit="group", policy='indicator = "on"'))
    (path / "t.toml").write_text(COLUMN.replace("FAMILY", family))
    return load_study(path)


def test_a_study_file_says_it_too(tmp_path):
    study = folder(tmp_path, "twfe")
    panel = validate_panel(raw(), study, source="a")
    design = build_design(study["t.1"], panel)
    assert design.n == G * T * M
    assert (row_states(design, panel) == np.where(design.D[:, 0] > 0, "only:p", "none")).all()
    assert [item for item in observations(study) if item is not None] == []
    _, left = mapped_specs(study, ["t.1:active:p"])
    assert "rows are individuals" in left["t.1"]


def test_families_of_one_row_each_are_refused(tmp_path):
    with pytest.raises(InputError, match="takes one row of each unit and period"):
        folder(tmp_path, "cohort")
