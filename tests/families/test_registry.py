"""One registry: what it holds, what it refuses and how it says so, what is made from it."""

import dataclasses
import json
import pkgutil
import subprocess
import sys

import pytest
from every import COLUMNS, every, every_panel
from made import make_study

import bayesdid as bd
import bayesdid.families
from bayesdid.design.build import FITTED_FAMILIES
from bayesdid.exceptions import InputError
from bayesdid.families.registry.describe import option_texts
from bayesdid.families.registry.discover import _SHARED, families, shipped
from bayesdid.families.registry.docs import with_tables
from bayesdid.families.registry.family import MODEL_FIELDS, PRINTED, ROW_FIELDS, Family, Options
from bayesdid.families.registry.load import check_study
from bayesdid.families.registry.schemas import schemas
from bayesdid.families.registry.sections import ROBUSTNESS
from bayesdid.study.schema import Column, StudyFile
from smallest import STUDY

TABLE = """
id = "t1"
title = "t"
kind = "regression"
[[column]]
id = "1"
outcome = "y"
"""


def load(tmp_path, lines, name="t1.toml"):
    (tmp_path / "study.toml").write_text(STUDY)
    (tmp_path / name).write_text(TABLE + lines)
    return bd.load_study(tmp_path)


# What there is


def test_every_module_but_the_shared_ones_is_one_family():
    names = {item.name for item in pkgutil.iter_modules(bayesdid.families.__path__)}
    assert names - _SHARED == set(shipped())
    assert set(COLUMNS) == set(shipped())


def test_fitted_families_are_those_of_the_design():
    assert {name for name, family in families().items() if family.fitted} == FITTED_FAMILIES


def test_every_field_of_a_column_is_printed_or_of_a_model():
    assert set(Column.model_fields) >= PRINTED
    read = set().union(*(f.reads for f in families().values() if f.is_used))
    assert read == MODEL_FIELDS, "a field that no family reads"


@pytest.mark.parametrize("name", [name for name in COLUMNS if families()[name].has_analysis])
def test_every_runner_is_found(name):
    assert callable(families()[name].runner())


@pytest.mark.parametrize("family", families().values(), ids=lambda f: f.name)
def test_options_are_described_and_their_range_checked(family):
    properties = family.options.model_json_schema().get("properties", {})
    for text in option_texts(family.options):
        assert len(text.description) > 10, text.name
        if "number" in text.takes and " or text" not in text.takes:
            assert any(word in text.takes for word in ("above", "at least")), text.name
        if properties[text.name].get("type") == "array" and text.required:
            assert properties[text.name]["minItems"] >= 1, text.name


def test_loading_a_study_imports_nothing_heavy(models):
    code = (
        "import sys, bayesdid as bd; bd.load_study(sys.argv[1]); "
        "print({'numpy', 'pandas', 'scipy', 'xarray', 'pymc', 'matplotlib'} & set(sys.modules))"
    )
    study = str(models / "dual_pilot")
    found = subprocess.run([sys.executable, "-c", code, study], capture_output=True, text=True)
    assert found.stdout.strip() == "set()", found.stderr


def test_a_family_that_could_never_work_is_refused_where_it_is_written():
    facts = {"question": "?", "checked": "-", "section": ROBUSTNESS, "options": Options}
    with pytest.raises(ValueError, match="identifier"):
        Family(name="two words", **facts)
    with pytest.raises(ValueError, match="no field of a column: robust"):
        Family(name="toy", reads=frozenset({"robust"}), **facts)


def test_every_family_without_weights_or_further_effects_says_why():
    for family in families().values():
        assert not family.is_used or bool(family.alone) == bool(ROW_FIELDS - family.reads)


# What is refused, at load


