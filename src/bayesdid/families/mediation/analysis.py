"""Mediation: indirect, direct, total; natural effects; sensitivity to confounding.

Total = direct + indirect in every draw; under fixed effects, flat priors and i.i.d. errors their
means are those of least squares. Sensitivity, under i.i.d. errors: a correlation rho between the
residuals of mediator and outcome (Imai, Keele & Yamamoto 2010, doi:10.1214/10-STS321) changes b but
not the reduced form, so that every draw of the reduced form gives the indirect effect at every rho
in closed form, and the rho at which it vanishes.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesdid.arrays import FloatArray
from bayesdid.design.build import as_two_way, build_design
from bayesdid.design.design import Design
from bayesdid.design.regressors import is_random
from bayesdid.estimands.stated import drawn
from bayesdid.estimands.verdict import SURE
from bayesdid.exceptions import InputError
from bayesdid.families.analysis import Analysis, Figure, Peer, Series, Table, summary_frame
from bayesdid.families.mediation import MediationOptions
from bayesdid.families.registry.validate import one_treatment
from bayesdid.families.under_errors import IID, errors_sentence, iid_sentence
from bayesdid.inference.exact.conjugate import conjugate_posterior
from bayesdid.inference.fit import fit
from bayesdid.inference.quantities import stacked
from bayesdid.inference.result import Fit
from bayesdid.model.bound import model as bind
from bayesdid.model.bound import study_priors
from bayesdid.model.equations import mediators_of
from bayesdid.model.errors import Errors
from bayesdid.model.mean import Mediation
from bayesdid.model.model import Model
from bayesdid.model.priors import PriorChoice, PriorSet
from bayesdid.panel.panel import Panel
from bayesdid.peers.fixest import least_squares
from bayesdid.study.load import Spec, Study
from bayesdid.study.printed import Printed
from bayesdid.study.schema import Column
from bayesdid.summary import chance, equals, hdi, percent

_RHOS = np.linspace(-0.9, 0.9, 73)
_MCSE = 5.0  # Monte Carlo standard errors that a mean may be off


@dataclass(frozen=True, slots=True)
class Paths:
    """Posterior draws of the paths of one treatment through q mediators.

    Attributes
    ----------
    a, b
        Treatment on mediator, mediator on outcome, shape (S, q).
    direct
        Effect not through the mediators, shape (S,).
    ratio
        Residual sd of the first mediator over that of the outcome, shape (S,).
    """

    a: FloatArray
    b: FloatArray
    direct: FloatArray
    ratio: FloatArray

    @property
    def indirect(self) -> FloatArray:
        """Effect through each mediator, shape (S, q)."""
        return self.a * self.b

    @property
    def total(self) -> FloatArray:
        """Effect of the treatment on the outcome without the mediators, shape (S,)."""
        return np.asarray(self.direct + self.indirect.sum(axis=1))

    @property
    def rho_zero(self) -> FloatArray:
        """Residual correlation at which the indirect effect vanishes, one mediator, shape (S,).

        That of the mediator and of the outcome without it, ``b eta + e`` (Imai et al. 2010).
        """
        slope = self.b[:, 0] * self.ratio
        return np.asarray(slope / np.sqrt(1 + slope**2))

    def indirect_at(self, rho: float) -> FloatArray:
        """Indirect effect if the residuals of mediator and outcome correlate by `rho`, (S,)."""
        r = self.rho_zero
        spread = np.sqrt(self.b[:, 0] ** 2 + self.ratio**-2.0)  # of y without M, over that of M
        b = spread * (r - rho * np.sqrt((1 - r**2) / (1 - rho**2)))
        return np.asarray(self.a[:, 0] * b)


def paths_of(found: Fit) -> Paths:
    """Paths of the first treatment."""
    tree = found.tree
    return Paths(
        stacked(tree, "a")[:, 0],
        stacked(tree, "b"),
        stacked(tree, "tau")[:, 0],
        stacked(tree, "sigma_mediator")[:, 0] / stacked(tree, "sigma"),
    )


def natural_effects(
    design: Design, mediator: FloatArray, *, size: int = 4000, seed: int = 0
) -> dict[str, FloatArray]:
    """Natural effects with a treatment-mediator interaction (Imai, Keele & Tingley 2010).

    ``y = c D + b M + d D M``: the indirect effect at D = 0 is ``a b``, at D = 1 ``a (b + d)``; the
    direct effect with the mediator as it is at D = 0 or 1 is ``c + d E M(0)`` or ``c + d E M(1)``.
    doi:10.1037/a0020761.
    """
    rng = np.random.default_rng(seed)
    centre = mediator.mean()
    M = (mediator - centre)[:, None]
    D = design.D[:, :1]
    first = dataclasses.replace(design, y=mediator)
    second = dataclasses.replace(
        design, D=np.column_stack([D, M, D * M]), treatments=("D", "M", "D * M")
    )
    a = conjugate_posterior(first).draw(size, rng)[:, 0]
    c, b, d = conjugate_posterior(second).draw(size, rng)[:, :3].T
    at_zero = (M[:, 0] - a[:, None] * D[:, 0]).mean(axis=1)  # E M(0), centred
    return {
        "indirect at D = 0": a * b,
        "indirect at D = 1": a * (b + d),
        "direct at M(0)": c + d * at_zero,
        "direct at M(1)": c + d * (at_zero + a),
        "total": a * (b + d) + c + d * at_zero,
        "interaction": d,
    }


def mediation(
    study: Study,
    spec: Spec,
    panel: Panel,
    options: MediationOptions,
    *,
    seed: int = 0,
    draws: int = 1000,
) -> Analysis:
    """The analysis of a spec of family ``mediation``: one treatment.

    Several mediators have i.i.d. errors unless others are asked for, which are sampled by chains.
    """
    names = options.mediators
    one_treatment(spec)
    full = _design(spec, panel, names)
    exact = not is_random(full.unit_effects) and not is_random(full.period_effects)
    asked = len(names) == 1 or "errors" in options.model_fields_set
    errors = Errors.parse(options.errors) if asked else IID
    own: PriorSet = "flat" if exact else "weak"
    priors = study_priors(spec, design=full, own=own)
    fits = [
        fit(bind(full, mean=Mediation(names), errors=item, priors=priors), draws=draws, seed=seed)
        for item in dict.fromkeys((errors, IID))
    ]
    fitted, iid = fits[0], paths_of(fits[-1])
    found, parts = paths_of(fitted), mediators_of(Model(Mediation(names)), full)
    design, mediators = parts.rest, parts.M
    least = iid
    if priors != PriorChoice("flat"):  # peers are least squares
        flat = bind(full, mean=Mediation(names), errors=IID, priors="flat")
        least = paths_of(fit(flat, draws=draws, seed=seed)) if exact else iid
    table = summary_frame(_quantities(names, found))
    beside = _quantities(names, iid)
    none = np.full(2, np.nan)
    table["i.i.d. mean"] = [float(beside.get(q, none).mean()) for q in table["quantity"]]
    table["i.i.d. sd"] = [float(beside.get(q, none).std(ddof=1)) for q in table["quantity"]]
    kind = f"{'fixed' if exact else 'random'} effects, priors {priors}"
    tables = [
        Table("effects", f"Joint posterior under {kind}; and the same under i.i.d. errors", table)
    ]
    figures: list[Figure] = []
    clustered = least_squares(design).table.iloc[0]
    sentences = [_headline(study, names, found)]
    if asked:
        indirect = found.indirect[:, 0], iid.indirect[:, 0]
        said = errors_sentence(errors, "the indirect effect", *indirect, [fitted.tree])
    else:
        said = iid_sentence(
            "Errors are i.i.d., since those of several mediators correlate with each other; other "
            "ones are sampled if asked for.",
            "the total effect",
            float(found.total.std()),
            "its least-squares estimate",
            float(clustered["se_cluster"]),
        )
    sentences.append(said)
    if len(names) == 1 and exact:
        zero = iid.rho_zero
        sentences.append(
            f"Confounding (i.i.d. errors): the indirect effect through {names[0]} vanishes if the "
            f"residuals of mediator and outcome correlate by {zero.mean():.3f} ({hdi(zero):.3f}) "
            "rather than by 0"
            + (
                "; a very small amount of shared unmeasured cause is enough."
                if abs(zero.mean()) < 0.1
                else "."
            )
        )
        figures.append(_rho_figure(study, names[0], iid))
        natural = natural_effects(design, mediators[:, 0], size=4 * draws, seed=seed)
        tables.append(
            Table(
                "natural",
                "Natural effects with a treatment-mediator interaction, i.i.d. errors",
                summary_frame(natural),
            )
        )
    published = published_mediation(study, spec, names)
    if published is not None:
        tables.append(
            Table(
                "published", "From the published columns alone, a and b independent", published[0]
            )
        )
        sentences.append(published[1])
    return Analysis(
        spec.id,
        "mediation",
        spec.title,
        tuple(sentences),
        tuple(tables),
        tuple(figures),
        tuple(_peers(design, mediators, names, least)) if exact else (),
        fitted.tree,
        all(item.converged for item in fits),
        tuple(note.text for note in design.notes),
        panel.synthetic or "",
        effects=tuple(
            drawn(
                f"{spec.column.treatments[0]} through {name}",
                "joint posterior",
                "nothing else moves mediator and outcome together",
                found.indirect[:, k],
                main=True,
            )
            for k, name in enumerate(names)
        ),
        fit=fitted,
    )


def _quantities(names: tuple[str, ...], found: Paths) -> dict[str, FloatArray]:
    """Paths and effects by name."""
    quantities: dict[str, FloatArray] = {}
    for k, name in enumerate(names):
        quantities |= {
            f"{name}: a": found.a[:, k],
            f"{name}: b": found.b[:, k],
            f"{name}: indirect a b": found.indirect[:, k],
        }
    if len(names) > 1:
        quantities["indirect, all"] = found.indirect.sum(axis=1)
    quantities |= {"direct": found.direct, "total": found.total}
    if not no_proportion(found):
        quantities["proportion mediated"] = proportion(found)
    return quantities


def _design(spec: Spec, panel: Panel, names: tuple[str, ...]) -> Design:
    """The outcome's design, the mediators among its covariates."""
    if "mundlak" in {spec.column.unit_effects, spec.column.period_effects}:
        raise InputError(
            f"{spec.id}: Mundlak effects give the within estimates of a and b, which "
            "fixed effects give exactly",
            remedy="use fixed or random effects",
        )
    covariates = tuple(c for c in spec.column.covariates if c not in names)
    own = as_two_way(spec, with_rows=True, covariates=(*covariates, *names))
    full = build_design(own, panel)
    if missing := [name for name in names if name not in full.covariates]:
        raise InputError(
            f"{spec.id}: a mediator is collinear with the effects or covariates",
            column=missing[0],
            remedy="leave it out",
        )
    return full


