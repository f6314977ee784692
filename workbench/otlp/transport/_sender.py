"""What one sending thread does: take a batch, try, wait, try again, and account for every record.

All senders of an exporter share one pace: when a server refuses one of them for now, none of them sends
before the wait is over.
"""

import logging
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from workbench.otlp.transport._clock import Clock
from workbench.otlp.transport._payload import split, to_encoding
from workbench.otlp.transport._queue import Batch, BoundedQueue
from workbench.otlp.transport._retrying import Outcome, RetryPolicy
from workbench.otlp.transport._services import Encoding, ServiceName
from workbench.otlp.transport._statistics import StatsKeeper

__all__ = ["Client", "Clients", "Sender", "Shared"]

LOG = logging.getLogger("workbench.otlp.transport")


class Client(Protocol):
    """One attempt at a time, to one place."""

    encoding: Encoding

    def send(self, body: bytes) -> Outcome:
        """Send one encoded request, and say what became of it."""

    def close(self) -> None:
        """Let go of connections."""


@dataclass
class Shared:
    """What the senders of one exporter share; `changed` guards all of it."""

    queue: BoundedQueue
    stats: StatsKeeper
    clock: Clock
    policy: RetryPolicy
    rng: random.Random
    request_bytes: int
    changed: threading.Condition
    clients: "Clients"
    under_way: int = 0  # records
    not_before_s: float = float("-inf")
    abandoned: bool = False

    def pending(self) -> int:
        """Return the records waiting and under way."""
        return self.queue.records + self.under_way


class Clients:
    """A client for each signal, made when it is first needed."""

    def __init__(self, make: Callable[[ServiceName], Client]) -> None:
        self._make = make
        self._made: dict[ServiceName, Client] = {}
        self._lock = threading.Lock()

    def of(self, signal: ServiceName) -> Client:
        """Return the signal's client."""
        with self._lock:
            if signal not in self._made:
                self._made[signal] = self._make(signal)
            return self._made[signal]

    def close(self) -> None:
        """Close all of them."""
        with self._lock:
            for client in self._made.values():
                client.close()


class Sender(threading.Thread):
    """Sends until the queue is closed and empty, or the exporter is abandoned."""

    def __init__(self, shared: Shared, number: int) -> None:
        super().__init__(name=f"otlp-exporter-{number}", daemon=True)
        self.shared = shared
        self._left = 0  # records of the batch in hand that are not settled

    def run(self) -> None:
        """Send batches."""
        shared = self.shared
        while True:
            with shared.changed:
                batch = shared.queue.take()
                if batch is None:
                    return
                shared.under_way += batch.records
            self._left = batch.records
            try:
                self._deliver(batch)
            except Exception as error:
                LOG.exception("a batch could not be sent")
                self._drop(Batch(batch.signal, b"", self._left), "internal", repr(error))

    def _deliver(self, batch: Batch) -> None:
        try:
            client = self.shared.clients.of(batch.signal)
        except Exception as error:  # noqa: BLE001 (a certificate that is not there, for one)
            self._drop(batch, "no_client", repr(error))
            return
        for part, body in self._encoded(batch, client.encoding):
            if len(body) > self.shared.request_bytes:
                limit = f"{self.shared.request_bytes:,}"
                self._drop(part, "too_large", f"one record takes {len(body):,} bytes, more than {limit}")
            else:
                self._send(part, body, client)

    def _encoded(self, batch: Batch, encoding: Encoding) -> Iterator[tuple[Batch, bytes]]:
        """Yield the batch as it is written, or its parts where it is too large for one request then."""
        body = to_encoding(batch.signal, batch.body, encoding)
        if len(body) <= self.shared.request_bytes or batch.records <= 1:
            yield batch, body
            return
        half = -(-batch.records // 2)
        for part, records in split(batch.signal, batch.body, half, self.shared.request_bytes):
            yield from self._encoded(Batch(batch.signal, part, records), encoding)

    def _send(self, batch: Batch, body: bytes, client: Client) -> None:
        shared = self.shared
        started_s = shared.clock.now_s()
        retry = 0
        while True:
            if not self._wait_for_turn():
                self._drop(batch, "shutdown", "the exporter was shut down before it could be sent")
                return
            self._count_attempt(retry)
            outcome = self._attempt(client, body)
            if outcome.delivered:
                self._acknowledge(batch, outcome)
                return
            retry += 1
            if not self._will_retry(batch, outcome, retry, started_s):
                return

    def _attempt(self, client: Client, body: bytes) -> Outcome:
        try:
            return client.send(body)
        except Exception as error:
            if not self.shared.abandoned:  # a client that was closed in the middle may raise anything
                LOG.warning("a request could not be sent", exc_info=True)
            return Outcome(delivered=False, reason="internal", message=repr(error))

    def _count_attempt(self, retry: int) -> None:
        with self.shared.changed:
            if retry:
                self.shared.stats.retried += 1
            else:
                self.shared.stats.requests += 1

    def _wait_for_turn(self) -> bool:
        """Wait until the server may be asked again; False when the exporter gives up."""
        shared = self.shared
        with shared.changed:
            while not shared.abandoned:
                left_s = shared.not_before_s - shared.clock.now_s()
                if left_s <= 0:
                    return True
                shared.clock.wait(shared.changed, left_s)
        return False

    def _will_retry(self, batch: Batch, outcome: Outcome, retry: int, started_s: float) -> bool:
        shared = self.shared
        with shared.changed:
            shared.stats.errors[outcome.reason] += 1
            if shared.abandoned:
                return False  # it has been counted as dropped by the shutdown
            if not outcome.retryable:
                self._drop(batch, outcome.reason, outcome.message)
                return False
            next_s = shared.clock.now_s() + shared.policy.delay_s(retry, outcome.retry_after_s, shared.rng)
            if next_s - started_s > shared.policy.max_elapsed_s:
                self._drop(batch, "retries_exhausted", f"{outcome.reason}: {outcome.message}")
                return False
            shared.not_before_s = max(shared.not_before_s, next_s)
            return True

    def _acknowledge(self, batch: Batch, outcome: Outcome) -> None:
        with self.shared.changed:
            if not self.shared.abandoned:
                self.shared.stats.acknowledge(batch.records, outcome)
                self._settle(batch)

    def _drop(self, batch: Batch, reason: str, message: str) -> None:
        with self.shared.changed:
            if not self.shared.abandoned:
                self.shared.stats.drop(batch.records, reason, message)
                self._settle(batch)

    def _settle(self, batch: Batch) -> None:
        self._left -= batch.records
        self.shared.under_way -= batch.records
        self.shared.changed.notify_all()
