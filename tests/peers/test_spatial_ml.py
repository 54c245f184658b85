"""Maximum likelihood of spatial panels: published numbers, peers, dense densities, known truth."""

import dataclasses
import itertools
from contextlib import closing

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import null_space
from scipy.optimize import minimize
from scipy.stats import multivariate_normal
from spatial_panels import base_design, grid_weights, knn_weights, simulate

from bayesdid.exceptions import InputError, NotIdentifiedError
from bayesdid.peers.spatial_impacts import ml_impacts
from bayesdid.peers.spatial_ml import spatial_ml
from bayesdid.peers.spatial_profile import profile, setup, spectrum
from bayesdid.peers.spatial_spreg import spreg_panel
from bayesdid.spatial.design import spatial_design, with_kind
from bayesdid.spatial.weights.weights import make_weights
from cells import slow_but

PRINTED = {"abs": 0.6e-4, "rel": 0}  # four printed decimals
KINDS = ("none", "slx", "sar", "sdm", "sem", "sdem")


def symmetric_weights(N=30, seed=5):
    """Symmetric, with N different eigenvalues and row sums that differ."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(size=(N, 2))
    far = np.linalg.norm(points[:, None] - points[None], axis=2)
    near = np.where((far < 0.35) & (far > 0), np.exp(-3 * far), 0.0)
    return make_weights((near + near.T) / 2, np.arange(N), "distance", "spectral")


def with_effects(design, unit, period):
    base = dataclasses.replace(design.base, unit_effects=unit, period_effects=period)
    return dataclasses.replace(design, base=base)


# Baltagi's cigarette panel


@pytest.fixture(scope="module")
def cigarettes(root):
    folder = root.parent / "shared" / "data"
    panel, contiguity = folder / "cigar_baltagi_46x30.csv", folder / "w_usa46_contiguity.csv"
    if not panel.exists() or not contiguity.exists():
        pytest.skip("the cigarette panel is not at hand")
    data = pd.read_csv(panel).sort_values(["state", "year"])

    def table(column):
        return column.to_numpy().reshape(46, 30)

    X = np.stack(
        [table(np.log(data["price"] / data["cpi"])), table(np.log(data["ndi"] / data["cpi"]))]
    )
    units = data["state"].unique()
    base = base_design(table(np.log(data["sales"])), X, names=("price", "income"), units=units)
    W = pd.read_csv(contiguity, index_col=0).to_numpy(dtype=float)
    return spatial_design(base, make_weights(W, units, "contiguity"), "sdm")


def test_cigarette_sdm_with_both_effects_as_computed_elsewhere(cigarettes):
    """Numbers of ../shared/data/README.md: W is applied to demeaned data there."""
    fit = spatial_ml(cigarettes, order="demean_first")
    assert fit.rho == pytest.approx(0.228515, abs=1e-6)
    assert fit.estimates == pytest.approx([-1.0029, 0.6010, 0.0588, -0.2946], **PRINTED)
    assert fit.loglik == pytest.approx(1691.4103, **PRINTED)
    impacts = ml_impacts(cigarettes, fit)
    assert impacts.direct == pytest.approx([-1.0135, 0.5912], **PRINTED)
    assert impacts.indirect == pytest.approx([-0.2102, -0.1941], **PRINTED)
    assert impacts.total == pytest.approx([-1.2237, 0.3971], **PRINTED)
    assert impacts.direct + impacts.indirect == pytest.approx(impacts.total, abs=1e-12)


def test_cigarette_sar(cigarettes):
    sar = with_kind(cigarettes, "sar")
    both = spatial_ml(sar, order="demean_first")
    assert [both.rho, *both.estimates] == pytest.approx([0.189756, -0.9942, 0.4625], **PRINTED)
    states = spatial_ml(sar, period="none")
    assert states.rho == pytest.approx(0.298155, abs=1e-6)
    assert states.estimates == pytest.approx([-0.5317, -0.0007], **PRINTED)


@pytest.mark.parametrize("transform", ["direct", "lee_yu"])
def test_the_cigarette_posterior_stands_beside_maximum_likelihood(cigarettes, transform):
    """Flat priors: mean and mode differ by skewness, below 2 / sqrt(N) sd; see the peers' docs."""
    from bayesdid.inference.exact.durbin_fit import draw_durbin
    from bayesdid.inference.impacts import effects_of

    ml = spatial_ml(cigarettes, transform=transform)
    fit = draw_durbin(cigarettes, priors="flat", transform=transform, size=8000)
    near = 2 / np.sqrt(cigarettes.N) + 5 / np.sqrt(8000)
    assert fit.converged
    pairs = [(fit.rho, ml.rho, ml.rho_se)]
    pairs += [
        (fit.b[:, k], ml.estimates[k], ml.standard_errors[k]) for k in range(len(ml.estimates))
    ]
    impacts = ml_impacts(cigarettes, ml)
    for k, effects in enumerate(effects_of(cigarettes, fit.rho, fit.b).values()):
        pairs.append((effects.direct, impacts.direct[k], impacts.direct_se[k]))
        pairs.append((effects.indirect, impacts.indirect[k], impacts.indirect_se[k]))
    for draws, estimate, se in pairs:
        assert abs(draws.mean() - estimate) < near * se
        assert abs(draws.std() / se - 1) < 0.1


