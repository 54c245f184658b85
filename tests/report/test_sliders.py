"""Sliders look up tables: the page's own numbers at the start, derived ones elsewhere."""

import json
import re

import numpy as np
import pytest
from scipy.stats import norm

from bayesdid.estimands.distribution import distribution_of, normal_distribution
from bayesdid.estimands.judgement import estimate, judge
from bayesdid.estimands.question import Asked
from bayesdid.estimands.verdict import WORDS, word_for
from bayesdid.report.claim_words import answer_sentence
from bayesdid.report.document.blocks import Document, Section
from bayesdid.report.document.html import to_html
from bayesdid.report.document.numbering import places
from bayesdid.report.sections.sliders import said_at, sliders
from bayesdid.report.slider_results import INFLATIONS, PRIOR_SHARES, slider_tables, thousandths

SCALE, ROPE = 2.0, 0.3


def made(asked, *pairs, source="panel"):
    found = [
        estimate(asked, item, name, source, "a", main=k == 0)
        for k, (name, item) in enumerate(pairs)
    ]
    answers = {source: judge(found, source)}
    return found, answers, slider_tables(asked, found, answers, SCALE, ROPE)[source]


def at(table, m, k, s, r=0):
    K, S, R = (len(table["axes"][name]) for name in ("inflation", "prior", "rope"))
    moment = (m * K + k) * S + s
    return moment, moment * R + r


def test_the_start_is_the_page_s_own_answer():
    """Of draws and of a normal: mean, interval, P, range and word, to the printed digit."""
    draws = np.random.default_rng(1).gamma(3.0, 0.4, 4000) - 0.4
    pairs = (("one", distribution_of(draws)), ("two", normal_distribution(0.3, 0.4)))
    for sign in (1, -1):
        asked = Asked(sign)
        found, answers, table = made(asked, *pairs)
        evidence = {"sign": sign, "null": 0.0, "unit": "u", "label": "it"}
        said = said_at(evidence, table, table["main"], (0, 0, 0))
        whole = answer_sentence(
            evidence
            | {
                "answers": {"panel": vars_of(answers["panel"])},
                "estimates": [vars_of(item) for item in found],
            },
            "panel",
            {"synthetic": ""},
        )
        numbers = re.findall(r"[−\d.]+ to [−\d.]+|P [\d.]+", said)
        assert len(numbers) == 3
        for text in numbers:
            assert text.removeprefix("P ") in whole.replace(" and ", " to ")
        assert f"is {answers['panel'].word}: P" in said
        _, cell = at(table, 0, 0, 0)
        assert table["p"][cell] == thousandths(found[0].p_sign)
        assert table["vocabulary"][table["words"][cell]] == answers["panel"].word


def vars_of(item):
    fields = {name: getattr(item, name) for name in item.__dataclass_fields__}
    if "interval" in fields:
        own = item.interval
        fields["interval"] = {"low": own.low, "high": own.high, "level": own.level}
    return fields


def test_inflation_prior_and_rope_are_those_of_a_normal():
    """N(b, s^2): sd times k; conjugate with N(0, t^2); tails beyond the rope. Points: 1/2000."""
    b, s = -0.5, 0.4
    _, _, table = made(Asked(-1), ("one", normal_distribution(b, s)))
    ropes = [float(text) for text in table["axes"]["rope"]]
    assert ROPE in ropes
    for k, times in enumerate(INFLATIONS):
        for j, share in enumerate(PRIOR_SHARES):
            weight = 1 / (times * s) ** 2
            total = weight + (share * SCALE) ** -2.0
            mean, sd = b * weight / total, total**-0.5
            for r, limit in enumerate(ropes):
                moment, cell = at(table, 0, k, j, r)
                below = norm.cdf(-limit, mean, sd)
                inside = norm.cdf(limit, mean, sd) - below
                assert table["p"][cell] == pytest.approx(1000 * below, abs=2.5)
                assert table["inside"][cell] == pytest.approx(1000 * inside * (r > 0), abs=4)
            own = float(table["mean"][moment].replace("−", "-"))
            assert own == pytest.approx(mean, abs=0.002)


