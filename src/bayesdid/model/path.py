"""Smooth priors of an event-study path: covariance over event times, zero at the reference."""

from __future__ import annotations

from typing import Literal

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.exceptions import InputError
from bayesdid.study.terms import parse_term

PathPrior = Literal["independent", "random_walk", "gaussian_process"]
GP_LENGTH = 2.0  # periods over which the Gaussian process is correlated


def event_times(treatments: tuple[str, ...]) -> list[int]:
    """Event times of terms such as ``both@-3`` and ``both@>=5``.

    Raises
    ------
    InputError
        If a treatment is not an event time.
    """
    times = [parse_term(text).factors[0].event_time for text in treatments]
    if any(time is None for time in times):
        raise InputError(
            "the treatments are not event times",
            value=", ".join(treatments),
            remedy="fit a spec of family event_study",
        )
    return [int(time or 0) for time in times]


def path_covariance(times: list[int], reference: int, prior: PathPrior) -> FloatArray:
    """Prior covariance of the path at unit scale, zero at the reference, shape (K, K).

    Random walk: increments of variance one, started at the reference on both sides. Gaussian
    process: squared exponential kernel with length :data:`GP_LENGTH`, conditioned on the
    reference.
    """
    t = np.array(times, dtype=float) - reference
    if prior == "independent":
        return np.eye(len(t))
    if prior == "random_walk":
        same_side = np.sign(t)[:, None] == np.sign(t)[None, :]
        return np.where(same_side, np.minimum.outer(np.abs(t), np.abs(t)), 0.0)
    kernel = np.exp(-0.5 * ((t[:, None] - t[None, :]) / GP_LENGTH) ** 2)
    at_reference = np.exp(-0.5 * (t / GP_LENGTH) ** 2)
    return np.asarray(kernel - np.outer(at_reference, at_reference) + 1e-9 * np.eye(len(t)))
