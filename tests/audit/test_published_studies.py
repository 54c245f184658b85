"""Tables typed as they stand from open texts: nothing is found, and a misprint would be.

`drunk_driving_laws` is Stock & Watson's Table 10.1 as an open textbook prints it (three kinds of
policies; right answer: nothing to report); `minimum_wage_counties` is the README of the R package
did; `medicaid_expansions` the solutions of a public course. Each names the text and the commit.
"""

import shutil
from pathlib import Path

import pytest

from bayesdid.audit.run import audit_study
from bayesdid.families.registry.load import load_study

FOLDER = Path(__file__).parents[2] / "models"
STUDIES = {"drunk_driving_laws": 55, "minimum_wage_counties": 95, "medicaid_expansions": 25}


@pytest.mark.parametrize("name", STUDIES)
def test_nothing_is_found_in_what_is_right(name):
    report = audit_study(load_study(FOLDER / name))
    assert report.comparisons >= STUDIES[name]
    assert report.findings == ()


def found(tmp_path, name, file, before, after):
    folder = tmp_path / name
    shutil.copytree(FOLDER / name, folder)
    text = (folder / file).read_text(encoding="utf-8")
    assert text.count(before) == 1
    (folder / file).write_text(text.replace(before, after), encoding="utf-8")
    report = audit_study(load_study(folder))
    return {(finding.rule, finding.severity) for finding in report.findings}


@pytest.mark.parametrize(
    ("name", "file", "before", "after", "finding"),
    [
        (
            "drunk_driving_laws",
            "table10_1.toml",
            'estimate = "-0.445"',
            'estimate = "-0.445**"',
            ("stars", "contradiction"),
        ),
        (
            "drunk_driving_laws",
            "table10_1.toml",
            'value = "0.091"',
            'value = "0.095"',
            ("kinds_of_r_squared", "contradiction"),
        ),
        (
            "drunk_driving_laws",
            "table10_1.toml",
            'value = "3.252***"',
            'value = "1.252***"',
            ("statistics", "contradiction"),
        ),
        (
            "medicaid_expansions",
            "twfe.toml",
            'se = "0.007401"',
            'se = "0.007041"',
            ("measures", "contradiction"),
        ),
        (
            "medicaid_expansions",
            "twfe.toml",
            'n = "552"',
            'n = "522"',
            ("observations", "contradiction"),
        ),
        (
            "minimum_wage_counties",
            "att.toml",
            'se = "0.0123", interval = "[-0.055, -0.007]"',
            'se = "0.0323", interval = "[-0.055, -0.007]"',
            ("measures", "warning"),
        ),
        (
            "minimum_wage_counties",
            "claims.toml",
            'value = "3.1"',
            'value = "1.3"',
            ("percents", "contradiction"),
        ),
    ],
)
def test_a_misprint_is_found(tmp_path, name, file, before, after, finding):
    assert finding in found(tmp_path, name, file, before, after)
