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
NONE = PriorTerm(mean=0.0, sd=TIGHT)
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


def _named(found, column, name):
    table = found.tables[0].frame
    rows = table[table[column].astype(str) == name]
    return float(rows["mean"].iloc[0])


def _drawn(name):
    return lambda found: float(found.posterior["posterior"][name].mean())


# what the prior of the treatment is about in each of the other families
ELSEWHERE = {
    "iv_second": lambda found: _named(found, "quantity", "effect, instrumented"),
    "mediation": lambda found: _named(found, "quantity", "direct"),
    "event_study": _drawn("the_first_period"),
    "placebo": _drawn("actual_effect_AR_1_within_units"),
    "psm_did": lambda found: _named(found, "quantity", "matched, score uncertain"),
    "sdm": _drawn("tau"),
    "spillover_distance": _drawn("tau"),
    "errors": lambda found: _named(found, "model", "normal, AR(1) within units"),
    "specification_curve": lambda found: _named(found, "choice", "effects: fixed"),
    "comparison": lambda found: float(found.tables[0].frame["effect"].iloc[0]),
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_users_priors_are_those_of_every_other_family(name, panel):
    study = every({name, "twfe"})
    given = {k: dataclasses.replace(spec, priors=USER) for k, spec in study.specs.items()}
    study = dataclasses.replace(study, specs=given)
    found = bd.analyse(study, study[f"t.{name}"], panel, draws=200)
    assert abs(ELSEWHERE[name](found) - 3) < 6 * TIGHT
    if found.posterior is not None:
        attrs = found.posterior.attrs
        assert "Normal(3, 0.001)" in attrs.get("prior_choice", attrs["priors"])


def test_bands_have_the_priors_of_the_study(panel):
    study = every({"spillover_bands"})
    means = []
    for priors in (PriorSection(user={"active:a": NONE}), USER):
        spec = dataclasses.replace(study["t.spillover_bands"], priors=priors)
        found = bd.analyse(study, spec, panel, draws=50)
        means.append(float(found.posterior["posterior"]["0_400_km"].mean()))
    assert means[1] - means[0] > 1  # what is the unit's own is also passed on by rho


def test_peers_are_held_against_flat_priors_whatever_a_study_says(panel):
    study = every({"mediation"}, mediation={"options": {"mediators": ["m"], "errors": "iid"}})
    spec = dataclasses.replace(study["t.mediation"], priors=USER)
    peers = bd.analyse(study, spec, panel, draws=200).peers
    assert peers
    assert all(abs(peer.mean - peer.estimate) < peer.tolerance for peer in peers)


def test_an_analysis_keeps_its_own_set_where_the_study_says_nothing():
    spec = every({"event_study"})["t.event_study"]
    assert str(study_priors(spec, own="flat")) == "flat"
    for name in ("weak", "sceptical"):
        said = dataclasses.replace(spec, priors=PriorSection(default=name))
        assert str(study_priors(said, own="flat")) == name


def test_a_prior_on_a_term_that_the_design_left_out_is_no_error(panel):
    study = every({"twfe"}, twfe={"covariates": ["x", "twice"]})
    frame = panel.frame.assign(twice=2 * panel.frame["x"])
    priors = PriorSection(user={"twice": NONE})
    spec = dataclasses.replace(study["t.twfe"], priors=priors)
    own = dataclasses.replace(panel, frame=frame)
    assert bd.fit(spec, own, errors="iid", draws=100).converged
