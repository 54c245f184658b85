"""Tables as programs write them, with the truth of every cell, and how much an import gets right.

Run as a script it makes many of them, reads them back and counts: ``python machine_made.py``.
"""

import csv
import io
from dataclasses import dataclass, field
from html import escape

import numpy as np

from bayesdid.importing.draft import cells_of
from bayesdid.importing.names import Names
from bayesdid.study.printed import Printed

NAMES = ("treated", "post", "treated × post", "lnGDP", "Share of 65+", "unemp_rate", "Pop. (1,000)")
STARS = ("", "*", "**", "***")


@dataclass
class Made:
    """A table's numbers: row label -> column -> (estimate, what stands below), and its foot."""

    columns: int
    rows: dict
    foot: dict  # label -> texts
    heads: list
    kind: str  # what stands below
    notes: str = ""
    numbers: dict = field(default_factory=dict)

    def truth(self):
        """Every number: (column, label or n or r2, part) -> its value."""
        found = {}
        for label, cells in self.rows.items():
            for j, (estimate, below) in cells.items():
                found[j, label, "estimate"] = value(estimate)
                if below:
                    found[j, label, "below"] = value(below)
        for label, texts in self.foot.items():
            for j, text in enumerate(texts):
                if text and text[0].isdigit():
                    found[j, label, "estimate"] = value(text)
        return found


def value(text):
    """What a text is as numbers."""
    return tuple(
        float(Printed.parse(part).value)
        for part in text.strip("([{}])").replace(" to ", ",").replace(";", ",").split(", ")
    )


