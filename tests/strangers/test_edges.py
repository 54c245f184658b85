"""Panels at the edge: they work or are refused in words, at every door."""

import json

import numpy as np
import pandas as pd
import pytest
from commands import bayesdid

import bayesdid as bd
from bayesdid.design.build import with_effects
from bayesdid.exceptions import InputError
from cells import slow_but
from smallest import study_with

TABLE = (
    'id = "t"\ntitle = "T"\nkind = "regression"\n[[column]]\nid = "1"\noutcome = "y"\n'
    'treatments = ["active:p"]\ncovariates = ["x"]\n'
)


def made(N=8, T=5, unit="unit"):
    rng = np.random.default_rng(0)
    rows = [(f"u{k}", 2000 + t) for k in range(N) for t in range(T)]
    frame = pd.DataFrame(rows, columns=[unit, "year"])
    k, start = frame[unit].str[1:].astype(int), 2000 + T // 2
    frame["D"] = ((k % 2 == 1) & (frame["year"] >= start)).astype(float)
    frame["py"] = np.where(k % 2 == 1, start, np.nan)
    frame["x"] = rng.normal(size=len(frame)).round(3)
    frame["y"] = (rng.normal(size=len(frame)) + frame["D"]).round(3)
    return frame


PERFECT = "regressors and effects fit the outcome perfectly"
EDGES = {  # what is wrong in words, or empty where it works
    "constant": (made().assign(y=3.0), "the outcome is constant in this sample"),
    "levels": (
        made().assign(y=lambda f: f["unit"].str[1:].astype(float) + f["year"]),
        "the outcome does not vary beyond unit and period effects",
    ),
    "perfect": (made().assign(y=lambda f: 2 * f["D"] + f["year"]), PERFECT),
    "copied": (made().assign(y=lambda f: 3 * f["x"]), PERFECT),
    "two by two": (made(N=2, T=2), PERFECT),
    "missing": (made().assign(y=np.nan), "no complete row is left"),
    "untreated": (made().assign(D=0.0, py=np.nan), "does not vary in this sample"),
    "treated": (made().assign(D=1.0, py=2000), "does not vary in this sample"),
    "two units": (made(N=2), ""),
    "two periods": (made(T=2), ""),
    "chain": (made(unit="chain"), ""),
    "draw": (made(unit="draw"), ""),
}
WORK = [name for name, (_, words) in EDGES.items() if not words]


@pytest.mark.parametrize("name", EDGES)
def test_did_works_or_says_why_not(name, tmp_path):
    frame, words = EDGES[name]
    formula = f"y ~ D + x | {frame.columns[0]} + year"
    frame.to_csv(tmp_path / "p.csv", index=False)
    ran = bayesdid("did", tmp_path / "p.csv", formula, "--draws", 200)
    assert ran.fine, ran.err
    if words:
        with pytest.raises(InputError, match=words):
            bd.did(frame, formula, draws=200)
        assert ran.code == 2
        assert words in ran.err.replace("\n", " ")
        return
    fit = bd.did(frame, formula, draws=200)
    assert fit.converged
    assert np.isfinite(fit.tidy()["mean"]).all()
    assert ran.code == 0
    said = f"{len(frame)} rows, {frame.iloc[:, 0].nunique()} "
    for text in (ran.out, fit.summary(), repr(fit), fit._repr_html_()):
        assert said in text.replace("\n", " ")


@pytest.fixture
def folder(tmp_path, request):
    """A study with the panel of one edge."""
    frame, _ = EDGES[request.param]
    (tmp_path / "study.toml").write_text(study_with('path = "p.csv"\n', unit=frame.columns[0]))
    (tmp_path / "t.toml").write_text(TABLE)
    frame.to_csv(tmp_path / "p.csv", index=False)
    return tmp_path, *EDGES[request.param]


@pytest.mark.parametrize("folder", EDGES, indirect=True)
def test_every_command_works_or_says_why_not(folder):
    path, _, words = folder
    size = ("--draws", 100, "--workers", 1)
    for args in (("fit", path, *size, "--out", path / "fits"), ("synergy", path, "--draws", 100)):
        ran = bayesdid(*args)
        assert ran.fine, ran.err
        assert not words or words in (ran.out + ran.err).replace("\n", " ")
        assert bool(words) == ("n = " not in ran.err) or args[0] != "fit"


@pytest.mark.parametrize("folder", slow_but(EDGES, "perfect"), indirect=True)
def test_the_report_is_whole_at_the_edge(folder):
    path, frame, words = folder
    out = path / "out"
    ran = bayesdid("report", path, "--draws", 100, "--workers", 1, "--out", out)
    assert ran.fine, ran.err
    assert bayesdid("check", path, "--workers", 1).fine
    found = json.loads((out / "results.json").read_text())
    assert found["failed"] == {}
    page = "".join((out / name).read_text() for name in ("index.html", "supplement.html"))
    if words:
        assert words in found["skipped"]["t.1"]
        assert words in page
    else:
        sample = found["samples"]["t.1"]
        assert (sample["rows"], sample["units"]) == (len(frame), frame.iloc[:, 0].nunique())
        assert sample["text"] in page


def test_what_fixed_effects_take_up_leaves_a_design_of_random_ones():
    """A level of units plus one of periods: to rounding, which is no variation."""
    frame = made(N=16).assign(
        level=lambda f: f["unit"].str[1:].astype(float) ** 0.5 + np.sqrt(f["year"] - 1990)
    )
    fit = bd.did(frame, "y ~ D + x + level | unit + year", unit_effects="random", draws=100)
    fixed = with_effects(fit.bound.design, "fixed", "fixed")
    assert fit.bound.design.covariates == ("x", "level")
    assert fixed.covariates == ("x",)
    assert with_effects(fixed, "random", "fixed").covariates == ("x",)


def test_a_report_of_random_effects_is_whole(tmp_path):
    """Also with a covariate that only they leave something of: units' fixed effects take it up."""
    frame = made(N=16).assign(size=lambda f: f["unit"].str[1:].astype(float))
    frame.to_csv(tmp_path / "p.csv", index=False)
    (tmp_path / "study.toml").write_text(study_with('path = "p.csv"\n'))
    table = TABLE.replace('["x"]', '["x", "size"]') + 'unit_effects = "random"\n'
    (tmp_path / "t.toml").write_text(table)
    ran = bayesdid("report", tmp_path, "--draws", 200, "--workers", 1, "--out", tmp_path / "out")
    assert ran.fine, ran.err
    found = json.loads((tmp_path / "out" / "results.json").read_text())
    assert found["failed"] == {}
    assert found["identity"]["holds"] == found["identity"]["explained"] == 1
    rows = {row["parameter"]: row for row in found["agreement"][0]["rows"]}
    assert rows["size"]["verdict"].startswith("not identified")
    assert rows["size"]["flat_mean"] is None
    assert abs(rows["active:p"]["flat_gap_mcse"]) < 4
    page = (tmp_path / "out" / "index.html").read_text()
    assert "Unit effects are random in T (1); least squares takes them as fixed." in page
