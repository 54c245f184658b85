"""A study folder from a panel file: columns are told apart by what their values allow."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import bayesdid as bd
from bayesdid.cli.app import app
from bayesdid.exceptions import InputError
from bayesdid.front.guess import Guess
from bayesdid.front.new_study import propose, write_study
from bayesdid.front.study_text import question

UNITS, PERIODS = 12, 8


def frame(**more):
    """12 cities in 8 years, two staggered policies, an outcome, two covariates, a region."""
    rng = np.random.default_rng(0)
    unit = np.repeat(np.arange(UNITS), PERIODS)
    year = np.tile(2001 + np.arange(PERIODS), UNITS)
    first = np.where(unit < 4, 2004, np.where(unit < 8, 2006, 0))
    other = np.isin(unit, [2, 3, 6, 9]) & (year >= 2005 + unit % 2)
    columns = {
        "city": np.array([f"city {k:02d}" for k in unit]),
        "year": year,
        "treat_year": first,
        "smart_policy": other.astype(int),
        "post": (year >= 2005).astype(int),
        "ever": (first > 0).astype(int),
        "deaths": rng.standard_normal(len(unit)) + unit,
        "gdp": rng.standard_normal(len(unit)),
        "educ": rng.standard_normal(len(unit)),
        "population": 100.0 + unit,
        "region": np.where(unit % 2, "north", "south"),
    }
    return pd.DataFrame(columns | more)


@pytest.fixture
def csv(tmp_path):
    def write(**more):
        path = tmp_path / "raw.csv"
        frame(**more).to_csv(path, index=False)
        return path

    return write


def roles(proposal):
    found = {}
    for role, name, _ in proposal.rows():
        found.setdefault(role, []).append(name)
    return found


def why(proposal, name):
    return next(reason for role, column, reason in proposal.rows() if column == name)


def test_every_column_gets_its_role_and_a_reason(csv):
    found = propose(csv())
    assert roles(found) == {
        "unit": ["city"],
        "period": ["year"],
        "outcome": ["deaths"],
        "policy": ["treat_year", "smart_policy"],
        "covariate": ["gdp", "educ"],
        "group": ["region"],
        "left out": ["post", "ever", "population"],
    }
    assert why(found, "treat_year") == "a period constant in each unit; 8 units adopt"
    assert why(found, "smart_policy") == "turned on in 4 units and stays"
    assert why(found, "post") == "0/1 but the same for all units: a period, no policy"
    assert why(found, "ever") == "0/1 but constant within units: it says who, not when"
    assert why(found, "city") == "with year it identifies every row; 12 units"


def test_what_cannot_be_a_policy_or_a_covariate_is_left_out_with_the_reason(csv):
    base = frame()
    repeal = ((base["year"] % 2 == 0) & (base["treat_year"] > 0)).astype(int)
    same = (base["year"] >= base["treat_year"].where(base["treat_year"] > 0, 9999)).astype(int)
    gone = base["gdp"].where(base.index % 3 > 0)
    found = propose(
        csv(
            repeal=repeal,
            same=same,
            log_deaths=3 * base["deaths"],
            gone=gone,
            again=2 * base["educ"],
        )
    )
    assert "switched off again in 8 units" in why(found, "repeal")
    assert why(found, "same") == "says the same as treat_year"
    assert why(found, "log_deaths") == "a version of the outcome deaths"
    assert why(found, "gone") == "missing in 33% of rows"
    assert why(found, "again") == "a version of educ"


def test_a_policy_that_is_repealed_comes_after_those_that_stay(csv, tmp_path):
    base = frame()
    repeal = (base["smart_policy"] > 0) & (base["year"] != 2007)
    path = csv(repeal_policy=repeal.astype(int))
    found = propose(path)
    assert [p.column for p in found.policies] == ["treat_year", "smart_policy", "repeal_policy"]
    assert why(found, "repeal_policy") == (
        "turned on in 4 units and switched off again in 4 units: those have a state in each row, "
        "but no event time"
    )
    folder = tmp_path / "made"
    write_study(found, path, folder)
    specs = (folder / "specs.toml").read_text()
    assert "active:repeal_policy" in specs
    for absent in ("event_repeal_policy", "cohort_repeal_policy", "overlap"):
        assert absent not in specs
    assert "event_smart_policy" in specs


def test_a_column_that_is_switched_off_again_is_no_policy_beside_one_that_stays(csv):
    base = frame().drop(columns=["treat_year", "smart_policy"])
    base["on"] = ((base["city"] < "city 05") & (base["year"] > 2004)).astype(int)
    base["war"] = ((base["city"] < "city 03") & (base["year"] == 2003)).astype(int)
    path = csv()
    base.to_csv(path, index=False)
    found = propose(path)
    assert [p.column for p in found.policies] == ["on"]
    assert why(found, "war").endswith("no event time; --policy adds it")
    base.drop(columns="on").to_csv(path, index=False)
    assert [p.column for p in propose(path).policies] == ["war"]


@pytest.mark.parametrize(("periods", "kept"), [(18, True), (32, False)])
def test_a_cohort_model_of_hundreds_of_effects_is_commented_out(tmp_path, periods, kept):
    """40 units adopt in periods 6, 7 ...: 12 + 11 + ... or 26 + 25 + ... effects."""
    unit, step = np.repeat(np.arange(40), periods), np.tile(np.arange(periods), 40)
    start = 6 + unit % (periods - 5)
    rng = np.random.default_rng(3)
    columns = {"unit": unit, "step": step, "start": np.where(start < periods, start, np.nan)}
    path = tmp_path / "raw.csv"
    pd.DataFrame(columns | {"y": rng.normal(size=len(unit))}).to_csv(path, index=False)
    write_study(propose(path), path, tmp_path / "made")
    text = (tmp_path / "made" / "specs.toml").read_text()
    cells = (periods - 6) * (periods - 5) // 2
    assert ('\n[[column]]\nid = "cohort"' in text) == kept
    assert (f"# Commented out: {cells} effects, one for each cohort and period" in text) != kept


def test_the_first_column_of_numbers_is_no_outcome_if_it_is_named_as_covariates_are(csv):
    path = csv()
    whole = pd.read_csv(path)
    first = ["city", "year", "gdp", "deaths"]
    renamed = whole[first + [c for c in whole if c not in first]].rename(columns={"deaths": "v7"})
    renamed.to_csv(path, index=False)
    found = propose(path)
    assert found.outcome.name == "v7"
    assert "not named as covariates are" in found.outcome.reason
    renamed.drop(columns="v7").to_csv(path, index=False)
    assert propose(path).outcome.reason.endswith("changes within units; check it")


def test_labels_of_a_stata_file_are_hints(tmp_path):
    path = tmp_path / "raw.dta"
    renamed = frame().drop(columns="deaths").rename(columns={"gdp": "v1", "educ": "v2"})
    labels = {"v2": "Deaths per 1000", "treat_year": "Year of the pilot"}
    renamed.to_stata(path, write_index=False, variable_labels=labels)
    found = propose(path)
    assert found.outcome.name == "v2"
    folder = tmp_path / "made"
    write_study(found, path, folder)
    assert 'label = "Deaths per 1000"' in (folder / "study.toml").read_text()


def test_a_state_that_stata_labels_is_a_policy_and_a_labelled_group_keeps_its_labels(tmp_path):
    """Before, a treatment labelled 否/是 was left out: "no numbers"."""
    unit, year = (a.ravel() for a in np.mgrid[:12, :6])
    frame = pd.DataFrame(
        {
            "city": [f"c{k:02d}" for k in unit],
            "year": 2010 + year,
            "deaths": np.random.default_rng(0).normal(size=72),
            "pilot": ((unit < 5) & (year >= 3)).astype(int),
            "coast": unit % 2,
        }
    )
    labels = {"pilot": {0: "否", 1: "是"}, "coast": {0: "inland", 1: "coastal"}}
    file = tmp_path / "p.dta"
    frame.to_stata(file, write_index=False, version=118, value_labels=labels)
    found = propose(file)
    (policy,) = found.policies
    assert (policy.column, policy.by) == ("pilot", "indicator")
    assert [group.levels for group in found.groups] == [("coastal", "inland")]
    assert "pilot" not in {guess.name for guess in found.left}


def test_what_is_named_is_taken_as_said(csv):
    found = propose(
        csv(), outcome="gdp", policies={"smart": "smart_policy"}, covariates=["population"]
    )
    assert found.outcome.name == "gdp"
    assert [(p.id, p.column, p.by) for p in found.policies] == [
        ("smart", "smart_policy", "indicator")
    ]
    assert [g.name for g in found.covariates] == ["population"]


def test_the_cut_of_a_fractional_indicator_stands_in_the_folder(csv, tmp_path):
    """And no cut is asked of what is 0 or 1."""
    policy = frame()["smart_policy"].astype(float)
    policy.iloc[int(policy.to_numpy().argmax())] = 0.25
    path, folder = csv(smart_policy=policy), tmp_path / "made"
    write_study(propose(path), path, folder)
    text = (folder / "study.toml").read_text()
    assert text.count("cut = ") == 1
    assert 'indicator = "smart_policy"\ncut = 0.5  # 1 row between 0 and 1: say from' in text
    study = bd.load_study(folder)
    assert bd.load_panel(study).fractions == {}
    (folder / "study.toml").write_text(text.replace("cut = 0.5", "# cut"))
    assert bd.load_panel(bd.load_study(folder)).fractions == {"smart_policy": ("smart_policy", 1)}


@pytest.mark.parametrize(
    ("policies", "doses", "asked"),
    [
        (("tax",), (), "What is the effect of tax on deaths?"),
        (("tax", "ban"), (), "Do tax and ban together do more than the two alone would, added up?"),
        (
            ("tax", "ban", "fee"),
            (),
            "Do tax, ban and fee together do more than each alone would, added up?",
        ),
        ((), ("rate", "hours"), "What is the effect of rate and hours on deaths?"),
    ],
)
def test_the_question_is_of_what_was_found(policies, doses, asked):
    found = SimpleNamespace(
        policies=[SimpleNamespace(label=name) for name in policies],
        doses=[Guess(name, "") for name in doses],
        outcome=Guess("y", ""),
        labels={"y": "deaths"},
    )
    assert question(found) == asked


def test_the_folder_is_a_study_that_fits(csv, tmp_path):
    path, folder = csv(), tmp_path / "made"
    before = path.read_bytes()
    assert write_study(propose(path), path, folder) == {}
    assert path.read_bytes() == before
    assert sorted(p.name for p in folder.iterdir()) == ["panel.csv", "specs.toml", "study.toml"]
    study = bd.load_study(folder)
    assert {spec.column.family for spec in study.specs.values()} == {
        "twfe",
        "event_study",
        "cohort",
        "heterogeneity",
        "overlap",
    }
    panel = bd.load_panel(study)
    assert bd.fit(study["specs.main"], panel, errors="iid", draws=100).converged
    text = (folder / "study.toml").read_text()
    assert "# turned on in 4 units and stays" in text
    assert "#   ever: 0/1 but constant within units" in text


@pytest.mark.parametrize(("first", "runs"), [(2002, False), (2004, True)])
def test_an_event_study_without_periods_before_adoption_is_a_comment(csv, tmp_path, first, runs):
    """Of a panel of three years it was proposed, and failed in the report."""
    path, folder = csv(), tmp_path / "made"
    short = frame()
    short = short[short["year"] <= 2005].assign(
        treat_year=lambda rows: np.where(rows["treat_year"] == 2004, first, 0)
    )
    short.to_csv(path, index=False)
    lost = write_study(propose(path, policies={"law": "treat_year"}), path, folder)
    assert ("event" in lost) is not runs
    if not runs:
        assert "every period from two before the reference" in lost["event"]
    assert ("specs.event" in bd.load_study(folder).specs) is runs


def test_a_spec_that_the_panel_does_not_identify_is_a_comment_with_the_reason(csv, tmp_path):
    base = frame()
    apart = (np.isin(base.index // PERIODS, [8, 10]) & (base["year"] >= 2005)).astype(int)
    path, folder = csv(smart_policy=apart), tmp_path / "made"
    lost = write_study(propose(path), path, folder)
    assert set(lost) == {"main", "plain"}
    assert "does not vary in this sample" in lost["main"]
    text = (folder / "specs.toml").read_text()
    assert "# Commented out: this panel does not identify it: specs.main" in text
    assert "specs.main" not in bd.load_study(folder).specs


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"treat_year": 0, "smart_policy": 0}, "no column looks like a policy"),
        ({"deaths": 1, "gdp": 1, "educ": 1}, "no column of numbers changes within units"),
        ({"city": "one", "population": 1}, "no two columns identify the rows"),
    ],
)
def test_what_is_missing_is_asked_for_by_its_option(csv, change, words):
    with pytest.raises(InputError, match=words) as caught:
        propose(csv(**change))
    assert "--" in str(caught.value.remedy)
    assert caught.value.file.endswith("raw.csv")


def test_the_command_writes_nothing_over_what_is_there(csv, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    args = ["new-study", "made", "--panel", str(csv())]
    done = CliRunner().invoke(app, args)
    assert done.exit_code == 0, done.output
    assert "next: bayesdid report made" in done.output
    before = {p: p.read_bytes() for p in (tmp_path / "made").iterdir()}
    with pytest.raises(InputError, match="there is a folder of this name already"):
        CliRunner().invoke(app, args, catch_exceptions=False)
    assert {p: p.read_bytes() for p in (tmp_path / "made").iterdir()} == before


def test_a_column_that_ends_a_policy_is_no_policy(csv):
    """Named it is one."""

    first = frame()["treat_year"]
    end = {"policy_end": np.where(first > 0, first + 1, 0), "smart_policy": 0}
    with pytest.raises(InputError, match="policy_end seems to say when the policy of treat_year"):
        propose(csv(**end))
    found = propose(csv(**end), policies={"a": "treat_year", "b": "policy_end"})
    assert [one.column for one in found.policies] == ["treat_year", "policy_end"]


def test_a_refused_panel_leaves_no_folder(csv, tmp_path):
    path = csv()
    found = propose(path)
    text = path.read_text().splitlines()
    path.write_text("\n".join([*text, text[-1]]) + "\n")  # one row twice, after it was inspected
    with pytest.raises(InputError):
        write_study(found, path, tmp_path / "made")
    assert [p.name for p in tmp_path.iterdir()] == ["raw.csv"]


def test_a_dose_is_a_treatment_of_a_study_without_policies(csv, tmp_path):
    """Before, a panel without a policy was refused."""
    path, folder = csv(), tmp_path / "made"
    found = propose(path, doses=["gdp"])
    assert found.policies == ()
    assert roles(found)["dose"] == ["gdp"]
    assert "gdp" not in roles(found)["covariate"]
    assert why(found, "gdp").startswith("named; from -")
    assert write_study(found, path, folder) == {}
    study = bd.load_study(folder)
    assert study.policies == ()
    assert {s: spec.column.treatments for s, spec in study.specs.items()} == dict.fromkeys(
        ("specs.main", "specs.plain", "specs.by_region", "specs.errors"), ("gdp",)
    )
    beside = propose(path, doses=["gdp"], policies={"smart": "smart_policy"})
    assert [p.id for p in beside.policies] == ["smart"]
    with pytest.raises(InputError, match="a dose is a number that changes within units"):
        propose(path, doses=["ever"])


def test_counts_have_a_spec_and_their_exposure(csv, tmp_path):
    rows = len(frame())
    dead = np.random.default_rng(1).poisson(20, rows)
    path, folder = csv(dead=dead), tmp_path / "made"
    write_study(propose(path, outcome="dead", exposure="population"), path, folder)
    study = bd.load_study(folder)
    options = {"models": ["ar1", "negative_binomial"], "counts": "dead", "exposure": "population"}
    assert study["specs.counts"].column.options == options
    assert study.file.outcome.minimum == 0
    assert study.file.covariate_sets["controls"] == ("gdp", "educ")
    assert propose(path, outcome="gdp").counts is False
    with pytest.raises(InputError, match="the outcome holds none"):
        propose(path, outcome="gdp", exposure="population")
    with pytest.raises(InputError, match="a number above 0 in every row"):
        propose(csv(dead=dead, population=0), outcome="dead", exposure="population")


def test_a_given_name_is_the_label_and_rows_without_a_value_are_said(csv, tmp_path):
    policy = frame()["smart_policy"].astype(float)
    policy.iloc[3] = np.nan
    path, folder = csv(smart_policy=policy), tmp_path / "made"
    write_study(propose(path, policies={"Smart city": "smart_policy"}), path, folder)
    text = (folder / "study.toml").read_text()
    assert 'id = "Smart_city"\nlabel = "Smart city"\nindicator = "smart_policy"' in text
    assert 'missing = "drop"  # 1 row without a value' in text
    assert 'label = "Event study of Smart city"' in (folder / "specs.toml").read_text()
    (by_column,) = propose(path, policies={"smart_policy": "smart_policy"}).policies
    assert (by_column.id, by_column.label) == ("smart_policy", "smart_policy")


def test_a_product_that_the_panel_does_not_identify_leaves_the_others(csv, tmp_path):
    """Before, one such product of three policies took the whole regression with it."""
    base, never = frame(), 9999
    starts = {
        "law_a": [2004, never, 2004, 2004, 2003, 2003, 2006, 2004, never, 2005, never, 2005],
        "law_b": [never, never, 2004, 2006, 2006, 2004, 2006, 2006, 2006, never, never, 2006],
        "law_c": [2007, 2007, 2005, 2005, 2004, 2005, 2004, 2005, 2004, 2007, 2007, 2004],
    }
    on = {k: base["year"] >= np.repeat(v, PERIODS) for k, v in starts.items()}
    path, folder = csv(**{k: v.astype(int) for k, v in on.items()}), tmp_path / "made"
    lost = write_study(propose(path, policies={k: k for k in on}), path, folder)
    assert not {"main", "plain"} & set(lost)
    found = bd.load_study(folder)["specs.main"].column.treatments
    assert sorted(term.count("*") for term in found) == [0, 0, 0, 1, 1, 1]
    text = (folder / "specs.toml").read_text()
    assert "# this panel does not identify active:law_c * active:law_a * active:law_b" in text
