"""Many studies: one table, error rates with intervals of studies, findings at their lines."""

import json
import shutil
from pathlib import Path

import pytest
from commands import bayesdid
from scipy.stats import beta

from bayesdid.audit.finding import AuditReport, Finding
from bayesdid.audit.rates import ANY, rates
from bayesdid.audit.run import audit_study
from bayesdid.cli.audit_sarif import sarif_run, where
from bayesdid.families.registry.load import load_study
from bayesdid.summary import LEVEL

ROOT = Path(__file__).parents[2]
PILOT = ROOT / "models" / "dual_pilot"
SMALL = ROOT / "tests" / "studies" / "small"


def finding(rule, severity):
    return Finding(rule, severity, "t.1", "", 0.0, (0, 0), 1.0, (1, 1), 1.0, (), "")


def report(name, **found):
    kinds = [finding(rule, severity) for rule, severity in found.items()]
    return AuditReport(name, tuple(kinds), {"stars": 10, "values": 2, "groups": 0})


def test_a_rate_is_of_studies_with_jeffreys_interval():
    reports = [report("a", stars="contradiction"), report("b", stars="warning"), report("c")]
    reports.append(AuditReport("d", (), {"stars": 0, "values": 1, "groups": 0}))
    stars, values, any_rule = rates(reports)
    assert (stars.rule, stars.comparisons, stars.contradictions, stars.warnings) == (
        "stars",
        30,
        1,
        1,
    )
    assert (stars.studies, stars.contradicted, stars.share) == (3, 1, pytest.approx(1 / 3))
    tail = (1 - LEVEL) / 2
    assert (stars.low, stars.high) == pytest.approx(tuple(beta(1.5, 2.5).ppf([tail, 1 - tail])))
    assert (values.contradicted, values.low, values.studies) == (0, 0.0, 4)
    assert (any_rule.rule, any_rule.comparisons, any_rule.contradicted) == (ANY, 37, 1)
    assert not rates([AuditReport("e", (), {"stars": 0})])


def test_intervals_of_shares_hold_the_share_of_all_studies():
    """Of 40 studies each wrong with probability .2, in about 89 % of 400 sets (sd .016)."""
    import numpy as np

    rng = np.random.default_rng(1)
    held = 0
    for count in rng.binomial(40, 0.2, size=400):
        bad = [report(str(k), stars="contradiction") for k in range(count)]
        good = [report(str(k)) for k in range(count, 40)]
        rate = rates([*bad, *good])[0]
        held += rate.low <= 0.2 <= rate.high
    assert abs(held / 400 - LEVEL) < 0.06


def test_findings_stand_at_the_line_of_their_number():
    found = audit_study(load_study(PILOT))
    run = sarif_run([(PILOT, found)], "1")["runs"][0]
    assert len(run["results"]) == len(found.findings)
    assert [r["level"] for r in run["results"]].count("error") == found.counts["contradiction"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    for result, item in zip(run["results"], found.findings, strict=True):
        assert rules[result["ruleIndex"]] == result["ruleId"] == item.rule
        place = result["locations"][0]["physicalLocation"]
        lines = Path(place["artifactLocation"]["uri"]).read_text(encoding="utf-8").splitlines()
        line = lines[place["region"]["startLine"] - 1]
        if item.place.startswith("claim "):
            assert item.place.removeprefix("claim ") in line
        elif "," not in item.place and ":" in item.place and item.rule == "stars":
            assert item.text.split(" ")[0] in line
    file, line = where(PILOT, "table4.3:constant")
    assert "10.111*" in file.read_text(encoding="utf-8").splitlines()[line - 1]
    assert where(PILOT, "design") == (PILOT / "study.toml", None)


def test_one_bad_study_among_many_is_named_and_the_rest_is_audited(tmp_path):
    bad = tmp_path / "bad"
    shutil.copytree(SMALL, bad)
    (bad / "t2.toml").write_text("id = = 2\n", encoding="utf-8")
    out = tmp_path / "found.sarif"
    ran = bayesdid("audit", PILOT, SMALL, bad, "--json", "--sarif", out)
    assert ran.code == 1
    said = json.loads(ran.out)
    assert set(said["studies"]) == {str(PILOT), str(SMALL)}
    assert "line 1" in said["failed"][str(bad)]
    assert said["rates"][-1]["rule"] == ANY
    assert said["rates"][-1]["contradicted"] == 1
    assert len(json.loads(out.read_text(encoding="utf-8"))["runs"][0]["results"]) == 21
    shown = bayesdid("audit", PILOT, SMALL)
    assert shown.code == 0
    assert "share" in shown.out
    assert bayesdid("audit", PILOT, SMALL, "--strict").code == 1
    assert bayesdid("audit", bad).code == 2


def test_many_studies_go_side_by_side_and_say_the_same(tmp_path, monkeypatch):
    """Whatever the number of workers: the same table, in order, failures named."""
    from concurrent.futures import ThreadPoolExecutor
    from contextlib import contextmanager

    from bayesdid.cli import audit
    from bayesdid.inference import executor

    used = []

    @contextmanager
    def pool(workers=None):
        with ThreadPoolExecutor(1) as threads, executor.using(threads):
            used.append(workers)
            yield threads

    folders = [tmp_path / str(k) for k in range(5)]
    for folder in folders:
        shutil.copytree(SMALL, folder)
    (folders[2] / "t2.toml").write_text("id = = 2\n", encoding="utf-8")
    alone = json.loads(bayesdid("audit", *folders, "--json").out)
    monkeypatch.setattr(executor, "process_pool", pool)
    monkeypatch.setattr(audit, "_CHUNK", 2)
    together = bayesdid("audit", *folders, "--workers", 3, "--json")
    assert used == [3]
    assert together.code == 1
    assert json.loads(together.out) == alone
    assert list(alone["failed"]) == [str(folders[2])]
