"""`DurableReceiver`: OTLP over HTTP and gRPC into Parquet files, nothing acknowledged that is not on disk.

::

    DIR/journal/traces-00000007.log           what was acknowledged and is not in Parquet yet
    DIR/traces/part=00000006/spans.parquet    the tables of traces; metrics, logs, profiles alike

``otlp.read(DIR, signal="traces")`` reads all parts of a signal as one. DuckDB reads a table of them with
``from 'DIR/traces/*/spans.parquet'``, where a row's ``id`` is unique within its ``part``.
"""

import logging
import os
import threading
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from workbench import display
from workbench.otlp.transport._clock import LONGEST_WAIT_S
from workbench.otlp.transport._compaction import (
    PART_BYTES,
    Compacted,
    compact,
    next_number,
    remove_unfinished,
)
from workbench.otlp.transport._faults import fault_script
from workbench.otlp.transport._journal import Journal
from workbench.otlp.transport._payload import prepare
from workbench.otlp.transport._servers import GRACE_S, Servers, checked_limits
from workbench.otlp.transport._services import (
    DEFAULT_GRPC_PORT,
    DEFAULT_HTTP_PORT,
    MAX_REQUEST_BYTES,
    MAX_RESPONSE_BYTES,
    ServiceName,
)
from workbench.otlp.transport._workers import Worker
from workbench.otlp.transport.errors import ConfigurationError

if TYPE_CHECKING:
    from workbench.otlp.transport._segments import Segment

__all__ = ["DurableReceiver"]

LOG = logging.getLogger("workbench.otlp.transport")


class DurableReceiver:
    """Receives OTLP and writes it to a folder as Parquet.

    A request is answered when it is in a log on disk; every `compact_every_s`, and at the end, the log
    becomes Parquet: the tables of a signal, a folder a part (``DIR/traces/part=00000006/*.parquet``), which
    ``otlp.read(DIR, signal="traces")`` reads as one. After a kill, or a loss of power, the next start
    finishes what was under way: every acknowledged record is in the files once.

    Parameters
    ----------
    to : path
        The folder; it is made. One receiver at a time may write to it.
    host, http_port, grpc_port, max_request_bytes, max_response_bytes, max_concurrent_requests
        As of `Receiver`, on OTLP's own ports.
    compact_every_s : float
    part_bytes : int
        What comes next is written into the last part as long as its files take less than this, by a folder
        that takes its place as a whole; 0 makes a part each time and leaves it as it is.

    Raises
    ------
    EndpointError, JournalError, ConfigurationError
        When the ports or the folder are taken, or an option has no meaning.
    """

    def __init__(  # noqa: PLR0913 (each is an option of the command)
        self,
        to: str | os.PathLike[str],
        *,
        host: str = "127.0.0.1",
        http_port: int = DEFAULT_HTTP_PORT,
        grpc_port: int = DEFAULT_GRPC_PORT,
        compact_every_s: float = 60.0,
        part_bytes: int = PART_BYTES,
        max_request_bytes: int = MAX_REQUEST_BYTES,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
        max_concurrent_requests: int = 256,
    ) -> None:
        if not compact_every_s > 0:
            msg = f"compact_every_s must be positive, got {compact_every_s:g}"
            raise ConfigurationError(msg)
        if part_bytes < 0:
            msg = f"part_bytes must be 0 or more, got {part_bytes}"
            raise ConfigurationError(msg)
        limits = checked_limits(max_request_bytes, max_response_bytes, max_concurrent_requests)
        prepare()
        self.folder = Path(to).resolve()
        self.failed: dict[Segment, Exception] = {}
        self._every_s = min(compact_every_s, LONGEST_WAIT_S)
        self._part_bytes = part_bytes
        self._ending = threading.Event()
        self._compacting = threading.Lock()
        self._compactor = Worker(self._compact_regularly, "otlp-compaction")
        with ExitStack() as undoing:
            self._journal = Journal(self.folder / "journal", lambda: next_number(self.folder))
            undoing.callback(self._journal.close)
            remove_unfinished(self.folder)
            self._servers = Servers(self._journal, host, http_port, grpc_port, limits, fault_script(()))
            undoing.callback(self._servers.close, 0)
            self.http_endpoint = self._servers.http_endpoint
            self.grpc_endpoint = self._servers.grpc_endpoint
            undoing.callback(self._end_compaction)
            self._compactor.start()
            undoing.pop_all()

    @property
    def records(self) -> dict[ServiceName, int]:
        """The records acknowledged since the start, by signal."""
        return self._journal.counts()

    def compact(self) -> list[Compacted]:
        """Turn what is in the log into Parquet now.

        A segment that cannot be turned stays in the journal, is in `failed`, and is tried again next time.

        Raises
        ------
        JournalError
            After `close`, and in a forked process: the folder is another's.
        """
        self._journal.check_is_own()
        with self._compacting:
            return self._compact()

    def _compact(self) -> list[Compacted]:
        found = [self._compacted(segment) for segment in self._journal.rotate()]
        return [one for one in found if one is not None]

    def _compacted(self, segment: "Segment") -> Compacted | None:
        try:
            done = compact(segment, self.folder, self._part_bytes)
        except Exception as error:  # one bad segment must not keep the others from being written
            if segment not in self.failed:
                LOG.exception("%s stays in the journal", segment.path)
            self.failed[segment] = error
            return None
        self.failed.pop(segment, None)
        _report_torn(done)
        return done

    def close(self, grace_s: float = GRACE_S) -> None:
        """Take no more, finish what is under way, and write everything as Parquet.

        An interrupt ends only the step it comes in, and a second call finishes what is left. In a forked
        process nothing is closed but its own handles.
        """
        if self._journal.is_inherited:
            self._journal.close()
            return
        with ExitStack() as ending:
            ending.callback(self._finish)
            ending.callback(self._end_compaction)
            ending.callback(self._servers.close, grace_s)

    def _end_compaction(self) -> None:
        self._ending.set()
        self._journal.full.set()
        self._compactor.wait()

    def _finish(self) -> None:
        with self._compacting:
            try:
                if not self._journal.is_released:
                    self._compact()
            finally:
                self._journal.close()

    def _compact_regularly(self) -> None:
        self._try_to_compact()  # what a former run left
        while not self._ending.is_set():
            self._journal.full.wait(self._every_s)
            if not self._ending.is_set():
                self._try_to_compact()

    def _try_to_compact(self) -> None:
        try:
            self.compact()
        except OSError:  # the folder is not there for now, or may not be read
            LOG.exception("%s could not be compacted", self.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _repr_html_(self) -> str:
        title = f"DurableReceiver: {self.http_endpoint}, grpc {self.grpc_endpoint} to {self.folder}"
        return display.table(["signal", "records"], list(self.records.items()), title=title)._repr_html_()

    def __repr__(self) -> str:
        counts = ", ".join(f"{count:,} {signal}" for signal, count in self.records.items() if count)
        received = counts or "nothing received"
        where = f"{self.http_endpoint}, grpc {self.grpc_endpoint}"
        return f"DurableReceiver: {where} to {self.folder.name}/, {received}"


def _report_torn(done: Compacted) -> None:
    if done.torn_bytes:
        LOG.warning(
            "%s holds %d bytes that are no whole request, torn or damaged; they are in journal/torn",
            done.segment.path.name,
            done.torn_bytes,
        )
