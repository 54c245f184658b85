"""A model together with the data it is about: to be read, drawn as a graph, and sampled.

>>> bound = bd.model(study["table1.1"], panel, errors="ar1")  # doctest: +SKIP
>>> print(bound)  # doctest: +SKIP
>>> with bound.to_pymc(): tree = pm.sample()  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesdid.design.build import as_two_way, build_design
from bayesdid.design.design import Design
from bayesdid.exceptions import InputError, Note
from bayesdid.model.crossed import levels_of, need_one_scale
from bayesdid.model.effects import effects_of
from bayesdid.model.errors import DEFAULT_ERRORS, ONE_SCALE, Errors
from bayesdid.model.likelihood import Likelihood, LikelihoodName
from bayesdid.model.mean import Durbin, Instrument, Mean, Mediation, Path, Pooled, Profile, TwoWay
from bayesdid.model.model import Model
from bayesdid.model.priors import PriorChoice, PriorLike, PriorSet
from bayesdid.model.resolve import AnyDesign, all_priors, base_of, check_design, under_effects
from bayesdid.panel.panel import Panel
from bayesdid.spatial.design import SpatialDesign
from bayesdid.study.load import Spec
from bayesdid.study.schema import EffectKind
from bayesdid.study.terms import parse_term

if TYPE_CHECKING:
    import pandas as pd

PriorsLike = str | Mapping[str, PriorLike] | PriorChoice
_WITH_ROWS = frozenset({"mediation", "moderation", "heterogeneity", "iv_second"})
_AS_TWO_WAY = _WITH_ROWS | {"errors"}


@dataclass(frozen=True, slots=True)
class BoundModel:
    """A model of one design.

    Attributes
    ----------
    model
        What is believed.
    design
        What it is about, under the model's effects.
    """

    model: Model
    design: AnyDesign

    def __post_init__(self) -> None:
        check_design(self.model, self.design)

    @property
    def equation(self) -> str:
        """The model as plain text, one line for each part."""
        return self.model.equation

    def to_pymc(self) -> Any:
        """The model as PyMC writes it: named dims and coords, the equation visible.

        Sample it with any sampler; :func:`bayesdid.accept_draws` takes the draws back.
        """
        from bayesdid.model.pymc.compile import to_pymc

        return to_pymc(self.model, self.design)

    def to_graphviz(self) -> Any:
        """The model as a graph; needs ``bayesdid[report]``, and the program ``dot`` to draw it."""
        from bayesdid.model.pymc.compile import to_graphviz

        return to_graphviz(self.model, self.design)

    def priors_table(self) -> pd.DataFrame:
        """Every coefficient with a normal prior: equation, term, mean, sd (infinite: flat)."""
        import pandas as pd

        return pd.DataFrame(
            [
                {"equation": equation, "term": term, "mean": mean, "sd": priors.sds[term]}
                for equation, priors in all_priors(self.model, self.design).items()
                for term, mean in priors.means.items()
            ]
        )

    def __repr__(self) -> str:
        base = base_of(self.design)
        head = (
            f"{base.spec_id}: {base.n} rows, {len(base.units)} {base.unit_dim}, "
            f"{len(base.periods)} {base.period_dim}"
        )
        table = self.priors_table()
        shown = table.assign(
            prior=[
                "flat" if np.isinf(sd) else f"Normal({mean:.3g}, {sd:.3g})"
                for mean, sd in zip(table["mean"], table["sd"], strict=True)
            ]
        )[["equation", "term", "prior"]]
        scales = {p.scale for p in all_priors(self.model, self.design).values()}
        scale = ", ".join("1/sigma" if np.isinf(s) else f"mean {s:.3g}" for s in scales)
        return f"{head}\n{self.equation}\n{shown.to_string(index=False)}\nscales: {scale}"


def model(
    spec_or_design: Spec | AnyDesign,
    panel: Panel | None = None,
    *,
    mean: Mean | None = None,
    likelihood: LikelihoodName | Likelihood = "normal",
    errors: str | Errors | None = None,
    unit_effects: EffectKind | None = None,
    period_effects: EffectKind | None = None,
    priors: PriorsLike | None = None,
    weights: str | None = None,
    exposure: str | None = None,
    trials: str | None = None,
) -> BoundModel:
    """Bind a model to a spec and its panel, or to a design.

    Parameters
    ----------
    spec_or_design, panel
        A spec with its panel, or a design, a spatial or a profile design.
    mean
        By default what the spec's family or the design says: two-way, mediation, an instrument,
        the Durbin family, a profile, pooled parts.
    likelihood, errors
        ``normal``, ``student_t``, ``negative_binomial``, ``poisson``, ``binomial``; ``iid``,
        ``iid_unit``, ``ar1``, ``ar1_unit``. Default: see :func:`default_errors`.
    unit_effects, period_effects
        ``fixed``, ``random``, ``mundlak`` or ``none``; by default those of the spec.
    priors
        ``flat``, ``weak``, ``sceptical``, or normal priors by term (the rest weak), each its mean
        and sd, ``{"D": (0, 0.5)}``; default: the study's for a spec, else weak.
    weights, exposure, trials
        Columns of the panel; a design carries its own.

    Raises
    ------
    InputError
        For parts that make no sense together, or data that the model lacks.
    """
    like = Likelihood(likelihood) if isinstance(likelihood, str) else likelihood
    like.require_use_of(exposure, trials)
    if isinstance(spec_or_design, Spec):
        if panel is None:
            raise InputError(
                "a spec needs its panel", value=spec_or_design.id, remedy="give both, or a design"
            )
        sizes = {"weights": weights, "exposure": exposure, "trials": trials}
        design: AnyDesign = _design(spec_or_design, panel, unit_effects, period_effects, sizes)
        mean = mean or _mean_of_spec(spec_or_design)
    else:
        if weights or exposure or trials:
            raise InputError(
                "a design carries its own weights, exposure and trials",
                value=weights or exposure or trials,
                remedy="name the columns when the design is built",
            )
        design = spec_or_design
    base = base_of(design)
    mean = mean or mean_of(design)
    if errors is None:
        errors = default_errors(mean, like, base)
        if errors == ONE_SCALE and isinstance(design, Design):
            design = replace(design, notes=(*design.notes, _one_scale_note(design)))
    if priors is None:
        spec = spec_or_design
        known = design if isinstance(design, Design) else None
        priors = study_priors(spec, design=known) if isinstance(spec, Spec) else PriorChoice()
    value = Model(
        mean,
        like,
        Errors.parse(errors) if isinstance(errors, str) else errors,
        effects_of(base, unit_effects, period_effects),
        base.weights is not None,
        PriorChoice.of(priors),
    )
    return BoundModel(value, under_effects(design, value))


def default_errors(mean: Mean, likelihood: Likelihood, design: Design | None = None) -> Errors:
    """What placebo laws on real panels show to be calibrated (docs/calibration-errors.md).

    Independent errors for counts, whose dispersion is their own, for means whose engines have no
    other (systems of equations that share their errors, spatial lags, one row per unit), and for
    several rows of a unit in one period, which have no order in time. AR(1) of one scale for more
    further effects than scales of units' own allow.
    """
    if design is not None and not design.has_one_row_each:
        return Errors()
    apart = isinstance(mean, Mediation) and len(mean.mediators) == 1  # equations of their own
    usual = (apart or isinstance(mean, TwoWay | Pooled | Path)) and not likelihood.is_discrete
    if not usual:
        return Errors()
    kind = design and need_one_scale(design.further, design.n, design.unit_effects)
    return ONE_SCALE if kind else DEFAULT_ERRORS


def _one_scale_note(design: Design) -> Note:
    levels = levels_of(design.further, own_scales=True)
    text = (
        f"errors have one scale: a scale for each unit is not solved beside {levels:,} levels of "
        f"further effects in {design.n:,} rows"
    )
    return Note("errors_of_one_scale", levels, text)


def study_priors(
    spec: Spec,
    called: Mapping[str, tuple[str, ...]] | None = None,
    *,
    design: Design | None = None,
    own: PriorSet = "weak",
) -> PriorChoice:
    """The priors that a study asks for, for the terms that this spec has.

    Parameters
    ----------
    called
        Coefficients that an analysis has in the place of a term's own: none, one or several.
    design
        The spec's design, if a term may be missing from it (left out as collinear) or stand for
        several of its treatments (an event study).
    own
        The set of an analysis that has another than ``weak`` of its own; it stands where the
        study says nothing.
    """
    section, called = spec.priors, dict(called or {})
    if spec.column.family == "iv_second":  # its covariates are integrated out under flat priors
        called |= dict.fromkeys(spec.column.covariates, ())
    if design is not None:
        for term in spec.column.treatments:
            if term not in design.treatments and len(spec.column.treatments) == 1:
                called.setdefault(term, design.treatments)
        for term in {*spec.column.treatments, *spec.column.covariates} - {*design.names}:
            called.setdefault(term, ())
    terms = {*spec.column.treatments, *spec.column.covariates}
    priors = tuple(
        (name, prior.mean, prior.sd)
        for term, prior in section.user.items()
        if term in terms
        for name in called.get(term, (term,))
    )
    name = "weak" if section.default == "user" else section.default
    silent = "default" not in section.model_fields_set and not priors
    return PriorChoice(own if silent else name, priors)


def mean_of(design: AnyDesign) -> Mean:
    """The mean that a design was made for."""
    if isinstance(design, SpatialDesign):
        return Durbin(design.kind)
    if not isinstance(design, Design):
        return Profile(design.kernel)
    return Pooled() if design.part else TwoWay()


def _mean_of_spec(spec: Spec) -> Mean | None:
    column = spec.column
    if column.family == "mediation":
        return Mediation(tuple(str(name) for name in column.options.get("mediators", ())))
    if column.family == "iv_second" and column.instrument is not None:
        return Instrument(str(parse_term(column.instrument)))
    return None


def _design(
    spec: Spec,
    panel: Panel,
    unit: EffectKind | None,
    period: EffectKind | None,
    sizes: dict[str, str | None],
) -> Design:
    """Rows of a spec; mediators and the instrument are covariates of its design."""
    mean, column = _mean_of_spec(spec), spec.column
    extra: tuple[str, ...] = ()
    if isinstance(mean, Mediation):
        extra = mean.mediators
    if isinstance(mean, Instrument):
        extra = (mean.instrument,)
    own = spec
    if column.family in _AS_TWO_WAY:
        whole = column.family in _WITH_ROWS
        own = as_two_way(spec, with_rows=whole, covariates=(*column.covariates, *extra))
    design = build_design(
        own,
        panel,
        unit_effects=unit,
        period_effects=period,
        weights=sizes.get("weights"),
        exposure=sizes.get("exposure"),
        trials=sizes.get("trials"),
    )
    if lost := [name for name in extra if name not in design.covariates]:
        raise InputError(
            f"{spec.id}: the effects and covariates leave nothing of {lost[0]}",
            remedy="choose other effects, or another mediator or instrument",
        )
    return design
