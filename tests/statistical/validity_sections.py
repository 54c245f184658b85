"""Sections of docs/validity.md that runs of their own write, and that others leave alone."""

from __future__ import annotations

DIFFERING = "## Effects that differ between units"
UNFORESEEN = "## Worlds that nothing here was made for"
BEFORE = "## Where the other families stand"


def section_of(text: str, title: str) -> str:
    """The section that a document has, or empty."""
    start = text.find(title)
    if start < 0:
        return ""
    return text[start : text.index("\n## ", start)].rstrip("\n") + "\n"


def with_section(text: str, title: str, own: str) -> str:
    """A document with this section in the place of the one that it has, or before the last."""
    start = text.find(title)
    if start < 0:
        start = end = text.index(BEFORE)
    else:
        end = text.index("\n## ", start) + 1
    return text[:start] + own + "\n" + text[end:]


def with_sections_of(text: str, before: str) -> str:
    """A document with the sections of other runs as they stood before."""
    for title in (DIFFERING, UNFORESEEN):
        if kept := section_of(before, title):
            text = with_section(text, title, kept)
    return text
