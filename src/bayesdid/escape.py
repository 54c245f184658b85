"""One escaping function for each format that text of a study or a panel is written to.

Titles, labels, units and names come from whoever wrote the study or the panel: nothing in them may
be a command, a tag, a formula or a markup of the format, and nothing of them may get lost.
"""

from __future__ import annotations

import re
from html import escape as _html

_TEX = {
    "&": r"\&",
    "%": r"\%",
    "_": r"\_",
    "#": r"\#",
    "$": r"\$",
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "−": "$-$",
    "÷": r"$\div$",
    "–": "--",
    "<": "$<$",
    ">": "$>$",
    "′": "$'$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "×": r"$\times$",
    "∼": r"$\sim$",
    "√": r"$\surd$",
    "₁": "$_1$",
    "₀": "$_0$",
    "⁻": "$^-$",
}
GREEK = {
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "delta": "δ",
    "eta": "η",
    "theta": "θ",
    "lambda": "λ",
    "mu": "μ",
    "nu": "ν",
    "pi": "π",
    "rho": "ρ",
    "sigma": "σ",
    "tau": "τ",
    "phi": "φ",
    "omega": "ω",
}
"""Letters of equations by their names."""
RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_TEX |= {raised: f"$^{digit}$" for digit, raised in enumerate(RAISED)}
_TEX |= {letter: rf"$\{name}$" for name, letter in GREEK.items()} | {"Σ": r"$\Sigma$"}
_FORMULA = ("=", "+", "-", "@")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_MARKDOWN = re.compile(r"([\\`*\[\]|~]|(?<!\w)_|_(?!\w))")


def html(text: str) -> str:
    """Text as HTML and SVG show it, in content and in quoted attributes."""
    return _html(text)


def tex(text: str) -> str:
    r"""Text as a cell of LaTeX shows it: no character of it is a command.

    It stays one line, so that it cannot leave a comment, and cannot begin with ``[`` or ``*``,
    which belong to the ``\\`` before them.
    """
    line = " ".join(text.split())
    shown = "".join(_TEX.get(char, char) for char in line)
    return f"{{{shown[0]}}}{shown[1:]}" if shown.startswith(("[", "*")) else shown


def spreadsheet(text: str) -> str:
    """Text of a cell that no spreadsheet takes for a formula: ``'=1+1`` in the place of ``=1+1``.

    A number stays one. See https://owasp.org/www-community/attacks/CSV_Injection.
    """
    bare = text.lstrip()
    formula = bare.startswith(_FORMULA) and not _NUMBER.fullmatch(bare.rstrip())
    return f"'{text}" if formula or text[:1] in {"\t", "\r"} else text


def from_spreadsheet(text: str) -> str:
    """What :func:`spreadsheet` was given: a cell of a file that was written with it."""
    return text[1:] if text[:1] == "'" and spreadsheet(text[1:]) == text else text


def terminal(text: str) -> str:
    """Text as a terminal shows it: no control character of it is obeyed.

    Consoles take no markup (:mod:`bayesdid.cli.console`), so that brackets are brackets.
    """
    return _CONTROL.sub(lambda found: found[0] if found[0] == "\n" else repr(found[0])[1:-1], text)


def markdown(text: str) -> str:
    """Text as a cell of a Markdown table shows it: no link, emphasis, tag or new cell."""
    return _MARKDOWN.sub(r"\\\1", _html(" ".join(text.split()), quote=False))


def drawn(text: str) -> str:
    r"""Text as matplotlib draws it, with ``text.parse_math`` off, so that ``$`` is a dollar.

    A leading underscore hides an entry from a legend; a word joiner before it does not show.
    """
    return f"\u2060{text}" if text.startswith("_") else text


def mathtext(text: str) -> str:
    """Text on a figure of the caller's, whose settings take dollars for mathematics."""
    return drawn(text).replace("$", r"\$")
