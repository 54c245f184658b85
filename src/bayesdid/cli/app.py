"""The ``bayesdid`` command: thin commands, lazily imported heavy parts, honest exit codes.

0: fine. 1: a result is bad (not converged; ``--strict`` findings). 2: bad input.
"""

from __future__ import annotations

import os
import sys

import typer

import bayesdid
from bayesdid.cli.console import BAD, console, out, said
from bayesdid.exceptions import DEBUG, BayesdidError, reason
from bayesdid.logs import quiet

app = typer.Typer(
    name="bayesdid",
    help="Re-analyse panel difference-in-differences studies as Bayesian hierarchical models.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(asked: bool) -> None:
    if asked:
        out.print(f"bayesdid {bayesdid.__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def options(
    debug: bool = typer.Option(False, "--debug", help="Show the traceback of an error."),
    _version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Show the version."
    ),
) -> None:
    """Common options."""
    if debug:
        os.environ[DEBUG] = "1"


def _register() -> None:
    from bayesdid.cli import (
        analyse,
        audit,
        check,
        compare,
        design,
        did,
        example,
        families,
        fit,
        import_,
        new_study,
        panel,
        pool,
        reconstruct,
        report,
        schema,
        spatial,
        synergy,
        validate,
    )

    for module in (
        did,
        new_study,
        import_,
        example,
        report,
        audit,
        pool,
        reconstruct,
        synergy,
        fit,
        analyse,
        spatial,
        compare,
        validate,
        check,
        design,
        panel,
        families,
        schema,
    ):
        name = module.__name__.rpartition(".")[2].strip("_").replace("_", "-")
        app.command(name, cls=getattr(module, "Command", None))(module.command)


_register()


def main() -> None:
    """Run the command line; known errors become one message and their exit code."""
    quiet()
    try:
        app()
    except BayesdidError as error:
        reason(error)  # raises it under --debug
        console.print(said(("error", BAD), f": {error}"), soft_wrap=True)
        sys.exit(error.exit_code)
    except Exception as error:  # a fault of ours, which a user cannot read a traceback of
        console.print(
            said(
                ("error", BAD),
                f": bayesdid failed where it should not: {reason(error)}. Remedy: please report "
                "it, with what bayesdid --debug prints for the same command.",
            ),
            soft_wrap=True,
        )
        sys.exit(1)
