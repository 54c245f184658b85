"""One line from a data frame: the same numbers as the study that it means, and as `feols`."""

import json
import re
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyfixest
import pytest
from causaldata import castle
from typer.testing import CliRunner

import bayesdid as bd
from bayesdid.cli.app import app
from bayesdid.exceptions import InputError, NotIdentifiedError
from bayesdid.front.keys import Keys, keys_of
from bayesdid.study.effects import parse_effect
from bayesdid.study.formula import parse_formula

FLAT = {"errors": "iid", "priors": "flat", "draws": 100}
FORMULA = "l_homicide ~ post + unemployrt + poverty | sid + year"


@pytest.fixture(scope="module")
def frame():
    """50 states, 11 years; `event` is missing in states that never adopt."""
    found = (
        castle.load_pandas()
        .data[["sid", "year", "post", "homicide", "l_homicide", "unemployrt", "poverty", "popwt"]]
        .astype(float)  # it comes in single precision
        .astype({"sid": int, "year": int})
    )
    start = found[found["post"] > 0].groupby("sid")["year"].min()
    return found.assign(
        event=found["year"] - found["sid"].map(start), start=found["sid"].map(start)
    )


def feols(formula, data, **more):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pyfixest's own use of pandas
        return pyfixest.feols(formula, data, vcov="iid", **more)


def draws(fit):
    return fit.tree["posterior"]["tau"].to_numpy()


def study_folder(folder, column, policy=""):
    (folder / "study.toml").write_text(
        '[study]\nid = "did"\ntitle = "t"\ncitation = "c"\n'
        '[outcome]\ncolumn = "l_homicide"\nlabel = "h"\nunit = "u"\n'
        f'[panel]\nunit = "sid"\nperiod = "year"\n{policy}'
    )
    (folder / "did.toml").write_text(
        f'id = "did"\ntitle = "t"\nkind = "regression"\n[[column]]\nid = "1"\n{column}'
    )
    return bd.load_study(folder)


@pytest.mark.parametrize(
    ("formula", "column"),
    [
        (
            FORMULA,
            'outcome = "l_homicide"\ntreatments = ["post"]\ncovariates = ["unemployrt", "poverty"]',
        ),
        (
            "log(homicide) ~ post*l(poverty) | year",
            'outcome = "log(homicide)"\nunit_effects = "none"\n'
            'treatments = ["post", "l(poverty, 1)", "post * l(poverty, 1)"]',
        ),
        (
            "l_homicide ~ i(event, ref = -1) + poverty | sid + year",
            'outcome = "l_homicide"\nfamily = "event_study"\ntreatments = ["event"]\n'
            'covariates = ["poverty"]\noptions = { first = -10, last = 4, reference = -1 }',
        ),
        (
            "winsor(log(homicide), .05) ~ post + winsorize(poverty) | sid + year",
            'outcome = "winsor(log(homicide), 0.05)"\ntreatments = ["post"]\n'
            'covariates = ["winsor(poverty, 0.01)"]',
        ),
    ],
)
def test_it_is_the_fit_of_the_study_that_it_means(frame, tmp_path, formula, column):
    fit = bd.did(frame, formula, unit="sid", draws=60, seed=3)
    study = study_folder(tmp_path, column)
    frame.to_parquet(tmp_path / "panel.parquet")
    same = bd.fit(
        study["did.1"], bd.read_panel(tmp_path / "panel.parquet", study), draws=60, seed=3
    )
    assert np.array_equal(draws(fit), draws(same))
    assert fit.tidy().equals(same.tidy())
    first, second = ({**one.tree.attrs, "panel_sha256": ""} for one in (fit, same))
    assert repr(first) == repr(second)


