"""Layouts of journals' tables, most of them HTML inside of Markdown; all numbers are made."""

import pytest

from bayesdid.audit.run import audit_study
from bayesdid.importing.folder import import_study
from bayesdid.importing.notes import guessed_below, supposed
from bayesdid.importing.numbers import is_interval, tidy
from bayesdid.importing.read import read_document
from bayesdid.importing.understand import understand
from bayesdid.study.fields import ends
from bayesdid.study.load import read_study


def table(*rows):
    """A table of HTML; cells between bars."""
    cells = ("".join(f"<td>{cell.strip()}</td>" for cell in row.split("|")) for row in rows)
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>"


def drafted(folder, text, name="a.md"):
    """The columns of a draft, and what the audit finds in it."""
    (folder / name).write_text(text, encoding="utf-8")
    import_study(folder / name, folder / "s")
    study = read_study(folder / "s")
    report = audit_study(study)
    return study, [spec.column for spec in study.specs.values()], report


def cells(column):
    return {
        name: (cell.estimate, cell.se or cell.t or cell.interval, cell.p)
        for name, cell in column.coefficients.items()
    }


def test_tables_of_html_in_markdown_have_titles_notes_and_formulas(tmp_path):
    """Before, a Markdown file whose tables are HTML had no table at all."""
    rows = table(
        "Variables | (1) Sales | (2) $\\log(Sales)$",
        "$Law \\times \\theta$ | 0.51***(0.10) | 0.06 (0.05)",
        "Law | -0.22**[0.10] | ",
        "Observations | 1,200 | 1,180",
    )
    text = (
        "Table 4 shows that sales rise.\n\n# Results\n\nTable 4. What laws do\n\n"
        f"{rows}\n\nNotes: Robust standard errors in parentheses.\n\n"
        "$$\n^ { * * * } p < 0 . 0 0 1 .\n$$\n\n"
        "\\*\\* $\\begin{array} { r } { p < 0 . 0 1 . } \\end{array}$\n\nLater text.\n"
    )
    study, (first, second), report = drafted(tmp_path, text)
    made = study.tables["table4"]
    assert made.title == "Table 4. What laws do"
    assert made.stars == {"***": 0.001, "**": 0.01}
    assert (first.outcome, first.n, second.n) == ("Sales", "1,200", "1,180")
    assert cells(first) == {
        "Law * theta": ("0.51***", "0.10", None),
        "Law": ("-0.22**", "0.10", None),
    }
    assert [finding.place for finding in report.findings] == ["table4.1:Law"]  # |t| of 2.2


def test_a_title_in_the_first_row_and_the_outcome_of_all_columns(tmp_path):
    rows = table(
        "Table 6. Wages | Table 6. Wages | Table 6. Wages",
        "Variables | (1) | (2)",
        "DV: Log(Wage) | OLS | IV",
        "Sample | All | All",
        "Law | 0.20***(0.05) | 0.31**(0.13)",
    )
    study, columns, _ = drafted(tmp_path, rows)
    assert study.tables["table6"].title == "Table 6. Wages"
    assert [column.outcome for column in columns] == ["Log_Wage", "Log_Wage"]
    assert [column.labels["Header"] for column in columns] == ["OLS", "IV"]


RATIOS = table(
    "Variables | Crude OR (95% CI) | P | Adjusted OR (95% CI) | P",
    "Age | 1.02 (0.98–1.06) | 0.327 | - | ",
    "Law | 0.55 (0.41–0.74)*** | &lt;0.001 | 0.61 (0.45–0.83)** | 0.002",
    "City | 1.90 (1.21 – 2.98)** | 0.005 | 2.10 (1.30–3.39)** | 0.002",
)


def test_odds_ratios_with_intervals_in_their_cells_and_p_beside_them(tmp_path):
    """Tested against one; a dash is no 'No', a mark behind the interval is the estimate's."""
    study, (crude, adjusted), report = drafted(tmp_path, f"Table 2 Odds of it\n\n{RATIOS}")
    assert cells(crude) == {
        "Age": ("1.02", "(0.98–1.06)", "0.327"),
        "Law": ("0.55***", "(0.41–0.74)", "<0.001"),
        "City": ("1.90**", "(1.21 – 2.98)", "0.005"),
    }
    assert list(cells(adjusted)) == ["Law", "City"]
    assert {crude.printed_as, adjusted.printed_as} == {"ratio"}
    assert (crude.label, adjusted.label) == ("Crude OR (95% CI)", "Adjusted OR (95% CI)")
    assert study.tables["table2"].stars == {"*": 0.05, "**": 0.01, "***": 0.001}  # fits best
    assert report.checked["measures"] >= 5
    assert report.findings == ()


