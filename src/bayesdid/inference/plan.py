"""Which fits a study asks for: every two-way spec under each variant of its model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bayesdid.design.build import FITTED_FAMILIES, build_design, with_effects
from bayesdid.design.design import Design
from bayesdid.exceptions import InputError, NotIdentifiedError
from bayesdid.inference.registry import Size
from bayesdid.inference.store import FitRequest
from bayesdid.model.bound import model as bind
from bayesdid.model.bound import study_priors
from bayesdid.model.effects import effects_of
from bayesdid.model.errors import DEFAULT_ERRORS, Errors
from bayesdid.model.likelihood import Likelihood
from bayesdid.model.model import Model
from bayesdid.model.priors import PriorChoice
from bayesdid.panel.panel import Panel
from bayesdid.study.load import Spec, Study
from bayesdid.study.schema import EffectKind


@dataclass(frozen=True, slots=True)
class Variant:
    """One model that every spec of a study is fitted under.

    Attributes
    ----------
    name
        What results and files call it.
    effects
        Of units and periods, in the place of fixed ones; None keeps what the spec declares, and
        ``fixed`` takes the place of random ones.
    priors
        ``flat``, ``weak``, ``sceptical``; None keeps the study's.
    errors, likelihood
        As in :class:`~bayesdid.model.model.Model`.
    keep_effects
        Whether draws of unit and period effects are stored, which checks need.
    """

    name: str
    effects: EffectKind | None = None
    priors: PriorChoice | None = None
    errors: Errors = DEFAULT_ERRORS
    likelihood: Likelihood = Likelihood()
    keep_effects: bool = True

    def model(self, spec: Spec, design: Design) -> Model:
        """The model of a spec; effects that the spec does not have are not added."""
        replaced = "random" if self.effects == "fixed" else "fixed"
        kinds = [
            self.effects if self.effects is not None and own == replaced else own
            for own in (design.unit_effects, design.period_effects)
        ]
        return bind(
            design,
            errors=self.errors if design.has_one_row_each else Errors(scale=self.errors.scale),
            likelihood=self.likelihood,
            unit_effects=kinds[0],
            period_effects=kinds[1],
            priors=study_priors(spec, design=design) if self.priors is None else self.priors,
        ).model


IID = Errors()
MAIN = "default"
OTHER_FAMILY = "is not a two-way linear model"
"""What is said of a spec whose family is run by an analysis."""
# the first four are what a study's specs say; the others are compared with least squares
VARIANTS: dict[str, Variant] = {
    variant.name: variant
    for variant in (
        Variant(MAIN),
        Variant("random", "random"),
        Variant("mundlak", "mundlak"),
        Variant("sceptical", priors=PriorChoice("sceptical"), keep_effects=False),
        Variant("flat", "fixed", priors=PriorChoice("flat"), errors=IID, keep_effects=False),
        Variant("iid", errors=IID),
        Variant("iid_random", "random", errors=IID, keep_effects=False),
        Variant("iid_mundlak", "mundlak", errors=IID, keep_effects=False),
    )
}
CHECKED = (MAIN, "iid")  # variants whose fits are checked against the data
# what agreement with least squares calls them
AGAINST_LEAST_SQUARES = {
    "flat": "flat",
    "fixed": "iid",
    "random": "iid_random",
    "mundlak": "iid_mundlak",
}


def against_least_squares(design: Design) -> dict[str, str]:
    """Kind of fit, as agreement calls it -> variant, of one spec.

    A spec that declares random effects has no fit with fixed ones but the flat one: its other
    fits are compared as what they are.
    """
    if "random" in (design.unit_effects, design.period_effects):
        return {"flat": "flat", "random": "iid"}
    return {
        kind: variant for kind, variant in AGAINST_LEAST_SQUARES.items() if suits(variant, design)
    }


def suits(variant: str, design: Design) -> bool:
    """Whether a variant's effects of units and periods go with a design's further effects.

    Mundlak components are those of units and periods alone. A unit whose slope is fixed has a fixed
    level too, and random levels of periods have nothing to themselves beside group x period.
    """
    effects = VARIANTS[variant].effects if variant in VARIANTS else None
    fixed = any(one.kind == "fixed" for one in design.further)
    return not (effects == "mundlak" and design.further) and not (effects == "random" and fixed)


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
    failed
        Those of the skipped that are faults: of the study or the panel, not of the design.
    """

    requests: tuple[FitRequest, ...]
    designs: dict[str, Design]
    skipped: dict[str, str]
    failed: tuple[str, ...] = ()


def plan_fits(
    study: Study,
    panel: Panel,
    *,
    specs: Sequence[str] | None = None,
    variants: Iterable[Variant] = tuple(VARIANTS.values()),
    engine: str = "auto",
    size: Size | None = None,
) -> Plan:
    """Plan the fits of a study's two-way specs.

    Parameters
    ----------
    specs
        Ids; default all. A spec that is asked for by name and cannot be fitted is an error,
        otherwise it is skipped with its reason.
    variants
        Of the model.
    engine, size
        Of every request.
    """
    chosen = tuple(variants)
    size = size or Size()
    requests: list[FitRequest] = []
    designs: dict[str, Design] = {}
    skipped: dict[str, str] = {}
    failed: list[str] = []
    for spec_id in specs or study.specs:
        spec = study[spec_id]
        if spec.column.family not in FITTED_FAMILIES and specs is None:
            skipped[spec_id] = f"family {spec.column.family} {OTHER_FAMILY}"
            continue
        try:
            design = build_design(spec, panel)
            requests += _requests(spec, design, chosen, engine, size)
        except InputError as error:
            if specs is not None:
                raise
            skipped[spec_id] = str(error)
            if not isinstance(error, NotIdentifiedError):
                failed.append(spec_id)
            continue
        designs[spec_id] = design
    return Plan(tuple(requests), designs, skipped, tuple(failed))


def _requests(
    spec: Spec, design: Design, variants: tuple[Variant, ...], engine: str, size: Size
) -> list[FitRequest]:
    """One for each variant whose model differs from those before it."""
    found: list[FitRequest] = []
    declared = effects_of(design)
    for variant in variants:
        if not suits(variant.name, design):
            continue
        model = variant.model(spec, design)
        if variant.effects not in {None, "fixed"} and model.effects == declared:
            continue  # no effects in this spec: nothing to vary
        try:
            effects = with_effects(design, model.kind("unit"), model.kind("period"))
        except NotIdentifiedError:
            if variant.effects is None:
                raise
            continue  # these effects leave nothing of a treatment; those of the spec do
        found.append(FitRequest(effects, variant.name, model, engine, size, variant.keep_effects))
    return found
