"""Links of pages: to files that exist, to anchors that a heading of the page makes."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token


def broken(page: Path, text: str) -> list[str]:
    """Links and pictures of a page that lead nowhere; those to other hosts are left alone."""
    wrong = []
    for target in targets(text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        if not file.exists():
            wrong.append(target)
        elif anchor and file.suffix == ".md":
            found = text if file == page else file.read_text(encoding="utf-8")
            if anchor not in anchors(found):
                wrong.append(target)
    return wrong


def targets(text: str) -> list[str]:
    """Where a page's links and pictures point to."""
    found = []
    for token in _inline(text):
        for child in token.children or ():
            target = child.attrGet("href") or child.attrGet("src")
            if target:
                found.append(str(target))
    return found


def anchors(text: str) -> set[str]:
    """Anchors of a page's headings, as mkdocs and GitHub make them of plain ones."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    headings = [after for at, after in pairwise(tokens) if at.type == "heading_open"]
    made = (re.sub(r"[^\w\s-]", "", heading.content.lower()) for heading in headings)
    return {re.sub(r"\s", "-", name.strip()) for name in made}


def _inline(text: str) -> list[Token]:
    return [t for t in MarkdownIt("commonmark").enable("table").parse(text) if t.type == "inline"]
