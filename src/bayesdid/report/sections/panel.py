"""What the fits of a panel say: every column beside least squares, the headline, its models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayesdid.estimands.evidence import PRIOR_SHARES, grades
from bayesdid.estimands.names import RATIO, is_sum
from bayesdid.notebook import many
from bayesdid.report import figures
from bayesdid.report.document.blocks import Block, Cell, Figure, Items, Table, Text, ref
from bayesdid.report.model_words import model_name, short_title, spec_name
from bayesdid.report.sections.part import Part, Results, ends, excludes_zero, word_cell
from bayesdid.report.term_words import in_words
from bayesdid.report.text import estimate, factor, hdi, interval, number, probability, significant
from bayesdid.study.terms import POLICY_KINDS, parse_term
from bayesdid.summary import percent

_MAIN_ROWS = 12  # of the regression table on the page


def effects(results: Results) -> Part:
    """Published, least squares and posterior of every column."""
    rows = treatment_rows(results)
    main: list[Block] = []
    more: list[Block] = []
    level = percent(results["level"])
    scaled = [row for row in rows if _on_main_scale(row, results)]
    if scaled:
        main.append(
            Figure(
                "every-column",
                figures.columns_figure(
                    scaled, results["level"], bool(results["synthetic"]), results["outcome"]["unit"]
                ),
                see_columns(scaled),
                f"Effects on {results['outcome']['label']}, in {results['outcome']['unit']}; "
                f"{'diamond: published, ' * any(row['published'] is not None for row in scaled)}"
                "ring: least squares with clustered errors, disc: posterior under the "
                f"default errors; bars: {level}.",
                bool(results["synthetic"]),
            )
        )
    if rows:
        printed = any(row["published"] is not None for row in rows)
        cells = tuple(
            (
                f"{short_title(row['title'])}: {in_words(row['parameter'], results)}",
                str(row["n"]),
                *([_published(row)] if printed else []),
                estimate(row["ols"], row["se_cluster"]),
                estimate(row["mean"], row["sd"])
                if row["converged"]
                else "not converged: no result",
                f"{number(row['low'])} to {number(row['high'])}" if row["converged"] else "–",
                probability(row["p_negative"]) if row["converged"] else "–",
            )
            for row in rows
        )
        table = Table(
            "regression",
            "Treatment effects of every two-way column: "
            f"{'published, ' * printed}least squares, posterior.",
            (
                "column: term",
                "n",
                *(["published (SE)"] if printed else []),
                "OLS (SE clustered)",
                "posterior mean (sd)",
                f"{level} HDI",
                "P(< 0)",
            ),
            cells,
            note=f"Errors of the posteriors: {results['effects'][0]['errors']}. "
            "The probability of the sign stands where papers print stars. Independent errors are "
            "too sure on panels (docs/calibration-errors.md)." + _random_in(results)
            if results["effects"]
            else "",
        )
        (main if len(cells) <= _MAIN_ROWS else more).append(table)
        if len(cells) > _MAIN_ROWS:
            main.append(Text(f"All {len(cells)} effects: {ref('regression')}."))
    more += _agreement(results, rows)
    return Part("effects", "Effects", tuple(main), tuple(more), of_panel=True)


def _random_in(results: Results) -> str:
    """Which columns have random effects, and that least squares beside them has not."""
    titles: dict[str, list[str]] = {}
    for effect in results["effects"]:
        if effect["random_effects"]:
            kinds = f"{' and '.join(effect['random_effects'])} effects are random"
            titles.setdefault(kinds, []).append(short_title(effect["title"]))
    said = "; ".join(f"{k} in {', '.join(dict.fromkeys(v))}" for k, v in titles.items())
    return f" {said[0].upper()}{said[1:]}; least squares takes them as fixed." if said else ""


def _published(row: Mapping[str, Any]) -> str:
    if row["published"] is None:
        return "–"
    return estimate(row["published"], row["published_se"]) + "*" * int(row["stars"] or 0)


def treatment_rows(results: Results) -> list[dict[str, Any]]:
    """Treatment coefficients of every spec, joined with the posterior under the default errors."""
    found = {(e["spec"], e["term"]): e for e in results["effects"]}
    rows = []
    for item in results["agreement"]:
        for row in item["rows"]:
            effect = found.get((item["spec"], row["parameter"]))
            if not row.get("is_treatment") or effect is None:
                continue
            summary = effect["summary"] if effect["converged"] else {}
            keys = ("mean", "sd", "low", "high", "p_negative")
            rows.append(
                row
                | {key: item[key] for key in ("spec", "title", "outcome", "n")}
                | {key: summary.get(key) for key in keys}
                | {
                    "converged": effect["converged"],
                    "beside": effect["beside"],
                    "label": _drawn_label(item, row, results),
                }
            )
    return rows


def _drawn_label(item: Mapping[str, Any], row: Mapping[str, Any], results: Results) -> str:
    """A coefficient beside its drawing: heading of the column, and of several of one the term."""
    alone = sum(bool(other.get("is_treatment")) for other in item["rows"]) == 1
    title = short_title(item["title"])
    return title if alone else f"{title}: {in_words(row['parameter'], results)}"


def see_columns(rows: list[dict[str, Any]]) -> str:
    """How many posteriors exclude zero, and how far they lie from what was published."""
    known = [row for row in rows if row["converged"]]
    clear = sum(excludes_zero(row["low"], row["high"]) for row in known)
    said = f"The posterior interval of {clear} of {many(len(known), 'effect')} excludes zero"
    pairs = [
        row
        for row in known
        if row["published"] is not None and row["published_se"] and row["mean"] is not None
    ]
    if pairs:
        near = sum(abs(r["mean"] - r["published"]) <= r["published_se"] for r in pairs)
        lie = "mean lies" if len(pairs) == 1 else "means lie"
        said += (
            f"; {near} of {len(pairs)} posterior {lie} within one published standard error of the "
            "published estimate"
        )
    return f"{said}."


def _on_main_scale(row: Mapping[str, Any], results: Results) -> bool:
    """Effects of policy states, or of a dose, on the main outcome: what one axis can show."""
    dose = [item["term"] for item in results["doses"]]
    return row["outcome"] == results["outcome"]["column"] and (
        row["parameter"] in dose
        or all(
            part.kind in POLICY_KINDS and not part.event
            for part in parse_term(row["parameter"]).factors
        )
    )


def _agreement(results: Results, rows: list[dict[str, Any]]) -> list[Block]:
    if not results["agreement"]:
        return []
    same = results["identity"]
    cells = tuple(
        (
            f"{spec_name(t['spec'], results)}: {in_words(t['parameter'], results)}",
            number(t["ols"]),
            number(t["se_iid"]),
            number(t["se_hetero"]),
            number(t["se_cluster"]),
            f"{number(t['flat_mean'])} ({number(t['flat_gap_mcse'], 1)})",
            estimate(t.get("fixed_mean"), t.get("fixed_sd")),
            estimate(t.get("random_mean"), t.get("random_sd")),
            estimate(t.get("mundlak_mean"), t.get("mundlak_sd")),
        )
        for t in rows
    )
    blocks: list[Block] = [
        Text(
            "Agreement with least squares. Least squares has independent errors, and so have the "
            "fits compared with it here. With flat priors and fixed effects the posterior mean "
            "must be the least-squares estimate and the posterior sd the i.i.d. standard error up "
            f"to a known factor. It is so in {same['holds']} of {same['specs']} specs "
            f"({many(same['parameters'], 'coefficient')}; largest difference "
            f"{number(same['largest_gap_mcse'], 1)} Monte Carlo standard errors). With weak "
            "priors, and with Mundlak effects, what the prior must do to the estimate is computed "
            f"as well, and nothing else happened in {same['explained']} of {same['specs']} specs."
        )
    ]
    if cells:
        blocks.append(
            Table(
                "agreement",
                "The same coefficients under independent errors: least squares and posteriors.",
                (
                    "column: term",
                    "OLS",
                    "SE iid",
                    "SE hetero",
                    "SE cluster",
                    "flat (MCSE off)",
                    "Bayes fixed",
                    "Bayes random",
                    "Mundlak",
                ),
                cells,
            )
        )
    first = next((item for item in results["agreement"] if item["rows"]), None)
    if first is not None and first["explanations"]:
        blocks += [
            Text(f"What the differences mean, for {short_title(first['title'])}:"),
            Items(tuple(in_words(text, results) for text in first["explanations"])),
        ]
    return blocks


def events(results: Results) -> Part:
    """Event studies of two-way fits: independent effects and a random walk."""
    found = results["event_studies"]
    unit, synthetic = results["outcome"]["unit"], bool(results["synthetic"])
    more = tuple(
        Figure(
            f"event-{item['spec']}",
            figures.event_figure(item, unit, synthetic),
            see_event(item),
            f"Thick bars: pointwise {percent(results['level'])} HDI; thin bars: the whole path "
            "lies inside with that probability. Line and shades: the same under a random-walk "
            "prior.",
            synthetic,
        )
        for item in found
    )
    return Part("events", "Event studies under two priors", (), more, of_panel=True)


_FLAT = 0.05  # tail area of a flat path before adoption, below which trends are doubted


def see_event(item: Mapping[str, Any]) -> str:
    """Whether a flat path before adoption is likely, and how large the largest effect is."""
    p = item["paths"]["independent"]
    flat = p["pre_p"] is None or p["pre_p"] >= _FLAT
    doubt = "does not speak against" if flat else "speaks against"
    said = (
        f"{short_title(item['title'])}: before adoption a flat path has tail area "
        f"{probability(p['pre_p'])}, which {doubt} parallel trends; the largest effect there is "
        f"{number(p['pre_largest'])} on "
        "average over the posterior"
    )
    if p["pre_in_rope"] is not None:
        said += f", and all lie within the ROPE with probability {probability(p['pre_in_rope'])}"
    return f"{said}. {item['leads']}".strip()


def synergy(results: Results) -> Part:
    """The headline's contrasts, on the page; its models and the static regression below it."""
    headline = results["headline"]
    main: list[Block] = []
    more: list[Block] = []
    level = percent(results["level"])
    if headline["contrasts"]:
        main.append(
            Table(
                "contrasts",
                see_contrasts(headline["contrasts"], level),
                (
                    "contrast",
                    "mean (sd)",
                    f"{level} interval",
                    "claim",
                    "P(claim)",
                    "over models",
                    "verdict",
                ),
                tuple(
                    (
                        c["label"],
                        estimate(c["mean"], c["sd"]),
                        ends(c["interval"]),
                        c["claim"],
                        probability(c["p_claim"]),
                        interval_p(c["p_range"]),
                        word_cell(c["word"]),
                    )
                    for c in headline["contrasts"].values()
                ),
                note=f"{_headline_note(results)} Every model: {ref('contrast-models')}.",
            )
        )
        main += [
            Text(f"{c['label']}: {c['refused']}.", "soft")
            for c in headline["contrasts"].values()
            if c["refused"]
        ]
        more.append(_models_table(results, level))
    elif headline["failed"] and results["policies"]:
        main.append(Text(f"The panel has no answer of its own: {headline['failed']}"))
    main += [Text(f"Refused: {n}: {why}.", "soft") for n, why in headline["refused"].items()]
    more += [Text(f"Note: {note}.", "soft") for note in headline["notes"]]
    more += _static(results, level)
    title = "Contrasts" if len(results["policies"]) < 2 else "What the policies do together"
    return Part("contrasts-panel", title, tuple(main), tuple(more), of_panel=True)


