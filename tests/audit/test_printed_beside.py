"""Rules on what is printed beside estimates: silent where it holds, an error is found, and how."""

import numpy as np
import pytest
from corpus import build

from bayesdid.audit.measures import measures
from bayesdid.audit.run import RULES, audit_study
from bayesdid.exceptions import InputError


def study(columns, *, moments=(), n=None, claims=(), units=None, **table):
    """A study of one table, its moments and claims; cells are `text` or a dict."""
    for k, column in enumerate(columns):
        column.setdefault("id", str(k + 1))
        column.setdefault("outcome", "y")
        cells = column.get("coefficients", {})
        column["coefficients"] = {
            name: {"estimate": cell} if isinstance(cell, str) else cell
            for name, cell in cells.items()
        }
        names = [name for name in column["coefficients"] if name != "constant"]
        column.setdefault("treatments", names[:1])
        column.setdefault("covariates", names[1:])
    panel = {"unit": "u", "period": "t"} | ({"units": units} if units else {})
    file = {
        "study": {"id": "made", "title": "t", "citation": "c"},
        "outcome": {"column": "y", "label": "y", "unit": "u"},
        "panel": panel | ({"first_period": 1, "last_period": 10} if units else {}),
        "group": [{"column": "g", "label": "G", "levels": {"a": "A", "b": "B"}}],
        "policy": [{"id": "p", "label": "P", "adoption": "year"}],
    }
    first = {"id": "t0", "title": "t", "kind": "descriptive", "moments": list(moments)}
    second = {"id": "t1", "title": "t", "kind": "regression", "column": columns} | table
    tables = [first | ({"n": n} if n else {}), second]
    return build({"file": file, "tables": tables, "claims": list(claims)})


def severities(rule, *args, **kwargs):
    """Of the findings of one rule, which must have compared something."""
    (item,) = [item for item in RULES if item.__name__ == rule]
    report = audit_study(study(*args, **kwargs), [item])
    assert report.checked[rule] > 0
    return [finding.severity for finding in report.findings]


def one(**cell):
    return [{"coefficients": {"x": cell}}]


@pytest.mark.parametrize(
    ("cell", "kind", "expected"),
    [
        ({"estimate": "0.50", "se": "0.20", "t": "2.5"}, "unknown", []),
        ({"estimate": "-0.50", "se": "0.20", "t": "-2.5"}, "unknown", []),
        ({"estimate": "0.50", "se": "0.20", "t": "3.5"}, "unknown", ["contradiction"]),
        ({"estimate": "0.50", "se": "0.20", "t": "-2.5"}, "unknown", ["contradiction"]),
        ({"estimate": "0.50", "t": "2.50", "p": "0.012"}, "robust", []),
        ({"estimate": "0.50", "t": "2.50", "p": "0.301"}, "robust", ["contradiction"]),
        ({"estimate": "0.50", "t": "2.50", "p": "0.200"}, "unknown", []),  # t of two clusters
        ({"estimate": "0.50", "t": "2.50", "p": "0.001"}, "unknown", ["warning"]),  # a bootstrap
        ({"estimate": "0.500", "se": "0.200", "interval": "[0.108, 0.892]"}, "iid", []),
        (
            {"estimate": "0.500", "se": "0.300", "interval": "[0.108, 0.892]"},
            "iid",
            ["contradiction"],
        ),
        ({"estimate": "0.500", "se": "0.200", "interval": "[-0.1, 1.1]"}, "iid", ["warning"]),
        ({"estimate": "0.950", "interval": "[0.108, 0.892]"}, "iid", ["contradiction", "warning"]),
        ({"estimate": "0.600", "interval": "[0.108, 0.892]"}, "iid", ["warning"]),
        ({"estimate": "0.500", "p": "0.201", "interval": "[0.1, 0.9]"}, "iid", ["contradiction"]),
        ({"estimate": "0.500", "p": "0.012", "interval": "[0.1, 0.9]"}, "iid", []),
        ({"estimate": "0.500", "p": "0.012", "interval": "[-0.1, 1.1]"}, "iid", ["warning"]),
    ],
)
def test_measures_of_one_cell_agree(cell, kind, expected):
    assert severities("measures", one(**cell), se_kind=kind) == expected


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        ("(0.73, 0.96)", []),
        ("(0.69, 0.94)", []),  # of a profile likelihood, a little to one side
        ("(0.13, 0.96)", ["warning"]),
        ("(0.73, 6.9)", ["warning"]),
        ("(0.90, 0.96)", ["contradiction", "warning"]),
    ],
)
def test_a_ratio_is_near_the_middle_of_its_interval_in_logarithms(interval, expected):
    columns = one(estimate="0.84", interval=interval)
    columns[0]["printed_as"] = "ratio"
    assert severities("measures", columns) == expected


