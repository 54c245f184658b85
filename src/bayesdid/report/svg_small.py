"""The same drawing in fewer bytes: what nobody sees is left out, what repeats is said once."""

from __future__ import annotations

import hashlib
import re
from collections import Counter

TIP = "tip:"  # what the name of a group begins with whose rest a mouse over it shows
_REPEATED = 3  # times that a style is written out before it becomes a class
_CURVES = 8  # of a disc as matplotlib draws it, from its lowest point
_ACROSS = re.compile(r"M(-?[\d.]+) (-?[\d.]+)L(-?[\d.]+) \2(?![\d.])")  # lines along an axis
_UP = re.compile(r"M(-?[\d.]+) (-?[\d.]+)L\1 (-?[\d.]+)")
_TOP = 2 + 3 * 6 + 5  # where the fourth curve ends


def small(text: str) -> str:
    """A drawing of matplotlib without metadata, to tenths of a point, each style once.

    Classes are named by what they say, so that those of two drawings on one page do not differ.
    """
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(rf'<g id="{TIP}([^"]*)">\s*<path d="([^"]*)".*?/>\s*</g>', _tip, text, flags=re.S)
    text = re.sub(r'<g id="[^"]*"', "<g", text)  # nothing refers to a group
    text = re.sub(r' (?:d|x|y|transform|points)="[^"]*"', _tenths, text)
    text = re.sub(r"font-family: [^;\"]*", "font-family: sans-serif", text)
    text = re.sub(r"\s*\n\s*", " ", text).replace("> <", "><")
    text = re.sub(r'<path( id="[^"]*")? d="(M [^MLQz"]*z) "', _disc, text)
    text = re.sub(r'(id="|href="#)(m\w{6})\w+"', r'\1\2"', text).replace("xlink:href", "href")
    text = re.sub(r' xmlns:xlink="[^"]*"', "", text)
    text = re.sub(r' transform="rotate\(-0 [^)]*\)"', "", text)
    text = re.sub(r'<path d="[^"]*" style="fill: none"/>', "", text)  # backgrounds
    text = re.sub(r' (?:d|points)="[^"]*"', _tight, text)
    text = _UP.sub(r"M\1 \2V\3", _ACROSS.sub(r"M\1 \2H\3", text))
    text = re.sub(r' clip-path="(url\(#\w+\))" style="([^"]*)"', r' style="\2;clip-path:\1"', text)
    return _of_marks(_classes(_flat(text)))


def once(page: str) -> str:
    """A page of small drawings that define a mark or a clip and say a rule of their styles once.

    The first that does speaks for all: marks, clips and classes are named by what they hold.
    """
    seen: set[str] = set()

    def new(text: str) -> str:
        before = text in seen
        seen.add(text)
        return "" if before else text

    def sheet(found: re.Match[str]) -> str:
        rules = "".join(new(f"{rule}}}") for rule in found[1].split("}") if rule)
        return rules and f'<defs><style type="text/css">{rules}</style></defs>'

    page = re.sub(r'<defs><style type="text/css">([^<]*)</style></defs>', sheet, page)
    page = re.sub(r'<defs><\w+ id="m\w+"[^>]*/></defs>', lambda found: new(found[0]), page)
    page = re.sub(r'<clipPath id="\w+">.*?</clipPath>', lambda found: new(found[0]), page)
    return page.replace("<defs></defs>", "")


def _tenths(found: re.Match[str]) -> str:
    """An attribute of a drawing to a tenth of a point."""
    rounded = re.sub(r"(?<=\d\.\d)\d+", "", found[0])
    return re.sub(r"(?<=\d)\.0(?!\d)", "", rounded)


def _tip(found: re.Match[str]) -> str:
    """A line that is not seen, and what it says."""
    return f'<path class="tip" d="{found[2]}"><title>{found[1]}</title></path>'


def _tight(found: re.Match[str]) -> str:
    """Numbers of a path without the spaces that its letters make needless."""
    return re.sub(r" ?([A-Za-z]) (?=[-\d])| (?=[zZ])", lambda m: m[1] or "", found[0]).replace(
        ' "', '"'
    )


def _disc(found: re.Match[str]) -> str:
    """A disc that is drawn as eight curves, as a circle; anything else as it is."""
    if found[2].count("C") != _CURVES:
        return found[0]
    numbers = [float(part) for part in re.findall(r"-?[\d.]+", found[2])]
    x, bottom, top = numbers[0], numbers[1], numbers[_TOP]
    radius = abs(bottom - top) / 2
    return f'<circle{found[1] or ""} cx="{x:.1f}" cy="{(bottom + top) / 2:.1f}" r="{radius:.1f}"'


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


def _of_marks(text: str) -> str:
    """The class of a mark once, where the mark is defined, if all its places have the same.

    A page has one mark of a name: it is named by its class as well, which may be filled or not.
    """
    used: dict[str, set[str]] = {}
    for mark, said in re.findall(r'<use href="#(\w+)"([^>]*)/>', text):
        found = re.search(r' class="(\w+)"', said)
        used.setdefault(mark, set()).add(found[1] if found and " style=" not in said else "")
    for mark, names in used.items():
        has_one = re.search(rf'<\w+ id="{mark}"[^>]* class=', text)
        if len(names) == 1 and (name := names.pop()) and not has_one:
            own = f"m{_name(mark + name)}"
            text = re.sub(rf'(<use href="#){mark}("[^>]*) class="{name}"', rf"\1{own}\2", text)
            text = text.replace(f'id="{mark}"', f'id="{own}" class="{name}"', 1)
    return text


def _name(style: str) -> str:
    return "s" + hashlib.sha256(style.encode()).hexdigest()[:5]
