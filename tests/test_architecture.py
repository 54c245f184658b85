"""The map of the modules is true, and imports go one way."""

import ast
import re

import pytest

ORDER = ("errors", "jsonio", "logs", "study", "panel", "design", "spatial", "models", "engines",
         "frequentist", "contrasts", "audit", "checks", "analyses", "report", "cli")  # fmt: skip
MAY_IMPORT_PYMC = {
    "models",
    "engines.plain",
    "engines.collapsed",
    "engines.chain",
}


@pytest.fixture(scope="module")
def modules(root):
    source = root / "src" / "bayesdid"
    found = {}
    for path in sorted(source.rglob("*.py")):
        name = ".".join(path.relative_to(source).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = path
    return found


def imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_imports_go_one_way(modules):
    wrong = []
    for name, path in modules.items():
        package = name.partition(".")[0]
        if package not in ORDER:
            continue
        for target in imports(path):
            if target.startswith("bayesdid."):
                other = target.split(".")[1]
                if ORDER.index(other) > ORDER.index(package):
                    wrong.append((name, target))
    assert not wrong


def test_only_models_and_two_engines_import_pymc(modules):
    for name, path in modules.items():
        if {"pymc", "pytensor"} & {target.partition(".")[0] for target in imports(path)}:
            assert name in MAY_IMPORT_PYMC or name.partition(".")[0] == "models", name


def test_the_specification_side_knows_no_heavy_library(modules):
    heavy = {"pymc", "pytensor", "nutpie", "arviz", "matplotlib", "pyfixest"}
    for name, path in modules.items():
        if name.partition(".")[0] in {"study", "panel", "design", "audit", "contrasts"}:
            tree = ast.parse(path.read_text(encoding="utf-8"))
            top = {
                target.partition(".")[0]
                for node in tree.body
                if isinstance(node, ast.Import | ast.ImportFrom)
                for target in (
                    [node.module or ""] if isinstance(node, ast.ImportFrom)
                    else [alias.name for alias in node.names]
                )
            }  # fmt: skip
            assert not top & heavy, name


def test_every_module_is_on_the_map_and_every_line_is_a_module(root, modules):
    text = (root / "ARCHITECTURE.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `([\w.]+)` \|", text, flags=re.M))
    entry = {"__init__.py", "__main__.py"}
    actual = {name for name, path in modules.items() if path.name not in entry}
    assert listed == actual


def test_modules_are_small(modules):
    sizes = sorted(len(path.read_text(encoding="utf-8").splitlines()) for path in modules.values())
    assert sizes[-1] <= 500
    assert sizes[len(sizes) // 2] <= 150


def test_no_study_is_named_in_the_source(root, modules):
    names = {path.name for path in (root / "models").iterdir()}
    names |= {"innovation", "smart_year", "perse", "sbprim", "totfatrte"}
    for name, path in modules.items():
        text = path.read_text(encoding="utf-8")
        code = "\n".join(line for line in text.splitlines() if "e.g." not in line)
        for word in names:
            assert not re.search(rf"(?<!models/)\b{word}\b", code), (name, word)


def test_top_level_folders(root):
    import subprocess

    tracked = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("not a git checkout")
    folders = {line.split("/")[0] for line in tracked.stdout.splitlines() if "/" in line}
    assert folders <= {"src", "models", "tests", "reports", "data", "docs", ".ci"}
