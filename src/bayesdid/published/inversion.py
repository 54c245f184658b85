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

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp, ndtr

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.design.overlap import Set, pairs_of
from bayesdid.estimands.names import ALL, BEYOND_PAIRS, contrasts_between, order_gap, sum_of
from bayesdid.inference.numerics.mixture import psd_root
from bayesdid.panel.adoption import state_name, state_names
from bayesdid.published.columns import PrintedColumns
from bayesdid.published.functional import (
    Effects,
    Path,
    alike,
    column_weights,
    effects_of,
    pair_orders,
    set_rows,
    state_rows,
)
from bayesdid.published.timing import Timing
from bayesdid.study.terms import Factor

PATHS: tuple[Path, ...] = (
    Path("static"),
    *(Path("growing", years) for years in (2.0, 3.0, 4.0, 6.0, 8.0, 12.0)),
    *(Path("fading", years) for years in (2.0, 4.0, 8.0, 16.0)),
    *(Path("free", share) for share in (0.02, 0.05, 0.1)),
)
OMEGAS = (0.0, 0.05, 0.1, 0.2)  # sd of unit effects over sd(y), alike in prior mass
KAPPAS = (0.005, 0.015, 0.05)  # sd of a column's own error over sd(y), alike in prior mass
_LOG_ROOT = 0.5 * np.log(2 * np.pi)  # of the normal density
LEVEL_SHARE, ORDER_SHARE = 2.5, 0.25  # prior sds over sd(y): of effects, of deviations by order


class Component(NamedTuple):
    """The model under one timing, path, phi, omega and kappa; a tuple, for there are thousands.

    Attributes
    ----------
    path, phi, omega, kappa
        Assumed.
    M, prior
        Shapes (C, J) and (J, J).
    marginal
        Covariance of the printed coefficients before they are seen, shape (C, C).
    L
        Quantities of interest as functionals of theta, shape (Q, J).
    log_prior
        Of the component.
    """

    path: Path
    phi: float
    omega: float
    kappa: float
    M: FloatArray
    prior: FloatArray
    marginal: FloatArray
    L: FloatArray
    log_prior: float


def log_weights(
    b: FloatArray, parts: Sequence[Component], S: FloatArray, precision: FloatArray | None = None
) -> FloatArray:
    """Log prior plus log marginal likelihood of each component, shape (components,).

    Parameters
    ----------
    S
        Covariance of `b` under each component, shape (components, C, C).
    precision
        Its inverse, if that is known already.
    """
    if precision is None:
        column = np.broadcast_to(b[:, None], (len(S), len(b), 1))
        square = np.linalg.solve(S, column)[:, :, 0] @ b
    else:
        square = (precision @ b) @ b
    log_prior = np.array([part.log_prior for part in parts])
    return np.asarray(log_prior - 0.5 * (square + np.linalg.slogdet(S)[1]))


@dataclass(frozen=True, slots=True)
class Layout:
    """What one timing and one path make of the columns, whatever is printed in them.

    Attributes
    ----------
    path
        Of the single effects.
    M, prior
        Functionals, shape (C, J), and the prior covariance of theta, shape (J, J).
    together
        Covariance of the coefficients by effects that differ between units with sd one, (C, C).
    L
        Quantities of interest as functionals of theta, shape (Q, J).
    weights
        Of unit-periods in every coefficient, shape (C, n, T), of units that adopt alike together:
        times the root of how many they are, which is what covariances ask for. One array for all
        paths.
    log_prior
        Of the timing and the path.
    """

    path: Path
    M: FloatArray
    prior: FloatArray
    together: FloatArray
    L: FloatArray
    weights: FloatArray
    log_prior: float


def layouts(
    columns: PrintedColumns,
    timings: tuple[Timing, ...],
    *,
    scale: float,
    paths: tuple[Path, ...] = PATHS,
    weights: Sequence[FloatArray] | None = None,
    asked: bool = True,
) -> list[Layout]:
    """Every timing and path; kinds of paths are alike in prior mass.

    Parameters
    ----------
    weights
        Of :func:`printed_weights` under each timing, if they are known already.
    scale
        sd(y), to which priors are related.
    asked
        Whether quantities of interest are; else none are made.
    """
    kinds = [path.kind for path in paths]
    found = []
    of_timings = weights or [printed_weights(columns, timing) for timing in timings]
    for timing, own_weights in zip(timings, of_timings, strict=True):
        few, units, member = alike(timing)
        scaled = own_weights[:, np.unique(member, return_index=True)[1]] * np.sqrt(units)[:, None]
        made = _functionals(few, units, scaled, dict.fromkeys(map(_columns_of, paths)))
        for path in paths:
            effects, M, together = made[_columns_of(path)]
            found.append(
                Layout(
                    path,
                    M,
                    _prior(effects, path, scale),
                    together,
                    quantities(few, effects, units) if asked else np.zeros((0, len(effects.names))),
                    scaled,
                    -float(np.log(len(timings) * len(set(kinds)) * kinds.count(path.kind))),
                )
            )
    return found


