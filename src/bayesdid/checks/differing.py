"""Do effects differ between units? The check of the headline, from its own comparison."""

from __future__ import annotations

import pandas as pd

from bayesdid.checks.check import CheckResult, inapplicable
from bayesdid.estimands.beside import DIFFERING, HEADLINE
from bayesdid.estimands.names import main_contrast
from bayesdid.estimands.synergy import Synergy

NAME = "differing_effects"
_FAILING = (
    "units of a cohort have effects of their own, which the model gives one: intervals of "
    "contrasts between units are too narrow"
)


def differing_check(synergy: Synergy) -> CheckResult:
    """Whether effects that are common to units describe the data, and what is done if not.

    It fails with probability :data:`~bayesdid.estimands.differing.LIMIT` if the model is true.
    """
    found = synergy.differing
    if found is None:
        return inapplicable(NAME, "no unit was seen with and without a policy")
    inside, done = found.interval, ""
    table = pd.DataFrame(
        [
            {
                "statistic": NAME,
                "observed": found.observed,
                "replicated": found.replicated,
                f"low{100 * inside.level:g}": inside.low,
                f"high{100 * inside.level:g}": inside.high,
                "p": found.p,
                "limit": found.limit,
                "sd between units": found.sd,
            }
        ]
    )
    text = f"{found.found} The model, in which they are common to units of a cohort, "
    text += "passes." if found.passed else "fails."
    if not found.passed and len(synergy):
        main = synergy[main_contrast(synergy)]
        narrow, wide = main.models[HEADLINE], main.models[DIFFERING]
        text += (
            f" The interval of {main.label} has to be about "
            f"{100 * (wide.sd / narrow.sd - 1):.0f} % wider."
        )
        done = (
            f"“{DIFFERING}” answers in its place: the same means, and of {main.label} the sd "
            f"{wide.sd:.3g} in the place of {narrow.sd:.3g}"
        )
    return CheckResult(NAME, found.passed, table, text, failing=_FAILING, done=done)
