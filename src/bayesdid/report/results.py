"""Everything a report says, computed once, as one dictionary that becomes ``results.json``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from bayesdid.checks.store import StoredChecks, check_or_reuse
from bayesdid.design.counted import counted
from bayesdid.design.design import Design
from bayesdid.exceptions import InputError
from bayesdid.families.registry.discover import families
from bayesdid.families.registry.family import AnyFamily
from bayesdid.families.run import plan_analyses
from bayesdid.families.store import StoredAnalysis, analyse_all
from bayesdid.files import sweep
from bayesdid.inference.executor import attempt, map_fits, one_thread, using
from bayesdid.inference.longer import taken_of
from bayesdid.inference.plan import CHECKED, VARIANTS, Plan, against_least_squares, plan_fits
from bayesdid.inference.registry import Size
from bayesdid.inference.store import StoredFit, fit_or_reuse
from bayesdid.inference.tree import package_versions
from bayesdid.jsonio import plain
from bayesdid.panel.adoption import adopted_orders, arm, only
from bayesdid.panel.panel import Panel
from bayesdid.peers.agreement import Agreement, agree
from bayesdid.peers.fixest import Estimates, least_squares
from bayesdid.report.again import report_command
from bayesdid.report.alert_results import alerts_section
from bayesdid.report.claim_panel import NO_PANEL, PanelEvidence, permuted
from bayesdid.report.claim_results import (
    headline_models,
    stated_effects,
    static_models,
    width_of,
    without_quantiles,
)
from bayesdid.report.design_results import design_section, no_design
from bayesdid.report.effects_results import effects_section
from bayesdid.report.event_results import event_sections
from bayesdid.report.examination_results import examination_section, nothing_examined
from bayesdid.report.headline_results import headline_section, no_headline
from bayesdid.report.panel_results import panel_section
from bayesdid.report.printed_results import printed_sections
from bayesdid.report.reference_results import reference_section
from bayesdid.report.run import Run
from bayesdid.report.weights_results import weight_rows, weights_section
from bayesdid.study.load import Study
from bayesdid.study.schema import Outcome

Progress = Callable[[str], None]
PARTS = ("fits", "checks", "analyses", "headline", "examination", "summaries")  # of a run, in order


def compute_results(
    study: Study,
    panel: Panel | None,
    folder: Path,
    *,
    executor: Executor | None = None,
    draws: int = 1000,
    seed: int = 0,
    step: Callable[[str, int], Progress] | None = None,
    run: Run | None = None,
    options: Mapping[str, str | int | bool | None] | None = None,
) -> dict[str, Any]:
    """Fit, check, contrast, audit: the same for the same seed, fresh or resumed.

    Parameters
    ----------
    panel
        None: what the printed tables say alone; everything of a panel is empty, ``panel`` null.
    folder
        Where fits are stored and found again.
    executor
        Runs fits, checks and analyses side by side; default that of
        :func:`bayesdid.inference.executor.using`. The results do not depend on it.
    draws
        Per chain, of four chains.
    step
        ``step(description, total)`` returns a callback for each unit of progress.
    run
        Takes down what was reused and how long it took.
    options
        Of the command that makes the report again:
        :func:`bayesdid.report.again.report_command`.

    Raises
    ------
    InputError
        If there is neither a panel nor a printed table.
    """
    run = Run() if run is None else run
    if panel is None:
        with run.stage("printed numbers"):
            found = _of_print(study, seed)
    else:
        with using(executor) if executor is not None else nullcontext(), one_thread():
            found = _compute(study, panel, folder, draws, seed, step or _silent, run)
    again = report_command(study, panel, draws=draws, seed=seed, options=options)
    return found | {"provenance": found["provenance"] | {"command": again}}


def _silent(_description: str, _total: int) -> Progress:
    return lambda _: None


def _compute(
    study: Study,
    panel: Panel,
    folder: Path,
    draws: int,
    seed: int,
    begin: Callable[[str, int], Progress],
    run: Run,
) -> dict[str, Any]:
    plan = plan_fits(study, panel, size=Size(draws=draws, seed=seed))
    failed = {spec: plan.skipped[spec] for spec in plan.failed}
    with run.stage("fits"):
        stored = _fits(plan, folder, begin, failed)
    for fit in stored:
        run.notes += fit.notes
        run.fits.append(_fact(fit) | {"seconds": round(fit.seconds, 3)})
    with run.stage("checks"):
        checks = _checks(study, panel, stored, begin, run, failed)
    trees: dict[str, dict[str, xr.DataTree]] = {}
    for fit, tree in zip(stored, map_fits(_light, stored), strict=True):
        trees.setdefault(fit.request.design.spec_id, {})[fit.request.label] = tree
    requests = plan_analyses(study, panel, draws=draws, seed=seed)
    with run.stage("analyses"):
        analyses = analyse_all(requests, folder, done=begin("analyses", len(requests)))
    for item in analyses:
        run.notes += item.notes
        run.analyses.append(
            {"spec": item.spec_id, "reused": item.reused, "seconds": round(item.seconds, 3)}
        )
    failed |= {item.spec_id: item.refused for item in analyses if item.failed}
    done = begin("headline", 1)
    with run.stage("headline"):
        made = attempt(partial(headline_section, study, panel, seed=seed), folder)
        headline = made.value or no_headline(made.failed)
    done("")
    done = begin("examination", 1)
    with run.stage("examination"):
        examination = examination_section(study, panel, stored, headline, folder)
    done("")
    if made.failed:
        failed["contrasts of the panel"] = made.failed
    begin("summaries", 1)
    with run.stage("summaries"):
        return _results(
            study,
            panel,
            draws,
            seed,
            plan,
            stored,
            checks,
            trees,
            analyses,
            headline,
            examination,
            failed,
        )


def _fits(
    plan: Plan, folder: Path, begin: Callable[[str, int], Progress], failed: dict[str, str]
) -> list[StoredFit]:
    """The fits of all specs whose every fit was made; why there are none of the others."""
    sweep(folder)
    done = begin("fits", len(plan.requests))
    make = partial(attempt, partial(fit_or_reuse, folder=folder))
    made = map_fits(make, plan.requests, done=lambda request: done(request.design.spec_id))
    for request, item in zip(plan.requests, made, strict=True):
        if item.failed:
            failed.setdefault(request.design.spec_id, f"{request.label}: {item.failed}")
    fits = [item.value for item in made if item.value is not None]
    return [fit for fit in fits if fit.request.design.spec_id not in failed]


@dataclass(frozen=True, slots=True)
class _Beside:
    """What stands beside the posteriors of one spec."""

    estimates: Estimates
    agreement: Agreement
    weights: list[dict[str, Any]]


def _beside(
    design: Design, study: Study, panel: Panel, trees: dict[str, dict[str, xr.DataTree]]
) -> _Beside:
    """Least squares, agreement of its fits with them, and the weights of its coefficients."""
    spec, estimates = design.spec_id, least_squares(design)
    kinds = against_least_squares(design).items()
    fits = {kind: trees[spec][name] for kind, name in kinds if name in trees[spec]}
    agreement = agree(design, fits, spec=study[spec], estimates=estimates)
    return _Beside(estimates, agreement, weight_rows(study, panel, design))


def _results(
    study: Study,
    panel: Panel,
    draws: int,
    seed: int,
    plan: Plan,
    stored: list[StoredFit],
    checks: list[dict[str, Any]],
    trees: dict[str, dict[str, xr.DataTree]],
    analyses: list[StoredAnalysis],
    headline: dict[str, Any],
    examination: dict[str, Any],
    failed: dict[str, str],
) -> dict[str, Any]:
    beside: dict[str, _Beside] = {}
    for spec in trees:
        if spec in failed:
            continue
        look = partial(_beside, study=study, panel=panel, trees=trees)
        made = attempt(look, plan.designs[spec])
        if made.value is None:
            failed.setdefault(spec, made.failed)
        else:
            beside[spec] = made.value
    trees = {spec: kinds for spec, kinds in trees.items() if spec in beside}
    stored = [fit for fit in stored if fit.request.design.spec_id in beside]
    checks = [item for item in checks if item["spec"] in beside]
    designs = {spec: plan.designs[spec] for spec in beside}
    estimates = {spec: item.estimates for spec, item in beside.items()}
    agreements = [item.agreement for item in beside.values()]
    contents = [item.content for item in analyses if item.content is not None]
    contrasts = panel_section(study, panel, trees, estimates)
    evidence = PanelEvidence(
        trees,
        estimates,
        stated_effects(contents),
        headline_models(headline),
        {(item["spec"], item["kind"]): width_of(plain(item["results"])) for item in checks},
        static_models(contrasts),
        permuted(study, trees, designs),
    )
    ran = [*designs, *(item["spec"] for item in contents if item["spec"] not in designs)]
    results = printed_sections(study, panel, evidence, headline, ran, failed, seed=seed) | {
        "panel": _panel(study, panel),
        "design": design_section(study, panel),
        "synthetic": panel.synthetic or "",
        "reference": reference_section(study, panel),
        "headline": _headline(headline),
        "contrasts": contrasts,
        "effects": effects_section(study, trees),
        "event_studies": event_sections(study, panel, trees, designs),
        "analyses": [item | {"effects": without_quantiles(item["effects"])} for item in contents],
        "sections": sections(contents, families()),
        "refused": {
            item.spec_id: item.refused for item in analyses if item.refused and not item.failed
        },
        "weights": weights_section([row for item in beside.values() for row in item.weights]),
        "agreement": agreements,
        "identity": _identity(agreements),
        "samples": {spec: counted(design) for spec, design in designs.items()},
        "checks": checks,
        "examination": examination,
        "fits": [_fit(fit, trees) for fit in stored],
        "priors": _priors(trees),
        "skipped": {
            spec: reason
            for spec, reason in plan.skipped.items()
            if spec not in failed and not families()[study[spec].column.family].has_analysis
        },
        "provenance": _provenance(len(plan.requests), estimates, draws, seed),
    }
    return _with_alerts(results)


def _of_print(study: Study, seed: int) -> dict[str, Any]:
    """Results of a study without a panel: the same keys, empty where they are about one."""
    if not study.tables:
        raise InputError(
            "the study has neither a panel nor a printed table: there is nothing to report",
            file=study.path / "study.toml",
            remedy="pass a panel with --panel FILE, or draft a study of a paper's tables with "
            "bayesdid import PAPER",
        )
    headline = no_headline("")
    results = printed_sections(study, None, NO_PANEL, headline, [], {}, seed=seed) | {
        "panel": None,
        "design": no_design(),
        "synthetic": "",
        "reference": None,
        "headline": _headline(headline),
        "contrasts": None,
        "effects": [],
        "event_studies": [],
        "analyses": [],
        "sections": [],
        "refused": {},
        "weights": weights_section([]),
        "agreement": [],
        "identity": _identity([]),
        "samples": {},
        "checks": [],
        "examination": nothing_examined(""),
        "fits": [],
        "priors": {},
        "skipped": {},
        "provenance": _provenance(0, {}, 0, seed),
    }
    return _with_alerts(results)


def _with_alerts(results: dict[str, Any]) -> dict[str, Any]:
    shown = dict(plain(results))
    return shown | {"alerts": plain(alerts_section(shown))}


def _headline(headline: dict[str, Any]) -> dict[str, Any]:
    """Without what has served other sections."""
    return {
        key: value for key, value in headline.items() if key not in ("quantiles", "examination")
    }


def sections(contents: list[dict[str, Any]], known: dict[str, AnyFamily]) -> list[dict[str, Any]]:
    """Where analyses stand in the report, as their families say: sections, and specs in each.

    Parameters
    ----------
    contents
        Analyses as dictionaries.
    known
        Families by name, in the order of the report.
    """
    place = {name: k for k, name in enumerate(known)}
    found: dict[str, dict[str, Any]] = {}
    for item in sorted(contents, key=lambda item: place[item["family"]]):
        section = known[item["family"]].section
        entry = {"key": section.key, "heading": section.heading, "lead": section.lead, "specs": []}
        found.setdefault(section.key, entry)["specs"].append(item["spec"])
    return list(found.values())


def _light(stored: StoredFit) -> xr.DataTree:
    return stored.load(effects=False)


def _checks(
    study: Study,
    panel: Panel,
    stored: list[StoredFit],
    begin: Callable[[str, int], Progress],
    run: Run,
    failed: dict[str, str],
) -> list[dict[str, Any]]:
    arms = arm(panel.adoption)
    checked = [fit for fit in stored if fit.request.label in CHECKED]
    done = begin("checks", len(checked))
    check = partial(_check, arms=arms, outcome=study.file.outcome, labels=panel.unit_labels)
    made = map_fits(
        partial(attempt, check), checked, done=lambda fit: done(fit.request.design.spec_id)
    )
    found = []
    for fit, tried in zip(checked, made, strict=True):
        item = tried.value
        if item is None:
            failed.setdefault(fit.request.design.spec_id, f"checks: {tried.failed}")
            continue
        run.notes += item.notes
        run.checks.append(_fact(fit) | {"reused": item.reused})
        found.append(
            {"spec": fit.request.design.spec_id, "kind": fit.request.label, "results": item.results}
        )
    return found


def _check(
    fit: StoredFit, arms: pd.Series, outcome: Outcome, labels: dict[str, str]
) -> StoredChecks:
    return check_or_reuse(fit, arms, outcome.minimum_of(fit.request.design.outcome), labels)


def _fact(fit: StoredFit) -> dict[str, Any]:
    return {"spec": fit.request.design.spec_id, "kind": fit.request.label, "reused": fit.reused}


def _panel(study: Study, panel: Panel) -> dict[str, Any]:
    adoption = panel.adoption
    return {
        "rows": len(panel.frame),
        "units": len(panel.units),
        "periods": len(panel.periods),
        "first": int(panel.periods[0]),
        "last": int(panel.periods[-1]),
        "unit": panel.unit,
        "period": panel.period,
        "balanced": panel.is_balanced,
        "arms": arm(adoption).value_counts().to_dict(),
        "only": only(adoption).replace("", pd.NA).dropna().value_counts().to_dict(),
        "sequences": adopted_orders(panel).replace("", pd.NA).dropna().value_counts().to_dict(),
        "source": panel.source,
        "sha256": panel.sha256,
        "notes": [note.text for note in panel.notes],
        "outcome_mean": float(panel.frame[study.file.outcome.column].mean()),
        "outcome_sd": float(panel.frame[study.file.outcome.column].std()),
    }


def _identity(agreements: list[Agreement]) -> dict[str, Any]:
    judged = [item for item in agreements if item.identity is not None]
    gaps = [float(item.table["flat_gap_mcse"].abs().max()) for item in judged]
    return {
        "specs": len(judged),
        "holds": sum(bool(item.identity) for item in judged),
        "explained": sum(item.holds for item in judged),
        "parameters": sum(int(item.table["ols"].notna().sum()) for item in judged),
        "largest_gap_mcse": max(gaps, default=float("nan")),
    }


def _fit(fit: StoredFit, trees: dict[str, dict[str, xr.DataTree]]) -> dict[str, Any]:
    tree = trees[fit.request.design.spec_id][fit.request.label]
    attrs = tree.attrs
    return {
        "spec": fit.request.design.spec_id,
        "kind": fit.request.label,
        "engine": attrs["engine"],
        "converged": bool(attrs["converged"]),
        "gate": json.loads(attrs["gate"]),
        "draws_taken": taken_of(tree),
        "log_evidence": float(attrs["log_evidence"]),
        "n": fit.request.design.n,
    }


def _priors(trees: dict[str, dict[str, xr.DataTree]]) -> dict[str, Any]:
    """Priors of the first spec under each kind, as an example in numbers."""
    for spec, kinds in trees.items():
        return {"spec": spec, **{k: json.loads(t.attrs["priors"]) for k, t in kinds.items()}}
    return {}


def _provenance(
    fits: int, estimates: dict[str, Estimates], draws: int, seed: int
) -> dict[str, Any]:
    return {
        "versions": package_versions(),
        "draws": draws,
        "chains": 4 if fits else 0,
        "seed": seed,
        "specs": len(estimates),
        "fits": fits,
        "variants": {name: asdict(variant) for name, variant in VARIANTS.items()},
        "largest_cluster_ratio": max(
            (
                float((e.table["se_cluster"] / e.table["se_iid"]).iloc[0])
                for e in estimates.values()
            ),
            default=float("nan"),
        ),
    }
