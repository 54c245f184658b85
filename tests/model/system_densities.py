"""Densities of models of several equations and of spatial panels, written from the equations."""

import numpy as np
from densities import (
    chains,
    coefficient_sds,
    components,
    effects,
    nu_prior,
    times,
    unit_prior,
    within,
)
from scipy import stats


def joint_errors(design, errors, scales, phis, R, nu=None):
    """Rows of several equations: innovations jointly normal or multivariate t with correlation R.

    errors, scales: (n, m); phis: one for each equation, or None.
    """
    when, total = times(design), 0.0
    z = errors / scales
    for rows in chains(design):
        before = None
        for r in rows:
            c = np.zeros(len(R))
            if before is not None and phis is not None:
                c = np.asarray(phis, dtype=float) ** (when[r] - when[before])
            root = np.sqrt(1 - c**2)
            v = (z[r] - c * (0.0 if before is None else z[before])) / root
            law = (
                stats.multivariate_normal(np.zeros(len(R)), R)
                if nu is None
                else stats.multivariate_t(np.zeros(len(R)), R, df=nu)
            )
            total += law.logpdf(v) - np.log(scales[r] * root).sum()
            before = r
    return total


def error_parts(design, v, errors, likelihood, weighted):
    """Relative sd of each row and the log priors that all equations share."""
    factor, total = np.ones(design.n), 0.0
    if errors.endswith("unit"):
        total += nu_prior(v["nu_unit"]) + unit_prior(v["lambda_of_unit"], v["nu_unit"])
        factor = 1 / np.sqrt(v["lambda_of_unit"][design.unit_index])
    if weighted:
        factor = factor / np.sqrt(design.weights)
    if likelihood == "student_t":
        total += nu_prior(v["nu"])
    return factor, total


def mediation(design, mediators, v, cell):
    """Two mediators, weak priors; `design` holds the treatment and the other covariates."""
    likelihood, errors, kinds, weighted = cell
    M = np.column_stack(mediators)
    D, X = design.D - design.D.mean(axis=0), design.X - design.X.mean(axis=0)
    factor, total = error_parts(design, v, errors, likelihood, weighted)
    factors = [factor, factor]  # of the mediators: unit scales of their own
    if errors.endswith("unit"):
        lambdas, nus = v["lambda_of_unit_mediator"], v["nu_unit_mediator"]
        total += sum(nu_prior(nus[k]) + unit_prior(lambdas[:, k], nus[k]) for k in range(2))
        ratio = lambdas / v["lambda_of_unit"][:, None]
        factors = [factor / np.sqrt(ratio[design.unit_index, k]) for k in range(2)]
    residuals, scales = [], []
    for k in range(2):
        own = design_with(design, y=M[:, k])
        sds = coefficient_sds(own, "normal", "weak")
        mu = v["alpha_mediator"][k] + D @ v["a"][:, k] + X @ v["gamma"][:, k]
        total += stats.norm.logpdf(v["a"][:, k], 0, sds[:1]).sum()
        total += stats.norm.logpdf(v["gamma"][:, k], 0, sds[1:]).sum()
        total += stats.expon.logpdf(v["sigma_mediator"][k], scale=M[:, k].std())
        for dim, index, kind in (
            ("city", design.unit_index, kinds[0]),
            ("year", design.period_index, kinds[1]),
        ):
            level = v[f"{dim}_effect_mediator"][:, k]
            mu = mu + level[index]
            if kind != "fixed":
                s = v[f"sigma_{dim}_mediator"][k]
                total += stats.norm.logpdf(level, 0, s).sum()
                total += stats.gamma.logpdf(s, 2, scale=M[:, k].std() / 2)
        if "mundlak" in kinds:
            (part,) = components(design, kinds)
            gamma = v["gamma_city_mediator"][:, k]
            mu = mu + part @ gamma
            total += stats.norm.logpdf(gamma, 0, 2.5 * M[:, k].std() / part.std(axis=0)).sum()
        residuals.append(M[:, k] - mu)
        scales.append(v["sigma_mediator"][k] * factors[k])
    # the outcome: treatment, covariates, mediators
    wide = design_with(design, X=np.column_stack([design.X, M]))
    sd, sds = design.y.std(), coefficient_sds(wide, "normal", "weak")
    K = design.X.shape[1]
    total += stats.norm.logpdf(v["tau"], 0, sds[:1]).sum()
    total += stats.norm.logpdf(v["beta"], 0, sds[1 : 1 + K]).sum()
    total += stats.norm.logpdf(v["b"], 0, sds[1 + K :]).sum()
    own, density = effects(design, v, kinds, sd, False)
    mu = v["alpha"] + D @ v["tau"] + X @ v["beta"] + (M - M.mean(axis=0)) @ v["b"] + own
    if "mundlak" in kinds:
        (part,) = components(wide, kinds)
        mu = mu + part @ v["gamma_city"]
        total += stats.norm.logpdf(v["gamma_city"], 0, 2.5 * sd / part.std(axis=0)).sum()
    total += density + stats.expon.logpdf(v["sigma"], scale=sd)
    residuals.append(design.y - mu)
    scales.append(v["sigma"] * factor)
    R = np.eye(3)
    R[:2, :2] = v["correlation"]
    total += np.log(0.5)  # a correlation uniform on (-1, 1)
    phis = None
    if errors.startswith("ar1"):
        phis = [*v["phi_mediator"], v["phi"]]
        total += 3 * np.log(0.5)
    nu = v["nu"] if likelihood == "student_t" else None
    return total + joint_errors(
        design, np.column_stack(residuals), np.column_stack(scales), phis, R, nu
    )


