"""Numbers beside and below estimates that no rule kept once; the numbers are made."""

import json

import pytest

from bayesdid.audit.run import audit_study
from bayesdid.exceptions import InputError
from bayesdid.importing import folder as drafts
from bayesdid.importing.draft import CLAIMS_NOTHING
from bayesdid.importing.folder import CELLS, import_study
from bayesdid.importing.latex import plain
from bayesdid.importing.numbers import has_decimal_commas, is_interval, with_points
from bayesdid.importing.words import heading, is_enumerated, is_standardised, role_of
from bayesdid.study.load import read_study


def pipes(*rows):
    head, *body = rows
    rule = "|---" * (head.count("|") + 1) + "|"
    return "\n".join([f"| {head} |", rule, *(f"| {row} |" for row in body)]) + "\n"


def drafted(folder, text, name="a.md"):
    """The columns of a draft's tables, the first table, and what the audit finds."""
    (folder / name).write_text(text, encoding="utf-8")
    import_study(folder / name, folder / "s")
    study = read_study(folder / "s")
    columns = [spec.column for spec in study.specs.values()]
    return columns, next(iter(study.tables.values())), audit_study(study).findings


def cells(column):
    """What is printed of each estimate, in the order in which it is named."""
    kinds = ("se", "t", "p", "interval")
    return {
        name: (cell.estimate, *(text for kind in kinds if (text := getattr(cell, kind))))
        for name, cell in column.coefficients.items()
    }


def statistics(column):
    return {one.label: one.value for one in column.statistic}


@pytest.mark.parametrize(
    ("head", "standard"),
    [("B | SE | β | t | p", "β"), ("Estimate | SE | Std. Estimate | t | p", "Std. Estimate")],
)
def test_standardised_coefficients_beside_others_are_kept(tmp_path, head, standard):
    """Before, they were a column of their own, or not read."""
    text = pipes(
        f"Predictor | {head}",
        "(Intercept) | 5.10 | 1.70 | | 3.00 | .004",
        "Law | 0.42 | 0.21 | .18 | 2.00 | .048",
    )
    (column,), _, found = drafted(tmp_path, text)
    assert cells(column) == {
        "constant": ("5.10", "1.70", "3.00", ".004"),
        "Law": ("0.42", "0.21", "2.00", ".048"),
    }
    assert statistics(column) == {f"Law: {standard}": ".18"}
    assert not found


def test_standardised_coefficients_alone_are_estimates(tmp_path):
    text = pipes("Predictor | Std. Beta | t", "Law | .18 | 2.00", "Age | -.11 | -1.20")
    (column,), _, _ = drafted(tmp_path, text)
    assert cells(column) == {"Law": (".18", "2.00"), "Age": ("-.11", "-1.20")}
    assert is_standardised("β (std)")
    assert not is_standardised("Std.")  # of a deviation
    assert not is_standardised("Unstandardized B")


def test_what_no_heading_knows_is_kept_with_its_estimate(tmp_path):
    """Before, a second error, a share of the mean and coefficients beside ratios were lost."""
    text = pipes(
        "Group | Coef. | SE (county) | SE (day) | % of mean",
        "Young | -1.50 | (0.47) | [0.56] | -30%",
        "Old | -0.40 | (0.22) | [0.21] | -4%",
    )
    (column,), table, _ = drafted(tmp_path, text)
    assert table.in_parentheses == "se"
    assert cells(column) == {"Young": ("-1.50", "0.47"), "Old": ("-0.40", "0.22")}
    assert statistics(column) == {
        "Young: SE (day)": "[0.56]",
        "Young: % of mean": "-30%",
        "Old: SE (day)": "[0.21]",
        "Old: % of mean": "-4%",
    }


