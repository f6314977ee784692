"""What all signals have in common: immutable records in a star of Arrow tables."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self, TypeVar, get_args, overload

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
from workbench.otlp._tally import OnError, Skipped, Tally
from workbench.otlp.codec._arrow import StarTables
from workbench.otlp.codec._buffers import messages_of
from workbench.otlp.codec._choose import choose
from workbench.otlp.codec._encoder import at_end, encode_star
from workbench.otlp.codec._given_tables import checked_tables
from workbench.otlp.codec._json_transcode import protobuf_to_json
from workbench.otlp.codec._lenient import decode_messages
from workbench.otlp.codec._star import Star
from workbench.otlp.codec._star_decoder import Buffer, Encoding, StarDecoder, Unknown
from workbench.otlp.codec._unarrow import star_of_tables
from workbench.otlp.errors import InstantError, OtlpError, TraceIdError, UnknownKeyError
from workbench.otlp.storage._duckdb import run_sql, to_duckdb
from workbench.otlp.storage._plain_columns import with_hexadecimal_ids
from workbench.otlp.storage._polars import to_polars
from workbench.otlp.storage._torch import to_torch
from workbench.otlp.storage.sql_result import SqlResult
from workbench.otlp.storage.tensors import Tensors

if TYPE_CHECKING:
    import duckdb
    import polars as pl

__all__ = ["Telemetry"]

T = TypeVar("T", bound="Telemetry")
TRACE_ID_BYTES = 16
_set_once = object.__setattr__  # of what is immutable from then on
ENCODINGS = get_args(Encoding)
NULLABLE = {
    pa.int64(): pd.Int64Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
}


class Telemetry:
    """Immutable records of one signal: `Traces`, `Metrics`, `Logs` or `Profiles`.

    They are made by `from_otlp` and `workbench.otlp.read`, or from tables of the same schemas.

    Attributes
    ----------
    skipped : int
        How many records were left out when reading with ``on_error="skip"``. A stretch of the input in which
        no record can be told (a broken frame, text that is no JSON, what follows a break) counts as one.
    unknown : int
        How many fields of a newer protocol were met: kept, or left out with ``unknown="count"``.
    """

    __slots__ = ("_known", "_star", "_tables", "skipped", "unknown")
    __hash__ = None  # type: ignore[assignment] # compared by content, and the content is large

    signal: ClassVar[Signal]
    _star: Star
    _tables: Mapping[str, pa.Table]
    _known: frozenset[str]
    skipped: Skipped
    unknown: int

    def __init__(
        self, tables: Mapping[str, pa.Table], skipped: int = 0, known: frozenset[str] = frozenset()
    ) -> None:
        self._set(star_of_tables(self.signal, checked_tables(tables, self._layout)), skipped, known)

    def _set(self, star: Star, skipped: int, known: frozenset[str]) -> None:
        _set_once(self, "_star", star)
        _set_once(self, "_tables", StarTables(star))
        _set_once(self, "skipped", skipped if isinstance(skipped, Skipped) else Skipped(skipped))
        _set_once(self, "unknown", star.unknown)
        _set_once(self, "_known", known)

    @classmethod
    def _of(cls, star: Star, skipped: int = 0, known: frozenset[str] = frozenset()) -> Self:
        made = cls.__new__(cls)
        made._set(star, skipped, known)  # noqa: SLF001 - its own class
        return made

    @classmethod
    def from_otlp(
        cls,
        data: Buffer | Iterable[Buffer],
        *,
        encoding: Encoding = "protobuf",
        on_error: OnError = "raise",
        unknown: Unknown = "keep",
    ) -> Self:
        """Decode one message of OTLP, or many.

        Exactly what the official parsers accept is accepted: an id of an odd length is kept as it is.

        Parameters
        ----------
        data : bytes, or an iterable of bytes
            ``TracesData`` and its like, or export requests, which are written the same. Any buffer is bytes
            here (``memoryview``, ``mmap``, arrays); nothing of it is kept.
        encoding : {"protobuf", "json"}
        on_error : {"raise", "skip"}
            What happens at a record that cannot be read: an error, or it is left out, counted in
            ``.skipped`` and explained in ``.skipped_errors``.
        unknown : {"keep", "count"}
            Whether fields of a newer protocol come out of `to_otlp` again, or are only counted.

        Raises
        ------
        MalformedError, TruncatedError
            An `OtlpError` with the byte ``.offset`` and the field ``.path``.

        Examples
        --------
        >>> from workbench import otlp
        >>> otlp.Traces.from_otlp(b'{"resourceSpans": []}', encoding="json")
        Traces: 0 spans
        """
        tally = Tally(on_error)
        decoder = StarDecoder(cls.signal)
        star = decode_messages(decoder, messages_of(data), tally, encoding=encoding, unknown=unknown)
        return cls._of(star, tally.skipped)

    @overload
    def to_otlp(self, encoding: Encoding = "protobuf", into: None = None) -> bytes: ...
    @overload
    def to_otlp(self, encoding: Encoding = "protobuf", *, into: bytearray) -> memoryview: ...
    def to_otlp(self, encoding: Encoding = "protobuf", into: bytearray | None = None) -> bytes | memoryview:
        """Encode as one message: byte for byte what the official library writes.

        Parameters
        ----------
        encoding : {"protobuf", "json"}
        into : bytearray, optional
            Where the message is written, at the end; it grows when it is too small. The result is a view of
            it, so release that view before the next call.

        Raises
        ------
        ValueError, TypeError
            For an encoding that there is not; when `into` is something else.
        BufferError
            When `into` would have to grow, and a view of it is held.
        """
        if encoding not in ENCODINGS:
            msg = f"encoding must be one of {', '.join(ENCODINGS)}, got {encoding!r}"
            raise ValueError(msg)
        target: object = into  # whatever the types promise
        if not (target is None or isinstance(target, bytearray)):
            msg = f"expected a bytearray to write into, got {type(target).__name__}"
            raise TypeError(msg)
        message = encode_star(self._columns(), into if encoding == "protobuf" else None)
        if encoding == "protobuf":
            return message
        text = protobuf_to_json(self.signal, bytes(message))
        return text if into is None else at_end(text, into)

    @property
    def skipped_errors(self) -> tuple[OtlpError, ...]:
        """What was wrong with the first hundred records left out, each with its ``.offset`` and ``.path``.

        Offsets count from the start of the message that an error names, or of the file.
        """
        return self.skipped.errors

    def _columns(self) -> Star:
        """Return the flat columns."""
        return self._star

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
        return self._star.rows[self._layout.records]

    def __iter__(self) -> NoReturn:
        msg = f"{type(self).__name__} is columns, not a sequence: use .records.to_pylist() or .to_pandas()"
        raise TypeError(msg)

    def __getitem__(self, key: str) -> pa.ChunkedArray:
        """Return the column of that name, aligned with the records.

        The records' own columns come first, then attributes of the record, its scope and its resource: the
        first of these that holds a value gives it. An attribute that is called as an own column goes by
        ``attributes.name``.

        Raises
        ------
        UnknownKeyError
            A KeyError that lists near names.
        """
        try:
            return column(self._tables, self._columns(), key)
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
        here = column_names(self._columns())
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
        return self._of(choose(self._columns(), rows), self.skipped, frozenset(self.keys()))

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
        flat = with_hexadecimal_ids(self.to_arrow())
        frame = flat.to_pandas()
        for name in flat.column_names:
            if pa.types.is_integer(flat[name].type) and flat[name].null_count:
                frame[name] = flat[name].to_pandas(types_mapper=NULLABLE.get)
        return frame

    def to_polars(self) -> "pl.DataFrame":
        """Return `to_arrow` as a polars data frame: ids as hexadecimal digits.

        Raises
        ------
        MissingExtraError
            When polars is not installed.
        """
        return to_polars(self)

    def to_duckdb(self, connection: "duckdb.DuckDBPyConnection | None" = None) -> "duckdb.DuckDBPyConnection":
        """Return a DuckDB connection with a view for each table, by its name.

        That of the records has their own columns and one for each attribute of the record, its scope and its
        resource; its ``id`` is the ``parent_id`` of its children. Ids are hexadecimal digits, durations
        nanoseconds, times UTC. The views read this telemetry's memory. DuckDB takes names that differ in case
        alone for one: beside ``Key`` the attribute ``key`` is called ``key_1``, or by the next number that is
        free.

        Parameters
        ----------
        connection : DuckDBPyConnection, optional
            Where the views are registered; without one, a new database in memory.

        Raises
        ------
        MissingExtraError
            When DuckDB is not installed.
        """
        return to_duckdb(self, connection)

    def sql(self, query: str) -> SqlResult:
        """Return what a query finds in the views of `to_duckdb`; names with a dot stand in double quotes.

        Columns of the same name are told apart by numbers: name, name_1, name_2.

        Raises
        ------
        SqlError
            When DuckDB refuses the query; lists the tables, and columns of near names.
        MissingExtraError
            When DuckDB is not installed.

        Examples
        --------
        >>> from workbench import otlp
        >>> traces = otlp.read("datasets/checkout/traces.otlp.zst")
        >>> query = 'select "service.name", count(*) as spans from spans group by all order by all limit 2'
        >>> traces.sql(query)
        2 rows
        service.name  spans
        ------------  -----
        cart           2404
        gateway        9718
        """
        return run_sql(self, query)

    def to_torch(self, columns: Sequence[str] | None = None) -> Tensors:
        """Return columns as tensors by name: numbers and times as they are, texts as numbers of a vocabulary.

        Parameters
        ----------
        columns : sequence of str, optional
            Names that `self[name]` knows; without them, all that are no lists, structs or byte strings.

        Raises
        ------
        UnknownKeyError, TensorError
            When a column is not there; when it holds what no tensor can.
        MissingExtraError
            When torch is not installed.
        """
        return to_torch(self, columns)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Telemetry) or type(self) is not type(other):
            return NotImplemented
        return self.to_otlp() == other.to_otlp()

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (type(self), self.to_otlp(), self.skipped, self.unknown, self._known)

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


def _unpickled(cls: type[T], message: bytes, skipped: Skipped, unknown: int, known: frozenset[str]) -> T:
    star = cls.from_otlp(message)._columns()  # noqa: SLF001 - the class's own
    return cls._of(star._replace(unknown=unknown), skipped, known)


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
