"""Placebo assignments: closed-form posteriors, exactness under the null, a planted effect."""

import dataclasses

import numpy as np
import pytest

import bayesdid as bd
from bayesdid.checks.placebo import SCHEMES, placebo
from bayesdid.exceptions import InputError


@pytest.fixture(scope="module")
def small(studies):
    study = bd.load_study(studies / "small")
    spec = study["t2.factorial"]
    alone = spec.column.model_copy(update={"treatments": ("both",), "family": "placebo"})
    return dataclasses.replace(spec, column=alone), bd.load_panel(study)


def test_the_actual_assignment_is_the_flat_fit(small):
    spec, panel = small
    result = placebo(spec, panel, scheme="permuted", assignments=3)
    plain = dataclasses.replace(spec, column=spec.column.model_copy(update={"family": "twfe"}))
    tau = bd.fit(plain, panel, errors="iid", priors="flat", draws=5000).tau().ravel()
    size = len(tau)
    assert abs(tau.mean() - result.actual_mean) < 4 * tau.std() / np.sqrt(size)
    assert abs(tau.std() / result.actual_sd - 1) < 5 / np.sqrt(2 * size)


def outcome(panel, y):
    return dataclasses.replace(panel, frame=panel.frame.assign(y=y))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_effect_no_rejection(small, scheme):
    """Independent errors: 5 % of placebo assignments are rejected; binomial bound at 5 sds.

    Assignments share one outcome, so the bound is for panels: 25 of them, 60 assignments each.
    """
    spec, panel = small
    rng = np.random.default_rng(0)
    shares = [
        placebo(
            spec,
            outcome(panel, rng.standard_normal(len(panel.frame))),
            scheme=scheme,
            assignments=60,
            seed=k,
        ).rejection
        for k in range(25)
    ]
    assert abs(np.mean(shares) - 0.05) < 5 * np.std(shares) / np.sqrt(25) + 1e-9


def test_serial_correlation_shows_in_the_rejections(small):
    """Bertrand, Duflo & Mullainathan: persistent errors make placebo effects significant."""
    spec, panel = small
    rng = np.random.default_rng(1)
    shares = []
    for k in range(15):
        e = np.cumsum(rng.standard_normal((16, 8)), axis=1).ravel()
        result = placebo(spec, outcome(panel, e), scheme="random", assignments=60, seed=k)
        shares.append(result.rejection)
    assert np.mean(shares) > 0.1


def test_a_planted_effect_stands_out(small):
    spec, panel = small
    rng = np.random.default_rng(2)
    design = bd.build_design(
        dataclasses.replace(spec, column=spec.column.model_copy(update={"family": "twfe"})), panel
    )
    y = 10 - 3.0 * design.D[:, 0] + rng.normal(0, 0.3, len(panel.frame))
    result = placebo(spec, outcome(panel, y), scheme="permuted", assignments=300)
    assert result.tail < 0.02
    assert abs(np.mean(result.mean)) < 0.5


def test_other_treatments_are_refused(small):
    spec, panel = small
    wrong = spec.column.model_copy(update={"treatments": ("active:a * active:b",)})
    with pytest.raises(InputError, match="placebo test has one treatment"):
        placebo(dataclasses.replace(spec, column=wrong), panel, scheme="random")