@pytest.mark.parametrize(
    ("se", "others", "expected"),
    [
        ("0.20", 3, []),
        ("0.40", 3, []),  # one error to either side: narrow, and not beyond belief
        ("0.02", 3, ["odd"]),
        ("0.80", 3, ["odd"]),
        ("0.02", 2, []),  # too few to say what is usual
    ],
)
def test_intervals_of_a_column_are_about_as_many_errors_wide(se, others, expected):
    """0.392 = 1.96 x 0.2; an error of .02 makes it 20, one of .8 makes it .5."""
    usual = {"estimate": "0.500", "se": "0.200", "interval": "[0.108, 0.892]"}
    cells = {f"x{k}": dict(usual) for k in range(others)} | {"odd": usual | {"se": se}}
    report = audit_study(study([{"coefficients": cells}]), [measures])
    found = [f for f in report.findings if "those of the other estimates" in f.text]
    assert [f.place.partition(":")[2] for f in found] == expected
    assert {f.severity for f in found} <= {"warning"}


def test_what_stands_in_parentheses_may_stand_beside_another_measure():
    cell = {"estimate": "0.50", "parentheses": "(0.20)", "p": "0.012"}
    found = study(one(**cell))["t1.1"].column.coefficients["x"]
    assert (found.se, found.p) == ("(0.20)", "0.012")
    with pytest.raises(InputError, match="standard errors twice"):
        study(one(estimate="0.50", parentheses="(0.20)", se="0.20"))


def test_marks_of_few_clusters_are_those_of_t():
    """t = 2.2: p = .028 by the normal distribution, .079 by t(5)."""
    columns = one(estimate="0.44**", se="0.20")
    columns[0]["clusters"] = 6
    assert severities("few_clusters", columns) == ["warning"]
    columns[0]["clusters"] = 60
    assert severities("few_clusters", columns) == []
    columns[0] |= {"clusters": 6, "n": "5"}
    assert severities("few_clusters", columns) == ["contradiction", "warning"]
    columns[0] |= {"n": "500", "coefficients": {"x": {"estimate": "0.9**", "se": "0.20"}}}
    test = {"name": "joint", "value": "9.1", "reference": "F(7, 5)"}
    assert severities("few_clusters", [columns[0] | {"statistic": [test]}]) == ["warning"]
    test |= {"reference": "F(5, 5)"}
    assert severities("few_clusters", [columns[0] | {"statistic": [test]}]) == []


def regressions():
    """Two nested least-squares columns as exact numbers: y on x, and on x and m."""
    rng = np.random.default_rng(3)
    n = 100
    x, m = rng.normal(size=(2, n))
    m = m + 0.5 * x
    y = x + 0.4 * m + rng.normal(size=n)
    made = []
    for X in (np.column_stack([x]), np.column_stack([x, m])):
        Z = np.column_stack([X, np.ones(n)])
        coef, rss = np.linalg.lstsq(Z, y)[:2]
        bread = np.linalg.inv(Z.T @ Z)
        se = np.sqrt(np.diag(bread) * rss[0] / (n - Z.shape[1]))
        r2 = 1 - rss[0] / ((y - y.mean()) ** 2).sum()
        names = ["x", "m"][: X.shape[1]]
        cells = {
            name: {"estimate": f"{b:.3f}", "se": f"{s:.3f}"}
            for name, b, s in zip(names, coef, se, strict=False)
        }
        pooled = {"family": "pooled", "unit_effects": "none", "period_effects": "none"}
        made.append({"coefficients": cells, "n": "100", "r2": f"{r2:.3f}", **pooled})
    made[1]["same_sample_as"] = ["t1.1"]
    return made


