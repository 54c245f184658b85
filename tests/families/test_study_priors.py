"""The priors of a study reach the families whose fits have pooled parts, and the headline."""

import dataclasses

import numpy as np
import pytest
from every import every, every_panel

import bayesdid as bd
from bayesdid.estimands.beside import static_factorial
from bayesdid.exceptions import InputError
from bayesdid.families.registry.load import check_study
from bayesdid.model.bound import study_priors
from bayesdid.study.schema import PriorSection, PriorTerm

TIGHT = 1e-3
OPTIONS = {
    "cohort": {"errors": "iid"},
    "heterogeneity": {"errors": "iid", "groups": ["region"]},
    "moderation": {"errors": "iid", "moderator": "m"},
    "overlap": {"errors": "iid"},
}
USER = PriorSection(
    user={
        "active:a": PriorTerm(mean=3.0, sd=TIGHT),
        "x": PriorTerm(mean=0.2, sd=TIGHT),
        "elsewhere": PriorTerm(mean=1.0, sd=TIGHT),
    }
)


@pytest.fixture(scope="module")
def panel():
    return every_panel()


def analysed(name, panel, priors):
    column = {"options": OPTIONS[name], "covariates": ["x"]}
    spec = every({name}, **{name: column})[f"t.{name}"]
    study = every({name}, **{name: column})
    return bd.analyse(study, dataclasses.replace(spec, priors=priors), panel, draws=200)


@pytest.mark.parametrize(
    ("name", "treatment"), [("cohort", "ATT"), ("heterogeneity", "average"), ("overlap", None)]
)
def test_a_users_priors_are_those_of_pooled_fits(name, treatment, panel):
    post = analysed(name, panel, USER).posterior["posterior"]
    assert all(abs(post["beta"].mean(("chain", "draw")) - 0.2) < 5 * TIGHT)
    if treatment is not None:
        assert abs(post["mu"].sel(base=treatment).mean() - 3) < 5 * TIGHT


def test_a_users_priors_are_those_of_a_moderated_effect(panel):
    table = analysed("moderation", panel, USER).tables[0].frame.set_index("quantity")
    assert abs(table.loc["effect at 0 (raw)", "mean"] - 3) < 5 * TIGHT


@pytest.mark.parametrize("name", ["cohort", "heterogeneity", "overlap"])
def test_a_named_set_is_that_of_pooled_fits(name, panel):
    found = analysed(name, panel, PriorSection(default="sceptical"))
    assert found.posterior.attrs["prior_choice"] == "sceptical"
    flat = analysed(name, panel, PriorSection(default="flat"))
    assert flat.posterior.attrs["prior_choice"] == "flat"


def test_the_headline_has_the_studys_priors(panel):
    column = {"options": OPTIONS["overlap"], "covariates": ["x"]}
    study = every({"overlap"}, overlap=column)
    spec = dataclasses.replace(study["t.overlap"], priors=USER)
    own = dataclasses.replace(study, specs={"t.overlap": spec})
    found = bd.synergy(own, panel, errors="iid", draws=1000)
    beta = found.fit.tree["posterior"]["beta"]
    assert abs(beta.mean() - 0.2) < 5 * TIGHT


def test_the_static_factorial_beside_it_too(panel):
    from bayesdid.design.overlap import overlap_design

    column = {"options": OPTIONS["overlap"], "covariates": ["x"]}
    rows = overlap_design(every({"overlap"}, overlap=column)["t.overlap"], panel)
    weak, sceptical = (
        static_factorial(rows, "iid", 200, 0, priors).tau for priors in ("weak", "sceptical")
    )
    assert np.abs(sceptical.mean(axis=0)).sum() < np.abs(weak.mean(axis=0)).sum()


def test_terms_of_other_specs_are_left_to_them():
    alone = every({"cohort"}, cohort={"covariates": []})["t.cohort"]
    spec = dataclasses.replace(alone, priors=USER)
    assert [term for term, _, _ in study_priors(spec).terms] == ["active:a"]
    assert study_priors(spec, {"active:a": ()}).terms == ()
    assert study_priors(spec, {"active:a": ("p", "q")}).terms == (
        ("p", 3.0, TIGHT),
        ("q", 3.0, TIGHT),
    )


def test_a_prior_that_no_spec_reads_is_refused_at_load():
    study = every({"cohort"})
    wrong = PriorSection(user={"active:aa": PriorTerm(mean=0.0, sd=1.0)})
    with pytest.raises(InputError, match=r"did you mean active:a\?"):
        check_study(
            dataclasses.replace(study, file=study.file.model_copy(update={"priors": wrong}))
        )
