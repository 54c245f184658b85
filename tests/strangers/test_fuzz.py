"""Whatever a file or an option holds, a command ends in words and in an exit code of 0, 1 or 2."""

import random
from pathlib import Path

import pytest
from commands import bayesdid
from fuzz import SIMULATE, tried, write_study

import bayesdid as bd
from bayesdid.exceptions import InputError
from bayesdid.inference.registry import Size
from bayesdid.study.toml import read_toml


def test_damaged_files_end_in_words():
    """The first cases of ``make fuzz``."""
    codes = set()
    for number in range(30):
        arguments, ran = tried(number, heavy=0.0)
        assert ran.fine, (number, arguments, ran.err[-600:])
        codes.add(ran.code)
    assert {0, 2} <= codes


@pytest.fixture
def folder(tmp_path):
    """A simulated study that is fine."""
    number = next(n for n in range(99) if _is_simulated(n, tmp_path / str(n)))
    return tmp_path / str(number)


def _is_simulated(number: int, path: Path) -> bool:
    path.mkdir()
    write_study(path, random.Random(number))
    return SIMULATE in (path / "study.toml").read_text()


def test_what_is_not_damaged_is_fine(folder):
    assert bayesdid("panel", folder).code == 0
    assert bayesdid("audit", folder).code == 0


CONTRADICTIONS = {
    'moments = "t2"': ('moments = "t9"', "no such name (value: t9)"),
    "covariates = { x = 0.2, z = 0.1 }": ("covariates = { xx = 0.2 }", "did you mean 'x'"),
    "responses = { x": ("responses = { other", "no such name (value: other)"),
    '"active:a" = -0.5, both': ('"active:c" = -0.5, both', "no such name (value: c)"),
    "n = 4, s = 4": ("n = 4, s = 5", "the levels have 9 units of 8"),
    "a = { 2002 = 2 }\nb": ("a = { 2002 = -2 }\nb", "a count is negative"),
    "b = { 2003 = 2 }\nboth": ("b = { 2003 = 99 }\nboth", "103 adopting units among 8"),
    '"2002,2003" = 1': ('"2002" = 1', "two periods, as in '2002,2004'"),
    "other = { 2002 = 3 }": ("other = { soon = 3 }", "a period is expected (value: soon)"),
    "other_outcomes = { y2": ("other_outcomes = { unit", "two columns have one name"),
    "units = 8": ("units = 1", "two units or more"),
    "last_period = 2005": ("last_period = 2000", "two periods or more"),
    "first_period = 2000": ("first_period = -2000000", "two periods or more"),
    "seed = 1": ("seed = -1", "a seed is not negative"),
    "sigma = 0.5": ("sigma = inf", "finite number"),
}


@pytest.mark.parametrize("said", CONTRADICTIONS)
def test_a_simulation_that_contradicts_itself_is_refused_in_words(folder, said):
    other, words = CONTRADICTIONS[said]
    text = (folder / "study.toml").read_text()
    assert text.count(said) == 1
    (folder / "study.toml").write_text(text.replace(said, other))
    ran = bayesdid("panel", folder)
    assert ran.code == 2
    assert words in ran.err.replace("\n", " ")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ('mean = "1.500", sd = "0.300", min = "1"', ""),
        ('mean = "1.500", sd = "0", min = "1"', "the moments of z fit no variable"),
        ('mean = "1.500", sd = "0.300", min = "2"', "the moments of z fit no variable"),
        ('mean = "1.500", sd = "0.300", max = "1"', "the moments of z fit no variable"),
    ],
)
def test_moments_that_no_variable_has(folder, row, words):
    text = (folder / "t2.toml").read_text()
    (folder / "t2.toml").write_text(text.replace('mean = "1.500", sd = "0.300", min = "1"', row))
    ran = bayesdid("panel", folder)
    assert ran.code == (2 if words else 0)
    assert words in ran.err.replace("\n", " ")


