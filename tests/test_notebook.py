"""Values show what they are in a few lines, and the same in a notebook."""

import dataclasses

import pytest

import bayesdid as bd
from bayesdid.notebook import listed, many


@pytest.fixture(scope="module")
def small(studies):
    study = bd.load_study(studies / "small")
    return study, bd.load_panel(study)


def test_a_list_says_how_many_more_there_are():
    assert listed("abc", 2) == "a, b and 1 more"
    assert listed("ab", 2) == "a, b"
    assert listed([]) == "none"


def test_one_of_a_kind_is_no_plural():
    assert [many(k, "warning") for k in (0, 1, 2)] == ["0 warnings", "1 warning", "2 warnings"]


def test_study_spec_panel_and_design_say_what_they_are(small):
    study, panel = small
    assert "policies: a, b" in repr(study)
    assert "y ~ " in repr(study["t2.factorial"])
    said = repr(panel)
    assert f"{len(panel.frame)} rows, balanced" in said
    assert f"a: {int(panel.adoption['a'].notna().sum())} units adopt" in said
    assert f"SYNTHETIC PANEL: {panel.synthetic}" in said
    fewer = dataclasses.replace(panel, frame=panel.frame.iloc[1:], synthetic=None)
    assert "unbalanced" in repr(fewer)
    assert "SYNTHETIC" not in repr(fewer)
    design = bd.build_design(study["t2.factorial"], panel)
    assert f"{design.n} rows" in repr(design)
    assert "covariates: x" in repr(design)
    for value in (study, study["t2.factorial"], panel, design):
        assert len(repr(value).splitlines()) < 12


def test_html_escapes_what_a_study_says(small):
    study, _ = small
    about = study.file.study.model_copy(update={"title": "<b>bold</b>"})
    hostile = dataclasses.replace(study, file=study.file.model_copy(update={"study": about}))
    assert "&lt;b&gt;bold" in hostile._repr_html_()
    assert "<b>" not in hostile._repr_html_()


def test_a_synergy_is_a_table_with_what_was_refused(small):
    study, panel = small
    found = bd.synergy(study, panel, errors="iid", draws=500)
    frame = found.frame()
    assert list(frame.index) == list(found)
    for name, item in found.items():
        assert frame.loc[name, "mean"] == item.mean
        assert tuple(frame.loc[name, ["p_low", "p_high"]]) == item.p_range
        assert name in repr(found)
    for name, why in found.refused.items():
        assert f"refused: {name}: {why}" in repr(found)
    assert "<table" in found._repr_html_()
    assert "SYNTHETIC PANEL" in found._repr_html_()


def test_arviz_summarises_parameters_without_those_of_every_unit(small):
    import arviz as az

    study, panel = small
    fit = bd.fit(study["t2.factorial"], panel, errors="ar1_unit", draws=100)
    table = az.summary(fit.arviz(), kind="stats")
    assert len(table) < 15
    assert any("tau" in str(name) for name in table.index)
    levels = fit.arviz()["levels"].to_dataset()
    assert f"{panel.unit}_effect" in levels
    both = {*levels.data_vars, *fit.arviz()["posterior"].data_vars}
    assert both == set(fit.tree["posterior"].data_vars)
