"""The analysis of errors and likelihoods on a panel of counts."""

import dataclasses

import numpy as np
import pytest
from made import make_panel, make_study, staggered
from stated import stated

import bayesdid as bd


@pytest.mark.slow
@pytest.mark.sampling
@pytest.mark.filterwarnings("ignore")
def test_every_model_answers_and_counts_need_to_be_counts():
    frame, adoption = staggered(3, N=30, T=8)
    rng = np.random.default_rng(0)
    rate = np.exp(1.5 + 0.3 * frame["y"])
    column = {
        "id": "e",
        "outcome": "y",
        "treatments": ["active:a"],
        "family": "errors",
        "options": {"counts_from_outcome": 10},
    }
    study = make_study(("a",), [column])
    counted = frame.assign(y=rng.poisson(rate) / 10)
    result = bd.analyse(study, "t.e", make_panel(counted, adoption), draws=500)
    assert result.converged
    assert not result.failed
    models = result.tables[0].frame["model"].tolist()
    assert models[:5] == [
        "normal, i.i.d.",
        "normal, AR(1) within units",
        "normal, unit variances",
        "Student t",
        "negative binomial",
    ]
    table = result.tables[0].frame.set_index("model")
    for name, effect in stated(result, "active:a").items():
        assert effect.found.mean == table.loc[name, "mean"]
        assert effect.constant
    # the rate's effect, in the outcome's units, is near the linear one
    gap = table.loc["negative binomial", "mean"] - table.loc["normal, i.i.d.", "mean"]
    assert abs(gap) < 2 * table.loc["normal, i.i.d.", "sd or SE"]
    only = dataclasses.replace(
        study["t.e"],
        column=study["t.e"].column.model_copy(
            update={"options": {"counts_from_outcome": 10, "models": ["ar1", "negative_binomial"]}}
        ),
    )
    negative = bd.analyse(study, only, make_panel(frame, adoption), draws=250)
    assert any("no counts" in note for note in negative.notes)
    assert len(negative.tables[0].frame) == 2 + 4
