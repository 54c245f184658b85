"""Every registered family is on the page, where it says that it stands."""

import copy
import re

import pytest
from drawn import draw_once, without_headline
from every import COLUMNS, every, every_panel

from bayesdid import escape
from bayesdid.families.registry.discover import families
from bayesdid.families.registry.load import check_study
from bayesdid.report.html import render
from bayesdid.report.model_words import spec_name
from bayesdid.report.results import compute_results, sections
from bayesdid.report.text import typeset

RUN = ("twfe", "pooled", "event_study", "placebo", "iv_first", "other")
ANALYSED = [name for name, family in families().items() if family.has_analysis]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Results of what is cheap to run; of the other families the same analysis under their name."""
    study = check_study(every(RUN))
    folder = tmp_path_factory.mktemp("fits")
    with pytest.MonkeyPatch.context() as patch:
        without_headline(patch)
        found = compute_results(study, every_panel(), folder, draws=100)
    assert found["refused"] == {}
    assert {item["family"] for item in found["analyses"]} == {"event_study", "placebo"}
    like = next(item for item in found["analyses"] if item["family"] == "placebo")
    for name in set(ANALYSED) - set(RUN):
        other = {"spec": f"t.{name}", "family": name, "title": f"Title of {name}"}
        found["analyses"].append(copy.deepcopy(like) | other)
    found["sections"] = sections(found["analyses"], families())
    return found


@pytest.fixture(scope="module")
def page(results):
    """Section -> its text, on the page and in the supplement, as if the panel were real."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        draw_once(patch)
        both = render(results | {"synthetic": ""})
    for html in both:
        parts = re.split(r'<section id="(?:s-)?(\w+)">', html)
        for key, text in zip(parts[1::2], parts[2::2], strict=True):
            found[key] = found.get(key, "") + text
    return found


@pytest.mark.parametrize("name", ANALYSED)
def test_an_analysis_stands_in_its_section(name, page, results):
    family = families()[name]
    text = page[family.section.key]
    assert text.startswith(f"<h2>{family.section.heading}")
    assert f'<h3 id="analysis-t-{name}">' in text
    sentence = next(i for i in results["analyses"] if i["family"] == name)["sentences"][0]
    assert typeset(sentence)[:40] in text


@pytest.mark.parametrize("name", [name for name, f in families().items() if not f.has_analysis])
def test_what_has_no_analysis_stands_in_its_section_too(name, page, results):
    text = page[families()[name].section.key]
    fitted = families()[name].fitted  # what is not stands by its id, with the reason
    assert (escape.html(spec_name(f"t.{name}", results)) if fitted else f"t.{name}: ") in text


def test_an_event_study_states_its_average_under_both_errors(results):
    found = next(item for item in results["analyses"] if item["family"] == "event_study")
    (main,) = [effect for effect in found["effects"] if effect["main"]]
    assert main["name"] == "active:a"
    assert f"{main['found']['mean']:.3f}" in found["sentences"][0]
    iid = next(effect for effect in found["effects"] if not effect["main"])
    assert f"is {iid['found']['mean']:.3f} (" in found["sentences"][-1]


def test_event_studies_are_drawn_as_well(page):
    assert "(event_study)" in page["events"]


def test_sections_and_analyses_stand_in_the_order_of_the_registry(results):
    named = [spec.removeprefix("t.") for item in results["sections"] for spec in item["specs"]]
    assert named == ANALYSED
    assert set(named) | set(RUN) == set(COLUMNS)


def test_an_analysis_of_no_family_is_not_dropped_in_silence(results):
    stray = results["analyses"][0] | {"family": "stray"}
    with pytest.raises(KeyError, match="stray"):
        sections([stray], families())
