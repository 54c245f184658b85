"""What libraries may log while a command runs."""

from __future__ import annotations

import logging


def quiet() -> None:
    """Keep libraries from logging what is of no concern to users.

    pyfixest sets the root logger to INFO on import, whereupon others report their start-up.
    """
    for name in ("arviz", "pytensor"):
        logging.getLogger(name).setLevel(logging.WARNING)
