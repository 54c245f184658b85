"""From the probability of a claim, and its range over models, to one word."""

from __future__ import annotations

SURE = 0.95
LEANS = 0.75  # from here on, and from one minus this down, "undecided" says where it leans
WORDS = (
    "supported",
    "supported, fragile",
    "undecided, leaning for",
    "undecided",
    "undecided, leaning against",
    "contradicted, fragile",
    "contradicted",
)


def rules(p: str, assumptions: str) -> str:
    """What the words mean, in words; they are those of :func:`word_for`.

    Parameters
    ----------
    p
        What probability the words are about.
    assumptions
        Over what it ranges, e.g. "every assumption considered".
    """
    return (
        f"P is {p}. Supported: at least {SURE:g}, contradicted: at most {1 - SURE:.2g}, under "
        f"{assumptions}; fragile: so under the main one, not under all. "
        f"Undecided: leaning for from {LEANS:g} on, against from {1 - LEANS:g} down."
    )


def word_for(p: float, p_low: float, p_high: float) -> str:
    """The word for a probability and its range over assumptions.

    Supported (contradicted): at least 95 % (at most 5 %) under every assumption; fragile: under
    the main assumption, not under every one; else undecided, which leans from 75 % on.
    """
    if p_low >= SURE:
        return "supported"
    if p >= SURE:
        return "supported, fragile"
    if p_high <= 1 - SURE:
        return "contradicted"
    if p <= 1 - SURE:
        return "contradicted, fragile"
    if p >= LEANS:
        return "undecided, leaning for"
    return "undecided, leaning against" if p <= 1 - LEANS else "undecided"
