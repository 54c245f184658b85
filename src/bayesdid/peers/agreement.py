"""Agreement: what was published, least squares, and the posteriors, parameter by parameter.

In the flat limit the two schools must give one answer: the posterior of a coefficient is a
Student t around the least-squares estimate, so its mean is that estimate and its sd is the i.i.d.
standard error times ``sqrt(dof / (dof - 2))``. With proper priors, fixed and Mundlak effects obey
an identity too (:func:`prior_residual`): they differ from least squares by what the prior does,
and by nothing else. Both are tested. Random effects differ for a reason (Hausman 1978,
doi:10.2307/1913827), and so may a publication; :attr:`Agreement.explanations` says what each
difference means.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.design.build import with_effects
from bayesdid.design.design import Design
from bayesdid.exceptions import InputError
from bayesdid.peers.fixest import Estimates, least_squares, prior_residual
from bayesdid.study.load import Spec
from bayesdid.study.printed import Printed

MEAN_LIMIT = 4.0  # Monte Carlo standard errors; a true identity misses it once in 16 000
SD_LIMIT = 5.0  # Monte Carlo standard errors between posterior sd and its expected value
_FEWEST = 5  # degrees of freedom from which the sd of draws has a variance
KINDS = ("flat", "fixed", "random", "mundlak")


@dataclass(frozen=True, slots=True)
class Agreement:
    """One spec: published | OLS | Bayes flat, fixed, random, Mundlak.

    Attributes
    ----------
    spec_id, title, outcome
        Which spec, and what it explains.
    table
        One row per parameter. ``is_treatment``; ``published``, ``published_se``, ``stars``;
        ``ols``, ``se_iid``, ``se_hetero``, ``se_cluster``; and for each fit given
        ``<kind>_mean``, ``<kind>_sd``, ``<kind>_mcse``, ``<kind>_gap_se`` (difference to OLS in
        i.i.d. standard errors),
        ``<kind>_gap_mcse`` (in Monte Carlo standard errors); ``flat_sd_ratio``, the posterior sd
        over its expected value; ``fixed_unexplained`` and ``mundlak_unexplained``, the
        part of the difference that the prior does not account for, in Monte Carlo standard
        errors; and ``verdict``.
    dof, n, clusters
        Of the regression.
    identity
        Whether the flat fit equals least squares; None without a flat fit.
    synthetic
        Why the panel is synthetic, or empty.
    explanations
        One sentence for each kind of difference that this table shows.
    """

    json_keys: ClassVar[tuple[str, ...]] = (
        "spec_id",
        "title",
        "outcome",
        "rows",
        "dof",
        "n",
        "clusters",
        "holds",
        "identity",
        "synthetic",
        "explanations",
    )

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

    @property
    def rows(self) -> pd.DataFrame:
        """The table, under the name that readers of the JSON know."""
        return self.table

    @property
    def holds(self) -> bool:
        """Whether no identity fails that a fit given here must obey."""
        return not self.table["verdict"].str.startswith("fails").any()


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
        Kind (any of :data:`KINDS`) -> fit; unit and period effects are not needed.
    spec
        Brings the published cells.
    estimates
        Least squares, if already at hand.

    Raises
    ------
    InputError
        If a fit is not of these regressors.
    """
    ols = estimates or least_squares(design)
    table = ols.table.rename(columns={"estimate": "ols"})
    published = _published(spec, design) if spec is not None else None
    if published is not None:
        table = published.join(table)
        table["digits"] = [
            digits_alike(row["published"], row["ols"], row["published_places"])
            for _, row in table.iterrows()
        ]
    table.insert(0, "is_treatment", [name in design.treatments for name in design.names])
    identity: bool | None = None
    for kind in KINDS:
        if kind not in fits:
            continue
        draws = _coefficients(fits[kind], design)
        sd = draws.std(axis=(0, 1), ddof=1)
        ess = _ess(fits[kind], draws, "mean")
        mean, mcse = draws.mean(axis=(0, 1)), sd / np.sqrt(ess)
        table[f"{kind}_mean"], table[f"{kind}_sd"], table[f"{kind}_mcse"] = mean, sd, mcse
        table[f"{kind}_gap_se"] = (mean - table["ols"]) / table["se_iid"]
        table[f"{kind}_gap_mcse"] = (mean - table["ols"]) / mcse
        if kind == "flat" and ols.dof < _FEWEST:
            continue  # a t posterior of so few has no sd that draws could agree with
        if kind == "flat":
            expected = table["se_iid"] * np.sqrt(ols.dof / (ols.dof - 2))
            table["flat_sd_ratio"] = sd / expected
            # relative sd of the sd of S draws from a t: sqrt((1 + 3 / (dof - 4)) / (2 S))
            error = np.sqrt((1 + 3 / max(ols.dof - 4, 1)) / (2 * _ess(fits[kind], draws, "sd")))
            near = np.abs(table["flat_gap_mcse"]) < MEAN_LIMIT
            wide = np.abs(table["flat_sd_ratio"] - 1) < SD_LIMIT * error
            table["flat_holds"] = (near & wide) | table["ols"].isna()
            identity = bool(table["flat_holds"].all())
        elif kind == "mundlak" and design.weights is not None:
            continue  # unweighted means do not span the within residual of weighted rows
        elif kind != "random":
            residual = prior_residual(fits[kind], design, draws)
            if residual is None:  # random effects passed off as something else
                table[f"{kind}_unexplained"] = np.inf
                continue
            left = residual.mean(axis=(0, 1)) / residual.std(axis=(0, 1), ddof=1)
            table[f"{kind}_unexplained"] = left * np.sqrt(_ess(fits[kind], residual, "mean"))
    table["verdict"] = [_verdict(row, design) for _, row in table.iterrows()]
    return Agreement(
        design.spec_id,
        spec.title if spec is not None else design.spec_id,
        design.outcome,
        table,
        ols.dof,
        ols.n,
        ols.clusters,
        identity,
        design.synthetic or "",
        tuple(_explanations(table, design, identity)),
    )