def test_what_stands_below_is_one_kind_for_the_whole_table(tmp_path):
    """Before, the first row had no interval, and the intervals of the others were p-values."""
    text = pipes(
        "Term | Odds Ratio | 95% CI | P",
        "Baseline | 0.02 | | 0.000",
        "Law | 1.10 | [1.05–1.15] | 0.0001",
        "Age | 0.50 | [0.40–0.62] | <.001",
    )
    (column,), table, _ = drafted(tmp_path, text)
    assert table.in_parentheses == "interval"
    assert column.printed_as == "ratio"
    assert [cell.p for cell in column.coefficients.values()] == ["0.000", "0.0001", "<.001"]
    assert cells(column)["Law"] == ("1.10", "0.0001", "[1.05–1.15]")


def test_t_that_says_so_itself(tmp_path):
    """Before, ``t = -4.10`` below an estimate, as stargazer prints it, was no number."""
    rows = "& (1) \\\\ x & $-$0.41$^{***}$ \\\\ & t = $-$4.10 \\\\ z & 0.10 \\\\ & t = 1.00"
    text = f"\\begin{{tabular}}{{lc}}\n{rows} \\\\\n\\end{{tabular}}"
    (column,), table, found = drafted(tmp_path, text, "a.tex")
    assert table.in_parentheses == "t"
    assert cells(column) == {"x": ("-0.41***", "-4.10"), "z": ("0.10", "1.00")}
    assert not found


def test_notes_that_call_t_an_error(tmp_path):
    """Before, errors below zero stopped the audit by a division."""
    rows = ["| (1)", "x | -0.4***", "| (-4.1)", "z | 0.3***", "| (3.2)", "N | 90"]
    text = pipes(*rows) + "\nStandard errors in parentheses. *** p<0.01\n"
    (column,), table, found = drafted(tmp_path, text)
    assert table.in_parentheses == "t"
    assert cells(column)["x"] == ("-0.4***", "-4.1")
    assert not found
    file = tmp_path / "s" / "table1.toml"
    typed = file.read_text().replace('in_parentheses = "t"', 'in_parentheses = "se"')
    file.write_text(typed.replace("0.4***", "0.4").replace("0.3***", "0.3"))
    (below,) = audit_study(read_study(tmp_path / "s")).findings
    assert (below.rule, below.severity) == ("measures", "contradiction")
    assert "the standard error is printed as -4.1" in below.text


def test_one_column_of_ratios_among_others(tmp_path):
    """Before, a row ``Estimator: Logit OR`` said nothing, and its marks were contradictions."""
    text = pipes(
        "| (1) | (2)",
        "x | 0.16*** | 4.37**",
        "| (0.05) | (3.18)",
        "z | 0.01 | 1.02",
        "| (0.02) | (0.30)",
        "N | 423 | 402",
        "Estimator | | Logit OR",
    )
    (first, second), _, found = drafted(tmp_path, text)
    assert (first.printed_as, second.printed_as) == ("coefficient", "ratio")
    assert not found


@pytest.mark.parametrize(
    ("notes", "stars", "contradicted"),
    [
        # t is 20: by an invented 0.001 for three, two were too few
        ("* p<0.05, ** p<0.01", {"*": 0.05, "**": 0.01, "***": 0.01}, False),
        ("*** p<0.001, ** p<0.01", {"***": 0.001, "**": 0.01}, True),
    ],
)
def test_marks_that_the_notes_leave_out(tmp_path, notes, stars, contradicted):
    rows = ["| (1)", "x | 0.10**", "| (0.005)", "z | 0.02***", "| (0.004)", "N | 90"]
    _, table, found = drafted(tmp_path, f"{pipes(*rows)}\n{notes}\n".replace("*", "\\*"))
    assert table.stars == stars
    assert bool(found) == contradicted


def test_another_mark_than_those_of_the_notes_claims_nothing(tmp_path):
    rows = ["| (1)", "x | 0.30***", "| (0.05)", "z | 0.02+", "| (0.04)", "N | 90"]
    notes = "\\*\\*\\* p<0.01, \\*\\* p<0.05, \\* p<0.1"
    _, table, found = drafted(tmp_path, f"{pipes(*rows)}\n{notes}\n")
    assert table.stars["+"] == CLAIMS_NOTHING
    assert not found


