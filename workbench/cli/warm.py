"""``workbench warm``: compile every kernel now, so that nobody waits later."""

from typing import Annotated

import typer

__all__ = ["warm"]


def warm(*, quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing.")] = False) -> None:
    """Compile and cache every kernel."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from workbench import kernels

    columns = (
        TextColumn("kernels"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(quiet=quiet)) as bar:
        task = bar.add_task("", total=None)
        compiled = kernels.warm(
            lambda name, done, total: bar.update(task, description=name, completed=done, total=total)
        )
    if not quiet:
        typer.echo(f"{len(compiled)} kernels are ready in {kernels.cache_folder()}")
