"""Constants of priors stand in one module."""

import re

from architecture_map import modules

# numbers that are priors wherever they stand in a model, an engine or a family
STRAY = re.compile(
    r"(?<![\w.])2\.5(?!\d)|Gamma\([^)]*\d\.\d|HalfNormal\([^)]*\d\.\d|alpha=\d|beta=\d|"
    r"Exponential\([^)]*\d\.\d|Normal\([^)]*,\s*[1-9]\d*\.\d"
)
EXEMPT = {"model.priors"}


def code_of(text):
    """Without docstrings and comments: prose may quote a number."""
    text = re.sub(r'r?"""[\s\S]*?"""', "", text)
    return re.sub(r"#.*", "", text)


def test_no_other_module_holds_a_constant_of_a_prior():
    stray = {}
    for name, path in modules().items():
        if name.partition(".")[0] not in {"model", "inference", "families"} or name in EXEMPT:
            continue
        if found := STRAY.findall(code_of(path.read_text(encoding="utf-8"))):
            stray[name] = found
    assert not stray


def test_the_search_finds_what_it_looks_for():
    planted = 'sd = 2.5 * y\nnu = pm.Gamma("nu", alpha=2.0, beta=0.1)\npm.Normal("a", 0.0, 10.0)'
    assert len(STRAY.findall(code_of(planted))) == 3
