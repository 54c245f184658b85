"""Columns that the others do not predict: none in the shipped study, the planted misprint alone."""

from dataclasses import replace

import pytest

from bayesdid.audit import prediction
from bayesdid.audit.prediction import predicted
from bayesdid.families.registry.load import load_study
from bayesdid.study.load import Study, assemble_study


@pytest.fixture(scope="module")
def dual(models):
    return load_study(models / "dual_pilot")


def misprinted(study: Study, column: str, estimate: str) -> Study:
    """The study with another estimate of both in a column of Table 2."""
    table = study.tables["table2"]
    columns = []
    for item in table.column:
        cells = dict(item.coefficients)
        if item.id == column:
            cells["both"] = cells["both"].model_copy(update={"estimate": estimate})
        columns.append(item.model_copy(update={"coefficients": cells}))
    other = table.model_copy(update={"column": tuple(columns)})
    return assemble_study(study.path, study.file, {**study.tables, "table2": other}, study.claims)


def test_the_shipped_study_is_consistent(dual):
    assert list(predicted(dual)) == [None] * 9


@pytest.mark.parametrize(("column", "estimate"), [("6", "-0.883"), ("2", "-0.955")])
def test_a_planted_misprint_is_found_and_it_alone(dual, column, estimate):
    """Digits changed in one cell: the others, which it helps to predict, are not accused."""
    (finding,) = (item for item in predicted(misprinted(dual, column, estimate)) if item)
    assert finding.place == f"table2.{column}:both"
    assert finding.severity == "warning"
    assert finding.left == float(estimate)
    assert finding.right_interval[0] > finding.left_interval[1]
    assert finding.miss == pytest.approx(
        finding.right_interval[0] - finding.left_interval[1], abs=1e-9
    )
    for word in ("who adopted when", "time paths", "covariates"):
        assert any(word in text for text in finding.assumptions)
    assert f"prints {estimate}; the other 8 coefficients together predict" in finding.text


def test_nothing_is_said_where_the_timing_is_unknown_or_nothing_is_spare(dual, models, monkeypatch):
    design = dual.file.design
    untold = design.model_copy(update={"timing": type(design.timing)()})
    study = replace(dual, file=dual.file.model_copy(update={"design": untold}))
    assert list(predicted(study)) == []
    for name in ("castle_doctrine", "traffic_laws"):
        assert list(predicted(load_study(models / name))) == []
    monkeypatch.setattr(prediction, "_LEAST", 10)
    assert list(predicted(dual)) == []
