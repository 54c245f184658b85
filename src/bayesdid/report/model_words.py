"""What models and columns are called on a page, in the place of the names they are stored under."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bayesdid.estimands.beside import CELLS, CELLS_CLUSTERED, CELLS_IID, COLUMNS, STATIC

_PLAIN = {
    CELLS: "no pooling, same errors",
    CELLS_IID: "no pooling, i.i.d. errors",
    CELLS_CLUSTERED: "no pooling, clustered errors",
    STATIC: "constant effects",
    COLUMNS: "difference of two columns",
}


def model_name(model: str, results: Mapping[str, Any]) -> str:
    """A model in plain words, with the headings of columns for their identifiers.

    Examples
    --------
    >>> model_name("TWFE t1.2, default errors", {"titles": {"t1.2": "Weighted"}})
    'TWFE “Weighted”, default errors'
    """
    return _PLAIN.get(model) or with_titles(model, results)


def with_titles(text: str, results: Mapping[str, Any]) -> str:
    """Text with the heading of every column that it names by its identifier."""
    titles = results.get("titles", {})
    found = "|".join(re.escape(spec) for spec in sorted(titles, key=len, reverse=True))
    if not found:
        return text
    return re.sub(
        rf"(?<![\w.])(?:{found})(?![\w:]|\.\w)", lambda spec: f"“{titles[spec[0]]}”", text
    )


def spec_name(spec: str, results: Mapping[str, Any]) -> str:
    """The heading of a column, with its identifier where two columns share one.

    Examples
    --------
    >>> spec_name("t1.2", {"titles": {"t1.2": "Weighted", "t1.1": "Plain"}})
    'Weighted'
    """
    titles = results.get("titles", {})
    said = titles.get(spec, spec)
    return said if list(titles.values()).count(said) < 2 else f"{said} ({spec})"


def place_name(spec: str, results: Mapping[str, Any]) -> str:
    """The place of a column in print, where its heading begins with one; else the heading.

    Examples
    --------
    >>> titles = {"t.5": "Table 2 (5): Dual against none", "own.1": "Dual pilot by cohort"}
    >>> place_name("t.5", {"titles": titles}), place_name("own.1", {"titles": titles})
    ('Table 2 (5)', 'Dual pilot by cohort')
    """
    title = spec_name(spec, results)
    place, found, _ = title.partition("): ")
    return f"{place})" if found else title


_FITS = {
    "default": "default errors",
    "iid": "i.i.d. errors",
    "random": "random effects",
    "mundlak": "Mundlak effects",
    "flat": "flat priors, i.i.d. errors",
}


def fit_words(kind: str) -> str:
    """A variant of a column's model in words.

    Examples
    --------
    >>> fit_words("iid_mundlak"), fit_words("sceptical")
    ('i.i.d. errors, Mundlak effects', 'sceptical prior')
    """
    return ", ".join(_FITS.get(part, f"{part} prior") for part in kind.split("_"))


def short_title(title: str) -> str:
    """A title without the place of its column, unless that is a numbered table or figure."""
    place, _, name = title.partition("): ")
    numbered = any(c.isdigit() for c in place.partition(" (")[0])
    return title if numbered or not name else name
