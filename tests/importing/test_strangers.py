"""A document is data from a stranger: bounded, never obeyed, refused in words."""

import json
import tomllib
import zipfile

import pytest

from bayesdid.exceptions import InputError
from bayesdid.importing.folder import import_study
from bayesdid.importing.latex import plain
from bayesdid.importing.read import read_document
from bayesdid.importing.understand import understand
from bayesdid.study.load import read_study

TABLE = """<table><caption>{title}</caption><tr><td></td><td>(1)</td></tr>
<tr><td>{label}</td><td>0.50**</td></tr><tr><td></td><td>(0.20)</td></tr>
<tr><td>N</td><td>100</td></tr></table>"""


def write(folder, name, text):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_markup_in_labels_is_text_on_the_page_and_toml_stays_toml(tmp_path):
    label = '&lt;script&gt;alert(1)&lt;/script&gt;" = 1\n[study]\nid = "x'
    title = "&lt;img src=x onerror=alert(2)&gt; \u0007\u202e"
    source = write(tmp_path, "a.html", TABLE.format(label=label, title=title))
    made = import_study(source, tmp_path / "s")
    page = (tmp_path / "s" / "import.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "<img" not in page
    assert page.count("<script>") == 1
    assert "http" not in page  # nothing is loaded
    table = tomllib.loads((tmp_path / "s" / "table1.toml").read_text(encoding="utf-8"))
    assert len(table["column"]) == 1
    assert made.tables == {"table1": 3}
    read_study(tmp_path / "s")


def test_a_script_that_closes_the_page_does_not(tmp_path):
    source = write(tmp_path, "a.html", TABLE.format(label="&lt;/textarea&gt;&lt;b&gt;", title="t"))
    import_study(source, tmp_path / "s")
    page = (tmp_path / "s" / "import.html").read_text(encoding="utf-8")
    assert page.count("</textarea>") == page.count("<textarea")
    assert "<b>" not in page


def test_entities_of_a_document_are_not_expanded(tmp_path):
    bomb = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    text = (
        f"{bomb}<article><table-wrap>{TABLE.format(label='&b;', title='t')}</table-wrap></article>"
    )
    (table,) = understand(read_document(write(tmp_path, "a.xml", text))).tables
    assert "aaaa" not in table.rows[0].label
    inner = f"<?xml version='1.0'?>{bomb}<w:document xmlns:w='x'/>"
    path = tmp_path / "a.docx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", inner)
    with pytest.raises(InputError, match="not a Word document"):
        read_document(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.docx", b"not a zip"),
        ("a.xlsx", b"PK\x03\x04broken"),
        ("a.pkl", b"\x80\x04."),
        ("a.html", b"<p>no table</p>"),
        ("a.csv", b""),
        ("a.tex", rb"\begin{tabular}{l" + b"{" * 5000),
        ("a.md", b"|" * 4000 + b"\n|---|---|\n"),
        ("a.html", b"<table>" * 3000),
        ("a.html", b"<table><tr><td colspan=999999 rowspan=999999>1</td></tr></table>"),
        ("a.txt", b"\x00\xff\xfe" * 500),
    ],
)
def test_what_holds_no_table_is_refused_in_words(tmp_path, name, content):
    with pytest.raises(InputError) as error:
        import_study(write(tmp_path, name, content), tmp_path / "s")
    assert error.value.remedy
    assert not (tmp_path / "s").exists()
    assert not list(tmp_path.glob(".s*"))


def test_archives_that_unpack_to_more_than_a_document_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("bayesdid.importing.sheet.LARGEST", 1000)
    path = tmp_path / "a.docx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b" " * 4001)
    with pytest.raises(InputError, match="unpacks"):
        read_document(path)


def test_a_folder_that_is_there_is_left_alone(tmp_path):
    source = write(tmp_path, "a.html", TABLE.format(label="x", title="t"))
    (tmp_path / "s").mkdir()
    with pytest.raises(InputError, match="already"):
        import_study(source, tmp_path / "s")
    with pytest.raises(InputError, match="no such file"):
        import_study(tmp_path / "none.html", tmp_path / "t")


def test_braces_without_end_end():
    assert plain("{" * 10_000 + "a") == "a"
    assert plain(r"\textbf{" * 3000 + "a") == "a"


def test_every_number_has_a_confidence_and_doubts_are_comments(tmp_path):
    text = """
| Variables | (1) | (2) | (3) |
|---|---|---|---|
| D | 1.01*** | 1.12*** | 0.93*** |
| (0.10) | (0.11) | (0.12) | |
| x | 0.51** | ||
| (0.21) | ||
| 400 | 400 | 300 | |
"""
    made = import_study(write(tmp_path, "a.md", text), tmp_path / "s")
    cells = json.loads((tmp_path / "s" / "import.json").read_text(encoding="utf-8"))["cells"]
    assert len(cells) == len(made.cells) == 6 + 2 + 3
    assert all(0 < cell["confidence"] <= 1 for cell in cells)
    draft = (tmp_path / "s" / "table1.toml").read_text(encoding="utf-8")
    assert made.doubtful == sum(cell["confidence"] < 0.95 for cell in cells) > 0
    assert "% sure: its column was lost; placed by algebra" in draft
    assert "# no legend was found" in draft
    page = (tmp_path / "s" / "import.html").read_text(encoding="utf-8")
    assert page.count('class="doubt"') + page.count('class="bad"') == made.doubtful
    read_study(tmp_path / "s")
