"""Pages of the documentation as their blocks: code that is run, and the outputs stored under it.

In a page, ``python`` and ``console`` fences are run in order, in one namespace and one empty
folder. A fence ``output`` under one of them holds what it printed, to the letter; ``sampled`` holds
what came of chains: the same words, numbers within :data:`SHARE` and :data:`LAST` units of the last
digit, because another processor may take another path through the same chain. A comment that
begins with ``<!-- run`` is code that readers do not see. A picture that the page shows from
``img/`` is the file of that name that its code wrote.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

RUN = ("python", "console")
OUTPUTS = ("output", "sampled")
HIDDEN = "<!-- run"
SHARE = 0.05
LAST = 2
NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]?\d+)?")
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Block:
    """Code of a page.

    Attributes
    ----------
    kind
        ``python`` or ``console``.
    code
        Its text.
    line
        Line of the page on which it begins, from 1.
    output
        Lines ``(first, last)`` of the page between which its output stands; None if none is stored.
    stored
        The output as it is stored.
    sampled
        Whether it came of chains.
    """

    kind: str
    code: str
    line: int
    output: tuple[int, int] | None = None
    stored: str = ""
    sampled: bool = False


def blocks(page: str) -> list[Block]:
    """Every block of a page that is run, in order."""
    found: list[Block] = []
    for token in MarkdownIt("commonmark").parse(page):
        if token.map is None:
            continue
        first, last = token.map
        if token.type == "html_block" and token.content.startswith(HIDDEN):
            code = token.content.removeprefix(HIDDEN).rpartition("-->")[0]
            found.append(Block("python", code.strip("\n"), first + 1))
        elif token.type == "fence" and token.info in RUN:
            found.append(Block(token.info, token.content, first + 1))
        elif token.type == "fence" and token.info in OUTPUTS:
            if not found or found[-1].output is not None:
                raise ValueError(f"line {first + 1}: an output without code before it")
            code = found.pop()
            found.append(
                Block(
                    code.kind,
                    code.code,
                    code.line,
                    (first + 1, last - 1),
                    token.content,
                    token.info == "sampled",
                )
            )
    return found


def same(stored: str, printed: str, *, sampled: bool) -> bool:
    """Whether an output is the stored one: to the letter, or in words and about in numbers."""
    if not sampled:
        return stored == printed
    if _words(stored) != _words(printed):
        return False
    pairs = zip(NUMBER.findall(stored), NUMBER.findall(printed), strict=True)
    return all(_near(a, b) for a, b in pairs)


def _words(text: str) -> str:
    """A text without its numbers, and without what their widths and signs move."""
    return re.sub(r"[-−─━\s]+", " ", NUMBER.sub("#", text))


def _near(a: str, b: str) -> bool:
    x, y = (float(text.replace(",", "")) for text in (a, b))
    digits = min(len(text.partition(".")[2]) for text in (a, b))
    return abs(x - y) <= SHARE * max(x, y) + LAST * 10.0**-digits


def with_outputs(page: str, outputs: list[str]) -> str:
    """A page with the outputs of its blocks put where it stores one."""
    lines = page.splitlines(keepends=True)
    for block, text in reversed(list(zip(blocks(page), outputs, strict=True))):
        if block.output is not None:
            lines[slice(*block.output)] = [text]
    return "".join(lines)


def digest(page: str) -> str:
    """What changes if code or a stored output of a page is changed by hand."""
    parts = [(b.kind, b.code, b.stored, b.sampled) for b in blocks(page)]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def pages(root: Path = ROOT) -> Iterator[Path]:
    """Every page: the README and all of docs/."""
    yield root / "README.md"
    yield from sorted((root / "docs").rglob("*.md"))


def pictures(page: str) -> list[str]:
    """Pictures that a page shows from ``img/``, as it writes them."""
    tokens = MarkdownIt("commonmark").parse(page)
    children = [child for token in tokens for child in token.children or ()]
    shown = [str(child.attrGet("src")) for child in children if child.type == "image"]
    return [source for source in shown if re.match(r"(\.\./)*img/", source)]
