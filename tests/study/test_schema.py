"""Malformed study folders give one error each, with file, key and remedy."""

import json

import pytest

from bayesdid.exceptions import InputError
from bayesdid.families.registry.discover import shipped
from bayesdid.families.registry.load import load_study
from bayesdid.families.registry.schemas import schemas
from smallest import STUDY

TABLE = """
id = "t1"
title = "t"
kind = "regression"
[[column]]
id = "1"
outcome = "y"
treatments = ["active:p"]
[column.coefficients]
"active:p" = { estimate = "-0.5**", se = "0.2" }
"""


def folder(tmp_path, study=STUDY, table=TABLE, claims=None):
    (tmp_path / "study.toml").write_text(study)
    (tmp_path / "t1.toml").write_text(table)
    if claims is not None:
        (tmp_path / "claims.toml").write_text(claims)
    return tmp_path


def test_the_smallest_study_loads(tmp_path):
    study = load_study(folder(tmp_path))
    assert list(study.specs) == ["t1.1"]
    assert study["t1.1"].column.unit_effects == "fixed"


@pytest.mark.parametrize(
    ("change", "file", "words"),
    [
        ({"study": STUDY.replace('id = "s"', 'id = "two words"')}, "study.toml", "study.id"),
        ({"study": STUDY.replace('label = "P"', "")}, "study.toml", "policy.0.label"),
        ({"study": STUDY.replace('adoption = "py"', "")}, "study.toml", "exactly one of"),
        ({"study": STUDY + 'colour = "red"'}, "study.toml", "colour"),
        ({"study": STUDY + "cut = 2.0"}, "study.toml", "cut"),
        ({"study": STUDY.replace("[study]", "[study")}, "study.toml", "not valid TOML"),
        ({"study": STUDY.replace("[[policy]]", "[policy]")}, "study.toml", "policy"),
        ({"table": TABLE.replace("-0.5**", "minus a half")}, "t1.toml", "not a printed number"),
        ({"table": TABLE.replace('["active:p"]', '["exp(p)"]')}, "t1.toml", "not a term"),
        ({"table": TABLE.replace('["active:p"]', '["active:q"]')}, "t1.toml", "unknown policy"),
        ({"table": TABLE.replace('outcome = "y"', "")}, "t1.toml", "column.0.outcome"),
        ({"table": TABLE.replace("regression", "poem")}, "t1.toml", "kind"),
        ({"table": TABLE + "\n[[column]]\nid = '1'\noutcome = 'y'"}, "t1.toml", "two columns"),
        (
            {"table": TABLE.replace('id = "1"', 'id = "1"\ncovariates = ["@x"]')},
            "t1.toml",
            "unknown covariate set",
        ),
        (
            {"table": TABLE.replace('id = "1"', 'id = "1"\nsame_sample_as = ["t9.9"]')},
            "t1.toml",
            "names no spec",
        ),
        (
            {"claims": '[[claim]]\nid = "a"\ntext = "t"\nplace = "p"\ncell = "t1.1:zzz"'},
            "t1.toml",
            "no such published cell",
        ),
        ({"claims": '[[claim]]\nid = "a"'}, "claims.toml", "claim.0.text"),
    ],
)
def test_each_fault_is_named(tmp_path, change, file, words):
    with pytest.raises(InputError) as caught:
        load_study(folder(tmp_path, **change))
    message = str(caught.value)
    assert file in message
    assert words in message
    assert "Remedy" in message


def test_a_folder_without_a_study(tmp_path):
    with pytest.raises(InputError, match=r"holds no study\.toml"):
        load_study(tmp_path)


def test_an_unknown_spec_lists_those_that_exist(tmp_path):
    with pytest.raises(InputError, match=r"t1\.1"):
        load_study(folder(tmp_path))["t7.7"]


def test_json_schemas_are_up_to_date(root):
    for name, schema in schemas(shipped()).items():
        file = root / "docs" / "schema" / f"{name}.schema.json"
        assert json.loads(file.read_text(encoding="utf-8")) == schema, "run: make map"
