"""Great-circle distances and the raw weights made from them."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesdid.exceptions import InputError
from bayesdid.spatial.weights.distance import (
    EARTH_KM,
    Distances,
    band,
    economic_geographic,
    great_circle,
    inverse_distance,
    nearest,
    rings,
)

# Decimal degrees of city centres; kilometres as given by any great-circle calculator. A sphere is
# off the ellipsoid by at most 0.6 %, the centres by a kilometre or two.
PARIS, LONDON, SYDNEY, NEW_YORK = (
    (2.3522, 48.8566),
    (-0.1276, 51.5072),
    (151.2093, -33.8688),
    (-74.0060, 40.7128),
)
LINE = [(0.0, 0.0), (1.0, 0.0), (3.0, 0.0), (7.0, 0.0)]  # on the equator
DEGREE = EARTH_KM * np.pi / 180


def km(*places):
    return great_circle(places, [str(k) for k in range(len(places))]).km


@st.composite
def worlds(draw, least=3, most=9):
    """Distinct places on a grid of half degrees, away from the poles and the date line."""
    places = st.tuples(st.integers(-359, 359), st.integers(-179, 179))
    chosen = draw(st.lists(places, min_size=least, max_size=most, unique=True))
    return np.array(chosen) / 2


def distances(places):
    return great_circle(places, np.arange(len(places)))


@pytest.mark.parametrize(
    ("a", "b", "known", "tolerance"),
    [
        (PARIS, LONDON, 344, 2),
        (LONDON, NEW_YORK, 5570, 5),
        (LONDON, SYDNEY, 16994, 15),
        ((0, 0), (180, 0), np.pi * EARTH_KM, 1e-6),
        ((0, 90), (77, -90), np.pi * EARTH_KM, 1e-6),
        ((0, 0), (0, 1), DEGREE, 1e-6),
        ((179.5, 0), (-179.5, 0), DEGREE, 1e-6),
    ],
)
def test_known_distances(a, b, known, tolerance):
    assert km(a, b)[0, 1] == pytest.approx(known, abs=tolerance)


@given(worlds())
def test_distances_are_a_metric(places):
    d = distances(places).km
    np.testing.assert_array_equal(d, d.T)
    np.testing.assert_array_equal(np.diag(d), 0)
    assert (d[~np.eye(len(d), dtype=bool)] > 0).all()
    # rounding near antipodes: arcsin loses half the digits there, 1e-8 of the radius
    assert (d[:, :, None] <= d[:, None, :] + d.T[None, :, :] + 1e-3).all()


@given(worlds(), st.randoms(use_true_random=False))
def test_weights_follow_a_permutation_of_the_units(places, random):
    order = np.array(random.sample(range(len(places)), len(places)))
    means = np.arange(len(places)) ** 1.5
    one, other = distances(places), distances(places[order])
    pairs = [
        (one.km, other.km),
        (inverse_distance(one, power=2).toarray(), inverse_distance(other, power=2).toarray()),
        (band(one, 50, 5000).toarray(), band(other, 50, 5000).toarray()),
        (
            economic_geographic(one, means).toarray(),
            economic_geographic(other, means[order]).toarray(),
        ),
    ]
    for left, right in pairs:
        np.testing.assert_allclose(left[order][:, order], right, rtol=1e-12)


@given(worlds(), st.sampled_from([100.0, 333.3, 1000.0]), st.floats(1000, 25000))
def test_rings_partition_the_pairs(places, step, last):
    near = distances(places)
    found = rings(near, step, last)
    assert found[0].low == 0
    assert found[-1].high == last
    for ring, after in pairwise(found):
        assert ring.high == after.low
        assert ring.high - ring.low == pytest.approx(step)
    total = sum(ring.matrix.toarray() for ring in found)
    np.testing.assert_array_equal(total, (near.km <= last) & ~np.eye(len(places), dtype=bool))
    weighed = sum(ring.matrix.toarray() for ring in rings(near, step, last, power=1))
    np.testing.assert_array_equal(weighed, inverse_distance(near, cutoff_km=last).toarray())


def test_a_distance_on_an_edge_belongs_to_the_nearer_ring():
    near = Distances(np.array([[0.0, 100.0], [100.0, 0.0]]), np.array(["a", "b"]))
    assert [ring.matrix.nnz for ring in rings(near, 100, 300)] == [2, 0, 0]
    assert band(near, 100, 200).nnz == 0
    assert len(rings(near, 0.1, 0.3)) == 3  # 3 * 0.1 is more than 0.3 in binary


def test_inverse_distance_by_hand():
    near = great_circle(LINE, list("abcd"))
    W = inverse_distance(near, power=2, cutoff_km=3.5 * DEGREE).toarray() * DEGREE**2
    np.testing.assert_allclose(
        W, [[0, 1, 1 / 9, 0], [1, 0, 1 / 4, 0], [1 / 9, 1 / 4, 0, 0], [0, 0, 0, 0]], atol=1e-9
    )


def test_nearest_by_hand_and_ties_by_order():
    near = great_circle(LINE, list("abcd"))
    np.testing.assert_array_equal(
        nearest(near, 1).toarray(), [[0, 1, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]
    )
    assert (nearest(near, 3).toarray() == 1 - np.eye(4)).all()
    n = 100  # sorts that are not stable are so for short rows
    km = np.random.default_rng(0).integers(1, 4, (n, n)).astype(float)
    km = np.triu(km, 1) + np.triu(km, 1).T
    W = nearest(Distances(km, np.arange(n)), 5).toarray()
    for i in range(n):
        first = sorted((j for j in range(n) if j != i), key=lambda j: (km[i, j], j))[:5]
        assert set(np.flatnonzero(W[i])) == set(first)


def test_economic_geographic_by_hand():
    near = great_circle(LINE[:3], list("abc"))
    W = economic_geographic(near, [1.0, 3.0, 2.0]).toarray() * DEGREE
    np.testing.assert_allclose(
        W, [[0, 1 / 2, 1 / 3], [1 / 2, 0, 1 / 2], [1 / 3, 1 / 2, 0]], atol=1e-12
    )


def test_economic_shares_by_hand():
    near = great_circle(LINE[:3], list("abc"))
    W = economic_geographic(near, [1.0, 3.0, 2.0], proximity="share").toarray() * DEGREE
    np.testing.assert_allclose(
        W, np.array([[0, 3, 2 / 3], [1, 0, 1], [1 / 3, 3 / 2, 0]]) / 2, atol=1e-12
    )  # of the richer neighbour more than of one as rich as itself
    with pytest.raises(InputError, match=r"not above zero.*b: -3"):
        economic_geographic(near, [1.0, -3.0, 2.0], proximity="share")


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ((np.nan, 1), "longitude of unit b is missing"),
        ((1, np.inf), "latitude of unit b is missing"),
        ((181, 0), "longitude of unit b lies outside -180 to 180"),
        ((30, 114), "latitude of unit b lies outside -90 to 90"),
        ((0, 0), "a and b"),
        ((360 - 360, 1e-12), "a and b"),
    ],
)
def test_faulty_places_name_their_unit(place, words):
    with pytest.raises(InputError, match=words) as caught:
        great_circle([(0, 0), place, (5, 5)], list("abc"), source="places.csv")
    assert "places.csv" in str(caught.value)


def test_one_place_across_the_date_line():
    with pytest.raises(InputError, match="one place"):
        great_circle([(180, 10), (-180, 10)], list("ab"))


def test_faulty_requests():
    near = great_circle(LINE, list("abcd"))
    for call in (
        lambda: nearest(near, 4),
        lambda: nearest(near, 0),
        lambda: band(near, 200, 100),
        lambda: band(near, -1, 100),
        lambda: rings(near, 0, 100),
        lambda: rings(near, 200, 100),
        lambda: inverse_distance(near, power=-1),
        lambda: great_circle(LINE, list("abc")),
        lambda: economic_geographic(near, [1.0, 2.0, 3.0, np.nan]),
    ):
        with pytest.raises(InputError, match="Remedy"):
            call()
    with pytest.raises(InputError, match=r"same mean.*b and d: 2"):
        economic_geographic(near, [1.0, 2.0, 3.0, 2.0])