def test_lagging_demeaned_data_is_not_maximum_likelihood_with_period_dummies(cigarettes):
    """The row-normalised W of these states has unequal column sums; spreg's dummies agree."""
    dummies = spatial_ml(cigarettes)
    demeaned = spatial_ml(cigarettes, order="demean_first")
    peer = spreg_panel(cigarettes)
    assert dummies.rho == pytest.approx(peer["rho"], abs=1e-6)
    assert dummies.loglik == pytest.approx(peer["loglik"], abs=1e-6)
    assert dummies.loglik > demeaned.loglik + 0.1
    # where column sums are equal, one estimate
    ring = np.roll(np.eye(12), 1, axis=1) + np.roll(np.eye(12), -1, axis=1)
    design = simulate(make_weights(ring, np.arange(12)), "sdm", "fixed", "fixed")
    one, other = spatial_ml(design), spatial_ml(design, order="demean_first")
    assert one.rho == pytest.approx(other.rho, abs=1e-7)


def test_published_lee_yu_is_the_bias_correction_that_the_transformation_agrees_with(cigarettes):
    """SDPDmod prints rho .2226, and corrected .2622, -1.0013, .6027, .0908, -.3133.

    The correction of two-way estimates (Lee & Yu 2010, sec. 4.2; Elhorst's sar_panel_FE) is
    ``T V (0, 1 / (1 - rho), 1 / (2 sigma2))``. Starting from the printed rho, whose
    log-determinant is coarse, it leads to the printed corrected rho; coefficients to an eighth of
    their standard errors (V is observed information here).
    """
    direct = spatial_ml(cigarettes)
    V = direct.covariance[:6, :6]

    def bias(rho):
        return cigarettes.T * V @ [0, 0, 0, 0, 1 / (1 - rho), 1 / (2 * direct.sigma2)]

    assert 0.2226 + bias(0.2226)[4] == pytest.approx(0.2622, abs=1e-3)
    printed = np.array([-1.0013, 0.6027, 0.0908, -0.3133])
    there = direct.estimates + V[:4, 4] / V[4, 4] * (0.2226 - direct.rho) + bias(0.2226)[:4]
    assert (abs(there - printed) < direct.standard_errors / 8).all()
    exact = spatial_ml(cigarettes, transform="lee_yu")
    assert exact.observations == 45 * 29
    assert abs(exact.rho - direct.rho - bias(direct.rho)[4]) < 0.1 * exact.rho_se
    assert exact.rho == pytest.approx(0.2622, abs=0.01)  # as near as the log-determinant allows


# the same estimates from spreg


