"""How a sampler sees a random variable whose scale is itself unknown. No prior changes by it."""

from __future__ import annotations

from typing import Any

import pytensor.tensor as pt
from pymc.logprob.transforms import Transform


class NonCentred(Transform):  # type: ignore[misc]  # pymc is untyped
    """A normal variable as its distance from the mean in units of its own standard deviation."""

    name = "noncentred"

    def forward(self, value: Any, *inputs: Any) -> Any:
        """From the variable to what is sampled."""
        mean, sd = inputs[-2:]
        return (value - mean) / sd

    def backward(self, value: Any, *inputs: Any) -> Any:
        """From what is sampled to the variable."""
        mean, sd = inputs[-2:]
        return mean + sd * value

    def log_jac_det(self, value: Any, *inputs: Any) -> Any:
        """Of :meth:`backward`, element by element."""
        return pt.log(inputs[-1]) + pt.zeros_like(value)


class ScaledLog(Transform):  # type: ignore[misc]
    """A gamma variable as its logarithm times the root of its shape: about one wide a priori."""

    name = "scaledlog"

    def forward(self, value: Any, *inputs: Any) -> Any:
        """From the variable to what is sampled."""
        return pt.log(value) * pt.sqrt(inputs[-2])

    def backward(self, value: Any, *inputs: Any) -> Any:
        """From what is sampled to the variable."""
        return pt.exp(value / pt.sqrt(inputs[-2]))

    def log_jac_det(self, value: Any, *inputs: Any) -> Any:
        """Of :meth:`backward`, element by element."""
        shape = inputs[-2]
        return value / pt.sqrt(shape) - 0.5 * pt.log(shape) + pt.zeros_like(value)
