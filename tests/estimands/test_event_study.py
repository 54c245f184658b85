"""Event studies: terms, truth, bands, smooth priors."""

import dataclasses

import numpy as np
import pytest

import bayesdid as bd
from bayesdid.estimands.event_study import event_draws, event_path, path_covariance, smooth_draws
from bayesdid.exceptions import InputError, NotIdentifiedError
from bayesdid.families.event_study import FAMILY, EventStudyOptions
from bayesdid.inference.exact.conjugate import conjugate_posterior
from bayesdid.panel.adoption import event_time
from bayesdid.peers.agreement import agree
from bayesdid.study.schema import Column

TIMES = [-4, -3, -2, 0, 1, 2, 3]


@pytest.fixture(scope="module")
def small(studies):
    study = bd.load_study(studies / "small")
    return study, bd.load_panel(study)


@pytest.fixture(scope="module")
def spec(small):
    study, _ = small
    base = study["t2.factorial"]
    update = {
        "family": "event_study",
        "treatments": ("active:a",),
        "options": {"first": -3, "last": 3, "reference": -1, "ends": "bin"},
    }
    return dataclasses.replace(base, column=base.column.model_copy(update=update))


def test_terms_are_event_times(small, spec):
    _, panel = small
    design = bd.build_design(spec, panel)
    assert design.treatments == (
        "active:a@<=-3",
        "active:a@-2",
        "active:a@0",
        "active:a@1",
        "active:a@2",
        "active:a@>=3",
    )
    time = event_time(panel, "a").to_numpy(dtype=float, na_value=np.nan)
    np.testing.assert_array_equal(design.D[:, 0], time <= -3)
    np.testing.assert_array_equal(design.D[:, 2], time == 0)
    np.testing.assert_array_equal(design.D[:, 5], time >= 3)
    reference = (time == -1) | np.isnan(time)
    assert (design.D.sum(axis=1) == ~reference).all()


def growing(spec, panel, ends, **options):
    """The design of an outcome that grows with every period under the policy, with little noise."""
    time = event_time(panel, "a").to_numpy(dtype=float, na_value=-1.0)
    noise = np.random.default_rng(0).normal(0, 1e-5, len(time))
    frame = panel.frame.assign(y=np.maximum(time + 1, 0) + noise)
    column = spec.column.model_copy(
        update={
            "outcome": "y",
            "covariates": (),
            "options": {"first": -2, "last": 1, "reference": -1, "ends": ends} | options,
        }
    )
    own = dataclasses.replace(spec, column=column)
    return bd.build_design(own, dataclasses.replace(panel, frame=frame))


def test_ends_of_their_own_leave_the_path_as_it_is_where_bins_bend_it(small, spec):
    _, panel = small
    own, bins = (growing(spec, panel, ends) for ends in ("own", "bin"))
    assert own.treatments == ("active:a@-2", "active:a@0", "active:a@1")
    at = own.treatments.index("active:a@1")
    found = conjugate_posterior(own).location[: len(own.treatments)]
    np.testing.assert_allclose(found, [0, 1, 2], atol=1e-4)  # ten of its sds
    assert abs(conjugate_posterior(bins).location[at] - 2) > 0.1
    (note,) = [n for n in own.notes if n.name == "event_times_beyond"]
    assert note.count == len(own.covariates) > 0
    assert "have effects of their own, which are no part of the path" in note.text
    assert not [n for n in bins.notes if n.name == "event_times_beyond"]


def test_event_times_longer_ago_than_the_panel_is_long_are_no_untreated_rows(small, spec):
    """A unit that adopted 60 periods before the panel has event times of its own in every row."""
    _, panel = small
    adoption = panel.adoption.copy()
    adoption.iloc[0, 0] = int(panel.periods[0]) - 60
    early = dataclasses.replace(panel, adoption=adoption)
    found = growing(spec, early, "own")
    treated = found.unit_index == list(found.units).index(panel.units[0])
    far = [found.covariates.index(n) for n in found.covariates if int(n.split("@")[1]) >= 60]
    assert len(far) == len(panel.periods) - 1  # the unit's own effect is the sum of all of them
    assert (found.X[treated][:, far].sum(axis=0) == 1).all()
    assert not found.X[~treated][:, far].any()


def test_without_a_never_treated_unit_ends_of_their_own_are_refused(small, spec):
    _, panel = small
    treated = panel.adoption["a"].notna()
    keep = panel.frame[panel.unit].isin(treated[treated].index)
    alone = dataclasses.replace(panel, frame=panel.frame[keep].reset_index(drop=True))
    with pytest.raises(NotIdentifiedError, match="every unit of the sample is treated") as caught:
        growing(spec, alone, "own")
    assert 'ends = "bin"' in str(caught.value)


def test_a_printed_event_time_outside_the_window_is_refused():
    options = EventStudyOptions(first=-3, last=3)
    column = Column(
        id="c",
        outcome="y",
        treatments=("active:a",),
        coefficients={"active:a@>=3": {"estimate": "1", "se": "1"}},
    )
    assert 'ends = "bin" pools them' in FAMILY.check(column, options)
    assert not FAMILY.check(column, options.model_copy(update={"ends": "bin"}))
    far = column.model_copy(update={"coefficients": {"active:a@7": None}})
    assert "change first and last" in FAMILY.check(far, options)


