"""What is imported is declared, what is declared is used, and the core needs no extra."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from functools import cache
from importlib import import_module
from importlib.metadata import packages_distributions

import pytest

from architecture_map import modules
from bayesdid.exceptions import InputError
from bayesdid.extras import EXTRAS, extra, require
from bayesdid.families.registry.load import load_study
from bayesdid.study.shipped import copy_study, shipped_studies

# used without an import statement: the words in the source that make another library import it
THROUGH = {
    "netcdf4": 'engine="netcdf4"',
    "openpyxl": "pd.read_excel",
    "pyarrow": "pd.read_parquet",
    "cvxpy": "from moderndid.didhonest import",
}


@pytest.fixture(scope="module")
def project(root):
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


def plain(requirement):
    """``diff-diff>=3.13,<4`` -> ``diff-diff``."""
    return re.match(r"[A-Za-z0-9._-]+", requirement)[0].lower().replace("_", "-")


@cache
def distributions():
    return packages_distributions()


def distribution(module):
    """Name of the distribution that a module belongs to."""
    return plain(distributions()[module][0])


def third_party(tree, stack=()):
    """Yield ``(module, nodes around it)`` of every import from outside the project."""
    for node in ast.iter_child_nodes(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module]
        for name in names:
            top = name.partition(".")[0]
            if top not in sys.stdlib_module_names and top != "bayesdid":
                yield top, stack
        yield from third_party(node, (*stack, node))


@pytest.fixture(scope="module")
def imports():
    return [
        (name, module, stack)
        for name, path in modules().items()
        for module, stack in third_party(ast.parse(path.read_text(encoding="utf-8")))
    ]


def extra_around(stack):
    """Extra whose ``with extra(...)`` is the innermost block around an import."""
    block = stack[-1] if stack else None
    if isinstance(block, ast.With) and len(block.items) == 1:
        call = block.items[0].context_expr
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "extra":
            return call.args[0].value
    return None


def test_the_table_of_extras_is_that_of_the_project(project):
    declared = {
        name: {plain(item) for item in items}
        for name, items in project["project"]["optional-dependencies"].items()
        if name != "all"
    }
    assert declared == {name: set(map(distribution, found)) for name, found in EXTRAS.items()}
    everything = f"bayesdid[{','.join(sorted(EXTRAS))}]"
    assert project["project"]["optional-dependencies"]["all"] == [everything]


def test_what_is_imported_is_declared(project, imports):
    core = {plain(item) for item in project["project"]["dependencies"]}
    optional = {module for found in EXTRAS.values() for module in found}
    missing = {
        (name, module)
        for name, module, _ in imports
        if module not in optional and distribution(module) not in core
    }
    assert not missing


def test_an_extra_is_imported_only_under_its_name_and_inside_a_function(imports):
    optional = {module for found in EXTRAS.values() for module in found}
    wrong = [
        (name, module)
        for name, module, stack in imports
        if module in optional
        and (
            module not in EXTRAS.get(extra_around(stack), ())
            or not any(isinstance(node, ast.FunctionDef) for node in stack)
        )
    ]
    assert not wrong


def test_only_imports_stand_under_extra():
    for name, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.With) and extra_around((node,)):
                assert all(isinstance(line, ast.Import | ast.ImportFrom) for line in node.body), (
                    name
                )


def test_what_is_declared_is_used(project, imports, root):
    source = "".join(path.read_text(encoding="utf-8") for path in modules().values())
    studies = "".join(
        path.read_text(encoding="utf-8") for path in (root / "models").glob("*/study.toml")
    )
    used = {distribution(module) for _, module, stack in imports if not extra_around(stack)}
    used |= {module for module, words in THROUGH.items() if words in source}
    assert {plain(item) for item in project["project"]["dependencies"]} <= used
    for name, found in EXTRAS.items():
        used = {module for _, module, stack in imports if extra_around(stack) == name}
        used |= {module for module, words in THROUGH.items() if words in source}
        if name == "studies":
            used |= {module for module in found if f'package = {{ name = "{module}"' in studies}
        assert set(found) <= used, name


def test_what_tests_and_tools_import_is_declared(project, root):
    declared = {plain(item) for item in project["project"]["dependencies"]}
    for group in (project["project"]["optional-dependencies"], project["dependency-groups"]):
        declared |= {plain(item) for items in group.values() for item in items}
    files = [path for folder in ("tests", "data") for path in (root / folder).rglob("*.py")]
    ours = {path.stem for path in files}
    for path in files:
        for module, _ in third_party(ast.parse(path.read_text(encoding="utf-8"))):
            if module not in ours:
                assert distribution(module) in declared, (path, module)


def test_the_lock_holds_everything_that_is_declared(project, root):
    text = (root / "requirements.lock").read_text(encoding="utf-8")
    locked = {plain(line) for line in text.splitlines() if re.match(r"[A-Za-z0-9]", line)}
    declared = [*project["project"]["dependencies"]]
    for items in project["dependency-groups"].values():
        declared += items
    for name, items in project["project"]["optional-dependencies"].items():
        declared += items if name != "all" else []
    assert {plain(item) for item in declared} <= locked


def test_the_core_works_without_any_extra(root):
    """Also `make core`, which installs it alone."""
    run = subprocess.run(
        [sys.executable, "-W", "error", root / "tests" / "packaging" / "core_alone.py", "--hide"],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr


def test_a_missing_package_is_bad_input():
    message = r"needs bayesdid\[peers\].*'bayesdid\[peers\]'"
    with pytest.raises(InputError, match=message) as found, extra("peers"):
        import_module("no_such_package")
    assert found.value.exit_code == 2
    require(*EXTRAS)  # all are installed where the tests run


def test_import_is_light():
    code = "import bayesdid, sys, json; bayesdid.__version__; print(json.dumps([*sys.modules]))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numpy", "pandas", "pymc"} & set(json.loads(run.stdout))


@pytest.fixture(scope="module")
def wheel(root, tmp_path_factory):
    """The wheel's files, as they are installed."""
    from hatchling.builders.wheel import WheelBuilder

    folder = tmp_path_factory.mktemp("wheel")
    (built,) = WheelBuilder(str(root)).build(directory=str(folder), versions=["standard"])
    with zipfile.ZipFile(built) as archive:
        archive.extractall(folder / "installed")
    return folder / "installed"


