"""``bayesdid synergy``: posterior contrasts, from the published columns or from a panel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bayesdid.cli import model_options, reading

if TYPE_CHECKING:
    from bayesdid.panel.panel import Panel
    from bayesdid.study.load import Study


def command(
    study: Annotated[Path, typer.Argument(help="Study folder, e.g. models/dual_pilot")],
    panel: Annotated[
        Path | None,
        typer.Option(help="Panel file: contrasts from it. Default: the published columns."),
    ] = None,
    ensemble: Annotated[
        Path | None, typer.Option(help="Folder of reference panels: contrasts over all of them.")
    ] = None,
    sheet: reading.Sheet = None,
    skip: reading.Skip = None,
    spec: Annotated[
        str | None, typer.Option(help="With a panel: whose covariates and effects to use.")
    ] = None,
    errors: model_options.Errors = None,
    priors: model_options.Priors = None,
    draws: Annotated[int, typer.Option(min=50, help="With a panel: draws per chain.")] = 500,
    seed: reading.Seed = 0,
    rows: Annotated[
        Path | None,
        typer.Option(help="With a panel: CSV of the rows that each contrast averages over."),
    ] = None,
    trust: reading.Trust = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Posterior contrasts (is 1+1>2?): from published columns, a panel, or reference panels.

    A study that names no published cells is answered from the panel that it names; one that names
    neither, effect by effect from its printed columns.
    """
    from bayesdid.exceptions import InputError
    from bayesdid.families.registry.load import load_study
    from bayesdid.published.synergy import published_cells

    loaded = model_options.under_priors(load_study(study, trust=trust), priors)
    if ensemble is not None:
        for name, value in (("--panel", panel), ("--rows", rows), ("--sheet", sheet)):
            if value is not None:
                raise InputError(
                    f"{name} is about one panel, and an ensemble was named",
                    remedy=f"leave out --ensemble or {name}",
                )
        if skip is not None:
            raise InputError(
                "--skip is about one panel, and an ensemble was named", remedy="leave it out"
            )
        _ensemble(loaded, ensemble, spec, errors, draws, seed, as_json)
        return
    from bayesdid.panel.load import declares_panel, load_panel

    cells = published_cells(loaded)
    if panel is None and (cells or not declares_panel(loaded)):
        given: dict[str, object] = {"--spec": spec, "--errors": errors, "--priors": priors}
        given |= {"--rows": rows, "--sheet": sheet, "--skip": skip}
        for option, chosen in given.items():
            if chosen is not None:
                raise InputError(
                    f"{option} is about a panel, and the published columns were asked for",
                    remedy="name the panel with --panel FILE",
                )
        if cells:
            _published(loaded, seed, as_json)
        else:
            _effects(loaded, as_json)
        return
    data = load_panel(loaded, panel, sheet=sheet, skip=skip)
    _panel(loaded, data, spec, errors, draws, seed, rows, as_json)


def _published(loaded: Study, seed: int, as_json: bool) -> None:
    from bayesdid.audit.doubts import doubts
    from bayesdid.audit.misprints import carried, what_ifs
    from bayesdid.audit.run import audit_study
    from bayesdid.published.synergy import published_synergy
    from bayesdid.published.verdict import published_verdicts

    synergy = published_synergy(loaded, seed=seed)
    doubted = carried(synergy, doubts(loaded, audit_study(loaded)))
    verdicts = published_verdicts(loaded, synergy, doubted)
    otherwise = what_ifs(loaded, synergy, doubted, seed=seed)
    if not as_json:
        from bayesdid.cli.synergy_printed import print_published

        print_published(loaded, synergy, verdicts, otherwise, doubted)
        return
    from bayesdid.cli.console import print_json
    from bayesdid.report.validity import published_validity

    print_json(
        {
            "study": loaded.id,
            "contrasts": list(synergy.contrasts.values()),
            "verdicts": verdicts,
            "functional": synergy.functional.rename_axis("coefficient"),
            "held_out": synergy.held_out,
            "paths": synergy.path_weights,
            "left": synergy.left,
            "correlation": {
                "columns": synergy.columns.names,
                "matrix": synergy.correlation.tolist(),
            },
            "timing": {"knowledge": synergy.knowledge, "drawn": synergy.timings},
            "scale": {"value": synergy.scale, "source": synergy.scale_source},
            "doubts": list(doubted.values()),
            "what_if": otherwise,
            "notes": [note.text for note in synergy.notes],
            "coverage": published_validity(synergy.timings),
        }
    )


