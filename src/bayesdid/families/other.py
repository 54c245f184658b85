"""A column that is typed in for its printed numbers only: audited, never run."""

from __future__ import annotations

from bayesdid.families.registry.family import MODEL_FIELDS, Family, Options
from bayesdid.families.registry.sections import METHODS

FAMILY = Family(
    name="other",
    question="any other printed column: audited, not run",
    checked="the audit's rules",
    section=METHODS,
    options=Options,
    order=20,
    reads=MODEL_FIELDS,
)