@pytest.mark.parametrize("unit", ["fixed", "random"])
@pytest.mark.parametrize("period", ["none", "fixed"])
@pytest.mark.parametrize("kind", ["sar", "sdm", "sem", "sdem"])
def test_six_digits_of_spreg(monkeypatch, kind, unit, period):
    """spreg's L-BFGS-B stops early by default; random-effects errors need a symmetric W there."""
    tight = {"ftol": 1e-15, "gtol": 1e-10}
    monkeypatch.setattr(
        "spreg.panel.minimize", lambda *a, **k: minimize(*a, **(k | {"options": tight}))
    )
    design = simulate(symmetric_weights(), kind, unit, period, seed=3)
    ours, peer = spatial_ml(design), spreg_panel(design)
    assert ours.converged
    assert ours.names == peer["names"]
    assert ours.rho == pytest.approx(peer["rho"], abs=1e-6)
    assert ours.estimates == pytest.approx(peer["estimates"], abs=1e-6)
    assert ours.sigma2 == pytest.approx(peer["sigma2"], abs=1e-6)
    assert ours.loglik == pytest.approx(peer["loglik"], abs=1e-6)
    if "phi" in peer:
        assert ours.phi == pytest.approx(peer["phi"], abs=1e-6)
    if "sigma2_unit" in peer:
        assert ours.sigma2_unit == pytest.approx(peer["sigma2_unit"], abs=2e-6)


@pytest.mark.parametrize("kind", ["sar", "sem"])
def test_six_digits_of_spreg_with_complex_eigenvalues(kind):
    design = simulate(knn_weights(40, 4, 1), kind, "fixed", "fixed", seed=4)
    ours, peer = spatial_ml(design), spreg_panel(design)
    assert [*ours.estimates, ours.rho] == pytest.approx([*peer["estimates"], peer["rho"]], abs=1e-6)


@pytest.fixture(scope="module")
def munnell():
    """Output of 48 states (linearmodels), row-normalised contiguity (libpysal)."""
    import libpysal
    from linearmodels.datasets import munnell

    data = munnell.load().sort_values(["STATE", "YR"])
    with closing(libpysal.io.open(libpysal.examples.get_path("us48.dbf"))) as table:
        labels = table.by_col("STATE_NAME")
    with closing(libpysal.io.open(libpysal.examples.get_path("states48.gal"))) as graph:
        W = graph.read()
    order = [W.id2i[i] for i in W.id_order]
    matrix = W.full()[0]
    states = data["STATE"].unique()
    full = [labels[k].upper().replace(" ", "_") for k in order]
    labels = [next(s for s in states if name.startswith(s)) for name in full]  # munnell cuts them
    columns = {c: data[c].to_numpy(dtype=float).reshape(48, 17) for c in data.columns[3:]}
    X = np.stack(
        [np.log(columns["P_CAP"]), np.log(columns["PC"]), np.log(columns["EMP"]), columns["UNEMP"]]
    )
    names = ("public", "private", "labour", "unemployment")
    base = base_design(np.log(columns["GSP"]), X, period="none", names=names, units=states)
    return {
        how: spatial_design(base, make_weights(matrix, labels, "contiguity", how), "sar")
        for how in ("row", "spectral")
    }


@pytest.mark.parametrize("kind", ["sar", "sdm", "sem", "sdem"])
def test_six_digits_of_spreg_on_real_states(munnell, kind):
    design = with_kind(munnell["row"], kind)
    ours, peer = spatial_ml(design), spreg_panel(design)
    assert [*ours.estimates, ours.rho] == pytest.approx([*peer["estimates"], peer["rho"]], abs=1e-6)
    assert ours.loglik == pytest.approx(peer["loglik"], abs=1e-6)
    if kind == "sar":
        random = with_effects(design, "random", "none")
        ours, peer = spatial_ml(random), spreg_panel(random)
        # spreg alternates between phi and rho until phi moves by less than 1e-7
        assert [*ours.estimates, ours.rho] == pytest.approx(
            [*peer["estimates"], peer["rho"]], abs=5e-6
        )
        assert ours.loglik >= peer["loglik"] - 1e-9


def test_spreg_has_another_likelihood_for_random_errors_unless_weights_are_symmetric(munnell):
    design = with_effects(with_kind(munnell["row"], "sem"), "random", "none")
    assert abs(spatial_ml(design).loglik - spreg_panel(design)["loglik"]) > 0.1