def test_policies_are_those_of_a_study(frame, models, tmp_path):
    """Also by the period of adoption; a shipped study of two is the same design."""
    covariates = ["unemployrt", "poverty"]
    keys = {"y": "l_homicide", "unit": "sid", "time": "year", "covariates": covariates}
    policy = '[[policy]]\nid = "castle"\nlabel = "c"\nindicator = "post"\n'
    column = 'outcome = "l_homicide"\ntreatments = ["active:castle"]\ncovariates = ' + str(
        covariates
    )
    study = study_folder(tmp_path, column, policy)
    panel = bd.read_panel(_csv(frame, tmp_path), study)
    same = bd.fit(study["did.1"], panel, **FLAT)
    for source in ("post", "start"):
        fit = bd.did(frame, policies={"castle": source}, **keys, **FLAT)
        assert fit.treatments == ("active:castle",)
        assert np.allclose(draws(fit), draws(same), rtol=1e-10)
    laws = bd.load_study(models / "traffic_laws")
    panel = bd.load_panel(laws)
    spec = laws["specs.factorial"]
    given = {
        "y": "totfatrte",
        "unit": "state",
        "time": "year",
        "covariates": spec.column.covariates,
        "policies": {"perse": "perse", "belt": "sbprim"},
    }
    fractions = bd.study_of(panel.frame, **given)
    with pytest.raises(InputError, match="from which value on perse counts as adopted is not said"):
        bd.build_design(fractions[0]["did.1"], fractions[1])
    cut = {name: (panel.frame[name] >= 0.5).astype(int) for name in ("perse", "sbprim")}
    own, mine = bd.study_of(panel.frame.assign(**cut), **given)
    first, second = bd.build_design(spec, panel), bd.build_design(own["did.1"], mine)
    assert first.names == second.names
    assert np.array_equal(first.regressors, second.regressors)
    assert mine.adoption.equals(panel.adoption)


def _csv(frame, folder):
    frame.to_csv(folder / "panel.csv", index=False)
    return folder / "panel.csv"


@pytest.mark.parametrize(
    ("formula", "peer"),
    [
        (FORMULA, FORMULA),
        ("l_homicide ~ post*poverty | year + sid", "l_homicide ~ post*poverty | sid + year"),
        ("log(homicide) ~ post | sid + year", "log(homicide) ~ post | sid + year"),
        ("l_homicide ~ poverty + l(post, 1) | sid", "l_homicide ~ poverty + before | sid"),
        ("d(l_homicide) ~ post + f(poverty) | year", "dy ~ post + after | year"),
        (
            "l_homicide ~ i(event, ref=-1) | sid + year",
            "l_homicide ~ i(filled, ref=-1) | sid + year",
        ),
        ("l_homicide ~ i(year, post, ref=2005) | sid + year", None),
        ("l_homicide ~ i(half, post) | sid + year", "l_homicide ~ small + large | sid + year"),
        (
            "winsor(l_homicide, 0.1) ~ post + winsor(poverty, 0.02) | sid + year",
            "within ~ post + poor | sid + year",
        ),
    ],
)
def test_flat_priors_and_iid_errors_are_feols(frame, formula, peer):
    """The posterior mean is least squares, and its sd that of a Student t around it."""
    frame = frame.assign(half=(frame["sid"] > 25).astype(int))
    by_unit = frame.groupby("sid")
    wide = frame.assign(
        small=frame["post"] * (1 - frame["half"]),
        large=frame["post"] * frame["half"],
        before=by_unit["post"].shift(1),
        after=by_unit["poverty"].shift(-1),
        dy=by_unit["l_homicide"].diff(),
        filled=frame["event"].fillna(-1),
        within=_winsorised(frame["l_homicide"], 10),
        poor=_winsorised(frame["poverty"], 2),
        **{f"p{year}": frame["post"] * (frame["year"] == year) for year in range(2006, 2011)},
    )
    if peer is None:
        peer = "l_homicide ~ p2006 + p2007 + p2008 + p2009 + p2010 | sid + year"
    other = feols(peer, wide)
    names = None if "i(" in formula or "*" in formula else _right(formula)
    fit = bd.did(frame, formula, unit="sid", time="year", treatment=names, **FLAT)
    beside = fit.beside().xs("iid (flat)", level="errors")
    estimate, se = other.coef().to_numpy(), other.se().to_numpy()
    assert beside["mean"].to_numpy() == pytest.approx(estimate, rel=1e-8)
    ratio = beside["sd"].to_numpy() / se
    assert ratio == pytest.approx(np.full(len(se), ratio[0]), rel=1e-6)
    nu = other._df_t
    assert ratio[0] == pytest.approx(np.sqrt(nu / (nu - 2)), rel=1e-6)
    assert fit.tree.attrs["n"] == other._N


