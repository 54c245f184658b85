"""Equations of a report: the text that a model prints, set with subscripts in every format."""

import pytest

from bayesdid.escape import tex
from bayesdid.model.errors import Errors
from bayesdid.report.document.blocks import Cell, Document, Items, Section, Table, Text
from bayesdid.report.document.formulas import Piece, formula, pieces
from bayesdid.report.document.html import to_markup
from bayesdid.report.document.numbering import cell_text, places, plain_text
from bayesdid.report.document.typst import to_typst
from bayesdid.report.method_texts import METHODS


def html(text):
    return to_markup(Text(formula(text)), "p", {}).strip()


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("mu[i,t] = a[i]", "μ<sub>it</sub> = a<sub>i</sub>"),
        ("sigma[i]^2 ~ x", "σ<sub>i</sub><sup>2</sup> ∼ x"),
        ("phi^|t-s|", "φ<sup>|t − s|</sup>"),
        ("sum_k omega[k] u[k]'Z", "Σ<sub>k</sub> ω<sub>k</sub> u<sub>k</sub>′Z"),
        ("a_D[i]", "a<sub>D</sub><sub>, i</sub>"),
        ("τ[cohort, t − start_k]", "τ(cohort, t − start<sub>k</sub>)"),
        ("g[group, t]", "g<sub>group, t</sub>"),
        ("theta(d[r])", "θ(d<sub>r</sub>)"),
        ("theta'(W D x)[i,t]", "θ′(W D x)<sub>it</sub>"),
        ("nu_unit/2", "ν<sub>unit</sub>/2"),
        ("total_deaths[i,t]", "total_deaths<sub>it</sub>"),
        ("a[i] flat, summing to zero", "a<sub>i</sub> flat, summing to zero"),
        ("x <b>", "x &lt;b&gt;"),
    ],
)
def test_indices_are_lowered_and_letters_are_greek(typed, shown):
    assert html(typed) == f"<p>{shown}</p>"


def test_text_around_a_formula_is_text():
    """No name of a study is a formula: alpha[i,t] of a label stays as it stands."""
    text = f"alpha[i,t] of {formula('alpha[i]')}, P = 1.000."
    assert to_markup(Text(text), "p", {}).strip() == (
        "<p>alpha[i,t] of α<sub>i</sub>, P &gt;\N{NO-BREAK SPACE}0.999.</p>"
    )
    assert pieces("x[i]") == [Piece("x[i]", of_formula=False)]


def test_no_bracket_of_an_index_is_left_in_any_family():
    written = [method.equation for method in METHODS.values()]
    written += Errors("ar1", "unit").equation.split("\n")
    for equation in written:
        shown = "".join(piece.text for piece in pieces(formula(equation)))
        assert "[" not in shown
        assert "_" not in shown


def test_every_format_has_the_equation():
    """Word and LaTeX as one line of text, the article with lowered letters."""
    line = formula("y[i,t] = tau'D[i,t]")
    table = Table("t", "c", ("a", "b"), ((Cell(line), "1"),))
    assert cell_text(table.rows[0][0], {}) == plain_text(line, {}) == "y[i,t] = tau'D[i,t]"
    page = Document("T", (Section("s", "S", (Items((line,), (), "formulas"),)),))
    source, _ = to_typst((page,), places({"p": ("", page)}))
    assert '#"y"#sub("it")#" = τ′D"#sub("it")' in source


def test_latex_shows_greek_letters_powers_and_signs():
    """Its text fonts have none of them."""
    assert tex("τ′ ≤ 10⁻⁸ × Σ") == r"$\tau$$'$ $\leq$ 10$^-$$^8$ $\times$ $\Sigma$"