CLASSICAL = {"se_kind": "iid", "r2_kind": "overall"}
NESTED = ("t_and_r_squared", "added_regressor", "nested_errors")


@pytest.mark.parametrize("rule", NESTED)
def test_least_squares_obeys_its_algebra(rule):
    assert severities(rule, regressions(), **CLASSICAL) == []


def test_errors_against_the_algebra_of_r_squared():
    raw = regressions()
    raw[0]["coefficients"]["x"]["se"] = "0.010"  # t of 100 needs an R2 of .99
    assert severities("t_and_r_squared", raw, **CLASSICAL) == ["contradiction"]
    assert severities("t_and_r_squared", raw, se_kind="iid") == ["warning"]  # may be adjusted
    raw = regressions()
    raw[1]["r2"] = f"{float(raw[1]['r2']) + 0.1:.3f}"
    assert severities("added_regressor", raw, **CLASSICAL) == ["contradiction"]
    raw = regressions()
    raw[1]["coefficients"]["x"]["se"] = "0.020"
    assert "contradiction" in severities("nested_errors", raw, **CLASSICAL)


def test_an_r_squared_that_falls_is_no_evidence_against_other_numbers():
    """R2 of .02 in the longer column allows a t of 1.4, printed is one of 8: but R2 is wrong."""
    raw = regressions()
    raw[1]["r2"] = "0.020"
    found = audit_study(study(raw, **CLASSICAL))
    assert [(f.rule, f.place) for f in found.findings] == [("r_squared", "t1.1, t1.2: r2")]
    raw = regressions()
    raw[0]["r2"] = "1.075"  # and no R2 falls below one that is impossible
    found = audit_study(study(raw, **CLASSICAL))
    assert [(f.rule, f.place) for f in found.findings] == [("r_squared", "t1.1:r2")]


@pytest.mark.parametrize(("mean", "rules"), [("4.00", []), ("4.60", ["constants", "percents"])])
def test_moments_that_no_data_have_accuse_nothing_else(mean, rules):
    """A mean of y of 4.00 is a constant of 3.00; one of 9 is outside of its range, and no more."""
    cells = {"x": {"estimate": "0.50", "se": "0.10"}, "constant": {"estimate": "3.00"}}
    columns = [{"coefficients": cells, "n": "100", "family": "pooled", "unit_effects": "none"}]
    x = {"column": "x", "mean": "2.00"}
    claims = [claim(value="12.5", cell="t1.1:x", percent_of="t0:y.mean")]

    def found(mean):
        y = {"column": "y", "mean": mean, "min": "0", "max": "8"}
        report = audit_study(study(columns, moments=[x, y], n="100", claims=claims))
        return sorted(finding.rule for finding in report.findings)

    assert found(mean) == rules
    assert set(found("9.00")) == {"descriptives"}


def test_nothing_is_said_of_clustered_errors():
    raw = study(regressions(), se_kind="clustered", r2_kind="overall")
    rules = [item for item in RULES if item.__name__ in NESTED]
    assert sum(audit_study(raw, rules).checked.values()) == 0


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("r2_adjusted", "0.394", []),  # 1 - .5995 x 99 / 98 = .3944 at the most
        ("r2_adjusted", "0.396", ["contradiction"]),
        ("r2_within", "0.400", []),
        ("r2_within", "0.402", ["warning"]),
    ],
)
def test_kinds_of_r_squared(name, value, expected):
    column = {"coefficients": {"x": "0.5"}, "n": "100", "r2": "0.400", "r2_kind": "overall"}
    column["statistic"] = [{"name": name, "value": value}]
    assert severities("kinds_of_r_squared", [column]) == expected


