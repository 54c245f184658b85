"""Layouts of articles on policies, panels, outcomes as rows, console output; numbers are made."""

import pytest

from bayesdid.audit.run import audit_study
from bayesdid.importing.folder import import_study
from bayesdid.study.load import read_study


def drafted(folder, text, name="a.tex"):
    """Columns of a draft by id, the draft's only table, and what the audit finds."""
    (folder / name).write_text(text, encoding="utf-8")
    made = import_study(folder / name, folder / "s")
    study = read_study(folder / "s")
    (table,) = study.tables.values()
    columns = {spec.column.id: spec.column for spec in study.specs.values()}
    return columns, table, audit_study(study).findings, made


def tabular(*rows, columns=3):
    ends = (row if row.startswith(("\\hline", "\\cmidrule")) else f"{row} \\\\" for row in rows)
    body = "\n".join(ends)
    return f"\\begin{{tabular}}{{l{'c' * columns}}}\n{body}\n\\end{{tabular}}\n"


def estimates(column):
    return {name: (cell.estimate, cell.se) for name, cell in column.coefficients.items()}


def statistics(column):
    return {one.label: one.value for one in column.statistic}


def test_headings_of_panels_over_all_columns_are_panels(tmp_path):
    """Before, they were notes, and every panel below the first was lost in its columns."""
    text = tabular(
        r" & (1) & (2)",
        r"\hline",
        r"\multicolumn{3}{l}{\textit{Panel A: Hours of work}}",
        r"Law & 0.21 & 0.32",
        r" & (0.10) & (0.11)",
        r"\multicolumn{3}{l}{\textit{Panel B: Earnings}}",
        r"Law & 1.21 & 1.32",
        r" & (0.40) & (0.41)",
        r"Observations & 1,200 & 1,190",
        columns=2,
    )
    columns, _, findings, _ = drafted(tmp_path, text)
    assert {k: estimates(c) for k, c in columns.items()} == {
        "a1": {"Law": ("0.21", "0.10")},
        "a2": {"Law": ("0.32", "0.11")},
        "b1": {"Law": ("1.21", "0.40")},
        "b2": {"Law": ("1.32", "0.41")},
    }
    assert [c.outcome for c in columns.values()] == ["Hours_of_work"] * 2 + ["Earnings"] * 2
    assert [c.n for c in columns.values()] == ["1,200", "1,190"] * 2
    assert not findings


def test_parts_above_panels_that_begin_with_a_again(tmp_path):
    panels = [
        row
        for part in ("Part 1: Wages", "Part 2: Jobs")
        for row in (
            rf"\multicolumn{{3}}{{c}}{{{part}}}",
            r"& \multicolumn{2}{c}{Panel A: All firms}",
            rf"Law & 0.2{part[5]} & 0.3{part[5]}",
            r" & (0.10) & (0.11)",
            r"& \multicolumn{2}{c}{Panel B: By size}",
            rf"Large & 0.5{part[5]} & 0.6{part[5]}",
            r" & (0.20) & (0.21)",
        )
    ]
    columns, _, _, _ = drafted(tmp_path, tabular(r" & (1) & (2)", *panels, columns=2))
    first = {k: next(iter(estimates(c).values()))[0] for k, c in columns.items()}
    assert first == {
        "a1": "0.21",
        "a2": "0.31",
        "b1": "0.51",
        "b2": "0.61",
        "c1": "0.22",
        "c2": "0.32",
        "d1": "0.52",
        "d2": "0.62",
    }
    assert columns["c1"].label.endswith("Part 2: Jobs: Panel A: All firms")


def test_panels_that_stand_in_a_column_beside_the_labels(tmp_path):
    rows = "".join(
        f"<tr><td rowspan=3>{who}</td><td>Law</td><td>{b}*</td><td>0.31</td></tr>"
        "<tr><td></td><td>(0.11)</td><td>(0.21)</td></tr>"
        f"<tr><td>Observations</td><td>{n}</td><td>{n}</td></tr>"
        for who, b, n in (("A. Women", "0.21", "900"), ("B. Men", "0.22", "800"))
    )
    text = f"<table><tr><td>Panel</td><td></td><td>Jobs</td><td>Pay</td></tr>{rows}</table>"
    columns, _, _, _ = drafted(tmp_path, text, "a.html")
    assert [(k, c.n, c.outcome) for k, c in columns.items()] == [
        ("a1", "900", "Jobs"),
        ("a2", "900", "Pay"),
        ("b1", "800", "Jobs"),
        ("b2", "800", "Pay"),
    ]
    assert estimates(columns["b1"]) == {"Law": ("0.22*", "0.11")}


