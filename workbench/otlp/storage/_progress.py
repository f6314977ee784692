"""How far reading came: a bar in a notebook or on a terminal, or whatever the caller does with two numbers.

Nothing is shown that was not asked for. A notebook's bar ends as one line without times, so that a stored
output is the same on every run.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from workbench.display import notebook_display

__all__ = ["Progress", "ProgressBar", "tracking"]

OnProgress: TypeAlias = Callable[[int, int], object]  # bytes read, bytes in all
Progress: TypeAlias = bool | OnProgress | None
STEPS = 200  # a bar does not move more often
MEGABYTE = 1e6


@contextmanager
def tracking(progress: Progress, total: int) -> Iterator[Callable[[int], None]]:
    """Give what is called with the bytes that were read so far."""
    if not progress:
        yield lambda _done: None
    elif not isinstance(progress, bool):
        yield _telling(progress, total)
    else:
        display = notebook_display()
        with _terminal(total) if display is None else _notebook(display, total) as advance:
            yield advance


def _telling(told: OnProgress, total: int) -> Callable[[int], None]:
    def advance(done: int) -> None:
        told(min(done, total), total)

    return advance


class ProgressBar:
    """A bar that draws itself."""

    def __init__(self, total: int) -> None:
        self.done, self.total = 0, total

    def __repr__(self) -> str:
        return f"{self.done / MEGABYTE:,.1f} of {self.total / MEGABYTE:,.1f} MB"

    def _repr_html_(self) -> str:
        style = "width:20em;vertical-align:middle;margin-right:.8em"
        return f'<progress style="{style}" max="{max(self.total, 1)}" value="{self.done}"></progress>{self!r}'


@contextmanager
def _notebook(display: Callable[..., Any], total: int) -> Iterator[Callable[[int], None]]:
    bar = ProgressBar(total)
    handle = display(bar, display_id=True)

    def advance(done: int) -> None:
        step = min(done, total) * STEPS // max(total, 1)
        if step != bar.done * STEPS // max(total, 1):
            bar.done = min(done, total)
            handle.update(bar)

    yield advance
    bar.done = total
    handle.update(bar)


@contextmanager
def _terminal(total: int) -> Iterator[Callable[[int], None]]:
    from rich.console import Console  # noqa: PLC0415 - only where a bar was asked for
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn  # noqa: PLC0415

    columns = (BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("", total=total)
        yield lambda done: shown.update(task, completed=min(done, total))
