"""What tables of public repositories had that was read wrongly once; the numbers are made."""

import pytest

from bayesdid.audit.run import audit_study
from bayesdid.importing.folder import import_study
from bayesdid.importing.notes import guessed_below, stated_below
from bayesdid.importing.read import read_document
from bayesdid.importing.understand import understand
from bayesdid.study.load import read_study

TINYTABLE = r"""
\begin{table}
\begin{talltblr}[         %% tabularray outer open
caption={Effects on $y$},
note{}={+ p \num{< 0.1}, * p \num{< 0.05}, ** p \num{< 0.01}, *** p \num{< 0.001}},
note{a}={Standard errors are clustered.},
]{colspec={Q[]Q[]},hline{2}={1-2}{solid, black, 0.05em},}
& (1) \\
(Intercept) & \num{-0.138} \\
& (\num{0.100}) \\
x & \num{0.216}+ \\
& (\num{0.120}) \\
Num.Obs. & \num{362} \\
\end{talltblr}
\end{table}
"""
KABLE = r"""
\begin{table}
\caption{Conquest Values and Effort Ratios}
\begin{tabular}[t]{lll}
\toprule
 & A & B\\
\midrule
x & 0.016*** & 0.033***\\
 & (0.004) & (0.004)\\
\midrule
Num.Obs. & 56 & 56\\
\bottomrule
\multicolumn{3}{l}{\textsuperscript{} * p < 0.1, ** p < 0.05, *** p < 0.01}\\
\end{tabular}
\end{table}
"""
STARGAZER = """<table><tr><td></td><td>(1)</td><td>(2)</td></tr>
<tr><td>x</td><td>0.365<sup>***</sup></td><td>-0.656<sup>**</sup></td></tr>
<tr><td></td><td>(0.053)</td><td>(0.289)</td></tr>
<tr><td>Observations</td><td>336</td><td>336</td></tr>
<tr><td>F Statistic</td><td>47.4<sup>***</sup> (df = 1; 334)</td>
<td>3.25<sup>***</sup> (df = 6; 275)</td></tr>
<tr><td><em>Note:</em></td><td colspan="2"><sup>*</sup>p<0.1; <sup>**</sup>p<0.05;
<sup>***</sup>p<0.01</td></tr></table>"""
PIPES = """| Dependent variable: | |||
| y | |||
| (1) | (2) | (3) |
| x | -0.443*** | -0.368*** | -0.046** |
| (0.042) | (0.033) | (0.019) |
| Observations | 1,173 | 1,173 | 1,173 |
"""
TWO_LINES = """| | (1) | (2) |
|---|---|---|
| x | 0.365 | -0.656 |
| | (0.053) | (0.289) |
| | [0.261, 0.469] | [-1.222, -0.090] |
| Observations | 336 | 336 |
"""


