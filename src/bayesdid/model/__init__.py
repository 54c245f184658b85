"""What is believed, as a value: priors, parts, and the compiler to PyMC.

The package itself can be called, since ``bd.model(spec, panel)`` is how a user binds a model to
data: see :func:`bayesdid.model.bound.model`.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Package(ModuleType):
    """A package that binds a model when it is called."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """See :func:`bayesdid.model.bound.model`."""
        from bayesdid.model.bound import model

        return model(*args, **kwargs)


sys.modules[__name__].__class__ = _Package
