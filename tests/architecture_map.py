"""The map of ARCHITECTURE.md, made from the first line of every module: `make map`."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "bayesdid"
# imports go one way, in this order; the first are modules that all share
SHARED = (
    "arrays",
    "digest",
    "escape",
    "exceptions",
    "extras",
    "files",
    "jsonio",
    "logs",
    "notebook",
    "summary",
)
PACKAGES = (
    "study",
    "panel",
    "design",
    "spatial",
    "model",
    "inference",
    "peers",
    "estimands",
    "published",
    "audit",
    "importing",
    "pool",
    "reconstruct",
    "checks",
    "families",
    "front",
    "report",
    "cli",
)
ORDER = (*SHARED, *PACKAGES)
MARK = "## Map\n"


def modules() -> dict[str, Path]:
    """Dotted name of every module and package below bayesdid, and its file."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        name = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        found[name.removesuffix("__init__").removesuffix(".")] = path
    return found


def first_line(path: Path) -> str:
    """First line of a module's docstring, without its full stop."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.splitlines()[0].removesuffix(".") if text else ""


def holds_code(path: Path) -> bool:
    """Whether a module is more than the docstring of a package."""
    return len(ast.parse(path.read_text(encoding="utf-8")).body) > 1


def make_map() -> str:
    """The section below :data:`MARK`."""
    found = modules()
    shared = {name: found[name] for name in SHARED}
    parts = [_table("bayesdid", "Shared by all.", shared)]
    for package in PACKAGES:
        inner = {
            name: path
            for name, path in found.items()
            if name.startswith(f"{package}.") and holds_code(path)
        }
        parts.append(_table(package, first_line(found[package]) + ".", inner))
    return "\n".join(parts)


def _table(title: str, text: str, inner: dict[str, Path]) -> str:
    rows = [f"| `{name}` | {first_line(path)} |" for name, path in inner.items()]
    return "\n".join(
        [f"### {title}\n", f"{text}\n", "| module | what it holds |", "|---|---|", *rows, ""]
    )


if __name__ == "__main__":
    page = ROOT / "ARCHITECTURE.md"
    head = page.read_text(encoding="utf-8").partition(MARK)[0]
    page.write_text(f"{head}{MARK}\n{make_map()}", encoding="utf-8")
