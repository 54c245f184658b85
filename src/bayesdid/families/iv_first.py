"""First stage of an instrument, as printed: its second stage is what is run."""

from __future__ import annotations

from bayesdid.families.registry.family import ROW_FIELDS, TWO_WAY_FIELDS, Family, Options
from bayesdid.families.registry.sections import METHODS

FAMILY = Family(
    name="iv_first",
    question="a printed first stage: audited, not run (`iv_second` fits both equations)",
    checked="the audit's rules",
    section=METHODS,
    options=Options,
    order=10,
    reads=TWO_WAY_FIELDS | ROW_FIELDS | {"instrument"},
)
