"""Tables and paragraphs of HTML and of JATS XML. Entities that a document declares are not read."""

from __future__ import annotations

from html.parser import HTMLParser

from bayesdid.importing.grid import WIDEST, Document, Grid, clean, make_grid

_BLOCKS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "li", "title", "blockquote"})
_TITLES = frozenset({"caption", "figcaption", "label"})
_NOTES = frozenset({"tfoot", "table-wrap-foot", "fn"})
_UNSEEN = frozenset({"script", "style", "head", "template", "noscript", "svg", "math", "nav"})
_MOST_ROWS = 20_000


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
        self.rows: list[list[tuple[str, int, int]]] = []
        self.cell: tuple[int, int] | None = None
        self.caption: list[str] = []
        self.notes: list[str] = []
        self.pending = ""  # a caption before its table, in the same wrap

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self.unseen += 1
        elif tag == "table":
            if self.depth == 0:
                self.prose.append(self._taken())
                self.rows, self.caption, self.notes = [], [], []
            self.depth += 1
        elif tag in _TITLES or tag in _NOTES:
            self._close_text()
            self.inside.append(tag)
        elif self.depth == 1 and tag == "tr" and len(self.rows) < _MOST_ROWS:
            self._end_cell()
            self.rows.append([])
        elif self.depth == 1 and tag in {"td", "th"} and self.rows:
            self._end_cell()
            given = dict(attrs)
            self.cell = _span(given.get("colspan")), _span(given.get("rowspan"))
            self.text = []
        elif tag in {"br", "break"}:
            self.text.append("\n")
        elif tag in _BLOCKS and not self.depth and not self.inside:
            self._close_text()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"td", "th", "br", "break", "tr"}:  # <td/> is an empty cell of XML
            self.handle_starttag(tag, attrs)
            if tag in {"td", "th"}:
                self._end_cell()

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self.unseen = max(0, self.unseen - 1)
        elif tag == "table" and self.depth:
            self.depth -= 1
            if self.depth == 0:
                self._end_cell()
                self._end_table()
        elif tag in {"td", "th", "tr"} and self.depth == 1:
            self._end_cell()
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
        if any(tag in _NOTES for tag in self.inside):
            self._note(text)
        elif self.inside:
            if self.depth:
                self.caption.append(text)
            else:
                self.pending = f"{self.pending} {text}".strip()
        else:
            self.prose.append(text)

    def _note(self, text: str) -> None:
        if self.depth or not self.grids:
            self.notes.append(text)
        else:  # the foot of a table's wrap follows the table
            last = self.grids[-1]
            self.grids[-1] = Grid(last.rows, last.title, f"{last.notes} {text}".strip())

    def _end_cell(self) -> None:
        if self.cell is None:
            return
        text, self.text = clean("".join(self.text)), []
        if any(tag in _NOTES for tag in self.inside) and self.inside[-1:] != ["label"]:
            self.notes.append(text)
        else:
            self.rows[-1].append((text, *self.cell))
        self.cell = None

    def _end_table(self) -> None:
        title = " ".join([self.pending, *self.caption]).strip()
        rows = _spread(self.rows)
        rows, foot = _without_notes(rows)
        if rows:
            self.grids.append(make_grid(rows, title, " ".join([*self.notes, *foot])))
        self.pending = ""


def _span(text: str | None) -> int:
    return min(max(int(text), 1), WIDEST) if text and text.strip().isdecimal() else 1


def _spread(rows: list[list[tuple[str, int, int]]]) -> list[list[str]]:
    """Texts in every column and row that they span; a label spans rows once."""
    found: list[dict[int, str]] = [{} for _ in rows]
    for i, row in enumerate(rows):
        j = 0
        for text, across, down in row:
            while j in found[i]:
                j += 1
            for k in range(i, min(i + down, len(rows))):
                for column in range(j, min(j + across, WIDEST)):
                    found[k][column] = text if k == i else ""
            j += across
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
