"""Several outcomes on the same regressors: coefficients and residual covariance, exact draws.

With flat priors on the coefficients B and ``p(Sigma) = |Sigma|^-(q + 1) / 2`` the posterior is
matrix-normal inverse-Wishart (Zellner 1971, ch. 8): ``Sigma ~ IW(S, nu)``,
``B | Sigma ~ MN(B_hat, (W'W)^-1, Sigma)``, with W the regressors after the effects are taken out
and S the cross-products of the least-squares residuals. Under weights w the covariance of a row is
``Sigma / w``: everything is that of rows times the root of their weight.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.design.span import rank_of, within
from bayesdid.exceptions import NotIdentifiedError


@dataclass(frozen=True, slots=True)
class MultivariatePosterior:
    """Matrix-normal inverse-Wishart posterior of q outcomes on K regressors.

    Attributes
    ----------
    location
        Least-squares coefficients, shape (K, q).
    inverse
        ``(W'W)^-1``, shape (K, K).
    S
        Residual cross-products, shape (q, q).
    nu
        Residual degrees of freedom.
    """

    location: FloatArray
    inverse: FloatArray
    S: FloatArray
    nu: int

    def draw(self, size: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Independent draws of B, shape (size, K, q), and Sigma, shape (size, q, q)."""
        q = len(self.S)
        L = np.linalg.cholesky(np.linalg.inv(self.S))
        # Bartlett: a Wishart precision from independent chi-squares and normals
        A = np.tril(rng.standard_normal((size, q, q)), -1)
        degrees = self.nu - np.arange(q)
        A[:, range(q), range(q)] = np.sqrt(rng.chisquare(degrees, (size, q)))
        half = L @ A
        Sigma = np.linalg.inv(half @ np.swapaxes(half, 1, 2))
        root = np.linalg.cholesky(self.inverse)
        noise = rng.standard_normal((size, len(self.inverse), q))
        B = self.location + root @ noise @ np.swapaxes(np.linalg.cholesky(Sigma), 1, 2)
        return B, Sigma


def multivariate_posterior(design: Design, outcomes: FloatArray) -> MultivariatePosterior:
    """Posterior of `outcomes`, shape (n, q), on a design's regressors; effects taken as fixed.

    Weights and further effects are those of the design.

    Raises
    ------
    NotIdentifiedError
        If there are fewer residual degrees of freedom than outcomes.
    """
    K = len(design.names)
    both = np.column_stack([design.regressors, outcomes])
    residual = within(design, both, flat_only=False, weights=design.weights)
    W, Y = residual[:, :K], residual[:, K:]
    size = np.linalg.norm(W, axis=0)
    inverse = np.linalg.inv((W / size).T @ (W / size)) / np.outer(size, size)
    location = inverse @ (W.T @ Y)
    rest = Y - W @ location
    nu = design.n - rank_of(design) - K
    if nu <= outcomes.shape[1] + 1:
        raise NotIdentifiedError(
            f"{design.spec_id}: {nu} degrees of freedom are left",
            remedy="take fewer covariates or more rows",
        )
    return MultivariatePosterior(location, inverse, rest.T @ rest, nu)