def test_words_follow_the_rules_at_every_setting():
    """The word of a model is that of its P and of the range over all models, at that setting."""
    pairs = (("a", normal_distribution(-0.8, 0.3)), ("b", normal_distribution(-0.5, 0.3)))
    _, _, table = made(Asked(-1), *pairs)
    size = len(table["p"]) // 2
    given = set()
    for cell in range(size):
        both = [table["p"][cell] / 1000, table["p"][size + cell] / 1000]
        for m in range(2):
            word = table["vocabulary"][table["words"][m * size + cell]]
            if min(abs(p - limit) for p in both for limit in (0.05, 0.25, 0.75, 0.95)) > 0.001:
                assert word == word_for(both[m], min(both), max(both))
            given.add(word)
    assert {WORDS[1], WORDS[2], WORDS[3]} <= given


def test_no_table_where_no_direction_is_claimed():
    found = [estimate(Asked(0, rope=0.1), normal_distribution(0, 1), "m", "panel", "a", main=True)]
    answers = {"panel": judge(found, "panel")}
    assert slider_tables(Asked(0, rope=0.1), found, answers, SCALE, None) == {}


@pytest.fixture(scope="module")
def page():
    names = [
        "averaged",
        *(f"{path}, phi {phi}" for path in ("flat", "growing") for phi in (0, 0.3)),
    ]
    pairs = [
        (f"all columns, {name}", normal_distribution(-0.1 * k, 0.3)) for k, name in enumerate(names)
    ]
    table = made(Asked(-1), *pairs, source="published")[2]
    evidence = {
        "sign": -1,
        "null": 0.0,
        "unit": "u",
        "label": "it",
        "sliders": {"published": table},
    }
    results = {"headline": {}, "level": 0.89}
    blocks, more = sliders(evidence, ("published",), results)
    document = Document("t", (Section("s", "", (*blocks, *more)),))
    html = to_html(document, "index.html", places({"index.html": ("", document)}), other=("x", "y"))
    return html, table, evidence


def test_paths_and_correlations_are_two_controls_that_lead_to_their_model(page):
    html, table, _ = page
    assert table["grid"] == {
        "paths": ["flat", "growing"],
        "phis": ["0", "0.3"],
        "at": [[1, 2], [3, 4]],
    }
    assert 'name="path"' in html
    assert 'name="phi" min="0" max="1"' in html
    assert 'name="mbar"' not in html  # print has no robust sets


def test_the_page_holds_its_data_and_one_script_without_requests(page):
    html, table, evidence = page
    data = json.loads(re.search(r'<script type="application/json">(.*?)</script>', html, re.S)[1])
    assert {key: data[key] for key in ("p", "inside", "words", "mean")} == {
        key: table[key] for key in ("p", "inside", "words", "mean")
    }
    every = re.findall(r"<script>(.*?)</script>", html, re.S)
    script = [text for text in every if ".sliders" in text]  # another one is of long tables
    assert len(script) == 1
    assert not re.search(r"fetch|XMLHttpRequest|import\b|src\s*=|https?:", script[0])
    assert said_at(evidence, table, 0, (0, 0, 0)).split(":")[0] in html
    for control in re.findall(r'<(?:input|select)[^>]*\bid="([^"]+)"', html):
        assert f'<label for="{control}">' in html
    assert "One at a time: " in html
    rows = len(table["axes"]["inflation"]) + sum(
        len(table["axes"][name]) - 1 for name in ("prior", "rope")
    )
    assert html.count('<th scope="row"') == rows


def test_robust_sets_say_whether_zero_is_in_them():
    _, _, table = made(Asked(-1), ("one", normal_distribution(-1, 0.3)))
    evidence = {"sign": -1, "null": 0.0, "unit": "u", "label": "it", "sliders": {"panel": table}}
    sets = [{"M": 0.5, "low": -2.0, "high": -0.1}, {"M": 1.0, "low": -3.0, "high": 0.2}]
    results = {
        "headline": {"robust": [{"kind": "relative_magnitude", "sets": sets}]},
        "level": 0.89,
    }
    blocks, more = sliders(evidence, ("panel",), results)
    said = json.loads(blocks[1].data)["robust"]
    assert said[0] == ""
    assert said[1].endswith("set is −2.000 to −0.100, without zero.")
    assert said[2].endswith("set is −3.000 to 0.200, with zero.")
    assert said[2] in more[0].note
    assert blocks[1].choices[-1].options == ("0 (parallel)", "0.5", "1")
