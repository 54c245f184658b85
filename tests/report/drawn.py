"""What reports of tests do without: a second drawing of the same numbers, and a headline.

Twenty pages of one report differ in words alone.

A figure is a function of its numbers (``test_page_is_rendered_from_results_alone``), so that its
text may be kept; one whose numbers a test changes is drawn anew.
"""

from __future__ import annotations

import pickle
import pkgutil
from collections.abc import Callable, Iterator
from importlib import import_module
from types import ModuleType

import pytest

from bayesdid.exceptions import NotIdentifiedError
from bayesdid.report import figures, sections


def draw_once(patch: pytest.MonkeyPatch) -> None:
    """Keep what every ``*_figure`` that a section calls has drawn."""
    kept: dict[bytes, str] = {}
    for module, name, drawing in _drawings():
        patch.setattr(module, name, _kept(drawing, kept))


def draw_nothing(patch: pytest.MonkeyPatch) -> None:
    """An empty drawing for every figure, where a test asks for what stands around them."""
    for module, name, _ in _drawings():
        patch.setattr(module, name, lambda *_, **__: "<svg></svg>")


def _drawings() -> Iterator[tuple[ModuleType, str, Callable[..., str]]]:
    names = [f"{sections.__name__}.{item.name}" for item in pkgutil.iter_modules(sections.__path__)]
    for module in (figures, *map(import_module, names)):
        for name, drawing in vars(module).copy().items():
            if name.endswith("_figure") and callable(drawing):
                yield module, name, drawing


def without_headline(patch: pytest.MonkeyPatch) -> None:
    """Results whose panel has no answer of its own, which is a third of a run's work."""

    def refuse(*args: object, **options: object) -> None:
        raise NotIdentifiedError("this test asks for no headline")

    patch.setattr("bayesdid.report.results.headline_section", refuse)


def _kept(drawing: Callable[..., str], kept: dict[bytes, str]) -> Callable[..., str]:
    def drawn(*args: object, **options: object) -> str:
        key = pickle.dumps((drawing.__name__, args, options))
        if key not in kept:
            kept[key] = drawing(*args, **options)
        return kept[key]

    return drawn
