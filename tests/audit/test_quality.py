"""Measured quality: no false contradiction on consistent studies, every planted error found."""

import copy
from collections import Counter
from functools import cache

import pytest
from consistent import N, T, build, raw_study

from bayesdid.audit.run import audit_study

STUDIES = 150
"""In ``make test``; ``make test-slow`` audits as many as docs/audit.md says."""
MORE = 500


@cache
def consistent(seed):
    return raw_study(seed)


@cache
def reports():
    return [audit_study(build(consistent(seed))) for seed in range(STUDIES)]


def test_no_false_contradiction():
    assert contradictions(reports()) == []


@pytest.mark.slow
def test_no_false_contradiction_in_more():
    more = [audit_study(build(raw_study(seed))) for seed in range(STUDIES, MORE)]
    assert contradictions(more) == []
    assert warnings_of([*reports(), *more]).total() <= MORE / 100


def contradictions(found):
    return [
        (report.study_id, finding.rule, finding.place, finding.text)
        for report in found
        for finding in report.findings
        if finding.severity == "contradiction"
    ]


def warnings_of(found):
    """By rule; untested differences are real findings here."""
    rules = Counter(f.rule for report in found for f in report.findings)
    rules.pop("comparisons", None)
    return rules


def test_false_warnings_are_rare():
    """Under one in 100 studies."""
    assert warnings_of(reports()).total() <= STUDIES / 100


def test_every_rule_is_at_work():
    made = Counter()
    for report in reports():
        made.update(report.checked)
    idle = {name for name, number in made.items() if number == 0}
    # predicted needs rounds of adoption, which these studies do not state: test_prediction.py
    elsewhere = {"measures", "few_clusters", "rank_tests", "kinds_of_r_squared", "nested_samples"}
    elsewhere |= {"whole_numbers", "differences", "percents", "weights"}  # test_printed_beside.py
    assert idle <= {"instrumented", "pooled", "predicted"} | elsewhere, idle


def cell(raw, ref):
    column, name = ref.split(":", 1)
    table, column = column.split(".")
    table = next(t for t in raw["tables"] if t["id"] == table)
    return next(c for c in table["column"] if c["id"] == column)["coefficients"][name]


def col(raw, ref):
    table, column = ref.split(".")
    table = next(t for t in raw["tables"] if t["id"] == table)
    return next(c for c in table["column"] if c["id"] == column)


def moment(raw, name):
    return next(m for m in raw["tables"][0]["moments"] if m["column"] == name)


def claim(raw, name):
    return next(c for c in raw["claims"] if c["id"] == name)


def shift(text, by):
    body = text.rstrip("*")
    return f"{float(body) + by:.3f}" + text[len(body) :]


def negate(text):
    return text[1:] if text.startswith("-") else "-" + text


def too_many_stars(raw):
    cell(raw, "t2.2:x2").update(estimate="0.100***", se="0.090")


def too_few_stars(raw):
    cell(raw, "t2.2:x2").update(estimate="-0.500", se="0.090")


def standard_error_misprinted(raw):
    cell(raw, "t2.2:both").update(estimate="-0.500***", se="0.400")


def mediator_sign(raw):
    entry = cell(raw, "t3.2:M")
    entry["estimate"] = negate(entry["estimate"])


def direct_effect_misprinted(raw):
    entry = cell(raw, "t3.2:both")
    entry["estimate"] = shift(entry["estimate"], 0.2)


def auxiliary_misprinted(raw):
    entry = cell(raw, "t3.1:both")
    entry["estimate"] = shift(entry["estimate"], -0.3)


def constant_misprinted(raw):
    entry = cell(raw, "t2.3:constant")
    entry["estimate"] = shift(entry["estimate"], 0.3)


def arm_n_wrong(raw):
    col(raw, "t2.4")["n"] = str((12 + 9) * T)


def n_above_panel(raw):
    col(raw, "t2.3")["n"] = str((N + 2) * T)


def n_not_a_multiple(raw):
    col(raw, "t4.0")["n"] = str(int(col(raw, "t4.0")["n"]) + 1)


def groups_do_not_add(raw):
    col(raw, "t4.0")["n"] = str(int(col(raw, "t4.0")["n"]) + T)


def lead_without_loss(raw):
    col(raw, "t3.3")["n"] = str(N * T)


def arms_do_not_add(raw):
    raw["file"]["design"]["none"] = 13


def sequences_do_not_add(raw):
    raw["file"]["design"]["first"]["a"] = 5


def r2_falls(raw):
    r2 = float(col(raw, "t2.3")["r2"])
    col(raw, "t2.2")["r2"] = f"{r2 - 0.05:.3f}"


