"""The compiler: one function from a model and a design to a PyMC model.

Each kind of mean has a builder that writes its equation; effects, errors and likelihoods are
shared. Constants of priors stand in :mod:`bayesdid.model.priors`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pymc as pm
import pytensor
from pymc import model_graph

from bayesdid.design.design import Design
from bayesdid.extras import extra
from bayesdid.model.equations import instrument_of, mediators_of
from bayesdid.model.geometry import chosen_by_data
from bayesdid.model.mean import Instrument, Mediation, Path, Pooled, Propensity, TwoWay
from bayesdid.model.model import Model
from bayesdid.model.priors import Priors
from bayesdid.model.pymc.durbin import durbin
from bayesdid.model.pymc.instrument import instrument
from bayesdid.model.pymc.mediation import mediation
from bayesdid.model.pymc.path import path
from bayesdid.model.pymc.pooled import pooled
from bayesdid.model.pymc.profile import profile
from bayesdid.model.pymc.propensity import propensity
from bayesdid.model.pymc.setting import Setting, coords
from bayesdid.model.pymc.two_way import two_way
from bayesdid.model.resolve import AnyDesign, base_of, check_design, outcome_priors, under_effects
from bayesdid.model.spillover import ProfileDesign
from bayesdid.spatial.design import SpatialDesign

_BY_ROWS: dict[type[Any], Callable[[Setting], None]] = {
    TwoWay: two_way,
    Pooled: pooled,
    Path: path,
    Mediation: mediation,
    Instrument: instrument,
    Propensity: propensity,
}


def to_pymc(
    model: Model,
    design: AnyDesign,
    *,
    priors: Priors | None = None,
    noncentred: frozenset[str] | None = None,
) -> pm.Model:
    """The model of these data, as PyMC writes it.

    Parameters
    ----------
    design
        Of rows; a spatial design for the Durbin family, a profile design for a profile over
        distance. Its effects give way to those of the model.
    priors
        As numbers, in the place of those that the model's choice gives; of models in rows.
    noncentred
        Random variables that the sampler sees as multiples of their scale, e.g. ``city_effect``;
        by default the data decide (:mod:`bayesdid.model.geometry`). The posterior is the same.

    Raises
    ------
    InputError
        If the design lacks what the model needs.
    """
    own = under_effects(design, model)
    check_design(model, own)
    if noncentred is None:
        noncentred = chosen_by_data(model, base_of(own))
    with pm.Model(coords=_coords(model, own)) as compiled:
        if isinstance(own, SpatialDesign):
            durbin(model, own, noncentred)
        elif isinstance(own, ProfileDesign):
            profile(model, own, noncentred)
        else:
            priors = priors or outcome_priors(model, own)
            _BY_ROWS[type(model.mean)](Setting(model, own, priors, noncentred))
    return compiled


def _coords(model: Model, design: AnyDesign) -> dict[str, Any]:
    base = design if isinstance(design, Design) else design.base
    if isinstance(model.mean, Mediation):
        base = mediators_of(model, base).rest
    if isinstance(model.mean, Instrument):
        base = instrument_of(model, base).rest
    return coords(base)


def to_graphviz(model: Model, design: AnyDesign) -> Any:
    """The compiled model as a graph, of the package graphviz.

    Raises
    ------
    InputError
        If the package is not installed.
    """
    with extra("report"):
        from graphviz import Digraph

    compiled = to_pymc(model, design)
    with _shapes_inferred():
        graph: Digraph = pm.model_to_graphviz(compiled)
    return graph


@contextmanager
def _shapes_inferred() -> Iterator[None]:
    """Let PyMC infer shapes of nodes: it draws from them, which flat priors refuse (pymc#8024)."""
    drawing = model_graph.fast_eval
    model_graph.fast_eval = lambda var: pytensor.function([], var, mode="FAST_COMPILE")()
    try:
        yield
    finally:
        model_graph.fast_eval = drawing
