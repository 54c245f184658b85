"""Samples of a window of periods, without some units, of units seen in both states."""

import warnings

import numpy as np
import pandas as pd
import pyfixest
import pytest

import bayesdid as bd
from bayesdid.audit.sizes import groups, observations
from bayesdid.design.build import build_design
from bayesdid.exceptions import InputError, NotIdentifiedError
from bayesdid.families.registry.load import load_study
from bayesdid.panel.validate import validate_panel
from bayesdid.published.columns import mapped_specs
from bayesdid.published.functional import sample_units
from bayesdid.published.timing import Timing
from smallest import study_with

FLAT = {"errors": "iid", "priors": "flat", "draws": 100}
LABELS = """units = 8
first_period = 2001
last_period = 2008
[panel.unit_labels]
u1 = "Ohio"
"""
GROUP = """
[[group]]
column = "region"
label = "Region"
levels = { a = "A", b = "B" }
"""


def study_of(folder, *samples, more="", after=GROUP):
    columns = [
        f'[[column]]\nid = "{k}"\noutcome = "y"\ntreatments = ["active:p"]\nsample = {{ {sample} }}'
        f"\n{more}"
        for k, sample in enumerate(samples)
    ]
    (folder / "study.toml").write_text(
        study_with(LABELS, after, unit="id", policy='indicator = "on"')
    )
    (folder / "t.toml").write_text(
        'id = "t"\ntitle = "T"\nkind = "regression"\n' + "\n".join(columns)
    )
    return load_study(folder)


def raw(periods=range(2001, 2009)):
    """Eight units; five adopt between the third and the seventh period, two never, one always."""
    frame = pd.DataFrame({"id": np.repeat([f"u{k}" for k in range(8)], 8)})
    step = np.tile(np.arange(8), 8)
    unit = np.repeat(np.arange(8), 8)
    start = np.array([2, 3, 4, 5, 6, 99, 99, -1])
    rng = np.random.default_rng(2)
    frame["year"] = np.array(list(periods), dtype=object)[step]
    frame["step"] = step
    frame["on"] = (step >= start[unit]).astype(float)
    frame["y"] = 1.5 * frame["on"] + unit + 0.3 * step + 0.1 * rng.normal(size=64)
    frame["region"] = np.where(unit < 4, "a", "b")
    return frame


def told(design):
    return {note.name: note.text for note in design.notes}


def test_a_window_is_that_of_feols_on_these_rows(tmp_path):
    study = study_of(tmp_path, "first = 2003, last = 2006", 'without = ["Ohio", "u5"]')
    panel = validate_panel(raw(), study, source="a")
    frame = raw()
    inside = frame[frame["year"].between(2003, 2006)]
    rest = frame[~frame["id"].isin(["u1", "u5"])]
    for spec, own in (("t.0", inside), ("t.1", rest)):
        found = bd.fit(study[spec], panel, **FLAT).tree["posterior"]["tau"]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            want = float(pyfixest.feols("y ~ on | id + year", own, vcov="iid").coef().iloc[0])
        assert abs(float(found.mean()) - want) < 5 * float(found.std()) / np.sqrt(400)
        assert abs(want - 1.5) < 0.2
    window, fewer = (build_design(study[name], panel) for name in ("t.0", "t.1"))
    assert window.n == len(inside) == 32
    assert window.periods.tolist() == [2003, 2004, 2005, 2006]
    assert told(window)["outside_window"] == (
        "32 rows are outside the sample's window (from 2003 to 2006) and are left out"
    )
    assert fewer.n == len(rest) == 48
    assert told(fewer)["units_left_out"] == "2 units (16 rows) are left out by name: u1, u5"


def test_switchers_are_units_of_both_states_in_the_window(tmp_path):
    study = study_of(
        tmp_path,
        "switchers = true",
        "first = 2003, last = 2005, switchers = true",
        "last = 2002, switchers = true",
    )
    panel = validate_panel(raw(), study, source="a")
    whole, window = (build_design(study[name], panel) for name in ("t.0", "t.1"))
    assert whole.units.tolist() == ["u0", "u1", "u2", "u3", "u4"]
    assert told(whole)["no_switchers"] == (
        "3 units (24 rows) have no rows both with and without the treatment and are left out "
        "(switchers)"
    )
    assert window.units.tolist() == ["u1", "u2"]
    with pytest.raises(NotIdentifiedError, match="no unit of the sample has rows both with and"):
        build_design(study["t.2"], panel)


