"""Do intervals cover what they should? Every model family on simulated panels with known truth.

``make calibrate`` runs 200 panels for each family and writes docs/calibration.md; the tests run a
few of each. A panel of each family is drawn with the same truth, so that coverage is that of a
fixed truth under weak priors; with weak priors it should be nominal up to the binomial band.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import binom

sys.path.insert(0, str(Path(__file__).parents[1] / "families"))
sys.path.insert(0, str(Path(__file__).parents[1] / "inference"))

from made import make_panel, make_study, staggered
from panels import fit_iid as fit

from bayesdid.design.build import build_design, with_effects
from bayesdid.design.cohort import cohort_design
from bayesdid.design.design import Design
from bayesdid.design.overlap import overlap_design
from bayesdid.estimands.saturated import saturated_moments
from bayesdid.families.cohort.analysis import cell_effects, cohort_pooling
from bayesdid.families.mediation.analysis import paths_of
from bayesdid.families.overlap.analysis import row_weights, synergy_weights
from bayesdid.inference.exact.conjugate import conjugate_posterior
from bayesdid.inference.exact.gaussian import fit_gaussian
from bayesdid.inference.exact.instrument import draw_instrument, with_instrument
from bayesdid.inference.exact.pooled import fit_pooled
from bayesdid.inference.executor import map_fits, process_pool
from bayesdid.inference.fit import fit as fit_bound
from bayesdid.model.bound import model as bind
from bayesdid.model.errors import Errors
from bayesdid.model.mean import Mediation
from bayesdid.model.overlap import joint_columns, overlap_pooling
from bayesdid.peers.fixest import least_squares
from bayesdid.peers.instrument import two_stage
from bayesdid.summary import hdi, levels

N, T, SIGMA = 40, 10, 0.5
STARTS = [0.2, 0.2, 0.2, 0.4]  # periods 4, 7, 9 and never


@dataclass(frozen=True)
class Trial:
    """One panel: the truth, draws of it, and a frequentist estimate with its standard error."""

    truth: float
    draws: np.ndarray
    estimate: float
    se: float


def _columns(*treatments: str, **more: object) -> dict[str, object]:
    return {"id": "c", "outcome": "y", "treatments": list(treatments), **more}


def _design(seed: int, effect, *treatments: str, policies=("a",)) -> Design:
    frame, adoption = staggered(
        seed, N=N, T=T, sigma=SIGMA, policies=policies, shares=STARTS, effect=effect
    )
    return build_design(
        make_study(policies, [_columns(*treatments)])["t.c"], make_panel(frame, adoption)
    )


def _constant(s, t) -> float:
    return -0.5 * (t >= s[0])


def _ols(design: Design, k: int = 0) -> tuple[float, float]:
    row = least_squares(design).table.iloc[k]
    return float(row["estimate"]), float(row["se_iid"])


def twfe(seed: int, kind: str = "fixed") -> Trial:
    design = _design(seed, _constant, "active:a")
    tree = fit(with_effects(design, kind, kind), seed=seed, draws=250)
    return Trial(-0.5, tree["posterior"]["tau"].to_numpy().ravel(), *_ols(design))


def factorial(seed: int) -> Trial:
    terms = ("active:a", "active:b", "active:a * active:b")
    design = _design(
        seed,
        lambda s, t: -0.5 * (t >= s[0]) - 0.3 * (t >= s[1]) + 0.2 * (t >= max(s)),
        *terms,
        policies=("a", "b"),
    )
    tree = fit(design, seed=seed, draws=250)
    return Trial(0.2, tree["posterior"]["tau"].to_numpy()[..., 2].ravel(), *_ols(design, 2))


def event_study(seed: int) -> Trial:
    frame, adoption = staggered(seed, N=N, T=T, sigma=SIGMA, shares=STARTS, effect=_constant)
    options = {"first": -3, "last": 3, "reference": -1}
    column = _columns("active:a", family="event_study", options=options)
    design = build_design(make_study(("a",), [column])["t.c"], make_panel(frame, adoption))
    k = design.treatments.index("active:a@0")
    draws = fit(design, seed=seed, draws=250)["posterior"]["tau"].to_numpy()[..., k].ravel()
    return Trial(-0.5, draws, *_ols(design, k))


def _growing(s, t) -> float:
    return -0.3 - 0.1 * (t - s[0]) if t >= s[0] else 0.0


def cohort(seed: int) -> Trial:
    frame, adoption = staggered(seed, N=N, T=T, sigma=SIGMA, shares=STARTS, effect=_growing)
    spec = make_study(("a",), [_columns("active:a", family="cohort")])["t.c"]
    cells = cohort_design(spec, make_panel(frame, adoption))
    pooling = cohort_pooling(cells)
    tau = fit_pooled(pooling, seed=seed, draws=250)["posterior"]["tau"].to_numpy()
    weight = cells.weights()["overall"]["ATT"]
    posterior = conjugate_posterior(cells.design)
    return Trial(
        float((-0.3 - 0.1 * cells.event_time) @ weight),
        cell_effects(pooling, tau.reshape(1000, -1), cells) @ weight,
        float(posterior.location @ weight),
        float(np.sqrt(weight @ posterior.scale @ weight)),
    )


def overlap(seed: int) -> Trial:
    frame, adoption = staggered(
        seed,
        N=2 * N,
        T=T,
        sigma=SIGMA,
        policies=("a", "b"),
        shares=STARTS,
        effect=lambda s, t: -0.5 * (t >= s[0]) - 0.3 * (t >= s[1]) - 0.3 * (t >= max(s)),
    )
    spec = make_study(columns=[{"id": "c", "outcome": "y", "family": "overlap"}])["t.c"]
    rows = overlap_design(spec, make_panel(frame, adoption))
    pooling = overlap_pooling(rows)
    tau = fit_pooled(pooling, seed=seed, draws=250)["posterior"]["tau"].to_numpy()
    mine = joint_columns(pooling, rows.policies, rows.policies)
    weight = synergy_weights(rows)["synergy"] @ pooling.design.D * mine
    flat = saturated_moments(rows, row_weights(rows))["synergy"][:2]
    return Trial(-0.3, tau.reshape(1000, -1) @ weight, *flat)


def _mediated(seed: int) -> tuple[Design, np.ndarray]:
    rng = np.random.default_rng(seed + 1000)
    frame, adoption = staggered(seed, N=N, T=T, sigma=SIGMA, shares=STARTS)
    start = adoption["a"].reindex(frame["unit"]).to_numpy(float, na_value=np.inf)
    on = (frame["period"] >= start).to_numpy(float)
    M = 0.5 * on + rng.normal(0, 1, N)[frame["unit"]] + 0.5 * rng.normal(size=len(frame))
    frame["y"] += -0.3 * on - 0.8 * M
    spec = make_study(("a",), [_columns("active:a")])["t.c"]
    return build_design(spec, make_panel(frame, adoption)), M


def mediation(seed: int) -> Trial:
    design, M = _mediated(seed)
    wide = dataclasses.replace(
        design, X=np.column_stack([design.X, M]), covariates=(*design.covariates, "M")
    )
    bound = bind(wide, mean=Mediation(("M",)), priors="flat", errors="iid")
    found = paths_of(fit_bound(bound, draws=250, seed=seed))
    (a, a_se), (b, b_se) = (
        _ols(dataclasses.replace(design, y=M)),
        _ols(dataclasses.replace(design, D=np.column_stack([M, design.D]), treatments=("M", "D"))),
    )
    return Trial(-0.4, found.indirect[:, 0], a * b, float(np.hypot(a * b_se, b * a_se)))


def moderation(seed: int) -> Trial:
    rng = np.random.default_rng(seed + 2000)
    design = _design(seed, _constant, "active:a")
    M = rng.gamma(2.0, 1.0, design.n)
    D = np.column_stack([design.D, design.D[:, 0] * M])
    design = dataclasses.replace(
        design,
        D=D,
        X=M[:, None],
        treatments=("d", "dm"),
        covariates=("m",),
        y=design.y + 0.2 * D[:, 1],
    )
    tree = fit(design, seed=seed, draws=250)
    return Trial(0.2, tree["posterior"]["tau"].to_numpy()[..., 1].ravel(), *_ols(design, 1))


def heterogeneity(seed: int) -> Trial:
    from bayesdid.families.heterogeneity.analysis import heterogeneity_pooling

    design = _design(seed, _constant, "active:a")
    group = np.where(design.unit_index % 2 == 0, "x", "y")
    design = dataclasses.replace(design, y=design.y - 0.4 * design.D[:, 0] * (group == "x"))
    pooling, _ = heterogeneity_pooling(design, {"g": group})
    tau = fit_pooled(pooling, seed=seed, draws=250)["posterior"]["g"].to_numpy().reshape(1000, -1)
    split = np.column_stack([design.D[:, 0] * (group == "x"), design.D[:, 0]])
    both = dataclasses.replace(design, D=split, treatments=("x", "all"))
    return Trial(-0.4, tau[:, 0] - tau[:, 1], *_ols(both))


def ar1(seed: int) -> Trial:
    rng = np.random.default_rng(seed + 3000)
    design = _design(seed, None, "active:a")
    power = 0.6 ** np.abs(np.subtract.outer(np.arange(T), np.arange(T)))
    e = rng.multivariate_normal(np.zeros(T), SIGMA**2 * power, N)
    y = -0.5 * design.D[:, 0] + rng.normal(0, 1, N)[design.unit_index]
    design = dataclasses.replace(design, y=y + e[design.unit_index, design.period_index])
    row = least_squares(design).table.iloc[0]
    return Trial(
        -0.5,
        fit_gaussian(design, errors=Errors("ar1"), seed=seed, draws=250)["posterior"]["tau"]
        .to_numpy()
        .ravel(),
        float(row["estimate"]),
        float(row["se_cluster"]),
    )


def instrument(seed: int) -> Trial:
    rng = np.random.default_rng(seed)
    n = N * T
    unit, period = np.repeat(np.arange(N), T), np.tile(np.arange(T), N)
    e = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], n)
    z = rng.normal(size=n)
    d = 0.4 * z + rng.normal(size=N)[unit] + e[:, 1]
    y = -0.5 * d + rng.normal(size=N)[unit] + e[:, 0]
    design = Design(
        "iv.1",
        "iv",
        "y",
        y,
        d[:, None],
        np.empty((n, 0)),
        ("d",),
        (),
        unit,
        period,
        np.arange(N),
        np.arange(T),
        "u",
        "t",
        "fixed",
        "fixed",
        None,
        "0" * 64,
    )
    found = draw_instrument(
        with_instrument(design, z, "z"), d, tau=(0.0, 5.0), pi=(0.0, 5.0), size=1000, seed=seed
    )
    peer = two_stage(design, d, z)
    return Trial(-0.5, found.tau, peer.estimate, peer.se)


@cache
def _sampler(kind: str):
    """A compiled error model on one design; every trial puts its own outcome in."""
    import nutpie

    from bayesdid.model.errors import Errors
    from bayesdid.model.likelihood import Likelihood
    from bayesdid.model.model import Model
    from bayesdid.model.priors import resolve_priors
    from bayesdid.model.pymc.compile import to_pymc

    design = _design(0, _constant, "active:a")
    y = np.full(design.n, 20.0) if kind == "negative_binomial" else design.y
    typical = dataclasses.replace(design, y=np.random.default_rng(0).normal(0, 0.5, design.n))
    priors = resolve_priors("weak", typical if kind == "negative_binomial" else design)
    unit = kind == "unit_variance"
    value = Model(
        likelihood=Likelihood("normal" if unit else kind),
        errors=Errors(scale="unit" if unit else "common"),
    )
    model = to_pymc(value, dataclasses.replace(design, y=y), priors=priors)
    return design, nutpie.compile_pymc_model(model)


def sampled(seed: int, kind: str) -> Trial:
    """Student t, unit variances and counts: chains on the PyMC model."""
    import nutpie

    design, compiled = _sampler(kind)
    rng = np.random.default_rng(seed + 4000)
    mu = -0.5 * design.D[:, 0] + rng.normal(0, 0.5, N)[design.unit_index]
    mu = mu + rng.normal(0, 0.3, T)[design.period_index]
    match kind:
        case "student_t":
            y = mu + 0.4 * rng.standard_t(3, design.n)
        case "unit_variance":
            y = mu + 0.4 * np.exp(0.6 * rng.normal(size=N))[design.unit_index] * rng.normal(
                size=design.n
            )
        case _:
            y = rng.negative_binomial(10, 10 / (10 + np.exp(3 + mu))).astype(float)
    tree = nutpie.sample(
        compiled.with_data(outcome=y),
        draws=400,
        tune=400,
        chains=2,
        cores=1,
        seed=seed,
        progress_bar=False,
    )
    draws = np.asarray(tree["posterior"]["tau"]).ravel()
    shown = dataclasses.replace(design, y=np.log(y + 0.5) if kind == "negative_binomial" else y)
    row = least_squares(shown).table.iloc[0]
    return Trial(-0.5, draws, float(row["estimate"]), float(row["se_cluster"]))


FAMILIES: dict[str, tuple[Callable[..., Trial], dict[str, str]]] = {
    "TWFE, fixed effects": (twfe, {"kind": "fixed"}),
    "TWFE, random effects": (twfe, {"kind": "random"}),
    "TWFE, Mundlak effects": (twfe, {"kind": "mundlak"}),
    "factorial: synergy": (factorial, {}),
    "event study: first period": (event_study, {}),
    "cohorts: ATT, growing effects": (cohort, {}),
    "overlap: synergy": (overlap, {}),
    "mediation: indirect": (mediation, {}),
    "moderation: slope": (moderation, {}),
    "heterogeneity: difference": (heterogeneity, {}),
    "AR(1) errors, phi 0.6": (ar1, {}),
    "Student t errors, nu 3": (sampled, {"kind": "student_t"}),
    "unit variances": (sampled, {"kind": "unit_variance"}),
    "negative binomial": (sampled, {"kind": "negative_binomial"}),
    "instrument": (instrument, {}),
}


def trial(job: tuple[str, int]) -> dict[str, object]:
    """Truth, posterior mean, coverage at each level, and the frequentist estimate."""
    name, seed = job
    function, options = FAMILIES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = function(seed, **options)
    row: dict[str, object] = {
        "family": name,
        "error": float(found.draws.mean()) - found.truth,
        "truth": found.truth,
        "peer_error": found.estimate - found.truth,
        "peer": abs(found.estimate - found.truth) < 1.959964 * found.se,
    }
    for level in levels():
        low, high = hdi(found.draws, level)
        row[f"{level:.0%}"] = low <= found.truth <= high
    return row


def calibrate(size: int, workers: int = 1, names: list[str] | None = None) -> pd.DataFrame:
    """Coverage, bias and RMSE of every family over `size` panels each."""
    jobs = [(name, seed) for name in names or FAMILIES for seed in range(size)]
    with process_pool(workers):
        rows = map_fits(trial, jobs, chunk=max(1, size // 8))
    found = []
    for name, part in pd.DataFrame(rows).groupby("family", sort=False):
        bias_se = part["error"].std(ddof=1) / np.sqrt(len(part))
        found.append(
            {
                "family": name,
                "panels": len(part),
                **{f"{level:.0%}": part[f"{level:.0%}"].mean() for level in levels()},
                "peer 95%": part["peer"].mean(),
                "bias": part["error"].mean(),
                "MCSE": bias_se,
                "RMSE": np.sqrt((part["error"] ** 2).mean()),
                "peer RMSE": np.sqrt((part["peer_error"] ** 2).mean()),
            }
        )
    return pd.DataFrame(found)


def bands(size: int, error: float = 0.01) -> dict[str, tuple[float, float]]:
    """Binomial band that coverage stays in with probability ``1 - error``, by level."""
    return {
        f"{level:.0%}": (
            binom.ppf(error / 2, size, level) / size,
            binom.ppf(1 - error / 2, size, level) / size,
        )
        for level in levels()
    }


def main() -> None:
    """Write docs/calibration.md."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=200)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=Path("docs/calibration.md"))
    options = parser.parse_args()
    begin = time.perf_counter()
    table = calibrate(options.size, options.workers)
    limits = bands(options.size)
    text = ", ".join(f"{level} {low:.3f} to {high:.3f}" for level, (low, high) in limits.items())
    shown = table.copy()
    for level, (low, high) in limits.items():
        shown[level] = [f"{v:.3f}" + ("" if low <= v <= high else " *") for v in shown[level]]
    lines = ["| " + " | ".join(shown.columns) + " |", "|" + "---|" * shown.shape[1]]
    lines += [
        "| " + " | ".join(f"{v:.3f}" if isinstance(v, float) else str(v) for v in row) + " |"
        for row in shown.itertuples(index=False)
    ]
    options.out.write_text(
        "# Calibration\n\n"
        f"Written by `make calibrate`: {options.size} simulated panels of each family ({N} units, "
        f"{T} periods; {2 * N} units for overlap), truth known and the same in all of them. "
        "Columns 50%, 89%, 95%: share of panels whose HDI holds the truth under weak priors; a "
        f"star marks what lies outside the 99 % binomial band ({text}). Peer: the frequentist "
        "estimate, its 95 % interval and its RMSE (least squares with i.i.d. errors; clustered for "
        "AR(1) and the last likelihoods; saturated cells for cohorts and overlap; delta method for "
        "mediation; 2SLS for the instrument; least squares on the log count for the negative "
        "binomial).\n\n" + "\n".join(lines) + "\n",
        encoding="utf-8",
    )
    sys.stdout.write(f"{options.out}: {time.perf_counter() - begin:.0f} s\n")


if __name__ == "__main__":
    main()
