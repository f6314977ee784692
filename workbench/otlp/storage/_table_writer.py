"""Telemetry as a folder of tables: a file a table, written a batch at a time; ids run on through the batches.

In Parquet, times, ids and numbers of rows are delta-encoded, texts dictionary-encoded, all within zstd.
Arrow's files have the columns' own types; the dictionaries of several batches differ, so their texts are
written out.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from workbench.otlp._schema import LAYOUTS, Signal
from workbench.otlp.codec._choose import parents_of
from workbench.otlp.errors import TableError
from workbench.otlp.storage._names import Format
from workbench.otlp.storage._table_folder import SIGNAL_KEY
from workbench.otlp.storage._table_parts import LISTED, with_column, with_struct_ids
from workbench.otlp.telemetry import Telemetry

__all__ = ["write_tables"]

MOST_ROWS = 1 << 32  # ids are uint32
GROUP_ROWS = 1 << 17
ZSTD_LEVEL = 3
Write = Callable[[pa.Table], object]


def write_tables(
    batches: Iterable[Telemetry],
    signal: Signal,
    folder: Path,
    form: Format,
    metadata: Mapping[bytes, bytes] | None = None,
) -> None:
    """Write every table of a signal into a folder, empty ones as well; each says what `metadata` does."""
    schemas = LAYOUTS[signal].schemas
    batches, is_one = _peeked(iter(batches))
    with ExitStack() as stack:
        writers: dict[str, Write] = {}
        for name, schema in schemas.items():
            said = _plain(schema) if form == "arrow" and not is_one else schema
            said = said.with_metadata({SIGNAL_KEY: signal.encode(), **(metadata or {})})
            made = (_parquet if form == "parquet" else _arrow)(folder, name, said)
            stack.callback(made.close)
            writers[name] = _writing(made, said)
        shift = _Shift(signal)
        for batch in batches:
            for name, table in shift.tables(batch).items():
                writers[name](table)


def _peeked(batches: Iterator[Telemetry]) -> tuple[Iterator[Telemetry], bool]:
    """Return the batches, and whether it is one only."""
    first = [batch for _, batch in zip(range(2), batches, strict=False)]
    return chain(first, batches), len(first) == 1


def _writing(writer: Any, schema: pa.Schema) -> Write:
    def write(table: pa.Table) -> None:
        if len(table):
            plain = table if table.schema.equals(schema) else table.cast(schema)
            if isinstance(writer, pq.ParquetWriter):
                writer.write_table(plain, row_group_size=GROUP_ROWS)
            else:
                writer.write_table(_one_dictionary(plain), max_chunksize=GROUP_ROWS)

    return write


def _one_dictionary(table: pa.Table) -> pa.Table:
    return table.unify_dictionaries().combine_chunks()


def _parquet(folder: Path, name: str, schema: pa.Schema) -> pq.ParquetWriter:
    delta = [path for path, kind in _leaves(schema) if _goes_by_differences(path, kind)]
    return pq.ParquetWriter(
        folder / f"{name}.parquet",
        schema,
        compression="zstd",
        compression_level=ZSTD_LEVEL,
        write_page_checksum=True,
        use_dictionary=[path for path, _ in _leaves(schema) if path not in delta and path not in RANDOM],
        column_encoding=dict.fromkeys(delta, "DELTA_BINARY_PACKED"),
    )


RANDOM = ("span_id", "parent_span_id")  # no dictionary is shorter than these


def _goes_by_differences(path: str, kind: pa.DataType) -> bool:
    last = path.rsplit(".", maxsplit=1)[-1]
    return pa.types.is_timestamp(kind) or pa.types.is_duration(kind) or last in ("id", "parent_id")


def _leaves(schema: pa.Schema) -> Iterator[tuple[str, pa.DataType]]:
    """Yield the columns that Parquet makes of a schema."""
    for field in schema:
        yield from _leaves_of(field.name, field.type)


def _leaves_of(path: str, kind: pa.DataType) -> Iterator[tuple[str, pa.DataType]]:
    if pa.types.is_struct(kind):
        for field in kind:
            yield from _leaves_of(f"{path}.{field.name}", field.type)
    elif pa.types.is_list(kind):
        yield from _leaves_of(f"{path}.list.element", kind.value_type)
    else:
        yield path, kind


def _arrow(folder: Path, name: str, schema: pa.Schema) -> Any:
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    return _ArrowFile(folder / f"{name}.arrow", schema, options)


class _ArrowFile:
    def __init__(self, path: Path, schema: pa.Schema, options: Any) -> None:
        self._file = pa.OSFile(str(path), "wb")
        self._writer = pa.ipc.new_file(self._file, schema, options=options)

    def write_table(self, table: pa.Table, max_chunksize: int) -> None:
        self._writer.write_table(table, max_chunksize=max_chunksize)

    def close(self) -> None:
        self._writer.close()
        self._file.close()


def _plain(schema: pa.Schema) -> pa.Schema:
    """Return a schema without dictionaries."""
    return pa.schema(
        [
            field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field
            for field in schema
        ]
    )


class _Shift:
    """Moves the ids of each batch behind those of the batches before."""

    def __init__(self, signal: Signal) -> None:
        self.records = LAYOUTS[signal].records
        self.parents = parents_of(signal)
        self.before = dict.fromkeys([*LAYOUTS[signal].schemas, *LISTED, "root"], 0)

    def tables(self, batch: Telemetry) -> dict[str, pa.Table]:
        tables = {name: self._moved(name, table) for name, table in batch.tables.items()}
        for name, table in batch.tables.items():
            self.before[name] += len(table)
            if self.before[name] > MOST_ROWS:
                msg = f"table {name!r} has more than {MOST_ROWS:,} rows, the most that ids number"
                raise TableError(msg)
        for name, (owner, column) in LISTED.items():
            if owner in batch.tables:
                self.before[name] += int(
                    pc.sum(pc.list_value_length(batch.tables[owner][column])).as_py() or 0
                )
        return tables

    def _moved(self, name: str, table: pa.Table) -> pa.Table:
        if name == "unknown_fields":
            before = np.array([self.before[of] for of in table["table"].to_pylist()], np.int64)
            return with_column(table, "row", _integers(table["row"]) + before)
        if name == self.records:
            for struct in ("resource", "scope"):
                ids = _integers(pc.struct_field(table[struct], "id"))
                if self.before[f"{struct}s"]:
                    table = with_struct_ids(table, struct, ids + self.before[f"{struct}s"])
        for column, of in (("id", name), ("parent_id", self.parents.get(name, "root"))):
            if column in table.schema.names and self.before[of]:
                table = with_column(table, column, _integers(table[column]) + self.before[of])
        return table


def _integers(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    return column.to_numpy().astype(np.int64)
