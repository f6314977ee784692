"""A thread that keeps what its function returned or raised."""

import contextvars
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Helper"]

T = TypeVar("T")


class Helper(Generic[T]):
    """Calls `function` in a thread of its own, in a copy of the caller's context."""

    def __init__(self, function: Callable[[], T], name: str) -> None:
        self.error: BaseException | None = None
        self._values: list[T] = []
        self._ended = threading.Event()
        context = contextvars.copy_context()
        self._thread = threading.Thread(
            target=context.run, args=(self._work, function), name=name, daemon=True
        )
        self._thread.start()

    def join(self) -> None:
        """Wait until the function has ended."""
        self._ended.wait()  # before Python 3.13 an interrupted Thread.join takes its thread for dead
        self._thread.join()

    def result(self) -> T:
        """Return what the function returned, raise what it raised."""
        if self.error is not None:
            try:
                raise self.error
            finally:
                self.error = None  # its traceback holds this frame, and this frame holds us
        return self._values[0]

    def _work(self, function: Callable[[], T]) -> None:
        try:
            self._values.append(function())
        except BaseException as error:  # noqa: BLE001  # handed to the caller
            self.error = error
        finally:
            self._ended.set()
