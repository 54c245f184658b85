"""Agreement: what was published, least squares, and the posteriors, parameter by parameter.

In the flat limit the two schools must give one answer: the posterior of a coefficient is a
Student t around the least-squares estimate, so its mean is that estimate and its sd is the i.i.d.
standard error times ``sqrt(dof / (dof - 2))``. That is an identity and is tested. Every other
difference has a reason, and :attr:`Agreement.explanations` states it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayesdid.design.design import Design, FloatArray
from bayesdid.frequentist.fixest import Estimates, least_squares
from bayesdid.study.load import Spec
from bayesdid.study.printed import Printed

MEAN_LIMIT = 4.0  # Monte Carlo standard errors between posterior mean and least squares
SD_LIMIT = 5.0  # Monte Carlo standard errors between posterior sd and its expected value
KINDS = ("flat", "fixed", "random", "mundlak")


@dataclass(frozen=True, slots=True)
class Agreement:
    """One spec: published | OLS | Bayes flat, fixed, random, Mundlak.

    Attributes
    ----------
    spec_id, title, outcome
        Which spec, and what it explains.
    table
        One row per parameter. ``published``, ``published_se``, ``stars``; ``ols``, ``se_iid``,
        ``se_hetero``, ``se_cluster``; and for each fit given ``<kind>_mean``, ``<kind>_sd``,
        ``<kind>_mcse``, ``<kind>_gap_se`` (difference to OLS in i.i.d. standard errors) and
        ``<kind>_gap_mcse`` (in Monte Carlo standard errors); ``flat_sd_ratio`` is the
        posterior sd over its expected value.
    dof, n, clusters
        Of the regression.
    identity
        Whether the flat fit equals least squares; None without a flat fit.
    synthetic
        Why the panel is synthetic, or empty.
    explanations
        One sentence for each kind of difference that this table shows.
    """

    spec_id: str
    title: str
    outcome: str
    table: pd.DataFrame
    dof: int
    n: int
    clusters: int
    identity: bool | None
    synthetic: str
    explanations: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        rows = self.table.reset_index().to_dict(orient="records")
        return {
            "spec": self.spec_id, "title": self.title, "outcome": self.outcome, "rows": rows,
            "dof": self.dof, "n": self.n, "clusters": self.clusters,
            "identity": self.identity, "synthetic": self.synthetic,
            "explanations": list(self.explanations),
        }  # fmt: skip


def agree(
    design: Design,
    fits: Mapping[str, xr.DataTree],
    *,
    spec: Spec | None = None,
    estimates: Estimates | None = None,
) -> Agreement:
    """Compare fits of one design with least squares and with what was published.

    Parameters
    ----------
    design
        The design, with fixed effects.
    fits
        Kind (any of :data:`KINDS`) -> fit.
    spec
        Brings the published cells.
    estimates
        Least squares, if already at hand.
    """
    ols = estimates or least_squares(design)
    table = ols.table.rename(columns={"estimate": "ols"})
    published = _published(spec, design) if spec is not None else None
    if published is not None:
        table = published.join(table)
    identity: bool | None = None
    for kind in KINDS:
        if kind not in fits:
            continue
        draws, ess = _coefficients(fits[kind])
        mean, sd = draws.mean(axis=0), draws.std(axis=0, ddof=1)
        mcse = sd / np.sqrt(ess)
        table[f"{kind}_mean"], table[f"{kind}_sd"], table[f"{kind}_mcse"] = mean, sd, mcse
        table[f"{kind}_gap_se"] = (mean - table["ols"]) / table["se_iid"]
        table[f"{kind}_gap_mcse"] = (mean - table["ols"]) / mcse
        if kind == "flat":
            expected = table["se_iid"] * np.sqrt(ols.dof / (ols.dof - 2))
            table["flat_sd_ratio"] = sd / expected
            near = np.abs(table["flat_gap_mcse"]) < MEAN_LIMIT
            # sd of the sd of S independent normal draws: sd / sqrt(2 S)
            wide = np.abs(table["flat_sd_ratio"] - 1) < SD_LIMIT / np.sqrt(2 * ess)
            identity = bool((near & wide).all())
    return Agreement(
        design.spec_id, spec.title if spec is not None else design.spec_id, design.outcome, table,
        ols.dof, ols.n, ols.clusters, identity, design.synthetic or "",
        tuple(_explanations(table, design, identity)),
    )  # fmt: skip


def wide_table(agreements: list[Agreement], *, treatments_only: bool = False) -> pd.DataFrame:
    """One row per spec and parameter, ready to print; columns as in :class:`Agreement`."""
    frames = []
    for item in agreements:
        frame = item.table.reset_index()
        frame.insert(0, "spec", item.spec_id)
        frames.append(frame)
    wide = pd.concat(frames, ignore_index=True)
    return wide[wide["is_treatment"]] if treatments_only and "is_treatment" in wide else wide


def _published(spec: Spec, design: Design) -> pd.DataFrame:
    rows = []
    for name in design.names:
        cell = spec.column.coefficients.get(name)
        value = Printed.parse(cell.estimate) if cell else None
        rows.append({
            "parameter": name,
            "is_treatment": name in design.treatments,
            "published": float(value) if value else np.nan,
            "published_se": float(Printed.parse(cell.se)) if cell and cell.se else np.nan,
            "stars": value.stars if value else 0,
        })  # fmt: skip
    return pd.DataFrame(rows).set_index("parameter")


def _coefficients(tree: xr.DataTree) -> tuple[FloatArray, FloatArray]:
    """Draws of all coefficients, shape (S, K), and their effective sample sizes, shape (K,)."""
    posterior = tree["posterior"]
    parts = [posterior["tau"].to_numpy()]
    if "beta" in posterior:
        parts.append(posterior["beta"].to_numpy())
    draws = np.concatenate(parts, axis=-1)
    chains, size = draws.shape[:2]
    flat = draws.reshape(chains * size, -1)
    if tree.attrs.get("engine") == "exact":  # independent by construction
        return flat, np.full(flat.shape[1], float(len(flat)))
    import arviz as az

    ess = az.ess(xr.Dataset({"b": (("chain", "draw", "k"), draws)}), method="mean")
    return flat, np.asarray(ess["b"].to_numpy(), dtype=float)


def _explanations(table: pd.DataFrame, design: Design, identity: bool | None) -> list[str]:
    P = len(design.treatments)
    found = []
    if identity is not None:
        found.append(
            f"Flat priors: posterior means within {MEAN_LIMIT:g} Monte Carlo errors of least "
            "squares and standard deviations as expected: the identity holds."
            if identity
            else "Flat priors: the posterior does not equal least squares. Something is wrong."
        )
    if "published" in table and table["published"].iloc[:P].notna().any():
        found.append(
            "Published against OLS: the panel is synthetic, so the difference is no replication "
            "failure; it shows how far the stand-in's truth lies from the publication."
            if design.synthetic
            else "Published against OLS: one panel, one specification; a difference is a failure "
            "to reproduce."
        )
    ratio = float(table["se_cluster"].iloc[:P].max() / table["se_iid"].iloc[:P].max())
    found.append(
        f"Clustered over i.i.d. standard error of the treatment: {ratio:.2f}. Above one, errors "
        "within units are correlated, and the i.i.d. posterior is too sure by about this factor."
    )
    if "fixed_gap_se" in table:
        gap = float(table["fixed_gap_se"].iloc[:P].abs().max())
        found.append(
            f"Weak priors with fixed effects move a treatment by at most {gap:.2f} standard "
            "errors: that much is prior, not data."
        )
    if "random_gap_se" in table:
        gap = float(table["random_gap_se"].iloc[:P].abs().max())
        found.append(
            f"Random effects move a treatment by up to {gap:.2f} standard errors: they add "
            "comparisons between units, which are biased if adopters differ from others."
        )
    if "mundlak_gap_se" in table:
        gap = float(table["mundlak_gap_se"].iloc[:P].abs().max())
        found.append(
            f"With the regressors' unit and period components (Mundlak) the within estimate "
            f"returns: at most {gap:.2f} standard errors away."
        )
    return found
