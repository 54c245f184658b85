"""Correct tables of the corpus, with what journals print beside and texts compute from them."""

from __future__ import annotations

import copy
from decimal import ROUND_DOWN

import numpy as np
import pandas as pd
from corpus import Fit, Kitchen, printed_table, regress


def raw_tables(seed: int) -> dict | None:
    """A table with further measures, kinds of R2, groups of units, whole numbers and claims.

    `normal` says whether its marks are those of the normal distribution, `cut` whether its digits
    are cut off.
    """
    found = printed_table(seed)
    if found is None:
        return None
    raw, kitchen = copy.deepcopy(found[0]), found[1]
    rng = np.random.default_rng([seed, 16])
    _beside(raw, kitchen, rng)
    _groups(raw, kitchen, rng)
    _whole(raw, kitchen)
    _stated(raw, kitchen, rng)
    raw |= {"normal": kitchen.normal, "cut": kitchen.style.rounding == ROUND_DOWN}
    return raw


def _p(p: float) -> str:
    return "<.001" if p < 0.001 else f"{p:.3f}"


def _beside(raw: dict, kitchen: Kitchen, rng: np.random.Generator) -> None:
    """t and p beside what stands in parentheses, the other R2 and the residual sd below."""
    table, style = raw["tables"][1], kitchen.style
    several, below = rng.random() < 0.4, rng.random() < 0.5
    shown = table["in_parentheses"]
    for entry, fit in zip(table["column"], kitchen.fits, strict=True):
        for j, name in enumerate([*entry["treatments"], *entry["covariates"]] if several else ()):
            cell = entry["coefficients"][name]
            cell |= {} if shown == "t" else {"t": style.number(fit.t[j], 2)}
            cell |= {} if shown == "p" else {"p": _p(fit.p[j])}
        if below:
            entry["statistic"] = [
                {"name": f"r2_{kind}", "value": style.number(fit.r2[kind], 3)}
                for kind in ("adjusted", "within")
            ]


def _groups(raw: dict, kitchen: Kitchen, rng: np.random.Generator) -> None:
    """All units and two halves of them: one regressor under unit effects, several under two-way."""
    codes, _ = pd.factorize(kitchen.frame[kitchen.source.unit])
    if rng.random() < 0.5:
        half = rng.integers(0, 2, codes.max() + 1)[codes]
    else:  # those in which one variable is high
        by = kitchen.frame[str(rng.choice([kitchen.outcome, *kitchen.names]))]
        mean = by.groupby(codes).transform("mean")
        half = (mean > mean.median()).to_numpy(int)
    raw["file"]["group"] = [{"column": "half", "label": "Half", "levels": {"0": "A", "1": "B"}}]
    table = raw["tables"][1]
    plan = [("unit", kitchen.names[:1]), ("both", kitchen.names[: max(2, len(kitchen.names) - 1)])]
    for effect, xs in plan:
        entries = []
        for level in ("", "0", "1"):
            rows = kitchen.complete & ((half == int(level)) if level else True)
            fit = None if rows.sum() < 30 else _fit(kitchen, effect, xs, rows)
            if fit is None:
                break
            entries.append(_entry(table, kitchen, effect, xs, int(rows.sum()), level, fit))
        if len(entries) == 3:
            for entry in entries:
                entry["id"] = str(len(table["column"]) + 1)
                table["column"].append(entry)


def _fit(kitchen: Kitchen, effect: str, xs: list[str], rows: np.ndarray) -> Fit | None:
    part, source = kitchen.frame[rows], kitchen.source
    keys = [source.unit, source.period] if effect == "both" else [source.unit]
    return regress(
        part[kitchen.outcome].to_numpy(float),
        part[xs].to_numpy(float),
        [pd.factorize(part[key])[0] for key in keys],
        np.ones(len(part)),
        pd.factorize(part[source.unit])[0],
        kitchen.kind,
        kitchen.normal,
    )


def _entry(
    table: dict, kitchen: Kitchen, effect: str, xs: list[str], n: int, level: str, fit: Fit
) -> dict:
    style, legend = kitchen.style, table.get("stars", {})
    shown, cells = table["in_parentheses"], {}
    for j, name in enumerate(xs):
        mark = min((m for m, p in legend.items() if fit.p[j] < p), key=legend.get, default="")
        half = fit.crit * fit.se[j]
        ends = style.number(fit.coef[j] - half), style.number(fit.coef[j] + half)
        held = {
            "se": style.number(fit.se[j]),
            "t": style.number(fit.t[j], 2),
            "p": _p(fit.p[j]),
            "interval": ", ".join(ends),
        }
        cells[name] = {
            "estimate": style.number(fit.coef[j]) + mark,
            "parentheses": style.below(held[shown]),
        }
    kind = table["r2_kind"]
    return {
        "outcome": kitchen.outcome,
        "treatments": xs[:1],
        "covariates": xs[1:],
        "family": "twfe",
        "unit_effects": "fixed",
        "period_effects": "fixed" if effect == "both" else "none",
        "labels": {},
        "sample": {"groups": {"half": [level]}} if level else {},
        "n": f"{n:,}",
        "r2": style.number(fit.r2["overall" if kind == "unknown" else kind], 3),
        "coefficients": cells,
        "statistic": [{"name": "rmse", "value": style.number(fit.sigma, 4)}],
    }


def _whole(raw: dict, kitchen: Kitchen) -> None:
    """Say of variables whose values are whole that they are."""
    for row in raw["tables"][0]["moments"]:
        values = kitchen.frame.loc[kitchen.complete, row["column"]].to_numpy(float)
        if np.array_equal(values, np.round(values)):
            row["step"] = "1"


def _stated(raw: dict, kitchen: Kitchen, rng: np.random.Generator) -> None:
    """What a text computes: an effect in percent, a difference and a ratio of two cells."""
    style, columns = kitchen.style, raw["tables"][1]["column"]
    mean = float(kitchen.frame.loc[kitchen.complete, kitchen.outcome].mean())
    logs = kitchen.outcome.startswith("l") and kitchen.outcome != "lifeExp"
    name, b = columns[0]["treatments"][0], float(kitchen.fits[0].coef[0])
    if abs(b) < 30:
        value = 100 * (b if rng.random() < 0.5 else np.expm1(b)) if logs else 100 * b / mean
        claim = {"id": "percent", "cell": f"t1.1:{name}", "value": style.number(value, 1)}
        of = "log" if logs else f"t0:{kitchen.outcome}.mean"
        raw["claims"].append({**claim, "text": "t", "place": "p", "percent_of": of, "signed": True})
    alike = [
        k
        for k, c in enumerate(columns[: len(kitchen.fits)])
        if c["treatments"][0] == name and c["outcome"] == columns[0]["outcome"]
    ]
    if len(alike) > 1:
        sizes = {k: abs(float(kitchen.fits[k].coef[0])) for k in alike[:2]}
        strong, weak = sorted(sizes, key=sizes.get, reverse=True)
        comparison = {
            "stronger": f"t1.{strong + 1}:{name}",
            "weaker": f"t1.{weak + 1}:{name}",
            "difference": style.number(sizes[strong] - sizes[weak]),
        }
        if sizes[weak] > 0.05 * sizes[strong]:
            comparison["ratio"] = style.number(sizes[strong] / sizes[weak], 1)
        raw["claims"].append(
            {"id": "difference", "text": "t", "place": "p", "comparison": comparison}
        )
