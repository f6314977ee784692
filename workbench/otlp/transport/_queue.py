"""The exporter's queue: bounded in records and bytes, emptied in batches of one signal.

A batch is due when it is full, when its oldest piece has waited for the schedule delay, or when somebody
flushes. Protobuf concatenates: two requests one after the other are the request that carries both, so a batch
costs no decoding (protobuf encoding, "Last One Wins": repeated fields are joined). Profiles refer into a
dictionary of their own request, and are never joined.
"""

import threading
from collections import deque
from dataclasses import dataclass

from workbench.otlp.transport._clock import Clock
from workbench.otlp.transport._services import SERVICES, ServiceName

__all__ = ["Batch", "Batching", "BoundedQueue"]


@dataclass(frozen=True, slots=True)
class Batching:
    """The bounds of a queue and of the batches taken from it."""

    queue_records: int
    queue_bytes: int
    batch_records: int
    batch_bytes: int
    delay_s: float


@dataclass(frozen=True, slots=True)
class Batch:
    """A request to be sent."""

    signal: ServiceName
    body: bytes
    records: int


@dataclass(frozen=True, slots=True)
class _Piece:
    body: bytes
    records: int
    since_s: float


class _Lane:
    """What waits of one signal, oldest first."""

    def __init__(self) -> None:
        self.pieces: deque[_Piece] = deque()
        self.records = 0
        self.size_bytes = 0

    def put(self, piece: _Piece) -> None:
        self.pieces.append(piece)
        self.records += piece.records
        self.size_bytes += len(piece.body)

    def pop(self) -> _Piece:
        piece = self.pieces.popleft()
        self.records -= piece.records
        self.size_bytes -= len(piece.body)
        return piece


class BoundedQueue:
    """Pieces in, batches out; its owner holds `changed` around every call but `take` and `drain`."""

    def __init__(self, batching: Batching, clock: Clock, changed: threading.Condition) -> None:
        self.batching = batching
        self.changed = changed
        self._clock = clock
        self._lanes: dict[ServiceName, _Lane] = {signal: _Lane() for signal in SERVICES}
        self._flushes = 0
        self._closed = False

    @property
    def records(self) -> int:
        """The records that wait."""
        return sum(lane.records for lane in self._lanes.values())

    @property
    def size_bytes(self) -> int:
        """The bytes that wait."""
        return sum(lane.size_bytes for lane in self._lanes.values())

    def has_room(self, records: int, size_bytes: int) -> bool:
        """Tell whether a piece fits; the first always does."""
        if not self.records:
            return True
        bounds = self.batching
        fits = self.records + records <= bounds.queue_records
        return fits and self.size_bytes + size_bytes <= bounds.queue_bytes

    def put(self, batch: Batch) -> None:
        """Append a piece that has room."""
        self._lanes[batch.signal].put(_Piece(batch.body, batch.records, self._clock.now_s()))
        self.changed.notify_all()

    def flushing(self, change: int) -> None:
        """Count those who want everything to go out now."""
        self._flushes += change
        self.changed.notify_all()

    def close(self) -> None:
        """Let what is there be taken, and then tell that nothing will come."""
        self._closed = True
        self.changed.notify_all()

    def take(self) -> Batch | None:
        """Return the next batch, when one is due; None when the queue is closed and empty."""
        with self.changed:
            while True:
                signal = self._full() or self._oldest()
                if signal is None and self._closed:
                    return None
                wait_s = None if signal is None else self._wait_s(signal)
                if signal is not None and wait_s is not None and wait_s <= 0:
                    return self._joined(signal)
                self._clock.wait(self.changed, wait_s)

    def drain(self) -> list[Batch]:
        """Return what nobody will send any more."""
        with self.changed:
            left = []
            while (signal := self._oldest()) is not None:
                left.append(self._joined(signal))
            return left

    def _full(self) -> ServiceName | None:
        return next((signal for signal, lane in self._lanes.items() if self._is_full(lane)), None)

    def _is_full(self, lane: _Lane) -> bool:
        bounds = self.batching
        return lane.records >= bounds.batch_records or lane.size_bytes >= bounds.batch_bytes

    def _oldest(self) -> ServiceName | None:
        waiting = [signal for signal, lane in self._lanes.items() if lane.pieces]
        return min(waiting, key=lambda signal: self._lanes[signal].pieces[0].since_s, default=None)

    def _wait_s(self, signal: ServiceName) -> float:
        """Return how long the signal's oldest piece may still wait for company."""
        lane = self._lanes[signal]
        if self._closed or self._flushes or self._is_full(lane):
            return 0.0
        return lane.pieces[0].since_s + self.batching.delay_s - self._clock.now_s()

    def _joined(self, signal: ServiceName) -> Batch:
        lane = self._lanes[signal]
        taken = [lane.pop()]
        records, size = taken[0].records, len(taken[0].body)
        while lane.pieces and signal != "profiles" and self._fits(records, size, lane.pieces[0]):
            taken.append(lane.pop())
            records += taken[-1].records
            size += len(taken[-1].body)
        body = taken[0].body if len(taken) == 1 else b"".join(piece.body for piece in taken)
        self.changed.notify_all()
        return Batch(signal, body, records)

    def _fits(self, records: int, size_bytes: int, piece: _Piece) -> bool:
        bounds = self.batching
        fits = records + piece.records <= bounds.batch_records
        return fits and size_bytes + len(piece.body) <= bounds.batch_bytes