def _headline(study: Study, names: tuple[str, ...], found: Paths) -> str:
    parts = []
    lower = study.file.outcome.better == "lower"
    for k, name in enumerate(names):
        value = found.indirect[:, k]
        p = (value < 0).mean() if lower else (value > 0).mean()
        parts.append(
            f"{value.mean():.4f} through {name} ({hdi(value):.4f}; "
            f"P({'< 0' if lower else '> 0'}) {equals(p)})"
        )
    why = no_proportion(found)
    if why:
        share = f"no proportion mediated, {why}"
    else:
        values = proportion(found)
        share = f"median proportion mediated {np.median(values):.1%} ({hdi(values):.1%})"
    return (
        f"Indirect effect: {', '.join(parts)}; direct {found.direct.mean():.3f}, total "
        f"{found.total.mean():.3f}; {share}."
    )


def proportion(found: Paths) -> FloatArray:
    """Share of the total that goes through the mediators, shape (S,)."""
    return np.asarray(found.indirect.sum(axis=1) / found.total)


def no_proportion(found: Paths) -> str:
    """Why the share is no proportion; empty if it is one.

    It is one if direct and indirect effect have the same sign, so that it lies between 0 and 1,
    and the sign of the total is established, so that nothing is divided by zero.
    """
    indirect = found.indirect.sum(axis=1)
    if np.median(indirect) * np.median(found.direct) < 0:
        return "as direct and indirect effect have opposite signs"
    below = float((found.total < 0).mean())
    if (sure := max(below, 1 - below)) < SURE:
        return f"as the sign of the total is not established (probability {chance(sure)})"
    return ""