def make(rng, columns=None):
    """A random table: rows that enter from left to right or not, stars, brackets of four kinds."""
    width = columns or int(rng.integers(1, 8))
    kind = str(rng.choice(["se", "se", "t", "p", "interval"]))
    many = int(rng.integers(1, len(NAMES) + 1))
    places = int(rng.integers(2, 5))
    rows = {}
    for name in rng.permutation(NAMES)[:many]:
        present = [j for j in range(width) if rng.uniform() < 0.75] or [width - 1]
        rows[str(name)] = {j: cell(rng, kind, places) for j in present}
    rows["Constant"] = {j: cell(rng, kind, places) for j in range(width)}
    foot = {"City FE": ["Yes"] * width, "Year FE": [str(rng.choice(["Yes", "No"]))] * width}
    foot["Observations"] = [f"{int(rng.integers(100, 99_999)):,}" for _ in range(width)]
    foot["R2"] = [f"{rng.uniform():.3f}" for _ in range(width)]
    heads = ["deaths"] * (width // 2) + ["injuries"] * (width - width // 2)
    words = {
        "se": "Standard errors",
        "t": "t statistics",
        "p": "p-values",
        "interval": "95% confidence intervals",
    }
    notes = f"{words[kind]} in parentheses. * p<0.10, ** p<0.05, *** p<0.01"
    return Made(width, rows, foot, heads, kind, notes)


def cell(rng, kind, places):
    """An estimate and what stands below it."""
    estimate, se = rng.normal(), abs(rng.normal()) + 0.05
    stars = STARS[int(np.searchsorted([1.645, 1.96, 2.576], abs(estimate / se), side="right"))]
    from scipy.stats import norm

    below = {
        "se": f"({se:.{places}f})",
        "t": f"({estimate / se:.2f})",
        "p": f"({2 * norm.sf(abs(estimate / se)):.3f})",
        "interval": f"[{estimate - 1.96 * se:.{places}f}, {estimate + 1.96 * se:.{places}f}]",
    }[kind]
    return f"{estimate:.{places}f}{stars}", below


def lines_of(made):
    """Rows of cells, label first, an empty label before what stands below."""
    numbers = ["", *(f"({j + 1})" for j in range(made.columns))]
    body = [["", *made.heads], numbers]
    for label, cells in made.rows.items():
        body.append([label, *(cells.get(j, ("", ""))[0] for j in range(made.columns))])
        body.append(["", *(cells.get(j, ("", ""))[1] for j in range(made.columns))])
    return body + [[label, *texts] for label, texts in made.foot.items()]


# -------------------------------------------------------------------- formats


def tex_text(text):
    """Text of LaTeX."""
    return (
        text.replace("&", r"\&").replace("%", r"\%").replace("_", r"\_").replace("×", r"$\times$")
    )


def esttab(made):
    """As estout's esttab writes booktabs."""

    def shown(text):
        bare = text.rstrip("*")
        stars = text[len(bare) :]
        return tex_text(bare) + (rf"\sym{{{stars}}}" if stars else "")

    out = [
        r"\begin{table}[htbp]\centering",
        r"\def\sym#1{\ifmmode^{#1}\else\(^{#1}\)\fi}",
        r"\caption{Table 3: Effects}",
        rf"\begin{{tabular}}{{l*{{{made.columns}}}{{c}}}}",
        r"\toprule",
    ]
    for k, row in enumerate(lines_of(made)):
        cells = [r"\multicolumn{1}{c}{" + shown(c) + "}" if k < 2 and c else shown(c) for c in row]
        if row[0] == "R2":
            cells[0] = r"\(R^{2}\)"
        out.append("&".join(cells) + r"\\" + ("[1em]" if k > 2 and not row[0] else ""))
        if k == 1:
            out.append(r"\midrule")
    out += [
        r"\bottomrule",
        rf"\multicolumn{{{made.columns + 1}}}{{l}}{{\footnotesize {tex_text(made.notes)}}}\\",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(out)


def stargazer(made):
    """As R's stargazer writes LaTeX."""

    def shown(text):
        bare = text.rstrip("*")
        stars = text[len(bare) :]
        return bare.replace("-", "$-$") + (f"$^{{{stars}}}$" if stars else "")

    out = [
        r"\begin{table}[!htbp] \centering",
        r"  \caption{Effects}",
        r"  \label{}",
        rf"\begin{{tabular}}{{@{{\extracolsep{{5pt}}}}l{'c' * made.columns}}} ",
        r"\\[-1.8ex]\hline ",
        r"\hline \\[-1.8ex] ",
        rf" & \multicolumn{{{made.columns}}}{{c}}{{\textit{{Dependent variable:}}}} \\ ",
        rf"\cline{{2-{made.columns + 1}}} ",
    ]
    for k, row in enumerate(lines_of(made)):
        if k < 2:
            head = r"\\[-1.8ex] " + " & ".join(row) + r"\\ "
            out.append(head)
            continue
        name = r"R$^{2}$" if row[0] == "R2" else tex_text(row[0])
        out.append(" " + " & ".join([name, *map(shown, row[1:])]) + r" \\ ")
        if k > 2 and not row[0]:
            out.append("  & " + " & ".join([""] * made.columns) + r" \\ ")
    out += [
        r"\hline ",
        r"\hline \\[-1.8ex] ",
        rf"\textit{{Note:}}  & \multicolumn{{{made.columns}}}{{r}}{{{tex_text(made.notes)}}} \\ ",
        r"\end{tabular} ",
        r"\end{table} ",
    ]
    return "\n".join(out)


def tinytable(made):
    """As modelsummary writes LaTeX by tinytable."""
    out = [
        r"\begin{table}",
        r"\centering",
        r"\begin{talltblr}[",
        "entry=none,label=none,",
        rf"note{{}}={{{tex_text(made.notes)}}},",
        r"]",
        r"{",
        r"colspec={" + "Q[]" * (made.columns + 1) + r"},",
        r"cell{1}{1}={c=1,}{halign=c,},",
        r"}",
        r"\toprule",
    ]
    for k, row in enumerate(lines_of(made)):
        out.append(" & ".join(map(tex_text, row)) + r" \\" + (r" \midrule" if k == 1 else ""))
    out += [r"\bottomrule", r"\end{talltblr}", r"\end{table}"]
    return "\n".join(out)


def makecell(made):
    """As fixest's and pyfixest's etable: an estimate and its error in one cell."""
    out = [
        r"\begin{tabularx}{\linewidth}{@{}l" + "X" * made.columns + "}",
        r"\toprule",
        f" & \\multicolumn{{{made.columns}}}{{c}}{{y}} \\\\",
        rf"\cmidrule(lr){{2-{made.columns + 1}}}",
        " & " + " & ".join(f"({j + 1})" for j in range(made.columns)) + r" \\",
        r"\midrule",
    ]
    for label, cells in made.rows.items():
        shown = [
            rf"\makecell{{{cells[j][0]} \\ {cells[j][1]}}}" if j in cells else ""
            for j in range(made.columns)
        ]
        out.append(
            f"{tex_text(label)} & " + " & ".join(shown) + r" \\" + "\n" + r"\addlinespace[0.5ex]"
        )
    out.append(r"\midrule")
    out += [f"{tex_text(k)} & " + " & ".join(v) + r" \\" for k, v in made.foot.items()]
    out += [r"\bottomrule", r"\end{tabularx}", "", tex_text(made.notes)]
    return "\n".join(out)


def markdown(made):
    """A pipe table."""
    rows = lines_of(made)
    rows = [rows[1], rows[0], *rows[2:]]
    out = ["| " + " | ".join(cell.replace("*", r"\*") for cell in row) + " |" for row in rows]
    out.insert(1, "|" + "---|" * (made.columns + 1))
    return "Table 4. Effects\n\n" + "\n".join(out) + f"\n\nNotes: {made.notes}\n"


def web(made, tag="table"):
    """A page, with sup for stars, the outcomes spanning their columns."""

    def shown(text):
        bare = text.rstrip("*")
        return escape(bare) + (f"<sup>{text[len(bare) :]}</sup>" if bare != text else "")

    rows = lines_of(made)
    half = made.columns // 2
    spans = [(made.heads[0], half)] * (half > 0) + [(made.heads[-1], made.columns - half)]
    head = (
        "<tr><th rowspan='2'></th>"
        + "".join(f"<th colspan='{n}'>{escape(h)}</th>" for h, n in spans)
        + "</tr><tr>"
        + "".join(f"<th>{c}</th>" for c in rows[1][1:])
        + "</tr>"
    )
    body = "".join(
        "<tr>" + "".join(f"<td>{shown(c)}</td>" for c in row) + "</tr>" for row in rows[2:]
    )
    return (
        f"<html><body><p>Some text before the table.</p><table><caption>Table 5. Effects</caption>"
        f"<thead>{head}</thead><tbody>{body}</tbody><tfoot><tr><td colspan='{made.columns + 1}'>"
        f"{escape(made.notes)}</td></tr></tfoot></table><p>After.</p></body></html>"
    )


def jats(made):
    """An article of a journal."""
    rows = lines_of(made)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(c)}</td>" if c else "<td/>" for c in row) + "</tr>"
        for row in rows[2:]
    )
    head = "".join("<tr>" + "".join(f"<th>{escape(c)}</th>" for c in r) + "</tr>" for r in rows[:2])
    return (
        '<?xml version="1.0"?><article><body><sec><p>As Table 6 shows.</p><table-wrap id="t6">'
        "<label>Table 6</label><caption><p>Effects of it</p></caption><table frame='hsides'>"
        f"<thead>{head}</thead><tbody>{body}</tbody></table><table-wrap-foot><fn><p>{escape(made.notes)}"
        "</p></fn></table-wrap-foot></table-wrap></sec></body></article>"
    )


