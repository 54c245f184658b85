"""Tables of analyses fit a terminal: an interval is one column, no number is folded or cut."""

import pytest
from rich.console import Console

from bayesdid.cli.analysis_table import analysis_tables

COLUMNS = ["effect", "mean", "median", "sd", "HDI 89% low", "HDI 89% high", "P(< 0)", "ML", "ML SE"]
ROWS = [
    ["active:a: indirect", -0.59791, -0.5977, 0.06491, -0.6912, -0.4887, 1.0, -0.59, None],
    ["active:b: total", 0.09458, 0.09635, 0.1782, None, None, float("nan"), 0.08321, 0.1571],
]


def lines(columns, rows, width):
    console = Console(width=width, color_system=None, emoji=False)
    with console.capture() as captured:
        for table in analysis_tables("What", columns, rows, width):
            console.print(table)
    return captured.get().splitlines()


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_rows_are_whole_at_every_width(width):
    text = lines(COLUMNS, ROWS, width)
    assert all(len(line) <= width for line in text)
    wanted = {
        "active:a: indirect": "-0.598 -0.598 0.0649 -0.691 to -0.489 > 0.999 -0.59 –",
        "active:b: total": "0.0946 0.0964 0.178 – – 0.0832 0.157",
    }
    for name, cells in wanted.items():
        found = [line.removeprefix(f" {name}") for line in text if line.startswith(f" {name}")]
        assert " ".join(" ".join(found).split()) == cells
    assert (sum("active:a" in line for line in text) == 1) == (width == 200)


def test_an_interval_has_one_heading():
    text = " ".join(" ".join(lines(COLUMNS, ROWS, 200)).split())
    assert "HDI 89% P(< 0)" in text
    assert " low" not in text


def test_one_end_alone_keeps_its_heading():
    text = lines(["what", "from low", "to"], [["a", 1.0, 2.0]], 80)
    assert any("low" in line for line in text)
    assert "1 2" in " ".join(text[-2].split())
