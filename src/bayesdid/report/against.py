"""What changed between two runs of a study: numbers, words, specs, audit, data and versions.

A number changed if it moved by more than the Monte Carlo errors of both runs allow, at a declared
probability that any of an unchanged run does; one that no sampling is behind, if it moved at all.
Runs of one seed share draws, and differ by less.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scipy.stats import norm

from bayesdid.exceptions import InputError
from bayesdid.report.text import number, probability

FALSE_ALARM = 0.01  # that any number of an unchanged run is said to have changed
_DRAWS = 2000  # of a probability, at least: those of the headline
_ROUNDING = 1e-6  # relative, of a number that no sampling is behind
_PARTS = ("study", "fits", "claims", "headline", "provenance", "audit", "samples", "panel")


@dataclass(frozen=True, slots=True)
class _Value:
    """A number and its Monte Carlo error; 0 if no sampling is behind it."""

    value: float
    error: float = 0.0


def read_results(path: Path, of: str) -> dict[str, Any]:
    """The results of an earlier report of a study, by its folder or its ``results.json``.

    Raises
    ------
    InputError
        If there are none, or of another study.
    """
    file = path / "results.json" if path.is_dir() else path
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            "this is no earlier report",
            file=file,
            remedy="give the folder that bayesdid report wrote, or its results.json",
        ) from error
    if not isinstance(found, dict) or not all(part in found for part in _PARTS):
        raise InputError(
            "this is no results.json of a report",
            file=file,
            remedy="give the folder that bayesdid report wrote, or its results.json",
        )
    if (theirs := found["study"].get("id")) != of:
        raise InputError(
            "the earlier report is of another study",
            file=file,
            value=theirs,
            remedy=f"give a report of {of}",
        )
    return found


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What differs, from two ``results.json``.

    Returns
    -------
    dict
        ``numbers``: those beyond Monte Carlo error, with ``apart`` in its units (null without
        one); ``compared`` and ``limit``; ``added`` and ``removed`` quantities; ``words`` of
        verdicts; ``specs``: ``added``, ``removed``, ``failed``, ``mended``, ``unconverged``;
        ``audit`` findings ``added`` and ``removed``; ``data`` and ``versions`` as pairs.
    """
    old, new = dict(_values(before)), dict(_values(after))
    both = [name for name in new if name in old]
    limit = float(norm.isf(FALSE_ALARM / (2 * max(1, len(both)))))
    moved = (_moved(name, old[name], new[name], limit) for name in both)
    return {
        "of": after["study"]["id"],
        "limit": limit,
        "compared": len(both),
        "numbers": [item for item in moved if item is not None],
        "added": [name for name in new if name not in old],
        "removed": [name for name in old if name not in new],
        "words": _words(before, after),
        "specs": _specs(before, after),
        "audit": _sets(_findings(before), _findings(after)),
        "data": _pairs(_data(before), _data(after)),
        "versions": _pairs(before["provenance"]["versions"], after["provenance"]["versions"]),
    }


def _moved(name: str, old: _Value, new: _Value, limit: float) -> dict[str, Any] | None:
    """A number that changed; None for one that did not."""
    gap, error = abs(new.value - old.value), math.hypot(old.error, new.error)
    size = max(abs(old.value), abs(new.value))
    if gap <= (limit * error if error > 0 else _ROUNDING * size):
        return None
    apart = gap / error if error > 0 else None
    return {"quantity": name, "before": old.value, "after": new.value, "apart": apart}


def _values(results: Mapping[str, Any]) -> Iterator[tuple[str, _Value]]:
    """Every number that a reader could quote, by a name that both runs share."""
    for name, item in results["headline"]["contrasts"].items():
        yield f"{item['label']}, the panel's model", _summary(item["summary"])
        yield f"P(claim), the panel's model: {name}", _chance(item["p_claim"])
    for name, item in ((results.get("published") or {}).get("contrasts") or {}).items():
        yield f"{item['label']}, print", _summary(item["posteriors"]["averaged"])
        yield f"P(claim), print: {name}", _chance(item["p_claim"]["averaged"])
    for row in results.get("effects", []):
        yield f"{row['spec']}: {row['term']}", _summary(row["summary"])
    for item in results.get("agreement", []):
        for row in item["rows"]:
            for key in ("ols", "se_cluster"):
                if row.get(key) is not None:
                    yield f"{item['spec']}: {row['parameter']}, {key}", _Value(row[key])
    for item in results.get("analyses", []):
        for effect in item["effects"]:
            found = effect["found"]
            label = f"{item['spec']}: {effect['name']}, {effect['model']}"
            yield label, _Value(found["mean"], _error(found["sd"]))
    for claim in results["claims"]:
        for source, answer in ((claim["evidence"] or {}).get("answers") or {}).items():
            yield f"P(claim {claim['id']}), {source}", _chance(answer["p"])
    yield "audit: comparisons", _Value(results["audit"]["comparisons"])


