"""Specs of every family are examined, from the fit that their family made."""

import json

import pytest
from every import COLUMNS, every, every_panel
from typer.testing import CliRunner

from bayesdid.cli.app import app
from bayesdid.exceptions import InputError
from bayesdid.families.examined import MANY, examine_spec
from bayesdid.families.registry.discover import families
from cells import slow_but

RUN = [name for name in COLUMNS if families()[name].is_used and name != "comparison"]
OF_MANY = {"placebo", "errors", "specification_curve", "psm_did", "spillover_bands"}


@pytest.mark.parametrize("name", slow_but(RUN, "heterogeneity"))
def test_each_family_is_examined(name):
    study, panel = every(), every_panel()
    draws = 250 if name == "overlap" else 50  # fewer do not pass its gate
    found = examine_spec(study, f"t.{name}", panel, draws=draws, refits=1)
    assert (found.family, found.synthetic) == (name, panel.synthetic)
    assert found.note == (MANY if name in OF_MANY else "")
    assert found.equation
    for result in found.results:
        assert result.text.endswith(".")
        assert result.passed is not None or result.text
    assert {"scepticism", "chains", "loo", "leave_one_unit_out"} <= {r.name for r in found.results}
    assert len(found.standards) > 25


def test_a_family_that_is_never_run_is_refused():
    with pytest.raises(InputError, match="never run"):
        examine_spec(every(), "t.other", every_panel())
    with pytest.raises(InputError, match="check the specs that it compares"):
        examine_spec(every(), "t.comparison", every_panel())


def test_full_checks_on_the_command_line(studies):
    """One spec of a small study, few draws: JSON holds checks with figures, and standards."""
    arguments = ["check", str(studies / "small"), "--full", "--spec", "t2.factorial"]
    run = CliRunner().invoke(app, [*arguments, "--draws", "50", "--json"])
    assert run.exit_code == 0, run.output
    (entry,) = json.loads(run.stdout)["specs"]
    names = [check["name"] for check in entry["results"]]
    assert names[0] == "prior_predictive"
    assert names[-1] == "scepticism"
    assert entry["results"][-1]["figure"]["kind"] == "curve"
    assert entry["standards"][0]["standard"] == "BARG"
    refused = CliRunner().invoke(app, [*arguments, "--errors", "iid"])
    assert "--errors with --full" in str(refused.exception)
