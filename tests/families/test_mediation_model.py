"""The mediation model as written in PyMC has the posterior that is drawn exactly."""

import numpy as np
import pytest
from test_mechanisms import COLUMN, mediated

import bayesdid as bd
from bayesdid.exceptions import InputError
from bayesdid.model.effects import two_way
from bayesdid.model.errors import Errors
from bayesdid.model.mean import Mediation
from bayesdid.model.model import Model
from bayesdid.model.priors import PriorChoice
from cells import slow_but
from engines_agree import same_posterior


def wide_design(mediators, N=24):
    """Mediators of which the second takes part in the first one's errors."""
    from made import make_panel, make_study

    frame, adoption = mediated(6, N=N)
    rng = np.random.default_rng(1)
    frame["M2"] = 0.7 * frame["M"] + rng.normal(0, 0.4, len(frame))
    column = COLUMN | {"options": {"mediators": list(mediators)}}
    study = make_study(("a",), [column])
    return bd.model(study["t.m"], make_panel(frame, adoption), priors="weak").design


CELLS = {
    "one": Model(Mediation(("M",)), effects=two_way("random", "fixed"), errors=Errors("ar1")),
    "one, unit scales": Model(Mediation(("M",)), errors=Errors("ar1", "unit")),
    "two": Model(Mediation(("M", "M2")), priors=PriorChoice("weak", (("active:a", 0.0, 0.05),))),
}


@pytest.mark.sampling
@pytest.mark.parametrize("cell", slow_but(CELLS))
def test_every_equation_is_that_of_the_compiled_model(cell):
    model = CELLS[cell]
    design = wide_design(model.mean.mediators)
    ours = bd.fit(design, model=model, draws=2000, log_likelihood=True)
    assert ours.tree.attrs["engine"].startswith("mediation")
    assert ours.converged
    theirs = bd.fit(
        design, model=model, engine="nuts", draws=1000, chains=2, seed=1, log_likelihood=True
    )
    same_posterior(ours, theirs)
    table = ours.tidy()
    for name in ("M", "M ~ active:a", "active:a through M", "active:a: total"):
        assert name in table.index
    assert "active:a through M" in ours.summary()


def test_what_couples_the_equations_is_sampled():
    design = wide_design(("M", "M2"))
    own = PriorChoice("weak", (("M2 ~ active:a", 0.0, 0.05),))
    for change in (
        {"errors": "ar1"},
        {"unit_effects": "random"},
        {"errors": "iid_unit"},
        {"priors": "sceptical"},
        {"priors": own},
    ):
        bound = bd.model(design, mean=Mediation(("M", "M2")), **change)
        with pytest.raises(InputError, match="no engine exact supports this model"):
            bd.fit(bound, engine="exact")
    with pytest.raises(InputError, match="errors have one scale"):
        bd.fit(wide_design(("M",)), model=CELLS["one, unit scales"], engine="exact")


def test_random_effects_find_planted_paths():
    from made import make_panel, make_study

    frame, adoption = mediated(7, N=60)
    column = COLUMN | {"unit_effects": "random", "period_effects": "random"}
    result = bd.analyse(make_study(("a",), [column]), "t.m", make_panel(frame, adoption), draws=500)
    assert result.converged
    table = result.tables[0].frame.set_index("quantity")
    for name, truth in (("M: indirect a b", -0.4), ("direct", -0.3)):
        assert abs(table.loc[name, "mean"] - truth) < 4 * table.loc[name, "sd"]