def separated(made):
    """As esttab writes CSV."""
    out = io.StringIO()
    writer = csv.writer(out)
    for row in lines_of(made):
        writer.writerow([f'="{c}"' if c and c[0] in "-(+" else c for c in row])
    writer.writerow([f"{made.notes}, and nothing else stands here"])
    return out.getvalue()


def aligned(made):
    """Text in columns, as statsmodels prints."""
    rows = lines_of(made)
    wide = max(len(row[0]) for row in rows) + 2
    each = max(len(c) for row in rows for c in row[1:]) + 2
    text = [row[0].ljust(wide) + "".join(c.rjust(each) for c in row[1:]) for row in rows]
    rule = "=" * (wide + each * made.columns)
    return "\n".join([rule, *text[:2], "-" * len(rule), *text[2:], rule, made.notes])


FORMATS = {
    "esttab": (".tex", esttab),
    "stargazer": (".tex", stargazer),
    "tinytable": (".tex", tinytable),
    "makecell": (".tex", makecell),
    "markdown": (".md", markdown),
    "html": (".html", web),
    "jats": (".xml", jats),
    "csv": (".csv", separated),
    "text": (".txt", aligned),
}


def read_back(table):
    """(column, label, part) -> numbers of an imported table."""
    found = {}
    ids = [column.id for column in table.columns]
    for placed in cells_of(table, Names()):
        part = "below" if placed.ref.endswith(".se") else "estimate"
        label = {"r2": "R2", "n": "Observations"}.get(placed.cell.role, placed.label)
        found[ids.index(placed.column), label, part] = value(placed.cell.text)
    return found


