"""The map of the modules is true, and imports go one way."""

import ast
import re
import subprocess
from collections import Counter

import pytest

from architecture_map import MARK, ORDER, PACKAGES, SHARED, make_map, modules

PYMC = ("model.pymc", "inference.nuts")
LIGHT = (
    "study",
    "panel",
    "design",
    "spatial",
    "model",
    "audit",
    "importing",
    "estimands",
    "published",
)
HEAVY = {"pymc", "pytensor", "nutpie", "arviz", "matplotlib", "pyfixest", "spreg", "linearmodels"}


def imports(path, top_level_only=False):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body if top_level_only else ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def within(name, rooms):
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def test_imports_go_one_way():
    wrong = []
    for name, path in modules().items():
        package = name.partition(".")[0]
        if package not in ORDER:
            continue
        for target in imports(path):
            if target.startswith("bayesdid."):
                other = target.split(".")[1]
                if ORDER.index(other) > ORDER.index(package):
                    wrong.append((name, target))
    assert not wrong


def test_every_package_has_a_place_in_the_order():
    found = {name.partition(".")[0] for name in modules()}
    assert found - {"", "__main__"} == set(ORDER)


def test_only_the_compiler_and_the_samplers_import_pymc():
    wrong = [
        name
        for name, path in modules().items()
        if {"pymc", "pytensor"} & {target.partition(".")[0] for target in imports(path)}
        and not within(name, PYMC)
    ]
    assert not wrong


def test_the_specification_side_knows_no_heavy_library():
    wrong = [
        name
        for name, path in modules().items()
        if within(name, (*SHARED, *LIGHT))
        and not within(name, PYMC)
        and {target.partition(".")[0] for target in imports(path, top_level_only=True)} & HEAVY
    ]
    assert not wrong


def test_the_map_is_what_make_map_writes(root):
    text = (root / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert text.partition(MARK)[2].strip() == make_map().strip()


def test_the_flow_in_words_is_the_order_that_is_checked(root):
    text = (root / "ARCHITECTURE.md").read_text(encoding="utf-8")
    flow = next(line for line in text.splitlines() if " -> " in line)
    assert tuple(word.strip() for word in flow.split("->")) == PACKAGES


def test_modules_are_small():
    sizes = sorted(
        len(path.read_text(encoding="utf-8").splitlines()) for path in modules().values()
    )
    assert sizes[-1] <= 500
    assert sizes[len(sizes) // 2] <= 150


def test_no_study_is_named_in_the_source(root):
    names = {path.name for path in (root / "models").iterdir()}
    names |= {"innovation", "smart_year", "perse", "sbprim", "totfatrte"}
    for name, path in modules().items():
        text = path.read_text(encoding="utf-8")
        code = "\n".join(line for line in text.splitlines() if "e.g." not in line)
        for word in names:
            assert not re.search(rf"(?<!models/)\b{word}\b", code), (name, word)


def test_the_formatter_is_never_skipped(root):
    marker = "# fmt: " + "skip"
    for folder in ("src", "tests", "data"):
        for path in (root / folder).rglob("*.py"):
            assert marker not in path.read_text(encoding="utf-8"), path


def test_top_level_folders(root):
    tracked = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("not a git checkout")
    folders = {line.split("/")[0] for line in tracked.stdout.splitlines() if "/" in line}
    assert folders <= {"src", "models", "tests", "reports", "data", "docs", ".ci", ".github"}


def test_no_two_modules_of_the_tests_have_one_name(root):
    """They are imported by their names alone, so that one would be taken for the other."""
    names = Counter(path.name for path in (root / "tests").rglob("*.py"))
    assert [name for name, count in names.items() if count > 1] == []