def _columns_of(path: Path) -> Path:
    """Free paths have the same columns, and differ in the prior on their steps."""
    return Path("free") if path.kind == "free" else path


def _functionals(
    few: Timing, units: IntArray, scaled: FloatArray, paths: Iterable[Path]
) -> dict[Path, tuple[Effects, FloatArray, FloatArray]]:
    """Effects along each path, M, and what effects that differ between units have in common.

    Parameters
    ----------
    units
        How many units each of the timing stands for, shape (n,).
    scaled
        Weights of coefficients times the root of that, shape (C, n, T).
    """
    effects = {path: effects_of(few, path) for path in paths}
    # all paths in one product: each alone takes numpy longer to begin than to compute
    values = np.concatenate([one.values for one in effects.values()], axis=2)
    own = scaled.transpose(1, 0, 2) @ values  # by unit, shape (n, C, columns of all paths)
    M = np.einsum("n,ncj->cj", np.sqrt(units), own)
    found, start = {}, 0
    for path, one in effects.items():
        at = slice(start, start := start + len(one.names))
        wide = own[:, :, at].transpose(1, 0, 2).reshape(len(M), -1)
        found[path] = one, M[:, at], wide @ wide.T
    return found


def components(
    columns: PrintedColumns,
    found: Sequence[Layout],
    *,
    scale: float,
    phis: tuple[float, ...] = (0.0,),
) -> list[Component]:
    """Every layout under every phi, omega and kappa.

    Parameters
    ----------
    found
        Of :func:`layouts`.
    scale
        sd(y), to which omega and kappa are related.
    phis
        Autocorrelations of errors within units.
    """
    log_rest = float(np.log(len(phis) * len(OMEGAS) * len(KAPPAS)))
    size = len(columns.names)
    assumed = list(product(phis, OMEGAS, KAPPAS))
    shares = np.array(list(product(OMEGAS, KAPPAS)))[:, :, None, None]
    unit_effects, own_errors = (shares * scale).swapaxes(0, 1) ** 2
    own_errors = own_errors * np.eye(size)
    parts: list[Component] = []
    V = np.zeros((0, size, size))
    weights: FloatArray | None = None
    for layout in found:
        if layout.weights is not weights:  # the paths of one timing share them
            weights = layout.weights
            V = np.stack([sampling_covariance(columns, weights, phi) for phi in phis])
        before = layout.M @ layout.prior @ layout.M.T
        left_out = unit_effects * layout.together + own_errors
        # of each phi, omega and kappa in turn, shape (phis, omegas x kappas, C, C)
        marginal = before + V[:, None] + left_out
        path, M, prior, L = layout.path, layout.M, layout.prior, layout.L
        log_prior = layout.log_prior - log_rest
        parts += [
            Component(path, phi, omega, kappa, M, prior, own, L, log_prior)
            for (phi, omega, kappa), own in zip(
                assumed, marginal.reshape(-1, size, size), strict=True
            )
        ]
    return parts


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
    C = (weights @ R).reshape(len(weights), -1) @ weights.reshape(len(weights), -1).T
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


