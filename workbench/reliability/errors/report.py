"""`ErrorReport`: many exceptions, counted by class, by root cause and by call site.

An entry is (class, root cause, call site): the class of the exception that was raised, the type and masked
message of the last in its chain of causes, and the innermost line of the user's own code. A group counts as
its leaves.

Memory is bounded however many errors come. Beyond the capacity, entries lose their messages first (cause
``Type: …``), and beyond it again their call site and type; the count of each class is always exact. What is
kept does not depend on the order in which errors came, so merging reports is commutative and associative: a
report of parts is the report of the whole.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from workbench.errors import WorkbenchError
from workbench.reliability.errors._bounded_counts import BoundedCounts, Tally
from workbench.reliability.errors._call_sites import UNKNOWN_SITE, CallSite, site_of
from workbench.reliability.errors._causes import OTHER_MESSAGES, Cause, cause_of, message_of
from workbench.reliability.errors.classification import cause_chain, classify, leaves
from workbench.reliability.errors.taxonomy import ErrorClass

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from workbench.otlp import Traces

__all__ = ["ErrorEntry", "ErrorReport", "ReportError"]

CAPACITY = 2_000
OTHER_CAUSES = Cause("other causes", "")


class ReportError(WorkbenchError, ValueError):
    """Raised when reports of different capacity are merged, or one cannot hold anything."""


@dataclass(frozen=True, slots=True, order=True)
class _Key:
    error_class: str
    cause: Cause
    site: CallSite

    def without_message(self) -> "_Key":
        return _Key(self.error_class, Cause(self.cause.type_name, OTHER_MESSAGES), self.site)


@dataclass(frozen=True, slots=True)
class ErrorEntry:
    """Errors that are alike.

    Attributes
    ----------
    error_class : ErrorClass
    cause : Cause
    site : CallSite
    count : int
    example : str
        One message of theirs, unmasked.
    """

    error_class: ErrorClass
    cause: Cause
    site: CallSite
    count: int
    example: str


class ErrorReport:
    """Counts of errors by class, root cause and call site, from any number of threads.

    Parameters
    ----------
    capacity : int
        How many different entries to keep in full, and as many again without their messages.

    Raises
    ------
    ReportError
        When the capacity is not positive.

    Examples
    --------
    >>> report = ErrorReport.of(map(ConnectionResetError, ["peer 10.0.0.7", "peer 10.0.0.9"]))
    >>> report
    ErrorReport: 2 errors: 2 transient; 1 cause, 1 call site
    >>> report.by_cause()
    {Cause(type_name='ConnectionResetError', message='peer <ip>'): 2}
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        if capacity < 1:
            msg = f"capacity is {capacity}, expected at least one entry"
            raise ReportError(msg)
        self.capacity = capacity
        self._lock = Lock()
        self._full: BoundedCounts[_Key] = BoundedCounts(capacity)
        self._coarse: BoundedCounts[_Key] = BoundedCounts(capacity)
        self._rest: dict[str, Tally] = {}

    @classmethod
    def of(cls, exceptions: Iterable[BaseException], *, capacity: int = CAPACITY) -> "ErrorReport":
        """Return the report of some exceptions."""
        report = cls(capacity)
        for exc in exceptions:
            report.add(exc)
        return report

    @classmethod
    def from_traces(cls, traces: "Traces", *, capacity: int = CAPACITY) -> "ErrorReport":
        """Return the report of the exceptions that spans recorded as events.

        An exception that several spans of a trace recorded, as it rose through them, counts for each.
        """
        from workbench.reliability.errors._recorded import recorded_errors  # noqa: PLC0415 - needs pyarrow

        report = cls(capacity)
        for found in recorded_errors(traces):
            key = _Key(found.error_class.value, found.cause, found.site)
            report._count(key, Tally(1, found.message))
        return report

    def add(self, exc: BaseException) -> None:
        """Count an exception; of a group, each of its leaves. Nothing of the exception itself is kept."""
        for leaf in leaves(exc):
            chain = cause_chain(leaf)
            key = _Key(classify(leaf).value, cause_of(chain[-1]), site_of(exc, *chain))
            self._count(key, Tally(1, message_of(chain[-1])))

    @contextmanager
    def collecting(self, *, reraise: bool = False) -> Iterator["ErrorReport"]:
        """Count the exception that ends the block, and go on after it.

        Requests to stop, such as KeyboardInterrupt and CancelledError, are neither counted nor held up.

        Parameters
        ----------
        reraise : bool
            Whether the exception goes on rising after it was counted.

        Examples
        --------
        >>> report = ErrorReport()
        >>> for text in ("1", "two", "3", "four"):
        ...     with report.collecting():
        ...         number = int(text)
        >>> len(report)
        2
        """
        try:
            yield self
        except Exception as exc:
            self.add(exc)
            if reraise:
                raise

    def merge(self, other: "ErrorReport") -> "ErrorReport":
        """Return the report of all errors of both; neither is changed.

        Raises
        ------
        ReportError
            When their capacities differ.
        """
        if self.capacity != other.capacity:
            msg = f"capacities are {self.capacity} and {other.capacity}, expected the same for both"
            raise ReportError(msg)
        both = ErrorReport(self.capacity)
        for report in (self, other):
            both._absorb(*report._content())  # noqa: SLF001 - of the same class
        return both

    def __add__(self, other: object) -> "ErrorReport":
        return self.merge(other) if isinstance(other, ErrorReport) else NotImplemented

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ErrorReport):
            return NotImplemented
        return self.capacity == other.capacity and self._content() == other._content()

    __hash__ = None  # type: ignore[assignment]  # a report changes

    def __len__(self) -> int:
        """How many errors were counted."""
        return sum(entry.count for entry in self.entries())

    def __repr__(self) -> str:
        classes = ", ".join(f"{count:,} {each.value}" for each, count in self.by_class().items())
        return f"ErrorReport: {_plural(len(self), 'error')}" + (
            f": {classes}{self._variety()}" if classes else ""
        )

    def _repr_html_(self) -> str:
        from workbench.reliability.errors._report_page import report_page  # noqa: PLC0415 - only when it is shown

        return report_page(self)

    def __getstate__(self) -> tuple[Any, ...]:
        return (self.capacity, *self._content())

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        capacity, *content = state
        ErrorReport.__init__(self, capacity)
        self._absorb(*content)

    def entries(self) -> list[ErrorEntry]:
        """Return what was counted, most first; of equal counts, by class, cause and call site."""
        full, coarse, rest = self._content()
        tallies = [*full.items(), *coarse.items()]
        tallies += [(_Key(name, OTHER_CAUSES, UNKNOWN_SITE), tally) for name, tally in rest.items()]
        tallies.sort(key=lambda found: (-found[1].count, found[0]))
        return [
            ErrorEntry(ErrorClass(key.error_class), key.cause, key.site, tally.count, tally.example)
            for key, tally in tallies
        ]

    def by_class(self) -> dict[ErrorClass, int]:
        """Return how many errors of each class, most first."""
        return _counted((entry.error_class, entry.count) for entry in self.entries())

    def by_cause(self) -> dict[Cause, int]:
        """Return how many errors of each root cause, most first."""
        return _counted((entry.cause, entry.count) for entry in self.entries())

    def by_call_site(self) -> dict[CallSite, int]:
        """Return how many errors from each line of the user's code, most first."""
        return _counted((entry.site, entry.count) for entry in self.entries())

    def to_arrow(self) -> "pa.Table":
        """Return the entries as a table.

        Its columns are error_class, cause_type, cause_message, file, line, function (null where the place is
        not known), count and example.
        """
        import pyarrow as pa  # noqa: PLC0415 - only when it is asked for

        names = ("error_class", "cause_type", "cause_message", "file", "line", "function", "count", "example")
        kinds = {"line": pa.int64(), "count": pa.int64()}
        rows = [
            (
                entry.error_class.value,
                entry.cause.type_name,
                entry.cause.message,
                entry.site.file or None,
                entry.site.line or None,
                entry.site.function or None,
                entry.count,
                entry.example,
            )
            for entry in self.entries()
        ]
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
        return pa.table(
            {
                name: pa.array(column, kinds.get(name, pa.string()))
                for name, column in zip(names, columns, strict=True)
            }
        )

    def to_pandas(self) -> "pd.DataFrame":
        """Return the entries as a data frame; see `to_arrow` for its columns."""
        return self.to_arrow().to_pandas()

    def _variety(self) -> str:
        causes, sites = len(self.by_cause()), len(self.by_call_site())
        return f"; {_plural(causes, 'cause')}, {_plural(sites, 'call site')}"

    def _count(self, key: _Key, tally: Tally) -> None:
        with self._lock:
            self._place(key, tally)

    def _place(self, key: _Key, tally: Tally) -> None:
        gone = self._full.add(key, tally)
        if gone is not None:
            self._place_coarsely(gone[0].without_message(), gone[1])

    def _place_coarsely(self, key: _Key, tally: Tally) -> None:
        gone = self._coarse.add(key, tally)
        if gone is not None:
            self._place_rest(gone[0].error_class, gone[1])

    def _place_rest(self, name: str, tally: Tally) -> None:
        known = self._rest.get(name)
        self._rest[name] = tally if known is None else known + tally

    def _content(self) -> tuple[dict[_Key, Tally], dict[_Key, Tally], dict[str, Tally]]:
        with self._lock:
            return dict(self._full), dict(self._coarse), dict(self._rest)

    def _absorb(self, full: dict[_Key, Tally], coarse: dict[_Key, Tally], rest: dict[str, Tally]) -> None:
        """Count what another report has counted, each part where it was."""
        with self._lock:
            for key, tally in full.items():
                self._place(key, tally)
            for key, tally in coarse.items():
                self._place_coarsely(key, tally)
            for name, tally in rest.items():
                self._place_rest(name, tally)


Named = TypeVar("Named")


def _counted(pairs: Iterable[tuple[Named, int]]) -> dict[Named, int]:
    counts: Counter[Named] = Counter()
    for name, count in pairs:
        counts[name] += count
    return dict(counts.most_common())


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
