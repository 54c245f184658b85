"""Layouts of tables of public repositories that were read wrongly once; the numbers are made."""

import pytest

from bayesdid.audit.run import audit_study
from bayesdid.importing.folder import import_study
from bayesdid.importing.notes import errors_of
from bayesdid.importing.read import read_document
from bayesdid.importing.understand import understand
from bayesdid.study.load import read_study

TWO_LINES = r"""\begin{tabular}{lcc}
 & (1) & (2) \\ \hline
Food shop & 2.08* & 1.33 \\
within a mile & (1.11) & (.) \\
Food shop & 0.68 & 1.00 \\
within two miles & (1.03) & (.) \\
Constant & 29.6*** & -7.30e+12 \\
 & (0.57) & (.) \\
N & 8373 & 8373 \\
\end{tabular}"""
SECTIONS = r"""\begin{tabular}{lcc}
 & Difference-in-means & Covariate adjusted \\ \midrule
\textit{Feelings} \\
Intercept & 6.31 & 6.42 \\
 & (0.07) & (0.06) \\
Law & 0.93*** & 0.79*** \\
 & (0.10) & (0.08) \\
N & 4345 & 4225 \\ \midrule
\textit{Tolerance} \\
Intercept & -0.06 & -0.02 \\
 & (0.01) & (0.01) \\
Law & 0.18*** & 0.11*** \\
 & (0.03) & (0.02) \\
N & 4162 & 4062 \\
State FE & Yes & Yes \\
\end{tabular}"""
MODELS = """| Model | ATT | Std. Error | t-value | Pr(>\\|t\\|) | 95% Conf. Interval | N |
|---|---|---|---|---|---|---|
| No covariates | 24.48 | 3.15 | 7.77 | <0.001 | [18.31, 30.65] * | 120 |
| With covariates | 23.91 | 2.47 | 9.68 | <0.001 | [19.06, 28.75] * | 118 |

: Doubly robust estimates {#tbl-a}
"""
TWO_LABELS = r"""\begin{tabular}{llrrr}
 & Coefficient & Estimate & S.E. & P-value\\
Health & Lag & -0.126 & 0.205 & 0.540\\
 & Gas & -0.180 & 0.061 & 0.004\\
Wealth & Lag & 0.000 & 0.000 & 0.655\\
\end{tabular}"""
COUNTED = r"""\begin{table}\caption{Effects of laws on jail rates: estimates}
\begin{tabular}{lccc}
 & (1) Baseline & (2) State $\times$ Year & (3) Deaths \\
Law & -79.1*** & -23.0*** & 2.5 \\
 & (13.0) & (7.5) & (2.1) \\
\emph{Pre-treatment average}\\
Rate & 120.5 & 120.5 & 10.1 \\
Village (515,120) & Yes & Yes & Yes \\
Year (20) & Yes & Yes & Yes \\
year (Village) & & Yes & \\
N & 527 & 527 & 527 \\
Adjusted $R^2$ & 0.760 & 0.767 & 0.852 \\
\end{tabular}
Clustered (state\_id) standard-errors in parentheses. *** p<0.01, ** p<0.05, * p<0.1
\end{table}"""
AGGTE = """Call:
aggte(MP = cs, type = "simple")

   ATT    Std. Error     [ 95%  Conf. Int.]
 0.068         0.008     0.0524      0.0836 *

---
Signif. codes: `*' confidence band does not cover 0

Control Group:  Not Yet Treated,  Anticipation Periods:  0
"""


def drafted(folder, name, text):
    (folder / name).write_text(text, encoding="utf-8")
    import_study(folder / name, folder / "s")
    study = read_study(folder / "s")
    return study, list(study.specs.values())


def test_a_label_of_two_lines_and_missing_errors(tmp_path):
    """Before, ``(.)`` was an error of the program and both rows had the first line's name."""
    _, (first, second) = drafted(tmp_path, "a.tex", TWO_LINES)
    cells = first.column.coefficients
    assert list(cells) == ["Food_shop_within_a_mile", "Food_shop_within_two_miles", "constant"]
    assert [cell.se for cell in cells.values()] == ["1.11", "1.03", "0.57"]
    other = second.column.coefficients.values()
    assert [(c.estimate, c.se) for c in other] == [
        ("1.33", None),
        ("1.00", None),
        ("-7.30e+12", None),
    ]


def test_sections_with_the_same_rows_are_panels(tmp_path):
    """Before, they were one regression with three constants and one n."""
    study, specs = drafted(tmp_path, "a.tex", SECTIONS)
    told = [
        (s.column.id, s.column.outcome, s.column.n, s.column.coefficients["Law"].se) for s in specs
    ]
    assert told == [
        ("a1", "Feelings", "4345", "0.10"),
        ("a2", "Feelings", "4225", "0.08"),
        ("b1", "Tolerance", "4162", "0.03"),
        ("b2", "Tolerance", "4062", "0.02"),
    ]
    assert all(s.column.labels["State FE"] == "Yes" for s in specs)  # holds for every panel
    assert audit_study(study).findings == ()  # a table that marks no constant