def test_a_state_that_only_incomplete_rows_show_is_not_seen(tmp_path):
    study = study_of(tmp_path, "switchers = true")
    frame = raw()
    frame.loc[(frame["id"] == "u4") & (frame["on"] > 0), "y"] = np.nan
    design = build_design(study["t.0"], validate_panel(frame, study, source="a"))
    assert design.units.tolist() == ["u0", "u1", "u2", "u3"]


@pytest.mark.parametrize(
    ("sample", "steps"),
    [
        ('first = "2010q3"', range(2, 8)),
        ('last = "Q22011"', range(6)),
        ("first = 2011", range(4, 8)),
        ("last = 2010", range(4)),
        ('first = "2009q1"', range(8)),
    ],
)
def test_a_bound_is_a_period_as_typed_or_a_year(tmp_path, sample, steps):
    study = study_of(tmp_path, sample)
    quarters = [f"{2010 + k // 4}q{k % 4 + 1}" for k in range(8)]
    panel = validate_panel(raw(quarters), study, source="a")
    design = build_design(study["t.0"], panel)
    assert [panel.timeline.label(p) for p in design.periods] == [quarters[k] for k in steps]


def test_a_bound_between_two_waves_takes_the_waves_inside(tmp_path):
    study = study_of(tmp_path, "first = 2004, last = 2010")
    panel = validate_panel(raw(range(2001, 2017, 2)), study, source="a")
    design = build_design(study["t.0"], panel)
    assert [panel.timeline.label(p) for p in design.periods] == ["2005", "2007", "2009"]


def test_what_the_panel_does_not_have_is_refused(tmp_path):
    study = study_of(
        tmp_path, 'first = "2003q1"', 'without = ["Ohoi"]', "first = 2008, last = 2003"
    )
    panel = validate_panel(raw(), study, source="a")
    with pytest.raises(InputError, match=r"first is no period of this panel.*2003q1.*2001"):
        build_design(study["t.0"], panel)
    with pytest.raises(InputError, match=r"does not have.*did you mean 'Ohio'"):
        build_design(study["t.1"], panel)
    with pytest.raises(NotIdentifiedError, match="the window of periods"):
        build_design(study["t.2"], panel)


def test_a_true_bound_is_no_period(tmp_path):
    with pytest.raises(InputError, match="first"):
        study_of(tmp_path, "first = true")


def test_what_a_chosen_sample_estimates_is_not_read_from_policies_alone(tmp_path):
    cell = '[column.coefficients]\n"active:p" = { estimate = "1.5", se = "0.1" }\n'
    study = study_of(tmp_path, "first = 2003", "switchers = true", "", more=cell)
    taken, left = mapped_specs(study, ["t.2:active:p"])
    assert taken == ["t.2"]
    assert set(left.values()) == {"a window of periods, or units chosen by name or state"}
    timing = Timing(("p",), np.array([[2004.0], [np.inf]]), np.arange(2001.0, 2009.0))
    with pytest.raises(InputError, match="does not follow from who adopted when"):
        sample_units(study["t.0"], timing)
    assert sample_units(study["t.2"], timing).all()


@pytest.mark.parametrize(
    ("sample", "n", "contradicts"),
    [
        ("first = 2003, last = 2006", 32, False),
        ("first = 2003, last = 2006", 40, True),
        ("first = 2003, last = 2006", 28, True),
        ('without = ["Ohio"]', 56, False),
        ('without = ["Ohio", "u1"]', 56, False),
        ('without = ["Ohio"]', 64, True),
        ('without = ["Ohio"]', 48, True),
        ("switchers = true", 40, False),
        ("switchers = true", 37, False),
        ("switchers = true", 65, True),
        ('first = "2003 or so"', 41, False),
        ('first = "2003 or so"', 65, True),
        ('arms = ["single"], without = ["u2"]', 40, False),
    ],
)
def test_the_audit_counts_windows_and_units_left_out(tmp_path, sample, n, contradicts):
    study = study_of(tmp_path, "", sample)
    for spec, size in (("t.0", 64), ("t.1", n)):
        object.__setattr__(study[spec].column, "n", str(size))
        object.__setattr__(study[spec].column, "rows", "all")
    found = [item for item in observations(study) if item is not None]
    assert bool(found) == contradicts
    assert all(item.place == "t.1:n" for item in found)


def test_groups_on_a_window_need_not_add_up(tmp_path):
    samples = [f'groups = {{ region = ["{k}"] }}, first = 2003' for k in "ab"]
    study = study_of(tmp_path, *samples)
    for spec in study.specs.values():
        object.__setattr__(spec.column, "n", "24")
        object.__setattr__(spec.column, "rows", "all")
    assert [item for item in groups(study) if item is not None] == []
