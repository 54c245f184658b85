"""The example of the format's documentation loads, and its commands work."""

import re

import pytest

from bayesdid.audit.run import audit_study
from bayesdid.families.registry.load import load_study
from bayesdid.published.synergy import published_synergy


@pytest.fixture
def example(root, tmp_path):
    text = (root / "docs" / "study-format.md").read_text(encoding="utf-8")
    for name, block in re.findall(r"`([\w.]+\.toml)`:\n\n```toml\n(.*?)```", text, flags=re.S):
        (tmp_path / name).write_text(block, encoding="utf-8")
    return load_study(tmp_path)


def test_the_documented_example(example):
    assert list(example.specs) == ["table1.1", "table1.2", "table1.3"]
    assert not audit_study(example).flagged
    found = published_synergy(example)
    contrast = found.contrasts["both - sum of singles"]
    assert contrast.naive == pytest.approx(-1.7 + 1.2 + 0.8)
    assert found.knowledge == "drawn"
    assert example.file.design.timing.rounds == {"a": (2002, 2006), "b": (2004,)}


def test_every_audit_rule_is_documented(root):
    from bayesdid.audit.run import RULES

    text = (root / "docs" / "audit.md").read_text(encoding="utf-8")
    for rule in RULES:
        assert f"| `{rule.__name__}` |" in text
