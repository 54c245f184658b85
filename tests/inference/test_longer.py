"""A fit whose gate fails for want of draws is made once more, with more of them, and says so."""

import json

import numpy as np
import pytest
import xarray as xr
from panels import make_design

from bayesdid.inference import fit as fitting
from bayesdid.inference.failure import failure
from bayesdid.inference.fit import fit
from bayesdid.inference.gate import GateItem
from bayesdid.inference.longer import LEAST, TIMES
from bayesdid.inference.registry import Engine
from bayesdid.inference.tree import provenance
from bayesdid.jsonio import plain


@pytest.fixture(scope="module")
def design():
    return make_design(0, N=6, T=4)


def engine(asked, passes_from, criterion="ess_bulk", *, longer=True):
    """Draws that are their own number, of which so many pass."""

    def draw(model, design, priors, size):
        asked.append(size.draws)
        value = np.arange(size.draws, dtype=float)
        shape = (size.chains, size.draws, len(design.treatments))
        tau = np.broadcast_to(value[:, None], shape)
        data = xr.Dataset(
            {"tau": (("chain", "draw", "treatment"), tau)},
            coords={"treatment": list(design.treatments), "draw": np.arange(size.draws)},
        )
        gate = [GateItem(criterion, 0.0, 1.0, size.draws >= passes_from)]
        tree = xr.DataTree.from_dict({"posterior": data, "constant_data": xr.Dataset()})
        tree.attrs = provenance(
            design, priors, "stub", size.seed, size.draws, size.chains, gate, None
        )
        return tree

    return Engine("stub", "gibbs", 0.0, lambda *_: "", draw, longer=longer)


def made(monkeypatch, design, draws, passes_from, *more, **options):
    asked = []
    monkeypatch.setattr(fitting, "ENGINES", (engine(asked, passes_from, *more, **options),))
    return asked, fit(design, draws=draws, chains=2)


def test_a_fit_that_passes_is_left_alone(monkeypatch, design):
    asked, found = made(monkeypatch, design, 200, 200)
    assert asked == [200]
    assert found.tree.attrs["draws_taken"] == 200
    assert "2 x 200 draws, seed" in found.summary()


@pytest.mark.parametrize(("draws", "more"), [(200, LEAST), (2000, 2000 * TIMES), (300, 3900)])
def test_more_are_taken_and_as_many_kept_as_were_asked_for(monkeypatch, design, draws, more):
    asked, found = made(monkeypatch, design, draws, more)
    assert asked == [draws, more]
    assert found.converged
    stride = more // draws
    kept = found.tree["posterior"]["tau"].to_numpy()[0, :, 0]
    np.testing.assert_array_equal(kept, np.arange(stride - 1, more, stride))
    np.testing.assert_array_equal(found.tree["posterior"]["draw"], np.arange(draws))
    assert (found.tree.attrs["draws"], found.tree.attrs["draws_taken"]) == (draws, more)
    assert f"2 x {draws} draws (of {more:,} taken), seed" in found.summary()


def test_what_fails_with_more_draws_is_no_result(monkeypatch, design):
    asked, found = made(monkeypatch, design, 200, np.inf)
    assert asked == [200, LEAST]
    assert not found.converged
    assert f"draws={4 * LEAST}" in failure(found.tree)


@pytest.mark.parametrize("criterion", ["divergences", "e_bfmi", "acceptance", "edge_mass"])
def test_what_more_draws_do_not_mend_is_not_made_again(monkeypatch, design, criterion):
    assert made(monkeypatch, design, 200, LEAST, criterion)[0] == [200]


def test_an_engine_with_longer_chains_of_its_own_is_not_run_again(monkeypatch, design):
    assert made(monkeypatch, design, 200, LEAST, longer=False)[0] == [200]


def test_all_that_failed_must_be_for_want_of_draws():
    from bayesdid.inference.longer import _for_want

    tree = xr.DataTree()
    for names, again in ((["rhat"], True), (["rhat", "divergences"], False), ([], False)):
        gate = [GateItem(name, 2.0, 1.0, False) for name in names]
        tree.attrs["gate"] = json.dumps(plain([*gate, GateItem("ess_tail", 2.0, 1.0, True)]))
        assert _for_want(tree) == again
