"""Two-way fixed-effects regression, plain or factorial: what most columns are."""

from __future__ import annotations

from bayesdid.families.registry.family import ROW_FIELDS, TWO_WAY_FIELDS, Family, Options
from bayesdid.families.registry.sections import EFFECTS

FAMILY = Family(
    name="twfe",
    question="the effect of each treatment, unit and period effects taken out",
    checked="least squares (`pyfixest`), an identity under flat priors",
    section=EFFECTS,
    options=Options,
    reads=TWO_WAY_FIELDS | ROW_FIELDS,
    order=10,
    fitted=True,
)
