"""Which fits a study asks for: every two-way spec under every kind of effects and priors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bayesdid.design.build import FITTED_FAMILIES, build_design, with_effects
from bayesdid.design.design import Design
from bayesdid.exceptions import InputError
from bayesdid.inference.store import FitRequest
from bayesdid.panel.panel import Panel
from bayesdid.study.load import Study
from bayesdid.study.schema import EffectKind

# label -> (kind of unit and period effects, prior); "fixed" keeps what the spec declares
KINDS: dict[str, tuple[EffectKind, str]] = {
    "flat": ("fixed", "flat"),
    "fixed": ("fixed", "weak"),
    "random": ("random", "weak"),
    "mundlak": ("mundlak", "weak"),
    "sceptical": ("fixed", "sceptical"),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """Fits to make, the designs behind them, and what cannot be fitted and why.

    Attributes
    ----------
    requests
        In the order of specs, then kinds.
    designs
        Spec id -> design with the effects that the spec declares.
    skipped
        Spec id -> reason.
    """

    requests: tuple[FitRequest, ...]
    designs: dict[str, Design]
    skipped: dict[str, str]


def plan_fits(
    study: Study,
    panel: Panel,
    *,
    specs: Sequence[str] | None = None,
    kinds: Sequence[str] = tuple(KINDS),
    **size: Any,
) -> Plan:
    """Plan the fits of a study's two-way specs.

    Parameters
    ----------
    specs
        Ids; default all. A spec that is asked for by name and cannot be fitted is an error,
        otherwise it is skipped with its reason.
    kinds
        Labels of :data:`KINDS`.
    size
        ``engine``, ``draws``, ``tune``, ``chains``, ``seed`` of the requests.
    """
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise InputError("unknown kind of fit", value=unknown[0], remedy=f"use {', '.join(KINDS)}")
    requests: list[FitRequest] = []
    designs: dict[str, Design] = {}
    skipped: dict[str, str] = {}
    for spec_id in specs or study.specs:
        spec = study[spec_id]
        if spec.column.family not in FITTED_FAMILIES and specs is None:
            skipped[spec_id] = f"family {spec.column.family} is not a two-way linear model"
            continue
        try:
            design = build_design(spec, panel)
        except InputError as error:
            if specs is not None:
                raise
            skipped[spec_id] = str(error)
            continue
        designs[spec_id] = design
        for kind in kinds:
            effects, prior = KINDS[kind]
            pair = [
                effects if own == "fixed" else own
                for own in (design.unit_effects, design.period_effects)
            ]
            if effects != "fixed" and pair == [design.unit_effects, design.period_effects]:
                continue  # no effects in this spec: nothing to vary
            requests.append(
                FitRequest(
                    with_effects(design, pair[0], pair[1]),
                    kind,
                    prior,  # type: ignore[arg-type]
                    keep_effects=kind not in {"flat", "sceptical"},
                    **size,
                )
            )
    return Plan(tuple(requests), designs, skipped)
