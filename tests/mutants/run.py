"""Does a test fail when the source is wrong? Plant every fault of faults.py and see it caught.

``make mutants`` prints a table and writes docs/mutants.md. For every fault the source is copied to
a temporary folder, the fault is put into the copy, and its tests run against it. Exit code 1 if a
fault survives, cannot be planted, or breaks its tests in another way than by failing; 1 too if the
tests do not pass on the source as it is.
"""

from __future__ import annotations

import argparse
import importlib
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from faults import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "mutants.md"
CAUGHT, SURVIVED = "caught", "SURVIVED"
# imported once, before the forks
HEAVY = ("arviz", "diff_diff", "linearmodels.iv", "numba", "pymc", "pyfixest", "pytest", "typer")
HEAD = ("fault", "in", "what would be wrong", "caught by")


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one fault; `by` is the test that caught it, or what went wrong."""

    mutant: Mutant
    outcome: str
    by: str
    seconds: float


def mutated(mutant: Mutant, source: Path) -> str:
    """The text of the fault's file with the fault in it.

    Raises
    ------
    ValueError
        If the text to be replaced does not stand there exactly once.
    """
    text = (source / mutant.file).read_text(encoding="utf-8")
    if (count := text.count(mutant.old)) != 1:
        raise ValueError(f"{mutant.name}: its text stands {count} times in {mutant.file}")
    return text.replace(mutant.old, mutant.new)


def run_tests(tests: tuple[str, ...], source: Path) -> tuple[int, str]:
    """Exit code of pytest against a copy of the source, in this process; the first that failed."""
    import pytest

    failed = []

    class Listener:
        def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
            if report.failed:
                failed.append(report.nodeid.removeprefix("tests/").partition("[")[0])

    sys.path.insert(0, str(source.parent))
    os.environ["PYTHONPATH"] = str(source.parent)  # for processes that tests start
    options = ["-x", "-q", "--tb=no", "-p", "no:cacheprovider"]
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        code = pytest.main([*options, *(f"{ROOT}/tests/{name}" for name in tests)], [Listener()])
    import bayesdid

    if Path(bayesdid.__file__).parent != source:
        raise RuntimeError(f"the tests ran on {bayesdid.__file__}")
    return int(code), failed[0] if failed else ""


def try_mutant(mutant: Mutant) -> Result:
    """Plant a fault in a copy of the source and run its tests. For a process of its own."""
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        # times are kept, so that what is compiled stays valid
        source = shutil.copytree(ROOT / "src", Path(folder) / "src") / "bayesdid"
        try:
            text = mutated(mutant, source)
            (source / mutant.file).write_text(text, encoding="utf-8")
            code, failed = run_tests(mutant.tests, source)
        except Exception as error:  # whatever goes wrong, the fault is not caught
            return Result(mutant, SURVIVED, f"{type(error).__name__}: {error}", 0.0)
    caught = code == 1 and failed
    by = failed if caught else f"pytest ends with exit code {code}"
    return Result(mutant, CAUGHT if caught else SURVIVED, by, time.perf_counter() - begin)


def passes(tests: tuple[str, ...]) -> str:
    """The test that fails on the source as it is, or empty. For a process of its own."""
    code, failed = run_tests(tests, ROOT / "src" / "bayesdid")
    return failed or (f"exit code {code}" if code else "")


def run_all(mutants: tuple[Mutant, ...], workers: int, start: str = "fork") -> list[Result]:
    """Results in the order of the faults, each from a process of its own.

    Parameters
    ----------
    start
        ``fork`` has the heavy libraries imported; ``spawn`` where bayesdid is imported already.

    Raises
    ------
    SystemExit
        If a test fails on the source as it is.
    """
    for name in HEAVY if start == "fork" else ():
        importlib.import_module(name)
    found = []
    every = tuple(dict.fromkeys(name for mutant in mutants for name in mutant.tests))
    with multiprocessing.get_context(start).Pool(workers, maxtasksperchild=1) as pool:
        unchanged = pool.apply_async(passes, (every,))
        for item in pool.imap(try_mutant, mutants):
            line = f"{item.outcome:9s}{item.seconds:6.1f} s  {item.mutant.name:32s}{item.by}\n"
            sys.stdout.write(line)
            sys.stdout.flush()
            found.append(item)
        if failed := unchanged.get():
            raise SystemExit(f"the tests do not pass on the source as it is: {failed}")
    return found


def document(results: list[Result]) -> str:
    """The page of all faults."""
    rows = [
        (
            f"`{item.mutant.name}`",
            f"`{item.mutant.file}`",
            item.mutant.meaning,
            f"`{item.by.rpartition('::')[2]}` ({item.by.partition('::')[0]})",
        )
        for item in results
    ]
    table = "\n".join("| " + " | ".join(cells) + " |" for cells in (HEAD, ["---"] * 4, *rows))
    return (
        "# Planted faults\n\n"
        "Written by `make mutants`, which plants each of these faults in a copy of the source, one "
        "at a time, and runs the tests that have to notice it. A fault that survives is a hole in "
        "the tests: the command then ends with exit code 1. The faults stand in "
        "tests/mutants/faults.py.\n\n" + table + "\n"
    )


def main() -> int:
    """Run all faults, or those named; write docs/mutants.md if all of them were caught."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="faults to plant; default all")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    known = {mutant.name: mutant for mutant in MUTANTS}
    if unknown := set(options.names) - set(known):
        parser.error(f"no such fault: {', '.join(sorted(unknown))}")
    begin = time.perf_counter()
    results = run_all(tuple(known[n] for n in options.names) or MUTANTS, options.workers)
    survivors = [item for item in results if item.outcome != CAUGHT]
    sys.stdout.write(
        f"{len(results) - len(survivors)} of {len(results)} faults caught, "
        f"{time.perf_counter() - begin:.0f} s\n"
    )
    if not options.names and not survivors:
        DOCUMENT.write_text(document(results), encoding="utf-8")
    return int(bool(survivors))


if __name__ == "__main__":
    sys.exit(main())