def test_spreg_refuses_what_it_lacks():
    with pytest.raises(InputError, match="no such spatial panel"):
        spreg_panel(simulate(grid_weights(3, 3), "slx", "fixed", "fixed"))


# dense densities: nothing concentrated, nothing simplified


def dense_loglik(design, fit):
    """Normal density of the whole panel, (T N) long, after explicit transformations."""
    N, T = design.N, design.T
    W = design.weights.dense()
    lee_yu = fit.transform == "lee_yu"
    drops = lee_yu and fit.period == "fixed"
    FN = null_space(np.ones((1, N))) if drops else np.eye(N)
    FT = null_space(np.ones((1, T))) if lee_yu and fit.unit == "fixed" else np.eye(T)
    F = np.kron(FT, FN)
    y = F.T @ design.Y.T.reshape(-1)
    columns = [z.T.reshape(-1) for z in design.Z]
    columns += [np.ones(N * T)] if len(fit.names) > len(design.names) else []
    X = F.T @ np.column_stack(columns)
    dummies = [np.empty((len(y), 0))]
    if fit.unit == "fixed" and not lee_yu:
        dummies.append(F.T @ np.kron(np.ones((T, 1)), np.eye(N)))
    if fit.period == "fixed" and not drops:
        dummies.append(F.T @ np.kron(np.eye(T), np.ones((N, 1))))
    D = np.hstack(dummies)
    Wn = FN.T @ W @ FN  # of the transformed units, Lee & Yu's W*
    B = np.kron(
        np.eye(FT.shape[1]), np.eye(FN.shape[1]) - (0 if np.isnan(fit.rho) else fit.rho) * Wn
    )
    lag = design.kind in ("sar", "sdm")
    V = fit.sigma2 * np.eye(len(y))
    if not lag:  # F' (B'B)^-1 F, from the untransformed B
        B0 = np.eye(N) - (0 if np.isnan(fit.rho) else fit.rho) * W
        V = fit.sigma2 * np.kron(np.eye(FT.shape[1]), FN.T @ np.linalg.inv(B0.T @ B0) @ FN)
    if fit.unit == "random":
        V = V + fit.sigma2_unit * np.kron(np.ones((T, T)), np.eye(FN.shape[1]))
    left = (B @ y if lag else y) - X @ fit.estimates
    Vi = np.linalg.inv(V)
    if D.shape[1]:
        left = left - D @ np.linalg.lstsq(D.T @ Vi @ D, D.T @ Vi @ left, rcond=1e-10)[0]
    jacobian = np.linalg.slogdet(B)[1] if lag else 0.0
    return multivariate_normal(np.zeros(len(y)), V).logpdf(left) + jacobian


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("transform", ["direct", "lee_yu"])
def test_log_likelihood_is_the_dense_normal_density(kind, transform):
    """Row-normalised, so that periods are transformed away in lag models too."""
    for unit in ("none", "fixed", "random"):
        for period in ("none", "fixed"):
            design = simulate(knn_weights(9, 3, 2), kind, unit, period, T=4, seed=7)
            fit = spatial_ml(design, transform=transform)
            assert fit.loglik == pytest.approx(dense_loglik(design, fit), abs=1e-8), (unit, period)


@pytest.mark.parametrize("kind", ["sem", "sdem"])
def test_error_models_lose_their_periods_by_transformation_whatever_the_row_sums(kind):
    for unit in ("none", "fixed", "random"):
        design = simulate(symmetric_weights(9), kind, unit, "fixed", T=4, seed=7)
        fit = spatial_ml(design, transform="lee_yu")
        assert fit.loglik == pytest.approx(dense_loglik(design, fit), abs=1e-8), unit


def test_lag_models_keep_their_periods_if_row_sums_differ():
    design = simulate(symmetric_weights(9), "sdm", "fixed", "fixed", T=4, seed=7)
    assert spatial_ml(design, transform="lee_yu").observations == 9 * 3
    assert spatial_ml(with_kind(design, "sem"), transform="lee_yu").observations == 8 * 3


