"""The report's tables as CSV and LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from bayesdid.escape import tex
from bayesdid.jsonio import write_text
from bayesdid.panel.write import csv_text
from bayesdid.report.text import hdi, interval, number, probability
from bayesdid.summary import percent

_STATIC = "panel, constant effects"


def frames(results: dict[str, Any]) -> dict[str, pd.DataFrame]:
    """Name -> tidy table: ``contrasts``, ``agreement``, ``checks``, ``audit``, ``fits``.

    A table without rows is left out. Rows that come from a synthetic panel say so in the column
    ``synthetic``. Every contrast stands with the side that is claimed of it, without a claim that
    on which the outcome is better, and the probability of that side.
    """
    synthetic = bool(results["synthetic"])
    contrasts = [*_printed_rows(results), *_panel_rows(results), *_static_rows(results)]
    agreement = [
        {"spec": item["spec"], **row, "synthetic": synthetic}
        for item in results["agreement"]
        for row in item["rows"]
    ]
    checks = [
        {
            "spec": item["spec"],
            "kind": item["kind"],
            "check": check["name"],
            "passed": check["passed"],
            "text": check["text"],
            "synthetic": synthetic,
        }
        for item in results["checks"]
        for check in item["results"]
    ]
    audit = [
        {
            key: finding[key]
            for key in ("severity", "rule", "place", "left", "right", "miss", "text")
        }
        for finding in results["audit"]["findings"]
    ]
    fits = [
        {key: fit[key] for key in ("spec", "kind", "engine", "converged", "log_evidence", "n")}
        | {"synthetic": synthetic}
        for fit in results["fits"]
    ]
    analyses = {
        f"{item['spec']}_{table['name']}": pd.DataFrame(
            table["rows"], columns=table["columns"]
        ).assign(synthetic=synthetic)
        for item in results["analyses"]
        if item["converged"]
        for table in item["tables"]
    }
    return {
        name: pd.DataFrame(rows)
        for name, rows in (
            ("contrasts", contrasts),
            ("agreement", agreement),
            ("checks", checks),
            ("audit", audit),
            ("fits", fits),
        )
        if rows
    } | analyses


def _printed_rows(results: dict[str, Any]) -> list[dict[str, Any]]:
    """Contrasts from printed columns, under every assumption."""
    return [
        _of(name, item, "published", key, _moments(summary), item["p_claim"][key], False)
        for name, item in (results["published"] or {"contrasts": {}})["contrasts"].items()
        for key, summary in item["posteriors"].items()
    ]


def _panel_rows(results: dict[str, Any]) -> list[dict[str, Any]]:
    """The page's contrasts of the panel, under every model."""
    return [
        _of(
            name,
            item,
            "panel",
            model,
            {"mean": m["mean"], "sd": m["sd"], "median": None}
            | {key: m["interval"][key] for key in ("low", "high", "level")}
            | {"p_rope": None},
            m["p_claim"],
            bool(results["synthetic"]),
        )
        for name, item in results["headline"]["contrasts"].items()
        for model, m in item["models"].items()
    ]


def _static_rows(results: dict[str, Any]) -> list[dict[str, Any]]:
    """Contrasts of regressions whose effects do not change with time, under every kind of fit."""
    return [
        _of(
            item["name"],
            {"label": item["label"], "claim": found["claim"]},
            _STATIC,
            f"{item['spec']} {kind}",
            _moments(found["summary"]),
            found["p_claim"],
            bool(results["synthetic"]),
        )
        for item in (results["contrasts"] or {"rows": []})["rows"]
        for kind, found in item["kinds"].items()
    ]


def _moments(summary: dict[str, Any]) -> dict[str, Any]:
    """What a table has of a stored summary."""
    low, high = hdi(summary)
    kept = {key: summary[key] for key in ("mean", "sd", "median", "p_rope", "level")}
    return kept | {"low": low, "high": high}


def _of(
    name: str,
    item: dict[str, Any],
    source: str,
    assumption: str,
    found: dict[str, Any],
    p: float,
    synthetic: bool,
) -> dict[str, Any]:
    """One row: the side that is claimed, and the probability of that side."""
    key = f"hdi{100 * found['level']:g}"
    return {
        "contrast": name,
        "label": item["label"],
        "source": source,
        "assumption": assumption,
        "mean": found["mean"],
        "sd": found["sd"],
        "median": found["median"],
        f"{key}_low": found["low"],
        f"{key}_high": found["high"],
        "p_rope": found["p_rope"],
        "claim": item["claim"],
        "p_claim": p,
        "synthetic": synthetic,
    }


