"""Run ``bayesdid`` in this process, as the shell does: exit code, stdout, stderr."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from unittest.mock import patch

from bayesdid.cli.app import main

FAULT = "failed where it should not"  # how an error that nobody foresaw begins


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a command."""

    code: int
    out: str
    err: str

    @property
    def fine(self) -> bool:
        """Whether it ended in words: a result, a bad result, or bad input that was foreseen."""
        text = self.out + self.err
        return self.code in {0, 1, 2} and "Traceback" not in text and FAULT not in text


def bayesdid(*arguments: object) -> Ran:
    """Run a command."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with (
        patch.object(sys, "argv", ["bayesdid", *map(str, arguments)]),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as left:
            code = left.code if isinstance(left.code, int) else int(left.code is not None)
    return Ran(code, out.getvalue(), err.getvalue())
