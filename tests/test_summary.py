"""One level of intervals: it stands in one place, and everything that is shown follows it."""

import ast
import re

import numpy as np
import pytest
from scipy.stats import norm
from typer.testing import CliRunner

import bayesdid as bd
from architecture_map import SOURCE, modules
from bayesdid import summary
from bayesdid.checks.run import run_checks
from bayesdid.estimands.event_study import event_path
from bayesdid.exceptions import InputError
from bayesdid.jsonio import plain, to_json
from bayesdid.panel.adoption import arm
from bayesdid.report.figures import columns_figure
from bayesdid.summary import (
    Interval,
    band,
    equal_tailed,
    hdi,
    hdi_columns,
    normal_interval,
    percent,
    reach,
    summarise,
    summarise_normal,
)
from printed import write_printed


def test_the_level_stands_in_one_place():
    """No module writes 89 % or takes a copy of the constant."""
    numbers = {0.89, 0.11, 0.055, 0.945, 1.598}
    for name, path in modules().items():
        if name == "summary":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, float):
                assert node.value not in numbers, (name, node.lineno)
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not re.search(r"\b89 ?%|hdi89|1\.6 S", node.value), (name, node.lineno)
            if isinstance(node, ast.ImportFrom) and node.module == "bayesdid.summary":
                assert not {"LEVEL", "OUTER"} & {alias.name for alias in node.names}, name
    for path in SOURCE.rglob("*.j2"):
        body = path.read_text(encoding="utf-8").partition("</style>")
        assert not re.search(r"\b(hdi)?89\b", body[2] or body[0]), path


def test_every_kind_of_interval_holds_its_level():
    """Of n uniform draws the share inside differs from the level by the rounding of 1 / n."""
    n = 20_000
    draws = (np.arange(n) + 0.5) / n
    for level in (0.5, 0.8, 0.95):
        for found in (hdi(draws, level), equal_tailed(draws, level)):
            assert found.level == level
            assert found.high - found.low == pytest.approx(level, abs=2 / n)
        found = normal_interval(3.0, 2.0, level)
        inside = norm.cdf(found.high, 3, 2) - norm.cdf(found.low, 3, 2)
        assert inside == pytest.approx(level, abs=1e-12)


def test_an_interval_says_its_level():
    found = Interval(-0.1234, 1.0, 0.9)
    assert f"{found:.2f}" == "90 % HDI -0.12 to 1.00"
    assert f"{Interval(0.1, 0.2, 0.995):+.0%}" == "99.5 % HDI +10% to +20%"
    assert found.columns() == {"HDI 90% low": -0.1234, "HDI 90% high": 1.0}
    assert not found.excludes_zero
    assert Interval(0.1, 0.2, 0.9).excludes_zero


@pytest.fixture
def eighty(monkeypatch):
    monkeypatch.setattr(summary, "LEVEL", 0.8)


@pytest.mark.usefixtures("eighty")
def test_summaries_bands_and_paths_follow_the_level():
    draws = np.random.default_rng(0).standard_normal((4000, 3))
    assert percent() == "80 %"
    assert hdi_columns() == ("HDI 80% low", "HDI 80% high")
    for found in (summarise(draws[:, 0]), summarise_normal(0.0, 1.0)):
        assert found.interval == found.hdi[1]
        assert found.interval.level == 0.8
        stored = plain(found)
        assert {"hdi50", "hdi80", "hdi95", "level"} <= set(stored)
    closed = summarise_normal(0.0, 1.0).interval
    assert closed.high - closed.low == pytest.approx(2 * norm.ppf(0.9))
    joint = band(draws)
    inside = ((draws > joint.band_low) & (draws < joint.band_high)).all(axis=1).mean()
    assert inside == pytest.approx(0.8, abs=1 / 4000 + 1e-9)
    assert event_path([-2, 0, 1], draws).level == 0.8


@pytest.mark.usefixtures("eighty")
def test_commands_follow_the_level(studies, tmp_path):
    from bayesdid.cli.app import app

    for words in (
        ("synergy", write_printed(tmp_path)),
        ("fit", studies / "small", "--draws", 100, "--workers", 1, "--out", tmp_path / "out"),
    ):
        found = CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "200"})
        assert found.exit_code == 0, found.output
        assert "80 % HDI" in " ".join(found.output.split())
        assert "89 %" not in found.output


@pytest.mark.usefixtures("eighty")
def test_sentences_tables_and_captions_of_analyses_follow_the_level(models):
    study = bd.load_study(models / "traffic_laws")
    panel = bd.load_panel(study)
    name = next(name for name in study.specs if study[name].column.family == "moderation")
    text = to_json(bd.analyse(study, name, panel, draws=100, seed=1))
    assert "80 % HDI" in text
    assert "HDI 80% low" in text
    assert "89 %" not in text  # a share may well be 89%
    assert "HDI 89%" not in text


@pytest.mark.usefixtures("eighty")
def test_checks_follow_the_level(studies):
    study = bd.load_study(studies / "small")
    panel = bd.load_panel(study)
    design = bd.build_design(study[next(iter(study.specs))], panel)
    bound = bd.model(design, errors="iid")
    tree = bd.fit(bound, draws=100, seed=1).tree
    checks = run_checks(tree, bound, arm(panel.adoption))
    found = next(item for item in checks if "replicated" in item.table)
    assert {"low80", "high80"} <= set(found.table)
    assert "(80 % " in found.text


@pytest.mark.parametrize(
    ("level", "remedy"),
    [(95, "level=0.95"), (0, "0.95"), (1.0, "0.95"), (-0.5, "0.95"), ("0.9", "0.95")],
)
def test_a_level_is_a_probability(level, remedy):
    """95 was an interval of all draws, called 9500 %."""
    for read in (percent, reach, lambda asked: hdi(np.arange(100.0), asked)):
        with pytest.raises(InputError, match="a level is a") as caught:
            read(level)
        assert caught.value.remedy.endswith(remedy)
    assert hdi(np.arange(100.0), np.float64(0.5)).level == 0.5


def test_figures_take_the_level_of_the_results():
    row = {"label": "x", "ols": 1.0, "se_cluster": 0.1}
    assert "effect, 80 % intervals" in columns_figure([row], 0.8, False)
