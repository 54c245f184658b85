"""A printed event study is a column like the others: it says how effects develop with time."""

import numpy as np
import pytest
from printing import MAIN_COLUMNS, WHOLE, known_timing, study
from published_worlds import World, outcomes, printed

from bayesdid.published.columns import mapped_specs, printed_columns
from bayesdid.published.functional import column_weights, printed_terms, state_rows
from bayesdid.published.synergy import published_cells, published_synergy
from bayesdid.study.terms import parse_term

COLUMNS = (*MAIN_COLUMNS, WHOLE)
PLAIN = {"values": (-0.7, -0.5, -0.4, -0.5), "ses": (0.1,) * 4}


def event_study(base, first=-3, last=4, reference=-1, ends="bin"):
    return {
        "treatments": [base],
        "family": "event_study",
        "options": {"first": first, "last": last, "reference": reference, "ends": ends},
    }


def cell(estimate=0.0, se=0.1):
    return {"estimate": f"{estimate:.3f}", "se": f"{se:.3f}"}


def of_panel(columns, world, seed):
    """The study that prints what one panel of a world makes of these columns."""
    empty = [
        c | {"coefficients": {t: cell() for t in printed_terms(s)}} if "family" in c else c
        for c, s in zip(
            columns, study(columns, values=(), ses=(), synergy={}).specs.values(), strict=False
        )
    ]
    blank = study(empty, **PLAIN)
    timing, rng = known_timing(), np.random.default_rng(seed)
    found = printed_columns(blank, list(published_cells(blank).values()))[0]
    found = printed(found, timing, outcomes(world, timing, rng))
    filled = [dict(c, coefficients={}) for c in columns]
    for name, b, se in zip(found.names, found.estimates, found.ses, strict=True):
        spec, _, term = name.partition(":")
        filled[int(spec.removeprefix("t.c"))]["coefficients"][term] = cell(b, se)
    panel = {"first_period": 2001, "last_period": 2010}
    return study(filled, values=(), ses=(), panel=panel)


@pytest.mark.parametrize("base", ["active:a", "both"])
def test_weights_are_those_of_the_event_regression(base):
    timing = known_timing()
    spec = study([event_study(base)], values=(), ses=(), synergy={})["t.c0"]
    terms = printed_terms(spec)
    assert f"{base}@-1" not in terms
    assert f"{base}@<=-3" in terms
    assert f"{base}@>=4" in terms
    y = np.random.default_rng(0).standard_normal(timing.on.shape[:2])
    N, T = y.shape
    X = np.column_stack([state_rows(timing, parse_term(t).factors[0]).ravel() for t in terms])
    Z = np.column_stack([X, np.repeat(np.eye(N), T, axis=0), np.tile(np.eye(T), (N, 1))[:, 1:]])
    truth = np.linalg.lstsq(Z, y.ravel())[0][: len(terms)]
    found = (column_weights(spec, timing) * y).sum(axis=(1, 2))
    np.testing.assert_allclose(found, truth, atol=1e-9)


def test_with_ends_of_their_own_the_window_is_part_of_the_whole_path():
    """Weights of the printed terms are those of the regression on every event time."""
    timing = known_timing()
    spec = study([event_study("active:a", ends="own")], values=(), ses=(), synergy={})["t.c0"]
    terms = printed_terms(spec)
    assert (terms[0], terms[-1]) == ("active:a@-3", "active:a@4")
    N, T = timing.on.shape[:2]
    far = [f"active:a@{k}" for k in (*range(-T, -3), *range(5, T + 1))]
    X = [state_rows(timing, parse_term(t).factors[0]).ravel() for t in (*terms, *far)]
    Z = np.column_stack([*X, np.repeat(np.eye(N), T, axis=0), np.tile(np.eye(T), (N, 1))[:, 1:]])
    y = np.random.default_rng(0).standard_normal((N, T))
    truth = np.linalg.lstsq(Z, y.ravel())[0][: len(terms)]
    found = (column_weights(spec, timing) * y).sum(axis=(1, 2))
    np.testing.assert_allclose(found, truth, atol=1e-9)


def test_units_that_never_adopt_are_in_no_event_time():
    timing = known_timing()
    never = np.isinf(timing.start[:, 0])
    for event in ("<=-3", ">=4", "0"):
        rows = state_rows(timing, parse_term(f"active:a@{event}").factors[0])
        assert rows.any()
        assert not rows[never].any()


def test_an_event_time_that_no_unit_reaches_is_left_out_with_its_reason():
    wide = event_study("active:a", -3, 9) | {
        "coefficients": {"active:a@2": cell(-0.4), "active:a@>=9": cell(-0.5)}
    }
    found = published_synergy(study([*COLUMNS, wide], **PLAIN))
    assert "t.c4:active:a@2" in found.columns.names
    assert found.left["t.c4:active:a@>=9"] == "not estimable if units adopted as stated"


def test_a_picture_without_numbers_changes_nothing():
    picture = study([*COLUMNS, event_study("both")], **PLAIN)
    taken, left = mapped_specs(picture, list(published_cells(picture).values()))
    assert "t.c4" not in taken
    assert "t.c4" not in left
    without = published_synergy(study(COLUMNS, **PLAIN)).contrasts
    for name, item in published_synergy(picture).contrasts.items():
        assert (item.main.mean, item.main.sd) == (without[name].main.mean, without[name].main.sd)


@pytest.mark.slow
def test_it_informs_the_path():
    """The same noise on effects that grow and that fade: event studies tell them apart better."""
    events = (event_study("active:a"), event_study("active:b"))

    def gain(columns, seed):
        grows, fades = (
            published_synergy(of_panel(columns, World(0.0, path), seed)).path_weights
            for path in ("growing over 4", "fading over 6")
        )
        return (grows["growing"] - grows["fading"]) - (fades["growing"] - fades["fading"])

    more = [gain((*COLUMNS, *events), seed) - gain(COLUMNS, seed) for seed in range(8)]
    assert np.mean(more) > 3 * np.std(more, ddof=1) / np.sqrt(len(more)), more
