"""Shared settings: helper modules beside the tests are importable."""

import gc
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
for folder in Path(__file__).parent.iterdir():
    if folder.is_dir():
        sys.path.insert(0, str(folder))


def pytest_collection_finish() -> None:
    """What imports made is no garbage: to look at it again and again is a twentieth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 20, 100)


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
