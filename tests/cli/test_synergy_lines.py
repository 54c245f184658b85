"""What ``bayesdid synergy`` prints of a panel fits a terminal, the headline first."""

import pytest
from typer.testing import CliRunner

from bayesdid.cli.app import app
from bayesdid.cli.console import out
from bayesdid.cli.synergy_printed import _lined, _spread


def test_probabilities_are_never_zero_or_one():
    assert _spread(1.0, 0.0, 1.0) == "P > 0.999 (< 0.001 to > 0.999)"
    assert _spread(0.9999, 0.9996, 1.0) == "P > 0.999"  # the same everywhere
    assert _spread(0.25, 0.1, 0.5) == "P 0.250 (0.100 to 0.500)"


@pytest.mark.parametrize("width", [80, 60, 45])
def test_no_number_is_broken_and_a_long_name_stands_above_its_numbers(width):
    rows = [("model", "mean (sd)", "P"), ("cells", "0.1 (0.2)", "0.5"), ("a" * 40, "1.0", "> 0.9")]
    lines = "\n".join(_lined(rows, width)).splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) == (4 if width == 45 else 3)
    assert any(line.startswith("  cells") and line.endswith("0.1 (0.2)    0.5") for line in lines)
    assert lines[-1].endswith("1.0  > 0.9")


def test_the_headline_comes_first_and_lines_are_whole(studies, monkeypatch):
    monkeypatch.setattr(out, "_width", 80)
    given = ["synergy", str(studies / "small"), "--errors", "iid", "--draws", "250"]
    lines = CliRunner().invoke(app, given).stdout.splitlines()
    titles = [line for line in lines if " − " in line and ", P " in line]
    assert titles[0].startswith("Both − (")
    start = lines.index(titles[0])
    shown = lines[start + 1 : lines.index(titles[1])]
    assert shown[0].startswith("  pooled paths  ")
    assert {"imputation", "static"} <= {line.split()[0].strip(",") for line in shown}
    assert max(map(len, lines)) <= 80
