"""The report says what results.json holds, and nothing else."""

import copy
import json
import re

import pandas as pd
import pytest
from drawn import draw_once

import bayesdid as bd
from bayesdid.estimands.evidence import PRIOR_SHARES, evidence_word, grades
from bayesdid.estimands.verdict import rules
from bayesdid.inference.plan import MAIN
from bayesdid.jsonio import to_json
from bayesdid.report.document.blocks import Table
from bayesdid.report.examination_results import nothing_examined
from bayesdid.report.headline_results import headline_section
from bayesdid.report.html import render
from bayesdid.report.results import compute_results
from bayesdid.report.run import Run
from bayesdid.report.sections.answer import answer
from bayesdid.report.sections.claims_forest import see_claims
from bayesdid.report.sections.depends import alerts, depends_on
from bayesdid.report.sections.panel import synergy
from bayesdid.report.tables import _contrasts_tex, frames
from bayesdid.report.text import estimate, number, probability, significant, typeset
from bayesdid.report.validity import panel_validity
from bayesdid.report.weights_results import _sentences
from bayesdid.report.write import write_report


@pytest.fixture(scope="module")
def folder(studies, tmp_path_factory):
    path = tmp_path_factory.mktemp("report")
    study = bd.load_study(studies / "small")
    results = compute_results(study, bd.load_panel(study), path / "fits", draws=300)
    write_report(results, path)
    return path


@pytest.fixture(scope="module", autouse=True)
def _drawn(folder):
    """After the first report, which is drawn as its users get it."""
    with pytest.MonkeyPatch.context() as patch:
        draw_once(patch)
        yield


