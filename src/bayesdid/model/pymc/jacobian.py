"""log|I - rho W| as a PyTensor operation with its gradient, whatever method computes it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op

from bayesdid.spatial.operators.logdet import LogDeterminant


class LogDeterminantOp(Op):  # type: ignore[misc]  # pytensor is untyped
    """From rho, a scalar, to log|I - rho W|.

    The gradient is ``-tr((I - rho W)^-1 W)``, an operation of the same class with `slope` set.
    """

    __props__ = ("logdet", "slope")

    def __init__(self, logdet: LogDeterminant, slope: bool = False) -> None:
        self.logdet, self.slope = logdet, slope

    def __hash__(self) -> int:
        return hash((type(self), id(self.logdet), self.slope))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, LogDeterminantOp)
            and self.logdet is other.logdet
            and self.slope == other.slope
        )

    def make_node(self, rho: Any) -> Apply:
        """One scalar in, one scalar out."""
        return Apply(self, [pt.as_tensor_variable(rho)], [pt.dscalar()])

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:  # noqa: ARG002
        """Evaluate."""
        function = self.logdet.slope if self.slope else self.logdet.value
        output_storage[0][0] = np.asarray(function(np.asarray(inputs[0])), dtype=np.float64)

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Any]:  # noqa: ARG002
        """Chain rule; second derivatives are not needed by a Hamiltonian sampler."""
        return [cotangents[0] * LogDeterminantOp(self.logdet, slope=True)(inputs[0])]


def log_jacobian(rho: Any, logdet: LogDeterminant) -> Any:
    """``log|I - rho W|`` of a symbolic rho."""
    return LogDeterminantOp(logdet)(rho)


def mean_row_sum_of_log(rho: Any, points: np.ndarray, shares: np.ndarray) -> Any:
    """Mean row sum of ``log(I - rho W)``, see :mod:`bayesdid.spatial.operators.spectrum`."""
    real, imaginary = 1 - rho * points.real, -rho * points.imag
    size = 0.5 * pt.log(real**2 + imaginary**2)
    return (shares.real * size - shares.imag * pt.arctan2(imaginary, real)).sum()