def wide_table(agreements: Iterable[Agreement], *, treatments_only: bool = False) -> pd.DataFrame:
    """One row per spec and parameter: published | OLS | Bayes fixed | random | Mundlak.

    Each with its uncertainty: published and least-squares standard errors, posterior standard
    deviations. Kinds that were not fitted are left out.
    """
    columns = ["published", "published_se", "stars", "ols", "se_iid", "se_hetero", "se_cluster"]
    columns += [f"{kind}_{what}" for kind in KINDS for what in ("mean", "sd")]
    frames = []
    for item in agreements:
        frame = item.table.reset_index()
        frame.insert(0, "spec", item.spec_id)
        frames.append(frame[frame["is_treatment"]] if treatments_only else frame)
    wide = pd.concat(frames, ignore_index=True)
    return wide[["spec", "parameter", *(c for c in columns if c in wide), "verdict"]]


def _published(spec: Spec, design: Design) -> pd.DataFrame:
    rows = []
    for name in design.names:
        cell = spec.column.coefficients.get(name)
        value = Printed.parse(cell.estimate) if cell else None
        rows.append(
            {
                "parameter": name,
                "published": float(value) if value else np.nan,
                "published_places": value.places if value else np.nan,
                "published_se": float(Printed.parse(cell.se)) if cell and cell.se else np.nan,
                "stars": value.stars if value else 0,
            }
        )
    return pd.DataFrame(rows).set_index("parameter")


def _coefficients(tree: xr.DataTree, design: Design) -> FloatArray:
    """Draws of all coefficients in the order of the design, shape (chain, draw, K).

    NaN for covariates that the fixed effects of the fit absorb, and those of the design do not.
    """
    posterior = tree["posterior"]
    parts = [posterior["tau"]] + ([posterior["beta"]] if "beta" in posterior else [])
    labels = tuple(str(label) for part in parts for label in part[str(part.dims[-1])].to_numpy())
    fitted = with_effects(design, tree.attrs["unit_effects"], tree.attrs["period_effects"])
    if labels != fitted.names:
        raise InputError(
            "the fit and the design have different regressors",
            column=design.spec_id,
            value=", ".join(labels),
            remedy=f"compare fits of {', '.join(fitted.names)}",
        )
    drawn = np.concatenate([part.to_numpy() for part in parts], axis=-1)
    found = np.full((*drawn.shape[:2], len(design.names)), np.nan)
    found[..., [design.names.index(label) for label in labels]] = drawn
    return found


def _ess(tree: xr.DataTree, draws: FloatArray, method: str) -> FloatArray:
    """Effective sample sizes of draws of shape (chain, draw, K), shape (K,)."""
    if tree.attrs.get(
        "independent", tree.attrs.get("engine") == "exact"
    ):  # independent by construction
        return np.full(draws.shape[2], float(draws.shape[0] * draws.shape[1]))
    import arviz_stats as az

    columns = [az.ess(draws[:, :, k], method=method) for k in range(draws.shape[2])]
    return np.asarray(columns, dtype=float)