def test_coefficients_and_ratios_of_them_beside_each_other(tmp_path):
    """The interval is the ratio's; a p-value that is a bound does not take the rest with it."""
    rows = table(
        "Model / Metric | Coef. | OR | 95% CI | p-value",
        "CC | -0.41 | 0.66 | [0.57, 0.76] | &lt; 0.001",
        "ND | -0.34 | 0.71 | [0.60, 0.84] | &lt; 0.001",
        "HV | -0.05 | 0.95 | [0.90, 1.00] | 0.062",
    )
    _, (coefficient, ratio), report = drafted(tmp_path, rows)
    assert cells(coefficient)["CC"] == ("-0.41", None, None)
    assert cells(ratio)["CC"] == ("0.66", "[0.57, 0.76]", "< 0.001")
    assert (coefficient.printed_as, ratio.printed_as) == ("coefficient", "ratio")
    assert report.findings == ()


@pytest.mark.parametrize(
    ("rows", "ratio"),
    [
        # sqrt(0.41 * 0.74) = 0.55, their mean is 0.575
        (["0.55 (0.41–0.74)", "1.90 (1.21–2.98)", "2.10 (1.30–3.39)"], True),
        (["0.57 (0.41–0.74)", "2.10 (1.21–2.98)", "2.35 (1.30–3.39)"], False),
    ],
)
def test_intervals_tell_ratios_where_no_word_does(tmp_path, rows, ratio):
    text = table("Variables | Sales", *(f"x{k} | {row}" for k, row in enumerate(rows)))
    _, (column,), report = drafted(tmp_path, text)
    assert (column.printed_as == "ratio") == ratio
    assert report.findings == ()


def test_brackets_in_a_column_of_their_own(tmp_path):
    """As esttab prints its option wide: one heading spans an estimate and its t."""
    text = r"""\begin{tabular}{l*{2}{cc}}
 &\multicolumn{2}{c}{(1)} &\multicolumn{2}{c}{(2)} \\
 &\multicolumn{2}{c}{price} &\multicolumn{2}{c}{weight} \\ \hline
mpg & -29.2\sym{***}& (-5.20)& -9.6\sym{*}& (-2.10)\\
\_cons & 90.4\sym{***}& (9.80)& 80.2\sym{***}& (4.79)\\
dummies & No & & Yes & \\ \hline
\(N\) & 74 & & 69 & \\
\multicolumn{5}{l}{\textit{t} statistics in parentheses}\\
\multicolumn{5}{l}{\sym{*} \(p<0.05\), \sym{**} \(p<0.01\), \sym{***} \(p<0.001\)}\\
\end{tabular}"""
    _, columns, report = drafted(tmp_path, text, "a.tex")
    assert [column.coefficients["mpg"].t for column in columns] == ["-5.20", "-2.10"]
    assert [(c.outcome, c.n, c.labels["dummies"]) for c in columns] == [
        ("price", "74", "No"),
        ("weight", "69", "Yes"),
    ]
    assert report.findings == ()


def test_marks_that_say_nothing_and_letters(tmp_path):
    assert [tidy(text) for text in ("0.03N.S.", "0.030 n.s.", "0.03*.", "3.26(a)", "0·39")] == [
        "0.03",
        "0.030",
        "0.03*",
        "3.26a",
        "0.39",
    ]
    rows = "| x | OR | 95% CI | p (FDR) | sig |\n|---|---|---|---|---|\n"
    rows += (
        "| a | **3.36** | [2.18, 5.18] | 1e-06 | *** |\n| b | 0.95 | [0.59, 1.53] | 0.83 | ns |\n"
    )
    _, (column,), _ = drafted(tmp_path, rows)
    assert cells(column)["a"][0] == "3.36"
    assert cells(column)["b"] == ("0.95", "[0.59, 1.53]", "0.83")


def test_intervals_with_a_dash_and_years():
    assert [str(end.value) for end in ends("(-0.10–0.73)")] == ["-0.10", "0.73"]
    assert [str(end.value) for end in ends("0.2-1.5")] == ["0.2", "1.5"]
    assert [str(end.value) for end in ends("5.1e-05, 6.0e-05")] == ["0.000051", "0.000060"]
    assert is_interval("(0.41 – 0.74)")
    assert not is_interval("(1990–2000)")