def test_p_values_of_other_tests_below_each_estimate(tmp_path):
    """Before, rows ``Holm p`` were estimates."""
    rows = ["Arm | Diet", "Low | 0.13", "| (0.33)", "Holm p | 1.000", "High | -0.31", "| (0.38)"]
    (column,), _, _ = drafted(tmp_path, pipes(*rows, "Holm p | 0.600"))
    assert cells(column) == {"Low": ("0.13", "0.33"), "High": ("-0.31", "0.38")}
    assert statistics(column) == {"Low: Holm p": "1.000", "High: Holm p": "0.600"}
    assert role_of("q") == "statistic"
    assert role_of("Group p") is None


def test_base_categories_are_no_estimates(tmp_path):
    """Before, a row of zeros above ``(.)`` was read as numbers of columns, or as statistics."""
    rows = ["| (1) | (2)", "0.law | 0 | 0", "| (.) | (.)", "1.law | 0.30 | 0.20"]
    rows += ["| (0.05) | (0.06)", "2000.year | 0 | ", "| (.) | ", "N | 90 | 90"]
    columns, _, _ = drafted(tmp_path, pipes(*rows))
    assert [cells(column) for column in columns] == [
        {"x_1_law": ("0.30", "0.05")},
        {"x_1_law": ("0.20", "0.06")},
    ]
    assert not any(column.statistic for column in columns)
    assert is_enumerated(["(1)", "(2)"])
    assert not is_enumerated(["0", "0"])


PASTED = """Table 8. Results

Coefficient z SE P
Fixed effects
Level 1
Intercept 3.82 47.75 0.08 <.001
Law -0.47 -11.75 0.04 <.001
Law Age 0.14 1.75 0.08 .080
Law Sex <.01 0.48 < .01 .632
"""
RANGES = """Table 3. Odds ratios

Variable COR 95% CI P-value AOR 95% CI P-value
Age
 55−59 1.77 1.04−3.01 ** 1.54 0.80−2.96
 60−64 1.90 1.11−3.25 ** 1.22 0.60−2.48
 65+ 2.82 1.54−5.16 *** 2.30 1.05−5.04 **
***P < 0.01, ** < 0.05, * < 0.1
"""


def test_pasted_headings_of_measures(tmp_path):
    """Before, they were no headings, and bounds of p ended the numbers of a line."""
    (column,), _, _ = drafted(tmp_path, PASTED, "a.txt")
    assert list(cells(column).values()) == [
        ("3.82", "0.08", "47.75", "<.001"),
        ("-0.47", "0.04", "-11.75", "<.001"),
        ("0.14", "0.08", "1.75", ".080"),
    ]


def test_pasted_intervals_with_marks_behind(tmp_path):
    columns, _, found = drafted(tmp_path, RANGES, "a.txt")
    assert [list(cells(column).values())[-1] for column in columns] == [
        ("2.82***", "[1.54,5.16]"),
        ("2.30**", "[1.05,5.04]"),
    ]
    assert all(column.printed_as == "ratio" for column in columns)
    assert not found


def test_a_constant_has_no_standardised_coefficient(tmp_path):
    text = "Coefficients\nModel Unstandardized Standard Error Standardized t p\n"
    text += "(Intercept) 26.34 22.15 1.19 0.236\nAdverts 0.092 0.009 0.556 10.15 < .001\n"
    (column,), _, _ = drafted(tmp_path, f"{text}Attract 16.27 3.17 0.281 5.14 < .001\n", "a.txt")
    assert cells(column)["constant"] == ("26.34", "22.15", "1.19", "0.236")
    assert statistics(column) == {
        "Adverts: Standardized": "0.556",
        "Attract: Standardized": "0.281",
    }


