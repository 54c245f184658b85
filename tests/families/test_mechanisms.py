"""Mediation, moderation and heterogeneity: identities, known numbers, planted truth."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made import make_panel, make_study, staggered
from stated import main_of, stated

import bayesdid as bd
from bayesdid.design.design import Design
from bayesdid.estimands.stated import between
from bayesdid.exceptions import InputError
from bayesdid.families.heterogeneity.analysis import _strongest, separated
from bayesdid.families.mediation.analysis import natural_effects, paths_of
from bayesdid.families.moderation.analysis import linearity
from bayesdid.model.mean import Mediation
from bayesdid.published.groups import PublishedGroup, pooled_cells


def cross_section(y, D, X, names):
    n = len(y)
    rows = np.arange(n)
    return Design(
        "jobs.1",
        "jobs",
        "y",
        y,
        D[:, None],
        X,
        ("treat",),
        names,
        rows,
        np.zeros(n, dtype=np.int64),
        rows,
        np.array([0]),
        "person",
        "wave",
        "none",
        "none",
        None,
        "0" * 64,
    )


def mediated(seed, *, a=0.5, b=-0.8, direct=-0.3, rho=0.0, N=80):
    rng = np.random.default_rng(seed)
    frame, adoption = staggered(seed, N=N)
    on = frame["period"] >= adoption["a"].reindex(frame["unit"]).to_numpy(float, na_value=np.inf)
    shock = rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], len(frame)) * [0.5, 0.3]
    frame["M"] = a * on + rng.normal(0, 1, N)[frame["unit"]] + shock[:, 0]
    frame["M"] += rng.normal(0, 0.4, 12)[frame["period"] - 1]
    frame["y"] = direct * on + b * frame["M"] + rng.normal(0, 1, N)[frame["unit"]] + shock[:, 1]
    return frame, adoption


COLUMN = {
    "id": "m",
    "outcome": "y",
    "treatments": ["active:a"],
    "family": "mediation",
    "options": {"mediators": ["M"]},
}


def test_total_is_direct_plus_indirect_in_every_draw_and_truth_is_found():
    frame, adoption = mediated(1)
    study = make_study(("a",), [COLUMN])
    result = bd.analyse(study, "t.m", make_panel(frame, adoption))
    posterior = result.posterior["posterior"]
    gap = posterior["total"] - posterior["tau"] - posterior["indirect"].sum("mediator")
    assert np.abs(gap).max() < 1e-10
    assert result.posterior.attrs["engine"] == "mediation_unit_scales"
    assert all(peer.holds for peer in result.peers)
    table = result.tables[0].frame.set_index("quantity")
    effect = main_of(result, "active:a through M").found
    assert effect.mean == table.loc["M: indirect a b", "mean"]
    for name, truth in (("M: indirect a b", -0.4), ("direct", -0.3), ("total", -0.7)):
        assert abs(table.loc[name, "mean"] - truth) < 4 * table.loc[name, "sd"]


def test_the_rho_at_which_it_vanishes_undoes_planted_confounding():
    # b = 0 and correlated errors: least squares sees mediation where there is none
    frame, adoption = mediated(2, b=0.0, rho=0.6, N=200)
    study = make_study(("a",), [COLUMN])
    panel = make_panel(frame, adoption)
    found = paths_of(bd.fit(study["t.m"], panel, priors="flat", errors="iid"))
    assert abs(found.rho_zero.mean() - 0.6) < 4 * found.rho_zero.std()
    naive, corrected = found.indirect[:, 0], found.indirect_at(0.6)
    assert abs(naive.mean()) > 4 * naive.std()
    assert abs(corrected.mean()) < 4 * corrected.std()
    assert np.allclose(found.indirect_at(0.0), naive)


def _twfe(study, covariates):
    spec = study["t.m"]
    update = {"family": "twfe", "covariates": covariates, "options": {}}
    return dataclasses.replace(spec, column=spec.column.model_copy(update=update))


def test_natural_effects_agree_with_the_linear_case_without_interaction():
    frame, adoption = mediated(3, N=150)
    study = make_study(("a",), [COLUMN])
    design = bd.build_design(_twfe(study, ()), make_panel(frame, adoption))
    found = natural_effects(design, frame["M"].to_numpy())
    assert abs(found["interaction"].mean()) < 4 * found["interaction"].std()
    for name in ("indirect at D = 0", "indirect at D = 1"):
        assert abs(found[name].mean() + 0.4) < 4 * found[name].std()
    assert np.allclose(found["total"], found["indirect at D = 1"] + found["direct at M(0)"])


@pytest.mark.skipif(not Path("/work/shared/data/jobs_899x17.csv").is_file(), reason="not shipped")
def test_jobs_data_give_the_known_mediation():
    jobs = pd.read_csv("/work/shared/data/jobs_899x17.csv")
    X = jobs[["econ_hard", "sex", "age"]].to_numpy(float)
    design = cross_section(
        jobs["depress2"].to_numpy(float),
        jobs["treat"].to_numpy(float),
        X,
        ("econ_hard", "sex", "age"),
    )
    wide = dataclasses.replace(
        design,
        X=np.column_stack([X, jobs["job_seek"]]),
        covariates=(*design.covariates, "job_seek"),
    )
    bound = bd.model(wide, mean=Mediation(("job_seek",)), priors="flat", errors="iid")
    found = paths_of(bd.fit(bound, draws=10_000))
    mcse = found.indirect.std() / 200
    assert found.a.mean() == pytest.approx(0.0656, abs=5e-5 + 5 * found.a.std() / 200)
    assert found.b.mean() == pytest.approx(-0.2400, abs=5e-5 + 5 * found.b.std() / 200)
    assert found.indirect.mean() == pytest.approx(-0.0157, abs=5e-5 + 5 * mcse)
    assert found.total.mean() == pytest.approx(-0.0560, abs=5e-5 + 5 * found.total.std() / 200)


def test_moderation_finds_the_slope_and_the_region():
    rng = np.random.default_rng(4)
    frame, adoption = staggered(4, N=120)
    frame["SR"] = rng.gamma(2.0, 1.0, len(frame))
    on = frame["period"] >= adoption["a"].reindex(frame["unit"]).to_numpy(float, na_value=np.inf)
    frame["y"] += on * (0.2 - 0.4 * frame["SR"])
    column = COLUMN | {"family": "moderation", "options": {"moderator": "SR"}}
    result = bd.analyse(make_study(("a",), [column]), "t.m", make_panel(frame, adoption))
    table = result.tables[0].frame.set_index("quantity")
    assert abs(table.loc["change per unit of SR", "mean"] + 0.4) < (
        4 * table.loc["change per unit of SR", "sd"]
    )
    raw, centred = table.loc["effect at 0 (raw)", "mean"], table.loc["effect at the mean (centred)"]
    assert abs(raw - 0.2) < 4 * table.loc["effect at 0 (raw)", "sd"]
    assert abs(centred["mean"] - 0.2 + 0.4 * frame["SR"].mean()) < 4 * centred["sd"]
    assert "Johnson-Neyman" in result.sentences[1]
    slope = table.loc["change per unit of SR"]
    effect = main_of(result, "active:a * SR").found
    assert (effect.mean, effect.sd) == (slope["mean"], slope["sd"])
    clustered = stated(result, "active:a * SR")["least squares, clustered"].found
    assert (clustered.mean, clustered.sd) == (result.peers[1].estimate, result.peers[1].se)
    assert all(peer.holds for peer in result.peers)


def test_linearity_check_rejects_a_step_and_keeps_its_level():
    rejected = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        n = 400
        D, M, unit = rng.integers(0, 2, n).astype(float), rng.normal(size=n), np.arange(n) % 40
        y = D * (1.0 + 0.5 * M) + M + rng.normal(size=n)
        if seed == 0:  # a step in the effect instead of a line
            y = D * 3.0 * (M > 0.4) + M + rng.normal(size=n)
        design = Design(
            "m.1",
            "m",
            "y",
            y,
            np.column_stack([D, D * M]),
            M[:, None],
            ("d", "dm"),
            ("M",),
            unit,
            np.arange(n) // 40,
            np.arange(40),
            np.arange(10),
            "u",
            "t",
            "fixed",
            "fixed",
            None,
            "0" * 64,
        )
        rejected.append(linearity(design, M)[0] < 0.05)
    assert rejected[0]
    assert sum(rejected[1:]) <= 6  # binomial(39, 0.05): P(> 6) < 0.005


def test_separated_groups_are_separate_regressions_and_planted_differences_are_found():
    rng = np.random.default_rng(5)
    frame, adoption = staggered(5, N=120)
    frame["region"] = np.where(frame["unit"] % 3 == 0, "east", "west")
    frame["x"] = rng.normal(size=len(frame))
    on = frame["period"] >= adoption["a"].reindex(frame["unit"]).to_numpy(float, na_value=np.inf)
    frame["y"] += on * np.where(frame["region"] == "east", -1.0, -0.4) + 0.3 * frame["x"]
    column = COLUMN | {
        "family": "heterogeneity",
        "options": {"groups": ["region"]},
        "covariates": ["x"],
    }
    study = make_study(("a",), [column], groups=[("region", {"east": "East", "west": "West"})])
    result = bd.analyse(study, "t.m", make_panel(frame, adoption))
    assert len(result.peers) == 2
    assert all(peer.holds for peer in result.peers)
    gap = result.tables[1].frame.iloc[0]
    assert gap["difference"] == "East - West"
    effect = main_of(result, between("active:a", "region", "east", "west")).found
    assert (effect.mean, effect.sd) == (gap["mean"], gap["sd"])
    assert abs(gap["mean"] + 0.6) < 4 * gap["sd"]
    assert "East with probability > 0.999" in result.sentences[0]


def test_separation_crosses_periods_and_covariates():
    rng = np.random.default_rng(0)
    n = 60
    design = Design(
        "m.1",
        "m",
        "y",
        rng.normal(size=n),
        rng.integers(0, 2, (n, 1)).astype(float),
        rng.normal(size=(n, 1)),
        ("d",),
        ("x",),
        np.arange(n) // 6,
        np.arange(n) % 6,
        np.arange(10),
        np.arange(6),
        "u",
        "t",
        "fixed",
        "fixed",
        None,
        "0" * 64,
    )
    labels = np.where(design.unit_index < 5, "a", "b")
    own = separated(design, labels)
    assert len(own.periods) == 12
    assert own.covariates == ("x | a", "x | b")
    assert (own.X[labels == "a", 1] == 0).all()


@given(st.floats(0.01, 0.5), st.floats(0.05, 1.0))
@settings(max_examples=15, deadline=None)
def test_pooling_published_groups_shrinks_differences_but_keeps_their_sign(se, gap):
    study = make_study()
    cells = {
        "x": PublishedGroup("t.1", -0.5 - gap, se, ""),
        "y": PublishedGroup("t.2", -0.5, se, ""),
    }
    draws = pooled_cells(study, "region", cells, 1.0)
    difference = (draws[:, 0] - draws[:, 1]).mean()
    mcse = (draws[:, 0] - draws[:, 1]).std() / np.sqrt(len(draws))
    assert -gap - 4 * mcse < difference < 4 * mcse


def test_missing_options_are_named():
    frame, adoption = mediated(1)
    for family in ("mediation", "moderation", "heterogeneity"):
        study = make_study(("a",), [COLUMN | {"family": family, "options": {}}])
        with pytest.raises(InputError, match="needs"):
            bd.analyse(study, "t.m", make_panel(frame, adoption))


def test_the_sentence_on_groups_says_what_published_columns_were_made_of():
    """Orders of adoption are inverted with all columns, other groups have columns of their own."""
    effects = {"first:a": np.full(4, -0.9), "first:b": np.full(4, -0.1)}
    printed = {
        "first:a": PublishedGroup("t.1", -0.3, 0.1, "**"),
        "first:b": PublishedGroup("t.2", -0.5, 0.1, "***"),
    }
    published = np.array([[-0.3, -0.5], [-0.3, -0.5], [-0.3, -0.5], [-0.6, -0.5]])

    def said(name):
        return _strongest(make_study(), name, effects, published, printed, True)

    assert "from the published columns inverted together, B first 0.750" in said("sequence")
    assert "in A first with probability > 0.999" in said("sequence")
    assert "from the published columns alone, first:b 0.750" in said("region")
