"""How far a search came: a line in a notebook or on a terminal, or what the caller does with the numbers."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from workbench.display import notebook_display
from workbench.model.formal.errors import ModelError

__all__ = ["Progress", "Seen", "watching"]

Watch: TypeAlias = Callable[[int, int, int], None]  # distinct, waiting, depth
EVERY_S = 0.2


@dataclass
class Seen:
    """A line that says how far a search came."""

    distinct: int = 0
    waiting: int = 0
    depth: int = 0
    elapsed_s: float = 0.0
    most: int | None = None

    @property
    def rate_hz(self) -> float:
        """Distinct states a second."""
        return self.distinct / self.elapsed_s if self.elapsed_s else 0.0

    @property
    def left_s(self) -> float | None:
        """Seconds until the limit on states; without one, until all states that wait now are expanded.

        New states may still be found behind those that wait: then it is a lower bound.
        """
        done = self.distinct - self.waiting
        if not self.elapsed_s or done <= 0:
            return None
        left = self.waiting if self.most is None else max(0, self.most - self.distinct)
        return left * self.elapsed_s / (done if self.most is None else self.distinct)

    def __repr__(self) -> str:
        left = "" if self.left_s is None else f", at least {self.left_s:.0f} s left"
        counted = f"{self.distinct:,} states, {self.rate_hz:,.0f} a second"
        return f"{counted}, {self.waiting:,} waiting, depth {self.depth}{left}"

    def _repr_html_(self) -> str:
        return repr(self)


Progress: TypeAlias = bool | Callable[[Seen], object]


@contextmanager
def watching(progress: Any, most: int | None) -> Iterator[Watch | None]:
    """Give what a search calls now and then; nothing is shown that was not asked for."""
    if not progress:
        yield None
        return
    if not (isinstance(progress, bool) or callable(progress)):
        msg = f"progress must be True, False or a function, got {progress!r}"
        raise ModelError(msg)
    with _shown() if isinstance(progress, bool) else _called(progress) as show:
        seen, started, last = Seen(most=most), time.monotonic(), 0.0

        def watch(distinct: int, waiting: int, depth: int) -> None:
            nonlocal last
            now = time.monotonic() - started
            if now - last >= EVERY_S:
                last = now
                seen.distinct, seen.waiting, seen.depth, seen.elapsed_s = distinct, waiting, depth, now
                show(seen)

        yield watch


@contextmanager
def _called(progress: Callable[[Seen], object]) -> Iterator[Callable[[Seen], object]]:
    yield progress


@contextmanager
def _shown() -> Iterator[Callable[[Seen], object]]:
    display = notebook_display()
    if display is not None:
        handle = display(Seen(), display_id=True)
        yield handle.update
        handle.update("")
        return
    from rich.console import Console  # noqa: PLC0415 - only where a line was asked for
    from rich.status import Status  # noqa: PLC0415

    with Status("", console=Console(stderr=True)) as line:
        yield lambda seen: line.update(repr(seen))
