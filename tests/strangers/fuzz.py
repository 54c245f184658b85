"""Damage studies, panels, weights and options at random; every command must end in words.

``make fuzz`` runs ``python tests/strangers/fuzz.py``; a case is made from its number alone, so that
``--first N --count 1`` makes it again. A fault is a traceback, an exit code beyond 0, 1 and 2, an
error that nobody foresaw, or a case that takes more than two minutes.
"""

from __future__ import annotations

import argparse
import faulthandler
import io
import json
import random
import shutil
import signal
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from commands import Ran, bayesdid

_SECONDS = 120
STUDY = """schema_version = 1
[study]
id = "s"
title = "Title"
citation = "Somebody (2020)"
question = "What?"
[outcome]
column = "y"
label = "Outcome"
unit = "units"
natural_per_unit = 10.0
better = "lower"
minimum = -100
[panel]
unit = "unit"
period = "year"
units = 8
first_period = 2000
last_period = 2005
longitude = "lon"
latitude = "lat"
unit_labels = { u1 = "First" }
#SOURCE
[[policy]]
id = "a"
label = "Policy A"
adoption = "ya"
[[policy]]
id = "b"
label = "Policy B"
indicator = "db"
cut = 0.5
missing = "drop"
[[variable]]
column = "x"
label = "Covariate"
unit = "km"
printed = ["X"]
[[variable]]
column = "z"
label = "Other"
[[group]]
column = "region"
label = "Region"
levels = { n = "North", s = "South" }
[covariate_sets]
all = ["x", "log(z)"]
[design]
none = 2
single = 4
dual = 2
only = { a = 2, b = 2 }
first = { a = 1, b = 1 }
[design.timing]
rounds = { a = [2002, 2003], b = [2003] }
both_share = "0.1"
adoption = { a = { 2002 = 2 }, b = { 2003 = 2 }, both = { "2002,2003" = 2 } }
[synergy]
both_none = "t1.3:both"
only_none = { a = "t1.1:only:a", b = "t1.2:only:b" }
rope = 0.1
[priors]
default = "user"
[priors.user]
x = { mean = 0.0, sd = 1.0 }
[[weights]]
id = "w"
label = "W"
kind = "file"
path = "w.WEIGHTS"
normalisation = "row"
[[weights]]
id = "near"
label = "Near"
kind = "nearest"
k = 2
[[weights]]
id = "money"
label = "Money"
kind = "economic_geographic"
column = "x"
window = [2000, 2002]
cutoff_km = 5000.0
"""
SIMULATE = """[panel.simulate]
seed = 1
moments = "t2"
sigma = 0.5
sigma_unit = 0.5
sigma_period = 0.1
phi = 0.2
correlation = 0.1
truth = { "active:a" = -0.5, both = 0.1 }
covariates = { x = 0.2, z = 0.1 }
groups = { region = { n = 4, s = 4 } }
policies = { other = { 2002 = 3 } }
responses = { x = { "active:a" = 0.1 } }
other_outcomes = { y2 = 0.5 }
places = "places.csv"
[panel.simulate.adoption]
a = { 2002 = 2 }
b = { 2003 = 2 }
both = { "2002,2003" = 1, "2004,2002" = 1 }
"""
COLUMN = """
[[column]]
id = "{0}"
label = "Column"
outcome = "y"
treatments = ["{1}"]
covariates = ["@all"]
sample = {{ arms = ["none", "{2}"]{3} }}
n = "48"
r2 = "0.5"
[column.coefficients]
"{1}" = {{ estimate = "-0.51**", se = "0.20" }}
"""
TABLE = (
    'id = "t1"\ntitle = "T"\nkind = "regression"\nse_kind = "clustered"\n'
    + COLUMN.format("1", "only:a", "single", ', only = ["a"]')
    + COLUMN.format("2", "only:b", "single", ', only = ["b"]')
    + COLUMN.format("3", "both", "dual", "")
    + """
[[column]]
id = "4"
family = "event_study"
outcome = "log(z)"
treatments = ["active:a"]
outcome_lead = 1
options = { first = -2, last = 2 }
[[column]]
id = "5"
family = "sdm"
outcome = "y"
treatments = ["active:a"]
weights = "w"
row_normalised = true
options = { model = "sar" }
"""
)
MOMENTS = """id = "t2"
title = "Moments"
kind = "descriptive"
n = "48"
moments = [
  { column = "y", mean = "9.000", sd = "1.000", min = "1", max = "20" },
  { column = "x", mean = "1.000", sd = "0.500" },
  { column = "z", mean = "1.500", sd = "0.300", min = "1" },
]
"""
CLAIMS = """[[claim]]
id = "sum"
text = "more than the sum"
place = "Abstract"
synergy = "both - sum of singles"
[[claim]]
id = "size"
text = "lowers by 0.5"
place = "Section 4"
value = "0.51"
cell = "t1.3:both"
significance = "5%"
direction = "negative"
"""
VALUES = (
    '""',
    '" "',
    "0",
    "-1",
    "1e999",
    "-1e308",
    "nan",
    "inf",
    "true",
    "[]",
    "{}",
    "[[]]",
    '"x"',
    '"../x"',
    '"/etc/passwd"',
    '"a\\nb"',
    "2000-01-01",
    "9" * 30,
    "9" * 5000,
    "[" * 5000,
    "0.5",
    '"1e999"',
    '"-0.227***"',
    '["a"]',
    "{ a = 1 }",
    '"active:nobody"',
    '"both@>=1"',
    '"log(log(y))"',
    '"' + "(" * 3000 + '"',
    '"l(y, 9999)"',
    '"y * y * y"',
    "2005",
    "1999",
    '"@nothing"',
    '"\\u0000"',
    '"\\u001b[31m"',
    '"unit"',
    '"year"',
    '"y"',
    '"ya"',
    "'''",
    '"none"',
    "1_000_000_000",
)
CELLS = (
    "",
    "0",
    "-1",
    "1e300",
    "-1e300",
    "1e999",
    "nan",
    "inf",
    "NA",
    "#DIV/0!",
    "=1+1",
    "x",
    "1,5",
    "99999999999999999999",
    "2010-13",
    "201013",
    "0000",
    "\x00",
    "\x1b[31m",
    '"',
    "'",
    "é",
    "碳",
    "TRUE",
    "1 000",
    "50%",
    "(3)",
    "-",
    "2000-02-30",
    "2000q5",
    "9" * 400,
    " ",
    ",",
    ",,",
    "\n",
)
FORMULAS = (
    "y ~ db | unit + year",
    "y ~ db + x | unit + year",
    "y ~ i(year, ref = 2000) | unit + year",
    "log(z) ~ l(db, 1) + d(x) | unit + year",
    "y ~ " + "(" * 5000 + "db" + ")" * 5000 + " | unit",
    "y ~ db | unit^year",
    "~",
    "y",
    "y ~",
    "| |",
    "y ~ x | year",
    "y ~ db:x | unit + year",
    "y ~ f(db, 99999999999) | unit + year",
    "y ~ `a` | unit",
    "y ~ `db` + log(`a (b), c^2`) | `unit` + year",
    "`y` ~ db + i(year, x) | unit + `re+gion`^year + random(`re gion`)",
    "y ~ db | unit + unit",
    "\x00",
    "y ~ y | unit + year",
    "unit ~ db | unit + year",
    "y ~ csw(x, z) + db | unit + year",
    "y ~ 1",
    "y ~ " + " + ".join(["x"] * 3000) + " | unit + year",
    "__import__('os') ~ x | unit + year",
    "y ~ i(db, ref = -99) | unit + year",
    "y ~ db | unit[year]",
    "y ~ sw(x, z) | unit + year",
)
OPTIONS = {
    "--spec": ("t1.1", "t1.5", "t9.9", "", "t1.1:both", "é"),
    "--errors": ("iid", "ar1", "ar1_unit", "nothing", ""),
    "--effects": ("fixed", "random", "mundlak", "no"),
    "--priors": ("flat", "weak", "sceptical", "user", "x"),
    "--likelihood": ("normal", "student_t", "poisson", "x"),
    "--engine": ("exact", "plain", "x", ""),
    "--seed": ("0", "-1", "4294967296", "99999999999999999999999", "x", "1.5"),
    "--sheet": ("Sheet1", "nothing", ""),
    "--skip": ("0", "1", "3", "999999", "-1", "x"),
    "--workers": ("1", "0", "-1", "x"),
    "--model": ("sar", "x"),
    "--normalise": ("row", "none", "x"),
    "--panel": ("", ".", "nothing.csv", "\x00", "study.toml", "x" * 5000),
    "--weights": ("w", "near", "nothing", "w.csv", "."),
    "--draws": ("100", "0", "-1", "x", "1e3", "99999999999999999999999"),
}


