"""``bayesdid design`` from a plan, a study and a panel file; what it refuses."""

import json

import pytest
from typer.testing import CliRunner

from bayesdid.checks.design_analysis import design_analysis
from bayesdid.checks.planned import Plan
from bayesdid.cli.app import app
from bayesdid.exceptions import InputError

PLAN = ["--none", "9", "--first", "8", "--periods", "6", "--start", "3"]
ERRORS = ["--sd", "1.5", "--phi", "0.4"]


def run(*arguments):
    return CliRunner().invoke(app, ["design", *arguments])


def test_a_plan_is_that_of_the_function():
    found = json.loads(
        run(*PLAN, *ERRORS, "--effect", "0.7", "--prior", "0.2,0.1", "--json").stdout
    )
    own = design_analysis(
        Plan(9, 8, periods=6, start=3).design, effect=0.7, sd=1.5, phi=0.4, prior=(0.2, 0.1)
    )
    (row,) = found["analysis"]["table"]
    assert row == pytest.approx(own.table.iloc[0].to_dict())
    assert found["analysis"]["sentences"] == own.sentences
    shown = run(*PLAN, *ERRORS).stdout
    assert shown.startswith("before data: 102 rows, 17 units, 6 periods; errors: sd 1.5")
    assert "smallest effect seen with probability 0.8" in shown


def test_a_study_and_a_panel_file_are_read(models, root):
    shown = run(str(models / "traffic_laws"), "--phi", "0.5", "--sd", "2").stdout
    assert "48 units" in shown
    assert "active:perse" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing to analyse"),
        (["--none", "3"], "a plan without --first"),
        ([*PLAN, "models/x"], "describes a panel that there is"),
        ([*PLAN, *ERRORS, "--prior", "1"], "a prior is MEAN,SD"),
        (["--panel", "p.csv", "--formula", "y ~ D | u + t", "--spec", "s"], "is about a study"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, message):
    found = run(*arguments)
    assert isinstance(found.exception, InputError)
    assert message in str(found.exception)
