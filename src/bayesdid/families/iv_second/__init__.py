"""An instrument for an endogenous treatment."""

from __future__ import annotations

from bayesdid.families.registry.family import TWO_WAY_FIELDS, Family, Options
from bayesdid.families.registry.sections import ROBUSTNESS

FAMILY = Family(
    name="iv_second",
    question="the effect by an instrument, weak or not",
    checked="2SLS (`linearmodels`)",
    section=ROBUSTNESS,
    options=Options,
    order=40,
    reads=TWO_WAY_FIELDS | {"instrument"},
    alone="two equations whose errors correlate are solved within units and periods alone",
    treatments="one",
    run="bayesdid.families.iv_second.analysis:instrument",
)
