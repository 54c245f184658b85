"""Page one on a phone: four screens at most, and nothing beyond its sides."""

import json

import pytest
from browser import said_by

from bayesdid.jsonio import plain
from bayesdid.report.alert_results import alerts_section
from bayesdid.report.document.blocks import Document, Section, Text, split_refs, walk
from bayesdid.report.document.html import to_html
from bayesdid.report.document.numbering import Place
from bayesdid.report.pages import in_plain_words
from bayesdid.report.sections.claims_forest import FOREST
from bayesdid.report.sections.front import front

WIDE, HIGH = 390, 844  # CSS pixels
LINK = "“All checks of the model behind the panel's answer”"  # as long as any that it has
FRAME = f"""<!doctype html><title></title>
<iframe style="width:{WIDE}px;height:{HIGH}px;border:0"></iframe><script>
const frame = document.querySelector("iframe");
frame.onload = () => {{
  const page = frame.contentDocument, end = page.querySelector("section").getBoundingClientRect();
  document.title = JSON.stringify([end.bottom, page.documentElement.scrollWidth]);
}};
frame.srcdoc = %s;
</script>"""


@pytest.fixture(scope="module")
def example(root):
    """Page one of the committed example, in the words of today."""
    stored = (root / "reports" / "example" / "results.json").read_text(encoding="utf-8")
    results = in_plain_words(json.loads(stored))
    results["alerts"] = plain(alerts_section(results))
    blocks = front(results).main
    texts = [block.text for block in walk(blocks) if isinstance(block, Text)]
    texts += [item for block in blocks for item in getattr(block, "items", ())]
    leads = {key for text in texts for _, key in split_refs(text) if key}
    assert len(leads) >= 4
    found = {key: Place(LINK, "more.html", key) for key in leads}
    found[FOREST] = Place("Figure 1", "index.html", FOREST)
    study = results["study"]
    head = (Text(f"bayesdid report · {study['citation']}", "soft"),)
    page = Document(study["title"], (Section("answer", "", blocks),), head)
    return to_html(page, "index.html", found, other=("more.html", "Supplement"))


def test_page_one_is_four_screens_of_a_phone(example, tmp_path):
    framed = FRAME % json.dumps(example).replace("</", "<\\/")
    end, wide = said_by(framed, tmp_path)
    assert 3 * HIGH < end <= 4 * HIGH  # eight claims and six alerts are more than three
    assert wide == WIDE
