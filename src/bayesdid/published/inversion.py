"""Effects of the states, from printed coefficients that are known functionals of them.

    b ~ N(M theta, V + H),   theta ~ N(0, P),

with M of :mod:`bayesdid.published.functional`; V from the printed standard errors and the
correlation that the weights imply, under errors that are AR(1) with a known phi; and H from what
the functionals leave out: effects that differ between units, ``theta_i = theta + omega u_i``, by
which two columns of the same units err together, and covariates, which every column adjusts for on
its own sample, by an error kappa of its own. Without the two, near-duplicate columns would be
read to the third digit. Timings, time paths of the single effects, omega and kappa are averaged
over by what they make of the printed numbers (their marginal likelihood).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.special import logsumexp

from bayesdid.arrays import FloatArray
from bayesdid.inference.numerics.mixture import psd_root
from bayesdid.published.functional import Effects, Path, column_weights, effects_of, state_rows
from bayesdid.published.timing import Timing
from bayesdid.study.load import Spec
from bayesdid.study.terms import Factor

PATHS: tuple[Path, ...] = (
    Path("static"),
    *(Path("growing", years) for years in (1.0, 2.0, 3.0, 4.0, 6.0, 8.0)),
    *(Path("fading", years) for years in (2.0, 4.0, 8.0, 16.0)),
    *(Path("free", share) for share in (0.02, 0.05, 0.1)),
)
OMEGAS = (0.0, 0.05, 0.1, 0.2)  # sd of unit effects over sd(y), alike in prior mass
KAPPAS = (0.005, 0.015, 0.05)  # sd of a column's own error over sd(y), alike in prior mass
LEVEL_SHARE, ORDER_SHARE = 2.5, 0.25  # prior sds over sd(y): of effects, of deviations by order


@dataclass(frozen=True, slots=True)
class PrintedColumns:
    """Printed treatment coefficients of several columns.

    Attributes
    ----------
    names
        ``table2.5:both``.
    estimates, ses, rounding
        Shapes (C,); the last is half a unit of the last printed digit.
    specs
        Each column's spec, as often as it has coefficients.
    position
        Position of each coefficient among its spec's terms.
    inflate
        Whether standard errors suppose independent errors, so that serial correlation inflates
        them.
    """

    names: tuple[str, ...]
    estimates: FloatArray
    ses: FloatArray
    rounding: FloatArray
    specs: tuple[Spec, ...]
    position: tuple[int, ...]
    inflate: np.ndarray


@dataclass(frozen=True, slots=True)
class Component:
    """The model under one timing, path, omega and kappa.

    Attributes
    ----------
    path, omega, kappa
        Assumed.
    M, covariance, prior
        Shapes (C, J), (C, C) and (J, J).
    L
        Quantities of interest as functionals of theta, shape (Q, J).
    log_prior
        Of the component.
    """

    path: Path
    omega: float
    kappa: float
    M: FloatArray
    covariance: FloatArray
    prior: FloatArray
    L: FloatArray
    log_prior: float

    @property
    def marginal(self) -> FloatArray:
        """Covariance of the printed coefficients before they are seen, shape (C, C)."""
        return np.asarray(self.M @ self.prior @ self.M.T + self.covariance)

    def posterior(self, b: FloatArray) -> tuple[FloatArray, FloatArray, float]:
        """Mean (Q,), covariance (Q, Q) of the quantities, and the log weight."""
        S = self.marginal
        gain = np.linalg.solve(S, self.M @ self.prior).T
        mean, covariance = gain @ b, self.prior - gain @ self.M @ self.prior
        return self.L @ mean, self.L @ covariance @ self.L.T, self.log_prior + log_normal(b, S)


def log_normal(b: FloatArray, S: FloatArray) -> float:
    """Log density of N(0, S) at b."""
    return float(
        -0.5 * (b @ np.linalg.solve(S, b) + np.linalg.slogdet(S)[1] + len(b) * np.log(2 * np.pi))
    )


def components(
    columns: PrintedColumns,
    timings: tuple[Timing, ...],
    *,
    scale: float,
    phi: float = 0.0,
    paths: tuple[Path, ...] = PATHS,
) -> list[Component]:
    """Every timing, path, omega and kappa; kinds of paths are alike in prior mass.

    Parameters
    ----------
    scale
        sd(y), to which priors are related.
    phi
        Autocorrelation of errors within units.
    """
    kinds = [path.kind for path in paths]
    log_path = {path: -np.log(len(set(kinds)) * kinds.count(path.kind)) for path in paths}
    log_rest = -np.log(len(timings) * len(OMEGAS) * len(KAPPAS))
    found = []
    for timing in timings:
        weights = printed_weights(columns, timing)
        V = sampling_covariance(columns, weights, phi)
        for path in paths:
            effects = effects_of(timing, path)
            own = np.einsum("cnt,ntj->cnj", weights, effects.values)  # by unit
            M, prior = own.sum(axis=1), _prior(effects, path, scale)
            together = np.einsum("cnj,dnj->cd", own, own)
            L = quantities(timing, effects)
            found += [
                Component(
                    path,
                    omega,
                    kappa,
                    M,
                    V + (omega * scale) ** 2 * together + (kappa * scale) ** 2 * np.eye(len(V)),
                    prior,
                    L,
                    log_path[path] + log_rest,
                )
                for omega, kappa in product(OMEGAS, KAPPAS)
            ]
    return found


def printed_weights(columns: PrintedColumns, timing: Timing) -> FloatArray:
    """Weights of all unit-periods in every printed coefficient, shape (C, N, T)."""
    made: dict[str, FloatArray] = {}
    rows = []
    for spec, k in zip(columns.specs, columns.position, strict=True):
        if spec.id not in made:
            made[spec.id] = column_weights(spec, timing)
        rows.append(made[spec.id][k])
    return np.stack(rows)


def sampling_covariance(columns: PrintedColumns, weights: FloatArray, phi: float) -> FloatArray:
    """Of the printed coefficients, shape (C, C), rounding included.

    Correlations follow from the weights. Standard errors are the printed ones; where those suppose
    independent errors they are multiplied by the ratio that phi implies.
    """
    T = weights.shape[2]
    R = phi ** np.abs(np.subtract.outer(np.arange(T), np.arange(T)))
    C = np.einsum("cnt,ts,dns->cd", weights, R, weights)
    sd = np.sqrt(np.diag(C))
    centre = np.eye(T) - 1 / T
    reported = np.trace(centre @ R) / (T - 1)  # share of the variance that residuals show
    alone = np.sqrt((weights**2).sum(axis=(1, 2)))
    factor = np.where(columns.inflate, sd / alone / np.sqrt(reported), 1.0)
    ses = columns.ses * factor
    covariance = C / np.outer(sd, sd) * np.outer(ses, ses)
    return np.asarray(covariance + np.diag(columns.rounding**2 / 3))


def _prior(effects: Effects, path: Path, scale: float) -> FloatArray:
    share = np.where(effects.order, ORDER_SHARE, LEVEL_SHARE)
    share = np.where(effects.step, path.years, share)
    return np.diag((share * scale) ** 2)


def quantity_names(timing: Timing) -> tuple[str, ...]:
    """Names of the rows of :func:`quantities`."""
    policies = timing.policies
    if len(policies) == 1:
        return (f"only:{policies[0]}",)
    sequences = [f"first:{p}" for p in policies]
    return (
        "both",
        "joint",
        *(f"only:{p}" for p in policies),
        *(f"{p} at both" for p in policies),
        *sequences,
        *(f"{name}, singles" for name in sequences),
    )


def quantities(timing: Timing, effects: Effects) -> FloatArray:
    """Averages over rows as functionals of theta, shape (Q, J).

    ``both``: the effect of both over the rows under both; ``joint``: its departure from the sum of
    the singles at their ages; ``only:P``: P over the rows under P alone; ``P at both``: P alone at
    the ages that it has in rows under both; ``first:P`` and ``first:P, singles``: both, and the
    mean of the singles, over the rows under both of units that began with P.
    """
    G = effects.values
    if len(timing.policies) == 1:
        return np.asarray(G[timing.on[:, :, 0]].mean(axis=0, keepdims=True))
    both = timing.on.all(axis=2)
    none = np.zeros(G.shape[2])

    def mean(rows: np.ndarray) -> FloatArray:
        return np.asarray(G[rows].mean(axis=0)) if rows.any() else none

    single = {
        p: np.array([name == p or name.startswith(f"{p} step") for name in effects.names])
        for p in timing.policies
    }
    alone = [state_rows(timing, Factor("only", p)) for p in timing.policies]
    first = [state_rows(timing, Factor("first", p)) for p in timing.policies]
    any_single = np.any(list(single.values()), axis=0) / len(timing.policies)
    return np.stack(
        [
            mean(both),
            mean(both) * effects.joint,
            *(mean(rows) for rows in alone),
            *(mean(both) * single[p] for p in timing.policies),
            *(mean(rows) for rows in first),
            *(mean(rows) * any_single for rows in first),
        ]
    )


def draw(
    b: FloatArray, parts: list[Component], size: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Draws of the quantities, shape (size, Q), and the posterior weight of each component."""
    posteriors = [part.posterior(b) for part in parts]
    log_weight = np.array([log for _, _, log in posteriors])
    weight = np.exp(log_weight - logsumexp(log_weight))
    counts = rng.multinomial(size, weight)
    found = []
    for k in np.flatnonzero(counts):
        mean, covariance, _ = posteriors[k]
        noise = rng.standard_normal((counts[k], len(mean)))
        found.append(mean + noise @ psd_root(covariance).T)
    return rng.permutation(np.concatenate(found)), weight


def held_out(b: FloatArray, parts: list[Component]) -> FloatArray:
    """Each coefficient predicted by the others: mean, sd and two-sided tail, shape (C, 3)."""
    from scipy.stats import norm

    rows = []
    for c in range(len(b)):
        rest = np.arange(len(b)) != c
        logs, means, sds = [], [], []
        for part in parts:
            S = part.marginal
            gain = np.linalg.solve(S[np.ix_(rest, rest)], S[rest, c])
            logs.append(part.log_prior + log_normal(b[rest], S[np.ix_(rest, rest)]))
            means.append(gain @ b[rest])
            sds.append(np.sqrt(max(S[c, c] - gain @ S[rest, c], 1e-300)))
        weight = np.exp(np.array(logs) - logsumexp(logs))
        mean, sd = np.array(means), np.array(sds)
        centre = weight @ mean
        below = weight @ norm.cdf((b[c] - mean) / sd)
        spread = np.sqrt(weight @ (sd**2 + (mean - centre) ** 2))
        rows.append((centre, spread, 2 * min(below, 1 - below)))
    return np.array(rows)