def test_the_identity_with_least_squares_holds(small, spec):
    _, panel = small
    design = bd.build_design(spec, panel)
    assert agree(design, {"flat": bd.fit(design, errors="iid", priors="flat").tree}).identity


def test_a_dynamic_effect_is_recovered(models):
    """Truth -0.1 per year since adoption in a panel of 218 cities, within 4 posterior sds."""
    study = bd.load_study(models / "dual_pilot")
    panel = bd.load_panel(study)
    since = event_time(panel).to_numpy(dtype=float, na_value=-1.0)
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.5, len(since))
    frame = panel.frame.assign(safety=-0.1 * np.maximum(since + 1, 0) + noise)
    tree = bd.fit(study["figure2.1"], dataclasses.replace(panel, frame=frame), errors="iid").tree
    times, draws = event_draws(tree)
    truth = np.where(np.array(times) >= 0, -0.1 * (np.array(times) + 1.0), 0.0)
    z = (draws.mean(axis=0) - truth) / draws.std(axis=0)
    assert np.abs(z[:-1]).max() < 4  # the last bin averages several years
    path = event_path(times, draws)
    assert path.pre_p > 0.001
    assert path.reference == -1


@pytest.mark.parametrize(
    ("update", "words"),
    [
        ({"options": {"first": 2, "last": -2}}, "first <= reference <= last"),
        ({"options": {"reference": 9}}, "first <= reference <= last"),
        ({"treatments": ("active:a", "active:b")}, "one treatment"),
    ],
)
def test_options_that_contradict_each_other(small, spec, update, words):
    _, panel = small
    wrong = dataclasses.replace(spec, column=spec.column.model_copy(update=update))
    with pytest.raises(InputError, match=words):
        bd.build_design(wrong, panel)


def test_simultaneous_band_holds_the_whole_path():
    rng = np.random.default_rng(1)
    L = rng.standard_normal((7, 7)) / 3 + np.eye(7)
    draws = rng.standard_normal((40_000, 7)) @ L.T
    path = event_path(TIMES, draws)
    inside = ((draws >= path.band_low) & (draws <= path.band_high)).all(axis=1).mean()
    assert inside == pytest.approx(0.89, abs=5 * np.sqrt(0.89 * 0.11 / 40_000))
    assert (np.array(path.band_low) <= path.low).all()


def test_flat_pre_trend_has_a_uniform_tail_area():
    """Under a true flat pre-trend the tail area is uniform: mean 1/2, sd 1/sqrt(12)."""
    rng = np.random.default_rng(2)
    V = 0.04 * (np.eye(7) + 0.5)
    values = []
    for _ in range(200):
        centre = rng.multivariate_normal(np.zeros(7), V)
        values.append(event_path(TIMES, rng.multivariate_normal(centre, V, 2000)).pre_p)
    assert np.mean(values) == pytest.approx(0.5, abs=5 / np.sqrt(12 * 200))
    drifting = rng.multivariate_normal(np.array([-1.2, -0.9, -0.6, 0, 0, 0, 0]), V / 4, 2000)
    assert event_path(TIMES, drifting).pre_p < 0.01


@pytest.mark.parametrize("prior", ["random_walk", "gaussian_process"])
def test_smooth_priors_borrow_strength(prior):
    """A smooth truth is estimated with smaller error than without the prior."""
    rng = np.random.default_rng(3)
    truth = np.array([0, 0, 0, -0.1, -0.2, -0.3, -0.4])
    V = 0.09 * np.eye(7)
    raw, smooth = [], []
    for seed in range(40):
        estimate = rng.multivariate_normal(truth, V)
        raw.append(((estimate - truth) ** 2).mean())
        fit = smooth_draws(estimate, V, TIMES, -1, prior, 0.5, seed=seed).mean(axis=0)
        smooth.append(((fit - truth) ** 2).mean())
    assert np.mean(smooth) < 0.7 * np.mean(raw)


def test_smooth_priors_let_strong_data_speak():
    truth = np.array([0.3, -0.2, 0.1, -1.0, 0.5, -0.7, 0.2])
    fit = smooth_draws(truth, 1e-6 * np.eye(7), TIMES, -1, "random_walk", 1.0)
    np.testing.assert_allclose(fit.mean(axis=0), truth, atol=0.01)


@pytest.mark.slow  # its density is compared in tests/model/test_system_densities.py
@pytest.mark.sampling
def test_smooth_path_equals_its_pymc_model():
    import warnings

    import arviz as az
    import nutpie

    from bayesdid.model.pymc.path import summarised

    rng = np.random.default_rng(4)
    mean, V = rng.normal(0, 0.4, 7), 0.04 * (np.eye(7) + 0.3)
    K = path_covariance(TIMES, -1, "random_walk")
    exact = smooth_draws(mean, V, TIMES, -1, "random_walk", 0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compiled = nutpie.compile_pymc_model(summarised(mean, V, K, 0.5))
        tree = nutpie.sample(
            compiled, draws=800, tune=700, chains=2, cores=2, seed=1, progress_bar=False
        )
    theta = tree["posterior"]["theta"]
    ess = az.ess(theta.to_dataset(name="x"))["x"].to_numpy()
    a, b = theta.mean(("chain", "draw")).to_numpy(), exact.mean(axis=0)
    error = np.hypot(
        theta.std(("chain", "draw")).to_numpy() / np.sqrt(ess),
        exact.std(axis=0) / np.sqrt(len(exact)),
    )
    assert np.abs((a - b) / error).max() < 5
