"""Methods: the model, its priors and why, what must hold, software, and how to run it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayesdid.model.priors import GROUP_SHAPE, SCEPTICAL_SHARE, WEAK_MULTIPLE
from bayesdid.notebook import many
from bayesdid.report.again import as_given
from bayesdid.report.document.blocks import Block, Cell, Items, Table, Text, ref
from bayesdid.report.document.formulas import formula
from bayesdid.report.method_texts import GLOSSARY, METHODS
from bayesdid.report.model_words import fit_words, place_name, spec_name
from bayesdid.report.sections.part import Part, Results
from bayesdid.report.term_words import in_words
from bayesdid.report.text import number, significant


def methods(results: Results) -> Part:
    """In short on the page; by family, with priors in numbers, in the supplement."""
    outcome, source = results["outcome"], results["provenance"]
    alone = results["panel"] is None
    table = None if alone else _by_family(results)
    main: list[Block] = [
        *(_of_print(results) if alone else _of_panel(results)),
        Text(f"To run it again: {source['command']}"),
        Text(_data(results)),
        Text(
            ", ".join(f"{name} {version}" for name, version in source["versions"].items())
            + ". Every number on the page is in results.json.",
            "soft",
        ),
    ]
    if terms := glossary(results):
        meanings, names = tuple(m for _, m in terms), tuple(f"{term}:" for term, _ in terms)
        main.append(Items(meanings, names, "glossary"))
    more: list[Block] = [table] if table else []
    more += _priors_table(results)
    notes = [] if alone else results["panel"]["notes"]
    if notes and not results["synthetic"]:
        more += [Text("What was found in the panel:"), Items(tuple(notes))]
    for heading, found in (("Refused analyses:", "refused"), ("Specs not fitted here:", "skipped")):
        if results[found]:
            more += [
                Text(heading),
                Items(tuple(f"{s}: {why}" for s, why in results[found].items())),
            ]
    natural = outcome["natural_unit"] and outcome["natural_per_unit"] != 1
    one = f"; one is {significant(outcome['natural_per_unit'])} {outcome['natural_unit']}"
    better = "Lower" if outcome["better"] == "lower" else "Higher"
    said = f"Outcome: {outcome['label']}, in {outcome['unit']}{one if natural else ''}"
    main.insert(0, Text(f"{said}. {better} is better."))
    return Part("methods", "Methods", tuple(main), tuple(more))


def _of_panel(results: Results) -> list[Block]:
    """Regressions, their priors, what must hold, how the fits went."""
    source, fits = results["provenance"], results["fits"]
    errors = results["effects"][0]["errors"] if results["effects"] else "as each analysis states"
    begin = "On the synthetic stand-in, two-way" if results["synthetic"] else "Two-way"
    return [
        Text(
            f"{begin} regressions {formula(METHODS['twfe'].equation)}, normal "
            f"unless a column says otherwise; errors: {errors}. Unit and period effects are "
            "fixed and flat unless stated."
        ),
        Text(priors_text()),
        *_causal(results),
        Text(
            f"{many(source['fits'], 'fit')} of {many(source['specs'], 'spec')}"
            f"{', all of them of the synthetic stand-in' * bool(results['synthetic'])}, "
            f"{source['chains']} "
            f"× {source['draws']} draws each, seed {source['seed']}; engines "
            f"{', '.join(sorted({f['engine'] for f in fits})) or 'none'}. "
            f"{sum(f['converged'] for f in fits)} of {len(fits)} passed the convergence gate "
            + (f"({_gate(results)})." if fits else "(none was needed).")
            + _longer(fits, source["draws"])
            + (f" By family: {ref('methods-table')}." if results["methods"] else "")
        ),
    ]


def _of_print(results: Results) -> list[Block]:
    """What was computed of printed numbers, and what must hold."""
    if not results["methods"]:
        return [Text("No effect was estimated; the printed numbers were compared.")]
    return [
        Text(
            f"{m['question'][:1].upper()}{m['question'][1:]}: {formula(m['equation'])}. Estimand: "
            f"{m['estimand']}. It is causal if these hold: {'; '.join(m['assumes'])}."
        )
        for m in results["methods"]
    ]


def priors_text() -> str:
    """The priors with their reasons."""
    return (
        f"Priors (weak): a coefficient is normal around zero with sd {WEAK_MULTIPLE:g} sd(y) / "
        "sd(x within), wide enough that the data decide and narrow enough to rule out effects "
        "larger than the outcome varies (Gelman et al. 2008); the residual scale is exponential "
        f"with mean sd(y); scales of random effects are gamma with shape {GROUP_SHAPE:g}, which is "
        "zero at zero and keeps the posterior off that boundary (Chung et al. 2013). Beside them "
        f"stand sceptical priors, under which a treatment's full swing has sd {SCEPTICAL_SHARE:g} "
        "sd(y), and flat ones, which serve to compare with least squares and for nothing else."
    )


def _causal(results: Results) -> list[Block]:
    """What must hold for the answer to be causal."""
    main = next((m for m in results["methods"] if m["family"] in {"headline", "twfe"}), None)
    if results["synthetic"]:
        main = next((m for m in results["methods"] if m["family"] == "printed columns"), main)
    if main is None or not main["assumes"]:
        return []
    return [
        Text(
            f"Estimand: {main['estimand']}. It is causal if these hold: "
            f"{'; '.join(main['assumes'])}."
        )
    ]


def _longer(fits: list[dict[str, Any]], draws: int) -> str:
    """How many fits took more draws than asked for, and how many draws that were."""
    taken = [fit["draws_taken"] for fit in fits if fit["draws_taken"] > draws]
    if not taken:
        return ""
    return (
        f" {many(len(taken), 'fit')} drew once more, up to {max(taken):,} a chain, because as "
        "many as were asked for did not pass."
    )


def _gate(results: Results) -> str:
    """The limits of the gate, and the worst value of each number that it judges."""
    worst: dict[str, tuple[float, float]] = {}
    for fit in results["fits"]:
        for item in fit["gate"]:
            if item["value"] is None or item["limit"] is None:
                continue
            found = worst.get(item["name"])
            far = abs(item["value"] - item["limit"])
            if found is None or far < abs(found[0] - found[1]):
                worst[item["name"]] = (item["value"], item["limit"])
    return "; ".join(
        f"{name.replace('_', ' ')} {significant(value)}, limit {significant(limit)}"
        for name, (value, limit) in worst.items()
    )


def _data(results: Results) -> str:
    panel, study = results["panel"], results["study"]
    doi = f" doi:{study['doi']}." if study["doi"] else ""
    cited = study["citation"] + ("" if study["citation"].endswith((".", "?", "!")) else ".")
    licence = study.get("licence") or "not stated in the study file"
    if panel is None or results["synthetic"]:
        return f"Published numbers: {cited}{doi} No microdata. Licence of the data: {licence}."
    periods = results["design"]["periods"]
    rows = f"{panel['rows']} rows, {many(panel['units'], 'unit')}, {periods[0]} to {periods[-1]}"
    return (
        f"Data: {as_given(panel['source'])}; {rows}; sha256 {panel['sha256'][:16]}. "
        f"{cited}{doi} Licence of the data: {licence}."
    )


def glossary(results: Results) -> list[tuple[str, str]]:
    """Abbreviations, with the width of the ROPE of this run; without a panel those of print."""
    terms = list(GLOSSARY)
    if results["panel"] is None:
        used = {"P"} if results["methods"] else set()
        used |= {"HDI", "S, M"} if results["published"] is not None else set()
        terms = [entry for entry in GLOSSARY if entry[0] in used]
    ropes = {
        c["posteriors"]["averaged"]["rope"]
        for name, c in (results["published"] or {"contrasts": {}})["contrasts"].items()
        if name != "both / sum of singles"
    } | {
        row["main"]["summary"]["rope"]
        for row in (results["contrasts"] or {"rows": []})["rows"]
        if row["name"] != "both / sum of singles"
    }
    known = sorted(rope for rope in ropes if rope)
    if not known:
        return terms
    width = " and ".join(f"±{number(rope)}" for rope in known)
    rope = (
        "ROPE",
        f"region of practical equivalence: {width} {results['outcome']['unit']} around zero",
    )
    return sorted([*terms, rope])


def _by_family(results: Results) -> Table | None:
    found = results["methods"]
    if not found:
        return None
    rows: list[tuple[str | Cell, ...]] = [
        (
            m["name"] + (f" ({'; '.join(columns)})" if (columns := _columns(m, results)) else ""),
            formula(m["equation"]) if m["equation"] else "–",
            m["estimand"] or m["question"],
            "; ".join(m["assumes"]) or "–",
        )
        for m in found
    ]
    return Table(
        "methods-table",
        "What was fitted: equation, estimand, and what must hold for it to be causal.",
        ("model (columns)", "equation", "estimand", "causal if"),
        tuple(rows),
        frozenset(range(4)),
        "a, g: unit and period effects; D: treatments; x: covariates; e: errors.",
    )


def _columns(method: Mapping[str, Any], results: Results) -> list[str]:
    """Columns of a family: by their places in print, else by their headings."""
    return [place_name(spec, results) for spec in method["specs"]]


def _priors_table(results: Results) -> list[Block]:
    """The priors of one spec in numbers, as an example."""
    given = results["priors"]
    kinds = {k: v for k, v in given.items() if isinstance(v, dict)}
    if not kinds:
        return []
    terms = list(next(iter(kinds.values()))["coefficients"])
    rows = tuple(
        (
            fit_words(kind),
            str(v["name"]),
            number(v["scale"]),
            *(number(v["coefficients"].get(t, {}).get("sd")) for t in terms),
        )
        for kind, v in kinds.items()
    )
    return [
        Table(
            "priors",
            f"Priors in numbers, of {spec_name(given['spec'], results)}: the sd of each "
            "coefficient, all around zero.",
            ("fit", "prior", "scale of y", *(in_words(term, results) for term in terms)),
            rows,
            frozenset({0, 1}),
            "A dash: flat.",
        )
    ]
