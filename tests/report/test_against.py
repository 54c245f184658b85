"""What changed between two runs: each planted change is found, and nothing else."""

import copy
import json
import math

import pytest

from bayesdid.exceptions import InputError
from bayesdid.report.against import FALSE_ALARM, changes, read_results
from bayesdid.report.document.blocks import Document, Section, Table, Text
from bayesdid.report.document.html import to_html
from bayesdid.report.document.numbering import places
from bayesdid.report.sections.changes import changes_part, sentence
from bayesdid.report.write import CHANGES


def answer(word, p):
    return {"word": word, "p": p}


def finding(text):
    return {"severity": "contradiction", "place": "table2.1", "text": text}


SUMMARY = {"mean": 0.5, "sd": 0.1, "mcse": 0.002}
RESULTS = {
    "study": {"id": "s"},
    "claims": [
        {
            "id": "c",
            "text": "it <works>",
            "evidence": {"answers": {"panel": answer("supported", 0.98)}},
        },
        {"id": "d", "text": "other", "evidence": None},
    ],
    "headline": {
        "contrasts": {
            "both - none": {"label": "Both − none", "word": "supported", "p_claim": 0.98}
            | {"summary": dict(SUMMARY)}
        }
    },
    "effects": [{"spec": "t.1", "term": "active:a", "summary": dict(SUMMARY)}],
    "agreement": [
        {"spec": "t.1", "rows": [{"parameter": "active:a", "ols": 0.4, "se_cluster": None}]}
    ],
    "analyses": [],
    "sums": [],
    "doses": [],
    "samples": {"t.1": {}},
    "failed": {},
    "fits": [{"spec": "t.1", "kind": "default", "converged": True}],
    "audit": {"comparisons": 5, "findings": [finding("old")]},
    "panel": {"sha256": "aa", "rows": 10, "units": 5, "source": "f.csv"},
    "provenance": {"versions": {"numpy": "1", "pymc": "6"}, "draws": 1000, "chains": 4, "seed": 0},
}


def changed(edit):
    after = copy.deepcopy(RESULTS)
    edit(after)
    return changes(RESULTS, after)


def moved(by):
    def edit(after):
        after["effects"][0]["summary"]["mean"] += by

    return changed(edit)


def test_nothing_changed_where_nothing_did():
    found = changed(dict)
    assert found["compared"] == 6
    for key in ("numbers", "added", "removed", "words", "data", "versions"):
        assert not found[key]
    assert not any(found["specs"].values())
    assert not any(found["audit"].values())
    said = sentence(found)
    assert "Of 6 numbers that both runs have, none changed" in said
    assert "no verdict changed" in said


def test_the_limit_is_monte_carlo_error_at_the_declared_rate():
    """Six numbers: two-sided 1 % over six is 3.14 sds of a difference, sqrt(2) mcse."""
    limit = moved(0.0)["limit"]
    assert math.erfc(limit / math.sqrt(2)) * 6 == pytest.approx(FALSE_ALARM)
    edge = limit * math.sqrt(2) * 0.002
    assert moved(0.98 * edge)["numbers"] == []
    (one,) = moved(-1.02 * edge)["numbers"]
    assert one["quantity"] == "t.1: active:a"
    assert one["apart"] == pytest.approx(1.02 * limit)
    assert (one["before"], one["after"]) == (0.5, 0.5 - 1.02 * edge)


def test_a_number_without_sampling_may_not_move_at_all():
    def edit(after):
        after["agreement"][0]["rows"][0]["ols"] = 0.4001

    (one,) = changed(edit)["numbers"]
    assert (one["quantity"], one["apart"]) == ("t.1: active:a, ols", None)


def test_words_of_verdicts():
    def edit(after):
        after["claims"][0]["evidence"]["answers"]["panel"] = answer("undecided", 0.7)
        after["claims"][1]["evidence"] = {"answers": {"published": answer("contradicted", 0.01)}}

    rows = changed(edit)["words"]
    assert [(row["of"], row["before"], row["after"]) for row in rows] == [
        ("it <works>", "supported (P 0.980)", "undecided (P 0.700)"),
        ("other", "none", "contradicted (P 0.010)"),
    ]