def right(made, tables):
    """How many numbers stand in the right cell, and of how many."""
    truth = made.truth()
    if not tables:
        return 0, len(truth), list(truth)
    found = read_back(tables[0])
    wrong = [key for key, number in truth.items() if found.get(key) != number]
    wrong += [key for key in found if key not in truth]
    return len(truth) - len(wrong), len(truth), wrong


def collapsed(rng):
    """A table whose controls enter from left to right, pasted without its empty cells."""
    width = int(rng.integers(3, 7))
    start = int(rng.integers(1, width))
    rows = {"Treated": dict.fromkeys(range(width))}
    rows |= {f"control {k}": dict.fromkeys(range(start, width)) for k in range(3)}
    extra = int(rng.integers(0, width))
    rows["other policy"] = {extra: None}
    rows["Constant"] = dict.fromkeys(range(width))
    for cells in rows.values():
        for j in cells:
            cells[j] = cell(rng, "se", 3)
    n = [str(int(rng.integers(300, 400)))] * width
    made = Made(width, rows, {"Observations": n}, [], "se")
    lines = [
        "| Variables |" + "|".join(f" ({j + 1}) " for j in range(width)) + "|",
        "|---" * width + "|",
    ]
    for label, cells in rows.items():
        lines.append(f"| {label} | " + " | ".join(cells[j][0] for j in cells) + " |")
        lines.append("| " + " | ".join(cells[j][1] for j in cells) + " |")
    lines.append("| Observations | " + " | ".join(n) + " |")
    return made, "\n".join(lines)


def main(each=100):
    """Count for every format."""
    import tempfile
    from pathlib import Path

    from bayesdid.importing.read import read_document
    from bayesdid.importing.understand import understand

    rng = np.random.default_rng(20260726)
    with tempfile.TemporaryDirectory() as folder:
        for name, (suffix, write) in FORMATS.items():
            good = total = kinds = 0
            first = None
            for k in range(each):
                made = make(rng)
                path = Path(folder) / f"{name}{k}{suffix}"
                path.write_text(write(made), encoding="utf-8")
                tables = understand(read_document(path)).tables
                n, of, wrong = right(made, tables)
                good, total = good + n, total + of
                kinds += bool(tables) and tables[0].in_parentheses == made.kind
                if wrong and first is None:
                    first = (k, wrong[:4], write(made) if len(write(made)) < 3000 else "")
            print(f"{name:10} {good / total:.4f} of {total}, brackets {kinds}/{each}")  # noqa: T201
            if first:
                print(first[0], first[1], first[2], sep="\n")  # noqa: T201

        good = total = 0
        sure, hits = [], []
        for k in range(each):
            made, text = collapsed(rng)
            path = Path(folder) / f"lost{k}.md"
            path.write_text(text, encoding="utf-8")
            (table,) = understand(read_document(path)).tables
            truth, found = made.truth(), read_back(table)
            good += sum(found.get(key) == number for key, number in truth.items())
            total += len(truth)
            for row in table.rows:
                for j, read in row.cells.items():
                    if read.why:
                        sure.append(read.confidence)
                        hits.append(truth.get((j, row.label, "estimate")) == value(read.text))
        print(f"lost       {good / total:.4f} of {total}")  # noqa: T201
        print(f"marked cells: {np.mean(hits):.3f} right, {np.mean(sure):.3f} said")  # noqa: T201


if __name__ == "__main__":
    import sys

    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
