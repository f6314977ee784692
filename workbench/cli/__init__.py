"""The ``workbench`` command.

::

    workbench lab [ARGS]                       open the laboratory
    workbench doctor                           what is here, what is missing, and the command that mends it
    workbench warm                             compile and cache every kernel
    workbench notebooks list|test|record       notebooks as regression tests
    workbench otlp inspect|head|convert|sql    files of telemetry
    workbench otlp receive                     an OTLP server that writes Parquet

Exit codes: 0 done, 1 the input or the machine is not as it should be, 2 the command line is wrong,
130 interrupted.
"""

from typing import Annotated

import typer

from workbench import __version__
from workbench.cli import notebooks, otlp
from workbench.cli._reporting import ReportingGroup
from workbench.cli.doctor import doctor
from workbench.cli.laboratory import lab
from workbench.cli.warm import warm

__all__ = ["app"]

PASS_THROUGH = {"allow_extra_args": True, "ignore_unknown_options": True}

app = typer.Typer(
    cls=ReportingGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="A reliability laboratory in Jupyter: observe, model, break and verify a system.",
)
app.command(context_settings=PASS_THROUGH)(lab)
app.command()(doctor)
app.command()(warm)
app.add_typer(notebooks.app, name="notebooks", help="Notebooks as regression tests.")
app.add_typer(otlp.app, name="otlp", help="Files of OpenTelemetry data.")


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"workbench {__version__}")
        raise typer.Exit


@app.callback()
def main(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Open the laboratory, look after it, and read telemetry."""
