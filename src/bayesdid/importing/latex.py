"""Tables of LaTeX, as esttab, etable, modelsummary, stargazer and authors write them."""

from __future__ import annotations

import re
from collections import Counter

from bayesdid.importing.grid import WIDEST, Document, Grid, clean, make_grid
from bayesdid.importing.numbers import enumerator, what
from bayesdid.importing.words import DEPENDENT, PANEL

_NAMES = r"(?:tabular[xy*]?|longtable[*]?|tabu|longtabu|tblr|talltblr|longtblr|supertabular)"
_BEGIN = re.compile(rf"\\begin\{{({_NAMES})\}}")
_COMMENT = re.compile(r"(?<!\\)%")
_RULES = re.compile(
    r"\\(?:toprule|midrule|bottomrule|hline|endhead|endfirsthead|endfoot|endlastfoot|noalign"
    r"|addlinespace|specialrule|cmidrule|cline|Xhline|morecmidrules|tabularnewline\b(?=\s*$)"
    r"|centering|newpage|pagebreak|nopagebreak)"
    r"(?:\s*\((?:\s*[lrd](?:\{[^{}]*\})?)*\s*\))?"  # (lr), and not (Intercept) of a row below
    r"(?:\s*\[[^\]]*\])?(?:\s*\{[^{}]*\})*"
)
_SYMBOLS = {
    r"\times": "×",
    r"\dagger": "†",
    r"\ddagger": "‡",
    r"\checkmark": "Yes",
    r"\cmark": "Yes",
    r"\xmark": "No",
    r"\ast": "*",
    r"\textasteriskcentered": "*",
    r"\textminus": "−",
    r"\cdot": "·",
    r"\rho": "rho",
    r"\sigma": "sigma",
    r"\beta": "beta",
    r"\quad": " ",
    r"\qquad": " ",
    r"\newline": "\n",
    r"\textless": "<",
    r"\textgreater": ">",
    r"\leq": "<=",
    r"\textbackslash": "\\",
    r"\textasciitilde": "~",
    r"\le": "<=",
    **{rf"\{name}": name for name in ("ln", "log", "exp", "max", "min", "Pr", "dots")},
}
_GREEK = re.compile(
    r"\\(alpha|gamma|delta|epsilon|varepsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|pi|tau|"
    r"upsilon|phi|varphi|chi|psi|omega|Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Phi|Psi|Omega)"
    r"(?![A-Za-z])"
)
_KEPT = re.compile(
    r"\\(?:textbf|textit|textrm|textsc|texttt|emph|mathrm|mathbf|mathit|text|underline|sym|"
    r"textsuperscript|ensuremath|mbox|makecell|shortstack|num|tablenum|SI|phantom|small|sup|"
    r"footnotesize|textsubscript|thead)(?![A-Za-z])\*?(?:\[[^\]]*\])?"
)
_COLOUR = re.compile(
    r"\\(?:cell|row|text|column)?color(?:\[[^\]]*\])?\{[^{}]*\}(?:\[[^\]]*\]){0,2}"
)
_LENGTH = r"\[\s*-?[\d.]+\s*(?:\\[a-z]+|em|ex|pt|mm|cm|in|bp)[^\]]*\]"  # of a line's space
_DEEPEST = 40  # of braces


def read_latex(text: str) -> Document:
    """Every tabular of a document with its caption and notes, and the text around."""
    text = "\n".join(map(_without_comment, text.split("\n")))
    if not _BEGIN.search(text):
        text = _framed(text)
    grids: list[Grid] = []
    prose: list[str] = []
    at = 0
    while found := _BEGIN.search(text, at):
        end = re.compile(rf"\\end\{{{re.escape(found[1])}\}}").search(text, found.end())
        stop = end.start() if end else len(text)
        body = _after_arguments(text[found.end() : stop])
        options = text[found.end() : stop].removesuffix(body)
        before = text[at : found.start()]
        following = text[end.end() if end else stop :]
        upto = re.search(r"\\end\{table\*?\}|\\begin\{|\n\s*\n", following)
        # a float's end closes its notes; without a float they are the next paragraph
        close = re.search(r"\\end\{(?:table\*?|sidewaystable|threeparttable)\}", following)
        next_one = _BEGIN.search(following)
        if close and (not next_one or close.start() < next_one.start()):
            notes = following[: close.start()]
        else:
            notes = following[: upto.start()] if upto else following
            if not notes.strip() and upto:
                notes = following[: 2000 if not next_one else min(2000, next_one.start())]
        notes += "".join(f" {note}" for note in _options(options, "note"))
        caption = _caption(before[-3000:]) or _caption(notes)
        caption = caption or next(map(plain, _options(options, "caption")), "")
        grids.append(_grid(body, caption, notes))
        prose += _paragraphs(before)
        at = (end.end() if end else stop) or len(text)
    prose += _paragraphs(text[at:])
    return Document(tuple(grid for grid in grids if grid.rows), tuple(prose))


