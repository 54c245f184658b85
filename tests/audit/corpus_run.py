"""`make audit-corpus`: audit every correct table, and every one with an error planted."""

from __future__ import annotations

import copy
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from bystanders import WHO, accused, planted
from corpus import SOURCES, build
from corpus_more import raw_tables
from planted_beside import PLANTS as BESIDE
from planted_errors import PLANTS as FIRST

from bayesdid.audit.run import RULES, audit_study

PLANTS = FIRST | BESIDE
TABLES = 325
EVERY = 3  # tables: all rules are asked of every planted error in one of so many
DOC = Path(__file__).parents[2] / "docs" / "audit.md"


@dataclass
class Tally:
    """Counts over tables: false alarms of correct ones, errors planted and found."""

    tables: int = 0
    columns: int = 0
    comparisons: Counter = field(default_factory=Counter)
    contradictions: Counter = field(default_factory=Counter)  # on correct tables, by rule
    warnings: Counter = field(default_factory=Counter)  # tables that have one, by rule
    warned: int = 0
    rounded: int = 0  # tables that round, and those of them that have a warning
    warned_rounded: int = 0
    planted: Counter = field(default_factory=Counter)
    proven: Counter = field(default_factory=Counter)  # found as a contradiction
    found: Counter = field(default_factory=Counter)  # or as a warning
    false: list = field(default_factory=list)
    errors: int = 0  # planted where all rules are asked
    accused: Counter = field(default_factory=Counter)  # rule and whom it accuses -> findings


def run(seeds) -> Tally:
    tally = Tally()
    for seed in seeds:
        raw = raw_tables(seed)
        if raw is None:
            continue
        clean = audit_study(build(raw))
        tally.tables += 1
        tally.columns += len(raw["tables"][1]["column"])
        tally.comparisons.update(clean.checked)
        for finding in clean.findings:
            if finding.severity == "contradiction":
                tally.contradictions[finding.rule] += 1
                tally.false.append((seed, finding.rule, finding.place, finding.text))
        false = {f.rule for f in clean.findings if f.severity == "warning"} - _true(raw)
        tally.warnings.update(false)
        tally.warned += bool(false)
        tally.rounded += not raw["cut"]
        tally.warned_rounded += bool(false) and not raw["cut"]
        known = {(f.rule, f.place, f.severity) for f in clean.findings}
        for number, (kind, (plant, rule)) in enumerate(PLANTS.items()):
            damaged = copy.deepcopy(raw)
            if not plant(damaged, np.random.default_rng([seed, number])):
                continue
            tally.planted[kind] += 1
            every = seed % EVERY == 0
            asked = RULES if every else [item for item in RULES if item.__name__ == rule]
            found = [
                f
                for f in audit_study(build(damaged), asked).findings
                if (f.rule, f.place, f.severity) not in known
            ]
            tally.errors += every
            if every:
                wrong, claims = planted(raw, damaged), {c["id"]: c for c in damaged["claims"]}
                tally.accused.update(
                    (f.rule, accused(f, wrong, claims)) for f in found if f.severity != "note"
                )
            new = {f.severity for f in found if f.rule == rule}
            tally.proven[kind] += "contradiction" in new
            tally.found[kind] += bool(new & {"contradiction", "warning"})
    return tally


def _true(raw: dict) -> set[str]:
    """Rules whose warnings are true of a table: its text tests no difference; normal marks."""
    return {"comparisons", *(("few_clusters",) if raw["normal"] else ())}


def share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "–"


def text(tally: Tally) -> str:
    lines = [
        f"{tally.tables} correct tables ({tally.columns:,} columns) of {len(SOURCES)} data sets, "
        f"{sum(tally.comparisons.values()):,} comparisons: "
        f"{sum(tally.contradictions.values())} contradictions, "
        f"{tally.warned} tables with a warning, {tally.warned_rounded} of the {tally.rounded} that "
        f"round and {tally.warned - tally.warned_rounded} of the {tally.tables - tally.rounded} "
        "that cut digits off.",
        "",
        "| rule | comparisons | false contradictions | tables with a false warning |",
        "|---|---|---|---|",
    ]
    for rule, made in tally.comparisons.items():
        if made:
            lines.append(
                f"| `{rule}` | {made:,} | {tally.contradictions[rule]} | {tally.warnings[rule]} |"
            )
    lines += [
        "",
        "| planted | tables | a contradiction | found at all (recall) | precision of the rule |",
        "|---|---|---|---|---|",
    ]
    for kind, (_, rule) in PLANTS.items():
        made, found = tally.planted[kind], tally.found[kind]
        false = tally.contradictions[rule] + tally.warnings[rule]
        lines.append(
            f"| {kind} (`{rule}`) | {made} | {share(tally.proven[kind], made)} "
            f"| {share(found, made)} | {share(found, found + false)} |"
        )
    return "\n".join([*lines, "", *_accused(tally)])


def _accused(tally: Tally) -> list[str]:
    """Whom findings accuse, by rule."""
    by = {who: sum(n for (_, one), n in tally.accused.items() if one == who) for who in WHO}
    lines = [
        f"One in {EVERY} of the tables was audited by all rules with each error in turn ("
        f"{tally.errors:,} errors): {sum(by.values()):,} findings beside those of the correct "
        f"table, "
        f"{by['it']:,} of which name the wrong number, {by['tied']:,} only another that it is "
        f"compared with in the same column or sentence, {by['bystander']:,} neither.",
        "",
        "| rule | findings | name the wrong number | what it is compared with | neither |",
        "|---|---|---|---|---|",
    ]
    for rule in (item.__name__ for item in RULES):
        each = [tally.accused[rule, who] for who in WHO]
        if sum(each):
            lines.append(f"| `{rule}` | {sum(each):,} | " + " | ".join(map(str, each)) + " |")
    return lines


def main() -> int:
    tally = run(range(TABLES))
    before, _, rest = DOC.read_text(encoding="utf-8").partition("<!-- corpus -->\n")
    _, _, after = rest.partition("<!-- end -->")
    DOC.write_text(f"{before}<!-- corpus -->\n{text(tally)}\n<!-- end -->{after}", encoding="utf-8")
    sys.stdout.write(text(tally) + "\n" + "".join(f"{item}\n" for item in tally.false))
    return 1 if tally.false else 0


if __name__ == "__main__":
    sys.exit(main())
