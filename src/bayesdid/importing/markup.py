"""Tables and paragraphs of HTML, JATS XML and XML spreadsheets. Declared entities are not read."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from html.parser import HTMLParser

from bayesdid.importing.grid import WIDEST, Document, Grid, clean, is_legend, is_note, make_grid

_BLOCKS = frozenset(
    {"p", "h1", "h2", "h3", "h4", "h5", "h6", "li", "title", "blockquote", "div", "section"}
)
_TITLES = frozenset({"caption", "figcaption", "label"})
_NOTES = frozenset({"tfoot", "table-wrap-foot", "fn"})
_UNSEEN = frozenset({"script", "style", "head", "template", "noscript", "svg", "math", "nav"})
_MOST_ROWS = 20_000
_LONGEST_TITLE = 300  # characters
_FEW = 5  # notes on abbreviations that may stand between a table and its legend
_NUMBER = re.compile(r"(?:table|tab\.|表)\s*[A-Z]?[\dIVXL]+[a-z]?\s*[.:]?", re.IGNORECASE)
_SENTENCE = re.compile(
    r"\s*(?:reports?|shows?|presents?|displays?|gives?|lists?|provides?|contains?|compares?|"
    r"summari[sz]es?|describes?|and|also|below|above|,)\b",
    re.IGNORECASE,
)
# of the OASIS (CALS) model, and of spreadsheets in XML, where cells are of other names
_ALIKE = {"row": "tr", "entry": "td", "cell": "td"}
_PREFIXES = ("oasis:", "cals:", "ce:", "ss:")


@dataclass(frozen=True, slots=True)
class _Cell:
    """A text, how many columns and rows it spans, and its column where that is stated."""

    text: str
    across: int
    down: int
    at: int | None = None


def _is_caption(attrs: list[tuple[str, str | None]]) -> bool:
    """Whether an element is a caption by its class, as pages have it that were made from XML."""
    return "caption" in (dict(attrs).get("class") or "").split()


def is_title(text: str) -> bool:
    """Whether a text is the title of a table: it begins with its number, and is no sentence."""
    found = _NUMBER.match(text)
    return (
        found is not None and len(text) < _LONGEST_TITLE and not _SENTENCE.match(text, found.end())
    )


class _Reader(HTMLParser):
    """Collects cells with their spans; nested tables are read as text of their cell."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.grids: list[Grid] = []
        self.prose: list[str] = []
        self.text: list[str] = []
        self.depth = 0  # of tables
        self.unseen = 0
        self.inside: list[str] = []  # captions and notes that are open
        self.rows: list[list[_Cell]] = []
        self.cell: _Cell | None = None
        self.names: dict[str, int] = {}  # of columns, as colspec gives them
        self.after = False  # whether nothing but notes was read since the last table
        self.near = 0  # paragraphs in which a legend of the last table is still looked for
        self.caption: list[str] = []
        self.notes: list[str] = []
        self.pending = ""  # a caption before its table, in the same wrap
        self.since = 0  # paragraphs before the last table
        self.raised = 0  # where the letters begin that are raised, among the texts of a cell

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        tag = _plain(tag)
        if tag in _UNSEEN:
            self.unseen += 1
        elif tag == "table":
            if self.depth == 0:
                self.prose.append(self._taken())
                self.pending = self.pending or self._headed()
                self.rows, self.caption, self.notes = [], [], []
                self.names, self.after = {}, False
            self.depth += 1
        elif tag == "colspec":
            self.names[dict(attrs).get("colname") or ""] = len(self.names)
        elif tag in _TITLES or tag in _NOTES or (tag == "div" and _is_caption(attrs)):
            self._close_text()
            self.inside.append(tag)
            if symbol := dict(attrs).get("symbol"):  # of a note, which is printed before it
                self.text.append(f"{symbol} ")
        elif self.depth == 1 and tag == "tr" and len(self.rows) < _MOST_ROWS:
            self._end_cell()
            self.rows.append([])
        elif self.depth == 1 and tag in {"td", "th"} and self.rows:
            self._end_cell()
            self.cell = _cell(dict(attrs), self.names)
            self.text = []
        elif tag in {"br", "break"}:
            self.text.append("\n")
        elif tag == "sup":
            self.raised = len(self.text)
        elif tag in _BLOCKS and not self.depth and not self.inside:
            self._close_text()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if _plain(tag) in {"td", "th", "br", "break", "tr", "colspec"}:  # <td/> is an empty cell
            self.handle_starttag(tag, attrs)
            if _plain(tag) in {"td", "th"}:
                self._end_cell()

    def handle_endtag(self, tag: str) -> None:
        tag = _plain(tag)
        if tag in _UNSEEN:
            self.unseen = max(0, self.unseen - 1)
        elif tag == "table" and self.depth:
            self.depth -= 1
            if self.depth == 0:
                self._end_cell()
                self._end_table()
        elif tag in {"td", "th", "tr"} and self.depth == 1:
            self._end_cell()
        elif tag == "sup" and self.cell is not None:
            self._without_letters()
        elif self.inside and tag == self.inside[-1]:
            self._close_text()
            self.inside.pop()
        elif tag == "table-wrap":
            self.pending = ""
        elif tag in _BLOCKS and not self.depth and not self.inside:
            self._close_text()

    def handle_data(self, data: str) -> None:
        if not self.unseen:
            in_cell = self.cell is not None
            self.text.append(" ".join(data.split("\n")) if in_cell else data)

    def _taken(self) -> str:
        text, self.text = clean("".join(self.text).replace("\n", " ")), []
        return text

    def _close_text(self) -> None:
        if self.cell is not None and not self.inside:
            return
        text = self._taken()
        if not text:
            return
        said = not self.inside and (
            (self.after and is_note(text)) or (self.near > 0 and is_legend(text))
        )
        self.near -= not self.inside and not self.depth
        if any(tag in _NOTES for tag in self.inside) or said:
            self._note(text)
        elif self.inside:
            if self.depth:
                self.caption.append(text)
            else:
                self.pending = f"{self.pending} {text}".strip()
        else:
            self.prose.append(text)
            self.after = False

    def _headed(self) -> str:
        """What the paragraphs right before a table call it, if they begin with its number."""
        last = [text for text in self.prose[self.since :] if text][-2:]
        if last and is_title(last[-1]):
            title = last[-1:]
        elif len(last) == 2 and _NUMBER.fullmatch(last[0]) and len(last[1]) < _LONGEST_TITLE:
            title = last
        else:
            return ""
        while self.prose[-1] in {"", *title}:
            self.prose.pop()
            if len(self.prose) == self.since:
                break
        return " ".join(title)

    def _note(self, text: str) -> None:
        if self.depth or not self.grids:
            self.notes.append(text)
        else:  # the foot of a table's wrap follows the table
            last = self.grids[-1]
            self.grids[-1] = Grid(last.rows, last.title, f"{last.notes} {text}".strip())

    def _without_letters(self) -> None:
        """Raised letters behind a word name notes; those behind a number may be its mark."""
        before = "".join(self.text[: self.raised]).rstrip()
        raised = "".join(self.text[self.raised :]).strip()
        if re.fullmatch(r"[a-h](?: ?, ?[a-h])*", raised) and re.search(r"[^\W\d_]\)?$", before):
            del self.text[self.raised :]

    def _end_cell(self) -> None:
        if self.cell is None:
            return
        text, self.text = clean("".join(self.text)), []
        if any(tag in _NOTES for tag in self.inside) and self.inside[-1:] != ["label"]:
            self.notes.append(text)
        else:
            self.rows[-1].append(replace(self.cell, text=text))
        self.cell = None

    def _end_table(self) -> None:
        title = " ".join([self.pending, *self.caption]).strip()
        rows = _spread(self.rows)
        while rows and len(rows[0]) > 1 and len(set(rows[0])) == 1 and is_title(rows[0][0]):
            title = f"{title} {rows.pop(0)[0]}".strip()
        rows, foot = _without_notes(rows)
        if rows:
            self.grids.append(make_grid(rows, title, " ".join([*self.notes, *foot])))
        self.pending, self.after, self.since = "", bool(rows), len(self.prose)
        self.near = _FEW if rows else 0


