"""An error of a study's author names the file and the line that it stands in."""

import shutil
import tomllib
from pathlib import Path

import pytest

from bayesdid.exceptions import InputError
from bayesdid.families.registry.load import load_study
from bayesdid.study.lines import line_of

SMALL = Path(__file__).parents[1] / "studies" / "small"
MODELS = Path(__file__).parents[2] / "models"

TEXT = '''id = "t"
note = """
n = 5
"""
moments = [
  { column = "y", mean = "1.0" },
  { column = "x", mean = "2.0" },
]

[[column]]
id = "1"
n = "100"
[column.coefficients]
both = { estimate = "0.5", se = "0.1" }
"only:a" = { estimate = "0.7", se = "0.2" }
[[column.statistic]]
name = "F"
[[column.statistic]]
name = "G"

[[column]]
id = "2"
n = "200"
[column.impacts."active:b"]
direct = { estimate = "1" }
'''


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("note",), 2),
        (("moments", 1, "mean"), 7),
        (("column", 0), 10),
        (("column", 0, "n"), 12),
        (("column", 0, "coefficients", "only:a", "se"), 15),
        (("column", 0, "statistic", 1, "name"), 19),
        (("column", 1, "n"), 23),
        (("column", 1, "impacts", "active:b", "direct", "estimate"), 25),
        (("column", 1, "missing"), 21),  # the deepest that is there
        (("nothing",), None),
    ],
)
def test_the_line_of_a_key(place, line):
    tomllib.loads(TEXT)
    assert line_of(TEXT, place) == line


def test_every_number_of_the_shipped_studies_is_in_the_line_that_is_named():
    for file in sorted(MODELS.glob("*/table*.toml")):
        text = file.read_text(encoding="utf-8")
        lines = text.splitlines()
        for i, column in enumerate(tomllib.loads(text).get("column", [])):
            for term, cell in column.get("coefficients", {}).items():
                place = ("column", i, "coefficients", term, "estimate")
                line = lines[line_of(text, place) - 1]
                assert cell["estimate"] in line
                assert term in line


@pytest.mark.parametrize(
    ("name", "old", "bad"),
    [
        ("study.toml", "minimum = 0", 'better = "banana"'),
        ("t2.toml", 'outcome = "y"', 'outcom = "y"'),
        ("t2.toml", 'covariates = ["x"]', 'covariates = ["@none"]'),
        ("t2.toml", 'covariates = ["x"]', 'family = "twfes"'),
        ("t2.toml", 'covariates = ["x"]', 'same_sample_as = ["table9.9"]'),
        ("t2.toml", 'covariates = ["x"]', 'treatments = ["active:c"]'),
        ("t2.toml", 'covariates = ["x"]', "covariates = ["),
    ],
)
def test_errors_name_the_line(tmp_path, name, old, bad):
    folder = tmp_path / "s"
    shutil.copytree(SMALL, folder)
    text = (folder / name).read_text(encoding="utf-8")
    if bad.startswith("treatments"):
        old = next(line for line in text.splitlines() if line.startswith("treatments"))
    changed = text.replace(old, bad, 1)
    assert changed != text
    (folder / name).write_text(changed, encoding="utf-8")
    with pytest.raises(InputError) as error:
        load_study(folder)
    line = changed.splitlines().index(bad) + 1
    if bad.endswith("["):  # a bracket that is never closed is found missing further down
        assert error.value.line >= line
    else:
        assert error.value.line == line
    assert f"line {error.value.line}" in str(error.value)
    assert error.value.file == str(folder / name)


def test_a_claim_about_a_cell_that_is_not_there_names_its_own_line(tmp_path):
    folder = tmp_path / "s"
    shutil.copytree(SMALL, folder)
    claim = '[[claim]]\nid = "a"\ntext = "t"\nplace = "p"\nvalue = "1"\ncell = "table7.1:x"\n'
    (folder / "claims.toml").write_text(claim, encoding="utf-8")
    with pytest.raises(InputError) as error:
        load_study(folder)
    assert (error.value.file, error.value.line) == (str(folder / "claims.toml"), 6)


def test_an_id_that_stands_twice_names_its_second_line(tmp_path):
    shutil.copytree(SMALL, tmp_path / "s")
    claims = tmp_path / "s" / "claims.toml"
    before = claims.read_text(encoding="utf-8")
    again = '[[claim]]\ntext = "t"\nplace = "p"\nid = "twice"\n'
    claims.write_text(f"{before}\n{again}\n{again}", encoding="utf-8")
    with pytest.raises(InputError, match="two claims have the id twice") as found:
        load_study(tmp_path / "s")
    assert found.value.line == len(claims.read_text(encoding="utf-8").splitlines())