def _without_comment(line: str) -> str:
    """A line up to its comment.

    A ``%`` in a row's label, before its numbers and the row's end, is one that a program wrote
    without a backslash: LaTeX itself would lose the row.
    """
    for found in _COMMENT.finditer(line):
        label, rest = line[: found.start()], line[found.end() :]
        if not (label.strip() and "&" not in label and "&" in rest and "\\\\" in rest):
            return label
    return line


def _framed(text: str) -> str:
    """Rows that a document is meant to input into a tabular of its own, in one; else the text."""
    parts = _split(text, "\\\\")
    if sum(len(_split(part, "&")) > 1 for part in parts) < _FRAGMENT:
        return text
    return f"\\begin{{tabular}}{{}}\n{text}\n\\end{{tabular}}"


_FRAGMENT = 3  # rows


def _options(text: str, name: str) -> list[str]:
    """Values of an option of tabularray: ``note{a}={text}``, ``caption={text}``."""
    found = re.finditer(rf"(?<![a-z]){name}(?:\{{[^{{}}]*\}})?\s*=\s*\{{", text)
    return [_braced(text, item.end() - 1)[0] for item in found]


def _caption(text: str) -> str:
    found = list(re.finditer(r"\\caption\*?(?:\[[^\]]*\])?\{", text))
    return plain(_braced(text, found[-1].end() - 1)[0]) if found else ""


def _braced(text: str, at: int) -> tuple[str, int]:
    """The content of the braces that open at `at`, and where they end."""
    depth = 0
    for i in range(at, len(text)):
        if text[i] == "\\":
            continue
        if text[i] in "{}" and (i == 0 or text[i - 1] != "\\"):
            depth += 1 if text[i] == "{" else -1
            if depth == 0:
                return text[at + 1 : i], i + 1
    return text[at + 1 :], len(text)


def _after_arguments(text: str) -> str:
    """What follows the arguments of a tabular: position, width, columns."""
    at = 0
    while True:
        rest = text[at:].lstrip()
        at = len(text) - len(rest)
        if rest.startswith("["):
            at += rest.find("]") + 1 or 1
        elif rest.startswith("{"):
            at = _braced(text, at)[1]
        else:
            break
    return text[at:]


def _grid(body: str, caption: str, notes: str) -> Grid:
    rows: list[list[str]] = []
    body = re.sub(r"\\tabularnewline(?![A-Za-z])", r"\\\\ ", body)
    for raw in _split(body, "\\\\"):
        _spread(rows, raw)
        line = re.sub(rf"^\s*\*?\s*{_LENGTH}", "", _RULES.sub("", raw))
        if not line.strip():
            continue
        cells: list[str] = []
        for cell in _split(line, "&")[:WIDEST]:
            content, across = _spanning(cell)
            cells += [content] * min(across, WIDEST)
        rows.append(cells)
    rows, foot = _without_foot(_with_whole_labels(rows))
    return make_grid(rows, caption, " ".join([*foot, plain(notes)]))


def _with_whole_labels(rows: list[list[str]]) -> list[list[str]]:
    """A label that an ``&`` cuts, written without a backslash, makes its row longer than others."""
    if not rows:
        return rows
    counts = Counter(map(len, rows))
    width = max(counts, key=lambda size: (counts[size], -size))
    found = []
    for row in rows:
        label = row[: len(row) - width + 1]
        cut = len(row) > width > 1 and all(what(text) == "text" for text in label)
        found.append([" & ".join(label), *row[len(label) :]] if cut else row)
    return found


_STROKE = re.compile(r"\\c(?:mid(?:rule)?|line)(?:\s*\([^()]*\))?\s*\{\s*(\d+)\s*-\s*(\d+)\s*\}")


def _spread(rows: list[list[str]], line: str) -> None:
    """A heading above a stroke over several columns, among empty cells, is that of all of them."""
    if any(_holds_numbers(row) for row in rows):
        return
    for found in _STROKE.finditer(line):
        first, last = int(found[1]) - 1, int(found[2])
        for row in rows if 0 < first < last - 1 else ():
            named = [text for text in row[first:last] if text]
            if len(named) == 1 and len(row) >= last:
                row[first:last] = named * (last - first)


