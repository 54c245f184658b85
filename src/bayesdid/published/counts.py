"""How many units of each type a study counts."""

from __future__ import annotations

from bayesdid.exceptions import Note
from bayesdid.study.load import Study


def type_counts(study: Study) -> tuple[dict[str, float] | None, tuple[Note, ...]]:
    """Units of each type: ``none``, ``only:P``, ``first:P``, ``simultaneous``."""
    design = study.file.design
    policies = [policy.id for policy in study.policies]
    pairs = 0 if len(policies) == 1 else design.dual
    if design.none is None or design.single is None or pairs is None:
        return None, ()
    notes: list[Note] = []
    only = {p: float(count) for p, count in design.only.items()}
    if not only:
        only = dict.fromkeys(policies, design.single / len(policies))
    if not design.only and len(policies) > 1:
        notes.append(
            Note(
                "split_of_singles",
                design.single,
                f"how the {design.single} single units divide among the policies is not "
                "published: equal shares are assumed",
            )
        )
    first = {p: float(design.first.get(p, 0)) for p in policies}
    rest = pairs - sum(first.values()) if not design.simultaneous else design.simultaneous
    if not design.first:
        first, rest = dict.fromkeys(policies, pairs / len(policies)), 0.0
    return {
        "none": float(design.none),
        **{f"only:{p}": only.get(p, 0.0) for p in policies},
        **{f"first:{p}": first[p] for p in policies},
        "simultaneous": float(rest),
    }, tuple(notes)
