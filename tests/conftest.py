"""Shared settings: helper modules beside the tests are importable."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
for folder in Path(__file__).parent.iterdir():
    if folder.is_dir():
        sys.path.insert(0, str(folder))


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return Path(__file__).parents[1]


@pytest.fixture(scope="session")
def models(root: Path) -> Path:
    """The shipped studies."""
    return root / "models"


@pytest.fixture(scope="session")
def studies(root: Path) -> Path:
    """Small studies of the tests' own."""
    return root / "tests" / "studies"
