"""Accepted requests in memory, and the telemetry that they are: built when asked for, once for each state."""

import threading
from concurrent.futures import Future
from typing import Any

from workbench.otlp.logs import Logs
from workbench.otlp.metrics import Metrics
from workbench.otlp.profiles import Profiles
from workbench.otlp.traces import Traces
from workbench.otlp.transport._clock import SYSTEM_CLOCK, end_of_wait_s
from workbench.otlp.transport._payload import Accepted, to_telemetry
from workbench.otlp.transport._services import SERVICES, ServiceName
from workbench.otlp.transport.errors import WaitTimeoutError

__all__ = ["Memory"]


class Memory:
    """A sink that keeps what it gets, and wakes those who wait for it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._kept: dict[ServiceName, list[Accepted]] = {signal: [] for signal in SERVICES}
        self._records: dict[ServiceName, int] = dict.fromkeys(SERVICES, 0)
        self._rejected: dict[ServiceName, int] = dict.fromkeys(SERVICES, 0)
        self._snapshots: dict[ServiceName, tuple[int, Any]] = {}
        self._generation = 0

    def append(self, accepted: Accepted) -> Future[None]:
        """Keep a request; it is as safe as it will be at once."""
        with self._changed:
            self._kept[accepted.signal].append(accepted)
            self._records[accepted.signal] += accepted.records
            self._rejected[accepted.signal] += accepted.rejected
            self._generation += 1
            self._changed.notify_all()
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def counts(self) -> dict[ServiceName, tuple[int, int, int]]:
        """Return requests, records and rejected records of each signal."""
        with self._changed:
            return {
                signal: (len(kept), self._records[signal], self._rejected[signal])
                for signal, kept in self._kept.items()
            }

    def wait_for(self, records: int, timeout_s: float) -> None:
        """Return when so many records are here; see `Receiver.wait_for`."""
        end_s = end_of_wait_s("timeout_s", timeout_s)
        with self._changed:
            while (arrived := sum(self._records.values())) < records:
                left_s = end_s - SYSTEM_CLOCK.now_s()
                if left_s <= 0:
                    raise WaitTimeoutError(records, arrived, timeout_s)
                SYSTEM_CLOCK.wait(self._changed, left_s)

    def clear(self) -> None:
        """Forget everything."""
        with self._changed:
            for kept in self._kept.values():
                kept.clear()
            self._records = dict.fromkeys(SERVICES, 0)
            self._rejected = dict.fromkeys(SERVICES, 0)
            self._snapshots.clear()
            self._generation += 1

    def telemetry(self, signal: ServiceName) -> Traces | Metrics | Logs | Profiles:
        """Return what was accepted of a signal; the same object as long as nothing came."""
        with self._changed:
            generation, bodies = self._generation, [one.body for one in self._kept[signal]]
            known = self._snapshots.get(signal)
        if known is not None and known[0] == generation:
            return known[1]
        made = to_telemetry(signal, bodies)
        with self._changed:
            self._snapshots[signal] = (generation, made)
        return made
