"""The same seed gives the same bytes, fresh or resumed, with any number of workers."""

import json

import pytest
from drawn import draw_once, without_headline
from stored import TABLE, flip, panel_of, write_study

import bayesdid as bd
from bayesdid.inference.executor import process_pool
from bayesdid.jsonio import plain
from bayesdid.report.results import PARTS, compute_results
from bayesdid.report.run import Run
from bayesdid.report.write import write_report

CURVE = """
[[column]]
id = "{family}"
outcome = "y"
treatments = ["active:p"]
family = "{family}"
options = {options}
"""
PLAIN = """
[[column]]
id = "plain"
outcome = "y"
treatments = ["active:p"]
"""
COMPARISON = """
[[column]]
id = "comparison"
outcome = "y"
family = "comparison"
options = { specs = ["t.plain"] }
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study with every loop over fits: specs, checks, placebos, curve, bands, folds."""
    folder = tmp_path_factory.mktemp("study")
    write_study(folder)
    families = {
        "specification_curve": '{ effects = ["fixed", "mundlak"], errors = ["iid"] }',
        "spillover_bands": "{ step_km = 700.0 }",
        "placebo": "{ draws = 60 }",
    }
    curves = [CURVE.format(family=name, options=options) for name, options in families.items()]
    columns = [PLAIN, COMPARISON, *curves]
    table = folder / "t.toml"
    table.write_text(table.read_text() + "".join(columns))
    return bd.load_study(folder)


def computed(study, folder, run, draws=100):
    begun = []

    def step(description, total):
        begun.append(description)
        return lambda _: None

    with process_pool(run.workers):
        results = compute_results(
            study, panel_of(study), folder / "fits", draws=draws, seed=7, run=run, step=step
        )
    assert tuple(begun) == PARTS
    return results


def write(study, folder, workers=1):
    run = Run(workers)
    write_report(computed(study, folder, run), folder, run)
    return run


def shown(folder):
    pages = ("index.html", "supplement.html", "report.pdf")
    files = [
        folder / "results.json",
        *(folder / name for name in pages),
        *sorted(folder.glob("tables/*")),
    ]
    return {path.name: path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def fresh(study, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fresh")
    run = write(study, folder)
    assert not any(item["reused"] for item in (*run.fits, *run.checks, *run.analyses))
    assert json.loads((folder / "results.json").read_text("utf-8"))["refused"] == {}
    return folder, shown(folder)


@pytest.fixture(scope="module", autouse=True)
def _drawn(fresh):
    """After the first run: what is drawn again from the same numbers is seen in test_report."""
    with pytest.MonkeyPatch.context() as patch:
        draw_once(patch)
        yield


@pytest.mark.slow
def test_two_workers_write_the_same_bytes(study, fresh, tmp_path):
    write(study, tmp_path, workers=2)
    assert shown(tmp_path) == fresh[1]


def test_two_workers_have_the_same_results(tmp_path, monkeypatch):
    """Specs, their checks, and an analysis that asks for fits of its own; not spatial ones."""
    without_headline(monkeypatch)
    folder = tmp_path / "study"
    write_study(folder)
    placebo = CURVE.format(family="placebo", options="{ draws = 20 }")
    (folder / "t.toml").write_text(TABLE + PLAIN + placebo)
    few = bd.load_study(folder)
    one, two = (
        computed(few, tmp_path / f"{workers}", Run(workers), draws=40) for workers in (1, 2)
    )
    assert len(one["analyses"]) == 1
    assert plain(one) == plain(two)


def test_a_resumed_run_writes_the_same_bytes(study, fresh):
    folder, before = fresh
    run = write(study, folder)
    assert all(item["reused"] for item in (*run.fits, *run.checks, *run.analyses))
    assert shown(folder) == before


def test_an_interrupted_run_and_a_damaged_file_lead_to_the_same_bytes(study, fresh):
    """Some results are gone, one is damaged: the rest is reused, and the user is told."""
    folder, before = fresh
    fits = sorted((folder / "fits").glob("t.plain-*.nc"))
    for path in [
        fits[0],
        *(folder / "fits").glob("t.touch-analysis-*"),
        *(folder / "fits").glob("*checks*"),
    ]:
        path.unlink()
    flip(fits[1], 4 * fits[1].stat().st_size)
    run = write(study, folder)
    assert [note.name for note in run.notes] == ["damaged_file"]
    assert json.loads((folder / "run.json").read_text("utf-8"))["notes"] == [run.notes[0].text]
    assert {item["reused"] for item in run.fits} == {True, False}
    assert shown(folder) == before


def test_facts_of_the_run_stand_apart(fresh):
    folder, before = fresh
    facts = json.loads((folder / "run.json").read_text("utf-8"))
    assert {"started", "seconds", "host", "system", "python", "workers", "code"} <= set(facts)
    assert set(PARTS) == set(facts["seconds"])
    assert all(item["seconds"] >= 0 for item in facts["fits"])
    assert b"reused" not in before["results.json"]
    assert facts["started"].encode() not in before["results.json"] + before["index.html"]
