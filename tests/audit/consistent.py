"""Consistent studies: real least squares on simulated panels, rounded as papers round."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.stats import norm

from bayesdid.study.claims import Claim
from bayesdid.study.load import Study, assemble_study
from bayesdid.study.schema import StudyFile, TableFile

N, T, FIRST = 30, 6, 2001
ARMS = {"none": 12, "a": 6, "b": 4, "ab": 4, "ba": 3, "same": 1}


def stars(t: float) -> str:
    p = 2 * norm.sf(abs(t))
    return "***" if p < 0.01 else "**" if p < 0.05 else "*" if p < 0.1 else ""


def cell(estimate: float, se: float) -> dict[str, str]:
    return {"estimate": f"{estimate:.3f}{stars(estimate / se)}", "se": f"{se:.3f}"}


def demean(Z, unit, period):
    """Balanced two-way within transformation that keeps the grand mean."""
    units, periods = np.unique(unit), np.unique(period)
    by_unit = np.array([Z[unit == u].mean(axis=0) for u in units])[np.searchsorted(units, unit)]
    by_period = np.array([Z[period == p].mean(axis=0) for p in periods])
    return Z - by_unit - by_period[np.searchsorted(periods, period)] + 2 * Z.mean(axis=0)


def regress(y, X, unit, period, *, fixed=True):
    """Estimates, i.i.d. errors (constant last), R2."""
    W = np.column_stack([*X, np.ones(len(y))])
    inner = demean(np.column_stack([W, y]), unit, period) if fixed else np.column_stack([W, y])
    W, z = inner[:, :-1], inner[:, -1]
    bread = np.linalg.inv(W.T @ W)
    coef = bread @ W.T @ z
    rss = ((z - W @ coef) ** 2).sum()
    used = W.shape[1] + (len(np.unique(unit)) + len(np.unique(period)) - 2) * fixed
    se = np.sqrt(np.diag(bread) * rss / (len(y) - used))
    return coef, se, 1 - rss / ((y - y.mean()) ** 2).sum()


def column(id_, names, outcome, result, n, **kwargs):
    coef, se, r2 = result
    keys = [*names, "constant"]
    return {
        "id": id_,
        "outcome": outcome,
        "treatments": [k for k in names if k in POLICY],
        "covariates": [k for k in names if k not in POLICY],
        "n": f"{n:,}",
        "r2": f"{r2:.3f}",
        "coefficients": {k: cell(b, s) for k, b, s in zip(keys, coef, se, strict=True)},
        **kwargs,
    }


POLICY = ("both", "only:a", "only:b", "any")


def raw_study(seed: int) -> dict:
    """A study as nested dictionaries: file, tables, claims."""
    rng = np.random.default_rng(seed)
    kind = np.repeat(list(ARMS), list(ARMS.values()))
    start = np.full((N, 2), np.inf)
    early, late = rng.integers(FIRST + 1, FIRST + 3, N), rng.integers(FIRST + 3, FIRST + T, N)
    for i, arm in enumerate(kind):
        start[i] = {
            "none": (np.inf, np.inf),
            "a": (early[i], np.inf),
            "b": (np.inf, early[i]),
            "ab": (early[i], late[i]),
            "ba": (late[i], early[i]),
            "same": (late[i], late[i]),
        }[arm]
    unit, period = (a.ravel() for a in np.mgrid[:N, FIRST : FIRST + T])
    on = period[:, None] >= start[unit]
    both, a, b = on.all(axis=1) * 1.0, (on[:, 0] & ~on[:, 1]) * 1.0, (on[:, 1] & ~on[:, 0]) * 1.0
    ai, gt = rng.normal(0, 1, N)[unit], rng.normal(0, 0.5, T)[period - FIRST]
    x1 = rng.normal(2, 1, N * T) + 0.3 * ai
    x2 = rng.normal(0, 0.5, N * T)
    M = 1.0 + 0.8 * both + 0.3 * x1 + 0.5 * ai + rng.normal(0, 0.6, N * T)
    y = 6 + ai + gt - 0.8 * both - 0.5 * a - 0.4 * b + 0.6 * M + 0.2 * x1 - 0.3 * x2
    y = y + rng.normal(0, 0.7, N * T)
    z = np.exp(rng.normal(0, 0.5, N))[unit] * (period - FIRST)
    group = np.where(np.arange(N) % 5 < 2, "g", "h")[unit]  # every arm occurs in both
    arm = np.select([kind == "none", np.isin(kind, ["a", "b"])], ["none", "single"], "dual")[unit]
    whole = np.ones(N * T, bool)

    def fit(outcome, X, rows=whole, **kwargs):
        X = [x[rows] for x in X]
        return regress(outcome[rows], X, unit[rows], period[rows], **kwargs)

    controls = ["x1", "x2"]
    with_none = np.isin(arm, ["none", "dual"])
    with_single = np.isin(arm, ["none", "single"])
    base = fit(y, [both, x1, x2])
    no_lead = period < FIRST + T - 1
    ahead = np.full(N * T, np.nan)
    ahead[no_lead] = y[np.flatnonzero(no_lead) + 1]
    first = fit(both, [z, x1, x2])
    same = ["t2.2"]
    t2 = [
        column(
            "1",
            ["both"],
            "y",
            fit(y, [both], fixed=False),
            N * T,
            family="pooled",
            unit_effects="none",
            period_effects="none",
            same_sample_as=same,
        ),
        column("2", ["both", *controls], "y", base, N * T),
        column("3", ["both"], "y", fit(y, [both]), N * T, same_sample_as=same),
        column(
            "4",
            ["both", *controls],
            "y",
            fit(y, [both, x1, x2], with_none),
            int(with_none.sum()),
            sample={"arms": ["none", "dual"]},
        ),
        column(
            "5",
            ["only:a", *controls],
            "y",
            fit(y, [a, x1, x2], with_single),
            int(with_single.sum()),
            sample={"arms": ["none", "single"]},
        ),
    ]
    t3 = [
        column("1", ["both", *controls], "M", fit(M, [both, x1, x2]), N * T, same_sample_as=same),
        column(
            "2",
            ["both", "M", *controls],
            "y",
            fit(y, [both, M, x1, x2]),
            N * T,
            same_sample_as=same,
        ),
        column(
            "3",
            ["both", *controls],
            "y",
            fit(ahead, [both, x1, x2], no_lead),
            N * (T - 1),
            outcome_lead=1,
        ),
        column("4", ["both", *controls], "y", base, N * T, same_sample_as=same),
    ]
    t4 = []
    for k, level in enumerate("gh"):
        rows = group == level
        t4.append(
            column(
                str(k),
                ["both", *controls],
                "y",
                fit(y, [both, x1, x2], rows),
                int(rows.sum()),
                sample={"groups": {"group": [level]}},
            )
        )
    F = (first[0][0] / first[1][0]) ** 2
    t5 = [
        column(
            "1",
            controls,
            "both",
            (first[0][1:], first[1][1:], first[2]),
            N * T,
            family="iv_first",
            instrument="z",
            statistic=[{"name": "F", "value": f"{F:.2f}{stars(F**0.5)}", "reference": "F(1)"}],
        )
    ]
    t5[0]["coefficients"]["z"] = cell(first[0][0], first[1][0])
    beta, theta, rho = rng.normal(-0.6, 0.1), rng.normal(-0.8, 0.1), rng.uniform(0.1, 0.7)
    total = (beta + theta) / (1 - rho)
    direct = beta * rng.uniform(1.0, 1.2)
    t6 = [
        {
            "id": "1",
            "outcome": "y",
            "treatments": ["both"],
            "covariates": controls,
            "family": "sdm",
            "n": f"{N * T:,}",
            "row_normalised": True,
            "coefficients": {"both": cell(beta, 0.1)},
            "spatial_lags": {"both": cell(theta, 0.2)},
            "scalars": {"rho": cell(rho, 0.05)},
            "impacts": {
                "both": {
                    "direct": cell(direct, 0.1),
                    "indirect": cell(total - direct, 0.3),
                    "total": cell(total, 0.35),
                }
            },
        }
    ]
    moments = [
        {
            "column": name,
            "mean": f"{v.mean():.3f}",
            "sd": f"{v.std(ddof=1):.3f}",
            "min": f"{v.min():.3f}",
            "max": f"{v.max():.3f}",
        }
        for name, v in (("y", y), ("both", both), ("M", M), ("x1", x1), ("x2", x2))
    ]
    tables = [
        {
            "id": "t1",
            "title": "moments",
            "kind": "descriptive",
            "n": str(N * T),
            "moments": moments,
        },
        *(
            {
                "id": f"t{k}",
                "title": "t",
                "kind": "regression",
                "rows": "all",
                "se_kind": "iid",
                "r2_kind": "overall",
                "column": columns,
            }
            for k, columns in zip(range(2, 7), (t2, t3, t4, t5, t6), strict=True)
        ),
    ]
    file = {
        "study": {"id": f"simulated{seed}", "title": "t", "citation": "c"},
        "outcome": {"column": "y", "label": "y", "unit": "u"},
        "panel": {
            "unit": "unit",
            "period": "period",
            "units": N,
            "first_period": FIRST,
            "last_period": FIRST + T - 1,
        },
        "policy": [
            {"id": "a", "label": "A", "adoption": "ya"},
            {"id": "b", "label": "B", "adoption": "yb"},
        ],
        "group": [{"column": "group", "label": "G", "levels": {"g": "G", "h": "H"}}],
        "design": {
            "none": 12,
            "single": 10,
            "dual": 8,
            "only": {"a": 6, "b": 4},
            "first": {"a": 4, "b": 3},
            "simultaneous": 1,
        },
    }
    return {"file": file, "tables": tables, "claims": claims(t2, t4)}


def claims(t2, t4) -> list[dict]:
    main = t2[1]["coefficients"]["both"]["estimate"]
    size = abs(float(main.rstrip("*")))
    level = {3: "1%", 2: "5%", 1: "10%", 0: "none"}[main.count("*")]
    order = sorted("01", key=lambda k: -abs(float(_value(t4[int(k)]))))
    return [
        {
            "id": "value",
            "text": "t",
            "place": "p",
            "value": f"{100 * size:.1f}",
            "scale": 100,
            "cell": "t2.2:both",
            "significance": level,
            "direction": "negative" if main.startswith("-") else "positive",
        },
        {
            "id": "stronger",
            "text": "t",
            "place": "p",
            "comparison": {"stronger": f"t4.{order[0]}:both", "weaker": f"t4.{order[1]}:both"},
        },
        {
            "id": "sum",
            "text": "t",
            "place": "p",
            "arithmetic": {"parts": ["4", "3", "1"], "operation": "sum", "result": "8"},
        },
        {
            "id": "product",
            "text": "t",
            "place": "p",
            "arithmetic": {"parts": ["30", "6"], "operation": "product", "result": "180"},
        },
        {
            "id": "share1",
            "text": "t",
            "place": "p",
            "arithmetic": {"parts": ["97"], "operation": "percent_of", "result": "29.13"},
        },
        {
            "id": "share2",
            "text": "t",
            "place": "p",
            "arithmetic": {"parts": ["104"], "operation": "percent_of", "result": "31.23"},
        },
    ]


def _value(column) -> str:
    return column["coefficients"]["both"]["estimate"].rstrip("*")


def build(raw: dict) -> Study:
    file = StudyFile.model_validate(raw["file"])
    tables = {t["id"]: TableFile.model_validate(t) for t in raw["tables"]}
    found = tuple(Claim.model_validate(claim) for claim in raw["claims"])
    return assemble_study(Path("simulated"), file, tables, found)
