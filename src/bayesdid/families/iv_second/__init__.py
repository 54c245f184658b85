"""An instrument for an endogenous treatment."""

from __future__ import annotations

from bayesdid.families.registry.family import ROW_FIELDS, TWO_WAY_FIELDS, Family, Options
from bayesdid.families.registry.sections import ROBUSTNESS

FAMILY = Family(
    name="iv_second",
    question="the effect by an instrument, weak or not",
    checked="2SLS (`linearmodels`)",
    section=ROBUSTNESS,
    options=Options,
    order=40,
    reads=TWO_WAY_FIELDS | ROW_FIELDS | {"instrument"},
    treatments="one",
    run="bayesdid.families.iv_second.analysis:instrument",
)