def _holds_numbers(row: list[str]) -> bool:
    """Whether a row holds numbers that do not count its columns."""
    texts = [text for text in row[1:] if text]
    return any(what(text) in {"number", "below"} for text in texts) and not all(
        map(enumerator, texts)
    )


def _without_foot(rows: list[list[str]]) -> tuple[list[list[str]], list[str]]:
    """Rows, and the texts that span all columns and are notes: not those above rows of numbers.

    Such a text within the body is the heading of a panel, and so is the one that begins the body.
    """
    numeric = [i for i, row in enumerate(rows) if _holds_numbers(row)]
    first, last = (numeric[0], numeric[-1]) if numeric else (len(rows), len(rows))
    wide = [len(row) > 1 and len(set(row)) == 1 and len(row[0]) > 12 for row in rows]
    panels = any(wide[first:last])
    kept, foot = [], []
    for i, row in enumerate(rows):
        opens = i == first - 1 and panels and not DEPENDENT.match(row[0])
        if wide[i] and not (first < i < last or opens or (i < last and PANEL.match(row[0]))):
            foot.append(row[0])
        else:
            kept.append(row)
    return kept, foot


def _split(text: str, mark: str) -> list[str]:
    """Parts between `mark`, which does not count inside of braces."""
    parts, depth, start, i = [], 0, 0, 0
    while i < len(text):
        if depth == 0 and text.startswith(mark, i):
            parts.append(text[start:i])
            i += len(mark)
            start = i
            continue
        if text[i] == "\\":
            i += 2
            continue
        depth += {"{": 1, "}": -1}.get(text[i], 0)
        depth = max(depth, 0)
        i += 1
    return [*parts, text[start:]]


def _spanning(cell: str) -> tuple[str, int]:
    """A cell's text and how many columns it takes."""
    found = re.search(r"\\(?:multicolumn|SetCell)\s*(?:\[\s*c\s*=\s*(\d+)[^\]]*\])?", cell)
    if not found:
        row = re.search(r"\\multirow\s*(?:\[[^\]]*\])?\{[^{}]*\}(?:\[[^\]]*\])?\{[^{}]*\}", cell)
        return plain(cell[: row.start()] + cell[row.end() :] if row else cell), 1
    if "SetCell" in found[0]:
        return plain(cell[found.end() :]), int(found[1] or 1)
    number, at = _braced(cell, cell.index("{", found.end() - 1) if "{" in cell else 0)
    across = int(number) if number.strip().isdecimal() else 1
    if at < len(cell) and "{" in cell[at:]:
        _, at = _braced(cell, cell.index("{", at))
    if "{" in cell[at:]:
        content, _ = _braced(cell, cell.index("{", at))
        return plain(content), across
    return plain(cell[at:]), across


def plain(text: str, depth: int = 0) -> str:
    """What a reader sees of a piece of LaTeX."""
    if depth > _DEEPEST:
        return ""
    text = re.sub(rf"\\\\\s*(?:{_LENGTH})?", "\n", text)
    text = re.sub(r"\\(?:begin|end)\{[^{}]*\}(?:\[[A-Za-z!,= ]*\])?", " ", text)
    text = re.sub(r"\\relax(?![a-zA-Z])", "", text)
    text = re.sub(
        r"\\(?:label|ref|cite[tp]?|vspace|hspace|rule|linewidth|"
        r"[hv]?phantom|huxtpad|huxbpad|arrayrulecolor)\*?\{[^{}]*\}",
        "",
        text,
    )
    text = _COLOUR.sub("", text)
    text = _KEPT.sub("", text)
    for command, symbol in _SYMBOLS.items():
        text = re.sub(re.escape(command) + r"(?![A-Za-z])", symbol.replace("\\", r"\\"), text)
    text = _GREEK.sub(r"\1", text)
    text = re.sub(r"\\([&%_#$\[\]{}()])", lambda m: "" if m[1] in "[]()" else m[1], text)
    text = re.sub(r"\\[,;:! ]", " ", text)
    text = re.sub(r"\\[A-Za-z]+\*?(?:\[[^\]]*\])?", " ", text)
    text = re.sub(r"\^2(?!\d)|\^\{2\}", "2", text)
    text = re.sub(r"[{}$^]", "", text).replace("~", " ").replace("\\", "")
    text = re.sub(r"(?<=\d)\{,\}(?=\d)", ",", text).replace("---", "—").replace("--", "–")
    return clean(text)


def _paragraphs(text: str) -> list[str]:
    found = [clean(plain(part).replace("\n", " ")) for part in re.split(r"\n\s*\n", text)]
    return [part for part in found if len(part.split()) > 4]
