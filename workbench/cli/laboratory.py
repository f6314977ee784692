"""``workbench lab``: open the laboratory."""

import typer

__all__ = ["lab"]


def lab(ctx: typer.Context) -> None:
    """Open JupyterLab on the tour; arguments go to JupyterLab, whose own help is `lab -- --help`."""
    from workbench.lab import launch

    raise typer.Exit(launch(ctx.args))