def _plain(tag: str) -> str:
    """The name that HTML has for an element: a row of the OASIS model is a row."""
    for prefix in _PREFIXES:
        tag = tag.removeprefix(prefix)
    return _ALIKE.get(tag, tag)


def _cell(given: dict[str, str | None], names: dict[str, int]) -> _Cell:
    """An empty cell with the spans that its attributes state, in any of the three models."""
    first = names.get(given.get("namest") or given.get("colname") or "")
    last = names.get(given.get("nameend") or "", first)
    across, down = _span(given.get("colspan")), _span(given.get("rowspan"))
    if first is not None and last is not None:
        across = max(last - first + 1, 1)
    across = max(across, _more(given.get("ss:mergeacross")) + 1)
    down = max(down, _more(given.get("ss:mergedown")) + 1, _more(given.get("morerows")) + 1)
    index = given.get("ss:index")
    return _Cell("", across, down, first if index is None else _span(index) - 1)


def _more(text: str | None) -> int:
    return min(int(text), WIDEST) if text and text.strip().isdecimal() else 0


def _span(text: str | None) -> int:
    return min(max(int(text), 1), WIDEST) if text and text.strip().isdecimal() else 1


def _spread(rows: list[list[_Cell]]) -> list[list[str]]:
    """Texts in every column and row that they span; a label spans rows once."""
    found: list[dict[int, str]] = [{} for _ in rows]
    for i, row in enumerate(rows):
        j = 0
        for cell in row:
            j = j if cell.at is None else max(cell.at, j)
            while j in found[i]:
                j += 1
            for k in range(i, min(i + cell.down, len(rows))):
                for column in range(j, min(j + cell.across, WIDEST)):
                    found[k][column] = cell.text if k == i else ""
            j += cell.across
    return [[row.get(j, "") for j in range(max(row, default=-1) + 1)] for row in found]


def _without_notes(rows: list[list[str]]) -> tuple[list[list[str]], list[str]]:
    """Rows at the end that are one long text over all columns are notes."""
    foot: list[str] = []
    while rows and len(rows[-1]) > 1 and len(set(rows[-1])) == 1 and len(rows[-1][0]) > 12:
        foot.insert(0, rows.pop()[0])
    return rows, foot


def read_markup(text: str) -> Document:
    """Every table of a page or an article, and its paragraphs."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    after = clean("".join(reader.text).replace("\n", " "))
    return Document(tuple(reader.grids), tuple(p for p in [*reader.prose, after] if p))