@pytest.mark.parametrize("name", ["study.toml", "t1.toml", "claims.toml"])
def test_kinds_of_damaged_toml(folder, name):
    file = folder / name
    raw = file.read_bytes()
    for data, words in (
        (raw + b"\nx = " + b"[" * 5000 + b"]" * 5000, "nested deeper than any study is"),
        (raw + b"\nx" + b".x" * 5000 + b" = 1", "nested deeper than any study is"),
        (raw + b"\nx = " + b"9" * 5000, "not valid TOML"),
        (raw + b'\nx = "\\u001b[31m"', "a text holds a control character"),
        (raw + b"\xff", "not UTF-8 text"),
        (raw.decode().encode("utf-16"), "not UTF-8 text"),
        (raw + b"\nx = [", "not valid TOML"),
    ):
        file.write_bytes(data)
        ran = bayesdid("audit", folder)
        assert ran.code == 2
        assert words in ran.err.replace("\n", " ")
        assert "\x1b" not in ran.err
    file.write_bytes(b"\xef\xbb\xbf" + raw)  # as Windows saves it
    assert bayesdid("audit", folder).code == 0


def test_a_file_that_cannot_be_read_is_named(folder, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(InputError, match="cannot be read: Permission denied"):
        read_toml(folder / "study.toml")


def test_folders_and_empty_files_in_the_place_of_panels(folder):
    for suffix in (".csv", ".tsv", ".xlsx", ".dta", ".parquet"):
        file = folder / f"own{suffix}"
        file.mkdir()
        ran = bayesdid("panel", folder, "--panel", file)
        assert (ran.code, "no such file" in ran.err) == (2, True)
        file.rmdir()
        file.write_bytes(b"")
        ran = bayesdid("panel", folder, "--panel", file)
        assert (ran.code, "the file is empty" in ran.err) == (2, True)
        file.write_bytes(b"\n")
        assert bayesdid("panel", folder, "--panel", file).code == 2
    (folder / "t9.toml").mkdir()
    ran = bayesdid("audit", folder)
    assert (ran.code, "cannot be read" in ran.err) == (2, True)
    assert bayesdid("audit", folder / "study.toml").code == 2
    assert bayesdid("did", folder, "y ~ x | unit + year").code == 2


@pytest.mark.parametrize(
    "formula",
    [
        "y ~ " + "(" * 5000 + "x" + ")" * 5000 + " | unit + year",
        "y ~ " + "l(" * 3000 + "x" + ", 1)" * 3000 + " | unit + year",
        "log(" * 50 + "y" + ")" * 50 + " ~ x | unit + year",
        "y ~ x" + " + x" * 5000 + " | unit + year",
        "y ~ x | " + "unit^" * 3000 + "year",
        "\x00",
        "",
    ],
)
def test_formulas_that_no_one_writes(folder, formula):
    (folder / "p.csv").write_text("unit,year,y,x\n1,1,1,0\n1,2,2,1\n2,1,3,0\n2,2,5,0\n")
    ran = bayesdid("did", folder / "p.csv", formula)
    assert ran.code == 2
    assert ran.fine, ran.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--seed", "-1"), "--seed"),
        (("--seed", "4294967296"), "--seed"),
        (("--seed", "x"), "--seed"),
        (("--draws", "9" * 30), "draws"),
        (("--draws", "2000000"), "draws is a whole number from 1 to 1000000"),
        (("--chains", "99999"), "chains is a whole number from 1 to 1000"),
        (("--spec", "nothing"), "no such spec"),
        (("--errors", "x"), "x"),
        (("--engine", "x"), "x"),
        (("--skip", "999999", "--draws", "20"), ""),
    ],
)
def test_options_that_no_run_can_have(folder, options, words):
    ran = bayesdid("fit", folder, "--out", folder / "fits", "--workers", 1, *options)
    assert ran.code == 2 or options[0] == "--skip"
    assert ran.fine, ran.err
    assert words in ran.err.replace("\n", " ")


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "1", None, True])
def test_a_seed_out_of_range_is_refused_in_words(seed):
    with pytest.raises(InputError, match="seed is a whole number from 0 to 4294967295"):
        Size(seed=seed)


def test_the_front_door_refuses_a_seed_out_of_range(folder):
    file = folder / "p.csv"
    rows = [(u, t, (u * 7 + t * 3) % 5, int(u > 2 and t > 1)) for u in range(6) for t in range(4)]
    file.write_text("unit,year,y,x\n" + "".join("{},{},{},{}\n".format(*row) for row in rows))
    with pytest.raises(InputError, match="seed is a whole number"):
        bd.did(file, "y ~ x | unit + year", seed=-1)