def split(whole, parts, period="none", residual=("1.00", "1.00", "1.00"), se=("0.05",) * 3):
    """All units and two groups of them."""
    made = []
    for k, (estimate, level) in enumerate(zip([whole, *parts], ["", "a", "b"], strict=True)):
        sample = {"groups": {"g": [level]}} if level else {}
        statistic = [{"name": "rmse", "value": residual[k]}]
        cell = {"estimate": estimate, "se": se[k]}
        column = {"coefficients": {"p": cell}, "n": "60" if level else "120", "sample": sample}
        made.append(column | {"period_effects": period, "statistic": statistic})
    return made


@pytest.mark.parametrize(
    ("whole", "period", "expected"),
    [
        ("0.30", "none", []),
        ("0.41", "none", []),  # .405 is within both roundings
        ("0.42", "none", ["contradiction"]),
        ("0.42", "fixed", []),  # period effects are common: less than a standard error outside
        ("0.49", "fixed", ["warning"]),
    ],
)
def test_a_pooled_coefficient_lies_between_its_groups(whole, period, expected):
    assert severities("subsamples", split(whole, ("0.20", "0.40"), period)) == expected


def test_rows_that_do_not_add_up_are_no_split():
    columns = split("0.90", ("0.20", "0.40"))
    columns[1]["n"] = "59"
    (rule,) = [item for item in RULES if item.__name__ == "subsamples"]
    assert audit_study(study(columns), [rule]).checked["subsamples"] == 0


@pytest.mark.parametrize(
    ("second", "labels", "expected"),
    [
        ("0.512", {"Weighted": "Yes"}, ["warning"]),
        ("0.513", {"Weighted": "Yes"}, []),
        ("0.512", {"Weighted": "Yes", "State trends": "Yes"}, None),
        ("0.512", {"Weighted": "No"}, None),
    ],
)
def test_weights_move_a_number(second, labels, expected):
    columns = [
        {"coefficients": {"x": {"estimate": value, "se": "0.101"}}, "n": "100", "labels": words}
        for value, words in (("0.512", {}), (second, labels))
    ]
    if expected is None:
        (rule,) = [item for item in RULES if item.__name__ == "weights"]
        assert audit_study(study(columns), [rule]).checked["weights"] == 0
        return
    assert severities("weights", columns) == expected


def test_more_rows_have_no_larger_standard_error():
    """By the residual sds: .05 x 2 / 1 = .1 at the most."""
    made = split(
        "0.30", ("0.20", "0.40"), "fixed", ("2.00", "1.00", "1.00"), ("0.10", *["0.05"] * 2)
    )
    assert severities("nested_samples", made, se_kind="iid") == []
    made[0]["coefficients"]["p"]["se"] = "0.13"
    assert severities("nested_samples", made, se_kind="iid") == ["contradiction"] * 2


@pytest.mark.parametrize(
    ("row", "n", "expected"),
    [
        ({"mean": "0.31", "step": "1"}, "13", []),  # 4 of 13
        ({"mean": "0.33", "step": "1"}, "13", ["contradiction"]),  # GRIM
        ({"mean": "0.33"}, "13", None),
        ({"mean": "3.50", "sd": "0.53", "step": "1"}, "10", []),  # five 3s and five 4s
        ({"mean": "3.50", "sd": "0.45", "step": "1"}, "10", ["contradiction"]),
        ({"mean": "3.50", "sd": "0.60", "step": "1"}, "10", ["contradiction"]),  # GRIMMER
        (
            {"mean": "3.50", "sd": "0.62", "step": "1"},
            "10",
            ["contradiction"],
        ),  # 126, not odd as 35
        ({"mean": "1.397", "sd": "0.300", "step": "1"}, "3,488", ["contradiction"]),
        ({"mean": "1.397", "sd": "1.455", "step": "0.01"}, "3,488", []),
    ],
)
def test_means_and_sds_of_whole_numbers(row, n, expected):
    moments = [{"column": "y", **row}]
    if expected is None:
        (rule,) = [item for item in RULES if item.__name__ == "whole_numbers"]
        assert audit_study(study([], moments=moments, n=n), [rule]).checked["whole_numbers"] == 0
        return
    assert severities("whole_numbers", [], moments=moments, n=n) == expected


