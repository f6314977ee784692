"""`History`: the operations of several processes on a shared object, as they overlapped in time.

Two operations are ordered when one returned before the other was called, or when one process did both;
all others are concurrent. Times that are equal order nothing across processes: a clock that ticks too
coarsely never makes a history wrong.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Self, overload

from workbench import display
from workbench.histories.errors import OperationError
from workbench.histories.operation import Operation

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from workbench.histories._columns import Columns
    from workbench.histories.recorder import Recorder
    from workbench.otlp import Traces

__all__ = ["History"]


class History:
    """Immutable concurrent operations, in the order of their calls.

    Parameters
    ----------
    operations : iterable of Operation
        In any order; those of one process must not overlap.

    Raises
    ------
    OperationError
        A ValueError, when a process has two operations at a time, or goes on after one that never returned;
        says which.

    Examples
    --------
    >>> History([Operation("A", 0, 3, ("write", 1), True), Operation("B", 1, 2, ("read",), 1)])
    History: 2 operations of 2 processes in 3 s
    """

    __slots__ = ("_columns", "_operations")
    _columns: "Columns | None"
    _operations: tuple[Operation, ...]

    def __init__(self, operations: Iterable[Operation] = ()) -> None:
        given = list(operations) if isinstance(operations, Iterable) else [operations]
        wrong = [each for each in given if not isinstance(each, Operation)]
        if wrong:
            msg = f"a history is made of operations: Operation(0, 0.0, 1.0, ('read',), 3), not {wrong[0]!r}"
            raise OperationError(msg)
        ordered = sorted(given, key=_call_and_return)
        _check(ordered)
        object.__setattr__(self, "_operations", tuple(ordered))
        object.__setattr__(self, "_columns", None)

    @staticmethod
    def record() -> "Recorder":
        """Begin to record real operations of threads, tasks and processes.

        Examples
        --------
        >>> recorder = History.record()
        >>> with recorder.operation(("read",)) as operation:
        ...     operation.output = 7
        >>> recorder.history()
        History: 1 operation of 1 process in ...
        """
        from workbench.histories.recorder import Recorder  # noqa: PLC0415 - needs multiprocessing

        return Recorder()

    @classmethod
    def from_traces(cls, traces: "Traces", mapping: Mapping[str, Any] | None = None) -> Self:
        """Read a history from spans, each of which was one operation.

        Parameters
        ----------
        traces : Traces
        mapping : mapping of str to str or callable, optional
            What a span says of its operation, for ``"process"``, ``"input"`` and ``"output"``; optionally
            also for ``"call_s"`` and ``"return_s"``, in seconds, which otherwise are the span's times after
            the first start. A str names a column of the spans, as ``"client.id"``; a callable is given all
            that is known of one span, as a dict by column, and returns the value. A span whose input is None
            is no operation. Without a mapping, the attributes that `to_traces` writes.

        Raises
        ------
        MappingError
            A ValueError, for a key or a column that there is not, and for a span that says too little.
        OperationError
            When the operations found are no history.

        Notes
        -----
        A span that failed (status ``ERROR``) or has no end never returned: what it asked may have happened at
        any later time. Where its process goes on, what follows belongs to a process of another name.
        """
        from workbench.histories._spans import operations_of_spans  # noqa: PLC0415 - needs pyarrow

        return cls(operations_of_spans(traces, mapping))

    def to_traces(self) -> "Traces":
        """Return one span an operation; `from_traces` reads them back, equal.

        Raises
        ------
        MappingError
            When a value is not one that Python can write as a literal.
        """
        from workbench.histories._spans import spans_of_history  # noqa: PLC0415 - needs pyarrow

        return spans_of_history(self)

    @property
    def operations(self) -> tuple[Operation, ...]:
        """The operations, in the order of their calls."""
        return self._operations

    @property
    def columns(self) -> "Columns":
        """The operations column by column, as numbers where they can be: what a judge works on."""
        known = self._columns
        if known is None:
            from workbench.histories._columns import Columns  # noqa: PLC0415 - needs numpy

            known = Columns.of(self._operations)
            object.__setattr__(self, "_columns", known)
        return known

    @property
    def processes(self) -> tuple[Hashable, ...]:
        """The processes, in the order of their first calls."""
        return tuple(dict.fromkeys(operation.process for operation in self._operations))

    @property
    def pending(self) -> tuple[Operation, ...]:
        """The operations that never returned."""
        return tuple(operation for operation in self._operations if operation.return_s is None)

    @property
    def duration_s(self) -> float:
        """Seconds from the first call to the last time there is."""
        times = [
            time for each in self._operations for time in (each.call_s, each.return_s) if time is not None
        ]
        return max(times) - min(times) if times else 0.0

    def __len__(self) -> int:
        return len(self._operations)

    def __iter__(self) -> Iterator[Operation]:
        return iter(self._operations)

    @overload
    def __getitem__(self, place: int) -> Operation: ...
    @overload
    def __getitem__(self, place: slice) -> Self: ...
    def __getitem__(self, place: int | slice) -> Operation | Self:
        """Return an operation, or the history of a part of them."""
        if isinstance(place, slice):
            return type(self)(self._operations[place])
        return self._operations[place]

    def __eq__(self, other: object) -> bool:
        return self._operations == other._operations if isinstance(other, History) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._operations)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        msg = f"a History is immutable: {name} cannot be set; make another of other operations"
        raise AttributeError(msg)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._operations,)

    def __repr__(self) -> str:
        count, waiting = len(self.processes), len(self.pending)
        processes = "1 process" if count == 1 else f"{count:,} processes"
        never = f", {waiting:,} never returned" if waiting else ""
        operations = display.plural(len(self), "operation")
        return f"History: {operations} of {processes} in {self.duration_s:g} s{never}"

    def timeline(self, title: str = "") -> display.Picture:
        """Draw the operations as bars, one lane a process; see-through ends are those that never returned."""
        from workbench.histories._pictures import draw_history  # noqa: PLC0415 - only when drawn

        return draw_history(self, title)

    def _repr_html_(self) -> str:
        return self.timeline()._repr_mimebundle_()["text/html"]

    def to_arrow(self) -> "pa.Table":
        """Return one row an operation: process, times, name, and input and output as Python writes them."""
        import pyarrow as pa  # noqa: PLC0415 - only for those who ask for tables

        whole = all(type(operation.process) is int for operation in self)
        unknown = [operation.output is None for operation in self]
        return pa.table(
            {
                "process": [each.process for each in self] if whole else [str(each.process) for each in self],
                "call_s": pa.array([float(each.call_s) for each in self], pa.float64()),
                "return_s": pa.array([each.return_s for each in self], pa.float64()),
                "name": pa.array([each.name for each in self], pa.string()),
                "input": pa.array([repr(each.input) for each in self], pa.string()),
                "output": pa.array([repr(each.output) for each in self], pa.string(), mask=_array(unknown)),
            }
        )

    def to_pandas(self) -> "pd.DataFrame":
        """Return one row an operation: process, times, name, and input and output as they are."""
        import pandas as pd  # noqa: PLC0415 - only for those who ask for tables

        return pd.DataFrame(
            {
                "process": [each.process for each in self],
                "call_s": [float(each.call_s) for each in self],
                "return_s": [float("nan") if each.return_s is None else each.return_s for each in self],
                "name": [each.name for each in self],
                "input": pd.Series([each.input for each in self], dtype=object),
                "output": pd.Series([each.output for each in self], dtype=object),
            }
        )


def _array(flags: list[bool]) -> Any:
    import numpy as np  # noqa: PLC0415 - only for those who ask for tables

    return np.array(flags, dtype=bool)


def _call_and_return(operation: Operation) -> tuple[float, float]:
    returned = operation.return_s
    return operation.call_s, float("inf") if returned is None else returned


def _check(ordered: list[Operation]) -> None:
    """Raise when a process has two operations at a time."""
    last: dict[Hashable, Operation] = {}
    for operation in ordered:
        before = last.get(operation.process)
        if before is not None and (before.return_s is None or before.return_s > operation.call_s):
            _refuse(before, operation)
        last[operation.process] = operation


def _refuse(before: Operation, operation: Operation) -> NoReturn:
    never = before.return_s is None
    why = "which never returned" if never else "which had not returned"
    cure = "let what follows belong to another process" if never else "a process has one operation at a time"
    msg = f"process {operation.process!r} calls {operation!r} after {before!r}, {why}: {cure}"
    raise OperationError(msg)