def test_outcomes_as_rows_beside_n_and_means_of_controls(tmp_path):
    """Before, means and n were estimates of regressions on the outcomes' names."""
    text = tabular(
        r" & Control &  & {Cash} & {Training} & ",
        r"Outcome & mean & N & Coeff & Coeff & Equality pval",
        r"\hline",
        r"Wage & 25.40 & 1,041 & 1.660 & 5.620*** & 0.012",
        r" & & & (1.627) & (1.880) & ",
        r"Tenure & 12.27 & 1,361 & 0.551 & 1.128* & 0.378",
        r" & & & (0.664) & (0.678) & ",
        columns=5,
    )
    columns, _, findings, _ = drafted(tmp_path, text)
    assert [(c.outcome, c.n) for c in columns.values()] == [("Wage", "1,041"), ("Tenure", "1,361")]
    assert estimates(columns["1"]) == {
        "Cash": ("1.660", "1.627"),
        "Training": ("5.620***", "1.880"),
    }
    assert statistics(columns["2"]) == {"Control mean": "12.27", "Equality pval": "0.378"}
    assert not findings


def test_differences_beside_the_means_before_and_after(tmp_path):
    head = (
        "<tr><th rowspan=2>Outcome</th><th colspan=2>Treated, %</th><th colspan=2>Others, %</th>"
        "<th rowspan=2>Adjusted difference-in-differences (95% CI)</th>"
        "<th rowspan=2>P value</th></tr>"
        "<tr><th>Before</th><th>After</th><th>Before</th><th>After</th></tr>"
    )
    rows = (
        ("Uninsured", "24.1 13.2 27.6 22.9", "-6.1 (-8.4 to -3.8)", "&lt;.001"),
        ("Checkup", "61.3 65.0 59.8 61.7", "1.8 (-0.7 to 4.3)", ".16"),
    )
    body = "".join(
        f"<tr><td>{o}</td>{''.join(f'<td>{m}</td>' for m in means.split())}<td>{d}</td>"
        f"<td>{p}</td></tr>"
        for o, means, d, p in rows
    )
    columns, _, findings, _ = drafted(tmp_path, f"<table>{head}{body}</table>", "a.html")
    cells = [next(iter(c.coefficients.values())) for c in columns.values()]
    assert [(c.estimate, c.interval, c.p) for c in cells] == [
        ("-6.1", "(-8.4 to -3.8)", "<.001"),
        ("1.8", "(-0.7 to 4.3)", ".16"),
    ]
    assert list(statistics(columns["1"]).values()) == ["24.1", "13.2", "27.6", "22.9"]
    assert [c.outcome for c in columns.values()] == ["Uninsured", "Checkup"]
    assert not findings


@pytest.mark.parametrize(
    ("second", "kept"), [(("[0.036]", "[0.317]"), True), (("[0.090]", "[0.510]"), False)]
)
def test_a_second_line_of_brackets_is_p_only_where_the_errors_say_so(tmp_path, second, kept):
    """-0.21 / 0.10 and 0.10 / 0.10: p of 0.036 and 0.317; others are of another test."""
    text = tabular(
        r" & (1) & (2)",
        r"Law & -0.21 & 0.10",
        r" & (0.10) & (0.10)",
        rf" & {second[0]} & {second[1]}",
        r"p(Law = 0) & 0.660 & 0.080",
        r"Observations & 500 & 500",
        columns=2,
    )
    columns, _, findings, made = drafted(tmp_path, text)
    cell = columns["1"].coefficients["Law"]
    apart = statistics(columns["1"])
    assert (cell.estimate, cell.se) == ("-0.21", "0.10")
    assert (cell.p == "0.036") is kept
    assert ("Law: second brackets" in apart) is not kept
    assert apart["p(Law = 0)"] == "0.660"
    assert bool(made.doubts) is not kept
    assert not findings


def test_rows_for_a_document_to_input(tmp_path):
    text = (
        "  &\\multicolumn{1}{c}{(1)}&\\multicolumn{1}{c}{(2)}\\\\\n\\midrule\n"
        "Law & 0.042*** & 0.037***\\\\\n & (0.005) & (0.004) \\\\\n"
        "Observations & 987 & 986 \\\\\nState FE & N & Y \\\\\n"
    )
    columns, _, _, _ = drafted(tmp_path, text)
    assert [(estimates(c), c.n) for c in columns.values()] == [
        ({"Law": ("0.042***", "0.005")}, "987"),
        ({"Law": ("0.037***", "0.004")}, "986"),
    ]


