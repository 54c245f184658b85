"""Cheng & Hoekstra (2013), Table 5, log homicide: every published digit, from a data frame.

The copy of the data that packages ship has the law as 0 and 1; the treatment in the paper is the
share of the year in which it was in force. So these tests read a copy that does not ship.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayesdid as bd
from bayesdid.peers.fixest import least_squares

DATA = Path("/work/shared/data/castle_cheng_hoekstra_50x11.csv")
CONTROLS = (
    "l_police + unemployrt + poverty + l_income + l_prisoner + l_lagprisoner + blackm_15_24 + "
    "whitem_15_24 + blackm_25_44 + whitem_25_44 + l_exp_subsidy + l_exp_pubwelfare"
)
STEPS = (
    "cdl | sid + year",
    "cdl | sid + year + region^year",
    f"cdl + {CONTROLS} | sid + year + region^year",
    f"cdl + {CONTROLS} | sid[year] + year + region^year",
)
# weights, step, estimate and standard error clustered by state, as printed where known
PUBLISHED = [
    (None, 0, ".0877", ".0638"),
    (None, 1, ".0811", ".0769"),
    (None, 2, ".0600", ".0684"),
    (None, 3, ".0672", ".0450"),
    ("popwt", 0, ".0801", ".0342"),
    ("popwt", 1, ".0946", ".0279"),
    ("popwt", 2, ".0937", ".0290"),
    ("popwt", 3, ".100", None),
]


def as_printed(value, printed):
    """The number rounded to as many digits as are printed."""
    return f"{value:.{len(printed) - 1}f}".removeprefix("0")


@pytest.mark.skipif(not DATA.is_file(), reason="not shipped")
@pytest.mark.parametrize(("weights", "step", "estimate", "se"), PUBLISHED)
def test_every_published_digit_is_that_of_least_squares(weights, step, estimate, se):
    formula = f"l_homicide ~ {STEPS[step]}"
    study, panel = bd.study_of(pd.read_csv(DATA), formula, weights=weights)
    design = bd.build_design(study["did.1"], panel)
    peer = least_squares(design).table.loc["cdl"]
    assert as_printed(peer["estimate"], estimate) == estimate
    assert se is None or as_printed(peer["se_cluster"], se) == se
    fit = bd.fit(bd.model(study["did.1"], panel, errors="iid", priors="flat"), draws=250)
    beside = fit.beside().loc["cdl"]
    assert beside["mean"].to_numpy() == pytest.approx(np.full(2, peer["estimate"]), abs=1e-8)
    assert beside.loc["cluster (50)", "sd"] == pytest.approx(peer["se_cluster"], rel=1e-7)
    row = fit.tidy().loc["cdl"]
    assert abs(row["mean"] - peer["estimate"]) < 5 * row["mcse"]
    said = {note.name: note.text for note in design.notes}.get("identification", "")
    assert ("cdl varies in 21 of 50 sid" in said) == (step > 0)
    assert ("sid trends" in said) == (step == 3)