def panel_frame(rng: random.Random) -> pd.DataFrame:
    """A small panel of 8 units and 6 years, with both policies."""
    numbers = np.random.default_rng(rng.randrange(2**32))
    frame = pd.DataFrame(
        [(f"u{k}", year) for k in range(8) for year in range(2000, 2006)], columns=["unit", "year"]
    )
    k = frame["unit"].str[1:].astype(int)
    frame["y"] = numbers.normal(5, 1, len(frame)).round(3)
    frame["x"] = numbers.normal(0, 1, len(frame)).round(3)
    frame["z"] = numbers.uniform(1, 2, len(frame)).round(3)
    frame["ya"] = np.where(k < 4, 2002.0, np.nan)
    frame["db"] = ((k % 4 > 1) & (frame["year"] >= 2003)).astype(int)
    frame["region"] = np.where(k % 2 == 0, "n", "s")
    frame["lon"], frame["lat"] = k * 1.5, k * 0.5
    return frame


def write_study(folder: Path, rng: random.Random) -> None:
    """A study that is fine, with a panel and weights of some format."""
    panel = rng.choice(("csv", "csv", "csv", "tsv", "xlsx", "dta", "parquet"))
    kind = rng.choice(("csv", "npz", "gal", "gwt"))
    source = SIMULATE if rng.random() < 0.3 else f'path = "panel.{panel}"\n'
    study = STUDY.replace("w.WEIGHTS", f"w.{kind}")
    before, after = study.split("#SOURCE\n")
    if source == SIMULATE:
        first, second = after.split("[covariate_sets]")
        study = f"{before}{source}{first}[covariate_sets]{second}"
    else:
        study = before + source + after
    (folder / "study.toml").write_text(study)
    (folder / "t1.toml").write_text(TABLE)
    (folder / "t2.toml").write_text(MOMENTS)
    (folder / "claims.toml").write_text(CLAIMS)
    (folder / "places.csv").write_text("lon,lat\n" + "".join(f"{k},{k % 7}\n" for k in range(12)))
    frame, file = panel_frame(rng), folder / f"panel.{panel}"
    match panel:
        case "csv" | "tsv":
            frame.to_csv(file, index=False, sep="," if panel == "csv" else "\t")
        case "xlsx":
            frame.to_excel(file, index=False)
        case "dta":
            frame.to_stata(file, write_index=False)
        case "parquet":
            frame.to_parquet(file)
    write_ring(folder / f"w.{kind}")