def table(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    (found,) = understand(read_document(path)).tables
    return found


def test_options_of_tabularray_are_notes(tmp_path):
    found = table(tmp_path, "a.tex", TINYTABLE)
    assert found.stars == {"+": 0.1, "*": 0.05, "**": 0.01, "***": 0.001}
    assert found.title == "Effects on y"
    assert (found.in_parentheses, found.se_kind) == ("se", "clustered")


def test_words_that_end_in_t_are_no_t_statistics(tmp_path):
    found = table(tmp_path, "a.tex", KABLE)
    assert found.in_parentheses == "se"
    assert found.notes.startswith("* p < 0.1")
    assert stated_below("conquest values and effort ratios") is None
    assert stated_below("t values in brackets; t-ratios") == "t"
    assert stated_below("z-statistics in parentheses") == "t"


def test_degrees_of_freedom_are_the_reference_of_f(tmp_path):
    path = tmp_path / "a.html"
    path.write_text(STARGAZER, encoding="utf-8")
    import_study(path, tmp_path / "s")
    study = read_study(tmp_path / "s")
    statistics = [spec.column.statistic[0] for spec in study.specs.values()]
    assert [item.reference for item in statistics] == ["F(1, 334)", "F(6, 275)"]
    report = audit_study(study)
    assert report.checked["statistics"] == 2
    assert report.findings == ()
    (tmp_path / "s" / "table1.toml").write_text(
        (tmp_path / "s" / "table1.toml").read_text().replace('"3.25***"', '"1.25***"')
    )
    (finding,) = audit_study(read_study(tmp_path / "s")).findings
    assert (finding.rule, finding.severity) == ("statistics", "contradiction")


def test_rows_between_pipes_are_a_table_without_a_rule(tmp_path):
    found = table(tmp_path, "a.md", PIPES)
    (row,) = [row for row in found.rows if row.label == "x"]
    assert [row.cells[j].text for j in range(3)] == ["-0.443***", "-0.368***", "-0.046**"]
    assert [row.below[j].text for j in range(3)] == ["(0.042)", "(0.033)", "(0.019)"]


def test_a_second_line_below_is_the_interval(tmp_path):
    path = tmp_path / "a.md"
    path.write_text(TWO_LINES, encoding="utf-8")
    import_study(path, tmp_path / "s")
    study = read_study(tmp_path / "s")
    cells = [spec.column.coefficients["x"] for spec in study.specs.values()]
    assert [cell.interval for cell in cells] == ["[0.261, 0.469]", "[-1.222, -0.090]"]
    assert [cell.se for cell in cells] == ["0.053", "0.289"]
    assert audit_study(study).findings == ()


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([("0.816***", "0.091"), ("-0.000***", "0.000"), ("0.011***", "0.001")], "se"),
        ([("0.816***", "0.001"), ("-0.000***", "0.000"), ("2.011", "0.300")], "p"),
    ],
)
def test_zero_below_zero_tells_nothing(pairs, expected):
    assert guessed_below(pairs, {"*": 0.05, "**": 0.01, "***": 0.001}) == expected


CONSOLE = """> summary(one)
OLS estimation, Dep. Var.: rate
Observations: 1,104
Fixed-effects: state: 46,  year: 24
Standard-errors: Clustered (state)
                Estimate Std. Error t value   Pr(>|t|)
law:late TRUE   0.070321   0.007401 9.50152 2.5169e-12 ***
x              -0.010000   0.005500 -1.8182 7.2000e-02 .
---
Signif. codes:  0 '***' 0.001 '**' 0.01 '*' 0.05 '.' 0.1 ' ' 1
RMSE: 0.021082     Adj. R2: 0.93835
                 Within R2: 0.426746

Call:
lm(formula = y ~ x, data = d)

Coefficients:
            Estimate Std. Error t value Pr(>|t|)
(Intercept)  1.25312    0.10231  12.248  < 2e-16 ***
x           -0.10231    0.10012  -1.022    0.309
---
Signif. codes:  0 '***' 0.001 '**' 0.01 '*' 0.05 '.' 0.1 ' ' 1

Residual standard error: 1.012 on 97 degrees of freedom
Multiple R-squared:  0.2451,	Adjusted R-squared:  0.2295
"""


def test_what_r_prints_of_a_fit_is_a_column(tmp_path):
    """Before, the error, t and p of `summary` stood as estimates of three more columns."""
    path = tmp_path / "a.txt"
    path.write_text(CONSOLE, encoding="utf-8")
    first, second = understand(read_document(path)).tables
    assert first.stars == {"***": 0.001, "**": 0.01, "*": 0.05}
    assert (first.se_kind, first.columns[0].outcome) == ("clustered", "rate")
    cells = {
        row.label: (row.cells[0].text, row.below[0].text.strip("()"))
        for row in first.rows
        if row.below
    }
    assert cells == {"law:late TRUE": ("0.070321***", "0.007401"), "x": ("-0.010000", "0.005500")}
    single = {row.label: row.cells[0].text for row in first.rows if not row.below}
    assert single == {
        "Observations": "1,104",
        "Adjusted R2": "0.93835",
        "Within R2": "0.426746",
        "RMSE": "0.021082",
    }
    cells = {
        row.label: (row.cells[0].text, row.below[0].text.strip("()"))
        for row in second.rows
        if row.below
    }
    assert cells == {"(Intercept)": ("1.25312***", "0.10231"), "x": ("-0.10231", "0.10012")}
    assert second.columns[0].outcome == "y"
    assert [row.cells[0].text for row in second.rows[2:]] == ["0.2451", "0.2295", "1.012"]