@pytest.fixture(scope="module")
def results(folder):
    return json.loads((folder / "results.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def real(results):
    """The same results, as if their panel were not synthetic."""
    return copy.deepcopy(results) | {"synthetic": ""}


@pytest.fixture(scope="module")
def page(folder):
    """The page and its supplement, of a synthetic panel."""
    names = ("index.html", "supplement.html")
    return "".join((folder / name).read_text(encoding="utf-8") for name in names)


@pytest.fixture(scope="module")
def front(real):
    """The page of a real panel, without its supplement."""
    return render(real)[0]


def both(results):
    return "".join(render(results))


def words(html):
    body = re.sub(r"<style.*?</style>|<svg.*?</svg>", " ", html, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def test_page_is_rendered_from_results_alone(results, page):
    assert both(results) == page


def test_treatments_that_are_columns_are_drawn_on_no_common_axis(results, page):
    """Their units may differ; the table has them."""
    changed = copy.deepcopy(results)
    for key, name in (("agreement", "rows"), ("effects", None)):
        for item in changed[key]:
            for row in item[name] if name else [item]:
                term = "parameter" if name else "term"
                row[term] = f"x * {row[term]}"
    assert 'id="every-column"' in page
    assert 'id="every-column"' not in both(changed)
    assert ": x * " in words(both(changed))


def numbers_of(value):
    """Every number of results.json to three places, those inside its sentences too."""
    if isinstance(value, dict):
        return set().union(*map(numbers_of, value.values()))
    if isinstance(value, list):
        return set().union(*map(numbers_of, value))
    if isinstance(value, str):
        return set(re.findall(r"\d+\.\d{3}\b", value))
    return {f"{abs(value):.3f}"} if isinstance(value, int | float) else set()


def test_every_number_on_the_pages_is_in_the_results(real):
    for html in render(real):
        shown = set(re.findall(r"(?<![\d.])\d+\.\d{3}(?![\d.e]| ×)", words(html)))
        assert len(shown) > 50
        assert shown - numbers_of(real) - {"0.001", "0.999"} == set()


def test_page_is_self_contained(page):
    assert not re.search(r"<script[^>]*\bsrc\b", page)
    assert not re.search(r'(src|href)="(?!#|index.html|supplement.html)', page)
    assert "@import" not in page
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page


def test_prose_changes_with_the_results(results, page):
    changed = copy.deepcopy(results)
    row = next(r for r in changed["contrasts"]["rows"] if r["name"] == "both - sum of singles")
    row["main"]["summary"]["mean"] = -7.777
    row["main"]["summary"]["sd"] = 1.234
    changed["audit"]["comparisons"] = 98765
    changed["panel"]["units"] = 4321
    changed["identity"]["holds"] = 55555
    text = words(both(changed))
    for value in ("−7.777 (1.234)", "98765", "4321", "55555"):
        assert value in text
        assert value not in words(page)


def test_answer_turns_with_the_sign():
    def results(mean, p):
        interval = {"low": mean - 1, "high": mean + 1, "level": 0.8}
        estimate = {"source": "published", "model": "m", "mean": mean, "interval": interval}
        given = {"model": "m", "word": "undecided", "p": p, "p_low": 0.1, "p_high": p, "models": 3}
        evidence = {
            "main": True,
            "contrast": "both - sum of singles",
            "unit": "u",
            "estimates": [estimate],
            "answers": {"published": given},
        }
        return {
            "outcome": {
                "natural_per_unit": 100,
                "natural_unit": "deaths",
                "unit": "u",
                "better": "lower",
            },
            "synthetic": "",
            "sums": [],
            "doses": [],
            "claims": [{"evidence": evidence}],
        }

    less, more = answer(results(0.254, 0.02)), answer(results(-0.254, 0.98))
    assert len(less) == len(more) == 2
    assert "do less than the two alone, added up, by 25.4 deaths" in less[0]
    assert "do more than the two alone, added up, by 25.4 deaths" in more[0]
    assert "(80 % interval of the difference −74.6 to 125.4)" in less[0]
    begin = "From the printed numbers alone, "
    assert less[0].startswith(f"{begin}by the best estimate, the two policies together do less")
    clear = answer(results(-2.54, 1.0))[0]
    assert clear.startswith(f"{begin}the two policies together do more")  # zero is not inside
    assert more[1] == (
        "That they do more than the two added up is undecided: P 0.980, and 0.100 to 0.980 over "
        "the 3 models that count."
    )


def test_the_sum_of_singles_says_what_it_supposes_of_units_of_both(real):
    begin = "It supposes that units under several policies respond to each alone as units under it"
    said = [text for text in depends_on(real) if text.startswith(begin)]
    assert len(said) == 1
    assert "what they respond more counts as joint, and the data hardly tell" in said[0]
    other = copy.deepcopy(real)
    for claim in other["claims"]:
        if claim["evidence"] and claim["evidence"]["main"]:
            claim["evidence"]["contrast"] = "both - none"
    assert not any(text.startswith(begin) for text in depends_on(other))


def test_the_answer_stands_beside_its_coverage_the_rules_and_the_grades(real, front):
    text, all_of_it = words(front), words(both(real))
    assert real["validity"]["panel"] == panel_validity("both - sum of singles")
    assert real["validity"]["panel"].replace(" %", "\u00a0%") in front.split("<h2>")[0]
    assert rules("the posterior probability of the claim", "every model that counts") in text
    assert grades().replace("&", "&amp;") in all_of_it
    row = real["contrasts"]["rows"][0]["main"]
    factors = [item["bf10"] for item in row["bayes_factors"]]
    assert row["evidence"] == evidence_word(factors)
    assert row["evidence"] in all_of_it
    sds = [item["prior_sd"] for item in row["bayes_factors"]]
    assert sds == [share * real["contrasts"]["scale"] for share in PRIOR_SHARES.values()]
    shares = ", ".join(significant(s) for s in PRIOR_SHARES.values())
    assert f"of sd {shares} sd(y), that is" in all_of_it
    assert ", ".join(map(significant, sds)) + f" {real['outcome']['unit']}." in all_of_it


def test_negative_weights_are_named_and_their_absence_is_no_promise():
    def said(negative):
        row = {"spec": "t.1", "negative": negative, "forbidden": None, "contamination": {}}
        return _sentences([row])[0]

    assert (
        "Negative weights on treated rows sum to more than 0.1 in 1 of 1 (t.1) coefficient:"
        in said(-0.2)
    )
    assert "in no coefficient: no material" in said(-0.05)
    assert "no material negative weights. A TWFE coefficient still need not equal" in said(-0.05)
    assert "still need not equal" not in said(-0.2)
    assert "does not matter" not in said(0.0)


def test_checks_are_said_of_the_main_model_and_of_iid_errors(results):
    """What fails under one kind of errors is said of that kind alone."""

    def page_if(kind):
        changed = copy.deepcopy(results)
        for item in changed["checks"]:
            for check in item["results"]:
                check["passed"] = not (item["kind"] == kind and check["name"] == "skewness")
        return words(both(changed))

    assert {item["kind"] for item in results["checks"]} == {MAIN, "iid"}
    specs = len({item["spec"] for item in results["checks"]})
    main, iid, none = page_if(MAIN), page_if("iid"), page_if("nothing")
    assert f"skewness fails in {specs} of {specs} specs" in main
    assert "With i.i.d. errors no check fails." in main
    assert "No check fails under the default errors." in iid
    assert f"With i.i.d. errors these fail: skewness in {specs} of {specs} specs." in iid
    assert "fails in" not in none


def test_the_page_says_what_the_answer_depends_on(real):
    changed = copy.deepcopy(real)
    for check in changed["headline"]["checks"]:
        check["passed"] = check["name"] != "skewness"
    changed["examination"] = nothing_examined("")
    said = depends_on(changed)
    assert "The main model fails checks that bear on its intervals: skewness." in said
    assert changed["headline"]["trends"][0] in said
    for check in changed["headline"]["checks"]:
        check["passed"] = True
    bear = "The main model passes the checks that bear on its intervals"
    changed["examination"] = {"results": [{"name": "skewness", "passed": False}]}  # one of those
    assert f"{bear}." in depends_on(changed)
    other = {"name": "spatial_dependence", "passed": False}
    changed["examination"] = {"results": [other, other | {"name": "loo_pit", "passed": True}]}
    (told,) = (text for text in depends_on(changed) if text.startswith(bear))
    assert "; of others it fails 1 (Are neighbours alike beyond the model? " in told
    assert changed["headline"]["trends"][0] not in depends_on(changed | {"synthetic": "made up"})


def test_verdicts_of_the_panel_are_those_of_the_headline(studies, folder, results):
    """A claim that names a contrast gets its word, probability and range; another gets none."""
    study, found = bd.load_study(studies / "small"), results["headline"]
    assert [claim.synergy for claim in study.claims] == ["both - sum of singles", None]
    (verdict,) = found["verdicts"]
    item = found["contrasts"]["both - sum of singles"]
    assert (verdict["claim"], verdict["word"]) == ("sum", item["word"])
    numbers = [verdict["p"], verdict["p_low"], verdict["p_high"]]
    assert numbers == [item["p_claim"], *item["p_range"]]
    assert "differing_effects" in {check["name"] for check in found["checks"]}
    assert verdict["synthetic"]
    assert found["trends"][0].startswith("Under parallel trends it is")
    (stored,) = (folder / "fits").glob("headline-*.json")
    again = headline_section(study, bd.load_panel(study), folder / "fits")
    assert found == {key: again[key] for key in found}
    assert [stored] == list((folder / "fits").glob("headline-*.json"))  # which was read


def test_a_panel_of_one_policy_is_answered_by_its_effect(real):
    """Sign, side of zero and range are those of the contrast; the side turns with the claim."""
    changed = copy.deepcopy(real)
    item = copy.deepcopy(changed["headline"]["contrasts"]["both - none"])
    item |= {"label": "A − none", "mean": 0.25, "p_claim": 0.04, "p_range": [0.02, 0.13]}
    item |= {"interval": {"low": 0.125, "high": 0.375, "level": 0.89}, "word": "contradicted"}
    changed["headline"] |= {"contrasts": {"only:a - none": item}, "verdicts": []}
    changed["claims"], changed["published"] = [], None
    first, second = answer(changed)
    assert "In the microdata, A − none is 0.250" in first
    assert "(89 % interval 0.125 to 0.375)" in first
    assert second == (
        "That it is below zero is contradicted: P 0.040, and 0.020 to 0.130 over the models that "
        "count."
    )
    both = {"both - sum of singles": item | {"p_claim": 0.3}}
    changed["headline"]["contrasts"] |= both  # what answers first, wherever it stands
    assert answer(changed)[1].startswith("That the difference is below zero is contradicted: P 0.3")
    changed["headline"]["contrasts"] = {"only:a - none": item}
    page = render(changed)[0]
    assert "A − none" in page[page.index('id="claims"') : page.index("<h2>")]
    unclaimed = "The study declares no claim of an effect; in its place stands the side on which it"
    assert f"{unclaimed} calls the outcome better, lower." in words(page)
    side = rules("the posterior probability of that side", "every model that counts")
    assert side in words(page)
    assert side not in words(render(real)[0])
    assert unclaimed not in words(render(real)[0])
    assert see_claims(changed) == "The contrast of the panel: contradicted."
    item["claim"] = "> 0"
    assert answer(changed)[1].startswith("That it is above zero is")
    assert answer(changed | {"synthetic": "made up"}) == []


def test_the_effect_of_the_only_policy_is_named_with_its_outcome():
    policies = [{"id": "a", "label": "The law"}]
    interval = {"low": 0.1, "high": 0.3, "level": 0.89}
    item = {"label": "A − none", "mean": 0.2, "interval": interval, "p_claim": 0.9}
    item |= {"p_range": [0.8, 0.95], "word": "undecided", "claim": "> 0"}
    outcome = {"label": "Log deaths", "unit": "u", "natural_unit": "", "better": "higher"}
    results = {"policies": policies, "outcome": outcome, "claims": [], "synthetic": ""}
    results |= {"sums": [], "doses": []}
    results["headline"] = {"contrasts": {"only:a - none": item}}
    assert answer(results)[0].startswith(
        "In the microdata, the effect of The law on log deaths is 0.200 u (89 % interval"
    )
    more = results | {"policies": [*policies, {"id": "b", "label": "B"}]}
    assert "In the microdata, A − none is 0.200" in answer(more)[0]


def test_contrasts_stand_with_the_side_that_is_claimed(real):
    """Side, probability, range and word are those of the headline, and of one side."""
    changed = copy.deepcopy(real)
    item = changed["headline"]["contrasts"]["both - none"]

    def row(**says):
        item.update(says)
        part = synergy(changed)
        table = next(b for b in part.main if isinstance(b, Table) and b.key == "contrasts")
        found = next(r for r in table.rows if r[0] == item["label"])
        return found[3], found[4], found[5], found[6].text

    less = {"claim": "< 0", "p_claim": 0.02, "p_range": [0.01, 0.04], "word": "contradicted"}
    more = {"claim": "> 0", "p_claim": 0.98, "p_range": [0.96, 0.99], "word": "supported"}
    assert row(**less) == ("< 0", "0.020", "0.010 to 0.040", "contradicted")
    assert row(**more) == ("> 0", "0.980", "0.960 to 0.990", "supported")


def test_a_panel_without_an_answer_says_why(results):
    changed = copy.deepcopy(results)
    changed["headline"] = {
        "contrasts": {},
        "refused": {},
        "notes": [],
        "checks": [],
        "verdicts": [],
        "failed": "no row is under both",
    }
    assert "The panel has no answer of its own: no row is under both" in words(both(changed))


def test_the_page_says_what_violated_trends_do(real, front):
    text = words(front)
    at = text.index("If trends are not parallel")
    assert typeset(real["headline"]["trends"][0]) in text[at:].replace(" %", "\u00a0%")


def test_a_synthetic_panel_stands_apart_and_is_stamped(results, page):
    """On the page nothing of it; in the appendix everything, stamped; in tables as well."""
    front, more = render(results)
    assert "stand-in is no evidence" in words(front)
    assert "SYNTHETIC" not in front
    assert "stamp" not in front[front.index("<main>") :]
    assert "In the microdata" not in front
    at = more.index('<section id="stand-in">')
    assert "<svg" not in more[:at]
    assert "Synthetic panel:" in words(more[at:])
    assert more[at:].count("SYNTHETIC PANEL") >= 2  # in the figures
    assert more[at:].count("synthetic panel") >= 5  # beside tables and captions
    for name, frame in frames(results).items():
        if name != "audit":
            assert "synthetic" in frame, name
    clean = both(copy.deepcopy(results) | {"synthetic": ""})
    assert "ynthetic" not in words(clean)
    assert "SYNTHETIC" not in clean


def test_a_fit_that_failed_is_marked(results):
    broken = copy.deepcopy(results)
    broken["fits"][0]["converged"] = False
    text = words(both(broken))
    assert "1 fit did not converge" in text
    column = broken["titles"][broken["fits"][0]["spec"]]
    assert f"{column}, default errors." in text


def test_a_failed_fit_is_no_result(studies):
    """Contrasts are taken from converged fits only."""
    from bayesdid.peers.fixest import least_squares
    from bayesdid.report.panel_results import panel_section

    study = bd.load_study(studies / "small")
    panel = bd.load_panel(study)
    spec = "t2.factorial"
    tree = bd.fit(study[spec], panel, draws=50).tree
    estimates = {spec: least_squares(bd.build_design(study[spec], panel))}
    assert panel_section(study, panel, {spec: {MAIN: tree}}, estimates) is not None
    tree.attrs["converged"] = 0
    assert panel_section(study, panel, {spec: {MAIN: tree}}, estimates) is None


EMPTY = (
    r"<tbody>\s*</tbody>",
    r"<ul[^>]*>\s*</ul>",
    r'<div class="scroll"[^>]*>\s*</div>',
    r"<details><summary>[^<]*</summary>\s*</details>",
    r"<h[23][^>]*>[^<]*</h[23]>\s*(?=<h2|</section>|</main>)",
    r"<section[^>]*>\s*</section>",
)


def test_nothing_empty_is_drawn(real, page):
    """A study that has no claims, no contrasts, no fits: no box, axis or table for what is not."""
    bare = copy.deepcopy(real)
    bare |= {"claims": [], "published": None, "contrasts": None, "effects": [], "agreement": []}
    bare |= {"event_studies": [], "analyses": [], "sections": [], "checks": [], "alerts": []}
    bare |= {"fits": [], "methods": [], "samples": {}, "priors": {}}
    bare["headline"] |= {"contrasts": {}, "verdicts": [], "checks": [], "trends": [], "failed": ""}
    bare["audit"] |= {"comparisons": 0, "findings": []}
    bare["weights"] = {"rows": [], "sentences": []}
    bare["examination"] = nothing_examined("nothing was fitted")
    bare["design"] |= {"matrix": [], "paths": [], "descriptives": []}
    some = copy.deepcopy(real)
    some["published"] = None
    for html in (page, both(bare), both(some), both(real)):
        for pattern in EMPTY:
            assert not re.search(pattern, html), pattern
    assert "<svg" not in both(bare)
    assert 'id="contrasts"' not in both(bare)
    assert 'class="answer"' not in both(bare)


def test_alerts_stand_on_the_first_page(real):
    changed = copy.deepcopy(real)
    text = "Two models disagree. Likewise: two others."
    changed["alerts"] = [{"kind": "k", "title": "Look here", "text": text}]
    html, more = render(changed)
    assert (
        "Look here. Two models disagree. 1 alert holds for more than what is named here: “Alerts "
        "in full” in the supplement." in words(html).replace(" .", ".")
    )
    assert html.index("Look here") < html.index("<h2>")
    assert "two others" not in html
    assert "two others" in more
    assert alerts(changed | {"synthetic": "made up"}) == []
    changed["alerts"][0]["kind"] = "audit_posterior"
    assert alerts(changed | {"synthetic": "made up"}) == changed["alerts"]
    changed["alerts"] = []
    assert 'class="alerts"' not in both(changed)


def test_claims_carry_their_evidence(results, page):
    """From print or from the panel: every claim about an effect has its models and an answer."""
    by = {claim["id"]: claim["evidence"] for claim in results["claims"]}
    assert by["sum"]["main"]
    assert by["sum"]["answers"]["panel"]["p"] == pytest.approx(
        results["headline"]["contrasts"]["both - sum of singles"]["p_claim"]
    )
    models = [item["model"] for item in by["north"]["estimates"]]
    assert "TWFE t2.north, default errors" in models
    assert "in the north both together lower the outcome" in words(page)
    assert "quantiles" not in to_json(results)


def test_a_model_that_fails_gives_up_the_answer(real):
    """Sentence and word are those of the model that answers in its place, or of none."""
    changed = copy.deepcopy(real)
    evidence = next(c["evidence"] for c in changed["claims"] if c["id"] == "sum")
    word = "not settled by any model that describes the data"
    moved = "Pooled paths fails a check, and no other model is known to pass."
    evidence["answers"]["panel"] |= {"word": word, "moved": moved}
    assert f"That they do more than the two added up is {word}" in " ".join(answer(changed))
    assert moved in depends_on(changed)
    assert moved not in depends_on(real)


def test_tables_hold_the_numbers_of_results(folder, results):
    contrasts = pd.read_csv(folder / "tables" / "contrasts.csv")
    row = results["contrasts"]["rows"][0]
    found = contrasts[
        (contrasts["contrast"] == row["name"])
        & (contrasts["assumption"] == f"{row['spec']} {MAIN}")
    ]
    assert found["mean"].iloc[0] == pytest.approx(row["main"]["summary"]["mean"])
    tex = (folder / "tables" / "contrasts.tex").read_text(encoding="utf-8")
    assert "SYNTHETIC" in tex
    rows = len(results["contrasts"]["rows"]) + len(results["headline"]["contrasts"])
    assert tex.count(r"\\") == rows + 2  # heading and stamp
    assert r"\emph{Synthetic panel" in tex


def test_tables_speak_of_the_side_that_is_claimed(real):
    """As the page does: of each contrast its claim, and the probability of that, not of ``< 0``."""
    changed = copy.deepcopy(real)
    name = "both - sum of singles"
    head = changed["headline"]["contrasts"][name]
    head |= {"claim": "> 0", "p_claim": 0.12345}
    model = next(iter(head["models"]))
    head["models"][model]["p_claim"] = 0.12345
    row = next(r for r in changed["contrasts"]["rows"] if r["name"] == name)
    row["main"] |= {"claim": "> 0", "p_claim": 0.54321}
    row["kinds"][MAIN] |= {"claim": "> 0", "p_claim": 0.54321}
    table = frames(changed)["contrasts"]
    assert "p_negative" not in table
    of = table[table["contrast"] == name]
    for source, assumption, p in (
        ("panel", model, 0.12345),
        ("panel, constant effects", f"{row['spec']} {MAIN}", 0.54321),
    ):
        (found,) = of[(of["source"] == source) & (of["assumption"] == assumption)].itertuples()
        assert (found.claim, found.p_claim) == ("> 0", p)
    others = table[(table["contrast"] == "both - none") & (table["source"] == "panel")]
    assert set(others["claim"]) == {"< 0"}
    assert len(others) == len(changed["headline"]["contrasts"]["both - none"]["models"])
    lines = [line for line in _contrasts_tex(changed).splitlines() if "panel" in line]
    assert sum("$>$ 0 & 0.123" in line for line in lines) == 1
    assert sum("$>$ 0 & 0.543" in line for line in lines) == 1


def test_second_run_reuses_every_fit(studies, folder):
    study, run = bd.load_study(studies / "small"), Run()
    compute_results(study, bd.load_panel(study), folder / "fits", draws=300, run=run)
    for items in (run.fits, run.checks, run.analyses):
        assert all(item["reused"] for item in items)
    assert run.reused == len(run.fits) > 0


def test_identity_holds(results):
    assert results["identity"]["holds"] == results["identity"]["specs"] == 2


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "< 0.001"), (1.0, "> 0.999"), (0.5, "0.500"), (None, "–"), (float("nan"), "–")],
)
def test_probabilities_are_never_certain(value, text):
    assert probability(value) == text