def test_every_set_of_whole_numbers_passes():
    """Any counts, however printed: rounding up to three digits, both divisors of the sd."""
    rng = np.random.default_rng(5)
    for size in (7, 40, 300):
        for lam in (0.3, 4.0):
            x = rng.poisson(lam, size)
            moments = [
                {
                    "column": f"y{places}{ddof}",
                    "mean": f"{x.mean():.{places}f}",
                    "sd": f"{x.std(ddof=ddof):.{places}f}",
                    "step": "1",
                }
                for places in (1, 2, 3)
                for ddof in (0, 1)
            ]
            assert severities("whole_numbers", [], moments=moments, n=str(size)) == []


@pytest.mark.parametrize(
    ("mean", "sd", "expected"),
    [
        ("1.40", "3.00", []),
        ("1.40", "2.00", ["contradiction"]),  # one row of 140 in 3,488 makes 2.35 alone
        ("0.01", "1.00", ["contradiction"] * 2),  # and a mean of at least 140 / 3,488
    ],
)
def test_extremes_bind_mean_and_sd(mean, sd, expected):
    row = {"column": "y", "mean": mean, "sd": sd, "min": "0.00", "max": "140.00"}
    assert severities("descriptives", [], moments=[row], n="3,488") == expected


def claim(**kwargs):
    return {"id": "c", "text": "t", "place": "p", **kwargs}


@pytest.mark.parametrize(
    ("value", "of", "expected"),
    [
        ("12.5", "t0:y.mean", []),
        ("21.5", "t0:y.mean", ["contradiction"]),
        ("50", "log", []),
        ("39", "log", []),  # 100 (exp(-.5) - 1)
        ("61", "log", ["contradiction"]),
        ("150", "ratio", []),
        ("15", "ratio", ["contradiction"]),
    ],
)
def test_percent_effects(value, of, expected):
    """-0.50 of a mean of 4.0 is 12.5 %."""
    claims = [claim(value=value, cell="t1.1:x", percent_of=of)]
    columns = one(estimate="-0.50", se="0.10")
    moments = [{"column": "y", "mean": "4.00"}]
    assert severities("percents", columns, moments=moments, claims=claims) == expected


def test_a_percent_of_a_cell_that_is_not_there_is_refused():
    claims = [claim(value="12", cell="t1.1:x", percent_of="t0:z.mean")]
    with pytest.raises(InputError, match="no such published cell"):
        study(one(estimate="-0.50", se="0.10"), claims=claims)


@pytest.mark.parametrize(
    ("stated", "more", "expected"),
    [
        ({"difference": "0.20"}, {}, []),
        ({"difference": "20"}, {"scale": 100}, []),
        ({"difference": "0.35"}, {}, ["contradiction"]),
        ({"ratio": "1.7"}, {}, []),
        ({"ratio": "3"}, {}, ["contradiction"]),
        ({}, {"significance": "5%"}, ["contradiction"]),  # z at most 1.1
        ({}, {"significance": "none"}, None),
    ],
)
def test_differences_of_cells(stated, more, expected):
    """-0.50 (0.30) and -0.30 (0.10): |difference| .20, z at most .21 / .19 = 1.1."""
    columns = [
        {"coefficients": {"x": {"estimate": "-0.50", "se": "0.30"}}},
        {"coefficients": {"x": {"estimate": "-0.30", "se": "0.10"}}},
    ]
    comparison = {"stronger": "t1.1:x", "weaker": "t1.2:x", **stated}
    claims = [claim(comparison=comparison, **more)]
    if expected is None:
        (rule,) = [item for item in RULES if item.__name__ == "differences"]
        assert audit_study(study(columns, claims=claims), [rule]).checked["differences"] == 0
        return
    assert severities("differences", columns, claims=claims) == expected


