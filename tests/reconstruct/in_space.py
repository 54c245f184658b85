"""A spatial column of a panel by maximum likelihood, by other code than that which moves panels."""

import dataclasses

from bayesdid.design.build import build_design
from bayesdid.peers.spatial_ml import spatial_ml
from bayesdid.spatial.design import spatial_design
from bayesdid.spatial.weights.build import resolve_weights


def fitted_in_space(study, panel, place, weights=None):
    """Estimates and standard errors by term, under the column's weights or others."""
    spec = study[place]
    linear = spec.column.model_copy(update={"family": "twfe"})
    design = build_design(dataclasses.replace(spec, column=linear), panel)
    near = resolve_weights(study, panel, weights or spec.column.weights)
    return spatial_ml(spatial_design(design, near)).table().set_index("term")