def _summary(item: Mapping[str, Any]) -> _Value:
    """Of a posterior; by its own Monte Carlo error where it has one."""
    mcse = item.get("mcse")
    return _Value(item["mean"], mcse if mcse else _error(item["sd"]))


def _error(sd: float) -> float:
    return (sd or 0.0) / math.sqrt(_DRAWS)


def _chance(p: float) -> _Value:
    """Of a share of draws; near 0 and 1 one draw is the least that it moves by."""
    return _Value(p, math.sqrt(max(p * (1 - p), 1 / _DRAWS) / _DRAWS))


def _verdicts(results: Mapping[str, Any]) -> dict[tuple[str, str], tuple[str, float, str]]:
    """Claim and source, or contrast of the panel -> word, probability, what it is of."""
    found: dict[tuple[str, str], tuple[str, float, str]] = {}
    for claim in results["claims"]:
        for source, answer in ((claim["evidence"] or {}).get("answers") or {}).items():
            found[claim["id"], source] = (answer["word"], answer["p"], claim["text"])
    for item in [*results.get("sums", []), *results.get("doses", [])]:
        for source, answer in ((item["evidence"] or {}).get("answers") or {}).items():
            label = item["evidence"]["label"]
            found[label, source] = (answer["word"], answer["p"], label)
    for name, item in results["headline"]["contrasts"].items():
        found[name, "the panel's model"] = (item["word"], item["p_claim"], item["label"])
    return found


def _words(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, str]]:
    old, new = _verdicts(before), _verdicts(after)
    rows = []
    for key in dict.fromkeys([*new, *old]):
        one, two = old.get(key), new.get(key)
        if (one and one[0]) == (two and two[0]):
            continue
        of = (two or one or ("", 0.0, ""))[2]
        rows.append({"of": of, "source": key[1], "before": _said(one), "after": _said(two)})
    return rows


def _said(verdict: tuple[str, float, str] | None) -> str:
    return "none" if verdict is None else f"{verdict[0]} (P {probability(verdict[1])})"


def _specs(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[str]]:
    old, new = _all_specs(before), _all_specs(after)
    lost, mended = before.get("failed", {}), after.get("failed", {})
    weak = {f"{f['spec']} ({f['kind']})" for f in before["fits"] if not f["converged"]}
    return {
        "added": [name for name in new if name not in old and name not in mended],
        "removed": [name for name in old if name not in new and name not in mended],
        "failed": [f"{name}: {why}" for name, why in mended.items() if name not in lost],
        "mended": [name for name in lost if name not in mended],
        "unconverged": [
            name
            for f in after["fits"]
            if not f["converged"] and (name := f"{f['spec']} ({f['kind']})") not in weak
        ],
    }


def _all_specs(results: Mapping[str, Any]) -> list[str]:
    analyses = [item["spec"] for item in results.get("analyses", [])]
    return list(dict.fromkeys([*results["samples"], *analyses, *results.get("failed", {})]))


def _findings(results: Mapping[str, Any]) -> list[str]:
    found = results["audit"]["findings"]
    return [f"{item['severity']}, {item['place']}: {item['text']}" for item in found]


def _sets(old: list[str], new: list[str]) -> dict[str, list[str]]:
    return {
        "added": [text for text in new if text not in old],
        "removed": [text for text in old if text not in new],
    }


def _data(results: Mapping[str, Any]) -> dict[str, Any]:
    panel, source = results["panel"] or {}, results["provenance"]
    return {key: panel.get(key) for key in ("sha256", "rows", "units", "source")} | {
        key: source.get(key) for key in ("draws", "chains", "seed")
    }


def _pairs(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, list[str]]:
    """Name -> what it was, what it is; of what differs."""
    return {
        name: [_plain(old.get(name)), _plain(new.get(name))]
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name)
    }


def _plain(value: Any) -> str:
    return "none" if value is None else str(value)


def apart(item: Mapping[str, Any]) -> str:
    """How far a number moved, for people."""
    if item["apart"] is None:
        return "no sampling is behind it"
    return f"{number(item['apart'], 1)} Monte Carlo errors"