def test_a_difference_may_be_significant_if_estimates_correlate():
    """-0.50 (0.30) and -0.30 (0.25): z is .20 / .55 if they are apart, up to .20 / .05 if not."""
    columns = [
        {"coefficients": {"x": {"estimate": "-0.50", "se": "0.30"}}},
        {"coefficients": {"x": {"estimate": "-0.30", "se": "0.25"}}},
    ]
    said = claim(comparison={"stronger": "t1.1:x", "weaker": "t1.2:x"}, significance="5%")
    assert severities("differences", columns, claims=[said]) == []


def first_stage(**statistic):
    cells = {"z": {"estimate": "0.50", "se": "0.10"}}
    column = {"family": "iv_first", "instrument": "z", "n": "200", "coefficients": cells}
    return [column | {"treatments": [], "covariates": [], "statistic": [statistic]}]


@pytest.mark.parametrize(("value", "expected"), [("25.3", []), ("47.1", ["warning"])])
def test_kleibergen_and_paaps_f_is_the_square_of_t(value, expected):
    """(0.50 / 0.10)^2 is 22 to 28.3."""
    statistic = {"name": "kp_f", "value": value, "label": "Kleibergen-Paap rk Wald F"}
    assert severities("first_stage", first_stage(**statistic)) == expected
    (first,) = first_stage(name="n_z", value="1")
    second = {
        "family": "iv_second",
        "instrument": "z",
        "n": "200",
        "same_sample_as": ["t1.1"],
        "coefficients": {"x": {"estimate": "1.0", "se": "0.4"}},
        "statistic": [statistic],
    }
    assert severities("first_stage", [first, second]) == expected


@pytest.mark.parametrize(
    ("value", "clusters", "expected"),
    [
        ("150.1", None, []),
        ("201.0", None, ["contradiction"]),
        ("31.0", 30, []),  # corrections for degrees of freedom
        ("34.0", 30, ["contradiction"]),
    ],
)
def test_an_lm_statistic_is_at_most_rows_or_clusters(value, clusters, expected):
    columns = first_stage(name="kp_lm", value=value, label="Kleibergen-Paap rk LM")
    columns[0] |= {"clusters": clusters} if clusters else {}
    assert severities("rank_tests", columns) == expected


def test_an_lm_statistic_is_no_f():
    columns = first_stage(name="kp_lm", value="150.1", label="Kleibergen-Paap rk LM")
    (rule,) = [item for item in RULES if item.__name__ == "first_stage"]
    assert audit_study(study(columns), [rule]).checked["first_stage"] == 0


def test_effects_of_a_spatial_model_have_a_plausible_size():
    """974 fewer deaths where the mean is 140 and the sd 146."""
    effects = {
        part: {"estimate": value, "se": "2.0"}
        for part, value in (("direct", "-0.6"), ("indirect", "-9.742"), ("total", "-10.337"))
    }
    column = {
        "family": "sdm",
        "treatments": ["any"],
        "coefficients": {"any": {"estimate": "-6.0", "se": "0.1"}},
        "impacts": {"any": effects},
    }
    moments = [{"column": "y", "mean": "1.397", "sd": "1.455"}]
    (rule,) = [item for item in RULES if item.__name__ == "magnitudes"]
    report = audit_study(study([column], moments=moments), [rule])
    assert {f.place for f in report.findings} == {"t1.1:any.indirect", "t1.1:any.total"}
    assert {f.severity for f in report.findings} == {"warning"}


def test_swapped_digits_are_named():
    (rule,) = [item for item in RULES if item.__name__ == "values"]
    for said, swapped in (("36.7", True), ("35.1", False)):
        claims = [claim(value=said, scale=100, cell="t1.1:x")]
        (found,) = audit_study(
            study(one(estimate="-0.376", se="0.1"), claims=claims), [rule]
        ).findings
        assert ("swapped" in found.text) == swapped
