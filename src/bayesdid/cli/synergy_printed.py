"""What ``bayesdid synergy`` prints: contrasts from published columns, contrasts from a panel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayesdid.summary import chance

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bayesdid.audit.doubts import Doubt
    from bayesdid.estimands.beside import ModelSays
    from bayesdid.estimands.synergy import Synergy
    from bayesdid.estimands.violated_synergy import SynergyViolated
    from bayesdid.exceptions import Note
    from bayesdid.published.single import PrintedEffect
    from bayesdid.study.load import Study


def print_published(loaded: Any, synergy: Any, verdicts: Any, otherwise: Any, doubted: Any) -> None:
    """Contrasts from published columns, the claims they decide, what decides them, and doubts."""
    from bayesdid.audit.misprints import doubt_sentences
    from bayesdid.cli.console import out, said
    from bayesdid.estimands.verdict import rules
    from bayesdid.published.contrasts import MAIN
    from bayesdid.published.words import headline, published_sentences
    from bayesdid.report.validity import published_validity
    from bayesdid.summary import percent

    out.print(f"{loaded.id}: contrasts from published columns, in {loaded.file.outcome.unit}")
    rows = [("contrast", "mean (sd)", f"{percent()} HDI", "P(claim)", "range", "subtracted")]
    for contrast in synergy.contrasts.values():
        main, (low, high) = contrast.main, map(chance, contrast.range)
        subtracted = contrast.naive == contrast.naive  # NaN where there is no such difference
        rows.append(
            (
                contrast.contrast.label,
                f"{main.mean:.3f} ({main.sd:.3f})",
                f"{main.interval.low:.3f} to {main.interval.high:.3f}",
                chance(contrast.p_claim[MAIN]),
                f"{low} to {high}",
                f"{contrast.naive:.3f} ({contrast.naive_se:.3f})" if subtracted else "",
            )
        )
    for line in _lined(rows, out.width):
        out.print(line)
    out.print("Claims", style="bold")
    for verdict in verdicts:
        out.print(
            said(
                "  ",
                (verdict.word, "bold"),
                f", {_spread(verdict.p, verdict.p_low, verdict.p_high)}: "
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
        "Mean, interval and P(claim): averaged over timings, paths of the single effects and "
        "autocorrelation of errors. Range: over every path and autocorrelation. Subtracted: what "
        "the difference of printed cells is, with its standard error."
    )
    out.print(rules("the probability of the claim", "every path and autocorrelation"))
    out.print(published_validity(synergy.timings))
    for note in synergy.notes:
        out.print(f"Note: {note.text}.")


def _spread(p: float, low: float, high: float) -> str:
    """A probability with its range in parentheses, none of them written as 0 or 1."""
    said, *ends = map(chance, (p, low, high))
    return f"P {said}" if ends == [said, said] else f"P {said} ({ends[0]} to {ends[1]})"


def _lined(rows: Sequence[tuple[str, ...]], width: int) -> list[str]:
    """Rows under one another: a name to the left, numbers to the right.

    A name that leaves no room for the numbers has a line of its own, so that no word is broken.
    """
    columns = list(zip(*rows, strict=True))
    widths = [max(map(len, column)) for column in columns[1:]]
    room = width - sum(widths) - 2 * len(widths) - 2
    left = max([len(name) for name in columns[0] if len(name) <= room], default=0)
    deeper = 2 if room >= 0 else 0
    lines = []
    for name, *numbers in rows:
        said = "  ".join(text.rjust(size) for text, size in zip(numbers, widths, strict=True))
        apart = f"\n{' ' * (left + 2 if left else deeper)}" if len(name) > left else ""
        lines.append(f"  {name}{apart or ' ' * (left - len(name))}  {said}")
    return lines


def print_effects(
    loaded: Study,
    effects: Sequence[PrintedEffect],
    claims: Sequence[Mapping[str, Any]],
    notes: Sequence[Note],
    doubted: Mapping[str, Doubt],
) -> None:
    """Effects as single columns print them, the claims they decide, and doubts."""
    from bayesdid.cli.console import out, said
    from bayesdid.estimands.verdict import rules
    from bayesdid.summary import percent

    out.print(f"{loaded.id}: printed effects, in {loaded.file.outcome.unit}")
    heads = ("column", "mean (sd)", f"{percent()} interval", "P(claim)")
    rows = [
        [_effect_row(loaded, effect, k) for k in range(len(effect.cells))] for effect in effects
    ]
    lines = iter(_lined([heads, *(row for group in rows for row in group)], out.width))
    out.print(next(lines))
    for effect, group in zip(effects, rows, strict=True):
        answer = effect.answer
        side = "<" if effect.below else ">"
        several = len(group) > 1
        sure = (
            _spread(answer.p, answer.p_low, answer.p_high) if several else f"P {chance(answer.p)}"
        )
        says = f" {side} 0: {answer.word}, {sure}"
        out.print(said((effect.term, "bold"), says))
        for _ in group:
            out.print(next(lines))
    decided = [claim for claim in claims if claim["evidence"] is not None]
    if decided:
        out.print("Claims", style="bold")
    for claim in decided:
        answer = claim["evidence"]["answers"]["published"]
        size = (
            "" if answer["p_size"] is None else f", P(at least as large) {chance(answer['p_size'])}"
        )
        out.print(
            said(
                "  ",
                (answer["word"], "bold"),
                f", {_spread(answer['p'], answer['p_low'], answer['p_high'])}{size}: "
                f"“{claim['text']}” ({claim['place']})",
            )
        )
    for doubt in doubted.values():
        out.print(f"This rests on a doubt: {doubt.sentence}", highlight=False)
    out.print(rules("the probability of the claim", "every column of the effect"))
    for note in notes:
        out.print(f"Note: {note.text}.")


def _effect_row(loaded: Study, effect: PrintedEffect, k: int) -> tuple[str, str, str, str]:
    """A column of an effect: place, mean and sd, interval and P, with the places of its print."""
    item, ref = effect.estimates[k], effect.cells[k]
    printed = loaded.cell(ref)
    places = max(printed.value.places, printed.se.places if printed.se else 0, 0)
    return (
        ref.partition(":")[0] + (", doubted" if ref in effect.doubted else ""),
        f"{item.mean:.{places}f} ({item.sd:.{places}f})",
        f"{item.interval.low:.{places}f} to {item.interval.high:.{places}f}",
        chance(item.p_sign),
    )


def _model_row(name: str, says: ModelSays) -> tuple[str, str, str, str]:
    """A model of a contrast: its name with its bias, mean and sd, interval and P."""
    return (
        name if says.judged else f"{name}, biased by {says.bias:+.3f} here",
        f"{says.mean:.3f} ({says.sd:.3f})",
        f"{says.interval.low:.3f} to {says.interval.high:.3f}",
        chance(says.p_claim),
    )


def print_panel(loaded: Study, synergy: Synergy, violated: SynergyViolated | None) -> None:
    """Contrasts from a panel, with every model beside, refusals, alerts and violated trends."""
    from bayesdid.cli.console import out, said
    from bayesdid.estimands.names import is_sum, main_contrast, main_first
    from bayesdid.estimands.verdict import rules
    from bayesdid.report.validity import panel_validity
    from bayesdid.summary import percent

    if synergy.synthetic:
        out.print(said(("SYNTHETIC PANEL", "bold"), f": {synergy.synthetic}"))
    out.print(f"{loaded.id}: contrasts from the panel, in {loaded.file.outcome.unit}")
    few = len(synergy.rows.policies) < 3
    groups = []
    for contrast in map(synergy.__getitem__, main_first(synergy)):
        shown = list(contrast.models.items())
        if not (is_sum(contrast.name) or few):
            shown = shown[:1]
        groups.append((contrast, [_model_row(name, says) for name, says in shown]))
    heads = ("model", "mean (sd)", f"{percent()} interval", "P(claim)")
    lines = iter(_lined([heads, *(row for _, rows in groups for row in rows)], out.width))
    out.print(next(lines))
    for contrast, rows in groups:
        says = f": {contrast.word}, {_spread(contrast.p_claim, *contrast.p_range)}"
        out.print(said((contrast.label, "bold"), says))
        for _ in rows:
            out.print(next(lines))
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
