"""A regression published as pooled: fitted as it is declared."""

from __future__ import annotations

from bayesdid.families.registry.family import ROW_FIELDS, TWO_WAY_FIELDS, Family, Options
from bayesdid.families.registry.sections import EFFECTS

FAMILY = Family(
    name="pooled",
    question='a regression published as pooled: set `unit_effects = "none"`',
    checked="least squares (`pyfixest`), an identity under flat priors",
    section=EFFECTS,
    options=Options,
    reads=TWO_WAY_FIELDS | ROW_FIELDS,
    order=20,
    fitted=True,
)
