"""What a user sees of a model: equation, priors by term, names and dims, draws taken back."""

import dataclasses

import numpy as np
import pytest
from made import make_panel, make_study, staggered
from panels import make_design
from planted import near, simulated

import bayesdid as bd
from bayesdid.exceptions import InputError
from bayesdid.model.bound import BoundModel, default_errors
from bayesdid.model.likelihood import Likelihood
from bayesdid.model.mean import Instrument, Mediation, TwoWay
from bayesdid.study.schema import PriorTerm

COLUMN = {"id": "s", "outcome": "y", "treatments": ["active:a"], "covariates": ["x"]}


@pytest.fixture(scope="module")
def data():
    frame, adoption = staggered(3, N=20, T=6)
    rng = np.random.default_rng(0)
    frame = frame.assign(
        x=rng.normal(size=len(frame)),
        n=rng.poisson(5.0, len(frame)).astype(float),
        e=rng.uniform(10.0, 20.0, len(frame)),
        m=rng.normal(size=len(frame)),
    )
    return make_study(("a",), [COLUMN]), make_panel(frame, adoption), frame, adoption


def test_a_bound_model_reads_as_its_equation_and_priors(data):
    study, panel, *_ = data
    bound = bd.model(study["t.s"], panel, errors="ar1_unit", likelihood="student_t")
    assert isinstance(bound, BoundModel)
    text = repr(bound)
    for line in bound.equation.splitlines():
        assert line in text
    assert "phi^|t-s|" in text
    assert "nu_unit" in text
    table = bound.priors_table().set_index("term")
    sd = bound.design.y.std()
    assert list(table.index) == ["active:a", "x"]
    assert table.loc["x", "sd"] > 2 * sd  # 2.5 sd(y) over a within sd below one
    assert hash(bound.model) == hash(dataclasses.replace(bound.model))


def test_dims_are_named_after_the_columns_of_the_panel(data):
    study, panel, *_ = data
    model = bd.model(study["t.s"], panel, errors="ar1_unit", unit_effects="mundlak").to_pymc()
    unit, period = panel.unit, panel.period
    dims = model.named_vars_to_dims
    assert dims["tau"] == ("treatment",)
    assert dims["beta"] == ("covariate",)
    assert dims[f"{unit}_effect"] == (unit,)
    assert dims[f"{period}_effect"] == (period,)
    assert dims["sigma_of_unit"] == (unit,)
    assert dims["y"] == ("obs",)
    assert {"alpha", "sigma", f"sigma_{unit}", "phi", "nu_unit"} <= set(model.named_vars)
    assert list(model.coords[unit]) == list(panel.frame[unit].unique())


def test_treatments_are_tau_in_every_family(data):
    study, panel, *_ = data
    design = bd.build_design(study["t.s"], panel)
    spatial = bd.model(simulated(near(8), "sdm", T=4)).to_pymc()
    assert {"tau", "beta", "theta"} <= set(spatial.named_vars)
    iv = bd.model(dataclasses.replace(design), mean=bd.model.mean.Instrument("x")).to_pymc()
    assert iv.named_vars_to_dims["tau"] == ("treatment",)
    mediated = bd.model(design, mean=Mediation(("x",))).to_pymc()
    assert {"tau", "a", "b", "indirect", "total"} <= set(mediated.named_vars)


def test_a_users_priors_reach_the_compiled_model(data):
    study, panel, *_ = data
    bound = bd.model(study["t.s"], panel, priors={"active:a": PriorTerm(mean=1.0, sd=0.001)})
    for own in ((1.0, 0.001), {"mean": 1.0, "sd": 0.001}):
        same = bd.model(study["t.s"], panel, priors={"active:a": own})
        assert same.model == bound.model
    tau = bound.to_pymc()["tau"]
    mean, sd = (x.data for x in tau.owner.inputs[-2:])
    assert mean.tolist() == [1.0]
    assert sd.tolist() == [0.001]
    table = bound.priors_table().set_index("term")
    assert table.loc["active:a", "mean"] == 1.0
    assert table.loc["x", "mean"] == 0.0


def test_priors_of_lags_components_and_other_equations_have_names(data):
    study, panel, *_ = data
    design = bd.build_design(study["t.s"], panel, unit_effects="mundlak")
    own = PriorTerm(mean=0.0, sd=0.5)
    unit = panel.unit
    bound = bd.model(design, priors={f"{unit}:x": own})
    gamma = bound.to_pymc()[f"gamma_{unit}"]
    assert 0.5 in gamma.owner.inputs[-1].data
    spatial = bd.model(simulated(near(8), "sdm", T=4), priors={"lag:x1": own})
    assert spatial.priors_table().set_index("term").loc["W x1", "sd"] == 0.5
    fixed = bd.build_design(study["t.s"], panel)
    mediated = bd.model(fixed, mean=Mediation(("x",)), priors={"x ~ active:a": own})
    table = mediated.priors_table().set_index(["equation", "term"])
    assert table.loc[("x", "active:a"), "sd"] == 0.5
    assert table.loc[("y", "active:a"), "sd"] != 0.5


@pytest.mark.parametrize("term", ["activ:a", "lag:x9", "x ~ z"])
def test_unknown_terms_are_refused_with_the_nearest_one(data, term):
    study, panel, *_ = data
    bound = bd.model(study["t.s"], panel, priors={term: PriorTerm(mean=0.0, sd=1.0)})
    with pytest.raises(InputError, match="does not have"):
        bound.to_pymc()
    if term == "activ:a":
        with pytest.raises(InputError, match="did you mean active:a"):
            bound.priors_table()


