"""Families of neighbours with weights of rows: what is shown, beside what, and what is left out."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from made import make_panel
from test_spatial_analysis import N, T, mapped, table

import bayesdid as bd
from bayesdid.design.build import as_two_way, build_design
from bayesdid.exceptions import InputError
from bayesdid.families.examined import MANY, _fit_of
from bayesdid.families.sdm.output import DIRECT, LEE_YU, WEIGHTED
from bayesdid.families.spillover_distance import DistanceOptions
from bayesdid.families.spillover_distance.analysis import made_design
from bayesdid.peers.spatial_ml import spatial_ml
from bayesdid.spatial.design import spatial_design
from bayesdid.spatial.weights.build import resolve_weights


def with_population(options=None, **column):
    """The planted panel of the spatial families, rows of which count by their population."""
    study, spec, panel = mapped(options, row_weights="pop", **column)
    rng = np.random.default_rng(6)
    frame = panel.frame.assign(
        pop=np.exp(rng.normal(0, 1, N))[panel.frame["unit"]] * rng.uniform(0.5, 1.5, N * T)
    )
    return study, spec, make_panel(frame, panel.adoption)


def test_an_analysis_of_neighbours_with_weights():
    study, spec, panel = with_population()
    found = bd.analyse(study, spec, panel, draws=50)
    assert found.converged
    assert WEIGHTED in found.notes
    assert any("analytic weights pop" in note for note in found.notes)
    assert not any("Moran" in sentence for sentence in found.sentences)
    assert "tests" not in {item.name for item in found.tables}
    effects = table(found, "effects")
    assert DIRECT in effects
    assert LEE_YU not in effects
    told = " ".join(item.caption for item in found.tables)
    assert "in the metric of the weights, which no transformation does" in told
    assert "Lee & Yu" not in told
    assert all(peer.holds for peer in found.peers)
    assert found.peers
    base = build_design(as_two_way(spec, with_rows=True), panel)
    W = resolve_weights(study, panel, "near")
    without = dataclasses.replace(base, weights=None)
    used, unused = (spatial_ml(spatial_design(own, W)).estimates[1] for own in (base, without))
    assert found.peers[1].estimate == pytest.approx(used, rel=1e-6)
    assert found.peers[1].estimate != pytest.approx(unused, rel=1e-2)


def test_bands_have_weights():
    options = {"step_km": 400.0, "last_km": 800.0}
    column = {"family": "spillover_bands", "weights": None}
    one = bd.analyse(*with_population(options, **column), draws=25)
    none = bd.analyse(*mapped(options, **column), draws=25)
    assert any("analytic weights pop" in note for note in one.notes)
    means = [table(item, "bands")["mean"].to_numpy() for item in (one, none)]
    assert (abs(means[0] - means[1]) > 1e-3).any()


def test_what_many_fits_vary_is_examined_with_its_weights(monkeypatch):
    many = SimpleNamespace(fit=None)
    monkeypatch.setattr("bayesdid.families.examined.analyse", lambda *_, **__: many)
    monkeypatch.setattr("bayesdid.families.examined.fit", lambda bound, **_: bound)
    for family in ("placebo", "spillover_bands"):
        bound, note = _fit_of(*with_population({}, family=family, weights=None), 0, 25)
        assert bound.model.weighted
        assert note == MANY


def test_a_profile_has_weights():
    study, spec, panel = with_population({}, family="spillover_distance", weights=None)
    design = made_design(study, spec, panel, DistanceOptions())
    pop = panel.frame["pop"].to_numpy()
    np.testing.assert_allclose(design.base.weights, pop / pop.mean())
    # unit effects have taken out weighted means: residuals times roots of weights sum to zero
    left = design.Y * np.sqrt(design.base.weights.reshape(N, T))
    np.testing.assert_allclose(left.sum(axis=1), 0, atol=1e-9)


def test_frequencies_make_no_spatial_design():
    study, spec, panel = with_population({}, family="twfe", weights=None)
    panel = make_panel(panel.frame.assign(pop=np.arange(N * T) % 3 + 1.0), panel.adoption)
    column = spec.column.model_copy(update={"row_weights_kind": "frequency"})
    base = build_design(dataclasses.replace(spec, column=column), panel)
    with pytest.raises(InputError, match="several rows of a unit in one period; a spatial lag"):
        spatial_design(base, resolve_weights(study, panel, "near"))
