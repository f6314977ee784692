"""What became of everything that was given to an exporter: each record is counted exactly once."""

import logging
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from workbench import display
from workbench.otlp.transport._retrying import Outcome

__all__ = ["ExportStats", "StatsKeeper"]

KEPT_MESSAGES = 100
LOG = logging.getLogger("workbench.otlp.transport")


@dataclass(frozen=True, slots=True)
class ExportStats:
    """Counts at one moment; ``given == sent + rejected + sum(dropped.values()) + pending``.

    Attributes
    ----------
    given : int
        Records given to `Exporter.export`.
    sent, rejected : int
        Records that a server acknowledged, and that it rejected in a partial success.
    dropped : mapping of str to int
        Records given up, by reason: ``queue_full``, ``too_large``, ``http_400``, ``grpc_INTERNAL``,
        ``retries_exhausted``, ``response_too_large``, ``shutdown``, ...
    pending : int
        Records waiting, or under way.
    requests, retried : int
        Requests sent for the first time, and sent again.
    errors : mapping of str to int
        Failed attempts by reason, those included that a retry mended; ``unreadable_acknowledgement`` is of
        attempts that are taken for delivered.
    messages : tuple of str
        The last 100 different things that servers said in a partial success, or as a warning in a full one.
    """

    given: int = 0
    sent: int = 0
    rejected: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    pending: int = 0
    requests: int = 0
    retried: int = 0
    errors: Mapping[str, int] = field(default_factory=dict)
    messages: tuple[str, ...] = ()

    def _rows(self) -> list[tuple[str, int]]:
        rows = [("given", self.given), ("sent", self.sent), ("rejected", self.rejected)]
        rows += [(f"dropped: {reason}", count) for reason, count in sorted(self.dropped.items())]
        rows += [("pending", self.pending), ("requests", self.requests), ("retried", self.retried)]
        return rows + [(f"errors: {reason}", count) for reason, count in sorted(self.errors.items())]

    def __repr__(self) -> str:
        dropped = sum(self.dropped.values())
        return (
            f"ExportStats: {self.given:,} given, {self.sent:,} sent, {self.rejected:,} rejected, "
            f"{dropped:,} dropped, {self.pending:,} pending, {self.retried:,} requests retried"
        )

    def _repr_html_(self) -> str:
        return display.table(["what", "count"], self._rows(), title=repr(self))._repr_html_()


class StatsKeeper:
    """Counts; its owner holds a lock around every call."""

    def __init__(self) -> None:
        self.given = self.sent = self.rejected = self.requests = self.retried = 0
        self.dropped: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.messages: deque[str] = deque(maxlen=KEPT_MESSAGES)

    def drop(self, records: int, reason: str, message: str) -> None:
        """Count records as given up; the first time a reason occurs, it is logged as well."""
        if not records:
            return
        if reason not in self.dropped:
            LOG.warning("%d records were dropped (%s): %s", records, reason, message or "no message")
        self.dropped[reason] += records

    def acknowledge(self, records: int, outcome: Outcome) -> None:
        """Count an acknowledged request; what is new in it is logged as well."""
        taken = min(max(outcome.rejected, 0), records)
        self.sent += records - taken
        self.rejected += taken
        if outcome.reason:
            self._doubt(outcome)
        elif outcome.message and outcome.message not in self.messages:
            self.messages.append(outcome.message)
            LOG.warning("the server %s: %s", _said(taken), outcome.message)

    def _doubt(self, outcome: Outcome) -> None:
        if outcome.reason not in self.errors:
            LOG.warning("%s: %s", outcome.reason, outcome.message)
        self.errors[outcome.reason] += 1

    def snapshot(self, pending: int) -> ExportStats:
        """Return the counts as they are."""
        return ExportStats(
            self.given,
            self.sent,
            self.rejected,
            dict(self.dropped),
            pending,
            self.requests,
            self.retried,
            dict(self.errors),
            tuple(self.messages),
        )


def _said(rejected: int) -> str:
    return f"rejected {rejected:,} records and says" if rejected else "accepted all records and warns"
