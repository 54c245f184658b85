"""What ``bayesdid synergy`` prints: contrasts from published columns, contrasts from a panel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bayesdid.audit.doubts import Doubt
    from bayesdid.estimands.synergy import Synergy
    from bayesdid.estimands.violated_synergy import SynergyViolated
    from bayesdid.exceptions import Note
    from bayesdid.published.single import PrintedEffect
    from bayesdid.study.load import Study


def print_published(loaded: Any, synergy: Any, verdicts: Any, otherwise: Any, doubted: Any) -> None:
    """Contrasts from published columns, the claims they decide, what decides them, and doubts."""
    from rich.table import Table

    from bayesdid.audit.misprints import doubt_sentences
    from bayesdid.cli.console import out, said
    from bayesdid.estimands.names import RATIO
    from bayesdid.estimands.verdict import rules
    from bayesdid.published.contrasts import MAIN
    from bayesdid.published.words import headline, published_sentences
    from bayesdid.report.validity import published_validity
    from bayesdid.summary import percent

    outcome = loaded.file.outcome
    table = Table(
        title=f"{loaded.id}: contrasts from published columns, in {outcome.unit}",
        title_justify="left",
    )
    for heading in (
        "contrast",
        "mean (sd)",
        f"{percent()} HDI",
        "P(< 0)",
        "P(claim), range",
        "cells subtracted (SE)",
    ):
        table.add_column(
            heading, justify="left" if heading == "contrast" else "right", overflow="fold"
        )
    for contrast in synergy.contrasts.values():
        main, (low, high) = contrast.main, contrast.range
        subtracted = contrast.naive == contrast.naive  # NaN where there is no such difference
        table.add_row(
            contrast.contrast.label,
            f"{main.mean:.3f} ({main.sd:.3f})",
            f"{main.interval.low:.3f} to {main.interval.high:.3f}",
            "" if contrast.contrast.name == RATIO else f"{main.p_negative:.3f}",
            f"{contrast.p_claim[MAIN]:.3f} ({low:.3f} to {high:.3f})",
            f"{contrast.naive:.3f} ({contrast.naive_se:.3f})" if subtracted else "",
        )
    out.print(table)
    out.print("Claims", style="bold")
    for verdict in verdicts:
        out.print(
            said(
                "  ",
                (verdict.word, "bold"),
                f", P = {verdict.p:.3f} ({verdict.p_low:.3f} to {verdict.p_high:.3f}): "
                f"“{verdict.text}” ({verdict.place})"
                + (f"; doubted: {', '.join(verdict.doubted)}" if verdict.doubted else ""),
            )
        )
    chosen = headline(synergy)
    out.print(chosen.label, style="bold")
    for sentence in published_sentences(synergy, chosen):
        out.print(f"  {sentence}")
    for sentence in doubt_sentences(synergy, otherwise, doubted, chosen.name):
        out.print(f"  {sentence}", highlight=False)
    out.print(
        "Main column: averaged over timings, paths of the single effects and autocorrelation of "
        "errors. Range: over every path and autocorrelation."
    )
    out.print(rules("the probability of the claim", "every path and autocorrelation"))
    out.print(published_validity(synergy.timings))
    for note in synergy.notes:
        out.print(f"Note: {note.text}.")


def print_effects(
    loaded: Study,
    effects: Sequence[PrintedEffect],
    claims: Sequence[Mapping[str, Any]],
    notes: Sequence[Note],
    doubted: Mapping[str, Doubt],
) -> None:
    """Effects as single columns print them, the claims they decide, and doubts."""
    from rich.table import Table

    from bayesdid.cli.console import out, said
    from bayesdid.estimands.verdict import rules
    from bayesdid.summary import percent

    unit = loaded.file.outcome.unit
    table = Table(title=f"{loaded.id}: printed effects, in {unit}", title_justify="left")
    heads = ("effect, column", "mean (sd)", f"{percent()} interval", "P(claim)", "claim")
    for heading in heads:
        left = heading == "effect, column"
        table.add_column(heading, justify="left" if left else "right", overflow="fold")
    for effect in effects:
        answer, several = effect.answer, len(effect.estimates) > 1
        span = f" ({answer.p_low:.3f} to {answer.p_high:.3f})" if several else ""
        for k, item in enumerate(effect.estimates):
            cell = effect.cells[k]
            mark = ", doubted" if cell in effect.doubted else ""
            place = cell.partition(":")[0]
            table.add_row(
                said((effect.term, "bold"), f", {place}{mark}") if not k else f"  {place}{mark}",
                f"{item.mean:.4g} ({item.sd:.3g})",
                f"{item.interval.low:.4g} to {item.interval.high:.4g}",
                f"{item.p_sign:.3f}{span if not k else ''}",
                f"{'<' if effect.below else '>'} 0: {answer.word}" if not k else "",
            )
    out.print(table)
    decided = [claim for claim in claims if claim["evidence"] is not None]
    if decided:
        out.print("Claims", style="bold")
    for claim in decided:
        answer = claim["evidence"]["answers"]["published"]
        size = (
            "" if answer["p_size"] is None else f", P(at least as large) = {answer['p_size']:.3f}"
        )
        out.print(
            said(
                "  ",
                (answer["word"], "bold"),
                f", P = {answer['p']:.3f} ({answer['p_low']:.3f} to {answer['p_high']:.3f}){size}: "
                f"“{claim['text']}” ({claim['place']})",
            )
        )
    for doubt in doubted.values():
        out.print(f"This rests on a doubt: {doubt.sentence}", highlight=False)
    out.print(rules("the probability of the claim", "every column of the effect"))
    for note in notes:
        out.print(f"Note: {note.text}.")


def print_panel(loaded: Study, synergy: Synergy, violated: SynergyViolated | None) -> None:
    """Contrasts from a panel, with every model beside, refusals, alerts and violated trends."""
    from rich.table import Table

    from bayesdid.cli.console import out, said
    from bayesdid.estimands.names import is_sum, main_contrast
    from bayesdid.estimands.verdict import rules
    from bayesdid.report.validity import panel_validity
    from bayesdid.summary import percent

    if synergy.synthetic:
        out.print(said(("SYNTHETIC PANEL", "bold"), f": {synergy.synthetic}"))
    table = Table(
        title=f"{loaded.id}: contrasts from the panel, in {loaded.file.outcome.unit}",
        title_justify="left",
    )
    for heading in ("contrast, model", "mean (sd)", f"{percent()} interval", "P(claim)", "word"):
        table.add_column(
            heading, justify="left" if heading == "contrast, model" else "right", overflow="fold"
        )
    few = len(synergy.rows.policies) < 3
    for contrast in synergy.values():
        low, high = contrast.p_range
        shown = list(contrast.models.items())
        if not (is_sum(contrast.name) or few):
            shown = shown[:1]
        for k, (name, says) in enumerate(shown):
            bias = "" if says.judged else f", biased by {says.bias:+.3f} here"
            table.add_row(
                said((contrast.label, "bold")) if not k else f"  {name}{bias}",
                f"{says.mean:.3f} ({says.sd:.3f})",
                f"{says.interval.low:.3f} to {says.interval.high:.3f}",
                f"{says.p_claim:.3f}" + (f" ({low:.3f} to {high:.3f})" if not k else ""),
                contrast.word if not k else "",
            )
    out.print(table)
    if not few:
        out.print("Models beside the first are shown of sums; --json has those of every contrast.")
    if synergy.differing is not None:
        out.print(synergy.differing.found)
    for contrast in synergy.values():
        for text in (contrast.refused, contrast.alert):
            if text:
                out.print(f"{contrast.label}: {text}")
    if violated is not None:
        from bayesdid.estimands.violated_synergy import sentences

        out.print(f"{violated.label}, if trends are not parallel", style="bold")
        main, unit = synergy[violated.name], loaded.file.outcome.unit
        for text in sentences(violated, main, unit):
            out.print(f"  {text}")
    for name, why in synergy.refused.items():
        out.print(f"Refused: {name}: {why}")
    out.print(
        rules(
            "the probability of the claim's direction; in parentheses its range over the models "
            "that do not suppose constant effects",
            "every one of these models",
        )
    )
    if len(synergy):
        out.print(panel_validity(main_contrast(synergy), len(synergy.rows.policies)))
    for note in synergy.notes:
        out.print(f"Note: {note.text}.")