@pytest.mark.parametrize(
    ("lines", "place", "words"),
    [
        ('family = "cohrot"', "t1.1.family", "did you mean 'cohort'"),
        ('family = "regression"', "t1.1.family", "use one of"),
        ('weights = "w"', "t1.1.weights", "twfe does not read weights"),
        ("row_normalised = true", "t1.1.row_normalised", "does not read"),
        ('instrument = "z"', "t1.1.instrument", "iv_second"),
        ('family = "cohort"\ninstrument = "z"', "t1.1.instrument", "cohort does not read"),
        ('family = "overlap"\ntreatments = ["both"]', "t1.1.treatments", "does not read"),
        ('family = "comparison"\noutcome_lead = 1', "t1.1.outcome_lead", "does not read"),
        (
            'family = "specification_curve"\nunit_effects = "random"',
            "t1.1.unit_effects",
            "does not read",
        ),
        ('options = { weights = "pop" }', "t1.1.options.weights", "option of spillover_distance"),
        ('options = { robust = "state" }', "t1.1.options.robust", "it has no options"),
        (
            'family = "sdm"\neffects = ["region^year"]',
            "t1.1.effects",
            "read effects: neighbours are those of whole periods",
        ),
        ('family = "sdm"\ncluster = "region"', "t1.1.cluster", "posterior's alone, not clustered"),
        *(
            (
                f'family = "{family}"\nrow_weights = "pop"\nrow_weights_kind = "frequency"',
                "t1.1",
                "make several rows of a unit in a period, but a unit has one row of W",
            )
            for family in ("sdm", "spillover_distance", "spillover_bands")
        ),
        (
            'family = "sdm"\nrow_weights = "pop"\nperiod_effects = "random"',
            "t1.1",
            "with weights of rows is known for fixed period effects or none",
        ),
        ('family = "sdm"\ninstrument = "z"', "t1.1.instrument", "read instrument (value"),
        ('family = "placebo"\ncluster = "region"', "t1.1.cluster", "read cluster: units are dealt"),
        ('effects = ["region^"]', "effects", "is no effect: write f, f^g"),
        ("options = { winsorize = 0.01 }", "t1.1.options.winsorize", "it has no options"),
        (
            'options = { likelihood = "poisson" }',
            "t1.1.options.likelihood",
            "of family errors fits",
        ),
        ('likelihood = "poisson"', "column.0.likelihood", "bayesdid did --likelihood"),
        ("options = { foo = 1 }", "t1.1.options.foo", "leave it out"),
        ("options = { calliper = 0.1 }", "t1.1.options.calliper", "did you mean 'caliper'"),
        (
            'family = "psm_did"\noptions = { calliper = 0.1 }',
            "t1.1.options.calliper",
            "did you mean 'caliper'",
        ),
        (
            'family = "moderation"\noptions = { moderator = "m", bin = 4 }',
            "t1.1.options.bin",
            "did you mean 'bins'",
        ),
        (
            'family = "iv_second"\noptions = { instrument = "z" }',
            "t1.1.options.instrument",
            "a field of the column",
        ),
        ('family = "mediation"', "t1.1", "needs the option mediators"),
        ('family = "mediation"\noptions = { mediator = ["m"] }', "mediator", "mean 'mediators'"),
        ('family = "mediation"\noptions = { mediators = "m" }', "mediators", "takes a list of"),
        ('family = "mediation"\noptions = { mediators = [] }', "mediators", "takes a list of"),
        ('family = "psm_did"\noptions = { caliper = -1 }', "caliper", "a number above 0"),
        ('family = "psm_did"\noptions = { caliper = true }', "caliper", "a number above 0"),
        ('family = "psm_did"\noptions = { caliper = inf }', "caliper", "a number above 0"),
        ('family = "psm_did"\noptions = { caliper = "0.2" }', "caliper", "a number above 0"),
        ('family = "psm_did"\noptions = { matches = 20.5 }', "matches", "a whole number"),
        ('family = "cohort"\noptions = { controls = "nevr" }', "controls", '"not_yet" or "never"'),
        ('family = "event_study"\noptions = { first = 3, last = 2 }', "options", "first < last"),
        (
            'family = "errors"\noptions = { models = ["negative_binomial"] }',
            "options",
            "needs counts",
        ),
        ('family = "errors"\noptions = { exposure = "pop" }', "options", "exposure is that of"),
        (
            'family = "spillover_distance"\nweights = "w"',
            "t1.1",
            "weights are those of a spatial lag",
        ),
        ('family = "spillover_distance"\noptions = { rho = true }', "t1.1", "needs weights"),
        (
            'family = "sdm"\nweights = "w"\nrow_normalised = true\n'
            'options = { normalisation = "row" }',
            "t1.1",
            "one of row_normalised",
        ),
    ],
)
@pytest.mark.parametrize("name", ["t1.toml", "another.toml"])
def test_what_nothing_reads_is_refused(tmp_path, lines, place, words, name):
    with pytest.raises(InputError) as caught:
        load(tmp_path, lines, name)
    message = str(caught.value)
    assert str(tmp_path / name) in message
    assert place in message
    assert words in message
    assert "Remedy" in message


def test_a_misspelt_field_of_a_column_is_named(tmp_path):
    with pytest.raises(InputError, match="did you mean 'covariates'"):
        load(tmp_path, 'covariats = ["x"]')


