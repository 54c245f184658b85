"""Formulas: what they say, and that they are read, never evaluated."""

import builtins
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bayesdid.exceptions import InputError
from bayesdid.study.derived import Derived, derived_of, parse_derived, source_column
from bayesdid.study.formula import Categories, parse_formula, parse_parts
from bayesdid.study.terms import parse_term


def one(text):
    (found,) = parse_formula(text)
    return found


@pytest.mark.parametrize(
    ("text", "parts", "instrument", "written"),
    [
        ("y ~ x | u + t | D ~ z", ("D", "x"), "z", "y ~ x | u + t | D ~ z"),
        ("y ~ 1 | u + t | D ~ z", ("D",), "z", "y ~ 1 | u + t | D ~ z"),
        ("y ~ x | log(D) ~ l(z, 1)", ("log(D)", "x"), "l(z, 1)", "y ~ x | log(D) ~ l(z, 1)"),
    ],
)
def test_an_instrument_stands_after_the_last_bar(text, parts, instrument, written):
    found = one(text)
    assert (found.parts, found.leading, found.instrument) == (parts, 1, instrument)
    assert str(found) == written
    assert found.columns()[-1] == "z"
    assert one("y ~ D + x | u + t").instrument == ""
    both = parse_formula("y ~ csw0(x) | u + t | D ~ z")
    assert [each.parts for each in both] == [("D",), ("D", "x")]


@pytest.mark.parametrize(
    ("text", "outcome", "parts", "leading", "effects"),
    [
        ("y ~ D", "y", ("D",), 1, ()),
        ("y~D+x1|city+year", "y", ("D", "x1"), 1, ("city", "year")),
        (" 死亡 ~ D + x.1\n | 城市 + 年份 ", "死亡", ("D", "x.1"), 1, ("城市", "年份")),
        ("y ~ a:b | u + t", "y", ("a * b",), 1, ("u", "t")),
        ("y ~ a*b + c | u", "y", ("a", "b", "a * b", "c"), 3, ("u",)),
        ("y ~ a*b:c", "y", ("a", "b * c", "a * b * c"), 3, ()),
        ("y ~ a*b*c", "y", ("a", "b", "c", "a * b", "a * c", "b * c", "a * b * c"), 7, ()),
        ("y ~ D + a:b + b:a + D", "y", ("D", "a * b"), 1, ()),
        ("y ~ D:D", "y", ("D",), 1, ()),
        ("y ~ D | u + t + g ^ t", "y", ("D",), 1, ("u", "t", "g^t")),
        ("y ~ D | u[t,t^2]+ t", "y", ("D",), 1, ("u[t, t^2]", "t")),
        ("y ~ D | u[[t]] + random( g^t )", "y", ("D",), 1, ("u[[t]]", "random(g^t)")),
        ("y ~ D | u + t + u", "y", ("D",), 1, ("u", "t")),
        ("y ~ 1 + ((D)) + 0", "y", ("D",), 1, ()),
        ("y ~ 0 + a*b + c", "y", ("a", "b", "a * b", "c"), 3, ()),
        ("log(y) ~ l(x, 1) + f(x,2) + d(x)", "log(y)", ("l(x, 1)", "f(x, 2)", "d(x)"), 1, ()),
        (
            "d(log(y)) ~ lag(x) + lead(x) + diff(x)",
            "d(log(y))",
            ("l(x, 1)", "f(x, 1)", "d(x)"),
            1,
            (),
        ),
        ("y ~ i(e, ref = -1) + x", "y", (Categories("e", -1), "x"), 1, ()),
        ("y ~ i(e, ref=c(-1)) + D", "y", (Categories("e", -1), "D"), 1, ()),
        ("y ~ i(e, ref=[-1.0])", "y", (Categories("e", -1),), 1, ()),
        (
            "y ~ D + i(year, log(x), ref=2004)",
            "y",
            ("D", Categories("year", 2004, "log(x)")),
            1,
            (),
        ),
    ],
)
def test_what_a_formula_says(text, outcome, parts, leading, effects):
    found = one(text)
    assert (found.outcome, found.parts) == (outcome, parts)
    assert tuple(map(str, found.effects)) == effects
    assert found.leading == leading
    assert one(str(found)).parts == parts  # it says itself


