"""The path around adoption from a data frame: equal to the study's event study, said in words."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

import bayesdid as bd
from bayesdid.exceptions import InputError, ResultError

mpl.use("Agg")
N, T = 16, 9


@pytest.fixture(scope="module")
def frame():
    """Adoption in 2004 or 2006, a quarter never; effects 1, 2, 2.5, 2.5 ... with little noise."""
    rng = np.random.default_rng(3)
    first = np.repeat(np.array([2004.0, 2006.0, 2004.0, np.nan])[np.arange(N) % 4], T)
    year = np.tile(2001 + np.arange(T), N)
    age = np.nan_to_num(year - first, nan=-1)
    effect = np.where(age < 0, 0.0, np.minimum(1 + age, 2.5))
    y = effect + np.repeat(rng.normal(0, 1, N), T) + rng.normal(0, 0.1, N * T)
    return pd.DataFrame({"city": np.repeat(np.arange(N), T), "year": year, "first": first, "y": y})


@pytest.fixture(scope="module")
def event(frame):
    keys = {"y": "y", "unit": "city", "time": "year", "policy": "first"}
    return bd.event_study(frame, **keys, first=-3, last=2, errors="iid", draws=500, rope=10.0)


def test_the_path_is_that_of_least_squares(frame, event):
    time = (frame["year"] - frame["first"]).fillna(-1).astype(int)
    dummies = [(time == k).astype(float) for k in range(-5, 6) if k != -1 and (time == k).any()]
    names = [k for k in range(-5, 6) if k != -1 and (time == k).any()]
    units, years = pd.get_dummies(frame["city"]), pd.get_dummies(frame["year"])
    X = np.column_stack([*dummies, units, years]).astype(float)
    truth = dict(zip(names, np.linalg.lstsq(X, frame["y"].to_numpy(), rcond=None)[0], strict=False))
    found = event.frame()
    assert list(found.index) == [-3, -2, -1, 0, 1, 2]
    for k in (-3, -2, 0, 1, 2):
        assert abs(found.loc[k, "mean"] - truth[k]) < 5 * found.loc[k, "sd"] / np.sqrt(2000)
    assert found.loc[-1].drop("level").eq(0).all()
    assert (found["band_low"] <= found["low"]).all()


def test_what_is_said_of_the_path_before_adoption(event, frame):
    assert "not far from flat" in event.before()
    assert "within the ROPE with probability 1" in event.before()
    drift = frame.assign(y=frame["y"] + 0.5 * (frame["year"] - 2001) * frame["first"].notna())
    bent = bd.event_study(
        drift, y="y", unit="city", time="year", policy="first", first=-3, errors="iid", draws=200
    )
    assert "is far from flat" in bent.before()
    assert "ROPE" not in bent.before()
    none = bd.event_study(event.fit)
    assert none.path.times == event.path.times
    assert "event_time" in none.summary()
    assert "<table" in none._repr_html_()


def test_a_window_without_event_times_before_says_so(frame):
    found = bd.event_study(
        frame, y="y", unit="city", time="year", policy="first", first=-1, errors="iid", draws=100
    )
    assert found.before().startswith("No event time before adoption")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"policy": None}, "needs a policy"),
        ({"first": 3, "last": 1}, "first <= reference <= last"),
        ({"ends": "pooled"}, "ends"),
        ({"policy": "frist"}, "did you mean 'first'"),
    ],
)
def test_what_is_asked_wrongly_is_refused(frame, given, words):
    keys = {"y": "y", "unit": "city", "time": "year", "policy": "first"} | given
    with pytest.raises(InputError, match=words):
        bd.event_study(frame, **keys)


def test_a_fit_is_given_alone_and_is_an_event_study(event, frame):
    with pytest.raises(InputError, match="knows its outcome"):
        bd.event_study(event.fit, y="y")
    with pytest.raises(InputError, match="another event time"):
        bd.event_study(event.fit, reference=0)
    plain = bd.did(
        frame.assign(D=frame["first"] <= frame["year"]), "y ~ D | city + year", draws=100
    )
    with pytest.raises(InputError, match="not an event study"):
        bd.event_study(plain)


def test_iplot_shows_the_path_with_its_reference(event):
    axes = bd.iplot(event)
    assert "89 % intervals" in axes.get_xlabel()
    ends = axes.collections[1].get_segments()
    found = event.frame().drop(index=-1)
    np.testing.assert_allclose([s[0][1] for s in ends], found["low"])
    np.testing.assert_allclose([s[1][1] for s in ends], found["high"])
    assert axes.lines[1].get_xdata()[0] == -1


def hollow(axes):
    return [line for line in axes.lines if line.get_markerfacecolor() == "none"]


def test_coefplot_shows_the_interval_of_every_fit(frame):
    data = frame.assign(D=(frame["first"] <= frame["year"]).astype(float))
    fits = {
        "i.i.d.": bd.did(data, "y ~ D | city + year", errors="iid", draws=100),
        "AR(1)": bd.did(data, "y ~ D | city + year", errors="ar1", draws=100),
    }
    axes = bd.coefplot(fits)
    assert [t.get_text() for t in axes.get_legend().get_texts()] == ["i.i.d.", "AR(1)"]
    thin = axes.collections[0].get_segments()[0][:, 0]
    row = fits["i.i.d."].tidy().loc["D"]
    np.testing.assert_allclose(thin, [row["low"], row["high"]])
    hollow = [line for line in axes.lines if line.get_markerfacecolor() == "none"]
    assert len(hollow) == 2
    assert "hollow: clustered by unit)" in axes.get_xlabel()
    tree = fits["AR(1)"].tree.copy()
    tree.attrs["cluster"] = "zone"
    other = bd.coefplot({"a": type(fits["AR(1)"])(tree)})
    assert "hollow: clustered by zone)" in other.get_xlabel()
    assert not [
        x for x in bd.coefplot(fits, beside=False).lines if x.get_markerfacecolor() == "none"
    ]
    with pytest.raises(InputError, match="no fit has this coefficient"):
        bd.coefplot(fits, terms=["E"])


def test_a_fit_that_did_not_converge_is_not_drawn(event):
    tree = event.fit.tree.copy()
    tree.attrs["converged"] = 0
    bad = type(event.fit)(tree)
    for draw in (bd.coefplot, bd.iplot, bd.event_study):
        with pytest.raises(ResultError, match="did not converge"):
            draw(bad)
