"""The mediation model as written in PyMC has the posterior that is drawn exactly."""

import dataclasses

import numpy as np
import pytest
from test_mechanisms import _twfe, mediated

import bayesdid as bd
from bayesdid.families.mediation.analysis import mediation_draws

MCSE = 5.0


@pytest.mark.sampling
@pytest.mark.filterwarnings("ignore")
def test_mediation_model_in_pymc():
    import pymc as pm
    from made import make_panel, make_study
    from test_mechanisms import COLUMN

    from bayesdid.model.mean import Mediation
    from bayesdid.model.model import Model
    from bayesdid.model.pymc.compile import to_pymc

    frame, adoption = mediated(6, N=30)
    design = bd.build_design(_twfe(make_study(("a",), [COLUMN]), ()), make_panel(frame, adoption))
    M = frame[["M"]].to_numpy()
    exact = mediation_draws(design, M)
    wide = dataclasses.replace(
        design, X=np.column_stack([design.X, M]), covariates=(*design.covariates, "M")
    )
    with to_pymc(Model(mean=Mediation(("M",))), wide):
        tree = pm.sample(
            1000,
            tune=1000,
            chains=2,
            cores=2,
            random_seed=2,
            nuts_sampler="nutpie",
            progressbar=False,
        )
    theirs = tree["posterior"]["indirect"].to_numpy().ravel()
    ours = exact.indirect[:, 0]
    # weak priors in the model, flat ones in the exact draws: the same to a small share of the sd
    error = np.hypot(theirs.std() / np.sqrt(1000), ours.std() / np.sqrt(len(ours)))
    assert abs(theirs.mean() - ours.mean()) < MCSE * error + 0.02 * ours.std()


@pytest.mark.sampling
@pytest.mark.filterwarnings("ignore")
def test_random_effects_find_planted_paths():
    from made import make_panel, make_study
    from test_mechanisms import COLUMN

    frame, adoption = mediated(7, N=60)
    column = COLUMN | {"unit_effects": "random", "period_effects": "random"}
    result = bd.analyse(make_study(("a",), [column]), "t.m", make_panel(frame, adoption), draws=500)
    assert result.converged
    table = result.tables[0].frame.set_index("quantity")
    for name, truth in (("M: indirect a b", -0.4), ("direct", -0.3)):
        assert abs(table.loc[name, "mean"] - truth) < 4 * table.loc[name, "sd"]
