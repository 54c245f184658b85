"""A member gives every printed number, by least squares that share no code with the solver."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from refitted import refit

from bayesdid.exceptions import NotIdentifiedError
from bayesdid.families.registry.load import load_study
from bayesdid.panel.adoption import arm, sequence
from bayesdid.panel.validate import validate_panel
from bayesdid.reconstruct import member as member_module
from bayesdid.reconstruct import way
from bayesdid.reconstruct.compile import regression_of
from bayesdid.reconstruct.member import Task, make_member

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def study():
    return load_study(HERE / "towns")


@pytest.fixture(scope="module")
def member(study):
    return make_member(Task(study, 1, 0, (), "mended"))


@pytest.fixture(scope="module")
def panel(study, member):
    return validate_panel(member.frame, study, source="test", first_row=1)


def test_every_printed_estimate_is_what_dummies_give(study, panel):
    for spec in study.specs.values():
        found = refit(study, panel, spec)
        for name, cell in spec.column.coefficients.items():
            low, high = study.cell(f"{spec.id}:{name}").value.interval
            assert low <= found[name][0] <= high, (spec.id, name, cell)


def test_moments_and_bounds_are_the_printed_ones(study, panel):
    for row in study.tables["table1"].moments:
        if row.column not in panel.frame:
            continue
        x = panel.frame[row.column]
        for text, value in ((row.mean, x.mean()), (row.sd, x.std())):
            assert abs(value - float(text)) <= 0.0005
        assert x.min() == float(row.min)
        assert x.max() == float(row.max)


def test_standard_errors_are_kept_on_the_way_onto_estimates(study, member, monkeypatch):
    """As near again as where they do not count on the last way onto estimates and moments."""
    monkeypatch.setattr(way, "_KEPT", 1e-14)
    monkeypatch.setattr(way, "_TURNS", 1)
    lost = make_member(Task(study, 1, 0, (), "mended"))
    off = [
        np.median([c.beyond for c in one.checks if c.kind in {"se", "r2"}])
        for one in (member, lost)
    ]
    assert off[0] < off[1] / 2


def test_deaths_are_whole(panel):
    deaths = 100 * panel.frame["deaths"]
    assert abs(deaths - deaths.round()).max() < 1e-9


def test_the_design_is_the_stated_one(study, panel):
    assert arm(panel.adoption).value_counts().to_dict() == {"none": 12, "single": 10, "dual": 8}
    order = sequence(panel.adoption).value_counts()
    assert order["first:roads"] == order["first:belts"] == 4
    assert (panel.frame.groupby("town")["coast"].first() == "yes").sum() == 14  # n = 140
    both = panel.adoption.to_numpy(dtype=float, na_value=np.inf).max(axis=1)
    share = (panel.frame["year"].to_numpy().reshape(30, 10) >= both[:, None]).mean()
    assert 0.1125 <= share <= 0.1135


def test_standard_errors_are_near_the_printed_ones(member):
    near = [c.value / ((c.low + c.high) / 2) for c in member.checks if c.kind == "se"]
    assert max(abs(np.log(near))) < 0.25
    assert np.median(abs(np.log(near))) < 0.05


def test_a_member_is_stamped_and_says_its_seed(panel):
    assert "not the study's data" in panel.synthetic
    assert "seed 1, member 0" in panel.synthetic


def test_another_member_is_another_panel(study, member):
    other = make_member(Task(study, 1, 1, (), "mended")).frame
    assert not np.allclose(other["deaths"], member.frame["deaths"], atol=0.2)
    assert not other["roads_year"].equals(member.frame["roads_year"])


def test_what_is_held_out_is_compared_but_not_held_to(study, member):
    without = make_member(Task(study, 1, 0, ("table2.3",), "mended"))
    held = {check.cell: check.held for check in without.checks}
    assert not held["table2.3:active:roads"]
    assert held["table2.1:both"]
    cell = next(c for c in without.checks if c.cell == "table2.3:active:roads")
    assert cell.misses > 1  # it is not met by accident
    assert max(c.misses for c in without.checks if c.held and c.kind == "estimate") == 0


def test_slopes_are_those_of_small_changes(study, panel):
    rng = np.random.default_rng(0)
    spec = study["table2.2"]
    regression = regression_of(spec, panel, ("deaths", "income"), False)
    columns = {k: panel.frame[k].to_numpy(float) for k in ("deaths", "income")}
    step = {k: rng.standard_normal(len(v)) for k, v in columns.items()}
    fit, eps = regression.estimate(columns), 1e-6
    up, down = (
        regression.estimate({k: v + s * eps * step[k] for k, v in columns.items()}) for s in (1, -1)
    )
    factors = (regression.outcome, *regression.regressors)
    for name in (*regression.names, "constant", "r2"):
        for kind in ("estimate", "se") if name != "r2" else ("r2",):
            by_y, by_Z = fit.slope(name, kind)
            change = sum(
                float(slope @ (one.fixed * step[one.column][one.rows]))
                for one, slope in zip(factors, (by_y, *by_Z), strict=True)
                if one.column is not None
            )
            wanted = (up.value(name, kind) - down.value(name, kind)) / (2 * eps)
            assert change == pytest.approx(wanted, rel=1e-5, abs=1e-8), (name, kind)


def test_a_real_panel_keeps_all_but_its_outcome(study, panel, member):
    known = dataclasses.replace(panel, synthetic=None)
    other = make_member(Task(study, 5, 0, (), "mended", known))
    assert np.array_equal(other.frame["income"], panel.frame["income"])
    assert not np.allclose(other.frame["deaths"], panel.frame["deaths"], atol=0.1)
    again = validate_panel(_with_starts(other.frame, panel), study, source="test", first_row=1)
    found = refit(study, again, study["table2.2"])
    assert found["both"][0] == pytest.approx(-0.523, abs=0.0005)


def _with_starts(frame, panel):
    starts = {
        f"{p}_year": panel.adoption[p].reindex(frame[panel.unit]).to_numpy() for p in panel.policies
    }
    return frame.assign(**starts)


def test_other_designs_are_drawn_only_where_the_first_cannot_give_the_estimates(monkeypatch):
    study = load_study(Path(__file__).parent / "towns")

    def drawn(task, again=0):
        if again == 1:
            raise NotIdentifiedError("no")
        return [f"{again}.{k}" for k in range(3)]

    def asked(missed, reading="mended"):
        monkeypatch.setattr(member_module, "starts", drawn)
        tried, names = [], []
        for start in member_module._in_turn(Task(study, 1, 0, (), reading), tried):
            names.append(start)
            tried.append(((missed.get(start, 0.3), 9.0), start, None))
        return names

    own = ["0.0", "0.1", "0.2"]
    assert asked({"0.1": 0.0}) == own
    assert asked({}) == [*own, "2.0", "3.0"]
    assert asked({"2.0": 0.0}) == [*own, "2.0"]
    assert asked({}, "printed") == own

    def unidentified(task, again=0):
        if again < 2:
            raise NotIdentifiedError("no")
        return drawn(task, again)

    monkeypatch.setattr(member_module, "starts", unidentified)
    assert list(
        member_module._in_turn(Task(study, 1, 0, (), "mended"), [((0.0, 9.0), "", None)])
    ) == ["2.0", "2.1", "2.2"]
    monkeypatch.setattr(member_module, "_REFUSED", 1)
    with pytest.raises(NotIdentifiedError):
        list(member_module._in_turn(Task(study, 1, 0, (), "mended"), []))
