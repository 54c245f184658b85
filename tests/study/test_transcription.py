"""The typed tables against the paper's own text, number by number."""

import re
import tomllib
from collections import Counter

import pytest

NUMBER = re.compile(r"(?<![\w.])[−-]?\d[\d,]*\.?\d*\*{0,3}")


@pytest.fixture(scope="module")
def paper(root):
    file = root.parent / "shared" / "paper.txt"
    if not file.is_file():
        pytest.skip("the paper's text is not at hand")
    return file.read_text(encoding="utf-8")


def normal(text):
    return text.replace("−", "-").replace("–", "-").strip("()")


def blocks(paper):
    """Rows of the eight tables, as lists of cells."""
    start = paper.index("| Variable | Definition")
    lines = paper[start : paper.index("Peer Reviews")].splitlines()
    tables, current = [], []
    for line in lines:
        if re.match(r"\|\s*(Variable|Variables)\s*\|", line) and current:
            tables.append(current)
            current = []
        current.append([cell.strip() for cell in line.strip().strip("|").split("|")])
    return [*tables, current]


def printed_numbers(rows):
    """Numbers of a table's cells, without headings, labels and years."""
    found = Counter()
    for row in rows:
        for cell in row:
            text = normal(cell)
            if re.fullmatch(r"-?\d[\d,]*(\.\d+)?\*{0,3}", text) and not re.fullmatch(
                r"\(\d\)", cell
            ):
                found[text] += 1
    return found


def typed_numbers(node, key=""):
    """Printed strings of a table file; the identifiers and prose are not numbers."""
    found = Counter()
    if isinstance(node, dict):
        for name, value in node.items():
            if name in {
                "id",
                "note",
                "title",
                "place",
                "label",
                "name",
                "options",
                "reference",
                "outcome_lead",
            }:
                continue
            found += typed_numbers(value, name)
    elif isinstance(node, list):
        for value in node:
            found += typed_numbers(value, key)
    elif isinstance(node, str) and re.fullmatch(r"-?\d[\d,]*(\.\d+)?\*{0,3}", normal(node)):
        found[normal(node)] += 1
    return found


@pytest.mark.parametrize("number", range(1, 9))
def test_every_number_of_a_table_is_typed_once(paper, models, number):
    rows = blocks(paper)[number - 1]
    expected = printed_numbers(rows)
    typed = typed_numbers(
        tomllib.loads((models / "dual_pilot" / f"table{number}.toml").read_text(encoding="utf-8"))
    )
    if number == 1:
        typed["3,488"] -= 1  # n of the table stands in the text, not in the table
    assert +typed == expected


def test_tables_are_not_empty(paper):
    sizes = [sum(printed_numbers(rows).values()) for rows in blocks(paper)]
    assert sizes[0] == 44
    assert min(sizes) > 15


@pytest.mark.parametrize("name", ["claims", "figure2", "figure3", "figure4"])
def test_numbers_of_claims_and_figures_occur_in_the_text(paper, models, name):
    raw = tomllib.loads((models / "dual_pilot" / f"{name}.toml").read_text(encoding="utf-8"))
    words = {"7": "seven", "8": "eight", "2": "two", "3": "three"}
    text = normal(paper)
    for number in typed_numbers(raw):
        bare = number.rstrip("*")
        found = re.search(rf"(?<![\d.]){re.escape(bare)}(?![\d])", text)
        assert found or words.get(bare, "\0") in text.lower(), number


def test_claims_quote_the_paper(paper, models):
    """Each quoted statement, split at its ellipses, stands in the text."""
    raw = tomllib.loads((models / "dual_pilot" / "claims.toml").read_text(encoding="utf-8"))
    flat = re.sub(r"\s+", " ", paper)
    missing = []
    for claim in raw["claim"]:
        for part in claim["text"].split("…"):
            part = re.sub(r"\s+", " ", part).strip(" .,;")
            if part and part not in flat:
                missing.append((claim["id"], part))
    assert not missing
