"""The report's tables as CSV and LaTeX."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from bayesdid.escape import tex
from bayesdid.jsonio import write_text
from bayesdid.panel.write import csv_text
from bayesdid.report.text import hdi, interval, number, probability
from bayesdid.summary import percent


def frames(results: dict[str, Any]) -> dict[str, pd.DataFrame]:
    """Name -> tidy table: ``contrasts``, ``agreement``, ``checks``, ``audit``, ``fits``.

    A table without rows is left out. Rows that come from a synthetic panel say so in the column
    ``synthetic``.
    """
    synthetic = bool(results["synthetic"])
    contrasts: list[dict[str, Any]] = []
    for name, item in (results["published"] or {"contrasts": {}})["contrasts"].items():
        for key, summary in item["posteriors"].items():
            contrasts.append(
                _row(name, item["label"], "published", key, summary, item["p_claim"][key], False)
            )
    for item in (results["contrasts"] or {"rows": []})["rows"]:
        for kind, found in item["kinds"].items():
            contrasts.append(
                _row(
                    item["name"],
                    item["label"],
                    "panel",
                    f"{item['spec']} {kind}",
                    found["summary"],
                    found["p_claim"],
                    synthetic,
                )
            )
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


def _row(
    name: str,
    label: str,
    source: str,
    assumption: str,
    summary: dict[str, Any],
    p: float,
    synthetic: bool,
) -> dict[str, Any]:
    low, high = hdi(summary)
    key = f"hdi{100 * summary['level']:g}"
    return {
        "contrast": name,
        "label": label,
        "source": source,
        "assumption": assumption,
        "mean": summary["mean"],
        "sd": summary["sd"],
        "median": summary["median"],
        f"{key}_low": low,
        f"{key}_high": high,
        "p_negative": summary["p_negative"],
        "p_rope": summary["p_rope"],
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
    rows = []
    for item in (results["published"] or {"contrasts": {}})["contrasts"].values():
        main = item["posteriors"]["averaged"]
        low, high = item["range"]
        rows.append(
            [
                item["label"],
                "published",
                number(main["mean"]),
                number(main["sd"]),
                interval(hdi(main)),
                probability(item["p_claim"]["averaged"]),
                f"{probability(low)} to {probability(high)}",
            ]
        )
    for item in (results["contrasts"] or {"rows": []})["rows"]:
        main, p = item["main"]["summary"], item["probabilities"].values()
        rows.append(
            [
                item["label"],
                "synthetic panel" if results["synthetic"] else "panel",
                number(main["mean"]),
                number(main["sd"]),
                interval(hdi(main)),
                probability(item["main"]["p_claim"]),
                f"{probability(min(p))} to {probability(max(p))}",
            ]
        )
    head = [
        "Contrast",
        "Source",
        "Mean",
        "SD",
        f"{percent(results['level'])} HDI",
        "P(claim)",
        "Range",
    ]
    return _tex(head, rows, results)


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