def _effects(loaded: Study, as_json: bool) -> None:
    """Effects as single columns print them, of a study without contrasts and without a panel."""
    from bayesdid.audit.doubts import doubts
    from bayesdid.audit.run import audit_study
    from bayesdid.published.single import effect_notes, printed_effects
    from bayesdid.report.claim_panel import NO_PANEL
    from bayesdid.report.claim_results import claims_section

    doubted = doubts(loaded, audit_study(loaded))
    effects = printed_effects(loaded, doubted)
    claims = claims_section(loaded, None, NO_PANEL)
    notes = effect_notes(loaded, effects)
    if not as_json:
        from bayesdid.cli.synergy_printed import print_effects

        print_effects(loaded, effects, claims, notes, doubted)
        return
    from bayesdid.cli.console import print_json

    print_json(
        {
            "study": loaded.id,
            "effects": effects,
            "claims": claims,
            "doubts": list(doubted.values()),
            "notes": [note.text for note in notes],
        }
    )


def _ensemble(
    loaded: Study,
    folder: Path,
    spec: str | None,
    errors: str | None,
    draws: int,
    seed: int,
    as_json: bool,
) -> None:
    from bayesdid.cli.console import out, print_json, progress
    from bayesdid.inference.executor import process_pool
    from bayesdid.model.errors import DEFAULT_ERRORS
    from bayesdid.reconstruct.combine import ensemble_synergy, read_members
    from bayesdid.summary import chance

    members = len(read_members(loaded, folder))
    with process_pool(), progress("members", members, lines=True) as done:
        found = ensemble_synergy(
            loaded,
            folder,
            spec=spec,
            errors=errors or DEFAULT_ERRORS,
            draws=draws,
            seed=seed,
            done=lambda _: done(),
        )
    if as_json:
        print_json(found)
        return
    out.print(f"SYNTHETIC: {found.synthetic}", soft_wrap=True, highlight=False)
    for text in found.sentences:
        out.print(text, soft_wrap=True, highlight=False)
    for contrast in found.contrasts.values():
        out.print(contrast.label, style="bold", highlight=False)
        for model, one in contrast.models.items():
            out.print(
                f"  {model}: {one.mean:.3f} (sd {one.sd:.3f}), not said by the tables "
                f"{one.share_open:.0%}, P(claim) {chance(one.p_claim)}",
                soft_wrap=True,
                highlight=False,
            )


def _panel(
    loaded: Study,
    data: Panel,
    spec: str | None,
    errors: str | None,
    draws: int,
    seed: int,
    rows: Path | None,
    as_json: bool,
) -> None:
    from bayesdid.estimands.synergy import synergy
    from bayesdid.estimands.violated_synergy import violated_synergy

    found = synergy(loaded, data, spec=spec, errors=errors, draws=draws, seed=seed)
    if rows is not None:
        import pandas as pd

        from bayesdid.jsonio import write_text
        from bayesdid.panel.write import csv_text

        frames = [item.rows.assign(contrast=name) for name, item in found.items()]
        write_text(rows, csv_text(pd.concat(frames)))
    violated = violated_synergy(loaded, data, found, spec=spec, draws=draws, seed=seed)
    if not as_json:
        from bayesdid.cli.synergy_printed import print_panel

        print_panel(loaded, found, violated)
        return
    from bayesdid.cli.console import print_json
    from bayesdid.report.validity import panel_validity

    print_json(
        {
            "study": loaded.id,
            "synthetic": found.synthetic,
            "contrasts": dict(found.contrasts),
            "refused": found.refused,
            "differing": found.differing,
            "notes": [note.text for note in found.notes],
            "violated": violated,
            "coverage": {name: panel_validity(name, len(loaded.policies)) for name in found},
        }
    )
