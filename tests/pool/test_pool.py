"""A pool holds the truth as often as it says, sees doubts, and says what selection would do."""

import json
from pathlib import Path

import numpy as np
import pytest
from commands import bayesdid
from corpus import build
from scipy import integrate
from scipy.stats import halfnorm, norm

from bayesdid.exceptions import InputError
from bayesdid.pool.asked import ATT, SYNERGY, asked_of, contrast_of
from bayesdid.pool.effect import StudyEffect
from bayesdid.pool.effects import study_effects
from bayesdid.pool.normal import WIDTH, pool_normal
from bayesdid.pool.run import MAIN, PRINTED, pool_effects, pool_studies
from bayesdid.pool.selection import pool_selected
from bayesdid.study.load import read_study
from bayesdid.summary import LEVEL, summarise

PILOT = Path(__file__).parents[2] / "models" / "dual_pilot"


def effects(y, s, doubts=(), independent=()):
    return [
        StudyEffect(
            f"s{i}",
            "c",
            "printed cell",
            float(a),
            float(b),
            i in independent,
            ("values",) if i in doubts else (),
            float(2 * norm.sf(abs(a / b))),
        )
        for i, (a, b) in enumerate(zip(y, s, strict=True))
    ]


def test_intervals_hold_what_they_say_under_the_prior():
    """Of 150 pools drawn from the prior, mu, tau and a new effect lie in 89 % (sd .026)."""
    rng = np.random.default_rng(1)
    held = np.zeros(3)
    for _ in range(150):
        s = rng.uniform(0.1, 0.5, size=7)
        mu, tau = rng.normal(0, WIDTH), halfnorm(scale=0.5).rvs(random_state=rng)
        y = rng.normal(mu + tau * rng.normal(size=7), s)
        pool = pool_normal(y, s, unit=1.0, rng=rng)
        truth = (mu, tau, rng.normal(mu, tau))
        for k, (draws, value) in enumerate(zip((pool.mu, pool.tau, pool.new), truth, strict=True)):
            low, high = np.quantile(draws, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
            held[k] += low <= value <= high
    assert np.abs(held / 150 - LEVEL).max() < 4 * np.sqrt(LEVEL * (1 - LEVEL) / 150)


def test_the_evidence_and_the_mean_are_those_of_brute_integration():
    y, s = np.array([0.3, -0.1, 0.6]), np.array([0.2, 0.3, 0.25])

    mu, tau = np.linspace(-5, 5, 1201)[:, None, None], np.linspace(0, 4, 801)[:, None]
    prior = norm.logpdf(mu, 0, WIDTH) + halfnorm.logpdf(tau, scale=0.5)
    each = norm.logpdf(y, mu, np.sqrt(s**2 + tau**2)).sum(axis=-1, keepdims=True)
    joint = np.exp(each + prior)[..., 0]
    total = integrate.simpson(integrate.simpson(joint, tau[:, 0]), mu[:, 0, 0])
    first = integrate.simpson(integrate.simpson(joint * mu[..., 0], tau[:, 0]), mu[:, 0, 0])
    mean = first
    pool = pool_normal(y, s, unit=1.0, rng=np.random.default_rng(0))
    assert pool.log_evidence == pytest.approx(np.log(total), abs=2e-3)
    assert pool.mu.mean() == pytest.approx(mean / total, abs=4 * pool.mu.std() / np.sqrt(8000))


def test_studies_alike_are_pooled_and_studies_apart_are_not():
    s = np.full(6, 0.1)
    alike = pool_effects(effects(np.full(6, -0.5), s))
    assert alike.average[MAIN].sd < 0.1
    assert alike.word == "supported"
    assert alike.sign == "negative"
    assert alike.average[MAIN].p_negative > 0.99
    apart = pool_effects(effects([-2, 2, -2, 2, -2, 2.1], s))
    assert apart.spread.mean > 3 * alike.spread.mean
    assert apart.word == "undecided"
    first = apart.shrunk["s0"]
    assert first.mean == pytest.approx(-2, abs=0.1)  # its own number, not the average


def test_positive_effects_are_called_positive():
    pool = pool_effects(effects(np.full(6, 0.5), np.full(6, 0.1)))
    assert (pool.sign, pool.word) == ("positive", "supported")
    assert "That it is positive is supported" in pool.text
    assert pool.p == pytest.approx(1 - pool.average[MAIN].p_negative)


def test_a_doubt_shifts_its_own_studies_and_not_the_average():
    """Doubted studies at -1, others at 0: the average is that of the others."""
    y, s = np.array([0, 0.05, -0.05, 0, -1, -1.1]), np.full(6, 0.1)
    pool = pool_effects(effects(y, s, doubts=(4, 5)), unit=1.0)
    assert abs(pool.average[MAIN].mean) < 0.15
    assert pool.shift.mean < -0.6
    assert pool.average["doubts left out of account"].mean < -0.2
    assert abs(pool.average["without doubted studies"].mean) < 0.15
    every = pool_effects(effects(y, s, doubts=range(6)))
    assert every.shift is None
    assert "doubted" in {note.name for note in every.notes}


def test_independent_errors_count_for_less():
    y, s = np.array([-0.5, -0.5, 0.5]), np.array([0.2, 0.2, 0.2])
    pool = pool_effects(effects(y, s, independent=(0, 1)), unit=1.0)
    assert pool.average[MAIN].mean > pool.average[PRINTED].mean
    assert {"inflated", "few"} <= {note.name for note in pool.notes}


def test_selection_undoes_selection():
    """Truth .1, se .3; only significant results are kept: the naive pool is far above it."""
    rng = np.random.default_rng(3)
    y = rng.normal(0.1, 0.3, size=3000)
    y = y[np.abs(y) > 1.96 * 0.3][:25]
    s, one = np.full(25, 0.3), np.ones(25)
    naive = summarise(pool_normal(y, s, unit=0.5, rng=rng).mu)
    mu, eta = pool_selected(y, s, one, 0.01, unit=0.5, rng=rng)
    told = summarise(mu)
    assert naive.interval.low > 0.1
    assert told.interval.low < 0.1 < told.interval.high
    assert (eta == 0.01).all()
    same, _ = pool_selected(y, s, one, 1.0, unit=0.5, rng=rng)
    assert same.mean() == pytest.approx(naive.mean, abs=0.03)  # all are published: no correction
    _, unknown = pool_selected(y, s, one, None, unit=0.5, rng=rng)
    assert unknown.mean() < 0.4  # 25 significant ones of 25: others are rarely published
    none = rng.normal(0, 0.3, size=25)
    quiet = (np.abs(none) > 1.96 * 0.3).astype(float)
    _, open_ = pool_selected(none, s, quiet, None, unit=0.5, rng=rng)
    assert open_.mean() > unknown.mean()


def test_cells_of_studies_are_read_with_their_doubts():
    study = read_study(PILOT)
    (one,) = study_effects([study], {"dual_pilot": "table2.2:both"}, None, "none").effects
    assert (one.estimate, one.se, one.independent) == (-0.555, 0.075, False)
    (doubted,) = study_effects([study], {"dual_pilot": "table4.3:both"}, None, "sd").effects
    assert doubted.estimate == pytest.approx(-0.679 / 1.455)
    assert "significance" in doubted.doubts  # the text says 5 %, the cell says otherwise
    (clean,) = study_effects([study], {"dual_pilot": "table2.5:both"}, None, "mean").effects
    assert clean.se == pytest.approx(0.074 / 1.397)
    assert not clean.doubts


def test_what_cannot_be_pooled_is_refused_in_words(tmp_path):
    study = read_study(PILOT)
    with pytest.raises(InputError, match="two studies"):
        pool_studies([study, study], cells={"dual_pilot": "table2.2:both"})
    with pytest.raises(InputError, match=r"no study has this contrast.*use att, synergy"):
        study_effects([study], {}, "both - nothing", "none")
    with pytest.raises(InputError, match="a ratio is no difference"):
        study_effects([study], {}, "both / sum of singles", "none")
    with pytest.raises(InputError, match="indirect effects are taken from print"):
        study_effects([study], {}, "indirect", "none", source="panel")
    with pytest.raises(InputError, match="not pooled"):
        study_effects([study], {"other": "t.1:x"}, None, "none")
    other = tmp_path / "other"
    other.mkdir()
    for file in PILOT.glob("*.toml"):
        text = file.read_text(encoding="utf-8")
        text = text.replace('id = "dual_pilot"', 'id = "other"')
        (other / file.name).write_text(text, encoding="utf-8")
    for file in PILOT.glob("*.csv"):
        (other / file.name).write_bytes(file.read_bytes())
    both = ("--cell", "dual_pilot=table2.2:both", "--cell", "other=table2.5:both")
    ran = bayesdid("pool", PILOT, other, *both, "--json")
    assert ran.code == 0, ran.err
    said = json.loads(ran.out)
    assert said["effects"][1]["estimate"] == -0.698
    assert said["average"][MAIN]["mean"] < 0
    text = (other / "study.toml").read_text(encoding="utf-8")
    changed = text.replace("hundreds of deaths per city-year", "deaths")
    (other / "study.toml").write_text(changed, encoding="utf-8")
    ran = bayesdid("pool", PILOT, other, *both, "--scale", "none")
    assert ran.code == 2
    assert "different units" in " ".join(ran.err.split())


def made(name, cell, *, better="lower", column="", outcome="y", unit="u"):
    """A study of one printed cell, its outcome's sd 2 and another variable's 5."""
    file = {
        "study": {"id": name, "title": "t", "citation": "c"},
        "outcome": {"column": "y", "label": "y", "unit": unit, "better": better},
        "panel": {"unit": "u", "period": "t"},
    }
    moments = [{"column": "y", "mean": "4", "sd": "2"}, {"column": "z", "mean": "1", "sd": "5"}]
    one = {"id": "1", "outcome": outcome, "treatments": ["x"], "coefficients": {"x": cell}}
    tables = [
        {"id": "t0", "title": "t", "kind": "descriptive", "moments": moments},
        {"id": "t1", "title": "t", "kind": "regression", "column": [one | (column or {})]},
    ]
    return build({"file": file, "tables": tables, "claims": []})


def test_effects_have_one_side_or_are_counted_towards_the_better_one():
    falls = made("a", {"estimate": "-0.40", "se": "0.10"})
    rises = made("b", {"estimate": "0.30", "se": "0.10"}, better="higher")
    cells = {"a": "t1.1:x", "b": "t1.1:x"}
    with pytest.raises(InputError, match="some should rise and some fall"):
        study_effects([falls, rises], cells, None, "sd", better=False)
    found = study_effects([falls, rises], cells, None, "sd", better=True)
    assert [one.estimate for one in found.effects] == pytest.approx([0.20, 0.15])
    pool = pool_studies([falls, rises], cells=cells, scale="sd")  # that is the default then
    assert "some should rise and some fall" not in pool.text
    assert pool.notes[0].name == "better"
    assert not study_effects([falls, falls], {"a": "t1.1:x"}, None, "sd").better
    assert pool.sign == "positive"
    assert pool.measured == "sds of each outcome, positive is better"
    assert "apart" in {note.name for note in pool.notes}


@pytest.mark.parametrize(
    ("more", "scale", "words"),
    [
        ({"column": {"printed_as": "ratio"}}, "none", "a ratio is no difference"),
        ({"outcome": "z"}, "sd", "a cell about z"),
        ({"unit": "log points"}, "mean", "in logarithms is no size"),
    ],
)
def test_numbers_that_are_no_effect_on_the_outcome_are_refused(more, scale, words):
    study = made("a", {"estimate": "1.40", "se": "0.10"}, **more)
    with pytest.raises(InputError, match=words):
        study_effects([study], {"a": "t1.1:x"}, None, scale)


def test_studies_that_fit_no_other_are_left_out_and_named_with_why():
    cell = {"estimate": "-0.40", "se": "0.10"}
    studies = [
        made("a", cell),
        made("b", cell),
        made("c", cell, unit="log points"),
        made("d", cell, better="higher"),
        made("e", cell, column={"treatments": ["x", "w"]}),
    ]
    cells = dict.fromkeys("abcd", "t1.1:x")
    pool = pool_studies(studies, cells=cells, scale="none", better=False)
    assert [one.study for one in pool.effects] == ["a", "b"]
    assert pool.measured == "u"
    left = [note.text for note in pool.notes if note.name == "left-out"]
    assert left == [
        "c is not pooled: its outcome is in log points, that of the others in u (--scale sd "
        "divides by its sd)",
        "d is not pooled: higher is better there, and lower in the others (--better counts towards "
        "the better side)",
        "e is not pooled: it declares no policy, and its columns have not one treatment: name the "
        "cell that is meant, --cell e=TABLE.COLUMN:TERM, such as t1.1:x",
    ]
    with pytest.raises(InputError, match=r"fewer than two.*value: e: it declares no policy"):
        pool_studies([studies[0], studies[4]], cells={"a": "t1.1:x"})


def test_a_remedy_names_a_cell():
    with pytest.raises(InputError) as caught:
        study_effects([made("a", {"estimate": "1.40"})], {"a": "t1.1:x"}, None, "none")
    assert "choose a cell with a standard error" in str(caught.value)
    two = {"treatments": ["x", "w"]}
    with pytest.raises(InputError) as caught:
        study_effects([made("a", {"estimate": "1.40", "se": "0.10"}, column=two)], {})
    assert "--cell a=TABLE.COLUMN:TERM, such as t1.1:x" in str(caught.value)


@pytest.mark.parametrize(
    ("cell", "se"), [({"t": "2.5"}, 0.2), ({"interval": "[0.108, 0.892]"}, 0.2)]
)
def test_errors_that_are_not_printed_are_had_from_t_or_the_interval(cell, se):
    """0.392 = 1.96 x 0.2."""
    study = made("a", {"estimate": "0.50", **cell})
    (one,) = study_effects([study], {"a": "t1.1:x"}, None, "none").effects
    assert one.se == pytest.approx(se, rel=1e-3)


@pytest.mark.parametrize(("estimate", "published"), [("0.20", True), ("0.19", False)])
def test_significance_is_that_of_the_model_of_selection(estimate, published):
    study = made("a", {"estimate": estimate, "se": "0.10"})
    (one,) = study_effects([study], {"a": "t1.1:x"}, None, "none").effects
    assert (one.p < 0.05) == published


def of_policy(name, estimate, *, terms=("active:p",), policies=("p",), unit="u"):
    """A study of policies; each column has one term, estimated as said and by another 1 beyond."""
    study = made(name, {"estimate": estimate, "se": "0.10"}, unit=unit)
    columns = [
        {"id": str(k), "outcome": "y", "treatments": [term]}
        | {"coefficients": {term: {"estimate": str(float(estimate) + k), "se": "0.10"}}}
        for k, term in enumerate(terms)
    ]
    file = study.file.model_dump(exclude_unset=True) | {
        "policy": [{"id": p, "label": p, "adoption": p} for p in policies]
    }
    table = {"id": "t1", "title": "t", "kind": "regression", "column": columns}
    return build({"file": file, "tables": [table], "claims": []})


def test_without_a_word_studies_give_what_most_can():
    one, other = of_policy("a", "-0.40"), of_policy("b", "-0.50", terms=("x", "only:p"))
    both = of_policy("c", "-0.60", policies=("p", "q"))
    assert (asked_of([one, other, both], None).name, asked_of([both, both, one], None).name) == (
        ATT,
        SYNERGY,
    )
    assert asked_of([one, both], None).name == ATT  # half are not more than half
    assert "1 of 2 studies has several policies" in asked_of([one, both], None).why
    pool = pool_studies([one, other, both])
    # the first column that prints the policy alone, of b the second: -0.50 + 1
    assert [(e.effect, e.source, e.estimate) for e in pool.effects] == [
        ("t1.0:active:p", "printed cell", -0.4),
        ("t1.1:only:p", "printed cell", 0.5),
    ]
    said = {note.name: note.text for note in pool.notes}
    assert pool.asked == "the effect of each study's first policy alone"
    assert said["asked"].startswith(f"{pool.asked} is pooled, as 1 of 3 studies has several")
    assert "[synergy] of study.toml names no printed cells" in said["left-out"]
    named = pool_studies([one, other], contrast=ATT)
    assert "asked" not in {note.name for note in named.notes}  # it was said
    assert named.effects == pool_studies([one, other], contrast="only:p - none").effects
    cells = {"a": "t1.0:active:p", "b": "t1.1:only:p"}
    assert pool_studies([one, other], cells=cells).asked == ""
    mixed = pool_studies([one, other], cells={"b": "t1.0:x"})
    assert [e.effect for e in mixed.effects] == ["t1.0:active:p", "t1.0:x"]


def test_where_too_few_give_a_sum_the_first_policy_is_pooled():
    """Three studies of two policies print none, only a policy alone: it is said."""
    studies = [of_policy(name, "-0.40", policies=("p", "q")) for name in "abc"]
    cells = {"a": "t1.0:active:p", "b": "t1.0:active:p"}
    assert asked_of(studies, None).name == SYNERGY
    pool = pool_studies(studies, cells=cells)
    assert [one.study for one in pool.effects] == ["a", "b"]
    with pytest.raises(InputError, match=r"can be pooled \(the effect of each study's first polic"):
        pool_studies(studies, cells={"a": "t1.0:active:p"})
    found = study_effects(studies, {"a": "t1.0:active:p"})
    assert found.notes[0].text.startswith(
        "the effect of each study's first policy alone is pooled, as fewer than two studies give"
    )
    assert found.left_out["b"].startswith("it has several policies, and [synergy]")


def test_a_study_of_one_policy_has_no_sum():
    pool = [of_policy("a", "-0.40"), of_policy("b", "-0.50", terms=("x",), policies=())]
    with pytest.raises(InputError, match="one policy has no sum"):
        study_effects(pool[:1], {}, SYNERGY)
    with pytest.raises(InputError, match="without policies it has no sum"):
        study_effects(pool[1:], {}, SYNERGY)
    three = of_policy("c", "-0.40", policies=("p", "q", "r"))
    assert contrast_of(SYNERGY, three) == "all - sum of singles"
    assert contrast_of(SYNERGY, three, ["p and q - sum of singles", "only:p - none"]) == (
        "p and q - sum of singles"
    )
    assert contrast_of(SYNERGY, three, ["only:p - none"]) == ""
    assert contrast_of(ATT, three, ["all - none", "only:q - none"]) == "only:q - none"


@pytest.mark.parametrize(("units", "scale"), [("uuv", "none"), ("uuvv", "sd"), ("uvw", "sd")])
def test_effects_are_divided_where_no_unit_is_that_of_more_than_half(units, scale):
    cell = {"estimate": "-0.40", "se": "0.10"}
    studies = [made(f"s{k}", cell, unit=unit) for k, unit in enumerate(units)]
    found = study_effects(studies, {})
    assert found.scale == scale
    assert {one.estimate for one in found.effects} == {-0.4 if scale == "none" else -0.2}
    said = [note.text for note in found.notes if note.name == "scale"]
    assert len(said) == (scale == "sd")
    assert len(found.left_out) == (scale == "none")
    assert all("none of more than half" in text for text in said)


def test_indirect_effects_are_products_of_printed_cells():
    """Cell by cell: a b, its sd that of a product of independent normals."""
    study = read_study(PILOT)
    (one,) = study_effects([study], {}, "indirect", "none").effects
    first, second = one.effect.split(" x ")
    a, b = study.cell(first), study.cell(second)
    x, y, s, t = (float(value) for value in (a.value, b.value, a.se, b.se))
    exact = np.sqrt(x**2 * t**2 + y**2 * s**2 + s**2 * t**2)
    assert (one.estimate, one.se) == (
        pytest.approx(x * y, abs=4 * exact / np.sqrt(20_000)),
        pytest.approx(exact, rel=4 / np.sqrt(2 * 20_000) * 2),
    )
    assert one.source == "printed columns"