def r2_above_one(raw):
    col(raw, "t2.2")["r2"] = "1.075"


def effects_do_not_add(raw):
    effects = col(raw, "t6.1")["impacts"]["both"]
    effects["indirect"]["estimate"] = shift(effects["indirect"]["estimate"], 0.1)


def total_against_multiplier(raw):
    effects = col(raw, "t6.1")["impacts"]["both"]
    for name in ("indirect", "total"):
        effects[name]["estimate"] = shift(effects[name]["estimate"], 3.0)


def text_digits_swapped(raw):
    value = claim(raw, "value")
    value["value"] = f"{float(value['value']) + 0.9:.1f}"


def text_sign(raw):
    value = claim(raw, "value")
    value["direction"] = {"negative": "positive", "positive": "negative"}[value["direction"]]


def text_level_too_high(raw):
    cell(raw, "t2.4:both").update(estimate="-0.340*", se="0.200")
    claim(raw, "value").update(cell="t2.4:both", significance="1%", value="34.0")
    claim(raw, "value")["direction"] = "negative"


def comparison_wrong_way(raw):
    entry = claim(raw, "stronger")["comparison"]
    entry["stronger"], entry["weaker"] = entry["weaker"], entry["stronger"]


def mean_outside(raw):
    moment(raw, "x1")["mean"] = "99.000"


def sd_impossible(raw):
    moment(raw, "x1")["sd"] = "9.999"


def binary_sd(raw):
    moment(raw, "both")["sd"] = shift(moment(raw, "both")["sd"], -0.05)


def statistic_stars(raw):
    col(raw, "t5.1")["statistic"][0]["value"] = "2.10***"


def statistic_not_t_squared(raw):
    col(raw, "t5.1")["statistic"][0]["value"] = "9999.00***"


def repeated_column_differs(raw):
    entry = cell(raw, "t3.4:x1")
    entry["estimate"] = shift(entry["estimate"], 0.05)


def standard_error_too_small(raw):
    cell(raw, "t2.2:both")["se"] = "0.010"


def text_sum(raw):
    claim(raw, "sum")["arithmetic"]["result"] = "9"


def text_product(raw):
    claim(raw, "product")["arithmetic"]["result"] = "190"


def text_shares(raw):
    claim(raw, "share2")["arithmetic"]["result"] = "33.23"


def pooled_as_fixed(raw):
    col(raw, "t2.1").update(family="twfe", unit_effects="fixed", period_effects="fixed")


def implausible_effect(raw):
    cell(raw, "t2.4:both").update(estimate="-25.000***", se="1.000")


PLANTED = {
    too_many_stars: "stars",
    too_few_stars: "stars",
    standard_error_misprinted: "stars",
    mediator_sign: "omitted_variable",
    direct_effect_misprinted: "omitted_variable",
    auxiliary_misprinted: "omitted_variable",
    constant_misprinted: "constants",
    arm_n_wrong: "observations",
    n_above_panel: "observations",
    n_not_a_multiple: "observations",
    groups_do_not_add: "groups",
    lead_without_loss: "observations",
    arms_do_not_add: "counts",
    sequences_do_not_add: "counts",
    r2_falls: "r_squared",
    r2_above_one: "r_squared",
    effects_do_not_add: "spatial_effects",
    total_against_multiplier: "spatial_effects",
    text_digits_swapped: "values",
    text_sign: "directions",
    text_level_too_high: "significance",
    comparison_wrong_way: "comparisons",
    mean_outside: "descriptives",
    sd_impossible: "descriptives",
    binary_sd: "descriptives",
    statistic_stars: "statistics",
    statistic_not_t_squared: "first_stage",
    repeated_column_differs: "repeated",
    standard_error_too_small: "standard_errors",
    text_sum: "arithmetic",
    text_product: "arithmetic",
    text_shares: "arithmetic",
    pooled_as_fixed: "pooled",
    implausible_effect: "magnitudes",
}
SEEDS = 12


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_planted_errors_are_found(plant):
    """In every study; an error in a spatial or star rule may hide behind rounding once."""
    found = 0
    for seed in range(SEEDS):
        raw = copy.deepcopy(consistent(seed))
        plant(raw)
        rules = {f.rule for f in audit_study(build(raw)).findings if f.severity != "note"}
        found += PLANTED[plant] in rules
    assert found >= SEEDS - 1, f"{found} of {SEEDS}"


def test_more_than_fifteen_kinds_are_planted():
    assert len(PLANTED) >= 15