@pytest.mark.parametrize(
    ("kind", "unit"),
    [("sdm", "fixed"), ("sem", "fixed"), ("sar", "random"), ("sdem", "random"), ("slx", "random")],
)
def test_covariance_is_the_inverse_hessian_of_the_whole_likelihood(kind, unit):
    """Second differences of log L(b, rho, sigma2, phi) itself, built from the profile's parts."""
    design = simulate(grid_weights(5, 5), kind, unit, "fixed", seed=2)
    fit = spatial_ml(design)
    at = profile(
        design, setup(design, fit.unit, "fixed", "direct", "lag_first"), spectrum(design.weights)
    )
    K, n = len(fit.estimates), fit.observations
    has_rho, random = bool(np.isfinite(fit.rho)), unit == "random"

    def whole(parameters):
        b, rest = parameters[:K], list(parameters[K:])
        rho = rest.pop(0) if has_rho else 0.0
        sigma2 = rest.pop(0)
        p = at(rho, rest[0] if random else 1.0)
        ssr = n * p.sigma2 + (b - p.b) @ p.XX @ (b - p.b)
        return (
            p.loglik
            + n / 2 * (np.log(2 * np.pi * p.sigma2) + 1)
            - n / 2 * np.log(2 * np.pi * sigma2)
            - ssr / (2 * sigma2)
        )

    kept = [*range(K), *([K] * has_rho), K + 1, *([K + 2] * random)]
    centre = np.array([*fit.estimates, *([fit.rho] * has_rho), fit.sigma2, *([fit.phi] * random)])
    V = fit.covariance[np.ix_(kept, kept)]
    h = np.diag(0.02 * np.sqrt(np.diag(V)))
    H = np.array(
        [
            [
                whole(centre + a + b)
                - whole(centre + a - b)
                - whole(centre - a + b)
                + whole(centre - a - b)
                for b in h
            ]
            for a in h
        ]
    )
    H /= 4 * np.outer(h.sum(axis=0), h.sum(axis=0))
    assert whole(centre) == pytest.approx(fit.loglik, abs=1e-9)
    # relative error of second differences at .02 se is of order .02^2
    assert np.linalg.inv(-H) == pytest.approx(V, rel=2e-3, abs=2e-3 * abs(V).max())


# known truth


@pytest.mark.parametrize(
    ("kind", "unit", "period"),
    slow_but(
        itertools.product(KINDS, ["none", "fixed", "random"], ["none", "fixed"]),
        ("sar", "fixed", "fixed"),
        ("sem", "fixed", "fixed"),
        ("sdm", "random", "fixed"),
        ("sdem", "none", "fixed"),
    ),
)
def test_truth_is_recovered(kind, unit, period):
    """Mean error over panels within four of its standard errors; Lee & Yu's has no O(1/N) bias."""
    weights = grid_weights(6, 6)
    truth = {"x1": 1.0, "W x1": 0.5, "intercept": 0.3}
    errors = []
    for seed in range(20 if unit == "random" else 40):
        fit = spatial_ml(simulate(weights, kind, unit, period, T=5, seed=seed), transform="lee_yu")
        b = fit.estimates - [truth[name] for name in fit.names]
        errors.append([*b, fit.rho - 0.4] if np.isfinite(fit.rho) else b)
    errors = np.array(errors)
    assert (abs(errors.mean(axis=0)) < 4 * errors.std(axis=0, ddof=1) / np.sqrt(len(errors))).all()


@pytest.mark.parametrize("kind", ["sar", "sem"])
def test_transformed_variance_is_unbiased_and_the_direct_one_is_not(kind):
    """sigma2 n / truth is about chi-squared; two fitted parameters cost 2 / n."""
    weights, n, reps = grid_weights(5, 5), 24 * 3, 60
    found = {
        transform: np.mean(
            [
                spatial_ml(
                    simulate(weights, kind, "fixed", "fixed", T=4, seed=s), transform=transform
                ).sigma2
                for s in range(reps)
            ]
        )
        for transform in ("direct", "lee_yu")
    }
    se = np.sqrt(2 / (n * reps))
    assert abs(found["lee_yu"] - (1 - 2 / n)) < 4 * se
    assert found["direct"] < 1 - 2 / n - 8 * se
    assert abs(found["direct"] - (1 - 2 / n) * 24 * 3 / 100) < 4 * se