def test_a_stated_default_is_no_error(tmp_path):
    study = load(
        tmp_path, 'family = "comparison"\noutcome_lead = 0\noptions = { specs = ["t1.1"] }'
    )
    assert study["t1.1"].column.family == "comparison"


@pytest.mark.parametrize("command", ["audit", "fit", "analyse", "report", "validate", "spatial"])
def test_every_command_refuses(tmp_path, command):
    from typer.testing import CliRunner

    from bayesdid.cli.app import app

    with pytest.raises(InputError):
        load(tmp_path, "options = { calliper = 0.1 }")
    result = CliRunner().invoke(app, [command, str(tmp_path)])
    assert isinstance(result.exception, InputError)
    assert "did you mean 'caliper'" in str(result.exception)


def test_analyse_checks_specs_of_studies_made_in_memory():
    study = make_study(("a",), [COLUMNS["cohort"] | {"id": "c", "family": "cohort"}])
    column = study["t.c"].column.model_copy(update={"options": {"control": "never"}})
    spec = dataclasses.replace(study["t.c"], column=column)
    with pytest.raises(InputError, match="did you mean 'controls'"):
        bd.analyse(study, spec, every_panel())


def test_specs_say_which_columns_of_a_panel_they_need():
    study = check_study(every())
    assert study["t.mediation"].option_terms == ("m",)
    assert study["t.moderation"].option_terms == ("m",)
    unused = {spec.column.family for spec in study.specs.values() if not spec.in_panel}
    assert unused == {"iv_first", "other"}
    counted = check_study(every({"errors"}, errors={"options": {"counts": "count"}}))
    assert counted["t.errors"].option_terms == ("count",)


# What is made of it


@pytest.mark.parametrize("page", ["README.md", "docs/study-format.md"])
def test_tables_of_families_are_up_to_date(root, page):
    text = (root / page).read_text(encoding="utf-8")
    assert with_tables(text, shipped().values()) == text, "run: make map"
    assert all(f"| `{name}` |" in text for name in shipped())


def test_every_option_is_in_the_documentation(root):
    text = (root / "docs" / "study-format.md").read_text(encoding="utf-8")
    for name, family in shipped().items():
        for option in family.options.model_fields:
            assert f"| `{name}` | `{option}` |" in text


def accepts(column, schema):
    """Whether the rules of families in a table's schema accept a column: the part they use."""

    def fits(value, rule):
        found = [value == rule["const"]] if "const" in rule else []
        if isinstance(value, dict):
            properties = rule.get("properties", {})
            found += [fits(value[k], inner) for k, inner in properties.items() if k in value]
            found += [set(rule.get("required", ())) <= set(value)]
            if rule.get("additionalProperties") is False:
                found += [set(value) <= set(properties)]
        return all(found)

    rules = schema["$defs"]["Column"]["allOf"]
    return all(fits(column, rule["then"]) for rule in rules if fits(column, rule["if"]))


def test_the_schema_refuses_what_the_loader_refuses():
    schema = schemas()["table"]
    assert schema["$defs"]["Column"]["properties"]["family"]["enum"] == list(families())
    base = {"id": "1", "outcome": "y"}
    assert accepts(base, schema)
    assert accepts(base | {"family": "sdm", "weights": "w"}, schema)
    assert not accepts(base | {"weights": "w"}, schema)
    assert not accepts(base | {"family": "cohort", "instrument": "z"}, schema)
    assert not accepts(base | {"family": "psm_did", "options": {"calliper": 1}}, schema)
    assert accepts(base | {"family": "psm_did", "options": {"caliper": 1}}, schema)
    assert not accepts(base | {"family": "mediation"}, schema)


def test_the_command_lists_families_and_their_options():
    from typer.testing import CliRunner

    from bayesdid.cli.app import app

    run = CliRunner().invoke
    facts = json.loads(run(app, ["families", "--json"]).stdout)
    assert {item["family"] for item in facts} == set(families())
    one = run(app, ["families", "psm_did"], env={"COLUMNS": "200"}).stdout
    assert "caliper" in one
    assert "a number above 0" in one
    helped = run(app, ["analyse", "--help"]).stdout
    assert all(f"{name}:" in helped for name, f in families().items() if f.has_analysis)
    assert isinstance(run(app, ["families", "cohrot"]).exception, InputError)


def test_column_and_study_of_the_schema_know_no_family():
    """study is to the left of families: any name is structurally fine."""
    assert Column(id="1", outcome="y", family="anything").family == "anything"
    assert "family" not in json.dumps(StudyFile.model_json_schema())