def quantity_names(policies: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the rows of :func:`quantities`."""
    if len(policies) == 1:
        return (f"only:{policies[0]}",)
    if len(policies) > 2:
        return tuple(one.name for one in contrasts_between(dict.fromkeys(policies, "")))
    sequences = [f"first:{p}" for p in policies]
    return (
        "both",
        "joint",
        *(f"only:{p}" for p in policies),
        *(f"{p} at both" for p in policies),
        *sequences,
        *(f"{name}, singles" for name in sequences),
    )


def quantities(timing: Timing, effects: Effects, units: IntArray | None = None) -> FloatArray:
    """Averages over rows as functionals of theta, shape (Q, J).

    ``both``: the effect of both over the rows under both; ``joint``: its departure from the sum of
    the singles at their ages; ``only:P``: P over the rows under P alone; ``P at both``: P alone at
    the ages that it has in rows under both; ``first:P`` and ``first:P, singles``: both, and the
    mean of the singles, over the rows under both of units that began with P. Of three and more
    policies: their contrasts.

    Parameters
    ----------
    units
        How many units each of the timing stands for, shape (N,); default one.
    """
    mean = partial(_mean, effects.values, np.ones(len(timing.start)) if units is None else units)
    if len(timing.policies) > 2:
        return _contrasts(timing, effects, mean)
    if len(timing.policies) == 1:
        return mean(timing.on[:, :, 0])[None, :]
    both = timing.on.all(axis=2)
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


def _mean(G: FloatArray, units: FloatArray | IntArray, rows: np.ndarray) -> FloatArray:
    """Mean of effects over rows, boolean (N, T), of so many units each; zero without rows."""
    weight = rows * units[:, None]
    return np.asarray(np.einsum("nt,ntj->j", weight, G) / max(weight.sum(), 1))


def _contrasts(
    timing: Timing, effects: Effects, mean: Callable[[np.ndarray], FloatArray]
) -> FloatArray:
    """The contrasts of three and more policies as functionals of theta, shape (Q, J).

    Averages over the rows of :mod:`bayesdid.estimands.state_effects`, all of them: departures of a
    pair over the rows under it, whatever the others do, states as they are over rows of the state.
    """
    policies = timing.policies
    state = state_names(timing.on.reshape(-1, len(policies)), policies).reshape(timing.on.shape[:2])
    none = np.zeros(effects.values.shape[2])

    def gap(pair: Set, rows: np.ndarray) -> FloatArray:
        one, two, _ = (state_rows(timing, order) & rows for order in pair_orders(pair, policies))
        return mean(one) - mean(two) if one.any() and two.any() else none

    every = mean(set_rows(timing, policies))
    found = {
        "all - none": every,
        ALL: every * effects.joint,
        BEYOND_PAIRS: every * (effects.size > 2),
    }
    for policy in policies:
        found[f"only:{policy} - none"] = mean(state == f"only:{policy}")
    for pair in pairs_of(policies):
        own, under = effects.about(pair), set_rows(timing, pair)
        alone = state == state_name(pair, policies)
        found[f"{' and '.join(pair)} - none"] = mean(alone)
        found[sum_of(pair)] = mean(under) * own
        found[order_gap(pair, "none")] = gap(pair, alone)
        found[order_gap(pair, "sum")] = gap(pair, under) * own
    return np.stack([found[name] for name in quantity_names(policies)])


@dataclass(frozen=True, slots=True)
class Mixture:
    """Posteriors of the quantities under every component, and what the components weigh.

    Attributes
    ----------
    log_weight
        Of each component, up to a constant, shape (K,).
    means, roots
        Shapes (K, Q) and (K, Q, Q): a root of each covariance.
    """

    log_weight: FloatArray
    means: FloatArray
    roots: FloatArray

    @classmethod
    def of(cls, b: FloatArray, parts: Sequence[Component]) -> Mixture:
        """Of printed coefficients `b`."""
        S = np.stack([part.marginal for part in parts])
        # components of one layout share M, the prior and L, and are solved together
        first = [k for k, part in enumerate(parts) if not k or part.prior is not parts[k - 1].prior]
        means, covariances = [], []
        for start, end in pairwise([*first, len(parts)]):
            part = parts[start]
            moved = part.M @ part.prior
            gain = part.L @ np.linalg.solve(S[start:end], moved).transpose(0, 2, 1)
            means.append(gain @ b)
            covariances.append(part.L @ part.prior @ part.L.T - gain @ (moved @ part.L.T))
        roots = psd_root(np.concatenate(covariances))
        return cls(log_weights(b, parts, S), np.concatenate(means), roots)

    def weight(self, some: np.ndarray) -> FloatArray:
        """Posterior weights of some components, boolean (K,), zero for the others."""
        log_weight = np.where(some, self.log_weight, -np.inf)
        return np.asarray(np.exp(log_weight - logsumexp(log_weight)))

    def draw(self, some: np.ndarray, size: int, rng: np.random.Generator) -> FloatArray:
        """Draws of the quantities if one of some components holds, shape (size, Q)."""
        counts = rng.multinomial(size, self.weight(some))
        at = rng.permutation(np.repeat(np.arange(len(counts)), counts))
        noise = rng.standard_normal((size, self.means.shape[1]))
        return np.asarray(self.means[at] + (self.roots[at] @ noise[:, :, None])[:, :, 0])


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A printed coefficient predicted by all others.

    Attributes
    ----------
    name, printed
        Of the coefficient.
    mean, sd
        Of its prediction.
    p
        Two-sided tail probability of what is printed.
    """

    name: str
    printed: float
    mean: float
    sd: float
    p: float


def held_out(columns: PrintedColumns, parts: list[Component]) -> tuple[HeldOut, ...]:
    """Each coefficient predicted by the others, if there are others."""
    b, found = columns.estimates, []
    S = np.concatenate([part.marginal for part in parts]).reshape(-1, len(b), len(b))
    precision = np.linalg.inv(S)
    log_all = log_weights(b, parts, S, precision)
    alone = np.einsum("kcc->kc", precision)  # of each coefficient given the others
    means, sds = b - precision @ b / alone, alone**-0.5
    z = (b - means) / sds
    densities = np.ascontiguousarray((-(z**2) / 2 - _LOG_ROOT - np.log(sds)).T)
    tails = np.ascontiguousarray(ndtr(z).T)
    for c, name in enumerate(columns.names if len(b) > 1 else ()):
        mean, sd = means[:, c], sds[:, c]
        log_weight = log_all - densities[c]  # of what the others print
        weight = np.exp(log_weight - logsumexp(log_weight))
        centre = float(weight @ mean)
        below = float(weight @ tails[c])
        spread = float(np.sqrt(weight @ (sd**2 + (mean - centre) ** 2)))
        found.append(HeldOut(name, float(b[c]), centre, spread, 2 * min(below, 1 - below)))
    return tuple(found)
