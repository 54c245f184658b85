"""The contrasts that a study of two policies is about, and how to speak of them.

Estimands are effects of a policy state against no policy: ``both``, ``only:P``, and for the order
of adoption ``first:P``. Contrasts are named by what is subtracted from what.
"""

from __future__ import annotations

from dataclasses import dataclass

from bayesdid.study.load import Study

MAX_SINGLE = "both - max single"
RATIO = "both / sum of singles"
SUM = "both - sum of singles"


@dataclass(frozen=True, slots=True)
class Contrast:
    """A named contrast.

    Attributes
    ----------
    name
        ``"both - sum of singles"``; claims refer to it.
    label
        With the policies' own names.
    weights
        Estimand -> weight, or None for the non-linear ones.
    """

    name: str
    label: str
    weights: dict[str, float] | None


def contrasts_of(study: Study) -> tuple[Contrast, ...]:
    """All contrasts of a study, in the order in which a report shows them."""
    labels = {policy.id: policy.label for policy in study.policies}
    if not labels:
        return ()
    if len(labels) == 1:
        (one,) = labels
        return (Contrast(f"only:{one} - none", f"{labels[one]} − none", {f"only:{one}": 1.0}),)
    a, b = labels
    A, B = labels.values()
    singles = {f"only:{a}": -1.0, f"only:{b}": -1.0}
    order = (f"first:{a}", f"first:{b}")
    return (
        Contrast("both - none", "Both − none", {"both": 1.0}),
        *(
            Contrast(f"only:{p} - none", f"{labels[p]} only − none", {f"only:{p}": 1.0})
            for p in labels
        ),
        *(
            Contrast(
                f"both - only:{p}", f"Both − {labels[p]} only", {"both": 1.0, f"only:{p}": -1.0}
            )
            for p in labels
        ),
        Contrast("both - single", "Both − single (pooled)", {"both|single": 1.0}),
        Contrast(MAX_SINGLE, "Both − the better single", None),
        Contrast(SUM, f"Both − ({A} + {B})", {"both": 1.0, **singles}),
        Contrast(RATIO, f"Both ÷ ({A} + {B})", None),
        Contrast(
            f"{order[0]} - {order[1]} vs none",
            f"{A} first − {B} first, against none",
            {order[0]: 1.0, order[1]: -1.0},
        ),
        Contrast(
            f"{order[0]} - {order[1]} vs single",
            f"{A} first − {B} first, against single",
            {f"{order[0]}|single": 1.0, f"{order[1]}|single": -1.0},
        ),
    )
