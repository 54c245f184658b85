"""Render results to one self-contained HTML page. A function of ``results.json`` alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bayesdid.estimands.beside import STATIC
from bayesdid.estimands.evidence import PRIOR_SHARES, grades
from bayesdid.estimands.names import MAX_SINGLE, RATIO, SUM, is_sum
from bayesdid.estimands.verdict import rules
from bayesdid.extras import extra
from bayesdid.inference.plan import MAIN
from bayesdid.report import figures
from bayesdid.report.analysis_figures import analysis_figure
from bayesdid.report.claim_html import claim_groups, judged, main_answer, sum_answers
from bayesdid.report.examination_html import render_examination
from bayesdid.report.text import FILTERS, hdi, number, probability
from bayesdid.study.terms import POLICY_KINDS, parse_term
from bayesdid.summary import percent

_CLAIMED = ("both - none", "both - single", MAX_SINGLE, SUM)


def render(results: dict[str, Any]) -> str:
    """The report as HTML.

    Parameters
    ----------
    results
        What ``results.json`` holds: every number on the page is looked up here.
    """
    environment = _environment()
    verdicts = judged(_by_claim(results), results)
    synthetic = bool(results["synthetic"])
    published = results["published"]
    rows = _claim_rows(results, verdicts)
    treatments = _treatment_rows(results)
    scaled = _on_one_scale(results, treatments)
    failing = _checks_by_spec(results)
    return environment.get_template("report.html.j2").render(
        r=results,
        verdicts=verdicts,
        answer=first_screen(results),
        claims_html=render_claims(results),
        stamp=synthetic,
        SUM=SUM,
        whole=_with_models(results),
        MAX_SINGLE=MAX_SINGLE,
        RATIO=RATIO,
        shares=list(PRIOR_SHARES.values()),
        grades=grades(),
        rules=rules("the posterior probability of the claim", "every assumption considered"),
        treatments=treatments,
        checks=failing,
        examination_html=render_examination(results),
        failed=[fit for fit in results["fits"] if not fit["converged"]],
        event_figures=[
            (item, figures.event_figure(item, results["outcome"]["unit"], synthetic))
            for item in results["event_studies"]
        ],
        sections_html=render_analyses(results),
        claims_svg=figures.claims_figure(
            rows, results["outcome"]["unit"], synthetic, results["level"]
        )
        if rows
        else "",
        assumptions_svg=figures.assumptions_figure(_assumption_items(published))
        if published and published["verdicts"]
        else "",
        agreement_svg=figures.agreement_figure(scaled, synthetic, results["level"])
        if scaled
        else "",
        checks_svg=figures.checks_figure(
            failing["specs"], failing["names"], failing["passed"], synthetic
        )
        if failing["specs"]
        else "",
    )


def render_analyses(results: dict[str, Any]) -> str:
    """The sections of analyses, as HTML: what ``results["sections"]`` says stands where.

    Parameters
    ----------
    results
        Of which ``analyses``, ``sections`` and ``synthetic`` are read.
    """
    synthetic = bool(results["synthetic"])
    analyses = {item["spec"]: item for item in results["analyses"]}
    groups = [
        section | {"items": [_drawn(analyses[spec], synthetic) for spec in section["specs"]]}
        for section in results["sections"]
    ]
    return _environment().get_template("sections.html.j2").render(groups=groups, stamp=synthetic)


def render_claims(results: dict[str, Any]) -> str:
    """Every claim about an effect, with every model of it, as HTML; empty if there is none."""
    groups = claim_groups(results)
    if not groups:
        return ""
    template = _environment().get_template("claims.html.j2")
    return str(template.render(groups=groups, stamp=bool(results["synthetic"])))


def first_screen(results: dict[str, Any]) -> list[str]:
    """Sentences that answer the study's question: the sums of singles, or the main claim."""
    main = sum_answers(results) or main_answer(results)
    if not main:
        return answer(results)
    checks = results["headline"]["checks"]
    of = f"The model of the panel's effect {_passes(checks)}."
    said = [*main, *([of] if checks else [])]
    return [*said, *(results["validity"][source] for source in results["validity"])]