def test_specifications_with_n_and_tests_as_rows(tmp_path):
    """Before, n was an estimate of a column of its own wherever a column said Yes and No."""
    text = pipes(
        "Spec | n | OLS β(x) | 2SLS β(x) | First-stage F | Weak?",
        "1. Baseline | 64 | 0.52 (0.06) | 0.94 (0.16) | 22.95 | No",
        "2. + latitude | 60 | 0.47 (0.07) | 1.00 (0.22) | 8.09 | Yes",
    )
    columns, _, _ = drafted(tmp_path, text)
    assert [column.n for column in columns] == ["64", "60"]
    assert [list(cells(column).values()) for column in columns] == [
        [("0.52", "0.06"), ("0.94", "0.16")],
        [("0.47", "0.07"), ("1.00", "0.22")],
    ]
    assert [column.labels["Spec"] for column in columns] == ["1. Baseline", "2. + latitude"]
    assert statistics(columns[1])["First-stage F"] == "8.09"


def test_means_with_errors_beside_differences_with_p(tmp_path):
    """Before, an error above one was refused as a p-value."""
    text = pipes(
        "Variable | Human | Machine | Difference",
        "Years | 9.00 | 8.27 | 0.73",
        "| (4.48) | (3.06) | [0.43]",
        "Members | 2.61 | 2.43 | 0.18",
        "| (0.50) | (0.66) | [0.21]",
    )
    notes = "Note: means with standard errors in parentheses; p-values in brackets."
    columns, _, _ = drafted(tmp_path, f"{text}\n{notes}\n")
    assert [cells(column)["Years"] for column in columns] == [
        ("9.00", "4.48"),
        ("8.27", "3.06"),
        ("0.73", "0.43"),
    ]
    assert columns[2].coefficients["Years"].p == "0.43"
    assert columns[0].coefficients["Years"].se == "4.48"


def test_standardised_coefficients_in_a_second_line(tmp_path):
    """Before, they were not kept."""
    rows = ["| (1)", "x | -0.656***", "| (0.203)", "| [-0.307]", "N | 336"]
    (column,), _, _ = drafted(tmp_path, pipes(*rows))
    assert cells(column) == {"x": ("-0.656***", "0.203")}
    assert statistics(column) == {"x: second brackets": "[-0.307]"}


def test_decimal_commas(tmp_path):
    """Before, 0,412 was 412, and an R2 of 0,214 a contradiction."""
    rows = ["| (1)", "Gesetz | 0,412***", "| (0,087)", "Konstante | 8,271***", "| (0,204)"]
    notes = "Standardfehler in Klammern. \\*\\*\\* p<0,01"
    text = f"{pipes(*rows, 'Beobachtungen | 12.418', 'R² | 0,214')}\n{notes}\n"
    (column,), table, found = drafted(tmp_path, text)
    assert cells(column) == {"Gesetz": ("0.412***", "0.087"), "constant": ("8.271***", "0.204")}
    assert (column.n, column.r2, table.stars) == ("12,418", "0.214", {"***": 0.01})
    assert not found
    assert not has_decimal_commas(["1,204", "618", "12,418", "(1,204)"])  # thousands
    assert not has_decimal_commas(["0,41", "0,52", "0,63", "0.07"])
    assert with_points("[−0,12; 1.234,5]") == "[−0.12; 1,234.5]"


def test_moments_of_two_groups_and_their_n(tmp_path):
    """Before, n beside moments was not kept, and two groups side by side were refused."""
    text = pipes(
        "| Treated | Treated | Treated | Control | Control | Control",
        "Variable | N | Mean | SD | N | Mean | SD",
        "Age | 412 | 34.1 | 9.8 | 530 | 35.0 | 10.2",
        "Urban | 405 | 0.61 | 0.49 | 521 | 0.58 | 0.49",
    )
    _, table, found = drafted(tmp_path, text)
    assert [(row.column, row.mean, row.sd, row.n) for row in table.moments] == [
        ("Age_Treated", "34.1", "9.8", "412"),
        ("Age_Control", "35.0", "10.2", "530"),
        ("Urban_Treated", "0.61", "0.49", "405"),
        ("Urban_Control", "0.58", "0.49", "521"),
    ]
    assert not found
    read = json.loads((tmp_path / "s" / CELLS).read_text())["cells"]
    assert sum(cell["ref"].endswith(".n") for cell in read) == 4