def test_a_wheel_brings_the_shipped_studies(wheel, models, tmp_path):
    """Outside the repository `bayesdid example` copies a study that is read as it is here."""
    code = (
        "import sys; from bayesdid.cli.app import main; import bayesdid\n"
        "assert bayesdid.__file__.startswith(sys.argv.pop(1)); main()"
    )

    def run(*words):
        return subprocess.run(
            [sys.executable, "-c", code, str(wheel), *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(wheel)},
            capture_output=True,
            text=True,
        )

    listed = run("example", "--json")
    assert listed.returncode == 0, listed.stderr
    names = sorted(path.parent.name for path in models.glob("*/study.toml"))
    assert [row["study"] for row in json.loads(listed.stdout)] == names
    copied = run("example", "traffic_laws", "-o", "laws")
    assert copied.returncode == 0, copied.stderr
    assert contents(tmp_path / "laws") == contents(models / "traffic_laws")
    assert (
        load_study(tmp_path / "laws").specs.keys()
        == load_study(models / "traffic_laws").specs.keys()
    )
    again = run("example", "traffic_laws", "-o", "laws")
    assert again.returncode == 2
    assert "copied over what is there" in again.stderr


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*")}


def test_studies_are_copied_from_the_checkout_here(models, tmp_path, monkeypatch):
    assert shipped_studies() == {
        path.parent.name: path.parent for path in sorted(models.glob("*/study.toml"))
    }
    with pytest.raises(InputError, match=r"no such study ships.*castle_doctrine"):
        copy_study("nowhere", tmp_path / "x")
    with pytest.raises(InputError, match="over what is there"):
        copy_study("castle_doctrine", models)
    (tmp_path / "empty").mkdir()
    copy_study("castle_doctrine", tmp_path / "empty")
    assert contents(tmp_path / "empty") == contents(models / "castle_doctrine")
