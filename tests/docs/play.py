"""Run the blocks of a page: what each of them printed, and the pictures that they wrote."""

from __future__ import annotations

import ast
import contextlib
import io
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from textwrap import fill

from pages import Block, blocks, pictures

WIDTH = 100
# kept until the end: a worker that a page started may still stand in its folder
_FOLDERS = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)


class PageError(Exception):
    """A block of a page failed."""


def play(page: str, name: str) -> tuple[list[str], dict[str, bytes]]:
    """Outputs of the blocks of a page, in order, and its pictures by how the page names them.

    Raises
    ------
    PageError
        If a block raises, or a picture was not written.
    """
    space: dict[str, object] = {"__name__": "__main__"}
    outputs = []
    folder = tempfile.mkdtemp(dir=_FOLDERS.name)
    with _settled(), contextlib.chdir(folder):
        for block in blocks(page):
            try:
                outputs.append(
                    _console(block) if block.kind == "console" else _python(block, space)
                )
            except Exception as error:
                raise PageError(f"{name}:{block.line}: {type(error).__name__}: {error}") from error
        drawn = {}
        for picture in pictures(page):
            file = Path(folder) / Path(picture).name
            if not file.exists():
                raise PageError(f"{name}: no code wrote {file.name}")
            drawn[picture] = file.read_bytes()
    return outputs, drawn


@contextlib.contextmanager
def _settled() -> Iterator[None]:
    """Widths, fonts and dates that do not depend on who runs it; put back afterwards."""
    import matplotlib as mpl
    import pandas as pd

    from bayesdid.cli import console

    ours = {"SOURCE_DATE_EPOCH": "0", "COLUMNS": str(WIDTH)}
    before = {name: os.environ.get(name) for name in ours}
    consoles = (console.out, console.console)
    widths = [one._width for one in consoles]
    backend = mpl.get_backend()
    os.environ.update(ours)
    mpl.use("svg")
    try:
        for one in consoles:
            one.width = WIDTH
        fixed = {"svg.hashsalt": "bayesdid", "svg.fonttype": "none", "figure.dpi": 72}
        frames = ("display.width", WIDTH, "display.max_columns", 20)
        with mpl.rc_context(fixed), pd.option_context(*frames):
            yield
    finally:
        mpl.use(backend)
        for one, width in zip(consoles, widths, strict=True):
            one._width = width
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _python(block: Block, space: dict[str, object]) -> str:
    """What a block prints, and its last value as a notebook shows it."""
    tree = ast.parse(block.code)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        exec(compile(tree, "<page>", "exec"), space)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), "<page>", "eval"), space)
            if value is not None:
                print(value if _is_table(value) else repr(value))  # noqa: T201
    return _tidy(out.getvalue())


def _is_table(value: object) -> bool:
    return type(value).__module__.partition(".")[0] == "pandas" or isinstance(value, str)


def _console(block: Block) -> str:
    """What the commands after ``$`` print on stdout; what a failed one says, and its exit code."""
    printed = []
    for line in block.code.replace("\\\n", " ").splitlines():
        if not line.startswith("$ "):
            continue
        words = _expanded(shlex.split(line.removeprefix("$ "), comments=True))
        if words[0] == "bayesdid":
            code, text, error = _bayesdid(words[1:])
        else:
            run = subprocess.run(words, capture_output=True, text=True)
            code, text, error = run.returncode, run.stdout, run.stderr
        printed.append(text if not code else f"{text}{error}exit code {code}\n")
    return _tidy("".join(printed))


def _expanded(words: list[str]) -> list[str]:
    """Words of a command, patterns such as ``models/*`` as the files that there are."""
    found = []
    for word in words:
        files = Path().glob(word) if "*" in word.removeprefix("*") else ()
        found += sorted(map(str, files)) or [word]
    return found


def _bayesdid(arguments: list[str]) -> tuple[int, str, str]:
    """The command line, in this process: its exit code, stdout and stderr."""
    from bayesdid.cli import console
    from bayesdid.cli.app import main

    out, error = io.StringIO(), io.StringIO()
    before = sys.argv, console.out._file, console.console._file
    sys.argv = ["bayesdid", *arguments]
    console.out.file, console.console.file = out, error
    code = 0
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
            main()
    except SystemExit as exit_:
        code = int(exit_.code or 0)
    finally:
        sys.argv, console.out._file, console.console._file = before
    return code, out.getvalue(), error.getvalue()


def _tidy(text: str) -> str:
    """Without blanks at the ends of lines; sentences wrapped, as a shell does."""
    lines = [line.rstrip() for line in text.strip("\n").splitlines()]
    body = "\n".join(line if "  " in line.strip() else fill(line, WIDTH) for line in lines)
    return f"{body}\n" if body else ""