def _winsorised(column, per_cent):
    """As Stata's _pctile: of 550 rows those of whole ranks are means of two, others the next."""
    ranked, n = np.sort(column.to_numpy()), len(column)
    low = n * per_cent // 100
    assert n * per_cent % 100 == 0
    ends = [(ranked[k - 1] + ranked[k]) / 2 for k in (low, n - low)]
    return column.clip(*ends)


def _right(formula):
    return formula.partition("~")[2].partition("|")[0].split("+")


def test_weights_are_those_of_feols(frame):
    formula = "l_homicide ~ post + poverty | sid + year"
    fit = bd.did(frame, formula, weights="popwt", errors="iid", priors="flat", draws=1000)
    other = feols(formula, frame, weights="popwt")
    tidy = fit.tidy()
    assert np.abs(tidy["mean"] - other.coef()).div(tidy["mcse"]).max() < 5
    assert tidy["sd"].to_numpy() == pytest.approx(other.se().to_numpy(), rel=0.06)
    beside = fit.beside().loc["post"]
    assert beside["mean"].to_numpy() == pytest.approx(np.full(2, other.coef()["post"]), rel=1e-8)
    nu = other._df_t
    iid = other.se()["post"] * np.sqrt(nu / (nu - 2))
    clustered = other.vcov({"CRV1": "sid"}).se()["post"]
    assert beside["sd"].to_numpy() == pytest.approx([iid, clustered], rel=1e-8)
    assert "analytic weights popwt: the variance of a row is sigma^2 / weight" in fit.summary()
    twice = frame.assign(often=2)
    often = bd.did(
        twice, formula, weights="often", weights_kind="frequency", errors="iid", draws=50
    )
    assert "frequency weights often: each row stands for as many" in often.summary()
    assert "weights" not in bd.did(frame, formula, errors="iid", draws=50).summary()