def test_rows_that_are_models_become_columns(tmp_path):
    study, specs = drafted(tmp_path, "a.md", MODELS)
    assert study.tables["table1"].title == "Doubly robust estimates"
    cells = [spec.column.coefficients["ATT"] for spec in specs]
    assert [(c.estimate, c.se, c.t, c.p, c.interval) for c in cells] == [
        ("24.48", "3.15", "7.77", "<0.001", "[18.31, 30.65]"),
        ("23.91", "2.47", "9.68", "<0.001", "[19.06, 28.75]"),
    ]
    assert [(spec.column.n, spec.column.labels["Header"]) for spec in specs] == [
        ("120", "No covariates"),
        ("118", "With covariates"),
    ]
    report = audit_study(study)
    assert report.checked["measures"] >= 4
    assert report.findings == ()


@pytest.mark.parametrize(("corner", "models"), [("Model", 2), ("Variable", 1)])
def test_the_corner_tells_models_from_variables(tmp_path, corner, models):
    text = MODELS.replace("Model", corner).replace(" | N |", " |")
    text = text.replace(" | 120 |", " |").replace(" | 118 |", " |")
    _, specs = drafted(tmp_path, "a.md", text)
    assert len(specs) == models
    assert sum(len(spec.column.coefficients) for spec in specs) == 2


def test_labels_in_two_columns(tmp_path):
    """Before, the first two columns were numbers and an error of 0.000 was lost."""
    _, (spec,) = drafted(tmp_path, "a.tex", TWO_LABELS)
    cells = spec.column.coefficients
    assert {k: (c.estimate, c.se, c.p) for k, c in cells.items()} == {
        "Health_Lag": ("-0.126", "0.205", "0.540"),
        "Health_Gas": ("-0.180", "0.061", "0.004"),
        "Wealth_Lag": ("0.000", "0.000", "0.655"),
    }


def test_headings_of_specifications_are_no_outcomes(tmp_path):
    _, specs = drafted(tmp_path, "a.tex", COUNTED)
    assert [s.column.outcome for s in specs] == ["jail_rates", "jail_rates", "Deaths"]
    assert [s.column.id for s in specs] == ["1", "2", "3"]
    assert [s.column.labels.get("Header") for s in specs] == ["Baseline", "State × Year", None]
    # rates below their average are no regressor; effects with their numbers are effects
    assert all(list(s.column.coefficients) == ["Law"] for s in specs)
    assert [s.column.family for s in specs][::2] == [specs[0].column.family] * 2
    assert specs[1].column.family == "other"  # slopes of units beside the effects
    assert specs[0].column.family != "other"
    (found,) = understand(read_document(tmp_path / "a.tex")).tables
    assert found.in_parentheses_why == "the notes say so"
    assert specs[0].column.r2_kind == "adjusted"


def test_one_effect_of_the_package_did(tmp_path):
    _, (spec,) = drafted(tmp_path, "a.txt", AGGTE)
    cell = spec.column.coefficients["ATT"]
    assert (cell.estimate, cell.se, cell.interval) == ("0.068", "0.008", "[0.0524, 0.0836]")


@pytest.mark.parametrize(
    ("notes", "expected"),
    [
        ("Robust standard errors.", "robust"),
        ("Doubly robust estimates.", "unknown"),
        ("See Robustness.", "unknown"),
        ("HC1 errors, doubly robust", "robust"),
    ],
)
def test_doubly_robust_says_nothing_of_errors(notes, expected):
    assert errors_of(notes) == expected


OUTCOMES = r"""\begin{tabular}{lccc}
 & Placebo deaths & Wages & Jobs \\
Law & 0.93*** & 0.79*** & 0.51 \\
 & (0.10) & (0.08) & (0.40) \\
\end{tabular}"""


def test_one_word_makes_no_table_of_specifications(tmp_path):
    _, specs = drafted(tmp_path, "a.tex", OUTCOMES)
    assert [spec.column.outcome for spec in specs] == ["Placebo_deaths", "Wages", "Jobs"]


MEANS = r"""\begin{table}\caption{Robustness: effect on jail rates}
\begin{tabular}{lccc}
 & (1) Full & (2) Pre-2020 & (3) BW ratio \\
 & (per 10K) & (per 10K) & (ratio) \\
Law & 0.93*** & 0.79*** & 0.51 \\
 & (0.10) & (0.08) & (0.40) \\
Control mean & 4.1 & 4.2 & 1.3 \\
 & (0.2) & (0.3) & (0.1) \\
\end{tabular}\end{table}"""


def test_means_of_controls_are_no_regressor_and_units_no_outcome(tmp_path):
    _, specs = drafted(tmp_path, "a.tex", MEANS)
    assert [list(spec.column.coefficients) for spec in specs] == [["Law"]] * 3
    said = {item.label: item.value for item in specs[0].column.statistic}
    assert said == {"Control mean": "4.1", "Control mean, se": "(0.2)"}
    assert [spec.column.outcome for spec in specs] == ["jail_rates", "jail_rates", "BW_ratio"]