def instrument(design, z, v, cell):
    """One treatment; covariates and effects flat; p(Sigma) = |Sigma|^-3/2."""
    likelihood, errors, weighted = cell
    d, X = design.D[:, 0], design.X - design.X.mean(axis=0)
    factor, total = error_parts(design, v, errors, likelihood, weighted)
    rest = within(design, np.column_stack([d, z]))
    total += stats.norm.logpdf(v["tau"][0], 0, 2.5 * design.y.std() / rest[:, 0].std())
    total += stats.norm.logpdf(v["pi"], 0, 2.5 * rest[:, 0].std() / rest[:, 1].std())
    i, t = design.unit_index, design.period_index
    first = v["alpha_treatment"] + v["pi"] * (z - z.mean()) + X @ v["gamma"]
    first = first + v["city_effect_treatment"][i] + v["year_effect_treatment"][t]
    mu = v["alpha"] + v["tau"][0] * (d - d.mean()) + X @ v["beta"]
    mu = mu + v["city_effect"][i] + v["year_effect"][t]
    s, sd, rho = v["sigma"], v["sigma_treatment"], v["rho"]
    Sigma = np.array([[s**2, rho * s * sd], [rho * s * sd, sd**2]])
    # |Sigma|^-3/2 dSigma = |Sigma|^-3/2 4 s^2 sd^2 ds dsd drho; rho uniform enters with one half
    total += -1.5 * np.log(np.linalg.det(Sigma)) + np.log(s**2 * sd**2) + np.log(0.5)
    phis = None
    if errors.startswith("ar1"):
        phis = [v["phi"], v["phi_treatment"]]
        total += 2 * np.log(0.5)
    R = np.array([[1, rho], [rho, 1]])
    E = np.column_stack([design.y - mu, d - first])
    nu = v["nu"] if likelihood == "student_t" else None
    return total + joint_errors(design, E, np.outer(factor, [s, sd]), phis, R, nu)


def design_with(design, **changes):
    import dataclasses

    if "X" in changes:
        changes["covariates"] = tuple(f"c{k}" for k in range(changes["X"].shape[1]))
    return dataclasses.replace(design, **changes)


