"""A regression published as pooled: fitted as it is declared."""

from __future__ import annotations

from bayesdid.families.registry.family import Family, Options
from bayesdid.families.registry.sections import AGREEMENT

FAMILY = Family(
    name="pooled",
    question='a regression published as pooled: set `unit_effects = "none"`',
    checked="least squares (`pyfixest`), an identity under flat priors",
    section=AGREEMENT,
    options=Options,
    order=20,
    fitted=True,
)