def _environment() -> Any:
    """The templates, with the filters that write numbers."""
    with extra("report"):
        import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    return environment


def _drawn(item: dict[str, Any], synthetic: bool) -> dict[str, Any]:
    """An analysis with its figures drawn; one that failed shows none."""
    figures = item["figures"] if item["converged"] else []
    drawn = [figure | {"svg": analysis_figure(figure, synthetic)} for figure in figures]
    return item | {"figures": drawn}


def answer(results: dict[str, Any]) -> list[str]:
    """Sentences that answer the study's question, from its verdicts on the sum of singles."""
    outcome = results["outcome"]
    scale, unit = outcome["natural_per_unit"], outcome["natural_unit"] or outcome["unit"]
    sentences = []
    for source, section in (("published", results["published"]), ("panel", results["headline"])):
        if section is None:
            continue
        verdict = next((v for v in section["verdicts"] if v["contrast"] == SUM), None)
        if verdict is None:
            continue
        mean = verdict["summary"]["mean"]
        low, high = hdi(verdict["summary"])
        more = (mean < 0) == (outcome["better"] == "lower")
        origin = "From the published columns alone" if source == "published" else _panel(results)
        sentences.append(
            f"{origin} both policies together are estimated to do "
            f"{'more' if more else 'less'} than the sum of the two by "
            f"{number(abs(mean) * scale, 1)} {unit} "
            f"({percent(verdict['summary']['level'])} HDI of the difference "
            f"{number(low * scale, 1)} to {number(high * scale, 1)}). The probability that "
            f"1 + 1 > 2 is {probability(verdict['p'])}, and between "
            f"{probability(verdict['p_low'])} and {probability(verdict['p_high'])} over the "
            f"assumptions considered: {verdict['word']}."
        )
        sentences += section.get("sentences", [])[:1]
        if source == "published":
            sentences.append(results["validity"][source])
    sentences += _reservations(results) or _effect(results)
    return sentences


def _panel(results: dict[str, Any]) -> str:
    """Where the panel's answer comes from, as the beginning of a sentence."""
    if results["synthetic"]:
        return "In a synthetic panel, which is no evidence about the world,"
    return "In the microdata"


def _with_models(results: dict[str, Any]) -> list[str]:
    """Contrasts of the panel whose models are all shown: of three and more policies the sums."""
    names = results["headline"]["contrasts"]
    return [name for name in names if len(results["policies"]) < 3 or is_sum(name)]


def _effect(results: dict[str, Any]) -> list[str]:
    """The answer of a panel without a synergy: the effect of its first contrast."""
    found = results["headline"]["contrasts"]
    if not found or SUM in found:
        return []
    item, outcome = next(iter(found.values())), results["outcome"]
    side = "below" if outcome["better"] == "lower" else "above"
    low, high = item["p_range"]
    interval = item["interval"]
    return [
        f"{_panel(results)} {item['label']} is {number(item['mean'])} {outcome['unit']} "
        f"({percent(item['level'])} HDI {number(interval['low'])} to {number(interval['high'])}). "
        f"The probability that it is {side} zero is {probability(item['p_claim'])}, and between "
        f"{probability(low)} and {probability(high)} over the models beside it.",
        f"The model of this answer {_passes(results['headline']['checks'])}.",
        results["validity"]["panel"],
        *([item["alert"]] if item["alert"] else []),
    ]


def _reservations(results: dict[str, Any]) -> list[str]:
    """What the checks of the panel's main model say about its answer."""
    headline = results["headline"]
    if SUM not in headline["contrasts"]:
        return []
    item = headline["contrasts"][SUM]
    static = item["models"].get(STATIC)
    said = [f"The model of this answer {_passes(headline['checks'])}."]
    if static is not None:
        said[0] += (
            " The static factorial regression, which papers run, says "
            f"{number(static['mean'])} ({number(static['sd'])}); at the effects fitted here it is "
            f"off by {number(static['bias'])}."
        )
    said.append(results["validity"]["panel"])
    return [*said, *([item["alert"]] if item["alert"] else [])]