def weighted_rest(base, columns):
    """What unit and period dummies leave in weighted least squares, times roots of weights."""
    dummies = [np.eye(len(set(index)))[index] for index in (base.unit_index, base.period_index)]
    root = np.sqrt(base.weights)[:, None]
    C, Z = np.hstack(dummies) * root, columns * root
    return Z - C @ np.linalg.lstsq(C, Z, rcond=None)[0]


def durbin(sd, v, cell, interval):
    """Spatial panels of every kind, weak priors relative to the least-squares residual sd."""
    likelihood, errors, kinds = cell
    base, kind, W = sd.base, sd.kind, sd.weights.dense()
    N, T = sd.Y.shape
    i, t = base.unit_index, base.period_index
    lagged = kind in {"slx", "sdm", "sdem"}
    Z = np.concatenate([sd.Z[:2], W @ sd.Z[:2]]) if lagged else sd.Z[:2]
    columns = Z[:, i, t].T
    rest = within(base, np.column_stack([columns, base.y]))
    own = rest if base.weights is None else weighted_rest(base, np.column_stack([columns, base.y]))
    left = own[:, -1] - own[:, :-1] @ np.linalg.lstsq(own[:, :-1], own[:, -1], rcond=None)[0]
    reference = np.sqrt(np.mean(left**2))
    ratio = v["sigma"] / reference
    slopes = np.concatenate([v["tau"], v["beta"], *([v["theta"]] if lagged else [])])
    spread = rest[:, :-1].std(axis=0)
    total = stats.norm.logpdf(slopes, 0, 2.5 * base.y.std() / spread * ratio).sum()
    total -= np.log(v["sigma"])
    factor, shared = error_parts(base, v, errors, likelihood, base.weights is not None)
    total += shared
    F = np.eye(N)
    if kind in {"sar", "sdm", "sem", "sdem"}:
        F = F - v["rho"] * W
        total += -np.log(interval.high - interval.low) + T * np.linalg.slogdet(F)[1]
    mean = columns - columns.mean(axis=0)
    m = np.zeros((N, T))
    m[i, t] = mean @ slopes
    for axis, dim, kind_of in ((1, "place", kinds[0]), (0, "year", kinds[1])):
        if kind_of == "mundlak":
            means = np.broadcast_to(Z.mean(axis=axis + 1, keepdims=True), Z.shape)
            part = means[:, i, t].T
            part = part - part.mean(axis=0)
            gamma = v[f"gamma_{dim}"]
            sds = 2.5 * base.y.std() / part.std(axis=0) * ratio
            total += stats.norm.logpdf(gamma, 0, sds).sum()
            m[i, t] += part @ gamma
    a = {d: v[f"{d}_effect"] for d in ("place", "year")}
    level = {"place": a["place"][:, None] * np.ones(T), "year": np.ones((N, 1)) * a["year"]}
    fixed, loose = np.zeros((N, T)), np.zeros((N, T))
    for dim, kind_of in zip(("place", "year"), kinds, strict=True):
        if kind_of == "fixed":
            fixed += level[dim]
        else:
            loose += level[dim]
            total += stats.norm.logpdf(a[dim], 0, v[f"sigma_{dim}"]).sum()
            scaled = v[f"scaled_sigma_{dim}"]
            total += stats.gamma.logpdf(scaled, 2, scale=base.y.std() / 2)
            assert np.isclose(v[f"sigma_{dim}"], scaled * ratio)
    one = v["alpha"] * np.ones((N, T))
    if kind in {"sem", "sdem"}:
        eps = F @ (sd.Y - one - m - fixed) - loose
    else:
        inside = "fixed" in kinds
        eps = F @ sd.Y - (F @ one if inside else one) - m - fixed - loose
    e = eps[i, t]
    phi = v["phi"] if errors.startswith("ar1") else 0.0
    total += np.log(0.5) if errors.startswith("ar1") else 0.0
    nu = v["nu"] if likelihood == "student_t" else None
    R = np.eye(1)
    return total + joint_errors(base, e[:, None], (v["sigma"] * factor)[:, None], [phi], R, nu)
