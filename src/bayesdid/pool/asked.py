"""Which effect of every study is pooled: by a name that all understand, or as a contrast."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bayesdid.estimands.names import contrasts_of, is_sum, main_contrast
from bayesdid.study.load import Study

ATT, SYNERGY, INDIRECT = "att", "synergy", "indirect"
NAMES = {
    ATT: "the effect of each study's first policy alone",
    SYNERGY: "what policies of each study do together beyond the sum of each",
    INDIRECT: "an indirect effect of each study, through a mediator",
}
"""Name of an effect -> what it is."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The effect of studies without a cell of their own.

    Attributes
    ----------
    name
        One of :data:`NAMES`, or a contrast.
    why
        Why it was taken where none was named; else empty.
    """

    name: str
    why: str = ""

    @property
    def words(self) -> str:
        """What it is, for a reader."""
        return NAMES.get(self.name, self.name)


def asked_of(studies: Sequence[Study], contrast: str | None) -> Asked:
    """The contrast that was named, else the effect that most studies can have.

    That is what policies do together beyond their sum where more than half of the studies have
    several policies, else the effect of the first policy alone.
    """
    if contrast is not None:
        return Asked(contrast)
    several = sum(len(study.policies) > 1 for study in studies)
    most = 2 * several > len(studies)
    other = ATT if most else SYNERGY
    have = f"{several} of {len(studies)} studies {'has' if several == 1 else 'have'}"
    return Asked(
        SYNERGY if most else ATT,
        f"{have} several policies (--contrast {other} pools {NAMES[other]})",
    )


def contrast_of(asked: str, study: Study, names: Collection[str] | None = None) -> str:
    """The name of the asked contrast of a study among `names`; "" if it is none of them.

    Parameters
    ----------
    names
        Default all that a study of its policies may have.
    """
    known = [one.name for one in contrasts_of(study)] if names is None else list(names)
    if asked == SYNERGY:
        main = main_contrast(known)
        return main if is_sum(main) else ""
    if asked == ATT:
        alone = [f"only:{policy.id} - none" for policy in study.policies]
        return next((name for name in alone if name in known), "")
    return asked if asked in known else ""