def test_any_data_frame_is_the_same_and_stays_as_it_is(frame, tmp_path):
    messy = frame.sample(frac=1, random_state=1).rename(columns={"poverty": " poverty "})
    messy["post"] = messy["post"].astype(bool)
    messy["note"] = ["a", None] * (len(messy) // 2)
    before = messy.copy(deep=True)
    want = bd.study_of(frame, FORMULA)[1]
    given = {
        "pandas": messy,
        "its index": messy.set_index(["sid", "year"]),
        "polars": pl.from_pandas(messy),
        "lazy": pl.from_pandas(messy).lazy(),
        "arrow": pa.Table.from_pandas(messy, preserve_index=False),
        "file": tmp_path / "panel.parquet",
    }
    messy.to_parquet(given["file"])
    copies = {"polars": given["polars"].clone(), "arrow": given["arrow"].slice(0)}
    for name, data in given.items():
        assert bd.study_of(data, FORMULA)[1].sha256 == want.sha256, name
    bd.did(messy, FORMULA, **FLAT)
    pd.testing.assert_frame_equal(messy, before)
    assert given["polars"].equals(copies["polars"])
    assert given["arrow"].equals(copies["arrow"])


def test_arrays_of_arrow_in_pandas_are_the_same(frame):
    text = frame.assign(sid="s" + frame["sid"].astype(str), post=frame["post"] > 0.5)
    dated = text.assign(year=pd.to_datetime(text["year"].astype(str)))
    for given in (text, dated):
        study, panel = bd.study_of(given, FORMULA)
        other, same = bd.study_of(given.convert_dtypes(dtype_backend="pyarrow"), FORMULA)
        assert panel.sha256 == same.sha256
        designs = (bd.build_design(s["did.1"], p) for s, p in ((study, panel), (other, same)))
        np.testing.assert_array_equal(*(design.D for design in designs))


def test_flags_with_gaps_come_in_from_polars(frame):
    flags = pl.from_pandas(frame).with_columns(
        post=pl.when(pl.col("year") == 2003).then(None).otherwise(pl.col("post") > 0)
    )
    panel = bd.study_of(flags, FORMULA)[1]
    assert panel.frame["post"].isna().sum() == 50


def test_a_treatment_is_any_column_and_no_policy(frame):
    """Switched off again, or a dose."""
    off = frame.assign(post=frame["post"] * (frame["year"] != 2009), dose=frame["post"] * 0.3)
    study, panel = bd.study_of(
        off, "l_homicide ~ post + dose | sid + year", treatment=["dose", "post"]
    )
    assert study.policies == panel.policies == ()
    assert list(panel.adoption.index) == list(panel.units) == sorted(frame["sid"].unique())
    assert bd.fit(study["did.1"], panel, **FLAT).treatments == ("post", "dose")
    with pytest.raises(InputError, match="no policy whose states"):
        bd.synergy(study, panel)


def test_treatments_are_the_first_term_with_its_products(frame):
    def roles(formula, treatment=None):
        column = bd.study_of(frame, formula, treatment=treatment)[0]["did.1"].column
        return column.treatments, column.covariates

    tail = " | sid + year"
    assert roles("l_homicide ~ post + poverty + poverty:post" + tail) == (
        ("post", "poverty * post"),
        ("poverty",),
    )
    assert roles("l_homicide ~ poverty + post + i(year, post, ref=2005)" + tail, "post") == (
        ("post",),
        ("poverty", *(f"year@{year} * post" for year in range(2006, 2011))),
    )
    assert roles("l_homicide ~ post + i(event, ref=-1)" + tail)[1][0] == "event@-10"
    with pytest.raises(InputError, match="a treatment that is not in the formula"):
        roles("l_homicide ~ post" + tail, "poverty")


def test_several_formulas_make_several_fits(frame):
    fits = bd.did(frame, "l_homicide ~ post + csw0(poverty, unemployrt) | sid + year", **FLAT)
    assert list(fits) == [
        "l_homicide ~ post | sid + year",
        "l_homicide ~ post + poverty | sid + year",
        "l_homicide ~ post + poverty + unemployrt | sid + year",
    ]
    assert np.array_equal(
        draws(fits[[*fits][-1]]),
        draws(
            bd.did(frame, FORMULA.replace("unemployrt + poverty", "poverty + unemployrt"), **FLAT)
        ),
    )


def test_units_without_an_event_stay_and_are_counted(frame):
    formula = "l_homicide ~ i(event, ref=-1) | sid + year"
    holes = frame.copy()
    seen = holes.index[holes["event"] == 2][:3]
    holes.loc[seen, "event"] = np.nan
    design = bd.build_design(*_spec(holes, formula))
    assert design.n == len(frame) - 3  # of units with other event times: not known
    assert len(design.units) == 50
    never = frame.groupby("sid")["event"].transform("count") == 0
    notes = {note.name: note for note in design.notes}
    assert notes["units_without_event"].count == frame.loc[never, "sid"].nunique() == 29
    assert not design.D[np.isin(design.units[design.unit_index], frame.loc[never, "sid"])].any()


def _spec(frame, formula, **more):
    study, panel = bd.study_of(frame, formula, **more)
    return study["did.1"], panel


def test_lags_are_by_period_and_never_the_row_before(frame):
    gap = frame[~((frame["sid"] == 1) & (frame["year"] == 2005))]
    panel = bd.study_of(gap, "l_homicide ~ l(poverty, 1) + f(poverty, 2) + d(post) | sid + year")[1]
    found = panel.frame.set_index(["sid", "year"])
    poverty = frame.set_index(["sid", "year"])["poverty"]
    for (sid, year), row in found.iterrows():
        lacking = year == 2000 or (sid, year) == (1, 2006)
        assert np.isnan(row["l(poverty, 1)"]) == np.isnan(row["d(post)"]) == lacking
        if not lacking:
            assert row["l(poverty, 1)"] == poverty[sid, year - 1]
        lead = np.nan if year > 2008 or (sid, year) == (1, 2003) else poverty[sid, year + 2]
        assert row["f(poverty, 2)"] == pytest.approx(lead, nan_ok=True)
    waves = frame[frame["year"].isin([2000, 2002, 2005, 2007, 2010])]
    with pytest.raises(InputError, match="no unit is seen 1 of year apart"):
        bd.study_of(waves, "l_homicide ~ l(poverty) | sid + year")
    assert bd.study_of(waves, "l_homicide ~ l(poverty, 2) | sid + year")


def test_values_that_are_winsorised_are_counted(frame):
    _, panel = bd.study_of(frame, "winsor(poverty, 0.02) ~ post | sid + year")
    note = next(note for note in panel.notes if note.name == "winsorised")
    low, high = (_winsorised(frame["poverty"], 2).agg(which) for which in ("min", "max"))
    above = int((frame["poverty"] > high).sum())
    assert note.text == (
        f"winsor(poverty, 0.02): {note.count - above} rows are moved up to {low:.6g} and {above} "
        f"down to {high:.6g}, its quantiles 0.02 and 0.98 over all rows of the panel"
    )
    assert note.count - above == int((frame["poverty"] < low).sum())


def test_rows_without_a_logarithm_are_left_out_and_counted(frame):
    zero = frame.assign(homicide=frame["homicide"].where(frame["year"] > 2001, 0.0))
    design = bd.build_design(*_spec(zero, "log(homicide) ~ post + log(poverty) | sid + year"))
    assert design.n == len(frame) - 100
    notes = {note.name: note for note in design.notes}
    assert notes["no_logarithm"].count == 100
    assert "log(homicide) does not exist in 100 rows" in notes["no_logarithm"].text
    assert np.allclose(
        design.X[:, 0],
        np.log(
            bd.build_design(
                *_spec(zero[zero["year"] > 2001], "homicide ~ post + poverty | sid + year")
            ).X[:, 0]
        ),
    )


@pytest.mark.parametrize(
    ("effects", "unit", "time", "keys"),
    [
        (("city", "year"), None, None, ("city", "year", "fixed", "fixed")),
        (("year", "city"), None, None, ("city", "year", "fixed", "fixed")),
        (("年份", "城市"), None, None, ("城市", "年份", "fixed", "fixed")),
        (("a", "b"), None, None, ("a", "b", "fixed", "fixed")),
        (("year", "month"), None, None, ("year", "month", "fixed", "fixed")),
        (("a", "b"), "b", None, ("b", "a", "fixed", "fixed")),
        (("group", "post"), "id", None, ("id", "post", "none", "fixed", ("group",))),
        (("a", "b"), None, "a", ("b", "a", "fixed", "fixed")),
        (("city",), None, "year", ("city", "year", "fixed", "none")),
        (("year",), "city", None, ("city", "year", "none", "fixed")),
        (("year",), "city", "year", ("city", "year", "none", "fixed")),
        ((), "city", "year", ("city", "year", "none", "none")),
        (("u", "t", "g"), None, None, ("u", "t", "fixed", "fixed", ("g",))),
        (
            ("firm", "industry", "year"),
            None,
            None,
            ("firm", "year", "fixed", "fixed", ("industry",)),
        ),
        (("u", "year", "g^year"), None, None, ("u", "year", "fixed", "fixed", ("g^year",))),
        (("u", "g^year"), None, None, ("u", "year", "fixed", "none", ("g^year",))),
        (("u[year]", "year"), None, None, ("u", "year", "fixed", "fixed", ("u[[year]]",))),
        (("wave", "u[wave]"), None, None, ("u", "wave", "fixed", "fixed", ("u[[wave]]",))),
        (("u", "year", "g[year]"), None, None, ("u", "year", "fixed", "fixed", ("g[year]",))),
        (("random(u)", "year"), None, None, ("u", "year", "random", "fixed")),
    ],
)
def test_unit_and_period_are_told_apart(effects, unit, time, keys):
    *four, further = keys if len(keys) > 4 else (*keys, ())
    terms = tuple(map(parse_effect, effects))
    assert keys_of(terms, unit, time) == Keys(*four, tuple(map(parse_effect, further)))


def test_values_tell_the_period_where_names_do_not():
    """AR(1) errors along units would be taken for errors along periods."""
    frame = pd.MultiIndex.from_product([range(1101, 1113), range(2001, 2009)], names=["a", "b"])
    frame = frame.to_frame(index=False)
    frame["y"] = np.random.default_rng(1).normal(size=len(frame))
    frame["d"] = (frame["a"] % 2) * (frame["b"] > 2004)
    for formula in ("y ~ d | a + b", "y ~ d | b + a"):
        panel = bd.study_of(frame, formula)[1]
        assert (panel.unit, panel.period) == ("a", "b")
    for name in ("t", "yr", "nian"):
        assert keys_of(tuple(map(parse_effect, (name, "a"))), None, None).period == name
    counted = frame.assign(b=frame["b"] - 2000)  # nothing tells: as written
    assert bd.study_of(counted, "y ~ d | b + a")[1].period == "a"


@pytest.mark.parametrize(
    ("effects", "unit", "time", "says"),
    [
        (("city",), None, None, 'the period is not named.*time="year"'),
        (("year",), None, None, 'the unit is not named.*unit="city"'),
        ((), "city", None, "the period is not named"),
        ((), "city", "city", "unit and period are one column"),
    ],
)
def test_keys_that_are_not_said(effects, unit, time, says):
    with pytest.raises(InputError, match=says):
        keys_of(tuple(map(parse_effect, effects)), unit, time)


@pytest.mark.parametrize(
    ("formula", "more", "says"),
    [
        ("l_homicide ~ pots | sid + year", {}, "'pots': no such column.*did you mean 'post'"),
        ("l_homicide ~ POST | sid + year", {}, "did you mean 'post'"),
        ("log(homocide) ~ post | sid + year", {}, "'homocide'.*did you mean 'homicide'"),
        ("l_homicide ~ post | sid + jahr", {}, "there are sid, year, post"),
        ("l_homicide ~ post | sid + year", {"weights": "popwgt"}, "did you mean 'popwt'"),
        ("l_homicide ~ post", {"time": "years", "unit": "sid"}, "did you mean 'year'"),
        ("l_homicide ~ post | sid + year", {"y": "homicide"}, "both a formula and.*value: y"),
        (None, {"y": "homicide"}, "neither a formula.*without unit, time, policies"),
        ("l_homicide ~ i(poverty, ref=1) | sid + year", {}, "whole numbers"),
        (
            "l_homicide ~ i(area, post) | sid + year",
            {},
            r'df."area_n".*write i\(area_n, post, ref = 0\): 0 is east, 1 is west',
        ),
        ("l_homicide ~ i(event, ref=-11) | sid + year", {}, "the reference does not occur"),
        ("l_homicide ~ i(code, ref=-1) | sid + year", {}, "far from all others.*-1000.*empty"),
        ("l_homicide ~ i(many, ref=1) | sid + year", {}, "too many values"),
        ("l_homicide ~ sid | sid + year", {}, "does not vary"),
    ],
)
def test_what_is_wrong_is_said_with_its_remedy(frame, formula, more, says):
    given = frame.assign(code=frame["event"].fillna(-1000), many=np.arange(len(frame)))
    given["area"] = np.where(frame["sid"] > 25, "west", "east")
    with pytest.raises(InputError, match=re.compile(says, re.DOTALL)):
        bd.did(given, formula, **more)


def test_a_product_of_two_nested_policies_is_left_out(frame):
    """As of three and more: the second is only where the first is, and its own term stays."""
    nested = frame.assign(late=frame["start"].where(frame["sid"] % 2 == 0) + 1)
    study, panel = bd.study_of(
        nested, y="l_homicide", unit="sid", time="year", policies={"a": "start", "b": "late"}
    )
    assert study["did.1"].column.treatments == ("active:a", "active:b")
    text = {note.name: note.text for note in panel.notes}["product_left_out"]
    assert text == "active:a * active:b is left out: no row tells it from b"


@pytest.mark.parametrize(("end", "noted"), [("stop", True), ("repeal_year", True), ("late", False)])
def test_a_policy_that_ends_another_is_named(frame, end, noted):
    """And what is said to do instead is the regression on rows from start to end."""
    both = frame.assign(**{end: frame["start"].where(frame["sid"] % 2 == 0) + 1})
    keys = {"y": "l_homicide", "unit": "sid", "time": "year"}
    _, panel = bd.study_of(both, policies={"a": "start", "b": end}, **keys)
    text = {note.name: note.text for note in panel.notes}.get("policy_end", "")
    assert bool(text) == noted
    if noted:
        assert text.startswith("b seems to say when a ends")
        code = text[text.index('df["a_on"]') : text.index(".astype(int)") + len(".astype(int)")]
        name, _, value = code.partition(" = ")
        assert name == 'df["a_on"]'
        on = eval(value, {"df": both})
        rows = (both["year"] >= both["start"]) & ~(both["year"] > both[end])
        assert (on == rows).all()


@pytest.mark.parametrize(
    ("policies", "says"),
    [
        ({"c": "strat"}, "did you mean 'start'"),
        ({"castle law": "post"}, 'policies={"castle_law": "post"}'),
        ({"c": "ever"}, "who is treated, not when"),
        ({"c": ["start", "stop"]}, 'df["c_on"] = ((df["year"] >= df["start"]) & ~(df["year"] > '),
        ({"c": ["a", "b", "c"]}, "a policy is said by the name of one column"),
        (3, "policies are names of columns"),
    ],
)
def test_policies_that_are_none(frame, policies, says):
    given = frame.assign(ever=frame["start"].notna().astype(int))
    with pytest.raises(InputError, match=re.escape(says)):
        bd.study_of(given, y="homicide", unit="sid", time="year", policies=policies)


@pytest.mark.parametrize("data", [None, {"a": [1]}, [1, 2], pd.Series([1.0], name="a"), 3])
def test_what_is_no_data_frame(data):
    with pytest.raises(InputError, match=r"not a data frame.*pandas, polars or Arrow"):
        bd.did(data, FORMULA)


def test_two_columns_of_one_name_are_refused(frame):
    doubled = pd.concat([frame, frame[["post"]]], axis=1)
    with pytest.raises(InputError, match="two columns have the same name"):
        bd.did(doubled, FORMULA)


def test_an_effect_that_nothing_identifies_is_refused(frame):
    with pytest.raises(NotIdentifiedError, match="does not vary"):
        bd.did(frame.assign(post=1), "l_homicide ~ post | sid + year")


def test_a_sample_is_the_frame_without_its_other_rows(frame, tmp_path):
    """Equal draws: a window and units left out are a filter; switchers are those that change."""
    inside = frame[frame["year"].between(2002, 2008) & ~frame["sid"].isin([1, 5])]
    change = inside.groupby("sid")["post"].transform("nunique") > 1
    asked = {"first": 2002, "last": 2008, "without": [1, 5]}
    for given, rows in [(asked, inside), (asked | {"switchers": True}, inside[change])]:
        found = bd.did(frame, FORMULA, sample=given, **FLAT)
        np.testing.assert_array_equal(draws(found), draws(bd.did(rows, FORMULA, **FLAT)))
    assert found.tree.attrs["units"] == inside[change]["sid"].nunique() < 48
    size = ["--errors", "iid", "--priors", "flat", "--draws", "100", "--json"]
    said = ["--first", "2002", "--last", "2008", "--without", "1", "--without", "5", "--switchers"]
    ran = CliRunner().invoke(app, ["did", str(_csv(frame, tmp_path)), FORMULA, *said, *size])
    (fit,) = json.loads(ran.stdout)["fits"]
    want = found.tidy()["mean"].tolist()
    assert [row["mean"] for row in fit["rows"]] == pytest.approx(want, rel=1e-8)
    path = {"y": "l_homicide", "unit": "sid", "time": "year", "policy": "post", "draws": 100}
    studied = bd.event_study(frame, **path, sample={"last": 2008})
    assert studied.fit.tree.attrs["periods"] == 9


@pytest.mark.parametrize(
    ("sample", "says"),
    [
        ({"frist": 2002}, "did you mean 'first'"),
        ({"groups": {}}, "no such field"),
        ({"first": 2002.5}, "sample.first"),
        ({"switchers": "some"}, "sample.switchers"),
        ({"first": 1900, "last": 1950}, "no unit of the panel is in the sample"),
        ({"without": ["Ohoi"]}, "does not have"),
        (2002, "by the names of its fields"),
    ],
)
def test_what_is_no_sample(frame, sample, says):
    with pytest.raises(InputError, match=re.escape(says)):
        bd.did(frame, FORMULA, sample=sample, **FLAT)


def test_the_command_is_the_same_line(frame, tmp_path):
    file = str(_csv(frame, tmp_path))
    size = ["--errors", "iid", "--priors", "flat", "--draws", "100"]
    found = CliRunner().invoke(app, ["did", file, FORMULA, "--json", *size])
    assert found.exit_code == 0, found.output
    (fit,) = json.loads(found.stdout)["fits"]
    want = bd.did(frame, FORMULA, **FLAT)
    assert fit["formula"] == FORMULA
    assert [row["term"] for row in fit["rows"]] == ["post", "unemployrt", "poverty"]
    assert [row["mean"] for row in fit["rows"]] == pytest.approx(
        want.tidy()["mean"].tolist(), rel=1e-8
    )
    assert (fit["n"], fit["units"], fit["periods"]) == (550, 50, 11)
    words = ["--y", "l_homicide", "--unit", "sid", "--time", "year", "--policy", "castle=post"]
    found = CliRunner().invoke(app, ["did", file, *words, *size, "--effects", "random"])
    assert "l_homicide on active:castle" in found.stdout
    assert "effects: sid random, year random" in found.stdout
    found = CliRunner().invoke(
        app,
        ["did", file, "l_homicide ~ post | year", "--unit", "sid", *size, "--effects", "random"],
    )
    assert "effects: year random" in found.stdout
    found = CliRunner().invoke(app, ["did", file, "l_homicide ~ pots | sid + year"])
    assert isinstance(found.exception, InputError)
    assert "did you mean 'post'" in str(found.exception)


def test_what_the_documentation_refuses_is_refused(root):
    text = (root / "docs" / "formula.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.*) \|", text.partition("## What is refused")[2], flags=re.M)
    shown = [code for row in rows for code in re.findall(r"`([^`]+)`", row.split(" | ")[0])]
    assert len(shown) > 8
    for code in shown:
        formula = f"y ~ {code} | u + t"
        with pytest.raises(InputError, match="in the formula"):
            parse_formula(code if "~" in code else formula)
