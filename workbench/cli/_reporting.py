"""Errors that we raise on purpose end a command with one line on stderr, not with a traceback."""

from typing import Any

import typer
from typer.core import TyperGroup

from workbench.errors import WorkbenchError

__all__ = ["ReportingGroup"]

FAILED, INTERRUPTED = 1, 130


class ReportingGroup(TyperGroup):
    """A command group that reports our errors and trouble with files as ``error: ...``, exit code 1."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # whoever read the output has seen enough: typer ends quietly
            raise
        except (WorkbenchError, OSError) as error:
            typer.echo(f"error: {_text(error)}", err=True)
            raise typer.Exit(FAILED) from error
        except KeyboardInterrupt as error:
            typer.echo("interrupted", err=True)
            raise typer.Exit(INTERRUPTED) from error


def _text(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"{error.strerror}: {error.filename}"
    return str(error)
