"""The main answer under settings that a reader chooses, and the same one at a time for paper."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bayesdid.report.claim_words import asks, over_said
from bayesdid.report.document.blocks import Block, Cell, Choice, Sliders, Table, Text
from bayesdid.report.model_words import model_name
from bayesdid.report.sections.part import Results, word_cell
from bayesdid.report.text import interval, probability
from bayesdid.summary import percent

_ORIGIN = {"published": "the printed numbers", "panel": "the panel"}
_AVERAGED = "averaged over all"
_AXES = ("inflation", "prior", "rope")


@dataclass(frozen=True, slots=True)
class _Bound:
    """A robust set of Rambachan & Roth: its M-bar for people, and what it says."""

    label: str
    says: str


def sliders(
    evidence: Mapping[str, Any] | None, sources: Sequence[str], results: Results
) -> tuple[list[Block], list[Block]]:
    """Controls for the page, and tables for the supplement; empty where there are none."""
    given = (evidence or {}).get("sliders", {})
    page: list[Block] = []
    more: list[Block] = []
    for source in reversed([s for s in sources if s in given]):
        assert evidence is not None
        bounds = _bounds(results) if source == "panel" else []
        models = [model_name(model, results) for model in given[source]["models"]]
        table = {**given[source], "models": models}
        key = f"sliders-{source}"
        page.append(Text(f"From {_ORIGIN[source]}:"))
        page.append(_block(evidence, table, key, bounds))
        more.append(_table(evidence, table, source, f"{key}-table", bounds))
    return page, more


def _bounds(results: Results) -> list[_Bound]:
    """Parallel trends, then each M-bar whose set is known."""
    robust = results["headline"].get("robust", [])
    relative = [item for item in robust if item["kind"] == "relative_magnitude"]
    sets: list[Mapping[str, Any]] = relative[0]["sets"] if relative else []
    known = [at for at in sets if at["low"] is not None and at["high"] is not None]
    if not known:
        return []
    level = percent(results["level"])
    return [
        _Bound("0 (parallel)", ""),
        *(
            _Bound(
                f"{at['M']:g}",
                f"If trends change at most {at['M']:g} times as much as before adoption, the "
                f"robust {level} set is {interval((at['low'], at['high']))}, "
                f"{'with' if at['low'] <= 0 <= at['high'] else 'without'} zero.",
            )
            for at in known
        ),
    ]


def _block(
    evidence: Mapping[str, Any], table: Mapping[str, Any], key: str, bounds: list[_Bound]
) -> Sliders:
    axes, unit = table["axes"], evidence["unit"]
    choices: list[Choice] = []
    if table["grid"]:
        paths = (_AVERAGED, *table["grid"]["paths"])
        choices += [
            Choice("path", "effects of a single policy are", paths, 0, True),
            Choice("phi", "errors of a unit correlate by", tuple(table["grid"]["phis"])),
        ]
    elif len(table["models"]) > 1:
        models = tuple(table["models"])
        choices.append(Choice("model", "model", models, table["main"], True))
    choices += [
        Choice("inflation", "standard errors times", tuple(axes["inflation"])),
        Choice("prior", f"further prior around zero, sd in {unit}", tuple(axes["prior"])),
        Choice("rope", f"no effect within ±, in {unit}", tuple(axes["rope"])),
    ]
    if bounds:
        label = "M̄, changes of trends against those before"
        choices.append(Choice("mbar", label, tuple(bound.label for bound in bounds)))
    data = {name: value for name, value in table.items() if name != "level"} | {
        "percent": percent(table["level"]),
        "asks": asks(evidence),
        "asks_beyond": "below −{}" if evidence["sign"] < 0 else "above {}",
        "averaged": _AVERAGED,
        "robust": [bound.says for bound in bounds],
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    said = said_at(evidence, table, table["main"], (0, 0, 0))
    return Sliders(key, tuple(choices), said, f"{key}-table", text)


def said_at(
    evidence: Mapping[str, Any], table: Mapping[str, Any], model: int, at: tuple[int, int, int]
) -> str:
    """What stands at one place of the axes; the script of the page says the same."""
    moment, cell = _places(table, model, at)
    limit = table["axes"]["rope"][at[2]]
    side = f"below −{limit}" if evidence["sign"] < 0 else f"above {limit}"
    asked = side if at[2] else asks(evidence)
    every = [table["p"][_places(table, m, at)[1]] for m in range(len(table["models"]))]
    p, low, high = map(_said, (table["p"][cell], min(every), max(every)))
    over = over_said(p, low, high, len(every)) if len(every) > 1 else ""
    rope = f" Within ±{limit}: P {_said(table['inside'][cell])}." if at[2] else ""
    return (
        f"{table['models'][model]}: {table['mean'][moment]} ({percent(table['level'])} interval "
        f"{table['interval'][moment]}). That it is {asked} is "
        f"{table['vocabulary'][table['words'][cell]]}: P {_said(table['p'][cell])}{over}.{rope}"
    )


def _places(table: Mapping[str, Any], model: int, at: tuple[int, int, int]) -> tuple[int, int]:
    """Positions of a mean and of a probability."""
    K, S, R = (len(table["axes"][name]) for name in _AXES)
    moment = (model * K + at[0]) * S + at[1]
    return moment, moment * R + at[2]


def _said(thousandth: int) -> str:
    return probability(thousandth / 1000 if 0 < thousandth < 1000 else float(thousandth > 0))


def _table(
    evidence: Mapping[str, Any],
    table: Mapping[str, Any],
    source: str,
    key: str,
    bounds: list[_Bound],
) -> Table:
    """Each setting alone, of the model that answers."""
    rows: list[tuple[str | Cell, ...]] = []
    named = {"inflation": "standard errors times", "prior": "further prior, sd", "rope": "within ±"}
    for k, axis in enumerate(_AXES):
        for place, text in enumerate(table["axes"][axis]):
            if place == 0 and k:
                continue  # nothing changed: the first row
            at = tuple(place if j == k else 0 for j in range(3))
            moment, cell = _places(table, table["main"], (at[0], at[1], at[2]))
            rows.append(
                (
                    f"{named[axis]} {text}",
                    table["mean"][moment],
                    table["interval"][moment],
                    _said(table["p"][cell]),
                    _said(table["inside"][cell]) if k == 2 else "–",
                    word_cell(table["vocabulary"][table["words"][cell]]),
                )
            )
    note = (
        "A further prior is normal around zero and multiplies the posterior; beyond a limit P is "
        "of more than it on the claimed side. " + " ".join(b.says for b in bounds if b.says)
    )
    return Table(
        key,
        f"{evidence['label']} ({evidence['unit']}) under other settings, one at a time, from "
        f"{_ORIGIN[source]}: {table['models'][table['main']]}.",
        ("setting", "mean", f"{percent(table['level'])} interval", "P(claim)", "P(within)", "word"),
        tuple(rows),
        frozenset({0, 5}),
        note.strip(),
    )
