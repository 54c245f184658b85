"""Whatever a study and a panel hold, no format obeys it and none loses it."""

import csv
import html
import json
import re
from html.parser import HTMLParser
from importlib.resources import files

import pytest
from commands import bayesdid
from hostile import TEXTS, write_hostile

import bayesdid as bd
from bayesdid import escape
from cells import slow_but

STAMP = "made up\n\\input{x}\n=cmd() stampword"
COMMANDS = ("audit", "synergy", "panel", "fit", "check", "analyse", "validate", "compare")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Study, panel with hostile keys and stamp, report, and the text of every word."""
    folder = tmp_path_factory.mktemp("hostile")
    given = write_hostile(folder / "study")
    study = bd.load_study(folder / "study")
    frame = bd.load_panel(study).frame
    starts = bd.load_panel(study).adoption
    for policy, column in (("a", "ya"), ("b", "yb")):
        frame[column] = starts[policy].reindex(frame["unit"]).to_numpy()
    names = {unit: f"{TEXTS[k % 12]} u{k}" for k, unit in enumerate(frame["unit"].unique())}
    frame["unit"] = frame["unit"].map(names)
    frame["synthetic"] = STAMP
    frame.to_csv(folder / "panel.csv", index=False)
    ran = bayesdid(
        *("report", folder / "study", "--panel", folder / "panel.csv", "--draws", 100),
        *("--workers", 1, "--out", folder / "out"),
    )
    return folder, given, ran


def flat(text):
    return re.sub(r"\s+", "", text)


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.data = set(), set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.data.append(data)


def test_the_report_is_whole(made):
    folder, _, ran = made
    assert ran.fine
    assert ran.code == 0, ran.err
    assert {"index.html", "results.json", "tables"} <= {p.name for p in (folder / "out").iterdir()}


def test_the_page_obeys_nothing_and_loses_nothing(made):
    folder, given, _ = made
    names = ("index.html", "supplement.html")
    whole = "".join((folder / "out" / name).read_text(encoding="utf-8") for name in names)
    templates = files("bayesdid.report") / "templates"
    ours = [
        (templates / name).read_text(encoding="utf-8").strip()
        for name in ("sliders.js", "tables.js")
    ]
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", whole, flags=re.S | re.I)
    for kind, script in scripts:
        if kind == "":
            assert script.strip() in ours
        else:  # data, which a page reads and does not run
            assert kind == ' type="application/json"'
            assert "<" not in script
            json.loads(script)
    text = re.sub(r"<script[^>]*>.*?</script>", "", whole, flags=re.S | re.I)
    page = Page(text)
    assert not page.tags & {"script", "img", "a:", "iframe"}
    assert not {name for name in page.attributes if name.startswith("on")}
    shown = flat("".join(page.data))
    for word in ("title", "citation", "question", "unit", "natural", "policy", "second", "group"):
        assert flat(given[f"{word}word"]) in shown
    for word in ("north", "south", "place", "column", "both", "het", "claim", "sizeplace"):
        assert flat(given[f"{word}word"]) in shown
    assert flat(STAMP) in shown
    drawn = "".join(re.findall(r"<svg.*?</svg>", text, flags=re.S))
    assert flat(given["policyword"]) in flat(html.unescape(re.sub(r"<[^>]+>", "", drawn)))
    assert flat(given["unitword"]) in flat(html.unescape(re.sub(r"<[^>]+>", "", drawn)))


def test_results_hold_every_text_as_it_is(made):
    folder, given, _ = made
    held = (folder / "out" / "results.json").read_text(encoding="utf-8")
    json.loads(held)
    for word in ("title", "citation", "summary", "outcome", "unit", "policy", "claim", "north"):
        assert json.dumps(given[f"{word}word"], ensure_ascii=False)[1:-1] in held


def test_latex_holds_no_command_of_theirs(made):
    folder, given, _ = made
    ours = "begin|end|hline|multicolumn|emph|textbackslash|textasciitilde|textasciicircum|div"
    for file in sorted((folder / "out" / "tables").glob("*.tex")):
        text = file.read_text(encoding="utf-8")
        assert set(re.findall(r"\\([A-Za-z]+)", text)) <= set(ours.split("|"))
        assert text.count(r"\end{tabular}") == 1
        for line in text.splitlines():
            assert not re.match(r"\s*[\[*]", line)
            assert line.startswith("%") or not re.search(r"(?<!\\)%", line)
        assert escape.tex(STAMP) in text
    text = (folder / "out" / "tables" / "contrasts.tex").read_text(encoding="utf-8")
    assert escape.tex(given["policyword"]) in text
    assert escape.tex(given["secondword"]) in text


def cells_of(file):
    with file.open(encoding="utf-8", newline="") as held:
        return [cell for row in csv.reader(held) for cell in row]


def test_no_cell_of_a_csv_is_a_formula(made):
    folder, given, _ = made
    rows, panel = folder / "rows.csv", folder / "again.csv"
    ran = bayesdid(
        *("synergy", folder / "study", "--panel", folder / "panel.csv"),
        *("--draws", 100, "--rows", rows),
    )
    assert ran.fine
    args = ("panel", folder / "study", "--panel", folder / "panel.csv")
    assert bayesdid(*args, "--write", panel).code == 0
    for file in (*(folder / "out" / "tables").glob("*.csv"), rows, panel):
        for cell in cells_of(file):
            number = re.fullmatch(r"[-+]?[\d.]+(e[-+]\d+)?|-inf", cell)
            assert number or not cell.lstrip().startswith(("=", "+", "-", "@")), (file.name, cell)
    labels = cells_of(folder / "out" / "tables" / "contrasts.csv")
    assert any(given["policyword"] in label for label in labels)
    first, again = (
        bayesdid("panel", folder / "study", "--panel", file, "--json") for file in (args[-1], panel)
    )
    digests = [json.loads(ran.out)["sha256"] for ran in (first, again)]
    assert digests[0] == digests[1]  # what was escaped is read as it was typed


@pytest.mark.parametrize("command", slow_but(COMMANDS, "audit", "synergy", "panel", "analyse"))
def test_every_command_shows_the_texts_as_they_are(made, command):
    folder, given, _ = made
    args = {
        "audit": (),
        "synergy": (),
        "panel": ("--panel", folder / "panel.csv"),
        "fit": ("--panel", folder / "panel.csv", "--draws", 100, "--out", folder / "out" / "fits"),
        "check": ("--panel", folder / "panel.csv", "--spec", "t.a"),
        "analyse": ("--panel", folder / "panel.csv", "--draws", 100, "--out", folder / "fits"),
        "validate": ("--panel", folder / "panel.csv", "--spec", "t.a"),
        "compare": ("--panel", folder / "panel.csv", "--draws", 100, "--spec", "t.a"),
    }[command]
    if command not in {"audit", "synergy", "panel"}:
        args = (*args, *(("--workers", 1)))
    ran = bayesdid(command, folder / "study", *args)
    assert ran.fine, ran.err
    words = {
        "audit": ("sizeplaceword",),
        "synergy": ("unitword", "policyword", "secondword", "claimword", "claimplaceword"),
        "fit": ("unitword",),
        "analyse": ("hetword", "northword", "southword"),
    }
    shown = flat(re.sub(r"[│┃┏┓┗┛━─┡╇┩└┘┴┬├┤┼]", "", ran.out))
    for word in words.get(command, ()):
        for part in given[word].split():
            assert part in shown, (word, ran.out)
    if command in {"panel"}:
        assert flat(STAMP) in shown


def test_brackets_stay_and_controls_are_shown(tmp_path):
    """`[/x]` was a traceback and `[sic]` vanished; an escape sequence was obeyed."""
    ran = bayesdid("audit", tmp_path / "[sic] [/x] \x1b[31mred")
    assert ran.code == 2
    assert "[sic]" in ran.err.replace("\n", "")
    assert "\x1b" not in ran.err
    assert r"\x1b[31mred" in ran.err.replace("\n", "")


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("@a", "'@a"),
        (" -x", "' -x"),
        ("\tx", "'\tx"),
        ("-1.5", "-1.5"),
        ("+2e-3", "+2e-3"),
        ("-0.2**", "'-0.2**"),
        ("a=b", "a=b"),
        ("'tis", "'tis"),
    ],
)
def test_cells_go_into_a_spreadsheet_and_back(text, cell):
    assert escape.spreadsheet(text) == cell
    assert escape.from_spreadsheet(cell) == text


def test_a_row_of_latex_cannot_begin_with_what_belongs_to_the_row_before():
    assert escape.tex("[2cm] x") == "{[}2cm] x"
    assert escape.tex("*") == "{*}"
    assert escape.tex("a [x]") == "a [x]"
    assert escape.tex("a\n\n% b") == r"a \% b"


def test_markdown_has_no_link_and_no_tag():
    assert escape.markdown("[a](b) `c` <i>\n*d* _e_ f_g |") == (
        r"\[a\](b) \`c\` &lt;i&gt; \*d\* \_e\_ f_g \|"
    )
