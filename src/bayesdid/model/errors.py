"""How errors of one unit depend on each other, and how their size differs between units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from bayesdid.exceptions import InputError

Serial = Literal["iid", "ar1"]
Scale = Literal["common", "unit"]
ErrorsName = Literal["iid", "iid_unit", "ar1", "ar1_unit"]


@dataclass(frozen=True, slots=True)
class Errors:
    """Covariance of the errors within a unit: ``sigma_i^2 R_i(phi)``, divided by row weights.

    Attributes
    ----------
    serial
        ``iid``: R is the identity. ``ar1``: rows k periods apart correlate by ``phi^k``, gaps
        or not; sigma is the marginal standard deviation.
    scale
        ``common``: one sigma. ``unit``: ``sigma_i^2 = sigma^2 / lambda_i`` with
        ``lambda_i ~ Gamma(nu_unit / 2, nu_unit / 2)``, so that the errors of a unit are jointly
        multivariate t with nu_unit degrees of freedom.
    """

    serial: Serial = "iid"
    scale: Scale = "common"

    def __post_init__(self) -> None:
        if self.serial not in get_args(Serial) or self.scale not in get_args(Scale):
            raise InputError("unknown errors", value=f"{self.serial}, {self.scale}", remedy=_REMEDY)

    @classmethod
    def parse(cls, name: str) -> Errors:
        """From ``iid``, ``iid_unit``, ``ar1`` or ``ar1_unit``."""
        serial, _, scale = name.partition("_")
        if name not in get_args(ErrorsName):
            raise InputError("unknown errors", value=name, remedy=_REMEDY)
        return cls("ar1" if serial == "ar1" else "iid", "unit" if scale else "common")

    @property
    def name(self) -> ErrorsName:
        """The word that :meth:`parse` reads."""
        if self.serial == "ar1":
            return "ar1_unit" if self.scale == "unit" else "ar1"
        return "iid_unit" if self.scale == "unit" else "iid"

    @property
    def equation(self) -> str:
        """As plain text; empty for i.i.d. errors of one scale, which need no line."""
        sd = "sigma[i]" if self.scale == "unit" else "sigma"
        lines = [
            f"cor(e[i,t], e[i,s]) = phi^|t-s|, sd(e[i,t]) = {sd}"
            if self.serial == "ar1"
            else f"e[i,t] independent, sd(e[i,t]) = {sd}"
        ]
        if self.scale == "unit":
            lines.append(
                "sigma[i]^2 = sigma^2 / lambda[i], lambda[i] ~ Gamma(nu_unit/2, nu_unit/2)"
            )
        return "\n".join(lines)

    def __str__(self) -> str:
        serial = "AR(1) within units" if self.serial == "ar1" else "i.i.d."
        return serial + (", a scale of its own for each unit" if self.scale == "unit" else "")


_REMEDY = f"use {', '.join(get_args(ErrorsName))}"

DEFAULT_ERRORS = Errors("ar1", "unit")
ONE_SCALE = Errors("ar1")
