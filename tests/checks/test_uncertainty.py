"""Which failures mean that a width is not to be trusted."""

import pandas as pd
import pytest

from bayesdid.checks.check import CheckResult
from bayesdid.checks.uncertainty import width_holds


def check(name, passed, observed=1.0, replicated=0.0):
    table = pd.DataFrame({"observed": [observed], "replicated": [replicated]})
    return CheckResult(name, passed, table, "")


@pytest.mark.parametrize(
    ("failed", "holds"),
    [
        (("autocorrelation", 0.4, 0.0), False),
        (("autocorrelation", 0.0, 0.4), True),  # wider than it need be
        (("dispersion", 2.0, 1.0), False),
        (("dispersion", 1.0, 2.0), True),
        (("unit_variance", 1.0, 0.0), False),
        (("unit_variance", 0.0, 1.0), False),
        (("M: autocorrelation", 0.4, 0.0), False),  # of a mediator
        (("differing_effects", 1.3, 1.0), False),
        (("skewness", 1.0, 0.0), True),
        (("maximum", 1.0, 0.0), True),
    ],
)
def test_only_failures_to_the_narrow_side_count(failed, holds):
    name, observed, replicated = failed
    fine = check("autocorrelation", True)
    assert width_holds([fine, check(name, False, observed, replicated)]) is holds
    assert width_holds([fine, check(name, True, observed, replicated)]) is True


def test_without_such_a_check_nothing_is_known():
    assert width_holds([]) is None
    assert width_holds([check("skewness", False)]) is None
    assert width_holds([check("autocorrelation", None)]) is None
