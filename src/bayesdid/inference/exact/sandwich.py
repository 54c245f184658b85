"""Rows that stand beside every posterior: i.i.d. errors, and errors clustered by unit.

Both have flat priors and fixed effects. With i.i.d. errors the posterior is a Student t around
least squares. The *sandwich posterior* is normal around least squares with the cluster-robust
covariance: of all posteriors, the one with the least asymptotic risk where the model of the errors
is wrong (Müller 2013, Econometrica 81, 1805-1849, doi:10.3982/ECTA9097).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.design.span import nested_rank, rank_of
from bayesdid.inference.exact.conjugate import conjugate_within, within_arrays


class Beside(NamedTuple):
    """Means and standard deviations of the treatments' coefficients, shape (P,) each."""

    mean: FloatArray
    sd_iid: FloatArray
    sd_cluster: FloatArray
    clusters: int


class Moments(NamedTuple):
    """Location, shape (K,), and covariances of all coefficients, (K, K) each."""

    location: FloatArray
    iid: FloatArray
    cluster: FloatArray


def beside(design: Design) -> Beside:
    """Posterior moments of the treatments under i.i.d. errors and from the sandwich.

    Raises
    ------
    NotIdentifiedError
        See :func:`sandwich_moments`.
    """
    found, P = sandwich_moments(design), len(design.treatments)
    return Beside(
        found.location[:P],
        np.sqrt(np.diag(found.iid)[:P]),
        np.sqrt(np.diag(found.cluster)[:P]),
        design.clusters,
    )


def sandwich_moments(design: Design) -> Moments:
    """Mean and covariance of all coefficients, under i.i.d. errors and from the sandwich.

    The clustered covariance is fixest's: scores summed by cluster (a unit, unless the design names
    another), times ``G / (G - 1)`` and ``(n - 1) / (n - k)``, effects that are nested in the
    clusters not counted in k. Weights are those of the rows in both.

    Raises
    ------
    NotIdentifiedError
        If the regressors are linearly dependent once the effects are taken out.
    """
    Z, y = within_arrays(design)
    posterior = conjugate_within(design, Z, y)
    e = y - Z @ posterior.location
    G, K = design.clusters, Z.shape[1]
    score = np.column_stack(
        [np.bincount(design.cluster_index, Z[:, k] * e, minlength=G) for k in range(K)]
    )
    k = K + rank_of(design) - nested_rank(design)
    small = G / max(G - 1, 1) * (design.n - 1) / (design.n - k)
    bread = np.linalg.inv(Z.T @ Z)
    covariance = small * bread @ (score.T @ score) @ bread
    nu = posterior.nu
    inflation = nu / (nu - 2) if nu > 2 else np.inf
    return Moments(posterior.location, posterior.scale * inflation, covariance)
