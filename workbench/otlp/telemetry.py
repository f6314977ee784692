"""What traces, metrics and logs have in common: immutable records in a star of Arrow tables."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, NoReturn, Self, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from workbench import display
from workbench.otlp._columns import column, column_names
from workbench.otlp._instants import Instant, to_unix_nano
from workbench.otlp._masks import Mask, to_mask
from workbench.otlp._schema import LAYOUTS, Layout, Signal
from workbench.otlp._select import select_rows
from workbench.otlp.errors import InstantError, TraceIdError, UnknownKeyError

__all__ = ["Telemetry"]

T = TypeVar("T", bound="Telemetry")
TRACE_ID_BYTES = 16
NULLABLE = {
    pa.int64(): pd.Int64Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
}


class Telemetry:
    """Immutable records of one signal; `Traces`, `Metrics` and `Logs` are made by `workbench.otlp.read`.

    Attributes
    ----------
    tables : mapping of str to pyarrow.Table
        The records and their children, by the names of OpenTelemetry Arrow (see `workbench.otlp._schema`).
    skipped : int
        How many records or messages were left out when reading with ``on_error="skip"``.
    """

    __slots__ = ("_known", "_tables", "skipped")
    __hash__ = None  # type: ignore[assignment] # compared by content, and the content is large

    signal: ClassVar[Signal]
    _tables: dict[str, pa.Table]
    _known: frozenset[str]
    skipped: int

    def __init__(
        self, tables: Mapping[str, pa.Table], skipped: int = 0, known: frozenset[str] = frozenset()
    ) -> None:
        object.__setattr__(self, "_tables", dict(tables))
        object.__setattr__(self, "skipped", skipped)
        object.__setattr__(self, "_known", known)

    @property
    def _layout(self) -> Layout:
        return LAYOUTS[self.signal]

    @property
    def tables(self) -> Mapping[str, pa.Table]:
        """The tables by name, read-only."""
        return MappingProxyType(self._tables)

    @property
    def records(self) -> pa.Table:
        """The table of the records themselves: spans, log records or metrics."""
        return self._tables[self._layout.records]

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> NoReturn:
        msg = f"{type(self).__name__} is columns, not a sequence: use .records.to_pylist() or .to_pandas()"
        raise TypeError(msg)

    def __getitem__(self, key: str) -> pa.ChunkedArray:
        """Return the column of that name, aligned with the records.

        The records' own columns come first, then attributes of the record, its scope and its resource: the
        first of these that holds a value gives it.

        Raises
        ------
        UnknownKeyError
            A KeyError that lists near names.
        """
        try:
            return column(self._tables, self._layout, key)
        except UnknownKeyError:
            if key not in self._known:
                raise
        return pa.chunked_array([pa.nulls(len(self))])

    def __contains__(self, key: object) -> bool:
        return key in self.keys()

    def keys(self) -> list[str]:
        """Return every name that `self[name]` knows: own columns first, then attributes.

        A selection knows the attributes of the telemetry that it was selected from, even where it has none.
        """
        here = column_names(self._tables, self._layout)
        return here + sorted(self._known.difference(here))

    def _ipython_key_completions_(self) -> list[str]:
        return self.keys()

    def filter(self, mask: Mask) -> Self:
        """Return the records where the mask is true; null is false.

        Parameters
        ----------
        mask : numpy, Arrow or pandas booleans, `(n,)`
            Aligned with the records by position.

        Raises
        ------
        MaskError
            When it is not one boolean a record.
        """
        return self._take(np.flatnonzero(to_mask(mask, len(self))))

    def _take(self, rows: npt.NDArray[np.int64]) -> Self:
        selected = select_rows(self._tables, self._layout, rows)
        return type(self)(selected, self.skipped, frozenset(self.keys()))

    def time_range(self) -> tuple[pd.Timestamp, pd.Timestamp] | None:
        """Return the first and the last time of these records, UTC; None where no record has one."""
        times = self._times().cast(pa.int64())
        first, last = pc.min_max(times.filter(pc.not_equal(times, 0))).values()
        if not first.is_valid:
            return None
        return pd.Timestamp(first.as_py(), tz="UTC"), pd.Timestamp(last.as_py(), tz="UTC")

    def _times(self) -> pa.ChunkedArray:
        """Return the times that bound the records; zero is unset."""
        raise NotImplementedError

    def _with_trace_id(self, trace_id: str | bytes) -> Self:
        wanted = pa.scalar(_trace_id_bytes(trace_id), pa.binary(TRACE_ID_BYTES))
        return self.filter(pc.equal(self.records["trace_id"], wanted))

    def _between(self, times: pa.ChunkedArray, start: Instant | None, end: Instant | None) -> Self:
        nanos = times.cast(pa.int64()).to_numpy()
        first = -(1 << 63) if start is None else to_unix_nano(start)
        after = (1 << 63) - 1 if end is None else to_unix_nano(end)
        if after < first:
            msg = f"the interval ends before it starts: {start} to {end}"
            raise InstantError(msg)
        return self.filter((nanos >= first) & (nanos < after))

    def to_arrow(self) -> pa.Table:
        """Return one flat table: a row a record, own columns first, then one column an attribute."""
        internal = {"id", "resource.id", "scope.id"}
        return pa.table({name: self[name] for name in self.keys() if name not in internal})

    def to_pandas(self) -> pd.DataFrame:
        """Return `to_arrow` as a data frame: ids as hexadecimal digits, integers stay integers."""
        flat = self.to_arrow()
        for at, field in enumerate(flat.schema):
            if pa.types.is_fixed_size_binary(field.type):
                flat = flat.set_column(at, field.name, _hexadecimal(flat[field.name]))
        frame = flat.to_pandas()
        for name in flat.column_names:
            if pa.types.is_integer(flat[name].type) and flat[name].null_count:
                frame[name] = flat[name].to_pandas(types_mapper=NULLABLE.get)
        return frame

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Telemetry) or type(self) is not type(other):
            return NotImplemented
        return all(_equal(table, other.tables[name]) for name, table in self._tables.items())

    def __reduce__(self) -> tuple[type[Self], tuple[Any, ...]]:
        return type(self), (self._tables, self.skipped, self._known)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        msg = f"{type(self).__name__} is immutable: {name} cannot be set; .filter() makes another"
        raise AttributeError(msg)

    def __delattr__(self, name: str) -> NoReturn:
        self.__setattr__(name, None)

    def _facts(self) -> Iterator[str]:
        """Yield the parts of the one-line summary."""
        raise NotImplementedError

    def __repr__(self) -> str:
        facts = [*self._facts()]
        if self.skipped:
            facts.append(f"{self.skipped:,} skipped")
        return f"{type(self).__name__}: {', '.join(facts)}"

    def _summary(self) -> display.Table:
        raise NotImplementedError

    def _repr_html_(self) -> str:
        return self._summary()._repr_html_()


def _hexadecimal(ids: pa.ChunkedArray) -> pa.Array:
    return pa.array([None if found is None else found.hex() for found in ids.to_pylist()], pa.string())


def _trace_id_bytes(trace_id: object) -> bytes:
    try:
        raw = bytes.fromhex(trace_id) if isinstance(trace_id, str) else bytes(memoryview(trace_id))  # type: ignore[arg-type]
    except (ValueError, TypeError) as error:
        msg = f"expected a trace id as 32 hexadecimal digits or 16 bytes, got {trace_id!r}"
        raise TraceIdError(msg) from error
    if len(raw) != TRACE_ID_BYTES:
        msg = f"expected a trace id as 32 hexadecimal digits or 16 bytes, got {trace_id!r}"
        raise TraceIdError(msg)
    return raw


def _equal(left: pa.Table, right: pa.Table) -> bool:
    if left.equals(right):
        return True
    return (
        left.schema.equals(right.schema)
        and len(left) == len(right)
        and all(_equal_columns(left[name], right[name]) for name in left.schema.names)
    )


def _equal_columns(left: pa.ChunkedArray, right: pa.ChunkedArray) -> bool:
    """Compare with NaN equal to NaN, which Arrow's own comparison does not do."""
    if left.equals(right):
        return True
    return "double" in str(left.type) and repr(left.to_pylist()) == repr(right.to_pylist())