def write_ring(file: Path) -> None:
    """Each unit has the next one as its neighbour."""
    ids, N = [f"u{k}" for k in range(8)], 8
    match file.suffix:
        case ".csv":
            rows = [f"{ids[k]},{ids[(k + 1) % N]},1\n" for k in range(N)]
            file.write_text("from,to,weight\n" + "".join(rows))
        case ".npz":
            np.savez(
                file,
                format=b"csr",
                shape=[N, N],
                data=np.ones(N),
                indices=[(k + 1) % N for k in range(N)],
                indptr=np.arange(N + 1),
                ids=np.array(ids),
            )
        case ".gal":
            file.write_text(
                f"{N}\n" + "".join(f"{ids[k]} 1\n{ids[(k + 1) % N]}\n" for k in range(N))
            )
        case _:
            rows = [f"{ids[k]} {ids[(k + 1) % N]} 1\n" for k in range(N)]
            file.write_text(f"0 {N} f id\n" + "".join(rows))


def damage(file: Path, rng: random.Random) -> None:
    """One damage to one file."""
    raw = file.read_bytes()
    ways = [_bytes, _whole]
    if file.suffix == ".toml":
        ways = [_value, _value, _value, _line, _line, _bytes, _whole]
    elif file.suffix in {".csv", ".tsv"}:
        ways = [_cell, _cell, _cell, _line, _bytes, _whole]
    elif file.suffix in {".gal", ".gwt"}:
        ways = [_word, _word, _line, _bytes, _whole]
    elif file.suffix == ".npz":
        ways = [_arrays, _arrays, _arrays, _bytes, _whole]
    elif file.suffix in {".xlsx", ".dta", ".parquet"} and rng.random() < 0.5:
        ways = [_table]
    rng.choice(ways)(file, raw, rng)


