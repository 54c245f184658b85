"""What stands beside a posterior: least squares, or the quasi-likelihood of counts, clustered."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import xarray as xr

from bayesdid.design.design import Design
from bayesdid.design.treated import FEW_CLUSTERS
from bayesdid.exceptions import Note, NotIdentifiedError
from bayesdid.inference.exact.quasi import working
from bayesdid.inference.exact.sandwich import Beside, beside
from bayesdid.model.errors import Errors
from bayesdid.model.mean import Instrument, TwoWay
from bayesdid.model.model import Model
from bayesdid.notebook import many
from bayesdid.summary import significant

APART = 3.0
"""Standard errors of their difference from which on two estimates of one effect are far apart."""
FEWEST_CLUSTERS = 3
"""Of two clusters the scores of what fixed effects leave are opposite: their errors are near 0."""
OF_ROWS_BESIDE = frozenset({"dispersion", "clusters_unused", "unlike_least_squares"})
"""Names of the notes that a fit has from the rows beside it, not from its design."""


def stand_beside(tree: xr.DataTree, model: Model, design: Design) -> None:
    """Add the rows beside the treatments where they are identified, and notes on what they show.

    A random effect that takes up a treatment, such as the shock that individuals of one group and
    period share, is no part of these rows: the regression that people run has none.
    """
    if isinstance(model.mean, TwoWay):
        own = design if model.weighted else replace(design, weights=None)
        plain = replace(own, further=tuple(f for f in own.further if f.kind == "fixed"))
        if not _stood(tree, model, own) and len(plain.further) < len(own.further):
            _stood(tree, model, plain)
    if design.cluster is not None and "beside" not in tree.children:
        if isinstance(model.mean, TwoWay):
            why = "least squares does not identify these effects"
        elif isinstance(model.mean, Instrument):
            why = "bd.analyse of the study that bd.study_of makes has 2SLS with these clusters"
        else:
            return  # of an analysis, which has peers of its own
        text = f"no row clustered by {design.cluster.name} stands beside: {why}"
        _noted(tree, Note("clusters_unused", design.clusters, text))


def _stood(tree: xr.DataTree, model: Model, design: Design) -> bool:
    """Whether rows could be added."""
    name = "iid (flat)"
    try:
        if model.likelihood.is_discrete:
            solved = working(design, model.likelihood)
            binomial = model.likelihood.name == "binomial"
            design, name = solved.design, "quasi-binomial" if binomial else "quasi-poisson"
            if model.errors == Errors() and model.likelihood.name != "negative_binomial":
                _noted(tree, solved.note(model.likelihood))
        found = beside(design)
    except NotIdentifiedError:
        return False  # a proper prior identifies what least squares cannot
    if not model.likelihood.is_discrete:
        _noted(tree, unlike(tree, model, found))
    names, sds = [name], [found.sd_iid]
    if found.clusters < FEWEST_CLUSTERS:
        which = design.cluster.name if design.cluster else design.unit_dim
        text = (
            f"no row clustered by {which} stands beside: one cluster tells no error"
            if found.clusters == 1
            else f"no row clustered by {which} stands beside: {found.clusters} clusters, whose "
            "scores cancel, tell no error"
        )
        _noted(tree, Note("clusters_unused", found.clusters, text))
    else:
        names.append(_clustered(design, found.clusters))
        sds.append(found.sd_cluster)
    tree["beside"] = xr.DataTree(
        xr.Dataset(
            {
                "mean": (("errors", "treatment"), np.stack([found.mean] * len(sds))),
                "sd": (("errors", "treatment"), np.stack(sds)),
            },
            coords={"errors": names, "treatment": list(design.treatments)},
        )
    )
    return True


def unlike(tree: xr.DataTree, model: Model, found: Beside) -> Note | None:
    """That a posterior is far from least squares, which should estimate the same.

    The comparison of Hausman (1978, Econometrica 46, 1251-1271): the variance of the difference is
    that of least squares (clustered) less that of the model, at least a quarter of the former.
    Silent where least squares is the model's own, where priors move it, or clusters are few.
    """
    own = model.errors == Errors() and model.likelihood.name == "normal"
    own &= "random" not in {effect.kind for effect in model.effects}
    prior = model.priors.name == "sceptical" or bool(model.priors.terms)
    if own or prior or not tree.attrs["converged"] or found.clusters < FEW_CLUSTERS:
        return None
    tau = tree["posterior"]["tau"]
    mean, sd = (getattr(tau, how)(("chain", "draw")).to_numpy() for how in ("mean", "std"))
    variance = found.sd_cluster**2
    gap = (mean - found.mean) / np.sqrt(np.maximum(variance - sd**2, variance / 4))
    far = np.flatnonzero(abs(gap) > APART)
    if not len(far):
        return None
    k = far[np.argmax(abs(gap[far]))]
    others = f", and {many(len(far) - 1, 'more term')}" if len(far) > 1 else ""
    text = (
        f"{tau['treatment'].to_numpy()[k]}{others}: this posterior ({significant(mean[k])}) and "
        f"least squares ({significant(found.mean[k])}) are {abs(gap[k]):.1f} standard errors of "
        "their difference apart: effects differ between units or over time, which the two weigh "
        "unlike, or the errors are not as modelled; neither stands for the other"
    )
    return Note("unlike_least_squares", len(far), text)


def _clustered(design: Design, count: int) -> str:
    """``cluster (50)``, or ``cluster region (4)`` where clusters are not the units."""
    return f"cluster {design.cluster.name} ({count})" if design.cluster else f"cluster ({count})"


def _noted(tree: xr.DataTree, note: Note | None) -> None:
    """Write a note to those that the tree has from its design."""
    if note is not None:
        known = json.loads(tree.attrs["notes"])
        tree.attrs["notes"] = json.dumps([*known, [note.name, note.count, note.text]])
