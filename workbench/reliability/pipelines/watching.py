"""`Watch`: a thread that reloads a pipeline whenever its file changes.

It looks at the file's time and size every so many seconds, and reads it when these differ from what it has
read. A file that is not understood, or not there for a moment, leaves the pipeline as it is. Between two
looks the thread waits for the watch to be closed, and does nothing else.
"""

import logging
import os
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from workbench.errors import WorkbenchError
from workbench.reliability.pipelines.errors import PipelineError

if TYPE_CHECKING:
    from workbench.reliability.pipeline import Pipeline
    from workbench.reliability.pipelines.reloading import Reloaded

__all__ = ["Watch"]

logger = logging.getLogger(__name__)
Stamp = tuple[int, int, int]


class Watch:
    """Reloads a pipeline whenever a file changes, until it is closed; a context manager.

    Parameters
    ----------
    pipeline : Pipeline
    path : str or Path
    interval_s : float
        Real seconds between two looks at the file.
    on_reload : callable, optional
        Gets what became of the layers, after each reload.
    on_error : callable, optional
        Gets the error of a file that is not understood or cannot be read; without it, it is logged as a
        warning.

    Attributes
    ----------
    reloads : int
    error : Exception or None
        What is wrong with the file now.

    Raises
    ------
    PipelineError
        When the interval is not positive.
    """

    def __init__(
        self,
        pipeline: "Pipeline",
        path: str | Path,
        interval_s: float = 1.0,
        *,
        on_reload: "Callable[[Reloaded], None] | None" = None,
        on_error: Callable[[Exception], None] | None = None,
    ) -> None:
        if (
            isinstance(interval_s, bool)
            or not isinstance(interval_s, int | float)
            or not 0 < interval_s < 1e9
        ):
            msg = f"interval_s is {interval_s!r}, expected a positive number of seconds"
            raise PipelineError(msg)
        self.path, self.interval_s = Path(path), interval_s
        self.reloads = 0
        self.error: Exception | None = None
        self._pipeline, self._on_reload, self._on_error = pipeline, on_reload, on_error
        self._seen = self._stamp()
        self._closing = threading.Event()
        self._looking = threading.Lock()
        self._thread = threading.Thread(
            target=_run,
            args=(weakref.ref(self), self._closing, interval_s),
            name=f"watch {self.path.name}",
            daemon=True,
        )
        self._thread.start()

    def look(self) -> bool:
        """Reload now if the file has changed; tell whether it did. The thread does the same."""
        with self._looking:
            stamp = self._stamp()
            if stamp == self._seen or stamp is None:
                return False
            self._seen = stamp
            try:
                found = self._pipeline.reload(self.path)
            except (WorkbenchError, OSError) as error:
                self._failed(error)
                return False
            self.reloads += 1
            self.error = None
        if self._on_reload is not None:
            self._on_reload(found)
        return True

    def close(self) -> None:
        """End the thread, and wait until it has ended; the pipeline stays as it is."""
        self._closing.set()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if closing := getattr(self, "_closing", None):
            closing.set()

    def __repr__(self) -> str:
        state = "closed" if self._closing.is_set() else f"every {self.interval_s:g} s"
        return f"Watch({str(self.path)!r}, {state}, {self.reloads} reloads)"

    def _stamp(self) -> Stamp | None:
        try:
            found = os.stat(self.path)  # noqa: PTH116 - the number that names the file is wanted, too
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _failed(self, error: Exception) -> None:
        self.error = error
        if self._on_error is not None:
            self._on_error(error)
        else:
            logger.warning("%s was not reloaded: %s", self.path, error)


def _run(watch: "weakref.ref[Watch]", closing: threading.Event, interval_s: float) -> None:
    while not closing.wait(interval_s):
        found = watch()
        if found is None:
            return
        try:
            found.look()
        except Exception:
            logger.exception("a watch's callback failed")
        del found
