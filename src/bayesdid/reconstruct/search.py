"""A search among discrete states, such as who adopts when, for one that contradicts nothing."""

from __future__ import annotations

from collections.abc import Callable

_WORSE = 1.1  # times what is left, up to which a move is kept: out of dead ends


def searched[S](
    begin: S, excess: Callable[[S], float], move: Callable[[S], S | None], moves: int
) -> S:
    """The state of least excess that is met.

    Parameters
    ----------
    excess
        By how much a state contradicts itself; 0 ends the search.
    move
        Another state near one, or None where that may not be.
    moves
        How many are tried.
    """
    state = best = begin
    now = least = excess(begin)
    for _ in range(moves):
        if least == 0.0:
            break
        trial = move(state)
        if trial is None:
            continue
        found = excess(trial)
        if found <= _WORSE * now:
            state, now = trial, found
        if found < least:
            best, least = trial, found
    return best