def interval_p(pair: list[float]) -> str:
    """Two probabilities; one where they are written alike."""
    low, high = probability(pair[0]), probability(pair[1])
    return low if low == high else f"{low} to {high}"


def see_contrasts(contrasts: Mapping[str, Any], level: str) -> str:
    """How many contrasts of the panel have an interval that excludes zero."""
    known = [c for name, c in contrasts.items() if name != RATIO]
    clear = sum(excludes_zero(c["interval"]["low"], c["interval"]["high"]) for c in known)
    if len(known) == 1:
        if None in (known[0]["interval"]["low"], known[0]["interval"]["high"]):
            return "The contrast of the panel: its interval is not known."
        does = "excludes" if clear else "includes"
        return f"The contrast of the panel: its {level} interval {does} zero."
    return f"Contrasts of the panel: the {level} interval of {clear} of {len(known)} excludes zero."


def _headline_note(results: Results) -> str:
    if len(results["policies"]) < 2:
        many_policies = "the effect is averaged over treated rows"
    elif len(results["policies"]) < 3:
        many_policies = (
            "what both do beyond their sum is averaged over the rows under both, at their own ages"
        )
    else:
        many_policies = (
            "each pair departs from its sum by time since its second adoption and order, more "
            "policies from what they and their pairs add up to; what a pair does beyond its sum "
            "is averaged over all rows under it that tell it from other policies, at their own "
            "ages, what all do over the rows under all"
        )
    return (
        "Effects of each policy by cohort and time since its adoption, pooled towards smooth "
        f"paths; {many_policies}. The range of P is over the models that do not suppose constant "
        "effects."
    )


