"""Layouts of JATS articles of medicine that were not read once; the numbers are made."""

import pytest
from r_programs import numbers_of

from bayesdid.importing.read import read_document
from bayesdid.importing.understand import understand


def article(*rows):
    """A table of an article, each row's cells with the columns that they span."""
    body = ""
    for row in rows:
        cells = [(cell, 1) if isinstance(cell, str) else cell for cell in row]
        body += "<tr>" + "".join(f'<td colspan="{n}">{t}</td>' for t, n in cells) + "</tr>"
    return (
        '<article><body><sec><table-wrap id="t1"><label>Table 1</label><caption><title>'
        f"Effect of arm on days of pain.</title></caption><alternatives><table>{body}</table>"
        "</alternatives></table-wrap></sec></body></article>"
    )


def read(tmp_path, *rows):
    path = tmp_path / "t.xml"
    path.write_text(article(*rows), encoding="utf-8")
    return understand(read_document(path)).tables


HAZARDS = (
    ("Category", "Characteristic", "Number", "Percent", ("Relation to survival", 3)),
    ("", "", "", "", "HR", "95% CI", "<italic>p</italic>-Value<sup>#</sup>"),
    ("Clinical", "Age", "", "", "1.03/y", "1.01–1.05", "0.004"),
    ("", "Gender", "", "", "", "", ""),
    ("", "Female", "61", "40.1", "1", "", ""),
    ("", "Male", "91", "59.9", "0.84", "0.55–1.28", "&lt;0.001"),
    ("", "Race", "", "", "", "", ""),
    ("", "Other", "2", "1.3", "No deaths", "", ""),
    ("", "Stage<sup>*</sup>", "", "", "1.31/class", "1.02–1.68", "0.031"),
    ("", "1", "24", "15.8", "1", "", ""),
    ("", "2", "80", "52.6", "1.55", "0.60–3.98", "0.36"),
    ("", "NA", "48", "31.6", "", "", ""),
)


def test_labels_stand_behind_a_category_and_counts_before_an_estimate(tmp_path):
    (table,) = read(tmp_path, *HAZARDS)
    found = numbers_of([table])
    assert [found[0, "age", part] for part in ("estimate", "low", "high", "p")] == [
        ["1.03"],
        ["1.01"],
        ["1.05"],
        ["0.004"],
    ]
    assert found[0, "male", "p"] == ["<0.001"]
    assert found[0, "stage2", "estimate"] == ["1.55"]  # a class of a variable, by the name above it
    assert found[0, "stage1", "estimate"] == ["1"]
    assert found[0, "malenumber", "statistic"] == ["91"]
    assert found[0, "othernumber", "statistic"] == ["2"]
    assert found[0, "othernumber", "estimate"] == []
    assert table.columns[0].ratio


def cells(texts):
    return texts.split("|")


TRIAL = (
    ("Analysis", "Month", "n", ("Group 1", 2), ("Group 2", 2), ("Group Difference", 4)),
    ("", "", "", "Mean", "SE", "Mean", "SE", "Mean", "SE", "95% CI", "p-Value"),
    ("", "", "", ("Needles", 2), ("Usual", 2), "", "", "", ""),
    ("ANCOVA", "3", "452", *cells("9·8|0·41|12·3|0·58|−2·50|0·710|−3·90 to −1·10|&lt;0·001")),
    ("Mixed", "3", "372", *cells("9·8|0·27|12·1|0·38|−2·30|0·475|−3·23 to −1·37|–")),
    ("", "6", "350", *cells("9·6|0·33|11·5|0·46|−1·90|0·569|−3·02 to −0·78|–")),
    ("", "", "", ("Talks", 2), ("Usual", 2), "", "", "", ""),
    ("ANCOVA", "3", "453", *cells("11·1|0·40|12·8|0·58|−1·70|0·650|−2·97 to −0·43|0·009")),
)


def test_a_difference_of_means_is_the_estimate_and_the_means_are_kept(tmp_path):
    (table,) = read(tmp_path, *TRIAL)
    found = numbers_of([table])
    assert [found[j, "mean", "estimate"] for j in range(4)] == [
        ["−2.50"],
        ["−2.30"],
        ["−1.90"],
        ["−1.70"],
    ]
    assert found[2, "mean", "se"] == ["(0.569)"]
    assert found[2, "mean", "low"] == ["−3.02"]
    assert [found[j, "", "n"] for j in range(4)] == [["452"], ["372"], ["350"], ["453"]]
    assert found[2, "group1meanneedles", "statistic"] == ["9.6"]
    assert found[3, "group1meantalks", "statistic"] == ["11.1"]  # not the group of rows above
    assert [column.heads[-1] for column in table.columns] == [
        "ANCOVA: 3",
        "Mixed: 3",
        "Mixed: 6",
        "Talks: Usual: ANCOVA: 3",
    ]
    assert {column.outcome for column in table.columns} == {"days of pain"}


MOMENTS = (
    ("Measure", ("Needles", 2), ("Usual", 2)),
    ("", "n", "Mean (SD)", "n", "Mean (SD)"),
    ("Depression", "", "", "", ""),
    ("Baseline", "301", "15·3 (5·33)", "151", "16·2 (5·09)"),
    ("3 mo", "249", "9·4 (6·33)", "128", "12·7 (6·47)"),
    ("Pain", "", "", "", ""),
    ("Baseline", "302", "32·0 (8·54)", "151", "31·8 (8·17)"),
)


def test_means_with_deviations_in_their_cells_are_moments_of_each_group(tmp_path):
    (table,) = read(tmp_path, *MOMENTS)
    assert table.kind == "descriptive"
    found = numbers_of([table])
    assert found[0, "depressionbaselineusual", "sd"] == ["5.09"]
    assert found[0, "painbaselineneedles", "mean"] == ["32.0"]
    assert found[0, "3moneedles", "n"] == ["249"]
    assert len(found) == 18


@pytest.mark.parametrize(
    ("heads", "named"),
    [
        (("East", "Central", "West"), {""}),
        (("Full sample", "Male", "Female"), {""}),
        (("Wage", "Hours", "East"), {"Wage", "Hours", "East"}),
        (
            ("Low birth weight", "Old age", "High schools"),
            {"Low birth weight", "Old age", "High schools"},
        ),
    ],
)
def test_names_of_samples_are_no_outcomes(heads, named, tmp_path):
    path = tmp_path / "t.md"
    path.write_text(
        f"| | {' | '.join(heads)} |\n|---|---|---|---|\n| D | 0.2 | 0.3 | 0.4 |\n"
        "| | (0.1) | (0.1) | (0.1) |\n| N | 312 | 300 | 299 |\n",
        encoding="utf-8",
    )
    (table,) = understand(read_document(path)).tables
    assert {column.outcome for column in table.columns} == named
