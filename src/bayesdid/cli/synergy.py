"""``bayesdid synergy``: posterior contrasts from the published cells alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def command(
    study: Annotated[Path, typer.Argument(help="Study folder, e.g. models/dual_pilot")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Posterior contrasts (is 1+1>2?) from published estimates and standard errors alone."""
    from bayesdid.families.registry.load import load_study
    from bayesdid.published.network import loop_of, network_posterior
    from bayesdid.published.synergy import published_synergy
    from bayesdid.published.verdict import published_verdicts

    loaded = load_study(study)
    synergy = published_synergy(loaded)
    verdicts = published_verdicts(loaded, synergy)
    policies = tuple(policy.id for policy in loaded.policies)
    networks = {}
    for name, independent in (("design", False), ("independent", True)):
        loop = loop_of(synergy, policies, independent=independent)
        if loop is not None:
            networks[name] = network_posterior(loop)
    if as_json:
        from bayesdid.cli.console import print_json
        from bayesdid.jsonio import plain

        rope = loaded.file.synergy.rope
        print_json(
            {
                "study": loaded.id,
                "contrasts": list(synergy.contrasts.values()),
                "verdicts": verdicts,
                "network": {
                    name: {"summaries": n.summaries(policies, rope), **plain(n)}
                    for name, n in networks.items()
                },
                "correlation": {
                    "estimands": synergy.estimands,
                    "matrix": synergy.correlation.tolist(),
                },
                "scale": {"value": synergy.scale, "source": synergy.scale_source},
                "notes": [note.text for note in synergy.notes],
            }
        )
        return
    _print(loaded, synergy, verdicts, networks)


def _print(loaded: Any, synergy: Any, verdicts: Any, networks: dict[str, Any]) -> None:
    from rich.table import Table

    from bayesdid.cli.console import out
    from bayesdid.estimands.names import RATIO
    from bayesdid.published.verdict import assumption_range
    from bayesdid.summary import percent

    outcome = loaded.file.outcome
    table = Table(
        title=f"{loaded.id}: contrasts from published cells, in {outcome.unit}",
        title_justify="left",
    )
    for heading in (
        "contrast",
        "mean (sd)",
        f"{percent()} HDI",
        "P(< 0)",
        "BF10 sceptical to weak",
        "P(claim), range",
    ):
        table.add_column(heading, justify="left" if heading == "contrast" else "right")
    for contrast in synergy.contrasts.values():
        main = contrast.main
        low, high = assumption_range(contrast)
        factors = [f"{factor.bf10:.3g}" for factor in contrast.bayes_factors]
        table.add_row(
            contrast.contrast.label,
            f"{main.mean:.3f} ({main.sd:.3f})",
            f"{main.interval.low:.3f} to {main.interval.high:.3f}",
            "" if contrast.contrast.name == RATIO else f"{main.p_negative:.3f}",
            f"{factors[0]} to {factors[-1]}" if factors else "",
            f"{contrast.p_claim['design', 1.0]:.3f} ({low:.3f} to {high:.3f})",
        )
    out.print(table)
    out.print("[bold]Claims[/]")
    for verdict in verdicts:
        out.print(
            f"  [bold]{verdict.word}[/], P = {verdict.p:.3f} ({verdict.p_low:.3f} to "
            f"{verdict.p_high:.3f}): “{verdict.text}” ({verdict.place})"
        )
    for name, network in networks.items():
        out.print(
            f"[bold]Loop none-single-both[/], {name} correlation: direct {network.direct[0]:.3f}, "
            f"through the singles {network.indirect[0]:.3f}, gap {network.gap:.3f} "
            f"(SE {network.gap_se:.3f})"
        )
    out.print(
        "Main column: correlation of the columns implied by the units they share, standard errors "
        "as printed, normal prior with sd 2.5 sd(y). Range: any correlation between the columns; "
        "standard errors doubled for serial correlation."
    )
    for note in synergy.notes:
        out.print(f"Note: {note.text}.")
