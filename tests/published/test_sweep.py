"""The published kind of sweep: one model per band, and what many looks do."""

import numpy as np
import pytest
from distances import adoption, design_of, places, planted
from scipy.stats import norm

import bayesdid as bd
from bayesdid.inference.exact.conjugate import conjugate_posterior
from bayesdid.model.spillover import profile_design
from bayesdid.published.sweep import band_sweep, sweep_of

EDGES = [(100.0 * k, 100.0 * (k + 1)) for k in range(20)]


def bands(means, *, sd=1.0, size=4000, seed=0):
    rng = np.random.default_rng(seed)
    return [m + sd * rng.standard_normal(size) for m in means]


def test_every_band_gets_its_model_and_empty_ones_are_named():
    asked = []

    def fit_band(weights):
        asked.append(weights)
        draws = np.random.default_rng(0).normal(weights, 1.0, 1000)
        return {"direct": draws * 0, "indirect": draws, "total": draws}

    found = band_sweep([(0, 100, 3.0), (100, 200, None), (200, 300, -4.0)], fit_band)
    assert asked == [3.0, -4.0]
    assert found.skipped == ("100-200 km",)
    assert found.bands == 2
    assert found.frame["from_km"].tolist() == [0, 200]
    assert found.frame["excludes_zero"].tolist() == [True, True]
    assert found.frame["p_helpful"].iloc[1] > 0.99
    assert found.frame["p_helpful"].iloc[0] < 0.01


def test_limits_are_the_normal_ones_and_wider_over_all_bands():
    """Quantile p of n normal draws has sd sqrt(p (1 - p) / n) / density; 4.5 of them."""
    found = sweep_of(EDGES, bands(np.zeros(20), size=20_000), level=0.90)
    for p, column in ((0.95, "high"), (1 - 0.1 / 40, "all_high")):
        z = norm.ppf(p)
        error = np.sqrt(p * (1 - p) / 20_000) / norm.pdf(z)
        assert np.abs(found.frame[column] - z).max() < 4.5 * error
    assert found.enough_draws
    assert not sweep_of(EDGES, bands(np.zeros(20), size=500), level=0.90).enough_draws


@pytest.mark.parametrize("shared", [0.0, 0.9])
def test_without_spillover_the_count_is_as_expected_however_the_bands_depend(shared):
    """Estimates of 300 studies with correlation `shared` between bands, flat posteriors.

    The mean count is 20 x 0.1 = 2 either way; its sd per study is at most 20 sqrt(0.1 x 0.9) = 6.
    Some band survives Bonferroni in at most a tenth of studies.
    """
    rng = np.random.default_rng(7)
    counts, any_survives, beyond = [], [], []
    noise = norm.ppf((np.arange(400) + 0.5) / 400)
    for _ in range(300):
        common = rng.standard_normal()
        means = np.sqrt(shared) * common + np.sqrt(1 - shared) * rng.standard_normal(20)
        found = sweep_of(EDGES, [m + noise for m in means], level=0.90)
        counts.append(found.excluding)
        any_survives.append(found.frame["survives"].any())
        beyond.append(found.excluding >= 8)
    assert abs(np.mean(counts) - found.expected) < 4 * 6 / np.sqrt(300)
    assert np.mean(any_survives) < 0.1 + 4 * np.sqrt(0.09 / 300)
    assert np.mean(beyond) <= 2 / 8 + 4 * np.sqrt(0.19 / 300)  # Markov's bound
    assert found.expected == pytest.approx(2.0)


def test_the_sentence_says_how_many_models_and_how_many_by_chance():
    means = np.zeros(20)
    means[:3] = -6.0
    found = sweep_of(EDGES, bands(means), level=0.90)
    text = found.sentence()
    assert text.startswith("20 bands are 20 models: ")
    assert "2.0 would on average" in text
    assert found.frame["survives"].sum() == 3
    assert "3 exclude zero in intervals that hold for all bands at once" in text
    assert 0 < found.at_most <= 1


def test_one_band_at_a_time_sees_help_next_door_as_harm_far_away_and_one_model_does_not():
    """Help of 0.3 within 300 km, nothing beyond. Exposures of all rings and the treatment add up
    to a period effect, so that a band left out is made up for by others, with the other sign.

    Beyond 400 km nine in ten 90 % intervals should hold zero; between 1,000 and 1,900 km the
    bands' own models miss it three times in ten, and with the sign of harm. Counts over 16 bands
    and 8 panels have an sd below sqrt(0.09 / 8) = 0.106 whatever the bands' dependence.
    """
    rng = np.random.default_rng(5)
    d = places(np.random.default_rng(2024))
    alone, harm, joint = [], [], []
    for _ in range(8):
        D = adoption(rng, 218, 16)
        Y = planted(rng, d, D, lambda r: np.where(r < 300, -0.3, 0.0))
        design = profile_design(design_of(Y, D), d)

        def fit_band(exposure, Y=Y, D=D):
            posterior = conjugate_posterior(design_of(Y, D, [exposure]))
            return {"indirect": posterior.draw(2000, rng)[:, 1]}

        bands_ = [(*edge, E) for edge, E in zip(EDGES, design.raw, strict=True)]
        sweep = band_sweep(bands_, fit_band).frame
        alone.append(sweep["excludes_zero"].iloc[10:19].mean())
        harm.append((sweep["mean"] > 0).iloc[10:19].mean())
        theta = bd.fit(design, draws=200).tree["posterior"]["theta"].to_numpy().reshape(-1, 20)
        low, high = np.quantile(theta[:, 4:], [0.05, 0.95], axis=0)
        joint.append(((low > 0) | (high < 0)).mean())
        assert sweep["excludes_zero"].iloc[1:3].all()
    assert np.mean(alone) > 0.1 + 0.106
    assert np.mean(harm) > 0.5
    assert np.mean(joint) < 0.1 + 0.106