def _verdict(row: pd.Series, design: Design) -> str:
    """``identity holds``, ``explained: ...`` or ``fails: ...``, from one row of the table."""
    if np.isnan(row["ols"]):
        return "not identified: the effects leave nothing of this regressor"
    fails, reasons = [], []
    if not row.get("flat_holds", True):
        fails.append("the flat posterior is not least squares")
    for kind, label in (("fixed", "fixed effects"), ("mundlak", "Mundlak effects")):
        if abs(row.get(f"{kind}_unexplained", 0.0)) >= MEAN_LIMIT:
            fails.append(f"{label} differ by more than their prior")
        elif abs(row.get(f"{kind}_gap_mcse", 0.0)) >= MEAN_LIMIT:
            reasons.append(f"prior ({label} {row[f'{kind}_gap_se']:+.2f} SE)")
    if abs(row.get("random_gap_mcse", 0.0)) >= MEAN_LIMIT:
        reasons.append(f"comparisons between units (random effects {row['random_gap_se']:+.2f} SE)")
    if row.get("digits", np.nan) < row.get("published_places", np.nan):
        reasons.append("published from another panel" if design.synthetic else "published differs")
    if fails:
        return "fails: " + "; ".join(fails)
    held = "identity holds" if "flat_holds" in row else ""
    explained = f"explained: {', '.join(reasons)}" if reasons else ""
    return "; ".join(part for part in (held, explained) if part) or "no difference"


def digits_alike(printed: float, value: float, places: float) -> float:
    """Decimals to which a value rounds to what was printed; -1 for none, NaN if nothing was.

    Parameters
    ----------
    places
        Decimals that were printed. At that many the value must lie within half a unit of the last
        digit; at fewer, printed and value must be alike, and not zero, when both are rounded.
    """
    if np.isnan(printed + value + places):
        return float("nan")
    if abs(value - printed) <= 0.5 * 10.0**-places * (1 + 1e-9):
        return float(places)
    alike = [p for p in range(int(places)) if round(printed, p) == round(value, p) != 0]
    return float(max(alike, default=-1))


def reproduced(treatments: pd.DataFrame, design: Design) -> str:
    """Whether least squares gives the printed coefficients, and to which digit.

    Parameters
    ----------
    treatments
        Rows of :attr:`Agreement.table`.
    """
    said = []
    for name, row in treatments[treatments["published"].notna()].iterrows():
        digits, places = row["digits"], int(row["published_places"])
        head = f"{name} prints {row['published']:.{places}f}, least squares gives {row['ols']:.4g}"
        if np.isnan(digits):
            said.append(f"{name} is not identified")
        elif digits == places:
            said.append(f"{head}: reproduced to the last printed digit")
        elif digits >= 0:
            said.append(f"{head}: not reproduced, alike to {digits:.0f} of {places} decimals")
        else:
            said.append(f"{head}: not reproduced to any digit")
    random = "random" in (design.unit_effects, design.period_effects)
    return f"Published against OLS: {'; '.join(said)}." + (
        " The column was published with random effects, which least squares with fixed effects "
        "does not have to equal."
        if random
        else ""
    )


def _first_large(text: str) -> str:
    return text[:1].upper() + text[1:]


def _explanations(table: pd.DataFrame, design: Design, identity: bool | None) -> list[str]:
    """What each kind of difference in the table means, with its size for the treatments."""
    P = len(design.treatments)

    def largest(column: str) -> float:
        return float(table[column].iloc[:P].abs().max())

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
            else reproduced(table[table["is_treatment"]], design)
        )
    ratio = largest("se_cluster") / largest("se_iid")
    found.append(
        f"Clustered over i.i.d. standard error of the treatment: {ratio:.2f}. Above one, errors "
        "within units are correlated, and the i.i.d. posterior is too sure by about this factor "
        "(Bertrand, Duflo & Mullainathan 2004)."
    )
    if "fixed_gap_se" in table:
        found.append(
            "Weak priors with fixed effects move a treatment by at most "
            f"{largest('fixed_gap_se'):.2f} standard errors: that much is prior, not data."
        )
    if "random_gap_se" in table:
        found.append(
            f"Random effects move a treatment by up to {largest('random_gap_se'):.2f} standard "
            "errors: they add comparisons between units, which are biased if adopters differ from "
            "others (Hausman 1978)."
        )
    if "mundlak_gap_se" in table:
        found.append(
            "With the regressors' unit and period components (Mundlak) the within estimate "
            f"returns: at most {largest('mundlak_gap_se'):.2f} standard errors away."
        )
    named = {"fixed": "fixed", "mundlak": "Mundlak"}
    if kinds := [name for kind, name in named.items() if f"{kind}_unexplained" in table]:
        left = table.filter(regex="_unexplained$").abs().max().max()
        found.append(
            f"What the prior must do to {' and '.join(kinds)} effects is computed, and nothing "
            f"else happened: at most {left:.1f} Monte Carlo errors are left."
            if left < MEAN_LIMIT
            else f"{_first_large(' or '.join(kinds))} effects differ from least squares by "
            f"{left:.1f} Monte Carlo errors more than their prior explains. Something is wrong."
        )
    if "mundlak_mean" in table and "mundlak_unexplained" not in table:
        found.append(
            "With weights, what the prior does to Mundlak effects has no closed form: they are "
            "shown and not judged."
        )
    return found