def _rho_figure(study: Study, name: str, found: Paths) -> Figure:
    values = [found.indirect_at(float(rho)) for rho in _RHOS]
    intervals = [hdi(value) for value in values]
    series = Series(
        "indirect effect",
        _RHOS.tolist(),
        [float(v.mean()) for v in values],
        [interval.low for interval in intervals],
        [interval.high for interval in intervals],
    )
    return Figure(
        f"rho_{name}",
        "curve",
        f"Indirect effect through {name}, i.i.d. errors, if mediator and outcome "
        f"share an unmeasured cause: residual correlation rho ({percent()} HDI). Vertical line: "
        "where it vanishes.",
        (series,),
        xlabel="rho",
        ylabel=study.file.outcome.unit,
        verticals=(float(found.rho_zero.mean()),),
    )


def _peers(
    design: Design, mediators: FloatArray, names: tuple[str, ...], found: Paths
) -> list[Peer]:
    """Each coefficient against its own least-squares regression, within Monte Carlo error."""

    def peer(quantity: str, values: FloatArray, estimates: pd.Series) -> Peer:
        sd = float(values.std(ddof=1))
        return Peer(
            quantity,
            float(values.mean()),
            sd,
            "least squares (pyfixest), clustered",
            float(estimates["estimate"]),
            float(estimates["se_cluster"]),
            _MCSE * sd / np.sqrt(len(values)),
        )

    total = least_squares(design).table.iloc[0]
    second = dataclasses.replace(
        design, D=np.column_stack([design.D, mediators]), treatments=(*design.treatments, *names)
    )
    outcome = least_squares(second).table
    result = [peer("total", found.total, total), peer("direct", found.direct, outcome.iloc[0])]
    for k, name in enumerate(names):
        first = least_squares(dataclasses.replace(design, y=mediators[:, k])).table.iloc[0]
        result += [
            peer(f"{name}: a", found.a[:, k], first),
            peer(f"{name}: b", found.b[:, k], outcome.iloc[1 + k]),
        ]
    return result


