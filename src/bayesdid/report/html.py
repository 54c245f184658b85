"""Render results to a page and its supplement. Functions of ``results.json`` alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bayesdid.extras import require
from bayesdid.report.document.blocks import Document
from bayesdid.report.document.html import to_html
from bayesdid.report.document.numbering import Place, places
from bayesdid.report.pages import PAGE, SUPPLEMENT, documents

EVERYPAGE = "SYNTHETIC PANEL in the appendix: not evidence"


@dataclass(frozen=True, slots=True)
class Report:
    """A report before it is written in a format: its two documents and all numbers in them."""

    main: Document
    more: Document
    places: dict[str, Place]
    synthetic: bool


def build(results: dict[str, Any], since: dict[str, Any] | None = None) -> Report:
    """The documents of a report, numbered; with what changed `since` an earlier run."""
    require("report")
    main, more = documents(results, since)
    found = places({PAGE: ("", main), SUPPLEMENT: ("S", more)})
    return Report(main, more, found, bool(results["synthetic"]))


def render(results: dict[str, Any]) -> tuple[str, str]:
    """The page and its supplement as HTML.

    Parameters
    ----------
    results
        What ``results.json`` holds: every number on the page is looked up here.
    """
    return pages(build(results))


def pages(report: Report) -> tuple[str, str]:
    """A report's page and supplement as HTML."""
    page = to_html(report.main, PAGE, report.places, other=(SUPPLEMENT, "Supplement"))
    more = to_html(
        report.more,
        SUPPLEMENT,
        report.places,
        other=(PAGE, "The report"),
        everypage=EVERYPAGE if report.synthetic else "",
    )
    return page, more
