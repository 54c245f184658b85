"""Densities of models written from their equations with numpy and scipy, unit by unit.

Nothing here calls the code under test. `v` maps names to natural values of the parameters.
"""

import numpy as np
from scipy import stats


def dummies(index):
    return (np.asarray(index)[:, None] == np.arange(index.max() + 1)).astype(float)


def within(design, Z):
    """Residuals of least squares on all dummies."""
    W = np.hstack([dummies(design.unit_index), dummies(design.period_index)])
    return Z - W @ np.linalg.lstsq(W, Z, rcond=None)[0]


def link_outcome(design, likelihood):
    y = design.y
    if likelihood in {"poisson", "negative_binomial"}:
        return np.log((y + 0.5) / (1 if design.exposure is None else design.exposure))
    if likelihood == "binomial":
        return np.log((y + 0.5) / (design.trials - y + 0.5))
    return y


def coefficient_sds(design, likelihood, priors):
    """Weak: 2.5 sd(y) over the within sd of x; sceptical: a treatment's range moves .25 sd(y)."""
    sd = link_outcome(design, likelihood).std()
    Z = np.hstack([design.D, design.X])
    sds = 2.5 * sd / within(design, Z).std(axis=0)
    if priors == "sceptical":
        P = design.D.shape[1]
        sds[:P] = 0.25 * sd / (design.D.max(axis=0) - design.D.min(axis=0))
    return sds


def normal_or_zero(x, mean, sd):
    return np.sum(np.where(np.isinf(sd), 0.0, stats.norm.logpdf(x, mean, np.minimum(sd, 1e300))))


def scale_prior(v, name, sd, flat):
    """Exponential with mean sd(y); for the flat prior the sampler moves log sigma: density one."""
    return 0.0 if flat else stats.expon.logpdf(v[name], scale=sd)


def group_prior(v, name, sd, flat):
    return 0.0 if flat else stats.gamma.logpdf(v[name], 2, scale=sd / 2)


def nu_prior(nu):
    return stats.gamma.logpdf(nu - 1, 2, scale=10)


def unit_prior(lambdas, nu):
    return stats.gamma.logpdf(lambdas, nu / 2, scale=2 / nu).sum()


def times(design):
    return design.periods[design.period_index]


def chains(design):
    """Rows of each unit in the order of time."""
    when = times(design)
    for i in np.unique(design.unit_index):
        rows = np.flatnonzero(design.unit_index == i)
        yield rows[np.argsort(when[rows])]


def normal_errors(design, e, sd, phi):
    """Joint normal of every unit's errors with correlation phi^|t - s|."""
    when, total = times(design), 0.0
    for rows in chains(design):
        lag = np.abs(when[rows][:, None] - when[rows])
        V = np.outer(sd[rows], sd[rows]) * float(phi) ** lag
        total += stats.multivariate_normal(np.zeros(len(rows)), V).logpdf(e[rows])
    return total


def student_errors(design, e, sd, phi, nu):
    """Row after row: innovations t with nu degrees of freedom around what is carried over."""
    when, total = times(design), 0.0
    for rows in chains(design):
        before = None
        for r in rows:
            c = 0.0 if before is None else float(phi) ** (when[r] - when[before])
            carried = 0.0 if before is None else c * sd[r] * e[before] / sd[before]
            total += stats.t.logpdf(e[r], nu, carried, sd[r] * np.sqrt(1 - c**2))
            before = r
    return total


def latent(design, v, scale):
    """Errors of a linear predictor from innovations: z_t = phi^k z_(t-k) + sqrt(1 - phi^2k) v."""
    when, z = times(design), np.empty(design.n)
    for rows in chains(design):
        before = None
        for r in rows:
            c = 0.0 if before is None else float(v["phi"]) ** (when[r] - when[before])
            z[r] = (0.0 if before is None else c * z[before]) + np.sqrt(1 - c**2) * v[
                "white_noise"
            ][r]
            before = r
    return scale * z


