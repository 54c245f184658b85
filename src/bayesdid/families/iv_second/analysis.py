"""An instrument: posterior of the two equations beside 2SLS, with what a weak one means."""

from __future__ import annotations

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.design.build import as_two_way, build_design
from bayesdid.design.collinear import effects_text
from bayesdid.exceptions import InputError, NotIdentifiedError
from bayesdid.families.analysis import Analysis, Figure, Peer, Series, Table, summary_frame
from bayesdid.families.iv_second.effects import clusters_text, stated_effects, strength_table
from bayesdid.families.registry.family import Options
from bayesdid.families.under_errors import iid_sentence
from bayesdid.inference.exact.instrument import reduced_ratio, with_instrument
from bayesdid.inference.first_stage import WEAK_F
from bayesdid.inference.fit import fit
from bayesdid.inference.quantities import stacked
from bayesdid.model.bound import model, study_priors
from bayesdid.model.equations import instrument_of
from bayesdid.model.mean import Instrument
from bayesdid.panel.panel import Panel
from bayesdid.peers.fixest import least_squares
from bayesdid.peers.instrument import TwoStage, two_stage
from bayesdid.study.load import Spec, Study
from bayesdid.study.terms import parse_term
from bayesdid.summary import equals, hdi


def instrument(
    study: Study,
    spec: Spec,
    panel: Panel,
    options: Options,  # noqa: ARG001
    *,
    seed: int = 0,
    draws: int = 1000,
) -> Analysis:
    """The analysis of a spec of family ``iv_second``: one treatment, ``instrument`` a term.

    Raises
    ------
    NotIdentifiedError
        If the effects leave nothing of the instrument, as unit effects do of one that is constant
        in time.
    """
    column = spec.column
    if column.instrument is None or len(column.treatments) != 1:
        raise InputError(
            f"{spec.id}: needs one treatment and an instrument", remedy='set instrument = "z"'
        )
    name = str(parse_term(column.instrument))
    own_spec = as_two_way(spec, with_rows=True, covariates=(*column.covariates, name))
    full = build_design(own_spec, panel)
    if name not in full.covariates:
        raise NotIdentifiedError(
            f"{spec.id}: {effects_text(full)} leave nothing of the instrument {name}, so that no "
            "effect is identified; unit effects absorb whatever is constant in time",
            file=panel.source,
            column=name,
            remedy="use an instrument that moves within units, such as its product with time",
        )
    bound = model(full, mean=Instrument(name), priors=study_priors(spec, design=full))
    parts = instrument_of(bound.model, full)
    own, d, z = parts.rest, full.D[:, 0], parts.z
    found = fit(bound, draws=draws, seed=seed)
    tau, pi, rho = (stacked(found.tree, name).reshape(4 * draws) for name in ("tau", "pi", "rho"))
    flat = reduced_ratio(with_instrument(own, z, name), d, size=4 * draws, seed=seed)
    tau_sd, pi_sd = bound.priors_table()["sd"]
    tau_mean, pi_mean = bound.priors_table()["mean"]
    peer = two_stage(own, d, z)
    ols = float(least_squares(own).table["estimate"].iloc[0])
    quantities = {"effect, instrumented": tau, "first stage": pi, "correlation of the errors": rho}
    core = hdi(flat, 0.98)
    inside = flat[(flat > core.low) & (flat < core.high)]
    # the median of a ratio of normals is the ratio of their means up to the first stage's noise
    spread = float(np.subtract(*np.quantile(flat, [0.84, 0.16])) / 2)
    tolerance = spread * (5 / np.sqrt(len(flat)) * 1.25 + 1 / max(peer.F, 1.0))
    return Analysis(
        spec.id,
        "iv_second",
        spec.title,
        (*_sentences(tau, rho, peer, ols), errors_said(tau, peer)),
        (
            Table(
                "effects",
                f"Two equations; priors: effect N({tau_mean:.3g}, {tau_sd:.3g}²), first stage "
                f"N({pi_mean:.3g}, {pi_sd:.3g}²)",
                summary_frame(quantities),
            ),
            strength_table(peer, tau, float(tau_sd), clusters_text(own)),
        ),
        (
            Figure(
                "prior",
                "histogram",
                "Effect under independent priors on effect and first stage, "
                "and under a flat prior on the reduced form (central 98 %). Dashed: 2SLS.",
                (
                    Series("independent priors", [], tau.tolist()[:2000], [], []),
                    Series("flat reduced form", [], inside.tolist()[:2000], [], []),
                ),
                xlabel=study.file.outcome.unit,
                verticals=(peer.estimate,),
            ),
        ),
        (
            Peer(
                "effect, flat reduced form, median",
                float(np.median(flat)),
                spread,
                "2SLS (linearmodels), clustered",
                peer.estimate,
                peer.se,
                tolerance,
            ),
        ),
        found.tree,
        found.converged,
        tuple(note.text for note in own.notes),
        panel.synthetic or "",
        effects=stated_effects(column.treatments[0], tau, flat, peer),
        fit=found,
    )


def _sentences(tau: FloatArray, rho: FloatArray, peer: TwoStage, ols: float) -> tuple[str, ...]:
    weak = (
        f"With a first-stage F of {peer.F:.1f} (clustered) the instrument is weak: 2SLS is biased "
        "towards least squares and its standard error is not to be trusted"
        if peer.F < WEAK_F
        else f"The first-stage F is {peer.F:.1f} (clustered)"
    )
    region = " and ".join(f"{_end(a)} to {_end(b)}" for a, b in peer.ar_set)
    interval = hdi(rho)
    return (
        f"Instrumented, the effect is {tau.mean():.3f} ({hdi(tau):.3f}; "
        f"P(< 0) {equals((tau < 0).mean())}); 2SLS {peer.estimate:.3f} (SE {peer.se:.3f}), "
        f"least squares {ols:.3f}.",
        f"{weak}; the 95 % Anderson-Rubin set, valid for weak instruments too, is {region}. The "
        f"instrument explains {peer.partial_r2:.1%} of the treatment's within variation.",
        f"The errors of the two equations correlate by {rho.mean():.2f} ({interval:.2f}): "
        + (
            "the treatment is endogenous if the instrument is valid."
            if interval.excludes_zero
            else "no sign that least squares needs an instrument."
        ),
    )


def errors_said(tau: FloatArray, peer: TwoStage) -> str:
    """That errors are i.i.d., and what that does to the interval."""
    why = "Errors are i.i.d. in both equations, whose joint posterior is exact under no others."
    return iid_sentence(why, "the effect", float(tau.std()), "2SLS", peer.se)


def _end(value: float) -> str:
    return f"{value:.3f}" if np.isfinite(value) else ("−∞" if value < 0 else "+∞")