def write_tables(results: dict[str, Any], folder: Path) -> list[Path]:
    """Write every table as CSV, and contrasts and agreement as LaTeX, into `folder`.

    A table that this run has no rows for is taken out, if an earlier one left it.
    """
    written = []
    for name in ("contrasts", "agreement", "checks", "audit", "fits"):
        for end in ("csv", "tex"):
            (folder / f"{name}.{end}").unlink(missing_ok=True)
    for name, frame in frames(results).items():
        path = folder / f"{name}.csv"
        write_text(path, csv_text(frame))
        written.append(path)
    for name, typeset in (("contrasts", _contrasts_tex), ("agreement", _agree_tex)):
        if any(path.stem == name for path in written):
            path = folder / f"{name}.tex"
            write_text(path, typeset(results))
            written.append(path)
    return written


def _contrasts_tex(results: dict[str, Any]) -> str:
    kind = "synthetic " if results["synthetic"] else ""
    rows = []
    for item in (results["published"] or {"contrasts": {}})["contrasts"].values():
        main, p = item["posteriors"]["averaged"], item["p_claim"]["averaged"]
        said = _typeset(main, hdi(main), item["claim"], p, item["range"])
        rows.append([item["label"], "published", *said])
    for item in results["headline"]["contrasts"].values():
        ends = (item["interval"]["low"], item["interval"]["high"])
        said = _typeset(item, ends, item["claim"], item["p_claim"], item["p_range"])
        rows.append([item["label"], f"{kind}panel", *said])
    for item in (results["contrasts"] or {"rows": []})["rows"]:
        main, every = item["main"], item["probabilities"].values()
        summary, over = main["summary"], (min(every), max(every))
        said = _typeset(summary, hdi(summary), main["claim"], main["p_claim"], over)
        rows.append([item["label"], f"{kind}{_STATIC}", *said])
    head = [
        "Contrast",
        "Source",
        "Mean",
        "SD",
        f"{percent(results['level'])} HDI",
        "Claim",
        "P(claim)",
        "Range",
    ]
    return _tex(head, rows, results)


def _typeset(
    main: dict[str, Any], ends: Any, claim: str, p: float, over: Sequence[float]
) -> list[str]:
    """Mean, sd, interval, the side that is claimed, its probability, and that over models."""
    return [
        number(main["mean"]),
        number(main["sd"]),
        interval(ends),
        claim,
        probability(p),
        f"{probability(over[0])} to {probability(over[1])}",
    ]


def _agree_tex(results: dict[str, Any]) -> str:
    kinds = ("fixed", "random", "mundlak")
    rows = [
        [
            item["spec"],
            row["parameter"],
            _pair(row, "published"),
            f"{number(row['ols'])} ({number(row['se_cluster'])})",
            *(_pair(row, kind) for kind in kinds),
        ]
        for item in results["agreement"]
        for row in item["rows"]
        if row.get("is_treatment")
    ]
    head = ["Spec", "Term", "Published", "OLS (clustered SE)", "Bayes fixed", "Random", "Mundlak"]
    return _tex(head, rows, results)


def _pair(row: dict[str, Any], kind: str) -> str:
    mean, sd = (
        ("published", "published_se") if kind == "published" else (f"{kind}_mean", f"{kind}_sd")
    )
    if row.get(mean) is None:
        return "–"
    return f"{number(row[mean])} ({number(row[sd])})"


def _tex(head: list[str], rows: list[list[str]], results: dict[str, Any]) -> str:
    stamp = f"% SYNTHETIC PANEL: {tex(results['synthetic'])}\n" if results["synthetic"] else ""
    note = ""
    if results["synthetic"]:
        text = tex(f"Synthetic panel: {results['synthetic']}.")
        note = f"\\multicolumn{{{len(head)}}}{{l}}{{\\emph{{{text}}}}} \\\\\n"
    lines = [" & ".join(tex(cell) for cell in row) + r" \\" for row in [head, *rows]]
    return (
        f"{stamp}% study {results['study']['id']}, by bayesdid\n"
        f"\\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}\n\\hline\n{lines[0]}\n\\hline\n"
        + "\n".join(lines[1:])
        + f"\n\\hline\n{note}\\end{{tabular}}\n"
    )
