"""Weights: what normalising does, what is refused, and that units are matched by label."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_array

from bayesdid.exceptions import InputError
from bayesdid.spatial.weights.weights import aligned, make_weights, spectral_radius

PATH = np.array([[0, 1, 0], [1, 0, 2], [0, 2, 0]], dtype=float)
UNITS = np.array(["a", "b", "c"])


@st.composite
def matrices(draw):
    """Weights >= 0 without islands: a ring of ones with random weights added."""
    n = draw(st.integers(3, 8))
    W = draw(arrays(float, (n, n), elements=st.floats(0, 10)))
    W += np.roll(np.eye(n), 1, axis=1)
    np.fill_diagonal(W, 0)
    return W


@given(matrices())
def test_row_normalised_rows_sum_to_one(W):
    made = make_weights(W, range(len(W)))
    np.testing.assert_allclose(made.row_sums, 1)
    assert made.constant_row_sum == pytest.approx(1)
    np.testing.assert_allclose(made.dense() * W.sum(1)[:, None], W, atol=1e-12)


@given(matrices())
def test_spectral_normalisation_gives_radius_one(W):
    made = make_weights(W, range(len(W)), normalisation="spectral")
    assert abs(np.linalg.eigvals(made.dense())).max() == pytest.approx(1)


@given(matrices())
def test_min_max_bounds_the_radius_and_keeps_proportions(W):
    """The radius is at most the lesser of the largest row and column sums (Gershgorin)."""
    made = make_weights(W, range(len(W)), normalisation="min-max")
    assert abs(np.linalg.eigvals(made.dense())).max() <= 1 + 1e-9
    assert min(made.dense().sum(0).max(), made.dense().sum(1).max()) == pytest.approx(1)
    scale = made.dense().max() / W.max()
    np.testing.assert_allclose(made.dense(), W * scale, atol=1e-12)


def test_none_keeps_the_weights_and_their_symmetry():
    made = make_weights(PATH, UNITS, normalisation="none")
    np.testing.assert_array_equal(made.dense(), PATH)
    assert made.notes == ()
    assert made.constant_row_sum is None


def test_the_radius_of_large_weights_is_that_of_the_dense_matrix():
    rng = np.random.default_rng(1)
    n = 401  # one above the size up to which it is dense
    W = csr_array(np.where(rng.random((n, n)) < 0.05, rng.random((n, n)), 0))
    assert spectral_radius(W) == pytest.approx(abs(np.linalg.eigvals(W.toarray())).max())
    V = csr_array(W + W.T)
    assert spectral_radius(V) == pytest.approx(abs(np.linalg.eigvalsh(V.toarray())).max())


def test_islands_are_noted_and_stay_zero():
    W = PATH.copy()
    W[2, 1] = W[1, 2] = 0
    made = make_weights(W, UNITS)
    assert list(made.islands) == ["c"]
    assert {note.name: note.count for note in made.notes} == {"islands": 1}
    assert "c" in made.notes[0].text
    np.testing.assert_array_equal(made.row_sums, [1, 1, 0])


def test_asymmetry_is_noted_by_pairs():
    W = PATH.copy()
    W[0, 2] = 1
    notes = make_weights(W, UNITS).notes
    assert [(note.name, note.count) for note in notes] == [("asymmetric", 1)]


def test_what_is_given_is_not_changed():
    raw = csr_array(PATH)
    raw.data[0] = 0.0  # an explicit zero
    before = (raw.data.copy(), raw.indices.copy(), raw.indptr.copy())
    make_weights(raw, UNITS)
    for held, old in zip((raw.data, raw.indices, raw.indptr), before, strict=True):
        np.testing.assert_array_equal(held, old)


def changed(i, j, value):
    W = PATH.copy()
    W[i, j] = value
    return W


@pytest.mark.parametrize(
    ("matrix", "units", "how", "words"),
    [
        (PATH[:2], UNITS, "row", "shape (2, 3) for 3 units"),
        (PATH, UNITS[:2], "row", "shape (3, 3) for 2 units"),
        (PATH, ["a", "b", "a"], "row", "twice"),
        (PATH, [1, 1.0, 2], "row", "twice"),
        (changed(0, 1, np.nan), UNITS, "row", "a - b"),
        (changed(1, 2, np.inf), UNITS, "row", "b - c"),
        (changed(0, 1, -1), UNITS, "row", "negative"),
        (changed(1, 1, 1), UNITS, "row", "its own neighbour (value: b)"),
        (np.zeros((3, 3)), UNITS, "row", "no unit has a neighbour"),
        (PATH, UNITS, "rows", "unknown normalisation"),
        (np.triu(PATH), UNITS, "spectral", "spectral radius is zero"),
    ],
)
def test_each_fault_of_weights_is_named(matrix, units, how, words):
    with pytest.raises(InputError) as caught:
        make_weights(matrix, units, "mine", how)
    assert words in str(caught.value)
    assert "Remedy" in str(caught.value)


@given(matrices(), st.randoms(use_true_random=False))
def test_alignment_does_not_depend_on_the_order_of_the_weights(W, random):
    n = len(W)
    units = np.array([f"u{k}" for k in range(n)])
    order = np.array(random.sample(range(n), n))
    wanted = np.array(random.sample(list(units), n))
    for how in ("row", "spectral", "min-max", "none"):
        plain = aligned(make_weights(W, units, normalisation=how), wanted)
        mixed = aligned(make_weights(W[order][:, order], units[order], normalisation=how), wanted)
        np.testing.assert_allclose(plain.dense(), mixed.dense(), rtol=1e-9, atol=1e-12)
        assert list(plain.units) == list(wanted)
    np.testing.assert_array_equal(
        plain.dense(), [[W[int(a[1:]), int(b[1:])] for b in wanted] for a in wanted]
    )


def test_numbers_and_their_text_are_one_unit():
    made = aligned(make_weights(PATH, ["7", "8.0", " 9"]), np.array([9, 8, 7]))
    np.testing.assert_allclose(made.dense()[0], [0, 1, 0])
    assert made.units.dtype.kind == "i"


@pytest.mark.parametrize(
    ("units", "words"),
    [(["a", "b", "c", "d"], "lack units of the panel: 1"), (["a", "b"], "that the panel lacks: 1")],
)
def test_units_that_differ_are_named(units, words):
    with pytest.raises(InputError, match=words) as caught:
        aligned(make_weights(PATH, UNITS), np.array(units), "w.csv")
    assert "w.csv" in str(caught.value)
    assert caught.value.value in {"c", "d"}