def _passes(checks: list[dict[str, Any]]) -> str:
    """What the checks of a fit say of it."""
    failed = [c["name"].replace("_", " ") for c in checks if c["passed"] is False]
    return f"fails these checks: {', '.join(failed)}" if failed else "passes its checks"


def _by_claim(results: dict[str, Any]) -> list[dict[str, Any]]:
    """One entry per claim with a verdict, holding its published and panel verdicts."""
    merged: dict[str, dict[str, Any]] = {}
    for source, section in (("published", results["published"]), ("panel", results["headline"])):
        for verdict in section["verdicts"] if section else []:
            entry = merged.setdefault(
                verdict["claim"],
                {key: verdict[key] for key in ("claim", "text", "place", "contrast", "label")},
            )
            entry[source] = verdict
    order = [claim["id"] for claim in results["claims"]]
    return sorted(merged.values(), key=lambda entry: order.index(entry["claim"]))


def _claim_rows(results: dict[str, Any], verdicts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of the first figure: each contrast once."""
    rows: dict[str, dict[str, Any]] = {}
    for entry in verdicts:
        row = rows.setdefault(entry["contrast"], {"label": entry["label"]})
        for source in ("published", "panel"):
            if source in entry:
                row[source] = dict(entry[source])
        if "published" in entry:
            posteriors = results["published"]["contrasts"][entry["contrast"]]["posteriors"]
            ends = [hdi(item) for item in posteriors.values()]
            row["published"]["wide"] = [min(low for low, _ in ends), max(high for _, high in ends)]
    for name, item in results["headline"]["contrasts"].items():
        if name in rows and "panel" in rows[name]:
            ends = [m["interval"] for m in item["models"].values() if m["judged"]]
            low, high = min(end["low"] for end in ends), max(end["high"] for end in ends)
            rows[name]["panel"]["wide"] = [low, high]
    return list(rows.values())


def _assumption_items(published: dict[str, Any]) -> list[dict[str, Any]]:
    named = [verdict["contrast"] for verdict in published["verdicts"]]
    chosen = dict.fromkeys([*(name for name in _CLAIMED if name in named), *named])
    return [published["contrasts"][name] for name in chosen][:9]


def _treatment_rows(results: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        row
        | {key: item[key] for key in ("spec", "title", "outcome", "n")}
        | {"label": f"{item['spec']}  {row['parameter']}"}
        for item in results["agreement"]
        for row in item["rows"]
        if row.get("is_treatment")
    ]


def _on_one_scale(results: dict[str, Any], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Effects of policy states on the main outcome: what one axis can show."""
    return [
        row
        for row in rows
        if row["outcome"] == results["outcome"]["column"]
        and all(
            factor.kind in POLICY_KINDS and not factor.event
            for factor in parse_term(row["parameter"]).factors
        )
    ]


def _checks_by_spec(results: dict[str, Any]) -> dict[str, Any]:
    """Results of the main fits as a matrix, the sentences of what fails, and beside i.i.d. fits."""
    main = [item for item in results["checks"] if item["kind"] == MAIN]
    names = list(dict.fromkeys(check["name"] for item in main for check in item["results"]))
    passed = {
        (item["spec"], check["name"]): check["passed"] for item in main for check in item["results"]
    }
    failures: dict[str, list[str]] = {}
    meaning: dict[str, str] = {}
    for item in main:
        for check in item["results"]:
            if check["passed"] is False:
                failures.setdefault(check["name"], []).append(item["spec"])
                meaning[check["name"]] = check["text"]
    return {
        "specs": [item["spec"] for item in main],
        "names": names,
        "passed": passed,
        "failures": failures,
        "example": meaning,
        "failures_iid": _failures(results, "iid"),
    }


def _failures(results: dict[str, Any], kind: str) -> dict[str, int]:
    """In how many specs each check fails, under one variant."""
    found: dict[str, int] = {}
    for item in results["checks"]:
        for check in item["results"]:
            if item["kind"] == kind and check["passed"] is False:
                found[check["name"]] = found.get(check["name"], 0) + 1
    return found
