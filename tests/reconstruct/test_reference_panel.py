"""The panel that ships with dual_pilot gives what the paper prints: least squares with dummies."""

import json

import numpy as np
import pandas as pd
import pytest
from in_space import fitted_in_space
from refitted import refit

from bayesdid.digest import file_digest
from bayesdid.families.registry.load import load_study
from bayesdid.jsonio import read_sealed
from bayesdid.panel.adoption import arm, sequence
from bayesdid.panel.load import load_panel
from bayesdid.reconstruct.compile import held_columns
from bayesdid.reconstruct.unsaid import yardsticks

FLIPPED = {"table6.2:TI", "table6.4:IU"}  # signs that contradict the other columns


@pytest.fixture(scope="module")
def study(models):
    return load_study(models / "dual_pilot")


@pytest.fixture(scope="module")
def panel(study):
    return load_panel(study)


def interval(study, cell):
    low, high = study.cell(cell).value.interval
    return (-high, -low) if cell in FLIPPED else (low, high)


def test_it_is_small_stamped_and_the_design_is_the_printed_one(study, panel):
    assert (study.path / "reference_panel.parquet").stat().st_size < 1_000_000
    assert "not the study's data; the places are real, their numbers are not" in panel.synthetic
    assert arm(panel.adoption).value_counts().to_dict() == {"none": 102, "single": 79, "dual": 37}
    order = sequence(panel.adoption).value_counts()
    assert (order["first:innovation"], order["first:smart"]) == (16, 18)
    deaths = 100 * panel.frame["safety"]
    assert abs(deaths - deaths.round()).max() < 1e-9


def test_ordinary_columns(study, panel):
    held, _ = held_columns(study)
    count = 0
    for spec in held.values():
        if spec.column.family != "twfe":
            continue
        found = refit(study, panel, spec, pooled=spec.id == "table2.1")
        for name in spec.column.coefficients:
            low, high = interval(study, f"{spec.id}:{name}")
            assert low <= found[name][0] <= high, (spec.id, name, found[name][0])
            count += 1
    assert count == 99


def residual(frame, names):
    """What city and year dummies leave, by least squares."""
    dummies = pd.get_dummies(frame[["city", "year"]].astype(str), dtype=float).to_numpy()
    values = frame[list(names)].to_numpy(float)
    return values - dummies @ np.linalg.lstsq(dummies, values, rcond=None)[0]


def test_instrument_and_matched_sample(study, panel):
    frame = pd.read_parquet(study.path / "reference_panel.parquet")
    controls = list(study["table2.2"].column.covariates)
    late = frame[["innovative_year", "smart_year"]].max(axis=1, skipna=False)
    frame = frame.assign(both=(frame["year"] >= late).astype(float))
    left = residual(frame, ["safety", "both", "colleges", *controls])
    y, d, z, X = left[:, 0], left[:, 1], left[:, 2], left[:, 3:]
    y, d, z = (v - X @ np.linalg.lstsq(X, v, rcond=None)[0] for v in (y, d, z))
    low, high = interval(study, "table4.1:colleges")
    assert low <= z @ d / (z @ z) <= high
    low, high = interval(study, "table4.2:both")
    assert low <= z @ y / (z @ d) <= high
    matched = frame[frame["matched_table4_3"] == 1]
    assert len(matched) == 956
    left = residual(matched, ["safety", "both", *controls])
    b = np.linalg.lstsq(left[:, 1:], left[:, 0], rcond=None)[0]
    low, high = interval(study, "table4.3:both")
    assert low <= b[0] <= high
    assert panel.synthetic == frame["synthetic"].iloc[0]


@pytest.mark.parametrize("place", ["table7.1", "table7.2"])
def test_spatial_columns_by_maximum_likelihood(study, panel, place):
    """Economic-geographic weights, and inverse squared distances."""
    found = fitted_in_space(study, panel, place)["estimate"]
    for name, cell in (("both", f"{place}:both"), ("W both", f"{place}:W:both")):
        low, high = interval(study, cell)
        assert low - 1e-6 <= found[name] <= high + 1e-6, (name, found[name])
    printed = float(study.cell(f"{place}:rho").value)  # which is aimed at
    assert abs(found["rho"] - printed) < 0.15, found["rho"]


def test_the_printed_error_of_the_neighbours_tells_the_weights(study, panel):
    """Weights of like cities give a quarter of it: a row of them is of few neighbours."""
    printed = float(study.cell("table7.1:W:both.se").value)
    share, like = (
        fitted_in_space(study, panel, "table7.1", weights)["se"]["W both"] / printed
        for weights in ("economic_geographic", "like_cities")
    )
    assert (round(share, 2), round(like, 2)) == (1.22, 0.27)  # docs/reconstruct.md


def test_moments_and_bounds(study, panel):
    raw = pd.read_parquet(study.path / "reference_panel.parquet")
    for row in study.tables["table1"].moments:
        if row.column not in raw:
            continue
        x = raw[row.column]
        for text, value in ((row.mean, x.mean()), (row.sd, x.std()), (row.min, x.min())):
            assert abs(value - float(text)) <= 0.0005 + 1e-12, row.column
        assert x.max() == float(row.max)


def test_what_is_said_of_all_members_is_about_this_file(study):
    facts = read_sealed(study.path / "reference.json")
    assert facts["panel"][1] == file_digest(study.path / "reference_panel.parquet")
    assert facts["met"] == facts["held"] == 127
    assert "synthetic" in facts["synthetic"]
    names = [
        one["name"] for one in facts["synergy"]["contrasts"]["both - sum of singles"]["choices"]
    ]
    assert names == ["errors", "effects", "time", "clustering"]
    assert json.dumps(facts).count("not the study's data") >= 1


def test_what_the_tables_determine_is_the_same_at_wider_thresholds(study):
    told = read_sealed(study.path / "reference.json")["unsaid"]
    se = float(study.cell("table2.2:both.se").value)
    limits = yardsticks({one["name"]: one["median"] for one in told}, se)
    wide = [(one["high"] - one["low"]) / limits[one["name"]] for one in told]
    assert [one["determined"] for one in told] == [False] * 6
    assert round(min(wide), 1) == 1.9  # docs/reconstruct.md