def test_colours_strokes_and_optional_looking_brackets_of_latex(tmp_path):
    text = tabular(
        r" & Hours & & \cellcolor{gray!6}{Pay} & ",
        r"\cmidrule(lr){2-3} \cmidrule(lr){4-5}",
        r" & OLS & IV & OLS & IV",
        r"\cellcolor[gray]{0.9}{Law} & 0.11 & 0.12 & \textcolor{red}{0.13} & 0.14",
        r" & "
        + " & ".join(rf"\begin{{footnotesize}}[0.0{k}]\end{{footnotesize}}" for k in range(1, 5)),
        r"Countries & 29 & 29 & 29 & 14",
        r"Observations & 839 & 839 & 839 & 108",
        columns=4,
    )
    columns, _, _, _ = drafted(tmp_path, text)
    assert [estimates(c)["Law"] for c in columns.values()] == [
        ("0.11", "0.01"),
        ("0.12", "0.02"),
        ("0.13", "0.03"),
        ("0.14", "0.04"),
    ]
    assert [c.outcome for c in columns.values()] == ["Hours", "Hours", "Pay", "Pay"]
    assert "Countries" not in columns["1"].coefficients  # nothing below a count
    assert statistics(columns["4"])["Countries"] == "14"


def test_effects_of_two_things_are_none_of_periods(tmp_path):
    """Before, columns with effects of years and of industry by year were one regression."""
    text = tabular(
        r" & (1) & (2)",
        r"Law & -0.150 & -0.180",
        r" & (0.080) & (0.120)",
        r"Firm FE & Yes & Yes",
        r"Year FE & Yes & ",
        r"Industry*Year FE & & Yes",
        r"N & 11133 & 11133",
        columns=2,
    )
    columns, _, findings, _ = drafted(tmp_path, text)
    assert (columns["1"].family, columns["2"].family) == ("twfe", "other")
    assert not findings


def test_numbers_of_units_are_clusters_where_the_notes_say_so(tmp_path):
    """Two rows of groups were two numbers of clusters, which no study file may say."""
    rows = (
        r" & (1)",
        r"Law & 0.19",
        r" & (0.07)",
        r"Num. groups: state & 48",
        r"Num. groups: year & 2",
        r"Num. obs. & 5626",
    )
    columns, _, findings, _ = drafted(tmp_path, tabular(*rows, columns=1))
    assert columns["1"].clusters is None
    assert not findings
    (tmp_path / "b").mkdir()
    note = "Standard errors clustered by state in parentheses."
    columns, _, _, _ = drafted(tmp_path / "b", tabular(*rows, columns=1) + note)
    assert columns["1"].clusters == 48


def test_a_plus_is_a_mark_of_less_than_one_star(tmp_path):
    """-1.83 / 0.976 has p = 0.06; read as p-values, 0.835 and 0.976 would contradict the mark."""
    text = tabular(r" & (1) & (2)", r"Law & -0.335 & -1.830+", r" & (0.835) & (0.976)", columns=2)
    _, table, findings, _ = drafted(tmp_path, text)
    assert table.in_parentheses == "se"
    assert table.stars == {"+": 0.1, "*": 0.05, "**": 0.01, "***": 0.001}
    assert not findings


STATA = """. reghdfe lnwage did, absorb(id year) vce(cluster state)
HDFE Linear regression                            Number of obs   =     28,041
                                                  R-squared       =     0.7412
                                                  Within R-sq.    =     0.0214
Number of clusters (state)   =         48         Root MSE        =     0.3127

                                 (Std. err. adjusted for 48 clusters in state)
------------------------------------------------------------------------------
             |               Robust
      lnwage | Coefficient  std. err.      t    P>|t|     [95% conf. interval]
-------------+----------------------------------------------------------------
         did |   .0412753   .0151324     2.73   0.009     .0108329    .0717177
             |
        size |
      large  |   .0218441   .0034127     6.40   0.000     .0149787    .0287095
             |
       _cons |   .8127446   .1533218     5.30   0.000     .5043021    1.121187
------------------------------------------------------------------------------
"""


def test_what_stata_prints_of_a_regression(tmp_path):
    columns, table, findings, _ = drafted(tmp_path, STATA, "a.txt")
    column = columns["1"]
    assert (column.outcome, column.n, column.r2, column.clusters) == (
        "lnwage",
        "28,041",
        "0.7412",
        48,
    )
    cell = column.coefficients["did"]
    assert (cell.estimate, cell.se, cell.t, cell.p) == (".0412753", ".0151324", "2.73", "0.009")
    assert cell.interval == "[.0108329, .0717177]"
    assert list(column.coefficients) == ["did", "size_large", "constant"]
    assert statistics(column)["Within R2"] == "0.0214"
    assert table.se_kind == "clustered"
    assert not findings