def with_models(results: Results) -> list[str]:
    """Contrasts of the panel whose models are all shown: of three and more policies the sums."""
    names = results["headline"]["contrasts"]
    return [name for name in names if len(results["policies"]) < 3 or is_sum(name)]


def _models_table(results: Results, level: str) -> Table:
    rows: list[tuple[str | Cell, ...]] = []
    for name, c in results["headline"]["contrasts"].items():
        if name not in with_models(results):
            continue
        rows.append((f"{c['label']} {c['claim']}",))
        rows += [
            (
                f"{model_name(model, results)}, if {m['assumes']}",
                estimate(m["mean"], m["sd"]),
                ends(m["interval"]),
                probability(m["p_claim"]),
                number(m["bias"]) if m["bias"] else "–",
            )
            for model, m in c["models"].items()
        ]
    return Table(
        "contrast-models",
        "Contrasts of the panel under every model.",
        ("model", "mean (sd)", f"{level} interval", "P(claim)", "bias"),
        tuple(rows),
        note="A bias is what a model would be off by if the effects were those of the main model.",
    )


_STATIC = (
    "The static factorial regression, which papers run: effects that do not change with time, "
    "which finds a synergy where single effects merely grow. Every policy state has its own effect."
)
_STATIC_OF_ONE = (
    "The static regression, which papers run: an effect that does not change with time. Where it "
    "does, the coefficient averages it with weights of the design."
)


