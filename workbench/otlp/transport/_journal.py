"""The log behind acknowledgements: requests are appended and synced to disk before they are answered.

Group commit: while one sync is under way, the requests that arrive wait together, and the next sync serves
them all (DeWitt et al., "Implementation Techniques for Main Memory Database Systems", SIGMOD 1984).
"""

import contextlib
import fcntl
import logging
import os
import threading
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from workbench.otlp.transport._payload import Accepted
from workbench.otlp.transport._segments import Segment, encode_frame, segment_path, segments_in
from workbench.otlp.transport._services import SERVICES, ServiceName
from workbench.otlp.transport._workers import Worker
from workbench.otlp.transport.errors import JournalError

__all__ = ["Journal", "sync_folder"]

LOG = logging.getLogger("workbench.otlp.transport")
SEGMENT_BYTES = 64 << 20
CLOSED = "the journal has been closed: make another receiver"
Waiting = tuple[Accepted, Future[None]]


@dataclass
class _Open:
    """A segment that is being written."""

    segment: Segment
    file: FileIO  # without a buffer, which would write what was given up when it is closed
    sound_bytes: int = 0  # all that is known to be on disk


class Journal:
    """A sink whose futures are done when the disk has the request.

    One process at a time may hold a folder. `rotate` closes what is written and returns every segment that is
    closed; segments of a former run are closed from the start. `first_number` is asked when the folder is
    held: whoever held it before may have used numbers until then.
    """

    def __init__(
        self, folder: Path, first_number: Callable[[], int] = lambda: 1, segment_bytes: int = SEGMENT_BYTES
    ) -> None:
        self.folder = folder
        self.full = threading.Event()  # a segment has reached its size: it is time to compact
        self._segment_bytes = segment_bytes
        self._process = os.getpid()
        self._open: dict[ServiceName, _Open] = {}
        self._writing = threading.Lock()
        self._arrived = threading.Condition()
        self._waiting: list[Waiting] = []
        self._closed = self._released = False
        self._counts: dict[ServiceName, int] = dict.fromkeys(SERVICES, 0)
        self._thread = Worker(self._run, "otlp-journal")
        self._lock_file = _locked(folder)
        try:
            numbers = [segment.number + 1 for segment in segments_in(folder)]
            self._next = max([first_number(), *numbers])
            self._thread.start()
        except BaseException:
            self.close()
            raise

    @property
    def is_inherited(self) -> bool:
        """Tell whether this is a forked process, which has neither the thread nor a say in the folder."""
        return os.getpid() != self._process

    def check_is_own(self) -> None:
        """Raise JournalError in a forked process."""
        if self.is_inherited:
            msg = "the journal belongs to the process that this one was forked from"
            raise JournalError(msg)

    @property
    def is_released(self) -> bool:
        """Tell whether the folder may be another's."""
        return self._released

    def append(self, accepted: Accepted) -> Future[None]:
        """Queue a request for the next group; nobody can take it back."""
        done: Future[None] = Future()
        done.set_running_or_notify_cancel()
        with self._arrived:
            if self._closed:
                done.set_exception(JournalError(CLOSED))
                return done
            self._waiting.append((accepted, done))
            self._arrived.notify()
        return done

    def counts(self) -> dict[ServiceName, int]:
        """Return the records acknowledged since the start."""
        with self._arrived:
            return dict(self._counts)

    def rotate(self) -> list[Segment]:
        """Close the segments that are being written; return all closed ones, oldest first.

        Raises
        ------
        JournalError
            After `close`, and in a forked process: the folder is another's.
        """
        self.check_is_own()
        with self._writing:
            if self._released:
                raise JournalError(CLOSED)
            self.full.clear()
            self._close_segments()
            return segments_in(self.folder)

    def close(self) -> None:
        """Commit what waits, close the segments and let go of the folder.

        A call that was interrupted can be made again. In a forked process it only closes the file.
        """
        if self.is_inherited:
            self._lock_file.close()
            return
        with self._arrived:
            self._closed = True
            self._arrived.notify()
        self._thread.wait()
        with self._writing:
            self._released = True
            self._close_segments()
            _unlock(self._lock_file)

    def _run(self) -> None:
        group: list[Waiting] = []
        try:
            while group := self._next_group():
                self._commit(group)
        except BaseException as error:
            LOG.exception("the journal can write no more")
            self._fail(group, error)

    def _next_group(self) -> list[Waiting]:
        """Return what came meanwhile; nothing once the journal is closed."""
        with self._arrived:
            while not self._waiting and not self._closed:
                self._arrived.wait()
            group, self._waiting = self._waiting, []
        return group

    def _fail(self, group: list[Waiting], error: BaseException) -> None:
        """Take no more, and tell all who wait."""
        with self._arrived:
            self._closed = True
            waiting, self._waiting = self._waiting, []
        for _, done in group + waiting:
            if not done.done():
                done.set_exception(JournalError(f"the journal can write no more: {error!r}"))

    def _commit(self, group: list[Waiting]) -> None:
        try:
            with self._writing:
                self._write([accepted for accepted, _ in group])
        except Exception as error:  # noqa: BLE001 (whatever it is: those who wait must hear of it)
            for _, done in group:
                done.set_exception(error)
            return
        with self._arrived:
            for accepted, _ in group:
                self._counts[accepted.signal] += accepted.records
        for _, done in group:
            done.set_result(None)

    def _write(self, group: list[Accepted]) -> None:
        frames: defaultdict[ServiceName, list[bytes]] = defaultdict(list)
        for accepted in group:
            frames[accepted.signal].append(encode_frame(accepted.body))
        try:
            for signal in frames:
                self._append(signal, b"".join(frames[signal]))
        except BaseException:
            for signal in frames:
                self._give_up(signal)
            raise

    def _append(self, signal: ServiceName, data: bytes) -> None:
        current = self._open.get(signal) or self._new_segment(signal)
        _write_all(current.file, data)
        os.fsync(current.file.fileno())
        current.sound_bytes += len(data)
        if current.sound_bytes >= self._segment_bytes:
            self._close_segment(signal)
            self.full.set()

    def _new_segment(self, signal: ServiceName) -> _Open:
        segment = Segment(self._next, signal, segment_path(self.folder, signal, self._next))
        self._next += 1
        self._open[signal] = _Open(segment, segment.path.open("xb", buffering=0))
        sync_folder(self.folder)
        return self._open[signal]

    def _give_up(self, signal: ServiceName) -> None:
        """Leave a segment whose writing failed, without what was not acknowledged.

        After a failed sync the system may believe that its pages are written, so the file is not used again.
        """
        current = self._open.get(signal)
        if current is None:
            return
        with contextlib.suppress(OSError):
            os.ftruncate(current.file.fileno(), current.sound_bytes)
            if not current.sound_bytes:
                current.segment.path.unlink()
        self._close_segment(signal)

    def _close_segments(self) -> None:
        for signal in list(self._open):
            self._close_segment(signal)

    def _close_segment(self, signal: ServiceName) -> None:
        with contextlib.suppress(OSError):  # all that was acknowledged is on disk already
            self._open.pop(signal).file.close()


def _write_all(file: FileIO, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


def _locked(folder: Path) -> BinaryIO:
    """Take the folder for this process, as long as the returned file is open."""
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / "lock").open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        msg = f"another receiver writes to {folder.parent}: stop it, or choose another folder"
        raise JournalError(msg) from error
    return file


def _unlock(file: BinaryIO) -> None:
    """Let go of the folder, also where a forked process has the file open still."""
    if not file.closed:
        fcntl.flock(file, fcntl.LOCK_UN)
        file.close()


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