def _value(file: Path, raw: bytes, rng: random.Random) -> None:
    """Another value for one key."""
    lines = raw.decode(errors="surrogateescape").splitlines()
    at = rng.choice([k for k, line in enumerate(lines) if " = " in line] or [0])
    if not lines:
        return
    key, _, value = lines[at].partition(" = ")
    new = rng.choice(VALUES)
    if " = " in value and rng.random() < 0.6:  # inside of an inline table
        inner = value.split(" = ")
        k = rng.randrange(1, len(inner))
        end = inner[k].find(",") if "," in inner[k] else inner[k].rfind("}")
        inner[k] = new + (inner[k][end:] if end >= 0 else "")
        new = " = ".join(inner)
    lines[at] = f"{key} = {new}"
    file.write_bytes("\n".join(lines).encode("utf-8", "surrogateescape"))


def _line(file: Path, raw: bytes, rng: random.Random) -> None:
    """A line taken away, doubled, moved, or cut."""
    lines = raw.split(b"\n")
    at = rng.randrange(len(lines))
    match rng.randrange(4):
        case 0:
            del lines[at]
        case 1:
            lines.insert(at, lines[at])
        case 2:
            lines.insert(rng.randrange(len(lines)), lines.pop(at))
        case _:
            lines[at] = lines[at][: rng.randrange(len(lines[at]) + 1)]
    file.write_bytes(b"\n".join(lines))


def _cell(file: Path, raw: bytes, rng: random.Random) -> None:
    """Other cells, in one place or in a whole column, in the header too."""
    separator = "\t" if file.suffix == ".tsv" else ","
    rows = [line.split(separator) for line in raw.decode(errors="surrogateescape").splitlines()]
    column, new = rng.randrange(len(rows[0])), rng.choice(CELLS)
    some = [rng.randrange(len(rows))] if rng.random() < 0.6 else range(1, len(rows))
    for k in some:
        rows[k][min(column, len(rows[k]) - 1)] = new
    file.write_bytes("\n".join(map(separator.join, rows)).encode(errors="surrogateescape"))


def _word(file: Path, raw: bytes, rng: random.Random) -> None:
    words = raw.decode(errors="surrogateescape").split(" ")
    words[rng.randrange(len(words))] = rng.choice((*CELLS, "²", "99999999999"))
    file.write_bytes(" ".join(words).encode(errors="surrogateescape"))


