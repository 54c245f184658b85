"""Compile the chains of unit scales, once: two workers of the tests would do it at the same time.

``make warm`` runs it beside the linters; what it makes lies in the cache that numba keeps.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "inference"))

from panels import make_design

from bayesdid.inference.exact.gaussian import fit_gaussian
from bayesdid.logs import quiet
from bayesdid.model.errors import Errors

if __name__ == "__main__":
    quiet()
    fit_gaussian(make_design(0, N=8, T=4), errors=Errors("ar1", scale="unit"), draws=50)
