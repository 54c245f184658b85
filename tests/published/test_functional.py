"""What columns estimate: weights are those of least squares, correlations those of shared units."""

import numpy as np
import pytest
from printing import (
    BOTH,
    BOTH_SINGLE,
    INTERACTION,
    ONLY_A,
    ONLY_B,
    WHOLE,
    known_timing,
    one_year,
    study,
)

from bayesdid.families.registry.load import load_study
from bayesdid.published.columns import mapped_specs, printed_columns
from bayesdid.published.functional import (
    Path,
    column_weights,
    effects_of,
    orders,
    sample_units,
    state_rows,
)
from bayesdid.published.inversion import layouts, printed_weights, sampling_covariance
from bayesdid.published.synergy import published_cells
from bayesdid.published.timing import timings
from bayesdid.study.terms import parse_term

COLUMNS = (
    ONLY_A,
    ONLY_B,
    BOTH,
    BOTH_SINGLE,
    WHOLE,
    INTERACTION,
    {"treatments": ["any"]},
    {"treatments": ["active:a"]},
    {"treatments": ["both"], "sample": {"arms": ["none", "dual"], "sequences": ["first:a"]}},
    {
        "treatments": ["both"],
        "sample": {"arms": ["single", "dual"], "sequences": ["first:b", "simultaneous"]},
    },
    {"treatments": ["active:a", "active:b", "first:a", "first:b"]},
)
STATIC = Path("static")
TABLE2 = ("table2.3", "table2.4", "table2.5", "table2.2", "table2.6")


def dummies(spec, timing, y):
    """Coefficients by least squares on terms and dummies of units and periods."""
    keep = sample_units(spec, timing)
    n, T = keep.sum(), len(timing.periods)
    X = []
    for text in spec.column.treatments:
        values = np.ones(timing.on.shape[:2])
        for factor in parse_term(text).factors:
            values = values * state_rows(timing, factor)
        X.append(values[keep].ravel())
    Z = np.column_stack([*X, np.repeat(np.eye(n), T, axis=0), np.tile(np.eye(T), (n, 1))[:, 1:]])
    return np.linalg.lstsq(Z, y[keep].ravel())[0][: len(X)]