def some_weights(which):
    if which == "complex":
        return knn_weights(40, 4, 3), 0.4
    near = (grid_weights(6, 6).dense() > 0).astype(float)
    if which == "islands":
        near[[0, 7]], near[:, [0, 7]] = 0, 0
        return make_weights(near, np.arange(36), "rook", "row"), 0.4
    return make_weights(near, np.arange(36), "rook", "none"), 0.12


@pytest.mark.parametrize("kind", ["sar", "sdem"])
@pytest.mark.parametrize("which", ["complex", "islands", "unnormalised"])
def test_any_weights(kind, which):
    """Complex eigenvalues; row sums that differ (without period dummies in the lag model)."""
    weights, rho = some_weights(which)
    assert (abs(spectrum(weights).eigenvalues.imag).max() > 0.1) == (which == "complex")
    assert (weights.constant_row_sum is None) == (which != "complex")
    period = "none" if kind == "sar" and which != "complex" else "fixed"
    fits = [
        spatial_ml(simulate(weights, kind, "fixed", period, rho=rho, seed=s), transform="lee_yu")
        for s in range(40)
    ]
    low, high = fits[0].interval
    assert low < -rho
    assert rho < high == pytest.approx(1 / abs(spectrum(weights).eigenvalues).max())
    errors = np.array([[f.rho - rho, f.estimates[0] - 1] for f in fits])
    assert (abs(errors.mean(axis=0)) < 4 * errors.std(axis=0, ddof=1) / np.sqrt(40)).all()
    z = errors / [[f.rho_se, f.standard_errors[0]] for f in fits]
    # sd of 40 z: relative standard error 1 / sqrt(80)
    assert (abs(z.std(axis=0) - 1) < 4 / np.sqrt(80)).all()


@pytest.mark.parametrize("which", ["islands", "unnormalised"])
def test_period_dummies_that_cannot_be_transformed_away_bias_the_lag(which):
    """The score of rho is off by - m 1'G1 / N, so rho by that times its variance."""
    weights, rho = some_weights(which)
    fits = [
        spatial_ml(simulate(weights, "sar", "fixed", "fixed", rho=rho, seed=s), transform="lee_yu")
        for s in range(60)
    ]
    errors = np.array([f.rho - rho for f in fits])
    W, T = weights.dense(), 6
    G = W @ np.linalg.inv(np.eye(36) - rho * W)
    expected = -(T - 1) * G.sum() / 36 * np.mean([f.rho_se**2 for f in fits])
    se = errors.std(ddof=1) / np.sqrt(60)
    assert errors.mean() < -4 * se
    assert abs(errors.mean() - expected) < 4 * se


def test_log_determinant_of_complex_eigenvalues():
    weights = knn_weights(40, 4, 3)
    found = spectrum(weights)
    for rho in (-0.5, 0.3, 0.9):
        dense = np.linalg.slogdet(np.eye(40) - rho * weights.dense())[1]
        assert found.log_determinant(rho) == pytest.approx(dense, abs=1e-10)


def test_the_order_of_units_does_not_matter():
    weights = knn_weights(25, 4, 3)
    design = simulate(weights, "sdm", "random", "fixed", seed=1)
    shuffle = np.random.default_rng(0).permutation(25)
    base = base_design(
        design.Y[shuffle], design.Z[:1][:, shuffle], "random", "fixed", units=shuffle
    )
    one, other = spatial_ml(design), spatial_ml(spatial_design(base, weights, "sdm"))
    assert one.loglik == pytest.approx(other.loglik, abs=1e-9)
    # Brent's method on doubles: the square root of rounding, in standard errors
    assert [*one.estimates, one.rho] == pytest.approx([*other.estimates, other.rho], abs=1e-6)


# impacts


