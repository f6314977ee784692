"""How spans hang together: parents, entry spans, roots, and time that a service spends by itself.

For a span s of service v: its *parent row* is the row of the span that it names as parent in the same trace;
it is an *entry span* of v when its parent belongs to another service, or is not there; ``entry(s)`` is the
nearest entry span of v at or above s.

The *own time* of an entry span e is its duration without the time covered by calls to other services made
under it: ``own(e) = d(e) - | union of [a_c, b_c) over remote calls c with entry(c) = e |``. A call is remote
when a span of another service is its child, or when it is a CLIENT span to something that is not a database.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from workbench.kernels import covered_length, find_rows
from workbench.otlp.analysis._identity import find_named_parents, id_words
from workbench.otlp.analysis._operations import column_or_nulls, value_codes

if TYPE_CHECKING:
    from workbench.otlp.traces import Traces

__all__ = ["SpanStructure"]

Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Mask = npt.NDArray[np.bool_]
T = TypeVar("T")

CLIENT = 3  # SpanKind
STATUS_ERROR = 2
DATABASE_KEYS = ("db.system.name", "db.system")


class _FrozenProperty(cached_property[T]):
    """A property that is computed once, and whose array nobody changes."""

    def __get__(self, instance: Any, owner: type[Any] | None = None) -> Any:
        value = super().__get__(instance, owner)
        if isinstance(value, np.ndarray):
            value.setflags(write=False)
        return value


@dataclass(frozen=True)
class SpanStructure:
    """The structure of some spans: arrays aligned with them, each computed when first asked for."""

    traces: "Traces"

    @_FrozenProperty
    def start(self) -> Rows:
        """Start in nanoseconds since the epoch, 0 where it is unset, `(n,) int64`."""
        return self.traces.spans["start_time_unix_nano"].cast(pa.int64()).to_numpy()

    @_FrozenProperty
    def is_started(self) -> Flags:
        """Whether a span says when it started, `(n,) bool`."""
        return self.start != 0

    @_FrozenProperty
    def duration(self) -> Rows:
        """Duration in nanoseconds, 0 without a start, `(n,) int64`."""
        return np.where(self.is_started, self.stop - self.start, 0)

    @_FrozenProperty
    def stop(self) -> Rows:
        """End in nanoseconds since the epoch, 0 where it is unset, `(n,) int64`."""
        return self.start + self.traces.spans["duration_time_unix_nano"].cast(pa.int64()).to_numpy()

    @_FrozenProperty
    def kind(self) -> Rows:
        """SpanKind, `(n,) int`."""
        return self.traces.spans["kind"].to_numpy()

    @_FrozenProperty
    def error(self) -> Mask:
        """Whether the span's status is ERROR, `(n,) bool`."""
        code = pc.struct_field(self.traces.spans["status"], "code")
        return pc.equal(code, STATUS_ERROR).fill_null(False).to_numpy()

    @property
    def services(self) -> list[str]:
        """The services, in alphabetical order."""
        return self._service[1]

    @property
    def service(self) -> Rows:
        """Position in `services` of each span's service, `(n,) int64`."""
        return self._service[0]

    @cached_property
    def _service(self) -> tuple[Rows, list[str]]:
        codes, names = value_codes([column_or_nulls(self.traces, "service.name")])
        present, found = np.unique(codes, return_inverse=True)  # a dictionary may hold more than occurs
        found = found.astype(np.int64)
        found.setflags(write=False)
        return found, [names[at] for at in present]

    @_FrozenProperty
    def trace(self) -> Rows:
        """Number of each span's trace, counted in order of first appearance, `(n,) int64`."""
        words = id_words(self.traces, "trace_id")
        first = find_rows(words, words)
        return np.unique(first, return_inverse=True)[1].astype(np.int64)

    @_FrozenProperty
    def parent(self) -> Rows:
        """Row of each span's parent, or -1 where it has none or it is not among these spans, `(n,) int64`."""
        return _without_cycles(find_named_parents(self.traces))

    @_FrozenProperty
    def entry(self) -> Rows:
        """Row of the nearest entry span of the same service at or above each span, `(n,) int64`."""
        itself = np.arange(len(self.parent))
        above = np.where(self.parent < 0, itself, self.parent)
        step = np.where(self.service[above] == self.service, above, itself)
        return _follow(step)

    @_FrozenProperty
    def is_entry(self) -> Mask:
        """Whether the span is an entry span, `(n,) bool`."""
        return self.entry == np.arange(len(self.entry))

    @_FrozenProperty
    def remote_calls(self) -> tuple[Rows, Rows]:
        """Rows of the calls to other services, and of the entry span each was made under, both `(c,)`.

        A call is a CLIENT span to no database, or one with a child in another service; without a CLIENT
        span in between it is the called service's entry span itself.
        """
        entered = np.flatnonzero(self.is_entry & (self.parent >= 0))
        by_client = self.kind[self.parent[entered]] == CLIENT
        client = (self.kind == CLIENT) & ~self._to_database
        client[self.parent[entered[by_client]]] = True
        callers, direct = np.flatnonzero(client), entered[~by_client]
        owners = np.concatenate([self.entry[callers], self.entry[self.parent[direct]]])
        return np.concatenate([callers, direct]), owners

    @_FrozenProperty
    def _to_database(self) -> Mask:
        found = np.zeros(len(self.parent), bool)
        for key in DATABASE_KEYS:
            found |= column_or_nulls(self.traces, key).is_valid().to_numpy()
        return found

    @_FrozenProperty
    def own_time(self) -> Rows:
        """Nanoseconds that each entry span's service spent by itself; 0 for other spans."""
        calls, owners = self.remote_calls
        stop = self.start + self.duration
        waiting = covered_length(owners, self.start[calls], stop[calls], self.start, stop)
        return np.where(self.is_entry, self.duration - waiting, 0)

    @_FrozenProperty
    def own_error(self) -> Mask:
        """Whether an entry span failed, and no remote call under it did: the error started in its service."""
        calls, owners = self.remote_calls
        excused = np.zeros(len(self.error), bool)
        excused[owners[self.error[calls]]] = True
        return self.error & self.is_entry & ~excused

    @_FrozenProperty
    def root(self) -> Rows:
        """Row of each trace's root, the longest span without a parent, by the trace's number."""
        candidates = np.flatnonzero(self.parent < 0)
        order = candidates[np.lexsort((-self.duration[candidates], self.trace[candidates]))]
        return order[np.unique(self.trace[order], return_index=True)[1]]


def _follow(step: Rows) -> Rows:
    """Return where each row ends when it follows `step` to a fixed point, by pointer doubling."""
    for _ in range(max(len(step), 1).bit_length() + 1):
        further = step[step]
        if np.array_equal(further, step):
            break
        step = further
    return step


def _without_cycles(parent: Rows) -> Rows:
    """Return parents without cycles: spans on or below a malformed cycle become roots."""
    nowhere = len(parent)
    step = np.append(np.where(parent < 0, nowhere, parent), nowhere)
    for _ in range(max(nowhere, 1).bit_length() + 1):
        step = step[step]
    return np.where(step[:-1] == nowhere, parent, -1)