def test_what_statsmodels_prints_of_two_coefficients(tmp_path):
    """Before, a summary with fewer than three coefficients was refused."""
    text = (
        "Dep. Variable:   wage   R-squared:   0.678\nNo. Observations:   301   AIC:   6596.\n"
        "Covariance Type:   HC1\n" + "=" * 70 + "\n"
        "            coef    std err          t      P>|t|      [0.025      0.975]\n"
        + "-"
        * 70
        + "\n"
        "const    1.3689      0.735      1.862      0.064      -0.077       2.815\n"
        "law      7.1514      0.285     25.093      0.000       6.590       7.713\n"
        + "=" * 70
        + "\n"
    )
    columns, table, findings, _ = drafted(tmp_path, text, "a.txt")
    assert (columns["1"].outcome, columns["1"].n, columns["1"].r2) == ("wage", "301", "0.678")
    assert columns["1"].coefficients["law"].se == "0.285"
    assert table.se_kind == "robust"
    assert not findings


def test_headings_that_one_space_sets_apart_and_long_notes(tmp_path):
    text = (
        "Table 4\nHeterogeneity analysis.\n\nVariables\nEastern Central Western\n"
        "(1) (2) (3)\n"
        "Law 0.126*** 0.084** 0.031\n(0.032) (0.039) (0.047)\n"
        "Observations 9,842 4,316 2,905\n\n"
        "Note: Robust standard errors clustered at the firm level are in parentheses. "
        "***, **, and * indicate significance at the 1%, 5%, and 10% levels, respectively, "
        "in all columns.\n"
    )
    columns, table, _, _ = drafted(tmp_path, text, "a.txt")
    assert [c.label for c in columns.values()] == ["Eastern", "Central", "Western"]
    assert [c.outcome for c in columns.values()] == ["outcome"] * 3  # samples are none
    assert table.stars == {"***": 0.01, "**": 0.05, "*": 0.1}
    assert table.se_kind == "clustered"


def test_groups_of_columns_in_markdown_and_pasted_text(tmp_path):
    """The heading of a group stands above its first column, or above its middle."""
    text = (
        "| | Hours | | Pay | |\n|---|---|---|---|---|\n| | OLS | IV | OLS | IV |\n"
        "| *Panel A: All* | | | | |\n| Law | 0.11 | 0.12 | 0.13 | 0.14 |\n"
        "| | (0.05) | (0.06) | (0.07) | (0.08) |\n| *Panel B: Men* | | | | |\n"
        "| Law | 0.21 | 0.22 | 0.23 | 0.24 |\n| | (0.05) | (0.06) | (0.07) | (0.08) |\n"
    )
    columns, _, _, _ = drafted(tmp_path, text, "a.md")
    assert [c.outcome for c in columns.values()] == ["Hours", "Hours", "Pay", "Pay"] * 2
    (tmp_path / "b").mkdir()
    text = (
        "Table 3. Laws\n\n                Hours               Pay\n"
        "            (1)       (2)       (3)       (4)\n"
        "Law        0.11      0.12      0.13      0.14\n"
        "          (0.05)    (0.06)    (0.07)    (0.08)\n"
        "N           500       500       500       500\n"
    )
    columns, _, _, _ = drafted(tmp_path / "b", text, "a.txt")
    assert [c.outcome for c in columns.values()] == ["Hours", "Hours", "Pay", "Pay"]


def test_a_row_with_nothing_below_is_marked_where_others_have_errors(tmp_path):
    """An elasticity among coefficients; the notes stand in a division, not in a paragraph."""
    rows = ("|(1)|(2)", "Law|0.20*|0.30", "|(0.10)|(0.20)", "Elasticity|-0.48|0.12")
    cells = ("".join(f"<td>{c}</td>" for c in row.split("|")) for row in rows)
    page = f"<table>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>"
    notes = "<div>Notes: Robust standard errors in parentheses. Significance levels: * 10%.</div>"
    _, table, _, made = drafted(tmp_path, page + notes, "a.html")
    doubted = {cell.row: cell.why for cell in made.cells if cell.confidence < 0.95}
    assert doubted == {"Elasticity": "nothing stands below it"}
    assert (table.se_kind, table.stars) == ("robust", {"*": 0.1})
