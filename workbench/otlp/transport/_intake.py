"""What both servers do with a request between reading it and answering it: decode, keep, count, misbehave.

The intake knows no transport. `prepare` decides, `keep` stores; a future says when what was kept is safe, so
that one sync to disk may serve many requests.
"""

import logging
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Protocol

from workbench.otlp.errors import OtlpError
from workbench.otlp.transport._faults import Fault, FaultScript, PartialSuccess, Status, Throttle
from workbench.otlp.transport._outcome import Failure, Reason, Success
from workbench.otlp.transport._payload import Accepted, accept
from workbench.otlp.transport._services import MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES, Encoding, ServiceName
from workbench.otlp.transport._workers import DaemonPool

__all__ = ["Admission", "Intake", "Limits", "Sink", "not_kept", "success_of"]

LOG = logging.getLogger("workbench.otlp.transport")
BUSY_RETRY_S = 1.0
WORKERS = 4  # they decode what would hold up an event loop; the codec is bound by the machine's cores


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a server takes and says."""

    request_bytes: int = MAX_REQUEST_BYTES  # after decompression
    response_bytes: int = MAX_RESPONSE_BYTES  # before compression
    requests_at_once: int = 256


class Sink(Protocol):
    """Where accepted requests go."""

    def append(self, accepted: Accepted) -> Future[None]:
        """Keep a request; the future is done when an acknowledgement may be sent."""


@dataclass
class Admission:
    """Counts requests that are being worked on, so that a server that cannot keep up says so."""

    limit: int
    inside: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def enter(self) -> bool:
        """Take a place; False when there is none."""
        with self.lock:
            if self.inside >= self.limit:
                return False
            self.inside += 1
            return True

    def leave(self) -> None:
        """Give the place back."""
        with self.lock:
            self.inside -= 1


class Intake:
    """The server's decisions."""

    def __init__(self, sink: Sink, faults: FaultScript, limits: Limits) -> None:
        self.sink = sink
        self.limits = limits
        self.admission = Admission(limits.requests_at_once)
        self.closing = threading.Event()
        self._faults = faults
        self._lock = threading.Lock()
        self._number = 0
        self.workers = DaemonPool(WORKERS, "otlp-decoding")

    def next_fault(self, signal: ServiceName) -> Fault | None:
        """Return what this request has to suffer."""
        with self._lock:
            number = self._number
            self._number += 1
            try:
                return self._faults(signal, number)
            except Exception as error:  # the user's function: the client must be answered all the same
                LOG.exception("the faults raised for request %d", number)
                return Status(message=f"the faults raised {error!r}")

    def prepare(
        self, signal: ServiceName, body: bytes, encoding: Encoding, fault: Fault | None
    ) -> Accepted | Failure:
        """Decode a request that is within the limits."""
        if isinstance(fault, Throttle):
            return Failure(Reason.THROTTLED, "throttled on purpose", fault.retry_after_s)
        if isinstance(fault, Status):
            return Failure(Reason.INTERNAL, fault.message, fault.retry_after_s)
        reject_last = fault.rejected if isinstance(fault, PartialSuccess) else 0
        try:
            return accept(signal, body, encoding, reject_last=reject_last)
        except OtlpError as error:
            return Failure(Reason.BAD_DATA, str(error), field=error.path)
        except Exception as error:  # ours to mend, but the client must be answered
            LOG.exception("a request could not be decoded")
            return Failure(Reason.INTERNAL, repr(error))

    def keep(self, accepted: Accepted) -> Future[None]:
        """Hand a request to the sink."""
        return self.sink.append(accepted)

    def close(self) -> None:
        """Let go of the threads."""
        self.closing.set()
        self.workers.shutdown()

    def busy(self) -> Failure:
        """Return the answer to one request too many."""
        message = f"{self.limits.requests_at_once} requests are being worked on: come back later"
        return Failure(Reason.UNAVAILABLE, message, BUSY_RETRY_S)


def success_of(accepted: Accepted, fault: Fault | None) -> Success:
    """Return what is said of an accepted request."""
    if isinstance(fault, PartialSuccess):
        return Success(accepted.rejected, fault.message)
    if accepted.rejected:
        return Success(accepted.rejected, accepted.reason)
    return Success()


def not_kept(error: OSError) -> Failure:
    """Return the answer when what was sent could not be made safe: a full disk may have room later."""
    return Failure(Reason.UNAVAILABLE, f"it could not be stored: {error.strerror or error}", BUSY_RETRY_S)