def published_mediation(
    study: Study, spec: Spec, names: tuple[str, ...], size: int = 200_000
) -> tuple[pd.DataFrame, str] | None:
    """Indirect effects from printed cells: a from the mediator's column, b from the outcome's."""
    treatment, outcome = spec.column.treatments[0], spec.column.outcome
    rng = np.random.default_rng(0)
    quantities: dict[str, FloatArray] = {}
    texts = []
    for name in names:
        pair = [
            (column.coefficients[cell], column)
            for column, cell in (
                (_column(study, name, treatment, None), treatment),
                (_column(study, outcome, treatment, name), name),
            )
            if column is not None
        ]
        if len(pair) < 2 or pair[0][0].se is None or pair[1][0].se is None:
            continue
        a, b, direct = (
            rng.normal(_value(cell.estimate), _value(cell.se or "0"), size)
            for cell in (pair[0][0], pair[1][0], pair[1][1].coefficients[treatment])
        )
        quantities |= {f"{name}: indirect a b": a * b, f"{name}: direct": direct}
        implied = float(np.mean(a * b) + np.mean(direct))
        base = _column(study, outcome, treatment, None, without=names)
        stated = _value(base.coefficients[treatment].estimate) if base is not None else None
        texts.append(
            f"{name}: indirect {np.mean(a * b):.4f} (P(< 0) {equals((a * b < 0).mean())}), direct "
            f"plus indirect {implied:.3f}"
            + (f", printed total {stated:.3f}" if stated is not None else "")
        )
    if not quantities:
        return None
    return summary_frame(quantities), "From the published columns alone: " + "; ".join(texts) + "."


def _column(
    study: Study, outcome: str, treatment: str, mediator: str | None, without: tuple[str, ...] = ()
) -> Column | None:
    """The printed column of `outcome` on `treatment`, with the mediator among its coefficients."""
    for other in study.specs.values():
        column = other.column
        if column.outcome != outcome or treatment not in column.coefficients:
            continue
        if column.treatments != (treatment,) or column.sample.model_fields_set:
            continue
        if mediator is not None and mediator not in column.coefficients:
            continue
        if mediator is None and (not column.covariates or set(without) & set(column.covariates)):
            continue
        return column
    return None


def _value(text: str) -> float:
    return float(Printed.parse(text).value)
