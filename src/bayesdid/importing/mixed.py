"""Markdown in which tables are HTML, as programs write that convert the pages of journals."""

from __future__ import annotations

import re

from bayesdid.importing.grid import Document
from bayesdid.importing.latex import plain
from bayesdid.importing.markup import read_markup
from bayesdid.importing.pandoc import pipes

_END = "</table>"
_MATH = re.compile(  # bounded, so that what is opened and never closed costs no time
    r"\$\$(.{1,2000}?)\$\$|\$([^$\n]{1,2000})\$|\\\((.{1,300}?)\\\)|\\\[(.{1,300}?)\\\]", re.DOTALL
)
_ARRAY = re.compile(r"\\begin\s*\{array\}\s*\{[^{}]*\}|\\end\s*\{array\}")
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|>~])")
_EMPHASIS = re.compile(r"(?<![*\\\w])(\*\*|\*|__|_)(?=\w)([^*_\n]+?)(?<=\w)\1(?![*\w])")


def has_markup(text: str) -> bool:
    """Whether a text holds a table in HTML."""
    return len(_parts(text)) > 1


def read_mixed(text: str) -> Document:
    """Its tables, and blocks of lines between them as paragraphs."""
    pages = [
        _without_math(part) if k % 2 else "".join(map(_shown, _blocks(part)))
        for k, part in enumerate(_parts(text.replace("\r\n", "\n")))
    ]
    return read_markup("\n".join(pages))


def _parts(text: str) -> list[str]:
    """Text, table, text and so on."""
    # lower case of other letters may be longer, and places would differ
    low = re.sub("[A-Z]", lambda found: found[0].lower(), text) if "<T" in text else text
    parts, at = [], 0
    while (start := low.find("<table", at)) >= 0 and (end := low.find(_END, start)) >= 0:
        parts += [text[at:start], text[start : end + len(_END)]]
        at = end + len(_END)
    return [*parts, text[at:]]


def _blocks(text: str) -> list[str]:
    """Headings, and what stands between empty lines."""
    found = re.split(r"\n\s*\n", re.sub(r"^(#+ .*)$", r"\1\n", text, flags=re.MULTILINE))
    return [block for block in found if block.strip()]


def _shown(block: str) -> str:
    """A block as a page has it: a table between pipes as one of HTML, another as a paragraph."""
    lines = [line.strip() for line in block.strip().split("\n") if line.strip()]
    rows = [line for line in lines if line.startswith("|")]
    if not any(map(_RULE.fullmatch, rows)):
        return f"<p>{_block(block)}</p>"
    cells = [pipes(line) for line in rows if not _RULE.fullmatch(line)]
    table = "".join(
        f"<tr>{''.join(f'<td>{_block(cell)}</td>' for cell in row)}</tr>" for row in cells
    )
    at = lines.index(rows[0])
    before, after = lines[:at], [line for line in lines[at:] if line not in rows]
    around = [f"<p>{_block(' '.join(part))}</p>" if part else "" for part in (before, after)]
    return f"{around[0]}<table>{table}</table>{around[1]}"


_RULE = re.compile(r"\|(?:\s*:?-+:?\s*\|)+")


def _block(text: str) -> str:
    text = _without_math(re.sub(r"^#+ ", "", text.strip()))
    text = _EMPHASIS.sub(r"\2", text)
    return _ESCAPED.sub(r"\1", text.replace(r"\<", "&lt;"))


def _without_math(text: str) -> str:
    """Formulas as a reader sees them; converters write ``0 . 0 5`` and ``* *`` in them."""

    def seen(found: re.Match[str]) -> str:
        content = next(part for part in found.groups() if part is not None)
        content = plain(_ARRAY.sub("", content))
        content = re.sub(r"(?<=[\d.]) +(?=[\d.])|(?<=\*) +(?=\*)", "", content.replace("\n", " "))
        return content.replace("&", "&amp;").replace("<", "&lt;")

    return _MATH.sub(seen, text)
