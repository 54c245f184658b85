"""The same drawing in fewer bytes: what nobody sees is left out, what repeats is said once."""

from __future__ import annotations

import hashlib
import re
from collections import Counter

_REPEATED = 3  # times that a style is written out before it becomes a class
_CURVES = 8  # of a disc as matplotlib draws it, from its lowest point
_TOP = 2 + 3 * 6 + 5  # where the fourth curve ends


def small(text: str) -> str:
    """A drawing of matplotlib without metadata, to tenths of a point, each style once.

    Classes are named by what they say, so that those of two drawings on one page do not differ.
    """
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r'<g id="[^"]*"', "<g", text)  # nothing refers to a group
    text = re.sub(r' (?:d|x|y|transform|points)="[^"]*"', _tenths, text)
    text = re.sub(r"font-family: [^;\"]*", "font-family: sans-serif", text)
    text = re.sub(r"\s*\n\s*", " ", text).replace("> <", "><")
    text = re.sub(r'<path d="(M [^MLQz"]*z) "', _disc, text)
    text = re.sub(r' transform="rotate\(-0 [^)]*\)"', "", text)
    text = re.sub(r'<path d="[^"]*" style="fill: none"/>', "", text)  # backgrounds
    text = re.sub(r' (?:d|points)="[^"]*"', _tight, text)
    return _classes(_flat(text))


def _tenths(found: re.Match[str]) -> str:
    """An attribute of a drawing to a tenth of a point."""
    rounded = re.sub(r"(?<=\d\.\d)\d+", "", found[0])
    return re.sub(r"(?<=\d)\.0(?!\d)", "", rounded)


def _tight(found: re.Match[str]) -> str:
    """Numbers of a path without the spaces that its letters make needless."""
    return re.sub(r" ?([A-Za-z]) (?=[-\d])| (?=[zZ])", lambda m: m[1] or "", found[0]).replace(
        ' "', '"'
    )


def _disc(found: re.Match[str]) -> str:
    """A disc that is drawn as eight curves, as a circle; anything else as it is."""
    if found[1].count("C") != _CURVES:
        return found[0]
    numbers = [float(part) for part in re.findall(r"-?[\d.]+", found[1])]
    x, bottom, top = numbers[0], numbers[1], numbers[_TOP]
    radius = abs(bottom - top) / 2
    return f'<circle cx="{x:.1f}" cy="{(bottom + top) / 2:.1f}" r="{radius:.1f}"'


def _flat(text: str) -> str:
    """Without groups that say nothing."""
    kept: list[bool] = []

    def tag(found: re.Match[str]) -> str:
        if found[0] == "</g>":
            return found[0] if kept.pop() else ""
        if found[0].endswith("/>"):
            return ""
        kept.append(found[0] != "<g>")
        return found[0] if kept[-1] else ""

    return re.sub(r"</g>|<g\b[^>]*>", tag, text)


def _classes(text: str) -> str:
    """Styles that repeat as classes of the drawing's own style sheet."""
    text = re.sub(
        r' style="([^"]*)"',
        lambda m: f' style="{m[1].replace(": ", ":").replace("; ", ";")}"',
        text,
    )
    counted = Counter(re.findall(r' style="([^"]*)"', text))
    named = {style: _name(style) for style, n in counted.items() if n >= _REPEATED}
    if not named:
        return text
    text = re.sub(
        r' style="([^"]*)"', lambda m: f' class="{named[m[1]]}"' if m[1] in named else m[0], text
    )
    rules = "".join(f".{name}{{{style}}}" for style, name in named.items())
    return text.replace("</style>", f"{rules}</style>", 1)


def _name(style: str) -> str:
    return "s" + hashlib.sha256(style.encode()).hexdigest()[:5]