@pytest.mark.parametrize("kind", KINDS)
def test_impacts_are_averages_of_derivatives(kind):
    """For weights whose row sums differ: change one unit's regressor, see who moves."""
    design = simulate(symmetric_weights(12), kind, "fixed", "fixed", seed=1)
    fit = spatial_ml(design)
    found = ml_impacts(design, fit)
    W = design.weights.dense()
    b = np.append(fit.estimates, 0.0)  # no theta is a theta of zero
    B = np.eye(12) - (fit.rho if kind in ("sar", "sdm") else 0.0) * W
    moved = np.column_stack(
        [np.linalg.solve(B, b[0] * one + b[1] * (W @ one)) for one in np.eye(12)]
    )
    assert found.names == ("x1",)
    assert found.direct[0] == pytest.approx(np.trace(moved) / 12)
    assert found.total[0] == pytest.approx(moved.sum() / 12)
    assert found.indirect[0] == pytest.approx((moved.sum() - np.trace(moved)) / 12)
    if kind == "none":
        assert found.direct_se[0] == pytest.approx(fit.standard_errors[0])
        assert found.indirect_se[0] == 0


def test_delta_method_agrees_with_simulated_parameters():
    """Close to linear in so long a panel; sd of 4000 draws has relative error 1.1 %."""
    design = simulate(grid_weights(8, 8), "sdm", "fixed", "fixed", T=20, seed=1)
    fit = spatial_ml(design)
    found = ml_impacts(design, fit)
    rng = np.random.default_rng(1)
    draws = rng.multivariate_normal([*fit.estimates, fit.rho], fit.covariance[:3, :3], 4000)
    simulated = []
    for *b, rho in draws:
        near = ml_impacts(design, dataclasses.replace(fit, estimates=np.array(b), rho=rho))
        simulated.append([near.direct[0], near.indirect[0], near.total[0]])
    se = [found.direct_se[0], found.indirect_se[0], found.total_se[0]]
    assert np.std(simulated, axis=0) == pytest.approx(se, rel=0.06)
    assert list(found.table()["impact"]) == ["direct", "indirect", "total"]


# refusals


def test_collinear_regressors_and_unknown_effects_are_refused():
    design = simulate(grid_weights(4, 4), "sar", "fixed", "fixed")
    fixed = base_design(design.Y, np.concatenate([design.Z, np.ones((1, 16, 6))]))
    with pytest.raises(NotIdentifiedError, match="x2"):
        spatial_ml(spatial_design(fixed, design.weights, "sar"))
    with pytest.raises(InputError, match="maximum likelihood knows"):
        spatial_ml(design, unit="mundlak")


def test_no_unit_variance_is_found_as_none():
    """Residuals less alike within units than by chance: phi stays at its bound."""
    design = simulate(grid_weights(5, 5), "sem", "fixed", "none", seed=3)
    Y = design.Y - design.Y.mean(axis=1, keepdims=True) + 0.01 * design.Z[0]
    base = base_design(Y, design.Z, "random", "none")
    fit = spatial_ml(spatial_design(base, design.weights, "sem"))
    assert fit.phi == pytest.approx(1, abs=1e-5)
    assert fit.sigma2_unit == pytest.approx(0, abs=1e-5)
    assert np.isfinite(fit.standard_errors).all()
    assert fit.converged
    table = fit.table()
    assert list(table["term"]) == ["x1", "intercept", "lambda"]


def test_a_maximum_at_the_end_of_the_interval_is_not_called_converged():
    """Transformed, the likelihood has no log(1 - rho): near one it may rise to the end."""
    fits = [
        spatial_ml(
            simulate(grid_weights(4, 4), "sar", "fixed", "fixed", T=3, rho=0.99, seed=s),
            transform="lee_yu",
        )
        for s in range(30)
    ]
    ends = [fit for fit in fits if fit.rho > 1 - 1e-4]
    assert 0 < len(ends) < 30
    assert not any(fit.converged for fit in ends)
    assert all(np.isnan(fit.rho_se) and np.isfinite(fit.standard_errors).all() for fit in ends)
    assert all(fit.converged for fit in fits if fit.rho < 0.99)