def test_sceptical_priors_shrink_treatments_of_every_likelihood(data):
    study, panel, *_ = data
    weak, sceptical = (
        bd.model(study["t.s"], panel, priors=name).priors_table().set_index("term")["sd"]
        for name in ("weak", "sceptical")
    )
    assert sceptical["active:a"] < 0.2 * weak["active:a"]
    assert sceptical["x"] == weak["x"]


@pytest.mark.parametrize(
    ("mean", "likelihood", "name"),
    [
        (TwoWay(), "normal", "ar1_unit"),
        (TwoWay(), "poisson", "iid"),
        (Mediation(("x",)), "normal", "ar1_unit"),
        (Mediation(("x", "z")), "normal", "iid"),
        (Instrument("x"), "normal", "iid"),
    ],
)
def test_errors_are_the_calibrated_ones_where_equations_have_errors_of_their_own(
    mean, likelihood, name
):
    assert default_errors(mean, Likelihood(likelihood)).name == name


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"likelihood": "poisson", "weights": "e"},
            r"weights divide a variance.*leave the weights",
        ),
        ({"exposure": "e"}, r"exposure is of counts, and the likelihood is normal \(value: e\)"),
        ({"likelihood": "binomial", "exposure": "e", "trials": "n"}, "exposure is of counts"),
        ({"trials": "n"}, r'trials are of successes.*normal.*"binomial"\.$'),
        ({"likelihood": "poisson", "trials": "n"}, r"trials are of successes.*exposure="),
        ({"priors": {"active:a": 1.0}}, r"active:a is no mean and sd.*\(0, 0.5\)"),
        ({"priors": {"active:a": "ab"}}, "no mean and sd"),
        ({"priors": 3}, "priors are a name, or normal priors by term"),
        ({"likelihood": "poisson", "errors": "ar1", "priors": "flat"}, "no proper posterior"),
        ({"likelihood": "poisson", "mean": Mediation(("x",))}, "product of paths"),
        ({"errors": "ar2"}, "unknown errors"),
        ({"likelihood": "cauchy"}, "unknown likelihood"),
        ({"likelihood": "binomial"}, "number of trials"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_reason(data, changes, reason):
    _, panel, *_ = data
    counted = make_study(("a",), [COLUMN | {"outcome": "n"}])["t.s"]
    with pytest.raises(InputError, match=reason):
        bd.model(counted, panel, **changes).to_pymc()


def test_an_exposure_stays_with_its_rows(data):
    """One missing count and one missing exposure: every row keeps its own exposure."""
    _, _, frame, adoption = data
    holes = frame.copy()
    holes.loc[7, "n"] = np.nan
    holes.loc[30, "e"] = np.nan
    panel = make_panel(holes, adoption)
    spec = make_study(("a",), [COLUMN | {"outcome": "n"}])["t.s"]
    design = bd.build_design(spec, panel, exposure="e")
    kept = panel.frame.dropna(subset=["n", "e"])
    assert design.n == len(frame) - 2
    np.testing.assert_array_equal(design.y, kept["n"])
    np.testing.assert_array_equal(design.exposure, kept["e"])
    some = design.take(np.arange(0, design.n, 3))
    np.testing.assert_array_equal(some.exposure, kept["e"].to_numpy()[::3])
    np.testing.assert_array_equal(some.units[some.unit_index], kept[panel.unit].to_numpy()[::3])
    with pytest.raises(InputError, match="one value for each row"):
        dataclasses.replace(design, exposure=frame["e"].to_numpy())


def test_taking_rows_keeps_every_array_in_line():
    design = make_design(1, N=6, T=4)
    design = dataclasses.replace(design, weights=np.arange(1.0, design.n + 1))
    rows = np.array([20, 3, 9, 8])
    some = design.take(rows)
    np.testing.assert_array_equal(some.weights, rows + 1.0)
    np.testing.assert_array_equal(some.y, design.y[rows])
    labels = design.units[design.unit_index[rows]]
    np.testing.assert_array_equal(some.units[some.unit_index], labels)
    np.testing.assert_array_equal(some.units, np.unique(labels))
    everything = design.take(np.arange(design.n))
    np.testing.assert_array_equal(everything.unit_index, design.unit_index)


def test_a_proper_prior_among_flat_ones_is_heard(data):
    """Flat but for one term: the density differs from the flat one by that term's prior."""
    from evaluate import log_density
    from scipy import stats

    from bayesdid.model.priors import PriorChoice

    study, panel, *_ = data
    flat = bd.model(study["t.s"], panel, priors="flat").to_pymc()
    own = PriorChoice("flat", (("x", 0.5, 0.2),))
    mixed = bd.model(study["t.s"], panel, priors=own).to_pymc()
    value, v = log_density(flat)
    other, _ = log_density(mixed)
    assert other - value == pytest.approx(stats.norm.logpdf(v["beta"][0], 0.5, 0.2))


def test_the_graph_has_every_variable_and_its_prior(data):
    """Flat priors included, which PyMC's own function refuses to look at."""
    study, panel, *_ = data
    bound = bd.model(study["t.s"], panel, errors="ar1", likelihood="student_t")
    graph = str(bound.to_graphviz())
    for name in bound.to_pymc().named_vars:
        assert f"{name} [label=" in graph
    assert 'alpha [label="alpha\n~\nFlat' in graph
