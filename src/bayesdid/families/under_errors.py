"""The errors of an analysis: fits under them, i.i.d. errors beside, and the words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.estimands.verdict import SURE
from bayesdid.inference.fit import fit
from bayesdid.inference.result import Fit
from bayesdid.model.bound import PriorsLike
from bayesdid.model.errors import DEFAULT_ERRORS, Errors
from bayesdid.summary import hdi

IID = Errors()
_CORRELATED = 0.1  # from one period to the next: from here on i.i.d. errors are warned of


@dataclass(frozen=True, slots=True)
class Under:
    """One design under the errors of an analysis, and under i.i.d. ones.

    Attributes
    ----------
    errors
        Of the analysis.
    tree
        Posterior under them.
    iid
        Posterior under i.i.d. errors; the same where these are the errors of the analysis.
    fit
        Of which `tree` is the posterior, with its model.
    """

    errors: Errors
    tree: xr.DataTree
    iid: xr.DataTree
    fit: Fit

    @property
    def converged(self) -> bool:
        """Whether both fits passed their gates."""
        return all(bool(tree.attrs["converged"]) for tree in (self.tree, self.iid))

    def says(self, quantity: str, own: FloatArray, iid: FloatArray) -> str:
        """A sentence: the errors, and the main quantity under i.i.d. ones.

        Parameters
        ----------
        quantity
            Its name as the subject of a clause, e.g. "the average effect".
        own, iid
            Its draws under the errors of the analysis, and under i.i.d. ones.
        """
        return errors_sentence(self.errors, quantity, own, iid, (self.tree,))


def under_errors(
    design: Design, name: str, *, priors: PriorsLike = "weak", seed: int = 0, draws: int = 1000
) -> Under:
    """Fit a design under errors of a name, and under i.i.d. ones.

    Parameters
    ----------
    design
        Two-way, or with parts that are pooled.
    draws
        Per chain, of four chains.
    """
    errors = Errors.parse(name)
    fits = [
        fit(design, errors=item, priors=priors, seed=seed, draws=draws)
        for item in dict.fromkeys((errors, IID))
    ]
    return Under(errors, fits[0].tree, fits[-1].tree, fits[0])


def draws_of(tree: xr.DataTree) -> FloatArray:
    """Draws of the treatments' coefficients, shape (S, P)."""
    tau: FloatArray = tree["posterior"]["tau"].to_numpy()
    return tau.reshape(-1, tau.shape[-1])


def iid_sentence(why: str, quantity: str, sd: float, peer: str, se: float) -> str:
    """What i.i.d. errors do to an interval where a family has no other, a clustered peer beside.

    Parameters
    ----------
    why
        Errors of what, and why they are i.i.d.
    quantity, sd
        Main quantity and its posterior sd.
    peer, se
        Estimator whose standard error is clustered by unit.
    """
    wider = f"{se / sd:.1f} times the posterior sd" if sd > 0 else "beside no spread at all"
    return (
        f"{why} If those of a unit depend on each other, as they do in most panels, intervals "
        f"here are too narrow: the clustered standard error of {peer} is {se:.3g}, {wider} of "
        f"{quantity} ({sd:.3g})."
    )


def errors_sentence(
    errors: Errors,
    quantity: str,
    own: FloatArray,
    iid: FloatArray,
    trees: Iterable[xr.DataTree] = (),
) -> str:
    """What errors an analysis is under, how they correlate in `trees`, and i.i.d. ones beside.

    Warns of i.i.d. errors where errors are surely correlated by more than :data:`_CORRELATED`:
    that they are too sure only where their interval is the narrower one. With few treated units
    that are less noisy than others it is the wider.

    Parameters
    ----------
    own, iid
        Draws of the quantity under the errors of the analysis, and under i.i.d. ones.
    """
    if errors == IID:
        return (
            f"Errors are i.i.d., as asked for; the default is {DEFAULT_ERRORS}, since intervals "
            "under i.i.d. errors are too narrow where those of a unit depend on each other."
        )
    text, warning = f"Errors are {errors}", ""
    phi = [np.ravel(tree["posterior"]["phi"]) for tree in trees if "phi" in tree["posterior"]]
    if phi:
        mean = sum(float(draws.mean()) for draws in phi) / len(phi)
        text += f" (correlation {mean:.2f} from one period to the next)"
        if all((draws > _CORRELATED).mean() >= SURE for draws in phi):
            here = "errors of a unit are correlated here"
            narrow = (
                f", which is too sure: {here}, and every interval under i.i.d. errors is too narrow"
            )
            warning = narrow if _width(iid) < _width(own) else f", no narrower, although {here}"
    return f"{text}; with i.i.d. errors {quantity} is {iid.mean():.3f} ({hdi(iid):.3f}){warning}."


def _width(draws: FloatArray) -> float:
    """Of the interval that sentences say."""
    interval = hdi(draws)
    return interval.high - interval.low
