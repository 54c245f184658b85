"""Adoption periods of units as a study file declares them: how many adopted what, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from bayesdid.exceptions import InputError


def declared_starts(
    adoption: Mapping[str, Mapping[str, int]],
    policies: Sequence[str],
    place: str,
    file: Path | None = None,
) -> list[list[float]]:
    """Adoption period of each adopting unit and policy, inf for never.

    Parameters
    ----------
    adoption
        ``{P: {period: units}}``, ``{"P+Q": {"p, q": units}}``; ``both`` and ``all`` are all of
        them.
    place, file
        Where it stands.

    Raises
    ------
    InputError
        If a key names another policy, or has another number of periods than of policies.
    """
    rows: list[list[float]] = []
    for key, rounds in adoption.items():
        of = policies_of(key, policies)
        problem, value = "", key
        if unknown := [name for name in of if name not in policies]:
            problem, value = "adoption of an unknown policy", unknown[0]
        elif key == "both" and len(policies) != 2:
            problem = "both is of two policies"
        for when, count in rounds.items():
            periods = when.split(",")
            if not problem and (len(periods) != len(of) or not all(map(_is_number, periods))):
                problem, value = f"not one period for each of {', '.join(of)}", when
            if problem:
                raise InputError(
                    problem,
                    file=file,
                    column=f"{place}.{key}",
                    value=value,
                    remedy='write P = { "2012" = 5 }, "P+Q" = { "2012,2015" = 3 }; policies are '
                    f"{', '.join(policies)}",
                )
            start = np.full(len(policies), np.inf)
            start[[policies.index(name) for name in of]] = [float(part) for part in periods]
            rows += [start.tolist()] * count
    return rows


def policies_of(key: str, policies: Sequence[str]) -> list[str]:
    """The policies that units of a key of such a table adopt."""
    return list(policies) if key in {"both", "all"} else key.split("+")


def _is_number(text: str) -> bool:
    return text.strip().lstrip("-").isdigit()