def test_numbers():
    assert number(-0.2546, 3) == "−0.255"
    assert estimate(None, 1.0) == "–"
    assert to_json({"x": float("nan"), "y": [float("inf"), 1]}).replace(" ", "") == (
        '{\n"x":null,\n"y":[\nnull,\n1\n]\n}'
    )


def test_the_page_has_the_calibrated_effects_and_no_numbers_of_a_failed_fit(real, front):
    assert "Independent errors are too sure on panels" in words(front)  # the document shows it
    row = next(item for item in real["effects"] if item["converged"])
    shown = f"{row['summary']['low']:.3f}".replace("-", "−")
    assert f"{shown} to" in front
    failed = real | {"effects": [item | {"converged": False} for item in real["effects"]]}
    table = render(failed)[0]
    table = table[table.index('id="regression"') :]
    assert table[: table.index("</table>")].count("not converged: no result") == len(
        real["effects"]
    )


def test_page_and_supplement_lead_to_each_other_and_nowhere_else(real, results):
    for case in (real, results):
        page, more = render(case)
        ids = {
            name: set(re.findall(r' id="([^"]+)"', html))
            for name, html in (("", page), ("s", more))
        }
        for here, html in (("", page), ("s", more)):
            for target in re.findall(r'href="#([^"]+)"', html):
                assert target in ids[here]
            other = "supplement.html#" if here == "" else "index.html#"
            found = re.findall(rf'href="{other}([^"]+)"', html)
            assert found
            assert set(found) <= ids["s" if here == "" else ""]
            own = re.findall(r' id="([^"]+)"', re.sub("<svg.*?</svg>", "", html, flags=re.S))
            assert len(own) == len(set(own))


def test_tables_can_be_read_by_ear_and_by_keyboard_and_in_print(page):
    """Headers have a scope, what scrolls can be reached, and no folded part is lost on paper."""
    assert len(re.findall("<th[ >]", page)) == page.count('<th scope="')
    scrolls = page.count('<div class="scroll"')
    assert scrolls == page.count('<div class="scroll" tabindex="0" role="region" aria-label="')
    assert scrolls > 5
    assert len(re.findall("<table>", page)) == page.count("<table><caption>")
    printed = page[page.index("@media print") : page.index("</style>")]
    assert "details::details-content { content-visibility:visible; block-size:auto }" in printed
    assert "summary { display:none }" not in printed