def _bytes(file: Path, raw: bytes, rng: random.Random) -> None:
    """Bits flipped, bytes cut, doubled or put in."""
    data = bytearray(raw)
    for _ in range(rng.choice((1, 1, 3, 30))):
        at = rng.randrange(len(data) or 1)
        match rng.randrange(4):
            case 0:
                data[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                del data[at : at + rng.randrange(1, 40)]
            case 2:
                data[at:at] = rng.choice((b"\xff", b"\x00", b"[" * 5000, b"\xef\xbb\xbf", b"\r"))
            case _:
                data[at:at] = data[at : at + 200]
    file.write_bytes(bytes(data))


def _whole(file: Path, raw: bytes, rng: random.Random) -> None:
    """The file is empty, a folder, a loop, in another encoding, or of another kind."""
    match rng.randrange(7):
        case 0:
            file.write_bytes(b"")
        case 1:
            file.unlink()
            file.mkdir()
        case 2:
            file.unlink()
            file.symlink_to(file)
        case 3:
            file.write_bytes(b"\xef\xbb\xbf" + raw)
        case 4:
            file.write_bytes(raw.decode("latin-1").encode("utf-16"))
        case 5:
            file.write_bytes(b"PK\x03\x04" + raw)
        case _:
            file.unlink()


def _arrays(file: Path, raw: bytes, rng: random.Random) -> None:
    """Other numbers, shapes and types in the arrays of weights."""
    with np.load(io.BytesIO(raw)) as held:
        arrays = dict(held)
    name = rng.choice(list(arrays))
    values = np.array(arrays[name])
    match rng.randrange(6):
        case 0 if values.ndim == 1 and values.dtype.kind in "iuf":
            values[rng.randrange(len(values))] = rng.choice((-1, 8, 9, 10**9, -(10**9)))
        case 1:
            values = values[..., None]
        case 2:
            values = values.astype(object)
        case 3 if values.dtype.kind in "iuf":
            values = values.astype(rng.choice((np.float64, np.int8, np.uint64, np.complex128)))
        case 4:
            values = values[:-1] if values.ndim else np.array([b"coo", b"x"])
        case _:
            del arrays[name]
            np.savez(file, **arrays)
            return
    np.savez(file, **(arrays | {name: values}))


def _table(file: Path, raw: bytes, rng: random.Random) -> None:
    """The same panel with other cells, names or types, in the same format."""
    frame = panel_frame(rng)
    name = rng.choice(list(frame.columns))
    match rng.randrange(5):
        case 0:
            frame = frame.drop(columns=name)
        case 1:
            frame[name] = rng.choice(("x", "", "#DIV/0!", "2000q1", "1e300"))
        case 2:
            frame[name] = np.nan
        case 3:
            frame[name] = pd.Timestamp("2000-01-01")
        case _:
            frame[name] = rng.choice((1e300, -1.0, 0.0, 1e18))
    match file.suffix:
        case ".xlsx":
            frame.to_excel(file, index=False)
        case ".dta":
            frame.to_stata(file, write_index=False)
        case _:
            frame.to_parquet(file)


def case(number: int, folder: Path, *, heavy: float = 0.1) -> list[str]:
    """Make the study of a case in `folder`; the command to be run on it.

    Parameters
    ----------
    heavy
        Share of commands that fit something.
    """
    rng = random.Random(number)
    write_study(folder, rng)
    files = sorted(folder.iterdir())
    for _ in range(rng.choice((0, 1, 1, 1, 2))):
        chosen = rng.choice(files)
        if chosen.is_file() and not chosen.is_symlink():
            damage(chosen, rng)
    panel = next((str(file) for file in files if file.name.startswith("panel.")), "")
    light = ("audit", "panel", "synergy", "panel", "audit")
    dear = ("fit", "fit", "did", "check", "analyse", "spatial", "compare", "validate")
    command = rng.choice(dear if rng.random() < heavy else light)
    if command == "did":
        return _did(panel, rng)
    arguments = [command, str(folder)]
    if command not in {"audit"} and rng.random() < 0.5:
        arguments += ["--panel", panel]
    arguments += {
        "fit": ["--out", str(folder / "out"), "--draws", "100", "--workers", "1"],
        "analyse": ["--out", str(folder / "out"), "--draws", "100", "--workers", "1"],
        "check": ["--workers", "1", "--spec", "t1.1"],
        "validate": ["--workers", "1", "--spec", "t1.3"],
        "compare": ["--workers", "1", "--draws", "100", "--spec", "t1.1"],
        "spatial": ["--workers", "1", "--draws", "100"],
        "synergy": ["--draws", "100"],
    }.get(command, [])
    if rng.random() < 0.3:
        option = rng.choice(list(OPTIONS))
        arguments += [option, rng.choice(OPTIONS[option])]
    return arguments


def _did(panel: str, rng: random.Random) -> list[str]:
    if rng.random() < 0.6:
        return ["did", panel, rng.choice(FORMULAS), "--draws", "100"]
    columns = ("y", "unit", "year", "ya", "db", "x", "nothing", "", "region")
    arguments = ["did", panel, "--draws", "100"]
    for option in ("--y", "--unit", "--time", "--policy"):
        good = {"--y": "y", "--unit": "unit", "--time": "year", "--policy": "a=ya"}[option]
        arguments += [option, good if rng.random() < 0.8 else rng.choice(columns)]
    return arguments


def say(text: str) -> None:
    """Write at once: a crash then names its case."""
    sys.stdout.write(text)
    sys.stdout.flush()


def tried(number: int, *, heavy: float = 0.1) -> tuple[list[str], Ran]:
    """Make a case, and run its command."""
    folder = Path(tempfile.mkdtemp(prefix=f"fuzz{number}-"))
    try:
        arguments = case(number, folder, heavy=heavy)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return arguments, bayesdid(*arguments)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """Run many cases; prints every fault, and how the others ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--heavy", type=float, default=0.1)
    options = parser.parse_args()
    faulthandler.enable()
    ends: dict[int, int] = {}
    faults, begin = 0, time.perf_counter()
    for number in range(options.first, options.first + options.count):
        say(f"\rcase {number} ")
        signal.alarm(_SECONDS)
        arguments, ran = tried(number, heavy=options.heavy)
        signal.alarm(0)
        ends[ran.code] = ends.get(ran.code, 0) + 1
        if not ran.fine:
            faults += 1
            shown = [text[:80] for text in arguments]
            say(f"\ncase {number}: {json.dumps(shown)}: exit {ran.code}\n{ran.err[-600:]}\n")
    say(f"\n{options.count} cases in {time.perf_counter() - begin:.0f} s: exit codes {ends}")
    say(f"{faults} faults\n")
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
