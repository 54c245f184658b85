"""A design by least squares, through pyfixest, and a posterior's distance from it."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.design.build import with_effects
from bayesdid.design.design import Design
from bayesdid.design.regressors import regressors
from bayesdid.design.span import independent_columns, nested_rank, within
from bayesdid.exceptions import InputError
from bayesdid.extras import extra

# Cholesky pivot below which pyfixest leaves a regressor out. Ours have unit within-variation, so
# this is a share of it; `build_design` has already left out what is collinear.
_COLLINEAR = 1e-12
_TIGHT = 1e-12  # of the iterations that take effects out of weighted or crossed columns
_WRITTEN = 600  # levels of further effects that are written out as dummies
_CORRECTION = {"k_adj": True, "k_fixef": "nonnested", "G_adj": True, "G_df": "min"}


@dataclass(frozen=True, slots=True)
class Estimates:
    """Least-squares estimates of one design.

    Attributes
    ----------
    table
        One row per regressor (index: its name): ``estimate``, ``se_iid``, ``se_hetero`` (HC1)
        and ``se_cluster`` (CRV1 by unit, or by the design's clusters). NaN where the effects leave
        nothing of the regressor.
    dof
        Residual degrees of freedom, all dummies counted.
    n, clusters
        Rows and clusters that the regression used.
    singletons
        Rows left out because they are alone in their unit or period (Correia 2015,
        http://scorreia.com/research/singletons.pdf): they fit exactly, and counting them would
        overstate the number of clusters.
    r2, r2_within
        Coefficient of determination, overall and after the effects are taken out.
    cluster_covariance
        Of the estimates, clustered, shape (K, K).
    """

    table: pd.DataFrame
    dof: int
    n: int
    clusters: int
    singletons: int
    r2: float
    r2_within: float
    cluster_covariance: FloatArray


def least_squares(design: Design) -> Estimates:
    """Two-way within regression of a design; random and Mundlak effects are taken as fixed.

    Further effects enter as dummies and slopes written out, those that others span left out, so
    that degrees of freedom count them exactly. Weights are analytic.

    Small-sample corrections, with n rows, k regressors and dummies, G units: i.i.d. errors
    ``RSS / (n - k)``; HC1 ``n / (n - k)``; clustered ``G / (G - 1) (n - 1) / (n - k')``, where
    k' leaves out the unit dummies because they are nested in the clusters (fixest's
    convention, https://cran.r-project.org/package=fixest/vignettes/standard_errors.html). Both k
    are what regressors and dummies span. fixest and pyfixest count all levels of each effect but
    one, also those that other effects span: beside effects of units and T periods those of R
    regions x T periods span R (T - 1), and they count T + R - 2 more.

    Raises
    ------
    InputError
        If further effects have too many levels to be written out.
    """
    with extra("peers"):
        import pyfixest

    names = [f"z{k}" for k in range(len(design.names))]
    Z, scale = _standardised(design)
    frame = pd.DataFrame(Z, columns=names)
    frame["y"], frame["unit"], frame["period"] = design.y, design.unit_index, design.period_index
    frame["cluster"] = design.cluster_index
    if design.weights is not None:
        frame["weight"] = design.weights
    more = written_out(design)
    extras = [f"f{k}" for k in range(more.shape[1])]
    frame = pd.concat([frame, pd.DataFrame(more, columns=extras)], axis=1)
    absorbed = [
        name
        for name, kind in (("unit", design.unit_effects), ("period", design.period_effects))
        if kind != "none"
    ]
    formula = f"y ~ {' + '.join([*names, *extras])}" + (
        f" | {' + '.join(absorbed)}" if absorbed else ""
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # compilation; singletons and collinearity are reported
        model: Any = pyfixest.feols(
            formula,
            frame,
            vcov="iid",
            ssc=_CORRECTION,
            collin_tol=_COLLINEAR,
            weights="weight" if design.weights is not None else None,
            fixef_tol=_TIGHT if extras or design.weights is not None else None,
        )
        columns = {"estimate": model.coef(), "se_iid": model.se()}
        columns["se_hetero"] = model.vcov("hetero").se()
        columns["se_cluster"] = model.vcov({"CRV1": "cluster"}).se()
        labels = list(model.coef().index)
        covariance = pd.DataFrame(np.asarray(model._vcov), labels, labels)
    used = model._data  # singletons taken out; the package has no public names for these
    r2_within = model._r2_within
    table = pd.DataFrame({key: value.reindex(names) / scale for key, value in columns.items()})
    table.index = pd.Index(design.names, name="parameter")
    dummies = sum(int(used[name].nunique()) - 1 for name in absorbed)
    identified = int(table["estimate"].notna().sum())
    dof = len(used) - 1 - dummies - len(extras) - identified
    smaller = _without_nested(design, dof)
    table["se_cluster"] *= smaller
    return Estimates(
        table,
        dof=dof,
        n=len(used),
        clusters=int(used["cluster"].nunique()),
        singletons=design.n - len(used),
        r2=float(model._r2),
        r2_within=float(r2_within) if r2_within is not None else float("nan"),
        cluster_covariance=smaller**2
        * covariance.reindex(index=names, columns=names).to_numpy()
        / np.outer(scale, scale),
    )


def prior_residual(
    tree: xr.DataTree, design: Design, coefficients: FloatArray
) -> FloatArray | None:
    """Draws whose mean is zero if the fit differs from least squares by its prior alone.

    The posterior mean of the score is zero in every direction (Stein's identity). Take the
    direction v in which the regressors and their Mundlak components R move as the within
    residual W of a regressor does, ``R v = W``. W is orthogonal to all dummies, so that no
    effect enters:  ``E[ W'(y - W b) / sigma^2 - v' P (theta - m) ] = 0``,  with prior means m
    and precisions P of all coefficients theta. This holds for unbalanced panels too.

    Parameters
    ----------
    tree
        A fit with fixed, Mundlak or no effects, and any normal priors.
    design
        The design it should be a fit of.
    coefficients
        Its draws of tau and beta, shape (chain, draw, K).

    Returns
    -------
    ndarray or None
        The score times the inverse curvature, on the scale of the coefficients, shape
        (chain, draw, K); NaN for what is not identified. None for random effects, which no
        such direction exists for, and for fits with other components.
    """
    fitted = with_effects(design, tree.attrs["unit_effects"], tree.attrs["period_effects"])
    data, held = regressors(fitted), [design.names.index(name) for name in fitted.names]
    W = within(fitted, data.R[:, : len(held)], flat_only=False, weights=fitted.weights)
    size = W.std(axis=0)
    known = size > 1e-7
    R = within(fitted, data.R, weights=fitted.weights)
    y = design.y if fitted.weights is None else design.y * np.sqrt(fitted.weights)
    v = np.linalg.lstsq(R, W, rcond=1e-10)[0]  # (K + components, K)
    if np.abs(R @ v - W).max() > 1e-6:
        return None
    posterior, priors = tree["posterior"], json.loads(tree.attrs["priors"])
    dims = (design.unit_dim, design.period_dim)
    extra = [posterior[f"gamma_{dim}"].to_numpy() for dim in dims if f"gamma_{dim}" in posterior]
    theta = np.concatenate([coefficients[..., held], *extra], axis=-1)
    if theta.shape[-1] != data.R.shape[1]:
        return None
    theta = theta * data.scale
    terms = [priors["coefficients"][name] for name in fitted.names]
    more = data.R.shape[1] - len(terms)
    mean = np.array([term["mean"] for term in terms] + [0.0] * more) * data.scale
    sd = np.array([_sd(term["sd"]) for term in terms]) * data.scale[: len(terms)]
    precision = np.concatenate([sd, np.full(more, _sd(priors["mundlak_multiple"]))]) ** -2.0
    v, W = v[:, known], W[:, known]
    gram, cross = W.T @ W, W.T @ y
    variance = posterior["sigma"].to_numpy()[..., None] ** 2
    score = (cross - theta[..., : len(terms)][..., known] @ gram) / variance
    score = score - ((theta - mean) * precision) @ v
    curvature = gram * (1 / variance).mean() + v.T @ (precision[:, None] * v)
    scale = data.scale[: len(terms)][known]
    result = np.full(coefficients.shape, np.nan)  # also where these effects absorb a covariate
    result[..., np.flatnonzero(np.isin(design.names, np.array(fitted.names)[known]))] = (
        np.linalg.solve(curvature, score[..., None])[..., 0] / scale
    )
    return result


def written_out(design: Design) -> FloatArray:
    """Columns of further effects beside unit and period dummies, all taken as fixed, (n, F)."""
    if not design.further:
        return np.empty((design.n, 0))
    if (levels := sum(len(one.levels) for one in design.further)) > _WRITTEN:
        raise InputError(
            f"{design.spec_id}: further effects have too many levels for least squares by dummies",
            value=levels,
            remedy=f"up to {_WRITTEN}; the clustered row beside the posterior has no such limit",
        )
    there = {"unit_effects": design.unit_effects, "period_effects": design.period_effects}
    kinds: Any = {name: "none" if kind == "none" else "fixed" for name, kind in there.items()}
    further = tuple(replace(one, kind="fixed") for one in design.further)
    return independent_columns(replace(design, further=further, **kinds), unit_slopes=True)[0]


def _without_nested(design: Design, dof: int) -> float:
    """What clustered errors become if dummies that are nested in clusters do not count."""
    units = (design.unit_effects != "none") * (len(design.units) - 1)
    more = nested_rank(design) - units
    return float(np.sqrt((dof + units) / (dof + units + more)))


def _sd(stored: float | None) -> float:
    """A prior's sd as a fit's attributes hold it: JSON has no infinity, null is flat."""
    return np.inf if stored is None else stored


def _standardised(design: Design) -> tuple[FloatArray, FloatArray]:
    """Centred regressors with unit within-variation, and what they were divided by.

    pyfixest judges collinearity by absolute size, so that a covariate in small units (a share of
    1e-6) would be taken for a constant. Estimates are scaled back.
    """
    Z = design.regressors - design.regressors.mean(axis=0)
    left = within(design, Z, flat_only=False)
    spread, inside = Z.std(axis=0), left.std(axis=0)
    scale = np.where(inside > 1e-7 * spread, inside, spread)
    return Z / scale, scale
