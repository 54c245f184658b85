"""Are spatial posteriors calibrated? Ranks of the truth under the prior; coverage of fixed ones.

``make calibrate-spatial`` writes docs/calibration-spatial.md; the tests run a small version.

1. Simulation-based calibration (Talts et al. 2018, arXiv:1804.06788): rho from its uniform prior,
   coefficients from their normal priors in units of sigma, panels of the model, then the rank of
   the truth among independent draws of the engine. Two priors are improper, so nothing can be
   drawn from them: sigma and the levels that fixed effects cause have one value in all panels.
   Ranks are uniform all the same, because the posterior moves along with a change of scale or of
   levels (each of these priors is the group's right Haar measure), so that the distribution of a
   rank depends on neither. That holds where a transformation removes the fixed effects exactly:
   where rows of W have one sum, or in models with a lag of the error alone.
2. Coverage of a fixed truth on the paper's geography under weak priors, beside maximum likelihood.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import time
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import binom, chisquare, kstest

sys.path.insert(0, str(Path(__file__).parents[1] / "spatial"))

from planted import base_design, near

from bayesdid.inference.exact.durbin import draw_spatial, spatial_target
from bayesdid.inference.exact.durbin_fit import draw_durbin
from bayesdid.inference.executor import map_fits, process_pool
from bayesdid.inference.impacts import effects_of
from bayesdid.model.priors import Priors
from bayesdid.panel.places import random_places
from bayesdid.peers.spatial_impacts import ml_impacts
from bayesdid.peers.spatial_ml import spatial_ml
from bayesdid.spatial.design import spatial_design
from bayesdid.spatial.operators.logdet import LogDeterminant, log_determinant
from bayesdid.spatial.operators.moments import Moments, moments
from bayesdid.spatial.weights.distance import great_circle, inverse_distance, nearest
from bayesdid.spatial.weights.weights import Weights, make_weights
from bayesdid.summary import hdi, levels

PLACES = Path(__file__).parents[2] / "models" / "dual_pilot" / "china_prefectures.csv"
CUTOFF = 140  # km, which leaves about a tenth of the units without a neighbour
FALSE_ALARM = 0.01  # of a whole table of uniformity tests
RANKS, BINS = 100, 20  # 99 draws in each panel


@cache
def geography(N: int, how: str) -> tuple[Weights, LogDeterminant]:
    """Weights between `N` prefectures, and their log-determinant."""
    distances = great_circle(random_places(PLACES, N, seed=1), np.arange(N))
    match how:
        case "inverse distance squared":
            made = make_weights(inverse_distance(distances, power=2), np.arange(N), how)
        case "spectral":
            raw = inverse_distance(distances, power=2)
            made = make_weights(raw, np.arange(N), "the same by its spectral radius", "spectral")
        case "4 nearest":
            made = make_weights(nearest(distances, 4), np.arange(N), how)
        case "islands":
            raw = inverse_distance(distances, power=2, cutoff_km=CUTOFF)
            made = make_weights(raw, np.arange(N), f"inverse distance squared up to {CUTOFF} km")
        case _:
            made = near(N)
    return made, log_determinant(made)


# 1. Ranks of the truth under the prior


@dataclass(frozen=True)
class Case:
    """A model to draw from its prior; `wrong` names a deliberate error of the posterior."""

    kind: str
    weights: str
    N: int
    T: int
    unit: str = "fixed"
    wrong: str = ""


CASES = {
    "SDM, inverse distance squared": Case("sdm", "inverse distance squared", 25, 3),
    "SDM, 4 nearest (complex eigenvalues)": Case("sdm", "near", 25, 3),
    "SDM, random unit effects": Case("sdm", "near", 20, 4, "random"),
    "SDEM, unequal row sums": Case("sdem", "spectral", 25, 3),
}
CONTROLS = {
    "exponent T of the determinant": Case("sdm", "near", 25, 3, wrong="power"),
    "NT degrees of freedom": Case("sdm", "near", 25, 3, wrong="degrees"),
    "no factor for period effects": Case(
        "sdm", "inverse distance squared", 25, 3, wrong="row_power"
    ),
}
NAMES = ("x0", "x1", "W x0", "W x1")
# sd over the reference is the prior's sd in units of sigma
PRIORS = Priors(
    "user", dict.fromkeys(NAMES, 0.0), {"x0": 0.5, "x1": 0.2, "W x0": 0.5, "W x1": 0.3}, np.inf, 0.8
)
REFERENCE, SIGMA = 0.5, 0.7
QUANTITIES = ("rho", "beta", "theta", "sigma", "direct", "indirect")


def _misspecified(stats: Moments, case: Case) -> Moments:
    match case.wrong:
        case "power":
            return dataclasses.replace(stats, power=float(case.T))
        case "degrees":
            return dataclasses.replace(stats, degrees=np.array([float(case.N * case.T)]))
        case "row_power":
            return dataclasses.replace(stats, row_power=0.0)
        case _:
            return stats


def rank(job: tuple[str, int]) -> dict[str, object]:
    """Draw a truth and a panel; the rank of the truth among draws of its posterior."""
    name, seed = job
    case = (CASES | CONTROLS)[name]
    rng = np.random.default_rng([seed, 11, [*CASES, *CONTROLS].index(name)])
    weights, logdet = geography(case.N, case.weights)
    N, T, W = case.N, case.T, weights.dense()
    rho = rng.uniform(logdet.interval.low, logdet.interval.high)
    b = SIGMA * rng.normal(size=4) * np.array([PRIORS.sds[n] for n in NAMES]) / REFERENCE
    X = rng.normal(size=(2, N, T)) + rng.normal(size=(2, N, 1))
    Z = np.concatenate([X, W @ X])
    unit = rng.normal(size=(N, 1))
    if case.unit == "random":  # sd of the effects over sigma, times the reference, is gamma
        unit = unit * SIGMA * rng.gamma(2, PRIORS.scale / 2) / REFERENCE
    mean = np.tensordot(b, Z, axes=1)
    noise = SIGMA * rng.normal(size=(N, T))
    period = np.array([[3.0, -1.0, 0.5, 2.0]])[:, :T]
    spread = np.linalg.inv(np.eye(N) - rho * W)
    if case.kind == "sdm":
        y = spread @ (mean + unit + noise + period)
    else:
        y = mean + unit + period + spread @ noise
    design = spatial_design(
        base_design(y, X, case.unit),  # type: ignore[arg-type]
        weights,
        case.kind,
        logdet=logdet,
    )
    stats = _misspecified(moments(design), case)
    draws = draw_spatial(spatial_target(stats, logdet, PRIORS, REFERENCE), RANKS - 1, rng)
    shown = effects_of(design, draws.rho, draws.b)["x0"]
    multiplier = spread if case.kind == "sdm" else np.eye(N)
    matrix = multiplier @ (b[0] * np.eye(N) + b[2] * W)
    direct, total = np.trace(matrix) / N, matrix.sum() / N
    pairs = (
        (rho, draws.rho),
        (b[0], draws.b[:, 0]),
        (b[2], draws.b[:, 2]),
        (SIGMA, draws.sigma),
        (direct, shown.direct),
        (total - direct, shown.indirect),
    )
    ranks = {q: int((values < at).sum()) for q, (at, values) in zip(QUANTITIES, pairs, strict=True)}
    return {"case": name, "seed": seed, **ranks}


def uniformity(size: int, workers: int = 1, names: list[str] | None = None) -> pd.DataFrame:
    """p-values of the ranks being uniform, for every case and quantity.

    Chi-square in 20 bins sees a posterior too wide or too narrow, Kolmogorov-Smirnov (exact,
    because a rank plus uniform noise is uniform) one that is shifted. ``uniform`` says whether
    both p-values exceed :data:`FALSE_ALARM` over the number of tests in the table (Bonferroni).
    """
    names = names or [*CASES, *CONTROLS]
    rows = pd.DataFrame(_run(rank, [(n, s) for n in names for s in range(size)], workers))
    jitter = np.random.default_rng(0)
    found = []
    limit = FALSE_ALARM / (2 * len(QUANTITIES) * len(names))
    for name in names:
        for quantity in QUANTITIES:
            ranks = rows.loc[rows["case"] == name, quantity].to_numpy()
            counts = np.bincount(ranks * BINS // RANKS, minlength=BINS)
            p = float(chisquare(counts).pvalue)
            ecdf = float(kstest((ranks + jitter.random(len(ranks))) / RANKS, "uniform").pvalue)
            found.append(
                {
                    "case": name,
                    "quantity": quantity,
                    "panels": size,
                    "chi-square p": p,
                    "ECDF p": ecdf,
                    "uniform": min(p, ecdf) > limit,
                }
            )
    return pd.DataFrame(found)


# 2. Coverage of a fixed truth on the paper's geography

UNITS, PERIODS, TREATED = 218, 16, 37
BETA, THETA = np.array([-0.5, 0.4, -0.3, 0.2]), np.array([-0.4, 0.2, 0.0, -0.2])


@dataclass(frozen=True)
class Setting:
    """Weights, rho as a share of its upper bound, and a transform."""

    weights: str
    share: float
    transform: str = "lee_yu"


SETTINGS = {
    "row-normalised, rho 0": Setting("inverse distance squared", 0.0),
    "row-normalised, rho 0.4": Setting("inverse distance squared", 0.4),
    "row-normalised, rho 0.65": Setting("inverse distance squared", 0.65),
    "row-normalised, 0.95 of the bound": Setting("inverse distance squared", 0.95),
    "spectral (unequal row sums), rho 0.4": Setting("spectral", 0.4),
    "spectral, 0.95 of the bound": Setting("spectral", 0.95),
    "4 nearest (complex eigenvalues), rho 0.4": Setting("4 nearest", 0.4),
    "islands, rho 0.4": Setting("islands", 0.4),
    "row-normalised, rho 0.65, direct": Setting("inverse distance squared", 0.65, "direct"),
}
SHOWN = ("rho", "direct", "indirect")


def _regressors(rng: np.random.Generator) -> np.ndarray:
    """One staggered treatment of 37 units, and three persistent covariates, shape (4, N, T)."""
    N, T = UNITS, PERIODS
    start = np.full(N, T)
    start[rng.permutation(N)[:TREATED]] = rng.integers(4, T - 1, TREATED)
    X = np.empty((4, N, T))
    X[0] = np.arange(T) >= start[:, None]
    X[1:] = rng.normal(size=(3, N, 1)) + 0.05 * np.arange(T)
    step = rng.normal(size=(3, N, T))
    for t in range(1, T):
        step[:, :, t] = 0.6 * step[:, :, t - 1] + 0.8 * step[:, :, t]
    X[1:] += step
    return X


def study_panel(name: str, seed: int):
    """A simulated panel of a setting, which knows its log-determinant, and the truth."""
    setting = SETTINGS[name]
    rng = np.random.default_rng([seed, 12, list(SETTINGS).index(name)])
    weights, logdet = geography(UNITS, setting.weights)
    N, W = UNITS, weights.dense()
    rho = setting.share * logdet.interval.high
    X = _regressors(rng)
    mean = np.tensordot(BETA, X, axes=1) + np.tensordot(THETA, W @ X, axes=1) + 2.0
    effects = rng.normal(size=(N, 1)) + rng.normal(size=(1, PERIODS))
    spread = np.linalg.inv(np.eye(N) - rho * W)
    y = spread @ (mean + effects + rng.normal(size=(N, PERIODS)))
    matrix = spread @ (BETA[0] * np.eye(N) + THETA[0] * W)
    direct, total = np.trace(matrix) / N, matrix.sum() / N
    truth = dict(zip(SHOWN, (rho, direct, total - direct), strict=True))
    return spatial_design(base_design(y, X), weights, "sdm", logdet=logdet), truth


def trial(job: tuple[str, int]) -> list[dict[str, object]]:
    """Coverage and error of posterior and ML for rho and the effects of the treatment."""
    name, seed = job
    transform = SETTINGS[name].transform
    design, truth = study_panel(name, seed)
    fit = draw_durbin(design, transform=transform, seed=seed)  # type: ignore[arg-type]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ml = spatial_ml(design, transform=transform)  # type: ignore[arg-type]
        impacts = ml_impacts(design, ml)
    effects = effects_of(design, fit.rho, fit.b)["x0"]
    draws = {"rho": fit.rho, "direct": effects.direct, "indirect": effects.indirect}
    peers = {
        "rho": (ml.rho, ml.rho_se),
        "direct": (impacts.direct[0], impacts.direct_se[0]),
        "indirect": (impacts.indirect[0], impacts.indirect_se[0]),
    }
    rows = []
    # medians: a posterior that reaches the bound of rho has no mean of 1 / (1 - rho)
    for quantity, at in truth.items():
        estimate, se = peers[quantity]
        row: dict[str, object] = {
            "setting": name,
            "quantity": quantity,
            "truth": at,
            "gate": fit.converged,
            "error": float(np.median(draws[quantity])) - at,
            "peer_error": float(estimate) - at,
            "peer": bool(abs(estimate - at) < 1.959964 * se),
            "ml": ml.converged,
        }
        for level in levels():
            low, high = hdi(draws[quantity], level)
            row[f"{level:.0%}"] = low <= at <= high
        rows.append(row)
    return rows


def coverage(size: int, workers: int = 1, names: list[str] | None = None) -> pd.DataFrame:
    """Coverage, bias and RMSE over `size` panels of each setting."""
    jobs = [(name, seed) for name in names or SETTINGS for seed in range(size)]
    rows = pd.DataFrame([row for found in _run(trial, jobs, workers) for row in found])
    found = []
    for (name, quantity), part in rows.groupby(["setting", "quantity"], sort=False):
        found.append(
            {
                "setting": name,
                "quantity": quantity,
                "truth": part["truth"].iloc[0],
                **{f"{level:.0%}": part[f"{level:.0%}"].mean() for level in levels()},
                "ML 95%": part["peer"].mean(),
                "bias": part["error"].mean(),
                "MCSE": part["error"].std(ddof=1) / np.sqrt(len(part)),
                "ML bias": part["peer_error"].mean(),
                "RMSE": np.sqrt((part["error"] ** 2).mean()),
                "ML RMSE": np.sqrt((part["peer_error"] ** 2).mean()),
                "gate failed": int((~part["gate"]).sum()),
                "ML failed": int((~part["ml"]).sum()),
            }
        )
    return pd.DataFrame(found)


def bands(size: int, error: float = 0.01) -> dict[str, tuple[float, float]]:
    """Binomial band that coverage stays in with probability ``1 - error``, by column."""
    expected = {f"{level:.0%}": level for level in levels()} | {"ML 95%": 0.95}
    return {
        name: (
            binom.ppf(error / 2, size, level) / size,
            binom.ppf(1 - error / 2, size, level) / size,
        )
        for name, level in expected.items()
    }


def _run(function, jobs: list, workers: int) -> list:
    with process_pool(workers):
        return map_fits(function, jobs, chunk=25)


def _markdown(table: pd.DataFrame) -> str:
    lines = ["| " + " | ".join(table.columns) + " |", "|" + "---|" * table.shape[1]]
    lines += [
        "| " + " | ".join(f"{v:.3f}" if isinstance(v, float) else str(v) for v in row) + " |"
        for row in table.itertuples(index=False)
    ]
    return "\n".join(lines)


def main() -> None:
    """Write docs/calibration-spatial.md."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--ranks", type=int, default=1000)
    parser.add_argument("--size", type=int, default=200)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=Path("docs/calibration-spatial.md"))
    options = parser.parse_args()
    begin = time.perf_counter()
    ranks = uniformity(options.ranks, options.workers)
    ranks["uniform"] = np.where(ranks["uniform"], "yes", "no *")
    ranks["chi-square p"], ranks["ECDF p"] = (
        [f"{p:.3f}" if p >= 0.001 else "< 0.001" for p in ranks[name]]
        for name in ("chi-square p", "ECDF p")
    )
    table = coverage(options.size, options.workers)
    limits = bands(options.size)
    text = ", ".join(f"{name} {low:.3f} to {high:.3f}" for name, (low, high) in limits.items())
    for name, (low, high) in limits.items():
        table[name] = [f"{v:.3f}" + ("" if low <= v <= high else " *") for v in table[name]]
    off = abs(table["bias"]) > 2.576 * table["MCSE"]
    table["bias"] = [f"{v:.3f}" + " *" * far for v, far in zip(table["bias"], off, strict=True)]
    right = ranks["case"].isin(list(CASES))
    islands = len(geography(UNITS, "islands")[0].islands)
    options.out.write_text(
        "# Calibration of spatial models\n\n"
        "Written by `make calibrate-spatial`.\n\n"
        "## Ranks of the truth under the prior\n\n"
        f"{options.ranks} panels of each case (20 or 25 units, 3 or 4 periods, two regressors and "
        "their spatial lags, fixed period effects): rho uniform on its admissible interval, "
        "coefficients normal in units of sigma, one panel, the rank of the truth among "
        f"{RANKS - 1} independent draws. p-values of a chi-square test in {BINS} bins and of an "
        "exact Kolmogorov-Smirnov test of the ECDF. A star marks what falls below "
        f"{FALSE_ALARM} over the number of tests, so that a calibrated engine has a star anywhere "
        f"with probability {FALSE_ALARM} at most.\n\n"
        + _markdown(ranks[right])
        + "\n\nThe same with a deliberate error in the posterior, which has to be found out: a "
        "row with a star in each case.\n\n"
        + _markdown(ranks[~right])
        + "\n\n## Coverage of a fixed truth\n\n"
        f"{options.size} simulated panels of each setting: {UNITS} prefectures drawn from "
        f"models/dual_pilot/china_prefectures.csv, {PERIODS} periods, a staggered treatment of "
        f"{TREATED} units, "
        "three covariates, spatial lags of all four and of y, two-way fixed effects, inverse "
        f"distance squared unless said otherwise; {islands} islands at a cutoff of {CUTOFF} km. "
        "Columns 50%, 89%, 95%: share of panels whose HDI (4,000 draws, weak priors) holds the "
        "truth; bias and RMSE are those of the posterior median; ML: "
        "maximum likelihood under the same transform (Lee & Yu's but for the last setting), plus "
        "or minus 1.96 standard errors, delta method for effects of the treatment. A star marks "
        f"coverage outside the 99 % binomial band ({text}) and a bias beyond 2.58 of its Monte "
        "Carlo standard errors (MCSE): about one cell in a hundred has one by chance. The last "
        "setting shows what the transform `direct` does to rho.\n\n" + _markdown(table) + "\n",
        encoding="utf-8",
    )
    sys.stdout.write(f"{options.out}: {time.perf_counter() - begin:.0f} s\n")


if __name__ == "__main__":
    main()
