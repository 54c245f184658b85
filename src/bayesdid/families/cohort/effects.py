"""The averages of ATTs by cohort and event time, as effects that a claim may be about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bayesdid.arrays import FloatArray
from bayesdid.estimands.stated import StatedEffect, drawn, estimated
from bayesdid.families.analysis import Peer

_ASSUMES = {
    "ATT over treated rows": "every treated row weighs alike",
    "cohorts by their units": "cohorts weigh as they have units",
    "event times alike": "every time since adoption weighs alike",
}


def stated_effects(
    term: str,
    controls: str,
    overall: Mapping[str, FloatArray],
    iid: FloatArray,
    peers: Iterable[Peer],
) -> tuple[StatedEffect, ...]:
    """Averages pooled and flat, the first of them under i.i.d. errors, and the peers' ATTs.

    Parameters
    ----------
    overall
        ``pooled, ATT over treated rows`` and its like -> draws, shape (S,).
    iid
        The first of these under i.i.d. errors.
    """
    against = "not yet treated" if controls == "not_yet" else "never treated"
    found = []
    for k, (label, draws) in enumerate(overall.items()):
        average = label.rpartition(", ")[2]
        assumes = f"{_ASSUMES[average]}; compared with units {against}"
        found.append(drawn(term, f"cohorts, {label}", assumes, draws, main=k == 0))
    assumes = f"errors are independent; compared with units {against}"
    found.append(drawn(term, "cohorts, pooled, i.i.d. errors", assumes, iid))
    for peer in peers:
        if peer.quantity.startswith(f"ATT, {against}"):
            assumes = f"no covariates; compared with units {against}"
            found.append(estimated(term, peer.estimator, assumes, peer.estimate, peer.se))
    return tuple(found)
