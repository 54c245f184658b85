"""Run every block of every page: ``make docs`` compares, ``make docs-write`` stores the outputs.

``runs.json`` beside this file holds a digest of each page's code and outputs as they were run, so
that the tests see a block or an output that somebody changed without running it.
"""

from __future__ import annotations

import argparse
import difflib
import json
import sys
import time
from pathlib import Path

from pages import ROOT, blocks, digest, pages, same, with_outputs
from play import PageError, play

RUNS = Path(__file__).with_name("runs.json")


def run(path: Path, *, write: bool) -> str:
    """Run a page; what is wrong with it, or ""."""
    name = str(path.relative_to(ROOT))
    page = path.read_text(encoding="utf-8")
    try:
        outputs, drawn = play(page, name)
    except PageError as error:
        return str(error)
    if write:
        path.write_text(with_outputs(page, outputs), encoding="utf-8")
        for picture, content in drawn.items():
            (path.parent / picture).parent.mkdir(exist_ok=True)
            (path.parent / picture).write_bytes(content)
        return ""
    wrong = []
    for block, text in zip(blocks(page), outputs, strict=True):
        if block.output is not None and not same(block.stored, text, sampled=block.sampled):
            lines = difflib.unified_diff(
                block.stored.splitlines(), text.splitlines(), "stored", "run", lineterm="", n=0
            )
            wrong.append(f"{name}:{block.line}: another output\n" + "\n".join(lines))
    wrong += [f"{name}: no {p}" for p in drawn if not (path.parent / p).exists()]
    return "\n".join(wrong)


def main() -> None:
    """Run the pages that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="*", type=Path)
    parser.add_argument("--write", action="store_true", help="store outputs, do not compare")
    arguments = parser.parse_args()
    chosen = [path.resolve() for path in arguments.pages] or list(pages())
    failed = False
    runs = json.loads(RUNS.read_text(encoding="utf-8")) if RUNS.exists() else {}
    for path in chosen:
        if not blocks(path.read_text(encoding="utf-8")):
            continue
        begin = time.perf_counter()
        wrong = run(path, write=arguments.write)
        failed |= bool(wrong)
        took = time.perf_counter() - begin
        name = str(path.relative_to(ROOT))
        sys.stdout.write(f"{name}: {wrong or 'ok'} ({took:.0f} s)\n")
        sys.stdout.flush()
        if not wrong:
            runs[name] = digest(path.read_text(encoding="utf-8"))
    if arguments.write:
        known = {str(path.relative_to(ROOT)) for path in pages()}
        kept = {name: runs[name] for name in sorted(runs) if name in known}
        RUNS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    sys.exit(failed)


if __name__ == "__main__":
    main()
