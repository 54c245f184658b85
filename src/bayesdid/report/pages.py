"""The page and its supplement: parts in one order for every study, empty ones left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayesdid.report.document.blocks import (
    Block,
    Document,
    Figure,
    Fold,
    Heading,
    Section,
    Text,
    ref,
    split_refs,
    walk,
)
from bayesdid.report.sections.analyses import analyses
from bayesdid.report.sections.audit import audit
from bayesdid.report.sections.available import APPENDIX
from bayesdid.report.sections.changes import changes_part
from bayesdid.report.sections.checks import checks
from bayesdid.report.sections.depends import alerts
from bayesdid.report.sections.design import design
from bayesdid.report.sections.examination import examination
from bayesdid.report.sections.front import front
from bayesdid.report.sections.methods import methods
from bayesdid.report.sections.panel import effects, events, synergy
from bayesdid.report.sections.part import Part, Results
from bayesdid.report.sections.published import published
from bayesdid.report.sections.reference import reference
from bayesdid.report.sections.robustness import robustness
from bayesdid.report.sections.statements import statements
from bayesdid.report.term_words import coefficients_in_words, in_words, titled

PAGE, SUPPLEMENT, ARTICLE = "index.html", "supplement.html", "report.pdf"


def documents(
    results: Results, since: Mapping[str, Any] | None = None
) -> tuple[Document, Document]:
    """The page, and the supplement with what the page has no room for.

    Parameters
    ----------
    since
        What changed since an earlier run (:func:`bayesdid.report.against.changes`).
    """
    parts = [part for part in _parts(in_plain_words(results)) if part.main or part.more]
    if since is not None:
        parts.insert(1, changes_part(since))
    apart = [part for part in parts if part.of_panel and results["synthetic"]]
    kept = [part for part in parts if part not in apart]
    title = results["study"]["title"]
    head: tuple[Block, ...] = (Text(f"bayesdid report · {results['study']['citation']}", "soft"),)
    main = [Section(p.key, p.title, (*p.main, *_leads(p)), p.stamped) for p in kept if p.main]
    more = [
        Section(f"s-{p.key}", p.title or "The answer", (*_back(p), *p.more), p.stamped)
        if p.main
        else Section(p.key, p.title, p.more, p.stamped)
        for p in kept
        if p.more
    ]
    if apart:
        more.append(_appendix(apart, results))
    if not more:
        more.append(Section("whole", "Nothing more", (Text("The page holds all there is."),)))
    return (Document(title, tuple(main), head), Document(f"Supplement: {title}", tuple(more), head))


def in_plain_words(results: Results) -> Results:
    """Results whose sentences, tables and drawings name terms and columns as the study does.

    What other parts look up by name stays as it is stored.
    """

    def said(value: Any) -> Any:
        return titled(in_words(value, results), results)

    spoken = ("sentences", "figures", "tables", "peers", "notes", "failed")
    examined = results["examination"]
    headline = bool(results["headline"].get("contrasts"))  # whose model is then what is examined

    def own(value: Any) -> Any:
        return coefficients_in_words(value, results) if headline else value

    return {
        **results,
        "analyses": [
            {key: said(value) if key in spoken else value for key, value in item.items()}
            for item in results["analyses"]
        ],
        "examination": {
            **examined,
            "of": titled(examined["of"], results),
            "results": said(own(examined["results"])),
            "standards": in_words(own(examined["standards"]), results),
        },
        "weights": said(results["weights"]),
        "headline": {
            **results["headline"],
            "notes": in_words(results["headline"]["notes"], results, columns=False),
            "refused": {
                in_words(name, results, columns=False): in_words(why, results, columns=False)
                for name, why in results["headline"]["refused"].items()
            },
            "contrasts": {
                name: item | {"refused": in_words(item["refused"], results, columns=False)}
                for name, item in results["headline"]["contrasts"].items()
            },
        },
        "sums": [
            item | {"refused": in_words(item["refused"], results, columns=False)}
            for item in results["sums"]
        ],
        "samples": in_words(results["samples"], results, columns=False),
        "panel": results["panel"]
        and {
            **results["panel"],
            "notes": in_words(results["panel"]["notes"], results, columns=False),
        },
    }


def _leads(part: Part) -> tuple[Block, ...]:
    """From a section of the page to what the supplement has of it, if nothing there leads to it."""
    if not part.more or not part.title or _sums_up(part):
        return ()
    return (Text(f"More: {ref(f's-{part.key}')}.", "soft"),)


def _sums_up(part: Part) -> bool:
    """Whether the page has the sentences and figures of the supplement, and leads to each."""
    below = {block.key for block in walk(part.more) if isinstance(block, Heading) and block.key}
    return bool(below & _named(part.main))


def _once(part: Part) -> tuple[Block, ...]:
    """What the page would show of a part, if what follows it does not say the same."""
    return () if _sums_up(part) else part.main


def _named(blocks: tuple[Block, ...]) -> set[str]:
    """Keys that paragraphs and captions refer to."""
    found: set[str] = set()
    for block in walk(blocks):
        match block:
            case Text(text=said):
                found |= {key for _, key in split_refs(said)}
            case Figure(caption=said, note=note):
                found |= {key for _, key in split_refs(said + note)}
    return found


def _back(part: Part) -> tuple[Block, ...]:
    """From a section of the supplement to that of the page."""
    return (Text(f"On the page: {ref(part.key)}.", "soft"),) if part.title else ()


def _parts(results: Results) -> list[Part]:
    found = analyses(results)
    dynamics = [part for part in found if part.key == "dynamics"]
    together = [part for part in found if part.key == "synergy"]
    rest = [part for part in found if part not in dynamics and part not in together]
    printed, checked, asked = published(results), checks(results), examination(results)
    return [
        front(results),
        design(results),
        *([printed] if printed else []),
        *([reference(results)] if results["reference"] else []),
        effects(results),
        *dynamics,
        events(results),
        synergy(results),
        *together,
        *rest,
        robustness(results),
        *([checked] if checked else []),
        *([asked] if asked else []),
        audit(results),
        methods(results),
        *statements(results),
    ]


def _appendix(parts: list[Part], results: Results) -> Section:
    """Everything of a synthetic panel, folded and stamped, under one heading."""
    blocks: list[Block] = [
        Text(
            f"Synthetic panel: {results['synthetic']}. Everything below describes this stand-in, "
            "not the world.",
            "stamp",
        )
    ]
    off = [alert for alert in results["alerts"] if alert not in alerts(results)]
    blocks += [Text(f"{alert['title']}. {alert['text']}") for alert in off]
    blocks += [
        Fold(part.title, (Heading(part.title, part.key), *_once(part), *part.more))
        for part in parts
    ]
    return Section(APPENDIX, "What these models would show on a stand-in", tuple(blocks), True)
