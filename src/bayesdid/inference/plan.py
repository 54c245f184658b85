"""Which fits a study asks for: every two-way spec under every variant of the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from bayesdid.design.build import FITTED_FAMILIES, build_design
from bayesdid.design.design import Design
from bayesdid.exceptions import InputError
from bayesdid.inference.fit import PriorsLike, model_of
from bayesdid.inference.store import FitRequest
from bayesdid.model.errors import Errors
from bayesdid.model.likelihood import Likelihood, LikelihoodName
from bayesdid.panel.panel import Panel
from bayesdid.study.load import Spec, Study
from bayesdid.study.schema import EffectKind


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to fit a spec; what is None is as the spec and the study declare it.

    Attributes
    ----------
    label
        What people call it; part of the file name.
    effects
        Kind of every effect that the spec has.
    priors, errors
        See :func:`bayesdid.inference.fit.model_of`.
    """

    label: str
    effects: EffectKind | None = None
    priors: PriorsLike | None = None
    errors: str | Errors | None = None


# The first four have the default errors; the others are what least squares is compared with.
VARIANTS: dict[str, Variant] = {
    variant.label: variant
    for variant in (
        Variant("default"),
        Variant("random", effects="random"),
        Variant("mundlak", effects="mundlak"),
        Variant("sceptical", priors="sceptical"),
        Variant("flat", priors="flat", errors="iid"),
        Variant("iid", errors="iid"),
        Variant("iid_random", effects="random", errors="iid"),
        Variant("iid_mundlak", effects="mundlak", errors="iid"),
    )
}
LEAST_SQUARES = ("flat", "iid", "iid_random", "iid_mundlak")
_WITHOUT_EFFECTS = frozenset({"sceptical", "flat", "iid_random", "iid_mundlak"})


@dataclass(frozen=True, slots=True)
class Plan:
    """Fits to make, the designs behind them, and what cannot be fitted and why.

    Attributes
    ----------
    requests
        In the order of specs, then variants.
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
    variants: Sequence[str | Variant] = tuple(VARIANTS),
    errors: str | Errors | None = None,
    likelihood: LikelihoodName | Likelihood | None = None,
    effects: EffectKind | None = None,
    priors: PriorsLike | None = None,
    **size: Any,
) -> Plan:
    """Plan the fits of a study's two-way specs.

    Parameters
    ----------
    specs
        Ids; default all. A spec that is asked for by name and cannot be fitted is an error,
        otherwise it is skipped with its reason.
    variants
        Labels of :data:`VARIANTS`, or variants.
    errors, likelihood, effects, priors
        For what a variant leaves open; see :func:`bayesdid.inference.fit.model_of`.
    size
        ``engine``, ``draws``, ``tune``, ``chains``, ``seed`` of the requests.
    """
    wanted = [_variant(item) for item in variants]
    given = {"effects": effects, "priors": priors, "errors": errors}
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
        for variant in wanted:
            if _varies_nothing(variant, design):
                continue
            request = _request(spec, design, _filled(variant, given), likelihood, size)
            requests.append(request)
    return Plan(tuple(requests), designs, skipped)


def _variant(item: str | Variant) -> Variant:
    if isinstance(item, Variant):
        return item
    if item not in VARIANTS:
        raise InputError("unknown variant", value=item, remedy=f"use {', '.join(VARIANTS)}")
    return VARIANTS[item]


def _varies_nothing(variant: Variant, design: Design) -> bool:
    """Whether a variant's effects are those that the spec has anyway, or it has none."""
    kinds = {design.unit_effects, design.period_effects} - {"none"}
    return variant.effects is not None and kinds <= {variant.effects}


def _filled(variant: Variant, given: dict[str, Any]) -> Variant:
    """The variant with what it leaves open, and a label that says so."""
    own = {k: v for k, v in given.items() if v is not None and getattr(variant, k) is None}
    words = [variant.label, *(v if isinstance(v, str) else f"own-{k}" for k, v in own.items())]
    return replace(variant, label="-".join(words).removeprefix("default-"), **own)


def _request(
    spec: Spec,
    design: Design,
    variant: Variant,
    likelihood: LikelihoodName | Likelihood | None,
    size: dict[str, Any],
) -> FitRequest:
    own = (design.unit_effects, design.period_effects)
    unit, period = (kind if kind == "none" else variant.effects or kind for kind in own)
    model = model_of(
        spec,
        errors=variant.errors,
        likelihood=likelihood,
        unit_effects=unit,
        period_effects=period,
        priors=variant.priors,
    )
    keep = variant.label not in _WITHOUT_EFFECTS
    return FitRequest(design, variant.label, model, keep_effects=keep, **size)