def outcome(design, v, mu, likelihood, errors, weighted=False, sd=None, flat=False):
    """Log density of the rows, of what generates them, and of the priors of their parameters."""
    i, total = design.unit_index, 0.0
    factor = np.ones(design.n)
    serial, unit = errors.startswith("ar1"), errors.endswith("unit")
    if unit:
        total += nu_prior(v["nu_unit"]) + unit_prior(v["lambda_of_unit"], v["nu_unit"])
        factor = 1 / np.sqrt(v["lambda_of_unit"][i])
    if weighted:
        factor = factor / np.sqrt(design.weights)
    if likelihood in {"normal", "student_t"}:
        scale, e = v["sigma"] * factor, design.y - mu
        total += scale_prior(v, "sigma", sd, flat)
        phi = v["phi"] if serial else 0.0
        total += np.log(0.5) if serial else 0.0
        if likelihood == "normal":
            return total + (
                normal_errors(design, e, scale, phi)
                if serial
                else stats.norm.logpdf(e, 0, scale).sum()
            )
        return total + nu_prior(v["nu"]) + student_errors(design, e, scale, phi, v["nu"])
    own_dispersion = likelihood == "negative_binomial" and not serial
    if serial or (unit and not own_dispersion):
        total += scale_prior(v, "sigma", sd, flat)
        if serial:
            total += np.log(0.5) + stats.norm.logpdf(v["white_noise"]).sum()
            mu = mu + latent(design, v, v["sigma"] * factor)
        else:
            total += stats.norm.logpdf(v["error"], 0, v["sigma"] * factor).sum()
            mu = mu + v["error"]
    size = np.ones(design.n) if design.exposure is None else design.exposure
    if likelihood == "poisson":
        return total + stats.poisson.logpmf(design.y, size * np.exp(mu)).sum()
    if likelihood == "binomial":
        return total + stats.binom.logpmf(design.y, design.trials, 1 / (1 + np.exp(-mu))).sum()
    spread = v["spread"] * (factor if own_dispersion else 1.0)
    shape, mean = spread**-2.0, size * np.exp(mu)
    total += stats.halfnorm.logpdf(v["spread"])
    return total + stats.nbinom.logpmf(design.y, shape, shape / (shape + mean)).sum()


def components(design, kinds):
    """Unit and period parts of every regressor, from the two-way least-squares fit."""
    Z = np.hstack([design.D, design.X])
    Z = Z - Z.mean(axis=0)
    U, P = dummies(design.unit_index), dummies(design.period_index)
    if "none" in kinds:
        keep = [U] if kinds[0] == "mundlak" else [P]
        return [W @ np.linalg.lstsq(W, Z, rcond=None)[0] for W in keep]
    coef = np.linalg.lstsq(np.hstack([U, P]), Z, rcond=None)[0]
    both = [U @ coef[: U.shape[1]], P @ coef[U.shape[1] :]]
    both = [part - part.mean(axis=0) for part in both]
    return [part for part, kind in zip(both, kinds, strict=True) if kind == "mundlak"]


def effects(design, v, kinds, sd, flat):
    """Sum of the effects in each row, and the log density of random ones."""
    mu, total = np.zeros(design.n), 0.0
    for dim, index, kind in (
        (design.unit_dim, design.unit_index, kinds[0]),
        (design.period_dim, design.period_index, kinds[1]),
    ):
        if kind == "none":
            continue
        mu = mu + v[f"{dim}_effect"][index]
        if kind != "fixed":
            s = v[f"sigma_{dim}"]
            total += stats.norm.logpdf(v[f"{dim}_effect"], 0, s).sum()
            total += group_prior(v, f"sigma_{dim}", sd, flat)
    for one in design.further:
        slope = 1.0 if one.slope is None else one.slope
        mu = mu + v[one.name][one.index] * slope
        if one.kind == "random":
            total += stats.norm.logpdf(v[one.name], 0, v[f"sigma_{one.name}"]).sum()
            total += group_prior(v, f"sigma_{one.name}", sd, flat)
    return mu, total


def two_way(design, v, cell, tau_prior=None):
    """The whole two-way model; `tau_prior` replaces the normal prior of the treatments."""
    likelihood, errors, kinds, priors, weighted = cell
    flat = priors == "flat"
    sd = link_outcome(design, likelihood).std()
    D, X = design.D - design.D.mean(axis=0), design.X - design.X.mean(axis=0)
    mu = v["alpha"] + D @ v["tau"] + X @ v["beta"]
    own, total = effects(design, v, kinds, sd, flat)
    mu = mu + own
    sds = coefficient_sds(design, likelihood, priors)
    P = D.shape[1]
    if not flat:
        total += stats.norm.logpdf(v["beta"], 0, sds[P:]).sum()
        total += (
            tau_prior if tau_prior is not None else stats.norm.logpdf(v["tau"], 0, sds[:P]).sum()
        )
    if "mundlak" in kinds:
        dims = [
            d
            for d, k in zip((design.unit_dim, design.period_dim), kinds, strict=True)
            if k == "mundlak"
        ]
        for dim, part in zip(dims, components(design, kinds), strict=True):
            gamma = v[f"gamma_{dim}"]
            assert len(gamma) == part.shape[1]
            mu = mu + part @ gamma
            if not flat:
                total += stats.norm.logpdf(gamma, 0, 2.5 * sd / part.std(axis=0)).sum()
    return total + outcome(design, v, mu, likelihood, errors, weighted, sd, flat)