@pytest.mark.parametrize("column", COLUMNS, ids=lambda c: str(c)[:60])
def test_weights_are_those_of_least_squares(column):
    timing = known_timing()
    made = study(
        [column],
        values=[0.0] * len(column["treatments"]),
        ses=[1.0] * len(column["treatments"]),
        synergy={},
    )
    y = np.random.default_rng(0).standard_normal(timing.on.shape[:2])
    W = column_weights(made["t.c0"], timing)
    np.testing.assert_allclose(
        (W * y).sum(axis=(1, 2)), dummies(made["t.c0"], timing, y), atol=1e-10
    )
    # unit and period effects do not enter, and units outside of the sample have no weight
    np.testing.assert_allclose(W.sum(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(W.sum(axis=2), 0, atol=1e-12)
    assert not W[:, ~sample_units(made["t.c0"], timing)].any()


def test_samples_hold_the_units_that_they_name():
    timing = known_timing()
    count = {
        str(c.get("sample")): int(
            sample_units(
                study(
                    [c],
                    values=[0] * len(c["treatments"]),
                    ses=[1] * len(c["treatments"]),
                    synergy={},
                )["t.c0"],
                timing,
            ).sum()
        )
        for c in COLUMNS
    }
    assert count[str(ONLY_A["sample"])] == 17  # 10 of none and 7 of a alone
    assert count[str(ONLY_B["sample"])] == 15
    assert count[str(BOTH["sample"])] == 18
    assert count[str(BOTH_SINGLE["sample"])] == 20
    assert count[str(COLUMNS[8]["sample"])] == 13
    assert count[str(COLUMNS[9]["sample"])] == 17
    assert count["None"] == 30


def test_sizes_along_a_path():
    age = np.array([0.0, 1.0, 4.0, 8.0])
    np.testing.assert_allclose(Path("growing", 4).size(age), [0.25, 0.5, 1, 1])
    np.testing.assert_allclose(Path("fading", 4).size(age), np.exp(-age / 4))
    np.testing.assert_allclose(Path("static").size(age), 1)


def test_effects_are_zero_before_adoption_and_joint_after_the_second():
    timing = known_timing()
    for path in (Path("static"), Path("growing", 3), Path("free", 0.05)):
        effects = effects_of(timing, path)
        on = timing.on
        for k, policy in enumerate(timing.policies):
            own = [n == policy or n.startswith(f"{policy} step") for n in effects.names]
            assert not effects.values[~on[:, :, k]][:, own].any()
        joint = effects.values[:, :, effects.joint]
        assert not joint[~on.all(axis=2)].any()
        assert (effects.values[..., effects.names.index("joint")] == on.all(axis=2)).all()
    both = timing.policies
    assert [str(one) for one in orders(timing, both)] == ["first:a", "first:b", "simultaneous"]
    assert orders(one_year(timing, 2005), both) == []


@pytest.fixture(scope="module")
def table2(models):
    dual = load_study(models / "dual_pilot")
    columns, _ = printed_columns(dual, list(published_cells(dual).values()))
    return columns, timings(dual, size=1).members[0]


def functionals(table2, path=STATIC):
    """Rows innovation, smart, joint of Table 2's columns, in the order of the issue's table."""
    columns, timing = table2
    effects = effects_of(timing, path)
    M = np.einsum("cnt,ntj->cj", printed_weights(columns, timing), effects.values)
    at = [[name.partition(":")[0] for name in columns.names].index(k) for k in TABLE2]
    keep = [effects.names.index(name) for name in ("innovation", "smart", "joint")]
    return M[np.ix_(at, keep)], columns.estimates[at]


def test_what_the_columns_of_table_2_estimate(table2):
    """Two digits of an independent computation (rounded: half a unit of the last one)."""
    M, _ = functionals(table2)
    expected = [
        (1.00, -0.18, 0),
        (-0.13, 1.00, 0),
        (0.77, 0.70, 1),
        (0.67, 0.57, 1),
        (0.56, 0.34, 1),
    ]
    np.testing.assert_allclose(M, expected, atol=0.00501)


def test_three_columns_solve_for_three_effects_and_predict_two_more(table2):
    columns, timing = table2
    M, b = functionals(table2)
    theta = np.linalg.solve(M[:3], b[:3])
    np.testing.assert_allclose(theta, [-0.657, -0.460, 0.131], atol=0.0006)
    np.testing.assert_allclose(M[3:] @ theta, [-0.574, -0.397], atol=0.0006)  # .555, .388 printed
    V = sampling_covariance(columns, printed_weights(columns, timing), 0.0)
    at = [[n.partition(":")[0] for n in columns.names].index(k) for k in TABLE2[:3]]
    gain = np.linalg.inv(M[:3])
    assert np.sqrt((gain @ V[np.ix_(at, at)] @ gain.T)[2, 2]) == pytest.approx(0.102, abs=0.0006)


@pytest.mark.parametrize(
    ("path", "synergy"),
    [(Path("growing", 3), 0.30), (Path("fading", 8), -0.12), (Path("fading", 4), -0.29)],
    ids=str,
)
def test_the_sign_of_the_synergy_turns_on_the_path(table2, path, synergy):
    M, b = functionals(table2, path)
    assert np.linalg.solve(M[:3], b[:3])[2] == pytest.approx(synergy, abs=0.00501)


def test_correlations_of_the_cells_from_their_weights(table2):
    columns, timing = table2
    weights = printed_weights(columns, timing)
    at = [[n.partition(":")[0] for n in columns.names].index(k) for k in TABLE2[:3]]
    uninflated = [sampling_covariance(columns, weights, phi)[np.ix_(at, at)] for phi in (0.0, 0.6)]
    correlation = [V / np.sqrt(np.outer(np.diag(V), np.diag(V))) for V in uninflated]
    assert correlation[0][2, 0] == pytest.approx(0.100, abs=0.0006)
    assert correlation[0][2, 1] == pytest.approx(0.144, abs=0.0006)
    assert correlation[0][0, 1] == pytest.approx(-0.150, abs=0.0006)
    w, ses = np.array([-1.0, -1.0, 1.0]), columns.ses[at]
    sd = [np.sqrt((w * ses) @ R @ (w * ses)) for R in correlation]
    assert sd == pytest.approx([0.1112, 0.1077], abs=1.1e-4)


def test_serial_correlation_inflates_standard_errors_that_suppose_none(table2):
    columns, timing = table2
    weights = printed_weights(columns, timing)
    sd = [np.sqrt(np.diag(sampling_covariance(columns, weights, phi))) for phi in (0, 0.3, 0.6)]
    assert (sd[2] > sd[1]).all()
    assert (sd[1] > sd[0]).all()
    np.testing.assert_allclose(sd[0], np.hypot(columns.ses, columns.rounding / np.sqrt(3)))


def shared(kinds, treated, controls):
    """Weight of each unit in a difference of means, by type."""
    weight = np.where(np.isin(kinds, treated), 1.0, 0.0) / np.isin(kinds, treated).sum()
    return weight - np.isin(kinds, controls) / np.isin(kinds, controls).sum()


def test_in_one_year_correlations_follow_from_counts_alone():
    """If all adopt at once columns are differences of changes that share nothing but units."""
    made = study([ONLY_A, ONLY_B, BOTH, BOTH_SINGLE], values=[0] * 4, ses=[1] * 4, synergy={})
    timing = one_year(known_timing(), 2005)
    W = np.concatenate([column_weights(made[f"t.c{k}"], timing) for k in range(4)])
    C = np.einsum("cnt,dnt->cd", W, W)
    kinds = np.repeat(["a", "b", "ab", "none"], [7, 5, 8, 10])
    rows = np.stack(
        [
            shared(kinds, ["a"], ["none"]),
            shared(kinds, ["b"], ["none"]),
            shared(kinds, ["ab"], ["none"]),
            shared(kinds, ["ab"], ["a", "b"]),
        ]
    )
    expected = np.corrcoef(rows)  # weights sum to zero: cosines are correlations
    found = C / np.sqrt(np.outer(np.diag(C), np.diag(C)))
    np.testing.assert_allclose(found, expected, atol=1e-10)
    assert found[0, 1] == pytest.approx(1 / 10 / np.sqrt((1 / 10 + 1 / 7) * (1 / 10 + 1 / 5)))


def test_columns_that_cannot_be_inverted_are_left_with_a_reason(models):
    dual = load_study(models / "dual_pilot")
    taken, left = mapped_specs(dual, list(published_cells(dual).values()))
    assert set(taken) == {*TABLE2, *(f"table3.{k}" for k in ("a1", "a2", "b1", "b2"))}
    assert left["table7.1"] == "not a two-way regression (sdm)"
    assert left["table4.4"] == "another outcome"
    assert left["table5.5"] == "outcomes of later periods"
    assert left["table8.1"] == "which units its sample has is not published"
    assert left["table2.1"] == "other covariates than the cells of the contrasts"


def test_layouts_weigh_kinds_of_paths_alike():
    made = study()
    columns, _ = printed_columns(made, list(published_cells(made).values()))
    found = layouts(columns, (known_timing(),), scale=1.0)
    total = {}
    for layout in found:
        kind = layout.path.kind
        total[kind] = total.get(kind, 0) + np.exp(layout.log_prior)
    assert list(total.values()) == pytest.approx([0.25] * 4)