def test_columns_that_a_formula_needs():
    found = one("log(y) ~ a:b + l(d(x), 2) + i(e, log(z), ref=0) + a | u + t")
    assert found.columns() == ["y", "a", "b", "x", "e", "z", "u", "t"]


@pytest.mark.parametrize(
    ("text", "formulas"),
    [
        ("y ~ D + sw(a, b) | u", ["y ~ D + a | u", "y ~ D + b | u"]),
        ("y ~ D + sw0(a, b)", ["y ~ D", "y ~ D + a", "y ~ D + b"]),
        ("y ~ D + csw(a, b + c)", ["y ~ D + a", "y ~ D + a + b + c"]),
        ("y ~ csw0(a, b) + D", ["y ~ D", "y ~ a + D", "y ~ a + b + D"]),
    ],
)
def test_stepwise_functions_make_several(text, formulas):
    assert [str(found) for found in parse_formula(text)] == formulas


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("y", "no outcome"),
        ("~ x", "no outcome"),
        ("", "no outcome"),
        ("y ~", "ends too early"),
        ("y ~ 1 | u + t", "no regressor"),
        ("y ~ a^b | u", r"'\^' has no meaning here yet.*a column of the groups"),
        ("y ~ x^2 | u", r"'\^' has no meaning here yet.*the power"),
        ("y ~ id[year] | u", "slopes that differ between groups stand after"),
        ("y ~ D | u^u", "an effect that is not understood.*u\\^u"),
        ("y ~ D | u[t, t]", "an effect that is not understood"),
        ("y ~ D | u[log(t)]", "an effect that is not understood"),
        ("y ~ D | u[[t]", "an effect that is not understood"),
        ("y ~ D | u + ", "an effect that is not understood.*nothing"),
        ("y ~ D | random(u", "an effect that is not understood"),
        ("y ~ D | u | t | x ~ z", r"more than two parts after \|"),
        ("y ~ x | u + t | D ~ z + q", "one treatment and one instrument"),
        ("y ~ x | u + t | D + E ~ z", "one treatment and one instrument"),
        ("y ~ x | u + t | D ~ z ~ q", "one treatment and one instrument"),
        ("y ~ D + x | u + t | D ~ z", "stand after the last . alone.*value: D"),
        ("y ~ D:x | u + t | D ~ z", "stand after the last . alone.*value: D"),
        ("y ~ x + z | u + t | D ~ z", "stand after the last . alone.*value: z"),
        ("y ~ x | u + t | D ~ D", "stand after the last . alone.*value: D"),
        ("y ~ x | u + t | D ~", "ends too early"),
        ("y ~ D | factor(u)", "an effect that is not understood.*a column of the groups"),
        ("c(y1, y2) ~ D", "several outcomes"),
        ("y1 + y2 ~ D", "several outcomes"),
        ("y ~ (a + b):c", "a sum in brackets"),
        ("y ~ D - 1", "leave the term out"),
        ("y ~ 2", "a number is no regressor"),
        ("y ~ `a b", "two backticks"),
        ("y ~ `a * b`", "a name that no formula can hold.*rename"),
        ("y ~ `log(a)`", "a name that no formula can hold.*rename"),
        ("y ~ `both`", "a state of policies"),
        ("y ~ GDP(yuan)", r"stands in backticks, `GDP\(yuan\)`"),
        ("y ~ 'D'", "no column and no function of one"),
        ("y ~ both", "a state of policies"),
        ("y ~ __import__('os')", "'__import__' is no function of formulas"),
        ("y ~ D | __import__('os')", "an effect that is not understood"),
        ("__import__('os').system('ls') ~ D", "not expected here"),
        ("y ~ my law | u + t", "put names with spaces or marks in backticks"),
        ("log(1 + y) ~ D | u + t", "make a column of what a function would work out"),
        ("y ~ D | csw0(u, t)", "fit a formula for each set of effects"),
        ("eval('y') ~ D", "'eval' is no function"),
        ("y ~ factor(x)", r"i\(x, ref"),
        ("y ~ log(x, 10)", r"write log\(x\)"),
        ("y ~ l(x, -1)", "'l' takes something else"),
        ("y ~ l(x, k = 2)", "'l' takes something else"),
        ("winsor(y, 1) ~ x", r"winsor\(x, 0.01\) for 1 % at each end"),
        ("winsor(y, 0.5) ~ x", "the share is below 0.5"),
        ("y ~ log(a:b)", "no column and no function of one"),
        ("y ~ i(e)", "needs a column and ref"),
        ("y ~ i(e, ref = c(-1, -1000))", "leave the column empty"),
        ("y ~ i(e, ref = -1, bin = 2)", "no 'bin'"),
        ("y ~ i(e, ref = x)", "whole number"),
        ("y ~ i(e, ref = 0.5)", "whole number"),
        ("y ~ a:i(e, ref = 1)", r"i\(\) stands alone"),
        ("y ~ sw(a, b) + csw(c, d)", "two stepwise functions"),
        ("y ~ sw0(a, b)", "without a regressor"),
        ("y ~ sw()", r"write sw\(a, b\)"),
        ("y ~ a*b*c*d*e", "more than four"),
        ("y ~ \x00", "a character that no formula has"),
        ("y ~ " + "(" * 5000, "too many brackets"),
        ("y ~ " + "log(" * 2000 + "x", "too many brackets"),
        ("y ~ " + "log(" * 12 + "x" + ")" * 12, "too many functions"),
        ("y ~ " + "x + " * 5000 + "x", "too long"),
    ],
)
def test_what_is_refused_is_named(text, says):
    with pytest.raises(InputError, match=says) as found:
        parse_formula(text)
    assert found.value.remedy or "too long" in str(found.value)
    assert len(str(found.value)) < 500