def _static(results: Results, level: str) -> list[Block]:
    found = results["contrasts"]
    if not found:
        return []
    rows = []
    for row in found["rows"]:
        m, main = row["main"]["summary"], row["main"]
        factors = main["bayes_factors"]
        bf = (
            f"{main['evidence']} ({factor(factors[0]['bf10'])} to {factor(factors[-1]['bf10'])})"
            if factors
            else "–"
        )
        errors = main["design_errors"]
        sign = (probability(m["p_negative"]), probability(m["p_rope"]))
        kinds = tuple(
            estimate(row["kinds"][k]["summary"]["mean"], row["kinds"][k]["summary"]["sd"])
            if k in row["kinds"]
            else "–"
            for k in ("random", "mundlak", "sceptical")
        )
        ols = row["clustered"]
        rows.append(
            (
                f"{row['label']} ({spec_name(row['spec'], results)})",
                estimate(m["mean"], m["sd"]),
                interval(hdi(m)),
                *(sign if row["name"] != RATIO else ("–", "–")),
                bf,
                f"{probability(errors['type_s'])} / {number(errors['type_m'], 2)}"
                if errors
                else "–",
                *kinds,
                estimate(ols["estimate"], ols["se"]) if ols else "–",
            )
        )
    shares = ", ".join(significant(s) for s in PRIOR_SHARES.values())
    sds = ", ".join(significant(s * found["scale"]) for s in PRIOR_SHARES.values())
    panel = results["panel"]
    arms = ", ".join(f"{n} {a}" for a, n in panel["arms"].items())
    orders = ", ".join(f"{n} {a}" for a, n in panel["sequences"].items())
    one = len(results["policies"]) < 2
    lead = _STATIC_OF_ONE if one else _STATIC
    return [
        Text(
            f"{lead} {panel['units']} units × {panel['periods']} periods; arms: {arms}"
            + (f"; sequences: {orders}." if orders else ".")
        ),
        Table(
            "static",
            f"The static {'' if one else 'factorial '}regression under the default errors and "
            "beside others.",
            (
                "contrast",
                "default errors",
                f"{level} HDI",
                "P(< 0)",
                "P(ROPE)",
                "evidence (BF₁₀)",
                "S / M",
                "random",
                "Mundlak",
                "sceptical prior",
                "OLS, clustered",
            ),
            tuple(rows),
            frozenset({0, 5}),
            f"Bayes factors of an effect against none, under normal priors around zero of sd "
            f"{shares} sd(y), that is {sds} {results['outcome']['unit']}. {grades()}",
        ),
    ]