def test_headings_of_marginal_effects_and_in_brackets():
    from bayesdid.importing.words import WIDE

    assert heading(["dy/dx", "Marginal effect", "(SE)", "[t]"], WIDE) == [
        "estimate",
        "estimate",
        "se",
        "t",
    ]
    assert heading(["(pval)", "(1)"], WIDE) == ["", ""]  # of a test between columns


def test_what_no_study_can_hold_is_one_clear_error(tmp_path, monkeypatch):
    """Before, it was a traceback of the validation."""
    text = pipes("| (1)", "x | 0.30", "| (0.05)", "N | 90")
    (tmp_path / "a.md").write_text(text)
    monkeypatch.setattr(drafts, "table_text", lambda *_: 'id = "t"\nkind = "poem"')
    with pytest.raises(InputError, match=r"what was read is no study.*Remedy: take the number out"):
        import_study(tmp_path / "a.md", tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_thousands_with_decimals_in_brackets_are_one_number(tmp_path):
    """Before, (4,600.18) was an interval, and each estimate a contradiction outside of it."""
    rows = ["| (1) | (2)", "x | -21,163.47*** | -20,336.14***", "| (4,600.18) | (4,332.39)"]
    columns, table, found = drafted(tmp_path, pipes(*rows, "N | 835 | 833"))
    assert table.in_parentheses == "se"
    assert [column.coefficients["x"].se for column in columns] == ["4,600.18", "4,332.39"]
    assert not found
    assert is_interval("(0.12, 4,600)")
    assert is_interval("(-0,412; 1,200)")
    assert not is_interval("[1,265]")


def test_labels_in_three_columns(tmp_path):
    """Before, rows whose first two labels stand above them had no name."""
    text = pipes(
        "Series | Code | Method | Coef. | SE",
        "Loans | E4 | DID | 4.18 | 1.72",
        "| | SDID | 0.32 | 0.17",
        "Income | E5 | DID | -1.67 | 3.00",
        "| | SDID | -2.38 | 1.03",
    )
    (column,), _, _ = drafted(tmp_path, text)
    assert cells(column) == {
        "Loans_E4_DID": ("4.18", "1.72"),
        "Loans_E4_SDID": ("0.32", "0.17"),
        "Income_E5_DID": ("-1.67", "3.00"),
        "Income_E5_SDID": ("-2.38", "1.03"),
    }


def test_phantoms_and_pads_of_huxtable_print_nothing():
    """Before, each number ended in zeros that are not seen, and stood between lengths."""
    cell = r"\huxtpad{6pt + 1em}\raggedleft \hspace{6pt} -0.088 ***\hphantom{0} \huxbpad{6pt}"
    assert plain(cell) == "-0.088 ***"


@pytest.mark.parametrize(("mean", "possible"), [("0.33", False), ("0.30", True)])
def test_the_n_of_a_row_says_which_means_there_can_be(tmp_path, mean, possible):
    text = pipes("Variable | Mean | SD | N", f"Kids | {mean} | 0.48 | 10", "Age | 34.1 | 9.8 | 9")
    drafted(tmp_path, text)
    file = tmp_path / "s" / "table1.toml"
    file.write_text(file.read_text().replace('n = "10"', 'n = "10"\nstep = "1"'))
    found = audit_study(read_study(tmp_path / "s")).findings
    assert [one.rule for one in found] == ([] if possible else ["whole_numbers"])