grammar = st.recursive(
    st.sampled_from(["x", "D", "死亡", "x.1"]),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["log", "d", "l", "f", "winsor"]), inner).map(
            lambda p: f"{p[0]}({p[1]})"
        ),
        st.tuples(inner, st.integers(0, 99)).map(lambda p: f"l({p[0]}, {p[1]})"),
        st.tuples(inner, st.integers(1, 499)).map(lambda p: f"winsor({p[0]}, {p[1] / 1000})"),
    ),
    max_leaves=4,
)


@given(grammar)
def test_a_function_of_a_column_is_what_it_writes(text):
    found = parse_derived(text)
    assert parse_derived(str(found)) == found
    assert str(parse_term(str(found))) == str(found)
    assert source_column(text) in {"x", "D", "死亡", "x.1"}
    assert (derived_of(text) is None) == isinstance(found, str)


@given(st.lists(grammar, min_size=1, max_size=4), st.sampled_from([":", "*", "+"]))
def test_parts_are_terms_of_the_vocabulary(factors, operation):
    for part in parse_parts([operation.join(factors)]):
        assert str(parse_term(part)) == part


VOCABULARY = (
    "y ~ D + | : * ( ) [ ] , i ref = -1 c( log( sw( csw0( ^ __import__ 'os' .system lambda 1 0x1 "
    "eval( {y}"
)
words = st.sampled_from(VOCABULARY.split())


@given(st.lists(words, max_size=25).map(" ".join) | st.text(string.printable + "é年", max_size=60))
@example("y ~ __import__('os').system('true')")
@example("y ~ (lambda: 1)()")
@example("y ~ {x} + f'{x}'")
def test_any_text_is_read_or_refused_and_never_evaluated(text):
    called = []
    kept = {name: getattr(builtins, name) for name in ("eval", "exec", "compile", "__import__")}
    try:
        for name in kept:
            setattr(builtins, name, lambda *a, _n=name, **k: called.append(_n) or kept[_n](*a, **k))
        try:
            for formula in parse_formula(text):
                for part in formula.parts:
                    assert isinstance(part, Categories) or parse_term(part)
        except InputError:
            pass
    finally:
        for name, function in kept.items():
            setattr(builtins, name, function)
    assert not {"eval", "exec", "compile"} & set(called)


def test_a_column_that_only_looks_like_a_function_is_a_column():
    assert derived_of("Deaths (per 100,000)") is None
    assert source_column("Deaths (log)") == "Deaths (log)"
    assert derived_of("log(y)") == Derived("log", "y")
    assert derived_of("winsor(y)") == Derived("winsor", "y", 0, 0.01)
    assert derived_of("winsor(y, 0.5)") is None