def test_two_stars_may_be_the_most_that_a_legend_gives():
    """t of 93 with two stars: p-values of .024 under 10, 5 and 1 % would fit worse."""
    pairs = [("-2.23**", "0.024"), ("-0.15**", "0.003"), ("0.04*", "0.019"), ("0.05", "0.165")]
    assert guessed_below(pairs, None) == "se"
    assert supposed(pairs, "se") == {"*": 0.05, "**": 0.01}
    assert supposed([("0.20*", "0.11"), ("0.30**", "0.13")], "se")["*"] == 0.10


def test_a_level_that_is_stated_tells_the_others(tmp_path):
    rows = table("| (1) | (2)", "Law | 0.51***(0.10) | 0.22*(0.10)")
    study, _, report = drafted(tmp_path, f"{rows}\n\nNote: \\*\\*\\* p < 0.001.")
    assert study.tables["table1"].stars == {"***": 0.001, "*": 0.05}
    assert report.findings == ()


def test_negative_numbers_in_brackets_and_means_with_their_sd(tmp_path):
    """As accounts print them, where errors have a column; a mean (sd) is no regression."""
    means = table("Group | n | Effort (sd)", "One | 42 | 1.70 (1.09)", "Two | 38 | 3.36 (0.72)")
    rows = table(
        "| Estimate | SE | T-Value | P-Value",
        "(Intercept) | (1.370) | 0.855 | (1.602) | 0.113",
        "Law | 0.743 | 0.143 | 5.196 | 0.000",
    )
    study, (column,), report = drafted(
        tmp_path, f"Table 2. Means\n\n{means}\n\nTable 3. Fit\n\n{rows}"
    )
    assert list(study.tables) == ["table3"]
    cell = column.coefficients["constant"]
    assert (cell.estimate, cell.se, cell.t, cell.p) == ("-1.370", "0.855", "-1.602", "0.113")
    assert report.findings == ()


def test_columns_of_mediation_macros_below_two_labels(tmp_path):
    rows = table(
        "Outcome | Model | coeff | se | t | p | LLCI | ULCI | SS",
        "Y | X | 0.144 | 0.066 | 2.18 | 0.030 | 0.014 | 0.274 | 9.1",
        "M | X | 0.282 | 0.064 | 4.41 | 0.000 | 0.156 | 0.408 | 8.2",
        "  | M | 0.479 | 0.061 | 7.85 | 0.000 | 0.359 | 0.599 | 7.3",
    )
    _, (column,), report = drafted(tmp_path, rows, "a.html")
    assert list(column.coefficients) == ["Y_X", "M_X", "M_M"]
    assert column.coefficients["M_X"].interval == "[0.156, 0.408]"
    assert report.findings == ()


def test_each_row_a_regression_of_its_own_with_n_before_its_ratio(tmp_path):
    rows = "| Predictor | n | HR | 95% CI | p |\n|---|---|---|---|---|\n"
    rows += "| Age | 2,628 | 0.98 | (0.97–0.99) | 0.001 |\n"
    rows += "| Sex | 2,511 | 1.72 | (1.45–2.04) | <0.001 |\n"
    _, columns, report = drafted(tmp_path, rows)
    assert [(column.n, column.printed_as) for column in columns] == [
        ("2,628", "ratio"),
        ("2,511", "ratio"),
    ]
    assert report.findings == ()


def test_a_row_without_a_label_that_holds_text_among_numbers(tmp_path):
    """Before, the program failed."""
    rows = table(
        "Analysis | (1) | (2) | Range",
        "Law | 0.51*** | 0.40* | ",
        " | (0.10) | (0.19) | ",
        " | 350 | 348 | 3.0 until 7.9",
    )
    _, columns, _ = drafted(tmp_path, rows)
    assert [column.n for column in columns][:2] == ["350", "348"]


def test_a_caption_by_its_class_and_a_legend_after_abbreviations(tmp_path):
    rows = table(
        "| Health", "Law | 1.10 (0.90–1.34)", "Age | 1.59 (1.31–1.93)***", "Sex | 0.80 (0.66–0.97)*"
    )
    text = f'<div class="caption"><p>Models of health (odds ratio)</p></div>{rows}'
    text += "<p>SF = short form</p><p><sup>*</sup> <em>p</em> &lt; 0.05; *** p &lt; 0.001</p>"
    (tmp_path / "a.html").write_text(text, encoding="utf-8")
    (made,) = understand(read_document(tmp_path / "a.html")).tables
    assert made.title == "Models of health (odds ratio)"
    assert made.stars == {"*": 0.05, "***": 0.001}
    assert made.columns[0].ratio
