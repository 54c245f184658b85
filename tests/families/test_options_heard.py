"""No option is accepted and ignored: each one, changed, changes what its family says.

Every option of every family must have a row in CHANGES or LOOKED_AT, so that a new option comes
with the proof that it is read.
"""

from functools import cache

import pytest
from every import COLUMNS, every, every_panel

import bayesdid as bd
from bayesdid.design.window import EventWindow
from bayesdid.families.registry.discover import families
from bayesdid.families.run import plan_analyses, run
from bayesdid.jsonio import plain, to_json

CHANGES = {
    ("cohort", "controls"): "never",
    ("cohort", "errors"): "iid",
    ("overlap", "errors"): "iid",
    ("mediation", "mediators"): ["z"],
    ("mediation", "errors"): "iid",
    ("moderation", "moderator"): "z",
    ("moderation", "bins"): 4,
    ("moderation", "errors"): "iid",
    ("heterogeneity", "groups"): ["sequence"],
    ("heterogeneity", "separate"): False,
    ("heterogeneity", "errors"): "iid",
    ("event_study", "first"): -3,
    ("event_study", "last"): 2,
    ("event_study", "reference"): -2,
    ("event_study", "ends"): "bin",
    ("event_study", "robust"): True,
    ("event_study", "errors"): "iid",
    ("placebo", "draws"): 50,
    ("placebo", "errors"): "iid",
    ("specification_curve", "effects"): ["random"],
    ("specification_curve", "errors"): ["ar1"],
    ("comparison", "specs"): ["t.twfe", "t.event_study"],
    ("comparison", "effects"): ["random"],
    ("comparison", "errors"): ["iid", "ar1"],
    ("psm_did", "caliper"): 0.5,
    ("psm_did", "matches"): 40,
    ("psm_did", "errors"): "ar1",
    ("sdm", "model"): "sar",
    ("sdm", "durbin"): ["x"],
    ("sdm", "compare"): ["far"],
    ("sdm", "dynamic"): True,
    ("sdm", "logdet"): "trace",
    ("sdm", "normalisation"): "none",
    ("spillover_distance", "step_km"): 100,
    ("spillover_distance", "last_km"): 1000,
    ("spillover_distance", "exposure"): "share",
    ("spillover_distance", "kernel"): "squared_exponential",
    ("spillover_distance", "weights"): "far",
    ("spillover_distance", "share"): 2.0,
    ("spillover_distance", "rope"): 0.3,
    ("spillover_distance", "boundaries"): ["near", 700],
    ("spillover_bands", "step_km"): 200,
    ("spillover_bands", "last_km"): 1200,
    ("spillover_bands", "power"): 2.0,
    ("spillover_bands", "level"): 0.5,
}
# options whose change costs a chain or a bootstrap: it is seen that the family looks at them
LOOKED_AT = {
    "errors": {"models", "counts", "exposure", "counts_from_outcome", "contrast"},
    "sdm": {"student_t"},
    "spillover_distance": {"rho"},
}
LAG = {"rho": True, "weights": "near"}


@pytest.fixture(scope="module")
def panel():
    return every_panel()


def test_every_option_has_a_change():
    known = {(name, option) for name, f in families().items() for option in f.options.model_fields}
    looked_at = {(name, option) for name, seen in LOOKED_AT.items() for option in seen}
    assert known == set(CHANGES) | looked_at
    assert not set(CHANGES) & looked_at


class Recorder:
    """Options that note which of them are looked at."""

    def __init__(self, options):
        self.options, self.seen = options, set()

    def __getattr__(self, name):
        self.seen.add(name)
        return getattr(self.options, name)


@pytest.mark.parametrize("name", LOOKED_AT)
def test_options_are_looked_at(name, panel):
    study = every({name})
    (request,) = plan_analyses(study, panel, draws=100)
    recorder = Recorder(request.options)
    request.family.runner()(study, request.spec, panel, recorder, seed=0, draws=100)
    assert recorder.seen >= LOOKED_AT[name]


def said(name, options, panel):
    study = every({name, "twfe", "event_study"}, **{name: {"options": options}})
    (request,) = plan_analyses(study, panel, [f"t.{name}"], draws=100)
    return to_json(plain(run(request)))


@pytest.fixture(scope="module")
def before(panel):
    """What a family says with the options it needs: said once, not once an option."""
    return cache(lambda name, options: said(name, dict(options), panel))


@pytest.mark.parametrize("key", CHANGES, ids=".".join)
def test_a_changed_option_changes_what_is_said(key, panel, before):
    name, option = key
    base = COLUMNS[name].get("options", {})
    base = base | LAG if key == ("spillover_distance", "weights") else base
    fixed = tuple((k, tuple(v) if isinstance(v, list) else v) for k, v in base.items())
    assert before(name, fixed) != said(name, base | {option: CHANGES[key]}, panel)


@pytest.mark.parametrize("option", EventWindow.model_fields)
def test_the_window_makes_the_terms_of_an_event_study(option, panel):
    def terms(options):
        study = every({"event_study"}, event_study={"options": options})
        return bd.build_design(study["t.event_study"], panel).treatments

    base = COLUMNS["event_study"]["options"]
    assert terms(base) != terms(base | {option: CHANGES["event_study", option]})
