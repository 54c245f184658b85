"""What an analysis states by name, as tests ask for it."""

from __future__ import annotations

from bayesdid.estimands.stated import StatedEffect
from bayesdid.families.analysis import Analysis


def stated(analysis: Analysis, name: str) -> dict[str, StatedEffect]:
    """Model -> effect, of one name."""
    return {item.model: item for item in analysis.effects if item.name == name}


def main_of(analysis: Analysis, name: str) -> StatedEffect:
    """The one that answers for the analysis."""
    (found,) = [item for item in stated(analysis, name).values() if item.main]
    return found