def test_specs_added_removed_failed_mended_and_not_converged():
    before = copy.deepcopy(RESULTS)
    before["samples"] = {"t.1": {}, "t.gone": {}}
    before["failed"] = {"t.was": "why"}
    after = copy.deepcopy(RESULTS)
    after["samples"] = {"t.1": {}, "t.was": {}}
    after["analyses"] = [{"spec": "t.new", "effects": []}]
    after["failed"] = {"t.bad": "singular"}
    after["fits"][0]["converged"] = False
    assert changes(before, after)["specs"] == {
        "added": ["t.new"],
        "removed": ["t.gone"],
        "failed": ["t.bad: singular"],
        "mended": ["t.was"],
        "unconverged": ["t.1 (default)"],
    }


def test_audit_data_and_versions():
    def edit(after):
        after["audit"]["findings"] = [finding("new")]
        after["panel"]["sha256"] = "bb"
        after["provenance"]["seed"] = 1
        after["provenance"]["versions"]["numpy"] = "2"

    found = changed(edit)
    assert found["audit"]["added"] == ["contradiction, table2.1: new"]
    assert found["audit"]["removed"] == ["contradiction, table2.1: old"]
    assert found["data"] == {"sha256": ["aa", "bb"], "seed": ["0", "1"]}
    assert found["versions"] == {"numpy": ["1", "2"]}


def test_the_page_shows_what_changed_and_the_rest_is_in_the_supplement():
    def edit(after):
        after["claims"][0]["evidence"]["answers"]["panel"] = answer("undecided", 0.7)
        after["effects"] = [
            {"spec": f"t.{k}", "term": "active:a", "summary": SUMMARY | {"mean": 0.6 + k}}
            for k in range(30)
        ]
        after["failed"] = {"t.bad": "singular"}
        after["provenance"]["versions"]["numpy"] = "2"

    before = copy.deepcopy(RESULTS)
    before["effects"] = [
        {"spec": f"t.{k}"} | RESULTS["effects"][0] | {"spec": f"t.{k}"} for k in range(30)
    ]
    after = copy.deepcopy(RESULTS)
    edit(after)
    part = changes_part(changes(before, after))
    document = Document("t", (Section("changes", part.title, (*part.main, *part.more)),))
    html = to_html(document, "index.html", places({"index.html": ("", document)}), other=("x", "y"))
    assert "31 changed by more than Monte Carlo error" in html  # 30 effects and the probability
    assert "1 verdict changed. Specs: 1 failed." in html
    assert "it &lt;works&gt;" in html
    assert "Specs that fail now: t.bad: singular." in html
    assert "Versions: numpy 1 → 2." in html
    tables = {block.key: block for block in (*part.main, *part.more) if isinstance(block, Table)}
    assert len(tables["changed-numbers"].rows) == 10
    assert tables["changed-numbers"].rows[0][0] == "t.29: active:a"
    assert len(tables["all-changed-numbers"].rows) == 31
    assert isinstance(part.main[0], Text)


def test_what_is_no_earlier_report_of_the_study_is_refused(tmp_path):
    with pytest.raises(InputError, match="no earlier report"):
        read_results(tmp_path, "s")
    file = tmp_path / "results.json"
    for text, problem in (
        ("{", "no earlier"),
        ("[]", "no results.json"),
        ("{}", "no results.json"),
    ):
        file.write_text(text)
        with pytest.raises(InputError, match=problem):
            read_results(tmp_path, "s")
    file.write_text(json.dumps(RESULTS))
    with pytest.raises(InputError, match="another study"):
        read_results(tmp_path, "t")
    assert read_results(file, "s") == read_results(tmp_path, "s") == RESULTS
    assert CHANGES == "changes.json"
