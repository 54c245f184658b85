"""Pages of the documentation: every link leads somewhere, every output is that of a run."""

import json
import re
import tomllib

import pytest
from family_facts import with_facts
from links import broken
from pages import ROOT, Block, blocks, digest, pages, pictures, same, with_outputs
from play import PageError, play
from run_pages import RUNS
from schema_page import schema_page
from site_hooks import on_page_content, on_page_markdown

import bayesdid as bd
from bayesdid.families.registry.discover import shipped
from bayesdid.families.registry.schemas import schemas

PAGES = {str(path.relative_to(ROOT)): path for path in pages()}
TEXTS = {name: path.read_text(encoding="utf-8") for name, path in PAGES.items()}
NAV = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[2]


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name):
    assert not broken(PAGES[name], TEXTS[name])


def test_a_link_that_leads_nowhere_is_found(tmp_path):
    page = tmp_path / "a.md"
    (tmp_path / "b.md").write_text("# One head\n")
    good = "# Here\n[a](b.md#one-head) [b](#here) [c](https://x.y) "
    text = f"{good}[d](b.md#two) [e](no.md) ![f](g.svg)"
    page.write_text(text)
    assert broken(page, text) == ["b.md#two", "no.md", "g.svg"]


def test_every_page_is_in_the_navigation():
    named = {f"docs/{page}" for page in re.findall(r"[\w/-]+\.md", NAV)}
    assert named == set(PAGES) - {"README.md"}


def test_pages_that_have_code_have_been_run():
    """Run: make docs-write."""
    runs = json.loads(RUNS.read_text(encoding="utf-8"))
    assert runs == {name: digest(text) for name, text in TEXTS.items() if blocks(text)}


@pytest.mark.parametrize("name", ["docs/howto/neighbours.md"])
def test_what_a_page_shows_is_what_it_prints(name):
    """The other pages: make docs."""
    outputs, _ = play(TEXTS[name], name)
    for block, printed in zip(blocks(TEXTS[name]), outputs, strict=True):
        if block.output is not None:
            assert same(block.stored, printed, sampled=block.sampled), printed


def test_every_block_stores_an_output_or_none():
    for text in TEXTS.values():
        for block in blocks(text):
            assert block.output is None or block.stored


def test_pictures_that_pages_show_are_there():
    for name, text in TEXTS.items():
        assert all((PAGES[name].parent / picture).exists() for picture in pictures(text))


PAGE = """
<!-- run
x = 20
-->
```python
print("x is", x)
x + 1
```
```output
x is 20
21
```
```
not run
```
```console
$ echo two words
```
```sampled
```
"""


def test_a_page_is_played_in_order():
    assert blocks(PAGE)[0] == Block("python", "x = 20", 2)
    outputs, drawn = play(PAGE, "page")
    assert outputs == ["", "x is 20\n21\n", "two words\n"]
    assert not drawn
    written = with_outputs(PAGE, outputs)
    assert [block.stored for block in blocks(written)] == outputs
    assert digest(written) != digest(PAGE)
    assert digest(written.replace("not run", "never run")) == digest(written)
    assert digest(written.replace("x + 1", "x + 2")) != digest(written)


def test_a_page_that_fails_says_where():
    with pytest.raises(PageError, match=r"page:1: ZeroDivisionError"):
        play("```python\n1 / 0\n```\n", "page")
    with pytest.raises(PageError, match=r"no code wrote a.svg"):
        play("![a](img/a.svg)\n", "page")
    with pytest.raises(ValueError, match="an output without code"):
        blocks("```output\n1\n```\n")
    outputs, _ = play("```console\n$ bayesdid example nowhere\n```\n", "page")
    assert outputs[0].endswith("exit code 2\n")


@pytest.mark.parametrize(
    ("printed", "exact", "about"),
    [
        ("mean -0.10, n 20", True, True),
        ("mean -0.12, n 20", False, True),  # two units of the last digit
        ("mean -0.13, n 20", False, False),
        ("mean -0.10, n 23", False, True),
        ("mean -0.10, n 24", False, False),
        ("mean -0.10, m 20", False, False),
    ],
)
def test_what_counts_as_the_same_output(printed, exact, about):
    stored = "mean -0.10, n 20"
    assert same(stored, printed, sampled=False) is exact
    assert same(stored, printed, sampled=True) is about


# What is made from the registry


@pytest.mark.parametrize("name", [name for name in PAGES if "/family/" in name])
def test_pages_of_families_are_up_to_date(name):
    """Run: make map."""
    assert with_facts(TEXTS[name], shipped(), ROOT / "docs") == TEXTS[name]


def test_every_family_has_a_page():
    everything = "".join(text for name, text in TEXTS.items() if "/family/" in name)
    for name in shipped():
        assert everything.count(f"<!-- family: {name} -->") == 1


def test_the_page_of_every_family_that_is_run_has_its_pm_model():
    for name, text in TEXTS.items():
        shown = [family for family in shipped() if f"<!-- family: {family} -->" in text]
        if any(shipped()[family].is_used for family in shown):
            code = "".join(block.code for block in blocks(text))
            assert "to_pymc()" in code or "pm.Model()" in code, name


def test_fields_of_study_files_are_up_to_date():
    assert TEXTS["docs/study-fields.md"] == schema_page(schemas()), "run: make map"


def test_every_public_name_is_in_the_reference():
    for name in bd.__all__:
        assert re.search(rf"^::: bayesdid\.[\w.]+\.{name}$", TEXTS["docs/api.md"], flags=re.M), name


def test_the_site_shows_no_hidden_code_and_no_links_out_of_it():
    class Page:
        class file:  # noqa: N801
            src_uri = "howto/a.md"

    text = "<!-- run\nx = 1\n-->\n[in](../b.md) [out](../../README.md#x) [pic](../img/a.svg)"
    assert on_page_markdown(text, page=Page) == "[in](../b.md) out [pic](../img/a.svg)"
    assert on_page_content("see :func:<code>x</code> :ok:") == "see <code>x</code> :ok:"


# What goes with a release


def test_the_version_is_one():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {project['version']}\n" in citation
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    heads = re.findall(r"^## ([^\s,]+)", changes, flags=re.M)
    assert heads[heads[0] == "Unreleased"] == project["version"]


def test_the_pins_of_the_hooks_are_those_of_the_lock():
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert "entry: .venv/bin/ruff" in hooks
    assert "rev:" not in hooks  # nothing is fetched: the tools are those of the lock
